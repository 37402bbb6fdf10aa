"""Where an orbit goes: away, to rest, or round a cycle; told by the orbit itself.

A motion has the period L where x(t + L) = x(t) over several turns, to far less than its size. Periods are looked for where the
mean square of x(t + L) - x(t) over a long stretch is small, and made exact by least squares on stretches that are solved anew.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..integrate import Past, Solution, iterate, sizes_of, solve
from ..systems import System
from ..systems.tree import Node, name, number, walk
from ..trajectories.starts import phases

#: Two states are the same where they differ by less than this part of the motion's size.
CLOSE = 1e-6
#: A coordinate's size is its range, but at least this part of the range of the whole orbit, and of its value: what is left of a
#: decay is measured against what has decayed, and rounding against what is rounded.
REST, STILL = 1e-2, 1e-5
#: The last stretch of an orbit: at most this many units (dominant periods), at this many samples each; iterations of a map.
WINDOW, SAMPLES, ITERATES = 256, 64, 8192
#: Turns over which a motion must come back.
TURNS = 3
#: Lags that are looked at closely, and coordinates that they are found from.
TRIES, MANY = 16, 64


class Return(NamedTuple):
    """A time after which the motion comes back, and the largest distance then, in parts of its size."""

    period: float
    distance: float


@dataclass(frozen=True)
class Look:
    """What the last stretch of an orbit shows: rest, the closest return, and whether it goes on as it was."""

    rests: bool
    back: Return
    steady: bool

    @property
    def recurs(self) -> bool:
        """Whether it comes back as closely as a periodic motion does."""
        return self.back.distance < CLOSE


class Orbit:
    """The motion of a system from its own state; `coordinates` are what it is watched in, without plain clocks and full turns.

    `now` is the state (1, component), or the past of a delay system, at the time `t`; `end` says how it ended, empty while it
    has not; `reach` (coordinate,) is the range covered so far.
    """

    def __init__(self, system: System, unit: float, tolerance: float):
        self.system, self.unit, self.tolerance = system, unit, tolerance
        self.now: np.ndarray | list[Past] = system.initial[None]
        self.sizes, self.t, self.end, self.ended, self.reason = sizes_of(self.now), 0.0, "", np.nan, ""
        self.coordinates = watched(system)
        self.low = self.high = None

    @property
    def reach(self) -> np.ndarray:
        """The range of each coordinate so far."""
        return self.high - self.low

    def ahead(self, since: np.ndarray, move: bool = False) -> np.ndarray | None:
        """Coordinates (time, coordinate) at ascending times from now, where it then stands if it is to `move`; None if it ends."""
        found, seen = self._solved(since)
        if found.status[0] != "ok":
            self.end, self.reason = str(found.status[0]), found.reasons[0]
            self.ended = float(found.ended[0]) + (self.t if self.system.kind == "map" else 0.0)
            return None
        if move:
            self.now = list(found.pasts) if self.system.kind == "delay" else found.states[0][-1:]
            self.t += float(since[-1])
            low, high = seen.min(axis=0), seen.max(axis=0)
            self.low, self.high = (low, high) if self.low is None else (np.minimum(self.low, low), np.maximum(self.high, high))
        return seen

    def _solved(self, since: np.ndarray) -> tuple[Solution, np.ndarray]:
        system, times = self.system, self.t + since
        if system.kind == "map":  # all iterates are there
            found = iterate(system, self.now, len(since), first=round(self.t), sizes=self.sizes)
        else:
            options = {"start": self.t, "tolerance": self.tolerance, "many": False, "sizes": self.sizes}
            found = solve(system, self.now, times, **options)
        return found, system._evaluate(self.coordinates, found.states[0], times, {})

    def go(self, until: float) -> bool:
        """Move to a later time; whether it gets there."""
        length = until - self.t
        since = np.arange(round(length) + 1.0) if self.system.kind == "map" else np.linspace(0, length, 257)
        return self.ahead(since, move=True) is not None

    def look(self, until: float) -> Look | None:
        """Move to a later time, and see how the last stretch before it went; None if it ends."""
        whole = self.system.kind == "map"
        width = min((until - self.t) / 2, ITERATES if whole else WINDOW * self.unit)
        spacing = 1.0 if whole else self.unit / SAMPLES
        count = max(16, round(width / spacing))
        if not self.go(max(until - count * spacing, self.t)):
            return None
        stretch = np.arange(count + 1) * spacing
        rows = self.ahead(stretch)
        if rows is None:
            return None
        level = STILL * np.abs(rows).max(axis=0, initial=0)
        rests = bool((np.ptp(rows[-max(8, count // 8) :], axis=0) <= CLOSE * np.maximum(self.reach, level)).all())
        size = np.maximum(np.maximum(np.ptp(rows, axis=0), REST * self.reach), level)
        size = np.where(size > 0, size, 1.0)
        rows = (rows - rows.mean(axis=0)) / size
        back = Return(np.nan, np.inf)
        if not rests:
            back = _returning(rows) if whole else self._returning(rows, spacing, size)
        self.ahead(stretch, move=True)
        return Look(rests, back, _steady(rows))

    def _returning(self, rows: np.ndarray, spacing: float, size: np.ndarray) -> Return:
        """The shortest time after which a flow comes back, or after which it comes closest."""
        lags, depth = _lags(rows)
        best = Return(np.nan, np.inf)
        for lag in np.sort(lags[np.argsort(depth, kind="stable")[:TRIES]]):
            found = self._exactly(lag * spacing, spacing, size, len(rows) // 2)
            best = min(best, found, key=lambda item: item.distance)
            if found.distance < CLOSE:
                break
        if best.distance < CLOSE:
            for shorter in lags[lags < 0.6 * best.period / spacing]:
                parts = best.period / (shorter * spacing)
                if abs(parts - round(parts)) * shorter < 1:
                    found = self._exactly(best.period / round(parts), spacing, size, len(rows) // 2)
                    if found.distance < CLOSE:
                        return found
        return best

    def _exactly(self, period: float, spacing: float, size: np.ndarray, half: int) -> Return:
        """A period near this one by least squares, and how far from where it was the motion is after it.

        After many of them, in half a stretch, too, where that is close: a slow drift shows only then.
        """
        step = spacing / 64
        for _ in range(5):
            here, before, after, later = self._four(np.linspace(0, period, 48), period, step)
            gap, slope = (after - here) / size, (later - before) / (2 * step * size)
            steepness = float((slope**2).sum())
            if not np.abs(gap).max() < 0.5 or steepness == 0:
                return Return(period, float(np.abs(gap).max()))
            period -= float(np.clip((gap * slope).sum() / steepness, -spacing, spacing))
        distance, places = 0.0, np.linspace(0, TURNS * period, 64 * TURNS)
        for turns in (1, max(1, int(half * spacing / period))):
            here, _, after, _ = self._four(places, turns * period, step)
            distance = max(distance, float((np.abs(after - here) / size).max()))
            if not distance < CLOSE:
                break
        return Return(period, distance)

    def _four(self, places: np.ndarray, period: float, step: float) -> np.ndarray:
        """Coordinates at these places, and a period later: a step before, there, and a step behind."""
        times, order = np.unique([places + shift for shift in (0, period - step, period, period + step)], return_inverse=True)
        return self._solved(times)[1][order.reshape(4, -1)]


def watched(system: System) -> tuple[Node, ...]:
    """Trees of what shows that a motion comes back: the observed coordinates, without those that just count time; a coordinate
    that is folded by mod as a point on a circle, so that nothing happens at the fold."""
    flat, trees = system.flat, []
    seen = flat.observed or flat.variables
    for tree, variable, rule, clock in zip(seen, flat.variables, flat.rhs, phases(system), strict=True):
        if tree is variable and clock:
            continue
        if tree is variable and system.kind == "map" and rule.head == "mod":
            tree = Node("mod", variable, rule.args[1])
        if tree.head == "mod" and set(flat.variables).isdisjoint(walk(tree.args[1])):
            turn = Node("/", Node("*", number(2), Node("*", name("pi"), tree.args[0])), tree.args[1])
            trees += [Node("cos", turn), Node("sin", turn)]
        else:
            trees.append(tree)
    return tuple(trees)


def _lags(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lags, in samples, where the mean square of rows (time, coordinate) against themselves that much later is small, and its
    value between the samples."""
    half, length = len(rows) // 2, 2 * len(rows)
    rows = rows[:, :: -(-rows.shape[1] // MANY)]  # to find where to look; then all are looked at
    products = np.conj(np.fft.rfft(rows[:half], length, axis=0)) * np.fft.rfft(rows, length, axis=0)
    cross = np.fft.irfft(products, length, axis=0).sum(axis=1)[: half + 1]
    total = np.concatenate([[0.0], np.cumsum((rows**2).sum(axis=1))])
    apart = (total[half] + total[half : 2 * half + 1] - total[: half + 1] - 2 * cross) / max(half, 1)
    before, here, behind = apart[:-2], apart[1:-1], apart[2:]
    bend = np.maximum(before - 2 * here + behind, 1e-300)
    depth = here - (behind - before) ** 2 / (8 * bend)
    near = (here <= before) & (here < behind) & (depth < apart[1] / 4)
    return np.flatnonzero(near) + 1, depth[near]


def _returning(rows: np.ndarray) -> Return:
    """The smallest number of iterations after which a map comes back, or after which it comes closest."""
    most = len(rows) // (TURNS + 1)
    gaps = np.abs(rows[-1 - most : -1][::-1] - rows[-1]).max(axis=1, initial=0)
    for lag in np.flatnonzero(gaps < CLOSE) + 1:
        distance = _after(rows, lag)
        if distance < CLOSE:
            return Return(float(lag), distance)
    closest = int(gaps.argmin()) + 1
    return Return(float(closest), _after(rows, closest))


def _after(rows: np.ndarray, lag: int) -> float:
    """How far from where it was a map is after one lag and, where that is close, after many, over several turns."""
    last, distance = rows[-TURNS * lag :], 0.0
    for turns in (1, max(1, (len(rows) // 2 - TURNS * lag) // lag)):
        ago = len(rows) - turns * lag
        distance = max(distance, float(np.abs(last - rows[ago - TURNS * lag : ago]).max(initial=0)))
        if not distance < CLOSE:
            break
    return distance


def _steady(rows: np.ndarray) -> bool:
    """Whether both halves of a stretch lie in about the same place and range."""
    half = len(rows) // 2
    first, second = rows[:half], rows[half:]
    ranges = np.ptp(first, axis=0), np.ptp(second, axis=0)
    small, large = np.minimum(*ranges), np.maximum(*ranges)
    moved = np.abs(first.mean(axis=0) - second.mean(axis=0))
    return bool(((large < CLOSE) | ((small >= 0.5 * large) & (moved <= 0.25 * large))).all())
