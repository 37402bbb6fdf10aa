"""The sieve lets known chaos through, and little else."""

import numpy as np

from chaoslab.datasets.scalings import Polynomials
from chaoslab.datasets.sieve import monomials, sieve
from chaoslab.systems import load


def coefficients(system) -> np.ndarray:
    """(component, monomial)"""
    place = {tuple(row): k for k, row in enumerate(monomials(system.dimension).tolist())}
    terms, made = Polynomials.of(system), np.zeros((system.dimension, len(place)))
    for row, powers, value in zip(terms.rows, terms.powers.tolist(), terms.values, strict=True):
        made[row, place[tuple(powers)]] += value
    return made


def test_chaos_rest_cycles_and_flight_are_told_apart():
    lorenz, rossler = load("Lorenz"), load("Rossler")
    flows = [lorenz, lorenz.with_(rho=10), rossler, rossler.with_(c=2.5), load("SprottB")]
    parts = [coefficients(system) for system in flows]
    runaway = np.zeros((3, 10))
    runaway[0, 4], runaway[1, 1], runaway[2, 2] = 1, 1, -1  # x' = x**2
    starts = [system.initial for system in flows] + [np.ones(3)]
    found = sieve(np.array([*parts, runaway]), np.array(starts))
    wanted = ["may be chaotic", "fixed point", "may be chaotic", "not chaotic", "may be chaotic", "escaping"]
    assert found.fates.tolist() == wanted
    assert found.numbers.tolist() == [0, 2, 4]
    known = [0.9056, 0.0714, 0.210]  # Sprott, Chaos and Time-Series Analysis (2003)
    np.testing.assert_allclose(found.exponents, known, rtol=0.25)
    np.testing.assert_allclose(found.periods, [system.period for system in (lorenz, rossler, load("SprottB"))], rtol=0.6)


def test_a_flow_does_not_feel_its_neighbours():
    one, two = coefficients(load("Rossler")), coefficients(load("SprottC"))
    start = np.array([0.5, 1.0, 0.2])
    alone = sieve(one[None], start[None])
    among = sieve(np.array([two, one, two]), np.array([start, start, start]))
    assert alone.fates[0] == among.fates[1]
    place = among.numbers.tolist().index(1)
    np.testing.assert_allclose(among.exponents[place], alone.exponents[0], rtol=1e-6, atol=0.02)
