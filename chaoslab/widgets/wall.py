"""The catalogue as a wall of small attractors."""

from collections.abc import Callable

from ..systems import names, suggest
from ..systems.catalogue import every_system, measurements, table, value_of

#: Dimensions that are asked for together, from the first on.
SIZES = {"1": 1, "2": 2, "3": 3, "4": 4, "5 to 9": 5, "10 or more": 10}


def wall(
    text: str = "",
    *,
    field: str = "",
    regime: str = "",
    kind: str = "",
    dimension: int | str = "",
    opens: Callable | None = None,
):
    """All systems of the catalogue as cards to search and filter; a click opens one below, in the explorer.

    Parameters
    ----------
    text : what the search box holds at first; the others are where the filters stand
    opens : called with the name of the card that is clicked; what it returns is shown below. The explorer by default

    Returns an ipywidgets box, whose first child has the typed state: `wanted` is what is searched for, `opened` the last name.
    Raises ValueError for a filter that no system meets.
    """
    import ipywidgets as widgets

    from .wall_view import WallView

    systems = entries()
    wanted = {"text": text, "field": field, "regime": regime, "kind": kind, "dimension": size_of(dimension)}
    for word in ("field", "regime", "kind"):
        known = sorted({entry[word] for entry in systems})
        if wanted[word] and wanted[word] not in known:
            raise ValueError(
                f"no system has the {word} {wanted[word]!r}.{suggest(wanted[word], known)} There are {', '.join(known)}"
            )
    view, below = WallView(entries=systems, pictures=pictures(), wanted=wanted), widgets.VBox()

    def show(name: str):
        view.message = f"opening {name} ..."
        try:
            made = (opens or _explore)(name)
            below.children = () if made is None else (made,)
            view.opened, view.message = name, ""
        except Exception as error:  # nobody sees what is raised in a message's callback
            view.message = f"{name} did not open. {type(error).__name__}: {error}"

    view.on_open(show)
    return widgets.VBox([view, below])


def entries() -> list[dict]:
    """What the cards say, in the order of the names: one entry a system, in plain types."""
    from .thumbnails import thumbnails

    frame, found = table(), []
    for system in sorted(every_system(), key=lambda system: system.name.lower()):
        known, row = measurements().get(system.name, {}), frame.loc[system.name]
        found.append(
            {
                "name": system.name,
                "title": system.title,
                "about": system.about,
                "field": system.field,
                "kind": system.kind,
                "dimension": system.dimension,
                "size": size_of(system.dimension),
                "regime": row["regime"],
                "exponent": value_of(known, "largest_exponent"),
                "fractal": value_of(known, "kaplan_yorke_dimension"),
                "cite": system.cite,
                "way": "",
                "shape": [0, 0],
            }
        )
        if system.name in thumbnails():
            picture = thumbnails()[system.name]
            found[-1] |= {"way": picture.way, "shape": list(picture.points.shape)}
    return found


def pictures() -> bytes:
    """The numbers of all thumbnails in the order of the entries, one after the other."""
    from .thumbnails import thumbnails

    drawn = thumbnails()
    return b"".join(drawn[name].points.tobytes() for name in names() if name in drawn)


def size_of(dimension: int | str) -> str:
    """The group of dimensions that a number is in; a group's name stays, and so does the empty one, of all.

    >>> size_of(3), size_of(7), size_of("10 or more")
    ('3', '5 to 9', '10 or more')
    """
    if dimension == "" or dimension in SIZES:
        return dimension
    if isinstance(dimension, bool) or not isinstance(dimension, int) or dimension < 1:
        raise ValueError(f"the dimension is a whole number, or one of {', '.join(SIZES)}; {dimension!r} given")
    return [word for word, first in SIZES.items() if first <= dimension][-1]


def _explore(name: str):
    from .explore import explore

    return explore(name)
