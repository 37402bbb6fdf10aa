"""Fixed points of flows and maps, with eigenvalues and an error: where a motion stays, and what it does nearby."""

import math
from typing import NamedTuple

import numpy as np
import xarray as xr

from ..integrate import iterate, solve
from ..systems import System, load, suggest
from ..systems.tree import walk
from ..trajectories.grid import whole
from ..trajectories.schema import described, package_version
from .lyapunov import seed_text, time_unit

#: Starts where none are asked for, and from the dimension LARGE on.
STARTS, FEWER, LARGE = 2048, 256, 10
#: Slow states of the orbit, and states of equal components, that are starts besides.
LIKELY = 16
#: Periods (of a map iterations) of the orbit that sets the box, and samples of it; the box reaches beyond by so many of its widths.
PERIODS, ITERATIONS, SAMPLES, BEYOND = 100, 4000, 4000, 2.0
#: Steps of the search, and Newton's own after it.
STEPS, LAST = 120, 60
#: Newton's own steps begin where the equations, in their typical size in the box, are this small; the search ends at the second.
CLOSE, CLOSEST = 1e-7, 1e-15
#: A residual is zero that is so many roundings of its terms, or this small in its equation's typical size.
ROUNDINGS, NOTHING = 1e4, 1e-13
#: Points this near, in widths of the box, are one; those of a singular Jacobian, which are less sharp, at the second distance.
SAME, BLURRED = 1e-8, 1e-3
#: Components below this, in widths, are rounding of zero where zero solves the equations as well.
TINY = 1e-12
#: Points whose error is larger than this, in widths, are not sharp.
SHARP = 1e-9
#: Singular values of the Jacobian, in units of the box, below this part of the largest count as zero.
SINGULAR = 1e-7
#: Growth rates (logarithms of factors) and frequencies below this part of the largest eigenvalue count as zero; where the
#: Jacobian is singular the point is known to half of the digits, and so are they.
ZERO, BLURRED_ZERO = 1e-9, 1e-5
#: Of a chain of points over this part of the box so many are given; solutions are looked for so far beside a singular one.
MANY, SPREAD = 8, 1e-2


def fixed_points(
    system: System | str, box=None, *, starts: int | None = None, rng: int | np.random.Generator = 0, **parameters
) -> xr.Dataset:
    """The fixed points, f(x) = 0 of a flow and f(x) = x of a map, with the `eigenvalue`s of the linearised equations.

    From quasi-random points of the box and of the attractor's own extent, slow states of the orbit, and states of equal components,
    damped Newton steps (Levenberg-Marquardt, with a
    damping that vanishes at a solution; Yamashita & Fukushima, Computing Suppl. 15, 239 (2001)) lead to solutions. The search may
    miss one into which few starts lead: `starts` counts them for each point, and a point with a single one says that there may be
    more. Points on a surface where the field jumps, held there from both sides, are not looked for.

    Parameters
    ----------
    box : {component: (low, high)} for some or all, in which points are wanted. Starts lie there; where it is not given, in the
        extent of the orbit from the system's state and twice its width beyond on both sides, and all that they lead to is given
    starts : how many (2,048; from ten dimensions on 256)
    parameters : values other than the system's, as in `with_`

    Gives `point` (point, component), `error` (point, component), which bounds the distance to the exact point to first order:
    |J^-1| times residual and rounding, doubled (NaN where J is singular), `residual`, `eigenvalue` (point, index), by growth,
    `stable`: whether all of them decay, `kind`: node, focus, saddle, saddle-focus, centre, or non-hyperbolic where one neither
    grows nor decays, `unstable`: how many grow, and `isolated`. Empty, with a `reason` in the attributes, where there is none.
    Raises ValueError for delay systems and for equations that depend on time itself.

    >>> found = fixed_points("Lorenz")
    >>> found.kind.values.tolist()
    ['saddle-focus', 'saddle', 'saddle-focus']
    """
    system = load(system) if isinstance(system, str) else system
    _check(system)
    system = system.with_(**parameters) if parameters else system
    drifting = _drifting(system)
    orbit = _orbit(system)
    inner, outer = _boxes(system, box, orbit)
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
    if drifting:
        return _labelled(system, _Found.none(system.dimension), attrs)
    problem = _Problem.of(system, outer)
    points = problem.search(np.vstack([_likely(system, orbit, outer), _starts(inner, outer, count, generator)]))
    attrs["arrived"] = len(points)
    found = _grouped(problem, points)
    asked = [k for k, word in enumerate(system.components) if word in (box or {})]
    slack = SAME * problem.widths
    within = ((found.points >= outer[0] - slack) & (found.points <= outer[1] + slack))[:, asked].all(axis=1)
    attrs["outside"] = int((~within).sum())
    found = found.at(within)
    if not len(found.points):
        attrs["reason"] = f"no start of {attrs['tried']} led to a fixed point" + " in the box" * bool(box)
    elif not found.isolated.all():
        attrs["reason"] = (
            "fixed points are not isolated: starts led to a continuum, where the Jacobian is singular; "
            f"{(~found.isolated).sum()} of its points are given"
        )
    return _labelled(system, found, attrs)


def _check(system) -> None:
    if not isinstance(system, System):
        raise TypeError(f"fixed_points() takes a System or a name such as 'Lorenz'; {type(system).__name__} given")
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


def _orbit(system: System) -> np.ndarray:
    """States (time, component) of the orbit from the system's state; of one that escapes, its beginning."""
    if system.kind == "map":
        orbit = iterate(system, system.initial[None], ITERATIONS).states[0]
    else:
        times = PERIODS * time_unit(system) / SAMPLES * np.arange(SAMPLES)
        orbit = solve(system, system.initial[None], times, tolerance=1e-9).states[0]
    orbit = np.vstack([system.initial, orbit[np.isfinite(orbit).all(axis=1)]])
    return orbit[np.abs(orbit).max(axis=1) < 1e4 * max(1.0, np.abs(system.initial).max())]


def _boxes(system: System, box, orbit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
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


class _Found(NamedTuple):
    """Fixed points (point, component), how many starts led to each, and whether each is isolated."""

    points: np.ndarray
    starts: np.ndarray
    isolated: np.ndarray
    problem: "_Problem | None" = None

    @classmethod
    def none(cls, dimension: int) -> "_Found":
        return cls(np.empty((0, dimension)), np.empty(0, int), np.empty(0, bool))

    def at(self, places) -> "_Found":
        return self._replace(points=self.points[places], starts=self.starts[places], isolated=self.isolated[places])


class _Problem(NamedTuple):
    """F(x) = 0 in units of the box's widths and of F's typical sizes there."""

    system: System
    widths: np.ndarray
    sizes: np.ndarray

    @classmethod
    def of(cls, system: System, box: np.ndarray) -> "_Problem":
        problem = cls(system, box[1] - box[0], np.ones(system.dimension))
        points = box[0] + np.random.default_rng(0).random((256, system.dimension)) * problem.widths
        values = problem.values(points)
        finite = np.isfinite(values).all(axis=1)
        sizes = np.sqrt(np.mean(values[finite] ** 2, axis=0)) if finite.any() else problem.sizes
        return problem._replace(sizes=np.where(sizes > 0, sizes, 1.0))

    def values(self, points: np.ndarray) -> np.ndarray:
        return (self.system.rhs(points) - (points if self.system.kind == "map" else 0.0)) / self.sizes

    def slopes(self, points: np.ndarray) -> np.ndarray:
        """The Jacobian (point, equation, component) in these units."""
        return self.raw_slopes(points) * self.widths / self.sizes[:, None]

    def raw_slopes(self, points: np.ndarray) -> np.ndarray:
        return self.system.jacobian(points) - (np.eye(self.system.dimension) if self.system.kind == "map" else 0.0)

    def search(self, points: np.ndarray) -> np.ndarray:
        """Where the starts (start, component) lead, those that lead to a solution."""
        values = self.values(points)
        points, values = (column[np.isfinite(values).all(axis=1)] for column in (points, values))
        error, damping, unit = (values**2).sum(axis=1), np.ones(len(points)), np.eye(points.shape[1])
        for _ in range(STEPS):
            slopes = self.slopes(points)
            slopes[~np.isfinite(slopes).all(axis=(1, 2))] = 0.0
            turned = np.swapaxes(slopes, 1, 2)
            square = turned @ slopes
            least = 1e-14 * np.trace(square, axis1=1, axis2=2) + 1e-300  # for singular ones
            force = (damping * error + least)[:, None, None] * unit
            step = np.linalg.solve(square + force, -(turned @ values[..., None]))[..., 0]
            ahead = points + step * self.widths
            with np.errstate(all="ignore"):
                there = self.values(ahead)
                less = (there**2).sum(axis=1)
                better = less < error
            points, values = np.where(better[:, None], ahead, points), np.where(better[:, None], there, values)
            error, damping = np.where(better, less, error), np.clip(np.where(better, damping / 4, damping * 4), 1e-6, 1e12)
            if ((error < CLOSEST**2) | (damping >= 1e12)).all():
                break
        points = self.polished(points[error < CLOSE**2])
        rounding = ROUNDINGS * np.finfo(float).eps * self.rounding(points) + 1e-290
        return points[(np.abs(self.values(points) * self.sizes) <= np.maximum(rounding, NOTHING * self.sizes)).all(axis=1)]

    def polished(self, points: np.ndarray) -> np.ndarray:
        """Newton's steps as long as they lead nearer; by least squares, where the Jacobian may be singular."""
        for _ in range(LAST):
            values = self.values(points)
            ahead = points - (np.linalg.pinv(self.slopes(points), rcond=1e-12) @ values[..., None])[..., 0] * self.widths
            with np.errstate(all="ignore"):
                nearer = (self.values(ahead) ** 2).sum(axis=1) < (values**2).sum(axis=1)
            if not nearer.any():
                break
            points = np.where(nearer[:, None], ahead, points)
        clean = np.where(np.abs(points) < TINY * self.widths, 0.0, points)
        exact = (self.values(clean) ** 2).sum(axis=1) <= (self.values(points) ** 2).sum(axis=1)
        return np.where(exact[:, None], clean, points)

    def rounding(self, points: np.ndarray) -> np.ndarray:
        """The size of the terms in each equation (point, equation), as the state makes it."""
        sizes = np.abs(points) + 1e-3 * self.widths * (np.abs(points) > 0)
        return (np.abs(self.raw_slopes(points)) @ sizes[..., None])[..., 0]

    def errors(self, points: np.ndarray) -> np.ndarray:
        """Bounds (point, component) of the distance to the exact points, to first order; NaN where the Jacobian is singular."""
        made, slopes = np.full(points.shape, np.nan), self.raw_slopes(points)
        residual = np.abs(self.values(points) * self.sizes)
        off = residual + 4 * np.finfo(float).eps * (np.abs(slopes) @ np.abs(points)[..., None])[..., 0]
        sound = ~self.singular(points)
        made[sound] = 2 * (np.abs(np.linalg.inv(slopes[sound])) @ off[sound][..., None])[..., 0]
        return made

    def continued(self, points: np.ndarray) -> np.ndarray:
        """Whether there are solutions next to each of these points too, where its Jacobian is flattest."""
        flattest = np.linalg.svd(self.slopes(points))[2][:, -1]
        beside = self.polished(points + SPREAD * flattest * self.widths)
        solved = (np.abs(self.values(beside)) <= NOTHING).all(axis=1)
        return solved & (np.abs(beside - points) > SPREAD / 2 / len(self.widths) ** 0.5 * self.widths).any(axis=1)

    def singular(self, points: np.ndarray) -> np.ndarray:
        values = np.linalg.svd(self.slopes(points), compute_uv=False)
        return values[:, -1] <= SINGULAR * np.maximum(values[:, 0], 1.0)


def _grouped(problem: _Problem, points: np.ndarray) -> _Found:
    """Points that are the same made one, in the order of their components; of a continuum, some."""
    if not len(points):
        return _Found.none(len(problem.widths))
    with np.errstate(invalid="ignore"):
        sharp = (problem.errors(points) <= SHARP * problem.widths).all(axis=1)
    made = []
    for mine, near in ((points[sharp], SAME), (points[~sharp], BLURRED)):
        for group in _clusters(mine / problem.widths, near) if len(mine) else []:
            size = np.ptp(mine[group], axis=0) / problem.widths
            parts = 1 if near == SAME or size.max() <= SPREAD else MANY  # a chain of points has no best one
            for part in np.array_split(group[np.argsort(mine[group, size.argmax()])], min(parts, len(group))):
                best = (problem.values(mine[part]) ** 2).sum(axis=1).argmin()
                made.append((mine[part][best], len(part), near == SAME))
    found, counts, isolated = (np.array(column) for column in zip(*made, strict=True))
    isolated[~isolated] = ~problem.continued(found[~isolated])
    order = np.lexsort(np.round(found / problem.widths / BLURRED).T[::-1])
    loose = np.flatnonzero(~isolated[order])
    some = loose[np.linspace(0, len(loose) - 1, min(len(loose), MANY)).astype(int)] if len(loose) else loose
    return _Found(found, counts, isolated, problem).at(order[np.sort(np.append(np.flatnonzero(isolated[order]), some))])


def _clusters(points: np.ndarray, near: float) -> list[np.ndarray]:
    """Places of points that are joined by steps of at most `near`."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    pairs = cKDTree(points).query_pairs(near, output_type="ndarray").reshape(-1, 2)
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(points), len(points)))
    number, labels = connected_components(graph, directed=False)
    return [np.flatnonzero(labels == k) for k in range(number)]


def _labelled(system: System, found: _Found, attrs: dict) -> xr.Dataset:
    points, problem = found.points, found.problem
    jacobian = system.jacobian(points)
    eigenvalues = np.linalg.eigvals(jacobian).astype(complex) if len(points) else np.empty(points.shape, complex)
    with np.errstate(divide="ignore"):
        growth = np.log(np.abs(eigenvalues)) if system.kind == "map" else eigenvalues.real
    order = np.lexsort((-eigenvalues.imag, -growth))
    eigenvalues, growth = np.take_along_axis(eigenvalues, order, 1), np.take_along_axis(growth, order, 1)
    kinds, unstable, stable = [], [], []
    error = problem.errors(points) if problem else points
    for row, rates, sharp in zip(eigenvalues, growth, np.isfinite(error).all(axis=1), strict=True):
        least = (ZERO if sharp else BLURRED_ZERO) * (1.0 if system.kind == "map" else np.abs(row).max())
        kinds.append(_kind(row, rates, least))
        unstable.append(int((rates > least).sum()))
        stable.append(bool((rates < -least).all()))
    residual = np.linalg.norm(problem.values(points) * problem.sizes, axis=1) if problem else np.empty(0)
    return xr.Dataset(
        {
            "point": (("point", "component"), points),
            "error": (("point", "component"), error),
            "residual": ("point", residual),
            "eigenvalue": (("point", "index"), eigenvalues),
            "stable": ("point", np.array(stable, bool)),
            "kind": ("point", np.array(kinds, dtype=object)),
            "unstable": ("point", np.array(unstable, int)),
            "isolated": ("point", found.isolated),
            "starts": ("point", found.starts),
        },
        coords={"component": np.array(system.components, dtype=object), "index": np.arange(1, system.dimension + 1)},
        attrs=attrs,
    )


def _kind(eigenvalues: np.ndarray, growth: np.ndarray, least: float) -> str:
    """What a fixed point is called by its eigenvalues, where rates of growth below `least` count as zero."""
    turning = np.abs(eigenvalues.imag) > ZERO * np.abs(eigenvalues).max()
    still = np.abs(growth) <= least
    if still.any():
        return "centre" if still.all() and turning.all() else "non-hyperbolic"
    if (growth > 0).any() and (growth < 0).any():
        return "saddle-focus" if turning.any() else "saddle"
    return "focus" if turning.any() else "node"
