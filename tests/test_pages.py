"""What can be counted about a page, and one true run of each: top to bottom, in a new kernel, with the numbers it shows."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
PAGES = sorted(ROOT.glob("notebooks/**/*.ipynb"))
every_page = pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)


def read(path):
    return nbformat.read(path, as_version=4)


def code_cells(page):
    return [cell for cell in page.cells if cell.cell_type == "code"]


def shown(cell) -> str:
    """The text a cell shows; pictures and HTML have ids of their own and are left out, and so are bars of progress."""
    kept = [output for output in cell.outputs if "application/vnd.jupyter.widget-view+json" not in output.get("data", {})]
    texts = [output.get("text", output.get("data", {}).get("text/plain", "")) for output in kept]
    texts = [re.sub(r"0x[0-9a-f]+", "0x", text) for text in texts if not re.match(r"(Figure\(|VBox\()", text)]
    return "".join(texts)  # what is printed may come in several pieces


@every_page
def test_form(path):
    page = read(path)
    nbformat.validate(page)
    cells, code = page.cells, code_cells(page)
    words = sum(len(cell.source.split()) for cell in cells if cell.cell_type == "markdown")
    lines = [len(cell.source.splitlines()) for cell in code]
    assert cells[0].source.startswith("# ")
    assert 800 <= words <= 2000, f"{words} words"
    assert 15 <= len(code) <= 35, f"{len(code)} code cells"
    assert sum(lines) <= 150
    assert max(lines) <= 15
    assert sum(n <= 5 for n in lines) >= 0.75 * len(lines)
    assert path.stat().st_size < 1_000_000
    text = "\n".join(cell.source for cell in cells)
    for part in ("## Exercises", "<details>", "## Where this comes from", "## Next"):
        assert part in text
    assert len(re.findall(r"\bassert\b", "\n".join(cell.source for cell in code))) >= 5, "claims are checked where they are made"


@every_page
def test_set_up_is_the_first_code_cell(path):
    first, *rest = code_cells(read(path))
    assert "import chaoslab as cl" in first.source
    assert not any(re.match(r"(import|from) ", line) for cell in rest for line in cell.source.splitlines())
    assert not re.search(r"pip install|sys\.path|filterwarnings|rcParams", "\n".join(cell.source for cell in [first, *rest]))


@every_page
def test_outputs_are_stored_in_order_without_errors(path):
    code = code_cells(read(path))
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    kinds = [output for cell in code for output in cell.outputs]
    assert not any(output.output_type == "error" for output in kinds)
    assert not any("widget-view" in key for output in kinds for key in output.get("data", {})), "stale widgets are not stored"


@every_page
def test_runs_with_the_numbers_it_shows(path):
    page = read(path)
    stored = [shown(cell) for cell in code_cells(page)]
    NotebookClient(page, timeout=300, resources={"metadata": {"path": str(path.parent)}}).execute()
    for cell, before in zip(code_cells(page), stored, strict=True):
        if "varies" not in cell.metadata.get("tags", []):
            assert shown(cell) == before, cell.source
