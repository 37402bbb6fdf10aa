"""Times the whole catalogue: reading it, compiling it, integrating it, and its families at 128 sites.

    python benchmarks/catalogue.py

Every flow is integrated over 10 of its own periods with 100 samples each at tolerance 1e-12, each delay system too; a map is
iterated 1,000 times. What counts as cold runs in a process of its own. A missed target is reported, not raised.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from report import circumstances, seconds_of, show_targets, target, write
from tqdm.auto import tqdm

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "catalogue.json"
TOLERANCE, SAMPLES, PERIODS = 1e-12, 100, 10
SITES = 128
READ = """
import time, chaoslab
from chaoslab.systems.catalogue import every_system
start = time.perf_counter()
systems = every_system()
print(time.perf_counter() - start)
"""


def trajectory(system):
    """Ten periods of a flow or delay system, or a thousand iterations of a map."""
    from chaoslab.integrate import iterate, solve

    if system.kind == "map":
        return iterate(system, system.initial[None], PERIODS * SAMPLES)
    times = np.arange(PERIODS * SAMPLES) * (system.period / SAMPLES)
    return solve(system, system.initial[None], times, tolerance=TOLERANCE)


def whole_catalogue() -> dict:
    """In a fresh process: each system's first trajectory and its fifth, in seconds; what failed."""
    import chaoslab as cl

    began, rows = time.perf_counter(), []
    systems = [cl.load(name) for name in cl.names()]
    for system in tqdm(systems, desc="cold", unit="system"):
        status = []
        cold = seconds_of(lambda system=system, status=status: status.append(str(trajectory(system).status[0])))
        row = {"name": system.name, "kind": system.kind, "smooth": system.smooth, "dimension": system.dimension}
        rows.append(row | {"cold_ms": 1e3 * cold, "status": status[0]})
    total = time.perf_counter() - began
    for row, system in zip(tqdm(rows, desc="warm", unit="system"), systems, strict=True):
        row["warm_ms"] = 1e3 * float(np.median([seconds_of(lambda system=system: trajectory(system)) for _ in range(5)]))
    return {"cold_s": total, "systems": rows}


def families() -> list[dict]:
    """In a fresh process: every family of free size at 128 sites: seconds to read it and to compile it."""
    import chaoslab as cl
    from chaoslab.integrate import iterate, solve

    rows = []
    for name in tqdm([name for name in cl.names() if cl.table().sizes[name]], desc="families", unit="system"):
        sizes = dict(part.split("=") for part in cl.table().sizes[name].split(", "))
        if set(sizes) != {"n"}:
            continue
        start = time.perf_counter()
        try:
            system = cl.load(name, n=SITES)
        except ValueError as error:  # its matrices are given for one size only
            rows.append({"name": name, "sites": None, "why": str(error)})
            continue
        read = time.perf_counter() - start
        if system.kind == "map":
            first = seconds_of(lambda system=system: iterate(system, system.initial[None], 2))
        else:
            span = np.array([0, 1e-6 * cl.load(name).period])
            first = seconds_of(lambda s=system, span=span: solve(s, s.initial[None], span, tolerance=TOLERANCE))
        row = {"name": name, "sites": SITES, "components": system.dimension, "operations": system.flat.size}
        rows.append(row | {"read_s": round(read, 3), "compile_s": round(first, 3)})
    return rows


def fresh(task: str):
    """What a part of this script returns in a process of its own."""
    command = [sys.executable, __file__, "--part", task]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1])


def reading() -> list[float]:
    """Seconds to read and validate every file, in fresh processes."""
    run = lambda: subprocess.run([sys.executable, "-c", READ], check=True, capture_output=True, text=True).stdout
    return [round(float(run()), 4) for _ in range(7)]


def against_peer() -> dict[str, float]:
    """The largest relative difference of every shared right-hand side, once what is declared is put in."""
    sys.path.insert(0, str(ROOT / "tests"))
    import test_peer

    import chaoslab as cl

    changed = lambda name: test_peer.with_differences(cl.load(name), test_peer.DIFFERENCES.get(name, {}))
    return {name: test_peer.distance(changed(name), numbers) for name, numbers in test_peer.SHARED.items()}


def main(out: Path) -> None:
    read, run, sized, differences = reading(), fresh("whole_catalogue"), fresh("families"), against_peer()
    rows = run["systems"]
    count = lambda kind: sum(row["kind"] == kind for row in rows)
    warm = sum(row["warm_ms"] for row in rows if row["kind"] == "flow") / 1e3
    targets = [
        target("systems", len(rows), ">= 187"),
        target("largest difference from the peer's right-hand sides", max(differences.values()), "< 1e-10"),
        target(f"all {count('flow')} flows, warm: 10 periods, 100 samples each", warm, "< 1.5 s"),
        target(f"cold: all {len(rows)} systems compiled and integrated, one process", run["cold_s"], "< 60 s"),
        target("reading and validating all files", float(np.median(read)), "< 0.3 s"),
        target("trajectories that did not end well", sum(row["status"] != "ok" for row in rows), "= 0"),
    ]
    show_targets(targets)
    for row in sorted(rows, key=lambda row: -row["cold_ms"])[:8]:
        print(f"  slowest cold: {row['name']:24} {row['cold_ms']:8.0f} ms, then {row['warm_ms']:.2f} ms")
    for row in sized:
        print("  family:", row)
    kinds = {kind: count(kind) for kind in ("flow", "delay", "map")}
    made = {"command": "python benchmarks/catalogue.py", **circumstances("chaoslab", "heyoka", "numpy"), "kinds": kinds}
    rounded = [row | {"cold_ms": round(row["cold_ms"], 1), "warm_ms": round(row["warm_ms"], 3)} for row in rows]
    write(out, {**made, "targets": targets, "reading_s": read, "families": sized, "systems": rounded})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=RESULTS, help="where the results go")
    parser.add_argument("--part", choices=("whole_catalogue", "families"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        print(json.dumps(globals()[options.part]()))
    else:
        main(options.out)
