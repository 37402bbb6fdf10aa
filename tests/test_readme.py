"""The README's example runs, and shows the number it says."""

import re
from pathlib import Path

import pytest

import chaoslab as cl

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_example_prints_the_number_beside_it():
    [example] = re.findall(r"```python\n(.*?)```", README, flags=re.S)[:1]
    assert len(example.strip().splitlines()) <= 8
    printed = []
    exec(compile(example, "README.md", "exec"), {"print": lambda *values: printed.append(" ".join(map(str, values)))})
    claimed = re.findall(r"print\(.*?\)\s+# (.+)", example)
    assert claimed
    assert printed == claimed


def test_the_first_screen_has_the_two_commands_and_one_picture():
    first = README.split("## ")[0] + README.split("## ")[1]
    assert "make lab" in first
    assert "make test" in first
    [picture] = re.findall(r"!\[.*?\]\((.*?)\)", first)
    assert (ROOT / picture).stat().st_size < 1_000_000


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\((?!http)(.*?)\)", README))))
def test_links_lead_somewhere(link):
    assert (ROOT / link).exists()


def test_the_counts_are_true():
    count = {kind: len(cl.names(kind)) for kind in ("flow", "map", "delay")}
    assert f"{count['flow']} flows and {count['map']} maps so far, and {count['delay']} delay systems" in README
    assert f"All {sum(count.values())} systems" in README
