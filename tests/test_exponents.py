"""docs/exponents.md: what was measured beside what was published."""

import math
import runpy
from pathlib import Path

import pytest

import chaoslab as cl

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def verification():
    return runpy.run_path(str(ROOT / "benchmarks" / "verification.py"))


def test_the_stored_page_is_what_was_measured(verification):
    assert (ROOT / "docs" / "exponents.md").read_text(encoding="utf-8") == verification["page"](), "run `make exponents`"


def test_published_entries_can_be_read(verification):
    entries = verification["published"]()
    assert len(entries) >= 40
    for entry in entries:
        system = cl.load(entry["system"], **entry["parameters"])
        assert set(entry.get("state", ())) <= set(system.state)
        assert system.kind == "delay" or len(entry["exponents"]) <= system.dimension
        assert sorted(entry["exponents"], reverse=True) == entry["exponents"]
        assert entry["source"]
        assert entry["confidence"] in ("high", "medium")


def test_print_leaves_half_a_digit_open_and_bits_are_longer_than_e_folds(verification):
    half = verification["_half_a_digit"]
    assert [half(text) for text in ("0.906", "0", "6.30e-3", "-14.57", "2")] == pytest.approx([5e-4, 0, 5e-6, 5e-3, 0.5])
    wolf = next(entry for entry in verification["published"]() if entry.get("logarithm") == 2)
    assert wolf["exponents"][0] == pytest.approx(float(wolf["printed"][0]) * wolf.get("time_factor", 1) * math.log(2))
