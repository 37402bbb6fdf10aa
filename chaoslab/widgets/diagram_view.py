"""The typed state of a bifurcation diagram; imports anywidget, so it is imported late."""

import warnings
from collections.abc import Callable

import anywidget
import numpy as np
import traitlets
import xarray as xr

from ..invariants import exponent_map
from ..systems import System
from ..trajectories import TrajectoryWarning
from .diagram import ends, gaps, pictures, state_of, told
from .explorer import complaint
from .latest import Latest
from .modules import linked

#: Values of the parameter at which the largest exponent is computed.
EXPONENTS = 401
WAYS = ("", "up", "down")


class DiagramView(anywidget.AnyWidget):
    """A bifurcation diagram with the largest exponent beneath it; `javascript/diagram.js` draws it.

    `look` is what is wanted: the ends of the parameter, how it is followed, and how many zooms deep; `picture` and `exponents`
    are what has been computed, each with the ends it is of.
    """

    _esm = linked("diagram.js")
    #: What does not change: title, parameter, component, section, kind and the whole range.
    of = traitlets.Dict().tag(sync=True)
    look = traitlets.Dict().tag(sync=True)
    picture = traitlets.Dict().tag(sync=True)
    exponents = traitlets.Dict().tag(sync=True)
    busy = traitlets.Bool().tag(sync=True)
    #: A line of text for the reader, and the value that is shown below.
    message = traitlets.Unicode().tag(sync=True)
    opened = traitlets.Float(None, allow_none=True).tag(sync=True)

    def __init__(self, system: System, parameter: str, whole: tuple[float, float], settings: dict):
        self._system, self._parameter, self._settings = system, parameter, settings
        self._background, self._asked, self._before = Latest(), 0, []
        self._found, self._open = None, None
        seen = system.definition().get("observed", {}).get(settings["component"], settings["component"])
        said = {"title": system.title or system.name or "", "parameter": parameter, "component": seen, "kind": system.kind}
        said |= {"section": settings["section"] or "", "whole": list(whole)}
        super().__init__(of=said, look={"low": whole[0], "high": whole[1], "follow": "", "depth": 0})
        self.on_msg(self._hear)
        self._begin()

    def zoom(self, low: float, high: float) -> "DiagramView":
        """Show a part of the parameter, or more of it."""
        low, high = ends(self._system, self._parameter, low, high)
        self._before.append((self.look["low"], self.look["high"]))
        return self._move(low, high)

    def back(self) -> "DiagramView":
        """Show what was there before the last zoom."""
        return self._move(*self._before.pop()) if self._before else self

    def whole(self) -> "DiagramView":
        """Show the whole range."""
        self._before.clear()
        return self._move(*self.of["whole"])

    def follow(self, way: str = "") -> "DiagramView":
        """Follow the attractor "up" or "down" in the parameter; "" starts each value from the system's state."""
        if way not in WAYS:
            raise ValueError(f"the way is 'up', 'down', or '' for each value from the same state; {way!r} given")
        self.look = self.look | {"follow": way}
        return self._begin()

    def on_open(self, call: Callable[[float, dict | None], None]) -> None:
        """Have `call(value, state)` called when a value is clicked; the state is on an attractor that is followed, or None."""
        self._open = call

    def close(self) -> None:
        """Close the widget, and compute no more."""
        self._asked += 1
        self._background.drop()
        super().close()

    def _move(self, low: float, high: float) -> "DiagramView":
        self.look = self.look | {"low": low, "high": high, "depth": len(self._before)}
        return self._begin()

    def _hear(self, _, content: dict, buffers) -> None:
        calls = {"zoom": ("low", "high"), "back": (), "whole": (), "follow": ("way",)}
        kind = content.get("kind")
        try:
            if kind in calls:
                getattr(self, kind)(*(content[word] for word in calls[kind]))
            elif kind == "open" and self._open is not None:
                self._show(float(content["value"]))
        except Exception as error:  # the reader sees it above the picture; a widget's handler has no other place for it
            self.message = complaint(error)

    def _show(self, value: float) -> None:
        self.message = f"opening {self._parameter} = {value:.10g} ..."
        found = self._found
        followed = found is not None and found.attrs["follow"] != ""
        self._open(value, state_of(self._system, found, value) if followed else None)
        self.opened, self.message = value, ""

    def _begin(self) -> "DiagramView":
        self._asked += 1
        number, look = self._asked, dict(self.look)
        self.busy, self.message = True, ""
        self._background.ask(lambda: self._compute(number, look))
        return self

    def _compute(self, number: int, look: dict) -> None:
        """Show ever finer pictures, then the exponents, until something else is asked for."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", TrajectoryWarning)  # gaps are told in the view
                self._draw(number, look)
        except Exception as error:  # shown in the view; a thread has nobody to raise it to
            if number == self._asked:
                self.message = complaint(error)
        finally:
            if number == self._asked:
                self.busy = False

    def _draw(self, number: int, look: dict) -> None:
        low, high = look["low"], look["high"]
        for found in pictures(self._system, self._parameter, low, high, look["follow"], **self._settings):
            if number != self._asked:
                return
            self._found, self.picture = found, packed(found, look)
        if [self.exponents.get("low"), self.exponents.get("high")] == [low, high]:
            return
        try:
            axes = {self._parameter: np.linspace(low, high, EXPONENTS)}
            exponents = {"complaint": ""} | _columns(exponent_map(self._system, axes, progress=False), ("exponent", "error"))
        except ValueError as error:  # such as noise: the diagram stands without exponents
            exponents = {"complaint": complaint(error)}
        if number == self._asked:
            self.exponents = exponents | {"low": low, "high": high}


def packed(found: xr.Dataset, look: dict) -> dict:
    """A diagram as it is sent: places of the values from 0 to 1, points (value, point) and periods as bytes of float32."""
    parameter, low, high = found.attrs["parameter"], look["low"], look["high"]
    places, ranges = (found[parameter].values - low) / (high - low), gaps(found)
    sent = {"low": low, "high": high, "follow": look["follow"], "points": found.sizes["point"], "gaps": ranges}
    sent |= {"told": told(parameter, ranges), "place": np.float32(places).tobytes()}
    return sent | _columns(found, ("value", "period"))


def _columns(found: xr.Dataset, words: tuple[str, ...]) -> dict[str, bytes]:
    return {word: np.float32(found[word].values).tobytes() for word in words}
