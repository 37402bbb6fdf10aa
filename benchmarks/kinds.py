"""Times every other kind of motion beside the peer in one run: delays, noise, ensembles, torch batches, long streams.

    python benchmarks/kinds.py                     # all of it, some minutes; the peer goes into .venv-peer if it is not there
    python benchmarks/kinds.py --only delay noise  # some; written nowhere unless --out says where

Both sides are timed in turns where the peer can do the same thing. A missed target is reported, not raised.
"""

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from integration import PEER, ROOT, installed_peer
from report import circumstances, seconds_of, show_targets, target, write
from scipy.integrate import solve_ivp

import chaoslab as cl
from chaoslab.integrate import batch, noise, solve
from chaoslab.integrate.members import cores
from chaoslab.systems.tree import name

RESULTS = ROOT / "benchmarks" / "results" / "kinds.json"
#: Repeats of each measurement; medians are reported.
RUNS = 7


def medians(*calls: Callable, runs: int = RUNS) -> list[float]:
    """The median time of each call in seconds, in turns, after one that compiles."""
    for call in calls:
        call()
    times = [[seconds_of(call) for call in calls] for _ in range(runs)]
    return [statistics.median(column) for column in zip(*times, strict=True)]


def peers_delay(python: str, *numbers) -> dict:
    """What the peer's process says of its Mackey-Glass."""
    command = [python, "-W", "ignore", str(Path(__file__).with_name("peer_delay.py")), *map(str, numbers)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1])


# --- delays --------------------------------------------------------------------------------------------------------------


def laps(system, count: int) -> np.ndarray:
    """States at the ends of the first laps of the lag (lap, component): the method of steps as one growing flow, by SciPy.

    y_k(s) = x(k lag + s) is driven by y_(k-1); each lap solves all of them anew from s = 0.
    """
    lag, starts = float(system.lags[0]), [system.initial]
    for lap in range(1, count + 1):

        def field(s, y, lap=lap):
            rows = np.vstack([system.initial, y.reshape(lap, -1)])
            return system.rhs(rows[1:], delayed=rows[:-1]).ravel()

        ends = solve_ivp(field, (0, lag), np.concatenate(starts), method="DOP853", rtol=2.3e-14, atol=1e-15).y[:, -1]
        starts.append(ends[-system.dimension :])
    return np.array(starts)


def delay(python: str) -> dict:
    """Mackey-Glass over 10,000 time units, and its error after five lags."""
    system, times = cl.load("MackeyGlass"), np.arange(0.0, 10_000.0)
    [seconds] = medians(lambda: solve(system, system.initial[None], times))
    found = solve(system, system.initial[None], float(system.lags[0]) * np.arange(6)).states[0]
    error = float(np.abs(found - laps(system, 5)).max())
    theirs = peers_delay(python, system.initial[0], *(float(system.parameters[key]) for key in ("beta", "gamma", "n", "tau")))
    return {
        "ours_s": seconds,
        "error": error,
        "peer_s_per_10000": theirs["seconds"] * 10_000 / theirs["duration"],
        "ratio": theirs["seconds"] * 10_000 / theirs["duration"] / seconds,
        "targets": [
            target("Mackey-Glass over 10,000 time units", seconds, "< 0.5 s"),
            target("its error after 5 lags", error, "< 1e-9"),
        ],
    }


# --- members -------------------------------------------------------------------------------------------------------------


def ensemble(python: str) -> dict:
    """10,000 members of Lorenz, 1,000 samples each, beside heyoka's own ensemble call; and the same through `simulate`."""
    import heyoka as hy

    lorenz, count, samples = cl.load("Lorenz"), 10_000, 1000
    starts = cl.simulate(lorenz, members=count, periods=0.01).state.values[:, 0]
    times = np.arange(samples) / 66
    symbols = dict(zip("xyz", hy.make_vars(*"xyz"), strict=True))
    x, y, z = symbols.values()
    integrator = hy.taylor_adaptive([(x, 10 * (y - x)), (y, x * (28 - z) - y), (z, x * y - 8 / 3 * z)], [0.0] * 3, tol=1e-12)

    def begin(one, k):
        one.state[:] = starts[k]
        return one

    small = count // 10  # heyoka's own call takes ten times as long
    bare = lambda: hy.ensemble_propagate_grid(integrator, times, small, begin)
    threads = lambda: solve(lorenz, starts, times)
    single = lambda: solve(lorenz, starts[:small], times, workers=1)
    labelled = lambda: cl.simulate(lorenz, initial=starts, duration=samples / 66, step=1 / 66)
    threads_s, single_s, bare_s, labelled_s = medians(threads, single, bare, labelled, runs=5)
    rate = count * samples / threads_s / 1e6
    return {
        "members": count,
        "samples": samples,
        "threads": cores(),
        "million_samples_per_s": rate,
        "one_thread": small * samples / single_s / 1e6,
        "through_simulate": count * samples / labelled_s / 1e6,
        "heyokas_own_call": small * samples / bare_s / 1e6,
        "targets": [target("10,000 members of Lorenz, 1,000 samples each", rate, ">= 8 M/s")],
    }


def noisy(python: str) -> dict:
    """1,000 members of Lorenz with noise on every component, 10,000 steps. The peer's noise needs a package it does not bring."""
    lorenz, members, steps = cl.load("Lorenz"), 1000, 10_000
    starts = np.repeat(lorenz.initial[None], members, axis=0)
    amplitudes = tuple(name(f"b{k}") for k in range(3))
    values = np.append(lorenz.values, [0.5, 0.5, 0.5])
    parameters = lorenz.flat.parameters + amplitudes
    options = {"step": 1e-3, "stride": steps, "count": 2}
    run = lambda: noise.solve(lorenz.flat, amplitudes, parameters, starts, values, streams=noise.spawn(0, members), **options)
    [seconds] = medians(run)
    rate = members * steps / seconds / 1e6
    return {
        "members": members,
        "steps": steps,
        "million_steps_per_s": rate,
        "targets": [target("noise: 1,000 members x 10,000 steps of Lorenz", rate, ">= 20 M/s")],
    }


# --- torch ---------------------------------------------------------------------------------------------------------------


def torch_batch(python: str) -> dict:
    """4,096 members of Lorenz by RK4 in torch on the CPU; agreement with the Taylor engine; gradients."""
    import torch

    lorenz, members, steps = cl.load("Lorenz"), 4096, 500
    starts = torch.tensor(cl.simulate(lorenz, members=members, periods=0.01).state.values[:, 0])
    step = 0.002
    times = torch.tensor([0.0, steps * step], dtype=torch.float64)
    with torch.no_grad():
        [seconds] = medians(lambda: batch.integrate(lorenz, starts, times, method="rk4", step=step))
        short = torch.linspace(0, 1, 11, dtype=torch.float64)
        exact = solve(lorenz, starts[:64].numpy(), short.numpy()).states
        errors = [
            float(np.abs(batch.integrate(lorenz, starts[:64], short, method="rk4", step=h).numpy() - exact).max())
            for h in (0.004, 0.002)
        ]
    rate = members * steps / seconds / 1e6
    return {
        "members": members,
        "steps": steps,
        "torch_threads": torch.get_num_threads(),
        "million_steps_per_s": rate,
        "rk4_errors_at_halved_steps": errors,
        "order": float(np.log2(errors[0] / errors[1])),
        "targets": [
            target("torch on the CPU: 4,096 members of Lorenz, RK4", rate, ">= 20 M/s"),
            target("its gradients against finite differences", gradient_error(lorenz, starts[0]), "<= 1e-5"),
        ],
    }


def gradient_error(system, start) -> float:
    """The largest relative difference of gradients by state, parameters and time from central differences, in float64.

    The end lies between two whole numbers of steps, where a small change of it does not change their number.
    """
    import torch

    words = list(system.parameters)

    def distance(x):
        state, values, end = x[:3], x[3:6], x[6:]
        times = torch.cat([torch.zeros(1, dtype=x.dtype), end])
        return batch.integrate(system, state, times, parameters=dict(zip(words, values, strict=True)), step=0.01)[-1].square().sum()

    x = torch.cat([start, torch.tensor([*system.values, 0.4957], dtype=torch.float64)]).requires_grad_()
    [exact] = torch.autograd.grad(distance(x), x)
    with torch.no_grad():
        h = 1e-5 * torch.clamp(x.abs(), min=1)
        moved = [(distance(x + d) - distance(x - d)) / (2 * d.sum()) for d in torch.diag(h)]
    return float((torch.stack(moved) - exact).abs().max() / exact.abs().max())


# --- streams -------------------------------------------------------------------------------------------------------------

STREAM = """
import re, sys, time, chaoslab as cl
start = time.perf_counter()
ds = cl.simulate("Lorenz", duration=10_000_000 / 66, step=1 / 66, to=sys.argv[1])
peak = re.search(r"VmHWM:\s+(\d+) kB", open("/proc/self/status").read())  # ru_maxrss would count the parent's memory too
print(ds.sizes["time"], time.perf_counter() - start, int(peak[1]) / 1e3)
"""


def stream(python: str) -> dict:
    """Ten million samples of Lorenz into a Zarr store, in a process of its own: time and peak memory."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", STREAM, str(Path(folder) / "lorenz.zarr")]
        samples, seconds, megabytes = map(float, subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
        size = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())
    return {
        "samples": int(samples),
        "seconds": seconds,
        "peak_megabytes": megabytes,
        "megabytes_on_disk": size / 1e6,
        "targets": [target("10^7 samples of Lorenz to a file: peak memory", megabytes, "< 500 MB")],
    }


KINDS = {"delay": delay, "ensemble": ensemble, "noise": noisy, "batch": torch_batch, "stream": stream}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", metavar="PYTHON", help=f"an interpreter that has {PEER}; default: .venv-peer, made if absent")
    parser.add_argument("--only", nargs="+", choices=KINDS, help="these kinds alone")
    parser.add_argument("--out", type=Path, help=f"default: {RESULTS.relative_to(ROOT)}, or nowhere with --only")
    options = parser.parse_args()
    os.environ["TQDM_DISABLE"] = "1"  # progress bars are no part of what is timed
    out = options.out or (None if options.only else RESULTS)
    python = options.peer or installed_peer()
    measured, targets = {}, []
    for kind in options.only or KINDS:
        found = KINDS[kind](python)
        targets += found.pop("targets")
        measured[kind] = {key: float(f"{value:.4g}") if isinstance(value, float) else value for key, value in found.items()}
        print(kind, json.dumps(measured[kind]))
    show_targets(targets)
    if out:
        words = ["PYTHON" if word == options.peer else word for word in sys.argv[1:]]
        about = circumstances("chaoslab", "heyoka", "numpy", "scipy", "xarray", "torch", "zarr")
        write(out, {"command": shlex.join(["python", "benchmarks/kinds.py", *words]), **about, "targets": targets, **measured})


if __name__ == "__main__":
    main()
