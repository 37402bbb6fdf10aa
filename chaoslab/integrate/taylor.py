"""The Taylor engine: heyoka integrators, compiled once per text, with parameters as run-time values."""

import threading
from copy import deepcopy
from functools import lru_cache

import numpy as np

from ..systems.emit import heyoka_expressions
from ..systems.tree import name, walk
from .crossing import Leg
from .switching import Equations

#: Operations and surfaces beyond which heyoka writes compact code: compiled in 0.2 s instead of 7, a little slower to run.
COMPACT = 250


#: Outcomes from -1 down to here name the event that stopped a run; heyoka's other outcomes lie far below.
STOPPED = -(2**31)


#: Steps between looks at a run: often enough for Ctrl-C and for motions that leave by ever faster oscillations.
STEPS = 20_000
#: A state this much larger, in steps this much shorter, than at first has left.
GROWN = 1e3


class TaylorStepper:
    """A pool of equal integrators, so that threads never share one."""

    def __init__(self, equations: Equations, tolerance: float):
        self._master, self._events = _compile(equations, tolerance)
        self._spare: list = [self._master]
        self._step_limit = _step_limit()
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
        pieces, pace = [], None
        while True:
            begin = integrator.time
            early = times[0] != begin  # heyoka wants the grid to begin where the integrator stands
            outcome, _, _, steps, _, rows = integrator.propagate_grid(
                np.concatenate(([begin], times)) if early else times, max_steps=STEPS
            )
            rows = rows[1:] if early else rows
            code = int(outcome)
            if code != self._step_limit:
                break
            pieces.append(rows)
            times, taken = times[len(rows) :], (integrator.time - begin) / steps
            if len(times) == 0 or self._runs_away(pace, taken, x):
                break
            pace = taken if pace is None else pace
        finished = len(rows) == len(times) if code != self._step_limit else len(times) == 0
        if code != self._step_limit:
            pieces.append(rows)
        rows = np.concatenate(pieces) if len(pieces) > 1 else pieces[0]
        if STOPPED <= code < 0:
            return Leg(rows, integrator.time, integrator.state.copy(), self._events[-code - 1], False)
        finished = finished and bool(np.isfinite(integrator.state).all())
        return Leg(rows, integrator.time, integrator.state.copy(), None, not finished)

    def _runs_away(self, pace: float | None, taken: float, x: np.ndarray) -> bool:
        """Whether the state has grown and its time scale shrunk so much that it is leaving, however long it would take."""
        grown = np.abs(self._integrator.state).max() > GROWN * max(1.0, np.abs(x).max())
        return pace is not None and taken < pace / GROWN and bool(grown)


@lru_cache(maxsize=1)
def _step_limit() -> int:
    import heyoka as hy

    return int(hy.taylor_outcome.step_limit)


def _compile(equations: Equations, tolerance: float):
    """An integrator, and which surface each of its events is: those that never move are none (heyoka refuses them)."""
    import heyoka as hy

    hy.set_logger_level_error()  # what it warns of, a state that is not finite, is marked and dated by our caller
    symbols = {node: hy.expression(f"x{k}") for k, node in enumerate(equations.variables)}
    symbols |= {node: hy.par[k] for k, node in enumerate(equations.values)}
    made = heyoka_expressions((*equations.rhs, *equations.surfaces), symbols)
    rhs, surfaces = made[: len(equations.rhs)], made[len(equations.rhs) :]
    timed = [name("t") in walk(surface) for surface in equations.surfaces]
    moving = [k for k, surface in enumerate(surfaces) if timed[k] or hy.get_variables(surface)]
    size = sum(1 for node in walk(*equations.rhs, *equations.surfaces) if node.children) + 10 * len(surfaces)
    integrator = hy.taylor_adaptive(
        list(zip((symbols[node] for node in equations.variables), rhs, strict=True)),
        np.zeros(len(rhs)),
        tol=tolerance,
        t_events=[hy.t_event(surfaces[k]) for k in moving],
        compact_mode=size > COMPACT,
    )
    return integrator, moving


@lru_cache(maxsize=512)
def stepper(equations: Equations, tolerance: float) -> TaylorStepper:
    """The compiled integrator of these equations, shared within the process."""
    return TaylorStepper(equations, tolerance)
