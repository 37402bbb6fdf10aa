"""Parameter values that differ by member: used as given, written down, and drawn where the motion goes on."""

import numpy as np
import pytest
import xarray as xr

import chaoslab as cl
from chaoslab.systems import System
from chaoslab.trajectories import sample_parameters, simulate, system_of
from chaoslab.trajectories.schema import SchemaError

MACKEY_GLASS = System(
    {"x": "b*x(t - tau)/(1 + x(t - tau)**10) - g*x"},
    {"b": 0.2, "g": 0.1, "tau": 17},
    {"x": 0.9},
    kind="delay",
    name="Mackey and Glass",
    period=50.0,
)
#: Van der Pol's oscillator rests for m < 0 (from near the origin) and oscillates for m > 0.
VAN_DER_POL = System({"x": "y", "y": "m*(1 - x**2)*y - x"}, {"m": 1}, {"x": 0.1, "y": 0}, name="Van der Pol", period=6.3)
#: What is seen of it depends on a parameter too.
SEEN = System({"x": "a*x*(1 - x/b)"}, {"a": 3.7, "b": 2}, {"x": 0.3}, kind="map", name="Seen", period=1.0, observed={"x": "x/b"})
PAIR = System(
    {"x[i]": "-x[i] + sum(w[i,j]*tanh(x[j]), j)"},
    {"w": [[1.0, 2.0], [-3.0, 1.5]]},
    {"x": [0.1, 0.2]},
    index={"i": {"size": 2}, "j": {"size": 2}},
    name="Pair",
    period=4.0,
)


# --- values by member are used ------------------------------------------------------------------------------------------

VALUES = [
    ("Lorenz", {"rho": [28, 40, 60], "beta": [8 / 3, 2, 3]}),
    ("Chua", {"alpha": [9.0, 9.3, 9.8]}),
    ("Henon", {"a": [1.1, 1.2, 1.4]}),
    ("Duffing", {"delta": [0.1, 0.2, 0.3]}),
    (SEEN, {"a": [3.6, 3.9], "b": [1, 3]}),
    (MACKEY_GLASS, {"tau": [6, 17, 30], "b": [0.2, 0.25, 0.2]}),
    (PAIR, {"w": np.random.default_rng(0).normal(size=(3, 2, 2))}),
]


@pytest.mark.parametrize(
    ("system", "values"), VALUES, ids=lambda value: getattr(value, "name", "" if isinstance(value, dict) else value)
)
def test_every_member_moves_with_its_own_values(system, values):
    system = cl.load(system) if isinstance(system, str) else system
    sampling = {"duration": 100 if system.kind != "flow" else 3, "step": 1 if system.kind == "map" else 0.1}
    ds = simulate(system, parameters=values, derivative=True, **sampling)
    ds.chaos.check()
    for k in range(ds.sizes["member"]):
        own = system.with_(**{key: np.asarray(value)[k].tolist() for key, value in values.items()})
        alone = simulate(own, derivative=True, **sampling)
        for key in alone.data_vars:
            assert np.allclose(ds[key][k], alone[key][0], rtol=1e-9, atol=1e-9)
        assert system_of(ds, k) == own.with_(**{key: np.asarray(value, float) for key, value in own.parameters.items()})
    assert system_of(ds) == ds.chaos.system == system


def test_values_and_starts_of_their_own():
    starts = [[1, 2, 20], [3, 4, 20]]
    ds = simulate("Lorenz", duration=1, step=0.1, parameters={"rho": [28, 40]}, initial=starts)
    alone = simulate(cl.load("Lorenz").with_(rho=40), duration=1, step=0.1, initial=starts[1])
    assert np.array_equal(ds.state[:, 0], starts)
    assert np.allclose(ds.state[1], alone.state[0], rtol=1e-10)


def test_parameters_are_written_down_in_order():
    ds = simulate(PAIR, 1, parameters={"w": [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]})
    assert ds.parameter.values.tolist() == ["w1_1", "w1_2", "w2_1", "w2_2"]
    assert ds.parameters.values.tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]
    assert "parameters" not in simulate(PAIR, 1).coords


def test_a_dataset_with_parameters_is_continued_with_them():
    values = {"rho": [28, 40, 60]}
    first, whole = simulate("Lorenz", 1, 20, parameters=values), simulate("Lorenz", 2, 20, parameters=values)
    second = simulate("Lorenz", 1, 20, initial=first, parameters=first)
    assert np.abs(xr.concat([first, second], dim="time").state.values - whole.state.values).max() < 1e-9
    assert np.array_equal(second.parameters, first.parameters)


def test_values_by_member_need_no_period():
    rest = System({"x": "-k*x"}, {"k": 1}, {"x": 1}, name="Rest")
    ds = simulate(rest, duration=1, step=0.5, parameters={"k": [1, 2]})
    assert ds.state.values[..., 0] == pytest.approx(np.exp(-np.outer([1, 2], [0, 0.5])), rel=1e-11)


@pytest.mark.parametrize("engine", ["h5netcdf", "zarr"])
def test_files_keep_parameters_and_noise(engine, tmp_path):
    ds = simulate(PAIR, 1, parameters={"w": np.ones((2, 2, 2)) * [[[1]], [[2]]]}, process_noise=0.1, observation_noise=0.1)
    drawn = sample_parameters("Lorenz", 3, {"rho": (28, 60)}, periods=10)
    for k, saved in enumerate((ds, drawn)):
        if engine == "zarr":
            saved.to_zarr(tmp_path / f"{k}.zarr", consolidated=False)
            read = xr.open_zarr(tmp_path / f"{k}.zarr", consolidated=False)
        else:
            saved.to_netcdf(tmp_path / f"{k}.nc", engine=engine)
            read = xr.load_dataset(tmp_path / f"{k}.nc", engine=engine)
        assert read.attrs == saved.attrs
        xr.testing.assert_equal(read.load(), saved)
    assert simulate("Lorenz", 1, parameters=read).identical(simulate("Lorenz", 1, parameters=drawn))


BAD = [
    ({"rho": [28, np.nan]}, ValueError, "finite"),
    ({"rho": []}, ValueError, r"shapes|at least"),
    ({"rho": 28}, ValueError, "arrays of one length"),
    ({"rho": [28, 30], "sigma": [10, 10, 10]}, ValueError, "arrays of one length"),
    ({"rho": [[28, 30]]}, ValueError, "arrays of one length"),
    ({"roh": [28, 30]}, ValueError, "Did you mean 'rho'"),
    ({}, TypeError, "parameters is a mapping"),
    ([28, 30], TypeError, "parameters is a mapping"),
]


@pytest.mark.parametrize(("parameters", "kind", "message"), BAD, ids=lambda value: str(value)[:30])
def test_bad_values_are_refused_with_reasons(parameters, kind, message):
    with pytest.raises(kind, match=message):
        simulate("Lorenz", 1, parameters=parameters)


def test_numbers_of_members_must_agree():
    with pytest.raises(ValueError, match="for 2 members, members=3"):
        simulate("Lorenz", 1, parameters={"rho": [28, 30]}, members=3)
    with pytest.raises(ValueError, match="holds 3 states, members=2"):
        simulate("Lorenz", 1, parameters={"rho": [28, 30]}, initial=np.ones((3, 3)))
    with pytest.raises(ValueError, match="w has shape"):
        simulate(PAIR, 1, parameters={"w": np.ones((5, 3, 2))})


def test_datasets_that_hold_no_parameters_or_others_are_refused():
    with pytest.raises(ValueError, match="what sample_parameters"):
        simulate("Lorenz", 1, parameters=simulate("Lorenz", 1))
    with pytest.raises(ValueError, match="not those of Lorenz"):
        simulate("Lorenz", 1, parameters=sample_parameters("Henon", 2, {"a": (1, 1.1)}))
    with pytest.raises(SchemaError, match="no attribute 'system'"):
        system_of(sample_parameters("Henon", 2, {"a": (1, 1.1)}))


@pytest.mark.parametrize("lag", [0.0, -1.0])
def test_lags_must_stay_positive(lag):
    with pytest.raises(ValueError, match=r"lag.* positive"):
        simulate(MACKEY_GLASS, duration=1, step=0.5, parameters={"tau": [17, lag]})


# --- drawn values -------------------------------------------------------------------------------------------------------


def counts(ds):
    return [ds.attrs[key] for key in ("tried", "escaped", "rested", "failed")]


@pytest.mark.parametrize(
    ("system", "ranges"),
    [("Henon", {"a": (1.2, 1.9)}), ("Lorenz", {"rho": (0, 60)}), (VAN_DER_POL, {"m": (-1, 1)}), (MACKEY_GLASS, {"tau": (5, 30)})],
    ids=["Henon", "Lorenz", "Van der Pol", "Mackey and Glass"],
)
def test_a_drawn_member_is_the_same_however_many_there_are(system, ranges):
    few, many = (sample_parameters(system, members, ranges, periods=30, rng=3) for members in (3, 12))
    assert np.array_equal(few.parameters, many.parameters[:3])
    assert np.array_equal(few.start, many.start[:3])
    assert len(np.unique(many.parameters, axis=0)) == 12
    assert sample_parameters(system, 3, ranges, periods=30, rng=3, workers=1).identical(few)
    assert not np.array_equal(sample_parameters(system, 3, ranges, periods=30, rng=4).parameters, few.parameters)


def test_a_generator_moves_on():
    generator = np.random.default_rng(3)
    first, second = (sample_parameters("Henon", 3, {"a": (1, 1.3)}, rng=generator) for _ in range(2))
    assert (first.parameters.sel(parameter="a") != second.parameters.sel(parameter="a")).all()


def test_drawn_values_fill_their_ranges_evenly():
    ds = sample_parameters("Henon", 1000, {"a": (1.0, 1.2), "b": (0.1, 0.3)}, periods=10)
    assert counts(ds) == [1000, 0, 0, 0]
    unit = (ds.parameters.values - [1.0, 0.1]) / [0.2, 0.2]
    assert 0 <= unit.min() < 0.01
    assert 0.99 < unit.max() <= 1
    assert np.abs(unit.mean(axis=0) - 0.5).max() < 5 / np.sqrt(12 * 1000)
    assert abs(np.corrcoef(unit.T)[0, 1]) < 5 / np.sqrt(1000)


def test_escapes_are_rejected():
    """Henon's map at b = 0.3 has nothing that stays from a = 1.55 on; all is well up to a = 1.2."""
    ds = sample_parameters("Henon", 40, {"a": (1.0, 2.0)})
    tried, escaped, rested, failed = counts(ds)
    assert tried == 40 + escaped
    assert (rested, failed) == (0, 0)
    assert escaped / tried == pytest.approx(0.55, abs=0.25)
    assert ds.parameters.sel(parameter="a").max() < 1.55


def test_rest_is_rejected_and_counts_add_up():
    ds = sample_parameters(VAN_DER_POL, 41, {"m": (-1, 1)}, design="grid", periods=200)
    kept = ds.parameters.sel(parameter="m").values
    assert np.array_equal(kept, np.linspace(-1, 1, 41)[20:])  # at m = 0 it goes round for ever
    assert counts(ds) == [41, 0, 20, 0]
    assert ds.sizes["member"] == 21


def test_a_delay_system_that_comes_to_rest_is_rejected(few_pieces):
    """With b < g nothing is left in the end; it is followed there in a piece or two a lag, however small it is."""
    ds = sample_parameters(MACKEY_GLASS, 2, {"b": (0.05, 0.2)}, design="grid", periods=30)
    assert ds.parameters.sel(parameter="b").values == pytest.approx([0.2])
    assert counts(ds) == [2, 0, 1, 0]


def test_a_latin_design_has_one_point_in_every_stratum():
    ds = sample_parameters("Henon", 50, {"a": (1.0, 1.2), "b": (0.1, 0.3)}, design="latin", periods=10, rng=2)
    for column, low in zip(ds.parameters.values.T, (1.0, 0.1), strict=True):
        assert np.array_equal(np.sort(np.floor((column - low) / 0.2 * 50)), np.arange(50))
    assert sample_parameters("Henon", 9, {"a": (1.2, 1.9)}, design="latin").sizes["member"] < 9


def test_a_grid_has_its_ends():
    ds = sample_parameters("Henon", 3, {"a": (1.0, 1.2), "b": (0.1, 0.3)}, design="grid")
    assert np.array_equal(ds.parameters, [[a, b] for a in np.linspace(1, 1.2, 3) for b in np.linspace(0.1, 0.3, 3)])
    assert sample_parameters("Henon", 1, {"a": (1.0, 1.2)}, design="grid").parameters[0, 0] == 1.1


def test_nothing_admissible_says_how_many_and_why():
    with pytest.raises(ValueError, match=r"Henon in a in \[1.7, 1.9\]: 2 of 2 members found none; of 6 points tried, 6 escaped"):
        sample_parameters("Henon", 2, {"a": (1.7, 1.9)}, tries=3)
    with pytest.raises(ValueError, match=r"Lorenz in rho in \[0, 0.9\]: there is none; of 5 points tried, 5 came to rest"):
        sample_parameters("Lorenz", 5, {"rho": (0, 0.9)}, design="latin")


def test_simulate_goes_on_from_where_the_trial_ended():
    drawn = sample_parameters("Lorenz", 4, {"rho": (28, 60)})
    ds = simulate("Lorenz", 1, parameters=drawn)
    assert np.array_equal(ds.state[:, 0], drawn.start)
    assert np.array_equal(ds.parameters, drawn.parameters)
    assert np.array_equal(simulate("Lorenz", 1, parameters=drawn, initial=[1, 2, 20]).state[:, 0], [[1, 2, 20]] * 4)
    part = drawn.isel(member=[3, 1])
    assert np.array_equal(simulate("Lorenz", 1, parameters=part).state, ds.state[[3, 1]])


def test_drawn_values_and_shifts_of_the_same_seed_are_independent():
    drawn = sample_parameters("Logistic", 2000, {"r": (3.8, 3.9)}, periods=5)
    shifts = (simulate("Logistic", 1, parameters=drawn, jitter=1e-9).state[:, 0, 0] - drawn.start[:, 0]).values
    unit = (drawn.parameters.values[:, 0] - 3.8) / 0.1
    for part in (unit, *(unit * 2**k % 1 for k in range(1, 8))):  # numpy makes normal numbers of lower bits
        assert abs(np.corrcoef(part, np.abs(shifts))[0, 1]) < 5 / np.sqrt(2000)


DRAWS = [
    ({"members": 0}, ValueError, "members must be a whole number"),
    ({"tries": 0}, ValueError, "tries must be a whole number"),
    ({"design": "latine"}, ValueError, "Did you mean 'latin'"),
    ({"ranges": {"rh": (1, 2)}}, ValueError, "no parameter 'rh'.*Did you mean 'rho'"),
    ({"ranges": {"rho": (2, 1)}}, ValueError, "the smaller first"),
    ({"ranges": {"rho": (1, np.inf)}}, ValueError, "the range of rho is two numbers"),
    ({"ranges": {"rho": 3}}, ValueError, "the range of rho is two numbers"),
    ({"ranges": {}}, ValueError, "has no \\[ranges\\]"),
    ({"periods": 0}, ValueError, "periods must be positive"),
    ({"periods": -5}, ValueError, "periods must be positive"),
    ({"periods": "many"}, TypeError, "periods must be a number"),
]


@pytest.mark.parametrize(("options", "kind", "message"), DRAWS, ids=lambda value: str(value)[:30])
def test_bad_draws_are_refused_with_reasons(options, kind, message):
    with pytest.raises(kind, match=message):
        sample_parameters("Lorenz", **{"members": 2, "ranges": {"rho": (28, 30)}, **options})


def test_draws_that_do_not_fit_in_memory_are_refused(monkeypatch):
    """1,000 trials of a map are 3 MB, and a grid of three parameters has as many points cubed."""

    class Memory:
        available = 1e6

    monkeypatch.setattr("psutil.virtual_memory", lambda: Memory)
    for design, members in (("random", 1000), ("latin", 1000), ("grid", 40)):
        with pytest.raises(MemoryError, match="GB"):
            sample_parameters("Henon", members, {"a": (1, 1.2), "b": (0.1, 0.3)}, design=design)
