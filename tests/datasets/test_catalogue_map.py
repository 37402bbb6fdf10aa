"""The map that ships."""

import json
import subprocess
import sys

import numpy as np
import pytest

from chaoslab.datasets import catalogue_map
from chaoslab.datasets import catalogue_map as function
from chaoslab.datasets.catalogue_map import COMMAND, FILE, at_its_period, describe, systems, table_of, write
from chaoslab.datasets.features import measured_period
from chaoslab.systems import load
from chaoslab.trajectories.record import digest


@pytest.mark.parametrize("kind", ["flow", "map"])
def test_every_chaotic_system_is_on_it(kind):
    found, wanted = catalogue_map(kind), systems(kind)
    assert found.system.values.tolist() == [one.name for one in wanted]
    other = [str(one.system.values) for one in found.definition if str(one.values) != digest(load(str(one.system.values)))]
    assert not other, f"described from another definition; run {COMMAND}"
    assert found.field.values.tolist() == [one.field for one in wanted]
    assert np.isfinite(found["values"]).all()
    assert len(systems("flow")) == len(catalogue_map().system)


def test_it_ships_in_little_room_and_says_how_it_was_made():
    assert FILE.stat().st_size < 400_000
    for kind in ("flow", "map"):
        attrs = catalogue_map(kind).attrs
        assert attrs["command"] == COMMAND
        assert attrs["seed"] == "0"
        assert set(json.loads(attrs["libraries"])) == {"aeon", "tsfresh", "umap-learn", "scikit-learn", "numpy"}
        assert len(attrs["date"]) == 10
        assert attrs["version"]


def test_what_it_claims_is_what_it_holds():
    for kind in ("flow", "map"):
        found = catalogue_map(kind)
        number = len(np.unique(found.cluster))
        again = found.rand_index.mean("seed")
        assert found.attrs["status"] == "ok"
        assert number == 3
        assert float(again.sel(number=number)) >= 0.8
        assert float(found.silhouette.sel(number=number)) > float(found.silhouette.max()) - 0.02
        assert float(found.trust.mean()) == pytest.approx(found.attrs["trustworthiness"])
        within = found["values"] - found["values"].mean("window")
        count = found.sizes["window"]
        assert np.sqrt((within**2).sum("window").mean("system") / (count - 1)).values == pytest.approx(1, abs=0.01)


def test_scrolls_bursts_and_waves_lie_apart():
    cluster = dict(zip(catalogue_map().system.values, catalogue_map().cluster.values, strict=True))
    families = ["Lorenz Chua Duffing MultiChua".split(), "HindmarshRose HodgkinHuxley MorrisLecar Laser".split()]
    families.append("Rossler SprottD SprottN Hyperjerk Ueda".split())
    assert [len({cluster[name] for name in one}) for one in families] == [1, 1, 1]
    assert len({cluster[one[0]] for one in families}) == 3


def test_it_loads_without_the_libraries_that_made_it():
    program = "import sys; from chaoslab.datasets import catalogue_map as f; f(); "
    program += "print([name for name in ('umap', 'sklearn', 'aeon', 'tsfresh', 'numba', 'heyoka') if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    assert run.stdout.strip() == "[]"


def test_a_kept_map_cannot_be_spoilt():
    with pytest.raises(ValueError, match="read-only"):
        catalogue_map().position[0, 0] = 1.0
    with pytest.raises(ValueError, match="'map'"):
        catalogue_map("maps")


def test_a_system_is_sampled_by_its_own_mean_period():
    ds = at_its_period(load("Chua"))
    assert ds.sizes["time"] == 300 * 30
    assert measured_period(ds.state.values[0, :, 0]) == pytest.approx(30, rel=0.05)


@pytest.mark.parametrize(("name", "kind"), [("Rossler", "flow"), ("Henon", "map")])
def test_describing_again_gives_the_same(name, kind):
    row = describe(name, digest(load(name)))
    table = table_of([row | {"name": name}], kind)
    shipped = catalogue_map(kind).sel(system=name)
    rows = table.features.sel(feature=shipped.feature.values)[0].values
    scaled = np.arcsinh((rows - shipped.middle.values) / shipped.width.values) / shipped.within.values
    # chaos keeps no digits from machine to machine over 12 windows; the first is the same, the others alike
    assert np.abs(scaled[0] - shipped["values"].values[0]).max() < 0.02
    assert np.abs(scaled.mean(axis=0) - shipped["values"].mean("window").values).mean() < 0.5


def test_a_file_reads_back(tmp_path, monkeypatch):
    kept = {kind: catalogue_map(kind) for kind in ("flow", "map")}
    module = sys.modules[function.__module__]
    monkeypatch.setattr(module, "FILE", tmp_path / "small.npz")
    try:
        write(kept)
        for kind, one in kept.items():
            assert catalogue_map(kind).identical(one)
    finally:
        catalogue_map.cache_clear()
