"""What is measured of a system along its own orbit: period, exponents and what follows from them, regime."""

import dataclasses

import numpy as np

from ..systems import System
from ..trajectories.record import defined
from ..trajectories.timescale import METHOD as PERIOD_METHOD
from ..trajectories.timescale import SOLVER_TOLERANCE, NoPeriod, dominant_period
from .kaplan_yorke import kaplan_yorke_dimension, lyapunov_time, pesin_sum
from .lyapunov import largest_exponent, lyapunov_spectrum
from .orbit import time_unit
from .regime import regime

#: How the dominant period is found.
PERIOD = {"samples": 65536, "periods": 1000, "blocks": 16}
CHAOTIC = ("chaotic", "hyperchaotic")
#: The error of the largest exponent that a run goes on for: this part of it, or so much per period (a map's iteration).
RELATIVE, PER_PERIOD = 0.01, 0.002
#: A longer run aims at this part of the wanted error, and is at most so many times as long, since the error is itself estimated.
MARGIN, AT_ONCE = 0.8, 10
#: Periods (a map's iterations) of the first run, and of the longest one.
FIRST = {"flow": 1000, "delay": 400, "map": 100_000}
LONGEST = {"flow": 100_000, "delay": 40_000, "map": 2_000_000}
#: The longest run of those whose period takes tens of milliseconds.
SHORTER = {
    **{"BlinkingRotlet": 50_000, "BlinkingVortex": 50_000, "KuramotoSivashinsky": 5_000, "MacArthur": 5_000},
    **{"MackeyGlass30": 4_000, "NicholsonBlowflies": 4_000, "PiecewiseCircuit": 4_000, "ScrollDelay": 1_000},
    **{"SprottDelay": 4_000, "VossDelay": 4_000},
}
#: Exponents to take where all would take too long; from the dimension LARGE on, so many.
FEWER, LARGE, FEW = {"MacArthur": 4, "KuramotoSivashinsky": 8, "ElNinoDelay": 2, "SprottDelay": 2}, 41, 6
#: Periods at least of a smooth flow of so many components, unless it is steep: they take seconds.
CHEAP, SMALL = 20_000, 4
#: Members of a longer run begin so many Lyapunov times apart, where the exponent is positive by so many errors.
APART, SURE = 100, 5
#: A longer run is for the largest exponent alone where all are slow to find: from this dimension on, of a delay system, and
#: where factors must be taken more often than this part of a period, since differences along others die out so fast.
ALONE, STEEP = 8, 1 / 30


def exponents(name: str, seed: int, definition: str) -> dict:
    """Period, exponents, what follows from them, and regime: {"found": {quantity: [value, error, method, settings]}}.

    `definition` is the system's `digest`; raises ValueError if this process knows another system of that name.
    """
    system, found = defined(name, definition), {}
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
    values = zip(spectrum["exponent"].values.tolist(), spectrum["error"].values.tolist(), strict=True)
    found |= {f"exponent {k}": [value, error, method, settings] for k, (value, error) in enumerate(values, start=1)}
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


def _precise(system: System, seed: int) -> tuple:
    """A spectrum, and one whose largest exponent has the wanted error, or as good as a limited time gives; often the same."""
    unit, options = time_unit(system), {"rng": seed, "progress": False}
    count = FEWER.get(system.name, FEW if system.kind != "delay" and system.dimension >= LARGE else None)
    total, longest = FIRST[system.kind] * unit, SHORTER.get(system.name, LONGEST[system.kind]) * unit
    spectrum = single = lyapunov_spectrum(system, time=total, count=count, **options)
    steep = float(spectrum.attrs["interval"]) < STEEP * unit
    small = system.kind == "flow" and system.smooth and system.dimension <= SMALL and not steep
    least = CHEAP * unit if small else total
    while (longer := least if total < least else _length(single, total, longest, unit)) > total:
        total = longer
        if system.kind == "flow" and (growth := float(single["exponent"][0])) > SURE * float(single["error"][0]):
            options["apart"] = APART / growth
        if system.kind == "delay" or system.dimension >= ALONE or steep:
            single = largest_exponent(system, time=total, **options)
        else:
            spectrum = single = lyapunov_spectrum(system, time=total, count=count, **options)
    return spectrum, single


def _length(single, total: float, longest: float, unit: float) -> float:
    """How long a run would have the wanted error of the largest exponent; `total` where this one has it, `longest` at most."""
    value, error = float(single["exponent"][0]), float(single["error"][0])
    missing = error / max(RELATIVE * abs(value), PER_PERIOD / unit)
    return total if missing <= 1 else min(total * min((missing / MARGIN) ** 2, AT_ONCE), longest)
