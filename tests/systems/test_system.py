"""System: a frozen value, and what is derived from its text."""

import copy
import dataclasses
import json
import pickle
import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoslab.systems import DefinitionError, System, load

SAMPLE = ["Lorenz", "Henon", "Lorenz96", "Hopfield", "MacArthur", "Chua", "HenonHeiles", "StickSlipOscillator", "InteriorSquirmer"]


@pytest.fixture
def lorenz():
    return load("Lorenz")


def decay(**changes):
    return System(**{"equations": {"x": "-k*x"}, "parameters": {"k": 2}, "state": {"x": 1}, **changes})


# --- a frozen value ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("attribute", ["parameters", "equations", "name", "x", "rho", "anything"])
def test_attributes_cannot_be_set_or_deleted(lorenz, attribute):
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(lorenz, attribute, 1)
    with pytest.raises((dataclasses.FrozenInstanceError, AttributeError)):
        delattr(lorenz, attribute)


@pytest.mark.parametrize("table", ["equations", "parameters", "state", "where", "index", "ranges", "observed", "conserved"])
def test_tables_cannot_be_changed(table):
    with pytest.raises(TypeError):
        getattr(load("Lorenz"), table)["rho"] = 1


def test_arrays_and_inner_tables_cannot_be_changed():
    hopfield = load("Hopfield")
    for array in (hopfield.parameters["K"], hopfield.state["x"], hopfield.initial, hopfield.values):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    with pytest.raises(TypeError):
        hopfield.index["i"]["size"] = 3


def test_what_was_passed_in_can_change_without_effect():
    w, parameters = np.ones((2, 2)), {"w": np.ones((2, 2))}
    parameters["w"] = w
    system = System({"x[i]": "sum(w[i,j], j)"}, parameters, {"x": [0, 0]}, index={"i": {"size": 2}, "j": {"size": 2}})
    w[:] = 7
    parameters["w"] = 3
    assert system.rhs([0.0, 0.0]).tolist() == [2, 2]


@pytest.mark.parametrize("name", SAMPLE)
def test_equality_hash_pickle_and_definition_round_trip(name):
    system = load(name)
    for again in (System(**system.definition()), pickle.loads(pickle.dumps(system)), copy.deepcopy(system)):
        assert again == system
        assert hash(again) == hash(system)
        assert repr(again) == repr(system)
    assert System(**json.loads(json.dumps(system.definition()))) == system


def test_systems_that_differ_are_not_equal(lorenz):
    others = [lorenz.with_(rho=29), lorenz.with_(x=1), load("Rossler"), dataclasses.replace(lorenz, note="another"), "Lorenz"]
    assert all(other != lorenz for other in others)
    assert len({*others, lorenz}) == len(others) + 1


def test_definition_keeps_everything_that_is_given():
    given = {
        "equations": {"x[i]": "-k*x[i] + h"},
        "parameters": {"k": "1/3", "F": [1.0, 2.0]},
        "state": {"x": [1.0, 2.0]},
        "name": "Mine",
        "where": {"h": "F[1]"},
        "index": {"i": {"size": 2, "cyclic": True, "name": "m"}},
        "ranges": {"k": [0.0, 2.0]},
        "observed": {"x[i]": "cos(x[i])"},
        "conserved": {"total": "x[1] + x[2]"},
        "period": 3.5,
    }
    found = System(**given).definition()
    assert {key: found[key] for key in given} == given


# --- with_ -------------------------------------------------------------------------------------------------------------


def test_with_is_a_new_system(lorenz):
    other = lorenz.with_(rho=99, x=1)
    assert (other.parameters["rho"], other.state["x"]) == (99, 1.0)
    assert (lorenz.parameters["rho"], other.parameters["sigma"], other.state["y"]) == (28, 10, lorenz.state["y"])
    assert other.rhs([1, 2, 3]).tolist() == lorenz.rhs([1, 2, 3], rho=99).tolist()


def test_with_forgets_the_period():
    system = decay(period=2.5)
    assert system.period == 2.5
    assert system.with_(k=3).period is None
    assert system.with_(x=3).period is None


def test_with_takes_states_by_name_or_together():
    hopfield = load("Hopfield")
    assert hopfield.with_(x=[1] * 6).initial.tolist() == [1] * 6
    assert load("Lorenz").with_(state={"x": 1, "y": "1/4"}).initial.tolist() == [1, 0.25, 17.106427]


def test_with_replaces_a_matrix():
    assert load("Hopfield").with_(K=np.zeros((6, 6))).parameters["K"].sum() == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rhoo": 1}, "has no parameter 'rhoo'. Did you mean 'rho'? It has sigma, rho, beta, x, y, z"),
        ({"Sigma": 1}, "Did you mean 'sigma'"),
        ({"state": {"w": 1}}, "has no state 'w'"),
        ({"rho": [1, 2]}, "parameter rho of Lorenz has shape (), (2,) given"),
        ({"rho": float("nan")}, "finite number"),
        ({"rho": "1 +"}, "not an expression"),
        ({"rho": None}, "finite number"),
        ({"x": float("inf")}, "finite number"),
        ({"x": [1, 2]}, "state x needs one number"),
    ],
)
def test_with_refuses(lorenz, changes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        lorenz.with_(**changes)


def test_with_refuses_another_size():
    with pytest.raises(ValueError, match=re.escape("K of Hopfield has shape (6, 6), (2, 2) given; another size is set by load")):
        load("Hopfield").with_(K=np.eye(2))


# --- values ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("8/3", Fraction(8, 3)),
        ("6/3", 2),
        ("0.1", Fraction(1, 10)),
        ("-1e-3", Fraction(-1, 1000)),
        ("sqrt(2)", 2**0.5),
        ("2*pi", 2 * np.pi),
        (Fraction(1, 3), Fraction(1, 3)),
        (3, 3),
        (np.int64(3), 3),
        (np.float32(0.5), 0.5),
        (np.array(0.5), 0.5),
    ],
)
def test_parameters_stay_exact(given, kept):
    value = decay(parameters={"k": given}).parameters["k"]
    assert value == kept
    assert type(value) is type(kept)


def test_eight_thirds_is_rounded_once(lorenz):
    assert lorenz.values[2] == 8 / 3
    assert lorenz.rhs([0, 0, 1.0])[2] == -8 / 3


def test_lists_may_hold_fractions():
    a = System({"x": "a[1] + b[2,1]"}, {"a": ["8/3", 1], "b": [[1, 2], ["1/3", 4]]}, {"x": 0})
    assert a.rhs([0.0])[0] == 8 / 3 + 1 / 3


NOT_NUMBERS = [
    None,
    True,
    "x",
    "k",
    "",
    "1/0",
    "log(-1)",
    float("nan"),
    float("inf"),
    -float("inf"),
    10**400,
    1j,
    {},
    [],
    [[1], [1, 2]],
    ["a"],
    [np.nan],
]


@pytest.mark.parametrize("value", NOT_NUMBERS, ids=lambda value: str(value)[:12])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(DefinitionError, match="parameter k"):
        decay(parameters={"k": value})
    with pytest.raises(DefinitionError, match="state x"):
        decay(state={"x": value})


@given(
    st.one_of(
        st.text(), st.floats(), st.integers(), st.lists(st.floats()), st.lists(st.lists(st.integers())), st.binary(), st.none()
    )
)
def test_any_value_is_a_parameter_or_a_definition_error(value):
    try:
        system = System({"x": "k*x" if np.isscalar(value) else "k[1]*x"}, {"k": value}, {"x": 1})
    except DefinitionError:
        return
    assert np.isfinite(system.values).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "flows"}, "kind 'flows' is not one of flow, map, delay. Did you mean 'flow'"),
        ({"equations": {}}, "equations are a mapping"),
        ({"equations": "x"}, "equations are a mapping"),
        ({"equations": {1: "x"}}, "names are text"),
        ({"equations": {"x": None}}, "not part of the language"),
        ({"parameters": [1]}, "parameters must be a mapping"),
        ({"parameters": {"k": 1, "j": 2}}, "'j' appears in no equation"),
        ({"parameters": {"k": 1, "w[i]": 2}}, "must be a plain name"),
        ({"parameters": {"k": 1, "a b": 2}}, "must be a plain name"),
        ({"state": {}}, "no value for x; a trajectory must start somewhere"),
        ({"state": {"x": 1, "y": 2}}, "'y', which has no equation"),
        ({"state": {"x": [1, 2]}}, "state x needs one number, shape (2,) given"),
        ({"ranges": {"j": [0, 1]}}, "'j', which is not a parameter"),
        ({"ranges": {"k": [1, 0]}}, "the smaller first"),
        ({"ranges": {"k": [1, 1]}}, "the smaller first"),
        ({"ranges": {"k": [1, 2, 3]}}, "must be two numbers"),
        ({"ranges": {"k": 3}}, "must be two numbers"),
        ({"ranges": {"k": [0, float("inf")]}}, "range of k must be a finite number"),
        ({"period": 0}, "the period must be positive"),
        ({"period": -1.0}, "the period must be positive"),
        ({"period": float("nan")}, "the period must be positive"),
        ({"period": float("inf")}, "the period must be positive"),
        ({"period": "3"}, "the period must be positive"),
        ({"observed": {"y": "cos(x)"}}, "observed 'y' is not a component"),
        ({"observed": {"x": "cos(u)"}}, "in the observed x: 'u' is not declared"),
        ({"conserved": {"energy": "u**2"}}, "in the conserved energy: 'u' is not declared"),
        ({"equations": {"x": "-k*x^2"}}, "in the equation of x"),
    ],
)
def test_bad_definitions(changes, message):
    with pytest.raises(DefinitionError, match=re.escape(message)):
        decay(**changes)


def test_unknown_fields_are_refused():
    with pytest.raises(TypeError, match="colour"):
        decay(colour="red")


# --- the right-hand side -----------------------------------------------------------------------------------------------


def test_rhs_broadcasts_states_times_and_parameters(lorenz):
    states = np.random.default_rng(0).normal(size=(5, 1, 3))
    rho, sigma = np.linspace(1, 30, 4), np.linspace(9, 11, 5)[:, None]
    found = lorenz.rhs(states, rho=rho, sigma=sigma)
    assert found.shape == (5, 4, 3)
    assert found[3, 2].tolist() == lorenz.with_(rho=rho[2], sigma=sigma[3, 0]).rhs(states[3, 0]).tolist()
    assert lorenz.rhs([1, 2, 3], rho=rho).shape == (4, 3)
    assert lorenz.rhs(np.ones((0, 3))).shape == (0, 3)
    forced = System({"x": "cos(t)"}, {}, {"x": 0})
    assert forced.rhs([0.0], t=np.array([0.0, np.pi])).tolist() == [[1.0], [-1.0]]


def test_rhs_takes_stacks_of_matrices():
    hopfield, rng = load("Hopfield"), np.random.default_rng(0)
    x, K = rng.normal(size=(5, 6)), rng.normal(size=(5, 6, 6))
    expected = -x / 2.5 + (1 + np.tanh(10 * np.einsum("kij,kj->ki", K, x))) / 2 - 0.5
    np.testing.assert_allclose(hopfield.rhs(x, K=K), expected, rtol=1e-12, atol=1e-14)


def test_rhs_of_a_map_is_the_next_value():
    assert load("Henon").rhs([0.0, 0.0]).tolist() == [1.0, 0.0]
    assert load("Logistic").with_(**dict.fromkeys(load("Logistic").parameters, 4)).rhs([0.5]).tolist() == [1.0]


@pytest.mark.parametrize(
    ("state", "parameters", "message"),
    [
        (np.ones(4), {}, "Lorenz has 3 components, so states have shape (..., 3); shape (4,) given"),
        (np.ones((3, 2)), {}, "shape (3, 2) given"),
        (3.0, {}, "a single number given"),
        (np.ones(3), {"rhoo": 3}, "has no parameter 'rhoo'. Did you mean 'rho'"),
    ],
)
@pytest.mark.parametrize("method", ["rhs", "jacobian", "divergence", "observe", "invariants"])
def test_wrong_shapes_and_names_are_explained(lorenz, method, state, parameters, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        getattr(lorenz, method)(state, **parameters)


def test_rhs_refuses_a_matrix_of_another_size():
    with pytest.raises(ValueError, match=re.escape("parameter K has shape (6, 6); (5, 5) given")):
        load("Hopfield").rhs(np.ones(6), K=np.ones((5, 5)))


def test_rhs_is_nan_where_no_real_value_exists():
    root = System({"x": "sqrt(x)", "y": "1"}, {}, {"x": 1, "y": 1})
    assert np.isnan(root.rhs([-1.0, 0.0])).tolist() == [True, False]


@pytest.mark.parametrize("name", SAMPLE)
def test_jacobian_and_divergence_have_their_shapes_and_agree(name):
    system = load(name)
    states = system.initial + np.random.default_rng(0).normal(scale=1e-3, size=(2, 3, system.dimension))
    jacobian = system.jacobian(states)
    assert jacobian.shape == (2, 3, system.dimension, system.dimension)
    np.testing.assert_allclose(system.divergence(states), np.trace(jacobian, axis1=-2, axis2=-1), rtol=1e-12, atol=1e-12)
    h = 1e-6 * np.eye(system.dimension)
    differences = (system.rhs(states[0, 0] + h) - system.rhs(states[0, 0] - h)).T / 2e-6
    np.testing.assert_allclose(jacobian[0, 0], differences, rtol=1e-4, atol=1e-4 * np.abs(differences).max())


def test_jacobian_of_lorenz(lorenz):
    assert lorenz.jacobian([1, 2, 3], rho=20).tolist() == [[-10, 10, 0], [17, -1, -1], [2, 1, -8 / 3]]
    assert lorenz.divergence([[1, 2, 3], [4, 5, 6]]).tolist() == pytest.approx([-41 / 3] * 2)


def test_observe(lorenz):
    squirmer = load("InteriorSquirmer")
    r, theta, z = 0.5, 1.0, 2.0
    assert squirmer.observe([r, theta, z]).tolist() == pytest.approx([r * np.cos(theta), r * np.sin(theta), np.sin(z)])
    assert lorenz.observe([[1, 2, 3]]).tolist() == [[1, 2, 3]]


def test_invariants():
    x, y, px, py = state = np.array([0.1, 0.2, 0.3, 0.4])
    found = load("HenonHeiles").invariants(np.array([state, state]))
    assert list(found) == ["energy"]
    assert found["energy"] == pytest.approx([(px**2 + py**2 + x**2 + y**2) / 2 + x**2 * y - y**3 / 3] * 2)
    assert load("Lorenz").invariants([1, 2, 3]) == {}


def test_symmetry_maps_states_to_states(lorenz):
    assert lorenz.image([[1, 2, 3], [-4, 0, 5]]).tolist() == [[-1, -2, 3], [4, 0, 5]]
    ring = load("Lorenz96", n=4)
    assert ring.image([1, 2, 3, 4]).tolist() == [2, 3, 4, 1]
    turned = dataclasses.replace(decay(), symmetry={"x": "k*x"})
    assert turned.image([2.0]).tolist() == [4]
    assert turned.image([2.0], k=5).tolist() == [10]
    assert System(**turned.definition()) == turned
    assert turned.with_(k=3).symmetry == turned.symmetry


@pytest.mark.parametrize(
    ("symmetry", "message"),
    [
        ({"y": "-y"}, "symmetry of 'y' is not a component"),
        ({"x": "-u"}, "in the symmetry of x: 'u' is not declared"),
        ({"x": "x(t - 1)"}, "not into what is observed, conserved, noise or symmetry"),
    ],
)
def test_broken_symmetries(symmetry, message):
    with pytest.raises(DefinitionError, match=re.escape(message)):
        dataclasses.replace(decay(), symmetry=symmetry)


def test_no_symmetry_no_image():
    with pytest.raises(ValueError, match="Rossler states no symmetry"):
        load("Rossler").image([1, 2, 3])


def test_shape_of_a_system():
    lorenz96 = load("Lorenz96", n=5)
    assert lorenz96.components == ("x1", "x2", "x3", "x4", "x5")
    assert lorenz96.dimension == 5
    assert lorenz96.initial.shape == (5,)
    assert load("Lorenz").smooth
    assert not load("Chua").smooth
    assert load("MacArthur").components[4:6] == ("N5", "R1")


# --- how it looks ------------------------------------------------------------------------------------------------------


def test_repr_shows_the_equations_and_the_values(lorenz):
    assert repr(lorenz) == (
        "Lorenz: a flow of 3 components\n  x' = sigma*(y - x)\n  y' = x*(rho - z) - y\n  z' = x*y - beta*z\n"
        "  with sigma = 10, rho = 28, beta = 8/3"
    )
    assert "  x -> y + 1 - a*x**2" in repr(load("Henon"))
    assert "  where h = m1*x" in repr(load("Chua"))
    assert "K = array(6, 6)" in repr(load("Hopfield"))
    assert repr(decay()).startswith("this flow: a flow of 1 component\n")


def test_markdown_shows_equations_parameters_source_and_field(lorenz):
    text = dataclasses.replace(lorenz, period=0.75)._repr_markdown_()
    for part in ["**Lorenz 1963**", "*atmosphere*", "Three modes", lorenz.latex, r"$\beta = \frac{8}{3}$", "dominant period 0.75"]:
        assert part in text
    assert "Deterministic nonperiodic flow" in text
    assert "Note: beta is exactly 8/3" in text
    assert r"$K = \begin{pmatrix} 0 & -1" in load("Hopfield")._repr_markdown_()
    assert "conserved: energy" in load("HenonHeiles")._repr_markdown_()
    assert "symmetry: (x, y) → (-x, -y)" in lorenz._repr_markdown_()
    assert decay()._repr_markdown_() == f"**A flow**\n\n$$\n{decay().latex}\n$$\n\nwith $k = 2$"
    assert decay().reference == ""
