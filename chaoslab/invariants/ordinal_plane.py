"""The plane of ordinal entropy and complexity: what can lie in it, and where kinds of motion do.

Rosso, Larrondo, Martin, Plastino & Fuentes, PRL 99, 154102 (2007); the bounds: Martin, Plastino & Rosso, Physica A 369, 439
(2006); periodic functions: Hyman, Daniel & Schaffner, ApJ 987, 195 (2025), PECCARY.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import xarray as xr

from ..trajectories.grid import whole
from ..trajectories.schema import package_version
from .ordinal_patterns import checked_length, codes

REGIONS = ("regular", "periodic", "complex", "stochastic")
#: What is nearer to noise than this part of the way from the curve of noises to the upper bound is called stochastic. Our choice:
#: noises scatter about 0; maps lie at 0.5 to 0.9, chaotic flows at their ideal lag at 0.4 to 0.9.
NOISY = 0.25
#: Sines lie on or above the chord between the limits, but for this much: with 6 or 7 values in a hundredth of a period, 0.0007.
CLOSE = 1e-3
#: Halvings that leave a probability exact to rounding.
HALVINGS = 60
#: Spectra f^-k of the curve of noises: 3 - k halves at every fourth, from white noise on.
EXPONENTS = 3 - 3 * 2.0 ** -np.arange(0, 12, 0.25)
#: Independent windows of each noise.
SAMPLES = 2**16


def entropy_complexity(probability: np.ndarray, states: int) -> tuple[np.ndarray, np.ndarray]:
    """Normalised Shannon entropy H and Jensen-Shannon complexity C of distributions (..., pattern) over so many states.

    H = S(P) / ln N and C = Q H, where Q is the Jensen-Shannon divergence of P from the uniform distribution over its largest
    value, that of a single state. States that are left out of `probability` have none.
    """
    from scipy.special import entr

    unseen = (states - probability.shape[-1]) * entr(0.5 / states)
    return _plane(entr(probability).sum(-1), entr((probability + 1 / states) / 2).sum(-1) + unseen, states)


def _plane(entropy, mixed, states: int):
    """H and C from the Shannon entropies of P and of the mean of P and the uniform distribution."""
    largest = -((states + 1) / states * math.log(states + 1) - 2 * math.log(2 * states) + math.log(states)) / 2
    height = entropy / math.log(states)
    return height, (mixed - entropy / 2 - math.log(states) / 2) / largest * height


def _one_apart(first, others, states: int):
    """H and C where one state has probability `first`, `others` share the rest, and the remaining states have none."""
    from scipy.special import entr

    each = (1 - first) / others
    entropy = entr(first) + others * entr(each)
    mixed = entr((first + 1 / states) / 2) + others * entr((each + 1 / states) / 2) + (states - 1 - others) * entr(0.5 / states)
    return _plane(entropy, mixed, states)


def complexity_bounds(length: int, *, points: int = 500, entropy: np.ndarray | None = None) -> xr.Dataset:
    """The least and the largest complexity of patterns of `length` values, `lower` and `upper`, along `entropy`.

    Least: one state has its own probability and all others the same. Largest: one has its own, at most that of the others,
    k others share the rest, and the remaining states have none, with k as the entropy demands. Each is solved for at the
    entropies asked for, so they are exact to rounding.

    Parameters
    ----------
    points, entropy : evenly spaced entropies from 0 to 1, or those wanted

    >>> complexity_bounds(5, entropy=[0.5]).upper.round(3).item()
    0.401
    """
    states = math.factorial(checked_length(length))
    wanted = np.linspace(0, 1, whole(points, "points")) if entropy is None else np.atleast_1d(np.asarray(entropy, dtype=float))
    if wanted.ndim != 1 or not ((wanted >= 0) & (wanted <= 1)).all():
        raise ValueError(f"entropy is normalised, from 0 to 1; {entropy!r} given")
    # rounding must not lift the entropy of k equal states to that of more
    kept = np.clip(np.floor(np.exp(wanted * math.log(states)) * (1 + 1e-12)), 1, states - 1)
    upper = _solved(wanted, np.zeros(len(wanted)), 1 / (kept + 1), kept, states)
    lower = _solved(wanted, np.ones(len(wanted)), np.full(len(wanted), 1 / states), np.full(len(wanted), states - 1.0), states)
    return xr.Dataset(
        {"lower": ("entropy", lower), "upper": ("entropy", upper)},
        coords={"entropy": wanted},
        attrs={"length": length, "method": "families of Martin, Plastino & Rosso (2006)", "version": package_version()},
    )


def _solved(wanted, small, large, others, states: int) -> np.ndarray:
    """The complexity at the wanted entropies, which grow as the first state's probability goes from `small` to `large`."""
    for _ in range(HALVINGS):
        middle = (small + large) / 2
        below = _one_apart(middle, others, states)[0] < wanted
        small, large = np.where(below, middle, small), np.where(below, large, middle)
    return _one_apart((small + large) / 2, others, states)[1]


def periodic_limits(length: int = 5) -> xr.Dataset:
    """The corners of the part of the plane where periodic functions lie: `patterns`, `entropy` and `complexity` along `limit`.

    A rise and a fall are 2 patterns. A sine has at most 4 * length - 6, at any lag: values i and j change order at two phases,
    which depend on i + j alone. Both limits have all their patterns equally often. They are those of PECCARY.
    """
    states = math.factorial(checked_length(length))
    counts = np.array([2, 4 * length - 6])
    found = [entropy_complexity(np.full(count, 1 / count), states) for count in counts]
    return xr.Dataset(
        {
            "patterns": ("limit", counts),
            "entropy": ("limit", [float(one[0]) for one in found]),
            "complexity": ("limit", [float(one[1]) for one in found]),
        },
        coords={"limit": ["least", "most"]},
        attrs={"length": length, "version": package_version()},
    )


def noise_curve(length: int = 5) -> xr.Dataset:
    """Entropy and complexity of long Gaussian noises with spectra f^-k, up to half the sampling rate, along `exponent` k < 3.

    Increments of such a noise have covariances that follow from its variogram, the integral of f^-k (1 - cos(2 pi f d));
    patterns are counted in random samples of them, always the same, which leaves about 0.001 in H.
    """
    entropy, complexity = _noises(checked_length(length))
    return xr.Dataset(
        {"entropy": ("exponent", entropy), "complexity": ("exponent", complexity)},
        coords={"exponent": EXPONENTS},
        attrs={"length": length, "samples": SAMPLES, "version": package_version()},
    )


@lru_cache(maxsize=8)
def _noises(length: int) -> tuple[np.ndarray, np.ndarray]:
    steps = np.random.default_rng(0).standard_normal((SAMPLES, length - 1))
    later, states, found = np.arange(1, length), math.factorial(length), []
    for exponent in EXPONENTS:
        rises = np.array([0, *(variogram(exponent, distance) for distance in later)])
        covariance = rises[later, None] + rises[later] - rises[abs(later[:, None] - later)]
        values = np.hstack([np.zeros((SAMPLES, 1)), steps @ np.linalg.cholesky(covariance).T])
        # upside down and backwards such a noise is the same
        alike = [one.reshape(1, -1) for half in (values, values[:, ::-1]) for one in (half, -half)]
        # end to end is faster, though most windows then mean nothing
        counts = sum(np.bincount(codes(one, length, 1)[0, ::length], minlength=states) for one in alike)
        found.append(entropy_complexity(counts / (4 * SAMPLES), states))
    return tuple(np.array(found).T)


def variogram(exponent: float, distance: int) -> float:
    """The variogram of f^-exponent noise, in units of its value at distance 1, so that it stays finite as the exponent nears 3."""
    from scipy.integrate import quad

    def rise(apart):
        # the integrand without its power at 0, which quad takes as the weight
        return quad(
            lambda f: 2 * (math.pi * apart * np.sinc(f * apart)) ** 2, 0, 0.5, weight="alg", wvar=(2 - exponent, 0), limit=200
        )[0]

    return rise(distance) / rise(1)


class Borders(NamedTuple):
    """The lines between regions: two upright ones at an entropy, and two along the entropies asked for."""

    left: float
    right: float
    chord: np.ndarray
    noisy: np.ndarray


def borders(bounds: xr.Dataset) -> Borders:
    """Where `region` draws its lines, along `complexity_bounds`: the chord between the upright ones, the noisy one elsewhere."""
    length, entropy, upper = bounds.attrs["length"], bounds["entropy"].values, bounds["upper"].values
    (left, right), (low, high) = (periodic_limits(length)[key].values for key in ("entropy", "complexity"))
    height, noise = _noises(length)
    # noises end at the left limit, where only rises and falls are left
    noise = np.interp(entropy, [left, *height[::-1]], [low, *noise[::-1]])
    chord = low + (high - low) * (entropy - left) / (right - left)
    return Borders(left, right, chord - CLOSE, noise + NOISY * (upper - noise))


def region(entropy, complexity, length: int = 5):
    """What kind of motion lies at points of the plane: "regular", "periodic", "complex" or "stochastic", in the points' shape.

    Three lines are those that PECCARY draws: two upright ones at the entropies of `periodic_limits` and the chord between the
    limits, which lie on the upper bound. Left of them is "regular", less than a rise and a fall, a trend. "periodic" is
    between them and on or above the chord, to 0.001, where sines lie at every lag. Of the rest, what is nearer to the
    `noise_curve` than a quarter of the way to the upper bound is "stochastic"; that line is ours. All else is "complex".

    A chaotic flow that is sampled too finely lies among the periodic, too coarsely among the stochastic: `ideal_lag`.
    NaN gives "". Lengths are 5 to 7: with 4 values, noises as red as f^-2.95 lie above the chord too, and with 3 a sine can
    have all patterns. Raises ValueError for points outside the bounds.
    """
    if checked_length(length) < 5:
        raise ValueError(f"with patterns of {length} values sines and very red noises share a place; regions need at least 5")
    if isinstance(entropy, xr.DataArray) or isinstance(complexity, xr.DataArray):
        return xr.apply_ufunc(region, entropy, complexity, kwargs={"length": length})
    h, c = np.broadcast_arrays(np.asarray(entropy, dtype=float), np.asarray(complexity, dtype=float))
    shape, h, c = h.shape, h.ravel(), c.ravel()
    known = np.isfinite(h) & np.isfinite(c)
    h = np.where((h > 1) & (h < 1 + 1e-9), 1.0, h)  # rounding
    bounds = complexity_bounds(length, entropy=np.where(known, h, 0.5))
    lower, upper = bounds["lower"].values, bounds["upper"].values
    outside = known & ((c < lower - 1e-9) | (c > upper + 1e-9))
    if outside.any():
        k = int(outside.argmax())
        raise ValueError(
            f"no distribution over {math.factorial(length)} patterns has entropy {h[k]:.6g} and complexity {c[k]:.6g}: "
            f"the complexity is between {lower[k]:.6g} and {upper[k]:.6g} there"
        )
    left, right, chord, noisy = borders(bounds)
    # rounding may put equally frequent patterns a little below the lines
    tiny = 1e-12
    kinds = [~known, h < left - tiny, (h <= right + tiny) & (c >= chord), c < noisy]
    names = np.select(kinds, ["", "regular", "periodic", "stochastic"], "complex").reshape(shape)
    return str(names) if names.ndim == 0 else names
