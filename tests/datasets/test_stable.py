"""Which features are kept, on tables whose answer is known."""

import numpy as np
import pytest
import xarray as xr

from chaoslab.datasets import stable_features
from chaoslab.datasets.stable import intraclass

RNG = np.random.default_rng(0)


def table_of(columns: dict[str, np.ndarray]) -> xr.Dataset:
    """A table of features (system, window) by name."""
    values = np.stack(list(columns.values()), axis=-1)
    coords = {"system": [f"s{k}" for k in range(len(values))], "feature": list(columns)}
    return xr.Dataset({"features": (("system", "window", "feature"), values)}, coords=coords)


@pytest.fixture(scope="module")
def table():
    own = RNG.standard_normal((30, 1)) * np.ones(8)
    noise = RNG.standard_normal((30, 8))
    return table_of(
        {
            "telling": own + 0.1 * noise,
            "same": 5 - 2 * (own + 0.1 * noise + 0.05 * RNG.standard_normal((30, 8))),
            "noise": noise,
            "constant": np.full((30, 8), 3.0),
            "undefined": np.where(np.arange(8) == 5, np.nan, own),
            "bent": np.exp(3 * RNG.standard_normal((30, 1)) + 0.05 * noise),
        }
    )


def test_the_correlation_is_that_of_the_textbook():
    # Shrout & Fleiss (1979), table 2: six targets, four judges; ICC(1,1) = .17
    ratings = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float)
    score, ratio = intraclass(ratings.reshape(-1, 1), np.repeat(np.arange(6), 4))
    assert score[0] == pytest.approx(0.17, abs=0.005)
    assert ratio[0] == pytest.approx(11.24 / 6.26, abs=0.01)


def test_groups_of_different_size_are_weighed():
    own = RNG.standard_normal(400)
    group = np.repeat(np.arange(400), RNG.integers(2, 9, 400))
    score, _ = intraclass((own[group] + RNG.standard_normal(len(group)))[:, None], group)
    assert score[0] == pytest.approx(0.5, abs=0.06)


def test_each_feature_has_its_verdict(table):
    found = stable_features(table)
    verdict = dict(zip(found.feature.values, found.verdict.values, strict=True))
    assert verdict["constant"] == "constant"
    assert verdict["undefined"] == "undefined"
    assert verdict["noise"] == "unstable"
    assert verdict["bent"] == "kept"
    assert {verdict["telling"], verdict["same"]} == {"kept", "redundant"}
    assert str(found.like.sel(feature="same").values) == str(found.like.sel(feature="telling").values)
    assert float(found.score.sel(feature="telling")) > 0.95
    assert abs(float(found.score.sel(feature="noise"))) < 0.15
    assert found.kept.values.tolist() == [one == "kept" for one in found.verdict.values]


def test_thresholds_are_obeyed(table):
    assert stable_features(table, threshold=0.0, alike=1.0).kept.sum() >= 3
    assert not stable_features(table, threshold=1.0).kept.any()


def test_absent_windows_do_not_count(table):
    longer = xr.concat([table, xr.full_like(table, np.nan)], "window")
    assert np.array_equal(stable_features(longer).score, stable_features(table).score, equal_nan=True)


def test_bad_input_is_told(table):
    with pytest.raises(TypeError, match="features\\(\\) returns"):
        stable_features(xr.Dataset())
    with pytest.raises(ValueError, match="one series"):
        stable_features(table.isel(system=0))
    with pytest.raises(ValueError, match="two systems"):
        stable_features(table.isel(system=[0]))
    with pytest.raises(ValueError, match="several windows"):
        stable_features(table.isel(window=[0]))
    with pytest.raises(ValueError, match="between 0 and 1"):
        stable_features(table, threshold=2)
