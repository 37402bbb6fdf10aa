"""The collection: how fast it opens and is made anew, and how fast a set a hundred times as large streams to disk.

    python benchmarks/collection.py                     # all of it: ten minutes, and 3 GB of disk
    python benchmarks/collection.py --only opening      # some; written nowhere unless --out says where

A missed target is reported, not raised.
"""

import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import psutil
from report import run_parts, seconds_of, target

from chaoslab.datasets import Recipe, build, plan
from chaoslab.datasets.ship import ship

OPENING = """
import sys, time
import chaoslab as cl
start = time.perf_counter()
tree = cl.open_collection("test", granularity="fine")
seconds = time.perf_counter() - start
start = time.perf_counter()
first = tree["Lorenz"].state.values.mean()
solvers = [name for name in ("heyoka", "sympy", "scipy.integrate", "torch") if name in sys.modules]
print([seconds, time.perf_counter() - start, solvers])
"""
#: A hundred million samples, and what is planned beside it.
LARGE = Recipe("Lorenz", members=8334, periods=120, samples=100)
BILLION = LARGE.with_(systems=("Lorenz", "Rossler", "Halvorsen", "Chen", "SprottA"), members=16_700)
#: What a killed cluster makes.
SHARED = Recipe(["Lorenz", "Rossler", "Halvorsen"], members=1280, periods=80)


def opening() -> dict:
    """Opening a part in a process of its own, and the first series of it."""
    found = [json.loads(run(OPENING).replace("'", '"')) for _ in range(5)]
    whole, first = np.median([one[0] for one in found]), np.median([one[1] for one in found])
    loaded = sorted({name for one in found for name in one[2]})
    targets = [target("opening the shipped collection, s", whole, "< 0.5 s")]
    targets.append(target("solvers loaded by that", len(loaded), "= 0"))
    return {"targets": targets, "first_series_s": first, "loaded": loaded}


def making() -> dict:
    """All files of the shipped collection from nothing, and whether they are the shipped ones."""
    from chaoslab.datasets.collection import manifest

    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        said = ship(folder)
        seconds = time.perf_counter() - start
        size = sum(file.stat().st_size for file in Path(folder).iterdir()) / 1e6
    same = {part: told["sha256"] == manifest()["parts"][part]["sha256"] for part, told in said["parts"].items()}
    targets = [target("rebuilding the standard collection, min", seconds / 60, "< 3 min"), target("its size, MB", size, "< 20 MB")]
    return {"targets": targets, "same_as_shipped": same}


def streaming() -> dict:
    """A hundred million samples to Zarr, the most memory that all processes held together, and the same opened."""
    with tempfile.TemporaryDirectory() as folder, Peak() as peak:
        path = Path(folder) / "large.zarr"
        seconds = seconds_of(lambda: build(LARGE, to=path, verify=False))
        size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) / 1e9
        opened = seconds_of(lambda: build(LARGE, to=path, verify=False)["Lorenz"].state[7000, 5:10].values)
    rate = plan(LARGE)["samples"] / seconds / 1e6
    targets = [target("10^8 samples to Zarr, million samples a second", rate, ">= 3 million")]
    targets.append(target("peak memory of all processes together, GB", peak.most / 1e9, "< 1 GB"))
    billion = plan(BILLION)
    return {
        "targets": targets,
        "seconds": seconds,
        "gigabytes": size,
        "opened_s": opened,
        "billion": billion | {"hours": billion["samples"] / rate / 3.6e9},
    }


def cluster() -> dict:
    """A set by three worker processes of a dask cluster, of which one is killed, against the same made here."""
    from distributed import Client, LocalCluster

    with tempfile.TemporaryDirectory() as here, tempfile.TemporaryDirectory() as there:
        alone = build(SHARED, cache=here, progress=False)
        with (
            LocalCluster(n_workers=3, threads_per_worker=1, processes=True, dashboard_address=None) as three,
            Client(three) as client,
        ):
            victim = next(iter(three.workers.values())).pid
            threading.Timer(1.5, psutil.Process(victim).kill).start()
            found = build(SHARED, cache=there, client=client, progress=False)
        equal = sum(np.array_equal(found[name].state.values, alone[name].state.values) for name in alone.children)
        killed = not psutil.pid_exists(victim)
    targets = [target("systems equal after a worker was killed, of 3", equal if killed else None, "= 3")]
    return {"targets": targets, "plan": plan(SHARED)}


class Peak:
    """The most memory held by this process and those it has started, looked at ten times a second."""

    def __enter__(self):
        self.most, self._over = 0, threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    def _watch(self):
        me = psutil.Process()
        while not self._over.wait(0.1):
            held = 0
            for process in [me, *me.children(recursive=True)]:
                try:
                    held += process.memory_full_info().pss  # what processes share counts once
                except psutil.NoSuchProcess:
                    pass
            self.most = max(self.most, held)


def run(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    run_parts("collection", __doc__, {"opening": opening, "making": making, "streaming": streaming, "cluster": cluster})
