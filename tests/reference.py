"""An engine that shares nothing with ours but the equations' text: SciPy's Runge-Kutta with a bounded step."""

import math
import re

import numpy as np
from scipy.integrate import solve_ivp

from chaoslab.systems import System
from chaoslab.systems.emit import scalar_function

#: A jump that the motion may slide along is smoothed this steeply, and then needs a stiff method.
STEEP = 1e9
#: The tightest relative tolerance that SciPy takes.
TIGHTEST = 2.3e-14


def reference(system: System, times: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """States (time, component) from the definition's own functions, at 1e-13 of each component's range."""
    slides = "sign(" in str(system.definition())
    if slides:
        system = smoothed(system)
    function = scalar_function(system.flat.rhs, system.flat.variables + system.flat.parameters)
    values = list(system.values)
    step = np.inf if slides else (times[-1] - times[0]) / (800 if system.smooth else 8000)
    solution = solve_ivp(
        lambda t, x: function([*x, *values], t),
        (times[0], times[-1]),
        system.initial,
        method="Radau" if slides else "DOP853",
        t_eval=times,
        rtol=1e-10 if slides else 1e-13,
        atol=(1e-11 if slides else 1e-13) * spread,
        max_step=step,
    )
    assert solution.success, f"the reference failed on {system.label}: {solution.message}"
    return solution.y.T


def smoothed(system: System) -> System:
    """The system with sign(u) written as tanh(1e9 u): slow, but no switching logic is needed."""
    definition = system.definition()
    for table in ("equations", "where"):
        definition[table] = {
            key: re.sub(r"sign\(([^()]*)\)", rf"tanh({STEEP:.0f}*(\1))", text) for key, text in definition.get(table, {}).items()
        }
    assert "tanh" in str(definition)
    return System(**definition)


def growth(system: System, times: np.ndarray) -> float:
    """The largest factor by which a small error grows relative to each component's range, from the variational equations."""
    n = system.dimension

    def field(t, y):
        return np.concatenate([system.rhs(y[:n], t), (system.jacobian(y[:n], t) @ y[n:].reshape(n, n)).ravel()])

    start = np.concatenate([system.initial, np.eye(n).ravel()])
    solution = solve_ivp(field, (times[0], times[-1]), start, method="DOP853", t_eval=times, rtol=1e-6, atol=1e-8)
    states, frames = solution.y[:n].T, solution.y[n:].T.reshape(-1, n, n)
    spread = np.maximum(np.ptp(states, axis=0), 1e-12)
    return max(1.0, float(np.abs(frames * spread / spread[:, None]).max())) if len(frames) == len(times) else math.nan


def laps(system, count: int) -> np.ndarray:
    """States of a delay system with one lag at the ends of its first laps (lap, component), from its constant history.

    The method of steps as one growing flow: y_k(s) = x(k lag + s), driven by y_(k-1), is solved anew from s = 0 for each lap.
    """
    [lag] = set(system.lags.tolist())
    dimension, at = system.dimension, [delay.component for delay in system.flat.delays]
    starts = [system.initial]
    for lap in range(1, count + 1):

        def field(s, y, lap=lap):
            rows = np.vstack([system.initial, y.reshape(lap, dimension)])
            return system.rhs(rows[1:], np.arange(lap) * lag + s, delayed=rows[:-1, at]).ravel()

        start = np.concatenate(starts)
        ends = solve_ivp(field, (0, lag), start, method="DOP853", rtol=TIGHTEST, atol=1e-15).y[:, -1]
        starts.append(ends[-dimension:])
    return np.array(starts)
