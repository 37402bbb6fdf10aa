"""Reading arrays, labelled arrays and trajectories: the same values, time between samples, and what is refused."""

import numpy as np
import pytest
import xarray as xr

import chaoslab as cl
from chaoslab.invariants.series import longest_piece, mean_period, read_all, read_one, read_series, standardised, times_of

VALUES = np.arange(12.0).reshape(6, 2)


@pytest.fixture(scope="module")
def lorenz():
    return cl.simulate("Lorenz", 1, 20, members=2)


def test_an_array_has_rows_in_time():
    values, spacing, flow = read_series(VALUES)
    assert np.array_equal(values, VALUES)
    assert (spacing, flow) == (1.0, None)
    assert read_series([1, 2, 3])[0].tolist() == [[1], [2], [3]]
    assert read_series(VALUES, sampling=0.5)[1] == 0.5


@pytest.mark.parametrize("dims", [("time", "component"), ("component", "time")])
def test_labels_decide_not_places(dims):
    labelled = xr.DataArray(VALUES, {"time": 0.1 * np.arange(6), "component": ["a", "b"]}, ("time", "component")).transpose(*dims)
    values, spacing, flow = read_series(labelled)
    assert np.array_equal(values, VALUES)
    assert values.flags["C_CONTIGUOUS"]
    assert spacing == pytest.approx(0.1)
    assert flow is None
    assert np.array_equal(read_series(labelled, "b")[0], VALUES[:, 1:])
    chosen = labelled.sel(component="b")
    assert np.array_equal(read_series(chosen, "b")[0], read_series(chosen)[0])
    assert np.array_equal(read_series(labelled, sampling=3)[0], VALUES)


def test_a_trajectory_is_read_by_member_and_component(lorenz):
    labelled, spacing, flow = read_all(lorenz)
    assert labelled.dims == ("member", "component", "time")
    assert np.array_equal(labelled, lorenz.state.transpose("member", "component", "time"))
    assert spacing == pytest.approx(float(lorenz.time[1]))
    assert flow is True
    assert read_all(lorenz, "z")[0].dims == ("member", "time")
    assert read_all(cl.simulate("Henon", 9))[2] is False
    values, *_ = read_series(lorenz.isel(member=[1]))
    assert np.array_equal(values, lorenz.state.values[1])
    assert np.array_equal(read_one(lorenz.isel(member=[1]), "y")[0], values[:, 1:2])


def test_what_is_observed_is_read():
    ds = cl.simulate("Duffing", 2, 20)
    assert np.array_equal(read_series(ds)[0], ds.observed.values[0])


def test_a_series_of_any_dimension_is_in_time():
    daily = xr.DataArray(np.arange(5), {"day": 2.0 * np.arange(5)}, "day")
    values, spacing, _ = read_series(daily)
    assert (values.dtype, values.shape, spacing) == (float, (5, 1), 2.0)
    assert times_of(daily, spacing, 5).tolist() == [0, 2, 4, 6, 8]
    assert times_of(daily.values, 0.5, 3).tolist() == [0, 0.5, 1]


def test_gaps_are_counted():
    values, gapless = standardised(np.array([[np.nan], [1], [3], [np.inf], [1], [3], [1], [3]]))
    assert gapless.tolist() == [0, 1, 2, 0, 1, 2, 3, 4]
    assert values[[1, 2], 0] == pytest.approx([-1, 1])
    assert longest_piece(values, gapless)[:, 0] == pytest.approx([-1, 1, -1, 1])


def test_the_mean_period_of_a_sine():
    values, gapless = standardised(np.sin(2 * np.pi * np.arange(4000) / 50)[:, None])
    assert mean_period(values, gapless) == pytest.approx(50, rel=1e-3)


@pytest.mark.parametrize(
    ("series", "options", "error", "message"),
    [
        (np.zeros((2, 3, 4)), {}, ValueError, r"an array of shape \(2, 3, 4\) given"),
        (np.float64(3), {}, ValueError, r"shape \(\)"),
        (VALUES, {"component": "x"}, ValueError, "an array has no names"),
        (VALUES, {"sampling": -1}, ValueError, "sampling must be positive"),
        (VALUES * 1j, {}, TypeError, "real numbers; complex128"),
        (["a", "b"], {}, TypeError, "real numbers"),
        (xr.DataArray(VALUES, dims=("time", "place")), {}, ValueError, r"\('time', 'place'\) given"),
        (xr.DataArray(VALUES, dims=("time", "component")), {"component": "x"}, ValueError, "It has no names"),
    ],
)
@pytest.mark.parametrize("read", [read_all, read_series, read_one])
def test_a_refusal_says_why(read, series, options, error, message):
    with pytest.raises(error, match=message):
        read(series, **options)


def test_one_member_and_one_component_are_asked_for(lorenz):
    with pytest.raises(ValueError, match="2 members given"):
        read_series(lorenz)
    with pytest.raises(ValueError, match=r"'X'\. Did you mean 'x'\? It has x, y, z"):
        read_all(lorenz, "X")
    with pytest.raises(ValueError, match="this has 3 components: choose one"):
        read_one(lorenz.isel(member=[0]))
