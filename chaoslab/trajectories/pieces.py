"""Pieces of a series, and the mean and deviation of its components: what the accessor and the layers above share."""

import numpy as np
import xarray as xr

from .grid import whole


def pieces(series: xr.DataArray, length: int, *, step: int = 1) -> xr.DataArray:
    """Pieces of `length` samples, one every `step`: dims window and sample in place of time, a view that is not copied.

    `window` is the number of the sample a piece starts with, `sample` counts from 0. Raises ValueError where none fits.
    """
    length, step, total = whole(length, "length"), whole(step, "step"), series.sizes["time"]
    if length > total:
        raise ValueError(f"windows of {length} samples do not fit into {total}")
    axis = series.get_axis_num("time")
    values = np.lib.stride_tricks.sliding_window_view(series.values, length, axis=axis)
    values = np.moveaxis(values, -1, axis + 1)[(slice(None),) * axis + (slice(None, None, step),)]
    dims = (*series.dims[:axis], "window", "sample", *series.dims[axis + 1 :])
    labels = {name: label for name, label in series.coords.items() if "time" not in label.dims}
    labels |= {"window": np.arange(0, total - length + 1, step), "sample": np.arange(length)}
    return xr.DataArray(values, labels, dims, name=series.name, attrs=series.attrs)


def moments(series: xr.DataArray, over: list[str]) -> tuple[xr.DataArray, xr.DataArray]:
    """The mean and the standard deviation over these dims, without gaps; where all values are equal, exactly that and 0."""
    least, constant = series.min(over), series.min(over) == series.max(over)
    return series.mean(over).where(~constant, least), series.std(over).where(~constant, 0.0)
