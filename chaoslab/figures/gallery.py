"""A wall of small attractors."""

import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np
from tqdm.auto import tqdm

from ..invariants.orbit import time_unit
from ..systems import System, as_system, names
from ..systems.unroll import target
from ..trajectories import simulate
from ..trajectories.grid import SAMPLES
from .attractor import _line, against_its_past
from .style import chosen

#: Pairs of components that every reader knows a system by.
KNOWN_BY = {"Lorenz": "xz", "Rossler": "xy", "Chua": "xz", "Halvorsen": "xy", "Thomas": "xy"}
#: A pair is chosen among this many first components, by the cells of a square grid that the motion visits.
CANDIDATES, CELLS = 6, 40
#: From this many sites on, sites over time say more than two of them do.
MANY_SITES = 8
#: A map's points are drawn larger where there are so few.
FEW_POINTS = 100
#: So few systems are drawn without a progress bar.
FEW = 20


def gallery(
    systems: Sequence[System | str] | Mapping[str, System | str] | None = None,
    *,
    periods: float = 60,
    transient: float = 0.0,
    columns: int | None = None,
    size: float = 1.0,
):
    """A matplotlib figure with one panel a system, all of the catalogue by default; of a mapping its keys are the titles.

    A panel shows the two components in which the motion fills most of a square, a map's 20,000 iterates, a single component
    over its past, and a system of many sites as sites over time. Panels have no axes: this is a picture to choose from, not to
    measure in. `transient` periods pass before them, of maps 100 iterations at least. `size` is a panel's width in inches;
    `columns` default to a figure a little wider than high.
    """
    import matplotlib.pyplot as plt

    systems = names() if systems is None else [systems] if isinstance(systems, System | str) else systems
    pairs = systems.items() if isinstance(systems, Mapping) else [(None, one) for one in systems]
    systems = [(as_system(one, "gallery"), title) for title, one in pairs]
    if not systems:
        raise ValueError("a gallery needs at least one system")
    columns = min(columns or math.ceil(math.sqrt(1.3 * len(systems))), len(systems))
    rows = -(-len(systems) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(size * columns, 1.15 * size * rows), squeeze=False)
    figure.subplots_adjust(left=0.01, right=0.99, bottom=0.01, top=1 - 0.2 / (1.15 * rows), wspace=0.12, hspace=0.28)
    for ax in axes.flat:
        ax.set_axis_off()
    bar = tqdm(systems, desc="gallery", unit="system", leave=False, disable=len(systems) < FEW)
    for ax, (system, title) in zip(axes.flat, bar, strict=False):
        _panel(ax, system, periods, transient)
        title = title or system.label
        ax.set_title(title, fontsize=min(7.0 * max(1.0, size**0.5), 9.5 * size * 9 / max(9, len(title))), pad=2)
    return figure


def _panel(ax, system: System, periods: float, transient: float) -> None:
    way, points = portrait(system, periods, transient=transient)
    if way == "sites":
        reach, middle = np.abs(points - np.median(points)).max(), np.median(points)
        ax.imshow(points.T, aspect="auto", cmap="RdBu_r", vmin=middle - reach, vmax=middle + reach, interpolation="nearest")
    elif way == "line":
        _line(ax, points, np.arange(len(points), dtype=float), 0, width=0.4)
    else:
        few = len(np.unique(points.round(6), axis=0)) < FEW_POINTS  # a cycle's must be seen
        ax.scatter(*points.T, s=9 if few else 0.15, c=np.arange(len(points)), cmap="viridis", linewidths=0)
        if few:
            ax.margins(0.2)


def portrait(system: System, periods: float, samples: int | None = None, *, transient: float = 0.0) -> tuple[str, np.ndarray]:
    """What shows a system at a glance, and how it is drawn: "line" or "dots" (time, axis), or "sites" (time, site)."""
    if _on_sites(system):
        ds = simulate(system, 200 if system.kind == "map" else min(periods, 20))
        return "sites", ds.chaos.shown.values[0]
    if system.kind == "map":
        ds = simulate(system, 20_000, transient=max(100, round(transient)))
    else:
        unit, samples = time_unit(system), samples or SAMPLES  # what comes to rest has no period, and is drawn all the same
        ds = simulate(system, duration=(transient + periods) * unit, step=unit / samples)
        ds = ds.isel(time=slice(round(transient * samples), None))
    if ds.sizes["component"] > 1:
        pair = list(KNOWN_BY[system.name]) if system.name in KNOWN_BY else widest_pair(ds)
        points = chosen(ds, pair, 2).values[0]
    else:
        points = against_its_past(ds, chosen(ds, None, 1), "x")[0][0]
    return "dots" if system.kind == "map" else "line", points


def _on_sites(system: System) -> bool:
    """Whether it has one state at many sites, which a picture of two components would not show."""
    words = [target(key) for key in system.equations]
    return len(words) == 1 and len(words[0][1]) == 1 and system.dimension >= MANY_SITES


def widest_pair(ds) -> list[str]:
    """The two of the first few components whose plane the motion fills most; the sine of a phase only where it must be one.

    A phase fills any square, and says little.
    """
    names, observed = [str(word) for word in ds["component"].values], ds.chaos.system.observed
    plain = [word for word in names if word not in observed]
    shown = ds.chaos.shown.isel(member=0).sel(component=(plain if len(plain) > 1 else names)[:CANDIDATES])
    points = shown.dropna("time").values
    low, high = points.min(axis=0), points.max(axis=0)
    cells = np.floor((points - low) / np.where(high > low, high - low, 1.0) * (CELLS - 1e-9)).astype(int)
    visited = lambda pair: len(np.unique(cells[:, pair[0]] * CELLS + cells[:, pair[1]]))
    pair = max(itertools.combinations(range(points.shape[1]), 2), key=visited)
    return [str(shown["component"].values[k]) for k in pair]
