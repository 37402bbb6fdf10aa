"""When two polynomial flows are one: after each variable and time are scaled, variables exchanged, and signs turned.

With x_i -> s_i x_i and t -> t / T the coefficient of a monomial x^p in the equation of x_i becomes c T prod(s^p) / s_i. So the
logarithms of all |c| move by combinations of the rows p - e_i, 1, and two flows with the same monomials are one where the
difference of their logarithms is such a combination, by least squares, and the signs agree for some signs of s. Time runs
forward: a flow turned back has other attractors. Shifted variables are not looked through.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, reduce

import numpy as np

from ..systems import System
from ..systems.emit import numpy_function
from ..systems.tree import Node, walk

#: Of more variables not all permutations and signs are gone through.
MOST = 4


@dataclass(frozen=True, eq=False)
class Polynomials:
    """The right-hand side of a flow: `powers` (term, component), the `rows` that terms stand in (term,), and `values` (term,)."""

    rows: np.ndarray
    powers: np.ndarray
    values: np.ndarray

    @classmethod
    def of(cls, system: System) -> "Polynomials | None":
        """Those of a system; None where it is no polynomial flow, or one of more than four variables."""
        flat = system.flat
        if system.kind != "flow" or system.dimension > MOST or flat.timed:
            return None
        one, unit = (0,) * system.dimension, np.eye(system.dimension, dtype=int)
        known = {node: {one: float(value)} for node, value in zip(flat.parameters, system.values, strict=True)}
        known |= {node: {tuple(row.tolist()): 1.0} for node, row in zip(flat.variables, unit, strict=True)}
        trees = expanded(flat.rhs, known, one)
        if trees is None:
            return None
        terms = [(row, powers, value) for row, tree in enumerate(trees) for powers, value in tree.items() if value]
        rows, powers, values = zip(*terms, strict=True)
        return cls(np.array(rows), np.array(powers), np.array(values))

    @property
    def dimension(self) -> int:
        return self.powers.shape[1]

    @cached_property
    def scaling(self) -> np.ndarray:
        """How the logarithms of the coefficients move with those of (s, T): (term, component + 1)."""
        return np.column_stack([self.powers - np.eye(self.dimension, dtype=int)[self.rows], np.ones(len(self.rows), int)])

    def exchanged(self, order) -> "Polynomials":
        """With variable `order[k]` in place k, terms in a fixed order."""
        rows, powers = np.argsort(order)[self.rows], self.powers[:, order]
        place = np.lexsort((*powers.T, rows))
        return Polynomials(rows[place], powers[place], self.values[place])

    @cached_property
    def pattern(self) -> tuple:
        """Which monomials stand where, the same for all orders of the variables."""
        return min(map(_pattern, self._exchanges))

    @cached_property
    def _exchanges(self) -> list["Polynomials"]:
        return [self.exchanged(list(order)) for order in itertools.permutations(range(self.dimension))]

    @cached_property
    def _standard(self) -> "Polynomials":
        """In an order of the variables in which the pattern is the least."""
        return next(other for other in self._exchanges if _pattern(other) == self.pattern)

    def apart(self, other: "Polynomials") -> float:
        """How much coefficients still differ, the largest |log ratio|, at best over scalings, orders and signs; inf without any."""
        if self.pattern != other.pattern:
            return np.inf
        mine, best = self._standard, np.inf
        turns = _signs(self.dimension)
        # the sign that each coefficient gets: (turn, term)
        turned = np.prod(turns[:, None, :] ** (mine.powers % 2)[None], axis=2) * turns[:, mine.rows]
        for theirs in other._exchanges:
            if _pattern(theirs) != self.pattern or not (turned * np.sign(theirs.values) == np.sign(mine.values)).all(axis=1).any():
                continue
            gap = np.log(np.abs(theirs.values)) - np.log(np.abs(mine.values))
            gap = gap - mine.scaling @ np.linalg.lstsq(mine.scaling, gap, rcond=None)[0]
            best = min(best, float(np.abs(gap).max(initial=0.0)))
        return best


def expanded(trees: Sequence[Node], known: dict[Node, dict], one: tuple[int, ...]) -> list[dict] | None:
    """Trees as {powers: coefficient} in numbers, None where one is no polynomial; `System.terms` is exact, and far slower."""
    made = dict(known)
    for node in walk(*trees):
        if node in made:
            continue
        parts = [made[child] for child in node.children]
        whole = all(set(part) <= {one} for part in parts)
        match node.head:
            case "+":
                made[node] = _sum(parts)
            case "neg":
                made[node] = {key: -value for key, value in parts[0].items()}
            case "*":
                made[node] = _product(*parts)
            case "/" if set(parts[1]) == {one}:
                made[node] = {key: value / parts[1][one] for key, value in parts[0].items()}
            case "**" if set(parts[1]) == {one} and parts[1][one] in range(1, 13):
                made[node] = reduce(_product, [parts[0]] * int(parts[1][one]))
            case _ if whole:
                value = float(numpy_function((node,), tuple(known))([part.get(one, 0.0) for part in known.values()])[0])
                made[node] = {one: value}
            case _:
                return None
    return [made[tree] for tree in trees]


def _sum(parts: Iterable[dict]) -> dict:
    total: dict = {}
    for part in parts:
        for key, value in part.items():
            total[key] = total.get(key, 0.0) + value
    return total


def _product(left: dict, right: dict) -> dict:
    return _sum({tuple(map(sum, zip(a, b, strict=True))): u * v} for a, u in left.items() for b, v in right.items())


def _pattern(terms: Polynomials) -> tuple:
    return terms.dimension, tuple(map(tuple, np.column_stack([terms.rows, terms.powers]).tolist()))


@lru_cache(maxsize=8)
def _signs(dimension: int) -> np.ndarray:
    return np.array(list(itertools.product((1, -1), repeat=dimension)))
