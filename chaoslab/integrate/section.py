"""Where motions cross a surface: members followed stretch by stretch until each has its crossings, or has ended."""

import math
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from ..systems.system import System
from ..systems.tree import Node
from . import members
from .pieces import Stretch, alone, motion
from .solve import ESCAPED, TOLERANCE, default_solver, sizes_of
from .zeros import Function, Zeros

#: A stretch this short, relative to the time or to the patience, is no progress.
SHORT = 1e-14
#: Pieces of a stretch of all members together.
PIECES = (64, 8192)


@dataclass(frozen=True)
class Crossings:
    """Crossings by member: `times`, `directions`, `residuals` (member, crossing) and `states` (member, crossing, component),
    NaN beyond a member's last; `status`, `ended` and `reasons` as in Solution, and the `range` (member, 2) of the function."""

    times: np.ndarray
    states: np.ndarray
    directions: np.ndarray
    residuals: np.ndarray
    status: np.ndarray
    ended: np.ndarray
    reasons: tuple[str, ...]
    range: np.ndarray
    solver: str


def crossings(
    system: System,
    surface: Node,
    initial,
    *,
    count: int,
    patience: float,
    direction: int = 0,
    values: np.ndarray | None = None,
    start: float = 0.0,
    corners: bool = False,
    tolerance: float = TOLERANCE,
    solver: str | None = None,
    workers: int | None = None,
) -> Crossings:
    """The first `count` crossings of `surface` = 0 by each member, from `initial` (member, component) at time `start`.

    `surface` is a tree of the flow's variables, parameters, time and `zeros.rate(component)`. `direction` is 1 where it grows
    through zero, -1 where it falls, 0 for both. A touch is no crossing, nor is a start on the surface; where a motion stays on it
    and then leaves to the other side, it crosses where it arrived. A jump through zero counts with `corners` alone. A member
    fails that has not crossed for a time of `patience`. `values` as in `solve`; of a delay system `initial` may be pasts.
    """
    solver = solver or default_solver()
    values = np.broadcast_to(system.values if values is None else values, (len(initial), len(system.values)))
    function, sizes = Function(system.flat, surface, corners), sizes_of(initial)
    records = [_Record(start, size) for size in sizes]
    single = alone(system, solver)
    initial = list(initial) if system.kind == "delay" else np.asarray(initial, float)

    def follow(here: list[int]) -> None:
        pick = [initial[k] for k in here] if system.kind == "delay" else initial[here]
        moving = motion(system, pick, start, values[here], tolerance, solver)
        if not _followed(moving, function, values[here], [records[k] for k in here], count, direction, patience) and len(here) > 1:
            for k in here:  # one that ends stops the others in its vector
                records[k] = _Record(start, sizes[k])
                follow([k])

    width = 1 if single or len(initial) == 1 else _width()
    groups = [list(range(k, min(k + width, len(initial)))) for k in range(0, len(initial), width)]
    members.each(lambda number: follow(groups[number]), len(groups), 1 if single else workers, size=width)
    return _gathered(records, count, system.dimension, solver)


@lru_cache(maxsize=1)
def _width() -> int:
    import heyoka as hy

    return hy.recommended_simd_size()


@dataclass
class _Record:
    """What has been found of one member."""

    last: float  # time of the last crossing, or the start
    size: float
    parts: list = field(default_factory=list)
    found: int = 0
    sign: float = 0.0
    low: float = math.inf
    high: float = -math.inf
    status: str = "ok"
    ended: float = math.nan
    reason: str = ""


def _followed(moving, function, values, records, count: int, direction: int, patience: float) -> bool:
    """Follow members until each has its crossings or has ended; False where one of several is not well."""
    steps, done = PIECES[0], 0
    while True:
        open_ = np.array([record.found < count and record.status == "ok" for record in records])
        if not open_.any():
            return True
        ends = np.array([record.last + patience for record in records])
        made = moving.advance(steps, ends)
        if len(records) > 1 and not made.well.all():
            return False
        found = function.zeros(made, values, np.array([record.sign for record in records]))
        for k in np.flatnonzero(open_):
            _note(records[k], found, made, k, direction)
            record = records[k]
            if record.found < count and not _goes_on(record, made, k, patience):
                record.reason = record.reason or getattr(moving, "message", "")
                record.status = "failed" if record.reason else "escaped"
        done += made.coefficients.shape[-1]
        needed = max(count - record.found for record in records)
        most = max(PIECES[0], PIECES[1] // len(records))
        least = max(1, min(record.found for record in records))
        steps = int(np.clip(1.1 * needed * done / least, PIECES[0], most))


def _note(record: _Record, found: "Zeros", made: Stretch, k: int, direction: int) -> None:
    """Take over what was found of one member."""
    mine = found.member == k
    if direction:
        mine &= found.direction == direction
    if mine.any():
        record.parts.append((found.time[mine], found.state[mine], found.direction[mine], found.residual[mine]))
        record.found += int(mine.sum())
        record.last = float(found.time[mine][-1])
    record.sign = float(found.sign[k])
    record.low, record.high = min(record.low, found.low[k]), max(record.high, found.high[k])


def _goes_on(record: _Record, made: Stretch, k: int, patience: float) -> bool:
    """Whether a member may still cross; where not, when it ended, and why it failed."""
    size = np.abs(made.coefficients[:, 0, k]).max(axis=0)
    large = ~(size < ESCAPED * record.size)
    begin, now = float(made.edges[k, 0]), float(made.edges[k, -1])
    if large.any() or not made.well[k]:
        record.ended = float(made.edges[k, large.argmax()]) if large.any() else now
        return False
    record.ended, end = now, record.last + patience
    if now >= end - SHORT * max(abs(end), patience):
        since = f"crossed the surface {record.found} times, and then not" if record.found else "did not cross the surface"
        record.reason = f"{since} for {patience:.4g} time units, while its function lay in [{record.low:.6g}, {record.high:.6g}]"
    elif now - begin < SHORT * max(abs(now), patience):
        record.reason = f"needs ever shorter steps at t = {now:.6g}"
    else:
        record.ended = math.nan
        return True
    return False


def _gathered(records: list[_Record], count: int, dimension: int, solver: str) -> Crossings:
    shape = len(records), count
    times, directions, residuals = (np.full(shape, np.nan) for _ in range(3))
    states = np.full((*shape, dimension), np.nan)
    for k, record in enumerate(records):
        if record.parts:
            columns = [np.concatenate(part) for part in zip(*record.parts, strict=True)]
            sound = ~(columns[0] >= record.ended) if record.status == "escaped" else slice(None)
            columns = [column[sound][:count] for column in columns]
            for out, column in zip((times, states, directions, residuals), columns, strict=True):
                out[k, : len(column)] = column
    status = np.array([record.status for record in records], dtype="<U7")
    ended, reasons = np.array([record.ended for record in records]), tuple(record.reason for record in records)
    span = np.array([(record.low, record.high) for record in records])
    return Crossings(times, states, directions, residuals, status, ended, reasons, span, solver)
