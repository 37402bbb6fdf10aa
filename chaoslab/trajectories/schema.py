"""The one layout of a trajectory dataset, and the function that checks it.

Dims `member`, `time`, `component`, always all three. Variable `state`: float64, the raw coordinates; `observed` where the
definition has bounded coordinates, or where noise was added to what is seen; `derivative` on request. Coordinates: `time`
in the system's own unit (0 where sampling begins), `period` (time in dominant periods), `component` (the names in the
equations), `member` from 0, `status` ("ok", "escaped" or "failed") and `ended` (the time of the end, NaN while ok);
`parameters` along member and `parameter` where values differ by member; `lyapunov_time` (time in Lyapunov times) once it is
measured. Attributes are text and numbers, so that NetCDF and Zarr keep them; those in JSON read back by `json.loads`.
"""

import json
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version

import numpy as np
import xarray as xr

from ..systems import System

DIMS = ("member", "time", "component")
VARIABLES = ("state", "observed", "derivative")
STATUSES = ("ok", "escaped", "failed")
#: attribute: what it holds
ATTRIBUTES = {
    "name": "the system's name",
    "kind": "flow, map or delay",
    "system": "the whole definition as JSON, read back by trajectories.system_of",
    "parameters": "the parameter values as JSON",
    "solver": "taylor, scipy, iteration, or the strong order of a scheme for noise",
    "tolerance": "the solver's tolerance",
    "seed": "the seed members were drawn with, or 'generator'",
    "transient": "time dropped before sampling began, in the system's unit",
    "noise": "none, or as JSON the noise of the process and of the observation",
    "version": "the chaoslab version",
}


class SchemaError(ValueError):
    """A dataset that is not laid out as a trajectory; says what is wrong and what is expected."""


@lru_cache(maxsize=1)
def package_version() -> str:
    """The installed version, or 'unknown' where chaoslab is not installed."""
    try:
        return version("chaoslab")
    except PackageNotFoundError:
        return "unknown"


def seed_text(rng: int | np.random.Generator) -> str:
    """A seed as attributes note it: itself, or 'generator' for a Generator, which cannot be written down."""
    return "generator" if isinstance(rng, np.random.Generator) else str(rng)


@lru_cache(maxsize=256)
def described(system: System) -> dict[str, str]:
    """The attributes that name a system."""
    definition = system.definition()
    return {
        "name": system.label,
        "kind": system.kind,
        "system": json.dumps(definition),
        "parameters": json.dumps(definition.get("parameters", {})),
    }


def system_of(ds: xr.Dataset, member: int | None = None) -> System:
    """The System a dataset was made with, rebuilt from its attributes; with a member's own parameters where they differ."""
    if "system" not in ds.attrs:
        raise SchemaError("the dataset has no attribute 'system'; only datasets made by simulate() carry their definition")
    system = System(**json.loads(ds.attrs["system"]))
    if member is None or "parameters" not in ds.coords:
        return system
    return system.with_(**by_name(system, ds["parameters"].sel(member=member).values))


def by_name(system: System, values: np.ndarray) -> dict[str, np.ndarray]:
    """Parameter values (..., parameter), in the order of `flat.parameters`, by name and in their own shapes."""
    given, place = {}, 0
    for word, value in system.parameters.items():
        shape, size = np.shape(value), int(np.size(value))
        given[word] = values[..., place : place + size].reshape((*values.shape[:-1], *shape))
        place += size
    return given


def check(ds: xr.Dataset) -> xr.Dataset:
    """The dataset itself if it is laid out as a trajectory; raises SchemaError if not."""
    if not isinstance(ds, xr.Dataset):
        raise SchemaError(f"a trajectory is an xarray.Dataset; {type(ds).__name__} given")
    if "state" not in ds:
        raise SchemaError(f"a trajectory has a variable 'state'; this dataset has {sorted(map(str, ds.data_vars))}")
    for key in VARIABLES:
        if key in ds and ds[key].dims != DIMS:
            raise SchemaError(f"'{key}' has dims {ds[key].dims}; a trajectory's are {DIMS}, even with one member")
        if key in ds and ds[key].dtype != np.float64:
            raise SchemaError(f"'{key}' is {ds[key].dtype}; trajectories are float64")
    for key, dims in {"time": "time", "period": "time", "component": "component", "status": "member", "ended": "member"}.items():
        if key not in ds.coords or ds[key].dims != (dims,):
            raise SchemaError(f"coordinate '{key}' along {dims} is missing")
    if ds.sizes["time"] > 1 and not (np.diff(ds["time"].values) > 0).all():
        raise SchemaError("'time' must grow from sample to sample")
    wrong = set(map(str, ds["status"].values)) - set(STATUSES)
    if wrong:
        raise SchemaError(f"'status' has {sorted(wrong)}; a member is one of {STATUSES}")
    finite = np.isfinite(ds["state"]).all(["time", "component"]).values
    lost = [k for k, (whole, status) in enumerate(zip(finite, ds["status"].values, strict=True)) if whole != (status == "ok")]
    if lost:
        raise SchemaError(f"members {lost} are marked ok but hold NaN, or are marked ended but hold none")
    missing = [key for key in ATTRIBUTES if key not in ds.attrs]
    if missing:
        raise SchemaError(f"attributes {missing} are missing; they say how the trajectory was made")
    return ds
