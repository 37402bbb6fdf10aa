"""The catalogue: look-up, table, search, sizes, and definitions that cannot be read."""

import math
import re

import numpy as np
import pytest

from chaoslab.systems import DefinitionError, System, catalogue, load, names, reference, search, table
from chaoslab.systems.catalogue import FOLDER, _bibliography, read_definition, with_error

FILES = sorted(FOLDER.glob("*/*.toml"))
TEXT = """
name = "Decay"
title = "Decay"
about = "It decays."
cite = "lorenz1963"
[equations]
x = "-k*x"
[parameters]
k = 2
[state]
x = 1
"""


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("Lorenz", "Lorenz"),
        ("lorenz", "Lorenz"),
        ("  LORENZ ", "Lorenz"),
        ("lorenz 96", "Lorenz96"),
        ("Lorenz-96", "Lorenz96"),
        ("Rössler", "Rossler"),
        ("henon", "Henon"),
        ("HÉNON", "Henon"),
        ("Hénon-Heiles", "HenonHeiles"),
        ("hénon map", "Henon"),
        ("chua's circuit", "Chua"),
    ],
)
def test_look_up_ignores_case_accents_and_separators(asked, found):
    assert load(asked).name == found


@pytest.mark.parametrize(("asked", "near"), [("Lorentz", "Lorenz"), ("Roessler", "Rossler"), ("lorens96", "Lorenz96")])
def test_a_wrong_name_gets_a_suggestion(asked, near):
    with pytest.raises(KeyError, match=rf"no system is called '{asked}'. Did you mean '{near}'\?"):
        load(asked)


@pytest.mark.parametrize("asked", ["", "-", "qqqqqq", "../secret", "lorenz.toml"])
def test_no_such_system(asked):
    with pytest.raises(KeyError, match=r"names\(\) lists all"):
        load(asked)


def test_a_name_is_text():
    with pytest.raises(TypeError, match="named by text"):
        load(3)


def test_names_are_sorted_and_of_one_kind():
    assert names() == sorted(names(), key=str.lower)
    assert set(names("flow")) | set(names("map")) | set(names("delay")) == set(names())
    assert "Henon" in names("map")
    assert "Henon" not in names("flow")


def test_load_returns_the_same_frozen_system():
    assert load("Lorenz") is load("lorenz")
    assert load("Lorenz", rho=99, x=1) == load("Lorenz").with_(rho=99, x=1)


# --- sizes -------------------------------------------------------------------------------------------------------------


def test_load_sets_a_size():
    small = load("Lorenz96", n=5, F=3)
    assert (small.dimension, small.parameters["F"], load("Lorenz96").dimension) == (5, 3, 40)
    x = np.arange(5.0)
    expected = (np.roll(x, -1) - np.roll(x, 2)) * np.roll(x, 1) - x + 3
    assert small.rhs(x).tolist() == expected.tolist()
    assert small.field == "atmosphere"


def test_load_sets_size_arrays_and_states_together():
    K = [[0, 1], [1, 0]]
    by_name = load("Hopfield", n=2, K=K, x=[0.1, 0.2])
    assert by_name.dimension == 2
    assert by_name.initial.tolist() == [0.1, 0.2]
    assert load("Hopfield", n=2, K=K, state={"x": [0.1, 0.2]}) == by_name
    assert load("Lorenz96", n=3, x=[1, 2, 3]).initial.tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("Lorenz96", {"n": 0}, "the size n of Lorenz96 is a whole number of at least 1; 0 given"),
        ("Lorenz96", {"n": 2.5}, "whole number of at least 1; 2.5 given"),
        ("Lorenz96", {"n": "8"}, "whole number"),
        ("Lorenz96", {"n": True}, "whole number"),
        ("Lorenz96", {"n": 10**9}, "needs a size"),
        ("Lorenz96", {"n": 4, "G": 1}, "has no parameter 'G'"),
        ("Lorenz96", {"m": 4}, "has no parameter 'm'"),
        ("Lorenz96", {"n": 4, "x": [1, 2]}, "state x needs a list of shape (4,), shape (2,) given"),
        ("Lorenz", {"n": 4}, "has no parameter 'n'"),
        ("CharneyDeVore", {"n": 3}, "has no parameter 'n'"),
        ("Lorenz", {"rhoo": 4}, "Did you mean 'rho'"),
        ("Hopfield", {"n": 2, "x": [1, 2]}, "would use only a part of K; give arrays of the new size, as in load(name"),
        ("Hopfield", {"n": 2, "K": np.eye(2)}, "give arrays of the new size"),
        ("Hopfield", {"n": 8, "x": [1] * 8}, "K[1, 7] lies outside"),
    ],
)
def test_bad_sizes_and_values(name, values, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        load(name, **values)


# --- table and search --------------------------------------------------------------------------------------------------


def test_table_has_one_row_a_system():
    frame = table()
    assert list(frame.index) == names()
    assert list(frame.columns) == [
        "title",
        "kind",
        "field",
        "dimension",
        "parameters",
        "period",
        "period_error",
        "largest_exponent",
        "largest_exponent_error",
        "kaplan_yorke_dimension",
        "kaplan_yorke_dimension_error",
        "correlation_dimension",
        "correlation_dimension_error",
        "ordinal_entropy",
        "statistical_complexity",
        "regime",
        "smooth",
        "conserved",
        "symmetric",
        "sizes",
        "cite",
    ]
    row = frame.loc["Lorenz"]
    assert (row.title, row.kind, row.field, row.dimension, row.parameters) == ("Lorenz 1963", "flow", "atmosphere", 3, 3)
    assert (row.smooth, row.conserved, row.sizes, row.cite) == (True, "", "", "lorenz1963")
    assert frame.loc["Lorenz96", "sizes"] == "n=40"
    assert frame.loc["HenonHeiles", "conserved"] == "energy"
    assert not frame.loc["Chua", "smooth"]
    assert frame.loc["Lorenz", "symmetric"]
    assert 0 < frame.loc["Lorenz", "period_error"] < 0.01 * frame.loc["Lorenz", "period"]
    assert (frame.loc["Lorenz", "regime"], frame.loc["Torus", "regime"]) == ("chaotic", "quasi-periodic")


def test_table_keeps_rows_by_value():
    assert list(table(kind="map").index) == names("map")
    assert set(table(field=["ecology", "biology"]).field) == {"ecology", "biology"}
    assert (table(kind="flow", dimension=3, smooth=True).dimension == 3).all()
    assert table(dimension=-1).empty


def test_table_explains_an_unknown_column():
    with pytest.raises(ValueError, match=r"no column 'dimensions'. Did you mean 'dimension'\? Columns are title, kind"):
        table(dimensions=3)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("plankton", "MacArthur"),
        ("HÉNON", "Henon"),
        ("henon heiles", "HenonHeiles"),
        ("neuroscience", "Hopfield"),
        ("nonperiodic", "Lorenz"),
    ],
)
def test_search_looks_at_name_description_field_and_source(text, found):
    rows = search(text)
    assert found in rows.index
    assert len(rows) < len(table())


def test_search_finds_nothing_and_needs_a_word():
    assert search("zzzqqq").empty
    with pytest.raises(ValueError, match="search for a word"):
        search("  ")


# --- files -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_is_named_after_its_system_and_cites_a_source(path):
    entry = read_definition(path.read_text(encoding="utf-8"))
    assert path.stem == entry["name"].lower()
    assert entry["cite"] in _bibliography().entries
    assert load(entry["name"]).field == path.parent.name
    assert load(entry["name"]).period is None or load(entry["name"]).period > 0


def test_names_and_titles_are_unique():
    frame = table()
    assert frame.index.is_unique
    assert frame.title.is_unique


def test_reference():
    assert reference("lorenz1963").startswith("Edward N. Lorenz. Deterministic nonperiodic flow.")
    assert reference("nobody2000") == "nobody2000"


def test_a_regime_belongs_to_the_file_and_not_to_the_system():
    text = TEXT.replace("[equations]", 'regime = "periodic"\n[equations]')
    assert read_definition(text)["regime"] == "periodic"
    assert "regime" not in load("Torus").definition()


def test_read_definition():
    assert System(**read_definition(TEXT)).rhs([3.0]).tolist() == [-6.0]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('title = "Decay"\n', "", "my file lacks title; every definition has name, title"),
        ("[state]\nx = 1", "", "my file lacks state"),
        ('name = "Decay"', 'nam = "Decay"', "my file has the unknown key 'nam'. Did you mean 'name'"),
        ('name = "Decay"', 'period = 3.0\nname = "Decay"', "my file has the unknown key 'period'"),
        ("[state]", "[start]", "my file has the unknown key 'start'. Did you mean 'state'"),
        ("[state]", "[state", "my file is not TOML"),
        ("k = 2", "k = 2\nk = 3", "my file is not TOML"),
        ("[equations]", 'regime = "chaos"\n[equations]', "my file has the regime 'chaos'. Did you mean 'chaotic'"),
    ],
)
def test_broken_definitions(old, new, message):
    assert old in TEXT
    with pytest.raises(DefinitionError, match=re.escape(message)):
        read_definition(TEXT.replace(old, new), "my file")


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.790676, 0.0027, "0.791(3)"),
        (0.790676, 0.0096, "0.79(1)"),
        (49.2, 0.04, "49.20(4)"),
        (185.135, 0.77, "185.1(8)"),
        (608.7, 120, "600(100)"),
        (188, 23, "190(20)"),
        (7.4, 1.2, "7(1)"),
        (0.0214916, 7e-5, "0.02149(7)"),
        (math.log(2), 1e-16, "0.693147"),
        (0.0, 0.0, "0"),
    ],
)
def test_a_value_with_its_error(value, error, text):
    assert with_error(value, error) == text


def test_findings_are_of_the_very_system(monkeypatch):
    rows = {"regime": {"value": "chaotic", "error": ""}, "largest_exponent": {"value": "0.9056", "error": "0.0012"}}
    monkeypatch.setattr(catalogue, "measurements", lambda: {"Lorenz": rows, "Rossler": {}})
    lorenz = load("Lorenz")
    assert catalogue.findings(lorenz) == "chaotic, largest exponent 0.906(1)"
    assert "chaotic, largest exponent 0.906(1)" in lorenz._repr_markdown_()
    assert catalogue.findings(lorenz.with_(rho=30)) == catalogue.findings(load("Rossler")) == ""
