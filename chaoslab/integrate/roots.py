"""Where a flow rests and a map stays: many starts led to the solutions of F(x) = 0 at once, and these told apart.

F is the right-hand side, of a map less the state. Damped Newton steps, with a damping that vanishes at a solution: Yamashita &
Fukushima, Computing Suppl. 15, 239 (2001).
"""

from typing import NamedTuple

import numpy as np

from ..systems.system import System

#: Steps of the search, and Newton's own after it.
STEPS, LAST = 120, 60
#: Newton's own steps begin where the equations, in their typical size, are this small; the search ends at the second.
CLOSE, CLOSEST = 1e-7, 1e-15
#: Starts with larger values or an entry of the Jacobian beyond this are of no use.
LARGEST = 1e100
#: A residual is zero that is so many times what rounding leaves; where the Jacobian is singular, that is this small beside the
#: values at a distance of SPREAD.
ROUNDINGS, NOTHING = 100, 1e-13
#: Last digits by which the state is moved to see how F scatters, and how often.
SCATTER, DRAWS = 16, 24
#: Points this near, in widths, are one; those that are not sharp, at the second distance.
SAME, BLURRED = 1e-7, 1e-3
#: Points whose error is larger than this, in widths, are not sharp.
SHARP = 3e-8
#: Components below this, in widths, are rounding of zero where zero solves the equations as well.
TINY = 1e-12
#: Singular values of the Jacobian with equal rows below this part of the largest count as zero.
SINGULAR = 1e-11
#: A Jacobian that changes by less than this part of itself within the error makes Newton's steps contract (Kantorovich).
CONTRACTING = 0.5
#: Of a chain of points over this part of the box so many are given; solutions are looked for so far beside a singular one.
MANY, SPREAD = 8, 1e-2


class Solutions(NamedTuple):
    """Solutions (point, component), their errors at most (NaN where the Jacobian is singular), residuals, how many starts led to
    each, and whether each is isolated."""

    points: np.ndarray
    errors: np.ndarray
    residuals: np.ndarray
    starts: np.ndarray
    isolated: np.ndarray

    def at(self, places: np.ndarray) -> "Solutions":
        return Solutions(*(column[places] for column in self))


def solutions(system: System, starts: np.ndarray, widths: np.ndarray) -> Solutions:
    """Where the starts (start, component) lead, in the order of components; `widths` (component,) are units of distance."""
    problem = Problem.of(system, starts, widths)
    return _told_apart(problem, problem.search(starts))


class Problem(NamedTuple):
    """F(x) = 0 in units of the widths and of F's typical sizes."""

    system: System
    widths: np.ndarray
    sizes: np.ndarray

    @classmethod
    def of(cls, system: System, points: np.ndarray, widths: np.ndarray) -> "Problem":
        problem = cls(system, widths, np.ones(system.dimension))
        values = np.abs(problem.values(points))
        values = values[np.isfinite(values).all(axis=1)]
        sizes = np.median(values, axis=0) if len(values) else problem.sizes
        return problem._replace(sizes=np.where(sizes > 0, sizes, 1.0))

    def values(self, points: np.ndarray) -> np.ndarray:
        """F at points (..., component), in its typical sizes."""
        return (self.system.rhs(points) - (points if self.system.kind == "map" else 0.0)) / self.sizes

    def slopes(self, points: np.ndarray) -> np.ndarray:
        """The Jacobian (point, equation, component); zero where it has no value that could be used."""
        with np.errstate(all="ignore"):
            slopes = self.system.jacobian(points) - (np.eye(len(self.widths)) if self.system.kind == "map" else 0.0)
            slopes = slopes * self.widths / self.sizes[:, None]
            usable = (np.abs(slopes) < LARGEST).all(axis=(1, 2))
        return np.where(usable[:, None, None], slopes, 0.0)

    def search(self, points: np.ndarray) -> np.ndarray:
        """Where starts (start, component) lead, those that lead to a solution."""
        values = self.values(points)
        with np.errstate(invalid="ignore"):
            points, values = (column[(np.abs(values) < LARGEST).all(axis=1)] for column in (points, values))
        error, damping, unit = (values**2).sum(axis=1), np.ones(len(points)), np.eye(points.shape[1])
        for _ in range(STEPS):
            slopes = self.slopes(points)
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
        return points[self.solved(points)] if len(points) else points

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

    def solved(self, points: np.ndarray) -> np.ndarray:
        """Whether what F has left at these points is nothing."""
        values = np.abs(self.values(points))
        done = (values <= ROUNDINGS * self.rounding(points) + 1e-290).all(axis=1)
        blurred = np.flatnonzero(~done & ~self.sharp(points))
        if len(blurred):
            steps = SPREAD * np.concatenate([np.eye(len(self.widths)), -np.eye(len(self.widths))]) * self.widths
            with np.errstate(all="ignore"):
                around = np.fmax.reduce(np.abs(self.values(points[blurred, None] + steps)), axis=1)
            done[blurred] = (values[blurred] <= NOTHING * around).all(axis=1)
        return done

    def rounding(self, points: np.ndarray) -> np.ndarray:
        """What rounding leaves in each equation (point, equation): how F scatters about its tangent where the last digits of the
        state differ, and what half a digit of the state changes.

        Bounds from the sizes of all terms would be a million times larger where functions are nested.
        """
        turns = SCATTER * np.finfo(float).eps * np.random.default_rng(0).uniform(-1, 1, (DRAWS, len(self.widths)))
        sizes = np.maximum(np.abs(points), SPREAD * self.widths)
        moves, slopes = sizes[:, None] * turns, self.slopes(points)
        tangent = np.einsum("pij,pdj->pdi", slopes, moves / self.widths)
        with np.errstate(all="ignore"):
            scatter = np.abs(self.values(points[:, None] + moves) - self.values(points)[:, None] - tangent)
        digits = np.finfo(float).eps * (np.abs(slopes) @ (np.abs(points) / self.widths)[..., None])[..., 0]
        return np.fmax.reduce(scatter, axis=1) + digits

    def errors(self, points: np.ndarray) -> np.ndarray:
        """|J^-1| times residual and rounding, doubled: the distance (point, component) to the exact points at most, to first order
        and as far as rounding has shown itself; NaN where J is singular."""
        made, slopes = np.full(points.shape, np.nan), self.slopes(points)
        off = np.abs(self.values(points)) + 2 * self.rounding(points)
        rows = np.abs(slopes).max(axis=2, keepdims=True)
        equal = slopes / np.where(rows > 0, rows, 1.0)
        found = np.linalg.svd(equal, compute_uv=False)
        sound = np.flatnonzero(found[:, -1] > SINGULAR * found[:, 0])
        inverse = np.linalg.inv(slopes[sound])
        away = 2 * (np.abs(inverse) @ off[sound][..., None])[..., 0] * self.widths
        turned = np.zeros(len(sound))
        for side in (-1, 1):  # Newton's step says nothing where the Jacobian changes within it
            with np.errstate(all="ignore"):
                change = inverse @ (self.slopes(points[sound] + side * away) - slopes[sound])
            turned = np.maximum(turned, np.abs(change).sum(axis=2).max(axis=1))
        made[sound] = np.where((turned < CONTRACTING)[:, None], away, np.nan)
        return made

    def sharp(self, points: np.ndarray) -> np.ndarray:
        """Whether these points are located well."""
        with np.errstate(invalid="ignore"):
            return (self.errors(points) <= SHARP * self.widths).all(axis=1)

    def continued(self, points: np.ndarray) -> np.ndarray:
        """Whether there are solutions next to each of these points too, where its Jacobian is flattest."""
        flattest = np.linalg.svd(self.slopes(points))[2][:, -1]
        everywhere = np.ones(len(points), bool)
        for step in (SPREAD, SPREAD / 10, SPREAD / 100):  # one step alone might meet the next of many
            beside = self.polished(points + step * flattest * self.widths)
            away = np.linalg.norm((beside - points) / self.widths, axis=1)
            everywhere &= (away > step / 2) & (away < 2 * step) & self.solved(beside) & ~self.sharp(beside)
        return everywhere


def _told_apart(problem: Problem, points: np.ndarray) -> Solutions:
    """Points that are the same made one; of a continuum, some."""
    from scipy.spatial import cKDTree

    widths, made = problem.widths, []
    sharp = problem.sharp(points) if len(points) else np.ones(0, bool)
    if sharp.any():  # what is blurred next to a sharp one is that one, met on a path that has stopped
        beside = cKDTree(points[sharp] / widths).query(points / widths)[0] < BLURRED
        points, sharp = points[sharp | ~beside], sharp[sharp | ~beside]
    for mine, near in ((points[sharp], SAME), (points[~sharp], BLURRED)):
        for group in _clusters(mine / widths, near) if len(mine) else []:
            size = np.ptp(mine[group], axis=0) / widths
            parts = 1 if near == SAME or size.max() <= SPREAD else MANY  # a chain of points has no best one
            for part in np.array_split(group[np.argsort(mine[group, size.argmax()])], min(parts, len(group))):
                best = (problem.values(mine[part]) ** 2).sum(axis=1).argmin()
                made.append((mine[part][best], len(part), near == SAME))
    if not made:
        none = np.empty((0, len(widths)))
        return Solutions(none, none, np.empty(0), np.empty(0, int), np.empty(0, bool))
    found, counts, isolated = (np.array(column) for column in zip(*made, strict=True))
    blurred = np.flatnonzero(~isolated)
    isolated[blurred] = ~problem.continued(found[blurred]) if len(blurred) else True
    loose = np.flatnonzero(~isolated)
    kept = loose[np.linspace(0, len(loose) - 1, min(len(loose), MANY)).astype(int)] if len(loose) else loose
    kept = np.append(np.flatnonzero(isolated), kept)
    kept = kept[np.lexsort(np.round(found[kept] / widths / BLURRED).T[::-1])]
    residuals = np.linalg.norm(problem.values(found) * problem.sizes, axis=1)
    return Solutions(found, problem.errors(found), residuals, counts, isolated).at(kept)


def _clusters(points: np.ndarray, near: float) -> list[np.ndarray]:
    """Places of points that are joined by steps of at most `near`."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    pairs = cKDTree(points).query_pairs(near, output_type="ndarray").reshape(-1, 2)
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(points), len(points)))
    number, labels = connected_components(graph, directed=False)
    return [np.flatnonzero(labels == k) for k in range(number)]
