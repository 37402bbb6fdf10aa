"""Trajectories written piece by piece: the same as in memory, whole or not there, and gone on with after any kind of end."""

import errno
import json
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr

from chaoslab.systems import System
from chaoslab.trajectories import TrajectoryWarning, check, simulate
from chaoslab.trajectories.motion import Motion

DELAYED = System({"x": "r*x*(1 - x(t - tau))"}, {"r": 1.8, "tau": 1}, {"x": 0.9}, kind="delay", name="Hutchinson", period=4.2)
OU = System({"x": "-x"}, {"s": 1}, {"x": 0}, noise={"x": "s"}, name="OU", period=3.0)
#: These leave for infinity: at once from large starts, later or never from small ones.
EXPLOSIVE = System({"x": "x**2"}, {}, {"x": 0.01}, name="Explosive", period=1.0)
KINKED = System({"x": "x*abs(x)"}, {}, {"x": 0.01}, name="Kinked", period=1.0)
SHAKEN = System({"x": "x**2"}, {}, {"x": 0.01}, noise={"x": "1/1000"}, name="Shaken", period=1.0)
SQUARED = System({"x": "x**2"}, {}, {"x": 0.01}, kind="map", name="Squared")
FEEDBACK = System({"x": "x*x(t - 1)"}, {}, {"x": 0.01}, kind="delay", name="Feedback", period=1.0)
#: These grow, by a trillion in about forty steps.
DOUBLED = System({"x": "a*x"}, {"a": 2}, {"x": 1}, kind="map", name="Doubled")
GROWING = System({"x": "a*x"}, {"a": 0.7}, {"x": 1}, name="Growing", period=1.0)


@pytest.fixture(autouse=True)
def short_pieces(monkeypatch):
    monkeypatch.setattr("chaoslab.trajectories.stream.PIECE", 60)


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "orbit.zarr"


def assert_same(found: xr.Dataset, expected: xr.Dataset, within: float = 0.0):
    """The same variables, coordinates and attributes; numbers to `within` of the largest."""
    check(found)
    assert set(found.variables) == set(expected.variables)
    assert {key: value for key, value in found.attrs.items() if key != "request"} == expected.attrs
    for key, array in expected.variables.items():
        assert found[key].dims == array.dims
        if array.dtype.kind != "f":
            assert list(map(str, found[key].values.flat)) == list(map(str, array.values.flat))
            continue
        limit = within * np.nanmax(np.abs(array.values), initial=0)
        np.testing.assert_allclose(found[key].values, array.values, rtol=0, atol=limit, err_msg=key)


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def request_of(system, periods, **options):
    """A call to make again and again."""
    return lambda path: simulate(system, periods, to=path, **options)


# --- the same as in memory ----------------------------------------------------------------------------------------------

FINE = {"samples": 20}
SAME = {
    "flow": ("Lorenz", 2, FINE | {"members": 2, "derivative": True}, 1e-9),
    "one piece": ("Lorenz", 1, {"samples": 5}, 0),
    "transient": ("Lorenz", 2, FINE | {"transient": 1.5}, 1e-9),
    "parameters": ("Lorenz", 2, FINE | {"parameters": {"rho": [28, 40, 60]}, "derivative": True}, 1e-9),
    "jitter": ("Lorenz", 2, FINE | {"members": 3, "jitter": 0.1}, 1e-9),
    "seen": ("Duffing", 2, FINE | {"members": 2, "observation_noise": 0.1}, 1e-9),
    "kinks": ("Chua", 2, FINE | {"members": 2}, 1e-9),
    "sliding": ("StickSlipOscillator", 2, FINE, 1e-9),
    "map": ("Henon", 100, {"members": 3, "observation_noise": 0.1, "derivative": True, "transient": 7}, 0),
    "many": ("Ikeda", 20, {"members": 12}, 0),
    "timed map": (
        System({"x": "3*cos(t) + x/2"}, {}, {"x": 0}, kind="map", name="T"),
        150,
        {"transient": 3, "derivative": True},
        0,
    ),
    "noise": ("Lorenz", 2, FINE | {"members": 3, "process_noise": 0.1, "observation_noise": 0.1}, 0),
    "noise, kinks": ("Chua", 2, FINE | {"process_noise": 0.1, "noise_step": 0.05}, 0),
    "noise, forced": ("Duffing", 2, FINE | {"process_noise": 0.1, "transient": 0.5}, 1e-12),
    "own noise": (OU, 10, FINE | {"parameters": {"s": [1, 2]}}, 0),
    "delay": (DELAYED, 3, {"samples": 50, "members": 2, "derivative": True, "observation_noise": 0.1}, 1e-9),
    "delay, noise": (DELAYED, 3, {"samples": 50, "members": 2, "derivative": True, "process_noise": 0.1}, 1e-9),
    "history": (DELAYED, 2, {"samples": 50, "initial": lambda s: 1 + np.sin(s) / 2, "transient": 1}, 1e-9),
    "lags": (DELAYED, 2, {"samples": 50, "parameters": {"tau": [0.8, 1, 1.3]}, "jitter": 0.01, "derivative": True}, 1e-9),
}


@pytest.mark.parametrize("case", SAME)
def test_a_stream_is_the_trajectory_in_memory(case, path):
    system, periods, options, within = SAME[case]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_same(simulate(system, periods, to=path, **options), simulate(system, periods, **options), within)
    assert names(path.parent) == ["orbit.zarr"]


@pytest.mark.parametrize("system", ["Lorenz", "Henon", OU, DELAYED], ids=["flow", "map", "noise", "delay"])
def test_a_stream_goes_on_from_a_stream(system, path):
    options = {"members": 2, "observation_noise": 0.1, "rng": 3} | ({} if system == "Henon" else {"samples": 60})
    first = simulate(system, 1 if system != "Henon" else 60, **options)
    stored = simulate(system, 1 if system != "Henon" else 60, to=path, **options)
    options.pop("members")
    found = simulate(system, 2 if system != "Henon" else 90, initial=stored, to=path.with_name("later.zarr"), **options)
    assert_same(found, simulate(system, 2 if system != "Henon" else 90, initial=first, **options), 1e-7)
    assert float(found.time[0]) > float(first.time[-1])


# --- members that end ---------------------------------------------------------------------------------------------------

LEAVING = [
    (EXPLOSIVE, FINE | {"initial": [[0.01], [2.0], [-1.0], [0.7]], "derivative": True}),
    (KINKED, FINE | {"initial": [[0.01], [2.0], [-0.1], [0.7]]}),
    (SHAKEN, FINE | {"initial": [[0.01], [2.0], [-1.0], [0.7]], "noise_step": 0.05}),
    (SQUARED, {"initial": [[0.9], [1.1], [2.0]], "observation_noise": 1e-3}),
    (FEEDBACK, FINE | {"initial": [[0.01], [4.0], [-1.0]], "derivative": True}),
]


@pytest.mark.parametrize(("system", "options"), LEAVING, ids=lambda value: getattr(value, "name", ""))
@pytest.mark.parametrize("alone", [False, True], ids=["among others", "alone"])
def test_a_member_that_ends_early_stays_ended_and_others_go_on(system, options, alone, path):
    options = options | ({"initial": options["initial"][1:2]} if alone else {})
    periods = 100 if system.kind == "map" else 4
    with pytest.warns(TrajectoryWarning, match="member . escaped"):
        memory = simulate(system, periods, **options)
    with pytest.warns(TrajectoryWarning, match="member . escaped"):
        found = simulate(system, periods, to=path, **options)
    assert_same(found, memory, 1e-9)
    assert found.status.values[0] == ("escaped" if alone else "ok")
    assert names(path.parent) == ["orbit.zarr"]


@pytest.mark.parametrize(
    ("system", "options"),
    [(DOUBLED, {}), (GROWING, {"samples": 5}), (GROWING, {"samples": 5, "process_noise": {"x": 0}})],
    ids=["map", "flow", "still"],
)
def test_what_has_left_for_good_is_measured_from_the_start_and_not_from_the_piece(system, options, path):
    options = options | {"parameters": {"a": [system.parameters["a"], 0.01]}}
    with pytest.warns(TrajectoryWarning):
        memory = simulate(system, 100, **options)
    with pytest.warns(TrajectoryWarning):
        assert_same(simulate(system, 100, to=path, **options), memory, 1e-9)


# --- interrupted --------------------------------------------------------------------------------------------------------

KINDS = {
    "flow": request_of("Lorenz", 2, samples=20, members=2),
    "kinks": request_of("Chua", 3, samples=20),
    "map": request_of("Henon", 75, members=2, observation_noise=0.1),
    "noise": request_of("Duffing", 3, samples=20, process_noise=0.1, observation_noise=0.1),
    "delay": request_of(DELAYED, 2, samples=60, members=2, observation_noise=0.1, jitter=0.01),
    "noisy delay": request_of(DELAYED, 2, samples=60, members=2, process_noise=0.1),
    "lost": request_of(SQUARED, 120, initial=[[1.1], [0.9]], observation_noise=0.1),
}


@pytest.mark.parametrize(("kind", "writes"), [*((kind, 14) for kind in KINDS), ("map", 2)])
@pytest.mark.filterwarnings("ignore::chaoslab.trajectories.TrajectoryWarning")
def test_a_full_disk_leaves_what_can_be_gone_on_with(kind, writes, path, monkeypatch):
    """The disk takes some arrays and no more; later there is room again."""
    whole = KINDS[kind](path.with_name("whole.zarr")).load()
    setitem, done = zarr.Array.__setitem__, []

    def full(*args):
        done.append(1)
        if len(done) > writes:
            raise OSError(errno.ENOSPC, "No space left on device")
        setitem(*args)

    with monkeypatch.context() as patch:
        patch.setattr(zarr.Array, "__setitem__", full)
        with pytest.raises(OSError, match="No space"):
            KINDS[kind](path)
    assert not path.exists()
    xr.testing.assert_identical(KINDS[kind](path).load(), whole)
    assert names(path.parent) == ["orbit.zarr", "whole.zarr"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left")], ids=["Ctrl-C", "full disk"])
def test_an_end_while_noting_leaves_no_litter(error, path, monkeypatch):
    replace = os.replace

    def end(source, target):
        if str(target).endswith(".npz"):
            raise error
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", end)
        with pytest.raises(type(error)):
            KINDS["map"](path)
    KINDS["map"](path)
    assert names(path.parent) == ["orbit.zarr"]


def test_an_end_after_the_last_piece_leaves_no_trap(path, monkeypatch):
    unlink = Path.unlink

    def end(self, *args, **options):
        if self.suffix == ".npz":
            raise KeyboardInterrupt
        unlink(self, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", end)
        with pytest.raises(KeyboardInterrupt):
            KINDS["map"](path)
    KINDS["map"](path)
    assert names(path.parent) == ["orbit.zarr"]


@pytest.fixture
def unfinished(path, monkeypatch):
    """A call that was stopped in its third piece, and can be made again."""
    advance, done = Motion.advance, []

    def stopped(*args, **options):
        done.append(1)
        if len(done) == 3:
            raise KeyboardInterrupt
        return advance(*args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Motion, "advance", stopped)
        with pytest.raises(KeyboardInterrupt):
            KINDS["map"](path)
    return KINDS["map"]


def test_what_was_done_is_not_done_again(unfinished, path, monkeypatch):
    advance, counts = Motion.advance, []

    def counted(motion, count, **options):
        counts.append(count)
        return advance(motion, count, **options)

    monkeypatch.setattr(Motion, "advance", counted)
    unfinished(path)
    assert counts == [15] * 3  # of five pieces of 15 samples of 2 members of 2 components


def test_an_unfinished_store_that_somebody_removed_is_made_anew(unfinished, path):
    shutil.rmtree(path.with_name("orbit.zarr.partial"))
    assert unfinished(path).sizes["time"] == 75
    assert names(path.parent) == ["orbit.zarr"]


# --- another request ----------------------------------------------------------------------------------------------------

OTHERS = [
    {"periods": 76},
    {"rng": 6},
    {"observation_noise": 0.2},
    {"transient": 1},
    {"derivative": True},
    {"parameters": {"a": [1.4, 1.3]}},
    {"jitter": 1e-9},
    {"system": "Ikeda"},
]


@pytest.mark.parametrize("change", OTHERS, ids=lambda change: next(iter(change)))
def test_another_request_is_refused_and_nothing_is_lost(unfinished, path, change):
    other = {"system": "Henon", "periods": 75, "members": 2, "observation_noise": 0.1, **change}
    with pytest.raises(FileExistsError, match=r"orbit.zarr.partial is an unfinished run of something else"):
        simulate(to=path, **other)
    assert_same(unfinished(path), simulate("Henon", 75, members=2, observation_noise=0.1))
    with pytest.raises(FileExistsError, match=r"orbit.zarr exists and holds another trajectory"):
        simulate(to=path, **other)
    assert unfinished(path).sizes == {"member": 2, "time": 75, "component": 2}


def past(jump: float):
    return lambda s: 1.0 if s < -jump else 0.5


PAIRS = {
    "generators": ("Henon", 60, {"rng": np.random.default_rng(1)}, {"rng": np.random.default_rng(2)}),
    "parameters that are the same": ("Henon", 60, {}, {"parameters": {"a": [1.4]}}),
    "histories": (DELAYED, 1, {"initial": past(3 / 32)}, {"initial": past(5 / 32)}),
    "tolerances": ("Lorenz", 1, {}, {"tolerance": 1e-9}),
    "noise steps": (OU, 1, {}, {"noise_step": 1e-3}),
}


@pytest.mark.parametrize("case", PAIRS)
def test_whatever_changes_the_dataset_makes_another_request(case, path):
    system, periods, one, two = PAIRS[case]
    simulate(system, periods, observation_noise=0.1, to=path, **one)
    with pytest.raises(FileExistsError, match="holds another trajectory"):
        simulate(system, periods, observation_noise=0.1, to=path, **two)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore::chaoslab.trajectories.TrajectoryWarning")
def test_the_same_request_returns_the_finished_store_at_once(kind, path, monkeypatch):
    first = KINDS[kind](path)
    monkeypatch.setattr(Motion, "advance", lambda *a, **k: pytest.fail("it began to compute"))
    for form in (path, str(path), f"{path}/"):
        assert KINDS[kind](form).identical(first)
    monkeypatch.chdir(path.parent)
    assert KINDS[kind](path.name).identical(first)


def test_a_finished_store_warns_of_members_that_ended(path):
    for _ in range(2):
        with pytest.warns(TrajectoryWarning, match="member 0 escaped"):
            KINDS["lost"](path)


# --- places -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("to", "kind", "message"),
    [
        ("orbit.nc", ValueError, "ends in .zarr"),
        ("orbit", ValueError, "ends in .zarr"),
        (".zarr", ValueError, "ends in .zarr"),
        ("nowhere/orbit.zarr", FileNotFoundError, "no folder .*nowhere"),
        (3, TypeError, "PathLike"),
    ],
)
def test_places_that_cannot_be_are_refused(to, kind, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(kind, match=message):
        simulate("Henon", 10, to=to)
    assert names(tmp_path) == []


@pytest.mark.parametrize("inside", [None, [], ["thesis.txt"]], ids=["file", "empty folder", "folder"])
def test_what_is_in_the_way_stays(inside, path):
    if inside is None:
        path.write_text("precious")
    else:
        path.mkdir()
        for name in inside:
            (path / name).write_text("precious")
    with pytest.raises(FileExistsError, match=r"orbit.zarr"):
        simulate("Henon", 10, to=path)
    assert path.read_text() == "precious" if inside is None else names(path) == inside


def test_the_store_opens_plainly_and_follows_the_schema(path):
    written = simulate("Lorenz", 2, 20, members=2, parameters={"rho": [28, 40]}, process_noise=0.1, derivative=True, to=path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = check(xr.open_zarr(path))
    xr.testing.assert_identical(found.load(), written.load())
    found.to_netcdf(path.with_suffix(".nc"), engine="h5netcdf")
    xr.testing.assert_equal(check(xr.load_dataset(path.with_suffix(".nc"))), written)


def test_numbers_may_be_numpys(path):
    options = {"tolerance": np.float32(1e-9), "derivative": np.True_, "rng": np.int64(1), "transient": np.float64(1)}
    assert_same(simulate("Lorenz", np.int64(1), np.int32(20), to=path, **options), simulate("Lorenz", 1, 20, **options), 1e-9)


@pytest.mark.parametrize("members", [3, 40])
def test_pieces_are_small(members, path, monkeypatch):
    advance, sizes = Motion.advance, []

    def counted(motion, count, **options):
        sizes.append(count * members * 2)
        return advance(motion, count, **options)

    monkeypatch.setattr(Motion, "advance", counted)
    simulate("Henon", 12, members=members, to=path)
    assert sum(sizes) == 12 * members * 2
    assert max(sizes) <= max(60, members * 2)


# --- killed -------------------------------------------------------------------------------------------------------------

#: Runs a request again and again in forks that are killed, at the k-th thing done to the folder or after a while, and prints
#: what was seen. In a file of its own, since a fork wants a process without threads.
KILLER = """
import json, os, random, signal, sys, time, traceback
from pathlib import Path
import numpy as np
import xarray as xr
import zarr
import chaoslab
from chaoslab.trajectories import simulate, stream

stream.PIECE, folder = 60, Path(sys.argv[1])
request = lambda path: simulate("Henon", 75, to=path, members=2, observation_noise=0.1, rng=5)
changes = {"os.rename", "os.remove", "os.mkdir", "os.rmdir"}

def fork(work):
    pid = os.fork()
    if not pid:
        try:
            work()
            os._exit(0)
        except KeyboardInterrupt:
            os._exit(2)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    return pid

def status(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

def counting(path, last):
    seen = []
    def hook(event, args):
        if event in changes or (event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR)):
            if isinstance(args[0], (str, os.PathLike)) and str(path) in os.fspath(args[0]):
                seen.append(event)
                if len(seen) == last:
                    os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hook)
    return seen

def whole(path):
    with xr.open_zarr(path, consolidated=False) as ds:
        assert np.array_equal(ds.state, np.load(folder / "state.npy")), "another state"
        assert np.array_equal(ds.observed, np.load(folder / "observed.npy")), "another noise"
        assert ds.sizes["time"] == 75 and (ds.status == "ok").all()

def first():
    path = folder / "first.zarr"
    seen = counting(path, 0)
    begin = time.perf_counter()
    ds = request(path)
    took = time.perf_counter() - begin
    np.save(folder / "state.npy", ds.state), np.save(folder / "observed.npy", ds.observed)
    (folder / "plan.json").write_text(json.dumps([len(seen), took]))

def again(path):
    if path.exists():
        whole(path)
    request(path)
    whole(path)
    left = sorted(str(entry.name) for entry in path.parent.iterdir())
    assert left == [path.name], f"left behind: {left}"

assert status(fork(first)) == 0
count, took = json.loads((folder / "plan.json").read_text())
chosen = random.Random(1)
plan = [("file", k) for k in sorted({1, *chosen.sample(range(2, count - 1), 4), count - 1, count})]
plan += [(word, chosen.random() * took) for word in ("SIGKILL", "SIGINT")]
for number, (word, when) in enumerate(plan):
    place = folder / str(number)
    place.mkdir()
    path = place / "orbit.zarr"
    if word == "file":
        ended = [status(fork(lambda: (counting(path, when), request(path))))]
    else:
        ended = []
        for _ in range(2):  # and again while it goes on
            pid = fork(lambda: request(path))
            time.sleep(when)
            os.kill(pid, getattr(signal, word))
            ended.append(status(pid))
    print(json.dumps([word, when, ended, status(fork(lambda: again(path)))]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_killed_at_any_moment_it_goes_on_to_the_same_end(tmp_path):
    """SIGKILL before, between and after any two files are written, and SIGKILL and Ctrl-C at any time."""
    run = subprocess.run([sys.executable, "-c", KILLER, str(tmp_path)], capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr[-2000:]
    tried = [json.loads(line) for line in run.stdout.splitlines()]
    assert all(ended == [-9] for word, _, ended, _ in tried if word == "file")
    assert [entry for entry in tried if entry[3] != 0] == [], run.stderr[-3000:]
