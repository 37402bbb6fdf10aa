"""Recurrence plots and their statistics, on a cycle, on independent values, and against loops over all pairs."""

import math

import numpy as np
import pytest
import xarray as xr

import chaoslab as cl
from chaoslab.invariants import recurrence_plot, recurrence_statistics
from chaoslab.invariants.recurrence import STATISTICS


def circle(count, seed=0):
    """Independent points, spread evenly on a circle: every state recurs with the same probability."""
    angle = 2 * np.pi * np.random.default_rng(seed).random(count)
    return np.c_[np.cos(angle), np.sin(angle)]


@pytest.fixture(scope="module")
def walk():
    return np.random.default_rng(1).standard_normal((300, 2)).cumsum(axis=0)


def by_loops(plot, theiler, shortest):
    """Lengths of diagonal and vertical lines of a plot, and its recurrence rate."""
    n = len(plot)
    far = np.abs(np.subtract.outer(np.arange(n), np.arange(n))) > theiler
    plot = plot & far
    lengths = {"diagonal": [], "vertical": []}
    lines = [("diagonal", np.diagonal(plot, k)) for k in range(-n + 1, n)] + [("vertical", plot[:, k]) for k in range(n)]
    for kind, line in lines:
        run = 0
        for here in [*line, False]:
            if run and not here:
                lengths[kind].append(run)
            run = run + 1 if here else 0
    return np.array(lengths["diagonal"]), np.array(lengths["vertical"]), plot.sum() / far.sum()


# what is known


def test_a_cycle_of_four():
    """All pairs 4, 8, ... apart recur: on every such diagonal one line, each of another length."""
    count = 400
    found = recurrence_statistics(np.tile([0.0, 1.0, 2.0, 3.0], count // 4), threshold=0.1, dimension=1, theiler=0)
    lengths = count - np.arange(4, count, 4)
    assert float(found.rate) == pytest.approx(2 * lengths.sum() / (count * (count - 1)))
    assert float(found.determinism) == 1
    assert float(found.mean_line) == pytest.approx(lengths.mean())
    assert float(found.longest_line) == count - 4
    assert float(found.divergence) == pytest.approx(1 / (count - 4))
    assert float(found.entropy) == pytest.approx(math.log(len(lengths)))
    assert float(found.laminarity) == 0
    assert np.isnan(found.trapping_time)
    assert found.diagonal_lines.values.nonzero()[0].tolist() == sorted(lengths - 1)
    assert (found.diagonal_lines.values[lengths - 1] == 2).all()


@pytest.mark.parametrize("shortest", [2, 3])
def test_independent_values(shortest):
    """Pairs recur independently with p along a diagonal, so lines of length l are as frequent as (1 - p)**2 p**l."""
    threshold = 0.8
    found = recurrence_statistics(circle(2000, 1), threshold=threshold, dimension=1, theiler=0, shortest=shortest)
    # components of deviation 1 lie on a circle of radius sqrt(2)
    p = 2 * math.asin(threshold / (2 * math.sqrt(2))) / math.pi
    part = p ** (shortest - 1) * (shortest - (shortest - 1) * p)
    expected = {
        "rate": p,
        "determinism": part,
        "laminarity": part,
        "mean_line": shortest + p / (1 - p),
        "trapping_time": shortest + p / (1 - p),
        "entropy": -math.log(1 - p) - p / (1 - p) * math.log(p),
    }
    for name, value in expected.items():
        error = float(found[f"{name}_error"])
        assert abs(float(found[name]) - value) < 3 * error, name
        assert error < 0.1 * value, name


def test_errors_are_the_scatter_of_repetitions():
    found = [recurrence_statistics(circle(400, seed), threshold=0.8, dimension=1, theiler=0) for seed in range(30)]
    for name in ("determinism", "laminarity", "mean_line"):
        scatter = np.std([float(one[name]) for one in found])
        told = np.median([float(one[f"{name}_error"]) for one in found])
        assert 0.5 < told / scatter < 2, name


def test_nothing_but_the_identity_line():
    ramp = np.arange(200.0)
    plot = recurrence_plot(ramp, threshold=1e-3, dimension=1)
    assert np.array_equal(plot.values, np.eye(200, dtype=bool))
    found = recurrence_statistics(ramp, threshold=1e-3, dimension=1, theiler=0)
    assert float(found.rate) == 0
    assert float(found.longest_line) == 0
    assert math.isinf(found.divergence)
    assert all(np.isnan(found[name]) for name in ("determinism", "mean_line", "entropy", "laminarity", "trapping_time"))
    assert found.sizes["length"] == 0


def test_a_motion_is_more_deterministic_than_its_shuffled_values():
    ds = cl.simulate("Lorenz", duration=40, step=0.05, transient=20)
    values = ds.state.values[0]
    moving, mixed = (recurrence_statistics(rows, rate=0.02) for rows in (values, np.random.default_rng(0).permutation(values)))
    assert float(moving.determinism) > 0.9 > 0.3 > float(mixed.determinism)
    assert float(moving.mean_line) > 3 * float(mixed.mean_line)


# against loops


@pytest.mark.parametrize("theiler", [0, 7])
@pytest.mark.parametrize("options", [{"threshold": 0.3}, {"rate": 0.1}, {"neighbours": 6}])
def test_statistics_are_those_of_the_plot(walk, theiler, options):
    plot = recurrence_plot(walk, theiler=theiler, dimension=1, **options).values
    found = recurrence_statistics(walk, theiler=theiler, dimension=1, shortest=3, **options)
    diagonal, vertical, rate = by_loops(plot, theiler, 3)
    assert np.array_equal(found.diagonal_lines, np.bincount(diagonal, minlength=found.sizes["length"] + 1)[1:])
    assert np.array_equal(found.vertical_lines, np.bincount(vertical, minlength=found.sizes["length"] + 1)[1:])
    assert float(found.rate) == pytest.approx(rate)
    assert float(found.determinism) == pytest.approx(diagonal[diagonal >= 3].sum() / diagonal.sum())
    assert float(found.laminarity) == pytest.approx(vertical[vertical >= 3].sum() / vertical.sum())
    assert float(found.trapping_time) == pytest.approx(vertical[vertical >= 3].mean())


def test_the_three_ways_to_be_near(walk):
    states = (walk - walk.mean(axis=0)) / walk.std(axis=0)
    distance = np.linalg.norm(states[:, None] - states, axis=2)
    far = np.abs(np.subtract.outer(np.arange(300), np.arange(300))) > 5
    by_threshold = recurrence_plot(walk, threshold=0.4, theiler=5, dimension=1)
    assert np.array_equal(by_threshold.values & far, (distance <= 0.4) & far)
    by_rate = recurrence_plot(walk, rate=0.08, theiler=5, dimension=1)
    wanted = round(0.08 * far.sum() / 2)
    assert (by_rate.values & far).sum() == 2 * wanted
    assert by_rate.attrs["threshold"] == pytest.approx(np.sort(distance[far])[2 * wanted - 1])
    nearest = recurrence_plot(walk, neighbours=9, theiler=5, dimension=1)
    assert ((nearest.values & far).sum(axis=1) == 9).all()
    limit = np.sort(np.where(far, distance, np.inf), axis=1)[:, 8:9]
    assert np.array_equal(nearest.values & far, (distance <= limit) & far)


# labels, gaps, bad input


def test_a_plot_is_labelled_and_says_how_it_was_made():
    ds = cl.simulate("Lorenz", duration=10, step=0.05, transient=20)
    plot = recurrence_plot(ds, rate=0.1)
    assert plot.dims == ("time", "other")
    assert plot.dtype == bool
    assert np.array_equal(plot.time, ds.time)
    assert np.array_equal(plot.values, plot.values.T)
    assert {"dimension", "lag", "theiler", "sampling", "method", "threshold", "version"} == set(plot.attrs)
    late = recurrence_plot(ds, rate=0.1, component="x", dimension=3, lag=4)
    assert np.array_equal(late.time, ds.time[8:])
    assert set(recurrence_statistics(ds).data_vars) > set(STATISTICS)


def test_no_line_crosses_a_gap():
    series = np.tile([0.0, 1.0, 2.0, 3.0], 100)
    series[200] = np.nan
    found = recurrence_statistics(series, threshold=0.1, dimension=1, theiler=0)
    assert float(found.longest_line) == 199
    plot = recurrence_plot(series, threshold=0.1, dimension=1)
    assert plot.shape == (399, 399)
    assert 200 not in plot.time


def test_a_dimension_of_any_name():
    series = xr.DataArray(circle(200)[:, 0], {"day": np.arange(200) * 2.0}, "day")
    plot = recurrence_plot(series, rate=0.1, dimension=1)
    assert plot.time.values[-1] == 398


@pytest.mark.parametrize(
    ("series", "options", "message"),
    [
        (np.ones(300), {}, "is constant"),
        (np.full(300, np.nan), {}, "no sample that is finite"),
        (circle(60), {}, "too short: 60 points are left of 60 samples"),
        (circle(300), {"threshold": 1, "rate": 0.1}, "one of threshold, rate and neighbours, not threshold and rate"),
        (circle(300), {"threshold": 0}, "threshold, in deviations, must be positive"),
        (circle(300), {"rate": 1.5}, "rate is a part of all pairs, below 1; 1.5 given"),
        (circle(300), {"neighbours": 300}, "300 neighbours asked for; some states have 2"),
        (circle(300), {"neighbours": 2.5}, "neighbours must be a whole number"),
        (circle(300), {"theiler": 299}, "near pairs are needed; 300 points have 0"),
        (circle(300), {"theiler": -1}, "theiler, in samples, must be a whole number, 0 or more; -1"),
        (circle(300)[:, 0], {"dimension": 2, "lag": 1.5}, "lag must be a whole number of at least 1; 1.5"),
        (circle(300), {"component": "x"}, "an array has no names"),
        (np.tile([0.0, 1.0, 2.0, 3.0], 100), {"rate": 0.01, "dimension": 1}, "the same point again"),
        (circle(20001), {}, "take every few samples"),
    ],
)
def test_a_refusal_says_why(series, options, message):
    with pytest.raises(ValueError, match=message):
        recurrence_plot(series, **options)


def test_too_many_pairs_are_refused():
    with pytest.raises(ValueError, match="pairs would recur"):
        recurrence_statistics(circle(12000), threshold=2.5, dimension=1)
    with pytest.raises(ValueError, match="shortest must be a whole number"):
        recurrence_statistics(circle(300), shortest=0)
