"""Windows for learning: what came before, and what is to be foretold."""

import json

import numpy as np
import xarray as xr

from ..systems import suggest
from ..trajectories import pieces
from ..trajectories.grid import whole
from .layout import Data, each, shown

#: What may be foretold: what is seen, or the truth beside what was corrupted.
TARGETS = ("seen", "clean")


def windows(data: Data, *, context: int, horizon: int, stride: int = 1, target: str = "seen") -> Data:
    """`context` samples and the `horizon` after them, one window every `stride` samples: views of the data, not copies.

    `context` has dims (member, window, lag, component) and `target` (member, window, step, component); univariate data have
    system in front and no component. `lag` counts from 1 - context to 0, the last sample that is known, `step` from 1 to
    horizon. Along window lie the number of the first sample, its time (`start`) and what else runs along time; `whole` says
    which windows hold no gap. A tree gives a tree. To have all windows in a row, copied:
    `made.stack(example=("member", "window"))`.

    Parameters
    ----------
    target : "seen", or "clean" for the truth beside what `corrupt` has changed; hidden components are left out of `context`,
        and of a `target` that is "seen"; where they differ the target's dimension is `target_component`

    Raises ValueError where no window fits.

    >>> import chaoslab as cl
    >>> from chaoslab.datasets import windows
    >>> made = windows(cl.simulate("Lorenz", 10, 100), context=200, horizon=50, stride=10)
    >>> made["context"].shape, made["target"].shape
    ((1, 76, 200, 3), (1, 76, 50, 3))
    """
    context, horizon, stride = whole(context, "context"), whole(horizon, "horizon"), whole(stride, "stride")
    if target not in TARGETS:
        raise ValueError(f"the target is {' or '.join(map(repr, TARGETS))}; {target!r} given.{suggest(str(target), TARGETS)}")
    return each(data, lambda ds, name: _windows(ds, name, context, horizon, stride, target))


def seen_and_target(ds: xr.Dataset, target: str = "seen") -> tuple[xr.DataArray, xr.DataArray]:
    """What is seen of a system, without hidden components, and what is to be foretold of it."""
    seen = shown(ds)
    if "component" in seen.dims and "hidden" in ds.coords:
        seen = seen.isel(component=np.flatnonzero(~ds["hidden"].values))
    if target == "clean" and "clean" not in ds:
        raise ValueError("the data have no variable 'clean'; `corrupt` makes one. Without it what is seen is the truth")
    return seen, seen if target == "seen" else ds["clean"]


def count_of(total: int, context: int, horizon: int, stride: int) -> int:
    """How many windows fit into so many samples; raises ValueError where none does."""
    if context + horizon > total:
        raise ValueError(f"a context of {context} and a horizon of {horizon} samples do not fit into {total} samples")
    return (total - context - horizon) // stride + 1


def gapless(series: xr.DataArray, length: int) -> xr.DataArray:
    """Whether the `length` samples from each on hold no gap, by system and member: (..., time)."""
    good = np.isfinite(series)
    good = good.all("component") if "component" in good.dims else good
    bad = np.cumsum(~good.transpose(..., "time").values, axis=-1, dtype=np.int64)
    bad = np.concatenate([np.zeros((*bad.shape[:-1], 1), np.int64), bad], axis=-1)
    return xr.DataArray(bad[..., length:] == bad[..., :-length], dims=[dim for dim in good.dims if dim != "time"] + ["time"])


def _windows(ds: xr.Dataset, name: str, context: int, horizon: int, stride: int, target: str) -> xr.Dataset:
    seen, told = seen_and_target(ds, target)
    total = seen.sizes["time"]
    starts = stride * np.arange(count_of(total, context, horizon, stride))
    before = pieces(seen.isel(time=slice(0, total - horizon)), context, step=stride).rename(sample="lag")
    after = pieces(told.isel(time=slice(context, None)), horizon, step=stride).rename(sample="step")
    if before.sizes.get("component") != after.sizes.get("component"):
        after = after.drop_vars("hidden", errors="ignore").rename(component="target_component")
    sound = gapless(seen, context).isel(time=starts).values & gapless(told, horizon).isel(time=starts + context).values
    labels = {
        "lag": ("lag", np.arange(1 - context, 1), {"long_name": "samples after the last known one"}),
        "step": ("step", np.arange(1, horizon + 1), {"long_name": "samples after the last known one"}),
        "whole": ([dim for dim in before.dims if dim in ("system", "member", "window")], sound, {"long_name": "without gaps"}),
    }
    for word, label in ds.coords.items():
        if "time" in label.dims:
            dims = tuple("window" if dim == "time" else dim for dim in label.dims)
            labels["start" if word == "time" else word] = (dims, label.isel(time=starts).values, label.attrs)
    if name and "system" not in ds.coords:
        labels["system"] = name
    made = xr.Dataset({"context": before.drop_vars("lag"), "target": after.drop_vars("step")}).assign_coords(labels)
    how = {"context": context, "horizon": horizon, "stride": stride, "target": target}
    return made.assign_attrs(ds.attrs | {"windows": json.dumps(how)})
