"""A sieve for quadratic flows: thousands at once, roughly, to find the few whose motion may be chaotic.

Nothing is compiled for a flow: its coefficients are numbers in arrays, and every operation runs over all members. What falls
through may be lost for no good reason (a step too rough, a start too far out), what stays is judged anew and exactly. Steps:
Dormand & Prince, J. Comput. Appl. Math. 6, 19 (1980), each member's of its own length.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..integrate.tableaux import tableau

#: A step's error, relative to the size of the state, and what counts as that size at least.
TOLERANCE, SMALL = 1e-5, 0.1
#: A motion of size about one is gone from here on.
FAR = 200.0
#: Steps before anything counts, while a rest is looked for, and beside a difference; looks every so many.
SETTLING, RESTING, GROWING, LOOK = 1500, 800, 4000, 50
#: A motion rests where it covers less than this part of its size.
STILL = 1e-2
#: A motion spreads where it gets so many times further in the second half of that.
SPREAD = 1.5
#: Of all variables each turns so often at least: one that does not has come to rest, or drifts.
FEWEST = 4
#: A turn takes so many steps at least and at most: what needs more has times of very different length.
TURN = (6, 150)
#: e-folds a turn that a difference must grow by, and after this part of its steps half as much.
LEAST, EARLY = 0.015, (0.2, 0.3, 0.5)


@lru_cache(maxsize=8)
def monomials(dimension: int) -> np.ndarray:
    """Powers (monomial, component) of 1, x, y, ..., x*x, x*y, ..."""
    rows = np.eye(dimension, dtype=int)
    pairs = [rows[i] + rows[j] for i in range(dimension) for j in range(i, dimension)]
    return np.array([np.zeros(dimension, int), *rows, *pairs])


@dataclass
class Herd:
    """Flows on their way: `numbers` tells which, `coefficients` (component, monomial, member), `x` (component, member), the next
    step `h`, the time `t`, and differences `w` beside the states once there are any."""

    numbers: np.ndarray
    coefficients: np.ndarray
    x: np.ndarray
    h: np.ndarray
    t: np.ndarray
    w: np.ndarray | None = None

    def keep(self, good: np.ndarray) -> None:
        """Go on with these alone."""
        for word, value in vars(self).items():
            if value is not None:
                setattr(self, word, value[..., good])

    def slopes(self, x: np.ndarray) -> np.ndarray:
        """Time derivatives of states, and of differences where there are any: (row, member)."""
        n = len(self.coefficients)
        left, right = _pairs(n)
        state = x[:n]
        terms = np.concatenate([np.ones_like(state[:1]), state, state[left] * state[right]])
        made = np.einsum("imb,mb->ib", self.coefficients, terms)
        if self.w is None:
            return made
        w = x[n:]
        terms = np.concatenate([np.zeros_like(w[:1]), w, state[left] * w[right] + w[left] * state[right]])
        return np.concatenate([made, np.einsum("imb,mb->ib", self.coefficients, terms)])

    def step(self) -> np.ndarray:
        """One attempt at a step of each member; which have moved."""
        method, n = tableau("dopri5"), len(self.x)
        start = self.x if self.w is None else np.concatenate([self.x, self.w])
        moves = [self.slopes(start)]
        for row in method.rows[1:]:
            new = start + self.h * _weighted(row, moves)
            moves.append(self.slopes(new))
        size = np.maximum(np.abs(start), np.abs(new))
        scale = SMALL * size[:n].max(axis=0) + size[:n] + 1e-12
        wrong = np.abs(_weighted(method.errors[0], moves)[:n] * self.h / scale).max(axis=0) / TOLERANCE
        wrong = np.where(np.isfinite(wrong), wrong, np.inf)
        good = wrong <= 1
        self.t = np.where(good, self.t + self.h, self.t)
        self.h = self.h * np.clip(0.9 * np.maximum(wrong, 1e-10) ** -0.2, 0.2, 5.0)
        self.x = np.where(good, new[:n], self.x)
        if self.w is not None:
            self.w = np.where(good, new[n:], self.w)
        return good


@lru_cache(maxsize=8)
def _pairs(dimension: int) -> tuple[np.ndarray, np.ndarray]:
    return np.triu_indices(dimension)


def _weighted(weights, moves) -> np.ndarray:
    return sum(weight * move for weight, move in zip(weights, moves, strict=False) if weight)


@dataclass(frozen=True)
class Sieved:
    """`fates` (member,): "may be chaotic", or why not; of those that may, by `numbers`: states, exponents and turns in time."""

    fates: np.ndarray
    numbers: np.ndarray
    states: np.ndarray
    exponents: np.ndarray
    periods: np.ndarray


def sieve(coefficients: np.ndarray, starts: np.ndarray) -> Sieved:
    """Which of the flows x' = sum of coefficients (member, component, monomial) times monomials may be chaotic from `starts`.

    Monomials are in the order of `monomials`. A turn is the mean time between crossings of a component's mean.
    """
    fates = np.full(len(starts), "may be chaotic", dtype="<U16")
    herd = Herd(
        np.arange(len(starts)),
        np.ascontiguousarray(np.moveaxis(coefficients, 0, 2)),
        starts.T.copy(),
        np.full(len(starts), 0.01),
        np.zeros(len(starts)),
    )

    def drop(bad: np.ndarray, fate: str) -> np.ndarray:
        fates[herd.numbers[bad]] = fate
        herd.keep(~bad)
        return ~bad

    with np.errstate(all="ignore"):
        for _ in range(SETTLING // LOOK):
            for _ in range(LOOK):
                herd.step()
            drop(_gone(herd), "escaping")
        middle = _resting(herd, drop)
        exponents, periods = _growing(herd, middle, drop)
    return Sieved(fates, herd.numbers, herd.x.T, exponents, periods)


def _gone(herd: Herd) -> np.ndarray:
    """Members far away, or whose steps have become too short to get anywhere."""
    return ~(np.abs(herd.x).max(axis=0) < FAR) | ~(herd.h > 1e-7)


def _resting(herd: Herd, drop) -> np.ndarray:
    """Drop those that rest; the means (component, member) of the others."""
    low, high, total, begin = herd.x.copy(), herd.x.copy(), np.zeros_like(herd.x), herd.t.copy()
    for _ in range(RESTING):
        before, t = herd.x, herd.t
        herd.step()
        np.minimum(low, herd.x, out=low)
        np.maximum(high, herd.x, out=high)
        total += (before + herd.x) / 2 * (herd.t - t)
    middle = total / (herd.t - begin)
    gone = _gone(herd)
    rests = ((high - low) < STILL * np.maximum(np.abs(high), np.abs(low)) + 1e-9).all(axis=0) & ~gone
    middle = middle[:, drop(gone, "escaping")]
    return middle[:, drop(rests[~gone], "fixed point")]


def _growing(herd: Herd, middle: np.ndarray, drop) -> tuple[np.ndarray, np.ndarray]:
    """Drop those whose differences do not grow; exponents and turns of the others."""
    herd.w = np.full(herd.x.shape, len(herd.x) ** -0.5)
    begin, half = herd.t.copy(), None
    grown, turns, peaks = np.zeros(herd.x.shape[1]), np.zeros(herd.x.shape), np.zeros((2, herd.x.shape[1]))
    looks = GROWING // LOOK
    checks = [int(part * looks) for part in EARLY]
    for look in range(looks):
        for _ in range(LOOK):
            before = herd.x
            herd.step()
            turns += (before < middle) & (herd.x >= middle)
            np.maximum(peaks[2 * look // looks], np.abs(herd.x).max(axis=0), out=peaks[2 * look // looks])
        size = np.sqrt((herd.w**2).sum(axis=0))
        herd.w = herd.w / size
        grown += np.log(size)
        if look + 1 == looks // 10:  # aligned
            begin, grown, turns = herd.t.copy(), np.zeros_like(grown), np.zeros_like(turns)
        early = look + 1 in checks
        if look + 1 == checks[-1]:
            half = grown.copy()
        gone = ~np.isfinite(grown) | _gone(herd)
        tame = (grown < LEAST / 2 * turns.max(axis=0)) & ~gone if early else np.zeros_like(gone)
        if gone.any() or tame.any():
            kept = drop(gone, "escaping")
            again = drop(tame[kept], "not chaotic")
            pick = lambda value, kept=kept, again=again: value if value is None else value[..., kept][..., again]
            middle, begin, half, grown, turns, peaks = map(pick, (middle, begin, half, grown, turns, peaks))
    count, time = turns.max(axis=0), herd.t - begin
    spreads = peaks[1] > SPREAD * peaks[0]
    kept = drop(spreads | (turns.min(axis=0) < FEWEST), "spreads")
    grown, half, count, time = (value[kept] for value in (grown, half, count, time))
    steps = (looks - looks // 10) * LOOK / np.maximum(count, 1)
    kept = drop((steps < TURN[0]) | (steps > TURN[1]), "too slow")
    grown, half, count, time = (value[kept] for value in (grown, half, count, time))
    tame = drop((grown < LEAST * count) | (grown - half < LEAST / 2 * count), "not chaotic")
    grown, count, time = (value[tame] for value in (grown, count, time))
    return grown / time, time / count
