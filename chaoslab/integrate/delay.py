"""Delay differential equations by Taylor steps.

Up to the shortest lag ahead, every delayed state is already known: it is a polynomial in pieces, and within one piece the
equations are those of a flow that is driven by polynomials of time, handed over as run-time values (the method of steps;
Bellen & Zennaro, Numerical Methods for Delay Differential Equations, 2003). A jump of a derivative at time b, as at the end
of the given history or at a switch, comes back one order higher at b + lag; pieces end there.
"""

import math
from dataclasses import replace
from functools import lru_cache

import numpy as np

from ..systems.system import System
from ..systems.tree import Node, name
from ..systems.unroll import Flat, substitute
from .crossing import Leg, Walk
from .exponents import with_whole_powers
from .past import NODES, HistoryError, Past, chebyshev, powers
from .switching import Switched, switched
from .taylor import GROWN

#: Pieces computed at once.
BLOCK = 256
#: Delayed states are followed to a tenth of the tolerance, but not beyond this.
FINEST = 2.0**-47
#: More pieces than this at once mean that nothing more can be told apart from rounding.
MOST_PIECES = 100 * BLOCK
#: First guess of a piece, as a part of the shortest lag.
FIRST = 1 / 8
#: Pieces grow by this factor where polynomials follow the delayed states, and shrink by twice as much where one does not.
CHANGE = 1.25
#: Orders up to which jumps of derivatives are followed: a step does not feel higher ones.
HIGHEST_ORDER = 15
#: Combinations of lags that are followed at most.
MOST_BREAKS = 2000
#: Two breaks closer than this part of the shortest lag are one.
SAME = 1e-10
#: Where in a piece a walk across switching surfaces looks for switches that it missed.
LOOKS = np.arange(1, 9) / 8
#: A step is this part of the radius that a coefficient gives.
SAFE = 0.135
#: A piece is not cut below this part of the shortest lag.
SHORTEST = 1e-9


@lru_cache(maxsize=256)
def driven(flat: Flat) -> Switched:
    """The flow within one piece; its own time begins at 0 there, and `begin` is when that is."""
    begin, now = name("begin of piece"), name("t")
    coefficients = tuple(tuple(name(f"past {delay} to the {power}") for power in range(NODES)) for delay in range(len(flat.delays)))
    rhs = substitute(flat.rhs, {now: Node("+", now, begin)})
    put_in = {}
    for delay, row in zip(flat.delays, coefficients, strict=True):
        value = row[-1]
        for coefficient in reversed(row[:-1]):  # Horner: powers of a time that is zero have no logarithm
            value = Node("+", coefficient, Node("*", now, value))
        put_in[delay.symbol] = value
    parameters = (*flat.parameters, begin, *sum(coefficients, ()))
    flow = replace(flat, kind="flow", rhs=tuple(substitute(rhs, put_in)), parameters=parameters, delays=())
    return switched(flow)


class Orbit:
    """One motion of a delay system, from a past that it goes on from.

    `past` grows as the motion does, and is all that is needed to go on; `t` is where it stands.
    """

    def __init__(self, system: System, past: Past, values: np.ndarray, make, tolerance: float):
        self.flow, self.make = driven(with_whole_powers(system.flat, values)), make
        self.past, self.tolerance = past, tolerance
        self.size = min(1.0, past.size)  # steps are held to the tolerance where the motion is this small, not to a part of it
        self.accuracy = max(tolerance / 10, FINEST, make(self.flow.equations()).dense_accuracy)
        self.components = [delay.component for delay in system.flat.delays]
        self.lags = system.lags_at(values)
        self.values = np.concatenate([values, [0.0], np.zeros(len(self.lags) * NODES)])
        self.own = len(values)
        self.shortest, self.longest = float(self.lags.min()), float(self.lags.max())
        self.length = FIRST * self.shortest
        self.highest = _highest_order(len(set(self.lags.tolist())))
        begin, end = past.span
        if end - begin < self.longest * (1 - 1e-9):
            raise HistoryError(
                f"the longest lag of {system.label} is {self.longest:g}, and its history only covers {end - begin:g}"
            )
        past.coming += [(when + lag, order + 1) for when, order in past.breaks for lag in self.lags]
        past.breaks = []
        self.failed, self.message = not np.isfinite(past.coefficients[past.first : past.first + past.count]).all(), ""
        self.stepper = make(self.flow.equations()) if self.flow.smooth and not self.flow.watched else None

    @property
    def t(self) -> float:
        """The time, counted from the origin of the past."""
        return self.past.span[1]

    def run(self, times: np.ndarray, states: np.ndarray, delayed: np.ndarray | None = None) -> float | None:
        """Write the states (time, component) at ascending `times`, and delayed states (time, delay) if wanted.

        Gives the time of failure, or None.
        """
        row = 0
        while True:
            since = times[row:] - self.past.origin
            seen = int(np.searchsorted(since, self.t, side="right"))
            if seen:
                states[row : row + seen] = self.past.at(since[:seen])
                if delayed is not None:
                    for k, (component, lag) in enumerate(zip(self.components, self.lags, strict=True)):
                        delayed[row : row + seen, k] = self.past.at(since[:seen] - lag, component)
                row += seen
            if row == len(times) or self.failed:
                states[row:] = np.nan
                return self.past.now if self.failed else None
            self.past.forget(self.t - self.longest)
            if self.t > self.longest:
                self.past.rebase()
            self.block(times[-1] - self.past.origin)

    def block(self, end: float) -> None:
        """Go on by as many pieces as the past allows, at most up to the time `end`."""
        begins, widths, rows = self.delayed_polynomials(*self.mesh(end))
        longest = math.inf
        while True:
            ends, segments = self.pieces(begins, widths, rows, longest)
            if not segments:
                return
            ends, segments = np.array(ends), np.array(segments)
            allowed = sound_length(np.diff(ends, prepend=begins[0]), segments) if self.stepper else math.inf
            if allowed == math.inf or allowed >= longest:
                break
            longest, self.failed = allowed, False
        self.past.append(ends, segments)
        self.keep_breaks()

    def pieces(self, begins, widths, rows, longest: float) -> tuple[list[float], list[np.ndarray]]:
        """Ends and coefficients of the segments over these pieces, up to where the motion ends."""
        x, ends, segments = self.past.state, [], []
        for begin, width, row in zip(begins.tolist(), widths.tolist(), rows, strict=True):
            made, self.failed = self.piece(begin, width, row, x, longest)
            ends += [begin + stop for _, stop, _ in made]
            segments += [coefficients for _, _, coefficients in made]
            if self.failed or not made:
                self.failed = True
                break
            ends[-1] = begin + width
            x = self.last
        return ends, segments

    def mesh(self, end: float) -> tuple[np.ndarray, np.ndarray]:
        """Begins and widths of the next pieces: of about equal length, ending at every break."""
        t = self.t
        ahead = min(self.shortest, end - t, BLOCK * self.length)
        near = SAME * self.shortest
        stops = sorted({when for when, _ in self.past.coming if t + near < when < t + ahead - near} | {t + ahead})
        edges = [t]
        for stop in stops:
            if stop - edges[-1] > near or stop == stops[-1]:
                parts = max(1, math.ceil((stop - edges[-1]) / self.length - 1e-9))
                start = edges[-1]
                edges += [start + (stop - start) * (k / parts) for k in range(1, parts)] + [stop]
        return np.array(edges[:-1]), np.diff(edges)

    def delayed_polynomials(self, begins, widths) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The pieces, cut further where a polynomial cannot follow a delayed state, and coefficients (piece, delay, power)."""
        nodes = chebyshev(NODES)[0]
        while True:
            times = begins[:, None] + widths[:, None] * nodes
            values = np.stack(
                [self.past.at(times - lag, component) for component, lag in zip(self.components, self.lags, strict=True)], axis=1
            )
            rows, converged = powers(
                values,
                np.broadcast_to(widths[:, None], values.shape[:2]),
                self.accuracy,
                size=max(self.size, self.past.size),
                clock=self.longest,
            )
            bad = ~converged.all(axis=1) & (widths > SHORTEST * self.shortest)
            if len(begins) > MOST_PIECES:
                self.failed, self.message = True, f"varies too fast to be followed at t = {self.past.now:.6g}"
                return begins[:0], widths[:0], rows[:0]
            if not bad.any():
                self.length = min(self.length * CHANGE, self.shortest)
                return begins, widths, rows
            if 2 * bad.sum() > len(bad):  # a kink needs short pieces, but only where it is
                self.length = max(self.length / CHANGE**2, SHORTEST * self.shortest)
            end = begins[-1] + widths[-1]
            begins = np.sort(np.concatenate([begins, begins[bad] + widths[bad] / 2]))
            widths = np.diff(np.append(begins, end))

    def piece(self, begin: float, width: float, row: np.ndarray, x: np.ndarray, longest: float):
        """Taylor segments (begin, end, coefficients) over one piece, timed from its begin, and whether the motion ended."""
        self.values[self.own] = self.past.origin + begin
        self.values[self.own + 1 :] = row.ravel()
        if self.stepper is not None:
            segments, leg = self.stepper.dense(0.0, x, self.values, width, longest)
            self.last = leg.x
            return segments, leg.failed
        recorder = Recorder(self.make)
        walk = Walk(self.flow, recorder.stepper, self.values, self.tolerance)
        out, end = walk.run(x, width * LOOKS, 0.0)
        self.past.coming += [(begin + when + lag, 1) for when in recorder.switches for lag in self.lags]
        self.last, self.message = out[-1], walk.message
        return recorder.segments, end is not None

    def keep_breaks(self) -> None:
        """Follow the breaks that have been passed to where they come back, and join those that coincide."""
        now = self.t + SAME * self.shortest
        ahead = [entry for entry in self.past.coming if entry[0] > now]
        passed = [entry for entry in self.past.coming if entry[0] <= now and entry[1] < self.highest]
        ahead += [(when + lag, order + 1) for when, order in passed for lag in self.lags]
        coming = self.past.coming = []
        for when, order in sorted(ahead):
            if coming and when - coming[-1][0] < SAME * self.shortest:
                coming[-1] = (coming[-1][0], min(order, coming[-1][1]))
            else:
                coming.append((when, order))


class Recorder:
    """Steppers that keep the Taylor segments of what they do, for a walk across switching surfaces."""

    def __init__(self, make):
        self.make, self.segments, self.switches = make, [], []

    def stepper(self, equations) -> "_Recording":
        return _Recording(self, self.make(equations))

    def keep(self, t: float, segments: list) -> None:
        """Add segments from t on, in place of any that were made before and taken back."""
        while self.segments and self.segments[-1][0] >= t:
            self.segments.pop()
        if self.segments:
            begin, end, coefficients = self.segments[-1]
            self.segments[-1] = begin, min(end, t), coefficients
        self.segments += segments


class _Recording:
    """One of them."""

    def __init__(self, recorder: Recorder, inner):
        self.recorder, self.inner = recorder, inner

    def restart(self) -> None:
        self.inner.restart()

    def advance(self, t: float, x, values, times) -> Leg:
        segments, leg = self.inner.dense(t, x, values, float(times[-1]))
        self.recorder.keep(t, segments)
        if leg.event is not None:
            self.recorder.switches.append(leg.t)
        rows = []
        for time in times:
            if time > leg.t or not segments:
                break
            begin, _, coefficients = next(part for part in reversed(segments) if part[0] <= time)
            rows.append([np.polynomial.polynomial.polyval(time - begin, row) for row in coefficients])
        return leg._replace(rows=np.array(rows).reshape(-1, len(x)))


def sound_length(lengths: np.ndarray, segments: np.ndarray) -> float:
    """A bound for steps where some were too long, else infinity.

    A step is chosen by the last two coefficients of its series; where these vanish, as for x' = 1 + x^8 at 0, it has no bound
    but the piece's end, though earlier coefficients give one (Jorba & Zou, 2005).
    """
    order, states = segments.shape[-1] - 1, np.abs(segments[:, :, 0]).max(axis=1)
    with np.errstate(invalid="ignore"):  # what has left may do so as it likes
        here = np.isfinite(segments).all(axis=(1, 2)) & (states <= GROWN * max(1.0, states[0]))
    lengths, segments = lengths[here], segments[here]
    if not len(segments):
        return math.inf
    orders = np.arange(order // 2, order + 1)
    sizes = np.abs(segments[:, :, orders]).max(axis=1)
    largest = np.maximum(1.0, np.abs(segments[:, :, 0]).max(axis=1))
    with np.errstate(all="ignore"):
        radii = SAFE * np.nanmin((largest[:, None] / sizes) ** (1 / orders), axis=1)
    wrong = lengths > 2 * radii
    return float(radii[wrong].min()) if wrong.any() else math.inf


def _highest_order(lags: int) -> int:
    """The order up to which breaks are followed, so that the sums of this many lags stay countable."""
    order = HIGHEST_ORDER
    while order > 4 and math.comb(lags + order, lags) > MOST_BREAKS:
        order -= 1
    return order
