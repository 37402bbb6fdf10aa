"""Write the dominant periods of the catalogue to systems/measured.csv: `python -m chaoslab.trajectories.measure [NAME ...]`."""

import argparse
import csv
import datetime
import importlib.util
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version

from tqdm.auto import tqdm

from ..systems import load, names
from ..systems.catalogue import MEASURED, measured
from .schema import package_version
from .timescale import METHOD, SOLVER_TOLERANCE, NoPeriod, dominant_period

COLUMNS = ("system", "quantity", "value", "error", "method", "settings", "seed", "version", "date")
SETTINGS = {"samples": 65536, "periods": 1000, "blocks": 16}
COMMAND = "python -m chaoslab.trajectories.measure"


def main(wanted: list[str]) -> int:
    """Measure the named systems (all without a name), keeping every other row; returns the number that failed."""
    chosen = [load(name).name for name in wanted] or [*names("flow"), *names("delay")]
    failures = 0
    for name in tqdm(chosen, desc="dominant periods", unit="system"):
        try:
            period = dominant_period(load(name), **SETTINGS)
        except NoPeriod as error:
            tqdm.write(f"{name}: {error}", file=sys.stderr)
            failures += 1
            continue
        record(name, {"period": [*period, METHOD, SETTINGS | {"tolerance": SOLVER_TOLERANCE}]}, COMMAND)
    return failures


def record(name: str, found: Mapping[str, Sequence], command: str, seed: str = "none") -> None:
    """Keep {quantity: (value, error, method, settings)} of a system in measured.csv, in place of what it had of these.

    Values are numbers or text, errors numbers or "".
    """
    rows = {(row["system"], row["quantity"]): row for row in measured()}
    engine = f"heyoka {version('heyoka')}" if importlib.util.find_spec("heyoka") else f"scipy {version('scipy')}"
    for quantity, (value, error, method, settings) in found.items():
        rows[name, quantity] = {
            "system": name,
            "quantity": quantity,
            "value": value if isinstance(value, str) else f"{value:.6g}",
            "error": error if isinstance(error, str) else f"{error:.2g}",
            "method": method,
            "settings": json.dumps(settings | {"command": command}),
            "seed": seed,
            "version": f"chaoslab {package_version()}, {engine}",
            "date": datetime.date.today().isoformat(),
        }
    _write(rows)


def _write(rows: dict) -> None:
    """Replace the file in one step, so that a kill never leaves half of it."""
    handle, path = tempfile.mkstemp(dir=MEASURED.parent, suffix=".csv")
    with os.fdopen(handle, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows[key] for key in sorted(rows, key=lambda key: (key[0].lower(), key[1])))
    os.chmod(path, 0o644)
    os.replace(path, MEASURED)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="systems to measure; all flows without a name")
    sys.exit(min(main(parser.parse_args().names), 1))
