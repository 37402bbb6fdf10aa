"""Scaling to mean 0 and deviation 1 as the training part has them; what is tested never has a say in it."""

import json
import warnings
from dataclasses import dataclass

import numpy as np
import xarray as xr

from ..systems import suggest
from ..trajectories import moments
from ..trajectories.schema import package_version
from .labels import describe, parsed, rebuild, text
from .layout import Data, each, name_of, parts, shown

#: Which of the fitted variables' moments scale a variable, first of those there are.
LIKE = {"state": ("state", "observed"), "derivative": ("state", "observed")}
LIKE |= dict.fromkeys(("observed", "clean", "context", "target"), ("observed", "state"))


class ScalingWarning(UserWarning):
    """A component that is constant in the training part, which is only shifted."""


@dataclass(frozen=True, eq=False)
class Scaling:
    """The mean and the standard deviation of every component of every system, of the data it was fitted on.

    `moments` has `mean` and `deviation` along variable (`state`, `observed`), component and, where data have them, system or
    member: a Dataset for a Dataset, a tree for a tree.

    >>> import chaoslab as cl
    >>> from chaoslab.datasets import Scaling
    >>> ds = cl.simulate("Lorenz", 20, 50)
    >>> scaling = Scaling.fit(ds.isel(time=slice(0, 800)))
    >>> later = scaling.apply(ds.isel(time=slice(800, None)))
    >>> bool(abs(later.state).max() < 5)
    True
    """

    moments: Data

    @classmethod
    def fit(cls, train: Data, *, by_member: bool = False) -> "Scaling":
        """The scaling of training data, over members and time; `by_member`, which needs the same members later, over time.

        Gaps are left out. Warns of components that are constant: they are shifted to 0, and not stretched.
        """
        found = cls(each(train, lambda ds, _: _fitted(ds, by_member)))
        if found.constant:
            told = "; ".join(f"{name or 'the data'}: {', '.join(words)}" for name, words in list(found.constant.items())[:3])
            more = f", and in {len(found.constant) - 3} more systems" if len(found.constant) > 3 else ""
            warnings.warn(
                f"constant in the training part, so shifted and not stretched: {told}{more}", ScalingWarning, stacklevel=2
            )
        return found

    @property
    def constant(self) -> dict[str, list[str]]:
        """Components, by system, that do not change in the data it was fitted on."""
        found = {}
        for path, ds in parts(self.moments):
            for place in np.argwhere(ds["deviation"].values == 0):
                at = ds["deviation"].isel(dict(zip(ds["deviation"].dims, place, strict=True)))
                system = str(at["system"].item()) if "system" in at.coords else path.rpartition("/")[2] or name_of(ds)
                word = str(at["component"].item()) if "component" in at.coords else "the series"
                words = found.setdefault(system, [])
                words += [word] if word not in words else []
        return found

    def apply(self, data: Data) -> Data:
        """Data of the same systems and components, scaled: state, observed, clean, derivative, or the parts of windows.

        Raises ValueError for other systems, components or members, and for data that are scaled already.
        """
        return each(data, lambda ds, name: _scaled(ds, self._of(ds, name, data)))

    def undo(self, data: Data) -> Data:
        """Data in these units, such as a forecast made of scaled data, in their own units again."""
        return each(data, lambda ds, name: _scaled(ds, self._of(ds, name, data), back=True))

    def to_json(self) -> str:
        """All of it as text, read back to the bit by `from_json`."""
        return text(describe(self.moments, lambda _: False))

    @classmethod
    def from_json(cls, words: str) -> "Scaling":
        """The scaling that `to_json` wrote; raises DataError for other text."""
        return cls(rebuild(parsed(words, "the scaling"), {}))

    def _of(self, ds: xr.Dataset, name: str, data: Data) -> xr.Dataset:
        """The moments for a Dataset of that system; raises ValueError where there are none."""
        if isinstance(self.moments, xr.Dataset):
            if isinstance(data, xr.DataTree) or name_of(self.moments) != name:
                given = "a tree" if isinstance(data, xr.DataTree) else name or "data without a name"
                raise ValueError(f"the scaling was fitted on {name_of(self.moments) or 'data without a name'}; {given} given")
            return self.moments
        known = {node.name: node for node in self.moments.subtree if node.data_vars}
        if name not in known:
            raise ValueError(
                f"the scaling was not fitted on {name or 'data without a name'}.{suggest(name, known)} It has {len(known)} systems"
            )
        return known[name].to_dataset()


def standardise(train: Data, *others: Data, by_member: bool = False) -> tuple:
    """The scaling fitted on the training part alone, the training part scaled by it, and the others by the same.

    >>> import chaoslab as cl
    >>> from chaoslab.datasets import standardise
    >>> ds = cl.simulate("Lorenz", 20, 50, members=4)
    >>> scaling, train, test = standardise(ds.isel(member=slice(0, 3)), ds.isel(member=[3]))
    >>> float(abs(train.state.mean())) < 1e-12
    True
    """
    scaling = Scaling.fit(train, by_member=by_member)
    return (scaling, *(scaling.apply(part) for part in (train, *others)))


def _fitted(ds: xr.Dataset, by_member: bool) -> xr.Dataset:
    if "scaling" in ds.attrs:
        raise ValueError(f"the data of {name_of(ds) or 'this Dataset'} are scaled already; fit on data in their own units")
    shown(ds)
    keys = [key for key in ("state", "observed") if key in ds]
    over = [dim for dim in (("time",) if by_member else ("member", "time")) if dim in ds.dims]
    found = [xr.Dataset(dict(zip(("mean", "deviation"), moments(ds[key], over), strict=True))) for key in keys]
    kept = [dim for dim in ("system", "member", "component") if dim not in over]
    joined = xr.concat(found, dim="variable", coords="minimal", compat="override")
    joined = joined.drop_vars([name for name in joined.coords if name not in kept]).assign_coords(variable=np.array(keys, object))
    how = {"over": over, "samples": ds.sizes["time"], "members": ds.sizes.get("member", 1), "version": package_version()}
    return joined.assign_attrs({"name": name_of(ds), "fitted": json.dumps(how)})


def _scaled(ds: xr.Dataset, fitted: xr.Dataset, back: bool = False) -> xr.Dataset:
    if "scaling" in ds.attrs and not back:
        raise ValueError(f"the data of {name_of(ds) or 'this Dataset'} are scaled already; undo it first")
    made = {}
    for key, like in LIKE.items():
        if key in ds:
            variable = next(word for word in like if word in fitted["variable"].values)
            own = _labelled(fitted.sel(variable=variable, drop=True), ds[key])
            made[key] = _moved(ds[key], own["mean"] * (key != "derivative"), own["deviation"], back)
    if not made:
        raise ValueError(
            f"there is nothing to scale: data have one of {', '.join(LIKE)}, this Dataset {sorted(map(str, ds.data_vars))}"
        )
    scaled = ds.assign(made)
    if back:
        scaled.attrs.pop("scaling", None)
        return scaled
    return scaled.assign_attrs(scaling=fitted.attrs["fitted"])


def _moved(series: xr.DataArray, mean: xr.DataArray, deviation: xr.DataArray, back: bool) -> xr.DataArray:
    deviation = deviation.where(deviation > 0, 1.0)
    moved = series * deviation + mean if back else (series - mean) / deviation
    return moved.transpose(*series.dims).assign_attrs(series.attrs)


def _labelled(fitted: xr.Dataset, series: xr.DataArray) -> xr.Dataset:
    """The moments in the order of the series' labels; raises ValueError for labels they do not have."""
    for dim in fitted.dims:
        own = "target_component" if dim == "component" and "target_component" in series.dims else dim
        if own not in series.dims:
            if own in series.coords and series[own].ndim == 0:
                fitted = fitted.sel({dim: _known(fitted, dim, [series[own].item()])[0]})
                continue
            raise ValueError(f"the scaling is by {dim}; '{series.name}' has dims {series.dims}")
        labels = series[own].values.tolist()
        fitted = fitted.sel({dim: _known(fitted, dim, labels)}).rename({dim: own} if own != dim else {})
    return fitted.reset_coords(drop=True)


def _known(fitted: xr.Dataset, dim: str, labels: list) -> list:
    known = fitted[dim].values.tolist()
    for label in labels:
        if label not in known:
            near = suggest(str(label), list(map(str, known)))
            raise ValueError(
                f"the scaling of {name_of(fitted) or 'the data'} was not fitted on {dim} {label!r}.{near} "
                f"It has {', '.join(map(str, known[:8]))}"
            )
    return labels
