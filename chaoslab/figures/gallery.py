"""A wall of small attractors."""

from collections.abc import Sequence

import numpy as np

from ..systems import load, names
from ..trajectories import simulate
from .attractor import _line, against_its_past
from .style import chosen

#: Pairs of components that show a system better than its first two.
BEST = {"Lorenz": "xz", "Rossler": "xy", "Chua": "xz", "Halvorsen": "xy", "Thomas": "xy", "SprottB": "xz", "Rucklidge": "xz"}


def gallery(systems: Sequence[str] | None = None, *, periods: float = 60, columns: int = 8, size: float = 1.6):
    """A matplotlib figure with one panel a system, on two of its components; all systems of the catalogue by default.

    The panel of a map shows 20,000 iterates. Panels have no axes: this is a picture to choose from, not to measure in.
    """
    import matplotlib.pyplot as plt

    systems = names() if systems is None else list(systems)
    if not systems:
        raise ValueError("a gallery needs at least one system")
    columns = min(columns, len(systems))
    rows = -(-len(systems) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(size * columns, 1.12 * size * rows), squeeze=False, layout="constrained")
    for ax in axes.flat:
        ax.set_axis_off()
    for ax, word in zip(axes.flat, systems, strict=False):
        system = load(word)
        ds = simulate(system, 20_000, transient=100) if system.kind == "map" else simulate(system, periods)
        pair = BEST.get(system.name)
        drawn = chosen(ds, None if pair is None else list(pair), 2)
        points = (drawn.values if drawn.sizes["component"] > 1 else against_its_past(ds, drawn, "x")[0])[0]
        if system.kind != "map":
            _line(ax, points, np.arange(len(points), dtype=float), 0)
        else:
            ax.scatter(*points.T, s=0.2, c=np.arange(len(points)), cmap="viridis", linewidths=0)
        ax.set_title(system.name, fontsize=7, pad=2)
    return figure
