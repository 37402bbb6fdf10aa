"""Series placed on a map: beside their own, between neighbours, and noise apart."""

import json

import numpy as np
import pytest
import xarray as xr

from chaoslab.datasets import FeatureWarning, catalogue_map, place
from chaoslab.datasets.place import stretches
from chaoslab.systems import load
from chaoslab.trajectories import simulate


@pytest.fixture(scope="module")
def noise():
    return np.random.default_rng(0).standard_normal(4000)


@pytest.mark.parametrize("name", ["Rossler", "MackeyGlass", "HindmarshRose", "Thomas", "Halvorsen"])
def test_another_orbit_is_placed_next_to_itself(name):
    found = place(simulate(name, periods=80, samples=47, transient=30, jitter=0.05, rng=5))
    assert found.system.values[0] == name
    assert found.attrs["verdict"] == "like others"
    map = catalogue_map().sel(system=name)
    size = np.ptp(catalogue_map().position.values, axis=0).max()
    assert np.linalg.norm(found.position - map.position) < 0.05 * size
    assert int(found.cluster) == int(map.cluster)
    assert (np.diff(found.distance) >= 0).all()


def test_sampling_and_units_do_not_matter():
    coarse, fine = (simulate("Rossler", periods=70, samples=n, transient=30).state.values[0, :, 0] for n in (20, 90))
    one, two = place(coarse), place(1e3 * fine - 4)
    assert np.abs(one.distance.values[:3] - two.distance.values[:3]).max() < 0.1
    assert one.system.values[0] == two.system.values[0] == "Rossler"
    assert two.attrs["samples_in_period"] / one.attrs["samples_in_period"] == pytest.approx(4.5, rel=0.01)


def test_iterates_have_their_own_map():
    found = place(simulate("Henon", 2000, transient=5000))
    assert found.system.values[0] == "Henon"
    assert found.attrs["resampled"] == 0
    with pytest.raises(ValueError, match="is of a map, the systems"):
        place(simulate("Henon", 2000), catalogue_map())
    with pytest.raises(ValueError, match="is of a flow, the systems"):
        place(simulate("Rossler"), catalogue_map("map"))


def test_white_noise_is_unusual(noise):
    with pytest.warns(FeatureWarning, match="samples only"):
        found = place(noise)
    assert (found.attrs["verdict"], "rough" in found.attrs["reason"]) == ("unusual", True)
    assert float(found.rough) == pytest.approx(0.25, abs=0.03)
    iterates = place(noise, catalogue_map("map"))
    assert (iterates.attrs["verdict"], iterates.attrs["reason"]) == ("unusual", "far")


def test_order_is_unusual_among_chaos():
    assert place(np.sin(np.arange(4000) / 7)).attrs["reason"] == "far"


def test_a_place_lies_between_the_nearest(noise):
    found = place(simulate(load("Lorenz", rho=40), periods=100, samples=50))
    map = catalogue_map().sel(system=found.system.values[:5])
    weight = found.distance.values[:5] ** -4.0
    assert found.position.values == pytest.approx(weight @ map.position.values / weight.sum())


def test_what_is_usual_of_a_system():
    rng = np.random.default_rng(0)
    still, wild = rng.standard_normal((2, 200, 3)) * np.array([0.1, 1.0])[:, None, None]
    windows = [still, wild + 20]
    means = np.stack([rows.mean(axis=0) for rows in windows])
    usual, ratio = stretches(windows, means, 1)
    assert usual == pytest.approx([0.1, 1.0], rel=0.1)
    assert len(ratio) == 400
    assert (ratio**2).mean() == pytest.approx(1, abs=0.01)
    assert stretches(windows, means, 4)[0] == pytest.approx([0.05, 0.5], rel=0.2)


def test_bad_series_are_told(noise):
    with pytest.raises(ValueError, match="of its mean periods"):
        place(np.sin(np.arange(800) / 10))
    with pytest.raises(ValueError, match="constant"):
        place(np.ones(2000))
    with pytest.raises(ValueError, match="0 finite"):
        place(np.full(2000, np.nan))
    with pytest.raises(ValueError, match="one series"):
        place(noise.reshape(-1, 2))
    with pytest.raises(TypeError, match="a map is what"):
        place(noise, xr.Dataset())
    with pytest.raises(ValueError, match="means nothing"):
        place(noise, catalogue_map("map"), period=3)
    wave = simulate("Rossler", periods=80, samples=30).state.values[0, :, 0]
    wave[1000] = np.nan
    with pytest.warns(FeatureWarning, match="2 of 7 windows have a gap"), pytest.warns(FeatureWarning, match="left out"):
        assert place(wave).system.values[0] == "Rossler"


def test_a_map_of_other_features_is_told():
    wave = simulate("Rossler", periods=60, samples=30).state.values[0, :, 0]
    map = catalogue_map().copy()
    map.attrs["sets"] = json.dumps(["catch22"])
    with pytest.raises(ValueError, match="features that these settings do not make: 'tsfresh__"):
        place(wave, map)
    other = catalogue_map().assign_attrs(scale="stored period")
    with pytest.raises(ValueError, match="say period="):
        place(wave, other)
