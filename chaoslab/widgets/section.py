"""A Poincare plane dragged through an attractor."""

import xarray as xr

from ..systems import System, suggest
from .cut import TIME, WAYS, Sections


def section(
    motion: System | str | xr.Dataset,
    along: str | None = None,
    height: float | None = None,
    *,
    direction: int = 1,
    coordinate: str | None = None,
    crossings: int | None = None,
):
    """A Poincare plane dragged through the attractor by a slider, with its exact crossings, return map and return times.

    Takes a flow, or a trajectory of one, whose system is followed on from its last state. Crossings are those of
    `invariants.poincare_section`, computed anew wherever the plane is; while it moves, fewer of them.

    Parameters
    ----------
    along : what is constant on the surface: a component, or text in the language of equations, as in "x - y". The phase of a
        forcing, which only grows, is met once a turn: the stroboscopic section
    height : its value there
    direction : 1 for crossings along which it grows, -1 for the others, 0 for both
    coordinate : of the return map, a component or "return_time"
    crossings : at rest; 3,000, of a delay system 300

    Gives a widget with `turn(height=27, along="z")`, `look` and `picture`. Raises ValueError for maps, motion with noise and
    flows of one component, and for names that are not there.
    """
    from .explorer import number
    from .view import SectionView

    sections = Sections(motion, along, crossings)
    if direction not in WAYS.values():
        raise ValueError(f"direction is 1 (it grows), -1 (it falls) or 0 (both); {direction!r} given")
    way = next(word for word, sign in WAYS.items() if sign == direction)
    along = sections.first if along is None else along
    look = {"along": along, "height": sections.ranges[along]["value"] if height is None else number(height, "height")}
    coordinates = [*sections.system.components, TIME]
    coordinate = next(word for word in coordinates if word != along) if coordinate is None else coordinate
    if coordinate not in coordinates:
        raise ValueError(f"the section has no coordinate {coordinate!r}.{suggest(str(coordinate), coordinates)}")
    look |= {"direction": way, "coordinate": coordinate}
    controls = [
        {"key": "along", "label": "plane across", "options": [[word, word] for word in sections.ranges]},
        {"key": "direction", "label": "crossed", "options": [[word, word] for word in WAYS]},
        {"key": "coordinate", "label": "return map of", "options": [[word, word.replace("_", " ")] for word in coordinates]},
        {"key": "height", "label": "height", "by": "along", "ranges": sections.ranges},
    ]
    of = {"title": sections.title, "what": "Poincare section", "controls": controls}
    return SectionView(of, look, sections.pictures)
