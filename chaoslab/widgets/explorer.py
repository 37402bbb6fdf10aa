"""The explorer: the page integrates while a slider moves, the kernel confirms when it rests, and measures in the background."""

import math
from pathlib import Path

import anywidget
import numpy as np
import traitlets

from ..figures.style import MOST_POINTS
from ..systems import System, as_system, suggest
from ..systems.catalogue import every_system
from ..trajectories.grid import positive, whole
from .axes import place_of
from .exact import picture
from .fixed import fixed
from .formula import inline, mathml
from .latest import Latest
from .measuring import known, measure
from .modules import linked
from .recipe import recipe

FOLDER = Path(__file__).parent / "javascript"
#: Seconds a measurement in the background may take about.
SECONDS = 1.0
#: How far apart twins begin, in sizes of the motion.
TWINS = 1e-6
#: Periods the comet runs in a second; iterations of a map.
SPEED, STEPS = 2.0, 200.0


class Explorer(anywidget.AnyWidget):
    """A system with its knobs. `view` is what is looked at, `measured` what was measured of it; both follow the sliders.

    `system` is the System with the parameters and state in view, `opened` the one that was opened; `turn(rho=28)` sets
    parameters from Python, and `look(periods=50)` how it is looked at.
    """

    _esm = linked("explorer.js")
    _css = (FOLDER / "explorer.css").read_text(encoding="utf-8")
    recipe = traitlets.Dict().tag(sync=True)
    view = traitlets.Dict().tag(sync=True)
    measured = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
    #: The fixed points of what is in view, once they are asked for by `view["fixed_points"]`.
    fixed = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
    names = traitlets.List().tag(sync=True)

    def __init__(self, system: System):
        self._background, self._searching = Latest(), Latest()
        super().__init__(names=[[system.name, system.title] for system in every_system()])
        self.show(system)
        self.on_msg(self._hear)

    def show(self, system: System | str) -> None:
        """Explore another system, or the catalogue's of that name."""
        system = as_system(system, "show")
        made = recipe(system)
        made |= {"formula": mathml(system), "symbols": {one["name"]: inline(one["symbol"]) for one in made["parameters"]}}
        made |= {"most_points": MOST_POINTS, "twins": TWINS}
        self._background.drop()
        self._searching.drop()
        self.opened = system
        with self.hold_sync():  # the page reads all of it when the recipe comes
            self.fixed = None
            self.view = first_view(made)
            self.measured = found | {"of": _of(made, self.view)} if (found := known(system)) else None
            self.recipe = made

    @property
    def system(self) -> System:
        """The System in view."""
        return self._seen(self.view)

    def _seen(self, view: dict) -> System:
        parameters = {k: v for k, v in view["parameters"].items() if v != float(self.opened.parameters[k])}
        moved = {k for k, v in view["state"].items() if v != self.recipe["state"][k]}
        state = {}
        for word, names in self.recipe["words"].items():
            if moved & set(names):
                state[word] = view["state"][word] if names == [word] else [view["state"][name] for name in names]
        return self.opened.with_(state=state, **parameters) if parameters or state else self.opened

    def turn(self, **values: float) -> "Explorer":
        """Set parameters, or components of the initial state, as sliders do.

        Raises as `System.with_` does for a name that is not there, and ValueError for an array, which has no slider.
        """
        knobs = self.view["parameters"] | self.view["state"]
        for word in values:
            if word not in knobs:
                raise ValueError(f"{self.opened.label} has no slider {word!r}.{suggest(word, knobs)} It has {', '.join(knobs)}")
        values = {word: number(value, word) for word, value in values.items()}
        parameters = {word: values.pop(word) for word in self.view["parameters"] if word in values}
        self.view = self.view | {"parameters": self.view["parameters"] | parameters, "state": self.view["state"] | values}
        return self

    def look(self, **options) -> "Explorer":
        """Set how it is looked at: periods, samples, transient (in periods), axes (names), colour ("time", "speed" or "exponent"),
        twins (their distance in sizes of the motion; True: 1e-6), speed (of the comet, in periods a second), fixed_points (whether
        they are searched for and drawn)."""
        for key, value in options.items():
            if key not in LOOKS:
                raise ValueError(f"look() sets no {key!r}.{suggest(key, LOOKS)} It sets {', '.join(LOOKS)}")
            options[key] = LOOKS[key](value, key, self.recipe)
        view = self.view | options
        points = view["periods"] * view["samples"]
        if points > MOST_POINTS:
            raise ValueError(f"a picture has at most {MOST_POINTS} points; {view['periods']:g} x {view['samples']} given")
        self.view = view
        return self

    def save_html(self, path: str | Path) -> Path:
        """The explorer as one HTML file for browsers without Python; what needs the kernel is drawn as it is now."""
        from .export import save_html

        return save_html(self, path)

    def _hear(self, _, message: dict, buffers) -> None:
        try:
            if message.get("kind") == "open":
                self.show(message["name"])
            elif message.get("kind") == "look":
                self._look(message["id"], message["view"])
        except Exception as error:  # the reader sees it beside the picture; a widget's handler has no other place for it
            self.send({"kind": "complaint", "id": message.get("id"), "text": complaint(error)})

    def _look(self, number: int, view: dict) -> None:
        """Answer with the exact picture, and measure what is seen if that is new."""
        seen, of = picture(self.opened, self.recipe, view), _of(self.recipe, view)
        header, buffers = packed(seen)
        self.send(header | {"kind": "exact", "id": number}, buffers)
        if self.measured is None or self.measured["of"] != of:
            system = self._seen(view)
            self._background.ask(lambda: self._measure(of, system))
        if view.get("fixed_points") and (self.fixed is None or self.fixed["of"] != parameters_of(of)):
            turned = self._seen(view)
            self._searching.ask(lambda: self._search(parameters_of(of), turned))

    def _search(self, of: list, system: System) -> None:
        found = fixed(system, self.recipe)
        if of == parameters_of(_of(self.recipe, self.view)):  # else something else is in view by now
            self.fixed = found | {"of": of}

    def _measure(self, of: list, system: System) -> None:
        try:
            found = measure(system, SECONDS, period=self.recipe["period"])
        except Exception as error:  # shown in place of the numbers; a thread has nobody to raise it to
            found = {"complaint": complaint(error)}
        if of == _of(self.recipe, self.view):  # else something else is in view by now
            self.measured = found | {"of": of}

    def close(self) -> None:
        """Close the widget, and measure no more."""
        self._background.drop()
        self._searching.drop()
        super().close()


def number(value, what: str) -> float:
    """A finite number; raises TypeError or ValueError that says what was given."""
    try:
        found = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{what} must be a number; {value!r} given") from None
    if not math.isfinite(found):
        raise ValueError(f"{what} must be finite; {value!r} given")
    return found


def first_view(made: dict) -> dict:
    """What is seen first: the system as it is."""
    return {
        "parameters": {one["name"]: one["value"] for one in made["parameters"] if not one["array"]},
        "state": dict(made["state"]),
        **{key: made[key] for key in ("periods", "samples", "transient", "axes")},
        "colour": "time",
        "twins": False,
        "fixed_points": False,
        "speed": STEPS if made["kind"] == "map" else SPEED,
    }


def _length(value, key: str, made: dict) -> float:
    return positive(value, f"{key}, in {'iterations' if made['kind'] == 'map' else 'periods'},", zero=key == "transient")


def _samples(value, key: str, made: dict) -> int:
    return whole(value, "samples, a period,")


def _colour(value, key: str, made: dict) -> str:
    if value not in COLOURS:
        raise ValueError(f"colour is one of {', '.join(COLOURS)}; {value!r} given.{suggest(str(value), COLOURS)}")
    return value


def _axes(value, key: str, made: dict) -> list[str]:
    if not isinstance(value, str | list | tuple):
        raise TypeError(f"axes are names, as in {made['axes']}; {value!r} given")
    axes = [value] if isinstance(value, str) else list(value)
    for word in axes:
        place_of(made, word)
    if len(axes) not in (2, 3):
        raise ValueError(f"two or three axes are drawn; {len(axes)} given")
    return axes


def _twins(value, key: str, made: dict) -> float | bool:
    if isinstance(value, bool):
        return TWINS if value else False
    return positive(value, "twins, their distance in sizes of the motion,")


def _flag(value, key: str, made: dict) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{key} is True or False; {value!r} given")
    return value


COLOURS = ("time", "speed", "exponent")
#: What `look` sets, each with what makes of a value one that can be sent.
LOOKS = {"periods": _length, "transient": _length, "speed": _length, "samples": _samples, "colour": _colour, "axes": _axes}
LOOKS |= {"twins": _twins, "fixed_points": _flag}


def _of(made: dict, view: dict) -> list:
    """What a measurement is of."""
    return [made["name"], view["parameters"], view["state"]]


def parameters_of(of: list) -> list:
    """What fixed points are of: the system and its parameters, not the state that a motion starts from."""
    return of[:2]


def packed(seen) -> tuple[dict, list[bytes]]:
    """A picture as a message: what is said, the names and widths of its arrays, and their bytes."""
    arrays = {"points": seen.points, "colour": seen.colour, "time": seen.time, "series": seen.series}
    arrays |= {"twin": seen.twin, "distance": seen.distance}
    arrays = {key: np.ascontiguousarray(values, np.float32) for key, values in arrays.items() if values is not None}
    widths = [[key, len(values) if key == "series" else 1] for key, values in arrays.items()]
    said = {"what": seen.what, "status": seen.status, "coloured": seen.coloured, "range": list(seen.range), "arrays": widths}
    return said, [values.tobytes() for values in arrays.values()]


def complaint(error: Exception) -> str:
    """An error as a reader is told it: of a missing name without the quotes that KeyError puts around it."""
    return str(error.args[0]) if isinstance(error, KeyError) and error.args else f"{type(error).__name__}: {error}"
