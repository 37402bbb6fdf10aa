"""Features of sliding windows: what catch22 and tsfresh say of each piece of a series, as one labelled table."""

import json
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr

from ..invariants.series import checked_name, mean_period, read_all
from ..sweep import Bar
from ..trajectories.grid import positive, whole
from ..trajectories.schema import package_version
from . import feature_sets
from .feature_sets import SETS

#: Length of a window in periods, or in samples where no period is known, and the fewest samples that are one.
WINDOW, SAMPLES, FEWEST = 20, 600, 100
#: Where a period has fewer samples than this, a curve through them is no longer the motion.
COARSE = 8
DIMS = ("system", "member", "component", "window", "feature")


class FeatureWarning(UserWarning):
    """Windows or features that are not there, and why."""


def features(
    series: np.ndarray | xr.DataArray | xr.Dataset | xr.DataTree,
    *,
    window: float | None = None,
    stride: float | None = None,
    sets: Sequence[str] = SETS,
    components: str | Sequence[str] | None = None,
    period: float | str | None = None,
    samples: int | None = None,
    calculators: Mapping | None = None,
    progress: bool = True,
) -> xr.Dataset:
    """The features of every window of every series: `features` along (system,) member, component, window and feature.

    A window is put in deviations from its mean before, so that units do not matter. Names begin with their set, as in
    "catch22__CO_f1ecac" and "tsfresh__quantile__q_0.5".

    Parameters
    ----------
    series : (time,), (time, component), a trajectory, a dataset or array with a dimension `system` too, or a DataTree with a
        trajectory in each leaf, which names the system
    window, stride : length of a window, and from one start to the next, in periods where the period is known (20), in samples
        where not (600); `stride` is by default one window
    components : names; "first" for the first of each; by default all
    period : samples in a period. By default a flow's trajectory knows it, and an array has none; "mean" measures that of the mean
        frequency, series by series, which differs less from stretch to stretch than the dominant one
    samples : sample anew so that a period has this many, on a cubic spline. By default series are taken as they are
    calculators : tsfresh's settings, as its `default_fc_parameters`, in place of `feature_sets.TSFRESH`

    A window with a gap, or a constant one, has NaN for all features; windows that a shorter series lacks have NaN too. This and
    features that are not finite are warned of (FeatureWarning) and counted by name in the attribute `undefined`. Raises
    ValueError for a series shorter than a window, and where no window is whole.

    >>> table = features(np.sin(np.arange(3000) / 5), window=600, sets=["catch22"])
    >>> dict(table.sizes)
    {'member': 1, 'component': 1, 'window': 5, 'feature': 22}
    """
    sets = _checked_sets(sets)
    pieces = [_cut(one, window, stride, period, samples) for one in _all(series, components)]
    names, values = _measured(pieces, sets, calculators, progress)
    table = _table(pieces, names, values)
    counts = {key: (sorted({getattr(one, key) for one in pieces})) for key in ("window", "stride", "scale", "kind")}
    if len(counts["window"]) > 1 or len(counts["scale"]) > 1:
        warnings.warn(f"windows differ in length or time scale: {counts['window']} samples; do not compare", FeatureWarning, 2)
    table.attrs = {key: value[0] if len(value) == 1 else json.dumps(value) for key, value in counts.items()}
    table.attrs |= {
        "samples": samples or 0,
        "sets": json.dumps(sets),
        "calculators": json.dumps(calculators) if calculators is not None else "default",
        "undefined": json.dumps(_told(table)),
        "libraries": json.dumps(feature_sets.libraries(sets)),
        "version": package_version(),
    }
    return table


class Pieces(NamedTuple):
    """The windows (window, sample) of one series, where each begins in time, and what they were cut by."""

    system: str | None
    member: int
    component: str
    values: np.ndarray
    starts: np.ndarray
    window: int
    stride: int
    scale: str
    kind: str
    period: float


class One(NamedTuple):
    """One series by its labels; its time between samples, samples in its stored period or NaN, and whether it is a map."""

    system: str | None
    member: int
    component: str
    values: np.ndarray
    spacing: float
    period: float
    kind: str


def _checked_sets(sets) -> list[str]:
    sets = [sets] if isinstance(sets, str) else list(sets)
    for name in sets:
        checked_name(name, SETS, "the set of features")
    if not sets:
        raise ValueError(f"no set of features is asked for; there are {', '.join(SETS)}")
    return [name for name in SETS if name in sets]


def _all(series, components) -> Iterator[One]:
    """Every series, system by system."""
    if isinstance(series, xr.DataTree):
        found = [(node.name, node.to_dataset()) for node in series.leaves if node.has_data]
        if not found:
            raise ValueError("the tree has no leaf with data; build() and open_collection() return trees of trajectories")
    elif isinstance(series, xr.Dataset | xr.DataArray) and "system" in series.dims:
        found = [(str(name), series.sel(system=name, drop=True)) for name in series["system"].values]
    else:
        found = [(None, series)]
    for system, one in found:
        yield from _of_one(system, one, components)


def _of_one(system: str | None, series, components) -> Iterator[One]:
    period, kind = _known(series)
    if isinstance(series, xr.Dataset) and "component" not in series.dims:  # a univariate collection
        series = series["observed"] if "observed" in series else series["state"]
    values, spacing, _ = read_all(series)
    for key in ("component", "member"):
        if key not in values.dims:
            values = values.expand_dims({key: [0 if key == "member" else str(values.name or "value")]})
    if "component" not in values.coords:
        values = values.assign_coords(component=[f"value{k + 1}" for k in range(values.sizes["component"])])
    known = [str(name) for name in values["component"].values]
    wanted = known if components is None else known[:1] if components == "first" else components
    for component in [wanted] if isinstance(wanted, str) else list(wanted):
        checked_name(component, known, "the component")
        of_it = values.isel(component=known.index(component)).transpose("member", "time")
        for member, row in enumerate(of_it.values):
            yield One(system, member, component if components != "first" else "first", row, spacing, period, kind)


def _known(series) -> tuple[float, str]:
    """Samples in the stored period, NaN where there is none, and the kind of motion, "" where it is not known."""
    kind = str(series.attrs.get("kind", "")) if isinstance(series, xr.Dataset | xr.DataArray) else ""
    if kind == "map" or not isinstance(series, xr.Dataset | xr.DataArray) or "period" not in series.coords:
        return math.nan, kind
    clock = series["period"].values
    step = (clock[-1] - clock[0]) / (len(clock) - 1) if clock.ndim == 1 and len(clock) > 1 else math.nan
    return (1 / step if step > 0 else math.nan), kind


def _cut(one: One, window, stride, period, samples) -> Pieces:
    """The windows of a series, sampled anew where that is asked for."""
    values, scale, size = one.values, "samples", math.nan
    if period == "mean" or (period is None and samples is not None and math.isnan(one.period)):
        scale, size = "mean period", measured_period(values)
    elif isinstance(period, str):
        raise ValueError(f"the period is a number of samples, or 'mean'; {period!r} given")
    elif period is not None:
        scale, size = "given period", positive(period, "period, in samples,")
    elif not math.isnan(one.period):
        scale, size = "stored period", one.period
    spacing = one.spacing
    if samples is not None:
        if one.kind == "map":
            raise ValueError("a map's iterates have nothing between them to sample; leave samples out")
        values = resampled(values, size, whole(samples, "samples, a period,"))
        spacing, size = spacing * size / samples, float(samples)
    unit = 1.0 if math.isnan(size) else size
    default = SAMPLES if math.isnan(size) else WINDOW
    length = round(positive(default if window is None else window, "window") * unit)
    step = length if stride is None else max(1, round(positive(stride, "stride") * unit))
    if length < FEWEST:
        raise ValueError(f"a window has {length} samples; features need {FEWEST} at least, as in samples=30 and window=20 periods")
    if length > len(values):
        in_periods = f" ({len(values) / size:.3g} of its {scale.split()[0]} periods)" if size == size else ""
        who = f"the series of {one.system}" if one.system else "the series"
        raise ValueError(f"{who} has {len(values)} samples{in_periods}, a window {length}; take a longer one, or a smaller window")
    cut = np.lib.stride_tricks.sliding_window_view(values, length)[::step]
    starts = np.arange(len(cut)) * step * spacing
    return Pieces(one.system, one.member, one.component, cut, starts, length, step, scale, one.kind, size)


def measured_period(values: np.ndarray) -> float:
    """Samples in a period of the mean frequency, from the longest piece without a gap; ValueError for too few, or a constant."""
    good = np.isfinite(values)
    if good.sum() < FEWEST:
        raise ValueError(f"the series has {int(good.sum())} finite samples; {FEWEST} are needed")
    count = np.arange(1, len(good) + 1)
    return mean_period(values[:, None], count - np.maximum.accumulate(np.where(good, 0, count)))


def resampled(values: np.ndarray, period: float, samples: int) -> np.ndarray:
    """A series (time,) with `period` samples in a period at `samples` of them, on a cubic spline; gaps stay gaps."""
    from scipy.interpolate import CubicSpline

    if period < COARSE:
        words = f"a period has {period:.3g} samples only; a spline through them may not be the motion: sample more finely"
        warnings.warn(words, FeatureWarning, stacklevel=4)
    if abs(period / samples - 1) < 1e-9:
        return values
    good, old = np.isfinite(values), np.arange(len(values))
    new = np.arange(math.floor((len(values) - 1) * samples / period + 1e-9) + 1) * period / samples
    curve = CubicSpline(old[good], values[good])(new)
    return np.where(np.interp(new, old, ~good) > 0, np.nan, curve)


def _measured(pieces: list[Pieces], sets, calculators, progress: bool) -> tuple[list[str], list[np.ndarray]]:
    """Names, and the features (window, feature) of each series; NaN for windows that are not whole or do not move."""
    goods, standard = [], []
    for one in pieces:
        spread, size = one.values.std(axis=1), np.abs(one.values).max(axis=1)
        goods.append(np.isfinite(spread) & (spread > 1e-12 * size))
        moving = one.values[goods[-1]]
        standard.append((moving - moving.mean(axis=1, keepdims=True)) / spread[goods[-1], None])
    good = np.concatenate(goods)
    if not good.any():
        raise ValueError(f"none of the {len(good)} windows is whole: each has a gap, or is constant")
    if not good.all():
        words = f"{np.sum(~good)} of {len(good)} windows have a gap or are constant; NaN there"
        warnings.warn(words, FeatureWarning, stacklevel=3)
    if len({rows.shape[1] for rows in standard}) == 1:
        standard = [np.concatenate(standard)]  # fewer, larger batches
    found = []
    with Bar(int(good.sum()), "features", shown=progress) as bar:
        for windows in filter(len, standard):
            names, batches = feature_sets.computed(windows, sets, calculators)
            for batch in batches:
                found.append(batch)
                bar.update(len(batch))
    table = np.full((len(good), len(names)), np.nan)
    table[good] = np.concatenate(found)
    table[~np.isfinite(table)] = np.nan
    return names, np.split(table, np.cumsum([len(one) for one in goods])[:-1])


def _table(pieces: list[Pieces], names: list[str], values: list[np.ndarray]) -> xr.Dataset:
    """All of it as one dataset."""
    axes = {key: list(dict.fromkeys(getattr(one, key) for one in pieces)) for key in ("system", "member", "component")}
    axes = {key: axis for key, axis in axes.items() if axis != [None]}
    most = max(map(len, values))
    whole_table = np.full((*map(len, axes.values()), most, len(names)), np.nan)
    starts, period = np.full(whole_table.shape[:-1], np.nan), np.full(tuple(map(len, axes.values())), np.nan)
    for one, table in zip(pieces, values, strict=True):
        place = tuple(axis.index(getattr(one, key)) for key, axis in axes.items())
        whole_table[place][: len(table)] = table
        starts[place][: len(table)] = one.starts
        period[place] = one.period
    coords = {key: (key, np.array(axis, dtype=object if key != "member" else int)) for key, axis in axes.items()}
    coords |= {"window": np.arange(most), "feature": ("feature", np.array(names, dtype=object))}
    coords["start"] = ((*axes, "window"), starts, {"long_name": "time from the series' first sample to the window's"})
    coords["samples_a_period"] = (tuple(axes), period)
    return xr.Dataset({"features": ((*axes, "window", "feature"), whole_table)}, coords=coords)


def _told(table: xr.Dataset) -> dict[str, int]:
    """How often each feature is missing in a window that has others; warns of them."""
    missing = np.isnan(table["features"].transpose(..., "feature").values.reshape(-1, table.sizes["feature"]))
    there = missing[~missing.all(axis=1)]
    counts = {str(name): int(n) for name, n in zip(table["feature"].values, there.sum(axis=0), strict=True) if n}
    if counts:
        first = ", ".join(list(counts)[:3]) + (", ..." if len(counts) > 3 else "")
        words = f"{len(counts)} of {len(missing[0])} features are not finite in some of {len(there)} windows: {first}"
        warnings.warn(words, FeatureWarning, stacklevel=3)
    return counts
