"""The Taylor engine: heyoka integrators, compiled once per text, with parameters as run-time values."""

import math
import threading
from copy import deepcopy
from functools import lru_cache

import numpy as np

from ..systems.emit import heyoka_expressions
from ..systems.tree import name, walk
from .crossing import Leg
from .effort import BEST, PASSING, effort, most_steps
from .switching import Equations

#: Operations and surfaces beyond which heyoka writes compact code: compiled in 0.2 s instead of 7, a little slower to run.
COMPACT = 250


#: Outcomes from -1 down to here name the event that stopped a run; heyoka's other outcomes lie far below.
STOPPED = -(2**31)


#: Steps between looks at a run: often enough for Ctrl-C and for motions that leave by ever faster oscillations.
STEPS = 20_000
#: First steps where the series has gaps grow by this factor.
GROWTH = 1.5
#: A state this much larger, in steps this much shorter, than at first has left.
GROWN = 1e3
#: Steps that have shrunk to less than this part, and are too short for the time left by this many, lead nowhere.
SHRUNK, HOPELESS = 10.0, 1e7


class TaylorStepper:
    """A pool of equal integrators, so that threads never share one."""

    #: How exact its segments are, beside the tolerance.
    dense_accuracy = 0.0

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

    def standing(self, t, x, values):
        """The thread's integrator, put to a time and a state."""
        integrator = self._integrator
        integrator.time = t
        integrator.state[:] = x
        used = len(integrator.pars)  # heyoka counts up to the last value that the equations mention
        if used:
            integrator.pars[:] = values[:used]
        return integrator

    def begins_well(self, t, x, values) -> bool:
        """Whether the series at the start has no gaps that would fool the choice of the first step."""
        near, far = _radii(self.standing(t, x, values))
        return math.isfinite(near) and not far > 2 * near > 0

    def advance(self, t, x, values, times) -> Leg:
        integrator = self.standing(t, x, values)
        pieces, times, event = self._first_steps(integrator, times)
        if event is not None:
            return Leg(np.concatenate(pieces), integrator.time, integrator.state.copy(), event, False)
        pace, left, why = None, most_steps(), ""
        while True:
            begin = integrator.time
            code, steps, rows = _propagate(integrator, times, max_steps=STEPS)
            pieces.append(rows)
            times = times[len(rows) :]
            left -= steps
            if code != self._step_limit or not steps or len(times) == 0:
                break
            taken = (integrator.time - begin) / steps
            if left < 0:
                why = f"takes more than {most_steps():g} steps, the most allowed here"
                break
            if self._runs_away(pace, taken, x, times[-1] - integrator.time):
                break
            pace = taken if pace is None else pace
        rows = np.concatenate(pieces) if len(pieces) > 1 else pieces[0]
        if STOPPED <= code < 0:
            return Leg(rows, integrator.time, integrator.state.copy(), self._events[-code - 1], False)
        finished = len(times) == 0 and bool(np.isfinite(integrator.state).all())
        return Leg(rows, integrator.time, integrator.state.copy(), None, not finished, why)

    def dense(self, t, x, values, end, longest=math.inf) -> tuple[list, Leg]:
        """Go on to `end` or the first event, as Taylor segments (begin, end, coefficients (component, power)).

        No segment is longer than `longest`.
        """
        integrator = self.standing(t, x, values)
        segments, now, event, failed = [], t, None, False
        while now < end:
            outcome, _ = integrator.step(min(end - now, longest), True)
            begin, now, code = now, integrator.time, int(outcome)
            failed = len(segments) == STEPS or not math.isfinite(now)
            if failed:
                now = begin
                break
            segments.append((begin, now, integrator.tc.copy()))
            if STOPPED <= code < 0:
                event = self._events[-code - 1]
                break
        x = integrator.state.copy()
        return segments, Leg(np.empty((0, len(x))), now, x, event, failed or not bool(np.isfinite(x).all()))

    def _first_steps(self, integrator, times) -> tuple[list[np.ndarray], np.ndarray, int | None]:
        """Samples of first steps that are held short, the times left to sample, and the event that stopped them.

        heyoka chooses a step by the last two coefficients of the series. Where the motion starts on a symmetry, as
        x'' = -x^3 does at x = 0, both vanish and the step would have no bound; it grows slowly there.
        """
        pieces, (near, far) = [], _radii(integrator)
        bound = near if far > 2 * near > 0 else math.inf
        while integrator.time + bound < times[-1]:
            end = integrator.time + bound
            inside = times[: np.searchsorted(times, end)]
            code, _, rows = _propagate(integrator, np.append(inside, end), max_delta_t=bound)
            rows = rows[: len(inside)]
            pieces.append(rows)
            times = times[len(rows) :]
            if STOPPED <= code < 0:
                return pieces, times, self._events[-code - 1]
            bound = GROWTH * bound if _radii(integrator)[1] > GROWTH * bound else math.inf
        return pieces, times, None

    def _runs_away(self, pace: float | None, taken: float, x: np.ndarray, left: float) -> bool:
        """Whether it is leaving, however long it would take: the state has grown and its time scale shrunk, or steps have become
        so much shorter that the time left would take more of them than anyone waits for."""
        if pace is None:
            return False
        grown = np.abs(self._integrator.state).max() > GROWN * max(1.0, np.abs(x).max())
        return (taken < pace / GROWN and bool(grown)) or (taken < pace / SHRUNK and left > HOPELESS * taken)


def _propagate(integrator, times, **options) -> tuple[int, int, np.ndarray]:
    """heyoka's outcome, the number of steps, and the samples."""
    early = times[0] != integrator.time  # heyoka wants the grid to begin where the integrator stands
    grid = np.concatenate(([integrator.time], times)) if early else times
    outcome, _, _, steps, _, rows = integrator.propagate_grid(grid, **options)
    return int(outcome), steps, rows[1:] if early else rows


def _radii(integrator) -> tuple[float, float]:
    """Steps that all coefficients of the Taylor series together, and its last two alone, allow (Jorba & Zou, 2005)."""
    time, state = integrator.time, integrator.state.copy()
    integrator.step(0.0, write_tc=True)
    if not math.isfinite(integrator.time):  # no derivative there: left to whoever goes on from there
        integrator.time, integrator.state[:] = time, state
        return math.inf, math.inf
    size = np.abs(integrator.tc).max(axis=0).tolist()
    largest, half = max(1.0, size[0]), len(size) // 2
    radii = [0.135 * (largest / c) ** (1 / k) if c else math.inf for k, c in enumerate(size[half:], half)]
    late = min(radii)  # the first few say little, unless they are all there is
    if late == math.inf:
        late = min((0.135 * (largest / c) ** (1 / k) for k, c in enumerate(size[1:half], 1) if c), default=math.inf)
    return late, min(radii[-2:])


@lru_cache(maxsize=1)
def _step_limit() -> int:
    import heyoka as hy

    return int(hy.taylor_outcome.step_limit)


def expressions(equations: Equations) -> tuple[list, list, int]:
    """heyoka's system of equations, its surfaces, and how many operations they are made of."""
    import heyoka as hy

    hy.set_logger_level_error()  # what it warns of, a state that is not finite, is marked and dated by our caller
    symbols = {node: hy.expression(f"x{k}") for k, node in enumerate(equations.variables)}
    symbols |= {node: hy.par[k] for k, node in enumerate(equations.values)}
    made = heyoka_expressions((*equations.rhs, *equations.surfaces), symbols)
    rhs, surfaces = made[: len(equations.rhs)], made[len(equations.rhs) :]
    size = sum(1 for node in walk(*equations.rhs, *equations.surfaces) if node.children) + 10 * len(surfaces)
    return list(zip((symbols[node] for node in equations.variables), rhs, strict=True)), surfaces, size


def _compile(equations: Equations, tolerance: float):
    """An integrator, and which surface each of its events is: those that never move are none (heyoka refuses them)."""
    import heyoka as hy

    system, surfaces, size = expressions(equations)
    timed = [name("t") in walk(surface) for surface in equations.surfaces]
    moving = [k for k, surface in enumerate(surfaces) if timed[k] or hy.get_variables(surface)]
    integrator = hy.taylor_adaptive(
        system,
        np.zeros(len(system)),
        tol=tolerance,
        t_events=[hy.t_event(surfaces[k]) for k in moving],
        compact_mode=size > COMPACT,
        opt_level=effort(),
    )
    return integrator, moving


def stepper(equations: Equations, tolerance: float) -> TaylorStepper:
    """The compiled integrator of these equations, shared within the process."""
    return (compiled if effort() == BEST else passing)(equations, tolerance)


compiled = lru_cache(maxsize=512)(TaylorStepper)
passing = lru_cache(maxsize=PASSING)(TaylorStepper)
