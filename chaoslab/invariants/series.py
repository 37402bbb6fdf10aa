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
#: The largest value, and one over the least that the largest may be: squares of others are no numbers of the machine's.
LARGEST = 1e150


def read_all(series, component=None, sampling=None) -> tuple[xr.DataArray, float, bool | None]:
    """The series of all members and components, time last; the time between samples; and whether it is a flow, where known."""
    flow = None
    if isinstance(series, xr.Dataset):
        flow = check(series).attrs["kind"] != "map"
        series = series.chaos.shown
    series = _chosen(series, component) if isinstance(series, xr.DataArray) else _labelled(series, component)
    if not series.size:
        raise ValueError(f"the series is empty: an array of shape {series.shape} given")
    if series.dtype.kind not in "biuf":
        raise TypeError(f"a series holds real numbers; {_described(series.values)} given")
    spacing = positive(_spacing(series) if sampling is None else sampling, "sampling")
    series = series.transpose(..., "time").astype(float)
    size = float(np.abs(series.values).max(where=np.isfinite(series.values), initial=0))
    if size > LARGEST or 0 < size < 1 / LARGEST:
        raise ValueError(f"the largest value of the series is {size:.3g}, too far from 1 to be squared; give it in other units")
    return series, spacing, flow


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
    try:
        array = np.asarray(series)
    except ValueError:
        raise ValueError("a series is (time,) or (time, component); rows of unequal length given") from None
    if array.ndim == 0 and array.dtype.kind not in "biufc":
        raise TypeError(f"a series is an array of numbers or a trajectory; {_short(series)} given")
    if component is not None:
        raise ValueError(f"an array has no names, so component={_short(component)} means nothing; give the column itself")
    if array.ndim not in (1, 2):
        raise ValueError(f"a series is (time,) or (time, component); an array of shape {array.shape} given")
    return xr.DataArray(array, dims=("time", "component")[: array.ndim])


def _described(values: np.ndarray) -> str:
    """What values are that are no real numbers: their type, and where they are of several types, the first that is none."""
    if values.dtype.kind == "U":
        return "text"
    other = [value for value in values.flat if not isinstance(value, int | float | np.number)] if values.dtype == object else []
    return f"{values.dtype} values such as {_short(other[0])}" if other else str(values.dtype)


def _short(value) -> str:
    """A value as an error names it."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _chosen(series: xr.DataArray, component) -> xr.DataArray:
    """The wanted component, dims in the schema's order."""
    series = series.rename({series.dims[0]: "time"}) if series.ndim == 1 else series
    if "time" not in series.dims or set(series.dims) - set(DIMS):
        raise ValueError(f"a series has dims among {DIMS}, time at least; {series.dims} given")
    if component is not None:
        names = [str(word) for word in np.atleast_1d(series["component"].values)] if "component" in series.coords else []
        if not isinstance(component, str) or component not in names:
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
    if (count := int(good.sum())) < 2:
        raise ValueError(f"the series has {count or 'no'} sample that is finite in every component; 2 at least are needed")
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
    return math.ceil(period) if theiler is None else whole_or_zero(theiler, "theiler, in samples,")


def whole_or_zero(value, what: str) -> int:
    """A whole number, 0 or more."""
    try:
        return 0 if np.ndim(value) == 0 and value == 0 and not isinstance(value, bool) else whole(value, what)
    except ValueError:
        raise ValueError(f"{what} must be a whole number, 0 or more; {value!r} given") from None


def checked_name(name, names: Collection[str], what: str = "method") -> None:
    """Raises ValueError, with the nearest name, where a name is not one of those."""
    if not isinstance(name, str) or name not in names:
        raise ValueError(f"{what} {name!r} is not known.{suggest(str(name), names)} It is one of {', '.join(names)}")
