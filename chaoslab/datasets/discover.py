"""New chaotic systems, as many as are wanted, from a seed."""

import json
import math
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache, partial

from ..sweep import sweep
from ..systems import System, load, names, suggest
from ..trajectories.grid import positive, whole
from ..trajectories.schema import package_version
from .candidates import BLOCKS, apart, block, family
from .discovery import Discovery, Found
from .scalings import MOST

KINDS = tuple(BLOCKS)
#: Two systems are one where their coefficients can be brought this near to one another, as a logarithm of their ratio.
SAME = 0.02
#: Which part of the candidates is expected to pass: no more than what the first round tries.
EXPECTED = {"parameters": 0.5, "skew": 0.6, "quadratic": 0.0027}
#: Candidates of a kind that are tried for every system wanted, at most, in parts of what is expected.
PATIENCE = 20


def discover(
    n: int = 100,
    *,
    kinds: str | Iterable[str] = KINDS,
    rng: int = 0,
    lyapunov_times: float = 1000.0,
    store: str | os.PathLike | None = None,
    client=None,
    workers: int | None = None,
    progress: bool = True,
) -> Discovery:
    """`n` chaotic flows that nobody has written down, each judged by `regime`, with exponents, period and dimension.

    Candidates are drawn, each from the seed and its own number; those that escape, rest or repeat themselves fall out early. Of
    the others the exponents are taken, the orbit is followed for `lyapunov_times` Lyapunov times, and exponents are taken again
    over 1,200 periods: the largest must be three errors above zero, and at least 0.02 a period, then as before; volumes must
    shrink, and of few variables one exponent must be zero. So chaos that passes within that time is not taken for chaos.

    Parameters
    ----------
    n : how many; the first k of them are the same for every n
    kinds : which kinds take turns. "parameters": a smooth flow of the catalogue with parameters drawn in its ranges and another
        start. "skew": a chaotic one that drives a second, through a rate or a parameter. "quadratic": three or four
        variables with quadratic right-hand sides, of any terms or such as exchange energy
    rng : the seed, a whole number
    store, client, workers : as for `sweep`: a file that remembers finished blocks of candidates, so that a call that was
        interrupted, or asks for more, goes on from there; dask's workers, or so many processes. The result is the same

    No system is a duplicate of another one here, nor of a flow in the catalogue. A duplicate is: of polynomial flows of up to
    four variables, one whose coefficients all come within 2 % after scaling each variable and time, exchanging variables and
    turning signs; of others, the same equations with all parameters within 2 %. Another state alone is not another system.
    Shifts of a variable, and nonlinear changes, are not looked through.

    Raises ValueError where far more candidates than usual do not give `n` systems, StoreError for a store of other settings.

    >>> found = discover(1, kinds="parameters", workers=0, progress=False)
    >>> found[0].regime
    'chaotic'
    """
    n, kinds, seed = whole(n, "n"), _kinds(kinds), _seed(rng)
    settings = {"seed": seed, "lyapunov_times": positive(lyapunov_times, "lyapunov_times")}
    stock = _Stock(settings, {"store": store, "client": client, "workers": None if client is not None else workers}, progress)
    stock.fill({kind: _share(n, kinds, kind) for kind in kinds})
    systems, chosen = [], _Chosen()
    while len(systems) < n:
        kind = kinds[len(systems) % len(kinds)]
        found = next((entry for entry in stock.over(kind) if chosen.add(entry)), None)
        if found is not None:
            systems.append(found)
            continue
        have = Counter(entry.kind for entry in systems)
        stock.fill({kind: _share(n, kinds, kind) - have[kind] for kind in kinds})
    settings |= {"kinds": list(kinds), "version": package_version()}
    return Discovery(tuple(systems), stock.counts(), settings, stock.seconds())


def _kinds(kinds) -> tuple[str, ...]:
    kinds = (kinds,) if isinstance(kinds, str) else tuple(dict.fromkeys(kinds))
    for kind in kinds:
        if kind not in KINDS:
            raise ValueError(f"there is no kind {kind!r}.{suggest(str(kind), KINDS)} Kinds are {', '.join(KINDS)}")
    if not kinds:
        raise ValueError(f"kinds is empty; choose among {', '.join(KINDS)}")
    return kinds


def _seed(rng) -> int:
    if isinstance(rng, bool) or not isinstance(rng, int) or rng < 0:
        raise ValueError(f"rng is a seed, a whole number that draws the same systems again; {rng!r} given")
    return rng


def _share(n: int, kinds: tuple[str, ...], kind: str) -> int:
    """How many of n systems are of a kind, when kinds take turns."""
    return n // len(kinds) + (kinds.index(kind) < n % len(kinds))


class _Stock:
    """Blocks of candidates by kind, in order, and how far each kind has been used up."""

    def __init__(self, settings: dict, options: dict, progress: bool):
        self.function = partial(block, **settings)
        self.options, self.progress = options, progress
        self.blocks: dict[str, list[dict]] = {}
        self.used: dict[str, tuple[int, int]] = {}

    def fill(self, wanted: dict[str, int]) -> None:
        """Try more blocks of each kind that lacks systems: so many as these many will probably need."""
        cells = []
        for kind, missing in wanted.items():
            made = self.blocks.setdefault(kind, [])
            self.used.setdefault(kind, (0, 0))
            missing -= sum(len(part["found"]) for part in made[self.used[kind][0] :]) - self.used[kind][1]
            if missing <= 0:
                continue
            found, tried = sum(len(part["found"]) for part in made), len(made) * BLOCKS[kind]
            least = EXPECTED[kind] / PATIENCE
            if found < least * tried - 10:
                raise ValueError(f"of {tried} {kind} candidates only {found} are chaotic for that long, so no more are tried")
            rate = max((found + 2) / (tried + 2 / EXPECTED[kind]), least)
            more = math.ceil((missing + math.sqrt(missing)) / rate / BLOCKS[kind])
            cells += [{"kind": kind, "part": len(made) + k} for k in range(more)]
        if not cells:
            return
        cells.sort(key=lambda cell: -BLOCKS[cell["kind"]])  # the longest first, so that all processes end at about the same time
        options = {"version": package_version(), "retry": True, "progress": self.progress, "label": "blocks of candidates"}
        results = sweep(self.function, cells, **self.options, **options)
        for cell, outcome in results.table:
            if outcome.status != "ok":
                raise RuntimeError(f"block {cell['part']} of {cell['kind']} failed: {outcome.failure}\n{outcome.traceback}")
            self.blocks[cell["kind"]].append(json.loads(outcome.result))

    def over(self, kind: str) -> Iterator[Found]:
        """The systems of a kind that were not given out yet."""
        part, place = self.used[kind]
        while part < len(self.blocks[kind]):
            rows = self.blocks[kind][part]["found"]
            if place == len(rows):
                part, place = part + 1, 0
                self.used[kind] = part, place
                continue
            place += 1
            self.used[kind] = part, place
            yield Found.of(rows[place - 1])

    def _looked_at(self, kind: str) -> list[dict]:
        part, place = self.used[kind]
        return self.blocks[kind][: part + (place > 0)]

    def counts(self) -> dict[str, dict[str, int]]:
        """What became of the candidates of the blocks that systems were taken from, by kind."""
        return {kind: dict(sum((Counter(part["fates"]) for part in self._looked_at(kind)), Counter())) for kind in self.blocks}

    def seconds(self) -> dict[str, float]:
        """Processor time of these blocks, by kind."""
        return {kind: sum(part["cpu"] for part in self._looked_at(kind)) for kind in self.blocks}


class _Chosen:
    """The systems that are in already, and the catalogue, by family: what a new one may be a duplicate of."""

    def __init__(self):
        self.families = {key: list(rows) for key, rows in _catalogue().items()}
        self.names = set()

    def add(self, entry: Found) -> bool:
        """Take it in, unless there is the same already."""
        key, place = family(entry.system, entry.kind, list(entry.parents))
        rows = self.families.setdefault(key, [])
        if entry.name in self.names or any(apart(place, other) < SAME for other in rows):
            return False
        rows.append(place)
        self.names.add(entry.name)
        return True


@lru_cache(maxsize=1)
def _catalogue() -> dict[str, list]:
    """The catalogue's flows by family."""
    found: dict[str, list] = {}
    for name in names("flow"):
        system = load(name)
        if system.index or system.dimension > MOST + 1:
            continue
        key, place = family(system, "parameters", [name])
        found.setdefault(key, []).append(place)
    return found


def duplicate_of(system: System, others: Iterable[System]) -> System | None:
    """The first of the others that is the same flow but for scales, order and signs of variables; None where there is none."""
    mine = family(system, "parameters", [system.name])
    for other in others:
        theirs = family(other, "parameters", [other.name])
        if mine[0] == theirs[0] and apart(mine[1], theirs[1]) < SAME:
            return other
    return None
