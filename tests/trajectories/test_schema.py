"""The one layout of a trajectory: what it accepts, what it refuses and why, and that files keep it."""

import warnings

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import chaoslab as cl
from chaoslab.trajectories import ATTRIBUTES, SchemaError, TrajectoryWarning, check, system_of


@pytest.fixture(scope="module")
def lorenz():
    return cl.simulate("Lorenz", 2, 10, members=2, derivative=True)


@pytest.fixture(scope="module")
def escaped():
    system = cl.System({"x": "x**2"}, {}, {"x": 0.01}, name="Explosive", period=1.0)
    with pytest.warns(TrajectoryWarning):
        return cl.simulate(system, 2, 10, initial=[[0.01], [2.0]])


@pytest.fixture(scope="module")
def own():
    """A user's system with a fraction and a matrix among its parameters."""
    system = cl.System(
        {"x[i]": "-g*x[i] + sum(w[i,j]*tanh(x[j]), j) + sin(t)"},
        {"g": "1/3", "w": [[0, 1], [-1, 0]]},
        {"x": [1, 2]},
        index={"i": {"size": 2}, "j": {"size": 2}},
    )
    return cl.simulate(system, duration=2, step=0.5)


KINDS = ["lorenz", "escaped", "own", "Henon", "Duffing", "Chua"]


@pytest.fixture(params=KINDS)
def made(request):
    return request.getfixturevalue(request.param) if request.param.islower() else cl.simulate(request.param, 3)


def test_simulate_keeps_the_schema(made):
    assert check(made) is made
    assert all(isinstance(value, str | int | float) for value in made.attrs.values())
    assert set(made.attrs) == set(ATTRIBUTES)


def test_the_system_is_rebuilt(made, lorenz):
    assert system_of(made).definition() == made.chaos.system.definition()
    assert system_of(lorenz) == cl.load("Lorenz")


def test_fractions_and_matrices_come_back(own):
    system = system_of(own)
    assert system.definition()["parameters"]["g"] == "1/3"
    assert np.array_equal(system.parameters["w"], [[0, 1], [-1, 0]])


def reverse(ds):
    return ds.isel(time=slice(None, None, -1))


def without(key):
    return lambda ds: ds.drop_vars(key)


DEFECTS = [
    (lambda ds: ds.state, "is an xarray.Dataset; DataArray given"),
    (lambda ds: None, "NoneType given"),
    (without("state"), "has a variable 'state'"),
    (lambda ds: ds.isel(member=0), r"'state' has dims \('time', 'component'\).*even with one member"),
    (lambda ds: ds.transpose("time", "member", "component"), "has dims"),
    (lambda ds: ds.assign(derivative=ds.derivative.isel(component=0)), "'derivative' has dims"),
    (lambda ds: ds.astype("float32"), "is float32; trajectories are float64"),
    (without("time"), "coordinate 'time' along time is missing"),
    (without("period"), "coordinate 'period'"),
    (without("component"), "coordinate 'component'"),
    (without("status"), "coordinate 'status' along member is missing"),
    (without("ended"), "coordinate 'ended'"),
    (reverse, "'time' must grow"),
    (lambda ds: ds.assign_coords(status=("member", ["ok", "fine"])), r"'status' has \['fine'\]"),
    (lambda ds: ds.assign(state=ds.state.where(ds.time < 1)), r"members \[0, 1\] are marked ok but hold NaN"),
    (lambda ds: ds.assign_coords(status=("member", ["ok", "escaped"])), r"members \[1\].*marked ended but hold none"),
    (lambda ds: ds.drop_attrs(), "attributes .*'system'.* are missing"),
]


@pytest.mark.parametrize(("defect", "message"), DEFECTS)
def test_each_defect_is_named(lorenz, defect, message):
    with pytest.raises(SchemaError, match=message):
        check(defect(lorenz))


def test_a_dataset_of_another_origin_has_no_system():
    with pytest.raises(SchemaError, match="no attribute 'system'"):
        system_of(xr.Dataset())


def test_netcdf_keeps_everything(made, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made.to_netcdf(tmp_path / "ds.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "ds.nc", engine="h5netcdf") as again:
        assert check(again.load()).identical(made)
        assert system_of(again) == system_of(made)


@pytest.mark.filterwarnings("ignore:Consolidated metadata")
@pytest.mark.filterwarnings("ignore:The data type")
def test_zarr_keeps_everything(made, tmp_path):
    made.to_zarr(tmp_path / "ds.zarr")
    with xr.open_zarr(tmp_path / "ds.zarr") as again:
        assert check(again.load()).identical(made)


@pytest.mark.filterwarnings("ignore:Consolidated metadata")
def test_zarr_grows_piece_by_piece(tmp_path):
    first = cl.simulate("Lorenz", 1, 10)
    second = cl.simulate("Lorenz", 1, 10, initial=first)
    first.to_zarr(tmp_path / "ds.zarr")
    second.to_zarr(tmp_path / "ds.zarr", append_dim="time")
    with xr.open_zarr(tmp_path / "ds.zarr") as again:
        whole = cl.simulate("Lorenz", 2, 10)
        assert check(again.load()).sizes["time"] == 20
        assert again.state.values == pytest.approx(whole.state.values, abs=1e-9)


def test_standard_plots_work(lorenz):
    (line, *_) = lorenz.state.isel(member=0).sel(component="x").plot()
    assert len(line.get_xdata()) == 20
    assert line.axes.get_xlabel().startswith("time")


@settings(max_examples=25, deadline=None)
@given(
    members=st.integers(1, 4),
    samples=st.integers(1, 9),
    periods=st.floats(0.2, 3),
    where=st.tuples(st.integers(0, 3), st.integers(0, 26), st.integers(0, 2)),
)
def test_one_nan_anywhere_is_found(members, samples, periods, where):
    ds = cl.simulate("Lorenz", periods, samples, members=members).copy(deep=True)
    check(ds)
    ds.state.values[tuple(k % size for k, size in zip(where, ds.state.shape, strict=True))] = np.nan
    with pytest.raises(SchemaError, match=rf"members \[{where[0] % members}\]"):
        check(ds)
