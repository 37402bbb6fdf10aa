"""Makes the collection that is shipped: python -m chaoslab.datasets.ship [FOLDER]."""

import argparse
import datetime
import hashlib
import importlib.util
import json
import lzma
import os
import platform
import sys
import zipfile
from functools import partial
from importlib.metadata import version
from itertools import product
from pathlib import Path

import numpy as np
import xarray as xr

from ..sweep import sweep
from ..systems import System, load
from ..trajectories.grid import period_of
from ..trajectories.schema import package_version
from .collection import GRANULARITIES, MANIFEST, MEMBERS, part_name, standard
from .packing import pack
from .recipe import Recipe
from .series import kept, motion, quanta, seen

COMMAND = "python -m chaoslab.datasets.ship"
LICENCE = "CC-BY-4.0"
#: Attributes that differ from part to part, but not from system to system, or from system to system alone.
DEFINING = ("name", "kind", "system", "parameters")


def ship(folder: str | os.PathLike, *, systems=None, workers: int | None = None, progress: bool = True) -> dict:
    """Make the files of the standard collection in a folder, or those of some systems; gives the manifest.

    What was packed before an interruption is not made again.
    """
    folder = Path(folder)
    work = folder / "unfinished"
    work.mkdir(parents=True, exist_ok=True)
    names = [label for label in standard().labels if systems is None or label in systems]
    notes = {"store": work / "notes.sqlite", "version": standard().hash, "retry": True, "workers": workers}
    found = sweep(partial(packed, str(work)), {"system": names}, label="series", progress=progress, **notes)
    for cell, outcome in found.table:
        if outcome.status != "ok":
            raise RuntimeError(f"{cell['system']}: {outcome.failure}\n{outcome.traceback}")
    said = _manifest({cell["system"]: json.loads(outcome.result)["made"] for cell, outcome in found.table})
    for split, granularity, noise in product(MEMBERS, GRANULARITIES, (False, True)):
        part = part_name(split, granularity, noise)
        told = said["parts"][part]
        told["recipe"] = standard(split, granularity=granularity, noise=noise, systems=list(told["systems"])).to_json()
        told["sha256"] = _zipped(folder / f"{part}.zip", work, part, told["systems"])
    _written(folder / MANIFEST, lzma.compress(json.dumps(said).encode(), preset=9))
    for file in sorted(work.iterdir()):
        file.unlink()
    work.rmdir()
    return said


def packed(work: str, system: str) -> dict:
    """Pack all parts of one system into files; says what is to be known of them."""
    known, parts = load(system), {}
    for split in MEMBERS:
        for noise in (False, True):
            for granularity, ds in _series(known, split, noise):
                part = part_name(split, granularity, noise)
                recipe = _alone(known, split, granularity, noise)
                unit = quanta(known, recipe.resolution)[kept(recipe, known)]
                for name in ds.data_vars:
                    _written(Path(work) / f"{part}-{system}-{name}", pack(ds[name].values, unit))
                ended = [None if np.isnan(one) else one for one in ds["ended"].values.tolist()]
                parts[part] = {"variables": list(ds.data_vars), "status": ds["status"].values.tolist(), "ended": ended}
                parts[part]["attrs"] = dict(ds.attrs)
    same = {"component": ds["component"].values.tolist(), "period": period_of(known), "lyapunov_time": known.lyapunov_time}
    return {"made": {"same": same, "parts": parts}}


def _series(system: System, split: str, noise: bool):
    """Both granularities of a split; with noise, of one motion."""
    made = None
    for granularity in sorted(GRANULARITIES, key=GRANULARITIES.get, reverse=True):
        recipe = _alone(system, split, granularity, noise)
        if made is None or not noise:
            made = list(motion(recipe, system, 0))
            made = (
                made[0]
                if len(made) == 1
                else xr.concat(made, "time", coords="different", compat="equals", combine_attrs="override")
            )
        yield granularity, seen(made, recipe, system)


def _joined(pieces: list[xr.Dataset]) -> xr.Dataset:
    """One after another; the last piece knows what became of the members."""
    whole = xr.concat(pieces, "time", coords="minimal", compat="override", combine_attrs="override") if pieces[1:] else pieces[0]
    return whole.assign_coords({name: pieces[-1][name] for name in ("status", "ended")})


def _alone(system: System, split: str, granularity: str, noise: bool) -> Recipe:
    return standard(split, granularity=granularity, noise=noise, systems=(system.label,))


def _manifest(made: dict) -> dict:
    """What all parts share is said once."""
    systems, parts = {}, {}
    for name, one in made.items():
        attrs = next(iter(one["parts"].values()))["attrs"]
        systems[name] = one["same"] | {"attrs": {key: attrs[key] for key in DEFINING}}
        for part, told in one["parts"].items():
            attrs = {key: value for key, value in told["attrs"].items() if key not in DEFINING}
            parts.setdefault(part, {"systems": {}})["systems"][name] = told | {"attrs": attrs}
    return {
        "systems": systems,
        "parts": parts,
        "command": COMMAND,
        "date": datetime.date.today().isoformat(),
        "version": _versions(),
        "licence": LICENCE,
    }


def _versions() -> str:
    engine = f"heyoka {version('heyoka')}" if importlib.util.find_spec("heyoka") else f"scipy {version('scipy')}"
    return f"chaoslab {package_version()}, {engine}, numpy {np.__version__}, {platform.machine()}"


def _zipped(path: Path, work: Path, part: str, systems: dict) -> str:
    """One file of all packed series of a part, the same for the same series; gives its checksum."""
    draft = path.with_suffix(".draft")
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_STORED) as file:
        for name, told in systems.items():
            for variable in told["variables"]:
                entry = zipfile.ZipInfo(f"{name}/{variable}", date_time=(2026, 1, 1, 0, 0, 0))
                file.writestr(entry, (work / f"{part}-{name}-{variable}").read_bytes())
    os.replace(draft, path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _written(path: Path, data: bytes) -> None:
    draft = path.with_name(path.name + ".draft")
    draft.write_bytes(data)
    os.replace(draft, path)


def main(arguments=None) -> None:
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("folder", nargs="?", default=str(Path(__file__).parent / "collection"))
    folder = Path(parser.parse_args(arguments).folder)
    said = ship(folder)
    sizes = {path.name: path.stat().st_size / 1e6 for path in sorted(folder.iterdir())}
    for name, size in sizes.items():
        print(f"{name:24}{size:8.2f} MB")
    parts = [told["systems"].items() for told in said["parts"].values()]
    lost = {name for systems in parts for name, one in systems if set(one["status"]) != {"ok"}}
    print(f"{len(said['systems'])} systems, {sum(sizes.values()):.1f} MB; series that end early: {sorted(lost) or 'none'}")


if __name__ == "__main__":
    sys.exit(main())
