"""A map of systems by the features of their windows: a plane, clusters, and how far both come back from other windows and seeds.

UMAP: McInnes, Healy & Melville, arXiv:1802.03426 (2018). Trustworthiness: Venna & Kaski, ICANN 2001, 485. Silhouettes: Rousseeuw,
J. Comput. Appl. Math. 20, 53 (1987). Clusters that come back from parts of the data: Ben-Hur, Elisseeff & Guyon, Pac. Symp.
Biocomput. 7, 6 (2002), each for itself: Hennig, Comput. Stat. Data Anal. 52, 258 (2007). An adjusted Rand index of 0.8 is called
good by Steinley, Psychol. Methods 9, 386 (2004).
"""

import json
import math
import warnings
from collections.abc import Sequence
from importlib.metadata import version
from typing import NamedTuple

import numpy as np
import xarray as xr

from ..invariants.series import checked_name
from ..sweep import Bar
from ..trajectories.grid import whole
from ..trajectories.schema import package_version, seed_text
from .features import FeatureWarning
from .stable import rows_of, stable_features

#: Numbers of clusters that are tried; they come back if the mean adjusted Rand index over replicates is this large.
NUMBERS, COMES_BACK = tuple(range(2, 13)), 0.8
#: The part of the systems that a replicate's clusters are found from; the others go to the nearest.
PART = 0.8
#: Neighbours whose keeping is counted, starts of k-means, and the least distance of points that UMAP draws.
COUNTED, STARTS, LEAST = 10, 10, 0.25


def feature_map(
    table: xr.Dataset,
    *,
    keep: Sequence[str] | None = None,
    clusters: int | None = None,
    seeds: int = 10,
    neighbours: int = 15,
    rng: int | np.random.Generator = 0,
    progress: bool = True,
) -> xr.Dataset:
    """Where each system lies in a plane, which cluster it is in, and how stable both are, from a table by `features`.

    Features are counted from their median in interquartile ranges, far values drawn in by arsinh, and then measured in the
    deviation of windows about their own system, pooled: a window lies about 1 from its system's mean (root mean square over
    features). k-means and UMAP take the systems' means. Each of the `seeds` replicates draws the windows of every system anew,
    with replacement, has a seed of its own, and finds its clusters from four systems in five.

    Parameters
    ----------
    keep : names of the features that count; by default those `stable_features` keeps
    clusters : how many; by default the number of 2 to 12 with the largest silhouette
    neighbours : UMAP's, the size of what it takes to be near

    Gives `position` (system, axis) and `cluster`; by system `cluster_stability`, the mean Jaccard index of its cluster with that of
    the replicates, `trust`, whose mean is the map's trustworthiness, `neighbours_kept`, the part of its 10 nearest on the map that
    are the same in a replicate, and `wander`, the distance of its place in replicates, laid upon the map, beside the map's
    radius; `rand_index` (number, seed) and `silhouette` (number); and what `place` needs. Everything follows from `rng`, on one
    machine and with the same versions.

    The attribute `status` is "ok", or "unstable" where the clusters do not come back: their mean adjusted Rand index is below 0.8.
    """
    seeds, neighbours = whole(seeds, "seeds"), whole(neighbours, "neighbours")
    rows, group = rows_of(table)
    scaled, scales = _scaled(table, rows, group, keep)
    systems = [str(name) for name in table["system"].values]
    if (short := np.bincount(group, minlength=len(systems)).min()) < 2 or len(systems) < 4:
        raise ValueError(f"a map needs 4 systems with 2 windows each; {len(systems)} given, one with {short}")
    generator = np.random.default_rng(rng)
    draws = [_drawn(group, generator) for _ in range(seeds)]
    means = np.stack([_means(scaled[draw], group) for draw in [np.arange(len(group)), *draws]])
    states = generator.integers(2**31, size=seeds + 1).tolist()
    sorted_out = _clusters(means, clusters, states, progress)
    planes = _planes(means, states, min(neighbours, len(systems) - 1), progress)
    found = _dataset(systems, scaled, group, scales, sorted_out, planes, means[0])
    found.attrs = {
        key: table.attrs[key] for key in ("window", "scale", "samples", "kind", "sets", "calculators") if key in table.attrs
    }
    found.attrs |= {"method": f"k-means, UMAP of {neighbours} neighbours", "seed": seed_text(rng), "status": sorted_out.status}
    found.attrs |= {"trustworthiness": float(found["trust"].mean()), "version": package_version()}
    found.attrs["libraries"] = json.dumps(
        json.loads(table.attrs.get("libraries", "{}")) | {key: version(key) for key in ("umap-learn", "scikit-learn", "numpy")}
    )
    return found


class Scales(NamedTuple):
    """Names of the features that count, and what they are measured in: middle, width, and deviation within systems."""

    names: list[str]
    middle: np.ndarray
    width: np.ndarray
    within: np.ndarray

    def of(self, rows: np.ndarray) -> np.ndarray:
        """Features (row, feature) in units of the map."""
        return np.arcsinh((rows - self.middle) / self.width) / self.within


def _scaled(table: xr.Dataset, rows: np.ndarray, group: np.ndarray, keep) -> tuple[np.ndarray, Scales]:
    names = [str(name) for name in table["feature"].values]
    if keep is None:
        verdicts = stable_features(table)
        keep = [name for name, kept in zip(names, verdicts["kept"].values, strict=True) if kept]
        if not keep:
            best = float(verdicts["score"].max())
            raise ValueError(f"no feature is stable: the best score is {best:.2f}; the systems do not differ, or say keep=")
    for name in keep:
        checked_name(name, names, "the feature")
    chosen = rows[:, [names.index(name) for name in keep]]
    if not np.isfinite(chosen).all():
        lost = [name for name, good in zip(keep, np.isfinite(chosen).all(axis=0), strict=True) if not good]
        raise ValueError(f"features of a map are finite in every window; {lost[0]} is not")
    low, middle, high = np.quantile(chosen, [0.25, 0.5, 0.75], axis=0)
    spread = chosen.std(axis=0)
    width = np.where(high > low, (high - low) / 1.349, np.where(spread > 0, spread, 1.0))  # 1.349: of a normal distribution
    bent = np.arcsinh((chosen - middle) / width)
    means = _means(bent, group)
    _, place = np.unique(group, return_inverse=True)
    within = np.sqrt(((bent - means[place]) ** 2).sum(axis=0) / (len(bent) - len(means)))
    # a feature that never differs within a system would outweigh all others
    scales = Scales(list(keep), middle, width, np.maximum(within, 0.05 * np.maximum(bent.std(axis=0), 1e-12)))
    return scales.of(chosen), scales


def _means(rows: np.ndarray, group: np.ndarray) -> np.ndarray:
    sums = np.zeros((group.max() + 1, rows.shape[1]))
    np.add.at(sums, group, rows)
    return sums / np.bincount(group)[:, None]


def _drawn(group: np.ndarray, generator) -> np.ndarray:
    """Rows of every system drawn with replacement, as many as it has."""
    parts = [np.flatnonzero(group == one) for one in range(group.max() + 1)]
    return np.concatenate([generator.choice(part, len(part)) for part in parts])


class Sorted(NamedTuple):
    """Clusters of the map and of the replicates (replicate, system), and how well each number of clusters does."""

    labels: np.ndarray
    numbers: list[int]
    rand: np.ndarray
    silhouette: np.ndarray
    status: str


def _clusters(means: np.ndarray, wanted: int | None, states: list[int], progress: bool) -> Sorted:
    try:
        from sklearn.cluster import KMeans
        from sklearn.metrics import adjusted_rand_score, silhouette_score
    except ImportError as error:
        raise ImportError("clusters need scikit-learn: pip install 'scikit-learn>=1.4'") from error
    most = means.shape[1] - 1
    if wanted is not None and not 2 <= whole(wanted, "clusters") <= most:
        raise ValueError(f"{means.shape[1]} systems fall into 2 to {most} clusters; clusters={wanted} given")
    numbers = sorted({n for n in NUMBERS if n <= most} | ({int(wanted)} if wanted is not None else set()))
    part, labels, rand, silhouette = math.ceil(PART * (most + 1)), [], [], []
    with Bar(len(numbers) * len(means), "clusters", shown=progress) as bar:
        for number in numbers:
            each = []
            for mean, state in zip(means, states, strict=True):
                some = np.arange(most + 1) if not each else np.random.default_rng(state).permutation(most + 1)[: max(part, number)]
                each.append(KMeans(number, n_init=STARTS, random_state=state).fit(mean[some]).predict(mean))
                bar.update()
            labels.append(np.stack(each))
            rand.append([adjusted_rand_score(each[0], other) for other in each[1:]])
            silhouette.append(silhouette_score(means[0], each[0]))
    rand = np.array(rand)
    again = rand.mean(axis=1)
    chosen = int(np.argmax(silhouette)) if wanted is None else numbers.index(wanted)
    status = "ok" if again[chosen] >= COMES_BACK else "unstable"
    if status != "ok":
        words = f"the {numbers[chosen]} clusters do not come back from other windows: an adjusted Rand index of {again[chosen]:.2f}"
        warnings.warn(words, FeatureWarning, stacklevel=4)
    return Sorted(_by_size(labels[chosen]), numbers, rand, np.array(silhouette), status)


def _by_size(labels: np.ndarray) -> np.ndarray:
    """Clusters of each row numbered from the largest."""
    order = [np.argsort(np.argsort(-np.bincount(row), kind="stable")) for row in labels]
    return np.stack([ranks[row] for ranks, row in zip(order, labels, strict=True)])


def _planes(means: np.ndarray, states: list[int], neighbours: int, progress: bool) -> np.ndarray:
    """The map and those of the replicates (replicate, system, axis), each turned and scaled to lie upon the first."""
    try:
        from umap import UMAP
    except ImportError as error:
        raise ImportError("the map needs umap-learn: pip install 'umap-learn>=0.5.7'") from error
    from scipy.linalg import orthogonal_procrustes

    planes, plain = [], {"n_components": 2, "min_dist": LEAST, "n_jobs": 1}
    with Bar(len(means), "map", shown=progress) as bar, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of one thread, which a seed needs
        for mean, state in zip(means, states, strict=True):
            small = "random" if len(mean) < 10 else "spectral"  # few points have no spectrum to begin with
            plane = UMAP(n_neighbors=neighbours, random_state=state, init=small, **plain).fit_transform(mean).astype(float)
            planes.append(plane - plane.mean(axis=0))
            bar.update()
    first = planes[0] @ np.linalg.svd(planes[0], full_matrices=False)[2].T  # the longer axis lies across
    laid = [first]
    for plane in planes[1:]:
        turn, scale = orthogonal_procrustes(plane, first)
        laid.append(plane @ turn * scale / (plane**2).sum())
    return np.stack(laid)


def _dataset(systems, scaled, group, scales: Scales, found: Sorted, planes, mean) -> xr.Dataset:
    windows = np.full((len(systems), np.bincount(group).max(), scaled.shape[1]), np.nan)
    for one in range(len(systems)):
        windows[one, : (group == one).sum()] = scaled[group == one]
    radius = math.sqrt((planes[0] ** 2).sum(axis=1).mean())
    measured = {
        "cluster": found.labels[0],
        "cluster_stability": jaccard(found.labels),
        "trust": trust(mean, planes[0]),
        "neighbours_kept": kept(planes),
        "wander": np.sqrt(((planes[1:] - planes[0]) ** 2).sum(axis=2).mean(axis=0)) / radius,
    }
    return xr.Dataset(
        {key: ("system", value) for key, value in measured.items()}
        | {
            "position": (("system", "axis"), planes[0]),
            "values": (("system", "window", "feature"), windows, {"units": "deviations of windows about their own system"}),
            "rand_index": (("number", "seed"), found.rand),
            "silhouette": ("number", found.silhouette),
        }
        | {key: ("feature", getattr(scales, key)) for key in ("middle", "width", "within")},
        coords={
            "system": np.array(systems, dtype=object),
            "feature": np.array(scales.names, dtype=object),
            "number": found.numbers,
            "window": np.arange(windows.shape[1]),
        },
    )


def jaccard(labels: np.ndarray) -> np.ndarray:
    """The mean Jaccard index of each system's cluster in the first row with its cluster in the others (replicate, system)."""
    together = labels[:, :, None] == labels[:, None, :]
    both, either = together[1:] & together[0], together[1:] | together[0]
    return (both.sum(axis=2) / either.sum(axis=2)).mean(axis=0)


def trust(points: np.ndarray, plane: np.ndarray, count: int = COUNTED) -> np.ndarray:
    """The part of trustworthiness that each point has, 1 where its neighbours on the plane are its neighbours before."""
    size, count = len(points), min(count, (len(points) - 1) // 2)
    rank = _order(points).argsort(axis=1) + 1
    late = np.take_along_axis(rank, _order(plane)[:, :count], axis=1) - count
    return 1 - 2 / (count * (2 * size - 3 * count - 1)) * np.maximum(late, 0).sum(axis=1)


def kept(planes: np.ndarray, count: int = COUNTED) -> np.ndarray:
    """The part of each point's nearest on the first plane that are among its nearest on the others."""
    count = min(count, (planes.shape[1] - 1) // 2)
    near = np.zeros((len(planes), planes.shape[1], planes.shape[1]), bool)
    for mark, plane in zip(near, planes, strict=True):
        np.put_along_axis(mark, _order(plane)[:, :count], True, axis=1)
    return (near[1:] & near[0]).sum(axis=2).mean(axis=0) / count


def _order(points: np.ndarray) -> np.ndarray:
    """Other points from the nearest on, by point; the point itself is last."""
    from scipy.spatial.distance import cdist

    apart = cdist(points, points)
    np.fill_diagonal(apart, np.inf)
    return apart.argsort(axis=1, kind="stable")
