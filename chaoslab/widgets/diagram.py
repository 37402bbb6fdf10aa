"""Bifurcation diagrams to zoom into, in a notebook."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import xarray as xr

from ..invariants import orbit_diagram, refinements
from ..invariants.bifurcation import RESERVED, looked_at
from ..invariants.chunks import checked_axis
from ..invariants.sections import surface_of
from ..systems import System, as_system
from ..trajectories.grid import whole
from ..trajectories.parameters import labels
from .axes import words
from .recipe import around

#: Values of the parameter in a whole picture, and how often it is refined until then.
VALUES, LEVELS = {"flow": 641, "map": 1281}, 5
#: Part of the values that is shown first of an attractor that is followed.
COARSE = 8
#: Gaps that are told one by one.
TOLD = 3


def diagram(
    system: System | str,
    parameter: str,
    low: float | None = None,
    high: float | None = None,
    *,
    section: str | None = None,
    component: str | None = None,
    points: int = 200,
):
    """The bifurcation diagram over a parameter, to zoom into with the largest exponent beneath it; a click opens the explorer.

    Dragging chooses a part of the parameter, which is computed anew, coarse at first; a double click goes back. Each value starts
    from the system's state, or follows its neighbour's attractor up or down; a click then opens the attractor that is drawn.

    Parameters
    ----------
    parameter : its name; of an array's element as in "w1_2"
    low, high : the ends; by default those of the definition, or of the explorer's slider
    section, component, points : as in `orbit_diagram`

    Returns an ipywidgets box, whose first child has `zoom(low, high)`, `back()`, `whole()`, `follow("up")` and the typed state
    that they set. Raises ValueError with the nearest name for a parameter or a component that is not there.
    """
    import ipywidgets as widgets

    from .diagram_view import DiagramView
    from .explore import explore

    system = as_system(system, "diagram")
    if system.kind == "delay":
        raise ValueError(f"{system.label} is a delay system; diagrams are made of flows and maps")
    low, high = ends(system, parameter, low, high)
    component, section = looked_at(system, component, section)
    if section:
        surface_of(system, section, None)
    settings = {"section": section or None, "component": component, "points": whole(points, "points")}
    view, below = DiagramView(system, parameter, (low, high), settings), widgets.VBox()

    def show(value: float, state: dict | None):
        turned = with_value(system, parameter, value).with_(state=state)
        if below.children:
            below.children[0].show(turned)
        else:
            below.children = (explore(turned),)

    view.on_open(show)
    return widgets.VBox([view, below])


def ends(system: System, parameter: str, low: float | None, high: float | None) -> tuple[float, float]:
    """The range of a parameter, by default the definition's own, or else the range of the explorer's slider."""
    checked_axis(system, parameter, [0.0], RESERVED)
    word, position = _place(system, parameter)
    own = system.ranges.get(word) or around(float(np.asarray(system.parameters[word])[position]), False)
    low, high = (float(own[k] if end is None else end) for k, end in enumerate((low, high)))
    if not (np.isfinite([low, high]).all() and low < high):
        raise ValueError(f"the range of {parameter} goes from a number up to a larger one; {low:g} to {high:g} given")
    if high - low < 4 * VALUES[system.kind] * np.spacing(max(abs(low), abs(high))):
        raise ValueError(
            f"{parameter} = {low!r} to {high!r} is too narrow: numbers of double precision cannot tell its values apart"
        )
    return low, high


def with_value(system: System, parameter: str, value: float) -> System:
    """The system with one value of a parameter, of an array with one element of it."""
    word, position = _place(system, parameter)
    array = np.array(system.parameters[word], float)
    array[position] = value
    return system.with_(**{word: array if array.ndim else float(array)})


def state_of(system: System, found: xr.Dataset, value: float) -> dict | None:
    """The state at the end of the nearest value's transient, as `with_` takes it; None where that motion has ended."""
    here = found.sel({found.attrs["parameter"]: value}, method="nearest")
    if here["status"].item() not in ("ok", "rests"):
        return None
    states = dict(zip(system.components, here["end"].values.tolist(), strict=True))
    return {word: states[word] if names == [word] else [states[name] for name in names] for word, names in words(system).items()}


def _place(system: System, parameter: str) -> tuple[str, tuple[int, ...]]:
    """The name of a parameter, and the place in its array."""
    places = zip(labels(system), system.flat.places, strict=True)
    return next((word, tuple(k - 1 for k in position or ())) for label, (word, position) in places if label == parameter)


def pictures(system: System, parameter: str, low: float, high: float, follow: str = "", **settings) -> Iterator[xr.Dataset]:
    """Orbit diagrams of ever more values from `low` to `high`.

    What follows an attractor depends on the steps, so there each picture is computed as a whole. Raises as `orbit_diagram` does.
    """
    values = np.linspace(low, high, VALUES[system.kind])
    computed = partial(orbit_diagram, system, parameter, progress=False, **settings)
    if follow:
        yield computed(values[::COARSE], follow=follow)
        yield computed(values, follow=follow)
        return
    try:
        yield from refinements(computed, values, levels=LEVELS)
    except ValueError:  # all motions of one level have ended; those of another may go on
        yield computed(values)


def gaps(found: xr.Dataset) -> list[dict]:
    """Where there are no points: the ends of each such range (half-way to the next value), and why."""
    values = found[found.attrs["parameter"]].values
    empty = np.isnan(found["value"].values).all(axis=1)
    why = [_why(str(word), str(reason)) for word, reason in zip(found["status"].values, found["reason"].values, strict=True)]
    edges = np.concatenate([values[:1], (values[1:] + values[:-1]) / 2, values[-1:]])
    ranges: list[dict] = []
    for k in np.flatnonzero(empty):
        if ranges and ranges[-1]["to"] == edges[k] and ranges[-1]["why"] == why[k]:
            ranges[-1]["to"] = float(edges[k + 1])
        else:
            ranges.append({"from": float(edges[k]), "to": float(edges[k + 1]), "why": why[k]})
    return ranges


def _why(status: str, reason: str) -> str:
    return {"escaped": "the motion escapes", "rests": "the motion rests"}.get(status) or reason or "there are no crossings"


def told(parameter: str, ranges: list[dict]) -> str:
    """Gaps in words, the first few of each kind one by one."""
    said = []
    for why in dict.fromkeys(one["why"] for one in ranges):
        found = [f"{one['from']:.5g} to {one['to']:.5g}" for one in ranges if one["why"] == why]
        if len(found) > TOLD + 1:
            found[TOLD:] = [f"in {len(found) - TOLD} more gaps"]
        listed = " and ".join(filter(None, [", ".join(found[:-1]), found[-1]]))
        said.append(f"{why} for {parameter} from {listed}")
    return "; ".join(said)
