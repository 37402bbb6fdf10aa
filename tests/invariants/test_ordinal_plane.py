"""The bounds of the plane against searches for better distributions; its regions against what must lie in them."""

import math

import numpy as np
import pytest
import xarray as xr
from scipy.optimize import minimize
from scipy.special import sici

from chaoslab.invariants import complexity_bounds, noise_curve, ordinal, periodic_limits, region
from chaoslab.invariants.ordinal_plane import entropy_complexity, variogram


def test_one_pattern_and_all_patterns_alike_are_not_complex():
    for states in (2, 6, 120, 5040):
        alone = np.eye(1, states)
        height, complexity = entropy_complexity(np.vstack([alone, np.full(states, 1 / states)]), states)
        assert height == pytest.approx([0, 1], abs=1e-12)
        assert complexity == pytest.approx([0, 0], abs=1e-12)


def test_two_states_by_hand():
    """P = (3/4, 1/4): H in bits, the divergence from (1/2, 1/2) over that of (1, 0)."""
    bits = lambda *p: -sum(one * math.log2(one) for one in p)
    divergence = bits(5 / 8, 3 / 8) - bits(3 / 4, 1 / 4) / 2 - 1 / 2
    most = bits(3 / 4, 1 / 4) - 1 / 2
    height, complexity = entropy_complexity(np.array([0.75, 0.25]), 2)
    assert float(height) == pytest.approx(bits(3 / 4, 1 / 4))
    assert float(complexity) == pytest.approx(bits(3 / 4, 1 / 4) * divergence / most)


def test_states_that_are_left_out_have_no_probability():
    some = np.random.default_rng(0).dirichlet(np.ones(7))
    assert entropy_complexity(some, 120) == pytest.approx(entropy_complexity(np.append(some, np.zeros(113)), 120))


@pytest.mark.parametrize("length", range(2, 8))
def test_no_distribution_is_beyond_the_bounds(length):
    states, rng = math.factorial(length), np.random.default_rng(1)
    for spread in (0.001, 0.01, 0.1, 1, 10):
        points = rng.dirichlet(np.full(states, spread), size=200)
        height, complexity = entropy_complexity(points, states)
        bounds = complexity_bounds(length, entropy=np.clip(height, 0, 1))
        assert (complexity >= bounds.lower.values - 1e-9).all()
        assert (complexity <= bounds.upper.values + 1e-9).all()


@pytest.mark.parametrize("height", [0.2, 0.45, 0.62, 0.8, 0.95])
def test_a_search_finds_the_bounds(height):
    """Six states: the best of many searches along distributions of that entropy is the bound, above and below."""
    rng, found = np.random.default_rng(2), {1: [], -1: []}

    def probability(x):  # squares reach zero, where the upper bound has some of its states
        return x**2 / (x**2).sum()

    level = {"type": "eq", "fun": lambda x: float(entropy_complexity(probability(x), 6)[0]) - height}
    for sign, best in found.items():
        for _ in range(12):
            start = rng.standard_normal(6)
            made = minimize(
                lambda x, s=sign: -s * float(entropy_complexity(probability(x), 6)[1]), start, constraints=level, tol=1e-9
            )
            if abs(level["fun"](made.x)) < 1e-7:
                best.append(float(entropy_complexity(probability(made.x), 6)[1]))
    bounds = complexity_bounds(3, entropy=[height])
    assert max(found[1]) == pytest.approx(float(bounds.upper[0]), abs=1e-7)
    assert min(found[-1]) == pytest.approx(float(bounds.lower[0]), abs=1e-7)


@pytest.mark.parametrize("length", [3, 5, 7])
def test_equal_states_lie_on_the_upper_bound(length):
    states = math.factorial(length)
    for count in sorted({1, 2, 3, states // 2, states - 1, states}):
        height, complexity = (float(one) for one in entropy_complexity(np.full(count, 1 / count), states))
        bound = complexity_bounds(length, entropy=[min(height, 1.0)])
        assert complexity == pytest.approx(float(bound.upper[0]), abs=1e-9)


def test_bounds_meet_at_both_ends_and_nowhere_else():
    bounds = complexity_bounds(7, points=200)
    assert bounds.sizes["entropy"] == 200
    apart = (bounds.upper - bounds.lower).values
    assert apart[[0, -1]] == pytest.approx([0, 0], abs=1e-9)
    assert (apart[1:-1] > 0).all()
    two = complexity_bounds(2, points=50)
    assert two.upper.values == pytest.approx(two.lower.values, abs=1e-9)


def test_limits_of_periodic_functions():
    limits = periodic_limits(5)
    assert limits.patterns.values.tolist() == [2, 14]
    assert limits.entropy.values == pytest.approx([math.log(2) / math.log(120), math.log(14) / math.log(120)])
    upper = complexity_bounds(5, entropy=limits.entropy.values).upper
    assert limits.complexity.values == pytest.approx(upper.values, abs=1e-9)
    assert periodic_limits(3).entropy.values[1] == pytest.approx(1)


@pytest.mark.parametrize("length", [5, 6, 7])
def test_sines_are_periodic_and_noises_are_not(length):
    for period in (2.7, 3.3, 8.1, 20.7, 100.3, 1000.3):
        found = ordinal(np.sin(2 * np.pi * np.arange(20_000) / period), length=length, resamples=0)
        assert math.factorial(length) - int(found.forbidden) <= 4 * length - 6
        assert region(float(found.entropy), float(found.complexity), length) == "periodic"


def test_the_curve_of_noises_goes_from_white_to_straight():
    curve = noise_curve(5)
    assert [float(curve.entropy[0]), float(curve.complexity[0])] == pytest.approx([1, 0], abs=3e-4)
    assert (curve.entropy.diff("exponent") < 0).all()
    assert periodic_limits(5).entropy.values[0] < float(curve.entropy[-1]) < 0.25


def test_noise_by_integrals_done_by_hand():
    """k = 2, where the variogram is known by parts. P(123) = arcsin(sqrt(v(2) / v(1)) / 2) / pi (Bandt & Shiha 2007)."""

    def by_parts(d):
        a = math.pi * d
        return 2 * math.pi * d * (sici(a)[0] - (1 - math.cos(a)) / a)

    ratio = by_parts(2) / by_parts(1)
    assert variogram(2.0, 2) == pytest.approx(ratio, rel=1e-9)
    rising = math.asin(math.sqrt(ratio) / 2) / math.pi
    height, complexity = entropy_complexity(np.array([rising] * 2 + [(1 - 2 * rising) / 4] * 4), 6)
    curve = noise_curve(3)
    at = np.interp(2.0, curve.exponent, curve.entropy), np.interp(2.0, curve.exponent, curve.complexity)
    assert at == pytest.approx((float(height), float(complexity)), abs=4e-3)
    # white noise forgets at once: the integral of 1 - cos(2 pi f d) is the same at every whole distance
    assert variogram(0.0, 3) == pytest.approx(1)


@pytest.mark.parametrize("length", [5, 6, 7])
def test_regions_of_points_that_must_lie_in_them(length):
    (left, right), (low, high) = (periodic_limits(length)[key].values for key in ("entropy", "complexity"))
    states = math.factorial(length)
    assert region(0.0, 0.0, length) == "regular"
    assert region(left, low, length) == region(right, high, length) == "periodic"
    assert region(1.0, 0.0, length) == region(1 + 1e-15, 0.0, length) == "stochastic"
    curve = noise_curve(length)
    beyond = curve.entropy.values > left + 0.02
    assert set(region(curve.entropy.values[beyond], curve.complexity.values[beyond], length)) == {"stochastic"}
    half = [float(one) for one in entropy_complexity(np.full(states // 2, 2 / states), states)]
    assert region(*half, length) == "complex"
    middle = (left + right) / 2
    assert region(middle, (low + high) / 2, length) == "periodic"
    assert region(middle, (low + high) / 2 - 0.002, length) == "complex"


def test_regions_keep_shapes_and_labels():
    points = xr.Dataset({"h": (("lag", "member"), [[0.1, 0.4], [1.0, np.nan]]), "c": (("lag", "member"), [[0.09, 0.33], [0, 0.1]])})
    found = region(points.h, points.c)
    assert found.dims == ("lag", "member")
    assert found.values.tolist() == [["regular", "periodic"], ["stochastic", ""]]
    assert region(np.array([0.1, 1.0]), np.array([0.09, 0.0])).tolist() == ["regular", "stochastic"]


def test_a_refusal_says_why():
    with pytest.raises(ValueError, match=r"entropy 0\.5 and complexity 0\.9: the complexity is between"):
        region(0.5, 0.9)
    with pytest.raises(ValueError, match="with patterns of 4 values sines and very red noises share a place"):
        region(0.5, 0.3, 4)
    with pytest.raises(ValueError, match="patterns of 2 to 7 values are told apart; length=9"):
        complexity_bounds(9)
    with pytest.raises(ValueError, match="entropy is normalised, from 0 to 1"):
        complexity_bounds(5, entropy=[1.2])
    with pytest.raises(ValueError, match="points must be a whole number"):
        complexity_bounds(5, points=0)
