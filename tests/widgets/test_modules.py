"""JavaScript modules as one text."""

import re

import pytest

from chaoslab.widgets import modules
from chaoslab.widgets.modules import linked

RUN = """async ([text, ask]) => {
  const module = await import(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
  return new Function("module", `return ${ask}`)(module);
}"""


@pytest.mark.parametrize("path", sorted(modules.FOLDER.glob("*.js")), ids=lambda path: path.name)
def test_every_module_loads_from_one_text(path, bare):
    exported = re.findall(r"^export (?:async )?(?:function|class|const) (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(bare.evaluate(RUN, [linked(path.name), "Object.keys(module)"])) >= set(exported)
    assert len(path.read_text(encoding="utf-8").splitlines()) < 400, "a module is read in one sitting"


def test_the_files_themselves_stay_plain_modules():
    assert 'from "./integrate.js"' in (modules.FOLDER / "shown.js").read_text(encoding="utf-8")


def test_files_through_files(bare, tmp_path, monkeypatch):
    """An import within an import, both quotes, re-exports and side effects; words in a text stay as they are."""
    (tmp_path / "a.js").write_text(
        "import { b } from './b.js';\nimport \"./c.js\";\nexport const all = [b, globalThis.c, 'from ./d.js'];"
    )
    (tmp_path / "b.js").write_text('export { c as b } from "./c.js";')
    (tmp_path / "c.js").write_text('export const c = "μ";\nglobalThis.c = c + c;', encoding="utf-8")
    monkeypatch.setattr(modules, "FOLDER", tmp_path)
    text = linked.__wrapped__("a.js")
    assert text.count("globalThis.c = c + c") == 1, "a file that two others import is there once"
    assert bare.evaluate(RUN, [text, "module.all"]) == ["μ", "μμ", "from ./d.js"]


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
