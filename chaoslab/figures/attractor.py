"""The trajectory in state space: a plotly figure to turn, a matplotlib still to print."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from .style import COLOURS, SCALE, chosen, clock, few_enough, label, length, speed


def attractor(
    ds: xr.Dataset, components: Sequence[str] | None = None, *, colour: str | xr.DataArray = "time", title: str | None = None
):
    """The trajectory in two or three of its components, as a plotly figure; one component over its past.

    A map of one component is drawn as x[n+1] over x[n], a delay system as x over x(t - tau), tau being its longest lag.
    `components` default to the first three; `colour` is "time", "speed", "member", or values (member, time) such as
    `invariants.finite_time_exponents` gives. Raises ValueError for components
    the trajectory does not have and for more points than a browser turns.
    """
    import plotly.graph_objects as go

    points, axes = _points(ds, components)
    few_enough(points)
    values, legend = _colours(ds, points, colour)
    solid, flat = ds.attrs["kind"] != "map", len(axes) == 2
    figure = go.Figure()
    for m in range(points.sizes["member"]):
        place = dict(zip("xyz", points.values[m].T.astype(np.float32), strict=False))
        paint = COLOURS[m % len(COLOURS)] if values is None else values[m].astype(np.float32)
        scale = {} if values is None else {"colorscale": SCALE, "cmin": float(np.nanmin(values)), "cmax": float(np.nanmax(values))}
        if m == 0 and values is not None:
            scale |= {"colorbar": {"title": {"text": legend, "side": "right"}, "thickness": 12, "len": 0.7}}
        options = {"name": f"member {m}", "showlegend": values is None and points.sizes["member"] > 1}
        if solid and not flat:
            figure.add_trace(
                go.Scatter3d(
                    **place,
                    mode="lines",
                    line={"color": paint, "width": 3} | ({"showscale": m == 0} | scale if scale else {}),
                    **options,
                )
            )
        elif solid and flat:
            figure.add_trace(go.Scatter(**place, mode="lines", line={"color": COLOURS[m % len(COLOURS)], "width": 1}, **options))
        else:
            kind = go.Scatter if flat else go.Scatter3d
            figure.add_trace(
                kind(
                    **place,
                    mode="markers",
                    marker={"color": paint, "size": 2, "showscale": m == 0 and bool(scale)} | scale,
                    **options,
                )
            )
    figure.update_layout(
        title={"text": title or f"{ds.attrs['name']}: {length(ds)} in state space"},
        template="plotly_white",
        margin={"l": 0, "r": 0, "t": 40, "b": 0} if not flat else {"l": 60, "r": 20, "t": 50, "b": 50},
        height=480,
    )
    if flat:
        figure.update_xaxes(title=axes[0])
        figure.update_yaxes(title=axes[1])
    else:
        figure.update_scenes({f"{axis}axis": {"title": {"text": text}} for axis, text in zip("xyz", axes, strict=True)})
        figure.update_scenes(aspectmode="cube", camera={"eye": {"x": 1.2, "y": -1.7, "z": 0.6}})
    return figure


def attractor_still(
    ds: xr.Dataset,
    components: Sequence[str] | None = None,
    *,
    colour: str | xr.DataArray = "time",
    title: str | None = None,
    ax=None,
):
    """The same as a matplotlib still; draws into `ax` where one is given (a 3-D one for three components), returns the axes."""
    import matplotlib.pyplot as plt

    points, axes = _points(ds, components)
    values, legend = _colours(ds, points, colour)
    flat, solid = len(axes) == 2, ds.attrs["kind"] != "map"
    if ax is None:
        ax = plt.figure(figsize=(6, 5)).add_subplot(projection=None if flat else "3d")
    if not flat and ax.name != "3d":
        raise ValueError("three components need a 3-D axis: figure.add_subplot(projection='3d'), or name two components")
    for m, rows in enumerate(points.values):
        if solid:
            drawn = _line(ax, rows, None if values is None else values[m], m)
        else:
            paint = {"color": COLOURS[m % len(COLOURS)]} if values is None else {"c": values[m], "cmap": SCALE.lower()}
            drawn = ax.scatter(*rows.T, s=1, linewidths=0, **paint)
        if values is not None:
            drawn.set_clim(np.nanmin(values), np.nanmax(values))  # members share the colours
    if isinstance(colour, xr.DataArray):
        ax.figure.colorbar(drawn, ax=ax, label=legend, shrink=0.8, pad=0.02 if flat else 0.12)
    ax.set_title(title or f"{ds.attrs['name']}: {length(ds)}")
    for axis, text in zip("xyz", axes, strict=False):
        getattr(ax, f"set_{axis}label")(text)
    return ax


def _line(ax, rows: np.ndarray, values: np.ndarray | None, m: int, width: float = 0.6):
    from matplotlib.collections import LineCollection
    from mpl_toolkits.mplot3d.art3d import Line3DCollection

    if values is None:
        return ax.plot(*rows.T, lw=width, color=COLOURS[m % len(COLOURS)])[0]
    kind = LineCollection if rows.shape[1] == 2 else Line3DCollection
    whole = np.isfinite(rows).all(axis=1)
    rows, values = rows[whole], values[whole]
    collection = kind(np.stack([rows[:-1], rows[1:]], axis=1), array=values[:-1], cmap=SCALE.lower(), linewidths=width)
    ax.add_collection(collection) if rows.shape[1] == 2 else ax.add_collection3d(collection)
    low, high = rows.min(axis=0), rows.max(axis=0)
    for axis, a, b in zip("xyz", low, high, strict=False):
        pad = 0.03 * (b - a) or 1.0
        left, right = getattr(ax, f"get_{axis}lim")() if m else (np.inf, -np.inf)  # members share the axes
        getattr(ax, f"set_{axis}lim")(min(a - pad, left), max(b + pad, right))
    return collection


def _points(ds: xr.Dataset, components) -> tuple[xr.DataArray, list[str]]:
    """What is drawn, (member, time, axis), and the axes' labels."""
    points = chosen(ds, components, 3)
    names = [label(ds, str(word)) for word in points["component"].values]
    if len(names) > 1:
        return points, names
    pairs, names = against_its_past(ds, points, names[0])
    return xr.DataArray(pairs, dims=points.dims, coords={"time": points["time"][: pairs.shape[1]]}), names


def against_its_past(ds: xr.Dataset, points: xr.DataArray, name: str) -> tuple[np.ndarray, list[str]]:
    """The pairs (member, time, axis) by which one component is drawn, and their labels: x[n+1] over x[n] for a map, x over
    x(t - tau) for a delay system, tau being its longest lag (to the nearest sample)."""
    kind, shift, names = ds.attrs["kind"], 1, [f"{name}[n]", f"{name}[n+1]"]
    if kind == "delay" and points.sizes["time"] > 1:
        lag, step = float(ds.chaos.system.lags.max()), float(ds["time"][1] - ds["time"][0])
        shift, names = max(1, round(lag / step)), [f"{name}(t - {lag:.4g})", f"{name}(t)"]
    if kind == "flow" or points.sizes["time"] <= shift:
        raise ValueError(
            f"{ds.attrs['name']}: one component is no picture of a state space; draw ds.chaos.series(), or name two or three"
            if kind == "flow"
            else f"{ds.attrs['name']}: a picture of one component over its past needs more than {shift} samples"
        )
    return np.concatenate([points.values[:, :-shift], points.values[:, shift:]], axis=-1), names


def _colours(ds: xr.Dataset, points: xr.DataArray, colour: str) -> tuple[np.ndarray | None, str]:
    """Values to colour by, (member, time), or None for one colour a member; and the legend."""
    if isinstance(colour, xr.DataArray):
        values = colour.transpose("member", "time").sel(member=points["member"], time=points["time"]).values
        return values, str(colour.attrs.get("long_name", colour.name or ""))
    if colour == "member":
        return None, "member"
    if colour == "time":
        time, unit = clock(ds)
        return np.broadcast_to(time[: points.sizes["time"]], points.shape[:2]), unit
    if colour == "speed":
        return speed(ds.isel(time=slice(points.sizes["time"])), points), "speed (per time unit)"
    raise ValueError(f"colour must be 'time', 'speed' or 'member'; {colour!r} given")
