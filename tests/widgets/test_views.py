"""Views of sections, the ordinal plane, recurrences and cobwebs without a browser: what is sent, what turns, what is refused."""

import time

import numpy as np
import pytest

import chaoslab as cl

pytest.importorskip("anywidget")
LORENZ = cl.simulate("Lorenz", periods=40, samples=50, transient=20)


def done(view, seconds=60):
    """The view, once it has computed what it was asked for."""
    begun = time.monotonic()
    while view.busy:
        assert time.monotonic() - begun < seconds, "the view is not done"
        time.sleep(0.005)
    return view


def turned(view, **values):
    return done(view.turn(**values))


def numbers(sent: dict, word: str) -> np.ndarray:
    return np.frombuffer(sent[word], np.float32)


# --- what all of them do --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "arguments", "options", "words"),
    [
        ("section", ("Henon",), {}, "is a map, whose iterates are a section already"),
        ("section", ("Lorenz", "u - 1"), {}, "'u' is not declared"),
        ("section", ("Lorenz",), {"direction": 2}, "direction is 1"),
        ("section", ("Lorenz",), {"coordinate": "w"}, "no coordinate 'w'"),
        ("section", ("Lorenz", "z", np.nan), {}, "height must be finite"),
        ("section", (cl.System({"x": "-x"}, {}, {"x": 1.0}),), {}, "a flow of one component"),
        ("section", ("Lorentz",), {}, "Did you mean 'Lorenz'"),
        ("ordinal_plane", (np.ones(500),), {}, "constant"),
        ("ordinal_plane", (np.sin(np.arange(9)),), {}, "longer|short|samples"),
        ("ordinal_plane", (LORENZ,), {"length": 9}, "length is one of 3, 4, 5, 6, 7; 9"),
        ("ordinal_plane", (LORENZ,), {"lag": 0}, "lag is at least 1"),
        ("recurrence", (np.ones(500),), {}, "constant"),
        ("recurrence", (np.arange(50.0),), {}, "100"),
        ("recurrence", (LORENZ,), {"component": "q"}, "component is one of all components, x, y, z; 'q'"),
        ("recurrence", (LORENZ,), {"rate": 1.5}, "rate is at least"),
        ("recurrence", (LORENZ,), {"points": 10**5}, "at most 2000 points"),
        ("cobweb", ("Henon",), {}, "a map of 2 components"),
        ("cobweb", ("Lorenz",), {}, "a flow of 3 components"),
        ("cobweb", ("Logistic",), {"steps": 10**6}, "at most 1000 steps"),
        (
            "cobweb",
            (cl.System({"x": "steps*x*(1 - x)"}, {"steps": 3.0}, {"x": 0.3}, kind="map"),),
            {},
            "a control 'steps' of its own",
        ),
    ],
)
def test_what_cannot_be_drawn_is_said_at_once(name, arguments, options, words):
    with pytest.raises((ValueError, KeyError), match=words):
        getattr(cl.widgets, name)(*arguments, **options)


def test_turning_what_is_not_there_names_what_is():
    view = done(cl.widgets.cobweb("Logistic"))
    with pytest.raises(ValueError, match=r"no control 'star'\. Did you mean 'start'"):
        view.turn(star=0.2)
    with pytest.raises(TypeError, match="r must be a number"):
        view.turn(r="much")
    assert turned(view, steps=7.0).look["steps"] == 7


def test_a_look_that_cannot_be_computed_leaves_the_picture_and_says_why():
    view = done(cl.widgets.section("Lorenz"))
    before = view.picture
    view.look = view.look | {"along": "q"}
    done(view)
    assert "q" in view.message
    assert view.picture is before
    assert turned(view, along="z").message == ""


def test_a_closed_view_computes_no_more():
    view = cl.widgets.section("Lorenz")
    view.close()
    before = view.picture
    time.sleep(0.5)
    assert view.picture is before


# --- section --------------------------------------------------------------------------------------------------------------


def test_crossings_are_those_of_poincare_section():
    view = done(cl.widgets.section(LORENZ, "z", 27, direction=-1, crossings=200))
    exact = cl.invariants.poincare_section("Lorenz", "z = 27", 200, direction=-1, initial=LORENZ.state[0, -1].values)
    # the view goes on from the end of its own motion, so that the crossings are others of the same attractor
    assert len(numbers(view.picture, "x")) == exact.sizes["crossing"]
    pairs = cl.invariants.return_map(exact, "x")
    assert (len(numbers(view.picture, "value")), sum(view.picture["counts"])) == (pairs.sizes["crossing"], 199)
    folded = np.sort(np.abs(numbers(view.picture, "x")))
    assert abs(np.median(folded) - np.median(np.abs(exact.state[0, :, 0]))) < 0.5
    assert "200 crossings of z = 27 downwards" in view.picture["title"]


def test_the_plane_lies_at_its_height_in_the_cube():
    view = done(cl.widgets.section("Lorenz", "z", 27, crossings=50))
    low, high = view.ground["ranges"][2]
    plane = numbers(view.picture, "plane").reshape(-1, 3)
    np.testing.assert_allclose(plane[np.isfinite(plane[:, 2]), 2], 2 * (27 - low) / (high - low) - 1, atol=1e-6)
    dots = numbers(view.picture, "dots").reshape(-1, 3)
    np.testing.assert_allclose(dots[:, 2], plane[0, 2], atol=1e-6)
    oblique = turned(view, height=20)
    assert numbers(oblique.picture, "plane")[2] < plane[0, 2]


def test_a_plane_at_an_angle_holds_its_crossings():
    view = done(cl.widgets.section("Lorenz", "x + 2*y - z", -20, direction=0, crossings=80))
    plane, dots = (numbers(view.picture, word).reshape(-1, 3).astype(float) for word in ("plane", "dots"))
    corners = plane[:4]
    normal = np.cross(corners[1] - corners[0], corners[2] - corners[0])
    assert np.abs((dots - corners[0]) @ normal / np.linalg.norm(normal)).max() < 1e-4


def test_a_plane_that_is_never_crossed_says_so():
    view = done(cl.widgets.section("Lorenz", "z", 27, crossings=50))
    turned(view, height=60)
    assert view.picture["never"].startswith("z = 60 is never crossed upwards: z goes from ")
    assert (view.message, len(view.ground["points"]) > 1000) == ("", True)
    assert turned(view, height=30).picture["never"] == ""


def test_another_component_begins_in_its_own_range():
    view = done(cl.widgets.section("Lorenz", "z", 40, crossings=50))
    turned(view, along="x")
    assert view.look["height"] == view.of["controls"][3]["ranges"]["x"]["value"]
    assert view.picture["names"] == ["y", "z"]


def test_the_phase_of_a_forcing_is_met_once_a_turn():
    view = done(cl.widgets.section("Duffing", crossings=100))
    assert view.look["along"] == "z"
    period = 2 * np.pi / cl.load("Duffing").parameters["omega"]
    assert f"every return takes {period:.5g} time units" in view.picture["title"]


def test_few_crossings_while_the_plane_moves():
    view = done(cl.widgets.section("Lorenz"))
    assert len(numbers(view.picture, "x")) == 3000
    view.look = view.look | {"height": 25.0, "moving": True}
    assert len(numbers(done(view).picture, "x")) == 400


def test_a_delay_system_has_its_return_times():
    view = done(cl.widgets.section("MackeyGlass", crossings=30))
    assert (view.message, view.picture["names"], view.look["coordinate"]) == ("", ["crossing", "return time"], "return_time")


# --- ordinal plane --------------------------------------------------------------------------------------------------------


def test_paths_are_those_of_ordinal():
    view = done(cl.widgets.ordinal_plane(LORENZ))
    sent, lags = view.picture, view.picture["lags"]
    exact = cl.invariants.ordinal(LORENZ, lag=lags, resamples=0)
    for key in ("entropy", "complexity"):
        np.testing.assert_allclose(numbers(sent, key).reshape(3, -1), exact[key].values[:, 0].T, atol=1e-6)
    assert view.look["lag"] == int(cl.invariants.ideal_lag(LORENZ).lag)
    assert "complex" in sent["title"]
    assert {"noises", "lines"} <= set(sent)


def test_a_sine_is_periodic_at_every_length_that_tells():
    view = done(cl.widgets.ordinal_plane(np.sin(np.arange(4000) / 9)))
    for length in (5, 6):
        assert "periodic" in turned(view, length=length).picture["title"]
    short = turned(view, length=4).picture
    assert "periodic" not in short["title"]
    assert "lines" not in short


def test_errors_are_those_of_the_lag():
    view = done(cl.widgets.ordinal_plane(LORENZ, lag=3))
    exact = cl.invariants.ordinal(LORENZ, lag=7, resamples=100)
    sent = turned(view, lag=7).picture
    assert sent["lag"] == 7
    np.testing.assert_allclose(np.frombuffer(sent["here"]["entropy_error"], np.float32), exact.entropy_error.values[0], rtol=1e-5)


# --- recurrence -----------------------------------------------------------------------------------------------------------


def dots(view) -> np.ndarray:
    size = view.picture["size"]
    return np.unpackbits(np.frombuffer(view.picture["bits"], np.uint8))[: size**2].reshape(size, size).astype(bool)


def test_a_plot_is_that_of_recurrence_plot():
    view = done(cl.widgets.recurrence(LORENZ, points=300, rate=0.08))
    exact = cl.invariants.recurrence_plot(LORENZ.isel(time=slice(300)), rate=0.08)
    np.testing.assert_array_equal(dots(view), exact.values)
    facts, found = dict(view.picture["facts"]), cl.invariants.recurrence_statistics(LORENZ.isel(time=slice(300)), rate=0.08)
    assert facts["longest diagonal line (samples)"] == f"{int(found.longest_line)}"
    assert facts["determinism"].startswith(f"{float(found.determinism):.3g}")
    assert view.picture["told"] == "the first 300 of 2,000 samples"


def test_a_period_of_four_recurs_every_fourth():
    series = np.tile([0.0, 1, 2, 3], 40) + 1e-6 * np.random.default_rng(0).standard_normal(160)
    view = done(cl.widgets.recurrence(series, rate=3120 / 12720, dimension=1))  # the pairs of the same phase
    assert dots(view)[0, :9].astype(int).tolist() == [1, 0, 0, 0, 1, 0, 0, 0, 1]
    assert dict(view.picture["facts"])["determinism"].startswith("1 ±")


def test_an_exactly_periodic_series_is_told_of():
    view = done(cl.widgets.recurrence(np.tile([0.0, 1, 2, 3], 40), rate=0.2, dimension=1))
    assert "are the same point again" in view.message
    assert turned(view, rate=0.4).message == ""


def test_a_gap_has_no_dots():
    series = np.sin(np.arange(400) / 5.0)
    series[200:210] = np.nan
    view = done(cl.widgets.recurrence(series, dimension=1))
    assert not dots(view)[205 - view.picture["first"]].any()
    assert "gaps" in view.picture["told"]


def test_states_of_one_component():
    view = done(cl.widgets.recurrence(LORENZ, points=300))
    before = dots(view)
    assert turned(view, component="x").picture["size"] < 300, "delays take some samples"
    assert "delays" in dict(view.picture["facts"])["states"]
    assert before.shape == (300, 300)


# --- cobweb ---------------------------------------------------------------------------------------------------------------


def test_the_staircase_is_the_orbit():
    view = done(cl.widgets.cobweb("Logistic", 0.2, 12))
    turned(view, r=3.2)
    value, after = numbers(view.picture, "value"), numbers(view.picture, "next")
    assert (len(value), value[0]) == (12, np.float32(0.2))
    np.testing.assert_allclose(after, 3.2 * value * (1 - value), atol=1e-6)
    assert view.picture["title"].endswith("from 0.2 it settles on a cycle of 2 points")


@pytest.mark.parametrize(("r", "fate"), [(2.5, "it settles on a fixed point"), (3.83, "a cycle of 3"), (4.0, "it finds no cycle")])
def test_where_it_goes_is_said(r, fate):
    assert fate in turned(done(cl.widgets.cobweb("Logistic", 0.3)), r=r).picture["title"]


def test_what_escapes_says_when():
    view = done(cl.widgets.cobweb("Logistic", 0.3))
    span = view.picture["span"]
    turned(view, start=1.2)
    assert "it escapes after" in view.picture["title"]
    assert view.picture["span"] == span, "the picture stays where it was"


def test_axes_grow_and_rest():
    view = done(cl.widgets.cobweb("Logistic", 0.3))
    wide = turned(view, r=4.0).picture["span"]
    assert turned(view, r=3.6).picture["span"] == wide
    assert turned(view, dropped=500).picture["span"] == wide


# --- fixed points in the explorer -----------------------------------------------------------------------------------------


def test_fixed_points_of_the_lorenz_system_as_on_paper():
    from chaoslab.widgets.fixed import fixed
    from chaoslab.widgets.recipe import recipe

    found = fixed(cl.load("Lorenz"), recipe("Lorenz"))
    assert found["told"] == "3 fixed points, none stable"
    places = sorted(one["at"] for one in found["points"])
    root = np.sqrt(8 / 3 * 27)
    np.testing.assert_allclose(places, [[-root, -root, 27], [0, 0, 0], [root, root, 27]], atol=1e-9)
    [origin] = [one for one in found["points"] if one["kind"] == "saddle"]
    assert (origin["name"], origin["stable"]) == ("x = 0, y = 0, z = 0", False)
    assert origin["eigenvalues"] == "eigenvalues 11.83, −2.667, −22.83"


@pytest.mark.parametrize(("name", "words"), [("Duffing", "grows at the constant rate"), ("MackeyGlass", "is a delay system")])
def test_without_fixed_points_it_says_why(name, words):
    from chaoslab.widgets.fixed import fixed
    from chaoslab.widgets.recipe import recipe

    found = fixed(cl.load(name), recipe(name))
    assert found["points"] == []
    assert words in found["told"]


def test_the_explorer_searches_when_it_is_asked_to_and_anew_for_other_parameters():
    explorer = cl.explore("Lorenz").look(fixed_points=True)
    ask = lambda: explorer._handle_custom_msg({"kind": "look", "id": 1, "view": explorer.view}, [])
    for rho, told in ((28.0, "none stable"), (0.5, "1 fixed point, 1 stable")):
        explorer.turn(rho=rho)
        ask()
        begun = time.monotonic()
        while explorer.fixed is None or explorer.fixed["of"][1]["rho"] != rho:
            assert time.monotonic() - begun < 60
            time.sleep(0.01)
        assert told in explorer.fixed["told"]
    explorer.show("Henon")
    assert explorer.fixed is None
    with pytest.raises(TypeError, match="fixed_points is True or False"):
        explorer.look(fixed_points=3)
