"""Closed orbits by multiple shooting: Newton's method for all points of an orbit at once, for many guesses at once.

The unknowns are the points where an orbit meets a section (of a map its iterates) and the times of flight between them; the
equations are that each flight ends where the next begins. Each flight is short, so that Newton's steps converge from further away
than for one flight all round (Stoer & Bulirsch, Introduction to Numerical Analysis, 7.3).
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..integrate import TOLERANCE, default_solver
from ..integrate.exponents import with_whole_powers
from ..integrate.solve import flow
from ..integrate.tangent import linearised, turning
from ..systems import System
from ..systems.calculus import gradients
from ..systems.emit import numpy_function
from ..systems.tree import ZERO, Node, name, walk

#: Steps of the search, the shortest part of a step that is tried, and what counts as solved, in the widths of the motion.
STEPS, SHORTEST, SOLVED = 60, 1e-3, 1e-9
#: What the time is multiplied by, so that flights of different length are integrated together.
FLIGHT = name("flight time")


@dataclass(frozen=True)
class Iterates:
    """x_{k+1} = f(x_k) round a closed orbit of a map; unknowns (orbit, step, component), in units of `widths`."""

    system: System
    widths: np.ndarray

    #: Of the values of f, in their own size.
    accuracy = 4 * np.finfo(float).eps

    @cached_property
    def turns(self) -> np.ndarray:
        """How far apart two values of a component are that mean the same; inf where none do."""
        found, states = np.full(self.system.dimension, np.inf), set(self.system.flat.variables)
        for k, rule in enumerate(self.system.flat.rhs):
            if rule.head == "mod" and states.isdisjoint(walk(rule.args[1])):
                found[k] = float(numpy_function((rule.args[1],), self.system.flat.parameters)(list(self.system.values), 0.0)[0])
        return found

    @property
    def units(self) -> np.ndarray:
        return self.widths

    def evaluate(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What the equations have left (orbit, step, equation), their slopes by the step's own unknowns, and by the next step's."""
        n = self.system.dimension
        left = around(np.roll(x, -1, axis=1) - self.system.rhs(x), self.turns)
        return left, -self.system.jacobian(x), np.eye(n)

    def points(self, unknowns: np.ndarray) -> np.ndarray:
        return unknowns


@dataclass(frozen=True)
class Flights:
    """Flights of a smooth flow from a surface to itself; unknowns (orbit, step, component and time of flight)."""

    system: System
    widths: np.ndarray
    surface: Node
    time: float
    tolerance: float = TOLERANCE

    #: Of where a flight ends, in the size of the state.
    accuracy = 10 * TOLERANCE

    @cached_property
    def turns(self) -> np.ndarray:
        found = np.full(self.system.dimension, np.inf)
        found[turning(self.system)] = 2 * np.pi
        return found

    @property
    def units(self) -> np.ndarray:
        return np.append(self.widths, self.time)

    @cached_property
    def _flat(self):
        flat = with_whole_powers(self.system.flat, self.system.values)
        return replace(
            flat,
            rhs=tuple(Node("*", FLIGHT, tree) for tree in flat.rhs),
            parameters=(*flat.parameters, FLIGHT),
            places=(*flat.places, (FLIGHT.args[0], None)),
        )

    @cached_property
    def _gradient(self):
        slopes = gradients([self.surface], self.system.flat.variables)[0]
        return tuple(slopes.get(node, ZERO) for node in self.system.flat.variables)

    def surface_at(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The surface's function and its gradient at states (..., component)."""
        values = self.system._evaluate((self.surface, *self._gradient), x, 0.0, {})
        return values[..., 0], values[..., 1:]

    def flown(self, x: np.ndarray, times: np.ndarray, samples: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """States (flight, sample, component) at equal parts of each flight, the end included, how the end varies with the start
        (flight, component, component), and the logarithm of how volumes grow (flight,)."""
        n, count = self.system.dimension, len(x)
        start = np.concatenate([x, np.tile(np.eye(n).ravel(), (count, 1)), np.zeros((count, 1))], axis=1)
        values = np.column_stack([np.tile(self.system.values, (count, 1)), times])
        parts = np.arange(1, samples + 1) / samples
        states, _, _ = flow(
            linearised(self._flat, n), start, parts, values, 0.0, self.tolerance, default_solver(), None, count > 1, wary=False
        )
        return states[:, :, :n], states[:, -1, n:-1].reshape(-1, n, n).transpose(0, 2, 1), states[:, -1, -1]

    def evaluate(self, unknowns: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        shape, n = unknowns.shape[:2], self.system.dimension
        x, times = unknowns[..., :n], unknowns[..., n]
        with np.errstate(invalid="ignore"):
            fair = (
                (times > 0).all(axis=1)
                & (times < 1e3 * self.time).all(axis=1)
                & (np.abs(x) < 1e6 * self.widths.max()).all(axis=(1, 2))
            )
        ends, slopes = np.full(x.shape, np.nan), np.full((*x.shape, n), np.nan)
        if fair.any():
            flown, varied, _ = self.flown(x[fair].reshape(-1, n), times[fair].ravel())
            ends[fair], slopes[fair] = flown[:, -1].reshape(-1, shape[1], n), varied.reshape(-1, shape[1], n, n)
        value, gradient = self.surface_at(x)
        left = np.concatenate([around(np.roll(x, -1, axis=1) - ends, self.turns), value[..., None]], axis=-1)
        own, following = np.zeros((*shape, n + 1, n + 1)), np.zeros((n + 1, n + 1))
        own[..., :n, :n], own[..., :n, n], own[..., n, :n] = -slopes, -self.system.rhs(ends), gradient
        following[:n, :n] = np.eye(n)
        return left, own, following

    def points(self, unknowns: np.ndarray) -> np.ndarray:
        return unknowns[..., :-1]


def around(difference: np.ndarray, turns: np.ndarray) -> np.ndarray:
    """The shortest of the differences (..., component) that whole turns allow."""
    folded = np.isfinite(turns)
    if folded.any():
        difference = difference.copy()
        difference[..., folded] -= turns[folded] * np.round(difference[..., folded] / turns[folded])
    return difference


def closed(problem: Iterates | Flights, guesses: np.ndarray) -> np.ndarray:
    """Closed orbits, as unknowns (orbit, step, unknown), that damped Newton steps lead to from guesses of the same shape."""
    units = problem.units
    x, (left, own, following) = guesses, problem.evaluate(guesses)
    part, size = np.ones(len(x)), _size(left, units)
    done = []
    for _ in range(STEPS):
        ended = ~np.isfinite(size) | (part < SHORTEST)
        finished = (size < SOLVED) & ended
        done.append(x[finished])
        x, left, own, part, size = (column[~ended] for column in (x, left, own, part, size))
        if not len(x):
            break
        move = _newton(left, own, following, units)
        with np.errstate(all="ignore"):
            ahead = x + part[:, None, None] * move
            there = problem.evaluate(ahead)
            less = _size(there[0], units)
            better = less < size
        part = np.where(better, np.minimum(2 * part, 1.0), np.where(size < SOLVED, 0.0, part / 4))
        pick = better.reshape(-1, 1, 1)
        x, left, own = np.where(pick, ahead, x), np.where(pick, there[0], left), np.where(pick[..., None], there[1], own)
        size = np.where(better, less, size)
    done.append(x[size < SOLVED])
    return np.concatenate(done)


def errors(problem: Iterates | Flights, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the equations have left at most (orbit,), and how far the exact unknowns are at most (orbit, step, unknown): the inverse
    slopes times that and the rounding, to first order."""
    left, own, following = problem.evaluate(x)
    sizes = np.abs(x) + np.abs(np.roll(x, -1, axis=1))
    sizes[..., : len(problem.widths)] += np.einsum("osij,osj->osi", np.abs(own), np.abs(x))[..., : len(problem.widths)]
    off = (np.abs(left) + problem.accuracy * sizes).reshape(len(x), -1, 1)
    inverse = np.linalg.pinv(_matrix(own, following))
    return np.abs(left).max(axis=(1, 2)), (np.abs(inverse) @ off).reshape(x.shape)


def _size(left: np.ndarray, units: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore", invalid="ignore"):
        return np.sqrt(((left / units) ** 2).mean(axis=(1, 2)))


def _matrix(own: np.ndarray, following: np.ndarray) -> np.ndarray:
    """The slopes of all equations by all unknowns: (orbit, equation, unknown)."""
    count, steps, size = own.shape[:3]
    made = np.zeros((count, steps, size, steps, size))
    for k in range(steps):
        made[:, k, :, k] += own[:, k]
        made[:, k, :, (k + 1) % steps] += following
    return made.reshape(count, steps * size, steps * size)


def _newton(left: np.ndarray, own: np.ndarray, following: np.ndarray, units: np.ndarray) -> np.ndarray:
    matrix, wanted = _matrix(own, following), -left.reshape(len(left), -1, 1)
    usable = np.isfinite(matrix).all(axis=(1, 2))
    matrix = np.where(usable[:, None, None], matrix, np.eye(matrix.shape[1]))
    try:
        move = np.linalg.solve(matrix, wanted)
    except np.linalg.LinAlgError:  # one of many is singular
        move = np.linalg.pinv(matrix) @ wanted
    move = np.where(usable[:, None], move[..., 0], np.nan).reshape(left.shape)
    with np.errstate(invalid="ignore", divide="ignore"):
        longest = np.abs(move / units).max(axis=(1, 2))
        return move * np.minimum(1.0, 1.0 / longest)[:, None, None]
