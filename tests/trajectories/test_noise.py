"""Noise through simulate(): its size, what it moves and what it leaves alone, its step, and that it repeats where it should."""

import json

import numpy as np
import pytest

import chaoslab as cl
from chaoslab.systems import DefinitionError, System
from chaoslab.trajectories import TrajectoryWarning, simulate

#: Ornstein-Uhlenbeck: variance s^2 tau/2, correlation exp(-lag/tau).
OU = System({"x": "-x/tau"}, {"tau": 2, "s": 1.5}, {"x": 1}, noise={"x": "s"}, name="OU", period=5.0)
#: The Wiener process itself.
WIENER = System({"x": "0*x"}, {}, {"x": 0}, noise={"x": "1"}, name="Wiener", period=1.0)
FORCED = System(
    {"x": "y", "y": "x - x**3 - y/5 + cos(z)/3", "z": "w"}, {"w": 1}, {"x": 1, "y": 0, "z": 0}, name="Forced", period=6.28
)
DELAY = System({"x": "r*x*(1 - x(t - 1))"}, {"r": 1.8}, {"x": 0.9}, kind="delay", name="Hutchinson", period=4.2)
#: dX = -beta X(t - 1) dt + s dW: variance s^2 (1 + sin beta) / (2 beta cos beta) (Kuchler & Mensch, Stochastics 40, 23 (1992)).
LATE = System(
    {"x": "-beta*x(t - lag)"}, {"beta": 1, "s": 2, "lag": 1}, {"x": 0}, kind="delay", noise={"x": "s"}, name="Late", period=8.0
)


@pytest.fixture(scope="module")
def spread():
    """Deviations of Lorenz, from an orbit of its own."""
    return simulate("Lorenz", 2000, 20, transient=20).state.std("time").values[0]


def near(found, expected, samples, errors=5):
    """Whether standard deviations of so many independent normal numbers lie within their sampling error, relative 1/sqrt(2n)."""
    return np.abs(np.asarray(found) / expected - 1).max() < errors / np.sqrt(2 * samples)


# --- how large it is ----------------------------------------------------------------------------------------------------


def test_the_definitions_noise_has_its_stationary_variance():
    x = simulate(OU, 5, 1, initial=np.zeros((2000, 1)), transient=4, noise_step=0.1).state.values[..., 0]
    correlation = np.exp(-5 / 2)  # of samples a period apart
    assert near(x.std(), np.sqrt(1.5**2 * 2 / 2), x.size / (1 + correlation))
    assert np.mean(x[:, 1:] * x[:, :-1]) / x.var() == pytest.approx(correlation, abs=5 / np.sqrt(x.size))


def test_parameters_of_the_noise_differ_by_member():
    strengths = np.repeat([0.5, 1.0, 4.0], 700)
    x = simulate(OU, 3, 1, parameters={"s": strengths}, initial=[0.0], transient=4, noise_step=0.1).state.values[..., 0]
    assert near(x.reshape(3, -1).std(axis=1), np.array([0.5, 1.0, 4.0]), 2000)


def test_multiplicative_noise_is_that_of_ito():
    """Ito's geometric Brownian motion without drift stays 1 in the mean, Stratonovich's grows as exp(t/2)."""
    gbm = System({"x": "0*x"}, {}, {"x": 1}, noise={"x": "x"}, name="GBM", period=1.0)
    x = simulate(gbm, 2, 1, initial=np.ones((20_000, 1)), noise_step=1 / 16).state.values[:, 1, 0]
    assert x.mean() == pytest.approx(1, abs=5 * np.sqrt((np.e - 1) / 20_000))
    assert near(np.log(x).std(), 1.0, 20_000)


def test_process_noise_is_in_deviations_per_root_of_the_period(spread):
    lorenz, amplitude, fraction = cl.load("Lorenz"), np.array([0.1, 0.2, 0.05]), 1 / 400
    options = {"initial": np.repeat(lorenz.initial[None], 4000, axis=0), "process_noise": amplitude}
    moved = simulate(lorenz, 2 * fraction, 400, **options).state.values[:, 1]
    still = simulate(lorenz, 2 * fraction, 400).state.values[0, 1]
    # the shear of so short a time changes these by about a per cent
    assert np.abs((moved - still).std(axis=0) / (amplitude * spread * np.sqrt(fraction)) - 1).max() < 0.08
    assert np.abs(np.corrcoef((moved - still).T) - np.eye(3)).max() < 0.1


def test_observation_noise_is_in_deviations_and_only_in_what_is_seen(spread):
    noisy, clean = simulate("Lorenz", 100, 100, observation_noise={"x": 0.5, "z": 0.1}), simulate("Lorenz", 100, 100)
    added = (noisy.observed - noisy.state).values[0]
    assert np.array_equal(noisy.state, clean.state)
    assert np.abs(added[:, [0, 2]].std(axis=0) / ([0.5, 0.1] * spread[[0, 2]]) - 1).max() < 5 / np.sqrt(2e4) + 0.03
    assert not added[:, 1].any()
    assert np.abs(added.mean(axis=0) / spread).max() < 5 * 0.5 / np.sqrt(1e4)
    assert abs(np.corrcoef(added[1:, 0], added[:-1, 0])[0, 1]) < 0.05
    assert abs(np.corrcoef(added[:, 0], added[:, 2])[0, 1]) < 0.05


@pytest.mark.parametrize("system", ["Henon", "Tent", DELAY], ids=["Henon", "Tent", "Hutchinson"])
def test_maps_and_delays_are_seen_with_noise(system):
    short, long = ({"periods": 10}, {"periods": 100, "transient": 10}) if system is DELAY else ({}, {"periods": 20_000})
    noisy = simulate(system, observation_noise=0.2, **short)
    added = (noisy.observed - noisy.state).values[0]
    stated = list(json.loads(noisy.attrs["noise"])["observation"].values())
    assert near(added.std(axis=0), stated, 1000)
    assert stated == pytest.approx(0.2 * simulate(system, **long).state.std("time").values[0], rel=0.05)


def test_bounded_coordinates_are_seen_with_noise_of_their_own_size():
    ds = simulate("Duffing", 20, observation_noise=0.1)
    added = ds.observed.values - cl.load("Duffing").observe(ds.state.values)
    assert near(added[0, :, 2].std(), 0.1 * np.sqrt(0.5), 2000)  # of a cosine


# --- what it leaves alone -----------------------------------------------------------------------------------------------


def test_zero_switches_the_definitions_noise_off():
    ds = simulate(OU, 2, process_noise=0)
    assert ds.state.values[0, :, 0] == pytest.approx(np.exp(-ds.time / 2), rel=1e-11)
    assert (ds.attrs["noise"], ds.attrs["solver"]) == ("none", simulate("Lorenz", 1).attrs["solver"])


def test_an_amplitude_takes_the_place_of_the_definitions_noise():
    lorenz = cl.load("Lorenz")
    own = System(**lorenz.definition() | {"noise": {"x": "100 + sigma"}})
    assert np.array_equal(simulate(own, 1, process_noise=0.1).state, simulate(lorenz, 1, process_noise=0.1).state)


def test_a_component_without_noise_is_not_moved():
    apart = System({"x": "y", "y": "-x", "u": "v", "v": "-u"}, {}, {"x": 1, "y": 0, "u": 1, "v": 0}, name="Two", period=6.28)
    ds = simulate(apart, 3, process_noise={"x": 0.3})
    assert ds.state.sel(component="u").values[0] == pytest.approx(np.cos(ds.time), abs=1e-4)
    assert np.abs(ds.state.sel(component="x") - np.cos(ds.time)).max() > 0.05


@pytest.mark.parametrize("system", ["Duffing", FORCED], ids=["Duffing", "Forced"])
def test_the_phase_of_a_forcing_is_not_moved(system):
    noisy, clean = simulate(system, 3, process_noise=0.3), simulate(system, 3)
    assert np.abs((noisy.state - clean.state).sel(component="z")).max() < 1e-12
    assert np.abs((noisy.state - clean.state).sel(component="x")).max() > 0.01


def test_a_phase_that_is_seen_as_it_grows_is_seen_without_noise():
    """It has no deviation: that of a ramp is just as long as somebody looked."""
    ds = simulate(FORCED, 3, observation_noise=0.1)
    assert np.array_equal(ds.observed.sel(component="z"), ds.state.sel(component="z"))


def test_noise_in_deviations_of_an_orbit_at_rest_is_not_silently_none():
    rest = System({"x": "-x"}, {}, {"x": 0}, name="Rest", period=1.0)
    with pytest.raises(ValueError, match=r"rest|deviation"):
        simulate(rest, 1, process_noise=0.3)


# --- requests that make no sense ----------------------------------------------------------------------------------------

BAD = [
    ("Henon", {"process_noise": 0.1}, ValueError, "process_noise moves flows and delay systems.*Henon is a map"),
    (LATE, {"parameters": {"lag": [1, 2]}, "noise_step": 0.1}, ValueError, "must have the same lags"),
    ("Lorenz", {"process_noise": [0.1, 0.2]}, ValueError, r"shape \(3,\)"),
    ("Lorenz", {"process_noise": [[0.1, 0.2, 0.1]]}, ValueError, r"shape \(3,\)"),
    ("Lorenz", {"process_noise": -0.1}, ValueError, "process_noise must be zero or positive"),
    ("Lorenz", {"process_noise": {"y": -0.1}}, ValueError, "process_noise of y must be zero or positive"),
    ("Lorenz", {"process_noise": {"rho": 0.1}}, ValueError, "no component 'rho'"),
    ("Lorenz", {"process_noise": "strong"}, TypeError, "process_noise must be a number; 'strong'"),
    ("Lorenz", {"observation_noise": [0.1, np.nan, 0]}, ValueError, "observation_noise is a number"),
    ("Lorenz", {"observation_noise": np.inf}, ValueError, "observation_noise must be zero or positive"),
    ("Lorenz", {"process_noise": 0.1, "noise_step": 0}, ValueError, "noise_step must be positive"),
    ("Lorenz", {"process_noise": 0.1, "noise_step": np.nan}, ValueError, "noise_step must be positive"),
]


@pytest.mark.parametrize(("system", "options", "kind", "message"), BAD)
def test_bad_noise_is_refused_with_reasons(system, options, kind, message):
    with pytest.raises(kind, match=message):
        simulate(system, 2, **options)


def test_a_definition_with_noise_is_no_map():
    with pytest.raises(DefinitionError, match=r"noise.*map"):
        System({"x": "x/2"}, {}, {"x": 1}, kind="map", noise={"x": "1"})


# --- the step -----------------------------------------------------------------------------------------------------------


def test_a_stiff_system_gets_a_step_that_it_can_take():
    stiff = System({"x": "-k*(x - cos(z))", "z": "1"}, {"k": 1000}, {"x": 1, "z": 0}, name="Stiff", period=2 * np.pi)
    ds = simulate(stiff, 1, process_noise=0.05)
    assert json.loads(ds.attrs["noise"])["process"]["step"] < 2.785 / 1000  # where Runge-Kutta's stages are stable
    assert np.abs(ds.state.sel(component="x") - np.cos(ds.time)).max() < 0.05


def test_the_step_divides_the_spacing_of_samples():
    step = lambda **options: json.loads(simulate("Lorenz", duration=1, step=0.1, process_noise=0.1, **options).attrs["noise"])
    assert step(noise_step=0.03)["process"]["step"] == pytest.approx(0.025, rel=1e-14)
    assert step(noise_step=0.05)["process"]["step"] == pytest.approx(0.05, rel=1e-14)


@pytest.mark.parametrize("longest", [0.01, 7.0, 1e9, 1e15])
def test_a_step_longer_than_the_spacing_is_cut_to_it(longest):
    ds = simulate("Lorenz", duration=0.1, step=0.01, process_noise=0.1, noise_step=longest)
    assert json.loads(ds.attrs["noise"])["process"]["step"] == pytest.approx(0.01, rel=1e-12)


def test_a_step_that_is_too_long_is_seen():
    with pytest.warns(TrajectoryWarning, match="Lorenz: member 0 escaped"):
        ds = simulate("Lorenz", 50, 1, process_noise=0.1, noise_step=1.0)
    assert ds.status.values.tolist() == ["escaped"]
    ds.chaos.check()


def test_noise_about_a_point_of_rest_needs_no_period_but_a_step():
    """Such a system has no period to find a step by; the advice must not be what was done already."""
    rest = System({"x": "-x"}, {}, {"x": 1}, noise={"x": "1"}, name="Rest")
    with pytest.raises(ValueError, match="noise_step="):
        simulate(rest, duration=1, step=0.5)
    assert simulate(rest, duration=1, step=0.5, noise_step=0.1).sizes["time"] == 2


def test_steps_and_samples_do_not_change_the_start_or_the_times():
    ds = simulate("Lorenz", 2, 10, process_noise=0.1, initial=[1, 2, 20])
    assert np.array_equal(ds.state[0, 0], [1, 2, 20])
    assert np.array_equal(ds.time, simulate("Lorenz", 2, 10).time)


# --- delay systems ------------------------------------------------------------------------------------------------------


def test_noise_of_a_delay_system_has_its_stationary_variance():
    """Strengths that differ by member; lags do not."""
    options = {"noise_step": 0.15, "transient": 3, "initial": np.zeros(1)}
    x = simulate(LATE, 10, 1, parameters={"s": np.repeat([1.0, 3.0], 300)}, **options).state.values[..., 0].reshape(2, -1)
    expected = np.array([1.0, 3.0]) * np.sqrt((1 + np.sin(1)) / (2 * np.cos(1)))
    assert near(x.std(axis=1), expected, x.shape[1] / 1.5)


def test_process_noise_of_a_delay_system_is_in_deviations_per_root_of_the_period():
    spread, fraction = simulate(DELAY, 100, transient=10).state.std().item(), 1 / 100
    options = {"initial": np.full((4000, 1), 0.9), "process_noise": 0.1}
    moved = simulate(DELAY, 2 * fraction, 100, **options).state.values[:, 1, 0]
    still = simulate(DELAY, 2 * fraction, 100).state.values[0, 1, 0]
    assert abs((moved - still).std() / (0.1 * spread * np.sqrt(fraction)) - 1) < 0.08


@pytest.mark.parametrize("system", [DELAY, "MackeyGlass", "ElNinoDelay"], ids=["Hutchinson", "MackeyGlass", "ElNinoDelay"])
def test_weak_noise_finds_a_step_that_the_noiseless_motion_allows(system):
    noisy, clean = simulate(system, 2, process_noise=1e-6), simulate(system, 2)
    assert noisy.attrs["solver"] == "strong order 1"
    spread = clean.state.std("time").values
    assert (np.abs(noisy.state - clean.state).values < 1e-4 * spread + 1e-9).all()
    assert np.abs(noisy.state - clean.state).max() > 0


def test_no_step_is_longer_than_a_lag():
    ds = simulate(LATE, 2, 2, noise_step=5.0, parameters={"lag": [0.5, 0.5]})
    assert json.loads(ds.attrs["noise"])["process"]["step"] <= 0.5


def test_delay_members_are_the_same_however_many_there_are_and_whoever_works():
    options = {"samples": 10, "process_noise": 0.1, "observation_noise": 0.1, "rng": 4, "noise_step": 0.05}
    few = simulate(DELAY, 2, members=3, workers=1, **options)
    many = simulate(DELAY, 2, members=20, workers=3, **options)
    for key in ("state", "observed"):
        assert np.array_equal(few[key], many[key][:3])
    assert len(np.unique(many.state[:, -1, 0])) == 20


def test_the_derivative_of_a_noisy_delay_system_sees_its_path():
    ds = simulate(DELAY, duration=6, step=0.25, process_noise=0.2, noise_step=0.05, derivative=True, members=2)
    x = ds.state.values[..., 0]
    drift = 1.8 * x[:, 4:] * (1 - x[:, :-4])
    assert np.abs(ds.derivative.values[:, 4:, 0] - drift).max() < 1e-9


def test_a_noisy_delay_series_is_continued():
    """Noise is new; where it is weak the samples' spline is as good as the path was."""
    first = simulate(DELAY, 3, 40, process_noise=1e-5)
    later = simulate(DELAY, 1, 40, process_noise=1e-5, initial=first)
    whole = simulate(DELAY, 4, 40)
    assert later.time.values == pytest.approx(whole.time.values[120:], abs=1e-12)
    assert np.abs(later.state.values - whole.state.values[:, 120:]).max() < 2e-3
    strong = simulate(DELAY, 3, 40, process_noise=0.3)
    again = [simulate(DELAY, 1, 40, process_noise=0.3, initial=strong) for _ in range(2)]
    assert again[0].identical(again[1])
    step = abs(again[0].state[0, 0, 0] - strong.state[0, -1, 0]).item()
    assert 0 < step < 1


def test_a_delay_member_that_leaves_is_marked_and_the_others_go_on():
    blow = System({"x": "x(t - 1)*x**2"}, {}, {"x": 0.1}, kind="delay", noise={"x": "1/100"}, name="Blow", period=1.0)
    with pytest.warns(TrajectoryWarning, match="Blow: member 1 escaped"):
        ds = simulate(blow, 4, 20, initial=[[0.1], [5.0], [-0.1]], noise_step=0.02)
    assert ds.status.values.tolist() == ["ok", "escaped", "ok"]
    assert np.isfinite(ds.state[[0, 2]]).all()
    ds.chaos.check()


# --- what is written down -----------------------------------------------------------------------------------------------


def test_attributes_say_the_noise(spread):
    ds = simulate("Lorenz", 1, process_noise={"x": 0.1}, observation_noise=0.2)
    noise, period = json.loads(ds.attrs["noise"]), cl.load("Lorenz").period
    assert noise["process"]["amplitude"] == {"x": 0.1, "y": 0, "z": 0}
    assert noise["process"]["diffusion"]["x"] == pytest.approx(0.1 * spread[0] / np.sqrt(period), rel=0.03)
    assert list(noise["observation"].values()) == pytest.approx(0.2 * spread, rel=0.03)
    assert (ds.attrs["solver"], ds.attrs["tolerance"]) == ("strong order 1.5", 0.0)
    assert json.loads(simulate(OU, 1).attrs["noise"])["process"]["definition"] == {"x": "s"}
    assert simulate("Lorenz", 1).attrs["noise"] == "none"
    ds.chaos.check()


# --- what repeats, and what does not ------------------------------------------------------------------------------------


@pytest.mark.parametrize("system", ["Lorenz", "Duffing", "Chua"])
def test_a_member_is_the_same_however_many_there_are_and_whoever_works(system):
    options = {"samples": 10, "process_noise": 0.1, "observation_noise": 0.1, "rng": 4, "noise_step": 0.05}
    few = simulate(system, 2, members=10, workers=1, **options)
    many = simulate(system, 2, members=1000, workers=3, **options)
    for key in ("state", "observed"):
        assert np.array_equal(few[key], many[key][:10])
    assert len(np.unique(many.state[:, -1, 0])) == 1000


def test_seeds_repeat_and_differ_and_generators_move_on():
    run = lambda rng: simulate("Lorenz", 1, process_noise=0.1, observation_noise=0.1, rng=rng)
    assert run(1).identical(run(1))
    generator = np.random.default_rng(3)
    drawn = [run(1), run(2), run(generator), run(generator)]
    for key in ("state", "observed"):
        assert len({ds[key].values.tobytes() for ds in drawn}) == 4
    assert run(np.random.default_rng(3)).identical(drawn[2])


def test_noises_of_members_and_purposes_are_independent():
    ds = simulate(WIENER, 4001, 1, initial=np.zeros((3, 1)), observation_noise=0, noise_step=1.0)
    moved = np.diff(ds.state.values[..., 0])
    assert near(moved.std(axis=1), 1.0, 4000)
    seen = simulate("Logistic", 4000, initial=np.full((3, 1), 0.3), observation_noise=1)
    seen = (seen.observed - seen.state).values[..., 0]
    assert np.abs(np.corrcoef(np.vstack([moved, seen])) - np.eye(6)).max() < 5 / np.sqrt(4000)


def test_a_continued_trajectory_has_new_noise():
    first = simulate(WIENER, 2001, 1, noise_step=1.0)
    second, again = (simulate(WIENER, 2001, 1, initial=first, noise_step=1.0) for _ in range(2))
    third = simulate(WIENER, 2001, 1, initial=second, noise_step=1.0)
    assert second.identical(again)
    assert float(second.time[0]) == 2001
    assert float(second.state[0, 0, 0]) != float(first.state[0, -1, 0])
    increments = np.array([np.diff(ds.state.values[0, :, 0]) for ds in (first, second, third)])
    assert np.abs(np.corrcoef(increments) - np.eye(3)).max() < 5 / np.sqrt(2000)


def test_what_is_seen_of_a_continued_trajectory_has_new_noise():
    first = simulate("Henon", 500, observation_noise=0.1)
    second = simulate("Henon", 500, observation_noise=0.1, initial=first)
    added = [(ds.observed - ds.state).values[0, :, 0] for ds in (first, second)]
    assert abs(np.corrcoef(*added)[0, 1]) < 5 / np.sqrt(500)


def test_a_transient_with_noise_is_dropped():
    late, whole = simulate(OU, 2, 10, transient=3, rng=7), simulate(OU, 5, 10, rng=7)
    assert np.abs(late.state.values - whole.state.values[:, 30:]).max() < 1e-12
    assert float(late.time[0]) == 0
