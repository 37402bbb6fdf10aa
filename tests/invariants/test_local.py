"""Finite-time exponents: along trajectories whose growth is known, and on the way to the exponents of long ones."""

import numpy as np
import pytest
import xarray as xr

from chaoslab.invariants.covariant import Unsettled
from chaoslab.invariants.local import finite_time_exponents
from chaoslab.systems import System, load
from chaoslab.trajectories import SchemaError, TrajectoryWarning, simulate


def local(trajectory, **options) -> xr.DataArray:
    return finite_time_exponents(trajectory, progress=False, **options)


def slopes(ds: xr.Dataset, r=4.0) -> np.ndarray:
    """log|f'| of the logistic map (member, time)."""
    return np.log(np.abs(r * (1 - 2 * ds.state.sel(component="x").values)))


@pytest.fixture(scope="module")
def logistic() -> xr.Dataset:
    return simulate(load("Logistic").with_(r=4), periods=2000)


@pytest.fixture(scope="module")
def henon() -> xr.Dataset:
    return simulate("Henon", periods=2000)


@pytest.fixture(scope="module")
def lorenz() -> xr.Dataset:
    return simulate("Lorenz", periods=100, samples=10)


# --- known on paper ----------------------------------------------------------------------------------------------------


def test_the_logistic_map_is_as_steep_as_its_parabola(logistic):
    np.testing.assert_allclose(local(logistic), slopes(logistic), atol=1e-10)


def test_a_window_begins_at_its_sample(logistic):
    found, steep = local(logistic, window=7).values[0], slopes(logistic)[0]
    for k in (0, 1, 1000, 1993):
        assert found[k] == pytest.approx(steep[k : k + 7].mean(), abs=1e-10)


def test_windows_go_on_behind_the_last_sample(logistic):
    part = logistic.isel(time=slice(0, 20))
    np.testing.assert_allclose(local(part, window=7), local(logistic, window=7)[:, :20], atol=1e-10)


def test_the_mean_over_the_logistic_map_is_ln_2(logistic):
    assert local(logistic, window=10).mean() == pytest.approx(np.log(2), abs=0.005)


def test_a_difference_along_a_line_grows_as_the_field_does():
    system = System({"x": "x - x**3"}, state={"x": 0.01})
    ds = simulate(system, duration=8, step=0.25)
    longer = simulate(system, duration=10, step=0.25).state.values[0, :, 0]
    field = longer - longer**3
    wanted = np.log(field[4:36] / field[:32]) / 1.0
    found = local(ds, duration=1)
    assert found.attrs["window"] == 1
    np.testing.assert_allclose(found[0], wanted, atol=1e-9)


# --- strange attractors ------------------------------------------------------------------------------------------------


def test_the_henon_map_from_its_jacobians(henon):
    """The leading difference by hand, in deviations; the second is what the area leaves."""
    states = henon.state.values[0]
    scale, jacobian = states.std(axis=0), load("Henon").jacobian(states)
    difference, wanted = np.array([0.6, 0.8]), np.empty(len(states))
    for k in range(len(states)):
        difference = jacobian[k] * scale / scale[:, None] @ difference
        wanted[k] = np.log(np.linalg.norm(difference))
        difference /= np.linalg.norm(difference)
    found = local(henon)
    assert np.isnan(found.values[0, 0])
    np.testing.assert_allclose(found[0, 60:], wanted[60:], atol=1e-10)
    np.testing.assert_allclose((found + local(henon, index=2))[0, 60:], np.log(0.3), atol=1e-10)
    assert found.mean() == pytest.approx(0.4192, abs=0.02)


def test_exponents_of_the_lorenz_system(lorenz):
    """Means near the known exponents; all three together shrink volume at the rate of the divergence, everywhere."""
    found = [local(lorenz, index=k, window=0.5) for k in (1, 2, 3)]
    for part, wanted in zip(found, (0.906, 0.0, -14.572), strict=True):
        assert part.mean() == pytest.approx(wanted, abs=0.08)
        assert part.std() > 0.5
    np.testing.assert_allclose(sum(found)[0, 400:], -41 / 3, atol=1e-6)


def test_a_lorenz_difference_that_has_been_carried_along(lorenz):
    """Two nearby trajectories from an earlier sample part at the rate that is found later."""
    found, k, size = local(lorenz), 200, 1e-10
    rows, step = lorenz.state.values[0], float(lorenz.time[1])
    before = simulate("Lorenz", initial=rows[k - 150] * (1 + size), duration=170 * step, step=step).state.values[0]
    parted = np.linalg.norm((before - rows[k - 150 : k + 20]) / rows.std(axis=0), axis=1)
    grown = np.log(parted[160] / parted[150]) / (10 * step)
    assert 1e-7 < parted[150] < parted[160] < 1e-3
    assert found.values[0, k] == pytest.approx(grown, abs=0.002)


def test_a_field_of_pieces_shrinks_volumes_at_the_rate_of_each():
    ds = simulate("Chua", periods=40, samples=16)
    found = [local(ds, index=k) for k in (1, 2, 3)]
    volume = load("Chua").divergence(ds.state.values[0])
    # windows within one piece of the field, where the divergence is constant
    same = np.lib.stride_tricks.sliding_window_view(np.append(volume, [volume[-1]] * 16), 17)
    smooth = np.flatnonzero(np.ptp(same, axis=1) == 0)
    settled = smooth[smooth > 480]  # three runs, from different frames
    assert len(settled) > 20
    np.testing.assert_allclose(sum(found)[0, settled], volume[settled], atol=1e-6)


# --- members -----------------------------------------------------------------------------------------------------------


def test_members_of_other_parameters():
    rates = np.array([3.7, 3.9, 4.0])
    ds = simulate("Logistic", periods=50, parameters={"r": rates})
    np.testing.assert_allclose(local(ds), slopes(ds, rates[:, None]), atol=1e-10)


def test_members_on_one_orbit_agree_with_each_alone():
    ds = simulate("Henon", periods=300, members=3)
    together = local(ds, rng=5)
    states, second = ds.state.values, local(ds, index=2)
    for k in range(3):
        alone = local(ds.isel(member=[k]), rng=7)
        jacobian = load("Henon").jacobian(states[k])
        areas = np.log(np.abs(np.linalg.det(jacobian)))
        assert np.corrcoef(together[k, 40:], alone[0, 40:])[0, 1] > 0.99  # deviations differ a little
        np.testing.assert_allclose(together[k, 40:] + second[k, 40:], areas[40:], atol=1e-9)


def test_a_member_that_escapes_leaves_the_others_alone():
    with pytest.warns(TrajectoryWarning):
        ds = simulate("Henon", periods=200, initial=[[0.1, 0.1], [5, 5], [0.2, 0.1]])
    found, others = local(ds), local(ds.isel(member=[0, 2]))
    np.testing.assert_allclose(found.isel(member=[0, 2])[:, 60:], others[:, 60:], atol=1e-10)
    assert np.isfinite(found.values[1, 1:3]).all()  # the way out
    assert (found.values[1, 1:3] > 3).all()
    assert np.isnan(found.values[1, 3:]).all()
    wide = local(ds, window=10)  # wider than what it lives through
    assert np.isnan(wide.values[1]).all()
    np.testing.assert_allclose(wide[0, 60], found[0, 60:70].mean(), atol=1e-10)


# --- where differences have not settled --------------------------------------------------------------------------------


def test_values_begin_where_they_no_longer_depend_on_the_start(lorenz):
    one, other = local(lorenz, rng=1), local(lorenz, rng=2)
    assert np.isnan(one.values[0, :20]).all()
    assert 0.01 < float(np.isnan(one).mean()) < 0.2
    assert float(np.abs(one - other).max()) < 0.1 * float(one.std())
    late = slice(400, None)
    np.testing.assert_allclose(one[0, late], other[0, late], atol=1e-6)


def test_aligning_says_where_values_begin(henon):
    found = local(henon, aligning=12)
    assert np.isnan(found.values[0, :12]).all()
    assert np.isfinite(found.values[0, 12:]).all()
    np.testing.assert_allclose(found[0, 60:], local(henon)[0, 60:], atol=1e-10)


def test_differences_that_never_settle():
    turn = System({"x": "c*x - s*y", "y": "s*x + c*y"}, {"c": 0.6, "s": 0.8}, {"x": 1, "y": 0}, kind="map")
    ds = simulate(turn, periods=200)
    with pytest.warns(Unsettled, match="have no finite-time exponents"):
        assert np.isnan(local(ds)).all()
    assert np.abs(local(ds, aligning=0)).max() < 0.1


# --- the array ---------------------------------------------------------------------------------------------------------


def test_it_lies_along_the_trajectory(lorenz):
    found = local(lorenz, rng=3)
    assert found.dims == ("member", "time")
    for key in ("member", "time", "period", "status"):
        xr.testing.assert_identical(found[key].drop_vars(found[key].coords), lorenz[key].drop_vars(lorenz[key].coords))
    assert found.attrs["window"] == pytest.approx(load("Lorenz").period)
    assert (found.attrs["units"], found.attrs["index"], found.attrs["rng"]) == ("1/time", 1, "3")
    assert lorenz.assign(local=found).sizes == lorenz.sizes
    xr.testing.assert_identical(found, local(lorenz, rng=3))


def test_a_system_is_simulated_first():
    found = local("Logistic")
    assert found.sizes == {"member": 1, "time": 10_000}
    assert found.mean() == pytest.approx(0.4945, abs=0.03)


# --- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"index": 3}, "exponents 1 to its 2 dimensions"),
        ({"index": 0}, "index must be"),
        ({"window": 0.2}, "shorter than a sampling step"),
        ({"window": -1}, "window must be"),
        ({"window": 1, "duration": 1}, "not both"),
        ({"aligning": -1}, "aligning must be"),
        ({"aligning": 2000}, "leave nothing"),
    ],
)
def test_bad_requests(henon, options, message):
    with pytest.raises(ValueError, match=message):
        local(henon, **options)


def test_trajectories_that_cannot_be_followed(lorenz):
    noisy = simulate("Lorenz", periods=1, process_noise=0.1)
    short = lorenz.isel(time=slice(0, 60))
    shaken = short.copy(deep=True)
    shaken["state"][:, 30] += 1.0
    refused = [
        ("MackeyGlass", "delay system"),
        (simulate("MackeyGlass", periods=1), "delay system"),
        (noisy, "process noise"),
        (short.isel(time=[0, 1, 3]), "not evenly sampled"),
        (short.isel(time=[0]), "at least 2 samples"),
        (short.sel(component=["x", "y"]), "lacks components z"),
        (shaken, "no trajectory of theirs"),
    ]
    for trajectory, message in refused:
        with pytest.raises(ValueError, match=message):
            local(trajectory)
    with pytest.raises(SchemaError, match="'state'"):
        local(short.drop_vars("state"))


def test_a_trajectory_without_a_period_needs_a_duration():
    ds = simulate(System({"x": "x - x**3"}, state={"x": 0.01}), duration=2, step=0.1)
    with pytest.raises(ValueError, match="give duration="):
        local(ds)
    with pytest.raises(ValueError, match="measure aligning= by"):
        local(ds, duration=0.5, aligning=1)
