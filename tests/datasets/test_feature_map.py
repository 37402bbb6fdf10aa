"""The map of systems, its clusters and its stability, on tables whose answer is known."""

import numpy as np
import pytest
import xarray as xr
from sklearn.manifold import trustworthiness

from chaoslab.datasets import FeatureWarning, feature_map
from chaoslab.datasets import feature_map as function
from chaoslab.datasets.feature_map import Scales, _clusters, _scaled, jaccard, kept, trust
from chaoslab.datasets.stable import rows_of


def table_of(groups: int, seed: int = 0, systems: int = 24, windows: int = 6, shuffled: bool = False) -> xr.Dataset:
    """Systems in groups that lie 10 deviations apart, each with a place of its own, and windows about it."""
    rng = np.random.default_rng(seed)
    centre = 10 * np.eye(4)[np.arange(systems) % groups]
    values = (centre + 0.5 * rng.standard_normal((systems, 4)))[:, None] + 0.3 * rng.standard_normal((systems, windows, 4))
    if shuffled:
        values = rng.permutation(values.reshape(-1, 4)).reshape(values.shape)
    coords = {"system": [f"s{k}" for k in range(systems)], "feature": list("abcd")}
    attrs = {"window": 600, "scale": "mean period", "samples": 30, "kind": "flow", "sets": '["catch22"]', "calculators": "default"}
    return xr.Dataset({"features": (("system", "window", "feature"), values)}, coords, attrs)


def clusters_of(table, wanted=None, replicates=6):
    rows, group = rows_of(table)
    scaled, _ = _scaled(table, rows, group, list("abcd"))
    each = scaled.reshape(table.sizes["system"], -1, 4)
    rng = np.random.default_rng(0)
    draws = rng.integers(0, each.shape[1], (replicates, *each.shape[:2], 1))
    means = np.stack([each.mean(axis=1), *(np.take_along_axis(each, draw, axis=1).mean(axis=1) for draw in draws)])
    return _clusters(means, wanted, list(range(len(means))), False)


@pytest.mark.parametrize("groups", [2, 3, 4])
def test_groups_are_found_as_clusters(groups):
    found = clusters_of(table_of(groups))
    assert found.status == "ok"
    assert found.rand[found.numbers.index(groups)].tolist() == [1.0] * 6
    assert found.silhouette.argmax() == found.numbers.index(groups)
    labels = found.labels[0]
    assert len(np.unique(labels)) == groups
    assert all(len(np.unique(labels[np.arange(24) % groups == k])) == 1 for k in range(groups))
    assert jaccard(found.labels) == pytest.approx(1)


def test_shuffled_windows_have_no_stable_clusters():
    with pytest.warns(FeatureWarning, match="do not come back"):
        found = clusters_of(table_of(3, shuffled=True))
    assert found.status == "unstable"
    assert found.rand.mean() < 0.5


def test_units_and_far_values_do_not_decide():
    table = table_of(2)
    other = table.copy(deep=True)
    other["features"] = other.features * [1, 1e6, 1e-6, 30] + [0, 5, -3, 1]
    found = []
    for one in (table, other):
        rows, group = rows_of(one)
        scaled, _ = _scaled(one, rows, group, list("abcd"))
        means = np.stack([scaled[group == k].mean(axis=0) for k in range(24)])
        assert np.sqrt(((scaled - means[group]) ** 2).sum(axis=0) / (len(rows) - 24)) == pytest.approx(np.ones(4))
        found.append(scaled)
    assert found[0] == pytest.approx(found[1])
    plain = Scales(["a"], np.zeros(1), np.ones(1), np.ones(1))
    assert plain.of(np.array([[0.01], [1000.0]])).ravel() == pytest.approx([0.01, np.log(2000)], rel=1e-4)


def test_trust_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    points = rng.standard_normal((60, 5))
    plane = points[:, :2] + 0.3 * rng.standard_normal((60, 2))
    assert trust(points, plane).mean() == pytest.approx(trustworthiness(points, plane, n_neighbors=10))
    assert trust(points[:, :2], plane * 0 + points[:, :2]) == pytest.approx(np.ones(60))


def test_neighbours_are_kept_by_turning_and_lost_by_chance():
    rng = np.random.default_rng(0)
    plane = rng.standard_normal((200, 2))
    turned = plane @ [[0, 2], [-2, 0]]
    assert kept(np.stack([plane, turned, plane])) == pytest.approx(1)
    assert kept(np.stack([plane, *rng.standard_normal((20, 200, 2))])).mean() == pytest.approx(10 / 199, abs=0.01)


def test_clusters_that_are_half_shared():
    labels = np.array([[0, 0, 0, 0], [0, 0, 1, 1]])
    assert jaccard(labels).tolist() == [0.5] * 4


def test_bad_input_is_told():
    table = table_of(2)
    with pytest.raises(ValueError, match="4 systems with 2 windows"):
        feature_map(table.isel(system=[0, 1, 13]), keep=["a"])
    with pytest.raises(ValueError, match="no feature is stable"), np.errstate(all="ignore"):
        feature_map(table_of(3, shuffled=True))
    with pytest.raises(ValueError, match="feature 'e' is not known"):
        feature_map(table, keep=["e"])
    with pytest.raises(ValueError, match="2 to 23 clusters"):
        feature_map(table, clusters=24)
    with pytest.raises(ValueError, match="whole number"):
        feature_map(table, seeds=0)
    lost = table.copy(deep=True)
    lost.features[3, 2, 1] = np.nan
    with pytest.raises(ValueError, match="b is not"):
        feature_map(lost, keep=["a", "b"])
    with pytest.raises(ValueError, match="components given"):
        feature_map(xr.concat([table, table], "component"))


def test_two_groups_are_two_islands():
    table = table_of(2)
    found = function(table, seeds=3, keep=list("abcd"), progress=False)
    side = np.arange(24) % 2
    position = found.position.values
    apart = np.linalg.norm(position[:, None] - position, axis=2)
    assert apart[side[:, None] == side].max() < apart[side[:, None] != side].min()
    assert len(np.unique(found.cluster.values * 2 + side)) == 2
    assert found.attrs["status"] == "ok"
    assert found.attrs["trustworthiness"] == pytest.approx(float(found.trust.mean()))
    assert (found.wander < 0.5).all()
    again = function(table, seeds=3, keep=list("abcd"), progress=False)
    xr.testing.assert_identical(found, again)
