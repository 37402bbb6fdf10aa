"""Times the peer's own integration, one JSON line a system. Run by the peer's interpreter; it needs nothing of chaoslab.

    .venv-peer/bin/python -W ignore benchmarks/peer_integration.py Lorenz Rossler

Names come as arguments or, one a line, from standard input. The first line printed says the versions and the names there are.
"""

import argparse
import importlib.metadata
import importlib.util
import json
import multiprocessing
import platform
import signal
import sys
import time

import numpy as np
from dysts import flows
from dysts.systems import get_attractor_list

#: 1,000 samples over 10 of the peer's own periods; integrator, tolerances and time scale stay at their defaults.
SAMPLES, PER_PERIOD = 1000, 100
#: At most so many runs, and no further one once they have taken so many seconds.
RUNS, ENOUGH = 3, 10.0


def run(name: str, pipe) -> None:
    """Time one system in a process of its own and send what is known so far after each run."""
    try:
        system = getattr(flows, name)()
        pipe.send({"period": system.period, "dimension": system.dimension})
        runs = []
        while len(runs) < RUNS and sum(runs) < 1e3 * ENOUGH:
            start = time.perf_counter()
            states = system.make_trajectory(SAMPLES, pts_per_period=PER_PERIOD, standardize=False, postprocess=False)
            runs.append(round(1e3 * (time.perf_counter() - start), 1))
            whole = states is not None and len(states) == SAMPLES and bool(np.isfinite(states).all())
            pipe.send({"runs_ms": runs, "status": "ok" if whole else "failed: the trajectory is not complete"})
    except Exception as error:  # one system's failure is a result, told to the caller
        pipe.send({"status": f"failed: {type(error).__name__}: {error}"[:200]})


def timed(name: str, timeout: float) -> dict:
    """The record of one system: period, dimension, runs in ms, and a status that says what became of it."""
    record = {"name": name, "period": None, "dimension": None, "runs_ms": [], "status": None}
    receiver, sender = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.Process(target=run, args=(name, sender), daemon=True)
    child.start()
    sender.close()  # so that the child's end is the end of the pipe
    deadline = time.monotonic() + timeout
    try:
        while receiver.poll(max(0.0, deadline - time.monotonic())):
            record |= receiver.recv()
        record["status"] = record["status"] or f"timeout after {timeout:g} s"
    except EOFError:
        record["status"] = record["status"] or "failed: the process died"
    child.kill()
    child.join()
    return record


def versions() -> dict:
    wanted = ("dysts", "numpy", "scipy", "numba")
    found = {key: importlib.metadata.version(key) for key in wanted if importlib.util.find_spec(key)}
    return {"python": platform.python_version(), **found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="systems; read from standard input if none is given")
    parser.add_argument("--timeout", type=float, default=300.0, help="seconds a system may take, all runs together")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # takes the child along
    signal.signal(signal.SIGINT, signal.SIG_IGN if not options.names else signal.default_int_handler)
    lines, sys.stdout = sys.stdout, sys.stderr  # whatever the library prints stays out of the way
    print(json.dumps({"versions": versions(), "names": get_attractor_list()}), file=lines, flush=True)
    for name in options.names or map(str.strip, sys.stdin):
        print(json.dumps(timed(name, options.timeout)), file=lines, flush=True)


if __name__ == "__main__":
    main()
