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
#: Values of a piece, at most: 16 MB.
PIECE = 2**21
#: Periods (iterates of a map) between the end of a member and the next one's start: a fixed part, and one drawn at random.
GAP, WITHIN = {"map": (20, 0)}, (1, 2)
#: Orbits of later blocks come from the stored state shifted by this many deviations, left alone for so many Lyapunov times or,
#: where none is known, periods, and no longer than that many periods.
SHIFT, LYAPUNOV_TIMES, UNKNOWN, LONGEST = 1e-6, 25.0, 200.0, 5000.0


def blocks(recipe: Recipe) -> int:
    """Blocks of each system."""
    return -(-recipe.members // BLOCK)


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
    how |= {"process_noise": recipe.process_noise} if system.kind == "flow" else {}  # 0 too: not the definition's own
    how |= {"samples": recipe.samples * skip} if system.kind != "map" else {}
    while done < recipe.count:
        count = min(length, recipe.count - done)
        ds = _continued(system, count / recipe.samples, now, how)
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

    All splits share the orbit and take turns on it, so that no member of one meets a member of another, or of its own.
    """
    orbit = _orbit(system, recipe.seed, recipe.transient, math.ceil(recipe.periods), block, FEW if members <= FEW else BLOCK)
    return orbit[SPLITS.index(recipe.split) :: len(SPLITS)][:members]


@lru_cache(maxsize=8)
def _orbit(system: System, seed: int, transient: float, periods: int, block: int, members: int):
    """States or pasts along the orbit of a block, for so many members of each split, each a little beyond the end of the last."""
    streams = Streams(_seed(seed, system.label, "starts", block))
    fixed, drawn = GAP.get(system.kind, WITHIN)
    count = len(SPLITS) * members
    places = transient + (periods + fixed + drawn) * np.arange(count) + drawn * streams.shared("start").random(count)
    shift = None
    if block:
        shift = SHIFT * deviations(system) * streams.shared("shift").standard_normal(system.dimension)
        places = places + alone(system)
    unit = 1.0 if system.kind == "map" else period_of(system)
    return states_at(system, places * unit, {"tolerance": TOLERANCE, "solver": None, "workers": 1}, shift=shift)


def alone(system: System) -> float:
    """Periods after which a shift of a millionth of a deviation has grown beyond all bounds."""
    if not system.lyapunov_time:
        return UNKNOWN
    return min(LONGEST, LYAPUNOV_TIMES * system.lyapunov_time / (1.0 if system.kind == "map" else period_of(system)))


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
