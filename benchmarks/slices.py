"""Slices over parameters and states: how long a picture takes, and whether it shows what is known.

    python benchmarks/slices.py                              # all of it: some minutes
    python benchmarks/slices.py --only diagrams cascades     # some; written nowhere unless --out says where

Times are medians after a call that compiles. A missed target is reported, not raised.
"""

import warnings

import numpy as np
from report import run_parts, seconds_of, target

from chaoslab.invariants import exponent_map, orbit_diagram, period_doublings, poincare_section, refinements
from chaoslab.trajectories import TrajectoryWarning

#: Repeats of each timed call; what takes long is run once.
RUNS = 5
ROSSLER, LOGISTIC = np.linspace(2, 6, 1000), np.linspace(2.5, 4, 2000)
#: Where Feigenbaum's ratios go for maps with a quadratic maximum.
FEIGENBAUM = 4.669201609


def median(call, runs: int = RUNS) -> float:
    """The median time of a call in seconds, once compiled."""
    call()
    return float(np.median([seconds_of(call) for _ in range(runs)]))


def rossler(values: np.ndarray):
    return orbit_diagram("Rossler", "c", values, points=200, progress=False)


def diagrams() -> dict:
    """Bifurcation diagrams: whole, the first picture, and the same crossings one surface at a time."""
    seconds = median(lambda: rossler(ROSSLER))
    first = median(lambda: next(refinements(rossler, ROSSLER)))
    logistic = median(lambda: orbit_diagram("Logistic", "r", LOGISTIC, points=500, progress=False))
    followed = median(lambda: orbit_diagram("Rossler", "c", ROSSLER, follow="up", progress=False), 1)
    found = rossler(ROSSLER[::50])
    options = {"parameters": {"c": ROSSLER[::50]}, "transient": 100, "tolerance": 1e-9}
    plain = median(lambda: poincare_section("Rossler", "maxima of x", 200, **options), 1)
    few = median(lambda: rossler(ROSSLER[::50]), 3)
    return {
        "rossler_s": seconds,
        "first_picture_s": first,
        "logistic_s": logistic,
        "rossler_followed_s": followed,
        "as_fast_as_poincare_section_times": plain / few,
        "periods": found.period.values.tolist(),
        "targets": [
            target("bifurcation diagram of Rossler, 1,000 x 200", seconds, "< 5 s"),
            target("its first picture", first, "< 0.5 s"),
            target("bifurcation diagram of the logistic map, 2,000 x 500", logistic, "< 0.2 s"),
        ],
    }


def cascades() -> dict:
    """Feigenbaum's constant of maps and of a flow."""
    found = {
        "Logistic": period_doublings("Logistic", "r", 2.8, 4.0, count=8),
        "Henon": period_doublings("Henon", "a", 0.2, 1.2, count=8),
        "Rossler": period_doublings("Rossler", "c", 2.5, 5.0, count=6),
    }
    off = float(abs(found["Logistic"].feigenbaum - FEIGENBAUM))
    kept = lambda one: {
        "doublings": one.value.values.tolist(),
        "feigenbaum": [float(one.feigenbaum), float(one.feigenbaum_error)],
        "off": float(one.feigenbaum) - FEIGENBAUM,
        "reason": one.attrs["reason"],
    }
    return {
        **{name: kept(one) for name, one in found.items()},
        "targets": [target("Feigenbaum's constant from the logistic map, off by", off, "<= 0.02")],
    }


def exponents() -> dict:
    """Largest exponents over 100 x 100 points, once compiled."""
    grids = {
        "Henon": {"a": np.linspace(0.8, 1.5, 100), "b": np.linspace(0, 0.4, 100)},
        "Lorenz": {"rho": np.linspace(20, 200, 100), "sigma": np.linspace(5, 20, 100)},
        "Rossler": {"a": np.linspace(0.1, 0.35, 100), "c": np.linspace(2, 10, 100)},
    }
    made, targets = {}, []
    for name, axes in grids.items():
        exponent_map(name, {word: values[::50] for word, values in axes.items()}, progress=False)
        found = []
        seconds = seconds_of(lambda name=name, axes=axes, found=found: found.append(exponent_map(name, axes, progress=False)))
        chaotic = float((found[0].exponent > 2 * found[0].error).mean())
        made[name] = {"seconds": seconds, "chaotic": chaotic, "gone": float(found[0].exponent.isnull().mean())}
        limit = "< 3 s" if name == "Henon" else "< 60 s"
        targets.append(target(f"exponents of {name} over 100 x 100 points", seconds, limit))
    return made | {"targets": targets}


PARTS = {"diagrams": diagrams, "cascades": cascades, "exponents": exponents}

if __name__ == "__main__":
    warnings.simplefilter("ignore", TrajectoryWarning)  # values at which the motion ends are part of the pictures
    run_parts("slices", __doc__, PARTS)
