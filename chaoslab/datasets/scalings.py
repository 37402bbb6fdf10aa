"""When two polynomial flows are one: after each variable and time are scaled, variables exchanged, and signs turned.

With x_i -> s_i x_i and t -> t / T the coefficient of a monomial x^p in the equation of x_i becomes c T prod(s^p) / s_i. So the
logarithms of all |c| move by combinations of the rows p - e_i, 1, and two flows with the same monomials are one where the
difference of their logarithms is such a combination, by least squares, and the signs agree for some signs of s. Time runs
forward: a flow turned back has other attractors. Shifted variables are not looked through.
"""

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from ..systems import NotPolynomial, System

#: Of more variables not all permutations and signs are gone through.
MOST = 4
_POWER = re.compile(r"([A-Za-z_]\w*)(?:\*\*(\d+))?")


@dataclass(frozen=True, eq=False)
class Polynomials:
    """The right-hand side of a flow: `powers` (term, component), the `rows` that terms stand in (term,), and `values` (term,)."""

    rows: np.ndarray
    powers: np.ndarray
    values: np.ndarray

    @classmethod
    def of(cls, system: System) -> "Polynomials | None":
        """Those of a system; None where it is no polynomial flow, or one of more than four variables."""
        if system.kind != "flow" or system.dimension > MOST or system.flat.timed:
            return None
        try:
            return cls.read(system.components, system.terms())
        except NotPolynomial:
            return None

    @classmethod
    def read(cls, components, terms: Mapping[str, Mapping[str, float]]) -> "Polynomials":
        """From what `System.terms()` gives."""
        rows, powers, values = [], [], []
        for row, word in enumerate(components):
            for monomial, value in terms[word].items():
                found = dict.fromkeys(components, 0)
                found |= {name: int(power or 1) for name, power in _POWER.findall(monomial)}
                rows.append(row)
                powers.append([found[name] for name in components])
                values.append(value)
        return cls(np.array(rows), np.array(powers).reshape(len(rows), len(components)), np.array(values, float))

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


def _pattern(terms: Polynomials) -> tuple:
    return terms.dimension, tuple(map(tuple, np.column_stack([terms.rows, terms.powers]).tolist()))


@lru_cache(maxsize=8)
def _signs(dimension: int) -> np.ndarray:
    return np.array(list(itertools.product((1, -1), repeat=dimension)))
