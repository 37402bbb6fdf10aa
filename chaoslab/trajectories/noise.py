"""Noise in the units of a motion: what moves it, what is seen of it, and the step that both need."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..integrate import TOLERANCE, iterate, noisy_delay, solve
from ..integrate import noise as engine
from ..systems import System, suggest
from ..systems.tree import ZERO, Node, name
from .grid import period_of, positive
from .starts import APART, BEFORE, phases, states_at

#: Deviations are those of a noiseless orbit this long, in periods (iterates of a map), with this many samples a period.
PERIODS, SAMPLES, ITERATES = 300, 30, 20_000
#: A step is short enough where one noiseless period of it, from each of these many states, is this close to the exact one, in
#: deviations: this close for a definition's own noise, else a hundredth of the noise in a period, and no worse than the last.
#: Where a period is many Lyapunov times, no step could be, so that it is tried over so many of those. A delay system has the
#: shortest lag before that period, so that its own new path comes back.
STATES, CLOSE, PART, WORST, LYAPUNOV_TIMES = 4, 1e-5, 0.01, 1e-4, 3.0
#: Ten times as much is let pass where the right-hand side has kinks or jumps, at which every scheme is of first order.
ROUGHLY = 10
#: Steps of such a stretch that are tried, doubling.
FEWEST, MOST = 32, 2**20


@dataclass(frozen=True)
class Process:
    """What moves a motion: diffusion trees by component, in `names`, whose values are the parameters' and `amplitudes`."""

    diffusion: tuple[Node, ...]
    names: tuple[Node, ...]
    amplitudes: np.ndarray
    step: float
    described: dict


@lru_cache(maxsize=256)
def deviations(system: System, *, observed: bool = False) -> np.ndarray:
    """The standard deviation of each component along the noiseless orbit, of what is observed of it where that is bounded.

    Zero for a component that just counts time, unless its observed form is asked for.
    """
    if system.kind == "map":
        solution = iterate(system, system.initial[None], ITERATES, skip=100)
    else:
        times = (BEFORE + np.arange(PERIODS * SAMPLES) / SAMPLES) * period_of(system)
        solution = solve(system, system.initial[None], times, tolerance=1e-9)
    if solution.status[0] != "ok":
        raise ValueError(
            f"noise is measured in deviations of the noiseless orbit, and {system.label} {solution.status[0]} at "
            f"t = {solution.ended[0]:.6g}"
        )
    spread = system.observe(solution.states[0]).std(axis=0)
    counts = phases(system)
    if observed and system.flat.observed is not None:
        counts &= np.array([seen is state for seen, state in zip(system.flat.observed, system.flat.variables, strict=True)])
    spread = np.where(counts, 0.0, spread)
    spread.flags.writeable = False
    return spread


def by_component(system: System, value, what: str) -> np.ndarray:
    """Amplitudes (component,) from one number, a mapping of components, or an array."""
    if isinstance(value, Mapping):
        unknown = [key for key in value if key not in system.components]
        if unknown:
            raise ValueError(f"{system.label} has no component {unknown[0]!r}.{suggest(str(unknown[0]), system.components)}")
        return np.array([positive(value.get(key, 0.0), f"{what} of {key}", zero=True) for key in system.components])
    if np.ndim(value) == 0:
        return np.full(system.dimension, positive(value, what, zero=True))
    array = np.asarray(value, float)
    if array.shape != (system.dimension,) or not np.isfinite(array).all() or (array < 0).any():
        raise ValueError(
            f"{what} is a number, a mapping of components, or an array of shape ({system.dimension},), not negative; "
            f"{value!r} given"
        )
    return array


def process(system: System, amplitude, step: float | None, spacing: float, values: np.ndarray | None = None) -> Process | None:
    """The noise that moves a flow or delay system: the definition's own, or of the given amplitude; None where there is none.

    `spacing`, that of samples, is divided into equal steps no longer than `step`, and than any lag at these parameter `values`.
    """
    flat, step = system.flat, None if step is None else positive(step, "noise_step")
    if amplitude is None:
        diffusion, names, added = flat.noise or (), flat.parameters, np.empty(0)
        described, close = {"definition": dict(system.noise)}, CLOSE
    else:
        amplitudes = by_component(system, amplitude, "process_noise")
        if amplitudes.any() and system.kind == "map":
            raise ValueError(
                f"process_noise moves flows and delay systems, by Ito's equations; {system.label} is a map. "
                "observation_noise= is added to what is seen of any system"
            )
        strength = np.zeros(0) if not amplitudes.any() else amplitudes * deviations(system) / np.sqrt(period_of(system))
        if amplitudes.any() and not strength.any():
            raise ValueError(
                f"process_noise is measured in deviations of the noiseless orbit, and that of {system.label} rests, or just counts "
                "time in these components; write the noise into the definition instead, as in noise={'x': '0.1'}"
            )
        symbols = [name(f"amplitude of {k}") if b > 0 else ZERO for k, b in enumerate(strength)]
        diffusion, added = tuple(symbols), strength[strength > 0]
        names = flat.parameters + tuple(symbol for symbol in symbols if symbol is not ZERO)
        described = {"amplitude": dict(zip(system.components, amplitudes.tolist(), strict=True))}
        close = min(WORST, PART * float(amplitudes[amplitudes > 0].min(initial=np.inf)))
        close *= 1 if system.smooth else ROUGHLY
        described |= {"diffusion": dict(zip(system.components, strength.tolist(), strict=False))}
    if all(tree is ZERO for tree in diffusion):
        return None
    largest = _sound_step(system, close) if step is None else step
    if system.kind == "delay":
        rows = system.values if values is None else values
        largest = min(largest, float(noisy_delay.shared_lags(flat, flat.parameters, rows).min()))
    parts = max(1, int(np.ceil(spacing / largest - 1e-9)))
    return Process(diffusion, names, added, spacing / parts, described | {"step": spacing / parts})


@lru_cache(maxsize=256)
def _sound_step(system: System, close: float) -> float:
    """The longest step, a period (or a few Lyapunov times) over a power of two, at which the noiseless motion is right."""
    try:
        flat, period = system.flat, period_of(system)
    except ValueError as error:
        raise ValueError(f"no step for the noise of {system.label} is known without a period; give noise_step=") from error
    late, shortest = system.kind == "delay", float(system.lags.min(initial=np.inf))
    times, options = (BEFORE + APART * np.arange(STATES)) * period, {"tolerance": TOLERANCE, "solver": None, "workers": 1}
    starts = states_at(system, times, options) if late else solve(system, system.initial[None], times).states[0]
    span = period + shortest if late else period
    span = min(span, LYAPUNOV_TIMES * system.lyapunov_time) if system.lyapunov_time else span
    exact = solve(system, starts, np.array([0.0, span])).states[:, 1]
    size = np.maximum(deviations(system), 1e-12 * np.abs(exact).max(axis=0) + 1e-300)
    steps, still = FEWEST, (ZERO,) * system.dimension
    while steps <= MOST:
        streams = engine.spawn(0, STATES)
        options = {"step": span / steps, "stride": steps, "count": 2, "streams": streams, "workers": 1}
        what = flat, still, flat.parameters, starts, system.values
        if span / steps > shortest:
            steps *= 2
            continue
        end = (noisy_delay.solve(*what, **options).states if late else engine.solve(*what, **options))[:, 1]
        wrong = np.abs(end - exact)[:, ~phases(system)] / size[~phases(system)]
        if np.isfinite(end).all() and wrong.max() < close:
            return span / steps
        steps *= 2
    raise ValueError(
        f"{system.label} is too stiff for noise in explicit steps: {MOST} a period are not enough. "
        "Give noise_step= to try yet shorter ones"
    )


def observation(system: System, amplitude) -> np.ndarray | None:
    """The standard deviation of what is added to each observed component, or None."""
    amplitudes = by_component(system, amplitude, "observation_noise")
    return amplitudes * deviations(system, observed=True) if amplitudes.any() else None


def described(system: System, moved: Process | None, seen: np.ndarray | None) -> str:
    """The noise as the attribute of a dataset."""
    parts = {"process": moved.described} if moved else {}
    parts |= {"observation": dict(zip(system.components, seen.tolist(), strict=True))} if seen is not None else {}
    return json.dumps(parts) if parts else "none"
