"""Candidates for new chaotic flows, numbered, and what became of each: a block of one kind is a cell of a sweep."""

import hashlib
import json
import time
from collections import Counter
from dataclasses import replace

import numpy as np

from ..integrate import compiled_quickly
from ..invariants import kaplan_yorke_dimension
from ..systems import System
from . import offspring
from .judging import Judged, Rejected, completed, judge
from .random_flows import draw, printed
from .scalings import Polynomials
from .sieve import sieve

#: The kinds, with the number of candidates in a block: quadratic flows go through the sieve together.
BLOCKS = {"parameters": 6, "skew": 4, "quadratic": 4096}
#: Steps of a solver from one look to the next, at most: some seconds.
MOST_STEPS = 2e6
TITLES = {
    "parameters": "{0} at other parameters",
    "skew": "{0} driving {1}",
    "quadratic": "A quadratic flow drawn at random",
}


def generator(seed: int, kind: str, number: int) -> np.random.Generator:
    """The random numbers of one candidate, whoever asks."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(list(BLOCKS).index(kind), number)))


def block(kind: str, part: int, *, seed: int, lyapunov_times: float) -> dict:
    """What a block of candidates gives: `found`, records of those that are chaotic; `fates`, how many met which; `cpu`, a
    processor's seconds."""
    with compiled_quickly(most=MOST_STEPS):  # a candidate is followed once, and others wait
        return _block(kind, part, seed, lyapunov_times)


def _block(kind: str, part: int, seed: int, lyapunov_times: float) -> dict:
    begin = time.process_time()
    numbers = range(part * BLOCKS[kind], (part + 1) * BLOCKS[kind])
    fates, found = Counter(), []
    for number, made in _sieved(numbers, seed, fates) if kind == "quadratic" else _offspring(kind, numbers, seed, fates):
        try:
            judged = judge(made[0], lyapunov_times=lyapunov_times, seed=number)
        except Rejected as reason:
            fates[str(reason)] += 1
        else:
            fates["chaotic"] += 1
            found.append(record(judged, kind, made[1], seed, number))
    return {"found": found, "fates": dict(fates), "cpu": time.process_time() - begin}


def _offspring(kind: str, numbers, seed: int, fates: Counter):
    make = {"parameters": offspring.with_other_parameters, "skew": offspring.driven}[kind]
    for number in numbers:
        try:
            yield number, make(generator(seed, kind, number))
        except Rejected as reason:
            fates[str(reason)] += 1


def _sieved(numbers, seed: int, fates: Counter):
    drawn = {number: draw(generator(seed, "quadratic", number)) for number in numbers}
    fates.update(fate for fate in drawn.values() if isinstance(fate, str))
    for dimension in (3, 4):
        here = [number for number, flow in drawn.items() if not isinstance(flow, str) and len(flow[1]) == dimension]
        if not here:
            continue
        coefficients, starts = (np.array(rows) for rows in zip(*(drawn[number] for number in here), strict=True))
        left = sieve(coefficients, starts)
        fates.update(fate for fate in left.fates.tolist() if fate != "may be chaotic")
        for k, state, turn in zip(left.numbers, left.states, left.periods, strict=True):
            system = printed(coefficients[k], state, turn)
            if system is None:
                fates["lopsided"] += 1
            else:
                yield here[k], (system, ())


def record(judged: Judged, kind: str, parents: tuple[str, ...], seed: int, number: int) -> dict:
    """All that is kept of a system, in plain types: what a line of a file holds."""
    system, found = judged.system, completed(judged.spectrum)
    dimension = kaplan_yorke_dimension(found)
    about = f"Drawn from the seed {seed} as candidate {number} of its kind, and found {judged.regime}."
    named = {"name": f"{kind}-{digest(system)}", "title": TITLES[kind].format(*parents), "about": about}
    return {
        "definition": replace(system, **named).definition(),
        "kind": kind,
        "regime": judged.regime,
        "exponents": found.exponent.values.tolist(),
        "errors": found.error.values.tolist(),
        "dimension": _number(dimension.value),
        "dimension_error": _number(dimension.error),
        "followed": judged.followed,
        "parents": list(parents),
        "seed": seed,
        "candidate": number,
    }


def _number(value) -> float | None:
    return None if np.isnan(value) else float(value)


def digest(system: System) -> str:
    """A hash of the equations and parameters as they are written, whatever the state: ten hexadecimal digits."""
    definition = system.definition()
    text = {word: definition.get(word, {}) for word in ("kind", "where", "equations", "parameters")}
    return hashlib.sha256(json.dumps(text).encode()).hexdigest()[:10]


def family(system: System, kind: str, parents: list[str]) -> tuple[str, object]:
    """What a system is compared within, and by what: the pattern of a polynomial flow, or texts that only differ in numbers."""
    terms = Polynomials.of(system) if kind != "skew" else None
    if terms is not None:
        return repr(terms.pattern), terms
    texts = json.dumps([dict(system.where), dict(system.equations)])
    return f"{parents} {texts}", np.array([float(value) for value in system.values])


def apart(one, other) -> float:
    """How far two systems of a family lie from one another: the largest |log ratio| of coefficients, after scaling where that is
    known how to, else of parameters."""
    if isinstance(one, Polynomials):
        return one.apart(other)
    if (np.sign(one) != np.sign(other)).any():
        return np.inf
    with np.errstate(all="ignore"):
        return float(np.abs(np.where(one == 0, 0.0, np.log(np.abs(one) / np.abs(other)))).max(initial=0.0))
