"""A series among the systems of a map: where it lies, which systems are nearest, and whether it is like any of them."""

import json
import warnings
from typing import NamedTuple

import numpy as np
import xarray as xr

from ..invariants.series import longest_piece, read_one
from ..systems import suggest
from ..trajectories.grid import positive, whole
from ..trajectories.schema import package_version
from .features import FeatureWarning, features, measured_period

#: Systems between which a series is placed, and the power of the distance that weighs them: Shepard, Proc. ACM 23, 517 (1968).
BETWEEN, POWER = 5, 4
#: Farther from its nearest system, as that system's stretches go, than this part of the map's own stretches are.
UNUSUAL = 0.99
#: A curve that was sampled finely enough has less than this part of its variance in the uppermost quarter of frequencies; white
#: noise has a quarter there.
ROUGH = 0.1
#: Stretches of the map are of as many windows as the series, up to this many.
STRETCH = 4
#: A window may begin this part of a window after the one before.
STRIDE = 0.5


class Scaled(NamedTuple):
    """Windows (window, feature) in units of a map, its table of features, and the samples that a period had before."""

    rows: np.ndarray
    table: xr.Dataset
    period: float


def place(
    series: np.ndarray | xr.DataArray | xr.Dataset,
    map: xr.Dataset | None = None,
    *,
    component: str | None = None,
    period: float | None = None,
    nearest: int = 10,
) -> xr.Dataset:
    """Where a series lies on a map of systems, and its nearest systems with their distances.

    The series is sampled anew so that its period has as many samples as on the map (of the catalogue: the mean period, 30
    samples), cut into windows of the same length, each half a window after the other, and described by the same features.
    Distances are root mean squares over features, in deviations of windows about their own system.

    Parameters
    ----------
    series : (time,), or with a component chosen (time, component) or a trajectory of one member
    map : what `feature_map` returns; by default `catalogue_map()`, of chaotic flows and delay systems, and for the trajectory of a
        map that of chaotic maps
    period : samples in a period; by default the mean period is measured, and a map's iterates are taken as they are

    Gives, by `rank`, `system`, `distance` of the series' mean from that of the system, and `ratio`, that distance over the usual
    one of a stretch of the system, of as many windows, from the rest of it: about 1 for a series of that system, much more for
    another. `position` (axis) lies between the 5 nearest, weighted by the distance to the power -4; `cluster` is the nearest's.
    `quantile` is the part of the map's own stretches with a smaller ratio to what is nearest to them, `rough` the part of the
    variance in the uppermost quarter of frequencies. The attribute `verdict` is "unusual", with a `reason`, from a quantile of
    0.99 on ("far"), and on a map of flows where more than a tenth is rough ("rough": noise, or sampled too coarsely).

    Raises ValueError for a series shorter than a window, or constant, or a map of features that cannot be computed here.
    """
    values, _, flow = read_one(_first(series) if component is None else series, component)
    if map is None:
        from .catalogue_map import catalogue_map

        map = catalogue_map("map" if flow is False else "flow")
    _checked_map(map)
    if flow is not None and flow == (map.attrs["kind"] == "map"):
        raise ValueError(f"the series is of a {'flow' if flow else 'map'}, the systems on this map are not; use another map")
    scaled = _on_the_scales(values[:, 0], map, period)
    windows = _of_the_map(map)
    means = np.stack([rows.mean(axis=0) for rows in windows])
    usual, others = stretches(windows, means, (len(scaled.rows) + 1) // 2)
    apart = np.sqrt(((means - scaled.rows.mean(axis=0)) ** 2).mean(axis=1))
    order = apart.argsort(kind="stable")
    shown, close = order[: whole(nearest, "nearest")], order[:BETWEEN]
    weight = 1 / np.maximum(apart[close], 1e-9) ** POWER
    quantile = float((others < apart[order[0]] / usual[order[0]]).mean())
    rough = _rough(values[:, 0]) if map.attrs["samples"] else 0.0
    reasons = ["far"] * (quantile >= UNUSUAL) + ["rough"] * (rough >= ROUGH)
    return xr.Dataset(
        {
            "distance": ("rank", apart[shown], {"units": "deviations of windows about their own system"}),
            "ratio": ("rank", apart[shown] / usual[shown]),
            "position": ("axis", weight @ map["position"].values[close] / weight.sum()),
            "cluster": int(map["cluster"].values[order[0]]),
            "quantile": quantile,
            "rough": rough,
            "values": (("window", "feature"), scaled.rows),
        },
        coords={
            "system": ("rank", map["system"].values[shown]),
            "rank": np.arange(1, len(shown) + 1),
            "feature": map["feature"].values,
            "start": ("window", scaled.table["start"].values.ravel()[: len(scaled.rows)]),
        },
        attrs={
            "verdict": "unusual" if reasons else "like others",
            "reason": " and ".join(reasons),
            "windows": len(scaled.rows),
            "samples_in_period": scaled.period,
            "resampled": int(map.attrs["samples"] > 0),
            "version": package_version(),
        },
    )


def _first(series):
    """A trajectory's first component, as on the map of the catalogue; anything else as it is."""
    if isinstance(series, xr.Dataset) and series.sizes.get("component", 1) > 1:
        return series.isel(component=[0])
    return series


def _checked_map(map) -> None:
    if not isinstance(map, xr.Dataset) or not {"position", "values", "middle", "width", "within"} <= set(map.variables):
        raise TypeError(f"a map is what feature_map() or catalogue_map() returns; {type(map).__name__} given")


def _on_the_scales(values: np.ndarray, map: xr.Dataset, period) -> Scaled:
    """A series' windows as the map's were made."""
    about = map.attrs
    samples = int(about["samples"])
    if samples:
        if period is None and about["scale"] not in ("mean period", "given period"):
            raise ValueError(f"this map counts in each system's {about['scale']}; say period=, the samples in one")
        before = measured_period(values) if period is None else positive(period, "period, in samples,")
        options = {"period": "mean" if period is None else before, "samples": samples, "window": about["window"] / samples}
    else:
        if period is not None:
            raise ValueError("this map is of iterates, one by one: period= means nothing here")
        before, options = np.nan, {"window": about["window"]}
    options["stride"] = STRIDE * options["window"]
    calculators = None if about["calculators"] == "default" else json.loads(about["calculators"])
    names = [str(name) for name in map["feature"].values]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".* features are not finite", FeatureWarning)  # told below, of those that count
        table = features(values, sets=json.loads(about["sets"]), calculators=calculators, progress=False, **options)
    known = [str(name) for name in table["feature"].values]
    if lost := [name for name in names if name not in known]:
        raise ValueError(
            f"the map has {len(lost)} features that these settings do not make: {lost[0]!r}.{suggest(lost[0], known)} "
            "Make the map anew with feature_map(features(...))"
        )
    rows = table["features"].sel(feature=names).values.reshape(-1, len(names))
    good = np.isfinite(rows).all(axis=1)
    if not good.any():
        raise ValueError("no window of the series has all the features of the map")
    if not good.all():
        words = f"{np.sum(~good)} of {len(good)} windows are left out: they have a gap, are constant, or lack a feature"
        warnings.warn(words, FeatureWarning, stacklevel=4)
    scaled = (np.arcsinh((rows[good] - map["middle"].values) / map["width"].values)) / map["within"].values
    table = table.isel(window=np.flatnonzero(good))
    return Scaled(scaled, table, float(before))


def _of_the_map(map: xr.Dataset) -> list[np.ndarray]:
    """The windows (window, feature) of each system."""
    windows = map["values"].transpose("system", "window", "feature").values.astype(float)
    return [rows[np.isfinite(rows).all(axis=1)] for rows in windows]


def stretches(windows: list[np.ndarray], means: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """How far a stretch of `count` windows of each system usually is from the rest of it; and how far every stretch of the map is
    from the system that is nearest when it is left out, beside what is usual there."""
    found = []
    for one, rows in enumerate(windows):
        size = min(count, STRETCH, len(rows) // 2)
        for start in range(0, len(rows) - size + 1, size):
            inside = np.arange(start, start + size)
            found.append((one, rows[inside].mean(axis=0), np.delete(rows, inside, axis=0).mean(axis=0)))
    owner = np.array([one for one, _, _ in found])
    pieces, rests = (np.stack([row[k] for row in found]) for k in (1, 2))
    own = np.sqrt(((pieces - rests) ** 2).mean(axis=1))
    usual = np.maximum(np.sqrt(np.bincount(owner, own**2) / np.bincount(owner)), 1e-9)
    apart = np.sqrt(((pieces[:, None] - means) ** 2).mean(axis=2))
    apart[np.arange(len(owner)), owner] = own
    near = apart.argmin(axis=1)
    return usual, apart.min(axis=1) / usual[near]


def _rough(values: np.ndarray) -> float:
    """The part of the variance in the uppermost quarter of frequencies, in the longest piece without a gap."""
    count = np.arange(1, len(values) + 1)
    piece = longest_piece(values[:, None], count - np.maximum.accumulate(np.where(np.isfinite(values), 0, count)))[:, 0]
    power = np.abs(np.fft.rfft((piece - piece.mean()) * np.hanning(len(piece)))) ** 2
    return float(power[3 * len(power) // 4 :].sum() / power.sum())
