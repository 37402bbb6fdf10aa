"""Every promise, on every system of the catalogue. A new definition needs no new test."""

import importlib.util
import json
import subprocess
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
import xarray as xr
from scipy.integrate import solve_ivp

import chaoslab as cl
from chaoslab.integrate import solve
from chaoslab.invariants import complexity_bounds, largest_exponent, lyapunov_spectrum, ordinal
from chaoslab.systems import reference as citation
from chaoslab.systems.catalogue import claimed_regime, measurements
from chaoslab.systems.emit import scalar_function
from chaoslab.systems.tree import Node, walk


def beside(name: str):
    """A module of this folder; the tests are no package."""
    spec = importlib.util.spec_from_file_location(name, __file__.replace("test_every_system", name))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


reference, twins = beside("reference"), beside("twins")

ALL, FLOWS, DELAYS = cl.names(), cl.names("flow"), cl.names("delay")
every_system = pytest.mark.parametrize("name", ALL)
every_flow = pytest.mark.parametrize("name", FLOWS)
#: Systems whose variational solution is followed beside the trajectory; larger ones are held to the bare 1e-8.
FOLLOWED = 12
#: Chaos whose exponent is not known to 1 % or 0.002 a period: most of it keeps a volume and sticks to islands for long, so that
#: the mean converges slowly; the others, delay systems most of them, take too long to follow.
COARSE = set(
    "ArnoldBeltramiChildress ArnoldWeb BickleyJet BlinkingRotlet BlinkingVortex BlinkingVortexMap Bouali2 Chirikov "
    "ElasticPendulum Froeschle HenonHeiles KuramotoSivashinsky MacArthur MackeyGlass30 MagneticPendulum NicholsonBlowflies "
    "NoseHoover PehlivanWei PiecewiseCircuit RestrictedThreeBody ScrollDelay Sitnikov SprottA SprottDelay SwingingAtwood "
    "ThreeBody VossDelay".split()
)
#: Regimes with a positive exponent.
CHAOS = ("chaotic", "hyperchaotic")


@pytest.fixture(scope="module")
def nearby():
    """States around a system's own, away from exact zeros."""

    def states(system, count=5):
        rng = np.random.default_rng(7)
        return system.initial * (1 + 0.05 * rng.standard_normal((count, system.dimension))) + 1e-3 * rng.standard_normal(
            (count, system.dimension)
        )

    return states


def at_rest(system, state):
    """The delayed states of a motion that has rested at `state`."""
    return [state[delay.component] for delay in system.flat.delays]


@every_system
def test_is_described_for_a_reader(name):
    system = cl.load(name)
    assert system.about.endswith(".")
    assert system.title
    assert system.field
    assert len(system.reference) > 40, "the reference is not in references.bib"
    assert citation(system.cite) != system.cite
    assert system.latex.count("{") == system.latex.count("}")
    assert set(system.ranges) <= set(system.parameters)
    for key, (low, high) in system.ranges.items():
        assert low <= float(system.parameters[key]) <= high, f"the default of {key} lies outside its range"
    assert not system.flat.timed, "forced systems carry a phase coordinate"


@every_system
def test_definition_survives_a_round_trip(name):
    system = cl.load(name)
    again = cl.System(**system.definition())
    assert again == system
    assert all(isinstance(value, int | float | Fraction | np.ndarray) for value in again.parameters.values())


@every_system
def test_jacobian_is_the_derivative(name, nearby):
    system = cl.load(name)
    states = nearby(system)
    past = {"delayed": np.array([at_rest(system, x) for x in states])} if system.kind == "delay" else {}
    jacobian = system.jacobian(states, **past)
    assert np.allclose(np.trace(jacobian, axis1=-2, axis2=-1), system.divergence(states, **past), rtol=1e-12, atol=1e-12)
    for j in range(system.dimension):
        step = 1e-6 * np.maximum(np.abs(states[:, j]), 1e-3)
        up, down = states.copy(), states.copy()
        up[:, j] += step
        down[:, j] -= step
        slope = (system.rhs(up, **past) - system.rhs(down, **past)) / (2 * step[:, None])
        size = np.abs(jacobian).max(axis=(1, 2))
        assert (np.abs(slope - jacobian[:, :, j]).max(axis=1) < 1e-5 * size + 1e-7).all(), f"column of {system.components[j]}"


@every_system
def test_emitters_agree(name, nearby):
    torch = pytest.importorskip("torch")
    system = cl.load(name)
    states = nearby(system, 3)
    ours = system.rhs(states)
    scale = np.abs(ours).max(axis=0) + 1e-9
    scalar = scalar_function(system.flat.rhs, system.flat.inputs)
    plain = [scalar([*x, *system.values.tolist(), *at_rest(system, x)]) for x in states.tolist()]
    assert np.allclose(plain / scale, ours / scale, rtol=1e-11, atol=1e-12)
    assert np.allclose(system.torch_rhs()(torch.tensor(states)).numpy() / scale, ours / scale, rtol=1e-11, atol=1e-12)


def test_javascript_agrees(nearby, node):
    """All systems in one run of Node."""
    parts = []
    for name in ALL:
        system = cl.load(name)
        x = [float(v) for v in nearby(system, 1)[0]]
        past = at_rest(system, x)
        parts.append(f"out = []; ({system.javascript()})({x}, {list(map(float, system.values))}, 0, out, {past}); print(out);")
    source = "let out; const print = v => console.log(v.join(' '));\n" + "\n".join(parts)
    run = subprocess.run([node, "-"], input=source, capture_output=True, text=True, check=True, timeout=120)
    for name, line in zip(ALL, run.stdout.splitlines(), strict=True):
        system = cl.load(name)
        ours = system.rhs(nearby(system, 1)[0])
        assert np.allclose(np.array(line.split(), float), ours, rtol=1e-9, atol=1e-9 * np.abs(ours).max()), name


@every_flow
def test_engine_agrees_with_an_independent_one(name):
    """Largest error over two periods, each component over its range."""
    system = cl.load(name)
    times = np.linspace(0, 2 * system.period, 101)
    solution = solve(system, system.initial[None], times)
    assert solution.status[0] == "ok", solution.reasons
    ours = solution.states[0]
    spread = np.maximum(np.ptp(ours, axis=0), 1e-12)
    error = (np.abs(ours - reference.reference(system, times, spread)) / spread).max()
    if system.smooth:
        growth = reference.growth(system, times) if system.dimension <= FOLLOWED else 1.0
        assert error <= 1e-8 + 1e-12 * growth
    else:
        assert error <= 1e-6


@pytest.mark.parametrize("name", DELAYS)
def test_delays_agree_with_the_method_of_steps(name):
    """The largest error at the ends of the first laps of one lag, over the range of the motion there."""
    system = cl.load(name)
    lap = float(system.lags.max())
    expected = reference.laps(system, 3)  # each lap folds the motion once more, too finely for SciPy after a few
    spread = np.ptp(expected, axis=0).max()
    starts = np.array([system.initial, system.initial + 1e-8 * spread])
    found, nudged = solve(system, starts, lap * np.arange(4)).states
    growth = np.abs(nudged - found).max() / (1e-8 * spread)
    assert np.abs(found - expected).max() < (1e-9 + 1e-12 * growth) * spread


@pytest.mark.parametrize("name", [name for name in ALL if cl.load(name).symmetry])
def test_symmetry_takes_solutions_to_solutions(name, nearby):
    """At the file's parameter values and at others: f(S(x)) = S'(x) f(x) for a flow, S(f(x)) = f(S(x)) for a map."""
    system = cl.load(name)
    states, rng = nearby(system), np.random.default_rng(5)
    others = {key: float(v) * (1 + 0.1 * rng.random()) for key, v in system.parameters.items() if np.ndim(v) == 0}
    for parameters in ({}, {} if "n" in others and system.kind == "delay" else others):
        images, sides = system.image(states, **parameters), system.rhs(states, **parameters)
        found = system.rhs(images, **parameters)
        if system.kind == "map":
            expected, tolerance = system.image(sides, **parameters), 1e-12
        else:
            step = 1e-6 * np.abs(states).max() / np.abs(sides).max()
            ahead, behind = (system.image(states + sign * step * sides, **parameters) for sign in (1, -1))
            expected, tolerance = (ahead - behind) / (2 * step), 1e-8
        assert np.abs(found - expected).max() < tolerance * np.abs(found).max()
    assert not np.allclose(images, states), "the identity is no symmetry"


@cache
def long_orbit(name):
    """A thousand periods, or twenty thousand iterations."""
    return cl.simulate(name, 20_000) if cl.load(name).kind == "map" else cl.simulate(name, 1000, 10)


@every_system
def test_motion_is_of_the_regime_that_its_file_states(name):
    """From the end of the long orbit, neighbours part by far more than regular motion lets them; or they do not."""
    system, ds = cl.load(name), long_orbit(name)
    spread = np.ptp(ds.chaos.shown.values[0], axis=0) / 4
    folds, _ = twins.growth(system, ds.state.values[0, -1], system.period, spread)
    assert (folds >= twins.ENOUGH) == (cl.table().regime[name] in CHAOS), f"{folds:.1f} e-folds"


@every_system
def test_orbit_stays_bounded_and_keeps_the_schema(name):
    ds = long_orbit(name)
    ds.chaos.check()
    assert ds.status.item() == "ok"
    shown = ds.chaos.shown
    half = ds.sizes["time"] // 2
    early, late = (np.abs(shown.isel(time=part)).max("time") for part in (slice(None, half), slice(half, None)))
    assert (late < 5 * early + 1e-9).all(), "the second half leaves the region of the first: an escape, or an unbounded coordinate"
    assert (shown.std("time") > 0).all()


@pytest.mark.parametrize("name", FLOWS + DELAYS)
def test_period_is_measured_and_not_typed(name):
    row = measurements()[name]["period"]
    system = cl.load(name)
    assert system.period == float(row["value"])
    assert row["method"]
    assert row["settings"]
    assert float(row["error"]) > 0
    quick = cl.dominant_period(system.with_(state=dict(system.state)))
    if max(quick.error / quick.value, float(row["error"]) / system.period) < 0.2:  # else the spectrum has no clear middle
        assert 0.4 < quick.value / system.period < 2.5


@every_system
def test_what_was_measured_does_not_contradict_itself(name):
    """Regime, exponents, Lyapunov time and dimension, and the file's own claim."""
    system, found = cl.load(name), measurements()[name]
    claim, regime = claimed_regime(name), found["regime"]["value"]
    assert regime == claim or {claim, regime} <= set(CHAOS)
    largest, error = (float(found["largest_exponent"][key]) for key in ("value", "error"))
    assert (largest > 3 * error and regime in CHAOS) == (regime in CHAOS) == ("lyapunov_time" in found)
    if regime in CHAOS:
        unit = system.period
        assert error <= max(0.01 * largest, 0.002 / unit) or name in COARSE
        assert float(found["lyapunov_time"]["value"]) == pytest.approx(1 / largest, rel=1e-5)
        assert system.lyapunov_time == float(found["lyapunov_time"]["value"])
    count = sum(key.startswith("exponent ") for key in found)
    rows = [found[f"exponent {k}"] for k in range(1, count + 1)]
    values, errors = (np.array([float(row[key]) for row in rows]) for key in ("value", "error"))
    assert abs(values[0] - largest) <= 4 * np.hypot(errors[0], error) or name in COARSE
    assert (np.diff(values[np.isfinite(values)]) <= 3 * (errors[1:] + errors[:-1])[np.isfinite(values[1:])] + 1e-12).all()
    if regime == "hyperchaotic":
        assert values[1] > 3 * errors[1]
    if count == system.dimension and system.kind != "delay" and np.isfinite(values).all():
        assert abs(values.sum() - float(found["divergence"]["value"])) <= 1e-5 * max(np.abs(values).sum(), 1e-9)
    if "kaplan_yorke_dimension" in found and system.kind != "delay":
        assert 0 < float(found["kaplan_yorke_dimension"]["value"]) <= system.dimension


@every_system
def test_exponents_are_those_that_were_measured(name):
    """A short run finds the stored value within errors; of few components all exponents, whose sum is the divergence."""
    system, row = cl.load(name), measurements()[name]["largest_exponent"]
    time = 100 * system.period
    if system.kind == "map":  # an orbit that sticks does so for tens of thousands of iterations
        time = 200_000 if name in COARSE else 10_000
    if 1 < system.dimension <= 6 and system.kind != "delay":
        found = lyapunov_spectrum(system, time=time, rng=1, progress=False)
        values = found.exponent.values
        if np.isfinite(values).all():
            assert abs(values.sum() - float(found.divergence)) < 1e-6 * np.abs(values).sum()
    else:
        found = largest_exponent(system, time=time, rng=1, progress=False)
    value, error = float(found.exponent[0]), float(found.error[0])
    assert abs(value - float(row["value"])) < 5 * np.hypot(error, float(row["error"])) + 1 / time


@every_system
def test_what_was_measured_of_its_series_is_possible(name):
    """Entropies between 0 and 1, complexities between their bounds, dimensions no larger than the space that was measured in."""
    system, found = cl.load(name), measurements()[name]
    value = lambda key: float(found[key]["value"])
    assert {"natural_time_scale", "ordinal_entropy", "statistical_complexity", "permutation_entropy", "zero_one"} <= set(found)
    height = value("ordinal_entropy")
    bounds = complexity_bounds(5, entropy=np.array([height]))
    assert 0 <= height <= 1
    assert float(bounds.lower[0]) - 1e-4 <= value("statistical_complexity") <= float(bounds.upper[0]) + 1e-4
    assert value("natural_time_scale") > 0
    if "correlation_dimension" in found and system.kind != "delay" and system.dimension <= 12:
        error = float(found["correlation_dimension"]["error"])
        assert 0 < value("correlation_dimension") <= system.dimension + 3 * error


@pytest.mark.parametrize("name", [name for name in ALL if name not in DELAYS and cl.load(name).dimension <= 12])
def test_ordinal_patterns_are_those_that_were_measured(name):
    """A fifth of the series shows the same entropy at the lag that was chosen, within what a fifth can tell."""
    system, row = cl.load(name), measurements()[name]["ordinal_entropy"]
    if not row["error"]:
        pytest.skip("drifts too slowly for an error")
    made, error = json.loads(row["settings"]), float(row["error"])
    length = (8000,) if system.kind == "map" else (200, made["samples"])
    ds = cl.simulate(system, *length, transient=made["transient"])
    found = ordinal(ds.chaos.shown.isel(member=0).sel(component=made["component"]), length=5, lag=made["lag"])
    assert abs(float(found.entropy) - float(row["value"])) < 0.02 + 3 * np.sqrt(5) * error


def _largest_term(system, key, states) -> float:
    """The size of the largest term of a conserved quantity along the orbit."""
    tree = system.flat.conserved[key]
    terms = tree.args if tree.head == "+" else (tree,)
    function = scalar_function(tuple(terms), system.flat.variables + system.flat.parameters)
    return max(max(map(abs, function([*x, *system.values]))) for x in states.tolist())


def drift(system, periods=1000) -> dict[str, float]:
    """Largest change of each conserved quantity over its largest term."""
    times = np.linspace(0, periods * (system.period or cl.dominant_period(system).value), 2001)
    states = solve(system, system.initial[None], times, tolerance=1e-15).states[0]
    values = system.invariants(states)
    return {key: float(np.abs(value - value[0]).max() / _largest_term(system, key, states)) for key, value in values.items()}


@pytest.mark.parametrize("name", [name for name in FLOWS if cl.load(name).conserved])
def test_conserved_is_conserved(name):
    assert all(value < 1e-10 for value in drift(cl.load(name)).values())


def test_nose_hoover_with_its_reservoir_is_conserved():
    """Three variables have no first integral; with s' = z, that of the heat bath, they have one."""
    three = cl.load("NoseHoover")
    energy = "(x**2 + y**2 + z**2)/2 - a*s"
    system = cl.System({**three.equations, "s": "z"}, three.parameters, {**three.state, "s": 0}, conserved={"energy": energy})
    times = np.linspace(0, 1000 * three.period, 2001)
    states = solve(system, system.initial[None], times, tolerance=1e-15).states[0]
    energies = system.invariants(states)["energy"]
    assert np.abs(energies - energies[0]).max() < 1e-10 * _largest_term(system, "energy", states)


def test_abc_flow_keeps_its_integral_where_it_has_one():
    abc = cl.load("ArnoldBeltramiChildress")
    parameters = {**abc.parameters, "C": 0}
    flat = cl.System(abc.equations, parameters, abc.state, conserved={"integral": "B*sin(x) + A*cos(z)"}, period=abc.period)
    assert max(drift(flat).values()) < 1e-10
    assert abc.divergence(np.random.default_rng(1).normal(size=(20, 3))) == pytest.approx(0)


def test_stick_slip_never_slips_to_the_wrong_side():
    """While it sticks, no sample in 200 periods lies on the wrong side of v = vs, to the last digit."""
    ds = cl.simulate("StickSlipOscillator", 200)
    system = cl.load("StickSlipOscillator")
    v, vs = ds.state.sel(component="v").values[0], float(system.parameters["vs"])
    below, above = (system.rhs(ds.state.values[0] + np.array([0, side, 0]))[:, 1] for side in (-1e-12, 1e-12))
    held = (np.abs(v - vs) < 1e-6) & (below > 0) & (above < 0)
    assert held.sum() > 100, "the mass should stick for some per cent of the time"
    assert (v[held] == vs).all()


@every_system
def test_files_keep_everything(name, tmp_path):
    ds = cl.simulate(name, 20) if cl.load(name).kind == "map" else cl.simulate(name, 2, 5)
    ds.to_netcdf(tmp_path / "ds.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "ds.nc", engine="h5netcdf") as again:
        assert again.load().identical(ds)
        assert again.chaos.check().chaos.system == cl.load(name)


FAMILIES = [name for name in ALL if cl.load(name).sizes and not any(np.ndim(v) for v in cl.load(name).parameters.values())]


@pytest.mark.parametrize(("name", "size"), [(name, size) for name in FAMILIES for size in cl.load(name).sizes])
def test_a_family_can_be_loaded_at_128_sites(name, size):
    """And its engine agrees there with SciPy, over a short time: what is tested is the text written out, not the chaos."""
    system = cl.load(name, **{size: 128})
    assert system.sizes[size] == 128
    if system.kind == "map":
        assert np.isfinite(cl.simulate(system, 100).state).all()
        return
    times = np.array([0, 1e-4 * min(cl.load(name).period, 1.0)])
    found = solve(system, system.initial[None], times).states[0, -1]
    function = scalar_function(system.flat.rhs, system.flat.variables + system.flat.parameters)
    values = system.values.tolist()
    ends = solve_ivp(lambda t, x: function([*x, *values]), times, system.initial, method="DOP853", rtol=1e-11, atol=1e-13).y[:, -1]
    assert np.abs(found - ends).max() < 1e-9 * np.abs(ends).max()


def test_every_tree_is_small():
    """Hash-consing keeps what is shared shared; a system that explodes would make every emitter slow."""
    for name in ALL:
        flat = cl.load(name).flat
        assert sum(isinstance(node, Node) for node in walk(*flat.rhs)) < 1000, name
