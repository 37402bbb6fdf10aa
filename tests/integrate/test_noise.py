"""Flows with noise: measured strong orders against exact solutions, stationary laws known on paper, streams that repeat."""

import itertools
import os
import signal
import threading
import warnings

import numpy as np
import pytest
from scipy import stats
from scipy.linalg import expm

from chaoslab.integrate import noise, scheme
from chaoslab.integrate import solve as solve_exactly
from chaoslab.systems import System, load
from chaoslab.systems.language import read
from chaoslab.systems.tree import ZERO, name

DOUBLE_WELL = System({"x": "x - x**3"}, {}, {"x": 1})
SHEARED = System({"x": "-x + c*y", "y": "-c*x - y/2"}, {"c": 3}, {"x": 1, "y": -1})
FADING = System({"x": "b/sqrt(1 + t) - x/(2*(1 + t))"}, {"b": 1}, {"x": 0.5})
LOGISTIC = System({"x": "r*x*(1 - x)"}, {"r": 1}, {"x": 0.5})
#: A flow of two components that do not see each other, nor anything else.
STILL = System({"x": "0*x", "y": "y*0"}, {}, {"x": 0, "y": 0})


def trees(*texts):
    """Amplitudes, one a component: text, or 0 for none."""
    return tuple(read(text) if text else ZERO for text in texts)


def run(system, amplitudes, members=4, *, seed=1, streams=None, values=(), names=(), initial=None, **options):
    """Paths of a system from its own state; `names` and `values` are those of amplitude parameters."""
    initial = np.repeat(system.initial[None], members, axis=0) if initial is None else initial
    parameters = system.flat.parameters + tuple(name(text) for text in names)
    streams = noise.spawn(seed, len(initial)) if streams is None else streams
    options = {"step": 1 / 64, "stride": 4, "count": 11} | options
    return noise.solve(system.flat, trees(*amplitudes), parameters, initial, [*system.values, *values], streams=streams, **options)


# --- Wiener paths of our own, and steps along them -----------------------------------------------------------------------


def wiener(steps, members, components, h, seed=0):
    """Increments, and integrals of W(s) - W(t) over each step, as (step, member, component)."""
    u, v = np.random.default_rng(seed).standard_normal((2, steps, members, components))
    return np.sqrt(h) * u, h**1.5 * (u / 2 + v / np.sqrt(12))


def coarser(dw, dz, h):
    """The same paths in steps of 2h: the second half's integral starts from where the first one ended."""
    return dw[::2] + dw[1::2], dz[::2] + dz[1::2] + h * dw[::2]


def walked(system, amplitudes, dw, dz, h):
    """The last states of the paths (step, member, component) from the system's own state."""
    scheme = noise.scheme(system.flat, trees(*amplitudes), system.flat.parameters)
    x = np.repeat(system.initial[None], dw.shape[1], axis=0)
    for k in range(len(dw)):
        x = scheme.advance(x, k * h, dw[k], dz[k], system.values, h)
    return x


def errors(system, amplitudes, dw, dz, h, exact, halvings):
    """Root mean square errors of the last states in steps of h, 2h, 4h, ..."""
    found = []
    for _ in range(halvings):
        found.append(np.sqrt(((walked(system, amplitudes, dw, dz, h) - exact) ** 2).mean()))
        dw, dz, h = *coarser(dw, dz, h), 2 * h
    return np.array(found)


def order(found):
    """The slope of errors in doubled steps."""
    return np.polyfit(np.arange(len(found)), np.log2(found), 1)[0]


def refined(system, amplitudes, duration, steps, halvings, members=500):
    """Errors against the same scheme in steps eight times shorter than the shortest of them."""
    h = duration / (8 * steps)
    dw, dz = wiener(8 * steps, members, system.dimension, h)
    exact = walked(system, amplitudes, dw, dz, h)
    for _ in range(3):
        dw, dz, h = *coarser(dw, dz, h), 2 * h
    return errors(system, amplitudes, dw, dz, h, exact, halvings)


def linear_noise(matrix, amplitudes, steps, members, h, seed=0):
    """Wiener increments, their integrals, and the integrals of exp(A (h - s)) B dW(s), jointly normal, exactly drawn.

    All are integrals of known kernels over dW, so that their covariance is an integral of products of kernels.
    """
    nodes, weights = np.polynomial.legendre.leggauss(20)
    left, n = h * (1 - nodes) / 2, len(matrix)
    dw, dz, moved = np.empty((3, steps, members, n))
    moved[:] = 0
    rng = np.random.default_rng(seed)
    for k in range(n):
        kernels = np.array([[1, s, *(expm(matrix * s)[:, k] * amplitudes[k])] for s in left])
        covariance = (kernels * (h / 2 * weights)[:, None]).T @ kernels
        size, axes = np.linalg.eigh(covariance)
        drawn = rng.standard_normal((steps, members, n + 2)) @ (axes * np.sqrt(size.clip(0))).T
        dw[..., k], dz[..., k] = drawn[..., 0], drawn[..., 1]
        moved += drawn[..., 2:]
    return dw, dz, moved


# --- strong orders -------------------------------------------------------------------------------------------------------


def test_geometric_brownian_motion_to_order_1():
    """dX = m X dt + s X dW is solved by X = exp((m - s^2/2) t + s W)."""
    growth = System({"x": "m*x"}, {"m": 1.5}, {"x": 1})
    dw, dz = wiener(256, 2000, 1, 1 / 256)
    exact = np.exp(1.5 - 0.5 + dw.sum(axis=0))
    found = errors(growth, ["x"], dw, dz, 1 / 256, exact, halvings=5)
    assert 0.9 < order(found) < 1.1
    assert noise.scheme(growth.flat, trees("x"), growth.flat.parameters).order == 1


@pytest.mark.parametrize(
    ("system", "matrix", "amplitudes"),
    [
        (System({"x": "-k*x"}, {"k": 2}, {"x": 1}), [[-2.0]], [0.8]),
        (SHEARED, [[-1.0, 3.0], [-3.0, -0.5]], [0.5, 2.0]),
        (SHEARED, [[-1.0, 3.0], [-3.0, -0.5]], [0.0, 2.0]),
    ],
    ids=["Ornstein-Uhlenbeck", "coupled", "noise on one of two"],
)
def test_linear_flows_to_order_2(system, matrix, amplitudes):
    """Order 1.5 is lost to the curvature of the drift; a linear drift has none, so that the exact solution shows order 2."""
    h, steps = 1 / 64, 64
    dw, dz, moved = linear_noise(np.array(matrix), amplitudes, steps, 1000, h)
    exact = np.repeat(system.initial[None], 1000, axis=0)
    for k in range(steps):
        exact = exact @ expm(np.array(matrix) * h).T + moved[k]
    found = errors(system, [str(b) if b else 0 for b in amplitudes], dw, dz, h, exact, halvings=4)
    assert 1.9 < order(found) < 2.2


def test_amplitudes_that_change_with_time():
    """dX = (b/sqrt(1 + t) - X/(2 (1 + t))) dt + 0.3/sqrt(1 + t) dW is solved by X = (X(0) + b t + 0.3 W)/sqrt(1 + t)."""
    dw, dz = wiener(64, 2000, 1, 1 / 32)
    exact = (0.5 + 2 + 0.3 * dw.sum(axis=0)) / np.sqrt(3)
    found = errors(FADING, ["0.3/sqrt(1 + t)"], dw, dz, 1 / 32, exact, halvings=4)
    assert 1.8 < order(found) < 2.3


def test_fast_amplitudes_to_order_2():
    """Without drift X is the integral of cos(9 t) dW, known by parts where cos is straight over each of many steps."""
    h = 1 / 4096
    dw, dz = wiener(4096, 300, 1, h)
    clock = System({"x": "0*x"}, {}, {"x": 0})
    b = np.cos(9 * h * np.arange(4097))[:, None, None]
    exact = (b[1:] * dw - np.diff(b, axis=0) * dz / h).sum(axis=0)
    for _ in range(5):
        dw, dz, h = *coarser(dw, dz, h), 2 * h
    found = errors(clock, ["cos(9*t)"], dw, dz, h, exact, halvings=4)
    assert 1.9 < order(found) < 2.4
    assert abs(found[0] / (81 * h**2 / np.sqrt(1440)) - 1) < 0.1  # what w and m leave unknown of a parabola's integral


@pytest.mark.parametrize(
    ("system", "amplitudes", "duration", "steps", "least", "most"),
    [
        (DOUBLE_WELL, ["2"], 1, 256, 1.4, 1.7),
        (DOUBLE_WELL, ["2*cos(3*t)"], 1, 256, 1.4, 1.7),
        (load("Lorenz"), ["20", "20", "20"], 1 / 8, 128, 1.4, 1.7),
        (load("Lorenz"), ["0.3*x", "0.3*y", "0.3*z"], 1 / 2, 256, 0.9, 1.1),
        (load("Lorenz"), [0, "3*sin(y)", "3*cos(z) + z/5"], 1 / 8, 128, 0.9, 1.1),
        (System({"x": "-x", "y": "x - y**3"}, {}, {"x": 1, "y": 1}), [0, "y + 2*sin(9*x)"], 1, 128, 0.9, 1.15),
    ],
    ids=["double well", "in time", "Lorenz", "proportional", "mixed", "moved by a component without"],
)
def test_curved_flows_to_their_orders(system, amplitudes, duration, steps, least, most):
    found = refined(system, amplitudes, duration, steps, halvings=4)
    assert least < order(found) < most


@pytest.mark.parametrize("amplitudes", [["1e-4"] * 3, ["1e-5*x", "1e-5*y", "1e-5*z"]])
def test_weak_noise_leaves_the_flow_its_fourth_order(amplitudes):
    assert order(refined(load("Lorenz"), amplitudes, 0.5, 64, halvings=3, members=50)) > 3.6


def test_without_noise_the_taylor_engine_is_met_at_order_4():
    lorenz = load("Lorenz")
    exact = solve_exactly(lorenz, lorenz.initial[None], np.array([0.0, 0.5])).states[:, 1]
    still = np.zeros((256, 1, 3))
    found = errors(lorenz, [0, 0, 0], still, still, 1 / 512, exact, halvings=4)
    assert 3.8 < order(found) < 4.5
    assert found[0] < 1e-6


# --- laws ----------------------------------------------------------------------------------------------------------------


def test_the_normal_numbers_make_wiener_paths():
    """With x' = y, y' = 0 and noise on y, one step gives (W, the integral of W), whose covariance is known."""
    falling = System({"x": "y", "y": "0*x"}, {}, {"x": 0, "y": 0})
    z, w = run(falling, [0, "1"], 10_000, step=2.0, stride=1, count=1, skip=1)[:, 0].T
    assert np.abs([w.mean(), z.mean()]).max() < 4 * np.sqrt(8 / 3 / len(w))
    for found, expected in zip(np.cov(w, z).ravel(), [2, 2, 2, 8 / 3], strict=True):
        assert abs(found / expected - 1) < 4 * np.sqrt(2 / len(w))
    assert stats.kstest(w / np.sqrt(2), "norm").pvalue > 0.01


def test_components_members_and_steps_are_independent():
    paths = run(STILL, ["1", "1"], 2000, step=1.0, stride=1, count=5)
    increments = np.diff(paths, axis=1).reshape(2000, -1)
    correlation = np.corrcoef(increments.T) - np.eye(8)
    assert np.abs(correlation).max() < 4.5 / np.sqrt(2000)
    assert np.abs(np.corrcoef(increments[:200]) - np.eye(200)).max() < 0.999


def test_stationary_variance_of_ornstein_uhlenbeck():
    """sigma^2/(2 theta)."""
    decay = System({"x": "-k*x"}, {"k": 2}, {"x": 0})
    paths = run(decay, ["sigma"], 2000, names=["sigma"], values=[3], step=1 / 32, stride=64, count=40, skip=160)
    assert abs(paths.var() / (9 / 4) - 1) < 4 * np.sqrt(2 / paths.size)


def test_stationary_law_of_the_noisy_logistic_equation():
    """dX = r X (1 - X) dt + s X dW settles in the gamma law of shape 2r/s^2 - 1 and scale s^2/(2r)."""
    paths = run(LOGISTIC, ["s*x"], 4000, names=["s"], values=[0.8], step=1 / 64, stride=1, count=1, skip=1600)
    law = stats.gamma(2 / 0.64 - 1, scale=0.32)
    assert abs(paths.mean() - law.mean()) < 4 * law.std() / np.sqrt(4000)
    assert stats.kstest(paths.ravel(), law.cdf).pvalue > 0.01


def test_stationary_law_of_a_square_root_process():
    """dX = (a - X) dt + s sqrt(X) dW settles in the gamma law of shape 2a/s^2 and scale s^2/2, never below zero."""
    rates = System({"x": "a - x"}, {"a": 1}, {"x": 1})
    paths = run(rates, ["sqrt(x)"], 4000, step=1 / 64, stride=64, count=11)
    assert (paths > 0).all()
    assert stats.kstest(paths[:, -1, 0], stats.gamma(2, scale=0.5).cdf).pvalue > 0.01


# --- sampling, streams, threads ------------------------------------------------------------------------------------------


def pendulum(**options):
    """Sines in the drift and in the amplitude: where vectors and single numbers would round differently."""
    return run(load("DoublePendulum"), [0, 0, "sin(p1) + 2", "1 + t*p2/9"], **options)


def test_samples_are_where_they_are_said_to_be():
    every = pendulum(stride=1, count=41)
    assert np.array_equal(every[:, 0], np.repeat(load("DoublePendulum").initial[None], 4, axis=0))
    assert np.array_equal(pendulum(stride=7, count=5, skip=3), every[:, 3::7][:, :5])
    assert np.array_equal(pendulum(stride=1, count=1), every[:, :1])
    assert np.array_equal(pendulum(stride=10**6, count=1, skip=40), every[:, 40:])


def test_steps_are_those_of_the_scheme():
    """The first steps again from the raw numbers, with a time that is not zero at the start."""
    found = run(FADING, ["cos(t)"], 3, stride=1, count=4, start=2.0)
    step = noise.scheme(FADING.flat, trees("cos(t)"), FADING.flat.parameters)
    x, h, streams = found[:, 0], 1 / 64, noise.spawn(1, 3)
    for k in range(3):
        u, v = scheme.normal_pairs(np.array([stream.random(2) for stream in streams]).T.copy())[..., None]
        x = step.advance(x, 2 + k * h, np.sqrt(h) * u, h**1.5 * (u / 2 + v / np.sqrt(12)), FADING.values, h)
        assert np.abs(x - found[:, k + 1]).max() < 1e-14


def test_pairs_are_normal_and_independent():
    """A hundred thousand pairs: Kolmogorov's test, no correlation, also between squares; and the ends of the interval."""
    u, v = scheme.normal_pairs(np.random.default_rng(5).random((2, 100_000)))
    assert min(stats.kstest(numbers, "norm").pvalue for numbers in (u, v)) > 0.01
    assert max(abs(np.corrcoef(u, v)[0, 1]), abs(np.corrcoef(u**2, v**2)[0, 1])) < 0.01
    ends = scheme.normal_pairs(np.array([[0.0, 1 - 2.0**-53], [0.25, 0.25]]))
    assert ends[1] == pytest.approx([0, np.sqrt(2 * 53 * np.log(2))], abs=1e-12)


@pytest.mark.parametrize("engine", ["heyoka", "numpy"])
@pytest.mark.parametrize("block", [1, 50, noise.BLOCK])
def test_members_do_not_depend_on_their_number_nor_on_threads(engine, block, monkeypatch):
    one = pendulum(members=1, engine=engine)
    monkeypatch.setattr(noise, "FEWEST", 3)
    monkeypatch.setattr(noise, "BLOCK", block)
    many = [pendulum(members=members, workers=workers, engine=engine) for members, workers in [(19, 1), (19, 2), (35, 3)]]
    assert np.array_equal(many[0], many[1])
    assert np.array_equal(many[0], many[2][:19])
    assert np.array_equal(many[0][:1], one)
    assert len(np.unique(many[2][:, -1, 2])) == 35


@pytest.mark.parametrize("cut", [1, 36, 100])
def test_going_on_is_one_longer_run(cut, monkeypatch):
    monkeypatch.setattr(noise, "BLOCK", 300)
    whole, streams = pendulum(stride=1, count=201), noise.spawn(1, 4)
    first = pendulum(stride=1, count=cut + 1, streams=streams)
    later = pendulum(stride=1, count=200 - cut, skip=1, initial=first[:, -1], start=cut / 64, streams=streams)
    assert np.array_equal(np.concatenate([first, later], axis=1), whole)


def test_streams_of_a_seed_and_of_a_generator():
    numbers = lambda streams: [stream.random() for stream in streams]
    assert numbers(noise.spawn(7, 3)) == numbers(noise.spawn(7, 50))[:3]
    assert len({*numbers(noise.spawn(7, 50)), *numbers(noise.spawn(8, 50))}) == 100
    rng = np.random.default_rng(7)
    first, second = numbers(noise.spawn(rng, 3)), numbers(noise.spawn(rng, 3))
    assert first == numbers(noise.spawn(np.random.default_rng(7), 5))[:3]
    assert not set(first) & set(second)
    # simulate's own children of a seed draw initial states; noise must not repeat them
    children = [np.random.Generator(np.random.SFC64(child)) for child in np.random.SeedSequence(7).spawn(50)]
    assert not set(numbers(noise.spawn(7, 50))) & set(numbers(children))


def test_values_by_member_equal_runs_of_their_own():
    together = run(LOGISTIC, ["s*x"], initial=[[0.5]] * 3, names=["s"], values=[0.0])
    values = np.array([[1, 0.1], [2, 0.5], [0.5, 0]])
    names, streams = (*LOGISTIC.flat.parameters, name("s")), noise.spawn(3, 3)
    options = {"step": 1 / 64, "stride": 4, "count": 11}
    found = noise.solve(LOGISTIC.flat, trees("s*x"), names, np.full((3, 1), 0.5), values, streams=streams, **options)
    for k, stream in enumerate(noise.spawn(3, 3)):
        alone = noise.solve(LOGISTIC.flat, trees("s*x"), names, [[0.5]], values[k], streams=[stream], **options)
        assert np.array_equal(found[k], alone[0])
    assert not np.array_equal(found, together)


def test_parameters_never_recompile():
    run(LOGISTIC, ["s*x"], names=["s"], values=[0.1])
    before = noise.scheme.cache_info().misses
    ends = [run(LOGISTIC.with_(r=r), ["s*x"], names=["s"], values=[s])[0, -1, 0] for r, s in [(1, 0.2), (2, 0.2), (2, 0.3)]]
    assert noise.scheme.cache_info().misses == before
    assert len(set(ends)) == 3


def test_progress_counts_the_steps_of_all_members(monkeypatch):
    monkeypatch.setattr(noise, "FEWEST", 3)
    heard = []
    run(DOUBLE_WELL, ["1"], 10, stride=500, count=7, skip=11, workers=2, advanced=heard.append)
    assert sum(heard) == 10 * (11 + 6 * 500)
    assert len(heard) > 6


@pytest.mark.parametrize("raised", [KeyboardInterrupt, ZeroDivisionError])
def test_an_interrupt_stops_every_thread(raised, monkeypatch):
    monkeypatch.setattr(noise, "FEWEST", 2)
    calls, before = itertools.count(), set(threading.enumerate())  # other tests may have left some

    def interrupt(steps):
        if next(calls) == 5:
            if raised is not KeyboardInterrupt:
                raise raised
            os.kill(os.getpid(), signal.SIGINT)  # a true signal wakes the waiting main thread

    with pytest.raises(raised):
        run(DOUBLE_WELL, ["1"], 8, stride=10**6, count=2, workers=2, advanced=interrupt)
    assert next(calls) < 2600  # half of those it would take to the end
    assert not [thread for thread in set(threading.enumerate()) - before if "ThreadPool" in thread.name]


# --- engines, kinks, failures --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("system", "amplitudes"),
    [
        (load("Lorenz"), ["1", 0, "cos(t)"]),
        (load("Lorenz"), [0, "y/5", "sin(z)"]),
        (load("DoublePendulum"), ["1", "1", "2", "exp(-t)"]),
        (load("Lorenz96", n=6), ["1/10"] * 6),
        (load("Lorenz"), [0, 0, 0]),
        (STILL, ["1", 0]),
        (STILL, [0, 0]),
    ],
)
def test_engines_agree_to_rounding(system, amplitudes):
    heyoka, numpy = (run(system, amplitudes, 9, step=1e-3, engine=engine) for engine in ("heyoka", "numpy"))
    assert np.abs(heyoka - numpy).max() < 1e-12 * max(1, np.abs(heyoka).max())
    assert noise.scheme(system.flat, trees(*amplitudes), system.flat.parameters).engine == "heyoka"


def test_without_heyoka_numpy_steps_and_says_so(monkeypatch):
    expected = run(LOGISTIC, ["x"])
    monkeypatch.setattr(scheme.importlib.util, "find_spec", lambda package: None)
    noise.scheme.cache_clear()
    scheme.heyoka_is_there.cache_clear()
    try:
        with pytest.warns(UserWarning, match="conda install -c conda-forge heyoka"):
            found = run(LOGISTIC, ["x"])
        assert noise.scheme(LOGISTIC.flat, trees("x"), LOGISTIC.flat.parameters).engine == "numpy"
    finally:
        noise.scheme.cache_clear()
        scheme.heyoka_is_there.cache_clear()
    assert np.abs(found - expected).max() < 1e-13


def test_kinks_run():
    """An overdamped motion in the potential |x| settles in Laplace's law of scale sigma^2/2."""
    valley = System({"x": "-sign(x)"}, {}, {"x": 0.1})
    paths = run(valley, ["1"], 4000, step=1 / 64, stride=1, count=1, skip=1000)
    assert noise.scheme(valley.flat, trees("1"), ()).engine == "numpy"
    assert stats.kstest(paths.ravel(), stats.laplace(scale=0.5).cdf).pvalue > 0.01
    chua = load("Chua")
    assert np.isfinite(run(chua, ["1/10"] * 3, 9, step=1e-3, count=100)).all()
    with pytest.raises(ValueError, match="heyoka takes no sign"):
        run(valley, ["1"], engine="heyoka")


@pytest.mark.parametrize("engine", ["heyoka", "numpy"])
def test_a_member_that_blows_up_leaves_the_others_alone(engine):
    blow = System({"x": "x**3"}, {}, {"x": 1})
    starts = np.array([[0.1], [3.0], [-0.1], [np.nan]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = run(blow, ["0.01"], initial=starts, engine=engine)
    assert np.isfinite(found[[0, 2]]).all()
    assert not np.isfinite(found[1, 5:]).any()
    assert not np.isfinite(found[3]).any()
    calm = run(blow, ["0.01"], initial=np.array([[0.1], [0.0], [-0.1], [0.0]]), engine=engine)
    assert np.array_equal(found[[0, 2]], calm[[0, 2]])


def test_no_members_make_an_empty_answer():
    assert run(DOUBLE_WELL, ["1"], 0).shape == (0, 11, 1)


def refused(system, amplitudes, **options):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is looked at by the caller
        run(system, amplitudes, **options)
    return str(caught.value)


def test_noise_that_does_not_commute_is_refused():
    said = refused(load("Lorenz"), ["z", 0, "1"])
    assert "the noise of x depends on z, which has noise of its own" in said
    assert "Levy areas" in said
    assert np.isfinite(run(load("Lorenz"), ["z", 0, 0])).all()


@pytest.mark.parametrize(
    ("amplitudes", "options", "said"),
    [
        (["1"], {}, r"2 components \(x, y\), 1 amplitudes given"),
        (["sigmo*x", 0], {"names": ["sigma"], "values": [1]}, "'sigmo' is neither a component .* Did you mean 'sigma'"),
        (["1", 0], {"initial": np.zeros((3, 5))}, r"initial must have shape \(member, 2\), \(3, 5\) given"),
        (["1", 0], {"values": [1, 2]}, r"values must have shape \(1,\) or \(4, 1\), one a parameter; \(3,\) given"),
        (["1", 0], {"streams": noise.spawn(1, 3)}, r"4 members need a stream each, 3 given; spawn\(rng, 4\) makes them"),
        (["1", 0], {"step": 0.0}, "step must be positive and finite, 0.0 given"),
        (["1", 0], {"stride": 0}, "stride must be at least 1, 0 given"),
        (["1", 0], {"skip": -1}, "skip must be at least 0, -1 given"),
        (["1", 0], {"engine": "numba"}, "engine 'numba' is not one of heyoka, numpy. Did you mean 'numpy'"),
    ],
)
def test_what_does_not_fit_is_refused(amplitudes, options, said):
    with pytest.raises(ValueError, match=said):
        run(SHEARED, amplitudes, **options)


def test_maps_are_refused():
    assert "the definition is a map" in refused(load("Henon"), ["1", "1"])
