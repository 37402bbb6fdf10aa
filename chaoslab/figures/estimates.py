"""Estimates with their errors: how one settles as the run grows, and how one depends on a parameter."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from .style import COLOURS

#: The part of a run whose first wild values are cut off.
SETTLED = 0.02


def convergence(spectrum: xr.Dataset, indices: Sequence[int] | int = 1, *, title: str | None = None):
    """Exponents of a spectrum by `lyapunov_spectrum` as the run grew, with two standard errors of the end, as matplotlib axes."""
    import matplotlib.pyplot as plt

    if "trace" not in getattr(spectrum, "variables", ()):
        raise TypeError(f"convergence() takes a spectrum by lyapunov_spectrum(); {_what(spectrum)} given")
    indices = np.atleast_1d(indices).tolist()
    known = spectrum["index"].values.tolist()
    if wrong := [k for k in indices if k not in known]:
        raise ValueError(f"the spectrum has no exponent {wrong[0]!r}; it has {known[0]} to {known[-1]}")
    _, ax = plt.subplots(figsize=(7, 3), layout="constrained")
    elapsed = spectrum["elapsed"].values
    for k, colour in zip(indices, COLOURS, strict=False):
        value, error = (float(spectrum[name].sel(index=k)) for name in ("exponent", "error"))
        ax.axhspan(value - 2 * error, value + 2 * error, color=colour, alpha=0.2, lw=0)
        ax.plot(elapsed, spectrum["trace"].sel(index=k), color=colour, lw=1.2, label=f"exponent {k}")
    ax.set_xlabel("length of the run (iterations)" if spectrum.attrs["kind"] == "map" else "length of the run (time units)")
    ax.set_ylabel(f"exponent ({spectrum['exponent'].attrs['units']})")
    ax.margins(x=0.01)
    settled = spectrum["trace"].sel(index=indices).isel(elapsed=elapsed >= SETTLED * elapsed[-1])
    low, high, room = float(settled.min()), float(settled.max()), 3 * float(spectrum["error"].sel(index=indices).max())
    ax.set_ylim(low - room, high + room)
    if len(indices) > 1:
        ax.legend(frameon=False)
    ax.set_title(title or f"{spectrum.attrs['name']}: the estimate settles, within two standard errors")
    return ax


def over_parameter(scan: xr.Dataset, value: str = "exponent", error: str = "error", *, title: str | None = None):
    """An estimate over the one axis of a sweep's dataset, each with two standard errors, as matplotlib axes."""
    import matplotlib.pyplot as plt

    if not {value, error} <= set(getattr(scan, "variables", ())):
        raise TypeError(f"over_parameter() takes a sweep's dataset with {value!r} and {error!r}; {_what(scan)} given")
    if scan[value].ndim != 1:
        raise ValueError(f"one axis is drawn; {value!r} has {scan[value].ndim}: {', '.join(map(str, scan[value].dims))}")
    [axis] = scan[value].dims
    _, ax = plt.subplots(figsize=(7, 3), layout="constrained")
    ax.axhline(0, color="0.6", lw=0.8)
    ax.errorbar(scan[axis], scan[value], 2 * scan[error], fmt=".-", ms=4, lw=0.8, color=COLOURS[0], ecolor="0.5")
    ax.set_xlabel(str(axis))
    ax.set_ylabel(value)
    ax.margins(x=0.01)
    ax.set_title(title or f"{value} over {axis}, with two standard errors")
    return ax


def _what(given) -> str:
    """What was given in place of a dataset, or what such a one holds."""
    return f"a dataset of {', '.join(map(str, given))}" if isinstance(given, xr.Dataset) else type(given).__name__
