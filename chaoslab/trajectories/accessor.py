"""`ds.chaos`: what one does with a trajectory, beside all that xarray does."""

from collections.abc import Callable

import numpy as np
import xarray as xr

from ..systems import System, suggest
from .grid import whole
from .pieces import moments, pieces
from .schema import DIMS, check, system_of


@xr.register_dataset_accessor("chaos")
class ChaosAccessor:
    """Methods of trajectory datasets; upper layers add theirs by `register`."""

    def __init__(self, ds: xr.Dataset):
        self._ds = ds

    @classmethod
    def register(cls, method: Callable) -> Callable:
        """Add a function of a dataset as a method of `ds.chaos`."""

        def bound(self, *args, **options):
            return method(self._ds, *args, **options)

        bound.__name__, bound.__doc__ = method.__name__, method.__doc__
        setattr(cls, method.__name__, bound)
        return method

    @property
    def system(self) -> System:
        """The System the trajectory was made with, rebuilt from the dataset's attributes."""
        return system_of(self._ds)

    def check(self) -> xr.Dataset:
        """The dataset itself if it follows the trajectory schema; raises SchemaError if not."""
        return check(self._ds)

    @property
    def shown(self) -> xr.DataArray:
        """What a figure shows: the observed (bounded) coordinates where there are any, else the state."""
        return self._ds["observed"] if "observed" in self._ds else self._ds["state"]

    def standardize(self) -> xr.Dataset:
        """`state`, `observed` and `derivative` with mean 0 and standard deviation 1 over members and time.

        The means and deviations used are kept as `mean` and `deviation` along component (those of the state).
        """
        ds, kept = self._ds, {}
        for key in ("state", "observed"):
            if key in ds:
                mean, spread = moments(ds[key], ["member", "time"])
                spread = spread.where(spread > 0, 1.0)
                kept[key] = (ds[key] - mean) / spread
                if key == "state":
                    kept |= {"mean": mean, "deviation": spread}
                    if "derivative" in ds:
                        kept["derivative"] = ds["derivative"] / spread
        return ds.assign(kept)

    def embed(self, component: str | None = None, *, dimension: int = 3, lag: int = 1) -> xr.DataArray:
        """Delay vectors of one component: (member, time, delay), where delay d looks back d * lag samples."""
        series = self._series(component)
        span = (whole(dimension, "dimension") - 1) * whole(lag, "lag")
        if span >= series.sizes["time"]:
            raise ValueError(
                f"{dimension} delays of {lag} samples need more than {span} samples; the series has {series.sizes['time']}"
            )
        delays = [series.shift(time=d * lag) for d in range(dimension)]
        stacked = xr.concat(delays, dim="delay").assign_coords(delay=np.arange(dimension) * lag)
        return stacked.isel(time=slice(span, None)).transpose("member", "time", "delay")

    def windows(self, length: int, *, step: int | None = None) -> xr.DataArray:
        """Pieces of `length` samples, one every `step` (default: end to end): (member, window, sample, component)."""
        return pieces(self.shown, length, step=length if step is None else step)

    def resample(self, samples: int) -> xr.Dataset:
        """The trajectory at another number of samples a period, integrated anew from its first state: exact, not interpolated."""
        from .simulate import simulate

        ds = self._ds
        if ds["period"].isnull().any():
            raise ValueError("the trajectory has no period; simulate again with another step=")
        if ds.attrs["kind"] == "delay" or ds.attrs["noise"] != "none" or "parameters" in ds.coords:
            raise ValueError(
                "only a noiseless flow or map with one set of parameters follows from its first state alone; simulate this again"
            )
        if ds.sizes["time"] < 2 or (ds["status"] != "ok").any():
            raise ValueError("only whole trajectories of at least two samples can be resampled")
        periods = float(ds["period"][-1] - ds["period"][0]) * ds.sizes["time"] / (ds.sizes["time"] - 1)
        system = self.system
        if system.period is None:
            from dataclasses import replace

            system = replace(system, period=float(ds["time"][1] / ds["period"][1]))
        options = {"tolerance": ds.attrs["tolerance"], "solver": ds.attrs["solver"]} if system.kind == "flow" else {}
        return simulate(system, round(periods, 9), samples, initial=ds["state"].isel(time=0).values, **options)

    def torch(self, variable: str = "state"):
        """A variable as a float64 torch tensor (member, time, component) that shares memory where it can."""
        import torch

        return torch.as_tensor(np.ascontiguousarray(self._ds[variable].transpose(*DIMS).values))

    def _series(self, component: str | None) -> xr.DataArray:
        names = [str(word) for word in self._ds["component"].values]
        component = names[0] if component is None else component
        if component not in names:
            raise ValueError(
                f"the trajectory has no component {component!r}.{suggest(str(component), names)} It has {', '.join(names)}"
            )
        return self.shown.sel(component=component, drop=True)
