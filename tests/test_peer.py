"""Right-hand sides against the peer's numbers (tests/peer.json, made by benchmarks/peer_rhs.py).

Every difference is spelled out in peer_differences.toml, as the changes that turn our definition into the peer's; with them,
the two must agree to rounding.
"""

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest

import chaoslab as cl

HERE = Path(__file__).parent
PEER = json.loads((HERE / "peer.json").read_text(encoding="utf-8"))
DIFFERENCES = tomllib.loads((HERE / "peer_differences.toml").read_text(encoding="utf-8"))
#: A map of the peer whose name a flow has already.
RENAMED = {("maps", "Duffing"): "DuffingMap"}
SHARED = {RENAMED.get((kind, name), name): PEER[kind][name] for kind in ("flows", "maps") for name in PEER[kind]}


def with_differences(system: cl.System, changes: dict) -> cl.System:
    """The system with entries of its tables replaced, or removed where the new one is empty."""
    made = system.definition()
    for table in ("conserved", "symmetry", "ranges"):
        made.pop(table, None)
    for table, entries in changes.items():
        merged = {**made.get(table, {}), **entries}
        made[table] = {key: value for key, value in merged.items() if value != ""}
    return cl.System(**made)


def distance(system: cl.System, numbers: dict) -> float:
    """The largest difference from the peer's right-hand sides, over the largest component at that state."""
    past = {"delayed": numbers["delayed"]} if "delayed" in numbers else {}
    theirs = np.array(numbers["rhs"])
    ours = system.rhs(numbers["states"], **past)
    return float((np.abs(ours - theirs).max(axis=1) / np.abs(theirs).max(axis=1)).max())


def test_all_of_the_peers_systems_are_here():
    assert not set(SHARED) - set(cl.names())
    assert not set(DIFFERENCES) - set(SHARED)


@pytest.mark.parametrize("name", sorted(SHARED))
def test_equals_the_peer_but_for_what_is_declared(name):
    system, changes = cl.load(name), DIFFERENCES.get(name, {})
    assert distance(with_differences(system, changes), SHARED[name]) < 1e-10
    if changes:
        assert "dysts" in system.note, "a difference is told in the note"
        if system.dimension == len(SHARED[name]["states"][0]):
            assert distance(system, SHARED[name]) > 1e-10, "what is declared makes no difference"
