"""Windows: exact edges, views, gaps, and the same windows as a torch Dataset."""

import json
import pickle

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader, Dataset

import chaoslab as cl
from chaoslab.datasets import TorchWindows, windows


def counting(members: int = 2, count: int = 20, components: int = 3) -> xr.Dataset:
    """Data whose numbers say where they lie: 1000 * member + sample + component / 10."""
    member, time, component = np.ogrid[:members, :count, :components]
    labels = {"time": 0.5 * np.arange(count), "period": ("time", np.arange(count) / 10), "member": np.arange(members)}
    labels |= {"component": np.array(["x", "y", "z"][:components], object)}
    state = 1000.0 * member + time + component / 10
    return xr.Dataset({"state": (("member", "time", "component"), state)}, labels, {"name": "Counting"})


@pytest.fixture
def univariate():
    ds = counting().isel(component=0, drop=True)
    both = xr.concat([ds, ds + 5000], dim="system").drop_vars("time")
    time = np.stack([ds.time.values, 2 * ds.time.values])
    return both.assign_coords(system=np.array(["A", "B"], object), time=(("system", "time"), time))


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 40), st.integers(1, 20), st.integers(1, 20), st.integers(1, 12))
def test_edges_are_exact(count, context, horizon, stride):
    ds = counting(2, count)
    if context + horizon > count:
        with pytest.raises(ValueError, match=f"context of {context} and a horizon of {horizon} samples do not fit into {count}"):
            windows(ds, context=context, horizon=horizon, stride=stride)
        return
    made = windows(ds, context=context, horizon=horizon, stride=stride)
    assert made["context"].dims == ("member", "window", "lag", "component")
    assert made["target"].dims == ("member", "window", "step", "component")
    starts = [k for k in range(count) if k % stride == 0 and k + context + horizon <= count]
    assert list(made["window"].values) == starts
    assert list(made["start"].values) == [0.5 * k for k in starts]
    for place, start in enumerate(starts):
        cut = made.isel(member=1, window=place, component=0)
        assert list(cut["context"].values) == [1000 + start + k for k in range(context)]
        assert list(cut["target"].values) == [1000 + start + context + k for k in range(horizon)]
    found = TorchWindows(ds, context=context, horizon=horizon, stride=stride)
    assert len(found) == 2 * len(starts)
    for index, start in [(0, 0), (len(starts), 1000), (-1, 1000 + starts[-1])]:
        known, unknown = found[index]
        assert known[:, 0].tolist() == [start + k for k in range(context)]
        assert unknown[:, 0].tolist() == [start + context + k for k in range(horizon)]


def test_labels_say_where_a_window_lies():
    made = windows(counting(), context=4, horizon=2, stride=3)
    assert made["lag"].values.tolist() == [-3, -2, -1, 0]
    assert made["step"].values.tolist() == [1, 2]
    assert made["system"].item() == "Counting"
    assert made["member"].values.tolist() == [0, 1]
    assert made["period"].dims == ("window",)
    assert made["period"].values.tolist() == [0, 0.3, 0.6, 0.9, 1.2]
    assert json.loads(made.attrs["windows"]) == {"context": 4, "horizon": 2, "stride": 3, "target": "seen"}
    row = made.stack(example=("member", "window")).transpose("example", ...)
    assert row["context"].isel(example=5, component=0).values.tolist() == [1000, 1001, 1002, 1003]
    assert row["context"].sizes["example"] == 10


def test_windows_are_views():
    ds = counting()
    made = windows(ds, context=4, horizon=2)
    for key in ("context", "target"):
        assert np.shares_memory(made[key].values, ds["state"].values)


def test_what_is_seen_is_cut(univariate):
    ds = counting()
    ds["observed"] = -ds["state"]
    ds["clean"] = ds["state"] + 0.5
    assert windows(ds, context=4, horizon=2)["target"].values[0, 0, 0, 0] == -4
    mixed = windows(ds, context=4, horizon=2, target="clean")
    assert mixed["context"].values[0, 0, 0, 0] == 0
    assert mixed["target"].values[0, 0, 0, 0] == 4.5
    hidden = windows(ds.assign_coords(hidden=("component", [False, True, False])), context=4, horizon=2)
    assert list(hidden["component"].values) == ["x", "z"]
    made = windows(univariate, context=4, horizon=2)
    assert made["context"].dims == ("system", "member", "window", "lag")
    assert made["start"].sel(system="B").values[:3].tolist() == [0, 1, 2]
    assert made["target"].sel(system="B", member=1, window=3).values.tolist() == [6007, 6008]


def test_hidden_components_can_be_foretold():
    ds = counting()
    ds = ds.assign(clean=ds["state"]).assign_coords(hidden=("component", [False, True, True]))
    made = windows(ds, context=4, horizon=2, target="clean")
    assert made["context"].sizes["component"] == 1
    assert made["target"].dims == ("member", "window", "step", "target_component")
    assert made["target"].isel(member=0, window=0, step=0).values.tolist() == [4, 4.1, 4.2]
    known, unknown = TorchWindows(ds, context=4, horizon=2, target="clean")[0]
    assert (known.shape, unknown.shape) == ((4, 1), (2, 3))
    known, unknown = TorchWindows(ds, context=4, horizon=2, target="clean", apart=True)[0]
    assert (known.shape, unknown.shape) == ((4, 1), (2, 1))


def test_a_tree_gives_a_tree():
    tree = xr.DataTree.from_dict({"A": counting(), "B": counting(1, 30, 2)})
    made = windows(tree, context=4, horizon=2)
    assert made["A"].sizes["window"] == 15
    assert dict(made["B"].sizes) == {"member": 1, "window": 25, "lag": 4, "component": 2, "step": 2}
    with pytest.raises(ValueError, match=r"different dimension \(B 2, A 3\).*apart=True"):
        TorchWindows(tree, context=4, horizon=2)
    found = TorchWindows(tree, context=4, horizon=2, apart=True)
    assert len(found) == 2 * 3 * 15 + 2 * 25
    assert found.place(-1) == ("B", 0, "y", 24)
    assert found[-1][1].numpy() == pytest.approx(np.array([[28.1], [29.1]]))
    assert len(next(iter(DataLoader(found, batch_size=200)))[0]) == 140


def test_gaps_are_told_and_left_out():
    ds = counting(2, 20, 1)
    ds["state"][0, 7, 0] = np.nan
    made = windows(ds, context=4, horizon=2)
    holed = [k for k in range(15) if k <= 7 < k + 6]
    assert np.flatnonzero(~made["whole"].values[0]).tolist() == holed
    assert made["whole"].values[1].all()
    found = TorchWindows(ds, context=4, horizon=2)
    assert len(found) == 30 - len(holed)
    assert [found.place(k).start for k in range(9)] == [0, 1, *range(8, 15)]
    assert found.place(9) == ("Counting", 1, None, 0)
    assert all(known.isfinite().all() and unknown.isfinite().all() for known, unknown in found)


def test_a_torch_dataset_works_with_workers_and_pickles(univariate):
    found = TorchWindows(counting(), context=4, horizon=2, stride=2)
    assert isinstance(found, Dataset)
    assert str(found[0][0].dtype) == "torch.float32"
    alone = [batch for batch in DataLoader(found, batch_size=5)]
    helped = [batch for batch in DataLoader(found, batch_size=5, num_workers=2)]
    assert len(alone) == len(helped) == 4
    for (known, unknown), (known2, unknown2) in zip(alone, helped, strict=True):
        assert (known == known2).all()
        assert (unknown == unknown2).all()
    again = pickle.loads(pickle.dumps(found))
    assert len(again) == len(found)
    assert (again[-3][0] == found[len(found) - 3][0]).all()
    assert repr(found).startswith("TorchWindows(16 windows of 4 + 2 samples, one every 2")
    first = TorchWindows(univariate, context=4, horizon=2)
    assert first[15 * 3][0][:, 0].tolist() == [6000, 6001, 6002, 6003]
    assert first.place(15 * 3) == ("B", 1, None, 0)


def test_writing_into_a_tensor_is_the_users_own():
    ds = counting()
    found = TorchWindows(ds, context=4, horizon=2)
    found[0][0].zero_()
    assert ds["state"].values[0, 1, 0] == 1
    assert found[0][0][1, 0] == 1


@pytest.mark.parametrize("index", [30, -31])
def test_beyond_the_end(index):
    with pytest.raises(IndexError, match="there are 30 windows"):
        TorchWindows(counting(), context=4, horizon=2)[index]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"context": 0}, "context must be a whole number of at least 1"),
        ({"horizon": 0}, "horizon must be a whole number"),
        ({"horizon": 1.5}, "horizon must be a whole number"),
        ({"stride": 0}, "stride must be a whole number"),
        ({"stride": True}, "stride must be a whole number"),
        ({"context": 19}, "do not fit into 20 samples"),
        ({"target": "truth"}, "the target is 'seen' or 'clean'; 'truth' given"),
        ({"target": "clean"}, "no variable 'clean'; `corrupt` makes one"),
    ],
)
@pytest.mark.parametrize("function", [windows, TorchWindows])
def test_bad_options_are_refused(function, options, message):
    with pytest.raises(ValueError, match=message):
        function(counting(), **({"context": 4, "horizon": 2} | options))


def test_what_is_no_data_is_refused():
    with pytest.raises(TypeError, match=r"data are an xarray Dataset, or a DataTree.*ndarray given"):
        windows(np.zeros((2, 3)), context=1, horizon=1)
    ds = cl.simulate("Lorenz", 1, 10)
    with pytest.raises(ValueError, match="'state' or 'observed'"):
        windows(ds.rename(state="position"), context=1, horizon=1)
