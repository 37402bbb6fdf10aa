"""What the smaller views share: what is wanted, what has been computed of it in the background; imports anywidget, so it is
imported late."""

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import anywidget
import numpy as np
import traitlets

from ..systems import suggest
from ..trajectories import TrajectoryWarning
from .explorer import complaint, number
from .latest import Latest
from .modules import linked


class View(anywidget.AnyWidget):
    """A picture that follows controls. `look` is what is wanted, and `turn(height=27)` sets it from Python; `picture` is what the
    layers below have computed of it, `message` what they refused.

    `compute(look)` gives pictures, each better than the one before; {"ground": ...}, which changes rarely, is sent by itself.
    """

    _css = (Path(__file__).parent / "javascript" / "explorer.css").read_text(encoding="utf-8")
    #: What does not change: title, what kind of view it is, and its controls, each with a key of `look`.
    of = traitlets.Dict().tag(sync=True)
    look = traitlets.Dict().tag(sync=True)
    ground = traitlets.Dict().tag(sync=True)
    picture = traitlets.Dict().tag(sync=True)
    busy = traitlets.Bool().tag(sync=True)
    message = traitlets.Unicode().tag(sync=True)

    def __init__(self, of: dict, look: dict, compute: Callable[[dict], Iterator[dict]]):
        self._compute, self._background, self._asked = compute, Latest(), 0
        super().__init__(of=of, look=look)
        self.observe(self._begin, "look")
        self._begin()

    def turn(self, **values) -> "View":
        """Set what the controls set. Raises ValueError with the nearest name for what is not there, TypeError for no number."""
        controls = {one["key"]: one for one in self.of["controls"]}
        for word, value in values.items():
            if word not in controls:
                raise ValueError(f"there is no control {word!r}.{suggest(word, controls)} There are {', '.join(controls)}")
            values[word] = _checked(controls[word], value)
        starts = {
            key: one["ranges"][values[one["by"]]]["value"]
            for key, one in controls.items()
            if "by" in one and one["by"] in values and key not in values
        }
        self.look = self.look | starts | values | {"moving": False}
        return self

    def close(self) -> None:
        """Close the widget, and compute no more."""
        self._asked += 1
        self._background.drop()
        super().close()

    def _begin(self, _=None) -> None:
        self._asked += 1
        number, look = self._asked, dict(self.look)
        self.busy = True
        self._background.ask(lambda: self._show(number, look))

    def _show(self, number: int, look: dict) -> None:
        """Show ever better pictures until something else is asked for."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", TrajectoryWarning)  # what ended early is told in the view
                for found in self._compute(look):
                    if "ground" in found:  # of all looks that follow, too
                        self.ground = found["ground"]
                        continue
                    if number != self._asked:
                        return
                    self.picture, self.message = found, ""
        except Exception as error:  # shown in the view; a thread has nobody to raise it to
            if number == self._asked:
                self.message = complaint(error)
        finally:
            if number == self._asked:
                self.busy = False


def _checked(control: dict, value):
    key = control["key"]
    if "options" in control:
        known = [word for word, _ in control["options"]]
        if str(value) not in known:
            raise ValueError(f"{key} is one of {', '.join(known)}; {value!r} given.{suggest(str(value), known)}")
        return value
    value = number(value, key)
    if not control.get("least", -np.inf) <= value <= control.get("most", np.inf):
        ends = [f"{word} {control[end]:g}" for word, end in (("at least", "least"), ("at most", "most")) if end in control]
        raise ValueError(f"{key} is {' and '.join(ends)}; {value:g} given")
    return round(value) if control.get("whole") else value


def packed(values) -> bytes:
    """Numbers as they are sent: float32, the last axis fastest."""
    return np.ascontiguousarray(values, np.float32).tobytes()


class SectionView(View):
    """A plane dragged through an attractor; `javascript/section.js` draws it."""

    _esm = linked("section.js")


class OrdinalPlaneView(View):
    """The plane of entropy and complexity; `javascript/ordinal_plane.js` draws it."""

    _esm = linked("ordinal_plane.js")


class RecurrenceView(View):
    """A recurrence plot above its series; `javascript/recurrence.js` draws it."""

    _esm = linked("recurrence.js")


class CobwebView(View):
    """The cobweb of a map; `javascript/cobweb.js` draws it."""

    _esm = linked("cobweb.js")
