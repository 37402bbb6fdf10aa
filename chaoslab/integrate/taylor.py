"""The Taylor engine: heyoka integrators, compiled once per text, with parameters as run-time values."""

import threading
from copy import deepcopy
from functools import lru_cache

import numpy as np

from ..systems.emit import heyoka_expressions
from ..systems.language import walk
from .switching import Equations, Leg

#: Operations and surfaces beyond which heyoka writes compact code: compiled in 0.2 s instead of 7, a little slower to run.
COMPACT = 250


#: Outcomes from -1 down to here name the event that stopped a run; heyoka's other outcomes lie far below.
STOPPED = -(2**31)


class TaylorStepper:
    """A pool of equal integrators, so that threads never share one."""

    def __init__(self, equations: Equations, tolerance: float):
        self._spare: list = [_compile(equations, tolerance)]
        self._master = self._spare[0]
        self._lock = threading.Lock()
        self._local = threading.local()

    def restart(self) -> None:
        """Forget the last trajectory's events."""
        if self._integrator.with_events:
            self._integrator.reset_cooldowns()

    @property
    def _integrator(self):
        mine = getattr(self._local, "integrator", None)
        if mine is None:
            with self._lock:
                mine = self._spare.pop() if self._spare else deepcopy(self._master)
            self._local.integrator = mine
        return mine

    def advance(self, t, x, values, times) -> Leg:
        integrator = self._integrator
        integrator.time = t
        integrator.state[:] = x
        used = len(integrator.pars)  # heyoka counts up to the last value that the equations mention
        if used:
            integrator.pars[:] = values[:used]
        early = times[0] != t  # heyoka wants the grid to begin where the integrator stands
        outcome, *_, rows = integrator.propagate_grid(np.concatenate(([t], times)) if early else times)
        rows = rows[1:] if early else rows
        code = int(outcome)
        if STOPPED <= code < 0:
            return Leg(rows, integrator.time, integrator.state.copy(), -code - 1, False)
        finished = len(rows) == len(times) and bool(np.isfinite(rows[-1]).all())
        return Leg(rows, integrator.time, integrator.state.copy(), None, not finished)


def _compile(equations: Equations, tolerance: float):
    import heyoka as hy

    hy.set_logger_level_error()  # what it warns of, a state that is not finite, is marked and dated by our caller
    symbols = {node: hy.expression(f"x{k}") for k, node in enumerate(equations.variables)}
    symbols |= {node: hy.par[k] for k, node in enumerate(equations.values)}
    made = heyoka_expressions((*equations.rhs, *equations.surfaces), symbols)
    rhs, surfaces = made[: len(equations.rhs)], made[len(equations.rhs) :]
    size = sum(1 for node in walk(*equations.rhs, *equations.surfaces) if node.children) + 10 * len(surfaces)
    return hy.taylor_adaptive(
        list(zip((symbols[node] for node in equations.variables), rhs, strict=True)),
        np.zeros(len(rhs)),
        tol=tolerance,
        t_events=[hy.t_event(surface) for surface in surfaces],
        compact_mode=size > COMPACT,
    )


@lru_cache(maxsize=512)
def stepper(equations: Equations, tolerance: float) -> TaylorStepper:
    """The compiled integrator of these equations, shared within the process."""
    return TaylorStepper(equations, tolerance)
