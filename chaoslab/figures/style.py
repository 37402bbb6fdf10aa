"""What every figure shares: colours, labels, and which components and members are drawn."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from ..systems import suggest
from ..trajectories import check

#: Qualitative colours that colour-blind readers can tell apart (Okabe & Ito, 2008).
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
SCALE = "Viridis"
#: Light tints of three of them, for the ground under points.
SHADES = ("#E3EFF7", "#FBEADF", "#E0F2EB")
#: Points a browser still turns smoothly.
MOST_POINTS = 200_000


def chosen(ds: xr.Dataset, components: Sequence[str] | None, at_most: int) -> xr.DataArray:
    """The bounded coordinates of the wanted components, the first few by default."""
    shown = check(ds).chaos.shown
    names = [str(word) for word in shown["component"].values]
    if components is None:
        components = names[:at_most]
    components = [components] if isinstance(components, str) else list(components)
    for word in components:
        if word not in names:
            raise ValueError(f"the trajectory has no component {word!r}.{suggest(str(word), names)} It has {', '.join(names)}")
    if not 1 <= len(components) <= at_most:
        raise ValueError(
            f"this figure draws 1 to {at_most} components, {len(components)} given; name them, as in components={names[:at_most]}"
        )
    return shown.sel(component=components)


def label(ds: xr.Dataset, component: str) -> str:
    """A component's axis label: its name, or what is observed of it."""
    return ds.chaos.system.observed.get(component, component) if "observed" in ds else component


def clock(ds: xr.Dataset) -> tuple[np.ndarray, str]:
    """The time axis: in periods where the period is known, iterations for a map, else the system's own unit."""
    if ds.attrs["kind"] == "map":
        return ds["time"].values, "iteration"
    if ds["period"].isnull().any():
        return ds["time"].values, "time (the system's unit)"
    return ds["period"].values, "time (periods)"


def length(ds: xr.Dataset) -> str:
    """How long a trajectory is, in words: '10 periods'."""
    time, unit = clock(ds)
    step = time[1] - time[0] if len(time) > 1 else 1.0
    whole = time[-1] - time[0] + step
    words = {"time (periods)": "periods", "iteration": "iterations"}.get(unit, "time units")
    return f"{whole:,.4g} {words}" if whole < 1e4 else f"{whole:,.0f} {words}"


def speed(ds: xr.Dataset, points: xr.DataArray) -> np.ndarray:
    """Speed along the drawn components, (member, time), in component units per time unit."""
    if ds.sizes["time"] < 2:
        raise ValueError("a speed needs at least two samples")
    return np.sqrt((np.gradient(points.values, ds["time"].values, axis=1) ** 2).sum(axis=-1))


def few_enough(points: xr.DataArray | int) -> None:
    """Raise where a browser would choke on so many points, or on those of so many members and times."""
    count = points if isinstance(points, int) else points.sizes["member"] * points.sizes["time"]
    if count > MOST_POINTS:
        every = -(-count // MOST_POINTS)
        raise ValueError(
            f"{count:,} points are more than the {MOST_POINTS:,} a browser turns; "
            f"thin them: ds.isel(time=slice(None, None, {every}))"
        )
