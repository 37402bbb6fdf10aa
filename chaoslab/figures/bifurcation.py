"""Slices over parameters: where a motion goes, and how fast differences grow there."""

import numpy as np
import xarray as xr

from .style import COLOURS

#: Ended motions are shaded; exponents beyond this quantile of their sizes do not stretch the colours.
GONE, OUTER = "0.9", 0.98


def orbit_diagram(
    diagram: xr.Dataset,
    exponents: xr.Dataset | None = None,
    *,
    size: float = 0.3,
    colour: str = COLOURS[0],
    title: str | None = None,
    ax=None,
):
    """The points of `invariants.orbit_diagram` over their parameter, values without a motion shaded, as matplotlib axes.

    With `exponents` over the same parameter, by `exponent_map`, these are drawn beneath, in axes of their own; two axes then.
    A second diagram is drawn over a first by its `ax`, in another `colour`.
    """
    import matplotlib.pyplot as plt

    if not isinstance(diagram, xr.Dataset) or "point" not in diagram.dims or "value" not in diagram:
        raise TypeError(f"orbit_diagram() draws what invariants.orbit_diagram() returns; {type(diagram).__name__} given")
    parameter = diagram.attrs["parameter"]
    if exponents is not None and tuple(exponents["exponent"].dims) != (parameter,):
        raise ValueError(f"the exponents are over {', '.join(map(str, exponents['exponent'].dims))}, the diagram over {parameter}")
    if exponents is not None and ax is not None:
        raise ValueError("a diagram with exponents makes its own axes; leave ax out")
    below = None
    if exponents is not None:
        options = {"figsize": (8, 5.5), "layout": "constrained", "sharex": True, "height_ratios": (2.4, 1)}
        ax, below = plt.subplots(2, 1, **options)[1]
    elif ax is None:
        ax = plt.subplots(figsize=(8, 4.5), layout="constrained")[1]
    values = diagram[parameter].values
    points = diagram["value"].transpose(parameter, "point").values
    across = np.repeat(values[:, None], points.shape[1], axis=1)
    seen = np.isfinite(points)
    ax.scatter(across[seen], points[seen], s=size, linewidths=0, color=colour, rasterized=True)
    _shade(ax, values, np.isin(diagram["status"].values.astype(str), ("escaped", "failed")))
    component, section = diagram.attrs["component"], diagram.attrs["section"]
    seen_as = diagram["value"].attrs.get("long_name", component)
    ax.set_ylabel(section if " of " in section else f"{seen_as} where {section}" if section else seen_as)
    ax.margins(x=0.01)
    ax.set_title(title or _told(diagram, parameter, values))
    if below is None:
        ax.set_xlabel(parameter)
        return ax
    below.axhline(0, color="0.6", lw=0.8)
    below.plot(exponents[parameter], exponents["exponent"], color=COLOURS[1], lw=0.8)
    _shade(below, exponents[parameter].values, np.isin(exponents["status"].values.astype(str), ("escaped", "failed")))
    below.set_xlabel(parameter)
    below.set_ylabel(f"exponent ({exponents['exponent'].attrs['units']})")
    return ax, below


def exponent_map(found: xr.Dataset, *, title: str | None = None, ax=None):
    """Largest exponents over two parameters, from `invariants.exponent_map`: chaos in red, order in blue, as matplotlib axes.

    Grey is where the motion has ended.
    """
    import matplotlib.pyplot as plt

    if not isinstance(found, xr.Dataset) or "exponent" not in found:
        raise TypeError(f"exponent_map() draws what invariants.exponent_map() returns; {type(found).__name__} given")
    exponent = found["exponent"]
    if exponent.ndim != 2:
        raise ValueError(f"a map has two parameters, this has {exponent.ndim}: over one, over_parameter() draws it")
    across, up = exponent.dims
    values = exponent.transpose(up, across).values
    known = values[np.isfinite(values)]
    sizes = known[known > 0] if (known > 0).any() else -known  # the sinks of order are deep, and would leave chaos pale
    bound = max(float(np.quantile(sizes, OUTER)), 1e-12) if known.size else 1.0
    ax = plt.subplots(figsize=(6.4, 5), layout="constrained")[1] if ax is None else ax
    colours = plt.get_cmap("RdBu_r").with_extremes(bad=GONE)
    shown = np.where(np.isneginf(values), -bound, values)
    mesh = ax.pcolormesh(
        found[across], found[up], np.ma.masked_invalid(shown), cmap=colours, vmin=-bound, vmax=bound, rasterized=True
    )
    ax.set_facecolor(GONE)
    ax.figure.colorbar(mesh, ax=ax, label=f"largest exponent ({exponent.attrs['units']})", extend="both")
    ax.set_xlabel(str(across))
    ax.set_ylabel(str(up))
    lively = values - 2 * np.nan_to_num(found["error"].transpose(up, across).values)
    share = float((lively > 0).sum() / max(known.size, 1))
    gone = np.isnan(values).mean()
    words = f"{found.attrs['name']}: chaos at {share:.0%} of the points" + (f", no motion at {gone:.0%}" if gone else "")
    ax.set_title(title or words)
    return ax


def _shade(ax, values: np.ndarray, gone: np.ndarray) -> None:
    """Shade the stretches of values at which the motion has ended."""
    edges = np.concatenate([values[:1], (values[1:] + values[:-1]) / 2, values[-1:]])
    for begin, end in _runs(gone):
        ax.axvspan(edges[begin], edges[end], color=GONE, lw=0)


def _runs(marked: np.ndarray) -> list[tuple[int, int]]:
    ends = np.flatnonzero(np.diff(np.concatenate([[False], marked, [False]])))
    return list(zip(ends[::2].tolist(), ends[1::2].tolist(), strict=True))


def _told(diagram: xr.Dataset, parameter: str, values: np.ndarray) -> str:
    """What the diagram shows, in words."""
    way = {"up": f", followed as {parameter} grows", "down": f", followed as {parameter} falls"}.get(diagram.attrs["follow"], "")
    period, status = diagram["period"].values, diagram["status"].values.astype(str)
    gone = int(np.isin(status, ("escaped", "failed")).sum())
    wild = float(((period == 0) & (status == "ok")).mean())
    words = f"{diagram.attrs['name']}: no short period at {wild:.0%} of {len(values):,} values of {parameter}{way}"
    return words + (f"; {gone:,} without a motion" if gone else "")
