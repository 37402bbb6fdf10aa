"""Components over time: a plotly figure to zoom, a matplotlib still to print."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from .style import COLOURS, chosen, clock, few_enough, label, length

#: Panels stacked above one another at most.
MOST_PANELS = 8


def series(ds: xr.Dataset, components: Sequence[str] | None = None, *, title: str | None = None):
    """Each component over time in a panel of its own, as a plotly figure; members share a panel in different colours."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    points = chosen(ds, components, MOST_PANELS)
    few_enough(points)
    time, unit = clock(ds)
    names = [str(word) for word in points["component"].values]
    mode = "lines+markers" if ds.attrs["kind"] == "map" else "lines"
    figure = make_subplots(rows=len(names), cols=1, shared_xaxes=True, vertical_spacing=0.03)
    for row, word in enumerate(names, 1):
        for m, values in enumerate(points.sel(component=word).values):
            line, many = {"color": COLOURS[m % len(COLOURS)], "width": 1.2}, points.sizes["member"] > 1
            trace = go.Scatter(
                x=time.astype(np.float32), y=values.astype(np.float32), mode=mode, line=line, marker={"size": 3}, name=f"member {m}"
            )
            figure.add_trace(trace.update(showlegend=many and row == 1, legendgroup=f"member {m}"), row=row, col=1)
        figure.update_yaxes(title=label(ds, word), row=row, col=1)
    figure.update_xaxes(title=unit, row=len(names), col=1)
    figure.update_layout(
        title={"text": title or f"{ds.attrs['name']}: {length(ds)}"},
        template="plotly_white",
        height=110 * len(names) + 150,
        margin={"l": 60, "r": 20, "t": 50, "b": 50},
    )
    return figure


def series_still(ds: xr.Dataset, components: Sequence[str] | None = None, *, title: str | None = None):
    """The same as a matplotlib figure; returns its array of axes, one a component."""
    import matplotlib.pyplot as plt

    points = chosen(ds, components, MOST_PANELS)
    time, unit = clock(ds)
    names = [str(word) for word in points["component"].values]
    size = (8, 1.3 * len(names) + 1)
    figure, axes = plt.subplots(len(names), 1, sharex=True, figsize=size, squeeze=False, layout="constrained")
    for ax, word in zip(axes[:, 0], names, strict=True):
        for m, values in enumerate(points.sel(component=word).values):
            ax.plot(time, values, lw=0.8, color=COLOURS[m % len(COLOURS)], marker="." if ds.attrs["kind"] == "map" else None, ms=3)
        ax.set_ylabel(label(ds, word))
        ax.margins(x=0.01)
    axes[-1, 0].set_xlabel(unit)
    figure.suptitle(title or f"{ds.attrs['name']}: {length(ds)}")
    return axes[:, 0]
