"""The explorer as a file of its own, for browsers without Python and without a network."""

import base64
import html
import json
import os
from pathlib import Path

from ..trajectories.schema import package_version
from .exact import picture
from .explorer import Explorer, packed
from .modules import linked

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="chaoslab {version}">
<title>{title}</title>
<style>
body {{ margin: 16px; color-scheme: light dark; }}
@media (prefers-color-scheme: dark) {{
  body {{ background: #111; --jp-layout-color0: #111; --jp-layout-color2: #333; --jp-ui-font-color1: #eee;
    --jp-ui-font-color2: #aaa; --jp-border-color2: #444; --jp-brand-color1: #56b4e9; --jp-warn-color1: #e69f00; }}
}}
{style}</style>
</head>
<body>
<noscript>This page integrates the equations itself, which needs JavaScript.</noscript>
<main id="explorer"></main>
<script type="application/json" id="saved">{data}</script>
<script type="module">
{module}
open(document.getElementById("explorer"), JSON.parse(document.getElementById("saved").textContent));
</script>
</body>
</html>
"""


def save_html(explorer: Explorer, path: str | Path) -> Path:
    """Write the explorer, as it is now, to one HTML file; returns its path.

    Of a system that the page cannot integrate the file holds the exact picture. The file is complete or not there.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {str(path.parent)!r} to write {path.name!r} to; make it first")
    data = {key: getattr(explorer, key) for key in ("recipe", "view", "measured", "fixed")} | {"names": []}
    if explorer.recipe["kernel_only"] is not None:
        said, buffers = packed(picture(explorer.opened, explorer.recipe, explorer.view))
        data["saved"] = {"exact": said, "arrays": [base64.b64encode(part).decode("ascii") for part in buffers]}
    text = PAGE.format(
        version=package_version(),
        title=html.escape(explorer.recipe["title"]),
        style=explorer._css,
        data=json.dumps(data).replace("</", "<\\/"),
        module=linked("alone.js").replace("</", "<\\/"),
    )
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_text(text, encoding="utf-8")
    os.replace(unfinished, path)
    return path
