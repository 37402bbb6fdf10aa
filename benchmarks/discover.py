"""A thousand new chaotic systems from a seed: how long they take, which share of the candidates passes, and whether they hold.

    python benchmarks/discover.py

What is finished is kept in a store in the temporary folder, so that an interrupted run goes on; its minutes are then those of the
last run only, the processor's always those of all. The systems themselves go to discovered.jsonl beside the store.
"""

import tempfile
from pathlib import Path

from report import run_parts, seconds_of, target

from chaoslab.datasets import audit, discover
from chaoslab.trajectories.schema import package_version

SYSTEMS, AUDITED = 1000, 50
FOLDER = Path(tempfile.gettempdir()) / f"chaoslab-discover-{package_version()}"


def thousand() -> dict:
    """The systems, then a closer look at some."""
    FOLDER.mkdir(exist_ok=True)
    store, made = FOLDER / "discover.sqlite", []
    resumed = store.exists()
    seconds = seconds_of(lambda: made.append(discover(SYSTEMS, store=store)))
    found = made[0]
    found.save(FOLDER / "discovered.jsonl")
    tried = {kind: sum(fates.values()) for kind, fates in found.counts.items()}
    chaotic = {kind: fates["chaotic"] for kind, fates in found.counts.items()}
    checked = audit(found, AUDITED, store=FOLDER / "audit.sqlite")
    share = float(checked["share"])
    verdicts = checked["verdict"].values.tolist()
    return {
        "minutes": seconds / 60,
        "resumed": resumed,
        "processor_minutes": sum(found.seconds.values()) / 60,
        "candidates_a_second": sum(tried.values()) / seconds,
        "candidates_a_processor_second": {kind: tried[kind] / found.seconds[kind] for kind in tried},
        "share_that_passes": {kind: chaotic[kind] / tried[kind] for kind in tried},
        "counts": found.counts,
        "regimes": found.table()["regime"].value_counts().to_dict(),
        "audited_share": [share, float(checked["low"]), float(checked["high"])],
        "verdicts": {word: verdicts.count(word) for word in dict.fromkeys(verdicts)},
        "targets": [
            target(f"minutes for {SYSTEMS} systems on 2 cores", seconds / 60, "< 15 min"),
            target(f"share of {AUDITED} systems that a closer look finds chaotic", share, ">= 0.95"),
        ],
    }


if __name__ == "__main__":
    run_parts("discover", __doc__, {"thousand": thousand})
