"""Systems out of systems: the equations are those on paper, and motions are conjugate."""

import dataclasses
import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoslab import simulate
from chaoslab.systems import DefinitionError, System, emit, load
from chaoslab.systems.compose import couple, skew
from chaoslab.systems.coordinates import rescale, rotate

SAMPLE = ["Lorenz", "Chua", "HenonHeiles", "ForcedVanDerPol", "Hopfield", "MacArthur", "CellCycle", "BlinkingRotlet", "Henon"]
LAGGED = {"equations": {"x": "a*x(t - tau) - y + sin(t)", "y": "x - y(t - 2*(tau + 1) + 1)"}, "kind": "delay"}
NOISY = {"equations": {"x": "-a*x", "y": "x - t"}, "parameters": {"a": 2, "s": 0.3}, "noise": {"x": "s*x + t"}}


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def lorenz():
    return load("Lorenz")


@pytest.fixture
def rossler():
    return load("Rossler")


def decay(rate="a", **changes):
    return System(**{"equations": {"x": f"-{rate}*x"}, "parameters": {rate: 2}, "state": {"x": 1}, **changes})


def lagged():
    return System(**LAGGED, parameters={"a": 0.5, "tau": 1.5}, state={"x": 0.3, "y": 0.4})


def noisy():
    return System(**NOISY, state={"x": 1, "y": 0})


def near(system, rng, count=5):
    """States (count, component) around the start."""
    return system.initial + rng.normal(scale=0.01, size=(count, system.dimension)) * np.maximum(np.abs(system.initial), 0.1)


def diffusion(system, states, t=0.0):
    """The noise amplitudes at states, with the parameters as they are."""
    values = [states[..., k] for k in range(system.dimension)] + list(system.values)
    columns = emit.numpy_function(system.flat.noise, system.flat.variables + system.flat.parameters)(values, t)
    return np.stack(np.broadcast_arrays(*columns), axis=-1)


def orbit(system, duration, step):
    """States (time, component) of the motion from the start."""
    return simulate(system, duration=duration, step=step).state.values[0]


def check_derived(system):
    """Everything that follows from the text follows: the Jacobian is the derivative, the definition is a value."""
    assert System(**system.definition()) == system
    assert System(**json.loads(json.dumps(system.definition()))) == system
    h = 1e-6 * np.eye(system.dimension)
    differences = (system.rhs(system.initial + h) - system.rhs(system.initial - h)).T / 2e-6
    scale = max(1.0, np.abs(differences).max())
    np.testing.assert_allclose(system.jacobian(system.initial), differences, atol=1e-4 * scale)
    assert system.latex.count("{") == system.latex.count("}")


# --- two systems -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SAMPLE)
def test_without_terms_both_are_as_they_were(name, rng):
    first, second = load(name), load("Lorenz96", n=5) if load(name).kind == "flow" else load("Ikeda")
    for one, other in [(first, second), (second, first), (first, first)]:
        pair = couple(one, other)
        x, y = near(one, rng), near(other, rng)
        np.testing.assert_array_equal(pair.rhs(np.hstack([x, y])), np.hstack([one.rhs(x), other.rhs(y)]))
        blocks = pair.jacobian(np.hstack([x, y]))
        np.testing.assert_array_equal(blocks[:, : one.dimension, : one.dimension], one.jacobian(x))
        assert not blocks[:, : one.dimension, one.dimension :].any()
        np.testing.assert_array_equal(pair.observe(np.hstack([x, y])), np.hstack([one.observe(x), other.observe(y)]))
        check_derived(pair)


def test_an_uncoupled_pair_moves_as_its_parts(lorenz):
    chua = load("Chua")
    found = orbit(couple(lorenz, chua), 2, 0.1)
    np.testing.assert_allclose(found, np.hstack([orbit(lorenz, 2, 0.1), orbit(chua, 2, 0.1)]), atol=1e-8)


def test_coupling_terms_are_added(rossler, rng):
    pair = couple(rossler, rossler, {"x1": "k*(x2 - x1)", "y2": "-k*x1*y2"}, parameters={"k": 0.1})
    assert pair.equations["x1"] == "-y1 - z1 + k*(x2 - x1)"
    assert pair.equations["y2"] == "x2 + a2*y2 - k*x1*y2"
    assert list(pair.parameters) == ["a1", "b1", "c1", "a2", "b2", "c2", "k"]
    assert pair.components == ("x1", "y1", "z1", "x2", "y2", "z2")
    x, y = near(rossler, rng), near(rossler, rng)
    expected = np.hstack([rossler.rhs(x), rossler.rhs(y, c=6)])
    expected[:, 0] += 0.1 * (y[:, 0] - x[:, 0])
    expected[:, 4] -= 0.1 * x[:, 0] * y[:, 1]
    np.testing.assert_allclose(pair.rhs(np.hstack([x, y]), c2=6), expected, rtol=1e-14)
    assert r"\dot{x}_{1} &= -y_{1} - z_{1} + k \left(x_{2} - x_{1}\right)" in pair.latex
    assert r"\dot{y}_{2} &= x_{2} + a_{2} y_{2} - k \, x_{1} y_{2}" in pair.latex
    assert pair.terms()["x1"] == pytest.approx({"y1": -1, "z1": -1, "x1": -0.1, "x2": 0.1})
    assert pair.period is None
    check_derived(pair)


def test_a_pair_runs_elsewhere(rossler, rng):
    torch = pytest.importorskip("torch")
    pair = couple(rossler, rossler, through=["x", "y"], strength=0.2)
    x = near(pair, rng)
    np.testing.assert_allclose(pair.torch_rhs()(torch.tensor(x)).numpy(), pair.rhs(x), rtol=1e-13)
    assert "out[5] =" in pair.javascript()
    assert simulate(pair, periods=1, samples=20).sizes["time"] == 20  # of a period that is found


@pytest.mark.parametrize(("strength", "together"), [(2, True), (0.05, False)])
def test_diffusive_coupling_synchronises_where_it_is_strong(lorenz, strength, together):
    # through all components the distance grows with the largest exponent less 2 k: 0.906 - 2 k
    pair = couple(lorenz, lorenz, through=lorenz.components, strength=strength)
    end = orbit(pair, 40, 0.1)[-100:]
    apart = np.abs(end[:, :3] - end[:, 3:]).max()
    assert apart < 1e-9 if together else apart > 1


@pytest.mark.parametrize(("strength", "together"), [(0.4, True), (0.05, False)])
def test_maps_are_coupled_as_in_lattices(strength, together):
    logistic = load("Logistic")
    pair = couple(logistic, logistic, through="x", strength=strength)
    x, y = np.array([0.3, 0.8]), logistic.rhs([[0.3], [0.8]])[:, 0]
    np.testing.assert_allclose(pair.rhs(x), [y[0] + strength * (y[1] - y[0]), y[1] + strength * (y[0] - y[1])])
    end = orbit(pair, 600, 1)[-100:]
    assert 0 < end.min() < end.max() < 1
    apart = np.abs(end[:, 0] - end[:, 1]).max()
    assert apart < 1e-9 if together else apart > 0.1
    check_derived(pair)


def test_coupling_one_way_leaves_the_first_alone(rossler, rng):
    pair = couple(rossler, rossler, through="y", strength={"eps": "1/4"}, mutual=False)
    assert pair.equations["y1"] == "x1 + a1*y1"
    assert pair.equations["y2"] == "x2 + a2*y2 + eps*(y1 - y2)"
    assert not pair.jacobian(near(pair, rng))[:, :3, 3:].any()


def test_sites_are_coupled_one_to_one(rng):
    ring = load("Lorenz96", n=6)
    pair = couple(ring, ring, through="x", strength=0.3)
    assert pair.equations["x1[i]"].endswith("+ k*(x2[i] - x1[i])")
    assert list(pair.index) == ["i"]
    x, y = near(ring, rng), near(ring, rng)
    expected = np.hstack([ring.rhs(x) + 0.3 * (y - x), ring.rhs(y) + 0.3 * (x - y)])
    np.testing.assert_allclose(pair.rhs(np.hstack([x, y])), expected, rtol=1e-13)
    same = couple(ring, ring, {"x1": "k*(x2[i] - x1[i])", "x2[i]": "k*(x1[i] - x2[i])"}, parameters={"k": 0.3})
    assert same.equations == pair.equations
    with pytest.raises(ValueError, match=re.escape("that of 'x1[i]'; 'x1[j]' given")):
        couple(ring, ring, {"x1[j]": "0"})
    with pytest.raises(ValueError, match=re.escape("'x' has the shapes (6,) and (7,)")):
        couple(ring, load("Lorenz96", n=7), through="x", strength=1)


def test_a_delayed_coupling_makes_a_delay_system():
    pair = couple(decay(), decay(), {"x2": "k*(x1(t - tau) - x2)"}, parameters={"k": 3, "tau": 0.5})
    assert pair.kind == "delay"
    assert pair.lags.tolist() == [0.5]
    assert pair.rhs([1.0, 2.0], delayed=[5.0]).tolist() == [-2, -4 + 3 * (5 - 2)]
    assert couple(lagged(), load("Lorenz")).kind == "delay"
    assert couple(load("Lorenz"), lagged()).lags.tolist() == [1.5, 4.0]


def test_a_slower_second_system(lorenz, rossler, rng):
    pair = couple(lorenz, rossler, speed="1/10")
    assert pair.parameters["speed_2"] == load("Lorenz").with_(beta="1/10").parameters["beta"]
    x, y = near(lorenz, rng), near(rossler, rng)
    np.testing.assert_allclose(pair.rhs(np.hstack([x, y])), np.hstack([lorenz.rhs(x), rossler.rhs(y) / 10]), rtol=1e-13)
    np.testing.assert_allclose(orbit(pair, 4, 0.5)[:, 3:], orbit(rossler, 0.4, 0.05), atol=1e-8)


def test_speed_keeps_time_lags_and_noise():
    forced = System({"x": "cos(w*t) - x"}, {"w": 3}, {"x": 0.2}, conserved={"none": "t"})
    pair = couple(forced, forced, speed=5)
    assert pair.where == {"t_2": "speed_2*t"}
    assert pair.rhs([1.0, 1.0], t=0.7).tolist() == pytest.approx([np.cos(2.1) - 1, 5 * (np.cos(10.5) - 1)])
    assert pair.invariants([1.0, 1.0], t=0.7) == pytest.approx({"none1": 0.7, "none2": 3.5})
    late = couple(decay(), lagged(), speed=4)
    assert late.lags.tolist() == [1.5 / 4, 4 / 4]
    x, y, past = 0.1, 0.2, [0.7, 0.9]
    expected = 4 * lagged().rhs([x, y], t=4 * 0.3, delayed=past)
    np.testing.assert_allclose(late.rhs([1.0, x, y], t=0.3, delayed=past)[1:], expected, rtol=1e-14)
    stirred = couple(noisy(), noisy(), speed=9)
    assert diffusion(stirred, np.array([1.0, 0, 2.0, 0]), t=0.5).tolist() == pytest.approx([0.8, 0, 3 * (0.6 + 4.5), 0])


# --- names -------------------------------------------------------------------------------------------------------------


def test_only_names_that_both_use_get_a_suffix(lorenz, rossler):
    pair = couple(lorenz, rossler)
    assert pair.components == ("x1", "y1", "z1", "x2", "y2", "z2")
    assert list(pair.parameters) == ["sigma", "rho", "beta", "a", "b", "c"]
    assert couple(lorenz, rossler, suffixes=("_l", "_r")).equations["x_l"] == "sigma*(y_l - x_l)"
    assert list(pair.ranges) == ["sigma", "rho", "beta", "a", "b", "c"]


def test_greek_letters_and_numbered_names_keep_their_look():
    pair = couple(load("HenonHeiles"), load("HenonHeiles"))
    assert list(pair.parameters) == ["lambda_1", "lambda_2"]
    assert r"\lambda_{1}" in pair.latex
    assert r"\mathrm{m}" not in couple(load("Chua"), load("Chua")).latex


def test_suffixes_step_aside_for_names_in_use():
    numbered = System({"x": "x1", "x1": "-x"}, {}, {"x": 1, "x1": 2})
    pair = couple(numbered, decay())
    assert pair.components == ("x_1", "x1", "x2")
    assert couple(pair, pair).dimension == 6
    ring = System({"x[i]": "-x[i]"}, {}, {"x": [1, 2]}, index={"i": {"size": 2}})
    mixed = couple(ring, System({"x1": "-x1", "x2": "-x1"}, {}, {"x1": 1, "x2": 1}))
    assert len(set(mixed.components)) == 4
    assert couple(System({"a": "-a"}, {}, {"a": 1}), System({"a": "-a"}, {}, {"a": 2}), suffixes=("s", "_")).components == (
        "a_s",
        "a_",
    )


def test_indices_and_sizes_are_shared_only_where_they_mean_the_same():
    ring, other = load("Lorenz96", n=6), load("Hopfield")
    assert list(couple(ring, other).index) == ["i1", "i2", "j"]  # one is a ring, the other is not
    counts = {"equations": {"x[i]": "i/n - x[i]"}, "state": {"x": "1"}}
    few, many = (System(**counts, index={"i": {"size": size}}) for size in (2, 3))
    pair = couple(few, many)
    assert pair.rhs(np.zeros(5)).tolist() == pytest.approx([1 / 2, 1, 1 / 3, 2 / 3, 1])
    named = System({"y": "n - y"}, {"n": 7}, {"y": 0})
    assert couple(few, named).rhs(np.zeros(3)).tolist() == [0.5, 1, 7]
    hidden = System({"x[i]": "n - x[i]"}, {"n": 7}, {"x": "1"}, index={"i": {"size": 2}})
    assert couple(few, hidden).rhs(np.zeros(4)).tolist() == [0.5, 1, 7, 7]


def test_the_layout_of_a_text_stays():
    odd = System({"α": "(-α  *β\n   + h)  # decay", "b": "max( b , α )"}, {"β": "1/3"}, {"α": 1, "b": 2}, where={"h": "+ α/2"})
    pair = couple(odd, odd, {"α1": "α2 # nothing", "b2": "- α1"})
    assert pair.equations["b1"] == "max( b1 , α1 )"
    assert pair.equations["b2"] == "max( b2 , α2 ) - α1"
    assert pair.where["h2"] == "+ α2/2"
    assert pair.rhs([3.0, 2, 4, 5]).tolist() == pytest.approx([-1 + 1.5 + 4, 3, -4 / 3 + 2, 5 - 3])


TEXTS = st.recursive(
    st.sampled_from(["x", " y ", "x1", "a", "(a1)", "2", "1e-1", "pi", "h", "(x\n+ y)"]),
    lambda part: st.one_of(
        st.tuples(part, st.sampled_from([" + ", "-", "*", "- -"]), part).map("".join),
        st.tuples(st.sampled_from(["sin", "-", "tanh ", "max(x1, a)*"]), part).map(lambda words: f"{words[0]}({words[1]})"),
    ),
    max_leaves=8,
)


@given(TEXTS, TEXTS)
def test_any_text_is_renamed_and_rescaled(first, second):
    equations = {"x": f"{first} + a*a1*h", "y": second, "x1": "x"}
    system = System(equations, {"a": 2, "a1": 3}, {"x": 0.4, "y": 0.3, "x1": -0.2}, where={"h": "sin(x1) - a1"})
    x, y = system.initial, np.array([0.1, -0.5, 0.7])
    np.testing.assert_array_equal(couple(system, system).rhs([*x, *y]), [*system.rhs(x), *system.rhs(y)])
    moved = rescale(system, scale=[2, 3, 4], time=5)
    np.testing.assert_allclose(moved.rhs(x / [2, 3, 4]), 5 * system.rhs(x) / [2, 3, 4], rtol=1e-9, atol=1e-9)


def test_two_from_one_start_are_told_apart(rossler):
    pair = couple(rossler, rossler)
    assert pair.initial[:3].tolist() == rossler.initial.tolist()
    np.testing.assert_allclose(pair.initial[3:], 0.99 * rossler.initial, rtol=1e-15)
    assert couple(rossler, rossler.with_(x=1)).initial[3:].tolist() == rossler.with_(x=1).initial.tolist()
    assert couple(rossler, rossler, state={"x2": 5}).initial[3] == 5
    assert couple(decay(), decay("b")).initial.tolist() == [1, 1]
    assert couple(decay(state={"x": 0}), decay(state={"x": 0})).initial.tolist() == [0, 0.01]


def test_where_a_system_comes_from_is_kept(lorenz, rossler):
    assert (couple(lorenz, lorenz).cite, couple(lorenz, lorenz).field) == ("lorenz1963", "atmosphere")
    pair = couple(lorenz, rossler)
    assert (pair.cite, pair.name, pair.title) == ("", "", "Lorenz and Rossler, coupled")
    assert "Lorenz: beta is exactly 8/3" in pair.note
    assert "Rossler is from rossler1976." in pair.note
    assert rescale(lorenz, scale=2).label == "Lorenz, rescaled"


def test_composed_systems_compose(lorenz, rng):
    pair = couple(lorenz, lorenz, through="x", strength=1)
    four = couple(pair, pair, {"x12": "q*x22"}, parameters={"q": 2})
    assert four.components[:4] == ("x11", "y11", "z11", "x21")
    x, y = near(pair, rng), near(pair, rng)
    expected = np.hstack([pair.rhs(x), pair.rhs(y)])
    expected[:, 6] += 2 * y[:, 3]
    np.testing.assert_allclose(four.rhs(np.hstack([x, y])), expected, rtol=1e-14)
    turned = rotate(rescale(skew(lorenz, lorenz, {"x2": "x"}), scale=2), rng.normal(size=(3, 3)), components=["x", "y", "z"])
    chain = rescale(turned, shift=1, time=3)
    twice = couple(chain, chain, speed=2)
    u = near(twice, rng)
    np.testing.assert_allclose(twice.rhs(u), np.hstack([chain.rhs(u[:, :6]), 2 * chain.rhs(u[:, 6:])]), rtol=1e-12)
    check_derived(twice)


# --- skew products -----------------------------------------------------------------------------------------------------


def test_a_parameter_follows_the_drive(lorenz, rossler, rng):
    driven = skew(lorenz, rossler, replace={"a": "0.2 + 0.01*x"})
    assert driven.components == ("x", "y", "z", "x2", "y2", "z2")
    assert driven.where["a"] == "0.2 + 0.01*x"
    assert "a" not in driven.parameters
    assert "a" not in driven.ranges
    x, y = near(lorenz, rng), near(rossler, rng)
    expected = np.hstack([lorenz.rhs(x), rossler.rhs(y, a=0.2 + 0.01 * x[:, 0])])
    np.testing.assert_allclose(driven.rhs(np.hstack([x, y])), expected, rtol=1e-13)
    check_derived(driven)


def test_terms_of_the_drive(lorenz, rossler, rng):
    driven = skew(lorenz, rossler, {"x2": "k*(x - x2)"}, parameters={"k": 0.5}, speed=3)
    x, y = near(lorenz, rng), near(rossler, rng)
    expected = np.hstack([lorenz.rhs(x), 3 * rossler.rhs(y)])
    expected[:, 3] += 0.5 * (x[:, 0] - y[:, 0])
    found = driven.rhs(np.hstack([x, y]))
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    np.testing.assert_array_equal(found[:, :3], lorenz.rhs(x))


def test_a_driven_copy_follows_its_drive(lorenz):
    driven = skew(lorenz, lorenz, {f"{c}2": f"k*({c} - {c}2)" for c in "xyz"}, parameters={"k": 5})
    end = orbit(driven, 20, 0.5)[-5:]
    assert np.abs(end[:, :3] - end[:, 3:]).max() < 1e-9
    np.testing.assert_allclose(orbit(driven, 2, 0.1)[:, :3], orbit(lorenz, 2, 0.1), atol=1e-8)


def test_parameters_of_the_same_name_and_on_sites(rossler, rng):
    driven = skew(rossler, rossler, replace={"c": "5 + x/10"})
    assert driven.where["c2"] == "5 + x/10"
    assert driven.parameters["c"] == 5.7
    ring = System({"x[i]": "g[i] - x[i]"}, {"g": [1, 2, 3]}, {"x": "i"}, index={"i": {"size": 3}})
    pushed = skew(decay(), ring, replace={"g[i]": "i*x"})
    assert pushed.rhs([2.0, 0, 0, 0]).tolist() == [-4, 2, 4, 6]


# --- what is conserved -------------------------------------------------------------------------------------------------


def test_what_is_conserved_is_kept_where_no_term_can_change_it(lorenz, rng):
    star, atwood = load("HenonHeiles"), load("SwingingAtwood")
    pair = couple(star, atwood)
    x, y = near(star, rng), near(atwood, rng)
    found = pair.invariants(np.hstack([x, y]))
    np.testing.assert_array_equal(found["energy1"], star.invariants(x)["energy"])
    np.testing.assert_array_equal(found["energy2"], atwood.invariants(y)["energy"])
    assert list(couple(star, star, {"px2": "-k*x1"}, parameters={"k": 1}).conserved) == ["energy1"]
    assert list(couple(star, star, through="x", strength=1).conserved) == []
    assert list(skew(lorenz, star, {"py": "x"}).conserved) == []
    assert list(skew(lorenz, star, replace={"lambda_": "x/20"}).conserved) == []
    assert list(skew(star, lorenz, {"x2": "px"}).conserved) == ["energy"]
    assert list(skew(lorenz, load("DoublePendulum"), {"p1": "x"}).conserved) == []  # energy holds p1 in an intermediate


@pytest.mark.parametrize("name", ["HenonHeiles", "DoublePendulum", "SwingingAtwood"])
def test_what_is_conserved_stays_so_in_other_coordinates(name, rng):
    system = load(name)
    size = system.dimension
    matrix, scale, shift = rng.normal(size=(size, size)), rng.uniform(0.5, 2, size), rng.normal(size=size)
    x = near(system, rng)
    small, turned = rescale(system, scale=scale, shift=shift, time=3), rotate(system, matrix)
    for other, u in [(small, (x - shift) / scale), (turned, x @ matrix.T)]:
        np.testing.assert_allclose(other.invariants(u)["energy"], system.invariants(x)["energy"], rtol=1e-9)
    energy = small.invariants(orbit(small, 1, 0.05))["energy"]
    np.testing.assert_allclose(energy, system.invariants(system.initial)["energy"], rtol=1e-9)


# --- other coordinates -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*SAMPLE, "NoseHoover", "StickSlipOscillator", "MultiChua", "Chirikov"])
def test_rescaled_equations_are_conjugate(name, rng):
    system = load(name)
    scale, shift, time = rng.uniform(0.5, 2, system.dimension), rng.normal(size=system.dimension), 2.5
    small = rescale(system, scale=scale, shift=shift, time=None if system.kind == "map" else time)
    x = near(system, rng)
    expected = (system.rhs(x) - shift) / scale if system.kind == "map" else time * system.rhs(x) / scale
    np.testing.assert_allclose(small.rhs((x - shift) / scale), expected, atol=1e-12 * np.abs(expected).max())
    np.testing.assert_allclose(small.initial, (system.initial - shift) / scale, rtol=1e-14)
    assert small.observed.keys() == system.observed.keys()
    for k, component in enumerate(system.components):
        if component in system.observed:
            found = small.observe((x - shift) / scale)[:, k]
            np.testing.assert_allclose(found, system.observe(x)[:, k], atol=1e-12)
    check_derived(small)


@pytest.mark.parametrize(("name", "duration"), [("Lorenz", 3), ("ForcedVanDerPol", 3), ("Chua", 5), ("NoseHoover", 5)])
def test_a_rescaled_motion_is_the_motion_rescaled(name, duration, rng):
    system = load(name)
    scale, shift = rng.uniform(0.5, 2, 3), rng.normal(size=3)
    found = orbit(rescale(system, scale=scale, shift=shift, time=2), duration / 2, duration / 40)
    np.testing.assert_allclose(found * scale + shift, orbit(system, duration, duration / 20), atol=1e-8)


def test_rescaled_sites(rng):
    ring = load("Lorenz96", n=8)
    scale, shift = rng.uniform(0.5, 2, 8), rng.normal(size=8)
    for other in [rescale(ring, scale=scale, shift=shift, time=2), rescale(ring, scale={"x": scale}, shift={"x": shift}, time=2)]:
        assert other.where["x_old[i]"] == "shift_x[i] + scale_x[i]*x[i]"
        np.testing.assert_allclose(orbit(other, 0.5, 0.05) * scale + shift, orbit(ring, 1, 0.1), atol=1e-8)
    one = rescale(ring, scale={"x3": 2}, shift={"x": 1, "x2": 4})
    assert one.parameters["scale_x"].tolist() == [1, 1, 2, 1, 1, 1, 1, 1]
    assert one.parameters["shift_x"].tolist() == [1, 4, 1, 1, 1, 1, 1, 1]
    fixed = System({"x[i]": "x[i+1] - x[i-1]"}, {}, {"x": "i"}, index={"i": {"size": 4, "outside": 3}})
    x = rng.normal(size=(5, 4))
    for size, origin in [(2, 1), ([1, 2, 3, 4], [4, 3, 2, 1])]:  # what lies outside keeps its value in the old coordinates
        moved = rescale(fixed, scale=size, shift=origin)
        expected = fixed.rhs(x) / size
        np.testing.assert_allclose(moved.rhs((x - origin) / size), expected, atol=1e-13)


def test_one_number_for_all_and_exact_numbers(lorenz):
    small = rescale(lorenz, scale="10/3", time="1/2")
    assert small.equations["x"] == "sigma*(y_old - x_old)*scale_t/scale_all"
    assert list(small.parameters) == ["sigma", "rho", "beta", "scale_all", "scale_t"]
    assert {key: str(small.parameters[key]) for key in ("scale_all", "scale_t")} == {"scale_all": "10/3", "scale_t": "1/2"}
    assert small.where == {key + "_old": f"scale_all*{key}" for key in "xyz"}
    assert r"x_{\mathrm{old}} &= \mathrm{scale}_{\mathrm{all}} x" in small.latex
    assert rescale(lorenz, shift={"z": 20}).equations["x"] == "sigma*(y - x)"
    assert rescale(lorenz, shift={"z": 20}).equations["y"] == "x*(rho - z_old) - y"
    assert rescale(lorenz, scale=10).terms()["y"] == pytest.approx({"x": 28, "y": -1, "x*z": -10})
    assert rescale(small, scale=3).where["x_old"] == "scale_all*x_old2"


def test_the_period_follows(lorenz):
    assert lorenz.period > 0
    assert rescale(lorenz, scale=10).period == lorenz.period
    assert rescale(lorenz, time=lorenz.period).period == 1
    assert rescale(lorenz, time=4).period == lorenz.period / 4
    assert rescale(decay(), time=4).period is None
    assert rescale(load("Henon"), scale=2).period == 1
    assert rotate(lorenz, np.eye(3)).period == lorenz.period


def test_standardised_states_have_mean_0_and_deviation_1(lorenz):
    states = simulate(lorenz, periods=20, members=2).state
    small = rescale(lorenz, standard=states)
    shift, scale = (np.array([small.parameters[f"{what}_{c}"] for c in "xyz"]) for what in ("shift", "scale"))
    found = (states.values - shift) / scale
    np.testing.assert_allclose(found.mean(axis=(0, 1)), 0, atol=1e-12)
    np.testing.assert_allclose(found.std(axis=(0, 1)), 1, rtol=1e-12)
    np.testing.assert_allclose(orbit(small, 2, 0.1) * scale + shift, orbit(lorenz, 2, 0.1), atol=1e-8)


def test_time_lags_and_noise_follow(rng):
    system, past = lagged(), np.array([0.7, 0.9])
    scale, shift = np.array([2.0, 3.0]), np.array([0.5, -1.0])
    small = rescale(system, scale=scale, shift=shift, time=4)
    np.testing.assert_allclose(small.lags, system.lags / 4, rtol=1e-15)
    x = near(system, rng)
    expected = 4 * system.rhs(x, t=4 * 0.3, delayed=past) / scale
    found = small.rhs((x - shift) / scale, t=0.3, delayed=(past - shift) / scale)
    np.testing.assert_allclose(found, expected, rtol=1e-13)
    stirred = rescale(noisy(), scale={"x": 2}, shift={"x": 1}, time=9)
    states = rng.normal(size=(5, 2))
    np.testing.assert_allclose(
        diffusion(stirred, states, t=0.3), diffusion(noisy(), states * [2, 1] + [1, 0], t=2.7) * [3 / 2, 3], rtol=1e-13
    )
    sites = System({"x[i]": "-x[i]"}, {"s": 1}, {"x": "i"}, index={k: {"size": 2} for k in "ij"}, noise={"x[j]": "s*j"})
    assert diffusion(rescale(sites, scale={"x": [2, 4]}), np.zeros(2)).tolist() == [0.5, 0.5]


def test_a_shift_that_changes_nothing_is_no_parameter():
    phase = System({"x": "-x", "z": "w"}, {"w": 2}, {"x": 1, "z": 3}, observed={"z": "cos(z)"})
    moved = rescale(phase, shift={"z": -0.5}, scale={"z": 2})
    assert moved.where["z_old"] == "-0.5 + scale_z*z"
    assert moved.observe([1.0, 1.75]).tolist() == [1, np.cos(3.0)]
    sites = System({"x[i]": "1"}, {}, {"x": "i"}, index={"i": {"size": 2}})
    with pytest.raises(ValueError, match="no equation depends on x"):
        rescale(sites, shift={"x": [1, 2]})


# --- linear coordinates ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Logistic", "Henon", "Lorenz", "Chua", "HyperRossler", "CellCycle", "BlinkingRotlet"])
def test_rotated_equations_are_conjugate(name, rng):
    system = load(name)
    matrix = np.eye(system.dimension) + rng.normal(scale=0.5, size=(system.dimension, system.dimension))
    turned, x = rotate(system, matrix), near(system, rng)
    expected = system.rhs(x) @ matrix.T
    np.testing.assert_allclose(turned.rhs(x @ matrix.T), expected, atol=1e-10 * np.abs(expected).max())
    np.testing.assert_array_equal(turned.parameters["R"], matrix)
    np.testing.assert_allclose(turned.initial, matrix @ system.initial, rtol=1e-13)
    other = np.roll(np.eye(system.dimension), 1, axis=0) * 3  # every leading minor vanishes
    expected = system.rhs(x) @ other.T
    np.testing.assert_allclose(turned.rhs(x @ other.T, R=other), expected, atol=1e-10 * np.abs(expected).max())
    check_derived(turned)


@pytest.mark.parametrize(("name", "duration"), [("Lorenz", 2), ("Chua", 4), ("HenonHeiles", 5), ("ForcedVanDerPol", 3)])
def test_a_rotated_motion_is_the_motion_rotated(name, duration, rng):
    system = load(name)
    matrix = np.linalg.qr(rng.normal(size=(system.dimension, system.dimension)))[0]
    found = orbit(rotate(system, matrix), duration, duration / 20)
    np.testing.assert_allclose(found, orbit(system, duration, duration / 20) @ matrix.T, atol=1e-8)


def test_a_rotation_by_an_angle(rossler, rng):
    turned = rotate(rossler, angle="pi/6", components=["x", "y"])
    c, s = np.cos(np.pi / 6), np.sin(np.pi / 6)
    matrix = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    x = near(rossler, rng)
    np.testing.assert_allclose(turned.rhs(x @ matrix.T), rossler.rhs(x) @ matrix.T, rtol=1e-12)
    assert turned.equations["z"] == "b + z*(x_old - c)"
    assert r"x_{\mathrm{old}} &= \cos\left(\theta\right) x + \sin\left(\theta\right) y" in turned.latex
    straight = turned.with_(theta=0)
    np.testing.assert_allclose(straight.rhs(x), rossler.rhs(x), rtol=1e-13)
    assert rotate(decay(), [[-2]]).rhs([3.0]).tolist() == [-6]


def test_sums_and_differences_of_a_pair(rossler, rng):
    pair = couple(rossler, rossler, through="x", strength=0.3)
    both = rotate(pair, [["1/2", "1/2"], [1, -1]], components=["x1", "x2"])
    u = near(both, rng)
    x = u.copy()
    x[:, 0], x[:, 3] = u[:, 0] + u[:, 3] / 2, u[:, 0] - u[:, 3] / 2
    found, expected = both.rhs(u), pair.rhs(x)
    np.testing.assert_allclose(found[:, 0], (expected[:, 0] + expected[:, 3]) / 2, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found[:, 3], expected[:, 0] - expected[:, 3], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found[:, [1, 2, 4, 5]], expected[:, [1, 2, 4, 5]], rtol=1e-12)
    assert both.terms()["x2"] == pytest.approx({"x2": -0.6, "y1": -1, "z1": -1, "y2": 1, "z2": 1})


def test_phases_that_are_mixed_are_observed_as_before(rng):
    system = load("Duffing")
    matrix, x = rng.normal(size=(3, 3)), near(system, rng)
    np.testing.assert_allclose(rotate(system, matrix).observe(x @ matrix.T), system.observe(x), rtol=1e-10)
    block = np.eye(3)
    block[:2, :2] = matrix[:2, :2]
    for turned in (rotate(system, block), rotate(system, matrix[:2, :2], components=["x", "y"])):
        expected = np.hstack([x[:, :2] @ matrix[:2, :2].T, system.observe(x)[:, 2:]])
        np.testing.assert_allclose(turned.observe(x @ block.T), expected, rtol=1e-12)


def test_delayed_states_are_rotated(rng):
    system, matrix = lagged(), np.array([[1.0, 2], [-1, 1]])
    turned = rotate(system, matrix)
    x, past = rng.normal(size=2), rng.normal(size=(2, 2))  # past[k] is the state the k-th lag ago
    expected = matrix @ system.rhs(x, t=0.3, delayed=[past[0, 0], past[1, 1]])
    ago = {lag: matrix @ state for lag, state in zip(system.lags, past, strict=True)}
    delayed = [ago[lag][delay.component] for lag, delay in zip(turned.lags, turned.flat.delays, strict=True)]
    np.testing.assert_allclose(turned.rhs(matrix @ x, t=0.3, delayed=delayed), expected, rtol=1e-12)


# --- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda a, b: couple("Lorenz", b), "systems are made of systems, as in load('Lorenz'); str given"),
        (lambda a, b: couple(a, load("Henon")), "Lorenz is a flow, Henon a map; flows go with flows"),
        (lambda a, b: skew(load("Henon"), a), "Henon is a map, Lorenz a flow"),
        (lambda a, b: couple(a, b, {"x": "y1"}), "'x' has no equation to add to. Did you mean 'x2'? States are x1, y1"),
        (lambda a, b: couple(a, b, {"x1": "kk*x2"}), "'kk' is not declared"),
        (lambda a, b: couple(a, b, {"x1": "rhoo*x2"}), "in the equation of x1: 'rhoo' is not declared. Did you mean 'rho'"),
        (lambda a, b: couple(a, b, {"x1": "x2 +"}), "in the term added to x1, 'x2 +': this is not an expression"),
        (lambda a, b: couple(a, b, {"x1": "x2) + (x1"}), "in the term added to x1"),
        (lambda a, b: couple(a, b, {"x1": None}), "in the term added to x1"),
        (lambda a, b: couple(a, b, "x"), "terms must be a mapping of names, str given"),
        (lambda a, b: couple(a, b, {"x1": "rho*x2"}, parameters={"rho": 2}), "'rho' is in use already: a, b, beta"),
        (lambda a, b: couple(a, b, {"x1": "x2"}, parameters={"k": 2}), "parameter 'k' appears in no equation"),
        (lambda a, b: couple(a, b, speed=2, parameters={"speed_2": 2}), "'speed_2' is in use already"),
        (lambda a, b: couple(a, b, through="w", strength=1), "Lorenz has no state 'w' to couple through"),
        (lambda a, b: couple(a, b, through="x"), "takes both through='x'"),
        (lambda a, b: couple(a, b, strength=1), "takes both through='x'"),
        (lambda a, b: couple(a, b, through="x", strength={"rho": 1}), "'rho' is in use already"),
        (lambda a, b: couple(a, b, through="x", strength={"p": 1, "q": 1}), "strength is one number"),
        (lambda a, b: couple(a, b, through="x", strength=1, parameters={"k": 1}), "'k' is the strength and stands in parameters"),
        (lambda a, b: couple(a, b, speed=0), "speed must be a positive number; 0 given"),
        (lambda a, b: couple(a, b, speed=[1, 2]), "speed must be a positive number"),
        (lambda a, b: couple(load("Henon"), load("Henon"), speed=2), "Henon is a map: its time is the number of iterations"),
        (lambda a, b: couple(a, b, state={"x3": 1}), "no state is called 'x3'. Did you mean 'x"),
        (lambda a, b: couple(a, b, suffixes=("", "")), "suffixes are two different ends of a name"),
        (lambda a, b: couple(a, b, suffixes=("1", "-")), "suffixes are two different ends of a name"),
        (lambda a, b: skew(a, b, {"x": "1"}), "'x' is a state of the drive, on which nothing acts"),
        (lambda a, b: skew(a, b, replace={"q": "x"}), "Rossler has no parameter 'q' to replace"),
        (lambda a, b: skew(a, b, replace={"a": "a + x"}), "'a' cannot be replaced by itself; write 'a0 + ...'"),
        (lambda a, b: skew(a, b, replace={"a": "w"}), "in the definition of a: 'w' is not declared"),
        (lambda a, b: rescale(a), "nothing to change"),
        (lambda a, b: rescale("Lorenz", scale=2), "systems are made of systems"),
        (lambda a, b: rescale(a, scale=0), "the scale of x must be positive; 0 given"),
        (lambda a, b: rescale(a, scale=-1), "the scale of x must be positive"),
        (lambda a, b: rescale(a, scale=[1, 2, -3]), "the scale of z must be positive"),
        (lambda a, b: rescale(a, scale=[1, 2]), "scale is one number, a mapping, or of shape (3,); shape (2,) given"),
        (lambda a, b: rescale(a, scale=float("nan")), "scale must be a finite number"),
        (lambda a, b: rescale(a, shift={"w": 1}), "Lorenz has no component 'w'"),
        (lambda a, b: rescale(load("Lorenz96", n=5), shift={"x7": 1}), "no component 'x7'. Did you mean 'x"),
        (lambda a, b: rescale(load("Lorenz96", n=5), shift={"x": [1, 2]}), "one number or of shape (5,); (2,) given"),
        (lambda a, b: rescale(a, time=0), "time must be a positive number"),
        (lambda a, b: rescale(load("Henon"), time=2), "and time has no meaning"),
        (lambda a, b: rescale(a, standard=np.ones((5, 2))), "standard takes states of shape (..., 3)"),
        (lambda a, b: rescale(a, standard=np.ones((5, 3))), "x, y, z does not vary"),
        (lambda a, b: rescale(a, standard=np.full((5, 3), np.nan)), "not finite"),
        (lambda a, b: rescale(a, standard=np.eye(3), scale=2), "give standard=states, or scale and shift"),
        (lambda a, b: rotate(a), "give a matrix, or an angle"),
        (lambda a, b: rotate(a, np.eye(3), angle=1), "give a matrix, or an angle"),
        (lambda a, b: rotate(a, np.eye(2)), "3 components take a matrix of shape (3, 3); shape (2, 2) given"),
        (lambda a, b: rotate(a, np.ones((3, 3))), "the matrix has no inverse"),
        (lambda a, b: rotate(a, [[1, 2], [3]]), "rectangular"),
        (lambda a, b: rotate(a, angle=1), "an angle turns two components"),
        (lambda a, b: rotate(a, angle=1, components=["x", "w"]), "Lorenz has no state 'w'"),
        (lambda a, b: rotate(a, angle=1, components=["x", "x"]), "names a state twice"),
        (lambda a, b: rotate(load("Lorenz96", n=5), np.eye(5)), "x of Lorenz96 is a state on sites"),
        (lambda a, b: rotate(noisy(), np.eye(2)), "x of this flow has noise"),
    ],
)
def test_what_makes_no_sense_is_explained(make, message, lorenz, rossler):
    with pytest.raises((ValueError, TypeError), match=re.escape(message)):
        make(lorenz, rossler)


def test_text_that_cannot_be_read_is_a_definition_error(lorenz, rossler):
    with pytest.raises(DefinitionError, match=r"Did you mean 'x[12]'"):
        couple(lorenz, rossler, {"y1": "x"})


def test_every_part_of_a_definition_is_thought_of():
    # a new field of System must be carried by couple, skew, rescale and rotate before it is added here
    fields = {item.name for item in dataclasses.fields(System)}
    carried = {"equations", "where", "observed", "conserved", "noise", "parameters", "state", "ranges", "index", "kind", "period"}
    lost = {"symmetry", "lyapunov_time"}  # a composed system seldom keeps them
    assert fields == carried | lost | {"name", "title", "about", "field", "cite", "note"}
