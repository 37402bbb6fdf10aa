"""A folder for the hub: read by the library it is made for, offline, and back to the bit."""

import json
import os
import shutil

import numpy as np
import pytest
import xarray as xr
import yaml

import chaoslab as cl
from chaoslab.datasets import DataError, Noise, corrupt, read_hub, to_hub


def tree_of(samples: int, members: int, rng: int) -> xr.DataTree:
    made = {name: cl.simulate(name, 2, samples, members=members, jitter=0.01, rng=rng) for name in ("Lorenz", "Duffing")}
    made["Lorenz"] = corrupt(made["Lorenz"], Noise(0.1))
    return xr.DataTree.from_dict(made | {"/": xr.Dataset(attrs={"recipe": f"{samples}"})})


@pytest.fixture(scope="module")
def data():
    return {name: {"train": tree_of(n, 1, 0), "test": tree_of(n, 2, 1)} for name, n in {"coarse": 15, "fine": 30}.items()}


@pytest.fixture(scope="module")
def first(data):
    state = np.stack([data["fine"]["train"][name].state.values[..., 0] for name in ("Lorenz", "Duffing")])
    return xr.Dataset({"state": (("system", "member", "time"), state)}, {"system": np.array(["Lorenz", "Duffing"], object)})


@pytest.fixture(scope="module")
def folder(data, tmp_path_factory):
    return to_hub(data, tmp_path_factory.mktemp("hub") / "chaos", title='Chaos: "small"', about="A few systems.")


@pytest.fixture
def library(monkeypatch):
    monkeypatch.setitem(os.environ, "HF_HUB_OFFLINE", "1")
    return pytest.importorskip("datasets")


def test_the_library_reads_every_configuration(folder, data, first, library, tmp_path):
    assert library.get_dataset_config_names(str(folder)) == ["coarse", "fine"]
    columns = []
    for config, splits in data.items():
        for split, tree in splits.items():
            rows = library.load_dataset(str(folder), config, split=split, cache_dir=str(tmp_path / "cache"))
            columns.append(rows.features)
            assert len(rows) == sum(tree[name].state.size for name in tree.children)
            found = rows.to_pandas()
            for name in tree.children:
                own = found[found["system"] == name]
                ds = tree[name]
                assert np.array_equal(own["state"].values, ds.state.values.ravel())
                assert np.array_equal(
                    own["time"].values, np.tile(np.repeat(ds.time.values, ds.sizes["component"]), ds.sizes["member"])
                )
                assert own["component"].tolist() == ds.component.values.tolist() * (ds.sizes["time"] * ds.sizes["member"])
                assert own["member"].tolist() == np.repeat(ds.member.values, ds.sizes["time"] * ds.sizes["component"]).tolist()
    assert all(features == columns[0] for features in columns)
    other = to_hub(first, tmp_path / "first")
    rows = library.load_dataset(str(other), split="train", cache_dir=str(tmp_path / "cache"))
    assert rows.features == columns[0]
    assert rows["system"][-1] == "Duffing"


def test_the_data_come_back(folder, data, first, tmp_path):
    again = read_hub(folder)
    assert list(again) == list(data)
    for config, splits in data.items():
        assert list(again[config]) == list(splits)
        for split, tree in splits.items():
            assert again[config][split].identical(tree)
    some = read_hub(folder, config="fine", split="test")
    assert list(some) == ["fine"]
    assert list(some["fine"]) == ["test"]
    assert read_hub(to_hub(first, tmp_path / "first"))["default"]["train"].identical(first)
    assert list(read_hub(to_hub(data["fine"], tmp_path / "fine"))) == ["default"]


def test_the_datasheet_says_what_there_is(folder):
    text = (folder / "README.md").read_text()
    head = yaml.safe_load(text.split("---\n")[1])
    assert head["pretty_name"] == 'Chaos: "small"'
    assert [config["config_name"] for config in head["configs"]] == ["coarse", "fine"]
    assert head["configs"][0]["data_files"][1] == {"split": "test", "path": "data/coarse/test.parquet"}
    assert head["size_categories"] == ["1K<n<10K"]
    assert head["license"] == "cc-by-4.0"
    assert {feature["name"]: feature["dtype"] for feature in head["dataset_info"][0]["features"]}["state"] == "float64"
    for words in (
        "A few systems.",
        "Systems: Duffing, Lorenz.",
        "| fine | test | 2 |",
        "| tolerance | `1e-12` |",
        "Licence and limits",
    ):
        assert words in text


@pytest.mark.parametrize("harm", ["cut", "change", "remove", "manifest"])
def test_a_harmed_folder_is_refused(folder, tmp_path, harm):
    shutil.copytree(folder, tmp_path / "copy")
    path = tmp_path / "copy/data/fine/test.parquet"
    whole = path.read_bytes()
    if harm == "cut":
        path.write_bytes(whole[:-10])
    elif harm == "change":
        path.write_bytes(whole[:500] + bytes([whole[500] ^ 1]) + whole[501:])
    elif harm == "remove":
        path.unlink()
    else:
        (tmp_path / "copy/chaoslab.json").write_text("{")
    with pytest.raises(DataError, match="chaoslab.json was changed" if harm == "manifest" else "missing, cut short or changed"):
        read_hub(tmp_path / "copy")


def test_a_folder_is_replaced_only_when_ours_and_asked(data, folder, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/cat.txt").write_text("cat")
    with pytest.raises(FileExistsError, match="not written by chaoslab"):
        to_hub(data, tmp_path / "photos", overwrite=True)
    assert (tmp_path / "photos/cat.txt").read_text() == "cat"
    with pytest.raises(DataError, match="no folder that to_hub wrote"):
        read_hub(tmp_path / "photos")
    made = to_hub(data["fine"]["train"], tmp_path / "mine")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        to_hub(data, made)
    assert list(read_hub(to_hub(data, made, overwrite=True))) == ["coarse", "fine"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "photos"]


def test_an_interrupted_write_leaves_nothing(data, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("chaoslab.datasets.hub.datasheet", full)
    with pytest.raises(OSError, match="No space left"):
        to_hub(data, tmp_path / "chaos")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({}, TypeError, "data are"),
        ({"train": 3}, TypeError, "data are"),
        ({"fine": {"train": 3}}, TypeError, "configuration 'fine'"),
        ({"fine": {"my train": xr.Dataset()}}, ValueError, "'my train' given"),
        ({"a/b": {"train": xr.Dataset()}}, ValueError, "'a/b' given"),
    ],
)
def test_wrong_data_are_refused(given, error, message, tmp_path):
    with pytest.raises(error, match=message):
        to_hub(given, tmp_path / "chaos")


def test_unknown_parts_are_told(folder):
    with pytest.raises(ValueError, match="no configuration 'rough'; it has coarse, fine"):
        read_hub(folder, config="rough")
    with pytest.raises(ValueError, match="no split 'valid'; it has test, train"):
        read_hub(folder, split="valid")
    assert json.loads((folder / "chaoslab.json").read_text())["files"]["fine"]["train"]["rows"] == 2 * 30 * (3 + 3)
