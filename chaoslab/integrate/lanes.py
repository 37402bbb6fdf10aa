"""Many members in the lanes of one processor's vectors: the Taylor engine several members at a time.

Each lane has its own steps and does not feel the others, so a member's result does not depend on who shares its vector. What
needs care, a start where the series has gaps or a motion that ends, is left to the engine for single members.
"""

import threading
from copy import deepcopy
from functools import lru_cache

import numpy as np

from .effort import BEST, PASSING, effort
from .switching import Equations
from .taylor import COMPACT, expressions

#: Steps after which members are left to the engine for one, which looks at a run more often: some seconds.
MOST_STEPS = 500_000


class Lanes:
    """Equal integrators of several members each, one a thread."""

    def __init__(self, equations: Equations, tolerance: float):
        import heyoka as hy

        self.width = hy.recommended_simd_size()
        system, _, size = expressions(equations)
        still = np.zeros((len(system), self.width))
        self._master = hy.taylor_adaptive_batch(system, still, tol=tolerance, compact_mode=size > COMPACT, opt_level=effort())
        self._done = int(hy.taylor_outcome.time_limit)
        self._local = threading.local()
        self._lock = threading.Lock()

    @property
    def integrator(self):
        """This thread's own."""
        mine = getattr(self._local, "integrator", None)
        if mine is None:
            with self._lock:
                mine = self._local.integrator = deepcopy(self._master)
        return mine

    def standing(self, times: np.ndarray, members: np.ndarray, values: np.ndarray):
        """This thread's integrator, standing at each member's own time and state; spare lanes repeat the last member."""
        integrator = self.integrator
        lanes = np.minimum(np.arange(self.width), len(members) - 1)
        integrator.set_time(times[lanes].tolist())
        integrator.state[:] = members[lanes].T
        used = len(integrator.pars)
        if used:
            integrator.pars[:] = values[lanes, :used].T
        return integrator

    def advance(self, t: float, members: np.ndarray, values: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """States (member, time, component) of at most `width` members, and which of them are whole."""
        integrator, count = self.standing(np.full(len(members), t), members, values), len(members)
        early = int(times[0] != t)
        grid = np.concatenate(([t], times)) if early else times
        _, rows = integrator.propagate_grid(np.repeat(grid[:, None], self.width, axis=1), max_steps=MOST_STEPS)
        rows = np.moveaxis(np.asarray(rows)[early:, :, :count], 2, 0)
        whole = np.array([outcome[0] for outcome in integrator.propagate_res[:count]], int) == self._done
        return rows, whole & np.isfinite(rows[:, -1]).all(axis=1)


def lanes(equations: Equations, tolerance: float) -> Lanes:
    """The compiled integrators of these equations, shared within the process."""
    return (compiled if effort() == BEST else passing)(equations, tolerance)


compiled = lru_cache(maxsize=128)(Lanes)
passing = lru_cache(maxsize=PASSING)(Lanes)
