"""Windows as a torch Dataset. Importing this file loads torch."""

import operator
from bisect import bisect_right
from typing import NamedTuple

import numpy as np

from ..trajectories.grid import whole
from .layout import Data, parts, series_of
from .windows import TARGETS, count_of, gapless, seen_and_target

try:
    import torch
except ImportError as error:
    raise ImportError("TorchWindows needs torch: pip install 'chaoslab[torch]'") from error


class Place(NamedTuple):
    """Where a window lies."""

    system: str
    member: int
    component: str | None
    start: int


class TorchWindows(torch.utils.data.Dataset):
    """(context, target) pairs of float32 tensors (sample, component), cut from the data as they are asked for.

    Windows go on by system, member and start. Those that hold a gap are left out. With `apart` each component is a series of
    its own, so that systems of different dimension go into one batch; without, such a tree is refused. The data are held
    once, in single precision, whatever the number of windows.

    >>> import chaoslab as cl
    >>> from chaoslab.datasets import TorchWindows
    >>> made = TorchWindows(cl.simulate("Lorenz", 10, 100), context=200, horizon=50)
    >>> len(made), made[-1][0].shape
    (751, torch.Size([200, 3]))
    """

    def __init__(self, data: Data, *, context: int, horizon: int, stride: int = 1, target: str = "seen", apart: bool = False):
        self.context, self.horizon = whole(context, "context"), whole(horizon, "horizon")
        self.stride = whole(stride, "stride")
        if target not in TARGETS:
            raise ValueError(f"the target is {' or '.join(map(repr, TARGETS))}; {target!r} given")
        self._series, self._starts, self._places = [], [], []
        for path, ds in parts(data):
            self._add(ds, path.rpartition("/")[2], target, apart)
        widths = {before.shape[1]: place[0] for (before, _), place in zip(self._series, self._places, strict=True)}
        if len(widths) > 1:
            told = ", ".join(f"{name} {width}" for width, name in sorted(widths.items())[:3])
            raise ValueError(f"systems of different dimension ({told}) do not go into one batch; give apart=True")
        self._ends = np.cumsum([len(starts) for starts in self._starts]).tolist()

    def _add(self, ds, node: str, target: str, apart: bool) -> None:
        """The series of a Dataset, and where windows start in them."""
        seen, told = seen_and_target(ds, target)
        starts = self.stride * np.arange(count_of(seen.sizes["time"], self.context, self.horizon, self.stride))
        if apart and told is not seen and "component" in seen.dims:
            told = told.sel(component=seen["component"].values)
        for system, member, place in series_of(ds, node):
            before, after = seen.isel(place), told.isel(place)
            good = gapless(before, self.context).values[starts] & gapless(after, self.horizon).values[starts + self.context]
            before = _rows(before)
            after = before if told is seen else _rows(after)
            for name, part in self._columns(seen, apart):
                self._series.append((before[:, part], after[:, part]))
                self._starts.append(starts[good])
                self._places.append((system, member, name))

    @staticmethod
    def _columns(seen, apart: bool) -> list[tuple[str | None, slice]]:
        if not apart or "component" not in seen.dims:
            return [(None, slice(None))]
        return [(str(name), slice(k, k + 1)) for k, name in enumerate(seen["component"].values)]

    def __len__(self) -> int:
        return self._ends[-1]

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        series, start = self._find(index)
        before, after = self._series[series]
        known = start + self.context
        return _copied(before[start:known]), _copied(after[known : known + self.horizon])

    def place(self, index: int) -> Place:
        """Where a window lies: its system, member, component if they are apart, and number of the first sample."""
        series, start = self._find(index)
        return Place(*self._places[series], start)

    def __repr__(self) -> str:
        return (
            f"TorchWindows({len(self)} windows of {self.context} + {self.horizon} samples, one every {self.stride}, "
            f"from {len(self._series)} series)"
        )

    def _find(self, index: int) -> tuple[int, int]:
        index = operator.index(index)
        if not -len(self) <= index < len(self):
            raise IndexError(f"there are {len(self)} windows; number {index} asked for")
        index %= len(self)
        series = bisect_right(self._ends, index)
        first = self._ends[series - 1] if series else 0
        return series, int(self._starts[series][index - first])


def _copied(rows: np.ndarray) -> torch.Tensor:
    """A tensor of its own, that one may write into."""
    return torch.from_numpy(rows.copy())


def _rows(series) -> np.ndarray:
    """A series in single precision, with a column a component."""
    values = series.transpose("time", ...).values
    return np.ascontiguousarray(values.reshape(len(values), -1), np.float32)
