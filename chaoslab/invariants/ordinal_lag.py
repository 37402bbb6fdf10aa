"""Which lag shows a motion's ordinal patterns: long enough to see it turn, short enough to see it go on.

Hyman, Daniel & Schaffner, ApJ 987, 195 (2025), PECCARY: patterns as long as 0.3 to 0.5 of the natural time scale, in series of
at least 1.5 of it.
"""

import math

import numpy as np
import xarray as xr

from ..systems import System, load
from ..trajectories import dominant_period, timescale
from ..trajectories.grid import positive
from ..trajectories.schema import package_version
from ..trajectories.timescale import Period
from .ordinal_patterns import checked_length
from .series import longest_piece, read_all, standardised

#: Pattern time in natural time scales: the least, the best, and the most; and the least duration.
SHORT, BEST, LONG, ENOUGH = 0.3, 0.4, 0.5, 1.5
#: Pieces of a spectrum, and the periods that each holds at least.
BLOCKS, PERIODS = 8, 8
#: The fewest samples without a gap that have a spectrum to speak of.
FEWEST = 16


def natural_time_scale(
    motion: System | str | np.ndarray | xr.DataArray | xr.Dataset,
    *,
    component: str | None = None,
    sampling: float | None = None,
) -> xr.Dataset:
    """The time scale of a motion as `value` and `error`, in its own time unit: the dominant period.

    Of a system, that which it has or `dominant_period` finds; of a trajectory, that of its coordinate `period`, unless one
    component is asked for. Otherwise it is read from the spectrum of the series, by member, in the same way: the middle of
    the octave that holds most of the variance. The attribute `method` says which. The error is NaN where the period is a
    stored one, or where a series has fewer than 16 of them; from fewer than three, the scale itself is rough, to a half.

    Raises ValueError for a series that is constant, or has too few samples without a gap.

    >>> natural_time_scale(np.sin(np.arange(1000) / 7)).value.round(1).item(), round(14 * np.pi, 1)
    (44.0, 44.0)
    """
    if isinstance(motion, System | str):
        system = load(motion) if isinstance(motion, str) else motion
        if system.period is not None:
            return _scale(system.period, math.nan, "stored period")
        return _scale(*dominant_period(system), timescale.METHOD)
    if isinstance(motion, xr.Dataset) and component is None and sampling is None and "period" in motion.coords:
        whole = motion["time"].values[-1] - motion["time"].values[0]
        turns = motion["period"].values[-1] - motion["period"].values[0]
        if turns > 0:
            return _scale(float(whole / turns), math.nan, "coordinate period")
    series, spacing, _ = read_all(motion, component, sampling)
    if "member" not in series.dims:
        return _scale(*_from_spectrum(series.values, spacing), "spectrum: " + timescale.METHOD)
    found = np.array([_from_spectrum(rows, spacing) for rows in series.transpose("member", ...).values])
    return _scale(found[:, 0], found[:, 1], "spectrum: " + timescale.METHOD, ("member",), {"member": series["member"]})


def _scale(value, error, method: str, dims=(), coords=None) -> xr.Dataset:
    attrs = {"method": method, "version": package_version()}
    return xr.Dataset({"value": (dims, value), "error": (dims, error)}, coords=coords, attrs=attrs)


def _from_spectrum(rows: np.ndarray, spacing: float) -> Period:
    """From the longest piece without a gap of (time,) or (component, time)."""
    piece = longest_piece(*standardised(np.atleast_2d(rows).T))
    if len(piece) < FEWEST or not (piece.std(axis=0) > 0).any():
        raise ValueError(
            f"the series is too short for a spectrum: its longest piece without a gap has {len(piece)} samples, or is constant; "
            f"{FEWEST} are needed"
        )
    duration = len(piece) * spacing
    rough = timescale.peak(*timescale.spectrum(piece, duration, 1))
    blocks = max(1, min(BLOCKS, int(duration / rough / PERIODS), len(piece) // FEWEST))
    frequency, power = timescale.spectrum(piece, duration, blocks)
    value = timescale.peak(frequency, power)
    misplaced = value * timescale.MISPLACED * (blocks * value / duration) ** 2
    if blocks == 1:
        return Period(value, math.nan)
    without = np.array([timescale.peak(frequency, np.delete(power, k, axis=0)) for k in range(blocks)])
    return Period(value, math.hypot(math.sqrt((blocks - 1) / blocks * np.sum((without - value) ** 2)), misplaced))


def ideal_lag(
    series: np.ndarray | xr.DataArray | xr.Dataset,
    *,
    length: int = 5,
    time_scale: float | None = None,
    component: str | None = None,
    sampling: float | None = None,
) -> xr.Dataset:
    """The `lag`, in samples, at which patterns of `length` values are nearest to 0.4 of the natural time scale.

    The pattern time is (length - 1) * lag * sampling; good ones are 0.3 to 0.5 of the time scale. Gives `pattern_time`, the
    `shortest` and `longest` lag that are good (NaN where no whole lag is), the `time_scale`, the `duration` of the series, and
    whether that is `long_enough`: at least 1.5 time scales. The attribute `warning` says what is missing. Of a map, whose
    iterations cannot be divided, the lag is 1.

    Parameters
    ----------
    time_scale : in the series' time unit; by default `natural_time_scale`, over members the median

    >>> found = ideal_lag(np.sin(np.arange(1000) / 7))
    >>> int(found.lag), bool(found.long_enough)
    (4, True)
    """
    steps = checked_length(length) - 1
    values, spacing, flow = read_all(series, component, sampling)
    if time_scale is None:
        found = natural_time_scale(series, component=component, sampling=sampling)["value"]
        time_scale = float(np.nanmedian(found.values))
    time_scale = positive(time_scale, "time_scale")
    duration, warning = values.sizes["time"] * spacing, []
    shortest, longest = (part * time_scale / (steps * spacing) for part in (SHORT, LONG))
    # a lag that is good but for rounding is good
    shortest, longest = math.ceil(shortest * (1 - 1e-9)), math.floor(longest * (1 + 1e-9))
    lag = max(1, round(BEST * time_scale / (steps * spacing)))
    if flow is False:
        lag, shortest, longest = 1, 1, 1
    elif longest < 1:
        warning.append(f"sampled too coarsely: {steps + 1} samples take {steps * spacing / time_scale:.3g} of the time scale")
    elif not shortest <= longest:
        warning.append(f"no whole lag gives patterns of {SHORT} to {LONG} of the time scale; sample more finely")
    else:
        lag = min(max(lag, shortest), longest)
    enough = duration >= ENOUGH * time_scale * (1 - 1e-9)
    if not enough:
        warning.append(f"too short: {duration / time_scale:.3g} of the time scale; at least {ENOUGH} are needed")
    good = shortest <= longest
    return xr.Dataset(
        {
            "lag": lag,
            "pattern_time": steps * lag * spacing,
            "shortest": shortest if good else math.nan,
            "longest": longest if good else math.nan,
            "time_scale": time_scale,
            "duration": duration,
            "long_enough": enough,
        },
        attrs={"length": length, "sampling": spacing, "warning": "; ".join(warning), "version": package_version()},
    )
