"""Systems from a seed: the same whatever was asked for, interrupted or shared out, and none twice."""

import functools
import importlib
from dataclasses import asdict

import numpy as np
import pytest

import chaoslab as cl
from chaoslab.datasets import Discovery, discover
from chaoslab.datasets.candidates import BLOCKS, digest
from chaoslab.sweep import StoreError

MODULE = importlib.import_module("chaoslab.datasets.discover")
#: Short lives: what is tested here is not how long chaos lasts.
QUICK = {"lyapunov_times": 50.0, "workers": 0, "progress": False}
SEED = 5


@pytest.fixture(scope="module")
def found() -> Discovery:
    return discover(6, kinds=("parameters", "skew"), rng=SEED, **QUICK)


def test_what_is_found(found):
    assert len(found) == 6
    assert [entry.kind for entry in found] == ["parameters", "skew"] * 3
    for entry in found:
        system = entry.system
        assert entry.regime in ("chaotic", "hyperchaotic")
        assert entry.exponents[0] > 3 * entry.errors[0]
        assert entry.lyapunov_times >= 50
        assert system.name == entry.name == f"{entry.kind}-{digest(system)}"
        assert system.lyapunov_time == pytest.approx(1 / entry.exponents[0], rel=1e-3)
        assert found[entry.name] is entry
        assert len(entry.parents) == {"parameters": 1, "skew": 2}[entry.kind]
        ds = system.simulate(periods=5)
        assert np.isfinite(ds.state).all()
        assert float(ds.state.std("time").min()) > 0
    counts = found.counts["parameters"]
    assert counts["chaotic"] >= 3
    assert sum(counts.values()) % BLOCKS["parameters"] == 0
    with pytest.raises(KeyError, match="Did you mean"):
        found[found[0].name[:-1] + "x"]


def test_an_exponent_is_that_of_the_text(found):
    entry = found[0]
    again = cl.largest_exponent(entry.system, time=2000 * entry.period, progress=False)
    assert abs(float(again.exponent[0]) - entry.exponents[0]) < 4 * np.hypot(float(again.error[0]), entry.errors[0])


def test_the_first_ones_are_the_same_whatever_n(found):
    fewer = discover(3, kinds=("parameters", "skew"), rng=SEED, **QUICK)
    assert list(fewer) == list(found)[:3]
    assert [entry.system for entry in fewer] == [entry.system for entry in found][:3]


def test_an_interrupted_call_goes_on(found, tmp_path, monkeypatch):
    store, begun = tmp_path / "store", []

    @functools.wraps(MODULE.block)
    def block(**options):
        if len(begun) == 2:
            raise KeyboardInterrupt
        begun.append(options)
        return kept(**options)

    kept = MODULE.block
    options = {"kinds": ("parameters", "skew"), "rng": SEED, "store": store, **QUICK}
    monkeypatch.setattr(MODULE, "block", block)
    with pytest.raises(KeyboardInterrupt):
        discover(6, **options)
    begun.clear()
    monkeypatch.setattr(MODULE, "block", kept)
    whole = discover(6, **options)
    assert whole == found
    monkeypatch.setattr(MODULE, "block", block)
    begun += [None, None]  # nothing may run again
    assert discover(6, **options) == found
    with pytest.raises(StoreError, match="is the store of"):
        discover(6, **{**options, "rng": SEED + 1})


def test_quadratic_flows(monkeypatch):
    monkeypatch.setitem(BLOCKS, "quadratic", 768)
    found = discover(2, kinds="quadratic", rng=0, **QUICK)
    for entry in found:
        terms = entry.system.terms()
        degrees = [sum(int(part[-1]) if "**" in part else part != "1" for part in word.replace("**", "^").split("*"))
                   for row in terms.values() for word in row]  # fmt: skip
        assert max(degrees) >= 1
        assert entry.parents == ()
    fates = found.counts["quadratic"]
    assert sum(fates.values()) % 768 == 0
    assert {"escaping", "falls apart", "not chaotic", "fixed point"} <= fates.keys()


def test_processes_find_the_same(found):
    shared = discover(2, kinds=("parameters", "skew"), rng=SEED, **{**QUICK, "workers": 2})
    assert list(shared) == list(found)[:2]


def test_a_duplicate_is_left_out(found):
    chosen = MODULE._Chosen()
    entry = found[0]
    assert chosen.add(entry)
    assert not chosen.add(entry)
    moved = {word: float(value) * 1.001 for word, value in entry.system.parameters.items()}
    near = MODULE.Found.of({**asdict(entry), "definition": entry.system.with_(**moved).definition()})
    assert not chosen.add(near)
    own = cl.load(entry.parents[0])
    known = MODULE.Found.of({**asdict(near), "definition": {**own.definition(), "name": "parameters-x"}})
    assert not MODULE._Chosen().add(known)


def test_a_file_gives_back_what_was_saved(found, tmp_path):
    path = tmp_path / "found.jsonl"
    found.save(path)
    back = Discovery.load(path)
    assert back == found
    assert back.seconds == found.seconds
    assert [entry.system for entry in back] == [entry.system for entry in found]
    assert len(path.read_text().splitlines()) == 7
    table = back.table()
    assert list(table.index) == [entry.name for entry in found]
    np.testing.assert_array_equal(table["largest_exponent"], [entry.exponents[0] for entry in found])
    path.write_text("\n".join(path.read_text().splitlines()[:-1]))
    with pytest.raises(ValueError, match="holds 5 systems of 6"):
        Discovery.load(path)
    path.write_text("{")
    with pytest.raises(ValueError, match="no file of discovered systems"):
        Discovery.load(path)


def test_requests_that_make_no_sense():
    for n in (0, 2.5, "many"):
        with pytest.raises((TypeError, ValueError), match="n "):
            discover(n)
    with pytest.raises(ValueError, match="Did you mean 'quadratic'"):
        discover(3, kinds="quadratik")
    with pytest.raises(ValueError, match="kinds is empty"):
        discover(3, kinds=())
    for rng in (-1, 0.5, np.random.default_rng(0)):
        with pytest.raises(ValueError, match="rng is a seed"):
            discover(3, rng=rng)
    with pytest.raises(ValueError, match="lyapunov_times"):
        discover(3, lyapunov_times=-1)


def test_patience_ends(monkeypatch):
    """Where next to nothing passes, it is said, and not tried for ever."""
    monkeypatch.setattr(MODULE, "block", functools.wraps(MODULE.block)(lambda **_: {"found": [], "fates": {"dull": 6}, "cpu": 0.0}))
    with pytest.raises(ValueError, match="only 0 are chaotic"):
        discover(3, kinds="parameters", **QUICK)
