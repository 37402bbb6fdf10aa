"""SciPy's DOP853 behind the same call: the fallback where heyoka is absent, and the independent reference."""

import math
from functools import lru_cache

import numpy as np

from ..systems.emit import scalar_function
from .crossing import Leg
from .past import chebyshev, powers
from .switching import Equations

#: SciPy takes no relative tolerance below a hundred roundings.
TIGHTEST = 2.5e-14
#: Degree of the polynomials that stand for a step, that of SciPy's interpolant.
DEGREE = 7


class ScipyStepper:
    """`solve_ivp` with its own step control; where there are surfaces, steps are also held to half the sampling interval."""

    #: How exact its segments are.
    dense_accuracy = 1e-10

    def __init__(self, equations: Equations, tolerance: float):
        names = equations.variables + equations.values
        self.rhs = scalar_function(equations.rhs, names)
        self.surfaces = [scalar_function((surface,), names) for surface in equations.surfaces]
        self.tolerance = max(tolerance, TIGHTEST)

    def restart(self) -> None:
        """Nothing is remembered between trajectories."""

    def advance(self, t, x, values, times) -> Leg:
        x = np.asarray(x, float)
        if times[0] == t and len(times) == 1:
            return Leg(x[None].copy(), t, x, None, False)
        result = self._run(t, x, values, times, t_eval=times)
        rows = np.asarray(result.y).T.reshape(-1, len(x))
        if result.status == 1:
            return Leg(rows, *self._stop(result), False)
        failed = result.status < 0 or len(rows) < len(times) or not np.isfinite(rows[-1]).all()
        end = float(times[-1]) if not failed else float(result.t[-1]) if len(result.t) else t
        return Leg(rows, end, rows[-1].copy() if len(rows) else x, None, failed)

    def dense(self, t, x, values, end, longest=np.inf) -> tuple[list, Leg]:
        """Go on to `end` or the first event, as segments (begin, end, coefficients (component, power)), one a step.

        They are SciPy's own interpolants, of order 7.
        """
        x = np.asarray(x, float)
        result = self._run(t, x, values, np.array([end]), dense_output=True, longest=longest)
        stop, state, event = self._stop(result) if result.status == 1 else (float(result.t[-1]), result.y[:, -1], None)
        failed = event is None and (result.status < 0 or not np.isfinite(state).all())
        edges = np.append(result.t[:-1], stop)
        nodes, widths = chebyshev(DEGREE + 1)[0], np.diff(edges)
        values = result.sol((edges[:-1, None] + widths[:, None] * nodes).ravel()).reshape(len(x), len(widths), -1)
        rows, _ = powers(values.swapaxes(0, 1), np.repeat(widths[:, None], len(x), axis=1), 0.0)
        segments = list(zip(edges[:-1].tolist(), edges[1:].tolist(), rows, strict=True))
        return segments, Leg(np.empty((0, len(x))), stop, state, event, failed)

    def _run(self, t, x, values, times, longest=np.inf, **options):
        """SciPy's result from `t` to the last of `times`, stopped by the first surface reached."""
        from scipy.integrate import solve_ivp

        values, nothing = list(values), [math.nan] * len(x)

        def field(time, state):
            try:
                return self.rhs([*state, *values], time)
            except (ArithmeticError, ValueError):
                return nothing

        nudge = 1e-7 * (times[-1] - t) / max(len(times), 1)
        soon = x + nudge * np.asarray(field(t, x))
        events = [self._event(surface, values, t, soon, t + nudge) for surface in self.surfaces]
        bound = min(longest, 0.5 * (times[-1] - t) / len(times) if self.surfaces else np.inf)
        scale = self.tolerance * max(1e-3, float(np.abs(x).max()))
        span = (t, times[-1])
        return solve_ivp(
            field, span, x, method="DOP853", events=events or None, rtol=self.tolerance, atol=scale, max_step=bound, **options
        )

    @staticmethod
    def _stop(result) -> tuple[float, np.ndarray, int]:
        """When, where and on which surface a run was stopped."""
        when, event = min((found[0], k) for k, found in enumerate(result.t_events) if len(found))
        return float(when), result.y_events[event][0], event

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
