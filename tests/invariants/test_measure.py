"""Measuring systems into a table of their own."""

import csv
import json

import numpy as np
import pytest

from chaoslab.invariants import measure as module
from chaoslab.invariants.measure import digest, main, measure
from chaoslab.systems import catalogue, load
from chaoslab.trajectories import NoPeriod
from chaoslab.trajectories import record as recording


@pytest.fixture
def table(tmp_path, monkeypatch):
    """An empty measured.csv in a folder of its own, and short measurements."""
    catalogue._quantities()  # kept for the whole session, so it must be read from the true file
    for place in (catalogue, recording):
        monkeypatch.setattr(place, "MEASURED", tmp_path / "measured.csv")
    monkeypatch.setattr(module, "FIRST", {"flow": 200, "delay": 40, "map": 10_000})
    monkeypatch.setattr(module, "PERIOD", {"samples": 4096, "periods": 50, "blocks": 4})
    monkeypatch.chdir(tmp_path)
    return tmp_path / "measured.csv"


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return {(row["system"], row["quantity"]): row for row in csv.DictReader(file)}


def test_every_quantity_of_a_chaotic_flow(table):
    assert main(["Lorenz"], workers=0) == 0
    found = {quantity: row for (name, quantity), row in rows(table).items()}
    value = {key: float(row["value"]) for key, row in found.items() if key != "regime"}
    assert set(found) == {
        "period",
        "divergence",
        "largest_exponent",
        "kaplan_yorke_dimension",
        "pesin_sum",
        "lyapunov_time",
        "regime",
    } | {f"exponent {k}" for k in (1, 2, 3)}
    assert found["regime"]["value"] == "chaotic"
    assert value["largest_exponent"] == value["exponent 1"] == pytest.approx(0.9056, rel=0.05)
    assert value["lyapunov_time"] == pytest.approx(1 / value["exponent 1"], rel=1e-5)
    assert sum(value[f"exponent {k}"] for k in (1, 2, 3)) == pytest.approx(value["divergence"], rel=1e-5)
    assert value["kaplan_yorke_dimension"] == pytest.approx(2.06, abs=0.01)
    assert value["pesin_sum"] == value["exponent 1"]
    settings = json.loads(found["exponent 1"]["settings"])
    assert settings["command"] == module.COMMAND
    assert settings["time"] >= 190 * load("Lorenz").period
    assert {row["seed"] for row in found.values()} == {"0"}


def test_regular_motion_has_no_lyapunov_time(table):
    assert main(["Torus"], workers=0) == 0
    found = rows(table)
    assert found["Torus", "regime"]["value"] == "quasi-periodic"
    assert ("Torus", "lyapunov_time") not in found
    assert float(found["Torus", "largest_exponent"]["value"]) < 0.01


def test_a_run_goes_on_until_the_error_is_small_enough(table, monkeypatch):
    times = []
    true = module.lyapunov_spectrum
    monkeypatch.setattr(module, "lyapunov_spectrum", lambda *a, **k: times.append(k["time"]) or true(*a, **k))
    for relative in (0.5, 0.02):
        monkeypatch.setattr(module, "RELATIVE", relative)
        assert main(["Henon"], workers=0) == 0
        row = rows(table)["Henon", "largest_exponent"]
        assert float(row["error"]) <= max(relative * float(row["value"]), 0.002)
    assert times[0] == times[1] == 10_000
    monkeypatch.setattr(module, "PER_PERIOD", 1e-9)
    monkeypatch.setattr(module, "LONGEST", {"map": 50_000})
    monkeypatch.setattr(module, "RELATIVE", 1e-9)
    times.clear()
    assert main(["Henon"], workers=0) == 0
    assert times == [10_000, 50_000]  # it is given up there, and says its error


def test_one_failing_system_leaves_the_others(table, monkeypatch, capsys):
    true = module.lyapunov_spectrum

    def some(system, **options):
        if system.name == "Henon":
            raise ValueError("Henon escapes")
        return true(system, **options)

    monkeypatch.setattr(module, "lyapunov_spectrum", some)
    assert main(["Henon", "Logistic"], workers=0) == 1
    assert {name for name, _ in rows(table)} == {"Logistic"}
    assert "Henon: ValueError: Henon escapes" in capsys.readouterr().err


def test_a_run_over_all_keeps_what_it_has_until_it_is_whole(table, monkeypatch):
    monkeypatch.setattr(module, "names", lambda: ["Logistic", "Tent"])
    asked = []

    def once(system, **options):
        asked.append(system.name)
        if asked == ["Logistic", "Tent"]:
            raise KeyboardInterrupt
        return true(system, **options)

    true = module.lyapunov_spectrum
    monkeypatch.setattr(module, "lyapunov_spectrum", once)
    with pytest.raises(KeyboardInterrupt):
        main([], workers=0)
    assert module.STORE.exists()
    assert main([], workers=0) == 0
    assert asked == ["Logistic", "Tent", "Tent"]
    assert not module.STORE.exists()
    assert {name for name, _ in rows(table)} == {"Logistic", "Tent"}


def test_a_motion_without_a_period_is_measured_all_the_same(monkeypatch):
    def nothing(system, **settings):
        raise NoPeriod("it comes to rest")

    monkeypatch.setattr(module, "dominant_period", nothing)
    monkeypatch.setattr(module, "FIRST", {"flow": 20})
    found = measure("Lorenz", 0, digest(load("Lorenz")))["found"]
    assert "period" not in found
    assert np.isfinite(found["largest_exponent"][0])


def test_another_definition_is_refused():
    lorenz = load("Lorenz")
    assert digest(lorenz) != digest(load("Lorenz", rho=99))
    assert digest(lorenz) == digest(load("Lorenz"))
    with pytest.raises(ValueError, match="Lorenz is defined otherwise here"):
        measure("Lorenz", 0, digest(load("Lorenz", rho=99)))


def test_an_unknown_name_is_refused_before_anything_is_measured(table):
    with pytest.raises(KeyError, match="Did you mean 'Rossler'"):
        main(["Lorenz", "Rosler"], workers=0)
    assert not table.exists()
