"""Order or noise: how fast and how right the measures of a series are, and how often each says what is so.

    python benchmarks/complexity.py                     # all of it; the 0-1 test of the whole catalogue takes most of the time
    python benchmarks/complexity.py --only ordinal dimension noise section     # some; written nowhere unless --out says where

The methods compared with are written out here as their papers' packages go about them: a loop over windows, all pairs of points.
Both sides are timed in turns. The part over the catalogue goes on from its store when it was broken off. A missed target is
reported, not raised.
"""

import argparse
import itertools
import math
import os
from collections import Counter
from fractions import Fraction
from pathlib import Path

import numpy as np
from report import circumstances, seconds_of, show_targets, target, write

import chaoslab as cl
from chaoslab.invariants import (
    correlation_dimension,
    has_dominant_period,
    ordinal,
    poincare_section,
    significant_periods,
    two_nearest_neighbours,
    zero_one_test,
)
from chaoslab.systems.catalogue import measurements
from chaoslab.trajectories.schema import package_version

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "complexity.json"
#: Repeats of each timed call; medians are reported. What takes seconds is repeated less often.
RUNS, FEW = 7, 3
SAMPLES, LENGTH = 1_000_000, 5
POINTS, SEEDS = 20_000, 5
#: How far correlation dimensions may be off: the worst cube of dimension 1 to 3, and attractors whose dimension is known.
OFF = {"cube": 0.05, "Henon": 0.02, "Lorenz": 0.03}
#: Series of white noise, their samples, and those for the test by octaves, which draws its own noise for each.
SERIES, NOISE, OCTAVES, LEVEL = 10_000, 500, 1000, 0.05
CROSSINGS = 10_000
#: The 0-1 test: periods (of a map iterations) at first, samples a period, and how often four times as many are tried.
PERIODS, ITERATIONS, PER_PERIOD, LONGER = 1000, 5000, 20, 2
REGULAR = ("periodic", "quasi-periodic", "fixed point")
CHAOTIC = ("chaotic", "hyperchaotic")


def medians(*calls, runs: int) -> list[float]:
    """The median time of each call in seconds, in turns, after one of the first, which is ours, that fills caches."""
    calls[0]()
    return np.median([[seconds_of(call) for call in calls] for _ in range(runs)], axis=0).tolist()


# --- ordinal patterns ----------------------------------------------------------------------------------------------------


def by_windows(series: np.ndarray, length: int) -> tuple[float, float]:
    """Entropy and complexity by a loop over windows: sort each, count what comes out, sum over patterns."""
    seen = Counter(tuple(np.argsort(series[k : k + length])) for k in range(len(series) - length + 1))
    total, states = sum(seen.values()), math.factorial(length)
    parts = [seen.get(one, 0) / total for one in itertools.permutations(range(length))]

    def shannon(parts):
        return -sum(p * math.log(p) for p in parts if p > 0)

    def divergence(parts):
        return shannon([(p + 1 / states) / 2 for p in parts]) - shannon(parts) / 2 - math.log(states) / 2

    entropy = shannon(parts) / math.log(states)
    return entropy, entropy * divergence(parts) / divergence([1.0] + [0.0] * (states - 1))


def of_the_tent(length: int) -> list[float]:
    """Probabilities of patterns of the logistic map at r = 4, in the order of `ordinal`.

    x = sin(pi u / 2)^2 makes it the tent map of an even u and keeps all orders. Iterates are lines on pieces of 1 / 2^(length - 1);
    between the places where two of them cross, the pattern is one.
    """
    found, pieces = Counter(), 2 ** (length - 1)
    for piece in range(pieces):
        start, end = Fraction(piece, pieces), Fraction(piece + 1, pieces)
        lines = [(Fraction(1), Fraction(0))]
        for _ in range(length - 1):
            slope, shift = lines[-1]
            falls = slope * (start + end) / 2 + shift > Fraction(1, 2)
            lines.append((-2 * slope, 2 - 2 * shift) if falls else (2 * slope, 2 * shift))
        meet = {(d - b) / (a - c) for (a, b), (c, d) in itertools.combinations(lines, 2) if a != c}
        cuts = sorted({start, end} | {u for u in meet if start < u < end})
        for low, high in itertools.pairwise(cuts):
            values = [slope * (low + high) / 2 + shift for slope, shift in lines]
            found["".join(str(sorted(values).index(value) + 1) for value in values)] += high - low
    return [float(found["".join(map(str, one))]) for one in itertools.permutations(range(1, length + 1))]


def patterns() -> dict:
    """A million samples of the logistic map: times, values beside the loop's, and probabilities beside the exact ones."""
    series = [0.3]
    for _ in range(SAMPLES - 1):
        series.append(4 * series[-1] * (1 - series[-1]))
    series = np.array(series)
    seconds, plain, bare = medians(
        lambda: ordinal(series, length=LENGTH),
        lambda: by_windows(series, LENGTH),
        lambda: ordinal(series, length=LENGTH, resamples=0),
        runs=FEW,
    )
    found, theirs = ordinal(series, length=LENGTH), by_windows(series, LENGTH)
    apart = max(abs(float(found.entropy) - theirs[0]), abs(float(found.complexity) - theirs[1]))
    off = float(np.abs(found.probability.values - of_the_tent(LENGTH)).max())
    return {
        "ours_s": seconds,
        "ours_without_errors_s": bare,
        "loop_s": plain,
        "entropy": [float(found.entropy), float(found.entropy_error)],
        "complexity": [float(found.complexity), float(found.complexity_error)],
        "targets": [
            target("ordinal H and C with errors, 10^6 samples: ratio to the loop", plain / seconds, ">= 50"),
            target("largest difference of H or C from the loop's", apart, "<= 1e-12"),
            target("logistic map, largest difference from exact probabilities", off, "< 1e-3"),
        ],
    }


# --- dimension -----------------------------------------------------------------------------------------------------------


def all_pairs(points: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """How many pairs are nearer than each radius, point by point with all later ones."""
    counts, edges = np.zeros(len(radii), dtype=int), np.r_[0, radii, np.inf]
    for k in range(len(points) - 1):
        distance = np.sqrt(((points[k + 1 :] - points[k]) ** 2).sum(axis=1))
        counts += np.histogram(distance, edges)[0][:-1]
    return counts.cumsum()


def dimensions() -> dict:
    """Bodies and attractors whose dimension is known, each from several samples, and the time beside all pairs."""
    rows = []
    for dimension in (1, 2, 3):
        clouds = [np.random.default_rng(seed).random((POINTS, dimension)) for seed in range(SEEDS)]
        rows.append(_read(f"cube of dimension {dimension}", dimension, clouds, theiler=0, dimension=1))
    henon, lorenz = cl.load("Henon"), cl.load("Lorenz")
    starts = cl.simulate(lorenz, 50 * SEEDS, 20).state.values[0, :: 50 * 20]
    orbits = [cl.simulate(henon, POINTS, initial=[0.1 + 0.01 * k, 0.1], transient=100) for k in range(SEEDS)]
    rows.append(_read("Henon", 1.22, orbits))
    flows = [cl.simulate(lorenz, duration=0.3 * POINTS, step=0.3, initial=start) for start in starts]
    rows.append(_read("Lorenz", 2.05, flows))
    points = flows[0].state.values[0]
    points = (points - points.mean(axis=0)) / points.std(axis=0)
    radii = correlation_dimension(points).radius.values
    seconds, plain = medians(lambda: correlation_dimension(points), lambda: all_pairs(points, radii), runs=FEW)
    targets = [target("correlation dimension, 20,000 points: ratio to all pairs", plain / seconds, ">= 20")]
    for what, limit in OFF.items():
        for key in ("median", "worst"):  # a met median alone would hide a miss
            farthest = max(row["off"][key] for row in rows if row["what"].startswith(what))
            targets.append(target(f"{what}, how far from the known dimension, {key} of {SEEDS}", farthest, f"<= {limit}"))
    return {"ours_s": seconds, "all_pairs_s": plain, "bodies": rows, "targets": targets}


def _read(what: str, known: float, clouds: list, **options) -> dict:
    found, nearest = ([m(one, **options) for one in clouds] for m in (correlation_dimension, two_nearest_neighbours))
    pairs = [[[float(one.value), float(one.error)] for one in method] for method in (found, nearest)]
    off = [abs(value - known) for value, _ in pairs[0]]
    return {
        "what": what,
        "known": known,
        "found": pairs[0],
        "off": {"median": float(np.median(off)), "worst": max(off)},
        "within_two_errors": sum(apart < 2 * error for apart, (_, error) in zip(off, pairs[0], strict=True)),
        "two_nearest_neighbours": pairs[1],
    }


# --- periods of noise ----------------------------------------------------------------------------------------------------


def false_claims() -> dict:
    """White noise: single frequencies flagged, and series of which a period is claimed, by the maximum and by octaves."""
    rng = np.random.default_rng(0)
    flagged, claimed = np.empty(SERIES), np.empty(SERIES, dtype=bool)
    for k in range(SERIES):
        found = significant_periods(rng.standard_normal(NOISE), level=LEVEL)
        flagged[k], claimed[k] = found.significant.mean(), bool(found.dominant)
    octaves = np.mean([bool(has_dominant_period(rng.standard_normal(NOISE), level=LEVEL, rng=k).dominant) for k in range(OCTAVES)])
    share = float(claimed.mean())
    errors = [math.sqrt(LEVEL * (1 - LEVEL) / count) for count in (SERIES, OCTAVES)]
    return {
        "series": SERIES,
        "samples": NOISE,
        "flagged": float(flagged.mean()),
        "claimed": [share, errors[0]],
        "claimed_by_octaves": [float(octaves), errors[1]],
        "targets": [
            target("white noise, 5 % level: single frequencies flagged, at least", flagged.mean(), ">= 0.03"),
            target("white noise, 5 % level: single frequencies flagged, at most", flagged.mean(), "<= 0.07"),
            target("white noise, 5 % level: period claimed by the maximum", share, "<= 0.05"),
            target("white noise, 5 % level: period claimed by octaves", octaves, "<= 0.05"),
        ],
    }


# --- the 0-1 test over the catalogue -------------------------------------------------------------------------------------


def verdict(name: str) -> dict:
    """What the 0-1 test says of a system at its own parameters; where it is undecided, of a longer series."""
    system, longer = cl.load(name), 1
    while True:
        length = (ITERATIONS if system.kind == "map" else PERIODS) * longer
        ds = cl.simulate(system, length, 1 if system.kind == "map" else PER_PERIOD, transient=length / 20)
        found = zero_one_test(ds)
        if found.verdict != "undecided" or longer == 4**LONGER:
            points = int(found.attrs["points"])
            return {"verdict": found.verdict, "value": float(found.value), "error": float(found.error), "points": points}
        longer *= 4


def agreement(out: Path, names: list[str] | None) -> dict:
    """The test's verdicts beside the regimes from exponents, where there are such."""
    table = cl.table(kind=["flow", "map"]).regime
    regimes = {name: regime for name, regime in table.items() if names is None or name in names}
    told = [name for name, regime in regimes.items() if regime in CHAOTIC + REGULAR]
    store = out.with_suffix(".zero_one.sqlite")
    results = cl.sweep(
        verdict, [{"name": name} for name in told], store=store, version=package_version(), label="0-1 test", retry=True
    )
    rows = [row | {"regime": regimes[row["name"]]} for row in results.rows]
    others = [row for row in rows if (row["verdict"] == "chaotic") != (row["regime"] in CHAOTIC) or row["verdict"] == "undecided"]
    share = 1 - (len(others) + len(results.failed)) / len(told)
    for row in others:
        print(f"  {row['name']}: {row['regime']}, the 0-1 test says {row['verdict']}, K = {row['value']:.2f} +- {row['error']:.2f}")
    for row in results.failed:
        print(f"  {row['name']}: {row['failure']}")
    return {
        "regimes_measured": sum("regime" in measurements().get(name, {}) for name in told),
        "left_out": {name: regime for name, regime in regimes.items() if name not in told},
        "verdicts": rows,
        "otherwise": others,
        "failed": [{key: row[key] for key in ("name", "failure")} for row in results.failed],
        "targets": [target(f"0-1 test agrees with the regime, of {len(told)} flows and maps", share, ">= 0.95")],
    }


# --- a section -----------------------------------------------------------------------------------------------------------


def crossings() -> dict:
    """10,000 crossings of Lorenz's section at z = rho - 1, in seconds once compiled, and how far off the plane they are."""
    cross = lambda: poincare_section("Lorenz", "z - (rho - 1)", CROSSINGS, direction=-1)
    [seconds] = medians(cross, runs=RUNS)
    off = float(np.abs(cross().state.sel(component="z") - 27).max())
    return {
        "seconds": seconds,
        "off_plane": off,
        "targets": [
            target("section of Lorenz, 10,000 crossings, compiled", seconds, "< 1 s"),
            target("farthest crossing from the plane", off, "<= 1e-12"),
        ],
    }


PARTS = {"ordinal": patterns, "dimension": dimensions, "noise": false_claims, "section": crossings, "zero_one": agreement}


def main(out: Path | None, only: list[str], names: list[str] | None) -> None:
    found = {}
    for part in only or PARTS:
        print(f"{part} ...", flush=True)
        found[part] = PARTS[part](out or RESULTS, names) if part == "zero_one" else PARTS[part]()
    targets = [line for part in found.values() for line in part.pop("targets")]
    show_targets(targets)
    if out is not None:
        made = {"command": "python benchmarks/complexity.py", **circumstances("chaoslab", "heyoka", "numpy", "scipy")}
        write(out, {**made, "targets": targets, **found})
        if "zero_one" in found:
            os.unlink(out.with_suffix(".zero_one.sqlite"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=[], help="parts to run")
    parser.add_argument("--names", nargs="+", help="systems for the 0-1 test, all without")
    parser.add_argument("--out", type=Path, help="where the results go; a run of all parts over all writes results/complexity.json")
    options = parser.parse_args()
    whole = not options.only and options.names is None
    main(options.out or (RESULTS if whole else None), options.only, options.names)
