"""Fixed points and periodic orbits, drawn into the attractor that moves among them."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from ..systems import suggest
from .style import COLOURS

#: Orbits that are told apart by colour and legend.
LEGEND = 12


def periodic_orbits(
    found: xr.Dataset,
    trajectory: xr.Dataset | None = None,
    components: Sequence[str] | None = None,
    *,
    title: str | None = None,
    ax=None,
):
    """The orbits of `invariants.periodic_orbits` in two components, over the attractor in grey, as matplotlib axes.

    Orbits of a flow are drawn once round, with their points on the section; those of a map as points, joined in their order.
    """
    if not isinstance(found, xr.Dataset) or not {"point", "multiplier"} <= set(found.data_vars):
        raise TypeError(f"periodic_orbits() draws what invariants.periodic_orbits() returns; {type(found).__name__} given")
    first, second = _two(found, components)
    ax = _ground(ax, trajectory, first, second)
    pick = [first, second]
    unit = "" if found.attrs["kind"] == "map" else "T = "
    for k in range(found.sizes["orbit"]):
        one, colour = found.isel(orbit=k), COLOURS[k % len(COLOURS)]
        length = int(one["length"])
        points = one["point"].sel(component=pick).values[:length]
        size = float(np.abs(one["multiplier"]).max())
        what = f"{length} point{'s' * (length != 1)}" if not unit else f"{unit}{float(one['period']):.5g}"
        label = f"{what}, multiplier {size:.3g}" if k < LEGEND else None
        if "path" in found:
            ax.plot(*one["path"].sel(component=pick).values.T, color=colour, lw=1.2, label=label)
            ax.scatter(*points.T, s=10, color=colour, zorder=3)
        else:
            ax.plot(*np.vstack([points, points[:1]]).T, "o-", color=colour, ms=4, lw=0.4, label=label)
    if found.sizes["orbit"]:
        ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=8)
    stable = int(found["stable"].sum())
    kind = "none of them stable" if not stable else f"{stable} of them stable"
    ax.set_title(title or f"{found.attrs['name']}: {found.sizes['orbit']} periodic orbits, {kind}")
    return ax


def fixed_points(
    found: xr.Dataset,
    trajectory: xr.Dataset | None = None,
    components: Sequence[str] | None = None,
    *,
    title: str | None = None,
    ax=None,
):
    """The points of `invariants.fixed_points` in two components, filled where stable, over the attractor in grey, as axes."""
    if not isinstance(found, xr.Dataset) or not {"point", "eigenvalue"} <= set(found.variables):
        raise TypeError(f"fixed_points() draws what invariants.fixed_points() returns; {type(found).__name__} given")
    first, second = _two(found, components)
    ax = _ground(ax, trajectory, first, second)
    seen: set[str] = set()
    for kind, stable, row in zip(
        found["kind"].values, found["stable"].values, found["point"].sel(component=[first, second]).values, strict=True
    ):
        word = f"{'stable' if stable else 'unstable'} {kind}" if kind in ("node", "focus") else str(kind)
        colour = COLOURS[2] if stable else COLOURS[1]
        ax.scatter(
            *row,
            s=45,
            zorder=3,
            edgecolors=colour,
            facecolors=colour if stable else "white",
            lw=1.5,
            label=word if word not in seen else None,
        )
        seen.add(word)
    if seen:
        ax.legend(frameon=False, fontsize=8)
    count, steady = found.sizes["point"], int(found["stable"].sum())
    words = f"{count} fixed point{'s' * (count != 1)}, {steady or 'none'} stable" if count else "no fixed point"
    ax.set_title(title or f"{found.attrs['name']}: {words}")
    return ax


def _two(found: xr.Dataset, components) -> tuple[str, str]:
    names = [str(word) for word in found["component"].values]
    if components is None:
        if len(names) < 2:
            raise ValueError("a map of one component is drawn as a cobweb: figures.cobweb(invariants.cobweb(system))")
        components = (names[0], names[-1] if len(names) == 3 else names[1])
    components = list(components)
    for word in components:
        if word not in names:
            raise ValueError(f"there is no component {word!r}.{suggest(str(word), names)} There is {', '.join(names)}")
    if len(components) != 2:
        raise ValueError(f"two components are drawn, {len(components)} given")
    return components[0], components[1]


def _ground(ax, trajectory: xr.Dataset | None, first: str, second: str):
    """The axes with a trajectory in grey."""
    import matplotlib.pyplot as plt

    ax = plt.subplots(figsize=(6.5, 4.8), layout="constrained")[1] if ax is None else ax
    if trajectory is not None:
        style = {"ls": "none", "marker": ".", "ms": 1.0} if trajectory.attrs["kind"] == "map" else {"lw": 0.4}
        for rows in trajectory["state"].sel(component=[first, second]).transpose("member", "time", "component").values:
            ax.plot(*rows.T, color="0.75", zorder=0, **style)
    ax.set_xlabel(first)
    ax.set_ylabel(second)
    return ax
