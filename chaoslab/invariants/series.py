"""Reading a series: an array, a labelled array or a trajectory in; values, time between samples and what is known of it out."""

import math
from collections.abc import Collection

import numpy as np
import xarray as xr

from ..systems import suggest
from ..trajectories.grid import positive, whole
from ..trajectories.schema import DIMS, check

#: The fewest points of which anything is told.
FEWEST = 100
#: A mean period of this many samples makes it a flow, where nothing else says so.
SMOOTH = 10


def read_all(series, component=None, sampling=None) -> tuple[xr.DataArray, float, bool | None]:
    """The series of all members and components, time last; the time between samples; and whether it is a flow, where known."""
    flow = None
    if isinstance(series, xr.Dataset):
        flow = check(series).attrs["kind"] != "map"
        series = series.chaos.shown
    series = _chosen(series, component) if isinstance(series, xr.DataArray) else _labelled(series, component)
    if series.dtype.kind not in "biuf":
        raise TypeError(f"a series holds real numbers; {series.dtype} given")
    spacing = positive(_spacing(series) if sampling is None else sampling, "sampling")
    return series.transpose(..., "time").astype(float), spacing, flow


def read_series(series, component=None, sampling=None) -> tuple[np.ndarray, float, bool | None]:
    """As `read_all`, of one member, as values (row, component)."""
    labelled, spacing, flow = read_all(series, component, sampling)
    if labelled.sizes.get("member", 1) != 1:
        raise ValueError(
            f"{labelled.sizes['member']} members given; they may share an orbit, whose points would then meet themselves: "
            "choose one, as in isel(member=[0])"
        )
    values = labelled.values.reshape(labelled.sizes.get("component", 1), labelled.sizes["time"])
    return np.ascontiguousarray(values.T), spacing, flow


def read_one(series, component=None, sampling=None) -> tuple[np.ndarray, float, bool | None]:
    """As `read_series`, of the one component: values (row, 1)."""
    values, spacing, flow = read_series(series, component, sampling)
    if values.shape[1] != 1:
        raise ValueError(f"one series is asked for; this has {values.shape[1]} components: choose one, as in component='x'")
    return values, spacing, flow


def _labelled(series, component) -> xr.DataArray:
    array = np.asarray(series)
    if component is not None:
        raise ValueError(f"an array has no names, so component={component!r} means nothing; give the column itself")
    if array.ndim not in (1, 2):
        raise ValueError(f"a series is (time,) or (time, component); an array of shape {array.shape} given")
    return xr.DataArray(array, dims=("time", "component")[: array.ndim])


def _chosen(series: xr.DataArray, component) -> xr.DataArray:
    """The wanted component, dims in the schema's order."""
    series = series.rename({series.dims[0]: "time"}) if series.ndim == 1 else series
    if "time" not in series.dims or set(series.dims) - set(DIMS):
        raise ValueError(f"a series has dims among {DIMS}, time at least; {series.dims} given")
    if component is not None:
        names = [str(word) for word in np.atleast_1d(series["component"].values)] if "component" in series.coords else []
        if component not in names:
            near = suggest(str(component), names)
            raise ValueError(f"the series has no component {component!r}.{near} It has {', '.join(names) or 'no names'}")
        series = series.sel(component=component) if "component" in series.dims else series
    return series.transpose(*(key for key in DIMS if key in series.dims))


def _spacing(series: xr.DataArray) -> float:
    if "time" not in series.coords or series.sizes["time"] < 2:
        return 1.0
    times = series["time"].values
    if times.dtype.kind not in "iuf":
        raise ValueError(f"the time coordinate is {times.dtype}, not numbers; say sampling=, the time between samples")
    each = np.diff(times.astype(float))
    if not (abs(each - each.mean()) <= 1e-6 * each.mean()).all():
        raise ValueError("the time coordinate is not evenly spaced; resample the series, or say sampling=")
    return float(each.mean())


def times_of(series, spacing: float, count: int) -> np.ndarray:
    """The time coordinate of a series, or the samples' own."""
    if isinstance(series, xr.Dataset | xr.DataArray):
        name = "time" if "time" in series.dims else series.dims[0]
        if name in series.coords:
            return series[name].values
    return np.arange(count) * spacing


def standardised(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Components in deviations from their mean, and how many rows without a gap end at each row, itself included."""
    good = np.isfinite(values).all(axis=1)
    if not good.any():
        raise ValueError("the series has no sample that is finite in every component")
    centre, spread = values[good].mean(axis=0), values[good].std(axis=0)
    moving = spread > 1e-12 * np.abs(values[good]).max(axis=0)
    if not moving.any():
        raise ValueError(f"the series is constant, {values[good][0]}; nothing parts in it")
    count = np.arange(1, len(good) + 1)
    return (values - centre)[:, moving] / spread[moving], count - np.maximum.accumulate(np.where(good, 0, count))


def longest_piece(values: np.ndarray, gapless: np.ndarray) -> np.ndarray:
    """The rows of the longest piece without a gap."""
    end = int(gapless.argmax()) + 1
    return values[end - gapless[end - 1] : end]


def mean_period(values: np.ndarray, gapless: np.ndarray) -> float:
    """Samples in a period of the mean frequency of the spectrum, from the longest piece without a gap."""
    piece = longest_piece(values, gapless)
    power = (np.abs(np.fft.rfft((piece - piece.mean(axis=0)) * np.hanning(len(piece))[:, None], axis=0)) ** 2).sum(axis=1)[1:]
    if len(piece) < 8 or not power.sum() > 0:
        raise ValueError(f"the series is too short: its longest piece without a gap has {len(piece)} samples, or is constant")
    return float(power.sum() / (np.fft.rfftfreq(len(piece))[1:] @ power))


def checked_theiler(theiler, period: float) -> int:
    """The Theiler window in samples, by default a mean period."""
    if theiler is None:
        return math.ceil(period)
    if isinstance(theiler, bool) or theiler != 0:
        try:
            return whole(theiler, "theiler")
        except ValueError:
            raise ValueError(f"theiler must be a whole number of samples, 0 or more; {theiler!r} given") from None
    return 0


def checked_method(method, methods: Collection[str]) -> None:
    """Raises ValueError, with the nearest name, where a method is not one of those."""
    if method not in methods:
        raise ValueError(f"method {method!r} is not known.{suggest(str(method), methods)} Methods are {', '.join(methods)}")
