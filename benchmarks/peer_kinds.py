"""Times the peer's delays and noise, one JSON line. Run by the peer's interpreter; it needs nothing of chaoslab.

    .venv-peer/bin/python -W ignore benchmarks/peer_kinds.py delay 0.9 0.2 0.1 10 17
    .venv-peer/bin/python -W ignore benchmarks/peer_kinds.py noise
"""

import json
import sys
import time

import numpy as np
from dysts import flows


def delay(start: float, beta: float, gamma: float, n: float, tau: float) -> dict:
    """Mackey-Glass over 10,000 time units at the peer's own step, from a constant history, and its state after one lag."""
    system = flows.MackeyGlass()
    system.params |= {"beta": beta, "gamma": gamma, "n": n, "tau": tau}
    for key, value in system.params.items():
        setattr(system, key, value)
    options = {"init_cond": np.array([start]), "resample": False, "return_times": True}
    began = time.perf_counter()
    times, states = system.make_trajectory(round(10_000 / system.dt), dt=system.dt, tau=tau, **options)
    seconds = time.perf_counter() - began
    after = float(np.interp(tau, np.ravel(times), np.ravel(states)))
    return {"seconds": seconds, "covered": float(np.ravel(times)[-1]), "step": system.dt, "after_one_lag": after, "tau": tau}


def noise() -> dict:
    """One member of Lorenz with noise; the peer has no ensembles."""
    system, steps = flows.Lorenz(), 10_000
    began = time.perf_counter()
    system.make_trajectory(steps, resample=False, noise=0.5)
    return {"seconds": time.perf_counter() - began, "steps": steps}


if __name__ == "__main__":
    print(json.dumps({"delay": delay, "noise": noise}[sys.argv[1]](*map(float, sys.argv[2:]))))
