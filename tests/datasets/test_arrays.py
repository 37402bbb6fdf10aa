"""Plain arrays and back: the same to the bit, and no changed file is read."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import chaoslab as cl
from chaoslab.datasets import DataError, Noise, corrupt, from_numpy, read_npz, to_npz, to_numpy, windows


@pytest.fixture(scope="module")
def tree():
    made = {"/": xr.Dataset(attrs={"recipe": "{}"}), "Lorenz": cl.simulate("Lorenz", 2, 10, members=2, derivative=True)}
    return xr.DataTree.from_dict(made | {"more/Henon": corrupt(cl.simulate("Henon", 7), Noise(0.1))}, name="some")


def test_trees_come_back(tree, tmp_path):
    given = to_numpy(tree)
    assert {"Lorenz/state", "Lorenz/time", "more/Henon/observed", "labels"} <= set(given)
    assert given["Lorenz/state"].dtype == np.float64
    assert given["Lorenz/component"].tolist() == ["x", "y", "z"]
    for again in (from_numpy(given), read_npz(to_npz(tree, tmp_path / "some.npz"))):
        assert again.identical(tree)
        assert again.name == "some"
        assert again["Lorenz"].state.values.tobytes() == tree["Lorenz"].state.values.tobytes()
        assert again["Lorenz"].component.dtype == tree["Lorenz"].component.dtype


def test_windows_come_back(tree, tmp_path):
    made = windows(tree["Lorenz"].to_dataset(), context=5, horizon=2)
    assert read_npz(to_npz(made, tmp_path / "windows.npz")).identical(made)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_any_arrays_come_back(data):
    kinds = st.sampled_from(["f8", "f4", "i4", "u1", "?", "U3"])
    shape = data.draw(arrays.array_shapes(min_dims=3, max_dims=3, min_side=0, max_side=3))
    text = arrays.arrays(
        "U3", shape, elements=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=3)
    )
    kind = data.draw(kinds)
    values = data.draw(text if kind == "U3" else arrays.arrays(kind, shape))
    ds = xr.Dataset({"state": (("member", "time", "component"), values)}, attrs={"note": data.draw(st.text())})
    again = from_numpy(to_numpy(ds))
    assert again.identical(ds)
    assert again.state.dtype == ds.state.dtype
    assert again.state.values.tobytes() == ds.state.values.tobytes()


def test_missing_and_misshapen_arrays_are_told(tree):
    given = to_numpy(tree)
    with pytest.raises(DataError, match=r"'Lorenz/state' has shape .* it is missing"):
        from_numpy({key: value for key, value in given.items() if key != "Lorenz/state"})
    with pytest.raises(DataError, match=r"has shape \(2, 20, 3\) by its labels; \(2, 19, 3\) given"):
        from_numpy(given | {"Lorenz/state": given["Lorenz/state"][:, 1:]})
    with pytest.raises(DataError, match="no array 'labels'"):
        from_numpy({"state": np.zeros(3)})
    with pytest.raises(ValueError, match="cannot be called 'labels'"):
        to_numpy(tree["Lorenz"].to_dataset().assign(labels=1))


def test_changed_files_are_refused(tree, tmp_path):
    path = to_npz(tree, tmp_path / "some.npz")
    whole = path.read_bytes()
    for share in (0.0, 0.3, 0.99):
        path.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(DataError, match="not a whole npz file"):
            read_npz(path)
    path.write_bytes(whole)
    with np.load(path) as file:
        given = dict(file)
    given["Lorenz/state"] = given["Lorenz/state"] + 1e-9
    np.savez(path, **given)
    with pytest.raises(DataError, match=r"'Lorenz/state' in .* is not what was written"):
        read_npz(path)
    np.savez(path, a=1)
    with pytest.raises(DataError, match="not those of chaoslab"):
        read_npz(path)
    with pytest.raises(FileExistsError, match="not written by chaoslab"):
        to_npz(tree, path, overwrite=True)
