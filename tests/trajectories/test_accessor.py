"""`ds.chaos`: standardize, embed, windows, resample, torch, register."""

import numpy as np
import pytest

import chaoslab as cl
from chaoslab.trajectories import ChaosAccessor, TrajectoryWarning


@pytest.fixture(scope="module")
def ds():
    return cl.simulate("Lorenz", 3, 20, members=2, derivative=True)


@pytest.fixture(scope="module")
def forced():
    return cl.simulate("Duffing", 3, 20)


def test_standardize_has_mean_zero_and_deviation_one(ds):
    made = ds.chaos.standardize()
    assert made.state.mean(["member", "time"]).values == pytest.approx(np.zeros(3), abs=1e-12)
    assert made.state.std(["member", "time"]).values == pytest.approx(np.ones(3))
    assert (made.state * made["deviation"] + made["mean"]).values == pytest.approx(ds.state.values)
    assert (made.derivative * made["deviation"]).values == pytest.approx(ds.derivative.values)


def test_standardize_keeps_constants_finite():
    rest = cl.simulate(cl.System({"x": "0*x"}, {}, {"x": 3}), duration=3, step=1)
    assert (rest.chaos.standardize().state == 0).all()


def test_standardize_observed(forced):
    made = forced.chaos.standardize()
    assert made.observed.std(["member", "time"]).values == pytest.approx(np.ones(forced.sizes["component"]))


@pytest.mark.parametrize(("dimension", "lag"), [(1, 1), (3, 1), (3, 4), (2, 59)])
def test_embed_looks_back(ds, dimension, lag):
    made = ds.chaos.embed("y", dimension=dimension, lag=lag)
    assert made.dims == ("member", "time", "delay")
    first = (dimension - 1) * lag
    assert made.sizes["time"] == 60 - first
    y = ds.state.sel(component="y").values
    for d in range(dimension):
        assert np.array_equal(made.values[..., d], y[:, first - d * lag : 60 - d * lag])
    assert np.array_equal(made.time, ds.time[first:])


def test_embed_takes_the_first_component_and_bounded_coordinates(ds, forced):
    assert np.array_equal(ds.chaos.embed(), ds.chaos.embed("x"))
    phase = forced.component.values[-1]
    assert np.abs(forced.chaos.embed(phase).values).max() <= 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dimension": 4, "lag": 20}, "need more than 60 samples; the series has 60"),
        ({"dimension": 0}, "dimension must be a whole number of at least 1"),
        ({"lag": 1.5}, "lag must be a whole number"),
        ({"component": "u"}, "no component 'u'.*It has x, y, z"),
    ],
)
def test_embed_refuses(ds, options, message):
    with pytest.raises(ValueError, match=message):
        ds.chaos.embed(**options)


@pytest.mark.parametrize(("length", "step"), [(10, None), (7, None), (10, 3), (60, None), (1, 1), (5, 50)])
def test_windows_are_slices(ds, length, step):
    made = ds.chaos.windows(length, step=step)
    starts = np.arange(0, 60 - length + 1, step or length)
    assert made.dims == ("member", "window", "sample", "component")
    assert np.array_equal(made.window, starts)
    for k, start in enumerate(starts):
        assert np.array_equal(made.values[:, k], ds.state.values[:, start : start + length])


@pytest.mark.parametrize(
    ("length", "step", "message"),
    [
        (0, None, "length must be a whole number of at least 1"),
        (61, None, "windows of 61 samples do not fit"),
        (5, 0, "step"),
        (5, 1.5, "step"),
    ],
)
def test_windows_refuse(ds, length, step, message):
    with pytest.raises(ValueError, match=message):
        ds.chaos.windows(length, step=step)


def test_resample_is_the_same_orbit(ds):
    finer = ds.chaos.resample(60)
    assert finer.sizes["time"] == 180
    assert finer.time.values[::3] == pytest.approx(ds.time.values, abs=1e-12)
    assert np.abs(finer.state.values[:, ::3] - ds.state.values).max() < 1e-9
    assert ds.chaos.resample(20).state.values == pytest.approx(ds.state.values, abs=1e-12)


def test_resample_a_system_without_a_stored_period():
    new = cl.simulate(cl.load("Lorenz").with_(rho=29), 2, 10)
    assert np.abs(new.chaos.resample(30).state.values[:, ::3] - new.state.values).max() < 1e-9


def test_resample_refuses_what_it_cannot_do():
    with pytest.raises(ValueError, match="no period; simulate again with another step="):
        cl.simulate(cl.load("Lorenz").with_(rho=29), duration=1, step=0.1).chaos.resample(10)
    explosive = cl.System({"x": "x**2"}, {}, {"x": 1}, period=1.0)
    with pytest.warns(TrajectoryWarning):
        lost = cl.simulate(explosive, 2)
    with pytest.raises(ValueError, match="only whole trajectories"):
        lost.chaos.resample(10)


def test_torch(ds):
    torch = pytest.importorskip("torch")
    tensor = ds.chaos.torch()
    assert tensor.dtype == torch.float64
    assert np.array_equal(tensor.numpy(), ds.state.values)
    assert np.array_equal(ds.chaos.torch("derivative").numpy(), ds.derivative.values)
    assert np.array_equal(ds.transpose("component", ...).chaos.torch().numpy(), ds.state.values)


def test_methods_can_be_registered(ds):
    @ChaosAccessor.register
    def largest(ds, component, *, power=1):
        """The largest value."""
        return float(ds.state.sel(component=component).max()) ** power

    try:
        assert ds.chaos.largest("z", power=2) == float(ds.state.sel(component="z").max()) ** 2
        assert ChaosAccessor.largest.__doc__ == "The largest value."
    finally:
        del ChaosAccessor.largest


def test_shown_is_observed_where_there_is_any(ds, forced):
    assert ds.chaos.shown.identical(ds.state)
    assert forced.chaos.shown.identical(forced.observed)


def test_nothing_changes_the_dataset(ds):
    before = ds.copy(deep=True)
    ds.chaos.standardize()
    ds.chaos.embed()
    ds.chaos.windows(5)
    ds.chaos.resample(5)
    assert ds.identical(before)
