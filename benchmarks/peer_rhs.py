"""Right-hand sides of every system of dysts at its own parameters, and its stored exponents: numbers to compare ours with.

Run in the peer's environment: `python benchmarks/peer_rhs.py` writes tests/peer.json.
"""

import datetime
import inspect
import json
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np

warnings.simplefilter("ignore")  # dysts warns of each optional library that is absent

import dysts.flows  # noqa: E402
import dysts.maps  # noqa: E402
from dysts.base import DynSysDelay  # noqa: E402

SEED, STATES = 0, 3


def near(point: np.ndarray, rng) -> np.ndarray:
    """States (state, component) around one, away from exact zeros."""
    shape = (STATES, len(point))
    return point * (1 + 0.05 * rng.standard_normal(shape)) + 1e-3 * rng.standard_normal(shape)


def numbers(system) -> dict:
    """States and the right-hand sides there; a delay system's delayed states too."""
    rng = np.random.default_rng(SEED)
    point = np.atleast_1d(np.asarray(system.ic, float))
    if isinstance(system, DynSysDelay):
        states, delayed = near(point[:1], rng), near(point[:1], rng)
        words = list(inspect.signature(type(system)._rhs).parameters)[3:]
        values = [system.params[word] for word in words]
        sides = [[float(system._rhs(x[0], past[0], 0.0, *values))] for x, past in zip(states, delayed, strict=True)]
        return {"states": states.tolist(), "delayed": delayed.tolist(), "rhs": sides}
    states = near(np.ravel(point), rng)
    if isinstance(system, dysts.maps.DynMap):
        words = list(inspect.signature(system._rhs).parameters)[states.shape[1] :]
        sides = [np.ravel(system._rhs(*x, *(system.params[word] for word in words))).tolist() for x in states]
    else:
        sides = [np.ravel(system.rhs(x, 0.0)).tolist() for x in states]
    return {"states": states.tolist(), "rhs": sides}


def stored(system) -> dict:
    """What dysts ships of exponents and dimension."""
    keys = {
        "largest": "maximum_lyapunov_estimated",
        "spectrum": "lyapunov_spectrum_estimated",
        "kaplan_yorke": "kaplan_yorke_dimension",
    }
    values = {key: getattr(system, word, None) for key, word in keys.items()}
    return {key: np.asarray(value, float).tolist() for key, value in values.items() if value is not None}


def main() -> None:
    found = {"flows": {}, "maps": {}, "exponents": {}}
    for kind, module in (("flows", dysts.flows), ("maps", dysts.maps)):
        for name, system in inspect.getmembers(module, inspect.isclass):
            if system.__module__ == module.__name__:
                found[kind][name] = numbers(system())
                if kind == "flows":
                    found["exponents"][name] = stored(system())
    made = {
        "command": "python benchmarks/peer_rhs.py",
        "seed": SEED,
        "versions": {"dysts": version("dysts"), "numpy": np.__version__},
        "date": datetime.date.today().isoformat(),
    }
    target = Path(__file__).parent.parent / "tests" / "peer.json"
    target.write_text(json.dumps({"made": made, **found}, separators=(",", ":")) + "\n")
    print(f"{len(found['flows'])} flows and {len(found['maps'])} maps in {target}")


if __name__ == "__main__":
    main()
