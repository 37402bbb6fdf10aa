import dataclasses
import json

import pytest

import chaoslab as cl
from chaoslab.datasets import Noise, Recipe, chaotic
from chaoslab.datasets.recipe import evenly


def test_a_recipe_comes_back_from_its_text_with_the_same_hash():
    wells = cl.System({"x": "v", "v": "x - x**3"}, state={"x": 1, "v": 0.1}, name="Wells", period=4.4)
    recipe = Recipe(["Lorenz", wells], split="test", members=3, corruptions=(Noise(0.1),), resolution=1e-4)
    again = Recipe.from_json(recipe.to_json())
    assert again == recipe
    assert again.hash == recipe.hash
    assert again.corruptions == (Noise(0.1),)
    assert json.loads(recipe.to_json())["version"] == recipe.version


def test_everything_that_decides_the_data_changes_the_hash():
    plain = Recipe("Lorenz")
    others = [plain.with_(**change) for change in (
        {"split": "test"}, {"members": 11}, {"periods": 13}, {"samples": 50}, {"components": 2}, {"process_noise": 0.1},
        {"observation_noise": 0.1}, {"corruptions": (Noise(0.1),)}, {"resolution": 1e-3}, {"transient": 20}, {"seed": 1},
        {"systems": "Rossler"}, {"systems": [cl.load("Lorenz").with_(rho=29)]}, {"version": "0.1"},
    )]  # fmt: skip
    assert len({recipe.hash for recipe in [plain, *others]}) == len(others) + 1


def test_a_recipe_is_frozen_and_may_be_a_key():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Recipe("Lorenz").seed = 2
    assert len({Recipe("Lorenz"), Recipe(["Lorenz"]), Recipe((cl.load("Lorenz"),))}) == 1


def test_chaotic_names_the_measured_ones():
    assert {"Lorenz", "MackeyGlass"} <= set(chaotic())
    assert "Torus" not in chaotic()
    assert set(chaotic("map")).isdisjoint(chaotic())
    assert Recipe("chaotic").labels == chaotic()


def test_evenly():
    assert evenly(3, 12) == [0, 1, 2]
    assert evenly(40, 4) == [0, 10, 20, 30]


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"systems": ["Lorentz"]}, KeyError, "Lorenz"),
        ({"systems": []}, ValueError, "at least one system"),
        ({"systems": ["Lorenz", "Lorenz"]}, ValueError, "twice"),
        ({"systems": [3]}, TypeError, "a name in the catalogue or a System"),
        ({"split": "tset"}, ValueError, "test"),
        ({"members": 0}, ValueError, "members must be a whole number"),
        ({"periods": -1}, ValueError, "periods must be positive"),
        ({"components": "frist"}, ValueError, "first"),
        ({"components": 0}, ValueError, "components"),
        ({"process_noise": [0.1, 0.2]}, ValueError, "one number for all systems"),
        ({"process_noise": -0.1}, ValueError, "process_noise"),
        ({"resolution": 0}, ValueError, "resolution"),
        ({"corruptions": (0.1,)}, TypeError, "datasets.Noise"),
        ({"seed": 1.5}, ValueError, "seed is a whole number"),
        ({"systems": ["Henon"]}, ValueError, "maps have one sample a period"),
        ({"systems": ["Henon"], "samples": 1, "process_noise": 0.1}, ValueError, "Henon is a map"),
    ],
)
def test_a_recipe_that_makes_no_sense(fields, error, words):
    with pytest.raises(error, match=words):
        Recipe(**{"systems": ["Lorenz"], **fields})


def test_unknown_fields_and_texts():
    with pytest.raises(ValueError, match="samples"):
        Recipe("Lorenz").with_(sample=3)
    with pytest.raises(ValueError, match="not a recipe's JSON"):
        Recipe.from_json("{}")
    said = json.loads(Recipe("Lorenz").to_json())
    said["systems"][0][1] = "0" * 12
    with pytest.raises(ValueError, match="defined otherwise"):
        Recipe.from_json(json.dumps(said))
