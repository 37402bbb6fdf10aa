"""JavaScript modules that import one another, as one text: for anywidget and for pages without a server."""

import json
import re
from functools import cache
from pathlib import Path

from ..systems import suggest

FOLDER = Path(__file__).parent / "javascript"
#: `import { x } from "./other.js";` and `export { x } from "./other.js";`: what names the other file.
FROM = re.compile(r"""(?:\bfrom\s*|^import\s*)(["'])\./([\w-]+\.js)\1""", re.MULTILINE)
#: Each file becomes an address of its own, those it imports before it, and the last one is passed on.
TEXT = """const files = {files};
const made = {{}};
for (const [name, text] of Object.entries(files)) {{
  const linked = text.replace(/(["'])\\.\\/([\\w-]+\\.js)\\1/g, (own, _, other) => (other in made ? `"${{made[other]}}"` : own));
  const blob = new Blob([linked, `\\n//# sourceURL=chaoslab/${{name}}`], {{ type: "text/javascript" }});
  made[name] = URL.createObjectURL(blob);
}}
const last = await import(made[{name}]);
export const {{ {exported} }} = last;
export default last.default;
"""
EXPORTED = re.compile(r"^export (?:async )?(?:function|class|const) (\w+)", re.MULTILINE)


@cache
def linked(name: str) -> str:
    """The text of a module of `javascript/`, with every file it imports inside it.

    A relative import has nothing to be relative to where a text stands alone, so each file is given an address as it is loaded.
    The files stay plain modules that a browser could load one by one. Raises ValueError for a file that does not exist and for
    files that import one another in a circle.
    """
    files: dict[str, str] = {}
    _collect(name, (), files)
    exported = ", ".join(EXPORTED.findall(files[name]))
    return TEXT.format(files=json.dumps(files, indent=0), name=json.dumps(name), exported=exported)


def _collect(name: str, above: tuple[str, ...], files: dict[str, str]) -> None:
    """Put a module's text into `files`, after those that it imports."""
    if name in above:
        raise ValueError(f"{' imports '.join((*above, name))}: such a circle cannot be written as one text")
    if name in files:
        return
    path = FOLDER / name
    if not path.is_file():
        known = sorted(file.name for file in FOLDER.glob("*.js"))
        asked = f", which {above[-1]} imports" if above else ""
        raise ValueError(f"there is no module {name!r}{asked}.{suggest(name, known)} There are {', '.join(known)}")
    text = path.read_text(encoding="utf-8")
    for found in FROM.finditer(text):
        _collect(found[2], (*above, name), files)
    files[name] = text
