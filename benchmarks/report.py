"""What every benchmark here needs: medians taken in turns, targets with a verdict, and a small result file."""

import argparse
import datetime
import importlib.metadata
import json
import operator
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

RESULTS = Path(__file__).resolve().parent / "results"
COMPARE = {"<": operator.lt, "<=": operator.le, ">=": operator.ge, "=": operator.eq}


def seconds_of(call) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def medians_ms(*calls, least: int = 7, seconds: float = 0.2) -> list[float]:
    """The median time of each call in ms, taken in turns after one call that compiles and fills the caches.

    At least `least` rounds, and more until `seconds` have passed.
    """
    for call in calls:
        call()
    times = []
    while len(times) < least or np.sum(times) < seconds:
        times.append([seconds_of(call) for call in calls])
    return np.round(1e3 * np.median(times, axis=0), 4).tolist()


def target(what: str, measured: float | None, wanted: str) -> dict:
    """One line of the verdict, with `wanted` as in "< 20 ms"; `measured` is None where nothing could be measured."""
    sign, limit = wanted.split()[:2]
    met = None if measured is None else bool(COMPARE[sign](measured, float(limit)))
    return {"what": what, "target": wanted, "measured": None if measured is None else float(f"{measured:.4g}"), "met": met}


def show_targets(targets: list[dict]) -> None:
    """The table: what, target, measured, met?"""
    words = {True: "yes", False: "NO", None: "not measured"}
    print(f"\n{'what':62} {'target':>12} {'measured':>10}  met?")
    for line in targets:
        measured = "-" if line["measured"] is None else f"{line['measured']:g}"
        print(f"{line['what']:62} {line['target']:>12} {measured:>10}  {words[line['met']]}")


def circumstances(*packages: str) -> dict:
    """When and where a benchmark ran, and with which versions."""
    versions = {"python": platform.python_version()} | {name: importlib.metadata.version(name) for name in packages}
    machine = {"system": platform.system(), "architecture": platform.machine(), "cores": os.cpu_count(), "load": os.getloadavg()[0]}
    return {"date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"), "machine": machine, "versions": versions}


def write(path: Path, results: dict) -> None:
    """Write JSON, one line an entry of a list, so that the file is whole at every moment."""

    def lines(value) -> str:
        return "[\n  " + ",\n  ".join(map(json.dumps, value)) + "\n ]" if isinstance(value, list) and value else json.dumps(value)

    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".draft")
    draft.write_text("{\n " + ",\n ".join(f"{json.dumps(key)}: {lines(value)}" for key, value in results.items()) + "\n}\n")
    draft.replace(path)


def run_parts(script: str, about: str, parts: dict[str, Callable[[], dict]]) -> None:
    """A benchmark in parts, as its command line asks: each part gives its `targets`, and what was measured.

    A run of all parts writes results/<script>.json; a run of some writes where `--out` says, or nowhere.
    """
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=list(parts), default=[], help="parts to run")
    parser.add_argument("--out", type=Path, help=f"where the results go; a run of all parts writes results/{script}.json")
    options = parser.parse_args()
    out, found = options.out or (None if options.only else RESULTS / f"{script}.json"), {}
    for part in options.only or parts:
        print(f"{part} ...", flush=True)
        found[part] = parts[part]()
    targets = [line for part in found.values() for line in part.pop("targets")]
    show_targets(targets)
    if out is not None:
        made = {"command": f"python benchmarks/{script}.py", **circumstances("chaoslab", "heyoka", "numpy", "scipy")}
        write(out, {**made, "targets": targets, **found})
