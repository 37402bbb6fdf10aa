"""What is measured of a motion while one looks at it: exponent, dimension and regime, in about half a second."""

import math
import time
from dataclasses import replace

from ..invariants import kaplan_yorke_dimension, lyapunov_spectrum, regime
from ..invariants.orbit import time_unit
from ..systems import System, load
from ..systems.catalogue import measurements
from ..trajectories.record import digest

#: A first run, in periods, of a map in iterations; the longest run that may follow, as a multiple of it.
FIRST, LONGEST = {"flow": 200, "map": 20_000, "delay": 60}, 50
#: The orbit is followed so long for its regime.
FOLLOWED = {"flow": 256, "map": 10_000, "delay": 64}
#: All exponents are taken of at most so many components, else a few.
MANY, FEW = 8, 2
#: A run that follows uses this part of the time that is left.
MARGIN = 0.6


def measure(system: System, seconds: float = 0.5, *, period: float | None = None) -> dict:
    """The largest exponent, the Kaplan-Yorke dimension and the regime of the motion from the system's own state.

    Gives {"largest_exponent", "exponent_error", "kaplan_yorke", "dimension_error"} (None where there is none), "regime", "words"
    that say it in a sentence, and "source": "the catalogue", where the system is the catalogue's own and its long measurement
    counts, or "now". Exponents are taken over as long a run as fits in the `seconds`, at least over a first one, which of
    large, steep and delay systems takes longer. A `period` is a time unit for a system that has none yet, such as the recipe's,
    to save looking for it.
    """
    return known(system) or _found(system, seconds, period)


def known(system: System) -> dict | None:
    """What measured.csv holds of the catalogue's own system; None for another one."""
    rows = measurements().get(system.name, {})
    if "regime" not in rows or digest(load(system.name)) != digest(system):
        return None
    number = lambda key, column: _real(rows[key][column]) if key in rows else None
    return {
        "largest_exponent": number("largest_exponent", "value"),
        "exponent_error": number("largest_exponent", "error"),
        "kaplan_yorke": number("kaplan_yorke_dimension", "value"),
        "dimension_error": number("kaplan_yorke_dimension", "error"),
        "regime": rows["regime"]["value"],
        "words": rows["regime"]["method"],
        "source": "the catalogue",
    }


def _found(system: System, seconds: float, period: float | None) -> dict:
    begun, spectrum = time.perf_counter(), None
    unit, count = system.period or period or time_unit(system), _count(system)
    system = replace(system, period=unit)  # so that nobody looks for it again
    total, options = FIRST[system.kind] * unit, {"count": count, "progress": False}
    try:
        spectrum = lyapunov_spectrum(system, time=total, **options)
        spent = time.perf_counter() - begun
        longer = min(MARGIN * (seconds - spent) / spent, LONGEST)
        if longer > 1:
            spectrum = lyapunov_spectrum(system, time=longer * total, **options)
    except ValueError:
        pass  # a motion that ends has no exponents, and the regime says so
    found = {"largest_exponent": None, "exponent_error": None, "kaplan_yorke": None, "dimension_error": None}
    if spectrum is not None:
        dimension = kaplan_yorke_dimension(spectrum)
        found = {
            "largest_exponent": _real(spectrum["exponent"][0]),
            "exponent_error": _real(spectrum["error"][0]),
            "kaplan_yorke": _real(dimension["value"]),
            "dimension_error": _real(dimension["error"]),
        }
    followed = regime(system, time=FOLLOWED[system.kind] * unit, spectrum=spectrum, **options)
    return found | {"regime": followed.regime, "words": followed.words, "source": "now"}


def _count(system: System) -> int:
    if system.kind == "delay":
        return FEW
    return system.dimension if system.dimension <= MANY else FEW


def _real(value) -> float | None:
    """A number that JSON knows, or None."""
    number = float(value) if value not in ("", None) else math.nan
    return number if math.isfinite(number) else None
