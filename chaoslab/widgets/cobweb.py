"""The cobweb of a one-dimensional map, with sliders."""

from collections.abc import Iterator

import numpy as np

from ..invariants import cobweb as computed
from ..invariants.bifurcation import periods
from ..systems import System, as_system
from ..trajectories.grid import whole
from .recipe import recipe

#: Iterations that are drawn at first, at most, and that are dropped before a cycle is looked for.
STEPS, MOST, SETTLED = 50, 1000, 2000
#: A graph that is this much larger than the orbit stays, so that the picture rests while a slider moves.
ROOM = 4.0


def cobweb(system: System | str, start: float | None = None, steps: int = STEPS):
    """The cobweb of a map of one component: its graph, the diagonal and the orbit between them, with the series beneath.

    Sliders set the parameters, the `start` (by default the system's state), the number of `steps` drawn and how many are dropped
    before. The graph reaches as far as orbits have gone; one that escapes says so. Gives a widget with `turn(r=3.7, start=0.2)`,
    `look` and `picture`. Raises ValueError for what is no map of one component.

    >>> import chaoslab as cl
    >>> cl.widgets.cobweb("Logistic").turn(r=3.83).look["r"]
    3.83
    """
    from .explorer import number
    from .view import CobwebView

    system = as_system(system, "cobweb")
    start = float(system.initial[0]) if start is None else number(start, "start")
    computed(system, start, 1)  # refuses what is no such map
    controls = _controls(system, start)
    at = {one["key"]: one["value"] for one in controls} | {"start": start, "steps": _whole(steps)}
    of = {"title": system.title or system.label, "what": "cobweb", "component": system.components[0], "controls": controls}
    return CobwebView(of, at, Cobwebs(system).pictures)


def _whole(steps: int) -> int:
    steps = whole(steps, "steps")
    if steps > MOST:
        raise ValueError(f"at most {MOST} steps are drawn; {steps} given")
    return steps


def _controls(system: System, start: float) -> list[dict]:
    made = recipe(system)
    keys = ("low", "high", "step", "log", "value")
    found = [
        {"key": one["name"], "label": one["name"]} | {key: one[key] for key in keys}
        for one in made["parameters"]
        if not one["array"]
    ]
    taken = {one["key"] for one in found} & {"start", "steps", "dropped"}
    if taken:
        raise ValueError(f"the view has a control {taken.pop()!r} of its own; rename the parameter of that name")
    middle, half = made["centre"][0], made["scale"][0]
    low, high = min(start, middle - 1.2 * half), max(start, middle + 1.2 * half)
    found.append({"key": "start", "label": "start", "low": low, "high": high, "step": (high - low) / 500, "value": start})
    whole = {"whole": True, "step": 1}
    found.append(
        {"key": "steps", "label": "steps", "unit": "iterations", "low": 1, "high": 200, "least": 1, "most": MOST, "value": STEPS}
        | whole
    )
    dropped = {"key": "dropped", "label": "dropped", "unit": "iterations", "low": 0, "high": 1000, "least": 0, "most": 10**6}
    return [*found, dropped | {"value": 0} | whole]


class Cobwebs:
    """The cobwebs of one view, whose axes grow as orbits need."""

    def __init__(self, system: System):
        self.system, self.span = system, None

    def pictures(self, look: dict) -> Iterator[dict]:
        """What is sent of one look."""
        from .view import packed

        system = self.system
        values = {word: look[word] for word in system.parameters if word in look}
        start, steps, dropped = look["start"], int(look["steps"]), int(look["dropped"])
        web = computed(system, start, steps, transient=dropped, **values)
        escapes = web.attrs["status"] == "escaped"
        self._reach(web, escapes)
        web = computed(system, start, steps, transient=dropped, span=self.span, **values)
        sent = {key: packed(web[key].values) for key in ("x", "image", "value", "next", "step")}
        fate = self._fate(web, values, start, escapes)
        title = f"{system.title or system.label}: from {start:.4g} {fate}"
        yield sent | {"span": list(self.span), "title": title, "told": "", "escapes": escapes}

    def _reach(self, web, escapes: bool) -> None:
        orbit = np.append(web["value"].values, web["next"].values)
        if escapes and self.span is not None:
            return
        if escapes:
            orbit = orbit[:2]
        low, high = float(orbit.min()), float(orbit.max())
        room = 0.05 * (high - low) or 0.05 * max(abs(high), 1.0)
        low, high = low - room, high + room
        if self.span is not None and self.span[1] - self.span[0] < ROOM * (high - low):
            low, high = min(low, self.span[0]), max(high, self.span[1])
        self.span = (low, high)

    def _fate(self, web, values: dict, start: float, escapes: bool) -> str:
        """Where the orbit goes in the end, in words."""
        if escapes:
            return f"it escapes after {web.sizes['step']} iterations"
        late = computed(self.system, start, 256, transient=SETTLED, **values)
        if late.attrs["status"] == "escaped":
            return "it escapes in the end"
        period = int(periods(late["next"].values[None])[0])
        return {0: "it finds no cycle of up to 64 points", 1: "it settles on a fixed point"}.get(
            period, f"it settles on a cycle of {period} points"
        )
