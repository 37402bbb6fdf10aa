"""Noise: Ito equations dX_i = f_i(X, t) dt + b_i dW_i, one Wiener process a component, in steps of one length."""

import itertools
import math
import operator
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..systems.tree import Node
from ..systems.unroll import Flat
from . import members
from .exponents import with_whole_powers
from .scheme import Scheme, constants_of, normal_pairs, padded
from .scheme import scheme as scheme

#: Members a chunk: with fewer, calls cost more than arithmetic; with more, a block of draws no longer fits a cache.
FEWEST, MOST = 128, 1024
#: Numbers a member and block. A stream's calls should be long, as threads take turns between them.
BLOCK = 2304
#: What derives a noise's own streams from a seed, apart from other children of the same seed.
KEY = 1963


def spawn(rng: int | np.random.Generator, count: int) -> list[np.random.Generator]:
    """One stream of random numbers a member; member k's is the same however many are asked for.

    A seed gives streams of its own, apart from those of `SeedSequence(seed).spawn`; a Generator gives its next children.
    SFC64, since it is the fastest of numpy's for normal numbers.
    """
    if isinstance(rng, np.random.Generator):
        children = rng.bit_generator.seed_seq.spawn(count)
    else:
        children = np.random.SeedSequence(rng, spawn_key=(KEY,)).spawn(count)
    return [np.random.Generator(np.random.SFC64(child)) for child in children]


def solve(
    flat: Flat,
    diffusion: tuple[Node, ...],
    parameters: tuple[Node, ...],
    initial: np.ndarray,
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
) -> np.ndarray:
    """States (member, count, component) of a flow with noise, sample j at the time `start + (skip + j*stride)*step`.

    Starts from `initial` (member, component) with parameter `values`, (parameter,) or (member, parameter); the other
    arguments as in `scheme`. A member that blows up becomes inf or NaN, and leaves the others alone.

    A member's path depends on its own stream and nothing else: not on `workers` (threads, by default one a core) and not
    on other members. Afterwards each stream stands behind the steps done, so that a second call from the last states goes
    on as one longer call would (to the rounding of `start`, where time is in the equations). After an interrupt streams
    stand anywhere.

    `advanced(n)` hears of every n steps of members done, members * (skip + (count - 1)*stride) in all; from working
    threads, one at a time. Raises ValueError for arguments that do not fit together.
    """
    initial, values = np.asarray(initial, float), np.asarray(values, float)
    _check_shapes(flat, parameters, initial, values, streams)
    compiled = scheme(with_whole_powers(flat, values), tuple(diffusion), tuple(parameters), engine)
    grid = Grid(float(step), stride, count, skip, start)
    out = np.empty((len(initial), count, compiled.dimension))

    def run(chunk: slice) -> Iterator[int]:
        constants = values[chunk] if values.ndim == 2 else values
        return march(compiled, initial[chunk], constants, grid, streams[chunk], out[chunk])

    in_chunks(run, len(initial), workers, advanced)
    return out


def in_chunks(run: Callable[[slice], Iterator[int]], count: int, workers, advanced, most: int = MOST) -> None:
    """March so many members on threads, at most `most` together; `run(chunk)` yields how many steps it took each time."""
    turn, workers = threading.Lock(), workers or members.cores()

    def heard(chunk: slice, stopped: Callable[[], bool]) -> None:
        for done in run(chunk):
            if stopped():
                return
            if advanced is not None:
                with turn:
                    advanced(done)

    members.share(heard, _chunks(count, workers, most), workers)


# --- many steps ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Grid:
    """Steps of length `step` from time `start`, sampled after `skip` of them and then at every `stride`-th."""

    step: float
    stride: int
    count: int
    skip: int = 0
    start: float = 0.0

    def __post_init__(self):
        if not (math.isfinite(self.step) and self.step > 0):
            raise ValueError(f"step must be positive and finite, {self.step!r} given")
        for key, least in {"stride": 1, "count": 1, "skip": 0}.items():
            if operator.index(getattr(self, key)) < least:
                raise ValueError(f"{key} must be at least {least}, {getattr(self, key)} given")

    @property
    def steps(self) -> int:
        return self.skip + (self.count - 1) * self.stride

    def within(self, first: int, last: int) -> range:
        """The samples taken after step `first` and up to step `last`."""
        return range(max(0, -((self.skip - first - 1) // self.stride)), min(self.count, (last - self.skip) // self.stride + 1))


def march(scheme: Scheme, x, values, grid: Grid, streams, out, memory=None) -> Iterator[int]:
    """Take all steps of some members, writing samples into `out`; yields how many were taken after every block.

    A delay system's `memory` tells what its members were, and how many steps ahead it can; it is handed what they become.
    """
    lanes, block = padded(len(x)), max(1, BLOCK // scheme.rows)
    block = block if memory is None else min(block, memory.ahead)
    constants = constants_of(grid.step, values, len(x), lanes)
    table = np.zeros((block + 1, scheme.rows, lanes))  # what each step of a block reads; it writes its states into the next
    states, normals = table[:, : scheme.dimension], table[:, scheme.written : scheme.written + scheme.width]
    written = table[:, : scheme.written]
    states[0, :, : len(x)] = x.T
    # each member's numbers lie together as they are drawn; an odd number of lines apart, as caches want it for transposing
    drawn = np.zeros((lanes, 8 * (-(-block * scheme.width // 8) | 1)))
    scratch = np.empty((2, 2, lanes * block * len(scheme.noisy)))  # memory touched anew costs as much as what is done in it
    if grid.skip == 0:
        out[:, 0] = x
    for first in range(0, grid.steps, block):
        taken = min(block, grid.steps - first)
        numbers = drawn[:, : taken * scheme.width]
        for row, stream in zip(numbers, streams, strict=False):
            stream.random(out=row) if scheme.draws == 2 else stream.standard_normal(out=row)
        if scheme.draws == 2:  # pairs are made normal together, faster than one by one
            uniform, normal = scratch if taken == block else np.empty((2, 2, lanes * taken * len(scheme.noisy)))
            uniform.reshape(2, lanes, -1)[:] = numbers.reshape(lanes, -1, 2).transpose(2, 0, 1)
            pairs = normal_pairs(uniform, normal)
            shape = (taken, len(scheme.noisy), 2, lanes)
            normals[:taken].reshape(shape)[:] = pairs.reshape(2, lanes, taken, -1).transpose(2, 3, 0, 1)
        else:
            normals[:taken] = numbers.reshape(lanes, taken, scheme.width).transpose(1, 2, 0)
        if scheme.timed:
            table[:taken, -1] = (grid.start + grid.step * np.arange(first, first + taken))[:, None]
        if memory is not None:
            table[:taken, scheme.past] = memory.delayed(taken)
        for k in range(taken):
            scheme.move(table[k], constants, written[k + 1])
        if memory is not None:
            memory.keep(states[:taken], written[1 : taken + 1, scheme.dimension :])
        if found := grid.within(first, first + taken):
            early = grid.skip + found[0] * grid.stride - first
            out[:, found.start : found.stop] = states[early : taken + 1 : grid.stride, :, : len(x)].transpose(2, 0, 1)
            if memory is not None:
                memory.sampled(found, grid.skip + grid.stride * np.array(found))
        states[0] = states[taken]
        yield taken * len(x)


def _chunks(members: int, workers: int, most: int = MOST) -> list[slice]:
    """Members cut into as many equal parts for each worker as keep them small."""
    rounds = -(-members // (most * workers))
    parts = max(1, min(members // min(FEWEST, most), rounds * workers))
    ends = [members * k // parts for k in range(parts + 1)]
    return [slice(a, b) for a, b in itertools.pairwise(ends) if b > a]


def _check_shapes(flat: Flat, parameters, initial, values, streams) -> None:
    if flat.kind == "delay":
        raise ValueError("a delay system goes on from its past: noisy_delay.solve takes it")
    if initial.ndim != 2 or initial.shape[1] != len(flat.variables):
        raise ValueError(f"initial must have shape (member, {len(flat.variables)}), {initial.shape} given")
    members = len(initial)
    if values.shape not in ((len(parameters),), (members, len(parameters))):
        raise ValueError(
            f"values must have shape ({len(parameters)},) or ({members}, {len(parameters)}), one a parameter; {values.shape} given"
        )
    if len(streams) != members:
        raise ValueError(f"{members} members need a stream each, {len(streams)} given; spawn(rng, {members}) makes them")
