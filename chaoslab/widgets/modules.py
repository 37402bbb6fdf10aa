"""JavaScript modules that import one another, as one text: for anywidget and for pages without a server."""

import base64
import re
from functools import cache
from pathlib import Path

from ..systems import suggest

FOLDER = Path(__file__).parent / "javascript"
#: `import { x } from "./other.js";` and `export { x } from "./other.js";`: what names the other file.
FROM = re.compile(r"""(\bfrom\s*|^import\s*)(["'])\./([\w-]+\.js)\2""", re.MULTILINE)


@cache
def linked(name: str) -> str:
    """The text of a module of `javascript/`, with every file it imports inside it.

    A relative import has nothing to be relative to where a text stands alone, so each becomes a `data:` address that holds the
    other file, which is linked in the same way. The files stay plain modules that a browser could load one by one. Raises
    ValueError for a file that does not exist and for files that import one another in a circle.
    """
    return _linked(name, ())


def _linked(name: str, above: tuple[str, ...]) -> str:
    if name in above:
        raise ValueError(f"{' imports '.join((*above, name))}: such a circle cannot be written as one text")
    path = FOLDER / name
    if not path.is_file():
        known = sorted(file.name for file in FOLDER.glob("*.js"))
        asked = f", which {above[-1]} imports" if above else ""
        raise ValueError(f"there is no module {name!r}{asked}.{suggest(name, known)} There are {', '.join(known)}")
    text = path.read_text(encoding="utf-8")
    return FROM.sub(lambda found: f"{found[1]}{found[2]}{_address(found[3], (*above, name))}{found[2]}", text)


def _address(name: str, above: tuple[str, ...]) -> str:
    data = base64.b64encode(_linked(name, above).encode()).decode("ascii")
    return f"data:text/javascript;base64,{data}"
