"""The shipped collection: what it holds, that it opens lightly, and that it comes again from its recipe."""

import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

import chaoslab as cl
from chaoslab.datasets import Recipe, build, chaotic, collection, open_collection, ship, standard
from chaoslab.trajectories import check, system_of

PARTS = [(s, g, n) for s in ("train", "test") for g in ("coarse", "fine") for n in (False, True)]


@pytest.mark.parametrize(("split", "granularity", "noise"), PARTS)
def test_every_chaotic_flow_and_delay_system_is_there(split, granularity, noise):
    tree = open_collection(split, granularity=granularity, noise=noise)
    assert set(tree.children) == set(chaotic())
    recipe = standard(split, granularity=granularity, noise=noise)
    for node in tree.children.values():
        assert node.state.shape[:2] == (recipe.members, recipe.count)
        assert node.state.shape[2] <= 12
    made_with = Recipe.from_json(tree.attrs["recipe"])
    assert made_with.with_(version=recipe.version) == recipe, "make it anew: make collection"


def test_files_are_as_they_were_made():
    for part, told in collection.manifest()["parts"].items():
        data = collection.folder().joinpath(f"{part}.zip").read_bytes()
        assert hashlib.sha256(data).hexdigest() == told["sha256"], part
    size = sum(file.stat().st_size for file in collection.folder().iterdir())
    assert size < 20e6


FIVE = ("Lorenz", "Chua", "Kuramoto", "DrivenPendulum", "MackeyGlass")


@pytest.mark.parametrize(("name", "noise"), [(name, noise) for name in FIVE for noise in (False, True)])
def test_a_sample_comes_again_from_its_recipe(name, noise, tmp_path):
    for granularity in ("coarse", "fine"):
        recipe = standard("train", granularity=granularity, noise=noise, systems=[name])
        made = build(recipe, cache=tmp_path, progress=False)[name].to_dataset()
        shipped = open_collection("train", granularity=granularity, noise=noise)[name].to_dataset()
        unit = recipe.resolution * shipped.state.std("time").max()
        apart = np.abs(made.state - shipped.state)
        assert float((apart > 0).mean()) < 1e-3, "machines may round a value in a thousand otherwise"
        assert float(apart.max()) <= float(unit)
        assert set(made.data_vars) == set(shipped.data_vars)
        for key in ("time", "period", "component", "status"):
            assert made[key].equals(shipped[key])
        for key in ("name", "kind", "system", "solver", "noise", "seed"):
            assert made.attrs[key] == shipped.attrs[key], key


def test_a_part_is_trajectories_of_known_systems():
    tree = open_collection("test", granularity="coarse")
    for name in ("Lorenz", "Kuramoto", "MackeyGlass", "Chimera"):
        ds = tree[name].to_dataset()
        check(ds.load())
        assert system_of(ds) == cl.load(name)
    pendulum = tree["DrivenPendulum"]
    assert np.allclose(pendulum.observed, cl.load("DrivenPendulum").observe(pendulum.state.values, pendulum.time.values))
    assert tree.attrs["command"].startswith("python -m chaoslab")


def test_test_members_start_elsewhere_than_train_and_than_each_other():
    train, test = (open_collection(split, granularity="coarse", components="first") for split in ("train", "test"))
    starts = xr.concat([train.observed, test.observed], "member").isel(time=slice(0, 12)).values
    apart = np.abs(starts[:, :, None] - starts[:, None]).max(axis=-1) / starts.std(axis=(1, 2))[:, None, None]
    apart[:, np.arange(11), np.arange(11)] = np.inf
    assert (apart.min(axis=(1, 2)) > 1e-3).all()


def test_univariate_parts_are_one_dataset():
    one = open_collection("test", granularity="coarse", components="first")
    many = open_collection("test", granularity="coarse")
    assert one.observed.shape == (len(chaotic()), 10, 180)
    for name in ("Lorenz", "DrivenPendulum", "Kuramoto", "MackeyGlass"):
        whole = many[name].observed if "observed" in many[name] else many[name].state
        assert np.array_equal(one.observed.sel(system=name), whole.isel(component=0))
    assert json.loads(one.definition.sel(system="Lorenz").item())["equations"]["x"]


def test_noise_moves_what_starts_at_the_same_place():
    clean, noisy = (open_collection("test", noise=noise)["Lorenz"].state for noise in (False, True))
    spread = clean.std(["member", "time"])
    assert (np.abs(clean - noisy)[:, 0] < 2e-3 * spread).all()
    early = (np.abs(clean - noisy)[:, 10] / spread).mean()
    assert 0.001 < early < 0.03, "a tenth of a period with 0.025 deviations a root period"
    assert np.abs(clean - noisy)[:, -1].mean() > 0.3 * spread.mean()


def test_it_opens_without_a_solver():
    program = "import sys, chaoslab as cl; cl.open_collection()['Lorenz'].state.values; print("
    program += "[name for name in ('heyoka', 'torch', 'zarr', 'scipy.integrate') if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    assert run.stdout.strip() == "[]"


def test_a_file_that_was_changed_is_told(tmp_path, monkeypatch):
    for file in collection.folder().iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    path = tmp_path / "train-coarse-clean.zip"
    data = bytearray(path.read_bytes())
    data[300] ^= 255
    path.write_bytes(bytes(data))
    monkeypatch.setattr(collection, "folder", lambda: tmp_path)
    collection._unpacked.cache_clear()
    tree = open_collection("train", granularity="coarse")
    with pytest.raises(ValueError, match="is not as it was shipped"):
        tree["Aizawa"].state.values  # noqa: B018
    path.unlink()
    with pytest.raises(ValueError, match="is not as it was shipped"):
        tree["Lorenz"].state.values  # noqa: B018
    collection._unpacked.cache_clear()


def test_shipping_goes_on_where_it_was_broken_off(tmp_path, monkeypatch):
    names, real, calls = ["Lorenz", "MackeyGlass"], ship.packed, []

    def packed(work, system):
        calls.append(system)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(work, system)

    packed.__qualname__, packed.__module__ = "packed", ship.__name__
    monkeypatch.setattr(ship, "packed", packed)
    with pytest.raises(KeyboardInterrupt):
        ship.ship(tmp_path, systems=names, workers=0, progress=False)
    said = ship.ship(tmp_path, systems=names, workers=0, progress=False)
    assert calls == ["Lorenz", "MackeyGlass", "MackeyGlass"]
    assert list(said["systems"]) == names
    assert not (tmp_path / "unfinished").exists()
    assert sorted(file.suffix for file in tmp_path.iterdir()) == [".xz"] + [".zip"] * 8


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"split": "tset"}, "Did you mean 'test'"),
        ({"granularity": "find"}, "fine"),
        ({"components": "frist"}, "first"),
    ],
)
def test_unknown_parts(request_, words):
    with pytest.raises(ValueError, match=words):
        open_collection(**request_)
