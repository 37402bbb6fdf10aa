"""Quadratic flows drawn at random, and how they are printed.

Half of them take any monomials; the quadratic terms of the other half only exchange energy between variables, as those of fluids
do (Lorenz, J. Atmos. Sci. 20, 130 (1963)), so that damping keeps more of them bounded. Scales of n variables and of time are
then chosen so that up to n + 1 coefficients are 1 or -1, as in Sprott, Phys. Rev. E 50, R647 (1994); the others get names.
"""

import itertools
import math
from functools import lru_cache

import numpy as np

from ..systems import System
from .scalings import Polynomials
from .sieve import monomials

#: How often a flow has three variables rather than four, and exchanges energy rather than any terms.
THREE, EXCHANGING = 0.75, 0.5
#: Terms of a flow that takes any: so many at least and at most beyond its variables, and odds of quadratic ones and constants.
TERMS, QUADRATIC, CONSTANT = (3, 6), 0.5, 0.08
#: Exchanges and linear terms of a flow that exchanges, beyond its variables; how often it has a constant.
EXCHANGES, LINEAR, FORCED = (2, 3), (0, 2), 0.35
#: Coefficients lie between 1/5 and 5, evenly in their logarithm; on the diagonal linear ones are that often positive.
LARGEST, GROWING = 5.0, 0.25
#: A printed coefficient is at most so large, and at least one part in so many.
LOPSIDED = 100.0
#: Digits of a coefficient, and of a state.
DIGITS = 3
NAMES = {3: "xyz", 4: "xyzw"}


def draw(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray] | str:
    """Coefficients (component, monomial) in the order of `monomials`, and a starting state; or why there is no need to try."""
    n = 3 if rng.random() < THREE else 4
    powers = monomials(n)
    coefficients = _exchanging(rng, n) if rng.random() < EXCHANGING else _any(rng, n)
    state = rng.uniform(-1, 1, n)
    present = coefficients != 0
    felt = present.astype(int) @ (powers > 0)
    if not (np.linalg.matrix_power(felt + np.eye(n, dtype=int), n) > 0).all():
        return "falls apart"
    if not present[:, powers.sum(axis=1) == 2].any():
        return "linear"
    even = (powers % 2 == 0).all(axis=1)
    for row, there in zip(coefficients, present, strict=True):
        if not there[~even].any() and abs(np.sign(row[there]).sum()) == there.sum():
            return "drifts"  # a rate that never changes sign
    if not _contracts(coefficients, powers):
        return "expands"
    return coefficients, state


def _sizes(rng: np.random.Generator, shape) -> np.ndarray:
    return LARGEST ** rng.uniform(-1, 1, shape)


def _any(rng: np.random.Generator, n: int) -> np.ndarray:
    powers = monomials(n)
    degree = powers.sum(axis=1)
    odds = np.choose(degree, [CONSTANT, (1 - CONSTANT - QUADRATIC) / n, QUADRATIC / (degree == 2).sum()])
    count = n + rng.integers(TERMS[0], TERMS[1] + 1)
    places = rng.choice(n * len(powers), count, replace=False, p=np.tile(odds, n) / (n * odds.sum()))
    made = np.zeros((n, len(powers)))
    made.ravel()[places] = _signed(rng, n, places)
    return made


def _signed(rng: np.random.Generator, n: int, places: np.ndarray) -> np.ndarray:
    """Coefficients for places in the flat array (component, monomial)."""
    rows, columns = np.divmod(places, len(monomials(n)))
    positive = rng.random(len(places)) < np.where(columns == 1 + rows, GROWING, 0.5)
    return np.where(positive, 1, -1) * _sizes(rng, len(places))


def _exchanging(rng: np.random.Generator, n: int) -> np.ndarray:
    made, width = np.zeros((n, len(monomials(n)))), len(monomials(n))
    pairs = exchanges(n)
    for k in rng.choice(len(pairs), n - 3 + rng.integers(EXCHANGES[0], EXCHANGES[1] + 1), replace=False):
        size = rng.choice([-1, 1]) * _sizes(rng, ())
        for row, column, sign in pairs[k]:
            made[row, column] += sign * size
    linear = np.array([row * width + 1 + column for row in range(n) for column in range(n)])
    odds = np.where(np.eye(n).ravel() > 0, 3.0, 1.0)
    places = rng.choice(linear, n + rng.integers(LINEAR[0], LINEAR[1] + 1), replace=False, p=odds / odds.sum())
    made.ravel()[places] = _signed(rng, n, places)
    if rng.random() < FORCED:
        made[rng.integers(n), 0] = rng.choice([-1, 1]) * _sizes(rng, ())
    return made


@lru_cache(maxsize=4)
def exchanges(n: int) -> list[tuple]:
    """Pairs of terms, each (component, monomial, sign), whose energies x_i x_i' sum to zero."""
    place = {tuple(row): k for k, row in enumerate(monomials(n).tolist())}
    unit = np.eye(n, dtype=int)
    of = lambda *parts: place[tuple(sum(unit[part] for part in parts).tolist())]
    pairs = [((i, of(i, j), 1), (j, of(i, i), -1)) for i, j in itertools.permutations(range(n), 2)]
    for i, j in itertools.combinations(range(n), 2):
        pairs += [((i, of(j, k), 1), (j, of(i, k), -1)) for k in range(n) if k not in (i, j)]
    return pairs


def _contracts(coefficients: np.ndarray, powers: np.ndarray) -> bool:
    """Whether volume can shrink: the divergence is negative, or not the same everywhere."""
    n, degree = len(coefficients), powers.sum(axis=1)
    slopes = coefficients * powers.T  # of the equation of x_i by x_i
    varies = np.zeros(len(powers))
    for i in range(n):
        for column in np.flatnonzero((degree == 2) & (slopes[i] != 0)):
            left = powers[column].copy()
            left[i] -= 1
            varies[1 + int(np.argmax(left))] += slopes[i, column]
    return bool(varies.any()) or float(slopes[:, degree == 1].sum()) < 0


def printed(coefficients: np.ndarray, state: np.ndarray, turn: float, **more) -> System | None:
    """The flow as a paper prints it: scaled, the coefficients that are left rounded and named a, b, c, ...; its period is near
    `turn`, which is scaled too. None where coefficients would still be a hundred times too large or small."""
    n, powers = len(coefficients), monomials(len(coefficients))
    order = [k for degree in (1, 2, 0) for k in np.flatnonzero(powers.sum(axis=1) == degree)]
    places = [(row, column) for row in range(n) for column in order if coefficients[row, column]]
    rows, columns = np.array(places).T
    terms = Polynomials(rows, powers[columns], coefficients[rows, columns])
    logs, ones = _normalised(terms)
    values = np.sign(terms.values) * np.exp(np.log(np.abs(terms.values)) + terms.scaling @ logs)
    if np.abs(np.log(np.abs(values))).max() > math.log(LOPSIDED):
        return None
    letters, parameters = iter("abcdefghijklmnopqrs"), {}
    texts, words = [""] * n, NAMES[n]
    for k, (row, column) in enumerate(places):
        factors = [word for word, power in zip(words, powers[column], strict=True) for _ in range(power)]
        factors = [f"{factors[0]}**2"] if len(factors) == 2 and factors[0] == factors[1] else factors
        if k not in ones:
            letter = next(letters)
            parameters[letter] = rounded(abs(values[k]))
            factors = [letter, *factors]
        sign = "-" if values[k] < 0 else "+"
        texts[row] += (f" {sign} " if texts[row] else sign.strip("+")) + ("*".join(factors) or "1")
    start = dict(zip(words, map(rounded, np.array(state) * np.exp(-logs[:n])), strict=True))
    equations = dict(zip(words, texts, strict=True))
    return System(equations, parameters, start, period=rounded(turn * math.exp(-logs[n])), **more)


def rounded(value: float, digits: int = DIGITS) -> float:
    """A number as it is printed."""
    return float(f"{value:.{digits}g}")


def _normalised(terms: Polynomials) -> tuple[np.ndarray, set[int]]:
    """Logarithms of scales (s, T) that make as many coefficients 1 as can be, and which; the others as near to it as can be."""
    moves, logs = terms.scaling.astype(float), np.log(np.abs(terms.values))
    rank = np.linalg.matrix_rank(moves)
    choices = np.array(list(itertools.combinations(range(len(logs)), rank)))
    picked = moves[choices]
    whole = np.linalg.matrix_rank(picked) == rank
    choices, picked = choices[whole], picked[whole]
    scales = -(np.linalg.pinv(picked) @ logs[choices][..., None])[..., 0]
    worst = np.abs(logs + scales @ moves.T).max(axis=1)
    best = int(np.argmin(np.round(worst, 9)))
    return scales[best], set(choices[best].tolist())
