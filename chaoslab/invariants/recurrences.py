"""Attractors found by recurrence: a motion on one comes back to cells of the state space where it has been.

Datseris & Wagemakers, Chaos 32, 023104 (2022), here for many starts at once. A few motions are followed until they keep to cells
that they have visited before; all others until they keep to the cells of an attractor that is known.
"""

from dataclasses import dataclass, field

import numpy as np

from ..integrate import default_solver, iterate, sizes_of
from ..integrate.exponents import with_whole_powers
from ..integrate.solve import flow, marked
from ..integrate.tangent import turning
from ..systems import System
from ..trajectories.starts import phases
from .orbit import time_unit
from .settling import watched

#: Looks a time unit of a flow that has no forcing; one with a single phase is looked at once a round.
LOOKS = 10
#: Looks in a row at known cells by which a start is told; by which, or by which part of many, a motion is found to recur.
HITS, RECUR, OFTEN = 20, 60, 0.9
#: Looks between two decisions, and of the runs that set the size of a cell.
BLOCK, SIZING = 50, 400
#: Looks that an attractor is followed for before its cells are noted, and at most while they are.
SETTLE, MOST = 1000, 50_000
#: It is all there when the last half of a stretch adds less than this part of its cells; it stays where it is when its extent
#: changes by less than this part, or less than a cell.
NEW, CHANGE = 0.02, 0.05
#: A motion that is told by nothing has escaped if it ends further away than so many extents of the others.
FAR = 100.0
#: The part of all states, at either end of a coordinate, that does not count for the size of cells.
OUTSIDE = 0.005
#: Shifted copies that try whether a recurrent motion attracts, how far in cells, and how many have to come back.
COPIES, SHIFT, BACK = 8, 0.5, 0.75
#: The part of its looks that a copy that came back spends in the cells that were noted; of a strange attractor some are missing.
HALF = 0.5
#: Recurrent motions in a row that attract nothing, after which no more are tried.
VAIN = 5
#: States of an attractor that are kept to be drawn.
DRAWN = 500
UNDECIDED, ESCAPED = 0, -1


@dataclass
class Attractor:
    """States (look, component) on an attractor, the keys of its cells, and its extent (2, coordinate)."""

    states: np.ndarray
    keys: np.ndarray
    extent: np.ndarray


@dataclass
class Search:
    """What is known of a system's attractors, and the cells they are known by.

    `step` is the time between looks; `width` and `low` (coordinate,) are those of a cell, `low` and `high` the ends of where
    motions usually are; `most` is how many looks a motion may take.
    """

    system: System
    step: float
    most: int
    tolerance: float
    hits: int = HITS
    workers: int | None = None
    cells: int = 0
    low: np.ndarray = None
    high: np.ndarray = None
    width: np.ndarray = None
    moved: np.ndarray = None
    attractors: list[Attractor] = field(default_factory=list)

    def __post_init__(self):
        self.coordinates = watched(self.system)
        self.labels = np.empty(0, np.int64), np.empty(0, np.int64)

    # --- motions and cells -----------------------------------------------------------------------------------------

    def states(self, starts: np.ndarray, looks: int, done: int = 0) -> np.ndarray:
        """States (member, look, component) at the next looks; NaN from where a motion has left for good."""
        system, sizes = self.system, sizes_of(starts)
        if system.kind == "map":
            return iterate(system, starts, looks, skip=1, first=done, sizes=sizes).states
        solver, times = default_solver(), (done + np.arange(1, looks + 1)) * self.step
        values = np.broadcast_to(system.values, (len(starts), len(system.values)))
        flat = with_whole_powers(system.flat, values)
        begin = done * self.step
        found = flow(
            flat, starts, times, values, begin, self.tolerance, solver, self.workers, len(starts) > 1, wary=not done
        )  # gaps of the series are at starts
        return marked(found[0], times, sizes, *found[1:], solver).states

    def seen(self, states: np.ndarray) -> np.ndarray:
        """Coordinates (..., coordinate) of states: without what just counts time."""
        return self.system._evaluate(self.coordinates, states, 0.0, {})

    def keys(self, seen: np.ndarray) -> np.ndarray:
        """A number for the cell of each point (..., coordinate)."""
        with np.errstate(invalid="ignore"):
            cells = np.floor((seen - self.low) / self.width)
            cells = np.where(np.abs(cells) < 2**50, cells, 2**50).astype(np.int64)
        key = np.zeros(cells.shape[:-1], np.int64)
        with np.errstate(over="ignore"):
            for column in np.moveaxis(cells, -1, 0):  # two cells share a number once in 2^63
                key = (key ^ column) * np.int64(0x9E3779B97F4A7C1 | 1)
                key ^= key >> 29
        return key

    def away(self, seen: np.ndarray) -> np.ndarray:
        """Whether points (..., coordinate) lie far off, or are lost."""
        span = FAR * (self.high - self.low)
        with np.errstate(invalid="ignore"):
            return ~((seen > self.low - span) & (seen < self.high + span)).all(axis=-1)

    def known(self, keys: np.ndarray) -> np.ndarray:
        """The number of the attractor that each cell belongs to, 0 where to none."""
        cells, owners = self.labels
        if not len(cells):
            return np.zeros(keys.shape, np.int64)
        place = np.minimum(np.searchsorted(cells, keys), len(cells) - 1)
        return np.where(cells[place] == keys, owners[place], 0)

    def measure(self, starts: np.ndarray, cells: int) -> None:
        """Set the cells: so many along each coordinate of where motions from these starts usually are."""
        self.cells = cells
        states = np.concatenate([starts[:, None], self.states(starts, SIZING)], axis=1)
        whole = np.isfinite(states).all(axis=(1, 2))
        states = states[whole] if whole.any() else states[:, :1]  # where all escape, there are only the starts
        self.low, self.high = _usual(self.seen(states))
        self.width = (self.high - self.low) / cells
        low, high = _usual(states)
        self.moved = (high - low) / cells
        self.moved[turning(self.system)] = 2 * np.pi / cells
        self.moved[phases(self.system)] = 0.0

    # --- many starts at once ---------------------------------------------------------------------------------------

    def told(self, starts: np.ndarray, done: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Where motions from these starts go: an attractor's number, ESCAPED or UNDECIDED, the looks that took, and last states."""
        count = len(starts)
        label, looks, last = np.zeros(count, np.int64), np.zeros(count, np.int64), np.array(starts, float)
        current, row, active, passed = np.zeros(count, np.int64), np.zeros(count, np.int64), np.arange(count), 0
        while len(active) and passed < self.most:
            states = self.states(last[active], BLOCK, passed)
            seen = self.seen(states)
            owners, gone = self.known(self.keys(seen)), np.isnan(states).any(axis=-1)  # a motion may go far and come back
            now, run, over = current[active], row[active], np.zeros(len(active), bool)
            for k in range(BLOCK):
                owner = np.where(gone[:, k], ESCAPED, owners[:, k])
                run = np.where(owner == 0, 0, np.where(owner == now, run + 1, 1))
                now = owner
                fresh = ~over & ((owner == ESCAPED) | (run >= self.hits))
                label[active[fresh]], looks[active[fresh]] = owner[fresh], passed + k + 1
                over |= fresh
            current[active], row[active] = now, run
            passed += BLOCK
            looks[active[~over]] = passed
            last[active[~over]] = states[~over, -1]
            active = active[~over]
            if not self.attractors and passed >= min(self.most, SIZING):
                return label, looks, last  # nothing is known that could be met; only escapes are told
        label[active[self.away(self.seen(last[active]))]] = ESCAPED
        return label, looks, last

    # --- one motion that finds an attractor ------------------------------------------------------------------------

    def pioneer(self, start: np.ndarray) -> int:
        """Follow one motion until it recurs or is told: its label, that of a new attractor where it has found one."""
        x, keys, owners, done = start[None], np.empty(0, np.int64), np.empty(0, np.int64), 0
        most = max(self.most, MOST)
        while done < most:
            looks = max(BLOCK, done)
            states = self.states(x, looks, done)[0]
            seen = self.seen(states)
            if np.isnan(states).any():
                return ESCAPED
            fresh = self.keys(seen)
            keys, owners = np.append(keys, fresh), np.append(owners, self.known(fresh))
            done, x = done + looks, states[-1:]
            if owners[-1] and _last_run(owners == owners[-1]) >= self.hits:
                return int(owners[-1])
            if done >= most and self.away(seen[-1]):
                return ESCAPED
            first = np.unique(keys, return_index=True)[1]
            again = np.ones(len(keys), bool)
            again[first] = False
            if _last_run(again) >= RECUR or (done >= SETTLE and again[done // 2 :].mean() >= OFTEN):
                return self.found(x, done)
        return UNDECIDED

    def found(self, x: np.ndarray, done: int) -> int:
        """Note the attractor that a recurrent motion (1, component) is on; its number, UNDECIDED where it attracts nothing."""
        states = self.states(x, SETTLE, done)[0]
        looks = SETTLE
        while True:  # a motion that only spirals in slowly keeps to old cells as well
            x, done = states[-1:], done + len(states)
            before, states = states, self.states(x, looks, done)[0]
            if np.isnan(states).any():
                return ESCAPED
            ends = [np.stack([s.min(axis=0), s.max(axis=0)]) for s in (self.seen(before), self.seen(states))]
            allowed = np.maximum(self.width, CHANGE * np.ptp(ends[1], axis=0))
            keys = self.keys(self.seen(states))
            new = 1 - len(np.unique(keys[: len(keys) // 2])) / len(np.unique(keys))
            if (np.abs(ends[1] - ends[0]) <= allowed).all() and new <= NEW:
                break
            if looks >= MOST:
                if not (np.abs(ends[1] - ends[0]) <= allowed).all():
                    return UNDECIDED
                break
            looks *= 2
        return self.admitted(Attractor(states, np.unique(keys), ends[1]), done + looks)

    def admitted(self, new: Attractor, done: int) -> int:
        """The number of an attractor: a new one's, or of one that it shares cells with; UNDECIDED where copies beside it leave."""
        met = self.known(new.keys)
        if met.any():
            number = int(np.bincount(met[met > 0]).argmax())
            old = self.attractors[number - 1]
            ends = np.stack([old.extent, new.extent])
            extent = np.stack([ends[:, 0].min(axis=0), ends[:, 1].max(axis=0)])
            self.attractors[number - 1] = Attractor(old.states, np.union1d(old.keys, new.keys), extent)
        else:
            if not self.attracts(new, done):
                return UNDECIDED
            self.attractors.append(new)
            number = len(self.attractors)
        owners = [np.full(len(one.keys), k) for k, one in enumerate(self.attractors, 1)]
        keys, places = np.unique(np.concatenate([one.keys for one in self.attractors]), return_index=True)
        self.labels = keys, np.concatenate(owners)[places]
        return number

    def attracts(self, new: Attractor, done: int) -> bool:
        """Whether volumes shrink there, which they do not in conservative motion, and copies shifted by part of a cell come back
        to where it goes, which those of a saddle do not."""
        if not self.shrinks(new.states):
            return False
        turns = np.random.default_rng(0).standard_normal((COPIES, self.system.dimension))
        turns /= np.linalg.norm(turns, axis=1, keepdims=True)
        copies = new.states[-1] + SHIFT * turns * self.moved
        late = self.seen(self.states(copies, SETTLE, done))[:, -SETTLE // 4 :]
        margin = 1e-2 * self.width
        inside = ((late >= new.extent[0] - self.width) & (late <= new.extent[1] + self.width)).all(axis=(1, 2))
        if (np.ptp(new.extent, axis=0) <= margin).all():  # at rest: copies end up nearer than they began
            inside &= (np.abs(late - new.extent.mean(axis=0)) <= np.maximum(SHIFT * self.width / 2, margin)).all(axis=(1, 2))
        else:
            inside &= np.isin(self.keys(late), new.keys).mean(axis=1) > HALF
        return bool(inside.mean() >= BACK)

    def shrinks(self, states: np.ndarray) -> bool:
        """Whether volumes shrink along states (look, component), to less than a third over all of them."""
        with np.errstate(divide="ignore"):
            if self.system.kind == "map":
                total = np.linalg.slogdet(self.system.jacobian(states))[1].sum()
            else:
                total = self.system.divergence(states).mean() * self.step * len(states)
        return bool(total < -1)

    def explore(self, starts: np.ndarray, label: np.ndarray | None = None) -> np.ndarray:
        """Labels (member,) of starts, with new attractors found wherever motions go to none that is known."""
        label = self.told(starts)[0] if label is None else label.copy()
        tried, vain = np.zeros(len(starts), bool), 0
        while vain < VAIN:
            open_ = np.flatnonzero((label == UNDECIDED) & ~tried)
            if not len(open_):
                break
            number, before = open_[0], len(self.attractors)
            tried[number] = True
            label[number] = self.pioneer(starts[number])
            vain = vain + 1 if label[number] == UNDECIDED else 0
            if len(self.attractors) > before and len(open_) > 1:
                label[open_[1:]], _, _ = self.told(starts[open_[1:]])
        return label


def _usual(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The ends between which nearly all points (..., coordinate) lie; a coordinate that does not vary has some width too."""
    low, high = np.quantile(points.reshape(-1, points.shape[-1]), [OUTSIDE, 1 - OUTSIDE], axis=0)
    return low, low + np.maximum(high - low, 1e-3 * max(float((high - low).max()), 1e-9))


def _last_run(flags: np.ndarray) -> int:
    """How many of the last entries are set without a break."""
    clear = np.flatnonzero(~flags)
    return len(flags) - 1 - int(clear[-1]) if len(clear) else len(flags)


def between_looks(system: System, step: float | None) -> float:
    """The time between looks: a round of the forcing, where there is a single one, else part of the time unit."""
    if system.kind == "map":
        return 1.0
    if step is not None:
        return step
    rates = system.rhs(system.initial)[phases(system)]
    if len(rates) == 1 and rates[0] and system.flat.observed is not None:
        return 2 * np.pi / abs(float(rates[0]))
    return time_unit(system) / LOOKS
