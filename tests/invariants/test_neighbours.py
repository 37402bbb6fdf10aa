"""The largest exponent from data, on maps and flows whose exponents are known, and on data that have none."""

import json
import math

import numpy as np
import pytest
import xarray as xr

import chaoslab as cl
from chaoslab.invariants import neighbours
from chaoslab.invariants.cloud import Cloud
from chaoslab.invariants.neighbours import exponent_from_data
from chaoslab.invariants.series import standardised

HENON, LORENZ, ROSSLER = 0.41922, 0.9056, 0.0714


def logistic(count, start=0.3):
    series = [start]
    for _ in range(count + 50):
        series.append(4 * series[-1] * (1 - series[-1]))
    return np.array(series[-count:])


def henon(count, start=0.1):
    states = [(start, 0.1)]
    for _ in range(count + 50):
        x, y = states[-1]
        states.append((1 - 1.4 * x * x + y, 0.3 * x))
    return np.array(states[-count:])


@pytest.fixture(scope="module")
def lorenz():
    return cl.simulate("Lorenz", duration=150, step=0.03, transient=20)


@pytest.fixture(scope="module")
def rossler():
    """Long enough that 15 % are three standard errors."""
    return cl.simulate("Rossler", duration=2400, step=0.3, transient=20)


def read(found):
    return float(found.exponent), float(found.error)


# what is known


@pytest.mark.parametrize("method", neighbours.METHODS)
def test_the_logistic_map_doubles_differences(method):
    exponent, error = read(exponent_from_data(logistic(5000), method=method))
    assert abs(exponent - math.log(2)) < 3 * error < 0.03


@pytest.mark.parametrize("method", neighbours.METHODS)
@pytest.mark.parametrize("columns", [slice(None), 0])
def test_henon(method, columns):
    found = exponent_from_data(henon(5000)[:, columns], method=method)
    exponent, error = read(found)
    assert found.attrs["status"] == "ok"
    assert abs(exponent - HENON) < 3 * error < 0.1 * HENON


@pytest.mark.parametrize("method", neighbours.METHODS)
@pytest.mark.parametrize("component", [None, "x"])
def test_lorenz(lorenz, method, component):
    found = exponent_from_data(lorenz, component=component, method=method)
    assert float(found.exponent) == pytest.approx(LORENZ, rel=0.1)
    assert found.attrs["dimension"] == (1 if component is None else 3)


@pytest.mark.parametrize("component", [None, "x"])
def test_rossler(rossler, component):
    exponent, error = read(exponent_from_data(rossler, component=component))
    assert exponent == pytest.approx(ROSSLER, rel=0.15)
    assert abs(exponent - ROSSLER) < 3 * error < 0.3 * ROSSLER


def test_differences_along_the_motion_flatten_the_curve(rossler):
    """Between states, not orbits, the exponent of the same line is too low."""
    orbits, states = (exponent_from_data(rossler, orbital=orbital, fit=(6, 24)) for orbital in (True, False))
    assert float(orbits.exponent) == pytest.approx(ROSSLER, rel=0.15)
    assert float(states.exponent) < 0.85 * float(orbits.exponent)


def test_a_regular_motion_is_flat():
    time = np.arange(2000) * 0.1
    for series in (np.sin(time), np.sin(time) + np.sin(math.sqrt(2) * time), np.sin(2 * np.pi * np.arange(2000) / 50)):
        for method in neighbours.METHODS:
            found = exponent_from_data(series, sampling=0.1, method=method)
            exponent, error = read(found)
            assert found.attrs["status"] == "flat"
            assert "zero" in found.attrs["reason"]
            assert abs(exponent) <= 3 * error < 0.15


def test_what_comes_to_rest_has_a_negative_exponent():
    """A damped oscillation: everything nears at the rate of the damping, whichever parts of it are compared."""
    time = np.arange(3000.0)
    exponent, error = read(exponent_from_data(np.exp(-0.003 * time) * np.sin(0.1 * time)))
    assert exponent == pytest.approx(-0.003, rel=0.03)
    assert error < 1e-4


@pytest.mark.parametrize("method", neighbours.METHODS)
@pytest.mark.parametrize("shape", [(3000,), (3000, 2), (3000, 3)])
def test_white_noise_has_no_line(method, shape):
    found = exponent_from_data(np.random.default_rng(1).standard_normal(shape), method=method)
    assert found.attrs["status"] == "unresolved"
    assert "neighbours" in found.attrs["reason"]
    assert np.isnan([*read(found), found.start, found.end]).all()
    assert np.isfinite(found.divergence).all()


def test_smooth_noise_has_no_line_either():
    noise = np.convolve(np.random.default_rng(2).standard_normal(6000), np.hanning(25))
    assert exponent_from_data(noise).attrs["status"] == "unresolved"


# the error


def test_the_error_covers_the_truth():
    """Ten independent series: the truth within three errors, and the errors as large as the scatter."""
    found = np.array([read(exponent_from_data(henon(2000, start))) for start in np.linspace(-0.2, 0.2, 10)])
    away = (found[:, 0] - HENON) / found[:, 1]
    assert (abs(away) < 3).sum() >= 9
    assert 0.4 < np.sqrt(np.mean(away**2)) < 2
    assert 0.5 < found[:, 1].mean() / found[:, 0].std() < 2


def line_error(found):
    """What least squares would say of the fitted points, as if each were independent."""
    part = found.divergence.sel(time=slice(float(found.start), float(found.end)))
    fit, covariance = np.polyfit(part.time, part, 1, cov=True)
    assert fit[0] == pytest.approx(float(found.exponent))
    return math.sqrt(covariance[0, 0])


def test_least_squares_would_be_too_sure():
    found = exponent_from_data(henon(5000))
    assert line_error(found) < 0.3 * float(found.error)


def followed(method, steps=6):
    series = henon(220)
    cloud = Cloud(*standardised(series), delays=1, lag=1, theiler=3, room=0)
    rows = cloud.rows(steps)
    if method == "rosenstein":
        return cloud.values, rows, neighbours.rosenstein(cloud, rows, steps)
    return cloud.values, rows, neighbours.kantz(cloud, rows, steps, 1, 0.3)


@pytest.mark.parametrize("method", neighbours.METHODS)
def test_each_block_is_left_out_as_reference_and_as_neighbour(method):
    """Curves against loops that look for neighbours anew among what is left."""
    values, rows, found = followed(method)
    block = np.arange(len(rows)) * neighbours.BLOCKS // len(rows)
    distance = np.linalg.norm(values[rows][:, None] - values[rows], axis=2)
    near = (np.abs(rows[:, None] - rows) > 3) & (distance < (0.3 if method == "kantz" else 9))
    for curve, out in zip(found.curves, [None, *range(neighbours.BLOCKS)], strict=True):
        logs = []
        for i in np.flatnonzero(near.any(axis=1)):
            others = np.flatnonzero(near[i] & (block != out))
            if block[i] == out or not len(others):
                continue
            others = others[[distance[i, others].argmin()]] if method == "rosenstein" else others
            ahead = [np.linalg.norm(values[rows[i] + k] - values[rows[others] + k], axis=1).mean() for k in range(7)]
            logs.append(np.log(ahead))
        assert curve == pytest.approx(np.mean(logs, axis=0), abs=1e-12)


# neighbours and gaps


def test_gaps_are_left_out():
    series = henon(5000)[:, 0]
    series[np.random.default_rng(4).integers(0, 5000, 40)] = np.nan
    series[1000:1200] = np.nan
    found = exponent_from_data(series)
    assert 3000 < found.attrs["references"] < 4300
    assert abs(float(found.exponent) - HENON) < 3 * float(found.error) < 0.15 * HENON


def test_another_series_beyond_a_gap_is_not_followed_into():
    """Halves that have nothing in common: following across the gap would part neighbours at once."""
    halves = np.concatenate([henon(1500)[:, 0], [np.nan], 1000 + henon(1500, 0.2)[:, 0]])
    found = exponent_from_data(halves, dimension=2, lag=1, theiler=5, steps=12, fit=(1, 7))
    assert abs(float(found.exponent) - HENON) < 3 * float(found.error)


def test_rounded_values_can_be_measured():
    exponent, error = read(exponent_from_data(np.round(henon(5000)[:, 0], 2)))
    assert abs(exponent - HENON) < 3 * error


# labels and settings


def test_time_is_the_datasets(lorenz):
    whole = exponent_from_data(lorenz, steps=100)
    assert whole.time.values == pytest.approx(np.arange(101) * 0.03)
    assert whole.attrs["sampling"] == pytest.approx(0.03)
    bare = exponent_from_data(lorenz.state.values[0], steps=100, orbital=True)
    assert float(bare.exponent) == pytest.approx(0.03 * float(whole.exponent))
    assert float(bare.error) == pytest.approx(0.03 * float(whole.error))
    twice = exponent_from_data(lorenz, steps=100, sampling=0.06)
    assert float(twice.end) == pytest.approx(2 * float(whole.end))


def test_one_series_many_wrappings(lorenz):
    x = lorenz.state.sel(component="x")
    options = {"steps": 60, "fit": (0, 1.5), "orbital": True, "dimension": 3, "lag": 5}
    series = [x, x.isel(member=0), x.isel(member=0).values, x.values.T, x.isel(member=0).drop_vars("time"), lorenz.state, lorenz]
    steps = [None, None, 0.03, 0.03, 0.03, None, None]
    names = [None] * 5 + ["x", "x"]
    found = [
        exponent_from_data(one, sampling=step, component=name, **options)
        for one, step, name in zip(series, steps, names, strict=True)
    ]
    for one in found[1:]:
        assert one.divergence.values == pytest.approx(found[0].divergence.values, abs=1e-9)


def test_a_dimension_of_any_name_is_time():
    series = xr.DataArray(henon(1000)[:, 0], dims="day")
    assert read(exponent_from_data(series)) == read(exponent_from_data(series.values))


def test_units_do_not_matter():
    states = henon(2000)
    assert read(exponent_from_data(states * [1000, 0.01] + [7, -3])) == pytest.approx(read(exponent_from_data(states)), rel=1e-6)


def test_a_component_that_rests_is_left_out():
    states = henon(1000)
    assert read(exponent_from_data(np.c_[states, np.full(1000, 5.0)])) == read(exponent_from_data(states))


def test_defaults_of_the_embedding(lorenz):
    assert exponent_from_data(logistic(2000)).attrs["dimension"] == 1
    assert exponent_from_data(henon(2000)[:, 0]).attrs["dimension"] == 2
    sine = exponent_from_data(np.sin(np.arange(3000) * 0.05)).attrs
    assert sine["dimension"] == 2
    assert sine["lag"] == math.ceil(math.acos(1 - 1 / math.e) / 0.05)
    assert sine["theiler"] == pytest.approx(2 * math.pi / 0.05, abs=2)
    assert sine["orbital"] == 1


def test_a_line_can_be_chosen():
    found = exponent_from_data(henon(3000), fit=(2, 8))
    assert (float(found.start), float(found.end), found.sizes["time"]) == (2, 8, 9)
    slope = np.polyfit(np.arange(2, 9), found.divergence[2:9], 1)[0]
    assert float(found.exponent) == pytest.approx(slope)


def test_a_chosen_line_starts_low_and_ends_before_neighbours_have_parted():
    found = exponent_from_data(henon(3000))
    rise = float(found.divergence.max() - found.divergence[0])
    line = found.divergence.sel(time=slice(float(found.start), float(found.end)))
    assert line.max() <= found.divergence[0] + neighbours.RISE * rise
    assert line.max() - line.min() > neighbours.FOLDS
    assert line.size >= neighbours.POINTS


def test_the_ball_of_kantz():
    states = henon(2000)
    small, large = (exponent_from_data(states, method="kantz", radius=radius) for radius in (0.02, 0.1))
    assert small.attrs["radius"] == 0.02
    assert small.divergence[0] < large.divergence[0] < math.log(0.1)
    assert small.attrs["references"] < large.attrs["references"]
    whole = exponent_from_data(states, method="kantz", radius=20)
    assert whole.attrs["status"] == "unresolved"
    many = exponent_from_data(states, method="kantz", neighbours=8)
    assert many.attrs["radius"] > exponent_from_data(states, method="kantz").attrs["radius"]
    assert many.attrs["references"] == pytest.approx(0.9 * 2000, rel=0.05)


def test_a_result_says_how_it_was_made_and_can_be_stored(tmp_path):
    found = exponent_from_data(henon(2000))
    expected = {"method", "dimension", "lag", "theiler", "sampling", "orbital", "references", "status", "reason", "version"}
    assert set(found.attrs) == expected
    json.dumps(found.attrs)
    assert (found.divergence_error > 0).all()
    found.to_netcdf(tmp_path / "found.nc", engine="h5netcdf")
    assert xr.load_dataset(tmp_path / "found.nc", engine="h5netcdf").identical(found)


@pytest.mark.parametrize(
    ("series", "options", "message"),
    [
        (np.zeros((2, 100, 3)), {}, r"\(time,\) or \(time, component\); an array of shape \(2, 100, 3\)"),
        (np.ones(500), {}, "is constant"),
        (np.full(500, np.nan), {}, "no sample that is finite"),
        (np.array([]), {}, r"the series is empty: an array of shape \(0,\) given"),
        (logistic(5), {}, "longest piece without a gap has 5 samples"),
        (logistic(100), {}, "too short: .* points are left of 100 samples"),
        (logistic(500), {"dimension": 0}, "dimension must be a whole number of at least 1; 0 given"),
        (logistic(500), {"dimension": 2, "lag": 0}, "lag must be a whole number"),
        (logistic(500), {"dimension": 60, "lag": 9}, "too short: 0 points are left .* with 60 delays of 9 samples"),
        (logistic(500), {"theiler": -1}, "theiler, in samples, must be a whole number, 0 or more; -1"),
        (logistic(500), {"theiler": 499, "dimension": 1}, "0 points have a neighbour"),
        (logistic(500), {"steps": 2}, "3 steps are needed"),
        (logistic(500), {"sampling": 0}, "sampling must be positive"),
        (logistic(500), {"method": "rosenstien"}, "Did you mean 'rosenstein'"),
        (logistic(500), {"radius": 0.1}, "need method='kantz'"),
        (logistic(500), {"neighbours": 5}, "need method='kantz'"),
        (logistic(500), {"method": "kantz", "radius": -1}, "radius, in deviations, must be positive"),
        (logistic(500), {"method": "kantz", "radius": 1e-9}, "0 points have a neighbour within 1e-09 deviations"),
        (logistic(500), {"method": "kantz", "neighbours": 0}, "neighbours must be a whole number"),
        (logistic(500), {"fit": (2, 3)}, r"at least 4 samples of 1 long; \(2, 3\) given"),
        (logistic(500), {"fit": (0, 9), "steps": 5}, "between 0 and 5"),
        (logistic(500), {"fit": 3}, r"fit is \(start, end\)"),
        (logistic(500), {"dimension": 1, "orbital": True}, "needs two delays or components"),
        (logistic(500), {"component": "x"}, "an array has no names"),
        (np.tile([0.1, 0.9], 1500), {}, "does not repeat itself"),
        (xr.DataArray(logistic(500), coords={"time": np.arange(500) ** 2}, dims="time"), {}, "not evenly spaced"),
        (xr.DataArray(logistic(500), coords={"time": np.arange(500).astype("datetime64[h]")}, dims="time"), {}, "say sampling="),
        (xr.DataArray(np.zeros((50, 2)), dims=("time", "place")), {}, r"dims among .*; \('time', 'place'\) given"),
        (xr.DataArray(logistic(500), dims="time"), {"component": "x"}, "no component 'x'. It has no names"),
    ],
)
def test_a_refusal_says_why(series, options, message):
    with pytest.raises(ValueError, match=message):
        exponent_from_data(series, **options)


def test_names_and_members_are_checked(lorenz):
    with pytest.raises(ValueError, match=r"no component 'X'\. Did you mean 'x'"):
        exponent_from_data(lorenz, component="X")
    with pytest.raises(ValueError, match="2 members given; they may share an orbit"):
        exponent_from_data(cl.simulate("Lorenz", 5, 20, members=2))
    with pytest.raises(TypeError, match="real numbers; complex128 given"):
        exponent_from_data(np.exp(1j * np.arange(500)))
    with pytest.raises(TypeError, match="real numbers"):
        exponent_from_data(["a", "b"])
