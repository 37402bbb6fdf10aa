"""What the shipped collection holds comes back from every format: the same values, labels and provenance."""

import numpy as np
import pytest
import xarray as xr

from chaoslab.datasets import Recipe, open_collection, read_hub, read_parquet, to_hub, to_parquet

#: Of two to twelve components, flows and delays, with names of every kind.
SYSTEMS = ["Lorenz", "MackeyGlass", "Lorenz96", "DoublePendulum", "ForcedBrusselator", "Thomas"]


def netcdf(data, folder):
    path = folder / "data.nc"
    data.to_netcdf(path, engine="h5netcdf")
    return (xr.open_datatree if isinstance(data, xr.DataTree) else xr.open_dataset)(path, engine="h5netcdf")


def zarr(data, folder):
    path = folder / "data.zarr"
    data.to_zarr(path)
    return (xr.open_datatree if isinstance(data, xr.DataTree) else xr.open_dataset)(path, engine="zarr")


def parquet(data, folder):
    path = folder / "data.parquet"
    to_parquet(data, path)
    return read_parquet(path)


def hub(data, folder):
    path = folder / "hub"
    to_hub(data, path)
    return read_hub(path)["default"]["train"]


FORMATS = [netcdf, zarr, parquet, hub]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("noise", [False, True])
def test_many_systems_come_back(form, noise, tmp_path):
    data = open_collection("test", granularity="coarse", noise=noise)
    data = xr.DataTree.from_dict({"/": data.to_dataset()} | {name: data[name].to_dataset() for name in SYSTEMS if name in data})
    back = form(data, tmp_path)
    assert set(back.children) == set(data.children)
    for name, node in data.children.items():
        same(back[name].to_dataset(), node.to_dataset())
    assert Recipe.from_json(back.attrs["recipe"]) == Recipe.from_json(data.attrs["recipe"])


@pytest.mark.parametrize("form", FORMATS)
def test_first_components_come_back(form, tmp_path):
    data = open_collection("train", granularity="coarse", components="first")
    back = form(data, tmp_path)
    same(back, data)
    assert Recipe.from_json(back.attrs["recipe"]) == Recipe.from_json(data.attrs["recipe"])


def same(back: xr.Dataset, data: xr.Dataset) -> None:
    """To the bit, whatever the order of dimensions in the file."""
    assert set(back.data_vars) == set(data.data_vars)
    assert set(back.coords) == set(data.coords)
    for key, variable in data.variables.items():
        np.testing.assert_array_equal(back[key].transpose(*variable.dims).values, variable.values, err_msg=key)
    assert {key: str(value) for key, value in back.attrs.items()} == {key: str(value) for key, value in data.attrs.items()}
