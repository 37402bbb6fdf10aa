"""The series of one system in blocks of members: where they start, how they are rounded, and piece by piece in bounded memory."""

import hashlib
import math
from collections.abc import Iterator, Mapping
from functools import lru_cache

import numpy as np
import xarray as xr

from ..integrate import TOLERANCE
from ..systems import System
from ..trajectories import simulate
from ..trajectories.grid import period_of
from ..trajectories.noise import deviations
from ..trajectories.starts import Streams, states_at
from .recipe import SPLITS, Recipe, evenly

#: Members of a block: they share one orbit, along which they start.
BLOCK = 64
#: So many members of each split, or those of a block, have their starts found at once.
FEW = 10
#: Samples a period of noisy motion, from which coarser ones are taken where they divide it.
FINEST = 300
#: Values of a piece, at most: 8 MB.
PIECE = 2**20
#: Periods (iterates of a map) between the end of a member and the next one's start: a fixed part, and one drawn at random.
GAP, WITHIN = {"map": (20, 0)}, (1, 2)
#: Members of later blocks start this many periods (iterates of a map) apart, are shifted by this many deviations, and left alone
#: for so many Lyapunov times or, where none is known, periods, and no longer than that many periods.
APART, SHIFT, LYAPUNOV_TIMES, UNKNOWN, LONGEST = 3, 1e-6, 25.0, 200.0, 5000.0


def blocks(recipe: Recipe) -> int:
    """Blocks of each system."""
    return -(-recipe.members // BLOCK)


def plan(recipe: Recipe) -> dict[str, int]:
    """How much a recipe makes: series, samples (states), numbers, bytes of these uncompressed, and blocks, made one by one.

    >>> from chaoslab.datasets import Recipe, plan
    >>> plan(Recipe(["Lorenz", "Lorenz96"], members=100, periods=12, samples=100))
    {'series': 200, 'samples': 240000, 'numbers': 5160000, 'bytes': 41280000, 'blocks': 4}
    """
    series = recipe.members * len(recipe.systems)
    widths = [len(variables(recipe, system)) * len(kept(recipe, system)) for system in recipe.definitions]
    numbers = sum(widths) * recipe.members * recipe.count
    made = {"series": series, "samples": series * recipe.count, "numbers": numbers, "bytes": 8 * numbers}
    return made | {"blocks": blocks(recipe) * len(recipe.systems)}


def variables(recipe: Recipe, system: System) -> tuple[str, ...]:
    """What is kept of each series: the state, and what is observed of it where that does not follow from the state kept."""
    if recipe.components == "first":
        return ("observed",)
    seen = recipe.observation_noise > 0 or (system.flat.observed is not None and len(kept(recipe, system)) < system.dimension)
    return ("state", "observed") if seen else ("state",)


def kept(recipe: Recipe, system: System) -> list[int]:
    """The places of the components kept."""
    most = {"all": system.dimension, "first": 1}.get(recipe.components, recipe.components)
    return evenly(system.dimension, most)


def stretch(recipe: Recipe, system: System) -> int:
    """Samples of a piece; a delay system's series are made in one, since a piece cannot tell the next its past to all digits."""
    most = max(1, PIECE // (BLOCK * system.dimension))
    if system.kind == "delay":
        most = recipe.count
    elif _finely(recipe):  # whole periods, the same for all granularities
        most = max(1, most // FINEST) * recipe.samples
    return min(recipe.count, most)


def every(recipe: Recipe) -> int:
    """Noisy motion is sampled finely and every so many samples are kept, so that a coarse set shows the fine one's motion."""
    return FINEST // recipe.samples if _finely(recipe) else 1


def _finely(recipe: Recipe) -> bool:
    return recipe.process_noise > 0 and FINEST % recipe.samples == 0


def pieces(recipe: Recipe, system: System, block: int) -> Iterator[xr.Dataset]:
    """The series of a block, in pieces that follow one another, as the recipe wants them."""
    for ds in motion(recipe, system, block):
        yield seen(ds, recipe, system)


def motion(recipe: Recipe, system: System, block: int) -> Iterator[xr.Dataset]:
    """The trajectories of a block in pieces, with `every(recipe)` samples for each one of the recipe."""
    members, skip = min(BLOCK, recipe.members - block * BLOCK), every(recipe)
    now, done, length = starts(recipe, system, block, max(2, members)), 0, stretch(recipe, system)
    how = {"rng": seed_of(recipe, system, "noise", block), "observation_noise": recipe.observation_noise}
    how |= {"process_noise": recipe.process_noise} if system.kind != "map" else {}  # 0 too: not the definition's own
    how |= {"samples": recipe.samples * skip} if system.kind != "map" else {}
    first = {"jitter": SHIFT, "transient": alone(system)} if block else {}
    while done < recipe.count:
        count = min(length, recipe.count - done)
        ds = _continued(system, count / recipe.samples, now, how if done else how | first)
        yield ds.isel(member=slice(members))
        done, now = done + count, ds


def _continued(system: System, periods: float, now, how: Mapping) -> xr.Dataset:
    """The next so many periods of all members; those that had ended before stay NaN."""
    if not isinstance(now, xr.Dataset) or (now["status"] == "ok").all():
        return simulate(system, periods, initial=now, **how)
    well = now["member"].values[now["status"].values == "ok"]
    if not len(well):
        raise ValueError(f"every series of {system.label} has ended by t = {now['ended'].max().item():.6g}")
    ds = simulate(system, periods, initial=now.sel(member=well), **how).assign_coords(member=well)
    ds = ds.reindex(member=now["member"])
    lost = ~np.isin(now["member"].values, well)
    ds["status"].values[lost], ds["ended"].values[lost] = now["status"].values[lost], now["ended"].values[lost]
    return ds


def starts(recipe: Recipe, system: System, block: int, members: int):
    """Where the members of a block start: states (member, component), or the pasts of a delay system.

    In the first block all splits share an orbit and take turns on it, each member a little beyond the end of the last, so that no
    series meets another. Those of later blocks are near one another at first; chaos parts them before they are sampled.
    """
    if block:
        return _orbit(system, recipe.seed, recipe.transient, APART, BLOCK)[:members]
    fixed, drawn = GAP.get(system.kind, WITHIN)
    count = len(SPLITS) * (FEW if members <= FEW else BLOCK)
    orbit = _orbit(system, recipe.seed, recipe.transient, math.ceil(recipe.periods) + fixed + drawn, count)
    return orbit[SPLITS.index(recipe.split) :: len(SPLITS)][:members]


@lru_cache(maxsize=8)
def _orbit(system: System, seed: int, transient: float, apart: int, count: int):
    """States or pasts along the orbit of the stored state, so many periods or iterates apart, and a random part of two more."""
    _, drawn = GAP.get(system.kind, WITHIN)
    shifts = Streams(_seed(seed, system.label, "starts")).shared("start").random(count)
    places = transient + apart * np.arange(count) + drawn * shifts
    unit = 1.0 if system.kind == "map" else period_of(system)
    return states_at(system, places * unit, {"tolerance": TOLERANCE, "solver": None, "workers": 1})


def alone(system: System) -> float:
    """Periods after which a shift of a millionth of a deviation has grown beyond all bounds."""
    if not system.lyapunov_time:
        return UNKNOWN
    return math.ceil(min(LONGEST, LYAPUNOV_TIMES * system.lyapunov_time / (1.0 if system.kind == "map" else period_of(system))))


def seed_of(recipe: Recipe, system: System, purpose: str, block: int) -> int:
    """A seed of its own for each system, split, purpose and block."""
    return _seed(recipe.seed, system.label, recipe.split, purpose, block)


def _seed(*words) -> int:
    return int.from_bytes(hashlib.sha256(repr(words).encode()).digest()[:7])


def seen(ds: xr.Dataset, recipe: Recipe, system: System) -> xr.Dataset:
    """The samples, components and variables that the recipe keeps, rounded as it says."""
    ds = ds if "observed" in ds else ds.assign(observed=ds["state"])
    ds = ds.isel(time=slice(None, None, every(recipe)), component=kept(recipe, system))[list(variables(recipe, system))]
    if recipe.resolution is None:
        return ds
    unit = quanta(system, recipe.resolution)[kept(recipe, system)]
    return ds.map(lambda values: np.rint(values / unit) * unit + 0.0, keep_attrs=True)  # never minus zero


@lru_cache(maxsize=256)
def quanta(system: System, resolution: float) -> np.ndarray:
    """What each component is rounded to multiples of: a power of two, at most `resolution` deviations of what is observed."""
    size = deviations(system, observed=True)
    return 2.0 ** np.floor(np.log2(resolution * np.where(size > 0, size, 1.0)))
