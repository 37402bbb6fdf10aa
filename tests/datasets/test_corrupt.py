"""Corruption: as much as was asked for, the truth beside it, the same for a member whatever else there is."""

import json

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import chaoslab as cl
from chaoslab.datasets import Gaps, Hidden, IrregularTimes, Noise, corrupt, corruption
from chaoslab.trajectories import check


@pytest.fixture(scope="module")
def ds():
    return cl.simulate("Lorenz", 20, 50, members=4)


@pytest.fixture(scope="module")
def tree(ds):
    return xr.DataTree.from_dict({"Lorenz": ds, "Duffing": cl.simulate("Duffing", 4, 50, members=3)})


ALL = [IrregularTimes(share=0.3), Noise(0.1), Gaps(0.2, length=5), Hidden(1)]
corruptions = st.one_of(
    st.builds(Noise, st.floats(1e-6, 1e6), st.sampled_from(["gaussian", "uniform", "laplace", "student"])),
    st.builds(Gaps, st.floats(1e-6, 0.99), st.integers(1, 100)),
    st.builds(IrregularTimes, st.floats(1e-6, 0.99), st.floats(0, 0.49)),
    st.builds(Hidden, st.lists(st.one_of(st.text(max_size=3), st.integers(-3, 3)), min_size=1, max_size=3).map(tuple)),
)


# --- noise ---------------------------------------------------------------------------------------------------------------


#: law: kurtosis, and mean absolute value in deviations, on paper
LAWS = {"gaussian": (3, np.sqrt(2 / np.pi)), "uniform": (1.8, np.sqrt(3) / 2), "laplace": (6, np.sqrt(0.5))}
LAWS |= {"student": (9, 4 / (np.sqrt(3) * np.pi))}


@pytest.mark.parametrize("kind", LAWS)
def test_noise_has_the_stated_deviation_and_law(kind):
    kurtosis, absolute = LAWS[kind]
    time = np.arange(100_000)
    state = np.stack([3 * np.sin(time / 10), np.cos(time / 7) + 50], axis=-1)[None]
    ds = xr.Dataset({"state": (("member", "time", "component"), state)}, {"component": np.array(["x", "y"], object)})
    made = corrupt(ds, Noise(0.25, kind))
    noise = (made.observed - made.clean).values[0]
    # the deviation of n numbers of that kurtosis is known to sqrt((kurtosis - 1) / 4n): four of these
    assert noise.std(axis=0) / state.std(axis=(0, 1)) == pytest.approx(0.25, rel=4 * np.sqrt((kurtosis - 1) / 4e5))
    assert noise.mean(axis=0) / noise.std(axis=0) == pytest.approx(0, abs=4 / np.sqrt(1e5))
    assert np.abs(noise).mean(axis=0) / noise.std(axis=0) == pytest.approx(absolute, rel=0.02)
    assert abs(np.corrcoef(noise.T)[0, 1]) < 4 / np.sqrt(1e5)
    assert abs(np.corrcoef(noise[1:, 0], noise[:-1, 0])[0, 1]) < 4 / np.sqrt(1e5)


def test_the_truth_stays_beside(ds):
    made = corrupt(ds, Noise(0.1), rng=3)
    assert check(made) is made
    assert made.state.identical(ds.state)
    assert np.array_equal(made.clean, ds.state)
    assert not np.array_equal(made.observed, ds.state)
    assert json.loads(made.attrs["corruption"]) == [{"Noise": {"amplitude": 0.1, "kind": "gaussian"}, "seed": 3}]
    assert "corruption" not in ds.attrs
    assert made.chaos.shown.equals(made.observed)


def test_bounded_coordinates_are_what_is_corrupted(tree):
    ds = tree["Duffing"].to_dataset()
    made = corrupt(ds, Noise(0.1))
    assert np.array_equal(made.clean, ds.observed)
    assert np.abs(made.observed - ds.observed).max() < 1
    assert made.state.identical(ds.state)


def test_members_that_ended_stay_so():
    system = cl.System({"x": "x**2 + a"}, {"a": 0}, {"x": 1}, name="Blowup")
    with pytest.warns(cl.trajectories.TrajectoryWarning):
        ds = cl.simulate(system, duration=2, step=0.25, parameters={"a": np.array([0.0, -1.0])})
    made = corrupt(ds, Noise(0.1))
    assert np.array_equal(np.isnan(made.observed), np.isnan(ds.state))


# --- gaps ----------------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.integers(5, 200), st.floats(0.01, 0.99), st.integers(1, 20), st.integers(0, 2**32))
def test_gaps_take_the_share(count, share, length, seed):
    ds = xr.Dataset({"state": (("member", "time", "component"), np.ones((2, count, 2)))})
    gaps = min(round(share * count / length), count // length)
    if gaps == 0:
        with pytest.raises(ValueError, match="less than one gap"):
            corrupt(ds, Gaps(share, length), rng=seed)
        return
    lost = np.isnan(corrupt(ds, Gaps(share, length), rng=seed).observed.values)
    assert (lost[..., 0] == lost[..., 1]).all()
    assert (lost[..., 0].sum(axis=1) == gaps * length).all()
    edges = np.diff(np.pad(lost[0, :, 0].astype(int), 1))
    runs = np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)
    assert (runs % length == 0).all()


def test_gaps_lie_everywhere_alike():
    ds = xr.Dataset({"state": (("member", "time", "component"), np.ones((4000, 12, 1)))})
    lost = np.isnan(corrupt(ds, Gaps(0.25, length=3)).observed.values[..., 0])
    starts = lost.argmax(axis=1)
    assert np.bincount(starts, minlength=10) / 4000 == pytest.approx(np.full(10, 0.1), abs=4 * np.sqrt(0.09 / 4000))


# --- times ---------------------------------------------------------------------------------------------------------------


def test_samples_left_out_leave_the_others_exact(tree):
    made = corrupt(tree, IrregularTimes(share=0.4), rng=5)
    for name in ("Lorenz", "Duffing"):
        one, ds = made[name].to_dataset(), tree[name].to_dataset()
        assert one.sizes["time"] == round(0.6 * ds.sizes["time"])
        assert one.state.identical(ds.state.sel(time=one.time))
        assert len(set(np.diff(one.time.values).round(9))) > 2
        assert check(one) is one


@pytest.mark.parametrize("name", ["Lorenz", "Duffing", "Chua"])
def test_shifted_times_are_integrated_not_interpolated(name):
    ds = cl.simulate(name, 3, 40, members=2, derivative=True)
    made = corrupt(ds, IrregularTimes(jitter=0.4), rng=2)
    step = ds.time.values[1]
    shift = (made.time.values - ds.time.values) / step
    assert np.abs(shift).max() < 0.4
    assert shift[1:].std() == pytest.approx(0.4 / np.sqrt(3), rel=0.2)
    assert made.period.values == pytest.approx(made.time.values * ds.period.values[-1] / ds.time.values[-1])
    for k in (0, 1, 57, 119):
        at = float(made.time[k])
        if at > 0:
            exact = cl.simulate(name, duration=2 * at, step=at, initial=ds.state.isel(time=0).values).state.values[:, 1]
            assert made.state.values[:, k] == pytest.approx(exact, rel=1e-8, abs=1e-8)
    rhs = made.chaos.system.rhs(made.state.values, made.time.values)
    assert made.derivative.values == pytest.approx(rhs)
    assert check(made) is made
    if "observed" in ds:
        assert made.clean.values == pytest.approx(made.chaos.system.observe(made.state.values, made.time.values))


def test_shifted_times_of_members_with_their_own_parameters():
    ds = cl.simulate("Lorenz", 2, 30, parameters={"rho": np.array([28.0, 35.0])})
    made = corrupt(ds, IrregularTimes(jitter=0.2))
    at = float(made.time[30])
    exact = cl.simulate("Lorenz", duration=2 * at, step=at, parameters={"rho": np.array([28.0, 35.0])})
    assert made.state.values[:, 30] == pytest.approx(exact.state.values[:, 1], rel=1e-9)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (lambda: cl.simulate("Henon", 20), "Henon is a map"),
        (lambda: cl.simulate("MackeyGlass", 2, 10), "MackeyGlass is a delay system"),
        (lambda: cl.simulate("Lorenz", 2, 10, process_noise=0.1), "have noise"),
        (lambda: corrupt(cl.simulate("Lorenz", 2, 10), Noise(0.1)), "put IrregularTimes first"),
        (lambda: cl.simulate("Lorenz", 2, 10).isel(component=[0, 1]), "some components are missing"),
        (lambda: xr.Dataset({"state": (("system", "member", "time"), np.ones((1, 1, 9)))}), "do not carry their system"),
    ],
)
def test_what_cannot_be_integrated_is_refused(data, message):
    with pytest.raises(ValueError, match=message):
        corrupt(data(), IrregularTimes(jitter=0.1))


# --- hidden --------------------------------------------------------------------------------------------------------------


def test_hidden_components_are_not_seen(tree):
    made = corrupt(tree, Hidden((-1,)))
    assert np.isnan(made["Lorenz"].observed.sel(component="z")).all()
    assert np.isfinite(made["Lorenz"].observed.sel(component=["x", "y"])).all()
    assert np.isfinite(made["Lorenz"].clean).all()
    assert made["Duffing"].hidden.values.tolist() == [False] * (tree["Duffing"].sizes["component"] - 1) + [True]
    one = corrupt(tree["Lorenz"].to_dataset(), [Hidden("x"), Hidden("y")])
    assert one.hidden.values.tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("hidden", "message"),
    [("u", "no component 'u' to hide"), (3, "no component number 3"), (("x", "y", "z"), "leaves nothing to see of x, y, z")],
)
def test_what_cannot_be_hidden(ds, hidden, message):
    with pytest.raises(ValueError, match=message):
        corrupt(ds, Hidden(hidden))


# --- the same for all ----------------------------------------------------------------------------------------------------


def test_a_member_is_corrupted_the_same_whatever_the_others(tree):
    made = corrupt(tree, ALL, rng=7)
    turned = xr.DataTree.from_dict({"Lorenz": tree["Lorenz"].to_dataset().isel(member=[2, 0])})
    again = corrupt(turned, ALL, rng=7)["Lorenz"].to_dataset()
    alone = corrupt(tree["Lorenz"].to_dataset().isel(member=[2]), ALL, rng=7)
    assert again.sel(member=[2]).identical(alone)
    assert made["Lorenz"].to_dataset().sel(member=[2]).identical(alone)
    assert not np.array_equal(alone.observed.values, again.sel(member=[0]).observed.values, equal_nan=True)


def test_univariate_data_are_corrupted_as_each_system_is(ds):
    first = ds.drop_vars(["status", "ended", "lyapunov_time"]).isel(component=0, drop=True)
    both = xr.concat([first, 2 * first], dim="system").assign_coords(system=np.array(["Lorenz", "Other"], object))
    made = corrupt(both, [Noise(0.1), Gaps(0.1)], rng=1)
    alone = corrupt(both.sel(system=["Other"]), [Noise(0.1), Gaps(0.1)], rng=1)
    assert made.sel(system=["Other"]).observed.equals(alone.observed)
    named = corrupt(first, [Noise(0.1), Gaps(0.1)], rng=1)
    assert np.array_equal(made.observed.values[0], named.observed.values, equal_nan=True)
    with pytest.raises(ValueError, match="no components to hide"):
        corrupt(both, Hidden("x"))


def test_twice_is_once_by_both(ds):
    once = corrupt(ds, ALL, rng=4)
    twice = corrupt(corrupt(ds, ALL[:2], rng=4), ALL[2:], rng=4)
    assert once.identical(twice)
    assert not once.equals(corrupt(ds, ALL, rng=5))
    generator = np.random.default_rng(0)
    first, second = corrupt(ds, Noise(1), rng=generator), corrupt(ds, Noise(1), rng=generator)
    assert not first.equals(second)
    seed = json.loads(first.attrs["corruption"])[0]["seed"]
    assert first.identical(corrupt(ds, Noise(1), rng=seed))


@settings(max_examples=100, deadline=None)
@given(corruptions)
def test_a_corruption_comes_back_from_json(one):
    again = corruption(json.loads(json.dumps(one.to_dict())))
    assert again == one
    assert hash(again) == hash(one)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Noise(0), "amplitude of noise must be positive"),
        (lambda: Noise(0.1, "gausian"), "'gausian' is not known.*gaussian"),
        (lambda: Gaps(1.0), "less than 1"),
        (lambda: Gaps(0.1, 2.5), "length of gaps must be a whole number"),
        (lambda: IrregularTimes(), "both are zero"),
        (lambda: IrregularTimes(jitter=0.5), "less than half a sampling step"),
        (lambda: Hidden(()), "at least one"),
        (lambda: Hidden((0.5,)), "by name or number"),
        (lambda: corruption({"Noize": {}}), "'Noize' is not known.*Noise"),
        (lambda: corruption({"Noise": {"size": 1}}), "Noise cannot be made of"),
        (lambda: corruption("Noise"), "a corruption is described as"),
    ],
)
def test_bad_corruptions_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_what_is_no_corruption_is_refused(ds):
    with pytest.raises(TypeError, match="corruptions are Noise, Gaps"):
        corrupt(ds, ["noise"])
    with pytest.raises(TypeError):
        corrupt(ds, Noise(0.1), rng=0.5)
    with pytest.raises(ValueError, match="at least two, and fewer than all"):
        corrupt(ds.isel(time=slice(3)), IrregularTimes(share=0.9))
