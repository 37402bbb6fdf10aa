"""Figures: pure functions of a dataset, with what was asked for in them."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

import chaoslab as cl
from chaoslab import figures
from chaoslab.figures.gallery import widest_pair

PLOTLY = [figures.attractor, figures.series, figures.space_time]
STILLS = [figures.attractor_still, figures.series_still]


@pytest.fixture(scope="module")
def lorenz():
    return cl.simulate("Lorenz", 3, 20, members=2)


@pytest.fixture(scope="module")
def henon():
    return cl.simulate("Henon", 50)


@pytest.fixture(scope="module")
def forced():
    return cl.simulate("Duffing", 3, 20)


@pytest.fixture(scope="module")
def unmeasured():
    """A system without a known period."""
    return cl.simulate(cl.load("Lorenz").with_(rho=40), duration=2, step=0.05)


def titles(figure):
    """The titles of the axes, x first."""
    axes = figure.layout.scene if figure.data[0].type == "scatter3d" else figure.layout
    return [axes[f"{axis}axis"].title.text for axis in ("xyz" if figure.data[0].type == "scatter3d" else "xy")]


# --- every figure -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("draw", [*PLOTLY, *STILLS], ids=lambda draw: draw.__name__)
@pytest.mark.parametrize("kind", ["lorenz", "henon", "forced", "unmeasured"])
def test_the_dataset_is_left_as_it_was(draw, kind, request):
    ds = request.getfixturevalue(kind)
    before = ds.copy(deep=True)
    draw(ds)
    assert ds.identical(before)


@pytest.mark.parametrize("draw", PLOTLY, ids=lambda draw: draw.__name__)
@pytest.mark.parametrize(
    ("kind", "words"),
    [("lorenz", "Lorenz: 3 periods"), ("henon", "Henon: 50 iterations"), ("unmeasured", "2 time units")],
)
def test_the_title_says_how_long(draw, kind, words, request):
    ds = request.getfixturevalue(kind)
    assert words in draw(ds).layout.title.text
    assert draw(ds, title="Mine").layout.title.text == "Mine"


@pytest.mark.parametrize(
    ("kind", "unit"), [("lorenz", "time (periods)"), ("henon", "iteration"), ("unmeasured", "time (the system's unit)")]
)
def test_the_time_axis_has_its_unit(kind, unit, request):
    ds = request.getfixturevalue(kind)
    figure = figures.series(ds)
    assert figure.layout[f"xaxis{ds.sizes['component']}"].title.text == unit
    assert figures.series_still(ds)[-1].get_xlabel() == unit
    assert figures.space_time(ds).layout.xaxis.title.text == unit


@pytest.mark.parametrize("draw", [figures.attractor, figures.series, *STILLS], ids=lambda draw: draw.__name__)
def test_unknown_components_are_refused(draw, lorenz):
    with pytest.raises(ValueError, match=r"no component 'Z'.*Did you mean 'z'.*It has x, y, z"):
        draw(lorenz, ["x", "Z"])
    with pytest.raises(ValueError, match="0 given; name them"):
        draw(lorenz, [])


@pytest.mark.parametrize("draw", [figures.attractor, figures.series], ids=lambda draw: draw.__name__)
def test_too_many_points_come_with_advice(draw):
    ds = cl.simulate("Lorenz", duration=2001, step=0.01)
    with pytest.raises(ValueError, match=r"200,100 points.*ds\.isel\(time=slice\(None, None, 2\)\)"):
        draw(ds)
    assert draw(ds.isel(time=slice(None, None, 2))).data


@pytest.mark.parametrize("draw", [*PLOTLY, *STILLS], ids=lambda draw: draw.__name__)
def test_what_is_no_trajectory_is_refused(draw, lorenz):
    with pytest.raises(ValueError, match="has dims"):
        draw(lorenz.isel(member=0))


@pytest.mark.parametrize("name", ["attractor", "attractor_still", "series", "series_still", "space_time"])
def test_figures_are_methods_too(name, lorenz):
    assert type(getattr(lorenz.chaos, name)()) is type(getattr(figures, name)(lorenz))
    assert getattr(lorenz.chaos, name).__doc__ == getattr(figures, name).__doc__


def test_members_that_ended_are_drawn_as_far_as_they_went():
    explosive = cl.System({"x": "x**2", "y": "-y"}, {}, {"x": 0.1, "y": 1}, period=1.0)
    with pytest.warns(UserWarning, match="escaped"):
        ds = cl.simulate(explosive, 2, 20, initial=[[0.1, 1], [1.0, 1]])
    for draw in (*PLOTLY, *STILLS):
        draw(ds)
    assert np.isfinite(figures.attractor(ds).data[1].x).sum() == 20


# --- attractor ----------------------------------------------------------------------------------------------------------


def test_attractor_draws_every_sample_of_every_member(lorenz):
    figure = figures.attractor(lorenz)
    assert [trace.type for trace in figure.data] == ["scatter3d"] * 2
    assert titles(figure) == ["x", "y", "z"]
    for m, trace in enumerate(figure.data):
        drawn = np.stack([trace.x, trace.y, trace.z], axis=-1)
        assert np.array_equal(drawn, lorenz.state.values[m].astype(np.float32))


def test_attractor_of_two_components(lorenz):
    figure = figures.attractor(lorenz, ["x", "z"])
    assert figure.data[0].type == "scatter"
    assert titles(figure) == ["x", "z"]
    assert np.array_equal(figure.data[1].y, lorenz.state.sel(component="z").values[1].astype(np.float32))


def test_a_map_of_one_component_is_drawn_over_itself():
    ds = cl.simulate("Logistic", 30)
    figure, x = figures.attractor(ds), ds.state.values[0, :, 0].astype(np.float32)
    assert titles(figure) == ["x[n]", "x[n+1]"]
    assert np.array_equal(figure.data[0].x, x[:-1])
    assert np.array_equal(figure.data[0].y, x[1:])
    assert figure.data[0].mode == "markers"
    assert figures.attractor_still(ds).get_ylabel() == "x[n+1]"


def test_a_flow_of_one_component_is_no_picture(lorenz):
    with pytest.raises(ValueError, match=r"no picture of a state space; draw ds\.chaos\.series"):
        figures.attractor(lorenz, ["x"])


def test_four_components_are_too_many(lorenz):
    with pytest.raises(ValueError, match="1 to 3 components, 4 given"):
        figures.attractor(lorenz, ["x", "y", "z", "x"])


def test_observed_coordinates_are_drawn_and_named(forced):
    names = [forced.chaos.system.observed.get(word, word) for word in map(str, forced.component.values)]
    assert titles(figures.attractor(forced)) == names[:3]
    assert any("cos" in word or "sin" in word for word in names)
    assert [ax.get_ylabel() for ax in figures.series_still(forced)] == names


def test_colours(lorenz):
    by_time, by_speed, by_member = (figures.attractor(lorenz, colour=colour) for colour in ("time", "speed", "member"))
    assert np.array_equal(by_time.data[0].line.color, lorenz.period.values.astype(np.float32))
    assert by_time.data[0].line.colorbar.title.text == "time (periods)"
    speed = np.linalg.norm(lorenz.chaos.system.rhs(lorenz.state.values[0]), axis=-1)
    fine = figures.attractor(cl.simulate("Lorenz", 1, 1000), colour="speed")
    exact = np.linalg.norm(cl.load("Lorenz").rhs(cl.simulate("Lorenz", 1, 1000).state.values[0]), axis=-1)
    assert np.array(fine.data[0].line.color)[1:-1] == pytest.approx(exact[1:-1], rel=0.01)
    assert len(by_speed.data[0].line.color) == len(speed)
    assert by_member.data[0].line.color != by_member.data[1].line.color
    assert [trace.showlegend for trace in by_member.data] == [True, True]
    assert [trace.name for trace in by_member.data] == ["member 0", "member 1"]
    with pytest.raises(ValueError, match="'time', 'speed' or 'member'; 'depth' given"):
        figures.attractor(lorenz, colour="depth")


def test_attractor_still_has_labelled_axes(lorenz):
    ax = figures.attractor_still(lorenz)
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_zlabel()) == ("x", "y", "z")
    assert "Lorenz: 3 periods" in ax.get_title()
    flat = plt.figure().add_subplot()
    assert figures.attractor_still(lorenz, ["y", "z"], ax=flat) is flat
    assert (flat.get_xlabel(), flat.get_ylabel()) == ("y", "z")
    with pytest.raises(ValueError, match="3-D axis"):
        figures.attractor_still(lorenz, ax=flat)


def test_a_still_coloured_by_values_says_what_they_are(lorenz):
    values = lorenz.state.sel(component="z", drop=True).rename("height")
    ax = figures.attractor_still(lorenz, ["x", "y"], colour=values)
    bar = ax.figure.axes[1]
    assert bar.get_ylabel() == "height"
    limits = {line.get_clim() for line in ax.collections}
    assert limits == {(float(values.min()), float(values.max()))}, "both members share the colours"


@pytest.mark.parametrize("pair", [None, ["x", "z"]])
def test_the_still_shows_all_members(lorenz, pair):
    """Axis limits hold every point drawn."""
    ax = figures.attractor_still(lorenz, pair)
    names = pair or ["x", "y", "z"]
    for axis, word in zip("xyz", names, strict=False):
        low, high = getattr(ax, f"get_{axis}lim")()
        values = lorenz.state.sel(component=word).values
        assert low <= values.min()
        assert values.max() <= high


# --- series, distance, space and time, gallery --------------------------------------------------------------------------


def test_series_has_a_panel_a_component_and_a_line_a_member(lorenz):
    figure = figures.series(lorenz)
    assert len(figure.data) == 6
    assert [figure.layout[key].title.text for key in ("yaxis", "yaxis2", "yaxis3")] == ["x", "y", "z"]
    assert np.array_equal(figure.data[5].y, lorenz.state.values[1, :, 2].astype(np.float32))
    assert np.array_equal(figure.data[0].x, lorenz.period.values.astype(np.float32))
    assert [trace.showlegend for trace in figure.data] == [True, True, False, False, False, False]
    assert len(figures.series(lorenz, "y").data) == 2


def test_series_still_is_one_axis_a_component(lorenz):
    axes = figures.series_still(lorenz, ["z", "x"])
    assert [ax.get_ylabel() for ax in axes] == ["z", "x"]
    assert np.array_equal(axes[0].lines[1].get_ydata(), lorenz.state.values[1, :, 2])


def test_many_components_show_the_first_few():
    ds = cl.simulate("Lorenz96", 1, 10)
    assert len(figures.series(ds).data) == 8
    with pytest.raises(ValueError, match="1 to 8 components"):
        figures.series(ds, [str(word) for word in ds.component.values[:9]])


def test_space_time_shows_every_component(lorenz):
    figure = figures.space_time(lorenz, member=1)
    assert np.array_equal(figure.data[0].z, lorenz.state.values[1].T.astype(np.float32))
    with pytest.raises(ValueError, match="members 0 to 1; member=2"):
        figures.space_time(lorenz, member=2)


def test_distance_grows_from_the_difference_of_the_starts(lorenz):
    near = cl.simulate("Lorenz", 3, 20, initial=lorenz.state.values[:, 0] + [1e-6, 0, 0])
    figure = figures.distance(lorenz, near)
    assert figure.layout.yaxis.type == "log"
    assert figure.data[0].y[0] == pytest.approx(1e-6, rel=1e-3)
    with pytest.raises(ValueError, match="different times"):
        figures.distance(lorenz, cl.simulate("Lorenz", 2, 20, members=2))


def test_the_still_of_a_distance_shows_the_same(lorenz):
    nudged = lorenz.assign(state=lorenz.state + 1e-6)
    ax = figures.distance_still(lorenz, nudged, title="Near")
    assert [line.get_ydata() for line in ax.lines] == [pytest.approx(np.full(lorenz.sizes["time"], 3**0.5 * 1e-6))] * 2
    assert (ax.get_title(), ax.get_yscale()) == ("Near", "log")
    with pytest.raises(ValueError, match="sampled at different times"):
        figures.distance_still(lorenz, nudged.isel(time=slice(3)))


def test_gallery_has_a_panel_a_system(tmp_path):
    figure = figures.gallery(["Lorenz", "Henon", "Logistic"], periods=5, columns=2)
    panels = [ax for ax in figure.axes if ax.get_title()]
    assert [ax.get_title() for ax in panels] == ["Lorenz", "Henon", "Logistic"]
    assert all(ax.collections for ax in panels)
    figure.savefig(tmp_path / "gallery.png")
    with pytest.raises(ValueError, match="at least one system"):
        figures.gallery([])
    with pytest.raises(KeyError, match="Lorenz"):
        figures.gallery(["Lorents"])


def test_gallery_chooses_what_shows_a_system():
    """The plane that is filled most, no phase where it need not be, and sites over time."""
    assert set(widest_pair(cl.simulate("Duffing", 20))) == {"x", "y"}
    assert widest_pair(cl.simulate("Henon", 500)) == ["x", "y"]
    [ax] = figures.gallery(["Lorenz96"], periods=5).axes
    assert ax.images
    assert ax.images[0].get_array().shape[0] == 40
