"""Measure the catalogue into systems/measured.csv: `python -m chaoslab.invariants.measure [NAME ...]`.

Exponents with errors, what follows from them, the regime, the dominant period. A run over all resumes: what has been found of a
system is stored as soon as it is there.
"""

import argparse
import dataclasses
import hashlib
import os
import sys
from pathlib import Path

import numpy as np

from ..sweep import sweep
from ..systems import System, load, names
from ..trajectories.record import record
from ..trajectories.schema import package_version
from ..trajectories.timescale import METHOD as PERIOD_METHOD
from ..trajectories.timescale import SOLVER_TOLERANCE, NoPeriod, dominant_period
from .kaplan_yorke import kaplan_yorke_dimension, lyapunov_time, pesin_sum
from .lyapunov import largest_exponent, lyapunov_spectrum, time_unit
from .regime import regime

COMMAND = "python -m chaoslab.invariants.measure"
#: How the dominant period is found.
PERIOD = {"samples": 65536, "periods": 1000, "blocks": 16}
CHAOTIC = ("chaotic", "hyperchaotic")
#: Where a run over all keeps what it has.
STORE = Path("measure.sqlite")
SEED = 0
#: The error of the largest exponent that a run goes on for: this part of it, or so much per period (a map's iteration).
RELATIVE, PER_PERIOD = 0.01, 0.002
#: A longer run aims at this part of the wanted error, and is at most so many times as long, since the error is itself estimated.
MARGIN, AT_ONCE = 0.8, 10
#: Periods (a map's iterations) of the first run, and of the longest one.
FIRST = {"flow": 1000, "delay": 400, "map": 100_000}
LONGEST = {"flow": 100_000, "delay": 40_000, "map": 2_000_000}
#: Where a period takes tens of milliseconds.
SHORTER = {"KuramotoSivashinsky": 5_000, "MacArthur": 5_000, "BlinkingRotlet": 50_000, "BlinkingVortex": 50_000}
#: Exponents to take where all would take too long; from the dimension LARGE on, so many.
FEWER, LARGE, FEW = {"MacArthur": 4, "KuramotoSivashinsky": 8}, 41, 6
#: Members of a longer run begin so many Lyapunov times apart, where the exponent is positive by so many errors.
APART, SURE = 100, 5
#: A longer run is for the largest exponent alone where all are slow to find: from this dimension on, of a delay system, and
#: where factors must be taken more often than this part of a period, since differences along others die out so fast.
ALONE, STEEP = 8, 1 / 30


def measure(name: str, seed: int, definition: str) -> dict:
    """All quantities of a system: {"found": {quantity: [value, error, method, settings]}}.

    `definition` is its `digest`; ValueError if this process knows another system of that name.
    """
    system = load(name)
    if digest(system) != definition:
        raise ValueError(f"{name} is defined otherwise here; give all workers the same version of chaoslab")
    found = {}
    if system.kind != "map":
        try:
            value, error = dominant_period(system, **PERIOD)
        except NoPeriod:
            pass  # a motion that comes to rest has none, and the regime says so
        else:
            found["period"] = [value, error, PERIOD_METHOD, PERIOD | {"tolerance": SOLVER_TOLERANCE}]
            system = dataclasses.replace(system, period=float(f"{value:.6g}"))  # as it will be read
    spectrum, single = _precise(system, seed)
    method, settings = spectrum.attrs["method"], _settings(spectrum)
    exponents = zip(spectrum["exponent"].values.tolist(), spectrum["error"].values.tolist(), strict=True)
    found |= {f"exponent {k}": [value, error, method, settings] for k, (value, error) in enumerate(exponents, start=1)}
    found["largest_exponent"] = [float(single["exponent"][0]), float(single["error"][0]), method, _settings(single)]
    if np.isfinite(spectrum["divergence"]):
        found["divergence"] = [float(spectrum["divergence"]), "", method, settings]
    what = regime(system, spectrum=spectrum, progress=False)
    if single is not spectrum and what.regime not in CHAOTIC:
        what = regime(system, spectrum=single, progress=False)  # weak chaos may show only in a long run
    found["regime"] = [what.regime, "", what.words, settings]
    derived = {"kaplan_yorke_dimension": (kaplan_yorke_dimension, spectrum), "pesin_sum": (pesin_sum, spectrum)}
    if what.regime in CHAOTIC:
        derived["lyapunov_time"] = lyapunov_time, single
    for key, (function, source) in derived.items():
        estimate = function(source)
        if np.isfinite(estimate["value"]):
            how = ["from the exponents and their covariance", _settings(source)]
            found[key] = [float(estimate["value"]), float(estimate["error"]), *how]
    return {"found": found}


def _settings(spectrum) -> dict:
    return {key: spectrum.attrs[key] for key in ("time", "interval", "members", "apart", "tolerance")}


def digest(system: System) -> str:
    """A short name for a definition, without what was measured of it."""
    kept = {key: value for key, value in system.definition().items() if key not in ("period", "lyapunov_time")}
    return hashlib.sha256(repr(kept).encode()).hexdigest()[:12]


def _precise(system: System, seed: int) -> tuple:
    """A spectrum, and one whose largest exponent has the wanted error, or as good as a limited time gives; often the same."""
    unit, options = time_unit(system), {"rng": seed, "progress": False}
    count = FEWER.get(system.name, FEW if system.kind != "delay" and system.dimension >= LARGE else None)
    total, longest = FIRST[system.kind] * unit, SHORTER.get(system.name, LONGEST[system.kind]) * unit
    spectrum = single = lyapunov_spectrum(system, time=total, count=count, **options)
    while (missing := _missing(single, unit)) > 1 and total < longest:
        total = min(total * min((missing / MARGIN) ** 2, AT_ONCE), longest)
        if system.kind == "flow" and (growth := float(single["exponent"][0])) > SURE * float(single["error"][0]):
            options["apart"] = APART / growth
        if system.kind == "delay" or system.dimension >= ALONE or float(spectrum.attrs["interval"]) < STEEP * unit:
            single = largest_exponent(system, time=total, **options)
        else:
            spectrum = single = lyapunov_spectrum(system, time=total, count=count, **options)
    return spectrum, single


def _missing(spectrum, unit: float) -> float:
    """The error of the largest exponent over the wanted one."""
    value, error = float(spectrum["exponent"][0]), float(spectrum["error"][0])
    return error / max(RELATIVE * abs(value), PER_PERIOD / unit)


def main(wanted: list[str], *, store: Path | None = None, workers: int | None = None, client=None, retry: bool = False) -> int:
    """Measure the named systems (all without a name), keeping every other row; returns the number that failed."""
    systems = sorted(map(load, wanted or names()), key=lambda system: -system.dimension)  # what takes longest goes first
    cells = [{"name": system.name, "seed": SEED, "definition": digest(system)} for system in systems]
    kept = STORE if store is None and not wanted else store
    options = {"store": kept, "workers": workers, "client": client, "retry": retry, "label": "measuring"}
    results = sweep(measure, cells, version=package_version(), **options)
    record({row["name"]: row["found"] for row in results.rows}, COMMAND, seed=SEED)
    for row in results.failed:
        print(f"{row['name']}: {row['failure']}", file=sys.stderr)
    if not results.failed and store is None and not wanted:
        os.unlink(STORE)  # all of it is in measured.csv now, and the next run is to measure anew
    return len(results.failed)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="systems to measure; all without a name")
    parser.add_argument("--store", type=Path, help=f"where finished systems are kept; without names {STORE}, removed at the end")
    parser.add_argument("--workers", type=int, help="processes; all cores by default")
    parser.add_argument("--retry", action="store_true", help="try those again that failed")
    options = parser.parse_args()
    sys.exit(min(main(options.names, store=options.store, workers=options.workers, retry=options.retry), 1))
