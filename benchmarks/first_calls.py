"""Times of chaoslab alone: the first trajectory of a new system, warm calls, the import."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from report import medians_ms, seconds_of

import chaoslab as cl

ROOT = Path(__file__).resolve().parents[1]
TOLERANCE = 1e-12
#: Libraries that `import chaoslab` leaves alone.
LATE = ("torch", "plotly", "sympy", "heyoka", "matplotlib")
IMPORT = f"""
import json, sys, time, numpy
start = time.perf_counter()
import chaoslab
print(json.dumps([time.perf_counter() - start, [name for name in {LATE} if name in sys.modules]]))
"""


def new_systems(count: int = 5) -> dict[str, list[float]]:
    """Seconds from text never seen before to its first trajectory, the libraries being warm; constants stand in
    the text, so each is compiled anew."""
    rng, seconds = np.random.default_rng(), {}
    cl.simulate("Lorenz", periods=10)
    for request in ({"periods": 10}, {"duration": 7.5, "step": 0.0075}):
        took = seconds.setdefault(", ".join(f"{key}={value}" for key, value in request.items()), [])
        for _ in range(count):
            sigma, rho, beta = rng.uniform([9.5, 27.5, 2.6], [10.5, 28.5, 2.7]).round(9)
            text = {"x": f"{sigma}*(y - x)", "y": f"x*({rho} - z) - y", "z": f"x*y - {beta}*z"}
            start = {"x": -9.8, "y": -15, "z": 20.5}
            took.append(round(seconds_of(lambda: cl.simulate(cl.System(text, state=start), **request)), 4))  # noqa: B023
    return seconds


def warm_calls() -> dict[str, float]:
    """A labelled Lorenz trajectory in ms, and a ten times longer one beside bare heyoka on the same grid."""
    import heyoka as hy

    system = cl.load("Lorenz")
    x, y, z = hy.make_vars("x", "y", "z")
    rhs = [(x, 10.0 * (y - x)), (y, x * (28.0 - z) - y), (z, x * y - 8.0 / 3.0 * z)]
    engine = hy.taylor_adaptive(rhs, system.initial, tol=TOLERANCE)
    long = lambda: cl.simulate(system, periods=100, tolerance=TOLERANCE)
    times = long().time.values

    def bare() -> np.ndarray:
        engine.time = 0.0
        engine.state[:] = system.initial
        return engine.propagate_grid(times)[-1]

    if not np.allclose(long().state[0, :500], bare()[:500], rtol=0, atol=1e-6):
        raise RuntimeError("chaoslab and bare heyoka disagree within 5 periods of Lorenz")
    [short_ms] = medians_ms(lambda: cl.simulate(cl.load("Lorenz"), periods=10), least=200, seconds=0)
    long_ms, bare_ms = medians_ms(long, bare, least=100)
    return {"simulate_10_ms": short_ms, "simulate_100_ms": long_ms, "heyoka_100_ms": bare_ms, "ratio": round(long_ms / bare_ms, 3)}


def fresh_imports(count: int = 7) -> dict:
    """Seconds of `import chaoslab` in fresh interpreters that have numpy, and which late libraries came along."""
    command = [sys.executable, "-c", IMPORT]
    runs = [json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout) for _ in range(count)]
    times, loaded = zip(*runs, strict=True)
    return {"median_s": round(float(np.median(times)), 4), "loaded": sorted(set().union(*loaded))}
