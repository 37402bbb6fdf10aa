"""Where members start: on the orbit, shifted, from given states and histories; and that nothing else decides where."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

import chaoslab as cl
from chaoslab.integrate import HistoryError
from chaoslab.systems import System
from chaoslab.trajectories import TrajectoryWarning, simulate

MACKEY_GLASS = System(
    {"x": "b*x(t - tau)/(1 + x(t - tau)**10) - g*x"},
    {"b": 0.2, "g": 0.1, "tau": 17},
    {"x": 0.9},
    kind="delay",
    name="Mackey and Glass",
    period=50.0,
)
#: x' = -k x(t - 1): with the past p, x(t) = p(0) - k times the integral of p from -1 to t - 1, for the first unit of time.
#: At this k it goes on as cos(k t) in the end.
K = np.pi / 2
LAGGING = System({"x": "-k*x(t - 1)"}, {"k": K}, {"x": 1}, kind="delay", name="Lagging", period=4.0)
#: A circle, and a hand that counts its turns.
CLOCK = System({"x": "y", "y": "-x", "turn": "w"}, {"w": 0.5}, {"x": 0, "y": 1, "turn": 0}, name="Clock", period=2 * np.pi)
COUNTER = System({"n": "n + 1", "x": "r*x*(1 - x)"}, {"r": 3.9}, {"n": 0, "x": 0.3}, kind="map", name="Counter", period=1.0)


@pytest.fixture
def no_computing(monkeypatch):
    """Nothing may be integrated."""
    for module in ("motion", "starts", "noise"):
        for function in ("solve", "iterate"):
            monkeypatch.setattr(f"chaoslab.trajectories.{module}.{function}", lambda *a, **k: pytest.fail("it began to compute"))


# --- the same, however many there are -----------------------------------------------------------------------------------

SAME = [
    ("Lorenz", {"periods": 3, "samples": 4}, (10, 1000)),
    ("Duffing", {"periods": 3, "samples": 4}, (10, 300)),
    ("Chua", {"periods": 2, "samples": 4}, (10, 60)),
    ("Henon", {"periods": 500}, (10, 1000)),
    ("Ikeda", {"periods": 500}, (3, 1000)),
    (MACKEY_GLASS, {"periods": 2, "samples": 4}, (3, 9)),
    ("Lorenz", {"periods": 3, "samples": 4, "jitter": 0.1}, (10, 1000)),
    ("Henon", {"periods": 40, "jitter": 1e-3}, (10, 1000)),
    (MACKEY_GLASS, {"periods": 2, "samples": 4, "jitter": 0.1}, (2, 9)),
    ("Lorenz", {"periods": 3, "samples": 4, "transient": 2}, (10, 100)),
]


@pytest.mark.parametrize(("system", "options", "sizes"), SAME)
def test_a_member_is_the_same_however_many_there_are(system, options, sizes):
    few, many = (simulate(system, members=members, rng=5, **options).state.values for members in sizes)
    assert np.array_equal(few, many[: len(few)])
    assert len(np.unique(many[:, 0, 0])) == len(many)


@pytest.mark.parametrize("system", ["Lorenz", "Chua", "Henon", MACKEY_GLASS], ids=lambda system: getattr(system, "name", system))
def test_workers_change_nothing(system):
    options = {"members": 9, "rng": 2, "jitter": 1e-3, "derivative": True}
    assert simulate(system, 2, workers=1, **options).identical(simulate(system, 2, workers=4, **options))


@pytest.mark.parametrize("workers", [0, -1, 1.5, "two"])
def test_workers_are_a_whole_number(workers):
    with pytest.raises(ValueError, match="workers must be a whole number of at least 1"):
        simulate("Lorenz", 1, workers=workers)


def test_a_generator_moves_on():
    generator = np.random.default_rng(8)
    first, second = (simulate("Lorenz", 1, 1, members=5, rng=generator).state.values[:, 0] for _ in range(2))
    assert np.array_equal(first[0], second[0])
    assert (first[1:] != second[1:]).all()
    third, fourth = (simulate("Lorenz", 1, 1, members=5, jitter=0.1, rng=generator).state.values for _ in range(2))
    assert (third != fourth).all()


def test_a_members_end_does_not_depend_on_the_others():
    """x doubles: it has left once it is a trillion times larger than at its own start."""
    double = System({"x": "2*x"}, {}, {"x": 1}, kind="map", name="Double")
    with pytest.warns(TrajectoryWarning):
        alone, together = simulate(double, 100, initial=[[1.0]]), simulate(double, 100, initial=[[1.0], [1e6]])
    assert float(together.ended[0]) == float(alone.ended[0]) == 40


# --- on the orbit -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Lorenz", "Rossler", "Henon"])
def test_starts_are_distributed_as_a_long_orbit(name):
    few = {"samples": 1} if name != "Henon" else {}
    starts = simulate(name, 1, members=1000, rng=1, **few).state.values[1:, 0]
    orbit = simulate(name, 20_000, transient=20, **({"samples": 7} if few else {})).state.values[0]
    orbit = orbit[::7] if few else orbit  # about independent
    for found, expected in zip(starts.T, orbit.T, strict=True):
        assert stats.ks_2samp(found, expected).pvalue > 1e-3
        assert abs(found.mean() - expected.mean()) < 4.5 * expected.std() / np.sqrt(1000)


def test_starts_are_equally_often_at_every_phase_of_a_cycle():
    starts = simulate(CLOCK, 1, 1, members=2000, rng=1).state.values[1:, 0]
    assert np.hypot(starts[:, 0], starts[:, 1]) == pytest.approx(1, abs=1e-6)
    phase = np.arctan2(starts[:, 1], starts[:, 0]) / (2 * np.pi) % 1
    assert stats.kstest(phase, "uniform").pvalue > 1e-3


def test_no_two_members_start_close_in_time():
    """Those would show the same motion twice."""
    turns = simulate(CLOCK, 1, 1, members=2000).state.sel(component="turn").values[1:, 0] / (0.5 * CLOCK.period)
    assert np.diff(turns).mean() == pytest.approx(3, rel=0.01)
    assert np.diff(turns).min() > 1
    counts = simulate(COUNTER, 1, members=2000).state.sel(component="n").values[1:, 0]
    assert np.diff(counts).mean() == pytest.approx(20, rel=0.01)
    assert np.diff(counts).min() > 6


# --- shifted ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("system", ["Lorenz", "Henon", MACKEY_GLASS], ids=lambda system: getattr(system, "name", system))
def test_jitter_is_in_deviations(system):
    loaded = cl.load(system) if isinstance(system, str) else system
    periods, members = (100, 400) if loaded.kind == "delay" else (2000, 2000)
    spread = simulate(loaded, periods, transient=5).state.std("time").values[0]
    shifts = simulate(loaded, 1, 1, members=members, jitter=0.05).state.values[:, 0] - loaded.initial
    assert np.abs(shifts.std(axis=0) / (0.05 * spread) - 1).max() < 5 / np.sqrt(2 * members) + 0.03
    assert np.abs(shifts.mean(axis=0) / shifts.std(axis=0)).max() < 5 / np.sqrt(members)
    if loaded.dimension > 1:
        assert np.abs(np.corrcoef(shifts.T) - np.eye(loaded.dimension)).max() < 5 / np.sqrt(members)


def test_jitter_does_not_shift_what_just_counts_time():
    starts = simulate(CLOCK, 1, 1, members=5, jitter=0.3).state[:, 0]
    assert (starts.sel(component="turn") == 0).all()
    assert len(np.unique(starts.sel(component="x"))) == 5


def test_jitter_copies_a_single_start_and_shifts_given_ones():
    copies = simulate("Lorenz", 1, 1, members=200, initial=[1, 2, 20], jitter=1e-6).state.values[:, 0]
    assert np.abs(copies - [1, 2, 20]).max() < 1e-4
    assert len(np.unique(copies)) == 600
    moved = simulate("Lorenz", 1, 1, initial=[[1, 2, 20], [5, 5, 30]], jitter=1e-6).state.values[:, 0]
    assert 0 < np.abs(moved - [[1, 2, 20], [5, 5, 30]]).max() < 1e-4
    with pytest.raises(ValueError, match="holds 1 states, members=3"):
        simulate("Lorenz", 1, members=3, initial=[1, 2, 20])
    with pytest.raises(ValueError, match="holds 2 states, members=3"):
        simulate("Lorenz", 1, members=3, initial=[[1, 2, 20], [1, 2, 21]], jitter=0.1)


def test_jitter_shifts_a_history_as_a_whole():
    shifted, given = simulate(LAGGING, duration=1, step=0.1, initial=np.cos, jitter=0.1), np.cos
    gap = float(shifted.state[0, 0, 0]) - given(0.0)
    exact = 1 - K * (np.sin(shifted.time - 1) + np.sin(1)) + gap * (1 - K * shifted.time)
    assert abs(gap) > 1e-4
    assert np.abs(shifted.state.values[0, :, 0] - exact.values).max() < 1e-11


@pytest.mark.parametrize(("jitter", "kind"), [(-0.1, ValueError), (np.nan, ValueError), ("much", TypeError)])
def test_jitter_is_a_number(jitter, kind):
    with pytest.raises(kind, match="jitter must be"):
        simulate("Lorenz", 1, jitter=jitter)


# --- histories of delay systems -----------------------------------------------------------------------------------------


def test_a_state_has_been_there_for_ever():
    for initial in ([2.0], [[2.0]], {"x": 2.0}, lambda s: 2.0, lambda s: [2.0]):
        ds = simulate(LAGGING, duration=1, step=0.1, initial=initial)
        assert ds.state.values[0, :, 0] == pytest.approx(2 - 2 * K * ds.time.values, abs=1e-12)


@pytest.mark.parametrize("least", [0.0, 1.0])
@pytest.mark.parametrize("kink", [0.0, 0.3, 1 / 3])
def test_a_function_with_a_kink_is_the_history(kink, least):
    """p(s) = |s + kink| + least, asked for at no more places than its kink needs."""
    asked = []

    def past(s):
        asked.append(s)
        if len(asked) > 20_000:
            pytest.fail("the history is cut without end")
        return abs(s + kink) + least

    ds = simulate(LAGGING, duration=1, step=0.125, initial=past)
    area = lambda s: abs(s + kink) * (s + kink) / 2 + least * s
    exact = kink + least - K * (area(ds.time.values - 1) - area(-1))
    assert np.abs(ds.state.values[0, :, 0] - exact).max() < 1e-10


def test_a_function_may_give_every_member_a_history():
    ds = simulate(LAGGING, duration=1, step=0.1, initial=lambda s: [[np.cos(s)], [1.0], [s]], derivative=True)
    assert ds.sizes["member"] == 3
    t = ds.time.values
    exact = [1 - K * (np.sin(t - 1) + np.sin(1)), 1 - K * t, K * (1 - (t - 1) ** 2) / 2]
    assert np.abs(ds.state.values[..., 0] - exact).max() < 1e-11
    assert np.abs(ds.derivative.values[..., 0] + K * np.array([np.cos(t - 1), np.ones_like(t), t - 1])).max() < 1e-11


HISTORIES = [
    (LAGGING, lambda s: [1.0, 2.0], HistoryError, "must give 1 finite numbers"),
    (LAGGING, lambda s: np.nan, HistoryError, "must give 1 finite numbers"),
    (LAGGING, lambda s: 1.0 if s > -0.5 else np.inf, HistoryError, "finite"),
    ("Lorenz", lambda s: [1.0, 2.0, 20.0], ValueError, "history of a delay system; Lorenz is a flow"),
    (LAGGING, [1.0, 2.0], ValueError, "initial must have shape"),
    (LAGGING, {"y": 1.0}, ValueError, "no component 'y'"),
]


@pytest.mark.parametrize(("system", "initial", "kind", "message"), HISTORIES)
def test_bad_histories_are_refused_with_reasons(system, initial, kind, message):
    with pytest.raises(kind, match=message):
        simulate(system, duration=1, step=0.5, initial=initial)


def test_a_delay_dataset_is_continued():
    options = {"members": 2, "derivative": True}
    whole, first = simulate(MACKEY_GLASS, 4, 200, **options), simulate(MACKEY_GLASS, 2, 200, **options)
    second = simulate(MACKEY_GLASS, 2, 200, initial=first, derivative=True)
    both = xr.concat([first, second], dim="time")
    assert both.time.values == pytest.approx(whole.time.values, rel=1e-12)
    for key in ("state", "derivative"):
        assert np.abs(both[key].values - whole[key].values).max() < 1e-8


def test_a_dataset_shorter_than_the_lag_is_no_history():
    with pytest.raises(HistoryError, match="longest lag is 17, and the history only covers"):
        simulate(MACKEY_GLASS, 1, initial=simulate(MACKEY_GLASS, duration=16, step=0.5))


def test_the_transient_of_a_delay_system_is_dropped():
    late, whole = simulate(MACKEY_GLASS, 1, 20, transient=2), simulate(MACKEY_GLASS, 3, 20)
    assert np.abs(late.state.values - whole.state.values[:, 40:]).max() < 1e-10
    assert float(late.time[0]) == 0


def test_a_delay_system_that_comes_to_rest_is_followed_there(few_pieces):
    """x' = -x(t - 1) decays by a third in a unit of time; a piece or two a lag are enough, however small it is."""
    ds = simulate(LAGGING.with_(k=1), duration=1001, step=100)
    assert np.abs(ds.state.values[0, :, 0]).max() == 1
    assert np.abs(ds.state.values[0, 5:, 0]).max() < 1e-50


def test_a_map_that_reads_the_time_counts_from_the_first_sample_as_flows_do():
    timed = System({"x": "3*cos(t) + x/2"}, {}, {"x": 0}, kind="map", name="Timed")
    ds = simulate(timed, 50, transient=3, derivative=True)
    assert np.array_equal(ds.derivative[:, :-1], ds.state[:, 1:])


# --- too many -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"members": 10**12},
        {"members": 10**12, "to": "never.zarr"},
        {"members": 10**12, "jitter": 0.1},
        {"members": 10**12, "process_noise": 0.1, "noise_step": 0.01},
        {"periods": 1e12, "parameters": {"rho": [28, 30]}},
    ],
)
def test_too_many_are_refused_before_anything_is_computed(options, no_computing, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MemoryError, match=r"members x 10* samples x 3 components need \S+ GB, \S+ GB are free"):
        simulate("Lorenz", **{"periods": 0.01, **options})
    assert not list(tmp_path.iterdir())
