"""Delay vectors and their neighbours, against loops over all pairs."""

import numpy as np
import pytest

from chaoslab.invariants.cloud import Cloud
from chaoslab.invariants.series import standardised


def test_neighbours_are_the_nearest_outside_the_window():
    values = np.random.default_rng(3).standard_normal((300, 2)).cumsum(axis=0)
    cloud = Cloud(values, np.arange(1, 301), delays=2, lag=4, theiler=20, room=0)
    rows = cloud.rows(10)
    assert rows.tolist() == list(range(4, 290))
    distance = np.linalg.norm(cloud.vectors[rows][:, None] - cloud.vectors[rows], axis=2)
    distance[np.abs(rows[:, None] - rows) <= 20] = np.inf
    for rank in (1, 3):
        found, far = cloud.nearest(rows, np.arange(len(rows)), rank=rank)
        assert np.array_equal(found, distance.argsort(axis=1)[:, rank - 1])
        assert far == pytest.approx(np.sort(distance, axis=1)[:, rank - 1])


def test_a_neighbour_of_high_rank_is_found():
    values = np.random.default_rng(5).standard_normal((1000, 1))
    cloud = Cloud(values, np.arange(1, 1001), delays=1, lag=1, theiler=2, room=0)
    rows = cloud.rows(0)
    found, far = cloud.nearest(rows, np.arange(10), rank=900)
    assert (found >= 0).all()
    distance = np.abs(values[:10] - values.T)
    distance[np.abs(np.arange(10)[:, None] - rows) <= 2] = np.inf
    assert far == pytest.approx(np.sort(distance, axis=1)[:, 899])


def test_no_vector_and_no_future_touches_a_gap():
    series = np.random.default_rng(4).standard_normal(400)
    series[[0, 90, 91, 150, 399]] = np.nan
    series[200] = np.inf
    values, gapless = standardised(series[:, None])
    rows = Cloud(values, gapless, delays=3, lag=2, theiler=1, room=0).rows(7)
    whole = [k for k in range(4, 393) if np.isfinite(series[k - 4 : k + 8]).all()]
    assert rows.tolist() == whole
