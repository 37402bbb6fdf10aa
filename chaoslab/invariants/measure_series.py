"""What is measured of a system's trajectory as of any series: dimension, entropies, ordinal patterns, the 0-1 test."""

import numpy as np
import xarray as xr

from ..systems import System
from ..trajectories import simulate
from ..trajectories.record import defined
from .dimension import correlation_dimension
from .entropy import permutation_entropy, sample_entropy
from .ordinal import ordinal
from .ordinal_lag import ideal_lag, natural_time_scale
from .zero_one import zero_one_test

#: Periods and samples in one, of a map iterations; before them, so many pass.
PERIODS, SAMPLES, ITERATIONS, TRANSIENT = 1000, 40, 40_000, 100
#: Up to this dimension distances are taken in the space of states; beyond, between delay vectors of the first component.
STATES = 12
#: Values in an ordinal pattern.
LENGTH = 5
#: Values that a sample entropy of two needs at least (10 to 20 to that power: Pincus, Chaos 5, 110 (1995)).
ENOUGH = 400


def series(name: str, seed: int, definition: str) -> dict:
    """Correlation dimension of the states; of the first observed component entropies, ordinal patterns and natural time scale;
    of all the 0-1 test: {"found": {quantity: [value, error, method, settings]}}.

    What cannot be resolved is left out. `definition` is the system's `digest`; raises ValueError if this process knows another
    system of that name.
    """
    system = defined(name, definition)
    ds, made = _trajectory(system)
    one = ds.chaos.shown.isel(member=0, component=0)
    made |= {"component": str(one["component"].values)}
    scale = natural_time_scale(one)
    lag = int(ideal_lag(one, length=LENGTH, time_scale=float(scale["value"])).lag) if system.kind != "map" else 1
    spaced = one.isel(time=slice(None, None, lag))
    patterns = ordinal(one, length=LENGTH, lag=lag, rng=seed)
    symbols = permutation_entropy(one, lengths=(LENGTH - 1, LENGTH), lag=lag, resamples=100, rng=seed).isel(length=-1)
    points = ds if system.dimension <= STATES else one
    embedded = {"dimension": 1} if system.kind == "map" and system.dimension == 1 else {}  # the state of such a map is all of it
    dimension, wandering = correlation_dimension(points, **embedded), zero_one_test(ds, rng=seed)
    spacing = made | {"lag": lag}
    found = {
        "natural_time_scale": (scale["value"], scale["error"], scale.attrs["method"], made),
        "correlation_dimension": (dimension["value"], dimension["error"], "correlation sum", made | _kept(dimension)),
        "takens_dimension": (dimension["takens"], dimension["takens_error"], "maximum likelihood", made | _kept(dimension)),
        "ordinal_entropy": (patterns["entropy"], patterns["entropy_error"], f"{LENGTH} values", spacing),
        "statistical_complexity": (patterns["complexity"], patterns["complexity_error"], f"{LENGTH} values", spacing),
        "permutation_entropy": (
            symbols["conditional"],
            symbols["conditional_error"],
            "conditional, a step of the lag",
            spacing,
        ),
        "zero_one": (wandering["value"], wandering["error"], "correlation, median over angles", made | _kept(wandering)),
    }
    if spaced.size >= ENOUGH:
        alike = sample_entropy(spaced)
        found["sample_entropy"] = (alike["entropy"], alike["error"], "2 values, radius 0.2 deviations", spacing)
    return {"found": {key: [*map(float, row[:2]), *row[2:]] for key, row in found.items() if np.isfinite(float(row[0]))}}


def _trajectory(system: System) -> tuple[xr.Dataset, dict]:
    """A trajectory of one member, and how it was made."""
    if system.kind == "map":
        made = {"iterations": ITERATIONS, "transient": TRANSIENT}
        return simulate(system, ITERATIONS, transient=TRANSIENT), made
    made = {"periods": PERIODS, "samples": SAMPLES, "transient": TRANSIENT}
    return simulate(system, PERIODS, SAMPLES, transient=TRANSIENT), made


def _kept(found: xr.Dataset) -> dict:
    """What a measure chose by itself."""
    return {key: found.attrs[key] for key in ("dimension", "lag", "theiler", "every") if key in found.attrs}
