"""Recipes become series: the same ones, whole ones, and mended ones."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import warnings

import numpy as np
import pytest
import xarray as xr

import chaoslab as cl
from chaoslab.datasets import Noise, Recipe, build, open_built, series, storage
from chaoslab.datasets.build import _said
from chaoslab.trajectories import TrajectoryWarning, check

FOUR = Recipe(["Lorenz", "MackeyGlass", "DrivenPendulum", "Chua"], split="test", members=3, periods=2, samples=20)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def built(cache):
    return build(FOUR, cache=cache, workers=0, progress=False).load()


def same(one, other):
    return all(one[name].to_dataset().equals(other[name].to_dataset()) for name in one.children)


def test_every_system_is_a_trajectory_with_the_right_times(built):
    assert list(built.children) == list(FOUR.labels)
    for name, node in built.children.items():
        check(node.to_dataset())
        assert node.state.shape == (3, 40, cl.load(name).dimension)
        assert abs(float(node.period[-1]) - 39 / 20) < 1e-15 * 4
    assert Recipe.from_json(built.attrs["recipe"]) == FOUR


def test_the_series_are_those_of_simulate(built):
    start = built["Lorenz"].state.values[:, 0]
    again = cl.simulate("Lorenz", periods=2, samples=20, initial=start)
    assert np.array_equal(again.state.values, built["Lorenz"].state.values)


def test_what_is_observed_is_worked_out_of_the_state(built):
    node, system = built["DrivenPendulum"], cl.load("DrivenPendulum")
    assert np.array_equal(node.observed.values, system.observe(node.state.values, node.time.values))
    assert np.array_equal(node.observed[1, 3:5, 0].values, node.observed.values[1, 3:5, 0])


def test_the_second_call_opens_what_the_first_has_built(cache, built, monkeypatch):
    monkeypatch.setattr(storage, "put", None)
    assert same(build(FOUR, cache=cache, progress=False).load(), built)


def test_the_same_whatever_the_number_of_workers(tmp_path, built):
    assert same(build(FOUR, cache=tmp_path, workers=2, progress=False).load(), built)


def test_a_member_does_not_depend_on_how_many_there_are(tmp_path, built):
    few = build(FOUR.with_(members=1), cache=tmp_path, workers=0, progress=False)
    for name in few.children:
        assert np.array_equal(few[name].state.values, built[name].state.values[:1])


def test_splits_take_turns_on_one_orbit_and_never_meet():
    lorenz, recipe = cl.load("Lorenz"), Recipe("Lorenz", members=5, periods=4)
    ends = {}
    for split in ("train", "validation", "test"):
        ends[split] = series.starts(recipe.with_(split=split), lorenz, 0, 5)
    first = np.stack([ends[split] for split in ends], axis=1).reshape(-1, 3)  # in the order of the orbit
    later = cl.simulate(lorenz, periods=9, samples=200, initial=first).state.values
    nearest = np.abs(later[:-1] - first[1:, None]).max(axis=2)
    place = nearest.argmin(axis=1) / 200
    assert (nearest.min(axis=1) < 1).all(), "each orbit comes by where the next member starts"
    assert (place > 4).all(), "and only after its own series has ended"


@pytest.mark.parametrize("name", ["Henon", "Lorenz", "MackeyGlass"])
def test_blocks_beyond_the_first_start_elsewhere(name):
    system = cl.load(name)
    recipe = Recipe(name, members=67, periods=3, samples=1 if name == "Henon" else 10)
    first, second = (next(series.pieces(recipe, system, block)).state.values for block in range(2))
    assert (len(first), len(second)) == (64, 3)
    apart = np.abs(first[:, None, 0] - second[None, :, 0]).max(axis=2) / first.std()
    assert apart.min() > 1e-4, "chaos has parted those that were a millionth apart"
    other = next(series.pieces(recipe.with_(split="test"), system, 1)).state.values
    assert np.abs(other[:, 0] - second[:, 0]).min() > 1e-4 * first.std()


def test_rounded_values_are_multiples_of_a_power_of_two(tmp_path):
    found = build(Recipe("Lorenz", members=2, periods=1, resolution=1e-3), cache=tmp_path, progress=False)["Lorenz"].state.values
    unit = series.quanta(cl.load("Lorenz"), 1e-3)
    assert (np.log2(unit) % 1 == 0).all()
    spread = cl.simulate("Lorenz", periods=300).state.values[0].std(axis=0)
    assert (unit <= 1.05e-3 * spread).all()
    assert (unit > 0.45e-3 * spread).all()
    assert np.array_equal(found, np.rint(found / unit) * unit)


def test_univariate_sets_are_one_dataset(tmp_path, built):
    one = build(FOUR.with_(components="first"), cache=tmp_path, progress=False)
    assert one.observed.dims == ("system", "member", "time")
    for name in FOUR.labels:
        whole = built[name].observed if "observed" in built[name] else built[name].state
        assert np.array_equal(one.observed.sel(system=name).values, whole.isel(component=0).values)
    assert np.array_equal(one.observed[1:3, ::2, 4].values, one.observed.values[1:3, ::2, 4])
    assert float(one.dominant_period.sel(system="Lorenz")) == cl.load("Lorenz").period
    assert np.allclose(one.lyapunov_time.sel(system="Lorenz"), built["Lorenz"].lyapunov_time)


def test_large_systems_may_be_thinned(tmp_path):
    found = build(Recipe(["Kuramoto", "Lorenz"], members=2, periods=1, components=4), cache=tmp_path, progress=False)
    assert found["Kuramoto"].state.shape == (2, 100, 4)
    assert set(found["Kuramoto"].data_vars) == {"state", "observed"}  # which needs the whole state
    assert np.allclose(found["Kuramoto"].observed, np.sin(found["Kuramoto"].state))
    assert found["Lorenz"].sizes["component"] == 3


def test_coarse_noisy_sets_show_the_motion_of_fine_ones(tmp_path):
    recipe = Recipe("Lorenz96", members=2, periods=3, samples=15, process_noise=0.1)
    coarse = build(recipe, cache=tmp_path, progress=False)["Lorenz96"].state
    fine = build(recipe.with_(samples=100), cache=tmp_path, progress=False)["Lorenz96"].state
    assert np.array_equal(coarse[:, ::3], fine[:, ::20])  # every fifth of a period both have a sample
    clean = build(recipe.with_(process_noise=0), cache=tmp_path, progress=False)["Lorenz96"].state
    assert not np.allclose(clean, coarse)
    assert np.array_equal(clean[:, 0], coarse[:, 0])


def test_pieces_follow_one_another(tmp_path, monkeypatch, built):
    monkeypatch.setattr(series, "PIECE", series.BLOCK * 3 * 7)  # seven samples of Lorenz
    pieced = build(FOUR.with_(systems="Lorenz"), cache=tmp_path, progress=False)["Lorenz"].state
    assert len(list(series.pieces(FOUR.with_(systems="Lorenz"), cl.load("Lorenz"), 0))) == 6
    assert np.allclose(pieced, built["Lorenz"].state, atol=1e-6)


def test_members_that_end_are_marked_also_across_pieces(tmp_path, monkeypatch):
    recipe = Recipe("HenonHeiles", split="test", members=6, samples=15, process_noise=0.05)  # noise lifts some over the rim
    monkeypatch.setattr(series, "PIECE", 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TrajectoryWarning)
        found = build(recipe, cache=tmp_path, workers=0, progress=False)["HenonHeiles"].to_dataset()
    assert set(found.status.values) == {"ok", "escaped"}
    assert len(list(series.motion(recipe.with_(members=1), cl.load("HenonHeiles"), 0))) == 12
    check(found)


def test_observation_noise_is_in_what_is_observed(tmp_path):
    recipe = Recipe("Lorenz", members=2, periods=20, observation_noise=0.1)
    found = build(recipe, cache=tmp_path, progress=False)["Lorenz"]
    spread = (found.observed - found.state).std(["member", "time"]) / found.state.std(["member", "time"])
    assert np.allclose(spread, 0.1, rtol=0.1)


def test_corruption_comes_after(tmp_path):
    found = build(Recipe("Lorenz", members=2, corruptions=(Noise(0.2),)), cache=tmp_path, progress=False)["Lorenz"]
    spread = (found.observed - found.state).std(["member", "time"]) / found.clean.std("time").mean("member")
    assert np.allclose(spread, 0.2, rtol=0.1)
    assert np.array_equal(found.clean, found.state)
    assert "Noise" in found.attrs["corruption"]


def test_a_system_that_fails_takes_no_other_down(tmp_path):
    bad = cl.System({"x": "x**2"}, state={"x": 1.0}, name="Bad", period=1.0)
    recipe = Recipe(["Lorenz", bad], members=2, periods=1)
    with pytest.warns(TrajectoryWarning, match="1 of 2 systems failed.*Bad"):
        found = build(recipe, cache=tmp_path, workers=0, progress=False)
    assert list(found.children) == ["Lorenz"]
    assert "Bad" in json.loads(found.attrs["failures"])
    with pytest.warns(TrajectoryWarning, match="Bad"):
        build(recipe, cache=tmp_path, retry=True, workers=0, progress=False)


# --- what may happen to files --------------------------------------------------------------------------------------------


def spoil(path, how):
    chunk = next(file for file in sorted(path.rglob("*")) if file.is_file() and "Chua" in str(file) and file.parent.name != "state")
    if how == "tampered":
        data = bytearray(chunk.read_bytes())
        data[len(data) // 2] ^= 255
        chunk.write_bytes(bytes(data))
    elif how == "truncated":
        chunk.write_bytes(chunk.read_bytes()[:20])
    else:
        chunk.unlink()


@pytest.mark.parametrize("how", ["tampered", "truncated", "missing"])
def test_what_does_not_agree_with_its_checksum_is_built_again(tmp_path, cache, built, how):
    shutil.copytree(cache / f"{FOUR.hash}.zarr", tmp_path / f"{FOUR.hash}.zarr")
    spoil(tmp_path / f"{FOUR.hash}.zarr", how)
    with pytest.warns(TrajectoryWarning, match="does not agree with its checksums in Chua"):
        found = build(FOUR, cache=tmp_path, workers=0, progress=False)
    assert same(found.load(), built)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        build(FOUR, cache=tmp_path, workers=0, progress=False)


def test_something_else_under_its_name_is_built_again_or_refused(tmp_path):
    recipe = Recipe("Lorenz", members=2, periods=1)
    (tmp_path / f"{recipe.hash}.zarr").mkdir()
    (tmp_path / f"{recipe.hash}.zarr" / "zarr.json").write_text("{}")
    with pytest.warns(TrajectoryWarning, match="not the set that its name says"):
        build(recipe, cache=tmp_path, progress=False)
    other = build(recipe.with_(seed=1), to=tmp_path / "other.zarr", progress=False)
    with pytest.raises(FileExistsError, match="is not this set"):
        build(recipe, to=tmp_path / "other.zarr", progress=False)
    assert open_built(tmp_path / "other.zarr").equals(other)


def test_half_a_set_is_never_opened(tmp_path):
    recipe = Recipe("Lorenz", members=2, periods=1)
    storage.create(tmp_path / "half.zarr", recipe)
    with pytest.raises(ValueError, match="was interrupted"):
        open_built(tmp_path / "half.zarr")
    with pytest.raises(ValueError, match="holds no whole set"):
        open_built(tmp_path / "nothing.zarr")


def test_a_set_of_its_own_has_coordinates_for_other_programs(tmp_path, built):
    build(FOUR, to=tmp_path / "mine.zarr", workers=0, progress=False)
    other = xr.open_datatree(tmp_path / "mine.zarr", engine="zarr", consolidated=False)
    for name in FOUR.labels:
        assert np.array_equal(other[name].state.values, built[name].state.values)
        assert np.array_equal(other[name].time.values, built[name].time.values)
        assert list(other[name].component.values) == list(built[name].component.values)
    with pytest.raises(ValueError, match=r"ends in \.zarr"):
        build(FOUR, to=tmp_path / "mine.nc")
    with pytest.raises(FileNotFoundError, match="no folder"):
        build(FOUR, to=tmp_path / "no" / "mine.zarr")


def test_a_full_disk_is_told_and_what_is_done_is_kept(tmp_path, monkeypatch, built):
    real, calls = storage.pieces, []

    def full(recipe, system, block):
        calls.append(system.label)
        if len(calls) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(recipe, system, block)

    monkeypatch.setattr(storage, "pieces", full)
    with pytest.raises(OSError, match="the disk is full"):
        build(FOUR, cache=tmp_path, workers=0, progress=False)
    assert same(build(FOUR, cache=tmp_path, workers=0, progress=False).load(), built)
    assert len(calls) == 4 + 1, "only the one that had failed was made again"


PROGRAM = """
import sys
from chaoslab.datasets import Recipe, build
if __name__ == "__main__":
    build(Recipe.from_json(sys.argv[1]), cache=sys.argv[2], workers=1, progress=False)
"""


def test_a_killed_build_goes_on(tmp_path, built):
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    run = subprocess.Popen([sys.executable, str(script), FOUR.to_json(), str(tmp_path)], start_new_session=True)
    partly = tmp_path / f"{FOUR.hash}.zarr.partial"
    limit = time.monotonic() + 60
    while not list(partly.glob("Lorenz/state/c/**/0")) and time.monotonic() < limit and run.poll() is None:
        time.sleep(0.01)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    found = build(FOUR, cache=tmp_path, workers=0, progress=False)
    assert same(found.load(), built)
    assert not partly.exists()


def test_two_at_once_build_it_once(tmp_path, monkeypatch):
    recipe, real, calls = Recipe("Lorenz", members=2, periods=1), storage.put, []

    def slow(*args, **kwargs):
        calls.append(args)
        time.sleep(0.5)
        return real(*args, **kwargs)

    monkeypatch.setattr(storage, "put", slow)
    slow.__name__, slow.__qualname__, slow.__module__ = "put", "put", storage.__name__
    found = []

    def run():
        found.append(build(recipe, cache=tmp_path, workers=0, progress=False).load())

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        threads = [threading.Thread(target=run) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(calls) == 1
    assert found[0].equals(found[1])
    assert any("another process builds" in str(one.message) for one in told)


def test_bad_requests():
    with pytest.raises(TypeError, match="build takes a Recipe"):
        build("Lorenz")


def test_the_manifest_says_what_became_of_whom(cache, built):
    said = _said(cache / f"{FOUR.hash}.zarr")
    assert said["complete"]
    assert said["systems"]["Lorenz"]["status"] == ["ok"] * 3
    assert len(said["systems"]["Lorenz"]["sha256"]) == 1
