"""The walk of one trajectory across switching surfaces: cross, touch, or slide along."""

import math
from typing import NamedTuple, Protocol

import numpy as np

from ..systems.emit import scalar_function
from ..systems.tree import Node, name
from .switching import Switched

#: How far a surface of this kind moves once it has been reached, relative to its distance.
OUTWARDS = 1e-6
#: A rate of approach below this part of its largest term counts as touching a surface, not crossing it.
TOUCHING = 1e-7
#: Where a state rests on a surface, the surface is moved this far behind it, relative to the state's size.
BEHIND = 1e-13
#: Samples asked for at once, at least.
AHEAD = 64
#: Switches without progress in time before a trajectory is given up.
STUCK = 100


class Leg(NamedTuple):
    """What a stepper did: samples reached, where it stopped, the event that stopped it (None: the last time)."""

    rows: np.ndarray
    t: float
    x: np.ndarray
    event: int | None
    failed: bool


class Stepper(Protocol):
    """Integrates smooth equations and stops on the first zero of one of its surfaces."""

    def restart(self) -> None: ...

    def advance(self, t: float, x: np.ndarray, values: np.ndarray, times: np.ndarray) -> Leg: ...


class Walk:
    """One trajectory across the surfaces of a switched system."""

    def __init__(self, pieces: Switched, stepper, values: np.ndarray):
        self.pieces, self.make, self.parameters = pieces, stepper, list(map(float, values))
        self.main = stepper(pieces.equations())
        self.main.restart()
        names = pieces.flat.variables + pieces.flat.parameters
        self.argument_values = scalar_function(pieces.arguments, names)
        self.offsets = [0.0] * len(pieces.offsets)
        self.message = ""

    def run(self, x: np.ndarray, times: np.ndarray, start: float) -> tuple[np.ndarray, float | None]:
        """Samples at `times` (NaN from where it failed) and the time of failure, or None."""
        out = np.full((len(times), len(x)), np.nan)
        t, row, ahead, idle, last = start, 0, AHEAD, 0, -math.inf
        modes = self.sides(t, x)
        for k, value in enumerate(self.arguments(t, x)):
            if value == (round(value) if self.pieces.levels[k] else 0):
                modes[k] = self.choose(k, t, x, modes, None)
        while row < len(times):
            slide = next((k for k, mode in enumerate(modes) if mode == 0.5 and not self.pieces.levels[k]), None)
            leg, modes = self.leg(slide, t, x, modes, times[row : row + ahead])
            ahead = 2 * len(leg.rows) + AHEAD  # a long grid handed over at every switch would cost its square
            out[row : row + len(leg.rows)] = leg.rows
            row, t, x = row + len(leg.rows), leg.t, leg.x
            idle = idle + 1 if leg.event is not None and t - last <= 1e-13 * max(1.0, abs(t)) else 0
            last = t
            if leg.failed or self.message or idle > STUCK:
                self.message = self.message or (f"switches without moving on at t = {t:.6g}" if idle > STUCK else "")
                return out, t
        return out, None

    def leg(self, slide, t, x, modes, times) -> tuple[Leg, list[float]]:
        """One stretch between switches, and the modes after it."""
        count = len(self.pieces.modes)
        if slide is None:
            leg = self.main.advance(t, x, self.values(modes), times)
            surface = leg.event
        else:
            stepper = self.make(self.pieces.sliding(slide))
            stepper.restart()
            leg = stepper.advance(t, x, self.values(modes), times)
            leg = leg._replace(rows=self.onto(slide, leg.rows, times, modes), x=self.onto(slide, leg.x[None], [leg.t], modes)[0])
            surface = leg.event if leg.event is None else leg.event - 2 + (leg.event - 2 >= slide)
        if leg.event is None or leg.failed:
            return leg, modes
        if leg.event >= (0 if slide is None else 2) and surface >= count:
            # the same surface must not stop the next step too: it is moved a little outwards, and back next time
            self.offsets[surface] = 0.0 if self.offsets[surface] else OUTWARDS
            return leg, modes
        modes = list(modes)
        if slide is not None and leg.event < 2:
            surface, modes[slide] = slide, float(leg.event)
            self.step_behind(slide, leg.x, modes[slide])
        elif slide is not None and not self.pieces.levels[surface]:
            modes[surface] = 1.0 - modes[surface]
        else:
            modes[surface] = self.choose(surface, leg.t, leg.x, modes, modes[surface])
        return leg, self.consistent(leg, modes, {slide, surface})

    def consistent(self, leg: Leg, modes: list[float], switching: set) -> list[float]:
        """Modes of the other surfaces, which a jump may have moved."""
        for k, value in enumerate(self.arguments(leg.t, leg.x)):
            if k not in switching and abs(value) > 1e-9 and modes[k] != 0.5 and not self.pieces.levels[k]:
                modes[k] = float(value > 0)
        if (
            modes.count(0.5) > 1
            and sum(mode == 0.5 for mode, level in zip(modes, self.pieces.levels, strict=True) if not level) > 1
        ):
            self.message = "slides along two surfaces at once, which is not supported"
        return modes

    def choose(self, k: int, t: float, x: np.ndarray, modes: list[float], current: float | None) -> float:
        """The mode after reaching surface k: a side, a whole number, or 0.5 for sliding."""
        level = self.pieces.levels[k]
        whole = round(self.arguments(t, x)[k]) if level else 1
        (low, scale), (high, _) = (self.rate(k, t, x, [*modes[:k], float(side), *modes[k + 1 :]]) for side in (whole - 1, whole))
        small = TOUCHING * scale
        self.offsets[k] = 0.0
        if level and current is None:
            current = float(math.floor(self.arguments(t, x)[k]))
        elif level and low * high < 0:
            self.message = f"is held at a jump of floor or mod at t = {t:.6g}, which is not supported"
        if level and min(abs(low), abs(high)) > small:
            return float(whole if high > 0 else whole - 1)
        if not level and low > small and high < -small:
            return 0.5
        if current is None:
            current = 1.0 if high > 0 or (high == 0 and low >= 0) else 0.0
        here = high if current == whole else low
        if abs(here) > small:
            return float(whole if here > 0 else whole - 1)
        self.step_behind(k, x, current)  # it touches the surface, rests on it, or has just left it
        return current

    def step_behind(self, k: int, x: np.ndarray, mode: float) -> None:
        """Move a surface a hair behind the state, so that resting on it is no event."""
        sign = (-1) ** int(mode) if self.pieces.levels[k] else 1
        away = math.pi if self.pieces.levels[k] else 1.0 if mode else -1.0
        self.offsets[k] = -sign * away * BEHIND * max(1.0, float(np.abs(x).max()))

    def rate(self, k: int, t: float, x: np.ndarray, modes) -> tuple[float, float]:
        """How fast argument k grows, and the size of the largest term in it."""
        terms = self.evaluate(self.pieces.rate(k), t, x, modes)
        return math.fsum(terms), max(map(abs, terms), default=0.0)

    def evaluate(self, trees: tuple[Node, ...], t: float, x: np.ndarray, modes) -> tuple[float, ...]:
        function = scalar_function(trees, self.pieces.flat.variables + self.pieces.values)
        return function([*map(float, x), *self.values(modes)], float(t))

    def onto(self, k: int, rows: np.ndarray, times, modes) -> np.ndarray:
        """States moved onto surface k along its gradient, so that rounding never leaves them on a wrong side."""
        slope = {by: part for by, part in self.pieces.slope(k).items() if by is not name("t")}
        at = [self.pieces.flat.variables.index(by) for by in slope]
        trees, rows = (self.pieces.smooth_arguments[k], *slope.values()), np.array(rows)
        for row, t in zip(rows, times, strict=False):
            if np.isfinite(row).all():
                value, *g = self.evaluate(trees, t, row, modes)
                row[at] -= value * np.array(g) / np.dot(g, g)
        return rows

    def values(self, modes) -> list[float]:
        return [*self.parameters, *modes, *self.offsets]

    def arguments(self, t: float, x: np.ndarray) -> tuple[float, ...]:
        return self.argument_values([*map(float, x), *self.parameters], float(t))

    def sides(self, t: float, x: np.ndarray) -> list[float]:
        pairs = zip(self.arguments(t, x), self.pieces.levels, strict=True)
        return [float(math.floor(value)) if level else float(value > 0) for value, level in pairs]
