"""Times the peer's routine for exponents on Lorenz, one JSON line. Run by the peer's interpreter; it needs nothing of chaoslab."""

import json
import time

import numpy as np
from dysts import flows
from dysts.analysis import find_lyapunov_exponents

RUNS = 2
#: Samples, and samples a period: its default, with fewer it finds next to nothing of the exponent.
SAMPLES, PER_PERIOD = 5000, 500


def main() -> None:
    exponents, seconds = [], []
    for seed in range(RUNS):
        system = flows.Lorenz()
        system.ic = np.asarray(system.ic) * (1 + 0.05 * np.random.default_rng(seed).standard_normal(3))
        start = time.perf_counter()
        found = find_lyapunov_exponents(system, SAMPLES, pts_per_period=PER_PERIOD)
        seconds.append(time.perf_counter() - start)
        exponents.append(float(np.max(found)))
    print(json.dumps({"seconds": float(np.median(seconds)), "exponents": exponents, "samples": SAMPLES, "per_period": PER_PERIOD}))


if __name__ == "__main__":
    main()
