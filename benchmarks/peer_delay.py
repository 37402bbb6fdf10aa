"""Times the peer's Mackey-Glass, one JSON line. Run by the peer's interpreter; it needs nothing of chaoslab.

.venv-peer/bin/python -W ignore benchmarks/peer_delay.py 0.9 0.2 0.1 10 17
"""

import json
import sys
import time

import numpy as np
from dysts import flows

#: Time units; 10,000 would take many minutes.
DURATION = 200.0


def delay(start: float, beta: float, gamma: float, n: float, tau: float) -> dict:
    """Mackey-Glass over some lags at the peer's own step, from a constant history."""
    system = flows.MackeyGlass()
    system.params |= {"beta": beta, "gamma": gamma, "n": n, "tau": tau}
    for key, value in system.params.items():
        setattr(system, key, value)
    began = time.perf_counter()
    system.make_trajectory(round(DURATION / system.dt), init_cond=np.array([start]), dt=system.dt, tau=tau, resample=False)
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "duration": DURATION, "step": system.dt}


if __name__ == "__main__":
    print(json.dumps(delay(*map(float, sys.argv[1:]))))
