"""Where closed orbits of a map or a flow are looked for, which solutions count, and how they vary with their start.

What differs between the two: guesses come from iterates or from crossings, and an orbit closes after steps or after a time.
"""

import numpy as np

from ..integrate import iterate
from ..integrate.section import crossings as located
from ..integrate.tangent import turning
from ..integrate.zeros import rate
from ..systems import System
from ..systems.unroll import substitute
from .fixed_points import boxes, usual_orbit
from .orbit import time_unit
from .sections import poincare_section, surface_of
from .shooting import Flights, Iterates, around

#: Iterates, or crossings, that guesses are taken from, and what is dropped before them, in periods.
ITERATES, CROSSINGS, TRANSIENT = 20_000, 5000, 100
#: Points this near, in widths, are one; samples along an orbit of a flow.
SAME, SAMPLES = 1e-6, 256
#: What a component varies by on the section counts as at least this part of what it varies by at all.
LEAST = 1e-2
#: A multiplier below this part of the largest has few digits left.
LOST = 1e-8


class _Search:
    """What searches of maps and flows share; `problem` says what is solved."""

    system: System
    problem: Iterates | Flights

    def shown(self, made: np.ndarray) -> np.ndarray:
        """Points (orbit, step, coordinate) in widths, angles as points on a circle."""
        x, turns = self.problem.points(made), self.problem.turns
        folded = np.isfinite(turns)
        angle = 2 * np.pi * x[..., folded] / turns[folded]
        scale = (turns / self.problem.widths / 2 / np.pi)[folded]
        parts = [x[..., ~folded] / self.problem.widths[~folded], scale * np.cos(angle), scale * np.sin(angle)]
        return np.concatenate(parts, axis=-1)

    def turned(self, made: np.ndarray) -> np.ndarray:
        """Orbits begun at a point that is the same however they were found: the first along a direction no axis prefers."""
        keys = self.shown(made)
        height = keys @ np.sin(1.0 + np.arange(keys.shape[-1]))
        places = (height.argmin(axis=1)[:, None] + np.arange(made.shape[1])) % made.shape[1]
        return np.take_along_axis(made, places[..., None], axis=1)

    def least(self, made: np.ndarray) -> np.ndarray:
        """Those that do not close earlier."""
        x, length = self.problem.points(made), made.shape[1]
        whole = np.ones(len(made), bool)
        for part in (k for k in range(1, length) if length % k == 0):
            apart = around(np.roll(x, -part, axis=1) - x, self.problem.turns) / self.problem.widths
            whole &= np.abs(apart).max(axis=(1, 2)) > 10 * SAME
        return made[whole]


class MapSearch(_Search):
    """Cycles of a map."""

    def __init__(self, system: System, section, direction, box, generator):
        self.system, self.generator = system, generator
        orbit = usual_orbit(system)
        self.inner, self.outer = boxes(system, box, orbit)
        self.asked = [k for k, word in enumerate(system.components) if word in (box or {})]
        self.problem = Iterates(system, self.outer[1] - self.outer[0])
        long = iterate(system, orbit[-1:], ITERATES).states[0]
        self.orbit = long if np.isfinite(long).all() else orbit

    def guesses(self, length: int, size: int, number: int) -> np.ndarray:
        """A quarter each: stretches that nearly close, others of the orbit, random sequences from its extent and from the box."""
        parts = [self._random(self.inner, length, size // 4), self._random(self.outer, length, size // 4)]
        if len(self.orbit) > 2 * length + 2:
            begins = len(self.orbit) - length
            apart = around(self.orbit[length:] - self.orbit[:-length], self.problem.turns) / self.problem.widths
            nearest = np.argsort((apart**2).sum(axis=1), kind="stable")[number * (size // 4) : (number + 1) * (size // 4)]
            begin = np.concatenate([nearest, self.generator.integers(begins, size=size // 4)])
            parts.append(self.orbit[begin[:, None] + np.arange(length)])
        return np.concatenate(parts)

    def _random(self, ends: np.ndarray, length: int, count: int) -> np.ndarray:
        return ends[0] + (ends[1] - ends[0]) * self.generator.random((max(count, 1), length, self.system.dimension))

    def sound(self, made: np.ndarray, length: int) -> np.ndarray:
        """Those of this length, within the box, and folded into it where components are."""
        folded = np.isfinite(self.problem.turns)
        made = made.copy()
        made[..., folded] %= self.problem.turns[folded]
        slack = SAME * (self.outer[1] - self.outer[0])
        inside = (made >= self.outer[0] - slack) & (made <= self.outer[1] + slack)
        return self.least(made[inside[..., self.asked].all(axis=(1, 2))])

    def once_round(self, made: np.ndarray) -> tuple[np.ndarray, np.ndarray, None]:
        """Multipliers (orbit, index) and periods."""
        slopes = self.system.jacobian(made)
        sign, volume = np.linalg.slogdet(slopes)
        values = multipliers(_product(slopes), sign.prod(axis=1), volume.sum(axis=1))
        return values, np.full(len(made), float(made.shape[1])), None


class FlowSearch(_Search):
    """Orbits of a flow that close through a section."""

    def __init__(self, system: System, section, direction, box, generator):
        self.system, self.unit = system, time_unit(system)
        self.tree, _, self.direction, _ = surface_of(system, section, direction)
        crossed = poincare_section(system, section, CROSSINGS, direction=direction, transient=TRANSIENT)
        states, times = crossed["state"].values[0], crossed["time"].values[0]
        states, self.times = states[np.isfinite(times)], times[np.isfinite(times)]
        if len(states) < 3:
            raise ValueError(f"the orbit of {system.label} crosses {section!r} only {len(states)} times")
        surface = substitute([self.tree], {rate(k): rule for k, rule in enumerate(system.flat.rhs)})[0]
        widths = np.maximum(np.ptp(states, axis=0), LEAST * np.ptp(usual_orbit(system), axis=0))
        widths[turning(system)] = 2 * np.pi
        widths = np.maximum(widths, 1e-3 * widths.max())
        self.problem = Flights(system, widths, surface, float(np.diff(self.times).mean()))
        self.states = around(states, self.problem.turns)

    def guesses(self, length: int, size: int, number: int) -> np.ndarray:
        """Stretches of the orbit, those that come closest to closing first."""
        apart = around(self.states[length:] - self.states[:-length], self.problem.turns) / self.problem.widths
        begin = np.argsort((apart**2).sum(axis=1), kind="stable")[number * size : (number + 1) * size]
        places = begin[:, None] + np.arange(length)
        flights = np.diff(self.times)
        return np.concatenate([self.states[places], flights[places][..., None]], axis=-1)

    def sound(self, made: np.ndarray, length: int) -> np.ndarray:
        """Those that cross the section so many times, in its direction, and do not close earlier."""
        made = self.least(made)
        if not len(made):
            return made
        start, total = self.problem.points(made)[:, 0], made[..., -1].sum(axis=1)
        options = {"count": length, "patience": 10 * float(total.max()) + self.unit, "direction": self.direction}
        found = located(self.system, self.tree, start, corners=False, **options)
        with np.errstate(invalid="ignore"):
            return made[np.abs(found.times[:, -1] - total) < 1e-5 * total]

    def once_round(self, made: np.ndarray) -> tuple[np.ndarray, np.ndarray, tuple]:
        """Multipliers (orbit, index) of the section's map, periods, and paths with their times."""
        n, (count, length) = self.system.dimension, made.shape[:2]
        x = self.problem.points(made)
        ends, slopes, volume = self.problem.flown(x.reshape(-1, n), made[..., n].ravel())
        end, slopes = ends[:, -1].reshape(x.shape), slopes.reshape(count, length, n, n)
        _, normal = self.problem.surface_at(end)
        field = self.system.rhs(end)
        along = np.einsum("osi,osi->os", normal, field)[..., None, None]
        slopes = slopes - field[..., :, None] * np.einsum("osi,osij->osj", normal, slopes)[..., None, :] / along
        _, first = self.problem.surface_at(x[:, 0])
        plane = np.linalg.svd(first[:, None, :])[2][:, 1:]  # directions within the surface at the first point
        reduced = plane @ _product(slopes) @ plane.transpose(0, 2, 1)
        values = multipliers(reduced, np.ones(count), volume.reshape(count, length).sum(axis=1))
        return values, made[..., n].sum(axis=1), self._paths(made)

    def _paths(self, made: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """States (orbit, sample, component) once round and their times, flight by flight so that errors do not grow."""
        n, (count, length) = self.system.dimension, made.shape[:2]
        each = max(SAMPLES // length, 8)
        x = self.problem.points(made)
        ends, *_ = self.problem.flown(x.reshape(-1, n), made[..., n].ravel(), each)
        rows = np.concatenate([x[:, :1], ends.reshape(count, length * each, n)], axis=1)
        times = np.cumsum(np.repeat(made[..., n] / each, each, axis=1), axis=1)
        return rows, np.pad(times, ((0, 0), (1, 0)))


def _product(slopes: np.ndarray) -> np.ndarray:
    """The derivative once round (orbit, component, component), from those of the steps (orbit, step, component, component)."""
    total = slopes[:, 0]
    for k in range(1, slopes.shape[1]):
        total = slopes[:, k] @ total
    return total


def multipliers(once: np.ndarray, sign: np.ndarray, volume: np.ndarray) -> np.ndarray:
    """Eigenvalues (orbit, index) of derivatives once round, the largest first.

    What is far smaller than the largest is lost in its rounding; where that is the last alone, it follows from the determinant,
    whose `sign` and logarithm, `volume`, are known without such loss.
    """
    values = np.linalg.eigvals(once).astype(complex)
    values = np.take_along_axis(values, np.lexsort((-values.imag, -np.abs(values))), axis=1)
    if values.shape[1] > 1:
        size = np.abs(values)
        lost = (size[:, -1] < LOST * size[:, 0]) & (size[:, -2] >= LOST * size[:, 0])
        values[lost, -1] = sign[lost] * np.exp(volume[lost]) / values[lost, :-1].prod(axis=1)
    return values
