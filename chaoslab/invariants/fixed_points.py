"""Fixed points of flows and maps, with eigenvalues and an error: where a motion stays, and what it does nearby."""

import math

import numpy as np
import xarray as xr

from ..integrate import iterate, solve
from ..integrate.roots import SAME, Solutions, solutions
from ..systems import System, as_system, suggest
from ..systems.tree import walk
from ..trajectories.grid import whole
from ..trajectories.schema import described, package_version, seed_text
from .orbit import time_unit

#: Starts where none are asked for, and from the dimension LARGE on.
STARTS, FEWER, LARGE = 2048, 256, 10
#: Slow states of the orbit, and states of equal components, that are starts besides.
LIKELY = 16
#: Periods (of a map iterations) of the orbit that sets the box, and samples of it; the box reaches beyond by so many of its widths.
PERIODS, ITERATIONS, SAMPLES, BEYOND = 100, 4000, 4000, 2.0
#: Growth rates (logarithms of factors) and frequencies below this part of the largest eigenvalue count as zero; where the
#: Jacobian is singular the point is known to half of the digits, and so are they.
ZERO, BLURRED_ZERO = 1e-9, 1e-5


def fixed_points(
    system: System | str, box=None, *, starts: int | None = None, rng: int | np.random.Generator = 0, **parameters
) -> xr.Dataset:
    """The fixed points, f(x) = 0 of a flow and f(x) = x of a map, with the `eigenvalue`s of the linearised equations.

    Damped Newton steps lead to solutions from quasi-random points of the box and of the attractor's own extent, slow states of the
    orbit, and states of equal components. The search may miss a point to which few starts lead: `starts` counts them for each,
    and a point with a single one says that there may be more. Points on a surface where the field jumps, held there from both
    sides, are not looked for.

    Parameters
    ----------
    box : {component: (low, high)} for some or all, in which points are wanted. Starts lie there; where it is not given, in the
        extent of the orbit from the system's state and twice its width beyond on both sides, and all that they lead to is given
    starts : how many (2,048; from ten dimensions on 256)
    parameters : values other than the system's, as in `with_`

    Gives `point` (point, component), `error` (point, component), how far away the exact point is at most, to first order:
    |J^-1| times residual and observed rounding, doubled (NaN where J is singular or changes within it), `residual`, `eigenvalue`
    (point, index), by growth, `stable`: whether all of them decay, `kind`: node, focus, saddle, saddle-focus, centre,
    non-hyperbolic where one neither grows nor decays, or no linearisation where a derivative has no value, `unstable`: how many
    grow, and `isolated`. Empty, with a `reason` in the attributes, where there is none. Raises ValueError for delay systems and
    for equations that depend on time itself.

    >>> found = fixed_points("Lorenz")
    >>> found.kind.values.tolist()
    ['saddle-focus', 'saddle', 'saddle-focus']
    """
    system = as_system(system, "fixed_points")
    _check(system)
    system = system.with_(**parameters) if parameters else system
    drifting = _drifting(system)
    orbit = usual_orbit(system)
    inner, outer = boxes(system, box, orbit)
    count = whole(starts, "starts") if starts is not None else STARTS if system.dimension < LARGE else FEWER
    generator = np.random.default_rng(rng)
    attrs = described(system) | {
        "method": "damped Newton steps from quasi-random points",
        "tried": 0 if drifting else count + 2 + 2 * LIKELY,
        "arrived": 0,
        "outside": 0,
        "box": [f"{word} in [{low:.6g}, {high:.6g}]" for word, low, high in zip(system.components, *outer, strict=True)],
        "rng": seed_text(rng),
        "reason": drifting,
        "version": package_version(),
    }
    widths = outer[1] - outer[0]
    points = np.vstack([_likely(system, orbit, outer), _starts(inner, outer, count, generator)])
    found = solutions(system, points[:0] if drifting else points, widths)
    attrs["arrived"] = int(found.starts.sum())
    asked = [k for k, word in enumerate(system.components) if word in (box or {})]
    slack = SAME * widths
    within = ((found.points >= outer[0] - slack) & (found.points <= outer[1] + slack))[:, asked].all(axis=1)
    attrs["outside"] = int((~within).sum())
    found = found.at(within)
    if not len(found.points) and not drifting:
        attrs["reason"] = f"no start of {attrs['tried']} led to a fixed point" + " in the box" * bool(box)
    elif not found.isolated.all():
        attrs["reason"] = (
            "fixed points are not isolated: starts led to a continuum, where the Jacobian is singular; "
            f"{(~found.isolated).sum()} of its points are given"
        )
    return _labelled(system, found, attrs)


def _check(system) -> None:
    if system.kind == "delay":
        raise ValueError(
            f"{system.label} is a delay system: a fixed point of it has infinitely many eigenvalues, which are not computed here"
        )
    if system.flat.timed:
        raise ValueError(
            f"the equations of {system.label} depend on time itself, so no state stays where it is; the fixed points of its "
            "stroboscopic section are its periodic orbits"
        )


def _drifting(system: System) -> str:
    """Why there can be no fixed point: a component that changes at a constant rate; the empty string where none does."""
    states = set(system.flat.variables)
    values = system.rhs(system.initial) - (system.initial if system.kind == "map" else 0.0)
    for k, tree in enumerate(system.flat.rhs):
        inputs = states.intersection(walk(tree))
        if system.kind == "flow" and not inputs and values[k] != 0:
            return f"{system.components[k]} grows at the constant rate {values[k]:.6g}, so there is no fixed point"
    return ""


def usual_orbit(system: System) -> np.ndarray:
    """States (time, component) of the orbit from the system's state; of one that escapes, its beginning."""
    if system.kind == "map":
        orbit = iterate(system, system.initial[None], ITERATIONS).states[0]
    else:
        times = PERIODS * time_unit(system) / SAMPLES * np.arange(SAMPLES)
        orbit = solve(system, system.initial[None], times, tolerance=1e-9).states[0]
    orbit = np.vstack([system.initial, orbit[np.isfinite(orbit).all(axis=1)]])
    return orbit[np.abs(orbit).max(axis=1) < 1e4 * max(1.0, np.abs(system.initial).max())]


def boxes(system: System, box, orbit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper ends (end, component) of where the orbit goes, and of the box."""
    low, high = orbit.min(axis=0), orbit.max(axis=0)
    size = np.maximum(high - low, 1e-3 * np.maximum(np.abs(low), np.abs(high)))
    width = np.where(size > 0, size, size.max() if size.any() else 1.0)
    middle = (low + high) / 2
    inner = np.stack([middle - width / 2, middle + width / 2])
    outer = np.stack([inner[0] - BEYOND * width, inner[1] + BEYOND * width])
    for word, ends in dict(box or {}).items():
        if word not in system.components:
            near = suggest(str(word), system.components)
            raise ValueError(f"{system.label} has no component {word!r}.{near} It has {', '.join(system.components)}")
        if np.shape(ends) != (2,) or not np.isfinite(ends).all() or not ends[0] < ends[1]:
            raise ValueError(f"the box of {word} is two numbers, the smaller first; {ends!r} given")
        k = system.components.index(word)
        outer[:, k] = ends
        inner[:, k] = np.clip(inner[:, k], *ends) if inner[0, k] < ends[1] and inner[1, k] > ends[0] else ends
    return inner, outer


def _likely(system: System, orbit: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Starts that are likely anyhow: where the orbit moves least, its mean, and states whose components are all equal."""
    speed = np.linalg.norm(system.rhs(orbit) - (orbit if system.kind == "map" else 0.0), axis=1)
    slow = orbit[np.argsort(np.where(np.isfinite(speed), speed, np.inf))[:LIKELY]]
    equal = np.linspace(box[0].min(), box[1].max(), LIKELY)[:, None] * np.ones(system.dimension)
    return np.vstack([np.zeros(system.dimension), orbit.mean(axis=0), slow, equal])


def _starts(inner, outer, count: int, generator) -> np.ndarray:
    """Quasi-random points (start, component): half within the orbit's extent, half in all of the box."""
    from scipy.stats import qmc

    unit = qmc.Sobol(inner.shape[1], rng=generator).random_base2(math.ceil(math.log2(max(count, 2))))[:count]
    ends = [outer if k % 2 else inner for k in range(count)]
    low, high = (np.array([end[side] for end in ends]) for side in (0, 1))
    return low + unit * (high - low)


def _labelled(system: System, found: Solutions, attrs: dict) -> xr.Dataset:
    points = found.points
    jacobian, eigenvalues = system.jacobian(points), np.full(points.shape, complex(np.nan, np.nan))
    smooth = np.isfinite(jacobian).all(axis=(1, 2))
    eigenvalues[smooth] = np.linalg.eigvals(jacobian[smooth])
    with np.errstate(divide="ignore", invalid="ignore"):
        growth = np.log(np.abs(eigenvalues)) if system.kind == "map" else eigenvalues.real
    order = np.lexsort((-eigenvalues.imag, -growth))
    eigenvalues, growth = np.take_along_axis(eigenvalues, order, 1), np.take_along_axis(growth, order, 1)
    least = _least(system, found, np.abs(eigenvalues).max(axis=1, initial=0.0))
    kinds = [_kind(*pair) for pair in zip(eigenvalues, np.where(np.abs(growth) <= least, 0.0, growth), strict=True)]
    return xr.Dataset(
        {
            "point": (("point", "component"), points),
            "error": (("point", "component"), found.errors),
            "residual": ("point", found.residuals),
            "eigenvalue": (("point", "index"), eigenvalues),
            "stable": ("point", (growth < -least).all(axis=1)),
            "kind": ("point", np.array(kinds, dtype=object)),
            "unstable": ("point", (growth > least).sum(axis=1)),
            "isolated": ("point", found.isolated),
            "starts": ("point", found.starts),
        },
        coords={"component": np.array(system.components, dtype=object), "index": np.arange(1, system.dimension + 1)},
        attrs=attrs,
    )


def _least(system: System, found: Solutions, size: np.ndarray) -> np.ndarray:
    """The rates of growth (point, 1) that cannot be told from zero, given how well the points are known."""
    known = np.isfinite(found.errors).all(axis=1)
    with np.errstate(invalid="ignore"):
        moved = system.jacobian(found.points + np.where(known[:, None], found.errors, 0.0)) - system.jacobian(found.points)
    unsure = 10 * np.abs(moved).sum(axis=(1, 2)) / (np.maximum(size, 1e-300) if system.kind == "map" else 1.0)
    return np.where(known, unsure + ZERO * (1.0 if system.kind == "map" else size), BLURRED_ZERO * np.maximum(size, 1.0))[:, None]


def _kind(eigenvalues: np.ndarray, growth: np.ndarray) -> str:
    """What a fixed point is called by its eigenvalues and rates of growth."""
    if np.isnan(growth).any():
        return "no linearisation"
    turning = np.abs(eigenvalues.imag) > ZERO * np.abs(eigenvalues).max()
    if not growth.all():
        return "centre" if not growth.any() and turning.all() else "non-hyperbolic"
    if (growth > 0).any() and (growth < 0).any():
        return "saddle-focus" if turning.any() else "saddle"
    return "focus" if turning.any() else "node"
