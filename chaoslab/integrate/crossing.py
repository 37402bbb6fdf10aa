"""The walk of one trajectory across switching surfaces: cross, touch, or slide along."""

import math
from typing import NamedTuple, Protocol

import numpy as np

from ..systems.emit import numpy_function, scalar_function
from ..systems.tree import Node, name
from .switching import Switched

#: How far a surface of this kind moves once it has been reached, relative to its distance.
OUTWARDS = 1e-6
#: A rate of approach below this part of its largest term counts as touching a surface, not crossing it.
TOUCHING = 1e-7
#: Where a state rests on a surface, the surface is moved this far behind it, relative to the state's size.
BEHIND = 1e-13
#: A sample this far on the side that its mode denies shows a missed switch, relative to its size.
DENIED = 1e-9
#: Samples below which plain floats are faster than numpy.
FEW = 16
#: Samples asked for at once, at least.
AHEAD = 64
#: Stretches between switches this short are no progress in time, relative to the time or the whole span.
SHORT = 1e-10
#: Switches without progress in time before a trajectory is given up.
STUCK = 100


class Leg(NamedTuple):
    """What a stepper did: samples reached, where it stopped, the event that stopped it (None: the last time)."""

    rows: np.ndarray
    t: float
    x: np.ndarray
    event: int | None
    failed: bool
    why: str = ""


class Stepper(Protocol):
    """Integrates smooth equations and stops on the first zero of one of its surfaces."""

    def restart(self) -> None: ...

    def advance(self, t: float, x: np.ndarray, values: np.ndarray, times: np.ndarray) -> Leg: ...


class NotReal(ArithmeticError):
    """Where equations have no real value."""


class Walk:
    """One trajectory across the surfaces of a switched system."""

    def __init__(self, pieces: Switched, stepper, values: np.ndarray, tolerance: float):
        self.pieces, self.make, self.parameters = pieces, stepper, list(map(float, values))
        self.main = stepper(pieces.equations())
        self.main.restart()
        names = pieces.flat.variables + pieces.flat.parameters
        self.argument_values = scalar_function(pieces.arguments, names)
        self.argument_columns = numpy_function(pieces.arguments, names)
        self.slack, self.largest = max(DENIED, 10 * tolerance), np.ones(len(pieces.modes))
        self.levels = np.array(pieces.levels, bool)
        self.offsets = [0.0] * len(pieces.offsets)
        self.seen: tuple = (None, ())
        self.run_time = np.array([*self.parameters, *self.offsets[: len(pieces.modes)], *self.offsets])
        self.message = ""

    def run(self, x: np.ndarray, times: np.ndarray, start: float) -> tuple[np.ndarray, float | None]:
        """Samples at `times` (NaN from where it failed) and the time of failure, or None."""
        out = np.full((len(times), len(x)), np.nan)
        t, row, ahead, idle, last, between = start, 0, AHEAD, 0, -math.inf, None
        short = SHORT * min(1.0, times[-1] - start)
        modes = self.sides(t, x)
        for k, value in enumerate(self.arguments(t, x)):
            if value == (round(value) if self.pieces.levels[k] else 0):
                modes[k] = self.choose(k, t, x, modes, None)
        while row < len(times):
            slides = [k for k, mode in enumerate(modes) if mode == 0.5 and not self.pieces.levels[k]]
            if len(slides) > 1:
                self.message = f"slides along two surfaces at once at t = {t:.6g}, which is not supported"
                return out, t
            slide = slides[0] if slides else None
            before, offsets = modes, list(self.offsets)
            targets = times[row : row + ahead] if between is None else np.array([between])
            leg, modes = self.leg(slide, t, x, modes, targets)
            seen = targets[: len(leg.rows)]
            missed = None
            if modes and not self.plainly_sound(leg, seen, before):
                missed = self.missed(np.vstack([leg.rows, leg.x]), np.append(seen, leg.t), before)
            if missed:
                idle, self.offsets = idle + 1, offsets
                t, x, modes, kept = self.again(missed, t, x, before, leg.rows, targets)
                if between is None:
                    out[row : row + kept], row = leg.rows[:kept], row + kept
                ahead = 1  # an engine looks at where it ends
                if idle > STUCK:
                    self.message = f"a switch was missed after t = {t:.6g}"
                    return out, t
                between = t + (targets[0] - t) / 2 if not kept and len(targets) == 1 else None
                continue
            ahead = 2 * len(leg.rows) + AHEAD  # a long grid handed over at every switch would cost its square
            if between is None:
                out[row : row + len(leg.rows)], row = leg.rows, row + len(leg.rows)
            elif len(leg.rows):
                between = None
            t, x = leg.t, leg.x
            idle = idle + 1 if leg.event is not None and t - last <= short * max(1.0, abs(t)) else 0
            last = t
            if leg.failed or self.message or idle > STUCK:
                self.message = self.message or (f"switches without moving on at t = {t:.6g}" if idle > STUCK else "")
                return out, t
        return out, None

    def plainly_sound(self, leg: Leg, times: np.ndarray, modes: list[float]) -> bool:
        """Whether the few samples of a short leg lie where its modes say, at the price of a look; False asks for `missed`."""
        if len(leg.rows) >= FEW or self.levels.any():
            return False
        found = [self.argument_values([*x, *self.parameters], t) for x, t in zip(leg.rows.tolist(), times.tolist(), strict=True)]
        found.append(self.arguments(leg.t, leg.x))
        low, high = -self.slack, self.slack
        for values in found:
            for value, mode in zip(values, modes, strict=True):
                if value < low if mode == 1.0 else value > high if mode == 0.0 else False:
                    return False
        return True

    def missed(self, rows: np.ndarray, times: np.ndarray, modes: list[float]) -> tuple[int, int] | None:
        """Where a switch has been missed: the samples before it, and the surface that it belongs to."""
        with np.errstate(all="ignore"):
            if len(rows) < FEW and np.isfinite(rows).all():
                values = np.array([self.arguments(*pair) for pair in zip(times, rows, strict=True)]).T
            else:
                columns = self.argument_columns([*rows.T, *self.parameters], times)
                values = np.stack([np.broadcast_to(column, len(rows)) for column in columns])
            self.largest = np.fmax(self.largest, np.abs(values).max(axis=1))
            mode = np.array(modes)[:, None]
            depths = np.where(mode, -values, values)  # how deep on the side that the mode denies
            depths[(mode == 0.5)[:, 0] & ~self.levels] = -np.inf
            if self.levels.any():
                depths = np.where(self.levels[:, None], np.maximum(mode - values, values - mode - 1), depths)
        wrong = depths > self.slack * self.largest[:, None]
        if not wrong.any():
            return None
        first, k = np.argwhere(wrong.T)[0]
        sound = np.flatnonzero(depths[k, :first] < 0)
        return (int(sound[-1]) + 1 if len(sound) else 0), int(k)

    def again(self, missed: tuple[int, int], t, x, modes, rows, times):
        """Where to go on from after a missed switch (time, state, modes, samples kept): the last sound sample, or the
        start with its mode chosen anew. An engine does not see a second zero close behind the one that stopped it."""
        kept, k = missed
        self.main.restart()
        if kept:
            return float(times[kept - 1]), rows[kept - 1].copy(), modes, kept
        if abs(self.depth(k, t, x, modes)) < self.slack * self.largest[k]:
            modes = list(modes)
            modes[k] = self.choose(k, t, x, modes, None)
            if modes[k] != 0.5:
                self.step_behind(k, x, modes[k])
        return t, x, modes, 0

    def depth(self, k: int, t: float, x: np.ndarray, modes) -> float:
        """How far argument k is from where its mode changes, negative while on the mode's own side."""
        value, mode = self.arguments(t, x)[k], modes[k]
        return max(mode - value, value - mode - 1) if self.pieces.levels[k] else -value if mode else value

    def leg(self, slide, t, x, modes, times) -> tuple[Leg, list[float]]:
        """One stretch between switches, and the modes after it."""
        if slide is None:
            leg = self.main.advance(t, x, self.vector(modes), times)
            surface = leg.event
        else:
            stepper = self.make(self.pieces.sliding(slide))
            stepper.restart()
            leg = stepper.advance(t, x, self.vector(modes), times)
            leg = leg._replace(rows=self.onto(slide, leg.rows, times, modes), x=self.onto(slide, leg.x[None], [leg.t], modes)[0])
            surface = leg.event if leg.event is None else leg.event - 2 + (leg.event - 2 >= slide)
        if leg.event is None or leg.failed:
            return leg, modes
        try:
            return self.switched(slide, surface, leg, modes)
        except NotReal:
            self.message = f"the equations have no real value at a switch at t = {leg.t:.6g}"
            return leg, modes

    def switched(self, slide, surface, leg: Leg, modes) -> tuple[Leg, list[float]]:
        """What follows from the event that ended a stretch."""
        count = len(self.pieces.modes)
        if leg.event >= (0 if slide is None else 2) and surface >= count:
            # the same surface must not stop the next step too: it is moved a little outwards, and back next time
            self.offsets[surface] = 0.0 if self.offsets[surface] else OUTWARDS
            return leg, modes
        before = modes
        reached = (slide is not None and leg.event < 2) or modes[surface] == 0.5
        if not reached and self.depth(surface, leg.t, leg.x, modes) < -self.slack * self.largest[surface]:
            return leg, modes  # stopped too early, as happens at loose tolerances
        modes = list(modes)
        if slide is not None and leg.event < 2:
            surface, modes[slide] = slide, float(leg.event)
            self.step_behind(slide, leg.x, modes[slide])
        elif slide is not None and not self.pieces.levels[surface]:
            modes[surface] = 1.0 - modes[surface]
            self.step_behind(surface, leg.x, modes[surface])
            modes[slide] = self.choose(slide, leg.t, leg.x, modes, None)  # the jump it slid along may be gone
            if modes[slide] != 0.5:
                self.step_behind(slide, leg.x, modes[slide])
        else:
            modes[surface] = self.choose(surface, leg.t, leg.x, modes, modes[surface])
        modes = self.consistent(leg, modes, {slide, surface})
        if modes != before:
            leg = leg._replace(x=self.carried(surface, leg.t, leg.x, before, modes))
        return leg, modes

    def carried(self, k: int, t: float, x: np.ndarray, before: list[float], after: list[float]) -> np.ndarray:
        """The state after a switch at surface k: the same, unless more than the state has to be carried across."""
        return x

    def consistent(self, leg: Leg, modes: list[float], switching: set) -> list[float]:
        """Modes of the other surfaces, which a jump may have moved."""
        if self.pieces.continuous:
            return modes
        for k, value in enumerate(self.arguments(leg.t, leg.x)):
            if k not in switching and abs(value) > 1e-9 and modes[k] != 0.5 and not self.pieces.levels[k]:
                modes[k] = float(value > 0)
        return modes

    def choose(self, k: int, t: float, x: np.ndarray, modes: list[float], current: float | None) -> float:
        """The mode after reaching surface k: a side, a whole number, or 0.5 for sliding."""
        level = self.pieces.levels[k]
        whole = round(self.arguments(t, x)[k]) if level else 1
        below, above = ([*modes[:k], float(side), *modes[k + 1 :]] for side in (whole - 1, whole))
        low, scale = self.rate(k, t, x, below)
        high = self.rate(k, t, x, above)[0] if self.pieces.jumps(k) else low
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
            current = 1.0 if high > 0 or (high == 0 and low > 0) else 0.0  # at rest, step(0) = 0
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
        try:
            return function([*map(float, x), *self.values(modes)], float(t))
        except (ArithmeticError, ValueError) as error:  # a division by zero, the root of what is negative
            raise NotReal from error

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

    def vector(self, modes) -> np.ndarray:
        """The same as an array, for a stepper: quicker than a list where there are many parameters."""
        self.run_time[len(self.parameters) :] = [*modes, *self.offsets]
        return self.run_time

    def arguments(self, t: float, x: np.ndarray) -> tuple[float, ...]:
        if x is not self.seen[0]:  # a leg's end is asked about more than once
            self.seen = x, self.argument_values([*map(float, x), *self.parameters], float(t))
        return self.seen[1]

    def sides(self, t: float, x: np.ndarray) -> list[float]:
        pairs = zip(self.arguments(t, x), self.pieces.levels, strict=True)
        return [float(math.floor(value)) if level else float(value > 0) for value, level in pairs]
