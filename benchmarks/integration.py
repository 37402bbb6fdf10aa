"""Times integration beside the peer collection in one run: shared flows, a new system, warm calls, the import.

    python benchmarks/integration.py                          # all of it; the peer goes into .venv-peer if it is not there
    python benchmarks/integration.py --resume                 # goes on after Ctrl-C
    python benchmarks/integration.py --only Lorenz Rossler    # a trial; written nowhere unless --out says where

Both sides take the same 1,000 times over 10 of the peer's periods, in turns, system by system. A missed target is reported,
not raised.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
import warnings
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import numpy as np
from first_calls import LATE, fresh_imports, new_systems, warm_calls
from report import circumstances, medians_ms, show_targets, target, write
from tqdm.auto import tqdm

import chaoslab as cl
from chaoslab.integrate import solve, switched
from chaoslab.integrate.crossing import Walk

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "integration.json"
PEER = "dysts==0.96"
TOLERANCE, SAMPLES, PERIODS = 1e-12, 1000, 10
#: Sizes at which the peer has a system that has no size of its own.
SIZES = {"Lorenz96": {"n": 4, "F": 20}}
NOT_RUN = "not run: the peer gives no period"
ROW = "{name:24} {kind:>9} {switches:>8} {solve_ms:>9} {simulate_ms:>11} {peer_ms:>9} {ratio:>8}  {status}"


# --- every flow that both have ---------------------------------------------------------------------------------------


def ours(name: str, span: float) -> dict:
    """Times of one system over a span, bare and labelled, and what kind of right-hand side it has."""
    system = cl.load(name, **SIZES.get(name, {}))
    times, step = np.linspace(0, span, SAMPLES), span / (SAMPLES - 1)
    integrate = lambda: solve(system, system.initial[None], times, tolerance=TOLERANCE)
    label = lambda: cl.simulate(system, duration=SAMPLES * step, step=step, tolerance=TOLERANCE)
    pieces = switched(system.flat)
    with patch.object(Walk, "leg", autospec=True, side_effect=Walk.leg) as leg:
        status = str(integrate().status[0])
    switches = max(0, leg.call_count - 1)
    kind = "switching" if pieces.modes else "steep" if pieces.watched and switches else "smooth"
    solve_ms, simulate_ms = medians_ms(integrate, label)
    made = {"kind": kind, "switches": switches, "dimension": system.dimension}
    return made | {"solve_ms": solve_ms, "simulate_ms": simulate_ms, "our_status": status}


def compared(name: str, theirs: dict) -> dict:
    """One row: the peer's record and ours over the same span; a failure of either is part of it."""
    row = {"name": name, "kind": None, "switches": None, "solve_ms": None, "simulate_ms": None, "our_status": NOT_RUN}
    if theirs["period"]:
        try:
            row |= ours(name, PERIODS * theirs["period"])
        except Exception as error:  # recorded in the table, so that the others are still measured
            row["our_status"] = f"failed: {type(error).__name__}: {error}"[:200]
    peer_ms = round(float(np.median(theirs["runs_ms"])), 1) if theirs["runs_ms"] else None
    row |= {"peer_ms": peer_ms, "peer_runs": len(theirs["runs_ms"]), "peer_status": theirs["status"], "period": theirs["period"]}
    fine = row["our_status"] == row["peer_status"] == "ok"
    if row.get("dimension", theirs["dimension"]) != theirs["dimension"]:
        row["peer_dimension"], fine = theirs["dimension"], False
    return row | {"ratio": round(peer_ms / row["solve_ms"]) if fine else None}


def show(row: dict) -> None:
    said = [f"{who} {row[key]}" for who, key in (("ours", "our_status"), ("peer", "peer_status")) if row[key] != "ok"]
    said += [f"dimensions {row['dimension']} and {row['peer_dimension']}"] if "peer_dimension" in row else []
    tqdm.write(ROW.format(**{key: "-" if value is None else value for key, value in row.items()}, status="; ".join(said)))


@contextmanager
def peer(python: str, timeout: float):
    """The peer in its own process: what it says of itself, and a function that asks it for a system by name."""
    command = [python, "-W", "ignore", str(Path(__file__).with_name("peer_integration.py")), "--timeout", str(timeout)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def answer() -> dict:
            line = process.stdout.readline()
            if not line:
                raise RuntimeError(f"the peer's process ended with code {process.wait()}; does {python} have {PEER}?")
            return json.loads(line)

        def ask(name: str) -> dict:
            print(name, file=process.stdin, flush=True)
            return answer()

        try:
            yield answer(), ask
        finally:
            process.terminate()


def installed_peer() -> str:
    """The interpreter of `.venv-peer`, made where it is absent; pip leaves a complete one as it is."""
    folder = ROOT / ".venv-peer"
    if not (folder / "bin" / "python").exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    subprocess.run([str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", PEER], check=True)
    return str(folder / "bin" / "python")


def all_compared(options, partial: Path | None) -> tuple[list[dict], dict]:
    """Rows of every shared flow, kept in `partial` after each, and the peer's versions."""
    rows = json.loads(partial.read_text())["systems"] if options.resume and partial and partial.exists() else []
    columns = ("name", "kind", "switches", "solve_ms", "simulate_ms", "peer_ms", "ratio", "status")
    print(ROW.format(**dict(zip(columns, columns, strict=True))))
    for row in rows:
        show(row)
    with peer(options.peer or installed_peer(), options.timeout) as (about, ask):
        shared = [name for name in cl.names("flow") if name in about["names"]]
        if unknown := set(options.only or ()) - set(shared):
            raise ValueError(f"both sides have no flow called {', '.join(sorted(unknown))}")
        left = [name for name in options.only or shared if name not in {row["name"] for row in rows}]
        for name in (bar := tqdm(left, unit="system")):
            bar.set_postfix_str(name)
            rows.append(compared(name, ask(name)))
            show(rows[-1])
            if partial:
                write(partial, {"systems": rows})
    return rows, about["versions"]


# --- the verdict -----------------------------------------------------------------------------------------------------


def verdict(rows: list[dict], new: dict, warm: dict, imports: dict) -> list[dict]:
    """What was wanted and what was found. Ratios are over systems on which both sides succeed."""
    targets = []
    whole = [row for row in rows if row["ratio"]]
    for way in ("solve", "simulate"):
        key, ratios = f"{way}_ms", [row["peer_ms"] / row[f"{way}_ms"] for row in whole]
        targets.append(
            target(f"{way}: median ratio to the peer, {len(whole)} flows", np.median(ratios) if ratios else None, ">= 3000")
        )
        for which, limit in (("smooth", "< 20 ms"), ("switching or steep", "< 60 ms")):
            times = [row[key] for row in rows if row[key] and row["kind"] in which]
            targets.append(target(f"{way}: slowest of {len(times)} {which} flows", max(times, default=None), limit))
    targets.append(target("flows on which chaoslab fails", sum(row["our_status"] not in ("ok", NOT_RUN) for row in rows), "= 0"))
    for request, seconds in new.items():
        for name, pick in (("median", np.median), ("slowest", max)):
            targets.append(target(f"new system, first {request}: {name} of {len(seconds)}", pick(seconds), "< 0.3 s"))
    targets.append(target("simulate('Lorenz', periods=10), warm: median of 200", warm["simulate_10_ms"], "< 1.5 ms"))
    targets.append(target("100 periods of Lorenz: ratio to bare heyoka", warm["ratio"], "<= 2"))
    targets.append(target("import chaoslab after numpy: median of 7", imports["median_s"], "< 0.6 s"))
    targets.append(target(f"of {', '.join(LATE)} loaded", len(imports["loaded"]), "= 0"))
    return targets


def command_line(options) -> str:
    """The command, the peer's interpreter left unnamed: its place says nothing to others."""
    words = ["PYTHON" if word == options.peer else word for word in sys.argv[1:]]
    return shlex.join(["python", "benchmarks/integration.py", *words])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", metavar="PYTHON", help=f"an interpreter that has {PEER}; default: .venv-peer, made if absent")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these systems alone")
    parser.add_argument("--timeout", type=float, default=300.0, help="seconds the peer may take for a system")
    parser.add_argument("--resume", action="store_true", help="keep the rows of an interrupted run")
    parser.add_argument("--out", type=Path, help=f"default: {RESULTS.relative_to(ROOT)}, or nowhere with --only")
    options = parser.parse_args()
    out = options.out or (None if options.only else RESULTS)
    partial = out and out.with_suffix(".partial.json")
    warnings.simplefilter("ignore", cl.trajectories.TrajectoryWarning)  # the table has a status
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as empty:
        os.environ["HEYOKA_CACHE_DIR"] = empty  # read when heyoka is imported; compiled code of earlier runs does not flatter
        about = circumstances("chaoslab", "heyoka", "numpy", "scipy", "xarray")
        imports, warm, new = fresh_imports(), warm_calls(), new_systems()
        rows, about["peer"] = all_compared(options, partial)
        targets = verdict(rows, new, warm, imports)
    short = [row["name"] for row in rows if row["peer_status"] != "ok"]
    print(f"\nthe peer completes {len(rows) - len(short)} of {len(rows)} flows{', not ' * bool(short)}{', '.join(short)}")
    show_targets(targets)
    if out:
        measured = {"targets": targets, "new_systems_s": new, "warm": warm, "import": imports, "systems": rows}
        write(out, {"command": command_line(options), **about, **measured})
        partial.unlink(missing_ok=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("stopped; --resume goes on from the last system that was finished")
