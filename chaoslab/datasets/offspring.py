"""New flows from those of the catalogue: other parameters and states, or two of them one after the other."""

import math
from dataclasses import replace
from functools import lru_cache

import numpy as np

from ..integrate import solve
from ..systems import System, load, names, skew
from ..systems.catalogue import measurements
from ..trajectories import sample_parameters
from ..trajectories.starts import phases
from .judging import CHAOS, SETTLE, TOLERANCE, Rejected
from .random_flows import rounded

#: Variables of a parent at most; of two in a row, each.
LARGEST, OF_TWO = 5, 3
#: Flows whose exponents lie further apart than this, in e-folds a period, take too long to judge.
STIFF = 100.0
#: A start lies so far off, in sizes of the state.
SHIFT = 0.1
#: How strongly a drive acts, in parts of what moves the response anyway, and how much faster or slower its periods may be.
STRENGTH, PACE = (0.05, 1.0), 2.0
#: How often the drive moves a parameter of the response rather than a rate.
MODULATING = 0.3
#: What a strength may be called.
WORDS = ("k", "kappa", "epsilon", "eta", "mu")
SAMPLES = 1024


@lru_cache(maxsize=1)
def parents() -> tuple[str, ...]:
    """Names of smooth flows of the catalogue that have ranges, and no clock, no conserved quantity and no noise."""
    return tuple(name for name in names("flow") if _plain(system := load(name), LARGEST) and system.ranges)


@lru_cache(maxsize=1)
def pairs() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of what may drive, chaotic on its own, and of what may be driven."""
    fit = [name for name in names("flow") if _plain(system := load(name), OF_TWO) and system.period]
    chaotic = [name for name in fit if measurements().get(name, {}).get("regime", {}).get("value") in CHAOS]
    return tuple(chaotic), tuple(fit)


def _plain(system: System, largest: int) -> bool:
    kept = system.smooth and not (system.conserved or system.noise or system.index or system.flat.timed)
    return kept and system.dimension <= largest and not phases(system).any() and _stiffness(system) < STIFF


def _stiffness(system: System) -> float:
    """How far apart the exponents lie, in e-folds a period; infinite where they were not measured."""
    known = measurements().get(system.name, {})
    ends = [known.get(f"exponent {k}", {}).get("value") for k in (1, system.dimension)]
    return system.period * (float(ends[0]) - float(ends[1])) if all(ends) and system.period else math.inf


def with_other_parameters(rng: np.random.Generator) -> tuple[System, tuple[str, ...]]:
    """A parent with parameters drawn within its ranges, and a state near where it then comes to; and its name."""
    parent = load(parents()[rng.integers(len(parents()))])
    try:
        found = sample_parameters(parent, 1, tries=1, rng=rng.spawn(1)[0], workers=1)
    except ValueError as error:
        words = {"escaped": "escaping", "came to rest": "fixed point", "could not": "failed"}
        [fate] = [fate for word, fate in words.items() if word in str(error)]
        raise Rejected(fate) from error
    drawn = found["parameters"].sel(member=0)
    values = {word: rounded(float(drawn.sel(parameter=word))) for word in parent.ranges}
    start = found["start"].values[0]
    start = start + SHIFT * np.abs(start).max() * rng.standard_normal(len(start))
    state = {word: rounded(value) for word, value in zip(parent.components, start, strict=True)}
    return replace(parent.with_(**values, state=state), period=parent.period), (parent.name,)


def driven(rng: np.random.Generator) -> tuple[System, tuple[str, ...]]:
    """A chaotic flow that drives another one, through a rate or a parameter; and their names."""
    drives, responses = pairs()
    drive, response = load(drives[rng.integers(len(drives))]), load(responses[rng.integers(len(responses))])
    return replace(_skewed(drive, response, rng), period=drive.period), (drive.name, response.name)


def _skewed(drive: System, response: System, rng: np.random.Generator) -> System:
    pace = rounded(response.period / drive.period * PACE ** rng.uniform(-1, 1))
    strength = STRENGTH[0] * (STRENGTH[1] / STRENGTH[0]) ** rng.random() * rng.choice([-1, 1])
    source, target = rng.integers(drive.dimension), rng.integers(response.dimension)
    words = [word for word, value in response.parameters.items() if np.ndim(value) == 0 and float(value)]
    modulating = bool(words) and rng.random() < MODULATING
    word = words[rng.integers(len(words))] if words else ""
    states, _ = _along(drive)
    unit = drive.components[source]
    taken = {*drive.parameters, *drive.state, *drive.where, *response.parameters, *response.state, *response.where}
    k = next(name for name in WORDS if name not in taken)
    if not modulating:
        size = strength * _along(response)[1].std(axis=0)[target] / states.std(axis=0)[source]
        place = skew(drive, response, speed=pace).components[drive.dimension + target]
        return skew(drive, response, {place: f"{k}*{unit}"}, parameters={k: rounded(size)}, speed=pace)
    value = float(response.parameters[word])
    size = rounded(strength * abs(value) / np.abs(states[:, source]).max())
    base = next(f"{word}{end}" for end in ("_0", "_m", "_mean") if f"{word}{end}" not in taken)
    text = f"{base} + {k}*{unit}"
    return skew(drive, response, replace={word: text}, parameters={base: rounded(value, 6), k: size}, speed=pace)


@lru_cache(maxsize=512)
def _along(system: System) -> tuple[np.ndarray, np.ndarray]:
    """States and rates (time, component) along the orbit of a system of the catalogue."""
    times = system.period * SETTLE * (0.5 + 0.5 * np.arange(SAMPLES) / SAMPLES)
    states = solve(system, system.initial[None], times, tolerance=TOLERANCE, many=False).states[0]
    return states, system.rhs(states)
