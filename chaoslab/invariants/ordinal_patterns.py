"""Counting ordinal patterns: the order of values in every window of a series, as one whole number."""

import itertools
import math
from functools import lru_cache

import numpy as np

from ..trajectories.grid import whole

#: Pattern lengths that are told apart here: 5,040 patterns of 7 values, and at 8 hardly a series is long enough.
LENGTHS = range(2, 8)
#: Pieces of time in which patterns are counted, and windows that are handled at once.
PIECES, CHUNK = 32, 2**16


def checked_length(length) -> int:
    if whole(length, "length, of a pattern,") not in LENGTHS:
        raise ValueError(f"patterns of {LENGTHS[0]} to {LENGTHS[-1]} values are told apart; length={length!r} given")
    return int(length)


def checked_lags(lag) -> list[int]:
    lags = [whole(one, "lag, in samples,") for one in np.atleast_1d(np.asarray(lag, dtype=object))] if np.ndim(lag) < 2 else []
    if not lags or len(set(lags)) < len(lags):
        raise ValueError(f"lag is a whole number of samples, or several that differ; {lag!r} given")
    return lags


def checked_span(rows: np.ndarray, length: int, lag: int) -> None:
    """Raises ValueError where no row (series, time) has a window of patterns, or all are constant."""
    span, (_, count) = (length - 1) * lag, rows.shape
    if count <= span:
        raise ValueError(f"the series is too short: {length} values {lag} samples apart need {span + 1} samples; it has {count}")
    if not np.isfinite(rows).any():
        raise ValueError("the series has no sample that is finite")
    if not moving(rows).any():
        raise ValueError("the series is constant; its values have no order")
    if not _whole_windows(rows, length, lag).any():
        raise ValueError(f"gaps leave no window of {length} values {lag} samples apart; shorten either, or fill the gaps")


def moving(rows: np.ndarray) -> np.ndarray:
    """Which rows are not constant."""
    good = np.isfinite(rows)
    return np.max(rows, axis=1, initial=-np.inf, where=good) > np.min(rows, axis=1, initial=np.inf, where=good)


def _whole_windows(rows: np.ndarray, length: int, lag: int) -> np.ndarray:
    """Which windows of (series, time) touch no gap."""
    good, count = np.isfinite(rows), rows.shape[1] - (length - 1) * lag
    return np.logical_and.reduce([good[:, k * lag : k * lag + count] for k in range(length)])


def codes(rows: np.ndarray, length: int, lag: int) -> np.ndarray:
    """The pattern that begins at each sample of (series, time), as its place in the alphabetical order of `labels`.

    A digit of the code (Lehmer's) is how many later values of the window are smaller; it takes the comparisons at each
    distance once for all windows. Equal values count as rising.
    """
    count = rows.shape[1] - (length - 1) * lag
    smaller, after = np.zeros(rows.shape, np.uint8), []
    for k in range(1, length):
        smaller = smaller.copy()
        smaller[:, : -k * lag] += rows[:, : -k * lag] > rows[:, k * lag :]
        after.append(smaller)
    code = np.zeros((len(rows), count), np.uint16)
    for place in range(length - 1):
        code *= length - place
        code += after[length - 2 - place][:, place * lag : place * lag + count]
    return code


def _tied(rows: np.ndarray, length: int, lag: int) -> np.ndarray:
    """Which windows hold equal values."""
    count = rows.shape[1] - (length - 1) * lag
    tied = np.zeros((len(rows), count), bool)
    for k in range(1, length):
        equal = rows[:, : -k * lag] == rows[:, k * lag :]
        for place in range(length - k if equal.any() else 0):
            tied |= equal[:, place * lag : place * lag + count]
    return tied


@lru_cache(maxsize=8)
def labels(length: int) -> tuple[str, ...]:
    """All patterns in alphabetical order; digit k is the rank of the k-th value, from 1 for the least."""
    return tuple("".join(map(str, ranks)) for ranks in itertools.permutations(range(1, length + 1)))


def block_counts(rows: np.ndarray, length: int, lag: int, ties: str = "time", rng=None) -> tuple[np.ndarray, np.ndarray]:
    """How often each pattern begins in each of `PIECES` of time, (series, block, pattern), and the tied windows."""
    states, blocks, (series, samples) = math.factorial(length), PIECES, rows.shape
    count, span = samples - (length - 1) * lag, (length - 1) * lag
    edges = np.linspace(0, count, blocks + 1).astype(int)
    counts, tied = np.zeros((series, blocks * states), np.int64), np.zeros(series, np.int64)
    ordered = _ranked(rows, rng) if ties == "random" else rows
    for first in range(0, count, CHUNK):
        last = min(first + CHUNK, count)
        part = slice(first, last + span)
        code = codes(ordered[:, part], length, lag)
        equal, gaps = _tied(rows[:, part], length, lag), not np.isfinite(rows[:, part]).all()
        kept = _whole_windows(rows[:, part], length, lag) if gaps else np.ones(code.shape, bool)
        tied += (equal & kept).sum(axis=1)
        kept &= ~equal if ties == "drop" else True
        start = np.repeat(np.arange(blocks) * states, np.diff(np.clip(edges, first, last)))
        for k in range(series):
            cell = start + code[k]
            counts[k] += np.bincount(cell if kept[k].all() else cell[kept[k]], minlength=blocks * states)
    return counts.reshape(series, blocks, states), tied


def _ranked(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Places in the order of values, equal ones in an order drawn at random."""
    order = np.lexsort((rng.random(rows.shape), rows), axis=1)
    ranks = np.empty(rows.shape)
    np.put_along_axis(ranks, order, np.arange(rows.shape[1], dtype=float)[None], axis=1)
    return ranks
