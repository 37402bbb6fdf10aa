"""Basins of attraction and periodic orbits: how fast they are found, and how near they are to what is known.

    python benchmarks/basins.py                                  # all of it, two minutes on 2 cores
    python benchmarks/basins.py --only magnetic henon            # some; written nowhere unless --out says where

A missed target is reported, not raised.
"""

import math
from collections import Counter

import numpy as np
from report import run_parts, seconds_of, target

import chaoslab as cl
from chaoslab.invariants import basins, periodic_orbits, uncertainty_exponent
from chaoslab.systems import System

#: Repeats of timed calls; medians are reported.
RUNS = 3
#: The plane of the magnetic pendulum, and how much finer the run is that it is compared with.
REACH, SIDE, FINER = 2.0, 200, 2
#: theta -> 2 theta, z -> growth z + cos 2 pi theta: McDonald, Grebogi, Ott & Yorke, Physica D 17, 125 (1985).
GROWTH = 1.5
CURVE = System(
    {"theta": "mod(2*theta, 1)", "z": "max(min(growth*z + cos(2*pi*theta), 10), -10)"},
    {"growth": GROWTH},
    {"theta": 0.2, "z": 0},
    kind="map",
)
#: Cycles of Henon's map at 1.4, 0.3 by length: Galias, Int. J. Bifurcation Chaos 11, 2427 (2001).
HENON = {1: 2, 2: 1, 4: 1, 6: 2, 7: 4, 8: 7, 9: 6, 10: 10, 11: 14, 12: 19, 13: 32}
#: Viswanath, Nonlinearity 16, 1035 (2003): the shortest orbits of Lorenz's system.
LORENZ = [1.5586522107162, 2.3059072639398, 2.3059072639398]


def _pendulum(side: int):
    axis = np.linspace(-REACH, REACH, side)
    pendulum = cl.load("MagneticPendulum", alpha=0.2)
    return basins(pendulum, {"x": axis, "y": axis}, others={"vx": 0, "vy": 0}, progress=False)


def magnetic() -> dict:
    """The magnetic pendulum on 200 x 200 starts, and its fractions beside those of a finer grid, in errors of both."""
    _pendulum(20)
    seconds = float(np.median([seconds_of(lambda: _pendulum(SIDE)) for _ in range(RUNS)]))
    coarse, fine = _pendulum(SIDE), _pendulum(FINER * SIDE)
    both = np.hypot(coarse.error.values[:3], fine.error.values[:3])
    apart = float((np.abs(coarse.fraction.values[:3] - fine.fraction.values[:3]) / both).max())
    return {
        "seconds": seconds,
        "fractions": coarse.fraction.values[:3].tolist(),
        "errors": coarse.error.values[:3].tolist(),
        "finer": fine.fraction.values[:3].tolist(),
        "targets": [
            target(f"basins of the magnetic pendulum, {SIDE} x {SIDE}", seconds, "< 60 s"),
            target(f"its fractions from a {FINER * SIDE} x {FINER * SIDE} run, in standard errors", apart, "< 2"),
        ],
    }


def boundary() -> dict:
    """The uncertainty exponent of a Weierstrass curve, of which it is known, along theta."""
    plane = {"theta": np.arange(4096) / 4096 + 1e-5, "z": np.linspace(-3, 3, 64)}
    found = uncertainty_exponent(basins(CURVE, plane, progress=False), component="theta")
    value, error, exact = float(found.value), float(found.error), math.log2(GROWTH)
    return {
        "exponent": [value, error],
        "exact": exact,
        "targets": [target("exponent of a Weierstrass curve, off the exact one", abs(value - exact), "<= 0.05")],
    }


def henon() -> dict:
    """All cycles of Henon's map up to 13 points."""
    longest, found = max(HENON), []
    seconds = seconds_of(lambda: found.append(periodic_orbits("Henon", longest)))
    counts = Counter(found[0].length.values.tolist())
    missed = sum(abs(HENON.get(k, 0) - counts[k]) for k in range(1, longest + 1))
    return {
        "seconds": seconds,
        "cycles": {str(k): counts[k] for k in range(1, longest + 1)},
        "targets": [target(f"Henon's cycles up to {longest} points, missed or too many", missed, "<= 0")],
    }


def lorenz() -> dict:
    """The three shortest orbits of Lorenz's system beside their published periods."""
    found = []
    seconds = seconds_of(lambda: found.append(periodic_orbits("Lorenz", 3, section="z = rho - 1", direction=-1)))
    periods = found[0].period.values
    off = float(np.abs(periods - LORENZ).max()) if len(periods) == len(LORENZ) else math.inf
    return {
        "seconds": seconds,
        "periods": periods.tolist(),
        "targets": [target("Lorenz's shortest orbits, largest difference of a period", off, "<= 1e-10")],
    }


PARTS = {"magnetic": magnetic, "boundary": boundary, "henon": henon, "lorenz": lorenz}

if __name__ == "__main__":
    run_parts("basins", __doc__, PARTS)
