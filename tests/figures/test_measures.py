"""A correlation sum, a recurrence plot, a section and a return map, drawn as they were found."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

import chaoslab as cl
from chaoslab import figures
from chaoslab.invariants import correlation_dimension, poincare_section, recurrence_plot, return_map


@pytest.fixture(scope="module")
def square():
    return correlation_dimension(np.random.default_rng(0).random((3000, 2)), theiler=0)


@pytest.fixture(scope="module")
def crossed():
    return poincare_section("Lorenz", "z - (rho - 1)", 200, members=2)


# --- scaling


def test_scaling_shows_the_region_and_its_slope(square):
    above, below = figures.scaling(square)
    assert np.array_equal(above.lines[0].get_ydata(), square.correlation_sum)
    radius, line = above.lines[1].get_data()
    assert (radius[0], radius[-1]) == pytest.approx((float(square.start), float(square.end)))
    assert np.polyfit(np.log(radius), np.log(line), 1)[0] == pytest.approx(float(square.value))
    on_it = square.correlation_sum.sel(radius=radius).values
    assert line == pytest.approx(on_it, rel=0.1), "the line lies on the curve it was read from"
    assert below.get_xlabel() == "radius (standard deviations)"
    assert f"{float(square.value):.3f}" in above.figure.get_suptitle()


def test_scaling_without_a_region_says_why():
    noise = correlation_dimension(np.random.default_rng(0).standard_normal((400, 9)), theiler=0, points=400)
    assert noise.attrs["status"] == "unresolved"
    above, _ = figures.scaling(noise)
    assert "not resolved: radii with enough near pairs" in above.figure.get_suptitle()
    assert len(above.lines) == 1
    assert figures.scaling(noise, title="None")[0].figure.get_suptitle() == "None"


# --- recurrence


def test_recurrence_has_time_on_both_axes():
    plot = recurrence_plot(np.sin(2 * np.pi * np.arange(300) / 50), sampling=0.1, dimension=2, lag=12)
    ax = figures.recurrence(plot)
    drawn = np.asarray(ax.images[0].get_array())
    assert np.array_equal(drawn, plot.values.T)
    assert ax.images[0].get_extent() == pytest.approx([1.2, 29.9, 1.2, 29.9])
    assert f"{float(plot.mean()):.2%}" in ax.get_title()


# --- sections


def test_a_section_leaves_out_what_does_not_vary_on_it(crossed):
    ax = figures.section(crossed)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x", "y")
    assert ax.get_title() == "Lorenz: 400 crossings of z - (rho - 1) = 0"
    assert np.array_equal(ax.collections[1].get_offsets(), crossed.state.sel(component=["x", "y"])[1])
    assert figures.section(crossed, ["y", "z"]).get_ylabel() == "z"


def test_a_section_through_x_shows_y_and_z():
    ax = figures.section(poincare_section("Rossler", "x", 50))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("y", "z")
    assert ax.get_title().endswith("crossings of x = 0")


def test_observed_coordinates_are_drawn():
    crossed = poincare_section("Duffing", "y", 50)
    names = [str(word) for word in crossed.component.values]
    ax = figures.section(crossed, [names[0], names[2]])
    assert np.array_equal(ax.collections[0].get_offsets(), crossed.observed[0, :, [0, 2]])


def test_a_return_map_is_drawn_pair_by_pair(crossed):
    pairs = return_map(crossed, "x")
    ax = figures.return_map(pairs)
    assert np.array_equal(ax.collections[0].get_offsets(), np.stack([pairs.value[0], pairs.next[0]], axis=1))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x at a crossing", "the next")
    line = ax.lines[0]
    assert np.array_equal(line.get_xdata(), line.get_ydata())
    assert figures.return_map(return_map(crossed, "return_time", steps=3)).get_ylabel() == "3 crossings later"


def test_a_return_map_of_maxima_says_so():
    pairs = return_map(poincare_section("Lorenz", "maxima of z", 50))
    own = plt.figure().add_subplot()
    assert figures.return_map(pairs, ax=own, title="A tent") is own
    assert (own.get_xlabel(), own.get_title()) == ("maximum of z", "A tent")


# --- what is none of these


@pytest.mark.parametrize("draw", [figures.scaling, figures.recurrence, figures.section, figures.return_map])
def test_what_was_not_measured_is_refused(draw):
    ds = cl.simulate("Lorenz", 1, 20)
    with pytest.raises(TypeError, match=r"draws what .* returns; Dataset given"):
        draw(ds)


def test_unknown_components_are_refused(crossed):
    with pytest.raises(ValueError, match=r"no component 'X'\. Did you mean 'x'\? It has x, y, z"):
        figures.section(crossed, ["X", "y"])
    with pytest.raises(ValueError, match="two components, 3 given"):
        figures.section(crossed, ["x", "y", "z"])
