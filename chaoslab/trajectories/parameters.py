"""Parameter values that differ by member: given, or drawn within the ranges and tried out."""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from ..integrate import iterate, solve
from ..systems import System, as_system, suggest
from .grid import fits, period_of, positive, whole
from .starts import Streams, phases, reach

DESIGNS = ("random", "latin", "grid")
#: A motion is over where its last half moves less than this, relative to all of it.
STILL = 1e-4
#: Length of a trial, in periods.
TRIAL = {"flow": 100, "map": 2000}
#: Samples a trial is judged by.
SAMPLES = 600


def labels(system: System) -> list[str]:
    """Names of parameter values, elements of arrays one by one: rho, or w1_2."""
    return [word + "_".join(map(str, position or ())) for word, position in system.flat.places]


def rows_of(system: System, parameters) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Parameter values (member, parameter) in the order of `flat.parameters`, and starting states if they come with them."""
    if parameters is None:
        return None, None
    starts = None
    if isinstance(parameters, xr.Dataset):
        if "parameters" not in parameters.coords:
            raise ValueError("parameters is a dataset without values of parameters; pass what sample_parameters() returns")
        starts = parameters["start"].values if "start" in parameters else None
        kept = parameters["parameters"]
        missing = set(labels(system)) ^ set(map(str, kept["parameter"].values))
        if missing:
            raise ValueError(f"the parameters are not those of {system.label}: {', '.join(sorted(missing))} differ")
        return kept.sel(parameter=labels(system)).values, starts
    if not isinstance(parameters, Mapping) or not parameters:
        raise TypeError(f"parameters is a mapping, as in {{'rho': [24, 28, 99]}}; {type(parameters).__name__} given")
    arrays = {key: np.asarray(value, float) for key, value in parameters.items()}
    columns = system._columns(arrays)
    members = {np.shape(column)[0] for column in columns if np.ndim(column) == 1}
    if (
        len(members) != 1
        or members == {0}
        or any(np.ndim(column) > 1 for column in columns)
        or not all(np.isfinite(c).all() for c in columns)
    ):
        shapes = {key: value.shape for key, value in arrays.items()}
        raise ValueError(f"parameters give one finite value a member, in arrays of one length; shapes {shapes} given")
    return np.stack(np.broadcast_arrays(*columns), axis=-1), None


def parameter_coordinates(system: System, rows: np.ndarray) -> dict:
    """The coordinates `parameter` and `parameters` (member, parameter) of a dataset."""
    return {
        "parameter": ("parameter", np.array(labels(system), dtype=object)),
        "parameters": (("member", "parameter"), np.array(rows)),
    }


def sample_parameters(
    system: System | str,
    members: int,
    ranges: Mapping[str, tuple[float, float]] | None = None,
    *,
    design: str = "random",
    periods: float | None = None,
    tries: int = 100,
    rng: int | np.random.Generator = 0,
    workers: int | None = None,
) -> xr.Dataset:
    """Parameter values at which the motion goes on, for `simulate(system, parameters=...)`.

    Each point drawn is tried from the definition's state for `periods` periods (100, or 2,000 iterations of a map) and
    rejected where the motion escapes, comes to rest or fails; one that escapes later is not found out. Returns coordinates
    `parameters` (member, parameter) and the variable `start` (member, component), where the trial ended, on or near the
    attractor; attributes count the points tried and rejected.

    Parameters
    ----------
    members : how many; for a grid, points along each range
    ranges : the ends for each parameter that varies; the definition's [ranges] if not given
    design : "random" (uniform; member k is the same however many are asked for, each draws until it is admitted), "latin"
        (Latin hypercube) or "grid" (ends included); of these two, rejected points are left out
    tries : points that one member may draw

    Raises ValueError where no admissible member is found, saying why they were rejected.

    >>> sample_parameters("Lorenz", 3, {"rho": (28, 60)}).sizes["member"]
    3
    """
    system = as_system(system, "sample_parameters")
    members, tries = whole(members, "members"), whole(tries, "tries")
    if design not in DESIGNS:
        raise ValueError(f"design {design!r} is not known.{suggest(str(design), DESIGNS)} Designs are {', '.join(DESIGNS)}")
    ranges = dict(system.ranges if ranges is None else ranges)
    places, low, high = _ends(system, ranges)
    periods = positive(TRIAL["map" if system.kind == "map" else "flow"] if periods is None else periods, "periods")
    fits(system, members ** len(low) if design == "grid" else members, SAMPLES, 1)
    streams = Streams(rng)
    trial = _Trial(system, places, periods, workers)
    if design == "random":
        points, ends = _drawn(trial, streams, members, tries, low, high)
    else:
        points, ends = trial.admitted(low + _unit(design, streams, members, len(low)) * (high - low))
    if len(points) < (members if design == "random" else 1):
        missing = f"{members - len(points)} of {members} members found none" if design == "random" else "there is none"
        raise ValueError(f"no admissible parameters of {system.label} in {_described(ranges)}: {missing}; {trial.summary()}")
    rows = trial.rows(points)
    ds = xr.Dataset(
        {"start": (("member", "component"), ends)},
        coords={"member": np.arange(len(rows)), "component": np.array(system.components, dtype=object)},
    ).assign_coords(parameter_coordinates(system, rows))
    ds.attrs = {"name": system.label, "design": design, "seed": streams.seed, "ranges": _described(ranges)}
    ds.attrs |= {"trial": f"{periods:g} periods from the definition's state", "tried": trial.tried, **trial.rejected}
    return ds


def _drawn(trial: "_Trial", streams: Streams, members: int, tries: int, low, high):
    """For each member the first admissible point of its own stream."""
    generators = streams.of("parameters", members)
    points = np.full((members, len(low)), np.nan)
    ends = np.full((members, trial.system.dimension), np.nan)
    searching = np.arange(members)
    for _ in range(tries):
        points[searching] = [low + generators[k].random(len(low)) * (high - low) for k in searching]
        good, ends[searching] = trial.run(points[searching])
        searching = searching[~good]
        if not len(searching):
            break
    return np.delete(points, searching, axis=0), np.delete(ends, searching, axis=0)


def _unit(design: str, streams: Streams, members: int, dimension: int) -> np.ndarray:
    """Points (point, dimension) of a design on the unit cube."""
    if design == "grid":
        axis = np.linspace(0, 1, members) if members > 1 else np.array([0.5])
        return np.stack([part.ravel() for part in np.meshgrid(*[axis] * dimension, indexing="ij")], axis=-1)
    from scipy.stats import qmc

    return qmc.LatinHypercube(dimension, rng=streams.shared("parameters")).random(members)


def _ends(system: System, ranges) -> tuple[list[int], np.ndarray, np.ndarray]:
    """Places in the parameter vector that vary, and their lower and upper ends."""
    if not ranges:
        raise ValueError(f"{system.label} has no [ranges]; give some, as in ranges={{'rho': (20, 40)}}")
    known = labels(system)
    for key, ends in ranges.items():
        if key not in known:
            raise ValueError(f"{system.label} has no parameter {key!r}.{suggest(str(key), known)} It has {', '.join(known)}")
        if np.shape(ends) != (2,) or not np.isfinite(ends).all() or not ends[0] < ends[1]:
            raise ValueError(f"the range of {key} is two numbers, the smaller first; {ends!r} given")
    low, high = np.array([[float(end) for end in ends] for ends in ranges.values()]).T
    return [known.index(key) for key in ranges], low, high


def _described(ranges: Mapping) -> str:
    return ", ".join(f"{key} in [{low:g}, {high:g}]" for key, (low, high) in ranges.items())


class _Trial:
    """Runs points, and counts what became of them."""

    def __init__(self, system: System, places: list[int], periods: float, workers: int | None):
        self.system, self.places, self.workers = system, places, workers
        period = period_of(system)
        self.times = np.arange(SAMPLES) * (periods * period / SAMPLES)
        self.tried, self.rejected = 0, {"escaped": 0, "rested": 0, "failed": 0}

    def rows(self, points: np.ndarray) -> np.ndarray:
        """Points as whole parameter vectors."""
        rows = np.repeat(self.system.values[None], len(points), axis=0)
        rows[:, self.places] = points
        return rows

    def run(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which points are admissible, and where their trials ended."""
        system, rows = self.system, self.rows(points)
        starts = np.repeat(system.initial[None], len(rows), axis=0)
        if system.kind == "map":
            solution = iterate(system, starts, max(2, round(self.times[-1])), values=rows)
        else:
            reach(system, rows)
            solution = solve(system, starts, self.times, values=rows, tolerance=1e-9, workers=self.workers, many=True)
        rested = (solution.status == "ok") & self._still(solution.states)
        self.tried += len(points)
        self.rejected["rested"] += int(rested.sum())
        for status in ("escaped", "failed"):
            self.rejected[status] += int((solution.status == status).sum())
        return (solution.status == "ok") & ~rested, solution.states[:, -1]

    def admitted(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The admissible points, and where their trials ended."""
        good, ends = self.run(points)
        return points[good], ends[good]

    def _still(self, states: np.ndarray) -> np.ndarray:
        """Whether each member (member, time, component) has come to rest, forcing's phases aside."""
        moving = states[:, :, ~phases(self.system)]
        with np.errstate(invalid="ignore"):
            late, whole = moving[:, states.shape[1] // 2 :].std(axis=1), moving.std(axis=1)
            size = np.abs(moving).max(axis=1)
            return (late <= STILL * np.maximum(whole, 1e-6 * size)).all(axis=1)

    def summary(self) -> str:
        """What became of the points tried, in words."""
        words = {"escaped": "escaped", "rested": "came to rest", "failed": "could not be integrated"}
        parts = [f"{count} {words[key]}" for key, count in self.rejected.items() if count]
        return f"of {self.tried} points tried, " + (", ".join(parts) or "none was rejected")
