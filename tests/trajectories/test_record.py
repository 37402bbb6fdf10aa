"""Writing measured.csv: what was found takes the place of what had been, the others stay."""

import csv
import json

import pytest

from chaoslab.systems import catalogue
from chaoslab.trajectories import record as module
from chaoslab.trajectories.record import COLUMNS, record

FOUND = {"Lorenz": {"period": (0.8, 0.1, "by eye", {"samples": 3}), "regime": ("chaotic", "", "it looks like it", {})}}


@pytest.fixture
def table(tmp_path, monkeypatch):
    """A copy of measured.csv in a folder of its own."""
    path = tmp_path / "measured.csv"
    path.write_text(catalogue.MEASURED.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(catalogue, "MEASURED", path)
    monkeypatch.setattr(module, "MEASURED", path)
    return path


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return {(row["system"], row["quantity"]): row for row in csv.DictReader(file)}


def test_only_what_was_found_is_written(table):
    before = rows(table)
    record({"Lorenz": {"period": FOUND["Lorenz"]["period"]}}, "another command", 3)
    after = rows(table)
    assert {key for key in after if after[key] != before.get(key)} == {("Lorenz", "period")}
    assert set(after) == set(before)
    row = after["Lorenz", "period"]
    assert list(row) == list(COLUMNS)
    assert (row["value"], row["error"], row["method"], row["seed"]) == ("0.8", "0.1", "by eye", "3")
    assert json.loads(row["settings"]) == {"samples": 3, "command": "another command"}


def test_what_a_command_does_not_find_again_is_gone(table):
    others = {key for key in rows(table) if key[0] != "Lorenz"}
    for quantity in ("period", "regime"):
        record({"Lorenz": FOUND["Lorenz"], "Chua": {}}, "first", 0)
        record({"Lorenz": {quantity: FOUND["Lorenz"][quantity]}}, "first", 0)
        ours = {key for key, row in rows(table).items() if json.loads(row["settings"])["command"] == "first"}
        assert ours == {("Lorenz", quantity)}
    assert others <= set(rows(table))


def test_a_first_row_makes_the_file_and_numbers_come_in_order(table):
    table.unlink()
    record({"Lorenz": {f"exponent {k}": (1 / k, 0.0, "", {}) for k in (10, 2, 1)}}, "first", 0)
    assert list(rows(table)) == [("Lorenz", f"exponent {k}") for k in (1, 2, 10)]
    assert [path.name for path in table.parent.iterdir()] == ["measured.csv"]


def test_a_failure_while_writing_leaves_the_old_file(table, monkeypatch):
    before = table.read_bytes()
    monkeypatch.setattr(module.os, "replace", lambda *a: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        record(FOUND, "first", 0)
    assert table.read_bytes() == before
