"""The catalogue as a page of Markdown."""

from pathlib import Path

import pytest

from chaoslab.systems import names
from chaoslab.systems.listing import listing, short

PAGE = Path(__file__).parents[2] / "docs" / "catalogue.md"


def test_the_stored_page_is_what_the_files_say():
    assert PAGE.read_text(encoding="utf-8") == listing(), "run `make catalogue`"


def test_every_system_has_a_row_and_every_link_a_file():
    text = listing()
    rows = [line for line in text.splitlines() if line.startswith("| [")]
    assert len(rows) == len(names())
    for row in rows:
        assert (PAGE.parent / row.split("](")[1].split(")")[0]).exists()
    assert "96](../chaoslab/systems/equations/atmosphere/lorenz96.toml) | Lorenz 1996 | atmosphere | 40 |" in text
    assert "n = 40" in text
    assert "n = 6" not in next(row for row in rows if row.startswith("| [Hopfield]")), "its matrix has one size"


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("lorenz1963", "[Lorenz 1963](https://doi.org/10.1175/1520-0469%281963%29020%3C0130%3ADNF%3E2.0.CO%3B2)"),
        ("gyorgyi1992", "[Györgyi & Field 1992](https://doi.org/10.1038/355808a0)"),
        ("vanderpol1920", "van der Pol 1920"),
    ],
)
def test_a_source_in_short(key, text):
    assert short(key) == text
