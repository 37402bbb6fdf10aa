"""Measuring systems into a table of their own."""

import csv
import json

import numpy as np
import pytest

from chaoslab.invariants import measure as command
from chaoslab.invariants import measure_exponents as module
from chaoslab.invariants import measure_series
from chaoslab.invariants.measure import main
from chaoslab.invariants.measure_exponents import exponents
from chaoslab.systems import catalogue, load
from chaoslab.trajectories import NoPeriod
from chaoslab.trajectories import record as recording
from chaoslab.trajectories.record import digest


@pytest.fixture
def table(tmp_path, monkeypatch):
    """An empty measured.csv in a folder of its own, and short measurements."""
    catalogue.measurements()  # kept for the whole session, so it must be read from the true file
    for place in (catalogue, recording):
        monkeypatch.setattr(place, "MEASURED", tmp_path / "measured.csv")
    monkeypatch.setattr(module, "FIRST", {"flow": 200, "delay": 40, "map": 10_000})
    monkeypatch.setattr(module, "CHEAP", 0)
    monkeypatch.setattr(module, "PERIOD", {"samples": 4096, "periods": 50, "blocks": 4})
    monkeypatch.chdir(tmp_path)
    return tmp_path / "measured.csv"


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return {(row["system"], row["quantity"]): row for row in csv.DictReader(file)}


def test_every_quantity_of_a_chaotic_flow(table):
    assert main(["Lorenz"], only="exponents", workers=0) == 0
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
    assert settings["command"] == f"{command.COMMAND} --only exponents"
    assert settings["time"] >= 190 * load("Lorenz").period
    assert {row["seed"] for row in found.values()} == {"0"}


def test_regular_motion_has_no_lyapunov_time(table):
    assert main(["Torus"], only="exponents", workers=0) == 0
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
        assert main(["Henon"], only="exponents", workers=0) == 0
        row = rows(table)["Henon", "largest_exponent"]
        assert float(row["error"]) <= max(relative * float(row["value"]), 0.002)
    assert times[0] == times[1] == 10_000
    monkeypatch.setattr(module, "PER_PERIOD", 1e-9)
    monkeypatch.setattr(module, "LONGEST", {"map": 50_000})
    monkeypatch.setattr(module, "RELATIVE", 1e-9)
    times.clear()
    assert main(["Henon"], only="exponents", workers=0) == 0
    assert times == [10_000, 50_000]  # it is given up there, and says its error


def test_one_failing_system_leaves_the_others(table, monkeypatch, capsys):
    true = module.lyapunov_spectrum

    def some(system, **options):
        if system.name == "Henon":
            raise ValueError("Henon escapes")
        return true(system, **options)

    monkeypatch.setattr(module, "lyapunov_spectrum", some)
    assert main(["Henon", "Logistic"], only="exponents", workers=0) == 1
    assert {name for name, _ in rows(table)} == {"Logistic"}
    assert "Henon: ValueError: Henon escapes" in capsys.readouterr().err


def test_a_run_over_all_keeps_what_it_has_until_it_is_whole(table, monkeypatch):
    monkeypatch.setattr(command, "names", lambda: ["Logistic", "Tent"])
    asked = []

    def once(system, **options):
        asked.append(system.name)
        if asked == ["Logistic", "Tent"]:
            raise KeyboardInterrupt
        return true(system, **options)

    true = module.lyapunov_spectrum
    monkeypatch.setattr(module, "lyapunov_spectrum", once)
    with pytest.raises(KeyboardInterrupt):
        main([], only="exponents", workers=0)
    store = table.parent / "measure-exponents.sqlite"
    assert store.exists()
    assert main([], only="exponents", workers=0) == 0
    assert asked == ["Logistic", "Tent", "Tent"]
    assert not store.exists()
    assert {name for name, _ in rows(table)} == {"Logistic", "Tent"}


def test_a_motion_without_a_period_is_measured_all_the_same(monkeypatch):
    def nothing(system, **settings):
        raise NoPeriod("it comes to rest")

    monkeypatch.setattr(module, "dominant_period", nothing)
    monkeypatch.setattr(module, "FIRST", {"flow": 20})
    found = exponents("Lorenz", 0, digest(load("Lorenz")))["found"]
    assert "period" not in found
    assert np.isfinite(found["largest_exponent"][0])


def test_another_definition_is_refused():
    lorenz = load("Lorenz")
    assert digest(lorenz) != digest(load("Lorenz", rho=99))
    assert digest(lorenz) == digest(load("Lorenz"))
    with pytest.raises(ValueError, match="Lorenz is defined otherwise here"):
        exponents("Lorenz", 0, digest(load("Lorenz", rho=99)))


def test_an_unknown_name_is_refused_before_anything_is_measured(table):
    with pytest.raises(KeyError, match="Did you mean 'Rossler'"):
        main(["Lorenz", "Rosler"], workers=0)
    assert not table.exists()


def test_an_unknown_part_is_refused(table):
    with pytest.raises(ValueError, match=r"there is no part 'exponent'\. Did you mean 'exponents'"):
        main(["Lorenz"], only="exponent")


@pytest.mark.parametrize("name", ["Henon", "Lorenz", "MackeyGlass"])
def test_every_quantity_of_a_series(name, table, monkeypatch):
    monkeypatch.setattr(measure_series, "PERIODS", 200)
    monkeypatch.setattr(measure_series, "ITERATIONS", 5000)
    assert main([name], only="series", workers=0) == 0
    found = {quantity: row for (_, quantity), row in rows(table).items()}
    value = {key: float(row["value"]) for key, row in found.items()}
    assert set(found) == set(
        "natural_time_scale correlation_dimension takens_dimension ordinal_entropy statistical_complexity permutation_entropy "
        "sample_entropy zero_one".split()
    )
    assert all(float(row["error"]) > 0 for row in found.values())
    dimension = {"Henon": 1.21, "Lorenz": 2.06, "MackeyGlass": 2.0}[name]
    assert abs(value["correlation_dimension"] - dimension) < max(0.1, 3 * float(found["correlation_dimension"]["error"]))
    assert 0 < value["ordinal_entropy"] < 0.8
    assert 0.2 < value["statistical_complexity"] < 0.5
    assert value["zero_one"] > 0.8
    if name != "Henon":
        assert 0.3 < value["natural_time_scale"] / load(name).period < 3


def test_what_is_measured_of_one_part_leaves_the_other(table, monkeypatch):
    monkeypatch.setattr(measure_series, "ITERATIONS", 5000)
    assert main(["Henon"], only="exponents", workers=0) == 0
    before = rows(table)
    assert main(["Henon"], only="series", workers=0) == 0
    assert before.items() < rows(table).items()
