"""Poincare sections: where a motion crosses a surface, every crossing located to rounding, and the map from one to the next."""

import dataclasses
import re
import warnings

import numpy as np
import xarray as xr

from ..integrate import TOLERANCE, solve
from ..integrate.section import Crossings
from ..integrate.section import crossings as located
from ..integrate.zeros import rate
from ..systems import DefinitionError, System, as_system, suggest
from ..systems.language import read
from ..systems.rewording import edited
from ..systems.tree import Node, name, walk
from ..systems.unroll import unroll
from ..trajectories import TrajectoryWarning
from ..trajectories.grid import positive, whole
from ..trajectories.parameters import parameter_coordinates, rows_of
from ..trajectories.schema import by_name, described, package_version
from ..trajectories.starts import Start, Streams, begin, reach
from .orbit import time_unit

#: Turning points by name, and the direction in which the derivative passes through zero there.
EXTREMA = {"maxima": -1, "minima": 1, "extrema": 0}
#: Periods without a crossing after which a member is given up.
PATIENCE = 1000


def poincare_section(
    system: System | str,
    surface: str,
    crossings: int = 1000,
    *,
    direction: int | None = None,
    members: int | None = None,
    initial=None,
    parameters=None,
    transient: float = 0.0,
    patience: float = PATIENCE,
    rng: int | np.random.Generator = 0,
    tolerance: float = TOLERANCE,
    solver: str | None = None,
    workers: int | None = None,
) -> xr.Dataset:
    """The first `crossings` of a surface that each member makes: `state` along member, crossing and component, and their `time`.

    Crossings are zeros of the surface's function along the integrator's own Taylor polynomials, all of them, not interpolated
    between samples. A touch from one side is no crossing. `direction` says how the function changed there, `residual` what it
    still is, `return_time` how long ago the crossing before was (NaN at the first).

    Parameters
    ----------
    surface : text over states, parameters, intermediates and time in the language of equations, as in "z - (rho - 1)" or "x = 0";
        a delay system's takes its present state. "maxima of z", "minima of z" and "extrema of z" are where that component turns.
        "sin(z) = 0" is the stroboscopic section of a forced flow with the phase z
    direction : 1 (the default) where the function, or the left side less the right, grows; -1 where it falls; 0 for both
    members, initial, parameters, rng, tolerance, solver, workers : as in `simulate`; members with different parameters need no
        new compilation
    transient : passed before crossings count, in periods
    patience : periods without a crossing after which a member is given up

    A member that escapes, or crosses less often, is marked in `status`, dated in `ended`, NaN from there on, and warned of. Raises
    ValueError where no member crosses at all, with the range that the function took, and for maps, whose orbits cross nothing.
    The section of the example is that of Tucker, Found. Comput. Math. 2, 53 (2002).

    >>> section = poincare_section("Lorenz", "z - (rho - 1)", 100, direction=-1)
    >>> bool(abs(section.state.sel(component="z") - 27).max() < 1e-12)
    True
    """
    system = as_system(system, "poincare_section")
    _check(system)
    tree, text, direction, corners = surface_of(system, surface, direction)
    unit = time_unit(system)
    values, starts = rows_of(system, parameters)
    initial = starts if initial is None else initial
    if values is not None and members not in (None, len(values)):
        raise ValueError(f"parameters are given for {len(values)} members, members={members} asks for another number; leave it out")
    members = len(values) if values is not None else 1 if members is None else whole(members, "members")
    skip = positive(transient, "transient, in periods,", zero=True) * unit
    options = {"tolerance": float(tolerance), "solver": solver, "workers": workers}
    streams = Streams(rng)
    start = Start(-skip, unit, reach(system, values))
    states = begin(system, initial, members, start, streams, options, shift=None, copies=values is not None)
    rows = np.broadcast_to(system.values if values is None else values, (len(states), len(system.values)))
    found = _crossed(
        system,
        tree,
        states,
        rows,
        skip,
        options | {"count": whole(crossings, "crossings"), "direction": direction, "corners": corners}
        | {"patience": positive(patience, "patience, in periods,") * unit},
    )  # fmt: skip
    ds = _labelled(system, found, rows if values is not None else None)
    ds.attrs = described(system) | {
        "surface": text,
        "crossing": {1: "upwards", -1: "downwards", 0: "both"}[direction],
        "method": "zeros of the surface's function along the integrator's polynomials",
        "solver": found.solver,
        "tolerance": float(tolerance),
        "transient": skip,
        "seed": streams.seed,
        "version": package_version(),
    }
    _report(system, text, found)
    return ds


def return_map(section: xr.Dataset, component: str | None = None, *, steps: int = 1) -> xr.Dataset:
    """The pairs `value` and `next` (member, crossing): a component at each crossing, and `steps` crossings later.

    `component` may also be "return_time"; of a section through a component's turning points it is that component by default.

    >>> lorenz_map = return_map(poincare_section("Lorenz", "maxima of z", 100))
    >>> lorenz_map.sizes["crossing"]
    99
    """
    if not isinstance(section, xr.Dataset) or "crossing" not in section.dims:
        raise TypeError(f"return_map() takes what poincare_section() returns; {type(section).__name__} given")
    turning = re.fullmatch(r"\w+ of (\w+)", section.attrs.get("surface", ""))
    component = turning[1] if component is None and turning else component
    names = [str(word) for word in section["component"].values]
    if component not in (*names, "return_time"):
        near = suggest(str(component), [*names, "return_time"])
        raise ValueError(f"the section has no component {component!r}.{near} It has {', '.join(names)}, and return_time")
    steps = whole(steps, "steps")
    column = section["return_time"] if component == "return_time" else section["state"].sel(component=component, drop=True)
    if steps >= column.sizes["crossing"]:
        raise ValueError(f"a section of {column.sizes['crossing']} crossings has no pairs {steps} crossings apart")
    here, later = column.isel(crossing=slice(None, -steps)), column.isel(crossing=slice(steps, None))
    later = later.assign_coords(crossing=here["crossing"])
    kept = {key: section.attrs[key] for key in ("name", "surface", "crossing", "version") if key in section.attrs}
    made = xr.Dataset({"value": here, "next": later}, attrs=kept | {"component": component, "steps": steps})
    for one in made.values():
        one.attrs = {}
    return made


def _check(system) -> None:
    if system.kind == "map":
        raise ValueError(
            f"{system.label} is a map, whose orbit jumps from point to point and crosses no surface; its iterates, simulate("
            f"{system.label!r}), are a section already"
        )
    if system.noise:
        raise ValueError(
            f"{system.label} is moved by noise, which crosses a surface infinitely often at every passage; "
            "dataclasses.replace(system, noise={}) is the motion without it"
        )


def surface_of(system: System, surface: str, direction: int | None) -> tuple[Node, str, int, bool]:
    """The surface's function, its text, the direction, and whether jumps through zero are crossings."""
    if not isinstance(surface, str):
        raise TypeError(f"a surface is text such as 'z - 27' or 'maxima of z'; {surface!r} given")
    if direction not in (None, -1, 0, 1):
        raise ValueError(f"direction is 1 (the surface's function grows), -1 (falls) or 0 (both); {direction!r} given")
    text = " ".join(surface.split())
    words = re.fullmatch(r"(\w+) of (.+)", text)
    if words:
        if words[1] not in EXTREMA:
            raise ValueError(f"{text!r}: turning points are {', '.join(EXTREMA)} of a component.{suggest(words[1], EXTREMA)}")
        if words[2] not in system.components:
            near = suggest(words[2], system.components)
            raise ValueError(f"{text!r}: {system.label} has no component {words[2]!r}.{near} It has {', '.join(system.components)}")
        if direction not in (None, EXTREMA[words[1]]):
            raise ValueError(f"direction={direction} contradicts {text!r}; leave it out, or ask for 'extrema of {words[2]}'")
        return rate(system.components.index(words[2])), text, EXTREMA[words[1]], True
    sides = text.split("=")
    if len(sides) > 2 or not all(side.strip() for side in sides):
        raise ValueError(f"a surface is one expression, which is zero on it, or one equation, as in 'x = 0'; {surface!r} given")
    written = sides[0] if len(sides) == 1 else f"({sides[0].strip()}) - ({sides[1].strip()})"
    tree = _read(system, written)
    if {*system.flat.variables, name("t")}.isdisjoint(walk(tree)):
        raise ValueError(f"the surface {text!r} does not depend on the state of {system.label}: {', '.join(system.components)}")
    return tree, text, 1 if direction is None else int(direction), False


def _read(system: System, text: str) -> Node:
    """The function in the system's names; sites may be called x3 as well as x[3]."""
    read(text, where="surface")
    sites = {label: node.args[0] for label, node in zip(system.components, system.flat.variables, strict=True)}
    sites = {label: word for label, word in sites.items() if word != label}
    whole_text = dataclasses.replace(system._text, conserved=(("surface", edited(text, sites)),))
    try:
        return unroll(whole_text).conserved["surface"]
    except DefinitionError as error:
        raise DefinitionError(str(error).replace("conserved surface", "surface")) from None


def _crossed(system: System, tree: Node, states, rows, skip: float, options: dict) -> Crossings:
    """Crossings of the members after the transient."""
    shared = {key: options[key] for key in ("tolerance", "solver", "workers")}
    if not skip:
        return located(system, tree, states, values=rows, **options)
    passed = solve(system, states, np.array([0.0]), values=rows, start=-skip, **shared)
    well = np.flatnonzero(passed.status == "ok")
    if not len(well):
        raise ValueError(f"{system.label} {passed.status[0]} at t = {passed.ended[0]:.6g}, within the transient")
    now = [passed.pasts[k] for k in well] if system.kind == "delay" else passed.states[well, 0]
    found = located(system, tree, now, values=rows[well], **options)
    if len(well) == len(rows):
        return found
    spread = {}
    for key in ("times", "states", "directions", "residuals", "range"):
        column = getattr(found, key)
        spread[key] = np.full((len(rows), *column.shape[1:]), np.nan)
        spread[key][well] = column
    status, ended, reasons = passed.status.copy(), passed.ended.copy(), list(passed.reasons)
    status[well], ended[well] = found.status, found.ended
    for place, k in enumerate(well):
        reasons[k] = found.reasons[place]
    return dataclasses.replace(found, **spread, status=status, ended=ended, reasons=tuple(reasons))


def _labelled(system: System, found: Crossings, varied: np.ndarray | None) -> xr.Dataset:
    units = {"units": "the system's time unit"}
    pairs = ("member", "crossing")
    ds = xr.Dataset(
        {
            "state": ((*pairs, "component"), found.states),
            "time": (pairs, found.times, units),
            "direction": (pairs, found.directions),
            "residual": (pairs, found.residuals),
            "return_time": (pairs, np.diff(found.times, axis=1, prepend=np.nan), units),
        },
        coords={
            "member": np.arange(len(found.states)),
            "crossing": np.arange(found.states.shape[1]),
            "component": np.array(system.components, dtype=object),
            "status": ("member", found.status.astype(object)),
            "ended": ("member", found.ended, units),
        },
    )
    if varied is not None:
        ds = ds.assign_coords(parameter_coordinates(system, varied))
    if system.flat.observed is not None:
        values = by_name(system, varied[:, None]) if varied is not None else {}
        ds["observed"] = (ds["state"].dims, system.observe(found.states, found.times, **values))
    return ds


def _report(system: System, text: str, found: Crossings) -> None:
    """Raise where nobody crossed; warn of members that ended before their last crossing."""
    ended = np.flatnonzero(found.status != "ok")
    told = [
        f"member {k} {found.status[k]} at t = {found.ended[k]:.6g}" + f" ({found.reasons[k]})" * bool(found.reasons[k])
        for k in ended[:3]
    ]
    more = f", and {len(ended) - 3} more" if len(ended) > 3 else ""
    if np.isnan(found.times[:, 0]).all():
        span = f"its function took values from {np.nanmin(found.range[:, 0]):.6g} to {np.nanmax(found.range[:, 1]):.6g}"
        raise ValueError(f"{system.label} never crosses {text!r} in the direction asked for; {span}: {'; '.join(told)}{more}")
    if len(ended):
        words = f"{system.label}: {', '.join(told)}{more}; no crossings from there on"
        warnings.warn(words, TrajectoryWarning, stacklevel=3)
