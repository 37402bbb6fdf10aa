"""A second look at discovered systems: longer, from elsewhere, and closer."""

import math
import os
from dataclasses import replace
from functools import partial

import numpy as np
import xarray as xr

from ..integrate import solve
from ..invariants import zero_one_test
from ..sweep import sweep
from ..systems import System
from ..trajectories.grid import whole
from ..trajectories.schema import package_version, seed_text
from .discovery import Discovery
from .judging import Rejected, judge

#: How many times as long orbits and exponents are, and of a solver's step.
LONGER, TOLERANCE = 10, 1e-13
#: A start lies so far from the system's own, in parts of each variable's deviation.
SHIFT = 0.01
#: Samples a period, and periods, of the series for the 0-1 test.
SAMPLES, PERIODS = 16, 2000


def audit(
    found: Discovery,
    n: int = 50,
    *,
    rng: int = 0,
    store: str | os.PathLike | None = None,
    client=None,
    workers: int | None = None,
    progress: bool = True,
) -> xr.Dataset:
    """How many of `n` systems, picked at random, are chaotic under a closer look, and the `share` with a 95 % interval.

    Each starts elsewhere, a hundredth of its size away, and is judged again with a tolerance of 1e-13, over ten times as many
    Lyapunov times and periods; the 0-1 test of its series, which knows no equations, must not call it regular. Gives by system
    `chaotic`, `verdict`, the `exponent` and `error` found now, `before`, and `zero_one`; `low` and `high` bound the share
    (Clopper & Pearson, Biometrika 26, 404 (1934)).
    """
    from scipy.stats import binomtest

    n = whole(n, "n")
    if not isinstance(found, Discovery) or not len(found):
        raise TypeError(f"audit() takes what discover() gives; {type(found).__name__} given")
    if n > len(found):
        raise ValueError(f"there are {len(found)} systems; n={n} of them cannot be looked at")
    picked = np.sort(np.random.default_rng(rng).choice(len(found), n, replace=False))
    times = float(found.settings["lyapunov_times"])
    cells = [{"definition": dict(found[int(k)].definition), "number": int(k)} for k in picked]
    options = {"store": store, "client": client, "workers": None if client is not None else workers, "progress": progress}
    results = sweep(partial(again, lyapunov_times=LONGER * times), cells, version=package_version(), label="audit", **options)
    if results.failed:
        raise RuntimeError(f"{results.failed[0]['definition']['name']}: {results.failed[0]['failure']}")
    rows = results.rows
    good = sum(row["chaotic"] for row in rows)
    interval = binomtest(good, n).proportion_ci()
    columns = {key: ("system", np.array([row[key] for row in rows])) for key in ("chaotic", "exponent", "error", "zero_one")}
    columns["verdict"] = "system", np.array([row["verdict"] for row in rows], dtype=object)
    columns["before"] = "system", np.array([found[int(k)].exponents[0] for k in picked])
    return xr.Dataset(
        {**columns, "share": good / n, "low": interval.low, "high": interval.high},
        coords={"system": np.array([found[int(k)].name for k in picked], dtype=object)},
        attrs={"n": n, "rng": seed_text(rng), "lyapunov_times": LONGER * times, "version": package_version()},
    )


def again(definition: dict, number: int, *, lyapunov_times: float) -> dict:
    """One system judged anew."""
    system = System(**definition)
    empty = {"exponent": math.nan, "error": math.nan, "zero_one": math.nan}
    try:
        moved = elsewhere(system, np.random.default_rng(number))
        judged = judge(moved, lyapunov_times=lyapunov_times, tolerance=TOLERANCE, length=LONGER, seed=number + 1)
    except Rejected as reason:
        return {"chaotic": False, "verdict": str(reason), **empty}
    test = zero_one_test(_series(judged.system))
    numbers = {"exponent": float(judged.spectrum.exponent[0]), "error": float(judged.spectrum.error[0])}
    agreed = test.attrs["verdict"] != "regular"
    return {"chaotic": agreed, "verdict": judged.regime if agreed else "regular", **numbers, "zero_one": float(test.value)}


def elsewhere(system: System, rng: np.random.Generator) -> System:
    """The system at a state beside its own."""
    spread = _series(system).std(axis=0)
    state = system.initial + SHIFT * spread * rng.standard_normal(system.dimension)
    return replace(system, state=dict(zip(system.components, state.tolist(), strict=True)))


def _series(system: System) -> np.ndarray:
    """States (time, component) along the orbit."""
    times = np.arange(SAMPLES * PERIODS) * (system.period / SAMPLES)
    return solve(system, system.initial[None], times, tolerance=1e-9, many=False).states[0]
