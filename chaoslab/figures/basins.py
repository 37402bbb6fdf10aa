"""Which start goes to which attractor, and how uncertain that is."""

import numpy as np
import xarray as xr

from .style import COLOURS

#: Grounds of the outcomes that are no attractor.
GREYS = {0: "#FFFFFF", -1: "#3A3A3A", -2: "#D9D9D9"}


def basins(found: xr.Dataset, *, title: str | None = None, ax=None):
    """The basins of `invariants.basins` on their plane, with the attractors, as matplotlib axes.

    A colour is an attractor's, drawn as points where it meets the two components; what escapes is dark, what is undecided white.
    """
    import matplotlib.pyplot as plt
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    if not isinstance(found, xr.Dataset) or "basin" not in found:
        raise TypeError(f"basins() draws what invariants.basins() returns; {type(found).__name__} given")
    basin = found["basin"]
    if basin.ndim != 2:
        raise ValueError(f"a plane of two components is drawn; these basins have {basin.ndim}: {', '.join(map(str, basin.dims))}")
    across, up = map(str, basin.dims)
    flags = [int(flag) for flag in np.atleast_1d(basin.attrs["flag_values"])]
    colours = [GREYS.get(flag, COLOURS[(flag - 1) % len(COLOURS)]) for flag in flags]
    places = np.searchsorted(np.sort(flags), basin.values)
    ordered = [colours[k] for k in np.argsort(flags)]
    ax = plt.subplots(figsize=(6.2, 5), layout="constrained")[1] if ax is None else ax
    ax.pcolormesh(
        found[across], found[up], places.T, cmap=ListedColormap(ordered), vmin=-0.5, vmax=len(flags) - 0.5, rasterized=True
    )
    _attractors(ax, found, across, up)
    shares = found["fraction"].values
    words = [str(word) for word in found["outcome"].values]
    shown = [k for k in range(len(flags)) if shares[k] > 0]
    handles = [
        Patch(facecolor=colours[k], edgecolor="0.3", lw=0.5, label=f"{words[k]}: {_share(shares[k], float(found['error'][k]))}")
        for k in shown
    ]
    ax.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=8)
    ax.set_xlabel(f"{across} at the start")
    ax.set_ylabel(f"{up} at the start")
    count = found.sizes["attractor"]
    ends = f"{count} attractor{'s' * (count != 1)}" + " and infinity" * bool(shares[words.index("escaped")])
    ax.set_title(title or f"{found.attrs['name']}: the basins of {ends}")
    return ax


def _share(share: float, error: float) -> str:
    return f"{100 * share:.1f} %" + (f" ± {100 * error:.1f}" if error >= 5e-4 else "")


def _attractors(ax, found: xr.Dataset, across: str, up: str) -> None:
    low, high = ([float(found[word][end]) for word in (across, up)] for end in (0, -1))
    for rows in found["states"].sel(component=[across, up]).transpose("attractor", "sample", "component").values:
        inside = (rows >= low).all(axis=1) & (rows <= high).all(axis=1)
        point = np.ptp(rows, axis=0).max() < 1e-3 * max(high[0] - low[0], high[1] - low[1])
        ax.scatter(
            *rows[inside][: 1 if point else None].T, s=30 if point else 2, c="white", edgecolors="black", lw=0.8 if point else 0.2
        )


def uncertainty(found: xr.Dataset, *, title: str | None = None, ax=None):
    """The uncertain part of the starts over their distance, with the power law of `uncertainty_exponent`, as matplotlib axes."""
    import matplotlib.pyplot as plt
    from matplotlib.ticker import LogLocator, NullFormatter, NullLocator, StrMethodFormatter

    if not isinstance(found, xr.Dataset) or not {"fraction", "value", "distance"} <= set(found.variables):
        raise TypeError(f"uncertainty() draws what invariants.uncertainty_exponent() returns; {type(found).__name__} given")
    ax = plt.subplots(figsize=(5, 4), layout="constrained")[1] if ax is None else ax
    distance, fraction, value = found["distance"].values, found["fraction"].values, float(found["value"])
    ax.errorbar(distance, fraction, 2 * found["fraction_error"], fmt="o", ms=4, color=COLOURS[0], ecolor="0.5")
    level = np.exp(np.mean(np.log(fraction) - value * np.log(distance)))
    ax.plot(distance, level * distance**value, color=COLOURS[1], lw=1, label=f"exponent {value:.3f} ± {float(found['error']):.3f}")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xticks(distance, [f"{step:g}" for step in distance])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))  # there is often less than a decade, so one label or none
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set_xlabel("distance (grid steps)")
    ax.set_ylabel("part of the starts that is uncertain")
    ax.legend(frameon=False)
    gain = 10**value
    ax.set_title(title or f"{found.attrs['name']}: 10 times the precision, {gain:.2g} times fewer in doubt")
    return ax
