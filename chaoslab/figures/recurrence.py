"""A recurrence plot: both axes are time, and a dot says that the motion is back."""

import numpy as np
import xarray as xr

from .style import COLOURS


def recurrence(plot: xr.DataArray, *, title: str | None = None, ax=None):
    """The recurrences of `recurrence_plot` as matplotlib axes. Lines along the diagonal: the motion follows an earlier stretch."""
    import matplotlib.pyplot as plt
    from matplotlib.colors import ListedColormap

    if not isinstance(plot, xr.DataArray) or plot.dims != ("time", "other"):
        raise TypeError(f"recurrence() draws what recurrence_plot() returns; {type(plot).__name__} given")
    ax = plt.subplots(figsize=(5, 5), layout="constrained")[1] if ax is None else ax
    time, other = plot["time"].values, plot["other"].values
    ends = (time[0], time[-1], other[0], other[-1])
    ax.imshow(plot.values.T, origin="lower", extent=ends, cmap=ListedColormap(["white", COLOURS[0]]), aspect="equal")
    ax.set_xlabel("time (the series' unit)")
    ax.set_ylabel("time (the series' unit)")
    ax.set_title(title or f"Back again: {float(np.mean(plot)):.2%} of all pairs of moments")
    return ax
