"""The plane of entropy and complexity, and curves over the lag."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from chaoslab import figures
from chaoslab.invariants import complexity_bounds, ideal_lag, ordinal, region


@pytest.fixture(scope="module")
def noise():
    return ordinal(np.random.default_rng(0).standard_normal(3000))


@pytest.fixture(scope="module")
def waves():
    return np.sin(np.arange(3000) / 12) + np.sin(np.arange(3000) / 30)


@pytest.fixture(scope="module")
def curve(waves):
    return ordinal(waves, lag=[1, 4, 9, 20])


def texts(ax):
    return {text.get_text().strip(): text for text in ax.texts}


def test_points_lie_where_they_were_found(noise, curve):
    ax = figures.complexity_plane({"noise": noise, "waves": curve}, title="Two")
    assert ax.get_title() == "Two"
    point, *_ = ax.containers[0]
    assert [float(one[0]) for one in point.get_data()] == [float(noise.entropy), float(noise.complexity)]
    half = np.ptp(ax.containers[0][2][0].get_segments()[0][:, 0]) / 2
    assert half == pytest.approx(2 * float(noise.entropy_error))
    [line] = [line for line in ax.lines if len(line.get_xdata()) == 4]
    assert np.array_equal(line.get_ydata(), curve.complexity)
    [ring] = [line for line in ax.lines if line.get_marker() == "o" and line.get_markerfacecolor() == "none"]
    assert float(ring.get_xdata()[0]) == float(curve.entropy[0])
    assert {"noise", "waves"} <= set(texts(ax))


def test_members_and_components_are_points_of_one_colour(waves):
    many = ordinal(np.stack([waves, waves[::-1] ** 3, np.random.default_rng(1).random(3000)], axis=1))
    ax = figures.complexity_plane(many)
    assert len(ax.containers[0][0].get_xdata()) == 3


@pytest.mark.parametrize("length", [3, 5, 6])
def test_bounds_and_regions_are_those_of_the_invariants(length):
    ax = figures.complexity_plane(length=length)
    bounds = complexity_bounds(length, points=400)
    drawn = [line.get_ydata() for line in ax.lines[:2]]
    assert np.array_equal(drawn[0], bounds.lower)
    assert np.array_equal(drawn[1], bounds.upper)
    named = {name: text.get_position() for name, text in texts(ax).items()}
    assert set(named) == ({"periodic", "complex", "stochastic"} if length >= 5 else set())
    for name, (height, complexity) in named.items():
        assert region(height, complexity - 2e-4, length) == name, "the word stands on its region, or on its upper edge"
    shades = len(ax.collections) - 2
    assert shades == (3 if length >= 5 else 0)


def test_shades_end_where_regions_end():
    ax = figures.complexity_plane()
    for name, shade in zip(("periodic", "stochastic", "complex"), ax.collections[2:], strict=True):
        [path] = shade.get_paths()[:1]
        rng = np.random.default_rng(3)
        height = rng.uniform(0.15, 0.98, 4000)
        bounds = complexity_bounds(5, entropy=height)
        complexity = bounds.lower + rng.random(4000) * (bounds.upper - bounds.lower)
        inside = np.any([one.contains_points(np.stack([height, complexity], axis=1)) for one in shade.get_paths()], axis=0)
        same = inside == (region(height, complexity.values, 5) == name)
        assert same.mean() > 0.985, name
        assert path.vertices.size


def test_one_plane_is_of_one_length(noise):
    with pytest.raises(ValueError, match="of one pattern length; 4, 5 given"):
        figures.complexity_plane({"a": noise, "b": ordinal(np.arange(99) % 7, length=4)})
    with pytest.raises(ValueError, match="5, 6 given"):
        figures.complexity_plane(noise, length=6)
    with pytest.raises(TypeError, match="'a' is a ndarray"):
        figures.complexity_plane({"a": np.ones(3)})


def test_the_plane_is_drawn_where_asked(noise):
    own = plt.figure().add_subplot()
    assert figures.complexity_plane(noise, ax=own) is own


def test_over_the_lag(waves, curve):
    ax = figures.over_lag(curve)
    assert ax.get_xlabel() == "pattern time (the series' time unit)"
    assert np.array_equal(ax.lines[0].get_xdata(), curve.pattern_time)
    assert np.array_equal(ax.lines[1].get_ydata(), curve.complexity)
    ideal = ideal_lag(waves)
    ax = figures.over_lag(curve, ideal, title="Mine")
    assert (ax.get_xlabel(), ax.get_title()) == ("pattern time (natural time scales)", "Mine")
    assert ax.lines[0].get_xdata() == pytest.approx(curve.pattern_time.values / float(ideal.time_scale))
    shade = ax.patches[0]
    assert (shade.get_x(), shade.get_x() + shade.get_width()) == pytest.approx((0.3, 0.5))


def test_a_curve_is_of_one_series_at_several_lags(noise):
    with pytest.raises(ValueError, match=r"one series at several lags, .* dims \(\)"):
        figures.over_lag(noise)
