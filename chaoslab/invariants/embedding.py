"""Delay vectors of one series, and what is chosen for those that do not say how many delays, how far apart.

Packard, Crutchfield, Farmer & Shaw, Phys. Rev. Lett. 45, 712 (1980); Takens, Lect. Notes Math. 898, 366 (1981).
"""

from typing import NamedTuple

import numpy as np
import xarray as xr

from ..trajectories.grid import whole
from ..trajectories.schema import package_version
from .cloud import Cloud
from .embedding_dimension import embedding_dimension, enough_delays
from .embedding_lag import embedding_lag, first_lag
from .series import FEWEST, checked_theiler, mean_period, read_one, read_series, standardised, times_of


def embed(
    series: np.ndarray | xr.DataArray | xr.Dataset,
    dimension: int | None = None,
    lag: int | None = None,
    *,
    component: str | None = None,
    sampling: float | None = None,
) -> xr.DataArray:
    """Delay vectors x(t), x(t - lag), x(t - 2 lag), ... of one series: (time, delay).

    The coordinate `delay` is in samples, `time` that of the newest value. Values stay as they are; a vector that would reach
    into a gap is NaN.

    Parameters
    ----------
    series : (time,), or with a component chosen (time, component) or a trajectory of one member
    dimension : number of delays; by default the fewest with less than 1 % false neighbours
    lag : in samples; by default the first minimum of the mutual information, of a map's trajectory 1

    >>> embed([1.0, 2.0, 3.0, 4.0], 2, 1).values.tolist()
    [[2.0, 1.0], [3.0, 2.0], [4.0, 3.0]]
    """
    values, spacing, flow = read_one(series, component, sampling)
    dimension = None if dimension is None else whole(dimension, "dimension")
    if lag is None:
        lag = 1 if dimension == 1 or flow is False else int(embedding_lag(values).lag)
    lag = whole(lag, "lag")
    if dimension is None:
        dimension = int(embedding_dimension(values, lag=lag).dimension)
    span = (dimension - 1) * lag
    if span >= len(values):
        raise ValueError(f"{dimension} delays of {lag} samples need more than {span} samples; the series has {len(values)}")
    whole_series = np.arange(1, len(values) + 1)
    vectors = Cloud(np.where(np.isfinite(values), values, np.nan), whole_series, dimension, lag, 0, 0).vectors[span:]
    return xr.DataArray(
        vectors,
        dims=("time", "delay"),
        coords={"time": times_of(series, spacing, len(values))[span:], "delay": np.arange(dimension) * lag},
        name="delay_vector",
        attrs={"dimension": dimension, "lag": lag, "sampling": spacing, "version": package_version()},
    )


class Embedding(NamedTuple):
    """Delays, the lag between them, the Theiler window and the mean period, in samples."""

    delays: int
    lag: int
    theiler: int
    period: float


def embedding_of(values: np.ndarray, gapless: np.ndarray, dimension, lag, theiler) -> Embedding:
    """The settings that were given, and for the others: the state as it is where there are several components, else the lag at
    which the autocorrelation falls below 1 - 1/e and the fewest delays without false neighbours; a window of a mean period."""
    period = mean_period(values, gapless)
    theiler = checked_theiler(theiler, period)
    single = values.shape[1] == 1 and dimension is None
    delays = 1 if dimension is None else whole(dimension, "dimension")
    lag = (first_lag(values) if single or delays > 1 else 1) if lag is None else whole(lag, "lag")
    if single and lag >= len(values):
        raise ValueError(f"delays of {lag} samples need more than {lag} samples; the series has {len(values)}")
    return Embedding(enough_delays(values, gapless, lag, theiler) if single else delays, lag, theiler, period)


class Points(NamedTuple):
    """The delay vectors of a series, the rows of them that are looked at, and how they were chosen."""

    cloud: Cloud
    rows: np.ndarray
    attrs: dict


def points_of(series, component, dimension, lag, theiler, sampling) -> Points:
    """All the points of a series, standardised, that reach into no gap; ValueError for fewer than 100."""
    values, spacing, _ = read_series(series, component, sampling)
    values, gapless = standardised(values)
    delays, lag, theiler, _ = embedding_of(values, gapless, dimension, lag, theiler)
    cloud = Cloud(values, gapless, delays, lag, theiler, 0)
    rows = cloud.rows(0)
    if len(rows) < FEWEST:
        raise ValueError(
            f"the series is too short: {len(rows)} points are left of {len(values)} samples, with {delays} delays of {lag} samples "
            f"and no gap; {FEWEST} are needed"
        )
    return Points(cloud, rows, {"dimension": delays, "lag": lag, "theiler": theiler, "sampling": spacing})
