"""Covariant Lyapunov vectors: at each state the directions that the linearised motion carries into one another, one an exponent.

Ginelli, Poggi, Turchi, Chate, Livi & Politi, Phys. Rev. Lett. 99, 130601 (2007): frames and triangular factors of a forward
run, then coefficients backward through the factors.
"""

import math
import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr

from ..integrate import TOLERANCE
from ..integrate.tangent import Bundle, bundle
from ..sweep import Bar
from ..systems import System, as_system
from ..trajectories.grid import positive, whole
from ..trajectories.schema import described, package_version, seed_text
from .lyapunov import checked_count, factor_interval, mean_covariance
from .orbit import divided_orbit, time_unit

#: Length by default, in periods of so many samples, or in iterations.
PERIODS, SAMPLES, ITERATIONS = 100, 32, 1000
#: Run before the first sample and after the last, in periods or iterations.
TRANSIENT, MAP_TRANSIENT = 100, 1000
#: Angle between vectors of two random starts from which on they are warned of, in radians.
UNSETTLED = 1e-3
#: Of autonomous flows, the vector whose angle to the field is below this, in radians, belongs to the exponent zero.
ALONG_FIELD = 1e-3
#: A difference that falls behind the first by so many e-folds in a step has died out: what is left of it is rounding.
DEAD = 34.0
#: An exponent within this many errors of zero counts as zero.
ERRORS = 3.0


class Unsettled(UserWarning):
    """Directions that still depend on the random ones they were started from."""


def covariant_vectors(
    system: System | str,
    *,
    time: float | None = None,
    samples: int | None = None,
    count: int | None = None,
    transient: float | None = None,
    rng: int | np.random.Generator = 0,
    tolerance: float = TOLERANCE,
    progress: bool = True,
) -> xr.Dataset:
    """The first `count` covariant Lyapunov vectors along an orbit of a flow or map, with their growth and the angles between them.

    A difference along vector i grows at the i-th exponent, forward and backward in time, and goes on along vector i; unlike a
    frame's, these directions know nothing of a scalar product. A flow's vector of the exponent zero is parallel to the field.

    Parameters
    ----------
    time : length of the orbit that is kept, in the system's unit; by default 100 dominant periods, or 1,000 iterations
    samples : a period (32); of a map every iterate is one
    count : all by default, at most 40
    transient : run before the first sample and again after the last, for frames and vectors to turn to where they belong, in the
        system's unit; by default 100 periods, or 1,000 iterations

    Gives, where `index` counts vectors from 1: `state` (time, component); `vector` (time, component, index) of unit length in the
    state's own units, each the one before it carried along; `growth` (time, index), the mean rate at which a difference along it
    grows until the next sample, per time unit or iteration, natural logarithm; `exponent` (index), its mean, and `error`;
    `angle` (time), the smallest in radians between the subspaces of the vectors that expand and of those that contract (its
    attribute `between` names them; the field, and exponents within three errors of zero, are in neither; NaN where one is empty);
    `unsettled` (index), the largest angle in radians between these vectors and those found from other random starts.

    Raises ValueError for delay systems, for a motion that escapes, and where a difference dies out within a step; warns
    (Unsettled) of vectors that are not told apart, as those of equal exponents are not.

    >>> found = covariant_vectors("Henon", time=200, progress=False)
    >>> [round(float(value), 8) for value in (found.vector[0] ** 2).sum("component")]
    [1.0, 1.0]
    """
    system = as_system(system, "covariant_vectors")
    _check(system)
    count, unit = checked_count(system, count), time_unit(system)
    spacing, kept, before = _lengths(system, unit, time, samples, transient)
    rng, seed = np.random.default_rng(rng), seed_text(rng)
    starts, scale = divided_orbit(system, 1, unit, None)
    group = bundle(system, starts, min(count + 1, system.dimension), scale=scale, rng=rng, tolerance=tolerance)
    interval = factor_interval(group, unit)
    run = _forward(group, interval, spacing, kept, before, count, rng, progress)
    vectors, growth, unsettled = _vectors(run, scale, spacing, rng)
    made = {"interval": interval, "tolerance": tolerance, "transient": before, "rng": seed}
    return _dataset(system, run, (vectors, growth, unsettled), spacing, unit, made)


def _check(system) -> None:
    if system.kind == "delay":
        raise ValueError(
            f"{system.label} is a delay system, whose differences are functions over its longest lag; covariant vectors are those "
            "of flows and maps. lyapunov_spectrum() gives its exponents"
        )


def _lengths(system: System, unit: float, time, samples, transient) -> tuple[float, int, float]:
    """The spacing of samples, how many there are, and the time before and after them."""
    a_map = system.kind == "map"
    if a_map and samples not in (None, 1):
        raise ValueError(f"{system.label} is a map: every iterate is a sample; samples={samples!r} given")
    spacing = 1.0 if a_map else unit / whole(SAMPLES if samples is None else samples, "samples, a period,")
    time = positive((ITERATIONS if a_map else PERIODS * unit) if time is None else time, "time")
    before = MAP_TRANSIENT if a_map else TRANSIENT * unit
    before = before if transient is None else positive(transient, "transient", zero=True)
    return spacing, max(1, round(time / spacing)), before


class _Run(NamedTuple):
    """A forward run: at each sample, and one after the last, the time, state and frame (component, difference), and another frame
    in terms of it; at each step factors of both (2, difference, difference); which steps begin at a sample."""

    times: np.ndarray
    states: np.ndarray
    frames: np.ndarray
    others: np.ndarray
    factors: np.ndarray
    begins: np.ndarray


def _forward(group: Bundle, interval, spacing, kept, before, count, rng, progress) -> _Run:
    settle, parts = math.ceil(before / interval - 1e-9), math.ceil(spacing / interval - 1e-9)
    durations = [interval] * settle + [spacing / parts] * (kept * parts) + [interval] * settle
    begins = settle + parts * np.arange(kept + 1)
    sampled, seen, factors = set(begins.tolist()), [], []
    other = np.linalg.qr(rng.standard_normal((group.frames.shape[2],) * 2))[0]
    bar = Bar(len(durations) + 1, f"vectors of {group.system.label}", shown=progress)
    for step in bar.over(range(len(durations) + 1)):
        if step in sampled:
            seen.append((group.t, group.states[0].copy(), group.frames[0], other))
        if step < len(durations):
            _growing(group, group.advance(durations[step])[0, :count])
            upper = group.factors[0]
            other, second = np.linalg.qr(upper @ other)
            if step >= settle:
                factors.append((upper[:count, :count], second[:count, :count]))
    return _Run(*map(np.array, zip(*seen, strict=True)), np.array(factors), begins - settle)


def _growing(group: Bundle, growth: np.ndarray) -> None:
    if np.isnan(growth).any():
        raise ValueError(f"{group.system.label} escapes or cannot be followed at t = {group.t:.6g}, so it has no covariant vectors")
    dead = ~(growth > growth.max() - DEAD)
    if dead.any():
        alive = int(dead.argmax())
        raise ValueError(
            f"differences of {group.system.label} die out altogether at t = {group.t:.6g}, so not every exponent has a covariant "
            + (f"vector; take count={alive} or fewer" if alive else "vector")
        )


def _vectors(run: _Run, scale: np.ndarray, spacing: float, rng) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unit vectors (sample, component, index), their rates of growth (sample, index) and how unsettled they are (index,)."""
    steps, _, count, _ = run.factors.shape
    coefficients = np.eye(count) + np.triu(rng.standard_normal((2, count, count)), 1)
    found, grown = [None] * len(run.begins), np.zeros((steps + 1, count))
    places = {int(step): k for k, step in enumerate(run.begins)}
    for step in range(steps, -1, -1):
        if step < steps:
            coefficients = np.linalg.solve(run.factors[step], coefficients)
        length = np.linalg.norm(coefficients, axis=1, keepdims=True)
        coefficients = coefficients / length
        grown[step] = -np.log(length[0, 0])
        if step in places:
            found[places[step]] = coefficients
    first, second = np.moveaxis(np.array(found), 1, 0)
    vectors, lengths = _units(run.frames[..., :count] @ first, scale)
    others, _ = _units(run.frames @ run.others[..., :count] @ second, scale)
    unsettled = _sines(vectors, others)[:-1].max(axis=0)
    per_sample = np.add.reduceat(grown[: run.begins[-1]], run.begins[:-1], axis=0)
    growth = (per_sample + np.diff(np.log(lengths), axis=0)) / spacing
    return vectors[:-1], growth, np.arcsin(np.minimum(unsettled, 1.0))


def _units(vectors: np.ndarray, scale: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vectors (..., component, index) in units of `scale` as unit vectors in the state's own, and their lengths there."""
    vectors = vectors * scale[:, None]
    lengths = np.linalg.norm(vectors, axis=-2)
    return vectors / lengths[..., None, :], lengths


def _sines(unit: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Sines (..., index) of the angles between unit vectors (..., component, index), precise where these are small."""
    along = (unit * other).sum(axis=-2, keepdims=True)
    return np.linalg.norm(other - along * unit, axis=-2)


def _dataset(system: System, run: _Run, found, spacing: float, unit: float, made: dict) -> xr.Dataset:
    vectors, growth, unsettled = found
    index, states = np.arange(1, growth.shape[1] + 1), run.states[:-1]
    exponent, per = growth.mean(axis=0), "1/time" if system.kind != "map" else "1/iteration"
    error = np.sqrt(np.diag(mean_covariance(growth[:, None])))
    time = np.arange(len(growth)) * spacing
    ds = xr.Dataset(
        {
            "state": (("time", "component"), states),
            "vector": (("time", "component", "index"), vectors),
            "growth": (("time", "index"), growth, {"units": per}),
            "exponent": ("index", exponent, {"units": per}),
            "error": ("index", error),
            "unsettled": ("index", unsettled, {"units": "rad"}),
        },
        coords={
            "time": ("time", time, {"long_name": "time", "units": "the system's time unit"}),
            "period": ("time", time / unit, {"long_name": "time", "units": "periods"}),
            "component": np.array(system.components, dtype=object),
            "index": index,
        },
        attrs=described(system)
        | {"method": "Ginelli et al. (2007), linearised equations, QR factors"}
        | {"version": package_version(), **made},
    )
    zero = np.abs(exponent) <= ERRORS * error
    if system.kind == "flow":
        zero |= _along_field(vectors, system.rhs(states, run.times[:-1]))
    expanding, contracting = index[(exponent > 0) & ~zero].tolist(), index[(exponent < 0) & ~zero].tolist()
    ds["angle"] = smallest_angle(ds, expanding, contracting)
    _warn(system, index[unsettled > UNSETTLED], float(unsettled.max()))
    return ds


def _along_field(vectors: np.ndarray, field: np.ndarray) -> np.ndarray:
    """Which vector (index,) is parallel to the field (sample, component), if any."""
    with np.errstate(invalid="ignore"):
        sines = np.median(_sines((field / np.linalg.norm(field, axis=-1, keepdims=True))[..., None], vectors), axis=0)
    return (sines < ALONG_FIELD) & (sines == sines.min())


def _warn(system: System, which: np.ndarray, angle: float) -> None:
    if len(which):
        warnings.warn(
            f"covariant vectors {', '.join(map(str, which))} of {system.label} depend on the random directions they were started "
            f"from by up to {angle:.2g} rad: some exponents agree, or transient= is too short",
            Unsettled,
            stacklevel=4,
        )


def smallest_angle(vectors: xr.Dataset, first: int | Sequence[int], second: int | Sequence[int]) -> xr.DataArray:
    """The smallest angle (time,) in radians between two subspaces, spanned by covariant vectors `first` and `second` (indices).

    Angles are those in the state's own units. NaN where a subspace is empty. Raises ValueError for an index that is not there,
    or is in both.

    >>> found = covariant_vectors("Henon", time=200, progress=False)
    >>> bool((smallest_angle(found, 1, 2) == found.angle).all())
    True
    """
    pair = [[int(k) for k in np.atleast_1d(indices)] for indices in (first, second)]
    known = vectors["index"].values.tolist()
    for k in (*pair[0], *pair[1]):
        if k not in known:
            raise ValueError(f"there is no covariant vector {k}; indices are {known[0]} to {known[-1]}")
    if set(pair[0]) & set(pair[1]):
        raise ValueError(f"a vector has no angle to itself: {sorted(set(pair[0]) & set(pair[1]))} are in both subspaces")
    attrs = {"units": "rad", "between": " and ".join(", ".join(map(str, indices)) or "none" for indices in pair)}
    labelled = {"dims": "time", "coords": {"time": vectors["time"]}, "name": "angle", "attrs": attrs}
    if not (pair[0] and pair[1]):
        return xr.DataArray(np.full(vectors.sizes["time"], np.nan), **labelled)
    large, small = sorted((vectors["vector"].sel(index=indices).values for indices in pair), key=lambda part: -part.shape[-1])
    large, small = np.linalg.qr(large)[0], np.linalg.qr(small)[0]
    common = large.swapaxes(-1, -2) @ small
    cosine = np.linalg.svd(common, compute_uv=False)[..., 0]
    sine = np.linalg.svd(small - large @ common, compute_uv=False)[..., -1]
    return xr.DataArray(np.arctan2(sine, cosine), **labelled)
