"""Delay systems with noise: exact solutions along known Wiener paths, measured orders, a stationary law known on paper."""

import warnings

import numpy as np
import pytest

from chaoslab.integrate import Past, given, noise, noisy_delay
from chaoslab.integrate import solve as solve_exactly
from chaoslab.systems import System, load
from chaoslab.systems.language import read
from chaoslab.systems.tree import ZERO, name

LINEAR = System({"x": "-a*x(t - lag)"}, {"a": 1.2, "lag": 1.0}, {"x": 0.7}, kind="delay")
CURVED = System({"x": "a*sin(3*x(t - lag)) - x"}, {"a": 1.2, "lag": 1.0}, {"x": 0.7}, kind="delay")
#: Two components and two lags, forced in time.
PAIR = System(
    {"x": "y(t - tau/3) - x + cos(t)", "y": "-x(t - tau) - y**3"}, {"tau": 1.5}, {"x": 0.5, "y": -0.2}, kind="delay", name="Pair"
)


def run(system, amplitudes, members=4, *, seed=1, streams=None, initial=None, values=None, **options):
    """States and pasts of a system that has rested in its own state, or in `initial`."""
    initial = np.repeat(system.initial[None], members, axis=0) if initial is None else initial
    trees = tuple(read(text) if text else ZERO for text in amplitudes)
    streams = noise.spawn(seed, len(initial)) if streams is None else streams
    options = {"step": 1 / 64, "stride": 4, "count": 11, "workers": 1} | options
    values = system.values if values is None else values
    return noisy_delay.solve(system.flat, trees, system.flat.parameters, initial, values, streams=streams, **options)


# --- along Wiener paths of our own ---------------------------------------------------------------------------------------


class Replay:
    """A stream whose numbers become the given increments, and integrals of W(s) - W(t) over each step."""

    def __init__(self, dw, dz, h, pairs):
        u = dw / np.sqrt(h)
        v = np.sqrt(12) * (dz / h**1.5 - u / 2)
        # what Box and Muller make normal numbers of
        uniform = np.stack([-np.expm1(-(u**2 + v**2) / 2), np.arctan2(v, u) / (2 * np.pi) % 1], axis=-1)
        self.numbers, self.done = uniform.ravel() if pairs else u, 0

    def random(self, out):
        out[:] = self.numbers[self.done : self.done + len(out)]
        self.done += len(out)

    standard_normal = random


def wiener(steps, members, h, seed=0):
    u, v = np.random.default_rng(seed).standard_normal((2, steps, members))
    return np.sqrt(h) * u, h**1.5 * (u / 2 + v / np.sqrt(12))


def coarser(dw, dz, h, times=2):
    """The same paths in longer steps: later parts' integrals start from where the path then is."""
    dw, dz = (rows.reshape(-1, times, rows.shape[1]) for rows in (dw, dz))
    return dw.sum(axis=1), (dz + h * (dw.cumsum(axis=1) - dw)).sum(axis=1), times * h


def walked(system, amplitude, dw, dz, h):
    """The last states of one component along these paths (step, member)."""
    pairs = "x" not in amplitude
    streams = [Replay(dw[:, k], dz[:, k], h, pairs) for k in range(dw.shape[1])]
    return run(system, [amplitude], dw.shape[1], streams=streams, step=h, stride=len(dw), count=2).states[:, 1, 0]


def errors(system, amplitude, dw, dz, h, exact, *, times, count):
    """Root mean square errors of the last states in steps ever longer by the factor `times`."""
    found = []
    for _ in range(count):
        found.append(np.sqrt(((walked(system, amplitude, dw, dz, h) - exact) ** 2).mean()))
        dw, dz, h = coarser(dw, dz, h, times)
    return np.array(found)


def order(found, times):
    return np.polyfit(np.arange(len(found)), np.log(found) / np.log(times), 1)[0]


def by_steps(dw, dz, h, b):
    """The solution of dX = -a X(t - 1) dt + b dW at time 2, after X = x until 0, by the method of steps.

    X(t) = x (1 - a t) + b W(t) over the first lag, so that X(2) = x - a x - a x (1 - a/2) - a b int_0^1 W ds + b W(2).
    """
    a, x, first = *(LINEAR.parameters["a"], LINEAR.initial[0]), round(1 / h)
    paths = dw.cumsum(axis=0)
    integral = dz[:first].sum(axis=0) + h * (paths - dw)[:first].sum(axis=0)
    return x * (1 - a) - a * x * (1 - a / 2) - a * b * integral + b * paths[-1]


def test_steps_that_divide_the_lag_see_the_integral_of_the_delayed_path():
    dw, dz = wiener(64, 50, 1 / 32)
    assert np.abs(walked(LINEAR, "4/5", dw, dz, 1 / 32) - by_steps(dw, dz, 1 / 32, 0.8)).max() < 1e-12


def test_lags_of_half_steps_to_order_1_against_the_exact_solution():
    """Two lags are an odd number of steps, at all lengths, so that every delayed step lies across the end of another."""
    fine = 6 * 135
    dw, dz = wiener(fine, 400, 2 / fine)
    exact = by_steps(dw, dz, 2 / fine, 0.8)
    dw, dz, h = coarser(dw, dz, 2 / fine, 2)
    assert (1 / h) % 1 == pytest.approx(0.5)
    found = errors(LINEAR, "4/5", dw, dz, h, exact, times=3, count=4)
    assert 0.9 < order(found, 3) < 1.1


@pytest.mark.parametrize("amplitude", ["4/5", "x/2", "cos(3*t)"])
@pytest.mark.parametrize("system", [LINEAR, CURVED], ids=["linear", "curved"])
def test_half_steps_to_order_1_against_much_finer_ones(system, amplitude):
    """Over four lags, so that what came of noise comes back; the finest steps divide the lag."""
    fine = 2 * 405
    dw, dz = wiener(4 * fine, 100, 1 / fine, seed=3)
    exact = walked(system, amplitude, dw, dz, 1 / fine)
    dw, dz, h = coarser(dw, dz, 1 / fine, 4)
    found = errors(system, amplitude, dw, dz, h, exact, times=3, count=4)
    assert 0.85 < order(found, 3) < 1.2
    assert noise.scheme(system.flat, (read(amplitude),), system.flat.parameters).order == 1


@pytest.mark.parametrize("beta", [0.1, 0.5, 1.2])
def test_stationary_variance(beta):
    """(1 + sin(beta r)) / (2 beta cos(beta r)) of dX = -beta X(t - r) dt + dW (Kuchler & Mensch, Stochastics 40, 23 (1992))."""
    system = LINEAR.with_(a=beta)
    apart = max(16.0, 4 / beta)
    step = 1 / 6.5
    counts = {"stride": round(apart / step), "count": 12, "skip": round(3 * apart / step)}
    x = run(system, ["1"], 1500, step=step, initial=np.zeros((1500, 1)), **counts).states
    expected = (1 + np.sin(beta)) / (2 * beta * np.cos(beta))
    assert abs(x.var() / expected - 1) < 4 * np.sqrt(2 / x.size)
    assert abs(x.mean()) < 4 * np.sqrt(expected / x.size)


def test_multiplicative_noise_is_that_of_ito():
    """Noise that is proportional to the state leaves the mean to the noiseless equation."""
    x = run(LINEAR, ["x/2"], 5000, count=2, stride=128).states[:, 1, 0]
    exact = solve_exactly(LINEAR, LINEAR.initial[None], np.array([2.0])).states[0, 0, 0]
    assert abs(x.mean() - exact) < 4 * x.std() / np.sqrt(len(x))


# --- without noise -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["MackeyGlass", "IkedaDelay"])
def test_without_noise_the_taylor_engine_is_met_at_order_4(text):
    """From a past that the equations made; lags are no whole numbers of steps."""
    system = load(text)
    span = 1.7 * system.lags.max()
    past = solve_exactly(system, system.initial[None], np.array([10 * system.period])).pasts[0]
    exact = solve_exactly(system, [past], past.now + span * np.arange(51) / 50).states[0]
    found = []
    for parts in (16, 8, 4, 2):
        options = {"step": span / 50 / parts, "stride": parts, "count": 51, "start": past.now}
        found.append(np.abs(run(system, [0], 1, initial=[past], **options).states[0] - exact).max())
    assert 3.7 < order(np.array(found), 2) < 4.6


def test_two_lags_two_components_and_time():
    """From a given history; the kink where it ends costs two orders, but only there."""
    past = given(lambda s: np.array([np.cos(s), np.sin(2 * s)]), 1.5, 2.0, 2)
    times = 2 + np.arange(11) / 4
    exact = solve_exactly(PAIR, [past], times, start=2.0, delayed=True)
    found = run(PAIR, [0, 0], 1, initial=[past], step=1 / 128, stride=32, count=11, start=2.0, delayed=True)
    assert np.abs(found.states - exact.states).max() < 2e-5
    assert np.abs(found.delayed - exact.delayed).max() < 2e-5
    assert found.pasts[0].now == pytest.approx(times[-1], abs=1e-12)
    assert past.now == 2.0, "the past that was given stays as it was"


def test_steps_as_long_as_the_lag_are_taken_and_longer_ones_refused():
    assert np.isfinite(run(LINEAR, ["1"], step=1.0, stride=1).states).all()
    with pytest.raises(ValueError, match=r"no longer than the shortest lag, 1; step = 1\.01"):
        run(LINEAR, ["1"], step=1.01)


# --- sampling, streams, threads ------------------------------------------------------------------------------------------


def pair(members=4, **options):
    return run(PAIR, ["1/2", "1 + y/4"], members, **({"step": 1 / 30} | options))


def test_samples_are_where_they_are_said_to_be():
    every = pair(stride=1, count=201).states
    assert np.array_equal(every[:, 0], np.repeat(PAIR.initial[None], 4, axis=0))
    assert np.array_equal(pair(stride=7, count=25, skip=3).states, every[:, 3::7][:, :25])
    assert np.array_equal(pair(stride=1, count=1).states, every[:, :1])


def test_delayed_states_are_those_of_the_path():
    found = pair(stride=1, count=201, delayed=True)
    seen = {delay.component: found.delayed[:, :, k] for k, delay in enumerate(PAIR.flat.delays)}
    for component, lag in ((0, 45), (1, 15)):  # steps
        assert np.abs(seen[component][:, lag:] - found.states[:, :-lag, component]).max() < 1e-9
        assert (seen[component][:, :lag] == PAIR.initial[component]).all()


@pytest.mark.parametrize("engine", ["heyoka", "numpy"])
@pytest.mark.parametrize("block", [1, 50, noise.BLOCK])
def test_members_do_not_depend_on_their_number_nor_on_threads(engine, block, monkeypatch):
    one = pair(1, engine=engine).states
    monkeypatch.setattr(noise, "FEWEST", 3)
    monkeypatch.setattr(noise, "BLOCK", block)
    many = [pair(members, workers=workers, engine=engine).states for members, workers in [(19, 1), (19, 2), (35, 3)]]
    assert np.array_equal(many[0], many[1])
    assert np.array_equal(many[0], many[2][:19])
    assert np.array_equal(many[0][:1], one)
    assert len(np.unique(many[2][:, -1, 0])) == 35


def test_engines_agree_to_rounding():
    heyoka, numpy = (pair(9, engine=engine).states for engine in ("heyoka", "numpy"))
    assert np.abs(heyoka - numpy).max() < 1e-12


@pytest.mark.parametrize("cut", [1, 20, 44, 100, 150])
def test_going_on_is_one_longer_run(cut):
    whole, streams = pair(stride=1, count=201).states, noise.spawn(1, 4)
    first = pair(stride=1, count=cut + 1, streams=streams)
    later = pair(stride=1, count=200 - cut, skip=1, initial=first.pasts, start=cut / 30, streams=streams)
    assert np.abs(np.concatenate([first.states, later.states], axis=1) - whole).max() < 1e-11
    past = later.pasts[0]
    assert past.span == pytest.approx((-1.5, 0.0), abs=1 / 30 + 1e-9)
    assert past.now == pytest.approx(200 / 30)
    assert np.abs(past.at(-np.arange(45) / 30) - later.states[0, ::-1][:45]).max() < 1e-9


def test_the_path_that_is_handed_on_goes_through_the_states():
    found = run(LINEAR, ["1"], 2, stride=1, count=200)
    past = found.pasts[1]
    assert isinstance(past, Past)
    assert np.abs(past.at(-np.arange(64) / 64)[:, 0] - found.states[1, ::-1, 0][:64]).max() < 1e-12
    assert len(past.breaks) >= 64


def test_progress_counts_the_steps_of_all_members():
    heard = []
    run(LINEAR, ["1"], 10, stride=50, count=7, skip=11, advanced=heard.append)
    assert sum(heard) == 10 * (11 + 6 * 50)


def test_no_members_make_an_empty_answer():
    assert run(LINEAR, ["1"], 0).states.shape == (0, 11, 1)


# --- failures ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["heyoka", "numpy"])
def test_a_member_that_blows_up_leaves_the_others_alone(engine):
    blow = System({"x": "x(t - 1)*x**2"}, {}, {"x": 1}, kind="delay")
    starts = np.array([[0.1], [30.0], [-0.1], [np.nan]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = run(blow, ["0.01"], initial=starts, engine=engine, count=40).states
    assert np.isfinite(found[[0, 2]]).all()
    assert not np.isfinite(found[1, 5:]).any()
    assert not np.isfinite(found[3]).any()
    calm = run(blow, ["0.01"], initial=np.array([[0.1], [0.0], [-0.1], [0.0]]), engine=engine, count=40).states
    assert np.array_equal(found[[0, 2]], calm[[0, 2]])


def test_kinks_run():
    system = System({"x": "-sign(x(t - 1)) - x"}, {}, {"x": 0.1}, kind="delay")
    assert noise.scheme(system.flat, (read("1"),), ()).engine == "numpy"
    assert np.isfinite(run(system, ["1/10"], count=200).states).all()


SHORT = given(lambda s: np.array([1.0]), 0.5, 0.0, 1)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"values": np.array([[1, 1], [1, 1], [1, 1.5], [1, 1]])}, r"member 0 are \[1.0\], those of member 2 \[1.5\]"),
        ({"values": np.array([1.0, -1.0])}, r"every lag must be positive and finite"),
        ({"values": np.array([1.0, np.nan])}, r"every lag must be positive and finite"),
        ({"values": np.ones((3, 2))}, r"values must have shape \(2,\) or \(4, 2\)"),
        ({"initial": np.zeros((4, 2))}, "a past must have 1 components, 2 given"),
        ({"initial": [SHORT]}, "the longest lag is 1, and a past only covers 0.5"),
        ({"streams": noise.spawn(1, 3)}, "4 members need a stream each, 3 given"),
        ({"step": 0.0}, "step must be positive and finite"),
    ],
)
def test_what_does_not_fit_is_refused(options, said):
    with pytest.raises(ValueError, match=said):
        run(LINEAR, ["1"], **options)


def test_parameters_differ_by_member_where_lags_do_not():
    values = np.array([[1.0, 1.0], [0.3, 1.0]])
    together = run(LINEAR, ["1"], 2, values=values).states
    for k, stream in enumerate(noise.spawn(1, 2)):
        assert np.array_equal(run(LINEAR, ["1"], 1, values=values[k], streams=[stream]).states[0], together[k])


def test_a_delay_system_is_not_taken_for_a_flow():
    with pytest.raises(ValueError, match=r"noisy_delay\.solve"):
        noise.solve(LINEAR.flat, (read("1"),), (name("a"), name("lag")), np.zeros((1, 1)), LINEAR.values, step=0.1, stride=1,
                    count=2, streams=noise.spawn(1, 1))  # fmt: skip
