"""How far two trajectories are apart, on a log scale: a straight line while chaos amplifies a small difference."""

import numpy as np
import xarray as xr

from .style import COLOURS, clock, few_enough


def distance(first: xr.Dataset, second: xr.Dataset, *, title: str | None = None):
    """The distance of `second` from `first` over time, member by member, as a plotly figure.

    Distances are taken in the state's own coordinates. Raises ValueError where the two are not sampled at the same times.
    """
    import plotly.graph_objects as go

    few_enough(first["state"])
    apart = _apart(first, second)
    time, unit = clock(first)
    figure = go.Figure()
    for m, values in enumerate(apart.transpose("member", "time").values):
        line = {"color": COLOURS[m % len(COLOURS)], "width": 1.2}
        shown = np.where(values > 0, values, np.nan).astype(np.float32)  # two equal states have no logarithm
        figure.add_trace(go.Scatter(x=time.astype(np.float32), y=shown, mode="lines", line=line, name=f"member {m}"))
    figure.update_traces(showlegend=apart.sizes["member"] > 1)
    figure.update_xaxes(title=unit)
    figure.update_yaxes(title="distance (state units)", type="log", exponentformat="power")
    figure.update_layout(
        title={"text": title or f"{first.attrs['name']}: how far apart"}, template="plotly_white", height=360,
        margin={"l": 80, "r": 20, "t": 50, "b": 50},
    )  # fmt: skip
    return figure


def distance_still(first: xr.Dataset, second: xr.Dataset, *, title: str | None = None):
    """The same as a matplotlib still; returns its axes."""
    import matplotlib.pyplot as plt

    apart = _apart(first, second)
    time, unit = clock(first)
    _, ax = plt.subplots(figsize=(7, 3.2), layout="constrained")
    for m, values in enumerate(apart.transpose("member", "time").values):
        ax.semilogy(time, np.where(values > 0, values, np.nan), lw=0.9, color=COLOURS[m % len(COLOURS)])
    ax.set_xlabel(unit)
    ax.set_ylabel("distance (state units)")
    ax.margins(x=0.01)
    ax.set_title(title or f"{first.attrs['name']}: how far apart")
    return ax


def _apart(first: xr.Dataset, second: xr.Dataset) -> xr.DataArray:
    """The distance (member, time) of two trajectories."""
    if first.sizes["time"] != second.sizes["time"] or not np.array_equal(first["time"], second["time"]):
        raise ValueError("the two trajectories are sampled at different times; simulate both with the same periods and samples")
    return np.sqrt(((second["state"] - first["state"]) ** 2).sum("component", skipna=False))
