"""Quadratic flows are drawn by number, and printed as what was drawn."""

import numpy as np
import pytest

from chaoslab.datasets.random_flows import draw, exchanges, printed
from chaoslab.datasets.scalings import Polynomials
from chaoslab.datasets.sieve import monomials


def drawn(count: int) -> list:
    flows = (draw(np.random.default_rng([7, k])) for k in range(20 * count))
    return [flow for flow in flows if not isinstance(flow, str)][:count]


def as_terms(coefficients) -> Polynomials:
    rows, columns = np.nonzero(coefficients)
    return Polynomials(rows, monomials(len(coefficients))[columns], coefficients[rows, columns])


@pytest.mark.parametrize("n", [3, 4])
def test_exchanges_keep_the_energy(n):
    state = np.random.default_rng(0).standard_normal(n)
    values = np.prod(state ** monomials(n), axis=1)
    for pair in exchanges(n):
        assert sum(sign * values[column] * state[row] for row, column, sign in pair) == pytest.approx(0, abs=1e-12)
    assert len(set(exchanges(n))) == {3: 9, 4: 24}[n]


def test_a_number_draws_the_same_flow_again():
    for one, other in zip(drawn(5), drawn(5), strict=True):
        np.testing.assert_array_equal(one[0], other[0])
        np.testing.assert_array_equal(one[1], other[1])


def test_the_text_is_the_flow_in_other_units():
    systems = 0
    for coefficients, state in drawn(60):
        terms = as_terms(coefficients)
        system = printed(coefficients, state, 2.0)
        if system is None:
            continue
        systems += 1
        assert terms.apart(Polynomials.of(system)) < 0.02  # what three digits leave of each coefficient
        bare = len(terms.values) - len(system.parameters)
        assert bare == np.linalg.matrix_rank(terms.scaling)
        assert all(1e-2 <= value <= 1e2 for value in system.parameters.values())
        # the start and the turn are in the same units: by both texts it turns as often by its own size
        here = coefficients @ np.prod(state ** monomials(len(state)), axis=1)
        there = system.rhs(system.initial) * float(system.period)
        np.testing.assert_allclose(there / system.initial, here * 2.0 / state, rtol=0.2, atol=0.3 * np.abs(here / state).max())
    assert systems > 30


def test_a_known_flow_is_printed_with_units_spent():
    # Rossler's attractor, whose text has seven terms in three variables: three numbers are left
    coefficients = np.zeros((3, 10))
    place = {tuple(row): k for k, row in enumerate(monomials(3).tolist())}
    for row, powers, value in [
        (0, (0, 1, 0), -1),
        (0, (0, 0, 1), -1),
        (1, (1, 0, 0), 1),
        (1, (0, 1, 0), 0.2),
        (2, (0, 0, 0), 0.2),
        (2, (1, 0, 1), 1),
        (2, (0, 0, 1), -5.7),
    ]:
        coefficients[row, place[powers]] = value
    system = printed(coefficients, np.ones(3), 6.0)
    assert len(system.parameters) == 3
    from chaoslab.datasets import duplicate_of
    from chaoslab.systems import load

    assert duplicate_of(system, [load("Rossler")]) == load("Rossler")


def test_what_cannot_be_chaotic_is_not_tried():
    reasons = {flow for k in range(400) if isinstance(flow := draw(np.random.default_rng([0, k])), str)}
    assert reasons == {"falls apart", "drifts", "expands"} or reasons == {"falls apart", "drifts", "expands", "linear"}
