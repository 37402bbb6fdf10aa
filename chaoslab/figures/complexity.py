"""Ordinal patterns drawn: the plane of entropy and complexity, and both over the time a pattern takes."""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from ..invariants import complexity_bounds, noise_curve
from ..invariants.ordinal_lag import LONG, SHORT
from ..invariants.ordinal_plane import borders
from .style import COLOURS, SHADES

#: Points along the bounds.
POINTS = 400
#: Where each region's name stands: at this entropy, and part of the way from its lower to its upper edge.
NAMED = {"periodic": (0.32, 1.0), "complex": (0.52, 0.3), "stochastic": (0.6, 0.45)}
#: Points right of this have their names on the left.
RIGHT = 0.75


def complexity_plane(
    points: xr.Dataset | Mapping[str, xr.Dataset] | None = None, *, length: int | None = None, title: str | None = None, ax=None
):
    """Where `ordinal` results lie in the plane of entropy and complexity, as matplotlib axes.

    Results are named by the keys of a mapping and have two standard errors; one with several lags is a line from the smallest,
    ringed, on. Grey is what no distribution of patterns reaches; the shades are the regions of `invariants.region`, which
    patterns of 5 and more values have; the dashed line is that of noises f^-k, white at the end.

    Parameters
    ----------
    length : values in a pattern, where no result says so; 5 by default

    Raises ValueError for results of different pattern lengths.
    """
    import matplotlib.pyplot as plt

    named = {} if points is None else {"": points} if isinstance(points, xr.Dataset) else dict(points)
    length = _length(named, length)
    ax = plt.subplots(figsize=(7, 4.6), layout="constrained")[1] if ax is None else ax
    _ground(ax, length)
    for (name, found), colour in zip(named.items(), [c for c in COLOURS if c != "#F0E442"], strict=False):
        _results(ax, name, found, colour)
    ax.set(xlim=(0, 1), ylim=(0, None))
    ax.set_xlabel("permutation entropy H (1: all patterns alike)")
    ax.set_ylabel("statistical complexity C")
    ax.set_title(title or f"Patterns of {length} values: between order and noise")
    return ax


def _length(named: Mapping[str, xr.Dataset], length: int | None) -> int:
    for name, found in named.items():
        if (
            not isinstance(found, xr.Dataset)
            or not {"entropy", "complexity"} <= set(found.data_vars)
            or "length" not in found.attrs
        ):
            raise TypeError(f"the plane shows what ordinal() returns; {name or 'points'!r} is a {type(found).__name__}")
    lengths = {found.attrs["length"] for found in named.values()} | ({length} if length is not None else set())
    if len(lengths) > 1:
        raise ValueError(f"a plane is of one pattern length; {', '.join(map(str, sorted(lengths)))} given")
    return lengths.pop() if lengths else 5


def _ground(ax, length: int) -> None:
    """Bounds, regions and the curve of noises."""
    bounds = complexity_bounds(length, points=POINTS)
    h, lower, upper = (bounds[name].values for name in ("entropy", "lower", "upper"))
    ax.fill_between(h, upper, 1, color="0.92", lw=0)
    ax.fill_between(h, 0, lower, color="0.92", lw=0)
    ax.plot(h, lower, h, upper, color="0.4", lw=1)
    ax.set_ylim(0, 1.08 * upper.max())
    if length < 5:
        return
    left, right, chord, noisy = borders(bounds)
    between = (h >= left) & (h <= right)
    edges = {
        "periodic": (np.where(between, np.maximum(chord, lower), np.nan), upper),
        "stochastic": (lower, np.where(h >= left, np.minimum(noisy, np.where(between, chord, upper)), np.nan)),
        "complex": (np.where(h >= left, np.minimum(noisy, upper), np.nan), np.where(between, chord, upper)),
    }
    for (name, (below, above)), colour in zip(edges.items(), SHADES, strict=True):
        ax.fill_between(h, below, above, where=above > below, color=colour, lw=0)
        at, part = NAMED[name]
        low, high = (np.interp(at, h, np.nan_to_num(edge)) for edge in (below, above))
        # periodic motion has a strip too narrow for a word, which stands beside it
        words = {"ha": "center", "va": "center"} if part < 1 else {"ha": "right", "va": "bottom"}
        ax.text(at, low + part * (high - low), name + " " * (part == 1), color="0.4", fontsize=9, style="italic", **words)
    noises = noise_curve(length)
    ax.plot(noises.entropy, noises.complexity, color="0.4", lw=1, ls="--")


def _results(ax, name: str, found: xr.Dataset, colour: str) -> None:
    keep = ("lag",) if "lag" in found.dims else ()
    values = {}
    for key in ("entropy", "complexity", "entropy_error", "complexity_error"):
        values[key] = found[key].transpose(*keep, ...).values.reshape(*(found.sizes[one] for one in keep), -1)
    h, c = values["entropy"], values["complexity"]
    if keep:
        ax.plot(h, c, ".-", color=colour, lw=0.9, ms=5)
        ax.plot(h[0], c[0], "o", color=colour, mfc="none", ms=9)
    else:
        wide = [2 * np.nan_to_num(values[f"{key}_error"].ravel()) for key in ("entropy", "complexity")]
        ax.errorbar(h.ravel(), c.ravel(), wide[1], wide[0], fmt="o", ms=5, color=colour, ecolor=colour, elinewidth=1)
    place = float(h.flat[0]), float(c.flat[0])
    side = (-8, "right") if place[0] > RIGHT else (8, "left")
    ax.annotate(name, place, (side[0], -11 if keep else 5), textcoords="offset points", color=colour, ha=side[1], fontweight="bold")


def over_lag(found: xr.Dataset, ideal: xr.Dataset | None = None, *, title: str | None = None):
    """Entropy and complexity of an `ordinal` result with several lags, over the time a pattern takes, as matplotlib axes.

    Bands are two standard errors. With the result of `ideal_lag` time is in natural time scales, and the shade is where
    patterns see the motion turn: 0.3 to 0.5 of it. Raises ValueError for a result at one lag, or of several series.
    """
    import matplotlib.pyplot as plt

    if found["entropy"].dims != ("lag",):
        raise ValueError(
            "a curve is of one series at several lags, as in ordinal(series, lag=range(1, 40)); "
            f"this has dims {found['entropy'].dims}"
        )
    _, ax = plt.subplots(figsize=(7, 3.2), layout="constrained")
    unit = 1.0 if ideal is None else float(ideal["time_scale"])
    time = found["pattern_time"].values / unit
    if ideal is not None:
        ax.axvspan(SHORT, LONG, color="0.9", lw=0)
    for key, letter, colour in (("entropy", "H", COLOURS[0]), ("complexity", "C", COLOURS[1])):
        value, error = found[key].values, 2 * np.nan_to_num(found[f"{key}_error"].values)
        ax.fill_between(time, value - error, value + error, color=colour, alpha=0.25, lw=0)
        ax.plot(time, value, ".-", color=colour, lw=1, ms=3)
        ax.annotate(f"{key} {letter}", (time[-1], value[-1]), (6, 0), textcoords="offset points", color=colour, va="center")
    ax.set_xlabel(
        "pattern time (natural time scales)" if ideal is not None else f"pattern time ({found['pattern_time'].attrs['units']})"
    )
    ax.set_ylabel("entropy, complexity")
    ax.set_ylim(0, 1)
    ax.margins(x=0.01)
    ax.set_title(title or "Entropy and complexity over the time that a pattern takes")
    return ax
