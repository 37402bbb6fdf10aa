"""Small pictures of the catalogue."""

import numpy as np
import pytest

from chaoslab.sweep import sweep
from chaoslab.systems import load, names
from chaoslab.trajectories.record import digest
from chaoslab.widgets import thumbnails as module
from chaoslab.widgets.thumbnails import FILE, Thumbnail, dots, draw, line, main, sites, thumbnails, write


def test_every_system_has_its_own():
    assert list(thumbnails()) == names()
    other = [name for name, picture in thumbnails().items() if picture.definition != digest(load(name))]
    assert not other, f"drawn from another definition; run python -m chaoslab.widgets.thumbnails {' '.join(other)}"


def test_each_fills_its_square():
    for name, picture in thumbnails().items():
        assert picture.points.dtype == np.uint8
        if picture.way == "sites":
            assert np.ptp(picture.points) > 100, name
        else:
            assert picture.points.min(axis=0).tolist() == [0, 0], name
            assert picture.points.max(axis=0).tolist() == [255, 255], name
            assert len(np.unique(picture.points, axis=0)) > 15, name
        kind = load(name).kind
        assert picture.way in {"map": ("dots", "sites")}.get(kind, ("line", "sites")), name


def test_all_of_them_ship_in_little_room_and_say_how_they_were_made():
    assert FILE.stat().st_size < 400_000
    with np.load(FILE) as file:
        assert str(file["command"]) == "python -m chaoslab.widgets.thumbnails"
        assert str(file["version"]).startswith("chaoslab ")
        assert len(str(file["date"])) == 10


def distance_to_chain(points: np.ndarray, chain: np.ndarray) -> np.ndarray:
    """How far points (point, axis) lie from a polygonal line (corner, axis)."""
    begin, step = chain[:-1], np.diff(chain, axis=0)
    along = ((points[:, None] - begin) * step).sum(axis=-1) / (step**2).sum(axis=-1)
    foot = begin + np.clip(along, 0, 1)[..., None] * step
    return np.linalg.norm(points[:, None] - foot, axis=-1).min(axis=1)


def test_a_line_lies_within_a_pixel_of_its_curve():
    angle = np.linspace(0, 10, 4000)
    spiral = np.exp(-angle / 5)[:, None] * np.stack([np.cos(4 * angle), np.sin(4 * angle)], axis=1)
    low, high = spiral.min(axis=0), spiral.max(axis=0)
    kept = line(spiral).astype(float)
    assert len(kept) < 400
    shown = 255 * (spiral - low) / (high - low)
    inside = shown[:-100]  # the last chord ends before the curve does
    assert distance_to_chain(inside, kept).max() < 1.5


def test_a_straight_line_needs_few_points_and_a_long_curve_is_cut():
    straight = np.linspace(0, 1, 5000)[:, None] * [1.0, 2.0]
    assert 2 <= len(line(straight)) < 20
    angle = np.linspace(0, 4000, 200_000)
    tangle = np.stack([np.cos(angle), np.sin(1.01 * angle)], axis=1)
    assert len(line(tangle)) == module.POINTS


def test_an_axis_that_stands_still_is_in_the_middle():
    assert set(line(np.stack([np.linspace(0, 1, 100), np.full(100, 7.0)], axis=1))[:, 1]) == {128}


def test_dots_are_different_places():
    rng = np.random.default_rng(0)
    places = dots(rng.integers(0, 20, (5000, 2)).astype(float))
    assert len(places) == len(np.unique(places, axis=0)) == 400


def test_sites_keep_their_order_about_the_median():
    values = np.arange(12.0)[:, None] + 100 * np.arange(5)  # time, site
    small = sites(values)
    assert small.shape == (5, 12)
    assert (np.diff(small.astype(int), axis=0) > 0).all()
    assert abs(int(small[2, 5]) - 128) <= 1
    assert sites(np.random.default_rng(0).normal(size=(500, 90))).shape == module.SITES


def test_drawing_again_gives_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "FILE", tmp_path / "small.npz")
    thumbnails.cache_clear()
    try:
        assert thumbnails() == {}
        write({"Thomas": Thumbnail("dots", np.array([[3, 250], [255, 0], [0, 255]], np.uint8), "gone")})
        assert main(["Lorenz", "Henon"], workers=0) == 0
        drawn = thumbnails()
        assert list(drawn) == ["Henon", "Lorenz", "Thomas"]
        assert drawn["Thomas"].points.tolist() == [[3, 250], [255, 0], [0, 255]]
        assert (drawn["Lorenz"].way, drawn["Henon"].way) == ("line", "dots")
        assert drawn["Lorenz"].definition == digest(load("Lorenz"))
    finally:
        thumbnails.cache_clear()


def test_another_definition_is_not_drawn():
    with pytest.raises(ValueError, match="defined otherwise"):
        draw("Lorenz", "0" * 12)
    found = sweep(draw, [{"name": "Lorenz", "definition": "0" * 12}], workers=0, progress=False)
    assert "defined otherwise" in found.failed[0]["failure"]
