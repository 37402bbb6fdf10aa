"""What a page needs of a system: every system gives it, and it is right."""

import json

import numpy as np
import pytest

import chaoslab as cl
from chaoslab.trajectories.record import digest
from chaoslab.widgets import axes
from chaoslab.widgets.code import code
from chaoslab.widgets.recipe import recipe
from chaoslab.widgets.stepping import runge_kutta, substeps

ALL = cl.names()
#: Quick ones of every kind; all of them are marked slow.
SOME = [
    *["Lorenz", "Rossler", "Duffing", "HyperRossler", "Chua", "BlinkingVortex", "Hopfield", "MultiChua", "RestrictedThreeBody"],
    *["Henon", "Logistic", "Froeschle", "CoupledMapLattice", "MackeyGlass", "LangKobayashi", "FluidTrampoline", "Kuramoto"],
]


def holds(name):
    """What is promised of every system's recipe."""
    system = cl.load(name)
    made = recipe(system)
    assert json.loads(json.dumps(made, allow_nan=False)) == made
    n = system.dimension
    assert len(made["initial"]) == len(made["sizes"]) == len(made["state_sizes"]) == len(made["clocks"]) == n
    assert len(made["choices"]) == len(made["centre"]) == len(made["scale"])
    assert min(made["scale"]) > 0
    assert min(made["sizes"]) > 0
    assert min(made["state_sizes"]) > 0
    assert set(made["axes"]) <= set(made["choices"])
    assert 2 <= len(made["axes"]) <= 3
    assert made["periods"] * made["samples"] <= 20_000
    assert made["periods"] >= 20
    assert bool(made["rhs"]) == (system.kind != "delay")
    assert (made["substeps"] is None) == (system.kind != "flow" or made["kernel_only"] is not None)
    places = sorted(place for entry in made["parameters"] for place in entry["index"])
    assert places == list(range(len(system.values)))
    for entry in made["parameters"]:
        if not entry["array"]:
            assert entry["low"] <= entry["value"] <= entry["high"]
            assert entry["step"] > 0
            assert made["values"][entry["index"][0]] == entry["value"]
    assert digest(eval(made["code"], {"cl": cl})) == digest(system)


@pytest.mark.parametrize("name", SOME)
def test_a_recipe_holds(name):
    holds(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_every_recipe_holds(name):
    holds(name)


def test_a_recipe_is_the_callers_own():
    recipe("Lorenz")["values"][0] = 0.0
    assert recipe("Lorenz")["values"][0] == 10.0


def test_ranges_come_from_the_definition_or_from_the_value():
    entries = {entry["name"]: entry for entry in recipe("Lorenz")["parameters"]}
    assert (entries["rho"]["low"], entries["rho"]["high"]) == tuple(cl.load("Lorenz").ranges["rho"])
    plain = cl.System({"x": "a*x - b*x**3 + c", "y": "-d*y"}, {"a": 2, "b": -4, "c": 0, "d": 0.5}, {"x": 1, "y": 1}, kind="map")
    ends = {entry["name"]: (entry["low"], entry["high"]) for entry in recipe(plain)["parameters"]}
    assert ends == {"a": (0, 4), "b": (-8, 0), "c": (-1, 1), "d": (0, 1)}
    lag = {
        entry["name"]: entry
        for entry in recipe(cl.System({"x": "-x(t - tau)"}, {"tau": 1.8}, {"x": 1}, kind="delay"))["parameters"]
    }
    assert (lag["tau"]["low"], lag["tau"]["high"]) == (0.9, 3.6)


def test_wide_positive_ranges_are_logarithmic():
    system = cl.load("ArnoldWeb")
    entry = next(entry for entry in recipe(system)["parameters"] if entry["name"] == "mu")
    assert entry["log"]
    assert 0.002 <= entry["step"] <= 0.01  # of two decades
    assert not any(entry["log"] for entry in recipe("Lorenz")["parameters"])


def test_an_array_has_its_places_and_no_slider():
    entry = next(entry for entry in recipe("Hopfield")["parameters"] if entry["array"])
    assert len(entry["index"]) == np.size(cl.load("Hopfield").parameters[entry["name"]]) > 1
    assert "low" not in entry


@pytest.mark.parametrize(
    ("system", "status"),
    [
        (cl.System({"x": "x**2"}, {}, {"x": 1}), "escapes"),
        (cl.System({"x": "-k*x", "y": "-y"}, {"k": 2}, {"x": 1, "y": 1}), "rests"),
        (cl.System({"x": "0*x", "y": "0*y"}, {}, {"x": 1, "y": 0}), "never moved"),
        (cl.System({"x": "x**2 + 1"}, {}, {"x": 1}, kind="map"), "escapes"),
        (cl.System({"x": "sqrt(x)"}, {}, {"x": -1}), "is not real"),
    ],
)
def test_any_motion_has_a_recipe(system, status):
    made = recipe(system)
    json.dumps(made, allow_nan=False)
    assert min(made["scale"]) > 0


def test_a_delay_system_and_a_map_look_at_their_past():
    assert recipe("MackeyGlass")["axes"] == ["x", "x(t - tau)", "x(t - 2 tau)"]
    logistic = recipe("Logistic")
    assert logistic["axes"] == ["x(t - 1)", "x"]
    x = np.array([0.2, 0.3, 0.4, 0.5])[:, None]
    assert axes.series(logistic, x, logistic["axes"]).tolist() == [[0.2, 0.2, 0.3, 0.4], [0.3, 0.3, 0.4, 0.5]]


def test_principal_components_of_a_known_cloud():
    """Two coordinates that move together, one on its own, and one at rest."""
    rng = np.random.default_rng(0)
    u, v = rng.standard_normal((2, 4000))
    cloud = np.stack([3 * u, -5 * u, 7 * v, np.ones(4000)], axis=1)
    found = axes.basis(cloud)
    np.testing.assert_allclose(found["share"], [2 / 3, 1 / 3, 0], atol=0.02)
    first = np.array(found["rows"][0])
    assert first[0] * 3 == pytest.approx(-first[1] * 5, rel=0.05)
    assert np.array(found["rows"])[:, 3].tolist() == [0, 0, 0]


def test_steps_of_a_known_motion():
    """x'' = -x in samples of a tenth of a turn: the error of one step h is h^5/120, so four of them leave 3e-6 of a sample."""
    system = cl.System({"x": "v", "v": "-x"}, {}, {"x": 1, "v": 0})
    times = np.arange(200) * (2 * np.pi / 10)
    exact = np.stack([np.cos(times), -np.sin(times)], axis=1)
    h = times[1]
    assert h**5 / 120 / 4**4 < 1e-5 < h**5 / 120 / 2**4
    assert substeps(system, exact, times, np.ones(2)) == 4
    off = [np.abs(runge_kutta(system, exact[0], 0.0, h / k) - [np.cos(h / k), -np.sin(h / k)]).max() for k in (1, 2)]
    assert off[0] / off[1] == pytest.approx(32, rel=0.1)


def test_a_decay_too_fast_for_the_method_needs_more_steps():
    """y follows x**2 at once, so that one step of an exact state is well; but the method blows up where 1e5 h exceeds 2.785."""
    system = cl.System({"x": "v", "v": "-x", "y": "-1e5*(y - x**2) + 2*x*v"}, {}, {"x": 1, "v": 0, "y": 1})
    times = np.arange(400) * 1e-4
    exact = np.stack([np.cos(times), -np.sin(times), np.cos(times) ** 2], axis=1)
    once = runge_kutta(system, exact[:-1], times[:-1], 1e-4)
    assert np.abs(once - exact[1:]).max() < 1e-5
    assert substeps(system, exact, times, np.ones(3)) == 4  # 10/4 < 2.785 < 10/2


def test_code_of_changed_sized_and_own_systems():
    assert code(cl.load("Lorenz96", n=8)) == 'cl.load("Lorenz96", n=8)'
    assert code(cl.load("Lorenz").with_(beta="8/7", x=1)) == 'cl.load("Lorenz").with_(beta="8/7", x=1.0)'
    for system in (
        cl.load("Lorenz").with_(rho=0.1 + 0.2),
        cl.load("Hopfield").with_(tau=1 / 3),
        cl.load("Lorenz96", n=6).with_(F=9.5),
        cl.System({"x": "x(t - tau)*a - x"}, {"tau": "1/3", "a": 1e-17}, {"x": np.float64(0.1)}, name="Lorenz", kind="delay"),
        cl.rescale(cl.load("Rossler"), scale=3.3),
        cl.System({"x[i]": "-x[i] + x[i+1]"}, {}, {"x": [1, 2, 3]}, index={"i": {"size": 3, "cyclic": True}}),
    ):
        assert digest(eval(code(system), {"cl": cl})) == digest(system)
