"""Exponents: how fast, how right, and whether their errors are honest.

    python benchmarks/lyapunov.py              # all of it; the peer goes into .venv-peer if it is not there

Reads measured.csv for what was measured of the catalogue, and measures anew what is asked of the method itself, and what was
published for other parameters. A run that is broken off goes on from its store. A missed target is reported, not raised.
"""

import argparse
import json
import os
import subprocess
import time
from pathlib import Path

import numpy as np
from integration import installed_peer
from report import circumstances, show_targets, target, write
from verification import published

import chaoslab as cl
from chaoslab.invariants import largest_exponent, lyapunov_spectrum
from chaoslab.systems.catalogue import every_system, measurements
from chaoslab.trajectories.schema import package_version

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "lyapunov.json"
#: Systems for the test of errors; the periods of a short run, all members together (of a map, so many iterations for each), and
#: how many times as long the long one is.
HONEST = ["Lorenz", "Rossler", "Halvorsen", "Chua", "SprottB", "HenonHeiles", "Duffing", "HyperRossler", "Henon", "Ikeda"]
RUNS, PERIODS, ITERATIONS, LONG = 20, 400, 50, 100
#: Starts are so many times the length of a short run apart, so that no two go over the same stretch of orbit.
APART = 1.25
#: All exponents of these take many minutes.
LENGTHY = ("KuramotoSivashinsky", "MacArthur")
#: Energies in canonical coordinates: the exponents come in pairs.
HAMILTONIAN = ["DoublePendulum", "ElasticPendulum", "HenonHeiles", "NuclearQuadrupole", "Phi4Chain", "RestrictedThreeBody"]
HAMILTONIAN += ["SwingingAtwood", "ThreeBody", "DiscreteNonlinearSchrodinger"]


def lorenz() -> dict:
    """Seconds for 10,000 time units of Lorenz, all exponents, once compiled; median of seven."""
    lyapunov_spectrum("Lorenz", time=200, progress=False)
    seconds, found = [], []
    for seed in range(7):
        start = time.perf_counter()
        spectrum = lyapunov_spectrum("Lorenz", time=10_000, rng=seed, progress=False)
        seconds.append(time.perf_counter() - start)
        found.append(spectrum.exponent.values.tolist())
    return {"seconds": float(np.median(seconds)), "error": float(spectrum.error[0]), "exponents": found}


def peer(python: str) -> dict:
    """The peer's routine on Lorenz: seconds, and how far its runs are from the true value."""
    command = [python, "-W", "ignore", str(Path(__file__).with_name("peer_lyapunov.py"))]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
    off = np.array(found["exponents"]) - float(measurements()["Lorenz"]["largest_exponent"]["value"])
    return found | {"error": float(np.sqrt(np.mean(off**2)))}


def honest(name: str) -> dict:
    """How many of several short runs' values lie within two of their errors of a much longer run's."""
    system = cl.load(name)
    unit = ITERATIONS if system.kind == "map" else system.period
    long = largest_exponent(system, time=PERIODS * LONG * unit, progress=False)
    truth, within = float(long.exponent[0]), 0
    length = APART * RUNS * PERIODS
    orbit = cl.simulate(system, length * ITERATIONS) if system.kind == "map" else cl.simulate(system, length, 1)
    for seed in range(RUNS):
        state = orbit.state.values[0, seed * orbit.sizes["time"] // RUNS]
        began = system.with_(state=dict(zip(system.components, state.tolist(), strict=True)))
        short = largest_exponent(began, time=PERIODS * unit, rng=seed, progress=False)
        within += abs(float(short.exponent[0]) - truth) < 2 * float(short.error[0])
    return {"within": int(within), "of": RUNS, "truth": truth, "truth_error": float(long.error[0])}


def spectrum_of(own: dict) -> tuple[np.ndarray, np.ndarray]:
    """Exponents and errors as measured."""
    rows = [own[f"exponent {k}"] for k in range(1, 1 + sum(key.startswith("exponent ") for key in own))]
    return np.array([float(row["value"]) for row in rows]), np.array([float(row["error"]) for row in rows])


def identities(rows: dict) -> dict:
    """Over the catalogue as measured: zeros, pairs, dimensions, errors; each 1 at its limit."""
    zeros, pairs, dimensions, errors = {}, {}, {}, {}
    for system in every_system():
        own = rows.get(system.name, {})
        values, spreads = spectrum_of(own)
        if len(values) == system.dimension and system.name in HAMILTONIAN:
            pairs[system.name] = (np.abs(values + values[::-1]) / np.maximum(3 * (spreads + spreads[::-1]), 1e-12)).max()
        if "lyapunov_time" in own:
            unit = 1.0 if system.kind == "map" else float(own["period"]["value"])
            largest, error = (float(own["largest_exponent"][key]) for key in ("value", "error"))
            errors[system.name] = error / max(0.01 * largest, 0.002 / unit)
            if system.kind == "flow" and not system.flat.timed and values[-1] < 0:
                zeros[system.name] = (np.abs(values) / np.maximum(3 * spreads, 1e-12)).min()
        if "kaplan_yorke_dimension" in own and system.kind != "delay":
            dimensions[system.name] = float(own["kaplan_yorke_dimension"]["value"]) / system.dimension
    return {"zeros": zeros, "pairs": pairs, "dimensions": dimensions, "errors": errors}


def sum_gap(name: str) -> dict:
    """The sum of all exponents against the mean divergence along the same orbit, to all digits."""
    found = lyapunov_spectrum(name, time=2000 if cl.load(name).kind == "map" else 100 * cl.load(name).period, progress=False)
    size = float(np.abs(found.exponent).sum())
    return {"gap": abs(float(found.exponent.sum() - found.divergence)) / size if np.isfinite(size) else None}


def compare(k: int) -> dict:
    """Entry k of the published spectra: what we find at its setting, and the worst difference over what is allowed."""
    entry = published()[k]
    own = spectrum_of(measurements().get(entry["system"], {}))
    if not entry["parameters"] and "state" not in entry and len(own[0]):  # of large systems fewer are measured than were printed
        wanted = min(len(entry["exponents"]), len(own[0]))
        values, errors = (part[:wanted] for part in own)
    else:
        wanted = len(entry["exponents"])
        system = cl.load(entry["system"], **entry["parameters"]).with_(state=entry.get("state"))
        found = lyapunov_spectrum(system, count=wanted, progress=False)
        values, errors = found.exponent.values, found.error.values
    theirs, open_ = np.array(entry["exponents"][:wanted]), np.array(entry["resolution"][:wanted])
    off = np.abs(values - theirs) / np.maximum(np.maximum(0.01 * np.abs(theirs), 3 * errors + open_), 1e-12)
    changed = entry["parameters"] | ({"state": list(entry["state"].values())} if "state" in entry else {})
    line = {"system": entry["system"], "changed": changed, "ours": values.tolist(), "errors": errors.tolist()}
    line |= {"published": entry["exponents"][:wanted], "worst": float(off.max()), "note": entry.get("note", "")}
    return line | {"source": entry["source"], "confidence": entry["confidence"]}


def swept(function, cells: list[dict], store: Path, version: str, label: str) -> list[dict]:
    """Results of a sweep that must be whole."""
    results = cl.sweep(function, cells, store=store, version=version, label=label, retry=True)
    if results.failed:
        raise RuntimeError(f"{label}: {[line['failure'] for line in results.failed]}")
    return results.rows


def main(out: Path, python: str | None) -> None:
    rows, version = measurements(), package_version()
    seen = identities(rows)
    ours, theirs = lorenz(), peer(python or installed_peer())
    stores = [out.with_suffix(f".{word}.sqlite") for word in ("sums", "honest", "published")]
    whole = [s.name for s in every_system() if s.kind != "delay" and s.dimension <= 40 and s.name not in LENGTHY]
    gaps = {r["name"]: r["gap"] for r in swept(sum_gap, [{"name": n} for n in whole], stores[0], version, "sums")}
    coverage = swept(honest, [{"name": name} for name in HONEST], stores[1], version, "honest errors")
    compared = swept(compare, [{"k": k} for k in range(len(published()))], stores[2], version, "published")
    inside = sum(line["within"] for line in coverage) / sum(line["of"] for line in coverage)
    beyond = [line for line in compared if line["worst"] > 1]
    equal = theirs["seconds"] * theirs["error"] ** 2 / (ours["seconds"] * ours["error"] ** 2)
    over = {key: {name: float(f"{v:.3g}") for name, v in values.items() if v > 1} for key, values in seen.items()}
    targets = [
        target("Lorenz, all exponents, 10,000 time units, compiled", ours["seconds"], "< 1.5 s"),
        target("ratio to the peer's routine at equal error", equal, ">= 100"),
        target(f"sum against divergence, worst of {len(gaps)}", max(gap for gap in gaps.values() if gap is not None), "< 1e-6"),
        target(f"of {len(seen['zeros'])} chaotic autonomous flows, without a zero exponent", len(over["zeros"]), "= 0"),
        target(f"of {len(seen['pairs'])} Hamiltonian systems, not in pairs", len(over["pairs"]), "= 0"),
        target(f"of {len(seen['dimensions'])} Kaplan-Yorke dimensions, too large", len(over["dimensions"]), "= 0"),
        target(f"of {len(seen['errors'])} errors, above 1 % and 0.002 a period", len(over["errors"]), "= 0"),
        target("short runs within two errors of a long one: at least", inside, ">= 0.85"),
        target("short runs within two errors of a long one: at most", inside, "<= 0.99"),
        target("published spectra compared", len(compared), ">= 40"),
        target("of these beyond 1 % and three errors", len(beyond), "= 0"),
        target("of these without an explanation", sum(not line["note"] for line in beyond), "= 0"),
    ]
    show_targets(targets)
    print(over, *(f"  differs: {line}" for line in sorted(beyond, key=lambda line: -line["worst"])), sep="\n")
    made = {"command": "python benchmarks/lyapunov.py", **circumstances("chaoslab", "heyoka", "numpy")}
    found = {"lorenz": ours, "peer": theirs, "over": over, "honest": coverage, "published": compared}
    write(out, {**made, "targets": targets, **found})
    for store in stores:
        os.unlink(store)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=RESULTS, help="where the results go")
    parser.add_argument("--peer", help="an interpreter that has dysts")
    options = parser.parse_args()
    main(options.out, options.peer)
