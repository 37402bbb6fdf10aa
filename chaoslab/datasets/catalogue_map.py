"""The map of the catalogue that ships: `python -m chaoslab.datasets.catalogue_map` makes it anew.

One map is of all chaotic flows and delay systems, one of all chaotic maps, both by their first observed coordinate. A run resumes:
what has been described is stored as soon as it is there.
"""

import argparse
import datetime
import json
import os
import sys
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
import xarray as xr

from ..invariants.series import checked_name
from ..sweep import sweep
from ..systems import System, load, names
from ..systems.catalogue import claimed_regime
from ..trajectories import simulate
from ..trajectories.record import defined, digest
from ..trajectories.schema import package_version
from .feature_map import feature_map
from .features import WINDOW, features, measured_period

FILE = Path(__file__).parent / "catalogue_map.npz"
COMMAND = "python -m chaoslab.datasets.catalogue_map"
STORE = Path("catalogue_map.sqlite")
KINDS = ("flow", "map")
#: Samples in a mean period; windows of a system, and periods (of maps iterations) from one's start to the next, so that they lie
#: apart; periods that pass before.
SAMPLES, WINDOWS, STRIDE, LONG, BETWEEN, BEFORE = 30, 12, 25, 600, 200, 20
#: The mean period of a stretch is measured until the sampling it asks for is that of the stretch, to this part.
TRIES, SAME = 4, 0.03
SEED = 0
#: Two halves of the flows have a slightly larger silhouette than three parts, which have names: waves, bursts, and scrolls.
CLUSTERS = 3
#: Columns of the file that are kept in little room: windows need no more than three digits.
SMALL = {"values": np.float16, "rand_index": np.float32, "position": np.float32}


@lru_cache(maxsize=2)
def catalogue_map(kind: str = "flow") -> xr.Dataset:
    """The map of all chaotic flows and delay systems of the catalogue ("flow"), or of all chaotic maps ("map").

    It is what `feature_map` returns, of 12 windows a system of its first observed coordinate: 20 mean periods of 30 samples, or
    600 iterations. The coordinates `field` and `definition` say where a system is from and which text was described; attributes
    say how and when.
    """
    checked_name(kind, KINDS, "the kind of systems")
    with np.load(FILE, allow_pickle=False) as file:
        head = json.loads(str(file[f"{kind}_head"]))
        columns = {key: (tuple(dims), file[f"{kind}_{key}"]) for key, dims in head["dims"].items()}
    text = {"system", "feature", "definition", "field"}
    columns = {key: (dims, value.astype(object) if key in text else value) for key, (dims, value) in columns.items()}
    columns = {key: (dims, value.astype(float) if key in SMALL else value) for key, (dims, value) in columns.items()}
    coordinates = {*head["coords"]}
    found = xr.Dataset(
        {key: value for key, value in columns.items() if key not in coordinates},
        coords={key: value for key, value in columns.items() if key in coordinates},
        attrs=head["attrs"],
    )
    for key in found.variables:
        found[key].values.flags.writeable = False  # it is kept
    return found


def systems(kind: str) -> list[System]:
    """The systems that a map shows: those of its kind that the catalogue calls chaotic."""
    kinds = ("map",) if kind == "map" else ("flow", "delay")
    found = (load(name) for name in names())
    return [one for one in found if one.kind in kinds and claimed_regime(one.name) == "chaotic"]


def describe(name: str, definition: str) -> dict:
    """The cell of the sweep: names and features (window, feature) of one system."""
    system = defined(name, definition)
    if system.kind == "map":
        ds = simulate(system, WINDOWS * (LONG + BETWEEN), transient=1000)
        options = {"window": LONG, "stride": LONG + BETWEEN}
    else:
        ds = at_its_period(system)
        options = {"period": SAMPLES, "samples": SAMPLES, "window": WINDOW, "stride": STRIDE}
    if (ds["status"] != "ok").any():
        raise ValueError(f"{name} {ds['status'].values[0]} at t = {float(ds['ended'][0]):.6g}")
    table = features(ds.chaos.shown.isel(component=0, member=0).values, **options, progress=False)
    return {"names": [str(one) for one in table["feature"].values], "rows": table["features"].values[0, 0].tolist()}


def at_its_period(system: System) -> xr.Dataset:
    """A trajectory of 12 windows and what lies between, with 30 samples in the mean period of its first observed coordinate."""
    unit = system.period
    for _ in range(TRIES):
        step = unit / SAMPLES
        ds = simulate(system, duration=(BEFORE + STRIDE * WINDOWS) * unit, step=step).isel(time=slice(BEFORE * SAMPLES, None))
        found = step * measured_period(ds.chaos.shown.isel(component=0, member=0).values)
        if abs(found / unit - 1) < SAME:
            break
        unit = found
    return ds


def table_of(rows: list[dict], kind: str) -> xr.Dataset:
    """The features of all systems as one table, as `features` returns it."""
    about = {"window": LONG, "samples": 0, "scale": "samples", "kind": "map"}
    if kind == "flow":
        about = {"window": WINDOW * SAMPLES, "samples": SAMPLES, "scale": "mean period", "kind": "flow"}
    libraries = {key: version(key) for key in ("aeon", "tsfresh")}
    return xr.Dataset(
        {"features": (("system", "window", "feature"), np.array([row["rows"] for row in rows], float))},
        coords={"system": [row["name"] for row in rows], "feature": rows[0]["names"]},
        attrs=about | {"sets": json.dumps(["catch22", "tsfresh"]), "calculators": "default", "libraries": json.dumps(libraries)},
    )


def write(maps: dict[str, xr.Dataset]) -> None:
    """Replace the file in one step."""
    columns = {}
    for kind, found in maps.items():
        head = {"coords": [str(key) for key in found.coords], "attrs": found.attrs, "dims": {}}
        for key, variable in found.variables.items():
            head["dims"][str(key)] = list(variable.dims)
            value = variable.values.astype(str) if variable.dtype.kind == "O" else variable.values
            columns[f"{kind}_{key}"] = value.astype(SMALL.get(key, value.dtype))
        columns[f"{kind}_head"] = np.array(json.dumps(head))
    new = FILE.with_suffix(".new.npz")
    np.savez_compressed(new, **columns)
    os.replace(new, FILE)
    catalogue_map.cache_clear()


def main(*, store: Path | None = None, workers: int | None = None) -> int:
    """Describe every chaotic system and draw the maps anew; returns the number of failures."""
    place = STORE if store is None else store
    maps, failures = {}, 0
    for kind in KINDS:
        wanted = systems(kind)
        cells = [{"name": one.name, "definition": digest(one)} for one in wanted]
        results = sweep(describe, cells, store=place, version=package_version(), workers=workers, retry=True)
        for row in results.failed:
            print(f"{row['name']}: {row['failure']}", file=sys.stderr)
        failures += len(results.failed)
        drawn = feature_map(table_of(results.rows, kind), clusters=CLUSTERS, rng=SEED)
        fields = {one.name: (one.field, digest(one)) for one in wanted}
        kept = [fields[name] for name in drawn["system"].values]
        drawn = drawn.assign_coords({key: ("system", [one[k] for one in kept]) for k, key in enumerate(("field", "definition"))})
        drawn.attrs |= {"command": COMMAND, "date": datetime.date.today().isoformat()}
        maps[kind] = drawn
    write(maps)
    if store is None and not failures:
        STORE.unlink()  # all of it is in the file now, and the next run is to describe anew
    return failures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path, help=f"where finished systems are kept; by default {STORE}, removed at the end")
    parser.add_argument("--workers", type=int, help="processes; all cores by default")
    given = parser.parse_args()
    sys.exit(min(main(store=given.store, workers=given.workers), 1))
