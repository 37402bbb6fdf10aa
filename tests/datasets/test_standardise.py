"""Scaling: what the training part has, for all; other data refused; constants told."""

import warnings

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import chaoslab as cl
from chaoslab.datasets import DataError, Scaling, ScalingWarning, standardise, windows


@pytest.fixture(scope="module")
def ds():
    return cl.simulate("Lorenz", 4, 20, members=4, derivative=True)


@pytest.fixture(scope="module")
def tree(ds):
    return xr.DataTree.from_dict({"Lorenz": ds, "Duffing": cl.simulate("Duffing", 4, 20, members=4)})


def parts_of(data):
    if isinstance(data, xr.DataTree):
        return tuple(data.map_over_datasets(lambda ds, k=k: ds.isel(member=k) if ds.data_vars else ds) for k in ([0, 1, 2], [3]))
    return data.isel(member=[0, 1, 2]), data.isel(member=[3])


def test_the_training_part_has_mean_zero_and_deviation_one(ds):
    train, test = parts_of(ds)
    scaling, scaled, other = standardise(train, test)
    assert scaled.state.mean(["member", "time"]).values == pytest.approx(np.zeros(3), abs=1e-12)
    assert scaled.state.std(["member", "time"]).values == pytest.approx(np.ones(3))
    mean, deviation = train.state.values.mean((0, 1)), train.state.values.std((0, 1))
    assert scaling.moments["mean"].sel(variable="state").values == pytest.approx(mean, rel=1e-14)
    assert other.state.values == pytest.approx((test.state.values - mean) / deviation)
    assert scaled.derivative.values == pytest.approx(train.derivative.values / deviation)
    assert other.state.dims == ds.state.dims
    assert other.chaos.check() is other


def test_the_test_part_has_no_say(tree):
    train, test = parts_of(tree)
    scaling, scaled, _ = standardise(train, test)
    wild = test.map_over_datasets(lambda ds: ds * 1e9 if ds.data_vars else ds)
    again, scaled_again, other = standardise(train, wild)
    assert again.to_json() == scaling.to_json()
    assert scaled_again.identical(scaled)
    assert float(abs(other["Lorenz"].state).max()) > 1e6


def test_undo_gives_the_data_back(tree):
    train, test = parts_of(tree)
    scaling, _, scaled = standardise(train, test)
    back = scaling.undo(scaled)
    for name in ("Lorenz", "Duffing"):
        for key in ("state", "observed", "derivative"):
            if key in test[name]:
                assert back[name][key].values == pytest.approx(test[name][key].values, rel=1e-12, abs=1e-12)
        assert back[name].attrs == test[name].attrs


def test_observed_is_scaled_by_what_is_observed(tree):
    scaling, scaled = standardise(tree)
    observed = scaled["Duffing"].observed
    assert observed.std(["member", "time"]).values == pytest.approx(np.ones(observed.sizes["component"]))
    noisy = cl.simulate("Lorenz", 4, 20, observation_noise=0.1)
    made = Scaling.fit(tree["Lorenz"].to_dataset()).apply(noisy)
    state = scaling.moments["Lorenz"].to_dataset().sel(variable="state", drop=True)
    assert made.observed.values == pytest.approx(((noisy.observed - state["mean"]) / state["deviation"]).values)


def test_by_member_each_has_its_own(ds):
    early, late = ds.isel(time=slice(0, 60)), ds.isel(time=slice(60, None))
    scaling, scaled, after = standardise(early, late, by_member=True)
    assert scaled.state.std("time").values == pytest.approx(np.ones((4, 3)))
    alone = standardise(early.isel(member=[2]), late.isel(member=[2]), by_member=True)[2]
    assert after.isel(member=[2]).state.values == pytest.approx(alone.state.values)
    with pytest.raises(ValueError, match="not fitted on member 9"):
        scaling.apply(late.assign_coords(member=[0, 1, 2, 9]))


def test_univariate_data_are_scaled_by_system():
    state = np.random.default_rng(0).normal(size=(2, 3, 50)) * np.array([1, 100])[:, None, None]
    labels = {"system": np.array(["A", "B"], object), "member": np.arange(3)}
    ds = xr.Dataset({"state": (("system", "member", "time"), state)}, labels)
    scaling, scaled = standardise(ds)
    assert scaled.state.std(["member", "time"]).values == pytest.approx(np.ones(2))
    swapped = scaling.apply(ds.isel(system=[1, 0]))
    assert swapped.state.values == pytest.approx(scaled.state.values[::-1])
    alone = scaling.apply(ds.sel(system="B"))
    assert alone.state.values == pytest.approx(scaled.state.values[1])
    with pytest.raises(ValueError, match="not fitted on system 'C'"):
        scaling.apply(ds.assign_coords(system=np.array(["A", "C"], object)))


def test_windows_and_forecasts_are_scaled_too(ds):
    scaling = Scaling.fit(ds)
    made = scaling.apply(windows(ds, context=5, horizon=2))
    assert made.context.values == pytest.approx(windows(scaling.apply(ds), context=5, horizon=2).context.values)
    assert scaling.undo(made).target.values == pytest.approx(windows(ds, context=5, horizon=2).target.values)


def test_components_are_matched_by_name(ds):
    scaling, scaled = standardise(ds)
    turned = scaling.apply(ds.isel(component=[2, 0]))
    assert turned.state.values == pytest.approx(scaled.state.values[..., [2, 0]])


def test_constant_components_are_told(ds):
    still = ds.copy(deep=True)
    still.state[..., 1] = 0.1
    still.state[..., 2] = still.state[..., 2] * 1e-100
    with pytest.warns(ScalingWarning, match="Lorenz: y$"):
        scaling, scaled = standardise(still)
    assert scaling.constant == {"Lorenz": ["y"]}
    assert (scaled.state.values[..., 1] == 0).all()
    assert (scaling.undo(scaled).state.values[..., 1] == 0.1).all()


def test_gaps_are_left_out(ds):
    holed = ds.copy(deep=True)
    holed.state[0, 3:9, 1] = np.nan
    holed.state[..., 2] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _, scaled = standardise(holed)
    assert scaled.state[..., 1].std().item() == pytest.approx(1)
    assert np.isnan(scaled.state[..., 2]).all()
    assert np.isnan(scaled.state[0, 3:9, 1]).all()


def test_other_data_are_refused(ds, tree):
    rossler = cl.simulate("Rossler", 4, 20)
    with pytest.raises(ValueError, match="fitted on Lorenz; Rossler given"):
        Scaling.fit(ds).apply(rossler)
    with pytest.raises(ValueError, match="not fitted on Rossler"):
        Scaling.fit(tree).apply(rossler)
    with pytest.raises(ValueError, match=r"not fitted on component 'u'.*It has x, y, z"):
        Scaling.fit(ds).apply(ds.assign_coords(component=np.array(["x", "u", "z"], object)))
    with pytest.raises(ValueError, match="fitted on Lorenz; a tree given"):
        Scaling.fit(ds).apply(tree)
    with pytest.raises(ValueError, match="scaled already"):
        Scaling.fit(ds).apply(Scaling.fit(ds).apply(ds))
    with pytest.raises(ValueError, match="scaled already"):
        Scaling.fit(Scaling.fit(ds).apply(ds))
    with pytest.raises(ValueError, match="nothing to scale"):
        Scaling.fit(ds).apply(ds[["time"]])
    one = Scaling.fit(tree).apply(ds)
    assert one.identical(Scaling.fit(ds).apply(ds))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-1e150, 1e150), min_size=6, max_size=6, unique=True), st.booleans())
def test_any_scaling_comes_back_from_text(numbers, by_member):
    labels = {"component": np.array(["x", "y"], object), "member": [4], "time": [0.0, 1, 2]}
    ds = xr.Dataset({"state": (("member", "time", "component"), np.reshape(numbers, (1, 3, 2)))}, labels, {"name": "Any"})
    scaling = Scaling.fit(ds, by_member=by_member)
    again = Scaling.from_json(scaling.to_json())
    assert again.moments.identical(scaling.moments)
    assert again.apply(ds).identical(scaling.apply(ds))
    assert abs(scaling.apply(ds).state).max() < 3
    back = scaling.undo(scaling.apply(ds)).state
    assert abs(back - ds.state).max() <= 1e-14 * abs(ds.state).max()


def test_a_scaling_of_a_tree_comes_back_from_text(tree):
    scaling = Scaling.fit(tree)
    assert Scaling.from_json(scaling.to_json()).apply(tree).identical(scaling.apply(tree))
    with pytest.raises(DataError, match="labels of the scaling cannot be read"):
        Scaling.from_json(scaling.to_json()[:-9])
