"""Zeros of a function along motions in polynomial pieces: all of them, located to rounding.

On every piece the function is expanded in Chebyshev polynomials. A piece whose first coefficient outweighs all others has no
zero; one whose second outweighs the others' slopes has at most one; any other is halved. So no pair of zeros is stepped over,
unless both lie within 1e-8 of a step.
"""

from dataclasses import dataclass

import numpy as np
from numpy.polynomial import chebyshev

from ..systems.calculus import gradients
from ..systems.emit import numpy_function
from ..systems.tree import ZERO, Node, name, walk
from ..systems.unroll import Flat
from .pieces import Stretch

#: Points of a piece where the function is evaluated, ends included: a Taylor step ends so far from the next singularity that 12
#: are enough for all digits.
NODES = 12
LOBATTO = -np.cos(np.pi * np.arange(NODES) / (NODES - 1))
TO_CHEBYSHEV = np.linalg.inv(chebyshev.chebvander(LOBATTO, NODES - 1))
#: No slope of the k-th polynomial is steeper than k^2.
STEEPEST = np.arange(NODES) ** 2
#: Last coefficients this small, relative to the largest, show that the function is followed; a piece is halved else.
FOLLOWED = 1e-7
#: Halvings, after which what is left is a touch, a kink or a jump; and how many times the pieces may become more.
DEEPEST, MOST = 26, 256
#: Below this part of what the state's size is worth in it, the function is zero: a switch leaves states that far behind.
NOTHING = 4e-13
#: Where the function is still this large, in the same unit, it jumps through zero.
JUMP = 1e-9
#: Newton steps for a zero, at most; far fewer are needed where a piece has a single one.
STEPS = 60


def rate(component: int) -> Node:
    """The name that stands for a component's time derivative in a surface."""
    return name(f"rate of {component}")


@dataclass
class Zeros:
    """Crossings of a stretch in the order of members and times, and by member the function's last sign and its range."""

    member: np.ndarray
    time: np.ndarray
    state: np.ndarray
    direction: np.ndarray
    residual: np.ndarray
    sign: np.ndarray
    low: np.ndarray
    high: np.ndarray


class Function:
    """A surface's function along polynomial pieces."""

    def __init__(self, flat: Flat, tree: Node, corners: bool):
        used = set(walk(tree))
        rates = tuple(rate(k) for k in range(len(flat.variables)))
        self.states = [k for k, node in enumerate(flat.variables) if node in used]
        self.rates = [k for k, node in enumerate(rates) if node in used]
        self.parameters = [k for k, node in enumerate(flat.parameters) if node in used]
        pick = lambda nodes, places: tuple(nodes[k] for k in places)
        moving = pick(flat.variables, self.states) + pick(rates, self.rates)
        fixed = pick(flat.parameters, self.parameters)
        slopes = gradients([tree], (*moving, *fixed, name("t")))[0]
        self.function = numpy_function((tree,), moving + fixed)
        self.worths = numpy_function(tuple(slopes.get(node, ZERO) for node in (*moving, *fixed, name("t"))), moving + fixed)
        self.corners = corners

    def zeros(self, made: Stretch, values: np.ndarray, signs: np.ndarray) -> Zeros:
        """All crossings of a stretch, where the function last had these signs (member,)."""
        count, pieces = made.coefficients.shape[2:]
        along = _Along(self, made, np.repeat(values[:, self.parameters].T, pieces, axis=1))
        cells, low, high = self._cells(along)
        owner = cells.piece // pieces
        place, at_end, direction, signs = _changes(cells.signs, owner, signs)
        inside, found = at_end == 2, cells.at(place)
        x = np.where(at_end == 0, -1.0, 1.0)
        c = TO_CHEBYSHEV @ along.values(found)
        x[inside] = _roots(c[:, inside])
        slope = chebyshev.chebval(x, chebyshev.chebder(c), tensor=False) * 2 / found.size if len(x) else x
        state, time, residual = along.polished(found, found.low + found.size * (x + 1) / 2, slope)
        real = np.abs(residual) <= JUMP * along.worth(found)
        real |= self.corners
        low, high = low.reshape(count, pieces).min(axis=1), high.reshape(count, pieces).max(axis=1)
        return Zeros(owner[place][real], time[real], state[real], direction[real], residual[real], signs, low, high)

    def _cells(self, along: "_Along") -> tuple["_Cells", np.ndarray, np.ndarray]:
        """Parts of pieces in which the function has one zero at most, in the order of time, and its range on each piece."""
        done, here = [], _Cells(np.arange(len(along.widths)), np.zeros(len(along.widths)), np.ones(len(along.widths)), None)
        for depth in range(DEEPEST + 1):
            values = along.values(here, whole=depth == 0)
            if depth == 0:
                low, high = values.min(axis=0), values.max(axis=0)
            here.signs = np.sign(values[[0, -1]])
            c = TO_CHEBYSHEV @ values
            sizes = np.abs(c)
            unsure = np.maximum(sizes[-1], sizes[-2])
            followed = unsure <= FOLLOWED * sizes.max(axis=0)
            settled = followed & (2 * sizes[0] > sizes.sum(axis=0) + 10 * unsure)
            near = np.flatnonzero(~settled)
            if len(near):
                nothing = np.abs(values[:, near]) <= NOTHING * along.worth(here.at(near))
                here.signs[:, near] = np.where(nothing[[0, -1]], 0.0, here.signs[:, near])
                single = followed[near] & (2 * sizes[1, near] > STEEPEST @ sizes[:, near])
                settled[near] = single | nothing.all(axis=0)
            if settled.all() or depth == DEEPEST:
                done.append(here)
                break
            done.append(here.at(np.flatnonzero(settled)))
            here = here.at(np.flatnonzero(~settled)).halves()
            if len(here.piece) > MOST * max(len(along.widths), 64):
                raise ValueError("the surface's function varies too fast along the motion to be followed")
        if len(done) == 1:
            return done[0], low, high
        columns = zip(*(one.columns for one in done), strict=True)
        cells = _Cells(*(np.concatenate(column, axis=-1) for column in columns))
        return cells.at(np.lexsort((cells.low, cells.piece))), low, high


@dataclass
class _Cells:
    """Parts of pieces: from `low` over `size`, in widths of the piece, and the function's signs (end, cell) there."""

    piece: np.ndarray
    low: np.ndarray
    size: np.ndarray
    signs: np.ndarray | None

    @property
    def columns(self):
        return self.piece, self.low, self.size, self.signs

    def at(self, places: np.ndarray) -> "_Cells":
        return _Cells(*(None if column is None else column[..., places] for column in self.columns))

    def halves(self) -> "_Cells":
        half = self.size / 2
        low = np.stack([self.low, self.low + half], axis=1).ravel()
        return _Cells(np.repeat(self.piece, 2), low, np.repeat(half, 2), None)


class _Along:
    """A function on the pieces of a stretch, with the parameters (parameter, piece) that it needs."""

    def __init__(self, of: Function, made: Stretch, parameters: np.ndarray):
        powers = made.coefficients.shape[1]
        self.of, self.parameters, self.coefficients = of, parameters, made.coefficients
        self.widths, self.begins = np.diff(made.edges).ravel(), made.edges[:, :-1].ravel()
        units = np.multiply.accumulate(np.broadcast_to(self.widths, (powers - 1, len(self.widths))), axis=0)
        flat = lambda k: made.coefficients[k].reshape(powers, -1)
        # polynomials (power, piece) of the part of a piece that has passed
        self.rows = [np.concatenate([flat(k)[:1], flat(k)[1:] * units]) for k in of.states]
        counts, lower = np.arange(1, powers)[:, None], np.concatenate([np.ones((1, len(self.widths))), units[:-1]])
        self.rows += [flat(k)[1:] * lower * counts for k in of.rates]  # not divided by widths, which can be zero
        self.size = np.abs(made.coefficients[:, 0]).max(axis=0).ravel()

    def values(self, cells: _Cells, whole: bool = False) -> np.ndarray:
        """The function (node, cell)."""
        if whole:
            u = (LOBATTO[:, None] + 1) / 2
            columns = [np.vander(u[:, 0], len(rows), increasing=True) @ rows for rows in self.rows]
        else:
            u = cells.low + cells.size * (LOBATTO[:, None] + 1) / 2
            columns = [_horner(rows[:, cells.piece], u) for rows in self.rows]
        return self._run(self.of.function, columns, cells.piece, u)[0]

    def worth(self, cells: _Cells) -> np.ndarray:
        """What the state's size, or a rate's largest term, is worth in the function (cell,)."""
        rows = [row[:, cells.piece] for row in self.rows]
        slopes = self._run(self.of.worths, [_horner(row, cells.low + cells.size / 2) for row in rows], cells.piece, cells.low)
        sizes = [self.size[cells.piece]] * len(self.of.states)
        sizes += [np.abs(row).sum(axis=0) for row in rows[len(self.of.states) :]]
        sizes += [*self.parameters[:, cells.piece], self.begins[cells.piece]]
        return sum(np.abs(slope * size) for slope, size in zip(slopes, sizes, strict=True)) + np.finfo(float).tiny

    def polished(self, cells: _Cells, u: np.ndarray, slope: np.ndarray):
        """States, times and residuals of zeros at `u`, corrected by the function itself, whose slope there is known."""
        rows = [row[:, cells.piece] for row in self.rows]
        residual = lambda u: self._run(self.of.function, [_horner(row, u) for row in rows], cells.piece, u)[0]
        for _ in range(2):
            with np.errstate(all="ignore"):
                step = residual(u) / slope
            u = np.where(np.abs(step) < 1e-6 * cells.size, u - step, u)
        since = u * self.widths[cells.piece]
        member, piece = np.divmod(cells.piece, self.coefficients.shape[-1])
        state = _horner(np.moveaxis(self.coefficients[:, :, member, piece], 1, 0), since)
        columns = [state[k] for k in self.of.states] + [_horner(row, u) for row in rows[len(self.of.states) :]]
        return state.T, self.begins[cells.piece] + since, self._run(self.of.function, columns, cells.piece, u)[0]

    def _run(self, function, columns, piece, u) -> list[np.ndarray]:
        t = self.begins[piece] + u * self.widths[piece]
        with np.errstate(all="ignore"):
            found = function([*columns, *self.parameters[:, piece]], t)
        return [np.broadcast_to(column, t.shape) for column in found]


def _horner(rows: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Polynomials (power, ...) at `u`, which broadcasts with the rest."""
    total = np.broadcast_to(rows[-1], np.broadcast_shapes(rows[-1].shape, u.shape))
    for row in rows[-2::-1]:
        total = total * u + row
    return total


def _changes(signs: np.ndarray, owner: np.ndarray, before: np.ndarray):
    """Where signs (end, cell) change: cells, at which end (0, 1) or inside (2), into which sign; and each owner's last sign.

    Zeros belong to whatever is before them.
    """
    flat, owners = signs.T.ravel(), np.repeat(owner, 2)
    number = np.arange(len(flat))
    latest = np.maximum.accumulate(np.where(flat != 0, number, -1))
    previous = np.concatenate([[-1], latest[:-1]])
    same = (previous >= 0) & (owners[previous] == owners)
    was = np.where(same, flat[previous], before[owners])
    changed = np.flatnonzero((flat != 0) & (was != 0) & (flat != was))
    # a change that began before the stretch lies where the member's nodes begin
    begins = np.concatenate([[True], owners[1:] != owners[:-1]])
    first = np.maximum.accumulate(np.where(begins, number, 0))
    node = np.where(same[changed], previous[changed] + 1, first[changed])
    inside = (changed % 2 == 1) & same[changed] & (previous[changed] == changed - 1)
    last = before.copy()
    known = np.flatnonzero(flat != 0)
    last[owners[known]] = flat[known]
    return node // 2, np.where(inside, 2, node % 2), flat[changed], last


def _roots(c: np.ndarray) -> np.ndarray:
    """The zero in [-1, 1] of each Chebyshev series (coefficient, zero) whose ends differ in sign: Newton's, kept in a bracket."""
    low, high, x = np.full(c.shape[1], -1.0), np.full(c.shape[1], 1.0), np.zeros(c.shape[1])
    if not len(x):
        return x
    rising, slopes = c.sum(axis=0) > 0, chebyshev.chebder(c)
    for _ in range(STEPS):
        value = chebyshev.chebval(x, c, tensor=False)
        below = (value < 0) == rising
        low, high = np.where(below, x, low), np.where(below, high, x)
        with np.errstate(all="ignore"):
            newton = x - value / chebyshev.chebval(x, slopes, tensor=False)
        there = np.where((newton >= low) & (newton <= high), newton, (low + high) / 2)
        moved, x = np.abs(there - x).max(), there
        if moved < 1e-14:
            break
    return x
