"""The cobweb of a one-dimensional map: its graph, and an orbit that steps between graph and diagonal."""

import numpy as np
import xarray as xr

from ..integrate import iterate
from ..systems import System, as_system
from ..trajectories.grid import positive, whole
from ..trajectories.schema import described, package_version

#: Points of the graph, how far it reaches beyond the orbit, and how large an iterate is that has left.
POINTS, BEYOND, FAR = 1001, 0.05, 1e6


def cobweb(
    system: System | str,
    start: float | None = None,
    steps: int = 50,
    *,
    transient: int = 0,
    span: tuple[float, float] | None = None,
    **parameters,
) -> xr.Dataset:
    """The iterates of a one-dimensional map as `value` and `next` (step), and its graph `image` over `x`.

    Parameters
    ----------
    start : the first iterate, by default the system's state
    transient : iterations before the first that is given
    span : the ends of the graph, by default those of the orbit and a little more
    parameters : values other than the system's, as in `with_`

    An orbit that escapes ends there, with the attribute `status` "escaped". Raises ValueError for what is no map of one component.

    >>> from chaoslab.systems import System
    >>> halving = System({"x": "x/2"}, {}, {"x": 1}, kind="map")
    >>> cobweb(halving, steps=3).next.values
    array([0.5  , 0.25 , 0.125])
    """
    system = as_system(system, "cobweb")
    if system.kind != "map" or system.dimension != 1:
        what = f"a {system.kind} of {system.dimension} component{'s' * (system.dimension != 1)}"
        raise ValueError(f"a cobweb is that of a map of one component; {system.label} is {what}")
    system = system.with_(**parameters) if parameters else system
    start = system.initial if start is None else np.array([start], float)
    skip = round(positive(transient, "transient, in iterations,", zero=True))
    rows = iterate(system, start[None], whole(steps, "steps") + 1, skip=skip).states[0, :, 0]
    with np.errstate(invalid="ignore"):
        good = np.abs(rows) < FAR * max(1.0, float(np.abs(start[0])))
    count = len(rows) if good.all() else int(good.argmin())
    if count < 2:
        raise ValueError(f"{system.label} escapes from {start[0]:g} at once; there is no orbit to draw")
    rows = rows[:count]
    low, high = (rows.min(), rows.max()) if span is None else map(float, span)
    if span is None:
        room = BEYOND * (high - low) or BEYOND * max(abs(high), 1.0)
        low, high = low - room, high + room
    if not low < high:
        raise ValueError(f"span is two numbers, the smaller first; {span!r} given")
    x = np.linspace(low, high, POINTS)
    [word] = system.components
    return xr.Dataset(
        {"value": ("step", rows[:-1]), "next": ("step", rows[1:]), "image": ("x", system.rhs(x[:, None])[:, 0])},
        coords={"step": np.arange(skip, skip + count - 1), "x": x},
        attrs=described(system)
        | {
            "component": word,
            "start": float(start[0]),
            "transient": skip,
            "status": "ok" if good.all() else "escaped",
            "version": package_version(),
        },
    )
