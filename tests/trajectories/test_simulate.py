"""simulate(): exact sampling, members, continuation, and requests that make no sense."""

import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import xarray as xr

import chaoslab as cl
from chaoslab.trajectories import TrajectoryWarning, simulate


@pytest.fixture(scope="module")
def lorenz():
    return cl.load("Lorenz")


@pytest.fixture
def explosive():
    """x' = x^2 is infinite at t = 1/x0."""
    return cl.System({"x": "x**2"}, {}, {"x": 0.01}, name="Explosive", period=1.0)


# --- sampling -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("periods", "samples", "count"), [(3, 7, 21), (2.5, 10, 25), (0.5, 4, 2), (1 / 3, 30, 10), (1, 1, 1)])
def test_samples_lie_exactly_on_the_grid(lorenz, periods, samples, count):
    ds = simulate(lorenz, periods, samples)
    assert np.array_equal(ds.time, np.arange(count) * lorenz.period / samples)
    assert ds.period.values == pytest.approx(np.arange(count) / samples, rel=1e-15)
    assert np.array_equal(ds.state.values[0, 0], lorenz.initial)


def test_default_lengths(lorenz):
    assert simulate(lorenz).sizes["time"] == 1000
    assert simulate("Henon").sizes["time"] == 1000
    assert np.array_equal(simulate("Henon").time, np.arange(1000))
    assert simulate("Henon", 12).sizes["time"] == 12


def test_duration_and_step_in_the_systems_unit(lorenz):
    ds = simulate(lorenz, duration=2, step=0.1)
    assert np.array_equal(ds.time, np.arange(20) * 0.1)
    assert simulate(lorenz, duration=1, step=0.3).sizes["time"] == 4


def test_the_states_do_not_depend_on_the_sampling(lorenz):
    coarse, fine = simulate(lorenz, 2, 10), simulate(lorenz, 2, 100)
    assert np.abs(coarse.state.values - fine.state.values[:, ::10]).max() < 1e-10


def test_a_new_system_needs_no_period_for_duration(lorenz):
    assert np.isnan(simulate(lorenz.with_(rho=40), duration=1, step=0.1).period).all()


def test_the_period_of_a_new_system_is_found(lorenz):
    ds = simulate(lorenz.with_(rho=29), 1)
    assert float(ds.time[1]) * 100 == pytest.approx(lorenz.period, rel=0.2)


def test_transient_is_dropped(lorenz):
    late, whole = simulate(lorenz, 1, transient=2), simulate(lorenz, 3)
    assert float(late.time[0]) == 0
    assert late.attrs["transient"] == pytest.approx(2 * lorenz.period)
    assert late.state.values == pytest.approx(whole.state.values[:, 200:], abs=1e-9)
    assert np.array_equal(simulate("Henon", 5, transient=7).state, simulate("Henon", 12).state[:, 7:])


# --- members ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Lorenz", "Henon", "Chua"])
def test_a_member_is_the_same_however_many_there_are(name):
    few, many = simulate(name, 2, members=3), simulate(name, 2, members=10)
    assert np.array_equal(few.state, many.state[:3])
    alone = simulate(name, 2)  # by the engine for one, which rounds otherwise
    assert np.abs(few.state.values[0] - alone.state.values[0]).max() < 1e-9
    assert len(np.unique(many.state.values[:, 0, 0])) == 10


def test_members_are_the_same_in_every_thread(lorenz):
    alone = simulate(lorenz, 2, members=4, rng=3)
    with ThreadPoolExecutor(3) as pool:
        for ds in pool.map(lambda _: simulate(lorenz, 2, members=4, rng=3), range(6)):
            assert ds.identical(alone)


def test_seeds_differ_and_repeat(lorenz):
    first, again, other = (simulate(lorenz, 1, members=3, rng=seed) for seed in (1, 1, 2))
    assert first.identical(again)
    assert (first.state[1:, 0] != other.state[1:, 0]).all()
    assert np.array_equal(first.state[0], other.state[0])
    assert (first.attrs["seed"], other.attrs["seed"]) == (1, 2)


def test_a_generator_is_taken(lorenz):
    one, two = (simulate(lorenz, 1, members=3, rng=np.random.default_rng(5)) for _ in range(2))
    assert one.identical(two)
    assert one.attrs["seed"] == "generator"


def test_the_global_seed_is_left_alone(lorenz):
    np.random.seed(1)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    simulate(lorenz, 1, members=3)
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002


# --- initial states -----------------------------------------------------------------------------------------------------


def test_a_vector_a_matrix_and_a_mapping(lorenz):
    x0 = [1.0, 2.0, 20.0]
    vector = simulate(lorenz, 1, initial=x0)
    assert np.array_equal(vector.state[0, 0], x0)
    matrix = simulate(lorenz, 1, initial=[x0, [2, 2, 20]])
    assert matrix.sizes["member"] == 2
    assert np.array_equal(matrix.state[0], vector.state[0])
    assert np.array_equal(simulate(lorenz, 1, initial=dict(zip("xyz", x0, strict=True))).state, vector.state)


def test_a_partial_mapping_keeps_the_rest(lorenz):
    start = simulate(lorenz, 1, initial={"z": 30}).state[0, 0]
    assert np.array_equal(start, [*lorenz.initial[:2], 30])
    assert np.array_equal(simulate(lorenz, 1, initial={"z": [30, 31]}).state[:, 0, 2], [30, 31])


@pytest.mark.parametrize("name", ["Lorenz", "Chua", "StickSlipOscillator", "Henon", "Duffing"])
def test_a_dataset_is_continued(name):
    options = {} if cl.load(name).kind == "map" else {"samples": 20}
    first = simulate(name, 10 if not options else 1, **options)
    second = simulate(name, 10 if not options else 1, initial=first, **options)
    whole = simulate(name, 20 if not options else 2, **options)
    both = xr.concat([first, second], dim="time")
    assert both.time.values == pytest.approx(whole.time.values, rel=1e-12)
    assert np.abs(both.state.values - whole.state.values).max() < 1e-10 * np.abs(whole.state.values).max()


def test_members_of_a_dataset_are_continued(lorenz):
    first = simulate(lorenz, 1, members=3)
    second = simulate(lorenz, 1, initial=first)
    assert second.sizes["member"] == 3
    assert float(second.time[0]) == pytest.approx(lorenz.period)


def test_a_transient_before_a_continuation_makes_no_sense(lorenz):
    with pytest.raises(ValueError, match="continued, so there is no transient"):
        simulate(lorenz, 1, initial=simulate(lorenz, 1), transient=1)


# --- what else is stored ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Lorenz", "Chua", "Duffing", "Henon"])
def test_derivative_is_the_right_hand_side(name):
    ds = simulate(name, 3, derivative=True)
    assert np.array_equal(ds.derivative, cl.load(name).rhs(ds.state.values))


def test_observed_coordinates_are_bounded():
    ds = simulate("Duffing", 5)
    assert np.array_equal(ds.observed, ds.chaos.system.observe(ds.state.values))
    assert np.abs(ds.observed.values).max() < 3
    assert "observed" not in simulate("Lorenz", 1)


def test_attributes_say_how_it_was_made(lorenz):
    ds = simulate(lorenz, 1, 10, solver="scipy", tolerance=1e-9)
    assert (ds.attrs["solver"], ds.attrs["tolerance"], ds.attrs["kind"]) == ("scipy", 1e-9, "flow")
    assert (simulate("Henon").attrs["solver"], simulate("Henon").attrs["tolerance"]) == ("iteration", 0.0)
    assert ds.chaos.system == lorenz


def test_the_method_of_a_system_is_the_function(lorenz):
    assert lorenz.simulate(1).identical(simulate("Lorenz", 1))


def test_a_kept_grid_cannot_be_spoilt(lorenz):
    """Coordinates are shared between calls, so nobody may write into them."""
    first = simulate(lorenz, 1)
    for key in ("period", "status", "ended"):
        with pytest.raises(ValueError, match="read-only"):
            first[key].values[0] = first[key].values[0]
    first.state.values[:] = 0
    assert (simulate(lorenz, 1).state.values[0, 0] == lorenz.initial).all()


# --- requests that make no sense ----------------------------------------------------------------------------------------

BAD = [
    ({"initial": [1, 2, np.nan]}, ValueError, "not finite"),
    ({"initial": [[1, 2, 3], [1, np.inf, 3]]}, ValueError, "not finite"),
    ({"initial": [1, 2]}, ValueError, r"3 components \(x, y, z\).*\(2,\) given"),
    ({"initial": [[[1, 2, 3]]]}, ValueError, "must have shape"),
    ({"initial": {"w": 1}}, ValueError, "no component 'w'"),
    ({"initial": [[1, 2, 3], [1, 2, 4]], "members": 3}, ValueError, "holds 2 states, members=3"),
    ({"solver": "tailor"}, ValueError, "Did you mean 'taylor'"),
    ({"periods": -1}, ValueError, "periods must be positive and finite; -1 given"),
    ({"periods": 0}, ValueError, "positive"),
    ({"periods": np.nan}, ValueError, "positive and finite; nan given"),
    ({"periods": np.inf}, ValueError, "finite"),
    ({"periods": "ten"}, TypeError, "periods must be a number; 'ten' given"),
    ({"samples": 0}, ValueError, "samples, a period, must be a whole number of at least 1; 0 given"),
    ({"samples": -5}, ValueError, "at least 1"),
    ({"samples": 2.5}, ValueError, "whole number"),
    ({"samples": np.nan}, ValueError, "whole number of at least 1; nan given"),
    ({"samples": np.inf}, ValueError, "whole number"),
    ({"samples": "many"}, ValueError, "whole number of at least 1; 'many' given"),
    ({"samples": True}, ValueError, "whole number"),
    ({"members": 0}, ValueError, "members must be a whole number"),
    ({"members": 1.5}, ValueError, "members must be a whole number"),
    ({"transient": -1}, ValueError, "transient, in periods, must be zero or positive"),
    ({"periods": 10, "duration": 3, "step": 0.1}, ValueError, "do not mix"),
    ({"duration": 3}, ValueError, "duration and step together"),
    ({"step": 0.1}, ValueError, "duration and step together"),
    ({"duration": -3, "step": 0.1}, ValueError, "duration must be positive"),
    ({"duration": 3, "step": 0}, ValueError, "step must be positive"),
    ({"tolerance": 0}, ValueError, "tolerance must lie between"),
    ({"tolerance": np.nan}, ValueError, "tolerance must lie between"),
]


@pytest.mark.parametrize(("options", "kind", "message"), BAD)
def test_bad_requests_are_refused_with_reasons(lorenz, options, kind, message):
    with pytest.raises(kind, match=message):
        simulate(lorenz, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"samples": 100}, "a period is one iteration.*samples=100"), ({"duration": 9, "step": 0.5}, "one iteration; step=0.5")],
)
def test_a_map_has_no_finer_samples(options, message):
    with pytest.raises(ValueError, match=message):
        simulate("Henon", **options)


def test_unknown_names_come_with_suggestions(lorenz):
    with pytest.raises(KeyError, match="Did you mean 'Lorenz'"):
        simulate("Lorents")
    with pytest.raises(ValueError, match=r"has no parameter 'roh'.*Did you mean 'rho'"):
        lorenz.with_(roh=1)
    with pytest.raises(TypeError, match="a System or a name such as 'Lorenz'; float given"):
        simulate(1.5)


def test_too_large_for_memory_is_refused_before_anything_is_computed(lorenz, monkeypatch):
    monkeypatch.setattr("chaoslab.trajectories.motion.solve", lambda *a, **k: pytest.fail("it began to compute"))
    with pytest.raises(MemoryError, match=r"1 members x 10+ samples x 3 components need \S+ GB, \S+ GB are free.*zarr"):
        simulate(lorenz, periods=1e12)
    with pytest.raises(MemoryError, match="GB"):
        simulate(lorenz, 1, members=10**12)


def test_a_system_at_rest_is_advised_to_use_duration():
    rest = cl.System({"x": "-x"}, {}, {"x": 1}, name="Rest")
    with pytest.raises(ValueError, match=r"Rest comes to rest.*give duration= and step="):
        simulate(rest)
    assert simulate(rest, duration=1, step=0.5).state.values[0, :, 0] == pytest.approx([1, np.exp(-0.5)])


# --- members that end ---------------------------------------------------------------------------------------------------


def test_a_blow_up_is_warned_of_marked_and_dated(explosive):
    with pytest.warns(TrajectoryWarning, match=r"Explosive: member 1 escaped at t = 0\.5; NaN from there on"):
        ds = simulate(explosive, 2, 100, initial=[[0.01], [2.0], [0.1]])
    assert list(ds.status.values) == ["ok", "escaped", "ok"]
    assert float(ds.ended[1]) == pytest.approx(0.5, abs=1e-6)
    assert np.isfinite(ds.state[1, :50]).all()
    assert np.isnan(ds.state[1, 51:]).all()
    for k, x0 in ((0, 0.01), (2, 0.1)):
        assert ds.state.values[k, :, 0] == pytest.approx(x0 / (1 - x0 * ds.time.values), rel=1e-10)
    ds.chaos.check()


def test_many_ends_are_counted(explosive):
    with pytest.warns(TrajectoryWarning, match="and 4 more"):
        simulate(explosive, 2, 10, initial=np.full((7, 1), 3.0))


def test_members_cannot_start_on_an_orbit_that_escapes(explosive):
    with pytest.raises(ValueError, match=r"orbit of Explosive escaped at t = .*pass initial="):
        simulate(explosive, 1, members=50)


def test_whole_trajectories_warn_of_nothing(lorenz):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        simulate(lorenz, 2, members=3, derivative=True)
        simulate("Henon", members=3)


def test_a_map_that_goes_on_and_escapes_is_dated_in_its_own_iterations():
    system = cl.System({"x": "2*x"}, {}, {"x": 1}, kind="map")
    start = cl.simulate(system, 10)
    with pytest.warns(cl.trajectories.TrajectoryWarning, match="escaped at t = 49"):
        later = cl.simulate(system, 100, initial=start)  # 2^49 is the first beyond 1e12 times the 2^9 it goes on from
    assert later.ended.item() == 49
    assert later.time[0] == 10
