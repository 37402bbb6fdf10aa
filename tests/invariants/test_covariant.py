"""Covariant Lyapunov vectors: eigenvectors where these are known, carried along by the motion where they are not."""

import numpy as np
import pytest
import xarray as xr

from chaoslab.integrate import solve
from chaoslab.invariants.covariant import Unsettled, covariant_vectors, smallest_angle
from chaoslab.systems import System, load
from chaoslab.trajectories import system_of

#: Columns are the eigenvectors of the linear systems below; far from orthogonal.
BASIS = np.array([[1.0, 0.9, 0.2], [0.0, 0.4, 1.0], [0.3, 0.0, 2.0]])


def linear(values, kind: str) -> System:
    """x' = A x, or x -> A x, resting at zero, with these eigenvalues and the columns of BASIS as eigenvectors."""
    matrix = BASIS @ np.diag(values) @ np.linalg.inv(BASIS)
    equations = {"x[i]": "sum(a[i,j]*x[j], j)"}
    return System(equations, {"a": matrix}, {"x": [0, 0, 0]}, index={"i": {"size": 3}, "j": {"size": 3}}, kind=kind)


def angles(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Angles between the lines along vectors (..., component)."""
    first, second = (part / np.linalg.norm(part, axis=-1, keepdims=True) for part in (first, second))
    along = (first * second).sum(axis=-1)
    return np.arctan2(np.linalg.norm(second - along[..., None] * first, axis=-1), np.abs(along))


def vectors(found: xr.Dataset, k: int) -> np.ndarray:
    return found["vector"].sel(index=k).values


@pytest.fixture(scope="module")
def henon() -> xr.Dataset:
    return covariant_vectors("Henon", time=2000, progress=False)


@pytest.fixture(scope="module")
def lorenz() -> xr.Dataset:
    return covariant_vectors("Lorenz", time=60, samples=16, transient=40, progress=False)


# --- known on paper ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "values"), [("map", [2, -0.8, 0.5]), ("flow", [0.5, -0.1, -1])])
def test_vectors_of_a_linear_system_are_its_eigenvectors(kind, values):
    time = {"time": 50, "transient": 100}
    found = covariant_vectors(linear(values, kind), **time, progress=False)
    exponents = np.log(np.abs(values)) if kind == "map" else np.array(values)
    np.testing.assert_allclose(found.exponent, exponents, atol=1e-9)
    np.testing.assert_allclose(found.growth, np.broadcast_to(exponents, found.growth.shape), atol=1e-8)
    for k in range(3):
        assert angles(vectors(found, k + 1), BASIS[:, k]).max() < 1e-8
    assert found.unsettled.max() < 1e-8


def test_fewer_vectors_are_the_first_of_all():
    found = covariant_vectors(linear([2, -0.8, 0.5], "map"), time=50, transient=200, count=2, progress=False)
    assert found.index.values.tolist() == [1, 2]
    for k in range(2):
        assert angles(vectors(found, k + 1), BASIS[:, k]).max() < 1e-8


def test_a_driven_contraction():
    """The logistic map at r = 4 drives y: (0, 1) contracts, and (1, s) expands, where s follows from the past alone."""
    driven = System({"x": "4*x*(1 - x)", "y": "a*y + b*x"}, {"a": 0.3, "b": 0.7}, {"x": 0.3, "y": 0}, kind="map")
    found = covariant_vectors(driven, time=2000, progress=False)
    assert angles(vectors(found, 2), np.array([0.0, 1.0])).max() < 1e-12
    slope, x = 0.0, found.state.sel(component="x").values
    for k in range(200):
        slope = (0.7 + 0.3 * slope) / (4 * (1 - 2 * x[k]))
    assert angles(vectors(found, 1)[200], np.array([1.0, slope])) < 1e-8
    assert abs(found.exponent[0] - np.log(2)) < 4 * found.error[0]
    np.testing.assert_allclose(found.growth.sel(index=2), np.log(0.3), rtol=1e-10)


# --- a strange attractor of a map --------------------------------------------------------------------------------------


def test_the_jacobian_carries_every_vector_along(henon):
    jacobian = system_of(henon).jacobian(henon.state.values)
    carried = jacobian @ henon.vector.values
    wanted = henon.vector.values[1:] * np.exp(henon.growth.values[:-1, None])
    np.testing.assert_allclose(carried[:-1], wanted, atol=1e-10 * np.abs(wanted).max())


def test_expanding_directions_come_from_the_past_and_contracting_ones_from_the_future(henon):
    jacobian = system_of(henon).jacobian(henon.state.values)
    expanding = contracting = np.array([0.6, 0.8])
    for k in range(100):
        expanding = jacobian[k] @ expanding
        expanding = expanding / np.linalg.norm(expanding)
    assert angles(expanding, vectors(henon, 1)[100]) < 1e-10
    for k in range(299, 199, -1):
        contracting = np.linalg.solve(jacobian[k], contracting)
        contracting = contracting / np.linalg.norm(contracting)
    assert angles(contracting, vectors(henon, 2)[200]) < 1e-10


def test_exponents_of_the_henon_map(henon):
    assert abs(henon.exponent[0] - 0.41922) < 4 * henon.error[0] < 0.1
    np.testing.assert_allclose(henon.exponent, henon.growth.mean("time"), rtol=1e-12)
    # an area shrinks by b each time, whatever the angle between its sides does meanwhile
    area = henon.growth.values[:-1].sum() + np.log(np.sin(henon.angle.values[-1]) / np.sin(henon.angle.values[0]))
    assert area == pytest.approx((henon.sizes["time"] - 1) * np.log(0.3), abs=1e-8)


def test_angles_of_the_henon_map(henon):
    """Homoclinic tangencies: angles come close to zero, and reach it nowhere."""
    np.testing.assert_allclose(henon.angle, angles(vectors(henon, 1), vectors(henon, 2)), atol=1e-12)
    assert henon.angle.attrs["between"] == "1 and 2"
    assert 0 < henon.angle.min() < 0.02
    assert 1.4 < henon.angle.max() <= np.pi / 2


# --- a flow ------------------------------------------------------------------------------------------------------------


def test_the_vector_of_the_zero_exponent_is_the_field(lorenz):
    field = system_of(lorenz).rhs(lorenz.state.values)
    assert angles(vectors(lorenz, 2), field).max() < 1e-9
    spacing = float(lorenz.time[1])
    speeding = np.diff(np.log(np.linalg.norm(field, axis=1))) / spacing
    np.testing.assert_allclose(lorenz.growth.sel(index=2)[:-1], speeding, atol=1e-7)


def test_exponents_of_the_lorenz_system(lorenz):
    wanted = np.array([0.9056, 0.0, -14.5723])
    assert (np.abs(lorenz.exponent - wanted) < 4 * lorenz.error).all()
    assert (lorenz.error < 0.2).all()


def test_the_flow_carries_every_vector_along(lorenz):
    system, spacing, size = system_of(lorenz), float(lorenz.time[1]), 1e-5
    for k in (3, 300, 1000):
        sides = [lorenz.state.values[k] + sign * size * lorenz.vector.values[k].T for sign in (1, -1)]
        ends = [solve(system, rows, np.array([0.0, spacing])).states[:, -1] for rows in sides]
        carried = (ends[0] - ends[1]) / (2 * size)
        wanted = lorenz.vector.values[k + 1] * np.exp(lorenz.growth.values[k] * spacing)
        np.testing.assert_allclose(carried.T, wanted, atol=1e-6)


def test_the_lorenz_attractor_is_hyperbolic_away_from_its_equilibria(lorenz):
    """Expanding and contracting directions stay apart (Tucker 2002 proved it for the return map)."""
    assert lorenz.angle.attrs["between"] == "1 and 3"
    assert lorenz.angle.min() > 0.1
    np.testing.assert_allclose(smallest_angle(lorenz, [1], 3), lorenz.angle)


def test_switching_fields_carry_vectors_across():
    chua = covariant_vectors("Chua", time=30, samples=16, transient=60, progress=False)
    field = system_of(chua).rhs(chua.state.values)
    assert angles(vectors(chua, 2), field).max() < 1e-7


# --- the dataset -------------------------------------------------------------------------------------------------------


def test_how_it_is_laid_out(lorenz):
    assert lorenz.vector.dims == ("time", "component", "index")
    assert lorenz.state.dims == ("time", "component")
    assert {lorenz[key].dims for key in ("exponent", "error", "unsettled")} == {("index",)}
    np.testing.assert_allclose((lorenz.vector**2).sum("component"), 1, rtol=1e-12)
    assert lorenz.time[0] == 0
    assert lorenz.sizes["time"] == round(60 / load("Lorenz").period * 16)
    assert float(lorenz.period[16]) == pytest.approx(1)
    assert lorenz.attrs["rng"] == "0"
    system = system_of(lorenz)
    again = solve(system, lorenz.state.values[:1], lorenz.time.values[:9]).states[0]
    np.testing.assert_allclose(again, lorenz.state[:9], atol=1e-8)


def test_a_seed_repeats_and_another_changes_only_the_sense():
    one, same, other = (covariant_vectors("Lozi", time=50, rng=seed, progress=False) for seed in (3, 3, 4))
    xr.testing.assert_identical(one, same)
    np.testing.assert_allclose(np.abs(one.vector), np.abs(other.vector), atol=1e-9)


def test_samples_longer_than_a_step_between_factors():
    """A sample a period: factors are taken between samples, and the field is still found."""
    found = covariant_vectors("Lorenz", time=30, samples=1, transient=40, progress=False)
    assert found.attrs["interval"] < found.time[1]
    assert angles(vectors(found, 2), system_of(found).rhs(found.state.values)).max() < 1e-9


# --- angles between subspaces ------------------------------------------------------------------------------------------


def test_angles_between_subspaces_of_a_linear_system():
    found = covariant_vectors(linear([2, -0.8, 0.5], "map"), time=5, progress=False)
    normal = np.cross(BASIS[:, 1], BASIS[:, 2])
    plane = np.pi / 2 - angles(normal, BASIS[:, 0])
    np.testing.assert_allclose(smallest_angle(found, 1, [2, 3]), np.full(5, plane), atol=1e-8)
    np.testing.assert_allclose(smallest_angle(found, [2, 3], 1), np.full(5, plane), atol=1e-8)
    np.testing.assert_allclose(found.angle, np.full(5, plane), atol=1e-8)
    assert np.isnan(smallest_angle(found, [], 1)).all()


def test_no_angle_where_nothing_expands():
    found = covariant_vectors(linear([0.9, -0.8, 0.5], "map"), time=5, transient=200, progress=False)
    assert np.isnan(found.angle).all()
    assert found.angle.attrs["between"] == "none and 1, 2, 3"


@pytest.mark.parametrize(("pair", "message"), [((1, 4), "indices are 1 to 3"), ((1, [2, 1]), "no angle to itself")])
def test_angles_that_make_no_sense(lorenz, pair, message):
    with pytest.raises(ValueError, match=message):
        smallest_angle(lorenz, *pair)


# --- directions that are not settled -----------------------------------------------------------------------------------


def test_short_transients_are_owned_up_to():
    system = linear([2, -0.8, 0.5], "map")
    with pytest.warns(Unsettled, match=r"transient= is too short"):
        found = covariant_vectors(system, time=30, transient=4, progress=False)
    wrong = [angles(vectors(found, k + 1), BASIS[:, k]).max() for k in range(3)]
    assert max(wrong) > 1e-3
    assert (np.array(wrong) < 3 * found.unsettled.values).all()


def test_equal_exponents_are_warned_of():
    turn = System({"x": "c*x - s*y", "y": "s*x + c*y"}, {"c": 0.6, "s": 0.8}, {"x": 1, "y": 0}, kind="map")
    with pytest.warns(Unsettled, match="vectors 1, 2 of this map"):
        covariant_vectors(turn, time=20, progress=False)


# --- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("system", "options", "error", "message"),
    [
        ("MackeyGlass", {}, ValueError, "is a delay system"),
        (3, {}, TypeError, "takes a System or a name"),
        ("Henn", {}, KeyError, "Henon"),
        ("Henon", {"samples": 10}, ValueError, "every iterate is a sample"),
        ("Lorenz", {"samples": 0}, ValueError, "samples, a period,"),
        ("Lorenz", {"count": 4}, ValueError, "count=4"),
        ("Lorenz", {"time": -1}, ValueError, "time must be"),
        ("Lorenz", {"transient": np.nan}, ValueError, "transient must be"),
    ],
)
def test_bad_requests(system, options, error, message):
    with pytest.raises(error, match=message):
        covariant_vectors(system, **options, progress=False)


def test_a_motion_that_escapes():
    with pytest.raises(ValueError, match="escape"):
        covariant_vectors(load("Henon").with_(x=5), progress=False)


def test_a_difference_that_dies_out():
    forgetful = System({"x": "4*x*(1 - x)", "y": "x"}, state={"x": 0.3, "y": 0.2}, kind="map")
    with pytest.raises(ValueError, match="take count=1 or fewer"):
        covariant_vectors(forgetful, time=50, progress=False)
    found = covariant_vectors(forgetful, time=50, count=1, progress=False)
    x = found.state.sel(component="x").values
    np.testing.assert_allclose(angles(vectors(found, 1)[1:], np.stack([4 * (1 - 2 * x[:-1]), np.ones(49)], axis=1)), 0, atol=1e-9)
