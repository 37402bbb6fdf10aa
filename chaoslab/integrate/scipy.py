"""SciPy's DOP853 behind the same call: the fallback where heyoka is absent, and the independent reference."""

import math
from functools import lru_cache

import numpy as np

from ..systems.emit import scalar_function
from .crossing import Leg
from .switching import Equations

#: SciPy takes no relative tolerance below a hundred roundings.
TIGHTEST = 2.5e-14


class ScipyStepper:
    """`solve_ivp` with its own step control; where there are surfaces, steps are also held to half the sampling interval."""

    def __init__(self, equations: Equations, tolerance: float):
        names = equations.variables + equations.values
        self.rhs = scalar_function(equations.rhs, names)
        self.surfaces = [scalar_function((surface,), names) for surface in equations.surfaces]
        self.tolerance = max(tolerance, TIGHTEST)

    def restart(self) -> None:
        """Nothing is remembered between trajectories."""

    def advance(self, t, x, values, times) -> Leg:
        from scipy.integrate import solve_ivp

        values, nothing = list(values), [math.nan] * len(x)

        def field(time, state):
            try:
                return self.rhs([*state, *values], time)
            except (ArithmeticError, ValueError):
                return nothing

        x = np.asarray(x, float)
        if times[0] == t and len(times) == 1:
            return Leg(x[None].copy(), t, x, None, False)
        nudge = 1e-7 * (times[-1] - t) / max(len(times), 1)
        soon = x + nudge * np.asarray(field(t, x))
        events = [self._event(surface, values, t, soon, t + nudge) for surface in self.surfaces]
        bound = 0.5 * (times[-1] - t) / len(times) if self.surfaces else np.inf
        result = solve_ivp(
            field,
            (t, times[-1]),
            x,
            method="DOP853",
            t_eval=times,
            events=events or None,
            rtol=self.tolerance,
            atol=self.tolerance * max(1e-3, float(np.abs(x).max())),
            max_step=bound,
        )
        rows = np.asarray(result.y).T.reshape(-1, len(x))
        if result.status == 1:
            hits = [(found[0], k) for k, found in enumerate(result.t_events) if len(found)]
            when, event = min(hits)
            return Leg(rows, float(when), result.y_events[event][0], event, False)
        failed = result.status < 0 or len(rows) < len(times) or not np.isfinite(rows[-1]).all()
        end = float(times[-1]) if not failed else float(result.t[-1]) if len(result.t) else t
        return Leg(rows, end, rows[-1].copy() if len(rows) else x, None, failed)

    @staticmethod
    def _event(surface, values, start, soon, after):
        """The surface as a terminal event that does not fire at the start, where it may just have been crossed."""
        ahead = surface([*soon, *values], after)[0]

        def event(time, state):
            try:
                return surface([*state, *values], time)[0] if time > start else ahead
            except (ArithmeticError, ValueError):
                return ahead

        event.terminal = True
        return event


@lru_cache(maxsize=512)
def stepper(equations: Equations, tolerance: float) -> ScipyStepper:
    """The stepper of these equations."""
    return ScipyStepper(equations, tolerance)
