"""Delay vectors with their labels."""

import numpy as np
import pytest
import xarray as xr

import chaoslab as cl
from chaoslab.invariants import embed, embedding_dimension, embedding_lag


def test_vectors_look_back():
    vectors = embed(np.arange(10.0), 3, 2)
    assert vectors.dims == ("time", "delay")
    assert vectors.delay.values.tolist() == [0, 2, 4]
    assert vectors.time.values.tolist() == [4, 5, 6, 7, 8, 9]
    assert vectors.sel(time=7).values.tolist() == [7, 5, 3]
    assert embed(np.arange(5.0), 1).shape == (5, 1)
    assert embed(np.ones(5), 2, 1).values.tolist() == [[1, 1]] * 4


def test_vectors_are_those_of_the_accessor(lorenz):
    vectors = embed(lorenz, 4, 7, component="x")
    assert np.array_equal(vectors, lorenz.chaos.embed("x", dimension=4, lag=7)[0])
    assert np.array_equal(vectors.time, lorenz.time[21:])
    assert vectors.attrs["sampling"] == pytest.approx(0.02)


def test_vectors_choose_for_themselves(lorenz):
    vectors = embed(lorenz, component="x")
    lag = int(embedding_lag(lorenz, component="x").lag)
    assert vectors.attrs["lag"] == lag
    assert vectors.attrs["dimension"] == int(embedding_dimension(lorenz, component="x", lag=lag).dimension)
    assert embed(cl.simulate("Henon", 2000), component="x").delay.values.tolist() == [0, 1]


def test_a_gap_stays_in_every_vector_it_touches():
    series = np.arange(10.0)
    series[5] = np.nan
    vectors = embed(series, 2, 2)
    assert np.isnan(vectors).any("delay").values.nonzero()[0].tolist() == [3, 5]
    assert embed(xr.DataArray(series, {"day": np.arange(10)}, "day"), 2, 2).time.values.tolist() == list(range(2, 10))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: embed(np.arange(5.0), 3, 2.5), "lag must be a whole number of at least 1; 2.5"),
        (lambda: embed(np.arange(5.0), 0, 1), "dimension must be a whole number"),
        (lambda: embed(np.arange(5.0), 3, 3), "3 delays of 3 samples need more than 6 samples; the series has 5"),
        (lambda: embed(np.ones((500, 2)), 2, 1), "one series is asked for; this has 2 components"),
        (lambda: embed(np.sin(np.arange(50))), "too short: 50 samples"),
    ],
)
def test_a_refusal_says_why(make, message):
    with pytest.raises(ValueError, match=message):
        make()
