"""Rows of systems/measured.csv: one quantity of one system, and how it was found."""

import csv
import datetime
import hashlib
import importlib.util
import json
import math
import os
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version

from ..systems import System, load
from ..systems.catalogue import MEASURED, measured
from .schema import package_version

COLUMNS = ("system", "quantity", "value", "error", "method", "settings", "seed", "version", "date")


def record(found: Mapping[str, Mapping[str, Sequence]], command: str, seed: int) -> None:
    """Keep {system: {quantity: (value, error, method, settings)}} in measured.csv, in place of all that the command had
    found of these systems before, and of these quantities.

    Values are numbers or text, errors numbers, or "" or NaN where none is known.
    """
    rows = {(row["system"], row["quantity"]): row for row in measured()}
    rows = {key: row for key, row in rows.items() if key[0] not in found or json.loads(row["settings"])["command"] != command}
    engine = f"heyoka {version('heyoka')}" if importlib.util.find_spec("heyoka") else f"scipy {version('scipy')}"
    for name, quantities in found.items():
        for quantity, (value, error, method, settings) in quantities.items():
            rows[name, quantity] = {
                "system": name,
                "quantity": quantity,
                "value": value if isinstance(value, str) else f"{value:.6g}",
                "error": error if isinstance(error, str) else "" if math.isnan(error) else f"{error:.2g}",
                "method": method,
                "settings": json.dumps({**settings, "command": command}),
                "seed": seed,
                "version": f"chaoslab {package_version()}, {engine}",
                "date": datetime.date.today().isoformat(),
            }
    _write(rows)


def digest(system: System) -> str:
    """A short name for a definition, without what was measured of it."""
    kept = {key: value for key, value in system.definition().items() if key not in ("period", "lyapunov_time")}
    return hashlib.sha256(repr(kept).encode()).hexdigest()[:12]


def defined(name: str, definition: str) -> System:
    """The system of that name; raises ValueError if its `digest` is another."""
    system = load(name)
    if digest(system) != definition:
        raise ValueError(f"{name} is defined otherwise here; give all workers the same version of chaoslab")
    return system


def _write(rows: dict) -> None:
    """Replace the file in one step, so that a kill never leaves half of it."""
    handle, path = tempfile.mkstemp(dir=MEASURED.parent, suffix=".csv")
    with os.fdopen(handle, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows[key] for key in sorted(rows, key=_place))
    os.chmod(path, 0o644)
    os.replace(path, MEASURED)


def _place(key: tuple[str, str]) -> tuple:
    """Systems and quantities by name, numbered ones by number."""
    words = key[1].split()
    return key[0].lower(), words[0], int(words[1]) if words[1:] and words[1].isdigit() else 0, key[1]
