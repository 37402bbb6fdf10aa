"""A one-dimensional map's graph and an orbit between it and the diagonal."""

import numpy as np
import xarray as xr

from .style import COLOURS


def cobweb(web: xr.Dataset, *, title: str | None = None, ax=None):
    """The cobweb of `invariants.cobweb`: up or down to the graph, across to the diagonal, as matplotlib axes."""
    import matplotlib.pyplot as plt

    if not isinstance(web, xr.Dataset) or not {"value", "next", "image"} <= set(web.data_vars):
        raise TypeError(f"cobweb() draws what invariants.cobweb() returns; {type(web).__name__} given")
    ax = plt.subplots(figsize=(5, 4.8), layout="constrained")[1] if ax is None else ax
    x, here, after = web["x"].values, web["value"].values, web["next"].values
    ax.plot(x, x, color="0.6", lw=0.8)
    ax.plot(x, web["image"], color="black", lw=1.2)
    across = np.repeat(np.append(here, after[-1]), 2)[:-1]
    up = np.concatenate([[here[0]], np.repeat(after, 2)])
    ax.plot(across, up, color=COLOURS[0], lw=0.6)
    ax.plot(here[0], here[0], "o", color=COLOURS[1], ms=5)
    name = web.attrs["component"]
    ax.set_xlabel(name)
    ax.set_ylabel(f"{name} one iteration later")
    steps = web.sizes["step"]
    ends = ", then it escapes" if web.attrs["status"] == "escaped" else ""
    ax.set_title(title or f"{web.attrs['name']}: {steps} iterations from {here[0]:.4g}{ends}")
    return ax
