"""The uncertainty exponent of a basin boundary: how little it helps to know a start better."""

import numpy as np
import xarray as xr

from ..trajectories.schema import package_version
from .basins import NOT_RUN, UNDECIDED

#: Distances in grid steps: powers of two up to this part of the shorter side.
PART = 16
#: Blocks along each side that are left out in turn for the error.
BLOCKS = 4
#: Uncertain starts below which a distance says nothing, and distances that a fit needs.
FEWEST, LEAST = 30, 3
#: The part of uncertain starts beyond which all are, whatever the boundary is like.
LARGEST = 0.5


def uncertainty_exponent(basins: xr.Dataset, *, component: str | None = None) -> xr.Dataset:
    """The exponent `value` of f(distance) ~ distance^value, f being the part of the starts whose outcome is uncertain.

    A start is uncertain at a distance if one that far away on the grid goes elsewhere (Grebogi, McDonald, Ott & Yorke, Phys. Lett.
    A 99, 415 (1983)). A smooth boundary has exponent 1; where it is 0.1, twice the knowledge takes a thousand times the precision.
    The boundary's `dimension` is that of the plane less the exponent.

    Parameters
    ----------
    basins : by `basins`, its values evenly spaced. What is undecided or has not run is left out, with what is compared to it
    component : starts are moved along this one alone; without, along all of them, and what is uncertain along any of them counts

    Gives `fraction` (distance) with the binomial `fraction_error`; `distance` is in grid steps of each component. The fit weighs
    distances equally, in logarithms; `error` is from blocks of the plane left out in turn (jackknife), and does not know how far
    the law is from holding at these distances: that of a fractal wavers about a line. Along a component along which the boundary
    is a graph the exponent is 1, whatever it is along others.
    Raises ValueError for too coarse a grid: where fewer than three distances have thirty uncertain starts, and half of all at most.
    """
    if not isinstance(basins, xr.Dataset) or "basin" not in basins:
        raise TypeError(f"uncertainty_exponent() takes what basins() returns; {type(basins).__name__} given")
    basin = basins["basin"]
    along = _axes(basin, component)
    shortest = min(basin.shape[k] for k in along)
    steps = 2 ** np.arange(max(1, int(np.log2(max(shortest // PART, 1))) + 1))
    uncertain, sound = zip(*(_uncertain(basin.values, along, int(step), int(steps[-1])) for step in steps), strict=True)
    counts = [np.array([_blocked(flags, basin.shape) for flags in made]) for made in (uncertain, sound)]
    marked = counts[0].sum(axis=1)
    enough = (marked >= FEWEST) & (marked <= LARGEST * counts[1].sum(axis=1))
    if enough.sum() < LEAST:
        raise ValueError(
            f"{int(enough.sum())} distances have {FEWEST} uncertain starts or more, but half of all at most; {LEAST} are needed. "
            f"The plane has {basin.shape[along[0]]} values along {basin.dims[along[0]]}; take more of them, or a smaller plane "
            "that the boundary crosses"
        )
    steps, counts = steps[enough], [one[enough] for one in counts]
    total = [one.sum(axis=1) for one in counts]
    fraction = total[0] / total[1]
    value = _slope(steps, fraction)
    usual = [k for k in range(counts[0].shape[1]) if counts[1][:, k].all()]
    without = [_slope(steps, (total[0] - counts[0][:, k]) / (total[1] - counts[1][:, k])) for k in usual]
    spread = np.array(without) - np.mean(without)
    error = float(np.sqrt((len(usual) - 1) / len(usual) * (spread**2).sum()))
    free = sum(size > 1 for size in basin.shape)
    return xr.Dataset(
        {
            "value": value,
            "error": error,
            "dimension": free - value,
            "fraction": ("distance", fraction),
            "fraction_error": ("distance", np.sqrt(fraction * (1 - fraction) / total[1])),
        },
        coords={"distance": ("distance", steps, {"units": "grid steps"})},
        attrs={
            "name": basins.attrs.get("name", ""),
            "method": "starts on the grid that far apart (Grebogi et al. 1983)",
            "along": [str(basin.dims[k]) for k in along],
            "blocks": BLOCKS,
            "version": package_version(),
        },
    )


def _axes(basin: xr.DataArray, component: str | None) -> list[int]:
    if component is not None and component not in basin.dims:
        raise ValueError(f"the plane has no component {component!r}; it has {', '.join(map(str, basin.dims))}")
    along = [k for k, word in enumerate(basin.dims) if basin.shape[k] > 1 and component in (None, word)]
    for k in along:
        gaps = np.diff(basin[basin.dims[k]].values)
        if (np.abs(gaps - gaps.mean()) > 1e-6 * gaps.mean()).any():
            raise ValueError(f"distances need values that are evenly spaced; those of {basin.dims[k]} are not")
    if not along:
        raise ValueError("a plane with a single value along a component has no distances along it")
    return along


def _uncertain(basin: np.ndarray, along: list[int], step: int, margin: int) -> tuple[np.ndarray, np.ndarray]:
    """Which starts go elsewhere than one so many steps away, and which have all their neighbours told.

    Starts nearer than `margin` to the edge are asked at no distance, so that all distances ask the same ones.
    """
    told = (basin != UNDECIDED) & (basin != NOT_RUN)
    away, sound = np.zeros(basin.shape, bool), np.zeros(basin.shape, bool)
    inner = tuple(slice(margin, -margin) if k in along else slice(None) for k in range(basin.ndim))
    sound[inner] = told[inner]
    for k in along:
        for shift in (step, -step):
            sound &= np.roll(told, shift, axis=k)
            away |= np.roll(basin, shift, axis=k) != basin
    return away & sound, sound


def _blocked(flags: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Counts of set cells by block."""
    parts = [flags]
    for k, size in enumerate(shape):
        parts = [piece for part in parts for piece in np.array_split(part, min(BLOCKS, size), axis=k)]
    return np.array([part.sum() for part in parts])


def _slope(steps: np.ndarray, fraction: np.ndarray) -> float:
    with np.errstate(divide="ignore"):
        return float(np.polyfit(np.log(steps), np.log(fraction), 1)[0])
