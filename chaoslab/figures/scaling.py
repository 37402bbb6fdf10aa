"""A correlation sum, and the line whose slope is the dimension."""

import numpy as np
import xarray as xr

from .style import COLOURS


def scaling(found: xr.Dataset, *, title: str | None = None):
    """The correlation sum of `correlation_dimension` and its local slope over the radius, as two matplotlib axes.

    The shade is the region that was read, the line in it the dimension, with two standard errors below.
    """
    import matplotlib.pyplot as plt

    if not isinstance(found, xr.Dataset) or "local_slope" not in found:
        raise TypeError(f"scaling() draws what correlation_dimension() returns; {type(found).__name__} given")
    figure, (above, below) = plt.subplots(2, 1, sharex=True, figsize=(6.5, 5), layout="constrained")
    radius, value, error = found["radius"].values, float(found["value"]), float(found["error"])
    above.loglog(radius, found["correlation_sum"], ".-", color=COLOURS[0], ms=4, lw=0.8)
    slope, wide = found["local_slope"].values, 2 * found["local_slope_error"].values
    below.fill_between(radius, slope - wide, slope + wide, color=COLOURS[0], alpha=0.2, lw=0)
    below.plot(radius, slope, ".-", color=COLOURS[0], ms=4, lw=0.8)
    if np.isfinite(value):
        start, end = float(found["start"]), float(found["end"])
        inside = (radius >= start * (1 - 1e-9)) & (radius <= end * (1 + 1e-9))
        level = np.log(found["correlation_sum"].values[inside]).mean() - value * np.log(radius[inside]).mean()
        above.plot(radius[inside], np.exp(level) * radius[inside] ** value, color=COLOURS[1], lw=2.5, alpha=0.7)
        below.hlines(value, start, end, color=COLOURS[1], lw=2)
        for ax in (above, below):
            ax.axvspan(start, end, color="0.9", lw=0, zorder=0)
        below.set_ylim(0, 1.6 * value + 0.5)
    above.set_ylabel("pairs nearer, as a part of all")
    below.set_ylabel("local slope")
    below.set_xlabel("radius (standard deviations)")
    words = f"{value:.3f} ± {error:.3f}" if np.isfinite(value) else f"not resolved: {found.attrs['reason']}"
    figure.suptitle(title or f"Correlation dimension {words}")
    return np.array([above, below])
