"""Batches in torch: methods, accuracy, gradients, members that keep to themselves, and what is refused."""

import math
import re
import subprocess
import sys

import numpy as np
import pytest
import torch

import chaoslab as cl
from chaoslab.integrate import solve
from chaoslab.integrate.batch import METHODS, integrate, tableau
from chaoslab.systems import System, load

LORENZ = load("Lorenz")
FORCED = System({"x": "v", "v": "-d*v - x**3 + g*cos(w*t)"}, {"d": 0.1, "g": 0.7, "w": 1.3}, {"x": 0.5, "v": -0.2})
ADAPTIVE = [name for name in METHODS if tableau(name).errors]
#: Ways to take steps, with fine enough ones that the derivatives of the steps are those of the flow.
FINE = [{"step": 0.011, "method": "dop853"}, {"tolerance": 1e-12}, {"method": "dopri5", "tolerance": 1e-10}]


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Batches as small as these gain nothing from threads that wait for one another."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def double(values, **options):
    return torch.tensor(values, dtype=torch.float64, **options)


def reference(system, times):
    return solve(system, system.initial[None], times, start=times[0]).states[0]


# --- methods -----------------------------------------------------------------------------------------------------------


def trees(order: int) -> set[tuple]:
    """The rooted trees of so many nodes, each a sorted tuple of the trees above its root."""
    if order == 1:
        return {()}
    return {grown for tree in trees(order - 1) for grown in grafted(tree)}


def grafted(tree: tuple):
    yield tuple(sorted((*tree, ())))
    for k, part in enumerate(tree):
        for grown in grafted(part):
            yield tuple(sorted((*tree[:k], grown, *tree[k + 1 :])))


def nodes(tree: tuple) -> int:
    return 1 + sum(map(nodes, tree))


def density(tree: tuple) -> int:
    return nodes(tree) * math.prod(map(density, tree))


def stages(tree: tuple, rows: np.ndarray) -> np.ndarray:
    """What each stage contributes to the Taylor coefficient that belongs to the tree (Butcher's elementary weights)."""
    return math.prod((rows @ stages(part, rows) for part in tree), start=np.ones(len(rows)))


def matrix(method) -> np.ndarray:
    return np.array([[*row, *[0.0] * (len(method.rows) - len(row))] for row in method.rows])


def test_there_are_as_many_trees_as_there_should_be():
    assert [len(trees(order)) for order in range(1, 9)] == [1, 1, 2, 4, 9, 20, 48, 115]


@pytest.mark.parametrize("name", METHODS)
def test_a_method_meets_the_order_conditions_of_its_order_and_no_more(name):
    method = tableau(name)
    miss = lambda order: max(abs(method.weights @ stages(tree, matrix(method)) - 1 / density(tree)) for tree in trees(order))
    assert max(miss(order) for order in range(1, method.order + 1)) < 1e-14
    assert miss(method.order + 1) > 1e-6


@pytest.mark.parametrize("name", ADAPTIVE)
def test_estimates_of_the_error_have_the_order_they_say(name):
    method = tableau(name)
    first = []
    for weights in method.errors:
        size = lambda order, weights=weights: max(abs(weights @ stages(tree, matrix(method))) for tree in trees(order))
        first.append(next(order for order in range(1, 9) if size(order) > 1e-6))
        assert max(size(order) for order in range(1, first[-1])) < 1e-14
    assert method.error_order == (first[0] if len(first) == 1 else 2 * first[0] - first[1])


# --- accuracy ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("system", "duration"), [(LORENZ, 0.5), (FORCED, 3.0)], ids=["Lorenz", "forced"])
@pytest.mark.parametrize(("name", "parts"), {"euler": 256, "midpoint": 128, "rk4": 64, "dopri5": 128, "dop853": 8}.items())
def test_the_error_of_equal_steps_falls_with_the_order(system, duration, name, parts):
    times = 2 + np.linspace(0, duration, 3)
    expected, h = reference(system, times), duration / parts
    found = [integrate(system, system.initial, times, method=name, step=step).numpy() for step in (h, h / 2)]
    errors = [np.abs(states - expected).max() for states in found]
    assert math.log2(errors[0] / errors[1]) == pytest.approx(tableau(name).order, abs=0.2)


@pytest.mark.parametrize("tolerance", [1e-4, 1e-6, 1e-8, 1e-10])
@pytest.mark.parametrize("name", ADAPTIVE)
def test_steps_of_own_length_meet_the_tolerance(name, tolerance):
    times = np.linspace(0, 0.5, 3)
    found = integrate(LORENZ, LORENZ.initial, times, method=name, tolerance=tolerance).numpy()
    expected = reference(LORENZ, times)
    assert 0 < np.abs(found - expected).max() < tolerance * np.abs(expected).max()


@pytest.mark.parametrize("name", ["Rossler", "Hopfield", "Lorenz96", "Duffing", "DoublePendulum", "Chua"])
def test_agrees_with_the_taylor_engine(name):
    system = load(name)
    times = np.linspace(0, system.period, 6)
    expected = reference(system, times)
    found = integrate(system, system.initial, times, tolerance=1e-11).numpy()
    assert np.abs(found - expected).max() < 1e-7 * np.abs(expected).max()


def test_tolerances_finer_than_the_dtype_are_those_of_the_dtype():
    times = np.linspace(0, 0.5, 3)
    expected = reference(LORENZ, times)
    for dtype, bound in ((torch.float32, 1e-4), (torch.float64, 1e-12)):
        found = integrate(LORENZ, LORENZ.initial, times, tolerance=1e-20, dtype=dtype, max_steps=3000).double().numpy()
        assert np.abs(found - expected).max() < bound * np.abs(expected).max()


def test_components_at_or_near_zero_do_not_hold_the_steps_up():
    text = {"x": "v", "v": "-x", "rest": "x**2 + v**2 - 1 - rest", "zero": "-zero"}  # rest is nothing but rounding
    circle = System(text, {}, {"x": 1, "v": 0, "rest": 0, "zero": 0})
    times = np.linspace(0, 20, 3)
    found = integrate(circle, [[1.0, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0]], times, max_steps=200)
    assert found[0, :, 0].tolist() == pytest.approx(np.cos(times), abs=1e-6)
    assert found[2, :, 0].tolist() == pytest.approx(np.sin(times), abs=1e-6)
    assert found[1, :, 2].tolist() == pytest.approx(2 * np.exp(-times) - 1, abs=1e-6)
    assert found[:, :, 3].abs().max() == 0
    assert integrate(circle, [0.0, 0, -1, 0], times, max_steps=20).tolist() == [[0, 0, -1, 0]] * 3
    assert integrate(LORENZ, [0.0, 0, 0], times, max_steps=20).tolist() == [[0, 0, 0]] * 3


def test_steps_are_equal_and_no_longer_than_asked():
    times = np.arange(11) / 10
    assert integrate(LORENZ, LORENZ.initial, times, step=0.01, max_steps=100).isfinite().all()
    with pytest.raises(ValueError, match=re.escape("step=0.0099 asks for 110 steps; max_steps allows 100")):
        integrate(LORENZ, LORENZ.initial, times, step=0.0099, max_steps=100)
    third = integrate(LORENZ, LORENZ.initial, [0, 0.1], step=0.04)
    assert third.tolist() == integrate(LORENZ, LORENZ.initial, [0, 0.1], step=0.1 / 3).tolist()


# --- shapes, types and values ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", [{"step": 0.02}, {}], ids=["equal", "own"])
def test_states_times_and_parameters_broadcast(way):
    rng, times = np.random.default_rng(0), [0.0, 0.1, 0.3]
    initial, rho, sigma = LORENZ.initial + rng.normal(size=(5, 1, 3)), np.linspace(20, 30, 4), double([[9.0]] * 5)
    found = integrate(LORENZ, initial, times, parameters={"rho": rho, "sigma": sigma, "beta": 2}, **way)
    assert found.shape == (5, 4, 3, 3)
    alone = integrate(LORENZ.with_(rho=rho[2], sigma=9, beta=2), initial[3, 0], times, **way)
    assert alone.shape == (3, 3)
    torch.testing.assert_close(found[3, 2], alone, rtol=1e-13, atol=0)
    assert found[:, :, 0].tolist() == np.broadcast_to(initial, (5, 4, 3)).tolist()
    assert integrate(LORENZ, initial, [2.0], **way).shape == (5, 1, 1, 3)
    assert integrate(LORENZ, np.ones((0, 3)), times, **way).shape == (0, 3, 3)


def test_an_array_parameter_has_its_own_shape_last():
    hopfield = load("Hopfield")
    K = np.asarray(hopfield.parameters["K"], float) * np.array([0.9, 1.1])[:, None, None]
    found = integrate(hopfield, hopfield.initial, [0.0, 1.0], parameters={"K": K}, step=0.1)
    for k in range(2):
        assert found[k].tolist() == integrate(hopfield.with_(K=K[k]), hopfield.initial, [0.0, 1.0], step=0.1).tolist()


@pytest.mark.parametrize("way", [{"step": 0.1}, {}], ids=["equal", "own"])
def test_numbers_are_in_double_precision(way):
    growth = System({"x": "k*x + 0*c", "y": "0.1", "z": "c"}, {"k": 0, "c": 0}, {"x": 1, "y": 0, "z": 0})
    found = integrate(growth, [1, 0, 0], np.array([0, 1]), parameters={"k": 0.1, "c": 0.3}, method="dop853", **way)
    assert found.dtype == torch.float64
    assert found[1].tolist() == pytest.approx([math.exp(0.1), 0.1, 0.3], rel=1e-14)


@pytest.mark.parametrize("way", [{"step": 0.01}, {}], ids=["equal", "own"])
def test_a_tensors_dtype_and_device_are_kept(way):
    times = 1e6 + np.linspace(0, 0.5, 3)  # single-precision times would be 0.06 apart
    exact = integrate(LORENZ, LORENZ.initial, times)
    single = torch.tensor(LORENZ.initial, dtype=torch.float32)
    for found in (
        integrate(LORENZ, single, times, parameters={"rho": double(28.0)}, **way),
        integrate(LORENZ, LORENZ.initial, times, dtype=torch.float32, device="cpu", **way),
    ):
        assert found.dtype == torch.float32
        assert found.device == single.device
        torch.testing.assert_close(found, exact.float(), rtol=1e-4, atol=1e-4)
    assert integrate(LORENZ, single, times, dtype=torch.float64, **way).dtype == torch.float64


# --- gradients ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", [{"step": 0.031}, *FINE[1:]], ids=str)
@pytest.mark.parametrize(("system", "names"), [(LORENZ, ("sigma", "rho")), (FORCED, ("d", "w"))], ids=["Lorenz", "forced"])
def test_gradients_equal_finite_differences(system, names, way):
    states = double(system.initial + np.random.default_rng(0).normal(scale=0.1, size=(2, system.dimension)), requires_grad=True)
    first = double([float(system.parameters[names[0]])] * 2, requires_grad=True)
    second = double(float(system.parameters[names[1]]), requires_grad=True)
    times = double([0.3, 0.34, 0.44], requires_grad=True)
    weights = double(np.random.default_rng(1).normal(size=(3, 2, 3, system.dimension)))

    def run(states, first, second, times):
        found = integrate(system, states, times, parameters={names[0]: first, names[1]: second}, **way)
        return (weights * found).sum(dim=(1, 2, 3))

    scale = float(np.abs(system.rhs(system.initial)).max())
    assert torch.autograd.gradcheck(run, (states, first, second, times), eps=1e-5, rtol=1e-5, atol=2e-7 * scale)


@pytest.mark.parametrize("way", FINE, ids=str)
@pytest.mark.parametrize("system", [LORENZ, FORCED], ids=["Lorenz", "forced"])
def test_time_derivatives_are_those_of_the_flow(system, way):
    times, initial = double([0.3, 0.33, 0.4]), double(system.initial)
    jacobian = torch.autograd.functional.jacobian
    by_time = jacobian(lambda times: integrate(system, initial, times, **way), times)
    by_state = jacobian(lambda initial: integrate(system, initial, times, **way), initial)
    states = integrate(system, initial, times, **way)
    slopes = double(system.rhs(states.numpy(), t=times.numpy()))
    near = {"rtol": 1e-7, "atol": 1e-7 * float(slopes.abs().max())}
    for k in (1, 2):
        torch.testing.assert_close(by_time[k, :, k], slopes[k], **near)
        torch.testing.assert_close(by_time[k, :, 0], -by_state[k] @ slopes[0], **near)
    torch.testing.assert_close(by_time[2, :, 1], torch.zeros_like(initial), **near)
    assert by_time[0].abs().max() == 0


def test_gradients_cost_nothing_where_they_are_switched_off():
    rho = double(28.0, requires_grad=True)
    with torch.no_grad():
        assert not integrate(LORENZ, LORENZ.initial, [0.0, 0.1], parameters={"rho": rho}, step=0.05).requires_grad
    assert integrate(LORENZ, LORENZ.initial, [0.0, 0.1], parameters={"rho": rho}, step=0.05).requires_grad


def test_parameters_of_rossler_from_a_noisy_trajectory():
    """Least squares on short windows from samples as they are, then on longer ones.

    Over twelve noises of this size the estimates scatter by 0.0025 in a and 0.036 in c about their truth.
    """
    system = load("Rossler")
    ds = cl.simulate(system, 20, 24)
    clean, noise = ds.state.values[0], np.random.default_rng(0).normal(size=ds.state.shape[1:])
    scale = clean.std(axis=0)
    series, times = double(clean + 0.015 * scale * noise), ds.time.values
    guess = double([0.1, 8.0], requires_grad=True)

    def misfit(length):
        windows = series.unfold(0, length + 1, 3).transpose(1, 2)
        parameters = {"a": guess[0], "c": guess[1]}
        found = integrate(system, windows[:, 0], times[: length + 1], parameters=parameters, step=0.125)
        return ((found - windows) / double(scale)).square().mean()

    for length in (6, 12):
        search = torch.optim.LBFGS([guess], max_iter=20, line_search_fn="strong_wolfe")

        def closure(search=search, length=length):
            search.zero_grad()
            value = misfit(length)
            value.backward()
            return value

        search.step(closure)
    assert guess[0].item() == pytest.approx(0.2, abs=0.01)
    assert guess[1].item() == pytest.approx(5.7, abs=0.15)


# --- members keep to themselves ----------------------------------------------------------------------------------------

WAYS = [{"step": 0.01}, *({"method": name} for name in ADAPTIVE)]


@pytest.mark.parametrize("gradients", [False, True])
@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_member_is_the_same_whoever_else_is_there(way, gradients):
    rng, times = np.random.default_rng(0), np.linspace(0, 0.5, 4)
    initial = double(LORENZ.initial + rng.normal(size=(37, 3)), requires_grad=gradients)
    rho = double(np.linspace(1, 60, 37))
    together = integrate(LORENZ, initial, times, parameters={"rho": rho}, **way)
    for members in ([36], [5, 17], range(3, 30)):
        members = list(members)
        apart = integrate(LORENZ, initial[members], times, parameters={"rho": rho[members]}, **way)
        torch.testing.assert_close(apart, together[members], rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_member_that_blows_up_takes_nobody_down(way):
    system = System({"x": "r*x**2", "y": "-r*y"}, {"r": 1}, {"x": 1, "y": 1})
    initial = double([[1, 1], [0.25, 1], [0.6, 1], [math.nan, 1], [-1, 1]], requires_grad=True)
    times, r = np.linspace(0, 2.1, 4), double(1.0, requires_grad=True)
    found = integrate(system, initial, times, parameters={"r": r}, **way)
    assert found.isnan().any(-1).sum(-1).tolist() == [2, 0, 1, 4, 0]
    assert torch.equal(found.isnan().any(-1), found.isnan().all(-1))
    exact = lambda x, t: [x / (1 - x * t), math.exp(-t)]
    for k, x in enumerate([1, 0.25, 0.6, None, -1]):
        for t, state in zip(times, found[k], strict=True):
            assert state.isnan().all() or state.tolist() == pytest.approx(exact(x, t), rel=1e-5)
    found[found.isfinite()].sum().backward()
    for end, x in ((1, 1), (3, 0.25), (2, 0.6), (0, 0), (3, -1)):
        r.grad -= sum(t * x**2 / (1 - x * t) ** 2 - t * math.exp(-t) for t in times[: end + 1]) if x else 0
    assert abs(r.grad) < 1e-4
    assert initial.grad.isfinite().all()


@pytest.mark.parametrize("gradients", [False, True])
def test_a_member_that_needs_too_many_steps_is_lost_alone(gradients):
    spring = System({"x": "v", "v": "-w**2*x"}, {"w": 1}, {"x": 1, "v": 0})
    w = double([1.0, 1000.0], requires_grad=gradients)
    found = integrate(spring, [1.0, 0.0], [0, 0.005, 1, 2], parameters={"w": w}, max_steps=50)
    assert found[0, :, 0].tolist() == pytest.approx(np.cos([0, 0.005, 1, 2]), abs=1e-7)
    assert found[1, :2, 0].tolist() == pytest.approx(np.cos([0, 5]), abs=1e-6)
    assert found[1, 2:].isnan().all()


# --- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"system": load("Henon")}, "Henon is a map; only flows are integrated in batches"),
        ({"initial": np.ones(4)}, "Lorenz has 3 components, so states have shape (..., 3); shape (4,) given"),
        ({"initial": 1.0}, "a single number given"),
        ({"initial": torch.ones(3, dtype=torch.int64)}, "as in initial.double(); initial is torch.int64"),
        ({"dtype": torch.int32}, "dtype is torch.int32"),
        ({"times": [0.0, 2.0, 1.0]}, "times must be finite and ascend; times[2] is 1 after 2"),
        ({"times": [0.0, 1.0, 1.0]}, "times[2] is 1 after 1"),
        ({"times": [0.0, math.nan]}, "times[1] is nan after 0"),
        ({"times": [math.nan, 0.0]}, "times[0] is nan"),
        ({"times": [0.0, math.inf]}, "times[1] is inf after 0"),
        ({"times": []}, "with one time at least; shape (0,) given"),
        ({"times": [[0.0, 1.0]]}, "times have shape (time,), with one time at least; shape (1, 2) given"),
        ({"step": 0}, "step must be positive and finite; 0 given"),
        ({"step": -0.1}, "step must be positive and finite; -0.1 given"),
        ({"step": math.nan}, "step must be positive and finite"),
        ({"tolerance": -1e-8}, "tolerance must be positive and finite"),
        ({"step": 0.1, "tolerance": 1e-8}, "give one of them"),
        ({"method": "dopri"}, "'dopri' is not a method. Did you mean 'dopri5'? They are euler, midpoint, rk4, dopri5, dop853"),
        ({"method": "rk4"}, "rk4 does not estimate its error, so it needs step=; for steps of own length take dopri5 or dop853"),
        ({"parameters": {"rhoo": 1.0}}, "Lorenz has no parameter 'rhoo'. Did you mean 'rho'? It has sigma, rho, beta"),
        ({"initial": np.ones((2, 3)), "parameters": {"rho": np.ones(5)}}, "do not broadcast: initial (2,), rho (5,)"),
        ({"system": load("Hopfield"), "initial": np.ones(6), "parameters": {"K": np.ones((5, 5))}}, "K has shape (6, 6)"),
        ({"system": load("Hopfield"), "initial": np.ones(6), "parameters": {"K": 1.0}}, "K has shape (6, 6)"),
        ({"device": "cuda:99"}, "there is no device 'cuda:99' here; there is cpu"),
        ({"device": "gpu"}, "there is no device 'gpu' here; there is cpu"),
    ],
)
def test_bad_input_is_explained(changes, message):
    given = {"system": LORENZ, "initial": LORENZ.initial, "times": [0.0, 0.1], **changes}
    with pytest.raises(ValueError, match=re.escape(message)):
        integrate(given.pop("system"), given.pop("initial"), given.pop("times"), **given)


def test_torch_is_imported_late():
    program = "import sys, chaoslab.integrate.batch; print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    assert run.stdout.strip() == "False"


def test_a_missing_torch_is_told_with_the_install_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ModuleNotFoundError, match=re.escape('pip install "chaoslab[torch]"')):
        integrate(LORENZ, LORENZ.initial, [0.0, 0.1])
