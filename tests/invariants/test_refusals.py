"""Whatever takes a series refuses what is none, and counts that are none, in words of its own."""

import inspect
import math
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from chaoslab import invariants

SERIES = np.sin(np.arange(600) * 0.7) + np.random.default_rng(0).standard_normal(600) / 20
FUNCTIONS = {
    name: function
    for name, function in vars(invariants).items()
    if inspect.isfunction(function) and "series" in inspect.signature(function).parameters
}
#: Options that are whole numbers, and what is none.
COUNTS = """bins count dimension every frequencies lag length lengths longest most neighbours pairs points resamples scales shortest
    steps theiler""".split()
WRONG = {"a part": 1.5, "a truth": True, "text": "2", "nan": math.nan, "endless": math.inf, "negative": -1}
GAPPY = np.where(np.arange(600) == 300, np.nan, SERIES)


def refused(function, *args, **options) -> str:
    """The message of the error, which the package itself must have raised."""
    with pytest.raises((TypeError, ValueError)) as info:
        function(*args, **options)
    assert Path(invariants.__file__).parents[1] in Path(info.traceback[-1].path).parents
    return str(info.value)


def test_they_are_all_here():
    assert len(FUNCTIONS) > 15
    assert {"correlation_dimension", "ordinal", "exponent_from_data", "surrogates", "embed", "zero_one_test"} <= set(FUNCTIONS)


@pytest.mark.parametrize(
    ("series", "message"),
    [
        (None, "an array of numbers or a trajectory; None given"),
        ("Lorenz", "an array of numbers or a trajectory; 'Lorenz' given"),
        ({"x": [1.0, 2.0]}, "an array of numbers or a trajectory; {'x'"),
        (3.0, "an array of shape () given"),
        (["a", "b"] * 300, "real numbers; text given"),
        ([1.0, None] * 300, "real numbers; object values such as None given"),
        ([[1.0, 2.0], [3.0]], "rows of unequal length given"),
        (SERIES + 0j, "real numbers; complex128 given"),
        ([], "empty: an array of shape (0,) given"),
        (np.zeros((600, 0)), "empty: an array of shape (600, 0) given"),
        (np.zeros((2, 600, 3)), "an array of shape (2, 600, 3) given"),
        (np.full(600, np.nan), "finite"),
        (np.full(600, 0.1), "constant"),
        (SERIES[:3], "too short"),
        (SERIES * 1e200, "give it in other units"),
        (SERIES * 1e-200, "give it in other units"),
        (xr.Dataset({"x": ("time", SERIES)}), "a trajectory has a variable 'state'"),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_is_no_series(name, series, message):
    assert message in refused(FUNCTIONS[name], series)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_gap_is_refused_or_passed_by(name):
    if name in ("surrogates", "significant_against_surrogates", "significant_periods", "has_dominant_period"):
        assert "1 of 600 samples are not finite, the first number 300" in refused(FUNCTIONS[name], GAPPY)
    else:
        FUNCTIONS[name](GAPPY)


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize(
    ("name", "option"),
    [(name, option) for name, one in FUNCTIONS.items() for option in inspect.signature(one).parameters if option in COUNTS],
)
def test_what_is_no_count(name, option, wrong):
    kantz = {"method": "kantz"} if (name, option) == ("exponent_from_data", "neighbours") else {}
    message = refused(FUNCTIONS[name], SERIES, **{option: WRONG[wrong]}, **kantz)
    assert option.rstrip("s") in message
    assert f"{WRONG[wrong]!r} given" in message


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("exponent_from_data", {"method": "kantz", "neighbours": 600}, "0 points have 600 neighbours at any distance"),
        ("exponent_from_data", {"fit": 3}, "fit is (start, end) in time; 3 given"),
        ("exponent_from_data", {"fit": 3, "steps": 50}, "fit is (start, end) in time; 3 given"),
        ("exponent_from_data", {"fit": ("a", "b")}, "each end must be a number; 'a' given"),
        ("exponent_from_data", {"fit": (0, math.inf)}, "each end must be zero or positive and finite; inf given"),
        ("exponent_from_data", {"orbital": 0.5}, "orbital is True, False or None; 0.5 given"),
        ("recurrence_plot", {"neighbours": 600}, "600 neighbours asked for; some states have"),
        ("recurrence_statistics", {"neighbours": 600}, "600 neighbours asked for; some states have"),
        ("correlation_dimension", {"theiler": 600}, "1 near pairs are needed; 600 points have 0"),
        ("correlation_dimension", {"lag": 600}, "delays of 600 samples need more than 600 samples; the series has 600"),
        ("recurrence_plot", {"lag": 5000}, "delays of 5000 samples need more than 5000 samples; the series has 600"),
        ("embed", {"dimension": 601, "lag": 1}, "601 delays of 1 samples need more than 600 samples; the series has 600"),
        ("embedding_lag", {"bins": 33}, "33 bins of each value make 1089 cells for 600 samples; take 32 bins at most"),
        ("embedding_lag", {"level": 1}, "below 1, which it has at lag 0; 1 given"),
        ("embedding_lag", {"level": -0.1}, "must be zero or positive and finite; -0.1 given"),
        ("significant_periods", {"background": ["white"]}, "background ['white'] is not known"),
        ("surrogates", {"method": ["AAFT"]}, "method ['AAFT'] is not known"),
        ("significant_against_surrogates", {"statistic": ["time reversal"]}, "statistic ['time reversal'] is not known"),
    ],
)
def test_what_cannot_be(name, options, message):
    assert message in refused(FUNCTIONS[name], SERIES, **options)
