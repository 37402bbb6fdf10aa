"""Basins of attraction whose answer is known: by symmetry, by formula, by where the motion must end."""

import json
import math
import sys

import numpy as np
import pytest
import xarray as xr

import chaoslab as cl
from chaoslab.invariants import basins, uncertainty_exponent
from chaoslab.invariants.basins import fraction_error
from chaoslab.systems import System
from chaoslab.trajectories import TrajectoryWarning

WELLS = System({"x": "y", "y": "x - x**3 - delta*y"}, {"delta": 0.3}, {"x": 1, "y": 0}, period=4.4)
NEWTON = System(
    {"x": "x - (p*c + q*s)/D", "y": "y - (q*c - p*s)/D"},
    {},
    {"x": 1, "y": 0.5},
    kind="map",
    where={"p": "x**3 - 3*x*y**2 - 1", "q": "3*x**2*y - y**3", "c": "3*(x**2 - y**2)", "s": "6*x*y", "D": "c**2 + s**2"},
)


def grid(ends, count):
    return np.linspace(-ends, ends, count)


def test_two_wells():
    """(x, y) -> (-x, -y) takes one basin to the other; near a well and slow, a start stays there."""
    found = basins(WELLS, {"x": grid(2, 24), "y": grid(2, 24)}, progress=False)
    basin = found.basin.values
    assert found.fraction.values.tolist() == [0.5, 0.5, 0, 0]
    assert (basin[::-1, ::-1] == 3 - basin).all()
    assert found["mean"].values == pytest.approx(np.array([[-1, 0], [1, 0]]), abs=1e-8)
    assert float(found.extent.max()) < 1e-8
    slow = found.basin.sel(y=0, method="nearest").sel(x=[-1, 1], method="nearest")
    assert slow.values.tolist() == [1, 2]
    json.dumps(found.attrs)


def test_newtons_method_finds_the_three_roots_of_one():
    """The basins of conjugate roots mirror each other, and a third is each's in a disc."""
    found = basins(NEWTON, {"x": grid(1.5, 121), "y": grid(1.5, 120)}, progress=False)
    third = 2 * math.pi / 3
    roots = np.array([[math.cos(-third), math.sin(-third)], [math.cos(third), math.sin(third)], [1, 0]])
    assert found["mean"].values == pytest.approx(roots, abs=1e-12)
    basin = found.basin.values
    assert (basin[:, ::-1] == np.array([0, 2, 1, 3])[basin]).all()
    disc = np.hypot(*np.meshgrid(found.x, found.y, indexing="ij")) < 1.5
    for number in (1, 2, 3):
        share = (basin[disc] == number).mean()
        assert abs(share - 1 / 3) < 3 * fraction_error(np.where(disc, basin == number, False)) / disc.mean()


def test_the_magnetic_pendulum_shares_a_disc_in_thirds():
    """The magnets stand at the corners of a triangle, so each has a third of any disc of starts at rest."""
    pendulum = cl.load("MagneticPendulum", alpha=0.2)
    found = basins(pendulum, {"x": grid(1.5, 40), "y": grid(1.5, 40)}, others={"vx": 0, "vy": 0}, progress=False)
    assert found.sizes["attractor"] == 3
    x, y = found["mean"].values[:, :2].T
    assert np.hypot(x, y) == pytest.approx(np.full(3, np.hypot(x, y).mean()), abs=1e-6)
    disc = np.hypot(*np.meshgrid(found.x, found.y, indexing="ij")) < 1.5
    for number in (1, 2, 3):
        mine = disc & (found.basin.values == number)
        assert abs(mine.sum() / disc.sum() - 1 / 3) < 3 * fraction_error(mine) / disc.mean()


def test_henon_and_what_escapes():
    """One attractor and infinity: the same starts iterated by hand agree on which escape."""
    found = basins("Henon", {"x": grid(2, 60), "y": grid(2, 60)}, progress=False)
    assert found.outcome.values.tolist() == ["attractor 1", "undecided", "escaped"]
    assert found.basin.attrs["flag_values"] == [1, 0, -1]
    assert float(found.fraction.sum()) == pytest.approx(1)
    orbit = cl.simulate("Henon", 1000).state[0]
    for k, word in enumerate(("x", "y")):
        assert float(found.extent[0, k]) == pytest.approx(float(np.ptp(orbit.sel(component=word).values)), rel=0.02)
    # the same starts iterated until they are far away
    x, y = np.meshgrid(found.x, found.y, indexing="ij")
    with np.errstate(all="ignore"):
        for _ in range(200):
            x, y = y + 1 - 1.4 * x**2, 0.3 * x
    assert np.array_equal(found.basin.values == -1, ~(np.abs(x) < 1e3))


def test_a_saddle_attracts_nothing():
    """A start at rest between the wells stays there, which is no attractor."""
    with pytest.warns(TrajectoryWarning, match="1 of 3 starts went to no attractor"):
        found = basins(WELLS, {"x": [-0.5, 0.0, 0.5]}, others={"y": 0}, progress=False)
    assert found.basin.values.tolist() == [1, 0, 2]


def test_conservative_motion_has_no_attractors():
    with pytest.warns(TrajectoryWarning, match="36 of 36 starts"):
        found = basins(WELLS.with_(delta=0), {"x": grid(1.2, 6), "y": grid(0.7, 6)}, cells=30, progress=False)
    assert found.sizes["attractor"] == 0


def test_a_cycle_and_a_forced_flow():
    """Van der Pol's cycle takes all but the origin; a forced oscillator is looked at once a round, where its cycle is a point."""
    cycle = System({"x": "y", "y": "(1 - x**2)*y - x"}, {}, {"x": 1, "y": 0}, period=6.66)
    found = basins(cycle, {"x": grid(3, 8), "y": grid(3, 8)}, cells=50, progress=False)
    assert found.fraction[0] == 1
    assert float(found.extent.sel(component="x")[0]) == pytest.approx(2 * 2.0086, abs=0.01)
    driven = System({"x": "y", "y": "-x - 0.5*y + cos(z)", "z": "2"}, {}, {"x": 0, "y": 0, "z": 0}, observed={"z": "cos(z)"})
    found = basins(driven, {"x": grid(2, 5), "y": grid(2, 5)}, progress=False)
    assert found.attrs["step"] == pytest.approx(math.pi)
    answer = 1 / (1 - 4 + 0.5 * 2j)  # x = Re answer exp(2it)
    assert found["mean"].values[0, :2] == pytest.approx([answer.real, (2j * answer).real], abs=1e-6)


def test_errors_of_fractions():
    """For independent starts the binomial error; for one straight boundary far less."""
    random = np.random.default_rng(0).random((300, 300)) < 0.3
    assert fraction_error(random) == pytest.approx(math.sqrt(0.3 * 0.7 / 90_000), rel=0.02)
    assert fraction_error(np.arange(300)[:, None] * np.ones(300) < 100) < 0.1 * math.sqrt(1 / 3 * 2 / 3 / 90_000)


@pytest.mark.parametrize("growth", [1.2, 1.5])
def test_a_boundary_whose_exponent_is_known(growth):
    """theta -> 2 theta, z -> growth z + cos 2 pi theta: the boundary between up and down is a Weierstrass curve, of exponent
    ln growth / ln 2 along theta and 1 along z (McDonald, Grebogi, Ott & Yorke, Physica D 17, 125 (1985))."""
    system = System(
        {"theta": "mod(2*theta, 1)", "z": "max(min(g*z + cos(2*pi*theta), 10), -10)"},
        {"g": growth},
        {"theta": 0.2, "z": 0},
        kind="map",
    )
    found = basins(system, {"theta": 0.2 + np.arange(1024) / 8192, "z": grid(3, 64)}, progress=False)
    assert found.sizes["attractor"] == 2
    along = uncertainty_exponent(found, component="theta")
    assert float(along.error) < 0.05
    assert abs(float(along.value) - math.log2(growth)) < 2 * float(along.error)
    assert float(along.dimension) == pytest.approx(2 - float(along.value))
    assert float(uncertainty_exponent(found, component="z").value) == pytest.approx(1, abs=0.1)


def test_a_straight_boundary_has_exponent_one():
    half = xr.Dataset({"basin": (("x", "y"), (np.add.outer(np.arange(256), np.arange(256) // 3) < 170) + 1)})
    half = half.assign_coords(x=np.arange(256.0), y=np.arange(256.0))
    assert float(uncertainty_exponent(half).value) == pytest.approx(1, abs=0.02)
    with pytest.raises(ValueError, match="take more of them"):
        uncertainty_exponent(half.isel(x=slice(0, 20), y=slice(0, 20)))
    with pytest.raises(ValueError, match="evenly spaced"):
        uncertainty_exponent(half.assign_coords(x=np.arange(256.0) ** 2))


def test_a_stopped_run_keeps_and_shows_what_it_has(tmp_path, monkeypatch):
    module = sys.modules["chaoslab.invariants.basins"]
    plane, calls = {"x": grid(2, 20), "y": grid(2, 20)}, []
    monkeypatch.setattr(module, "CHUNK", 100)
    whole = basins("Henon", plane, progress=False)

    told = module.Search.told

    def stopping(self, starts, *more):
        calls.append(len(starts))
        if calls.count(100) == 3:
            raise KeyboardInterrupt
        return told(self, starts, *more)

    monkeypatch.setattr(module.Search, "told", stopping)
    store = tmp_path / "henon.sqlite"
    with pytest.warns(UserWarning, match="200 of 400 starts have not run"):
        part = basins("Henon", plane, store=store, progress=False)
    assert (part.basin[:10] == whole.basin[:10]).all()
    assert (part.basin[10:] == -2).all()
    monkeypatch.setattr(module.Search, "told", told)
    assert basins("Henon", plane, store=store, progress=False).basin.identical(whole.basin)


def test_a_dataset_that_can_be_stored(tmp_path):
    found = basins("Henon", {"x": [0.0, 0.1], "y": [0.0, 3.0]}, progress=False)
    found.to_netcdf(tmp_path / "found.nc", engine="h5netcdf")
    assert xr.load_dataset(tmp_path / "found.nc", engine="h5netcdf").basin.identical(found.basin)


@pytest.mark.parametrize(
    ("system", "plane", "options", "error", "message"),
    [
        ("MackeyGlass", {"x": [0, 1]}, {}, ValueError, "whole histories"),
        (System({"x": "sin(t) - x"}, {}, {"x": 0}), {"x": [0, 1]}, {}, ValueError, "give step="),
        ("Henon", {"X": [0, 1]}, {}, ValueError, "no component 'X'. Did you mean 'x'"),
        ("Henon", {"x": [1, 0]}, {}, ValueError, "finite and ascend"),
        ("Henon", {"x": [0, 1]}, {"others": {"x": 3}}, ValueError, "cannot be held"),
        ("Henon", [0, 1], {}, TypeError, "a plane is a mapping"),
        ("Henon", {"x": [0, 1]}, {"cells": 0}, ValueError, "cells must be a whole number"),
        ("Henon", {"x": np.arange(1e6), "y": np.arange(1e6)}, {}, MemoryError, "take a coarser plane"),
        (3, {"x": [0, 1]}, {}, TypeError, "takes a System or a name"),
    ],
)
def test_a_refusal_says_why(system, plane, options, error, message):
    with pytest.raises(error, match=message):
        basins(system, plane, **options)
