"""JavaScript modules as one text."""

import re
import subprocess

import pytest

from chaoslab.widgets import modules
from chaoslab.widgets.modules import linked


def test_a_linked_text_needs_no_other_file():
    for path in modules.FOLDER.glob("*.js"):
        assert not re.search(r"""from\s*["']\.""", linked(path.name)), path.name


def test_the_files_themselves_stay_plain_modules():
    assert 'from "./integrate.js"' in (modules.FOLDER / "shown.js").read_text(encoding="utf-8")


def test_a_linked_text_runs(node, tmp_path):
    page = tmp_path / "page.mjs"
    page.write_text(linked("shown.js") + "\nconsole.log(compile('(s) => s + 1')(41), colours([1, 2, 3]).range.join());")
    run = subprocess.run([node, str(page)], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.split() == ["42", "1,3"]


def test_files_through_files(node, tmp_path, monkeypatch):
    """An import within an import, both quotes, re-exports and side effects; words in a text stay as they are."""
    (tmp_path / "a.js").write_text("import { b } from './b.js';\nimport \"./c.js\";\nconsole.log(b, globalThis.c, 'from nowhere');")
    (tmp_path / "b.js").write_text('export { c as b } from "./c.js";')
    (tmp_path / "c.js").write_text('export const c = "μ";\nglobalThis.c = c + c;')
    monkeypatch.setattr(modules, "FOLDER", tmp_path)
    page = tmp_path / "elsewhere" / "page.mjs"
    page.parent.mkdir()
    page.write_text(linked.__wrapped__("a.js"), encoding="utf-8")
    run = subprocess.run([node, str(page)], capture_output=True, text=True, check=True, timeout=60, encoding="utf-8")
    assert run.stdout.split(maxsplit=2) == ["μ", "μμ", "from nowhere\n"]


def test_a_circle_and_a_missing_file_are_named(tmp_path, monkeypatch):
    (tmp_path / "a.js").write_text('import { b } from "./b.js";')
    (tmp_path / "b.js").write_text('import { a } from "./a.js";')
    (tmp_path / "lost.js").write_text('import { a } from "./scenes.js";')
    (tmp_path / "scene.js").write_text("")
    monkeypatch.setattr(modules, "FOLDER", tmp_path)
    with pytest.raises(ValueError, match=r"a\.js imports b\.js imports a\.js"):
        linked.__wrapped__("a.js")
    with pytest.raises(ValueError, match=r"'scenes\.js', which lost\.js imports.*Did you mean 'scene\.js'"):
        linked.__wrapped__("lost.js")
