"""What a motion was: polynomials in pieces of time, appended to, looked up, and forgotten when no lag reaches them."""

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np

#: Nodes of the polynomials that stand for a delayed state within a step. A Taylor step ends at a seventh of the distance to
#: the next singularity, where 12 are enough for all digits.
NODES = 16
#: Chebyshev coefficients below this, relative to the largest, are rounding.
ROUNDING = 2.0**-49
#: A piece of a given history this short, relative to the whole, holds a jump or a kink, and is left as it is.
SHORTEST = 2.0**-48
#: The last coefficients of a given history's polynomials, relative to its size.
ACCURATE = 1e-13
#: After this many looks at pieces of a given history it is known to be rough: single precision is then enough of it.
ROUGH, ROUGHLY = 4500, 1e-6
#: Looks after which it is given up.
MOST_LOOKS = 6200
#: Pieces that the given history is first cut into.
PIECES = 8


class HistoryError(ValueError):
    """A history that does not reach back far enough, or is not made of finite numbers."""


@lru_cache(maxsize=8)
def chebyshev(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nodes in (0, 1); the matrix from values there to Chebyshev coefficients; that from these to powers of u in [0, 1]."""
    turns = np.outer(2 * np.arange(count) + 1, np.arange(count)) % (4 * count)  # cosines of small angles lose no digits
    to_coefficients = 2 / count * np.cos(math.pi / (2 * count) * np.where(turns > 2 * count, 4 * count - turns, turns))
    to_coefficients[:, 0] /= 2
    to_powers = np.zeros((count, count))  # whole numbers, exact below 2^53
    previous, current = np.zeros(count), np.eye(count)[0]
    for k in range(count):
        to_powers[k] = current
        step = 2 * (2 * np.roll(current, 1) - current) if k else 2 * np.roll(current, 1) - current
        previous, current = current, step - previous
    return np.sin(math.pi / (4 * count) * (2 * np.arange(count)[::-1] + 1)) ** 2, to_coefficients, to_powers


def powers(values: np.ndarray, width: np.ndarray, accuracy: float, *, size=0.0, clock: float = 0.0):
    """Polynomials through values (..., component, node) on pieces of this width (..., component).

    Gives coefficients of powers of time since the piece began, and whether they converge, the last ones being below `accuracy`
    times the size of the component, or `size` where that is larger. The times of the values are rounded as numbers of the
    size `clock` are; nothing is made of what may come from that.
    """
    _, to_coefficients, to_powers = chebyshev(values.shape[-1])
    middle = values[..., values.shape[-1] // 2]
    coefficients = (values - middle[..., None]) @ to_coefficients  # less rounding where the values hardly change
    coefficients[..., 0] += middle
    sizes = np.abs(coefficients)
    others = (*range(values.ndim - 2), values.ndim - 1)
    largest = np.maximum(sizes.max(axis=others), 1e-300)
    steepness = np.median(np.abs(np.diff(values)), axis=-1) / width * (values.shape[-1] / 2)  # where it does not jump
    noise = ROUNDING * largest + 2.0**-51 * clock * steepness.max(axis=others[:-1])
    converged = sizes[..., -2:].max(axis=-1) <= np.maximum(accuracy * np.maximum(largest, size), noise)
    coefficients[sizes < noise[:, None]] = 0.0  # high derivatives would magnify it, and shorten every step
    scaled = coefficients @ to_powers
    units = width[..., None] ** np.arange(values.shape[-1])
    return np.divide(scaled, units, out=np.zeros_like(scaled), where=scaled != 0), converged


class Past:
    """Pieces of time, each with the coefficients (component, power) of time since it began.

    `breaks` are (time, order): where the motion's derivative of that order jumps. `coming` are those that lags will bring
    back. All times are counted from `origin`, which moves along, so that they are never rounded as large numbers are.
    """

    def __init__(self, edges, coefficients, breaks: list[tuple[float, int]], coming=(), origin: float = 0.0):
        self.edges, self.coefficients = np.array(edges, float), np.array(coefficients, float)
        self.first, self.count = 0, len(coefficients)
        self.breaks, self.coming, self.origin = list(breaks), list(coming), float(origin)

    @property
    def span(self) -> tuple[float, float]:
        """The times, from `origin`, between which the motion is known."""
        return float(self.edges[self.first]), float(self.edges[self.first + self.count])

    @property
    def now(self) -> float:
        """The time where the motion stands."""
        return self.origin + self.span[1]

    @property
    def size(self) -> float:
        """The largest of its states where pieces begin."""
        return float(np.abs(self.coefficients[self.first : self.first + self.count, :, 0]).max())

    @property
    def state(self) -> np.ndarray:
        """The last state (component,)."""
        last = self.first + self.count
        return _horner(self.coefficients[last - 1], self.edges[last] - self.edges[last - 1])

    def append(self, ends: np.ndarray, coefficients: np.ndarray) -> None:
        """Add pieces (piece, component, power) that end at `ends`, each beginning where the one before ends."""
        stop, more = self.first + self.count, len(coefficients)
        if stop + more > len(self.coefficients):
            self._make_room(more, coefficients.shape[-1])
            stop = self.count
        self.edges[stop + 1 : stop + 1 + more] = ends
        self.coefficients[stop : stop + more, :, : coefficients.shape[-1]] = coefficients
        self.coefficients[stop : stop + more, :, coefficients.shape[-1] :] = 0.0
        self.count += more

    def _make_room(self, more: int, width: int) -> None:
        kept = slice(self.first, self.first + self.count)
        capacity, old = 2 * (self.count + more), self.coefficients[kept]
        coefficients = np.zeros((capacity, old.shape[1], max(width, old.shape[2])))
        coefficients[: self.count, :, : old.shape[2]] = old
        edges = np.empty(capacity + 1)
        edges[: self.count + 1] = self.edges[self.first : self.first + self.count + 1]
        self.edges, self.coefficients, self.first = edges, coefficients, 0

    def forget(self, before: float) -> None:
        """Drop the pieces that end before this time."""
        edges = self.edges[self.first : self.first + self.count + 1]
        gone = min(int(np.searchsorted(edges, before, side="right")) - 1, self.count - 1)
        if gone > 0:
            self.first, self.count = self.first + gone, self.count - gone

    def rebase(self) -> None:
        """Move the origin to where the motion stands."""
        origin = self.origin + self.span[1]
        moved = origin - self.origin  # as it has been rounded
        kept = slice(self.first, self.first + self.count + 1)
        self.edges[kept] -= moved
        self.breaks, self.coming = ([(when - moved, order) for when, order in table] for table in (self.breaks, self.coming))
        self.origin = origin

    def copy(self, shift: float = 0.0) -> "Past":
        """The same past on its own, moved by `shift` in time."""
        kept = slice(self.first, self.first + self.count)
        edges = self.edges[self.first : self.first + self.count + 1]
        return Past(edges, self.coefficients[kept], self.breaks, self.coming, self.origin + shift)

    PARTS = ("edges", "coefficients", "breaks", "coming", "origin")

    def parts(self) -> dict[str, np.ndarray]:
        """All of it as arrays, from which `of` makes it again."""
        whole = self.copy()
        breaks = (np.array(table, float).reshape(-1, 2) for table in (whole.breaks, whole.coming))
        return dict(zip(self.PARTS, (whole.edges, whole.coefficients, *breaks, np.array(whole.origin)), strict=True))

    @classmethod
    def of(cls, parts: dict[str, np.ndarray]) -> "Past":
        """The past that `parts` were taken of."""
        edges, coefficients, *tables, origin = (parts[part] for part in cls.PARTS)
        return cls(edges, coefficients, *([(float(when), int(order)) for when, order in table] for table in tables), float(origin))

    def at(self, times: np.ndarray, components=slice(None)) -> np.ndarray:
        """The motion at times (...,), from `origin`, as (..., component), or (...,) for a single component."""
        kept = slice(self.first, self.first + self.count)
        place = np.searchsorted(self.edges[kept], times, side="right") - 1
        place = np.maximum(place, 0) + self.first
        since = times - self.edges[place]
        rows = self.coefficients[place, components]
        return _horner(rows, since if np.ndim(components) == 0 and not isinstance(components, slice) else since[..., None])


def _horner(rows: np.ndarray, since) -> np.ndarray:
    total = rows[..., -1]
    for power in range(rows.shape[-1] - 2, -1, -1):
        total = total * since + rows[..., power]
    return total


def constant(state: np.ndarray, reach: float, now: float) -> Past:
    """A motion that has rested at `state` (component,)."""
    return Past([-reach, 0], np.asarray(state, float)[None, :, None], [(0.0, 0)], origin=now)


def given(function: Callable, reach: float, now: float, dimension: int, *, accuracy: float = ACCURATE) -> Past:
    """The motion that a function of time s <= 0 before now, giving (component,), describes over `reach`.

    It is cut until polynomials agree with it; where none does, it jumps or has a kink, and the place is noted as a break.
    """
    nodes, size = chebyshev(NODES)[0], np.zeros(dimension)
    todo = [(-reach * (k + 1) / PIECES, -reach * k / PIECES) for k in range(PIECES)]
    edges, rows, breaks, looks = [-reach], [], [], 0
    while todo:
        low, high = todo.pop()
        values = np.array([np.reshape(np.asarray(function(float(s)), float), -1) for s in low + (high - low) * nodes])
        if values.shape != (NODES, dimension) or not np.isfinite(values).all():
            raise HistoryError(
                f"the history must give {dimension} finite numbers, one a component, at every time from {-reach:g} to 0; "
                f"between {low:.6g} and {high:.6g} it gives shape {values.shape[1:]}, {values[0]}"
            )
        size, looks = np.maximum(size, np.abs(values).max(axis=0)), looks + 1
        wanted = accuracy if looks < ROUGH else ROUGHLY
        coefficients, converged = powers(values.T, np.full(dimension, high - low), wanted, size=size, clock=reach)
        if looks > MOST_LOOKS:
            raise HistoryError(
                f"the history varies too fast, or is too rough, to be followed over {reach:g} time units "
                f"by {MOST_LOOKS:,} polynomials"
            )
        if not converged.all() and high - low < SHORTEST * reach:
            breaks.append((low, 0))
            coefficients[:, 0], coefficients[:, 1:] = values[0], 0.0  # one of its sides
        elif not converged.all():
            todo += [((low + high) / 2, high), (low, (low + high) / 2)]
            continue
        edges.append(high)
        rows.append(coefficients)
    return Past(edges, np.array(rows), [*breaks, (0.0, 0)], origin=now)


def sampled(times: np.ndarray, states: np.ndarray, reach: float, highest: int = 7) -> Past:
    """The motion through samples (time, component), joined by a spline of at most that degree, over `reach` before the last."""
    from scipy.interpolate import make_interp_spline

    if times[-1] - times[0] < reach * (1 - 1e-9):
        raise HistoryError(
            f"the longest lag is {reach:g}, and the history only covers {times[-1] - times[0]:g}; give a longer stretch"
        )
    degree = min(highest, len(times) - 1)
    degree -= 1 - degree % 2
    if degree < 1 or not np.isfinite(states).all():
        raise HistoryError(f"a history needs at least 2 samples, all of them finite; {len(times)} given")
    since = times - times[-1]
    spline = make_interp_spline(since, states, k=degree)
    edges = np.unique(spline.t)
    edges = edges[max(0, np.searchsorted(edges, -reach, side="right") - 1) :]
    powers_of_time = [spline(edges[:-1], nu=power) / math.factorial(power) for power in range(degree + 1)]
    return Past(edges, np.stack(powers_of_time, axis=-1), [(0.0, 1)], origin=float(times[-1]))
