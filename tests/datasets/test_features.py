"""Features of windows, against what they are on paper and what the libraries say of the same window."""

import json

import numpy as np
import pytest
import xarray as xr

from chaoslab.datasets import FeatureWarning, features
from chaoslab.datasets.features import resampled
from chaoslab.trajectories import simulate


def sine(periods=40, samples=30):
    return np.sin(2 * np.pi * (np.arange(periods * samples) + 0.5) / samples)


def value(table, name, **where):
    return float(table.features.isel(window=0, member=0, component=0, **where).sel(feature=name))


def test_a_sine_has_the_features_of_a_sine():
    with pytest.warns(FeatureWarning, match="2 of 92 features"):  # a line has no width that its skewness could be measured in
        table = features(sine(), period=30)
    assert table.sizes["window"] == 2
    assert table.attrs["window"] == 600
    assert value(table, "tsfresh__maximum") == pytest.approx(np.sqrt(2), rel=0.01)
    assert value(table, "tsfresh__skewness") == pytest.approx(0, abs=1e-9)
    assert value(table, "tsfresh__kurtosis") == pytest.approx(-1.5, abs=0.01)
    assert value(table, "tsfresh__count_above_mean") == 300
    assert value(table, "tsfresh__longest_strike_above_mean") == 15
    assert value(table, "tsfresh__number_peaks__n_5") == 20
    assert value(table, "tsfresh__number_peaks__n_10") == 19  # the first lies 7 samples from the edge
    assert value(table, "tsfresh__autocorrelation__lag_30") == pytest.approx(1, abs=1e-6)
    assert value(table, "tsfresh__autocorrelation__lag_15") == pytest.approx(-1, abs=1e-6)
    assert value(table, "catch22__CO_FirstMin_ac") == 15
    assert value(table, "catch22__SB_BinaryStats_mean_longstretch1") == pytest.approx(15, abs=1)


def test_catch22_is_what_aeon_says_of_each_window():
    from aeon.transformations.collection.feature_based import Catch22

    series = np.random.default_rng(0).standard_normal(1000).cumsum()
    table = features(series, window=300, stride=350, sets="catch22")
    assert table.start.values.ravel().tolist() == [0, 350, 700]
    for k in range(3):
        piece = series[350 * k : 350 * k + 300]
        [alone] = Catch22(outlier_norm=True).fit_transform([((piece - piece.mean()) / piece.std())[None]])
        assert table.features[0, 0, k].values == pytest.approx(alone, rel=1e-6, abs=1e-9)


def test_tsfresh_is_what_tsfresh_says_of_a_window():
    from tsfresh.feature_extraction import feature_calculators

    series = np.random.default_rng(0).standard_normal(700).cumsum()
    table = features(series, window=600, sets="tsfresh")
    piece = (series[:600] - series[:600].mean()) / series[:600].std()
    assert value(table, "tsfresh__cid_ce__normalize_True") == pytest.approx(feature_calculators.cid_ce(piece, True))
    assert value(table, "tsfresh__quantile__q_0.3") == pytest.approx(np.quantile(piece, 0.3))
    own = features(series, window=600, sets="tsfresh", calculators={"median": None, "c3": [{"lag": 3}]})
    assert own.feature.values.tolist() == ["tsfresh__median", "tsfresh__c3__lag_3"]
    assert json.loads(own.attrs["calculators"]) == {"median": None, "c3": [{"lag": 3}]}


def test_units_do_not_matter():
    series = np.random.default_rng(2).standard_normal(600).cumsum()
    assert np.allclose(features(series).features, features(1000 * series - 7).features, rtol=1e-5, atol=1e-7)


def test_a_trajectory_counts_in_its_periods():
    ds = simulate("Lorenz", periods=25, samples=30, members=2)
    table = features(ds, window=10, stride=5, sets="catch22")
    assert dict(table.sizes) == {"member": 2, "component": 3, "window": 4, "feature": 22}
    assert (table.attrs["window"], table.attrs["stride"], table.attrs["scale"]) == (300, 150, "stored period")
    assert table.component.values.tolist() == ["x", "y", "z"]
    assert table.start.values[0, 0] == pytest.approx(ds.time.values[::150][:4])
    one = features(ds, window=10, stride=5, sets="catch22", components="y")
    assert np.array_equal(one.features.values[:, 0], table.features.values[:, 1])
    iterates = features(simulate("Henon", 700), components="first", sets="catch22")
    assert iterates.attrs["window"] == 600
    assert iterates.attrs["scale"] == "samples"


def test_systems_come_from_a_tree_or_a_dimension():
    runs = {name: simulate(name, periods=5, samples=30) for name in ("Lorenz", "Rossler")}
    options = {"window": 5, "sets": "catch22"}
    tree = features(xr.DataTree.from_dict(runs), components="first", **options)
    assert tree.system.values.tolist() == ["Lorenz", "Rossler"]
    assert tree.features.dims == ("system", "member", "component", "window", "feature")
    flat = xr.concat([ds.state.isel(component=0, drop=True).drop_vars("period") for ds in runs.values()], "system", join="override")
    flat = flat.assign_coords(system=list(runs))
    same = features(flat.drop_vars("lyapunov_time", errors="ignore"), period=30, **options)
    assert np.array_equal(same.features.values, tree.features.values)


def test_sampling_anew_follows_the_curve():
    coarse = np.sin(2 * np.pi * np.arange(400) / 17.3)
    fine = resampled(coarse, 17.3, 30)
    assert len(fine) == int(399 * 30 / 17.3) + 1
    assert np.abs(fine - np.sin(2 * np.pi * np.arange(len(fine)) / 30)).max() < 1e-3
    coarse[100] = np.nan
    gap = np.isnan(resampled(coarse, 17.3, 30))
    assert np.flatnonzero(gap).tolist() == [k for k in range(len(gap)) if abs(k * 17.3 / 30 - 100) < 1]
    table = features(np.sin(2 * np.pi * np.arange(1000) / 17.3), samples=30, sets="catch22")
    assert table.attrs["scale"] == "mean period"
    assert table.attrs["window"] == 600
    with pytest.warns(FeatureWarning, match="samples only"):
        features(np.sin(np.arange(600) * 2), samples=30, window=20, sets="catch22")


def test_gaps_and_rest_are_told_and_kept():
    series = sine(80)
    series[700], series[1200:1800] = np.nan, 3.0
    with pytest.warns(FeatureWarning, match="2 of 4 windows"):
        table = features(series, sets="catch22")
    assert table.features.isnull().all("feature").values.ravel().tolist() == [False, True, True, False]
    assert table.attrs["undefined"] == "{}"


def test_a_feature_that_is_not_finite_is_named():
    with pytest.warns(FeatureWarning, match="1 of 2 features are not finite in some of 2 windows"):
        table = features(sine(), sets="tsfresh", calculators={"fft_aggregated": [{"aggtype": "skew"}, {"aggtype": "centroid"}]})
    name = 'tsfresh__fft_aggregated__aggtype_"skew"'
    assert json.loads(table.attrs["undefined"]) == {name: 2}
    assert table.features.sel(feature=name).isnull().all()
    assert value(table, 'tsfresh__fft_aggregated__aggtype_"centroid"') == pytest.approx(20, abs=0.01)


@pytest.mark.parametrize(
    ("series", "options", "words"),
    [
        (np.ones(1000), {}, "none of the 1 windows is whole"),
        (np.full(1000, np.nan), {}, "none of the 1 windows"),
        (np.arange(500.0), {}, "500 samples, a window 600"),
        (sine(10), {"period": 30}, "10 of its given periods"),
        (sine(), {"sets": "catch-22"}, "catch22"),
        (sine(), {"sets": []}, "no set"),
        (sine(), {"window": 50}, "100 at least"),
        (sine(), {"period": "dominant"}, "'mean'"),
        (np.full(1000, 2.0), {"samples": 30}, "constant"),
    ],
)
def test_bad_input_is_told(series, options, words):
    with pytest.raises(ValueError, match=words):
        features(series, **options)


def test_iterates_are_not_sampled_anew():
    with pytest.raises(ValueError, match="nothing between"):
        features(simulate("Henon", 700), samples=30)
    with pytest.raises(ValueError, match="no leaf"):
        features(xr.DataTree())
