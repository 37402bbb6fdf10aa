"""Writing measured.csv: one row at a time, the others untouched."""

import csv
import json

import pytest

from chaoslab.systems import catalogue, load
from chaoslab.trajectories import NoPeriod, measure


@pytest.fixture
def table(tmp_path, monkeypatch):
    """A copy of measured.csv in a folder of its own, and short measurements."""
    catalogue._quantities()  # kept for the whole session, so it must be read from the true file
    path = tmp_path / "measured.csv"
    path.write_text(catalogue.MEASURED.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(catalogue, "MEASURED", path)
    monkeypatch.setattr(measure, "MEASURED", path)
    monkeypatch.setattr(measure, "SETTINGS", {"samples": 4096, "periods": 50, "blocks": 4})
    return path


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return {(row["system"], row["quantity"]): row for row in csv.DictReader(file)}


def test_only_the_named_row_is_written(table):
    before = rows(table)
    assert measure.main(["rossler"]) == 0
    after = rows(table)
    assert {key for key in after if after[key] != before.get(key)} == {("Rossler", "period")}
    assert set(after) == set(before)
    row = after["Rossler", "period"]
    assert float(row["value"]) == pytest.approx(load("Rossler").period, rel=0.1)
    assert float(row["error"]) > 0
    assert json.loads(row["settings"])["periods"] == 50
    assert list(row) == list(measure.COLUMNS)


def test_a_first_row_makes_the_file(table):
    table.unlink()
    assert measure.main(["Lorenz"]) == 0
    assert set(rows(table)) == {("Lorenz", "period")}
    assert [path.name for path in table.parent.iterdir()] == ["measured.csv"]


def test_a_system_without_a_period_is_counted_and_leaves_the_file(table, monkeypatch, capsys):
    def nothing(system, **settings):
        raise NoPeriod("it comes to rest")

    monkeypatch.setattr(measure, "dominant_period", nothing)
    before = table.read_bytes()
    assert measure.main(["Lorenz", "Chua"]) == 2
    assert table.read_bytes() == before
    assert "Lorenz: it comes to rest" in capsys.readouterr().err


def test_a_failure_while_writing_leaves_the_old_file(table, monkeypatch):
    before = table.read_bytes()
    monkeypatch.setattr(measure.os, "replace", lambda *a: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        measure.main(["Rossler"])
    assert table.read_bytes() == before


def test_an_unknown_name_is_refused_before_anything_is_measured(table):
    before = table.read_bytes()
    with pytest.raises(KeyError, match="Did you mean 'Rossler'"):
        measure.main(["Lorenz", "Rosler"])
    assert table.read_bytes() == before
