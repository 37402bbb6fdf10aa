"""Lyapunov exponents that are known on paper, and whether the errors are what they say."""

import math

import numpy as np
import pytest
import xarray as xr
from scipy.integrate import solve_ivp
from scipy.signal import lfilter
from scipy.special import lambertw

from chaoslab.integrate import compiled_quickly
from chaoslab.invariants.lyapunov import TooShort, largest_exponent, lyapunov_spectrum, mean_covariance
from chaoslab.invariants.orbit import time_unit
from chaoslab.systems import System, load, rescale, rotate


def system(equations, state, kind="flow", period=None, **parameters):
    return System(equations, parameters, state, kind=kind, period=period)


def spectrum(chosen, **options):
    return lyapunov_spectrum(chosen, progress=False, **options)


def linear(matrix, state):
    rows = [" + ".join(f"({entry!r})*x{j}" for j, entry in enumerate(row)) for row in np.array(matrix, float).tolist()]
    return system({f"x{i}": row for i, row in enumerate(rows)}, {f"x{i}": value for i, value in enumerate(state)})


def covers(found, true, errors=3.0, least=1e-9):
    """Whether true values lie within this many errors."""
    away = np.abs(found.exponent.values - np.asarray(true))
    return (away <= errors * found.error.values + least).all()


# --- linear flows: real parts of eigenvalues ------------------------------------------------------------------------------

MATRICES = {
    "distinct": [[-1, 0], [0, -3]],
    "pair": [[-1, 5], [-5, -1]],
    "oblique": [[-1, 1000], [0, -2]],
    "oblique back": [[-2, 0], [1000, -1]],
    "steep": [[-1, 0], [0.3, -300]],
    "three": [[-0.5, 2, 0], [-2, -0.5, 1], [0, 0, -4]],
    "one": [[-1]],
}
UNSTABLE = {"saddle": [[0.3, 2], [0, -3]], "centre": [[0, 1], [-1, 0]], "focus": [[0.2, 5], [-5, 0.2]], "still": [[0, 0], [0, -1]]}


@pytest.mark.parametrize("away", [0.0, 1.0])
@pytest.mark.parametrize("kind", MATRICES)
def test_a_linear_flow_has_the_real_parts_of_its_eigenvalues(kind, away):
    """At rest and on the way there: no exponent is zero, since nothing moves in the end."""
    matrix = np.array(MATRICES[kind], float)
    found = spectrum(linear(matrix, away * np.ones(len(matrix))))
    true = np.sort_complex(np.linalg.eigvals(matrix))[::-1]
    turning = np.abs(true.imag).max() > 0  # a turn that the run does not finish counts in part
    assert found.exponent.values == pytest.approx(true.real, rel=1e-3 if turning else 1e-6)
    assert float(found.exponent.sum()) == pytest.approx(np.trace(matrix), rel=1e-6)
    assert float(found.divergence) == pytest.approx(np.trace(matrix), rel=1e-9)


@pytest.mark.parametrize("kind", UNSTABLE)
def test_at_a_fixed_point_from_which_motions_leave(kind):
    matrix = np.array(UNSTABLE[kind], float)
    found = spectrum(linear(matrix, np.zeros(len(matrix))))
    assert found.exponent.values == pytest.approx(np.sort(np.linalg.eigvals(matrix).real)[::-1], abs=1e-6)


@pytest.mark.parametrize("away", [0.0, 1.0])
def test_a_jordan_block_converges_as_the_logarithm_of_time(away):
    found = spectrum(linear([[-1, 1], [0, -1]], [away, away]))
    slow = 2 * np.log(1 / 0.1) / (float(found.time) / found.members)
    assert found.exponent.values == pytest.approx([-1, -1], abs=slow)
    assert float(found.exponent.sum()) == pytest.approx(-2, abs=1e-8)


def test_a_state_that_never_moves_has_no_growth():
    assert spectrum(system({"x": "0*x", "y": "0*y"}, {"x": 1, "y": 2})).exponent.values == pytest.approx([0, 0], abs=1e-12)


def test_a_fixed_point_that_is_not_linear():
    """x = sqrt(2), where the slope is 1 - 3 x^2/2 = -2."""
    assert spectrum(system({"x": "x - x**3/2"}, {"x": 0.7})).exponent.values == pytest.approx([-2], rel=1e-6)


# --- limit cycles: Floquet exponents --------------------------------------------------------------------------------------

HOPF = {"x": "mu*x - w*y - x*(x**2 + y**2)", "y": "w*x + mu*y - y*(x**2 + y**2)"}


def hopf(mu=0.4, w=1.7, **more):
    return system({**HOPF, **more}, {"x": 0.4, "y": 0.3} | dict.fromkeys(more, 1.0), mu=mu, w=w)


def van_der_pol(mu, x=2.0):
    return system({"x": "y", "y": "mu*(1 - x**2)*y - x"}, {"x": x, "y": 0}, mu=mu)


def floquet(mu):
    """The exponent of van der Pol's cycle: the mean of mu (1 - x^2) over one period."""
    field = lambda t, s: [s[1], mu * (1 - s[0] ** 2) * s[1] - s[0], mu * (1 - s[0] ** 2)]
    fine = {"method": "LSODA", "rtol": 1e-11, "atol": 1e-12}
    settled = solve_ivp(field, [0, 10 * (5 + 2 * mu)], [2, 0, 0], **fine).y[:2, -1]
    right = lambda t, s: s[1]
    right.direction = -1
    turns = solve_ivp(field, [0, 3 * (7 + 2 * mu)], [*settled, 0], events=right, **fine)
    (t, s), (later, then) = [(turns.t_events[0][k], turns.y_events[0][k]) for k in (0, 1)]
    return (then[2] - s[2]) / (later - t)


def test_the_hopf_normal_form():
    assert spectrum(hopf(), time=2000).exponent.values == pytest.approx([0, -0.8], abs=1e-6)


def test_a_product_has_the_exponents_of_its_parts():
    both = hopf(u="-3*u + 0.2*v", v="-0.2*u - 3*v", p="mu*p - 2*q - p*(p**2 + q**2)/4", q="2*p + mu*q - q*(p**2 + q**2)/4")
    assert spectrum(both, time=2000).exponent.values == pytest.approx([0, 0, -0.8, -0.8, -3, -3], abs=1e-5)


@pytest.mark.parametrize(("mu", "x"), [(1, 2.0), (5, 2.0), (5, 1.5), (8, 2.0), (8, 1.5), (20, 2.0)])
def test_van_der_pol(mu, x):
    """From harmonic to bursts in which differences part by e^100."""
    found = spectrum(van_der_pol(mu, x), time=250 * (6 + 1.6 * mu))
    true = floquet(mu)
    assert found.exponent.values == pytest.approx([0, true], abs=0.01 * abs(true))
    assert float(found.exponent.sum()) == pytest.approx(float(found.divergence), rel=1e-6)
    assert covers(found, [0, true], errors=4)


# --- maps -----------------------------------------------------------------------------------------------------------------


def one_map(text, state=0.3, **parameters):
    return system({"x": text}, {"x": state}, kind="map", **parameters)


def skew_tent(a, state=0.3):
    return one_map("where(x < a, x/a, (1 - x)/(1 - a))", state, a=a)


def skew_tent_exponent(a):
    return -a * math.log(a) - (1 - a) * math.log(1 - a)


def test_the_logistic_map():
    found = spectrum(load("Logistic").with_(r=4))
    assert covers(found, [np.log(2)])
    assert float(found.error[0]) < 1e-3


@pytest.mark.parametrize(
    ("chosen", "true"),
    [
        (one_map("mu*min(x, 1 - x)", mu=1.7), [np.log(1.7)]),
        (one_map("mod(b*x, 1)", b=2.6), [np.log(2.6)]),
        (system({"x": "mod(2*x + y, 1)", "y": "mod(x + y, 1)"}, {"x": 0.1, "y": 0.37}, kind="map"),
         [np.log((3 + 5**0.5) / 2), -np.log((3 + 5**0.5) / 2)]),
        (system({"x": "mod(3*x, 1)", "y": "(y + floor(3*x))/5"}, {"x": 0.1, "y": 0.37}, kind="map"), [np.log(3), -np.log(5)]),
        (one_map("r*x*(1 - x)", r=2.5), [np.log(0.5)]),
    ],
    ids=["tent", "beta shift", "cat", "baker", "fixed point"],
)  # fmt: skip
def test_maps_with_constant_growth(chosen, true):
    found = spectrum(chosen, time=20_000)
    assert found.exponent.values == pytest.approx(true, abs=1e-10)
    assert float(found.divergence) == pytest.approx(sum(true), abs=1e-12)


@pytest.mark.parametrize("time", [10_000, 20_000, 21_000, 30_000])
@pytest.mark.parametrize("r", [3.2, 3.5])
def test_a_cycle_of_a_map(r, time):
    """A run that is no whole number of cycles is off by a part of one, and its error has to say so."""
    cycle = [0.5]
    for _ in range(2000):
        cycle.append(r * cycle[-1] * (1 - cycle[-1]))
    true = np.log(np.abs(r * (1 - 2 * np.array(cycle[-4:])))).mean()
    found = spectrum(one_map("r*x*(1 - x)", r=r), time=time)
    assert found.exponent.values == pytest.approx([true], abs=0.05)
    assert covers(found, [true])


def test_a_map_that_turns():
    """(x, y) -> (2y, -x/3) comes back after four iterations, 2/3 smaller in two."""
    found = spectrum(system({"x": "2*y", "y": "-x/3"}, {"x": 0, "y": 0}, kind="map"), time=20_000)
    assert float(found.exponent.sum()) == pytest.approx(np.log(2 / 3), abs=1e-12)
    assert found.exponent.values == pytest.approx([np.log(2 / 3) / 2] * 2, abs=0.01)
    assert covers(found, [np.log(2 / 3) / 2] * 2)


@pytest.mark.parametrize("b", [0.3, -0.3, 0.1])
def test_all_exponents_of_henons_map_make_its_determinant(b):
    chosen = system({"x": "1 - a*x**2 + y", "y": "b*x"}, {"x": 0.1, "y": 0.1}, kind="map", a=1.2 if b < 0.3 else 1.4, b=b)
    found = spectrum(chosen, time=20_000)
    assert float(found.exponent.sum()) == pytest.approx(np.log(abs(b)), abs=1e-12)


def test_a_product_of_maps():
    both = system({"x": "4*x*(1 - x)", "u": "mod(2*u + v, 1)", "v": "mod(u + v, 1)"}, {"x": 0.3, "u": 0.1, "v": 0.37}, kind="map")
    cat = np.log((3 + 5**0.5) / 2)
    assert covers(spectrum(both), [cat, np.log(2), -cat])


def test_a_superstable_cycle_is_minus_infinity():
    found = spectrum(one_map("3.2*x*(1 - x)", state=0.5).with_(x=0.5), transient=0, time=10_000)
    assert found.exponent.values == pytest.approx([np.log(0.16) / 2], abs=0.05)
    dead = spectrum(one_map("2*x*(1 - x)", state=0.5), time=10_000)
    assert dead.exponent.values.tolist() == [-np.inf]
    assert np.isnan(dead.error.values).all()


def test_a_map_that_counts_time():
    """x -> (2 + (-1)^n) x: factors 3 and 1."""
    found = spectrum(one_map("(2 + cos(pi*t))*x", state=0.0), time=20_000, members=10)
    assert found.exponent.values == pytest.approx([np.log(3) / 2], abs=1e-3)


# --- sums and pairs -------------------------------------------------------------------------------------------------------


def test_lorenz():
    found = spectrum("Lorenz", time=2000)
    assert float(found.exponent.sum()) == pytest.approx(-(10 + 1 + 8 / 3), abs=1e-9)
    assert float(found.divergence) == pytest.approx(-(10 + 1 + 8 / 3), abs=1e-12)
    assert covers(found, [0.90563, 0, -0.90563 - 10 - 1 - 8 / 3], errors=4)  # Sprott, Chaos and Time-Series Analysis (2003)
    assert found.error.values.max() < 0.05


@pytest.mark.parametrize("name", ["HenonHeiles", "DoublePendulum"])
def test_exponents_of_conservative_motions_come_in_pairs(name):
    found = spectrum(name, time=1500).exponent.values
    assert found + found[::-1] == pytest.approx(np.zeros(4), abs=2e-3)
    assert found[0] > 0.005
    assert found.sum() == pytest.approx(0, abs=1e-9)


def polynomial(seed, dimension=4):
    """A random flow whose quadratic terms keep the distance from the origin and whose cubic ones bound it."""
    rng = np.random.default_rng(seed)
    words = [f"x{k}" for k in range(dimension)]
    rows = {}
    spins = rng.standard_normal((dimension, dimension, dimension))
    spins -= spins.transpose(1, 0, 2)  # x_i S_ijk x_j x_k = 0
    for i, word in enumerate(words):
        numbers = rng.standard_normal(dimension).tolist()
        line = " + ".join(f"({value!r})*{other}" for value, other in zip(numbers, words, strict=True))
        pairs = [(j, k) for j in range(dimension) for k in range(dimension) if j != i]
        quadratic = " + ".join(f"({float(spins[i, j, k])!r})*{words[j]}*{words[k]}" for j, k in pairs)
        rows[word] = f"{line} + {quadratic} + {word} - {word}**3 + 0.5"
    return system(rows, dict(zip(words, rng.standard_normal(dimension).tolist(), strict=True)))


@pytest.mark.parametrize("seed", range(4))
def test_all_exponents_make_the_divergence(seed):
    chosen = polynomial(seed)
    found = spectrum(chosen, time=300 * time_unit(chosen))
    assert float(found.exponent.sum()) == pytest.approx(float(found.divergence), abs=1e-6 * abs(float(found.exponent[-1])))


@pytest.mark.parametrize("name", ["Chua", "SprottMore", "HindmarshRose", "CoupledRossler", "BelousovZhabotinsky"])
def test_all_exponents_make_the_divergence_through_kinks_jumps_and_bursts(name):
    found = spectrum(name, time=150 * time_unit(load(name)), transient=10 * time_unit(load(name)))
    assert float(found.exponent.sum()) == pytest.approx(float(found.divergence), abs=1e-5 * abs(float(found.exponent[-1])))


# --- jumps and sliding ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("a", [0.05, 0.2])
def test_a_jump_that_is_crossed(a):
    """x'' + 2 a x' + x = sign(x') has the half-turn |x| -> e |x| + 1 + e with e = exp(-a pi/omega): exponents 0 and -a."""
    found = spectrum(system({"x": "y", "y": "-x - 2*a*y + sign(y)"}, {"x": 5, "y": 0.5}, a=a), time=3000)
    assert found.exponent.values == pytest.approx([0, -a], abs=2e-3)
    assert covers(found, [0, -a], errors=4)
    assert float(found.divergence) == pytest.approx(float(found.exponent.sum()), abs=1e-9)


def test_a_jump_that_is_slid_on_for_ever():
    """On x = 0 sign(x) is held at y/2, so that y' = -y/2; across, differences die out."""
    found = spectrum(system({"x": "-2*sign(x) + y", "y": "-y + sign(x)"}, {"x": 0.3, "y": 0.5}), time=400, transient=5)
    assert found.exponent[0] == pytest.approx(-0.5, abs=1e-6)
    assert found.exponent[1] == -np.inf
    assert np.isnan(found.error[1])
    assert np.isfinite(found.error[0])


def test_stick_and_slip_in_the_plane():
    """A block on a belt: its cycle sticks, so it forgets everything but the time."""
    block = system({"x": "v", "v": "-x + 0.1*v + 0.5*sign(0.3 - v)"}, {"x": 1.0, "v": 0.0})
    found = spectrum(block, time=1000)
    assert found.exponent[0] == pytest.approx(0, abs=5e-3)
    assert found.exponent[1] == -np.inf


def test_stick_and_slip():
    found = spectrum("StickSlipOscillator", time=1500)
    assert found.exponent[2] == -np.inf
    assert np.isnan(found.error[2])
    assert np.isfinite(found.exponent[:2]).all()
    assert np.abs(found.exponent[:2]).min() < 0.02


# --- delay systems --------------------------------------------------------------------------------------------------------


def roots(strength, lag, count):
    """Real parts of the largest roots of s = strength exp(-lag s)."""
    values = [lambertw(strength * lag, k).real / lag for k in range(-8, 9)]
    return np.sort(values)[::-1][:count]


@pytest.mark.parametrize(("a", "tau"), [(1.2, 1.0), (2.0, 1.0), (-0.5, 2.0)])
def test_a_linear_delay_equation_has_the_roots_of_its_characteristic_equation(a, tau):
    chosen = system({"x": "-a*x(t - tau)"}, {"x": 0}, kind="delay", period=4.0, a=a, tau=tau)
    found = spectrum(chosen, time=200, transient=4, count=4)
    assert found.exponent.values == pytest.approx(roots(-a, tau, 4), abs=0.03)
    assert covers(found, roots(-a, tau, 4), errors=4, least=2e-3)


def test_two_lags_and_two_components():
    """s^2 = 1.5 exp(-1.6 s)."""
    chosen = system({"x": "-1.5*y(t - 1)", "y": "-x(t - 0.6)"}, {"x": 0, "y": 0}, kind="delay", period=4.0)
    true = np.sort(np.concatenate([roots(sign * 1.5**0.5, 0.8, 6) for sign in (1, -1)]))[::-1][:4]
    found = spectrum(chosen, time=200, transient=4, count=4)
    assert found.exponent.values == pytest.approx(true, abs=0.03)


def test_a_lag_that_does_nothing_leaves_the_flow():
    """x' = -x beside a delay equation: -1 is one of the exponents."""
    chosen = system({"x": "-x + 0*y(t - 1)", "y": "-2*y(t - 1)"}, {"x": 0, "y": 0}, kind="delay", period=4.0)
    true = np.sort([-1.0, *roots(-2.0, 1.0, 4)])[::-1][:4]
    assert spectrum(chosen, time=200, transient=4, count=4).exponent.values == pytest.approx(true, abs=0.03)


def test_a_delay_system_at_rest_has_a_time_unit():
    """The lag sets it where nothing else does."""
    assert 0.1 < time_unit(system({"x": "-x(t - 1)"}, {"x": 1}, kind="delay")) < 100


def test_a_lag_that_is_short_against_the_period():
    """Differences part by e^50 in an eighth of the period, 25 lags long."""
    chosen = system({"x": "-x(t - tau)"}, {"x": 0}, kind="delay", period=100.0, tau=0.5)
    found = spectrum(chosen, time=200, transient=1, count=3)
    assert found.exponent.values == pytest.approx(roots(-1.0, 0.5, 3), abs=0.1)


@pytest.mark.slow
@pytest.mark.parametrize(("tau", "true"), [(17, 0.00514), (23, 0.00941)])
def test_mackey_glass(tau, true):
    """Against fixed steps of a classical Runge-Kutta method and one difference, 170 and 340 steps a lag, 1.2 million time units
    each: 0.00514(3) and 0.00941(2)."""
    found = spectrum(load("MackeyGlass").with_(tau=tau), time=60_000, count=3)
    assert found.exponent[0] == pytest.approx(true, abs=4 * float(found.error[0]))
    assert found.error[0] < 5e-4
    assert found.exponent[1] == pytest.approx(0, abs=5e-4)
    assert found.exponent[2] < -0.005


# --- units and coordinates ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1e-9, 1e-3, 1e3, 1e9])
def test_the_unit_of_length_does_not_matter(size):
    found = spectrum(rescale(load("Lorenz"), scale=size), time=300)
    assert float(found.exponent.sum()) == pytest.approx(-(10 + 1 + 8 / 3), abs=1e-6)
    assert covers(found, [0.90563, 0, -14.57229], errors=5)


def test_another_unit_of_time_multiplies_exponents():
    plain, fast = (spectrum(rescale(hopf(), time=unit), time=2000 / unit).exponent.values for unit in (1.0, 10.0))
    assert fast == pytest.approx(10 * plain, abs=1e-6)
    assert float(spectrum(rescale(load("Lorenz"), time=10), time=30).exponent.sum()) == pytest.approx(-(110 + 80 / 3), abs=1e-7)


def test_oblique_coordinates_do_not_matter():
    oblique = rotate(hopf(), [[1.0, 0.0], [5.0, 0.1]])
    assert spectrum(oblique, time=2000).exponent.values == pytest.approx([0, -0.8], abs=1e-3)
    turned = rotate(load("Lorenz"), np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0])
    found = spectrum(turned, time=300)
    assert covers(found, [0.90563, 0, -14.57229], errors=5)


def test_the_random_frame_does_not_matter():
    first, second = (spectrum(hopf(), time=2000, rng=seed).exponent.values for seed in (0, 1))
    assert first == pytest.approx(second, abs=1e-6)
    maps = [spectrum("Henon", time=20_000, rng=seed).exponent.values for seed in (0, 1)]
    assert maps[0] == pytest.approx(maps[1], abs=1e-3)


@pytest.mark.parametrize("name", ["Henon", "Lorenz", "SprottMore"])
def test_the_same_seed_gives_the_same_numbers(name):
    options = {"time": 20_000 if name == "Henon" else 400}
    first, second = (spectrum(name, rng=rng, **options) for rng in (7, 7))
    xr.testing.assert_identical(first, second)
    generator = spectrum(name, rng=np.random.default_rng(7), **options)
    assert generator.exponent.values.tolist() == first.exponent.values.tolist()


def test_whole_exponents_that_are_parameters():
    """A cycle on which both coordinates are negative for a while."""
    equations = {word: text.replace("**2", "**p") for word, text in HOPF.items()}
    chosen = system(equations, {"x": 0.4, "y": 0.3}, mu=0.4, w=1.7, p=2)
    assert spectrum(chosen, time=2000).exponent.values == pytest.approx([0, -0.8], abs=1e-5)


# --- time -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("transient", [None, 1.0])
def test_a_flow_that_knows_the_time(transient):
    """x = sin(t), and y' = (x - 1) y: the members have to start at the times at which they are where they are."""
    chosen = system({"x": "cos(t)", "y": "(x - 1)*y"}, {"x": 0, "y": 1}, period=2 * np.pi)
    assert spectrum(chosen, time=2000, transient=transient).exponent.values == pytest.approx([0, -1], abs=0.02)


@pytest.mark.parametrize("observed", [{}, {"z": "cos(z)"}])
def test_a_phase_that_grows_for_long(observed):
    chosen = System({"y": "(2*cos(z) - 1)*y", "z": "300"}, {}, {"y": 0, "z": 0}, observed=observed, period=1.0)
    found = spectrum(chosen, time=2000)
    assert found.exponent.values == pytest.approx([0, -1], abs=1e-4)
    assert float(found.exponent.sum()) == pytest.approx(float(found.divergence), abs=1e-9 if observed else 1e-6)


# --- errors ---------------------------------------------------------------------------------------------------------------


def coverage(make, true, starts, **options):
    rng, within = np.random.default_rng(5), []
    for _ in range(starts):
        found = spectrum(make(rng.uniform(0.05, 0.95)), **options)
        within.append(np.abs(found.exponent.values[0] - true) <= 2 * found.error.values[0])
    return np.mean(within)


@pytest.mark.parametrize("a", [0.3, 0.02])
def test_true_values_lie_within_two_errors_nearly_always(a):
    """Branches of unequal slope; at 0.02 few iterations count, far from one another."""
    assert 0.85 <= coverage(lambda x: skew_tent(a, x), skew_tent_exponent(a), 40, time=20_000) <= 1


def test_estimates_from_many_starts_scatter_as_their_errors_say():
    rng = np.random.default_rng(3)
    runs = [spectrum(load("Henon").with_(x=x, y=0.1), time=10_000) for x in rng.uniform(-0.3, 0.3, 40)]
    values, errors = (np.array([run[word].values[0] for run in runs]) for word in ("exponent", "error"))
    assert 0.6 < values.std() / np.sqrt((errors**2).mean()) < 1.5


@pytest.mark.slow
def test_estimates_of_a_weakly_chaotic_flow_scatter_as_their_errors_say():
    """Rossler's motion forgets where it started only after a hundred turns."""
    from chaoslab.integrate import solve

    rossler = load("Rossler")
    far = solve(rossler, rossler.initial[None], np.linspace(0, 40_000, 41)).states[0][1:]
    runs = [spectrum(rossler.with_(**dict(zip("xyz", x, strict=True))), time=5000, count=1) for x in far]
    values, errors = (np.array([run[word].values[0] for run in runs]) for word in ("exponent", "error"))
    assert 0.6 < values.std() / np.sqrt((errors**2).mean()) < 1.4


@pytest.mark.parametrize("members", [1, 8, 64])
@pytest.mark.parametrize("memory", [0.0, 0.9])
def test_the_covariance_of_means_of_what_remembers(members, memory):
    """Autoregressive rates: the variance of the mean is that of the noise over (1 - memory)^2 n."""
    rng, steps, ratios = np.random.default_rng(0), 6400 // members * 4, []
    for _ in range(60):
        noise = rng.standard_normal((steps + 200, members, 2)) @ np.array([[1.0, 0.5], [0.0, 1.0]])
        ratios.append(mean_covariance(lfilter([1.0], [1.0, -memory], noise, axis=0)[200:]))
    true = np.array([[1, 0.5], [0.5, 1.25]]) / ((1 - memory) ** 2 * steps * members)
    assert np.mean(ratios, axis=0) == pytest.approx(true, rel=0.45)
    assert (np.mean(ratios, axis=0) > 0.75 * true).all()


def test_what_does_not_vary_within_a_run_but_between_members_has_an_error():
    rates = np.broadcast_to(np.arange(8.0)[None, :, None], (400, 8, 1))
    assert np.sqrt(mean_covariance(rates)[0, 0]) == pytest.approx(np.arange(8).std(ddof=1) / 8**0.5, rel=1e-9)


# --- what comes back ------------------------------------------------------------------------------------------------------


def test_the_parts_of_a_result_agree():
    found = spectrum("Lorenz", time=300, members=4)
    assert found.exponent.dims == found.error.dims == ("index",)
    assert found.index.values.tolist() == [1, 2, 3]
    assert np.diag(found.covariance) == pytest.approx(found.error.values**2)
    assert found.trace.values[-1] == pytest.approx(found.exponent.values, rel=1e-12)
    assert float(found.elapsed[-1]) == pytest.approx(found.attrs["time"])
    assert 200 < found.attrs["time"] <= 300
    assert found.exponent.attrs["units"] == "1/time"
    assert spectrum("Henon", time=5000).exponent.attrs["units"] == "1/iteration"
    assert (np.diff(found.exponent.values) < 0).all()


@pytest.mark.parametrize("members", [1, 2, 5, 20])
def test_any_number_of_members(members):
    found = spectrum("Lorenz", time=400, members=members)
    assert covers(found, [0.90563, 0, -14.57229], errors=5)
    assert (found.error.values > 1e-3).all()


def test_a_single_exponent_is_the_first_of_all():
    assert covers(largest_exponent("Lorenz", time=400, progress=False), [0.90563], errors=5)
    few, all_ = (spectrum("Henon", time=10_000, count=count).exponent.values for count in (1, 2))
    assert few[0] == pytest.approx(all_[0], abs=1e-9)


def test_the_largest_exponent_of_a_large_system():
    found = spectrum(load("Lorenz96", n=40), count=1, time=100, transient=10)
    assert found.sizes["index"] == 1
    assert 1.4 < found.exponent[0] < 2.0  # 1.67 at F = 8: Lorenz (1996) doubles errors in 2.1 days of 0.2 units


def test_no_progress_where_none_is_wanted(capsys):
    spectrum("Lorenz", time=200)
    assert capsys.readouterr() == ("", "")


# --- refusals -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 4, -1, 1.5, True])
def test_more_exponents_than_dimensions(count):
    with pytest.raises(ValueError, match=r"Lorenz has exponents 1 to its 3 dimensions; count=.* given"):
        spectrum("Lorenz", count=count)


def test_numpy_counts_are_counts():
    assert spectrum("Henon", time=5000, count=np.int64(1)).sizes["index"] == 1


def test_a_time_too_short_says_how_long_it_should_be():
    with pytest.raises(TooShort, match="take at least") as info:
        spectrum("Lorenz", time=1.0)
    least = float(str(info.value).split("at least ")[1].split(",")[0])
    assert np.isfinite(spectrum("Lorenz", time=1.02 * least).error).all()
    with pytest.raises(TooShort):
        spectrum("Henon", time=50)


def test_members_may_begin_closer_than_they_run():
    """Rounding makes them motions of their own, so neither the mean nor its error is much changed."""
    far, near = (lyapunov_spectrum("Lorenz", time=2000, apart=apart, count=1, progress=False) for apart in (None, 100))
    assert (far.attrs["apart"], near.attrs["apart"]) == (250, 100)
    assert abs(float(near.exponent[0]) - 0.9056) < 3 * float(near.error[0])
    assert 0.4 < float(near.error[0] / far.error[0]) < 2.5
    with pytest.raises(ValueError, match="apart is a time between members of a flow"):
        lyapunov_spectrum("Henon", time=10_000, apart=100)


@pytest.mark.parametrize("word", ["time", "transient", "apart"])
def test_words_are_no_times(word):
    with pytest.raises(TypeError, match=f"^{word}.* must be a number; 'long' given"):
        spectrum("Lorenz", **{word: "long"})


@pytest.mark.parametrize(
    "options",
    [{"time": float("nan")}, {"time": -5.0}, {"time": 0}, {"members": 0}, {"members": -2}, {"transient": -1.0}, {"apart": 0}],
)
def test_numbers_that_make_no_sense(options):
    word = next(iter(options))
    with pytest.raises(ValueError, match=f"^{word}"):
        spectrum(hopf(), **{"time": 1000.0, **options})


def test_without_a_transient():
    assert covers(spectrum("Lorenz", time=400, transient=0), [0.90563, 0, -14.57229], errors=5)
    assert spectrum("Henon", time=20_000, transient=0).exponent[0] == pytest.approx(0.42, abs=0.02)


@pytest.mark.parametrize(
    ("chosen", "word"),
    [
        (system({"x": "x"}, {"x": 1}), "escaped"),
        (system({"x": "x**2"}, {"x": 1}), "escape"),
        (system({"x": "-log(x - 2)"}, {"x": 1}), "this flow"),
        (one_map("4.5*x*(1 - x)"), "escaped"),
        (system({"x": "x(t - 1)"}, {"x": 1}, kind="delay", period=1.0), "escaped"),
    ],
    ids=["exponential", "blow-up", "not a number", "map", "delay"],
)
def test_a_motion_that_leaves_has_no_exponents(chosen, word):
    with pytest.raises(ValueError, match=word):
        spectrum(chosen)


def test_a_motion_that_leaves_late():
    """A map with a hole: it escapes after some hundred iterations."""
    with pytest.raises(ValueError, match="escape"):
        spectrum(one_map("4.0002*x*(1 - x)", state=0.3), time=2_000_000, transient=0)


def test_unknown_names_are_told_as_everywhere():
    with pytest.raises(KeyError, match="Did you mean"):
        spectrum("Lorentz")


def test_exponents_that_take_too_many_factors_are_refused_where_that_is_asked_for():
    with compiled_quickly(most=100_000), pytest.raises(ValueError, match="factors"):
        lyapunov_spectrum("Lorenz", time=5000, progress=False)
