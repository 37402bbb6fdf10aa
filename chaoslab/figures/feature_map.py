"""The map of systems by their features: clusters in colours, names, and where series of one's own lie."""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from ..systems import suggest
from .style import COLOURS

#: Named first where there is room.
KNOWN = ("Lorenz", "Rossler", "Chua", "MackeyGlass", "HindmarshRose", "Henon", "Logistic", "Duffing", "Thomas", "HodgkinHuxley")
#: Room a name takes, as parts of the map's width and height; how many characters make its width.
WIDE, HIGH = 0.012, 0.04
#: The mark of a series that is placed on the map.
MARK = "#000000"
SYMBOLS = ("star", "diamond", "cross", "x", "triangle-up")
MARKERS = ("*", "D", "P", "X", "^")


def feature_map(map: xr.Dataset, placed: xr.Dataset | Mapping[str, xr.Dataset] | None = None, *, title: str | None = None):
    """A map by `datasets.feature_map` or `catalogue_map` as a plotly figure whose hover names each system.

    Black marks are series by `datasets.place`, named by the keys of a mapping. Points are paler where the neighbours on the map
    change from replicate to replicate.
    """
    import plotly.graph_objects as go

    named = _checked(map, placed)
    figure = go.Figure()
    clusters, held = map["cluster"].values, map["neighbours_kept"].values
    for cluster in np.unique(clusters):
        inside = clusters == cluster
        marker = {"color": COLOURS[cluster % len(COLOURS)], "size": 8, "opacity": _opacity(held[inside])}
        x, y = map["position"].values[inside].T
        rows = np.stack([map["system"].values[inside].astype(str), held[inside].round(2).astype(str)], axis=1)
        hover = "%{customdata[0]}<br>%{customdata[1]} of its neighbours kept<extra></extra>"
        label = f"cluster {cluster + 1} ({inside.sum()})"
        figure.add_trace(go.Scatter(x=x, y=y, mode="markers", marker=marker, name=label, customdata=rows, hovertemplate=hover))
    for k, (name, found) in enumerate(named.items()):
        marker = {"color": MARK, "size": 14, "symbol": SYMBOLS[k % len(SYMBOLS)]}
        hover = f"{name or 'the series'}<br>nearest: {_near(found)}<br>{found.attrs['verdict']}<extra></extra>"
        x, y = found["position"].values
        figure.add_trace(
            go.Scatter(x=[x], y=[y], mode="markers", marker=marker, name=name or "the series", hovertemplate=hover)
        )  # fmt: skip
    bare = {"showgrid": False, "zeroline": False, "showticklabels": False, "title": ""}
    figure.update_layout(
        title={"text": title or _told(map)}, template="plotly_white", height=560, xaxis=bare, yaxis=bare,
        margin={"l": 20, "r": 20, "t": 50, "b": 20},
    )  # fmt: skip
    return figure


def feature_map_still(
    map: xr.Dataset,
    placed: xr.Dataset | Mapping[str, xr.Dataset] | None = None,
    *,
    names: Sequence[str] | None = None,
    title: str | None = None,
    ax=None,
):
    """The same as a matplotlib still; returns its axes.

    Named are the systems in `names`; by default those nearest to what is placed, well-known ones, and others where there is room.
    """
    import matplotlib.pyplot as plt

    named = _checked(map, placed)
    ax = plt.subplots(figsize=(8, 6), layout="constrained")[1] if ax is None else ax
    clusters, held, position = (map[key].values for key in ("cluster", "neighbours_kept", "position"))
    for cluster in np.unique(clusters):
        inside = clusters == cluster
        colour = COLOURS[cluster % len(COLOURS)]
        label = f"cluster {cluster + 1}: {inside.sum()} systems"
        ax.scatter(*position[inside].T, s=22, linewidths=0, color=colour, alpha=_opacity(held[inside]), label=label)
    for k, (name, found) in enumerate(named.items()):
        mark = {"marker": MARKERS[k % len(MARKERS)], "color": MARK, "edgecolors": "white", "zorder": 3}
        ax.scatter(*found["position"].values, s=110, label=name or "the series", **mark)
    _name(ax, map, _wanted(map, named, names), all_of_them=names is not None)
    ax.set(xticks=[], yticks=[])
    ax.margins(0.1, 0.06)
    ax.legend(frameon=False, fontsize="small")
    ax.set_title(title or _told(map))
    return ax


def _checked(map, placed) -> dict[str, xr.Dataset]:
    """What is placed, by name."""
    if not isinstance(map, xr.Dataset) or not {"position", "cluster", "neighbours_kept"} <= set(map.variables):
        raise TypeError(f"this figure draws what feature_map() or catalogue_map() returns; {type(map).__name__} given")
    named = {} if placed is None else {"": placed} if isinstance(placed, xr.Dataset) else dict(placed)
    for name, found in named.items():
        if not isinstance(found, xr.Dataset) or "position" not in found or "rank" not in found.dims:
            raise TypeError(f"what is placed is what place() returns; {name or 'placed'!r} is a {type(found).__name__}")
    return named


def _opacity(held: np.ndarray) -> np.ndarray:
    return 0.25 + 0.75 * np.clip(held, 0, 1)


def _near(found: xr.Dataset, count: int = 3) -> str:
    return ", ".join(str(name) for name in found["system"].values[:count])


def _told(map: xr.Dataset) -> str:
    number = len(np.unique(map["cluster"]))
    again = float(map["rand_index"].sel(number=number).mean())
    return f"{map.sizes['system']} systems by their features, in {number} clusters (Rand index {again:.2f} from other windows)"


def _wanted(map: xr.Dataset, named: Mapping[str, xr.Dataset], names) -> list[int]:
    """Places of the systems to be named, the most wanted first."""
    known = [str(name) for name in map["system"].values]
    if names is None:
        near = [str(name) for found in named.values() for name in found["system"].values[:3]]
        rest = [known[k] for k in np.argsort(-map["neighbours_kept"].values, kind="stable")]
        names = [name for name in [*near, *KNOWN, *rest] if name in known]
    for name in names:
        if name not in known:
            raise ValueError(f"the map has no system {name!r}.{suggest(str(name), known)}")
    return [known.index(name) for name in dict.fromkeys(names)]


def _name(ax, map: xr.Dataset, places: list[int], all_of_them: bool) -> None:
    """Names beside their points; where they were not asked for, only those that cover no other name."""
    position = map["position"].values
    size = np.ptp(position, axis=0)
    taken: list[tuple[np.ndarray, float]] = []
    for k in places:
        name, where = str(map["system"].values[k]), position[k] / size
        wide = WIDE * (len(name) + 2)
        clear = all(
            abs(where[1] - other[1]) > HIGH or where[0] + wide < other[0] or other[0] + room < where[0] for other, room in taken
        )
        if all_of_them or clear:
            taken.append((where, wide))
            ax.annotate(name, position[k], (4, 0), textcoords="offset points", va="center", fontsize=7.5)
