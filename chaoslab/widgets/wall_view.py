"""The typed state of the wall; imports anywidget, so it is imported late."""

from collections.abc import Callable
from pathlib import Path

import anywidget
import traitlets

JAVASCRIPT = Path(__file__).parent / "javascript"


class WallView(anywidget.AnyWidget):
    """Cards to search, filter and click; `javascript/wall.js` draws it."""

    _esm = JAVASCRIPT / "wall.js"
    #: What `wall.entries` returns, and `wall.pictures`.
    entries = traitlets.List(traitlets.Dict()).tag(sync=True)
    pictures = traitlets.Bytes().tag(sync=True)
    #: The search box and the filters: text, field, regime, kind, dimension.
    wanted = traitlets.Dict(value_trait=traitlets.Unicode(), key_trait=traitlets.Unicode()).tag(sync=True)
    #: The system that is shown below, and a line of text for the reader.
    opened = traitlets.Unicode().tag(sync=True)
    message = traitlets.Unicode().tag(sync=True)

    def on_open(self, call: Callable[[str], None]) -> None:
        """Have `call(name)` called when a card is clicked."""
        names = {entry["name"] for entry in self.entries}

        def hear(_, content, buffers=None):
            if content.get("kind") == "open" and content.get("name") in names:
                call(content["name"])

        self.on_msg(hear)
