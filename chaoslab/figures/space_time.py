"""Many components at once: time to the right, the component upwards, the value as a colour."""

import numpy as np
import xarray as xr

from ..trajectories import check
from .style import clock, few_enough, length


def space_time(ds: xr.Dataset, *, member: int = 0, title: str | None = None):
    """One member's components as rows of a heat map over time, as a plotly figure: waves show as slanted stripes."""
    import plotly.graph_objects as go

    shown = check(ds).chaos.shown
    if not 0 <= member < ds.sizes["member"]:
        raise ValueError(f"the trajectory has members 0 to {ds.sizes['member'] - 1}; member={member!r} given")
    few_enough(shown.sizes["time"] * shown.sizes["component"])
    time, unit = clock(ds)
    names = [str(word) for word in ds["component"].values]
    values = shown.isel(member=member).transpose("component", "time").values
    reach = float(np.nanmax(np.abs(values - np.nanmean(values))))
    middle = float(np.nanmean(values))
    colours = {"colorscale": "RdBu_r", "zmin": middle - reach, "zmax": middle + reach, "colorbar": {"title": {"text": "value"}}}
    figure = go.Figure(go.Heatmap(x=time.astype(np.float32), y=names, z=values.astype(np.float32), **colours))
    figure.update_xaxes(title=unit)
    figure.update_yaxes(title="component")
    figure.update_layout(
        title={"text": title or f"{ds.attrs['name']}: {length(ds)}, {len(names)} components"}, template="plotly_white", height=420,
        margin={"l": 60, "r": 20, "t": 50, "b": 50},
    )  # fmt: skip
    return figure
