"""When a trajectory is sampled: counts, times and the coordinates of a dataset."""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import psutil
import xarray as xr

from ..systems import System
from .timescale import NoPeriod, dominant_period

#: Default lengths: 10 periods of 100 samples for a flow, as many iterates for a map.
PERIODS, SAMPLES, ITERATES = 10, 100, 1000
#: Grids up to this many samples are kept, so that a slider pays for them once.
KEPT = 100_000


def positive(value, what: str, zero: bool = False) -> float:
    """A positive finite number, or zero where that is allowed."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{what} must be a number; {value!r} given") from None
    if not math.isfinite(number) or number < 0 or (number == 0 and not zero):
        raise ValueError(f"{what} must be {'zero or ' * zero}positive and finite; {value!r} given")
    return number


def whole(value, what: str) -> int:
    """A whole number of at least 1."""
    try:
        wrong = isinstance(value, bool) or int(value) != value or value < 1
    except (TypeError, ValueError, OverflowError):
        wrong = True
    if wrong:
        raise ValueError(f"{what} must be a whole number of at least 1; {value!r} given")
    return int(value)


class Grid(NamedTuple):
    """The period (NaN where none is needed), the number of samples, and their spacing, `length / parts`, kept as two so that
    times are rounded once. Samples go on one step after the time `before`, or from 0. The Lyapunov time, where it is known."""

    period: float
    count: int
    length: float
    parts: int
    before: float | None = None
    lyapunov_time: float | None = None

    @property
    def spacing(self) -> float:
        return self.length / self.parts

    def times(self, first: int = 0, last: int | None = None) -> np.ndarray:
        """Sample times from number `first` to before number `last`."""
        times = np.arange(first, self.count if last is None else last) * self.length / self.parts
        if self.before is not None:
            times += self.before + self.spacing
        return times


def grid(system: System, periods, samples, duration, step, needed: bool) -> Grid:
    """The grid that was asked for; `needed` says whether something else needs the period too."""
    if duration is not None or step is not None:
        if duration is None or step is None or periods is not None or samples is not None:
            raise ValueError("give duration and step together, or periods and samples; the two ways do not mix")
        duration, step = positive(duration, "duration"), positive(step, "step")
        count = math.ceil(duration / step - 1e-9)
        if system.kind == "map" and step != 1:
            raise ValueError(f"{system.label} is a map: its step is one iteration; step={step:g} given")
        return Grid(period_of(system, needed), count, step, 1)
    period = period_of(system, True)
    if system.kind == "map":
        if samples not in (None, 1):
            raise ValueError(f"{system.label} is a map: a period is one iteration and one sample; samples={samples!r} given")
        samples = 1
        periods = ITERATES if periods is None else periods
    samples = whole(SAMPLES if samples is None else samples, "samples, a period,")
    periods = positive(PERIODS if periods is None else periods, "periods")
    return Grid(period, max(1, round(periods * samples)), period, samples)


def period_of(system: System, needed: bool = True) -> float:
    """The stored period, the one found for a new system, or NaN where it is not known and not needed."""
    if system.period is not None:
        return system.period
    if not needed:
        return math.nan
    try:
        return dominant_period(system).value
    except NoPeriod as error:
        raise ValueError(f"{error}. Without a period, give duration= and step= instead of periods and transient") from error


def fits(system: System, members: int, count: int, variables: int) -> None:
    """Refuse a request that would not fit in memory, before anything is computed."""
    wanted = 8 * members * count * system.dimension * (variables + 1)
    free = psutil.virtual_memory().available
    if wanted > 0.9 * free:
        raise MemoryError(
            f"{members} members x {count} samples x {system.dimension} components need {wanted / 1e9:.3g} GB, {free / 1e9:.3g} GB "
            "are free. Ask for fewer, or write to a file as it grows: simulate(..., to='name.zarr')"
        )


def coordinates(components, members: int, when: Grid, first: int = 0, last: int | None = None):
    """The coordinates of samples from number `first` to before `last` of a trajectory whose members are all well."""
    if when.before is None and last is None and when.count <= KEPT and members <= KEPT:
        return _kept(components, members, when)
    return _made(components, members, when, first, last)


def _made(components, members: int, when: Grid, first: int = 0, last: int | None = None):
    times = when.times(first, last)
    attrs = {"long_name": "time", "units": "the system's time unit"}
    ds = xr.Dataset(
        coords={
            "member": np.arange(members),
            "time": ("time", times, attrs),
            "component": ("component", np.array(components, dtype=object)),
            "period": ("time", times / when.period, {"long_name": "time", "units": "periods"}),
            "status": ("member", np.full(members, "ok", dtype=object)),
            "ended": ("member", np.full(members, np.nan), attrs | {"long_name": "time of the end"}),
        }
    )
    if when.lyapunov_time is not None:
        ds = ds.assign_coords(lyapunov_time=("time", times / when.lyapunov_time, {"long_name": "time", "units": "Lyapunov times"}))
    for key in set(ds.coords) - {"member", "time", "component"}:
        ds[key].values.flags.writeable = False
    return ds.coords


_kept = lru_cache(maxsize=32)(_made)
