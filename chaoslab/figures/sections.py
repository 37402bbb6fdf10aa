"""Where a motion crosses a surface, and how each crossing follows from the one before."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from ..systems import suggest
from .style import COLOURS

#: A component that varies less than this part of the others' does not vary on the surface.
FLAT = 1e-9
SINGULAR = {"maxima": "maximum", "minima": "minimum", "extrema": "extremum"}


def section(crossed: xr.Dataset, components: Sequence[str] | None = None, *, title: str | None = None, ax=None):
    """The crossings of `poincare_section` in two components, by default the first two that vary there, as matplotlib axes."""
    import matplotlib.pyplot as plt

    if not isinstance(crossed, xr.Dataset) or "crossing" not in crossed.dims or "component" not in crossed.dims:
        raise TypeError(f"section() draws what poincare_section() returns; {type(crossed).__name__} given")
    points = crossed["observed"] if "observed" in crossed else crossed["state"]
    names = [str(word) for word in points["component"].values]
    if components is None:
        spread = points.std(("member", "crossing")).values
        components = [word for word, wide in zip(names, spread, strict=True) if wide > FLAT * spread.max()][:2]
    components = list(components)
    for word in components:
        if word not in names:
            raise ValueError(f"the section has no component {word!r}.{suggest(str(word), names)} It has {', '.join(names)}")
    if len(components) != 2:
        raise ValueError(f"a section is drawn in two components, {len(components)} given")
    ax = plt.subplots(figsize=(5.5, 4.5), layout="constrained")[1] if ax is None else ax
    for m, rows in enumerate(points.sel(component=components).transpose("member", "crossing", "component").values):
        ax.scatter(*rows.T, s=2, linewidths=0, color=COLOURS[m % len(COLOURS)])
    ax.set_xlabel(components[0])
    ax.set_ylabel(components[1])
    surface = crossed.attrs["surface"]
    surface += "" if "=" in surface or " of " in surface else " = 0"
    count = int(np.isfinite(crossed["time"]).sum())
    ax.set_title(title or f"{crossed.attrs['name']}: {count:,} crossings of {surface}")
    return ax


def return_map(pairs: xr.Dataset, *, title: str | None = None, ax=None):
    """Each crossing's value over the one before, from `invariants.return_map`, with the diagonal, as matplotlib axes.

    A thin line means that one number fixes the next; where it crosses the diagonal, the motion repeats itself.
    """
    import matplotlib.pyplot as plt

    if not isinstance(pairs, xr.Dataset) or not {"value", "next"} <= set(pairs.data_vars):
        raise TypeError(f"return_map() draws what invariants.return_map() returns; {type(pairs).__name__} given")
    ax = plt.subplots(figsize=(5, 4.6), layout="constrained")[1] if ax is None else ax
    for m, (here, later) in enumerate(zip(*(pairs[key].transpose("member", ...).values for key in ("value", "next")), strict=True)):
        ax.scatter(here, later, s=3, linewidths=0, color=COLOURS[m % len(COLOURS)])
    ends = [float(pairs["value"].min()), float(pairs["value"].max())]
    ax.plot(ends, ends, color="0.6", lw=0.8)
    name, surface, steps = (pairs.attrs[key] for key in ("component", "surface", "steps"))
    word, _, turning = surface.partition(" of ")
    ax.set_xlabel(f"{SINGULAR[word]} of {name}" if turning == name else f"{name.replace('_', ' ')} at a crossing")
    ax.set_ylabel("the next" if steps == 1 else f"{steps} crossings later")
    ax.set_title(title or f"{pairs.attrs['name']}: what follows what")
    return ax
