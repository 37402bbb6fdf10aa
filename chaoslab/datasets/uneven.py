"""Trajectories at uneven times: fewer samples, or the same orbit integrated to other times."""

import json

import numpy as np
import xarray as xr

from ..integrate import TOLERANCE, solve
from ..trajectories.schema import DIMS, by_name, system_of

#: Samples that are integrated from the one before them at once, where the period does not say how many make one.
STRETCH = 50


def kept_times(ds: xr.Dataset, share: float, rng: np.random.Generator) -> xr.Dataset:
    """The data without a share of their samples, drawn at random; at least two stay."""
    total = ds.sizes["time"]
    left = total - round(share * total)
    if left < 2 or left == total:
        raise ValueError(f"without {share:g} of {total} samples {left} are left; at least two, and fewer than all, are wanted")
    return ds.isel(time=np.sort(rng.choice(total, left, replace=False)))


def moved_times(ds: xr.Dataset, jitter: float, rng: np.random.Generator) -> xr.Dataset:
    """The same orbits at times shifted by up to `jitter` sampling steps, integrated from the samples they have.

    Every stretch of about a period starts from the sample before it, so that the orbit stays the one it was.
    """
    _movable(ds)
    system, old = system_of(ds), ds["time"].values
    step = (old[-1] - old[0]) / (len(old) - 1)
    shift = step * rng.uniform(-jitter, jitter, len(old))
    times = old + np.concatenate([np.abs(shift[:1]), shift[1:]])  # nothing is known before the first sample
    values = ds["parameters"].values if "parameters" in ds.coords else None
    options = {"tolerance": float(ds.attrs["tolerance"]) or TOLERANCE, "solver": ds.attrs["solver"], "values": values}
    state = np.empty(ds["state"].shape)
    known = ds["state"].transpose(*DIMS).values
    for first in range(0, len(old), length := _stretch(ds)):
        before, places = max(first - 1, 0), slice(first, first + length)
        found = solve(system, known[:, before], times[places], start=old[before], **options)
        if not (found.status == "ok").all():
            raise ValueError(f"{system.label} could not be integrated to uneven times: {found.reasons}")
        state[:, places] = found.states
    return _at(ds, system, times, state)


def _stretch(ds: xr.Dataset) -> int:
    period = ds["period"].values
    return max(1, int(np.searchsorted(period, period[0] + 1))) if np.isfinite(period).all() else STRETCH


def _at(ds: xr.Dataset, system, times: np.ndarray, state: np.ndarray) -> xr.Dataset:
    """The Dataset with all that runs along time made anew."""
    old = ds["time"].values
    rates = {name: ds[name].values[-1] / old[-1] for name in ("period", "lyapunov_time") if name in ds.coords}
    labels = {"time": ("time", times, ds["time"].attrs)}
    labels |= {name: ("time", times * rate, ds[name].attrs) for name, rate in rates.items()}
    rows = ds["parameters"].values if "parameters" in ds.coords else None
    given = by_name(system, rows[:, None]) if rows is not None else {}
    seen = system.observe(state, times[None], **given) if system.flat.observed is not None else state
    made = {"state": (DIMS, state), "observed": (DIMS, seen.copy()), "clean": (DIMS, seen)}
    if "derivative" in ds:
        made["derivative"] = (DIMS, system.rhs(state, times[None], **given))
    return ds.drop_vars(list(made)).assign_coords(labels).assign(made)


def _movable(ds: xr.Dataset) -> None:
    """Refuse what does not follow from its samples alone."""
    why = None
    if "system" in ds.dims or "component" not in ds.dims or not {"system", "kind", "noise", "period"} <= {*ds.attrs, *ds.coords}:
        why = "these data do not carry their system and all its components"
    elif ds.attrs["kind"] != "flow":
        why = f"{ds.attrs['name']} is a {ds.attrs['kind'].replace('delay', 'delay system')}"
    elif ds.attrs["noise"] != "none" or json.loads(ds.attrs.get("corruption", "[]")):
        why = "these data have noise, or were corrupted before; put IrregularTimes first"
    elif not np.isfinite(ds["state"]).all() or ds.sizes["time"] < 2:
        why = "these members have ended, or have one sample only"
    elif tuple(map(str, ds["component"].values)) != system_of(ds).components:
        why = "some components are missing"
    if why:
        raise ValueError(
            f"jitter integrates anew from the samples, which takes a noiseless flow with all its components: {why}. "
            "share= leaves samples out of any data"
        )
