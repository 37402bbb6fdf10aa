"""Parquet: the same data back to the bit, one schema for all, and nothing half-written or changed is read."""

import hashlib
import json
import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import chaoslab as cl
from chaoslab.datasets import DataError, parquet, read_parquet, rows, to_parquet


def same(one, other) -> None:
    """Equal in values to the bit, types, labels, attributes and order."""
    if isinstance(one, xr.DataTree):
        assert [node.path for node in one.subtree] == [node.path for node in other.subtree]
        assert one.name == other.name
        for node, twin in zip(one.subtree, other.subtree, strict=True):
            same(node.to_dataset(inherit=False), twin.to_dataset(inherit=False))
        return
    xr.testing.assert_identical(one, other)
    assert list(one.data_vars) == list(other.data_vars)
    assert dict(one.sizes) == dict(other.sizes)
    for name, variable in one.variables.items():
        assert variable.dtype == other[name].dtype, name
        if variable.dtype.kind != "O":
            assert variable.values.tobytes() == other[name].values.tobytes(), name


@pytest.fixture(scope="module")
def tree():
    made = {
        "Lorenz": cl.simulate("Lorenz", 2, 10, members=3, derivative=True),
        "Duffing": cl.simulate("Duffing", 2, 10, members=2, observation_noise=0.1),
        "MackeyGlass": cl.simulate("MackeyGlass", 2, 10),
        "Henon": cl.simulate("Henon", 7),
    }
    return xr.DataTree.from_dict(made | {"/": xr.Dataset(attrs={"recipe": '{"seed": 1}', "split": "train"})}, name="some")


@pytest.fixture(scope="module")
def univariate(tree):
    state = np.stack([tree[name]["state"].values[:2, :, 0] for name in ("Lorenz", "Duffing")])
    time = np.stack([tree[name]["time"].values for name in ("Lorenz", "Duffing")])
    labels = {"system": np.array(["Lorenz", "Duffing"], object), "member": [0, 1], "period": ("time", np.arange(20) / 10)}
    labels |= {"when": (("system", "time"), time), "component": ("system", np.array(["x", "x"], object))}
    return xr.Dataset({"state": (("system", "member", "time"), state)}, labels, {"recipe": "{}"})


def test_a_tree_comes_back(tree, tmp_path):
    same(read_parquet(to_parquet(tree, tmp_path / "all.parquet")), tree)


def test_a_dataset_and_a_nested_tree_come_back(tree, tmp_path):
    ds = tree["Duffing"].to_dataset()
    same(read_parquet(to_parquet(ds, tmp_path / "one.parquet")), ds)
    nested = xr.DataTree.from_dict({"train": tree, "test/Lorenz": tree["Lorenz"].to_dataset().isel(member=[1])})
    path = to_parquet(nested, tmp_path / "nested.parquet")
    same(read_parquet(path), nested)
    inherited = xr.DataTree.from_dict({"/": ds[["time"]], "Duffing": ds.drop_vars(["time", "period"])})
    same(read_parquet(to_parquet(inherited, tmp_path / "inherited.parquet")), inherited)
    assert set(pq.read_table(path)["split"].to_pylist()) == {"train", "test"}


def test_univariate_data_come_back(univariate, tmp_path):
    path = to_parquet(univariate, tmp_path / "first.parquet")
    same(read_parquet(path), univariate)
    same(read_parquet(path, systems=["Duffing"]), univariate.sel(system=["Duffing"]))
    table = pq.read_table(path).to_pylist()
    assert [table[k]["system"] for k in (0, 79)] == ["Lorenz", "Duffing"]
    assert table[20]["member"] == 1
    assert table[41]["state"] == univariate.state.values[1, 0, 1]
    assert table[41]["component"] == "x"


def test_some_systems_are_read_alone(tree, tmp_path):
    path = to_parquet(tree, tmp_path / "all.parquet")
    found = read_parquet(path, systems=["Henon", "Duffing"])
    assert sorted(found.children) == ["Duffing", "Henon"]
    same(found["Henon"].to_dataset(), tree["Henon"].to_dataset())
    assert found.attrs == tree.attrs
    with pytest.raises(ValueError, match=r"no system 'Lorentz'.*Lorenz"):
        read_parquet(path, systems=["Lorentz"])


def test_small_groups_change_nothing(tree, univariate, tmp_path, monkeypatch):
    monkeypatch.setattr(rows, "GROUP", 32)
    for name, data in {"tree": tree, "first": univariate}.items():
        path = to_parquet(data, tmp_path / f"{name}.parquet")
        assert pq.ParquetFile(path).num_row_groups > 3
        same(read_parquet(path), data)


def test_members_that_ended_and_parameters_come_back(tmp_path):
    system = cl.System({"x": "x**2 + a"}, {"a": 0}, {"x": 1}, name="Blowup")
    with pytest.warns(cl.trajectories.TrajectoryWarning):
        ds = cl.simulate(system, duration=2, step=0.25, parameters={"a": np.array([0.0, -1.0])})
    assert list(ds.status.values) == ["escaped", "ok"]
    same(read_parquet(to_parquet(ds, tmp_path / "ended.parquet")), ds)


def test_further_variables_have_columns(tmp_path):
    ds = cl.simulate("Lorenz", 1, 10, members=2)
    ds["label"] = ("member", "time"), np.array([["up", "down"] * 5] * 2, object)
    ds["wing"] = ("time", "member"), (ds.state.values[..., 0] > 0).T
    ds["sign"] = ("time",), np.arange(10, dtype=np.int16)
    ds["short"] = ds.state.astype(np.float32)
    path = to_parquet(ds, tmp_path / "more.parquet")
    same(read_parquet(path), ds)
    names = pq.read_schema(path).names
    assert names[: len(rows.KEYS)] == list(rows.KEYS)
    assert names[-4:] == ["label", "short", "sign", "wing"]


def test_every_file_has_the_same_columns(tree, tmp_path):
    schemas = []
    for name in tree.children:
        path = to_parquet(tree[name].to_dataset(), tmp_path / f"{name}.parquet")
        schemas.append(pq.read_schema(path).remove_metadata())
    assert len(set(map(str, schemas))) == 1
    frame = pq.read_table(path).to_pandas()
    assert list(frame["component"][:4]) == ["x", "y", "x", "y"]
    assert list(frame["state"][2:4]) == list(tree["Henon"].state.values[0, 1])
    assert frame["derivative"].isna().all()
    assert set(frame["status"]) == {"ok"}


numbers = st.floats(width=64, allow_nan=True, allow_infinity=True)
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)


@settings(max_examples=25, deadline=None)
@given(
    data=st.data(), members=st.integers(1, 3), count=st.integers(1, 5), names=st.lists(words, min_size=1, max_size=3, unique=True)
)
def test_any_values_and_labels_come_back(tmp_path_factory, data, members, count, names):
    size = members * count * len(names)
    state = np.array(data.draw(st.lists(numbers, min_size=size, max_size=size))).reshape(members, count, len(names))
    labels = {"component": np.array(names, object), "time": np.arange(count) * data.draw(st.floats(1e-300, 1e300))}
    attrs = data.draw(st.dictionaries(words, st.one_of(words, st.integers(), st.floats(allow_nan=False), st.lists(st.integers()))))
    ds = xr.Dataset({"state": (("member", "time", "component"), state)}, labels, attrs)
    same(read_parquet(to_parquet(ds, tmp_path_factory.mktemp("any") / "any.parquet")), ds)


# --- what is refused -----------------------------------------------------------------------------------------------------


@pytest.fixture
def written(tree, tmp_path):
    return to_parquet(tree, tmp_path / "all.parquet")


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.999])
def test_a_file_cut_short_is_refused(written, share):
    whole = written.read_bytes()
    written.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(DataError, match="not a whole Parquet file"):
        read_parquet(written)


def test_a_changed_byte_is_noticed_or_matters_not(written, tree):
    whole = bytearray(written.read_bytes())
    noticed = 0
    for place in np.random.default_rng(0).integers(0, len(whole), 300):
        changed = whole.copy()
        changed[place] ^= 0x10
        written.write_bytes(changed)
        try:
            same(read_parquet(written), tree)
        except DataError:
            noticed += 1
    assert noticed > 100


def test_a_changed_column_name_is_noticed(written):
    whole = written.read_bytes()
    for other in (b"de\xf2ivative", b"derivatine"):
        written.write_bytes(re.sub(rb'(?<!")derivative', other, whole))  # in the footer, not in our labels
        with pytest.raises(DataError, match="not a whole Parquet file"):
            read_parquet(written)


def test_values_changed_by_another_program_are_noticed(written):
    table = pq.read_table(written)
    metadata = pq.read_metadata(written).metadata
    state = table["state"].to_numpy().copy()
    state[3] += 1e-9
    table = table.set_column(table.schema.get_field_index("state"), "state", pa.array(state))
    pq.write_table(table.replace_schema_metadata(metadata), written)
    with pytest.raises(DataError, match="in other groups of rows"):
        read_parquet(written)


def test_values_changed_in_equal_groups_are_noticed(tmp_path):
    ds = cl.simulate("Lorenz", 1, 10)
    path = to_parquet(ds, tmp_path / "one.parquet")
    table, metadata = pq.read_table(path), pq.read_metadata(path).metadata
    state = table["state"].to_numpy().copy()
    state[3] += 1e-9
    changed = table.set_column(table.schema.get_field_index("state"), "state", pa.array(state))
    pq.write_table(changed.replace_schema_metadata(metadata), path)
    with pytest.raises(DataError, match=r"'state' of the data .* is not what was written"):
        read_parquet(path)
    labels = metadata[parquet.LABELS].replace(b"Lorenz", b"Lorens")
    assert labels != metadata[parquet.LABELS]
    pq.write_table(table.replace_schema_metadata(metadata | {parquet.LABELS: labels}), path)
    with pytest.raises(DataError, match=r"the labels of .* are not what was written"):
        read_parquet(path)


def test_foreign_and_later_files_are_refused(tmp_path):
    path = tmp_path / "other.parquet"
    pq.write_table(pa.table({"a": [1]}), path)
    with pytest.raises(DataError, match="not one that chaoslab wrote"):
        read_parquet(path)
    with pytest.raises(FileExistsError, match="was not written by chaoslab"):
        to_parquet(cl.simulate("Lorenz", 1, 10), path, overwrite=True)
    labels = json.dumps({"schema": 99})
    labels = {parquet.LABELS: labels, parquet.HASH: hashlib.sha256(labels.encode()).hexdigest()}
    pq.write_table(pa.table({"a": [1]}).replace_schema_metadata(labels), path)
    with pytest.raises(DataError, match="labels of version 99"):
        read_parquet(path)
    with pytest.raises(FileNotFoundError, match="no file"):
        read_parquet(tmp_path / "none.parquet")


def test_a_file_is_replaced_only_when_asked(written, tree):
    with pytest.raises(FileExistsError, match="overwrite=True"):
        to_parquet(tree, written)
    smaller = tree["Henon"].to_dataset()
    same(read_parquet(to_parquet(smaller, written, overwrite=True)), smaller)


@pytest.mark.parametrize(("name", "error"), [("all.zarr", ValueError), ("nowhere/all.parquet", FileNotFoundError)])
def test_a_wrong_path_is_refused(tree, tmp_path, name, error):
    with pytest.raises(error):
        to_parquet(tree, tmp_path / name)


def test_an_interrupted_write_leaves_nothing(tree, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq.ParquetWriter, "add_key_value_metadata", full)
    with pytest.raises(OSError, match="No space left"):
        to_parquet(tree, tmp_path / "all.parquet")
    assert list(tmp_path.iterdir()) == []


def test_data_that_do_not_fit_are_refused(tmp_path):
    ds = cl.simulate("Lorenz", 1, 10)
    path = tmp_path / "no.parquet"
    with pytest.raises(TypeError, match=r"DataTree.*dict given"):
        to_parquet({"Lorenz": ds}, path)
    with pytest.raises(ValueError, match="have a variable 'state' or 'observed'"):
        to_parquet(ds.rename(state="position"), path)
    with pytest.raises(ValueError, match=r"'square' .* runs along \('time', 'again'\)"):
        to_parquet(ds.assign(square=(("time", "again"), np.zeros((10, 2)))), path)
    with pytest.raises(TypeError, match="'day' holds datetime64"):
        to_parquet(ds.assign(day=("time", np.zeros(10, "datetime64[ns]"))), path)
    with pytest.raises(TypeError, match="attributes are text, numbers"):
        to_parquet(ds.assign_attrs(made_by=object()), path)
    one, other = ds.assign(whole=("time", np.ones(10, bool))), ds.assign(whole=("time", np.ones(10, int)))
    with pytest.raises(TypeError, match="'whole' holds int64 in b, and bool"):
        to_parquet(xr.DataTree.from_dict({"a": one, "b": other}), path)
    assert not path.exists()
