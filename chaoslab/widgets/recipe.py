"""What a page needs of a system to draw it, steer it and integrate it: plain data, ready for JSON."""

import copy
import math
from functools import lru_cache

import numpy as np

from ..integrate import TOLERANCE, iterate, solve
from ..systems import System, as_system, emit
from ..systems.latex import symbol
from ..systems.tree import walk
from ..trajectories import NoPeriod
from ..trajectories.grid import period_of
from . import axes
from .code import code
from .stepping import TRIED, substeps

#: Points of a picture, and samples a period: the fewest whose chords show no corners.
POINTS, SAMPLES = 20_000, (100, 200, 400)
#: How far a curve may stray from the chord between two samples, in sizes of the motion, except at one sample in a hundred.
CORNER = 0.02
#: Periods dropped before a picture begins, and iterations of a map.
TRANSIENT = {"flow": 20, "delay": 10, "map": 1000}
#: The periods along which axes are laid and steps are tried; at most those of the picture.
SEEN = 100
#: Operations of a right-hand side, all together, that a page does while a slider moves: fewer periods are drawn beyond. Where
#: these periods would be more, the kernel draws them.
PAGE, FEW = 50_000_000, 40
#: Periods that the kernel draws at least.
LEAST = 20
#: Operations, one each sample, that the kernel does for the orbit that axes are laid along, and for a picture that it draws
#: alone; with kinks as if so many more. Where they would be more, the orbit is shorter, and less exact.
KERNEL, KINKED, LOOSE = 5_000_000, 4, 1e-9
#: A delay system is followed over so many of its shortest lags (each costs a few steps), at most so many periods.
LAGS, DELAYED = 300, 100
#: A flow with kinks or jumps, each of which the kernel locates, is drawn over so many periods where the page cannot step it.
LOCATED = 100
#: Steps a sample from which on a flow is steep rather than large.
STEEP = 16
#: Components whose starting values have sliders; a page integrates so many at most.
STATES = 128
#: A positive range that spans this factor is better seen on a logarithmic slider.
DECADES = 100.0
#: Positions of a slider, about.
POSITIONS = 500


def recipe(system: System | str) -> dict:
    """Everything a page knows of a system: plain numbers, texts and lists.

    `rhs` and `observe` are JavaScript texts; `parameters` say where each value goes in the flat list `values`, and how far
    its slider reaches (`step` counts decades where it is `log`). Lengths are counted in `period`, `samples` to each;
    `substeps` are the Runge-Kutta steps between two samples that follow the motion, and `kernel_only` says why where the page
    must not try. `choices` are all that can be an axis, each found at `places[choice]`, whose middle is `centre` and whose
    half-range `scale` along the orbit from the definition's own state, so that pictures keep their frame while a slider moves.
    `sizes` are those half-ranges by component as it is observed, `state_sizes` the changes of the state itself that are as large.
    `phases` say which components just count time, `clocks` which of them are not observed as something else.

    An orbit that escapes or rests is taken as far as it goes.

    >>> lorenz = recipe("Lorenz")
    >>> lorenz["axes"], lorenz["substeps"], lorenz["parameters"][1]["high"]
    (['x', 'y', 'z'], 1, 200.0)
    """
    return copy.deepcopy(_recipe(as_system(system, "recipe")))


@lru_cache(maxsize=256)
def _recipe(system: System) -> dict:
    period, settled = _period(system)
    found = _described(system) | {"period": period, "start": 0.0}
    if system.kind == "map":
        lengths = {"samples": 1, "periods": POINTS, "transient": TRANSIENT["map"], "substeps": None, "kernel_only": None}
        path, _ = _orbit(system, np.arange(TRANSIENT["map"] + POINTS))
        states = path[min(TRANSIENT["map"], len(path) // 2) :]
    else:
        lengths, states = _lengths(system, period, settled)
    found |= lengths | {"lag": _lag(system, period / lengths["samples"])}
    seen = system.observe(states)
    found |= _frame(system, seen, found)
    return found | {"state_sizes": _state_sizes(system, states, np.array(found["sizes"])).tolist()}


def _described(system: System) -> dict:
    """The definition, as far as a page shows it."""
    flat, shown = system.flat, system.flat.observed
    start = dict(zip(system.components, system.initial.tolist(), strict=True)) if system.dimension <= STATES else {}
    return {
        "name": system.name,
        "title": system.title or system.label,
        "label": system.label,
        "kind": system.kind,
        "about": system.about,
        "field": system.field,
        "source": system.reference,
        "components": list(system.components),
        "state": start,
        "words": axes.words(system),
        "initial": system.initial.tolist(),
        "rhs": None if system.kind == "delay" else system.javascript(),
        "observe": emit.javascript(shown, flat.variables, flat.parameters) if shown else None,
        "labels": axes.labels(system),
        "parameters": _parameters(system),
        "values": system.values.tolist(),
        "timed": flat.timed,
        "phases": axes.phases(system).tolist(),
        "clocks": axes.clocks(system).tolist(),
        "places": axes.places(system),
        "choices": list(axes.places(system)),
        "axes": axes.shown_first(system),
        "code": code(system),
    }


def _parameters(system: System) -> list[dict]:
    words = [word for word, _ in system.flat.places]
    lags = {node for delay in system.flat.delays for node in walk(delay.lag)}
    found = []
    for word, value in system.parameters.items():
        index = [k for k, other in enumerate(words) if other == word]
        array, value = np.ndim(value) > 0, np.asarray(value, float).tolist()
        entry = {"name": word, "symbol": symbol(word), "index": index, "value": value, "array": array}
        if not array:
            low, high = system.ranges.get(word) or around(value, system.flat.parameters[index[0]] in lags)
            entry |= _slider(min(low, value), max(high, value))
        found.append(entry)
    return found


def around(value: float, lag: bool) -> tuple[float, float]:
    """A range where the definition has none: from zero to twice the value, of a lag from half of it."""
    if value == 0:
        return -1.0, 1.0
    low = value / 2 if lag else 0.0
    return min(low, 2 * value), max(low, 2 * value)


def _slider(low: float, high: float) -> dict:
    log = low > 0 and high / low >= DECADES
    width = (math.log10(high / low) if log else high - low) / POSITIONS
    decade = 10.0 ** math.floor(math.log10(width))
    step = next(part * decade for part in (1, 2, 5, 10) if part * decade >= width * (1 - 1e-9))
    return {"low": float(low), "high": float(high), "log": log, "step": float(f"{step:.3g}")}


def _period(system: System) -> tuple[float, bool]:
    """The dominant period, or, of a motion that has none, a time of its right-hand side; and whether it has one."""
    try:
        return period_of(system), True
    except ValueError as error:
        if not isinstance(error.__cause__, NoPeriod):
            raise
    if system.kind == "delay":
        return 4 * float(system.lags.max()), False
    with np.errstate(all="ignore"):
        rates = np.abs(np.linalg.eigvals(np.nan_to_num(system.jacobian(system.initial)))).max()
    return float(np.clip(2 * math.pi / max(rates, 1e-9), 1e-6, 1e6)), False


def _lengths(system: System, period: float, settled: bool) -> tuple[dict, np.ndarray]:
    """Samples, periods, transient and steps of a flow's picture, and the states of the orbit that they were found along."""
    transient, samples, periods = TRANSIENT[system.kind] if settled else 0, SAMPLES[0], POINTS / SAMPLES[0]
    seen, fine = SEEN, SAMPLES[1]
    if system.kind == "delay":
        periods = float(np.clip(round(LAGS * system.lags.min() / period), LEAST, DELAYED))
        seen = SEEN / 2
    elif not system.smooth:
        periods = LOCATED
    cost = fine * max(system.flat.size, 1) * (1 if system.smooth else KINKED)
    quick = max(LEAST, KERNEL / cost)
    seen = round(min(periods, seen, quick) * fine)
    path, when = _orbit(system, period / fine * np.arange(transient * fine + seen), LOOSE if quick < SEEN else TOLERANCE)
    states = path[min(transient * fine, len(path) // 2) :]
    sizes = _sizes(system.observe(states))
    bend = np.diff(system.observe(states)[:: fine // samples], n=2, axis=0) / (8 * sizes)
    bend = np.quantile(np.abs(bend).max(axis=1), 0.99) if len(bend) else 0.0
    samples = next((many for many in SAMPLES if bend * (samples / many) ** 2 <= CORNER), SAMPLES[-1])
    made = {"samples": samples, "transient": transient, "substeps": None, "kernel_only": None}
    if system.kind == "delay":
        return made | {"periods": periods, "kernel_only": "a delay system"}, states
    if samples > fine:
        path, when = _orbit(system, period / samples * np.arange(samples * 2 * LEAST))
    path, when = (part[:: max(1, fine // samples)] for part in (path, when))
    steps = substeps(system, path, when, sizes) if len(path) > 1 else 1
    affordable = PAGE / (4 * samples * (steps or TRIED[-1]) * max(system.flat.size, 1))
    made["kernel_only"] = _why_not(system, steps, affordable)
    if made["kernel_only"] is None:
        most, made["substeps"] = min(POINTS / samples, affordable // 1), steps
    else:
        most = min(POINTS / samples if system.smooth else LOCATED, quick // 1)
    return made | {"periods": float(most)}, states


def _why_not(system: System, steps: int | None, affordable: float) -> str | None:
    """Why a page cannot integrate a flow, if it cannot."""
    if system.dimension > STATES:
        return f"too large: {system.dimension} components"
    if steps is not None and affordable >= FEW:
        return None
    if steps is not None and steps < STEEP:
        return f"too large: would need {4 * steps * system.flat.size:,} operations a sample"
    many = f"{steps}" if steps else f"more than {TRIED[-1]}"
    return f"{'steep' if system.smooth else 'not smooth: kinks or jumps'}: would need {many} steps a sample"


def _orbit(system: System, times: np.ndarray, tolerance: float = TOLERANCE) -> tuple[np.ndarray, np.ndarray]:
    """States (time, component) from the system's own, and their times; where it escapes, evenly spaced ones before."""
    if system.kind == "map":
        solution = iterate(system, system.initial[None], len(times))
        whole = np.isfinite(solution.states[0]).all(axis=1)
        return solution.states[0][whole], times[whole]
    for _ in range(3):
        solution = solve(system, system.initial[None], times, tolerance=tolerance)
        end = float(solution.ended[0])
        if not end >= 0:
            return solution.states[0], times
        if not end > 1e-9 * times[-1]:
            break
        times = np.linspace(0, 0.9 * end, len(times))
    return system.initial[None], times[:1]


def _sizes(seen: np.ndarray) -> np.ndarray:
    """Half the range of each coordinate (time, component); 1 where it rests."""
    half = np.ptp(seen, axis=0) / 2
    return np.where(half > 1e-9 * np.abs(seen).max(axis=0), half, 1.0)


def _state_sizes(system: System, states: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """The change of each component that changes what is observed by its size, from differences along the orbit."""
    if system.flat.observed is None:
        return sizes
    states = states[:: max(1, len(states) // 256)]
    found, seen = np.empty(len(sizes)), system.observe(states)
    for k in range(len(sizes)):
        moved = states.copy()
        moved[:, k] += 1e-6 * np.maximum(1.0, np.abs(moved[:, k]))
        slopes = np.abs(system.observe(moved) - seen) / (moved - states)[:, k : k + 1] / sizes
        largest = np.quantile(slopes, 0.95, axis=0).max()  # a fold, as in mod(x, 1), is not a slope
        found[k] = 1 / largest if largest > 0 else 1.0
    return found


def _lag(system: System, spacing: float) -> int:
    """Samples of the longest lag, an iteration of a map."""
    return max(1, round(float(system.lags.max()) / spacing)) if system.kind == "delay" else 1


def _frame(system: System, seen: np.ndarray, found: dict) -> dict:
    """Sizes of coordinates, principal components, and the middle and half-range of every choice."""
    made = {"sizes": _sizes(seen).tolist(), "basis": None}
    if system.dimension > axes.ROWS and len(seen) > 2:
        still = np.where(axes.clocks(system), seen[0], seen)
        made["basis"] = axes.basis(still)
    rows = axes.series(found | made, seen, found["choices"])
    made["centre"] = ((rows.max(axis=1) + rows.min(axis=1)) / 2).tolist()
    made["scale"] = _sizes(rows.T).tolist()
    return made
