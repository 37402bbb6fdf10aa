"""Measure the catalogue into systems/measured.csv: `python -m chaoslab.invariants.measure [NAME ...] [--only PART]`.

A run over all resumes: what has been found of a system is stored as soon as it is there.
"""

import argparse
import os
import sys
from pathlib import Path

from ..sweep import sweep
from ..systems import load, names, suggest
from ..trajectories.record import digest, record
from ..trajectories.schema import package_version
from .measure_exponents import exponents
from .measure_series import series

COMMAND = "python -m chaoslab.invariants.measure"
#: What there is to measure. A part takes a system's name, a seed and its `digest`, and gives {"found": {quantity: ...}}.
PARTS = {"exponents": exponents, "series": series}
#: Where a run over all keeps what it has of a part.
STORE = "measure-{part}.sqlite"
SEED = 0


def main(
    wanted: list[str],
    *,
    only: str | None = None,
    store: Path | None = None,
    workers: int | None = None,
    client=None,
    retry: bool = False,
) -> int:
    """Measure the named systems (all without a name), keeping every other row; returns the number of failures.

    `store` is where finished systems are kept, for one part; by default a run over all keeps them until it is whole.
    """
    if only is not None and only not in PARTS:
        raise ValueError(f"there is no part {only!r}.{suggest(only, PARTS)} Parts are {', '.join(PARTS)}")
    systems = sorted(map(load, wanted or names()), key=lambda system: -system.dimension)  # what takes longest goes first
    cells = [{"name": system.name, "seed": SEED, "definition": digest(system)} for system in systems]
    failures = 0
    for part in [only] if only else PARTS:
        passing = store is None and not wanted
        kept = Path(STORE.format(part=part)) if passing else store
        options = {"store": kept, "workers": workers, "client": client, "retry": retry, "label": part}
        results = sweep(PARTS[part], cells, version=package_version(), **options)
        record({row["name"]: row["found"] for row in results.rows}, f"{COMMAND} --only {part}", SEED)
        for row in results.failed:
            print(f"{row['name']}: {row['failure']}", file=sys.stderr)
        if passing and not results.failed:
            os.unlink(kept)  # all of it is in measured.csv now, and the next run is to measure anew
        failures += len(results.failed)
    return failures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="systems to measure; all without a name")
    parser.add_argument("--only", choices=PARTS, help="one part; all without")
    parser.add_argument("--store", type=Path, help=f"where finished systems are kept; without names {STORE}, removed at the end")
    parser.add_argument("--workers", type=int, help="processes; all cores by default")
    parser.add_argument("--retry", action="store_true", help="try those again that failed")
    given = parser.parse_args()
    sys.exit(min(main(given.names, only=given.only, store=given.store, workers=given.workers, retry=given.retry), 1))
