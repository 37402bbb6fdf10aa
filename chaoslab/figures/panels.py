"""Several measured series by name: over time, their spectra, and their values over earlier ones."""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from ..invariants.series import read_one, times_of
from ..trajectories import timescale
from ..trajectories.grid import whole
from .style import COLOURS

#: Lines that can be told apart where they lie on one another.
STYLES = ("-", "--", ":", "-.")
#: Power below this part of the highest is rounding, and what the window leaks.
DEPTH = 1e-8


def panels(series: Mapping[str, np.ndarray | xr.DataArray], *, unit: str = "samples", title: str | None = None):
    """Each of the named series over time in a panel of its own, as an array of matplotlib axes.

    Series are (time,); `unit` is that of their time coordinate, or of the samples.

    >>> axes = panels({"A": np.sin(np.arange(99)), "B": np.cos(np.arange(99))})
    """
    import matplotlib.pyplot as plt

    read = _read(series)
    figure, axes = plt.subplots(
        len(read), 1, sharex=True, figsize=(8, 1.25 * len(read) + 0.9), squeeze=False, layout="constrained"
    )  # fmt: skip
    for ax, (name, (time, values)), colour in zip(axes[:, 0], read.items(), COLOURS * len(read), strict=False):
        ax.plot(time, values, lw=0.8, color=colour)
        ax.set_ylabel(name, rotation=0, ha="right", va="center", color=colour, fontweight="bold")
        ax.margins(x=0.01)
    axes[-1, 0].set_xlabel(f"time ({unit})")
    figure.suptitle(title or f"{len(read)} series")
    return axes[:, 0]


def spectra(series: Mapping[str, np.ndarray | xr.DataArray], *, pieces: int = 8, unit: str = "samples", title: str | None = None):
    """The power spectra of the named series, averaged over pieces (Hann window), on log scales, as matplotlib axes.

    Power is a part of the whole. Raises ValueError for a series with gaps.
    """
    import matplotlib.pyplot as plt

    _, ax = plt.subplots(figsize=(7, 3.4), layout="constrained")
    highest = 0.0
    for k, (name, (time, values)) in enumerate(_read(series).items()):
        if not np.isfinite(values).all():
            raise ValueError(f"the series {name!r} has gaps; a spectrum needs a piece without one")
        frequency, power = timescale.spectrum(values[:, None], len(time) * (time[1] - time[0]), pieces)
        power = power.mean(axis=0) / power.mean(axis=0).sum()
        ax.loglog(frequency, power, STYLES[k % len(STYLES)], lw=1.3, color=COLOURS[k % len(COLOURS)], label=name)
        highest = max(highest, power.max())
    ax.set_ylim(DEPTH * highest, 3 * highest)
    ax.set_xlabel(f"frequency (1 / {unit})")
    ax.set_ylabel("part of the power")
    ax.legend(frameon=False)
    ax.set_title(title or "Power spectra")
    return ax


def portraits(series: Mapping[str, np.ndarray | xr.DataArray], lag: int = 1, *, title: str | None = None):
    """Each of the named series over itself `lag` samples before, side by side, as an array of matplotlib axes.

    Order is a closed curve or a surface seen flat, chaos has layers, and noise fills a cloud.
    """
    import matplotlib.pyplot as plt

    read, lag = _read(series), whole(lag, "lag, in samples,")
    shortest = min(len(values) for _, values in read.values())
    if lag >= shortest:
        raise ValueError(f"a lag of {lag} samples is more than a series of {shortest} has")
    figure, axes = plt.subplots(1, len(read), figsize=(2.8 * len(read), 3.5), squeeze=False, layout="constrained")
    for ax, (name, (_, values)), colour in zip(axes[0], read.items(), COLOURS * len(read), strict=False):
        ax.scatter(values[:-lag], values[lag:], s=2, linewidths=0, color=colour)
        ax.set_title(name, color=colour, fontweight="bold", fontsize="medium")
        ax.set_xlabel("a value")
        ax.set_box_aspect(1)
    axes[0, 0].set_ylabel("the next" if lag == 1 else f"{lag} samples later")
    figure.suptitle(title or "Each value over " + ("the one before" if lag == 1 else f"the one {lag} samples before"))
    return axes[0]


def _read(series: Mapping) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Time and values (time,) by name."""
    if not isinstance(series, Mapping) or not series:
        raise TypeError(f"series are given by name, as in {{'A': x, 'B': y}}; {type(series).__name__} given")
    found = {}
    for name, one in series.items():
        values, spacing, _ = read_one(one)
        found[str(name)] = times_of(one, spacing, len(values)), values[:, 0]
    return found
