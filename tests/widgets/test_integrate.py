"""The page's integrator beside the kernel's: the same equations, the same motion, the same densities."""

import base64
import itertools
import json
import subprocess

import numpy as np
import pytest

import chaoslab as cl
from chaoslab.integrate import iterate, solve
from chaoslab.widgets.modules import FOLDER
from chaoslab.widgets.recipe import recipe

#: What a script has at hand: the modules, what was given, and `send` for arrays.
HEAD = """
import fs from "node:fs";
const I = await import("{integrate}");
const S = await import("{shown}");
const given = JSON.parse(fs.readFileSync(0, "utf-8"), (key, value) => (value === "NaN" ? NaN : value));
const send = (array) => Buffer.from(Float64Array.from(array).buffer).toString("base64");
"""


@pytest.fixture(scope="module")
def page(node, tmp_path_factory):
    """`page(script, given)`: what a script of the page's modules writes as JSON."""
    folder = tmp_path_factory.mktemp("page")
    head = HEAD.replace("{integrate}", (FOLDER / "integrate.js").as_uri()).replace("{shown}", (FOLDER / "shown.js").as_uri())

    def run(script, given=None):
        path = folder / "page.mjs"
        path.write_text(head + script, encoding="utf-8")
        answer = subprocess.run([node, str(path)], input=json.dumps(given), capture_output=True, text=True, timeout=120)
        assert answer.returncode == 0, answer.stderr
        return json.loads(answer.stdout)

    return run


def array(text: str, *shape) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), float).reshape(shape)


def runs(page, made, starts, **changes) -> list[np.ndarray]:
    """The page's runs of a recipe from states, without transient."""
    view = {"values": made["values"], "periods": made["periods"], "samples": made["samples"], "transient": 0} | changes
    script = """
    const runs = given.starts.map((state) => I.run(given.made, { ...given.view, state }));
    console.log(JSON.stringify(runs.map(({ states, status }) => ({ states: send(states), status }))));
    """
    answer = page(script, {"made": made, "view": view, "starts": np.asarray(starts).tolist()})
    assert all(run["status"] == "ok" for run in answer)
    return [array(run["states"], -1, len(made["components"])) for run in answer]


# --- the same right-hand side ---------------------------------------------------------------------------------------------


def test_the_right_hand_side_of_every_system_to_1e_12(page):
    """At seven states around each start, in sizes of the right-hand side there; delay systems at pasts that differ."""
    rng, systems, calls, wanted = np.random.default_rng(0), [cl.load(name) for name in cl.names()], [], []
    for system in systems:
        states = system.initial * (1 + 0.02 * rng.standard_normal((7, system.dimension))) + 1e-3 * rng.standard_normal(
            (7, system.dimension)
        )
        delays = len(system.flat.delays)
        past = {"delayed": states[:, :1] * (1 + 0.1 * rng.standard_normal((7, delays)))} if delays else {}
        wanted.append(system.rhs(states, 0.0, **past))
        calls.append([system.javascript(), system.values.tolist(), states.tolist(), past["delayed"].tolist() if past else None])
    script = """
    const all = given.map(([text, values, states, past]) => states.map((state, k) => {
      const out = [];
      I.compile(text)(state, values, 0, out, past && past[k]);
      return out.map(String);
    }));
    console.log(JSON.stringify(all));
    """
    numbers = lambda rows: np.array([[float(entry.replace("Infinity", "inf")) for entry in row] for row in rows])
    for system, expected, rows in zip(systems, wanted, page(script, calls), strict=True):
        found = numbers(rows)
        assert (np.isfinite(found) == np.isfinite(expected)).all(), system.name
        assert np.isfinite(expected).all(axis=1).sum() >= 4, f"{system.name}: too few states with a value"
        size = np.nanmax(np.abs(expected), axis=0) + 1e-300
        assert np.nanmax(np.abs(found - expected) / size) < 1e-12, system.name


@pytest.mark.parametrize("name", ["Duffing", "BlinkingVortex", "Kuramoto", "Froeschle", "BickleyJet"])
def test_what_is_observed(page, name):
    system, made = cl.load(name), recipe(name)
    states = system.initial + 0.1 * np.random.default_rng(1).standard_normal((5, system.dimension))
    found = page(
        "console.log(JSON.stringify(send(S.observed(given.states, given.n, given.made))))",
        {"states": states.ravel().tolist(), "n": system.dimension, "made": made},
    )
    np.testing.assert_allclose(array(found, 5, -1), system.observe(states), rtol=1e-12, atol=1e-12)


# --- the same motion --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["Lorenz", "Rossler", "Duffing", "Lorenz96", "HodgkinHuxley", "Chua", "HyperRossler", "SwingingAtwood"]
)
def test_short_stretches_follow_the_exact_solution(page, name):
    """A quarter of a period from eight states on the orbit; a sample's error is at most 1e-5 of the motion's size, and grows."""
    system, made = cl.load(name), recipe(name)
    step = made["period"] / made["samples"]
    starts = solve(system, system.initial[None], made["period"] * np.arange(20, 28)).states[0]
    times = np.arange(made["samples"] // 4) * step
    found = np.array(runs(page, made, starts, periods=len(times) / made["samples"]))
    exact = solve(system, starts, times).states
    assert found.shape == exact.shape
    error = np.abs(system.observe(found) - system.observe(exact)) / made["sizes"]
    assert error[:, 1].max() < 1e-5
    assert error.max() < 1e-3


def test_the_method_is_of_fourth_order(page):
    turn = {"rhs": "(s, p, t, out) => { out[0] = s[1]; out[1] = -p[0] * s[0] + 0 * t; }"}
    script = """
    const rhs = I.compile(given.rhs);
    const ends = [1, 2, 4, 8].map((substeps) => {
      const run = I.flow(rhs, { state: [1, 0], parameters: [1], step: 0.1, count: 11, substeps });
      return Array.from(run.states.slice(-2));
    });
    console.log(JSON.stringify(ends));
    """
    errors = np.abs(np.array(page(script, turn)) - [np.cos(1.0), -np.sin(1.0)]).max(axis=1)
    np.testing.assert_allclose(errors[:-1] / errors[1:], 16, rtol=0.1)


def test_time_itself_and_the_transient(page):
    """x' = t from t = 2 - 3*0.5, where x = 0: after three dropped samples x = (t^2 - 0.25)/2 at t = 2, 2.5, ..."""
    script = """
    const rhs = I.compile("(s, p, t, out) => { out[0] = t; }");
    const run = I.flow(rhs, { state: [0], parameters: [], start: 2, step: 0.5, count: 4, transient: 3 });
    const map = I.iterate(I.compile("(s, p, t, out) => { out[0] = t; }"), { state: [-9], parameters: [], count: 3, transient: 2 });
    console.log(JSON.stringify([Array.from(run.states), Array.from(map.states)]));
    """
    flow, map_ = page(script)
    t = np.array([2, 2.5, 3, 3.5])
    np.testing.assert_allclose(flow, (t**2 - 0.25) / 2, rtol=1e-14)
    assert map_ == [-1, 0, 1]


@pytest.mark.parametrize("name", ["Henon", "Logistic", "Baker", "FoldedTowel"])
def test_a_maps_iterates(page, name):
    """Chaos doubles the last digit's difference about every iterate, so twenty are compared."""
    system, made = cl.load(name), recipe(name)
    [found] = runs(page, made, system.initial[None], periods=20)
    exact = iterate(system, system.initial[None], 20).states[0]
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-8)


# --- the same densities -----------------------------------------------------------------------------------------------------

RUNS, BINS = 6, 24


def exact_runs(system, made, starts):
    count = round(made["periods"] * made["samples"])
    if system.kind == "map":
        return iterate(system, starts, count).states
    return solve(system, starts, np.arange(count) * made["period"] / made["samples"]).states


def densities(system, made, found):
    """Histograms (coordinate, bin) of each run, over the frame of the picture."""
    low, high = (np.array(made["centre"]) + sign * np.array(made["scale"]) for sign in (-1, 1))
    parts = []
    for states in found:
        seen = system.observe(states)
        n = seen.shape[1]
        count = [np.histogram(np.clip(seen[:, k], low[k], high[k]), BINS, (low[k], high[k]))[0] for k in range(n)]
        parts.append(np.array(count) / len(states))
    return np.array(parts)


def chance(one, other):
    """How often a random division of all runs into two groups has a larger mean distance between them than this one has."""
    every = np.concatenate([one, other])
    gap = np.abs(every[:, None] - every[None]).sum(axis=(2, 3))
    groups = [np.array(part) for part in itertools.combinations(range(len(every)), len(one))]
    between = [gap[np.ix_(part, np.setdiff1d(np.arange(len(every)), part))].mean() for part in groups]
    return float(np.mean(np.array(between) >= between[0] - 1e-12))


def apart(system, made):
    """States on one orbit, a run's length after one another, so that no run goes over what another has seen."""
    length = round(made["periods"] * made["samples"])
    if system.kind == "map":
        return iterate(system, system.initial[None], 1000 + 2 * RUNS * length).states[0, 1000::length]
    return solve(system, system.initial[None], made["period"] * (50 + made["periods"] * np.arange(2 * RUNS))).states[0]


@pytest.mark.parametrize("name", ["Lorenz", "Rossler", "Halvorsen", "Duffing", "Chua", "Thomas", "Henon", "Logistic"])
def test_densities_are_no_further_apart_than_those_of_two_exact_runs(page, name):
    """Were the page's runs exact ones, the chance would be uniform: one in a hundred fails by bad luck, and these are fixed."""
    system, made = cl.load(name), recipe(name)
    starts = apart(system, made)
    exact, ours = exact_runs(system, made, starts[::2]), runs(page, made, starts[1::2])
    assert chance(densities(system, made, exact), densities(system, made, ours)) > 0.01


@pytest.mark.slow
def test_densities_of_every_system_that_the_page_integrates(page):
    """Over two hundred systems the chance is uniform, give or take: one in a hundred lies below 0.01. A few may be slower to mix
    than a run is long, or, as quasi-periodic motion, remember every error."""
    low, systems = [], 0
    for name in cl.names():
        system, made = cl.load(name), recipe(name)
        if made["kernel_only"] or system.dimension > 8:
            continue
        starts = apart(system, made)
        exact, ours = exact_runs(system, made, starts[::2][:RUNS]), runs(page, made, starts[1::2][:RUNS])
        systems += 1
        if chance(densities(system, made, exact), densities(system, made, ours)) <= 0.01:
            low.append(name)
    assert systems > 190
    assert len(low) <= 5, low


def test_that_comparison_sees_steps_that_are_too_long(page):
    """Lorenz in steps of a sixth of a period each."""
    system, made = cl.load("Lorenz"), recipe("Lorenz")
    starts = apart(system, made)
    exact = densities(system, made, exact_runs(system, made, starts[::2]))
    script = """
    const rhs = I.compile(given.made.rhs);
    const options = { parameters: given.made.values, step: given.made.period / 6, count: given.count, sizes: [1e9, 1e9, 1e9] };
    console.log(JSON.stringify(given.starts.map((state) => send(I.flow(rhs, { ...options, state }).states))));
    """
    given = {"made": made, "starts": starts[1::2].tolist(), "count": round(6 * made["periods"])}
    crude = [array(text, -1, 3) for text in page(script, given)]
    assert chance(exact, densities(system, made, crude)) < 0.01


# --- what it says of itself -------------------------------------------------------------------------------------------------


def said(page, rhs, **options):
    script = """
    const { states, ...said } = I.flow(I.compile(given.rhs), given.options);
    const good = states.slice(0, said.count * given.options.state.length);
    console.log(JSON.stringify({ ...said, finite: good.every(Number.isFinite) }));
    """
    return page(script, {"rhs": rhs, "options": {"parameters": [], "step": 0.1, "count": 100} | options})


def test_growth_without_bound_escapes(page):
    found = said(page, "(s, p, t, out) => { out[0] = 5 * s[0]; }", state=[1.0])
    assert found["status"] == "escaped"
    assert found["ended"] == pytest.approx(np.log(1e12) / 5, abs=0.1)
    assert found["count"] == pytest.approx(np.log(1e12) / 5 / 0.1, abs=2)
    assert found["finite"]


def test_a_blow_up_in_finite_time_escapes(page):
    found = said(page, "(s, p, t, out) => { out[0] = s[0] * s[0]; }", state=[1.0], sizes=[1.0])
    assert found["status"] == "escaped"
    assert found["ended"] == pytest.approx(1.0, abs=0.25)
    assert found["finite"]


def test_where_no_real_value_exists_it_escapes(page):
    found = said(page, "(s, p, t, out) => { out[0] = Math.sqrt(1 - s[0]); out[1] = 1 - s[0] < 0.3 ? NaN : 0; }", state=[0.0, 0.0])
    assert found["status"] == "escaped"
    assert 0 < found["count"] < 100
    assert found["finite"]


def test_steps_are_halved_where_they_are_too_long(page):
    """x' = -100 (x - cos t) in samples of 0.1: stable from 4 steps on, accurate from more."""
    rhs = "(s, p, t, out) => { out[0] = -100 * (s[0] - Math.cos(t)); }"
    found = said(page, rhs, state=[1.0], sizes=[1.0])
    assert (found["status"], found["count"]) == ("ok", 100)
    assert 4 <= found["substeps"] <= 16


def test_steep_is_said_where_64_steps_are_too_few(page):
    found = said(page, "(s, p, t, out) => { out[0] = -1e5 * (s[0] - Math.cos(30 * t)); }", state=[0.0], sizes=[1.0])
    assert found["status"] == "steep"
    assert found["count"] < 100


def test_slow_gives_what_there_is(page):
    rhs = "(s, p, t, out) => { let sum = 0; for (let i = 0; i < 2e4; i++) sum += Math.sin(i); out[0] = sum * 1e-9; }"
    found = said(page, rhs, state=[1.0], count=100_000, budget=30)
    assert found["status"] == "slow"
    assert 0 < found["count"] < 100_000
    assert found["finite"]


def test_a_map_that_escapes(page):
    script = """
    const map = I.compile("(s, p, t, out) => { out[0] = s[0] * s[0]; }");
    const { states, ...said } = I.iterate(map, { state: [2], parameters: [], count: 50 });
    console.log(JSON.stringify(said));
    """
    found = page(script)
    assert (found["status"], found["count"]) == ("escaped", 6)  # 2, 4, 16, 256, 65536, 2^32, and then 2^64


def test_an_escape_in_the_transient_is_shown_from_its_start(page):
    made = recipe(cl.System({"x": "x + 0*y", "y": "-y"}, {}, {"x": 1, "y": 1}, period=1.0))
    script = """
    const { states, ...said } = I.run(given, { values: [], state: [1, 1], periods: 100, samples: 10, transient: 50 });
    console.log(JSON.stringify({ ...said, first: states[0] }));
    """
    found = page(script, made)
    assert found["status"] == "escaped"
    assert found["first"] == 1
    assert found["ended"] == pytest.approx(np.log(1e12), abs=0.2)


# --- what is seen -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Lorenz", "Duffing", "Lorenz96", "Logistic", "HyperRossler"])
def test_points_speeds_and_colours_are_those_of_the_kernel(page, name):
    from chaoslab.widgets import axes
    from chaoslab.widgets.colouring import colours, speed

    system, made = cl.load(name), recipe(name)
    count = 300
    states = (
        iterate(system, system.initial[None], count).states[0]
        if system.kind == "map"
        else (solve(system, system.initial[None], np.arange(count) * made["period"] / made["samples"]).states[0])
    )
    script = """
    const { states, n, made, axes } = given;
    const drawn = S.shown(states, n, made, axes);
    const speeds = S.speed(states, n, made);
    const { colour, range } = S.colours(speeds);
    const drawnOf = { points: drawn.points, speeds, colour };
    const sent = Object.fromEntries(Object.entries(drawnOf).map(([key, values]) => [key, send(values)]));
    console.log(JSON.stringify({ ...sent, series: drawn.series.map(send), range }));
    """
    for names in (made["axes"], made["choices"][:2], made["choices"][-3:]):
        found = page(script, {"states": states.ravel().tolist(), "n": system.dimension, "made": made, "axes": names})
        seen = system.observe(states)
        rows = axes.series(made, seen, names)
        np.testing.assert_allclose([array(row, -1) for row in found["series"]], rows, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(array(found["points"], -1, 3), axes.framed(made, rows, names), rtol=1e-5, atol=1e-5)
    rates = speed(seen, made, made["samples"])
    np.testing.assert_allclose(array(found["speeds"], -1), rates, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(array(found["colour"], -1), colours(rates)[0], atol=1e-5)
    assert array(found["colour"], -1).min() == 0


def test_twins_begin_as_far_apart_as_asked(page):
    for name in ("Lorenz", "Duffing", "Lorenz96", "Henon"):
        made = recipe(name)
        script = """
        const other = S.twin(given.initial, given, 1e-6);
        console.log(JSON.stringify([Array.from(S.distances(given.initial, other, given.components.length, given)), other]));
        """
        [distance], other = page(script, made)
        assert distance == pytest.approx(1e-6, rel=0.01)
        still = np.array(made["phases"])
        assert (np.array(other)[still] == np.array(made["initial"])[still]).all()


def test_an_axis_that_is_not_there_is_named(page):
    script = """
    try { S.shown([0, 0, 0], 3, given, ["q"]); } catch (error) { console.log(JSON.stringify(error.message)); }
    """
    assert "no axis q; it has x, y, z" in page(script, recipe("Lorenz"))
