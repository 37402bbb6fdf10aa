"""Features of the catalogue and its map: how long they take, and how often a series is found beside its own system.

    python benchmarks/features.py                     # all of it: some minutes
    python benchmarks/features.py --only orbits       # some; written nowhere unless --out says where

Orbits are new ones: they begin elsewhere, some periods pass, and nothing but the first coordinate is given. A missed target is
reported, not raised.
"""

import warnings

import numpy as np
from report import run_parts, seconds_of, target

from chaoslab.datasets import catalogue_map, features, place
from chaoslab.datasets.catalogue_map import WINDOWS
from chaoslab.sweep import Bar
from chaoslab.systems import load
from chaoslab.trajectories import simulate

#: Samples in a window of the map, and how new orbits are sampled; some drift slowly and take a window's length to turn once.
WINDOW, PERIODS, SAMPLES, TRANSIENT, JITTER = 600, 120, 60, 50, 0.02


def time() -> dict:
    """All windows of the map's size, of a random walk smoothed; and one series placed."""
    rng = np.random.default_rng(0)
    count = WINDOWS * catalogue_map().sizes["system"]
    series = np.convolve(rng.standard_normal(count * WINDOW + 30), np.hanning(31), "valid")[: count * WINDOW]
    first = seconds_of(lambda: features(series[:WINDOW], progress=False))
    seconds = seconds_of(lambda: features(series, progress=False))
    each = {
        name: seconds_of(lambda n=name: features(series[: 100 * WINDOW], sets=n, progress=False)) * 10
        for name in ("catch22", "tsfresh")
    }
    wave = simulate("Rossler", periods=100, samples=50)
    placed = float(np.median([seconds_of(lambda: place(wave)) for _ in range(5)]))
    targets = [target(f"features of {count:,} windows of {WINDOW} samples, s", seconds, "< 120 s")]
    targets.append(target("a series of 100 periods placed on the map, s", placed, "< 1 s"))
    return {"targets": targets, "seconds": seconds, "first_call": first, "ms_a_window": each, "place": placed}


def orbits() -> dict:
    """New orbits of every system of the map: the rank of their own, and how many are called unusual."""
    rows = [
        row for name in Bar(catalogue_map().sizes["system"], "orbits").over(catalogue_map().system.values) if (row := orbit(name))
    ]
    placed = [row for row in rows if "rank" in row]
    share = lambda test: float(np.mean([test(row) for row in placed]))
    first, five, false = share(lambda r: r["rank"] == 1), share(lambda r: r["rank"] <= 5), share(lambda r: r["unusual"])
    targets = [target("new orbits whose own system is the nearest", first, ">= 0.85")]
    targets.append(target("new orbits whose own system is among the five nearest", five, ">= 0.95"))
    targets.append(target("new orbits called unusual", false, "< 0.05"))
    wrong = [row for row in placed if row["rank"] > 5 or row["unusual"]]
    left = [row for row in rows if "rank" not in row]
    return {"targets": targets, "orbits": len(placed), "wrong": wrong, "left_out": left}


def orbit(name: str) -> dict:
    """What becomes of one new orbit."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an orbit that escapes is left out below
        try:
            ds = simulate(load(name), periods=PERIODS, samples=SAMPLES, transient=TRANSIENT, jitter=JITTER, rng=1)
            found = place(ds, nearest=len(catalogue_map().system))
        except ValueError as error:
            return {"name": str(name), "reason": str(error)[:100]}
    rank = int(np.flatnonzero(found.system.values == name)[0]) + 1
    unusual, nearest = found.attrs["verdict"] == "unusual", str(found.system.values[0])
    return {"name": str(name), "rank": rank, "nearest": nearest, "unusual": unusual, "windows": found.attrs["windows"]}


def others() -> dict:
    """What is no orbit of the catalogue: noise, order, and an orbit under noise."""
    rng, time = np.random.default_rng(0), np.arange(6000)
    noise = rng.standard_normal(6000)
    series = {
        "white noise": noise,
        "white noise, said to have a period": noise,
        "smooth noise": np.convolve(rng.standard_normal(60_000), np.hanning(25), "valid"),
        "a sine": np.sin(time / 7),
        "two sines": np.sin(time / 7) + np.sin(time / 7 * 1.618),
        "a square wave": np.sign(np.sin(time / 7)),
        "Rossler's with 5 % of noise": simulate("Rossler", periods=100, samples=50, observation_noise=0.05),
    }
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, one in series.items():
            at = place(one, period=10 if "said" in name else None)
            row = {
                "series": name,
                "verdict": at.attrs["verdict"],
                "reason": at.attrs["reason"],
                "nearest": str(at.system.values[0]),
            }
            found.append(row | {"ratio": round(float(at.ratio[0]), 2), "quantile": round(float(at["quantile"]), 3)})
    told = sum(row["verdict"] == "unusual" for row in found)
    return {"targets": [target("series that are no orbit of the map and called unusual, of 7", told, ">= 6")], "others": found}


if __name__ == "__main__":
    run_parts("features", __doc__, {"time": time, "orbits": orbits, "others": others})
