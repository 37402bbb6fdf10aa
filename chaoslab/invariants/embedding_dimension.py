"""The number of delays: the fewest in which what is near is near, and not only seems so."""

import numpy as np
import xarray as xr

from ..trajectories.grid import whole
from ..trajectories.schema import package_version
from .cloud import BLOCKS, Cloud, jackknife
from .embedding_lag import embedding_lag
from .series import FEWEST, checked_name, checked_theiler, mean_period, read_one, standardised

METHODS = ("false neighbours", "cao")
#: False neighbours: part this many times farther in the next delay, or end farther apart than this many deviations. Enough
#: delays leave fewer than this part (Kennel et al.).
RATIO, SIZE, FALSE, MOST_DELAYS = 10.0, 2.0, 0.01, 10
#: Points whose neighbours are asked for.
ASKED = 2000
#: Cao's E1 has stopped rising where it stays this close to 1; E2 tells motion from noise by as much.
LEVEL = 0.1


def embedding_dimension(
    series: np.ndarray | xr.DataArray | xr.Dataset,
    *,
    method: str = "false neighbours",
    lag: int | None = None,
    component: str | None = None,
    sampling: float | None = None,
    theiler: int | None = None,
    most: int = MOST_DELAYS,
) -> xr.Dataset:
    """The fewest delays in which neighbours are neighbours, and the curves that show it.

    False neighbours (Kennel, Brown & Abarbanel, Phys. Rev. A 45, 3403 (1992)): the fewest delays of which less than 1 % of
    nearest neighbours part tenfold in the next delay, or are then two deviations apart. Cao, Physica D 110, 43 (1997): the
    fewest from which on the mean growth of distances with one more delay hardly changes, E1 > 0.9. E2 stays at 1 for noise,
    whose future does not depend on neighbours. Distances are Euclidean.

    Parameters
    ----------
    lag : in samples; by default the first minimum of the mutual information
    theiler : samples in time within which no neighbour counts; by default one mean period
    most : delays tried

    Gives `dimension` (`most`, with attribute `status` "too few", where even they are not enough), and along `delays` the part
    of `false_neighbours`, `e1` and `e2`, each with its error by a jackknife over 16 stretches of time. Without neighbours, or
    enough points, curves end in NaN. Raises ValueError for a series that is too short or constant.
    """
    checked_name(method, METHODS)
    values, spacing, flow = read_one(series, component, sampling)
    lag = (1 if flow is False else int(embedding_lag(values).lag)) if lag is None else whole(lag, "lag")
    values, gapless = standardised(values)
    theiler = checked_theiler(theiler, mean_period(values, gapless))
    most = whole(most, "most")
    false, growth, ahead = (np.full((BLOCKS + 1, most + 1), np.nan) for _ in range(3))
    for count in range(1, most + 2):
        neighbours = _neighbours(values, gapless, count, lag, theiler)
        if neighbours is None or len(neighbours[0]) < FEWEST:
            break
        near, far = neighbours
        false[:, count - 1] = _means(_false(near, far))
        growth[:, count - 1] = _means(np.hypot(near, far) / near)
        ahead[:, count - 1] = _means(far)
    if np.isnan(false[0, 0]):
        raise ValueError(
            f"the series is too short: fewer than {FEWEST} of {len(values)} samples have a value {lag} samples later and a "
            f"neighbour farther in time than {theiler} samples"
        )
    e1, e2 = growth[:, 1:] / growth[:, :-1], ahead[:, 1:] / ahead[:, :-1]
    enough = false[0, :-1] < FALSE if method == "false neighbours" else _settled(e1[0])
    curves = {"false_neighbours": false[:, :-1], "e1": e1, "e2": e2}
    data = {key: ("delays", curve[0]) for key, curve in curves.items()}
    data |= {f"{key}_error": ("delays", jackknife(curve)) for key, curve in curves.items()}
    attrs = {"method": method, "lag": lag, "theiler": theiler, "sampling": spacing, "version": package_version()}
    return xr.Dataset(
        {"dimension": int(enough.argmax()) + 1 if enough.any() else most} | data,
        coords={"delays": np.arange(1, most + 1)},
        attrs=attrs | {"status": "ok" if enough.any() else "too few"},
    )


def enough_delays(values: np.ndarray, gapless: np.ndarray, lag: int, theiler: int) -> int:
    """The fewest delays that leave hardly a false neighbour, one that the next sample shows to be far (Kennel et al. 1992)."""
    for count in range(1, MOST_DELAYS + 1):
        neighbours = _neighbours(values, gapless, count, lag, theiler)
        if neighbours is None:
            return max(count - 1, 1)
        if not len(neighbours[0]) or np.mean(_false(*neighbours)) < FALSE:
            return count
    return MOST_DELAYS


def _neighbours(values, gapless, count: int, lag: int, theiler: int) -> tuple[np.ndarray, np.ndarray] | None:
    """How far the nearest neighbour of some delay vectors is, and how far apart the values one lag later are."""
    cloud = Cloud(values, gapless, count, lag, theiler, 0)
    rows = cloud.rows(lag)
    if len(rows) < FEWEST:
        return None
    asked = np.linspace(0, len(rows) - 1, min(len(rows), ASKED)).astype(int)
    found, near = cloud.nearest(rows, asked)
    known = found >= 0
    return near[known], np.abs(values[rows[asked[known]] + lag] - values[rows[found[known]] + lag])[:, 0]


def _false(near: np.ndarray, far: np.ndarray) -> np.ndarray:
    return (far > RATIO * near) | (np.hypot(near, far) > SIZE)


def _means(each: np.ndarray) -> np.ndarray:
    """The mean of all, and without each of the blocks."""
    sums = np.array([part.sum() for part in np.array_split(each.astype(float), BLOCKS)])
    counts = np.array([len(part) for part in np.array_split(each, BLOCKS)])
    return np.r_[sums.sum() / counts.sum(), (sums.sum() - sums) / (counts.sum() - counts)]


def _settled(e1: np.ndarray) -> np.ndarray:
    """Whether E1 is near 1 from here on, as far as it is known."""
    low = (e1 < 1 - LEVEL)[::-1].cumsum()[::-1]
    return (low == 0) & np.isfinite(e1)
