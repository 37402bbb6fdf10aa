"""One long orbit, divided among members: where each begins, and the unit of time that runs are counted in."""

import math

import numpy as np

from ..integrate import iterate, solve
from ..systems import System
from ..trajectories import NoPeriod, dominant_period

#: Periods, or iterations, before the first member, and samples by which the size of the motion is told.
SETTLE, SETTLING, SIZING = 100, 1000, 2048


def time_unit(system: System) -> float:
    """The dominant period, or, where the motion has none, a turn of the fastest mode of the linearised equations."""
    if system.kind == "map":
        return 1.0
    try:
        return system.period or dominant_period(system).value
    except NoPeriod:
        if system.kind == "delay":
            return float(system.lags.max())
        fastest = np.abs(np.linalg.eigvals(system.jacobian(system.initial))).max()
        return 2 * math.pi / max(float(fastest), 1e-9)


def divided_orbit(system: System, members: int, unit: float, transient: float | None, apart: float = 0.0):
    """States or pasts that divide one long orbit into equal parts, and the size of the motion in each component.

    Closer starts would follow one another, and count the same stretch several times.
    """
    if system.kind == "map":
        solution = iterate(system, system.initial[None], SIZING, skip=SETTLING if transient is None else round(transient))
    else:
        before = SETTLE * unit if transient is None else transient
        times = before + unit / 64 * np.arange(1, SIZING + 1)
        solution = solve(system, system.initial[None], times, many=False)
    _refuse_ended(system, solution)
    shown = system.observe(solution.states[0])
    scale = np.maximum(shown.std(axis=0), 1e-6 * np.abs(shown).max(axis=0))
    now = solution.pasts[0] if system.kind == "delay" else solution.states[0, -1]
    starts = [now]
    for _ in range(members - 1):
        if system.kind == "map":
            begin = round(start_time(system, unit, transient) + len(starts[1:]) * round(apart))
            solution = iterate(system, now[None], 1, skip=round(apart), first=begin)
        else:
            begin = now.now if system.kind == "delay" else 0.0
            looks = 2 if system.smooth else max(2, round(8 * apart / unit))  # a walk across switches goes back to its last look
            times = np.linspace(begin, begin + apart, looks)
            solution = solve(system, [now] if system.kind == "delay" else now[None], times, start=begin)
        _refuse_ended(system, solution)
        now = solution.pasts[0] if system.kind == "delay" else solution.states[0, -1]
        starts.append(now)
    copied = [past.copy() for past in starts] if system.kind == "delay" else np.array(starts)
    return copied, np.where(scale > 0, scale, 1.0)


def start_time(system: System, unit: float, transient: float | None) -> float:
    """When the first of `divided_orbit` begins."""
    if system.kind == "map":
        return float(SIZING - 1 + (SETTLING if transient is None else round(transient)))
    return (SETTLE * unit if transient is None else transient) + unit / 64 * SIZING


def _refuse_ended(system: System, solution) -> None:
    if solution.status[0] != "ok":
        why = f" ({solution.reasons[0]})" if solution.reasons[0] else ""
        where = f"{system.label} {solution.status[0]} at t = {solution.ended[0]:.6g}{why}"
        raise ValueError(f"{where}, so it has no exponents; choose another state, or parameters")
