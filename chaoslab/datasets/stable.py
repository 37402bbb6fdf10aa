"""Which features say what system a window is from: those that differ between systems more than between windows of one.

Intraclass correlation: Shrout & Fleiss, Psychol. Bull. 86, 420 (1979), case 1; from 0.75 on it is called good by Koo & Li,
J. Chiropr. Med. 15, 155 (2016). It is taken of ranks, so that neither units nor a few far values decide.
"""

import math

import numpy as np
import xarray as xr

from ..trajectories.schema import package_version

THRESHOLD, ALIKE = 0.75, 0.9
VERDICTS = ("kept", "undefined", "constant", "unstable", "redundant")


def stable_features(table: xr.Dataset, *, threshold: float = THRESHOLD, alike: float = ALIKE) -> xr.Dataset:
    """Each feature's `score`, its `verdict`, and whether it is `kept`, along `feature`.

    The score is the intraclass correlation of ranks: the part of the variance that lies between systems, 1 where all windows of a
    system agree, 0 where they differ as those of different systems do; `ratio` is the F of the same analysis. Kept are features
    that are finite in every window, not constant, with a score of `threshold` at least; of those that tell the same (complete
    linkage, every two with a rank correlation of `alike` or more in size), the one with the highest score, which `like` names.

    Parameters
    ----------
    table : what `features` returns, with several systems and windows

    Raises ValueError where nothing can be compared: fewer than two systems, or one window in each.
    """
    rows, group = rows_of(table)
    names = [str(name) for name in table["feature"].values]
    if len(np.unique(group)) < 2 or len(rows) < len(np.unique(group)) + 2:
        raise ValueError(
            f"{len(np.unique(group))} systems with {len(rows)} windows in all: two systems and several windows of each are compared"
        )
    for value, what in ((threshold, "threshold"), (alike, "alike")):
        if not 0 <= value <= 1:
            raise ValueError(f"{what} lies between 0 and 1; {value!r} given")
    finite = np.isfinite(rows).all(axis=0)
    constant = finite & (np.ptp(np.where(np.isfinite(rows), rows, 0), axis=0) == 0)
    usable = finite & ~constant
    score, ratio = np.full(len(names), np.nan), np.full(len(names), np.nan)
    ranks = _ranks(rows[:, usable])
    score[usable], ratio[usable] = intraclass(ranks, group)
    verdict = np.where(~finite, "undefined", np.where(constant, "constant", "unstable")).astype(object)
    like = np.array(names, dtype=object)
    good = np.flatnonzero(usable & (score >= threshold))
    for members in _families(ranks[:, np.isin(np.flatnonzero(usable), good)], alike):
        best = good[members[score[good[members]].argmax()]]
        like[good[members]], verdict[good[members]] = names[best], "redundant"
        verdict[best] = "kept"
    return xr.Dataset(
        {
            "score": ("feature", score, {"long_name": "intraclass correlation of ranks"}),
            "ratio": ("feature", ratio, {"long_name": "F ratio of ranks"}),
            "kept": ("feature", verdict == "kept"),
            "verdict": ("feature", verdict),
            "like": ("feature", like),
        },
        coords={"feature": table["feature"]},
        attrs={
            "method": "ICC(1) of ranks, complete linkage of rank correlations",
            "threshold": threshold,
            "alike": alike,
            "systems": len(np.unique(group)),
            "windows": len(rows),
            "version": package_version(),
        },
    )


def rows_of(table: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """The windows that are there as rows (row, feature), and the number of the system that each is of."""
    if not isinstance(table, xr.Dataset) or "features" not in table or "feature" not in table.dims:
        raise TypeError(f"a table is what features() returns; {type(table).__name__} given")
    if "system" not in table["features"].dims:
        raise ValueError("the table is of one series; features of several systems come from a tree or a dimension 'system'")
    if table.sizes.get("component", 1) != 1:
        raise ValueError(f"{table.sizes['component']} components given; choose one, as in features(..., components='first')")
    values = table["features"].transpose("system", ..., "feature").values
    rows = values.reshape(len(values), -1, values.shape[-1])
    there = np.isfinite(rows).any(axis=2)
    return rows[there], np.nonzero(there)[0]


def intraclass(rows: np.ndarray, group: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """ICC(1) and F ratio of columns (row, column) whose rows fall into groups, which may be of different sizes."""
    _, group, sizes = np.unique(group, return_inverse=True, return_counts=True)
    sums = np.zeros((len(sizes), rows.shape[1]))
    np.add.at(sums, group, rows)
    means = sums / sizes[:, None]
    between = (sizes[:, None] * (means - rows.mean(axis=0)) ** 2).sum(axis=0) / (len(sizes) - 1)
    within = ((rows - means[group]) ** 2).sum(axis=0) / (len(rows) - len(sizes))
    size = (len(rows) - (sizes**2).sum() / len(rows)) / (len(sizes) - 1)
    with np.errstate(divide="ignore"):
        ratio = between / within
    return (between - within) / (between + (size - 1) * within), np.where(within > 0, ratio, math.inf)


def _ranks(rows: np.ndarray) -> np.ndarray:
    from scipy.stats import rankdata

    return rankdata(rows, axis=0)


def _families(ranks: np.ndarray, alike: float) -> list[np.ndarray]:
    """Columns that are all alike, as lists of their places."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    if ranks.shape[1] < 2:
        return [np.arange(ranks.shape[1])] if ranks.shape[1] else []
    apart = 1 - np.abs(np.corrcoef(ranks.T))
    np.fill_diagonal(apart, 0.0)
    found = fcluster(linkage(squareform(apart, checks=False), "complete"), 1 - alike, "distance")
    return [np.flatnonzero(found == one) for one in np.unique(found)]
