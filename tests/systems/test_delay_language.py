"""Delayed states and noise in the language: what is read, refused, evaluated and printed."""

import copy
import dataclasses
import json
import math
import pickle
import re
import subprocess

import numpy as np
import pytest

from chaoslab.systems import DefinitionError, NotPolynomial, System, load

SITES = {"i": {"size": 3, "cyclic": True}, "j": {"size": 3}}
LATE = {"x": "-x(t - 1)", "y": "-y"}
LAGS = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]


def delayed(equations, parameters=None, state=None, **more):
    equations = {"x": equations} if isinstance(equations, str) else equations
    return System(equations, parameters or {}, state or dict.fromkeys(equations, 1.0), kind="delay", **more)


def mackey_glass(**changes):
    values = {"beta": 0.2, "gamma": 0.1, "n": 10, "tau": 17}
    return delayed("beta*x(t - tau)/(1 + x(t - tau)**n) - gamma*x", values | changes)


def ring(text, **parameters):
    return delayed({"x[i]": text}, parameters, {"x": [1, 2, 3]}, index=SITES)


# --- lags --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lag", "expected"),
    [
        *[("tau", 1.5), ("2", 2), ("1/3", 1 / 3), ("tau - 1", 2.5), ("tau + 1", 0.5), ("2*tau", 3), ("(2*tau + 1)", 4)],
        *[("pi", math.pi), ("sqrt(tau)", math.sqrt(1.5)), ("late", 3), ("max(tau, 2)", 2), ("1e-3", 1e-3), ("(-1 + tau)", 0.5)],
    ],
)
def test_a_lag_is_any_constant_of_numbers_and_parameters(lag, expected):
    """`t - a + b` is read as it stands: a lag of a - b."""
    system = delayed(f"-x(t - {lag}) + late", {"tau": 1.5}, where={"late": "2*tau"})
    assert system.lags.tolist() == pytest.approx([expected], rel=1e-15)


def test_lags_stand_in_the_order_of_the_delays_and_equal_ones_are_one():
    system = delayed({"x": "x(t - 2) + y(t - 1) + x(t - 2)**2", "y": "-y(t - 2)"})
    assert [(delay.component, lag) for delay, lag in zip(system.flat.delays, system.lags, strict=True)] == [(0, 2), (1, 1), (1, 2)]


def test_lags_at_other_values():
    system = delayed("-a*x(t - tau)", {"a": 1, "tau": 2})
    assert system.lags_at(np.array([1, 5.0])).tolist() == [5]
    assert system.with_(tau=7).lags.tolist() == [7]
    assert system.lags.tolist() == [2]


def test_other_kinds_have_no_lags():
    assert load("Lorenz").lags.shape == (0,)


def test_lags_in_arrays():
    system = ring("sum(x[j](t - tau[i,j]), j)", tau=LAGS)
    assert system.lags.tolist() == list(range(1, 10))
    assert [delay.component for delay in system.flat.delays] == [0, 1, 2] * 3


def test_delayed_neighbours_on_a_ring():
    system = ring("x[i-1](t - i*tau)", tau=2)
    assert system.lags.tolist() == [2, 4, 6]
    assert system.rhs([10, 20, 30]).tolist() == [30, 10, 20]


def test_a_neighbour_outside_is_the_value_there():
    """The index has a value outside = 0, so the first site's left neighbour is 0 at every time."""
    system = delayed({"x[i]": "x[i-1](t - 1)"}, {}, {"x": [1, 2, 3]}, index={"i": {"size": 3, "outside": 0}})
    assert system.rhs([10, 20, 30]).tolist() == [0, 10, 20]


def test_a_lag_in_a_branch_that_indices_rule_out_does_not_count():
    """A matrix of lags has zeros on its diagonal, where no site is coupled to itself."""
    lags = np.array(LAGS) - np.diag([1, 5, 9])
    system = ring("sum(where(i == j, 0, x[j](t - tau[i,j])), j)", tau=lags)
    assert sorted(system.lags) == [2, 3, 4, 6, 7, 8]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x(t)", "a delayed state is written x(t - tau)"),
        ("x(tau - t)", "a delayed state is written x(t - tau)"),
        ("x(2*t)", "a delayed state is written x(t - tau)"),
        ("x(t=1)", "arguments are given by position"),
        ("x(t - 1, 2)", "x is not a function of the language"),
        ("x(tau)", "a state some time ago is written x(t - tau)"),
        ("x(t - tau)(t - 1)", "only the functions of the language can be called"),
        ("(x + 1)(t - 1)", "only the functions of the language can be called"),
        ("x(t - x)", "the lag of 'x' is made of ['x']; lags are constant"),
        ("x(t - tau*t)", "the lag of 'x' is made of ['t']"),
        ("x(t - late)", "the lag of 'x' is made of ['x']"),
        ("X(t - 1)", "'X' has no past, only states have. Did you mean 'x'?"),
        ("tau(t - 1)", "'tau' has no past"),
        ("late(t - 1)", "'late' has no past"),
        ("x(t - delta)", "'delta' is not declared"),
        ("x(t + 1)", "the lag of x must be positive and finite; it is -1"),
        ("x(t - 0*tau)", "the lag of x must be positive and finite; it is 0"),
        ("x(t - exp(1000*tau))", "the lag of x must be positive and finite; it is inf"),
        ("x[1](t - 1)", "'x' has 0 indices, 1 given"),
        ("x(t - 1) > 0", "conditions such as x > 0 go into where"),
    ],
)
def test_what_is_no_delayed_state_is_refused(text, message):
    with pytest.raises(DefinitionError, match=re.escape(message)):
        delayed(text + " + 0*tau*late", {"tau": 1.5}, where={"late": "2*x"})


def test_a_misspelt_function_of_time_is_still_recognized():
    with pytest.raises(DefinitionError, match="Did you mean 'sin'"):
        System({"x": "sine(2*t)"}, {}, {"x": 1})


def test_an_array_of_states_needs_its_index():
    with pytest.raises(DefinitionError, match="needs its indices"):
        ring("x(t - 1)")


@pytest.mark.parametrize("kind", ["flow", "map"])
def test_delayed_states_need_the_kind(kind):
    with pytest.raises(DefinitionError, match='has delayed states: write kind = "delay"'):
        System({"x": "-x(t - 1)"}, {}, {"x": 1}, kind=kind)


def test_the_kind_needs_a_delayed_state():
    with pytest.raises(DefinitionError, match="has no delayed state; one is written"):
        delayed("-x")


@pytest.mark.parametrize("more", [{"observed": {"x": "x(t - 1)"}}, {"conserved": {"e": "x(t - 1)"}}])
def test_what_is_observed_or_conserved_has_no_past(more):
    with pytest.raises(DefinitionError, match="delayed states belong into equations"):
        delayed("-x(t - 1)", **more)


@pytest.mark.parametrize("lag", [0, -1])
def test_a_lag_is_not_moved_to_zero_or_below(lag):
    with pytest.raises(DefinitionError, match="the lag of x must be positive"):
        mackey_glass().with_(tau=lag)


# --- names that the engine uses itself ---------------------------------------------------------------------------------


def test_a_parameter_called_delayed_is_a_parameter():
    system = delayed("-delayed[1]*x(t - 1) + delayed[2]*x(t - 2)", {"delayed": [2, 5]})
    assert system.rhs([0], delayed=[[1, 0], [0, 1]]).tolist() == [[-2], [5]]


# --- starting values ---------------------------------------------------------------------------------------------------


def test_starting_values_are_made_of_the_index():
    system = delayed({"x[i]": "-x[i](t - 1)"}, {}, {"x": "cos(2*pi*i/n)"}, index=SITES)
    assert system.initial == pytest.approx(np.cos(2 * np.pi * np.arange(1, 4) / 3), abs=1e-15)


def test_starting_values_are_made_of_the_index_beside_noise():
    system = System({"x[i]": "-x[i]", "y": "-y"}, {"s": 1}, {"x": "i", "y": 0}, index=SITES, noise={"y": "s"})
    assert system.initial.tolist() == [1, 2, 3, 0]


# --- values ------------------------------------------------------------------------------------------------------------


def by_hand(x, past, beta=0.2, gamma=0.1, n=10):
    return beta * past / (1 + past**n) - gamma * x


def test_right_hand_sides_take_delayed_states():
    x, past = np.linspace(0.1, 1.4, 6)[:, None], np.linspace(0.3, 1.2, 6)[:, None]
    assert mackey_glass().rhs(x, delayed=past) == pytest.approx(by_hand(x, past), rel=1e-14)
    assert mackey_glass().rhs(x, delayed=past, beta=0.3) == pytest.approx(by_hand(x, past, beta=0.3), rel=1e-14)


def test_without_delayed_states_the_motion_has_rested():
    assert mackey_glass().rhs([0.7]) == pytest.approx([by_hand(0.7, 0.7)], rel=1e-14)


def test_delayed_states_broadcast():
    system = delayed({"x": "x(t - 1) + y", "y": "y(t - 2)*x"})
    past = np.arange(8.0).reshape(4, 2)
    assert system.rhs([10, 20], delayed=past).tolist() == [[p + 20, 10 * q] for p, q in past]
    assert system.rhs(np.ones((4, 2)), delayed=[3, 4]).tolist() == [[4, 4]] * 4


@pytest.mark.parametrize("wrong", [[1, 2], [[1, 2]], 3.0, np.ones((2, 3))])
def test_delayed_states_of_another_number_are_refused(wrong):
    with pytest.raises(ValueError, match=re.escape("has 1 delayed states, so delayed has shape (..., 1)")):
        mackey_glass().rhs([0.5], delayed=wrong)


def test_the_jacobian_is_that_of_the_present():
    system = delayed({"x": "x*y(t - 1)", "y": "-y**2 + x(t - 2)"})
    assert system.jacobian([2, 3], delayed=[5, 7]).tolist() == [[5, 0], [0, -6]]
    assert system.divergence([2, 3], delayed=[5, 7]) == -1


@pytest.mark.parametrize("double", [True, False])
def test_torch_computes_the_same(double):
    torch = pytest.importorskip("torch")
    dtype = torch.float64 if double else torch.float32
    x, past = torch.linspace(0.1, 1.4, 6, dtype=dtype)[:, None], torch.linspace(0.3, 1.2, 6, dtype=dtype)[:, None]
    found = mackey_glass().torch_rhs()(x, delayed=past)
    assert found.dtype == dtype
    assert found.numpy() == pytest.approx(by_hand(x.numpy(), past.numpy()), rel=1e-13 if double else 1e-5)
    assert torch.equal(mackey_glass().torch_rhs()(x), mackey_glass().torch_rhs()(x, delayed=x))


def test_torch_differentiates_by_delayed_states():
    torch = pytest.importorskip("torch")
    past = torch.tensor([0.8], dtype=torch.float64, requires_grad=True)
    delayed("x(t - 1)**3 - x").torch_rhs()(torch.ones(1, dtype=torch.float64), delayed=past).sum().backward()
    assert past.grad.item() == pytest.approx(3 * 0.8**2)


def test_javascript_takes_them_as_a_fifth_argument(node):
    system = delayed({"x": "a*y(t - p) - x*x(t - 1)", "y": "x(t - 1) + t"}, {"a": 3, "p": 2})
    script = (
        f"const f = {system.javascript()}; const out = []; f([2, 3], [4, 5], 7, out, [11, 13]); console.log(JSON.stringify(out))"
    )
    answer = subprocess.run([node, "-"], input=script, capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(answer.stdout) == system.rhs([2, 3], 7, delayed=[11, 13], a=4, p=5).tolist() == [18, 20]


def test_javascript_of_a_flow_keeps_four_arguments():
    assert load("Lorenz").javascript().startswith("(s, p, t, out) =>")


# --- terms, LaTeX, definitions -----------------------------------------------------------------------------------------


def test_terms_name_the_lags():
    system = delayed({"x": "2*x(t - p)*x - x + p*y(t - 1/2)**2", "y": "x(t - p)"}, {"p": 3})
    assert system.terms() == {"x": {"x*x(t - 3)": 2, "x": -1, "y(t - 0.5)**2": 3}, "y": {"x(t - 3)": 1}}


def test_terms_of_equal_lags_are_added():
    assert delayed("2*x(t - p) + 3*x(t - q)", {"p": 1, "q": 1}).terms() == {"x": {"x(t - 1)": 5}}


def test_terms_of_nearly_equal_lags_stay_apart():
    assert sorted(delayed("2*x(t - p) + 3*x(t - q)", {"p": 1, "q": 1.0000001}).terms()["x"].values()) == [2, 3]


def test_a_fraction_of_delayed_states_has_no_terms():
    with pytest.raises(NotPolynomial):
        mackey_glass().terms()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("beta*x(t - tau)**2", r"\beta \left(x\left(t - \tau\right)\right)^{2}"),
        ("x(t - tau - 1)", r"x\left(t - \left(\tau + 1\right)\right)"),
        ("x(t - 2*tau)", r"x\left(t - 2 \tau\right)"),
        ("x(t - tau/2)*beta", r"x\left(t - \frac{\tau}{2}\right) \beta"),
        ("-x*(1 - x(t - tau))", r"-x \left(1 - x\left(t - \tau\right)\right)"),
    ],
)
def test_latex_of_delayed_states(text, expected):
    assert rf"\dot{{x}} &= {expected} + 0 \beta" in delayed(text + " + 0*beta*tau", {"beta": 1, "tau": 2}).latex


def test_latex_of_indexed_delayed_states():
    system = ring("sum(x[j](t - tau[i,j]), j) - x[i]", tau=LAGS)
    assert r"\dot{x}_{i} &= \sum_{j} x_{j}\left(t - \tau_{i,j}\right) - x_{i}" in system.latex


@pytest.mark.parametrize(
    "system",
    [
        mackey_glass(),
        ring("sum(x[j](t - tau[i,j]), j)", tau=LAGS),
        System({"x": "-k*x"}, {"k": "1/3", "s": 2}, {"x": 1}, noise={"x": "s*x"}),
    ],
    ids=["delay", "sites", "noise"],
)
def test_definitions_go_and_come_back(system):
    for again in (System(**json.loads(json.dumps(system.definition()))), pickle.loads(pickle.dumps(system)), copy.deepcopy(system)):
        assert again == system
        assert hash(again) == hash(system)
        assert again.latex == system.latex
        assert again.lags.tolist() == system.lags.tolist()


def test_what_is_shown_says_what_it_is():
    assert "a delay system of 1 component" in repr(mackey_glass())
    assert "noise of x: s*x" in repr(System({"x": "-x"}, {"s": 2}, {"x": 1}, noise={"x": "s*x"}))


def source(x, y, tau=17.0, k=2):
    """With a past."""
    late = k * x(t - tau)  # noqa: F821
    return late - y(t - 1), -y  # noqa: F821


def test_a_functions_source_may_look_back():
    system = System.from_function(source, state={"x": 1, "y": 0}, kind="delay")
    assert system.lags.tolist() == [17, 1]
    assert system.rhs([1, 2], delayed=[3, 5]).tolist() == [1, -2]


# --- noise -------------------------------------------------------------------------------------------------------------


def noisy(noise, equations=None, kind="flow", **more):
    return System(equations or {"x": "-x", "y": "x - y"}, {"s": 0.5}, {"x": 1, "y": 2}, noise=noise, kind=kind, **more)


def test_noise_is_kept_by_component_and_zero_elsewhere():
    system = noisy({"y": "s*x"})
    assert system._evaluate(system.flat.noise, [[1, 2], [3, 4]], 0.0, {}).tolist() == [[0, 0.5], [0, 1.5]]
    assert noisy({}, {"x": "-x", "y": "s*y"}).flat.noise is None


def test_noise_does_not_enter_the_right_hand_side():
    assert noisy({"y": "s*x"}).rhs([3, 4]).tolist() == [-3, -1]
    assert noisy({"y": "s*x"}).terms() == {"x": {"x": -1}, "y": {"x": 1, "y": -1}}


def test_noise_may_use_intermediates_time_and_indices():
    system = System(
        {"x[i]": "-x[i]"}, {"s": [1, 2, 3]}, {"x": [1, 1, 1]}, index=SITES, where={"a[i]": "s[i]*x[i]"}, noise={"x[i]": "a[i+1]*t"}
    )
    assert system._evaluate(system.flat.noise, [1, 1, 1], 2.0, {}).tolist() == [4, 6, 2]


def test_a_parameter_may_appear_in_the_noise_alone():
    assert noisy({"x": "s"}).with_(s=3).values.tolist() == [3]


@pytest.mark.parametrize(
    ("noise", "more", "message"),
    [
        ({"z": "s"}, {}, "'z' is not a component"),
        ({"X": "s"}, {}, "Did you mean 'x'"),
        ({"x": "q*s"}, {}, "'q' is not declared"),
        ({"x": "s*"}, {}, "in the noise of x"),
        ({"x": "s > 1"}, {}, "conditions such as x > 0"),
        ({"x": "s"}, {"kind": "map"}, "diffusion of Ito equations, of flows and delay systems; this is a map"),
        ({"x": "s*x(t - 1)"}, {"kind": "delay", "equations": LATE}, "delayed states belong into equations"),
        ("s*x", {}, "noise must be a mapping"),
    ],
)
def test_noise_that_has_no_meaning_is_refused(noise, more, message):
    with pytest.raises(DefinitionError, match=re.escape(message)):
        noisy(noise, **more)


def test_noise_is_typeset_as_ito_writes_it():
    rows = noisy({"x": "s + x", "y": "-s*x"}).latex.splitlines()
    assert r"\mathrm{d}x &= \left(-x\right) \mathrm{d}t + \left(s + x\right) \, \mathrm{d}W_{x} \\" in rows
    assert r"\mathrm{d}y &= \left(x - y\right) \mathrm{d}t + \left(-s \, x\right) \, \mathrm{d}W_{y}" in rows


def test_noise_of_a_delay_system_is_typeset_and_comes_back_from_its_definition():
    system = noisy({"x": "s"}, LATE, "delay")
    assert r"\mathrm{d}t + s \, \mathrm{d}W_{x}" in system.latex.splitlines()[1]
    assert System(**system.definition()) == system


def test_noise_makes_another_system():
    system = noisy({"x": "s"})
    assert system != dataclasses.replace(system, noise={"x": "2*s"})
    assert len({system, dataclasses.replace(system, noise={"x": "2*s"})}) == 2
