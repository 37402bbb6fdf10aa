"""Delay systems with noise: dX_i = f_i(X(t), X(t - lag), t) dt + b_i dW_i, in steps of one length, no longer than any lag.

Each step leaves the piece of path that it made, and later steps look up their delayed states there, so that lags need not be
whole numbers of steps. Between two steps only the expected path is known (see `scheme`): the strong order is 1.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ..systems.emit import numpy_function
from ..systems.tree import Node
from ..systems.unroll import Flat
from .exponents import with_whole_powers
from .noise import BLOCK, MOST, Grid, in_chunks, march
from .past import Past, constant
from .scheme import PIECE, PLACES, padded, scheme

#: Times closer than this part of a step are one.
SAME = 1e-9
#: Numbers that are remembered of members that go together, at most: 64 MB.
REMEMBERED = 2**23


class Moved(NamedTuple):
    """States (member, count, component), delayed states (member, count, delay) where they were wanted, and pasts to go on from."""

    states: np.ndarray
    delayed: np.ndarray | None
    pasts: list[Past]


def solve(
    flat: Flat,
    diffusion: tuple[Node, ...],
    parameters: tuple[Node, ...],
    initial: np.ndarray | Sequence[Past],
    values: np.ndarray,
    *,
    step: float,
    stride: int,
    count: int,
    skip: int = 0,
    start: float = 0.0,
    streams: Sequence[np.random.Generator],
    workers: int | None = None,
    advanced: Callable[[int], None] | None = None,
    engine: str | None = None,
    delayed: bool = False,
) -> Moved:
    """As `noise.solve`, from a past for each member, or states (member, component) that have been there for ever.

    A second call from the pasts that are given back goes on as one longer call would, to rounding. Delayed states are given at
    the samples if wanted. Raises ValueError also where lags differ by member, or are shorter than a step.

    The strong order is 1, with noise that is added or that depends on its own component; with lags of whole numbers of steps
    errors are smaller.
    """
    values = np.asarray(values, float)
    lags, dimension = shared_lags(flat, parameters, values), len(flat.variables)
    pasts = [past if isinstance(past, Past) else constant(past, lags.max(), start) for past in initial]
    _check(flat, parameters, pasts, values, streams, lags, step)
    compiled = scheme(with_whole_powers(flat, values), tuple(diffusion), tuple(parameters), engine)
    grid, components = Grid(float(step), stride, count, skip, start), [delay.component for delay in flat.delays]
    out = np.empty((len(pasts), count, dimension))
    seen = np.empty((len(pasts), count, len(lags))) if delayed else None

    def run(chunk: slice) -> Iterator[int]:
        memory = Memory(pasts[chunk], components, lags / step, step, dimension, None if seen is None else seen[chunk])
        if grid.skip == 0:
            memory.sampled(range(1), np.zeros(1))
        states = np.array([past.state for past in pasts[chunk]])
        yield from march(compiled, states, values[chunk] if values.ndim == 2 else values, grid, streams[chunk], out[chunk], memory)
        pasts[chunk] = memory.pasts_now()

    most = max(1, min(MOST, int(REMEMBERED / (8 * dimension * (lags.max() / step + 1)))))
    in_chunks(run, len(pasts), workers, advanced, most)
    return Moved(out, seen, pasts)


def shared_lags(flat: Flat, parameters: Sequence[Node], values: np.ndarray) -> np.ndarray:
    """Lags (delay,) at parameter values, (parameter,) or (member, parameter); raises ValueError where they differ by member."""
    rows = np.atleast_2d(values)
    found = numpy_function(tuple(delay.lag for delay in flat.delays), tuple(parameters))(list(rows.T))
    lags = np.stack([np.broadcast_to(lag, len(rows)) for lag in found], axis=1)
    if not (np.isfinite(lags) & (lags > 0)).all():
        raise ValueError(f"every lag must be positive and finite; they are {lags[~((lags > 0).all(axis=1))][:1].tolist()}")
    if len(lags) and (lags != lags[0]).any():
        other = int((lags != lags[0]).any(axis=1).argmax())
        raise ValueError(
            f"members of a delay system with noise take their steps together and must have the same lags; those of member 0 are "
            f"{lags[0].tolist()}, those of member {other} {lags[other].tolist()}. Simulate each lag on its own"
        )
    return lags[0]


class Memory:
    """What some members were: before the start their pasts, after it a piece a step, of which the latest are kept.

    Times are counted in steps from the start; `lags` are in steps.
    """

    def __init__(self, pasts: Sequence[Past], components: Sequence[int], lags: np.ndarray, step: float, dimension: int, seen):
        self.pasts, self.components, self.lags, self.step, self.seen = pasts, components, lags, step, seen
        self.begins, self.lanes = [past.span[1] for past in pasts], padded(len(pasts))
        self.ahead = int(min(lags.min() + SAME, BLOCK))
        self.needed = math.ceil(lags.max()) + 1
        self.pieces = np.empty((self.needed + self.ahead, 1 + len(PIECE), dimension, self.lanes))
        self.done = 0

    def delayed(self, steps: int) -> np.ndarray:
        """Delayed states over the next steps: (step, delay and place, lane)."""
        times = self.done + np.arange(2 * steps + 1) / 2
        rows = np.empty((steps, len(self.lags), len(PLACES), self.lanes))
        for k, (lag, component) in enumerate(zip(self.lags, self.components, strict=True)):
            values = self.at(times - lag, component)
            for place in range(len(PLACES)):
                rows[:, k, place] = values[place : place + 2 * steps - 1 : 2]
        return rows.reshape(steps, -1, self.lanes)

    def keep(self, states: np.ndarray, rest: np.ndarray) -> None:
        """Remember steps: where they begin, (step, component, lane), and the rest of their pieces, (step, row, lane)."""
        slots = (self.done + np.arange(len(states))) % len(self.pieces)
        self.pieces[slots, 0] = states
        self.pieces[slots, 1:] = rest.reshape(len(rest), len(PIECE), *states.shape[1:])
        self.done += len(states)

    def at(self, times: np.ndarray, component: int) -> np.ndarray:
        """What a component was at these times: (time, lane)."""
        early, values = times <= SAME, np.zeros((len(times), self.lanes))
        if early.any():
            for k, (past, begin) in enumerate(zip(self.pasts, self.begins, strict=True)):
                values[early, k] = past.at(begin + self.step * times[early], component)
        late = times[~early]
        place = np.minimum(late.astype(int), self.done - 1)
        rows, since = self.pieces[place % len(self.pieces), :, component], (late - place)[:, None]
        with np.errstate(all="ignore"):  # members that have left may do so as they like
            values[~early] = rows[:, 0] + since * (rows[:, 1] + since * (rows[:, 2] + since * rows[:, 3]))
        return values

    def sampled(self, samples: range, times: np.ndarray) -> None:
        """Note the delayed states of samples, if they are wanted."""
        if self.seen is None:
            return
        for k, (lag, component) in enumerate(zip(self.lags, self.components, strict=True)):
            self.seen[:, samples.start : samples.stop, k] = self.at(times[: len(samples)] - lag, component)[:, : len(self.pasts)].T

    def pasts_now(self) -> list[Past]:
        """The members' pasts where they stand now, as far back as the longest lag; every step's end is a break."""
        kept = min(self.done, self.needed)
        if not kept:
            return [past.copy() for past in self.pasts]
        numbers = np.arange(self.done - kept, self.done)
        rows = self.pieces[numbers % len(self.pieces)] / self.step ** np.arange(1.0 + len(PIECE))[:, None, None]
        found = []
        for k, (old, begin) in enumerate(zip(self.pasts, self.begins, strict=True)):
            edges, pieces = begin + self.step * np.append(numbers, self.done), rows[..., k].transpose(0, 2, 1)
            past = old.copy() if kept == self.done else Past(edges, pieces, [], origin=old.origin)
            if kept == self.done:
                past.append(edges[1:], pieces)
            past.forget(past.span[1] - self.step * self.lags.max())
            past.breaks += [(edge, 1) for edge in edges.tolist()]
            past.breaks, past.coming = [entry for entry in past.breaks if entry[0] >= past.span[0]], []
            past.rebase()
            found.append(past)
        return found


def _check(flat: Flat, parameters, pasts, values, streams, lags, step) -> None:
    if values.shape not in ((len(parameters),), (len(pasts), len(parameters))):
        shapes = f"({len(parameters)},) or ({len(pasts)}, {len(parameters)})"
        raise ValueError(f"values must have shape {shapes}, one a parameter; {values.shape} given")
    wrong = next((past for past in pasts if past.coefficients.shape[1] != len(flat.variables)), None)
    if wrong is not None:
        raise ValueError(f"a past must have {len(flat.variables)} components, {wrong.coefficients.shape[1]} given")
    if len(streams) != len(pasts):
        raise ValueError(f"{len(pasts)} members need a stream each, {len(streams)} given; spawn(rng, {len(pasts)}) makes them")
    if step > lags.min() * (1 + SAME):
        raise ValueError(f"steps are no longer than the shortest lag, {lags.min():g}; step = {step!r} given")
    short = next((past for past in pasts if past.span[1] - past.span[0] < lags.max() * (1 - SAME)), None)
    if short is not None:
        raise ValueError(f"the longest lag is {lags.max():g}, and a past only covers {short.span[1] - short.span[0]:g}")
