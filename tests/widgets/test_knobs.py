"""Sliders above a picture."""

import pytest

import chaoslab as cl

pytest.importorskip("ipywidgets")


def draw(rho=28.0, sigma=10.0):
    if rho > 150:
        raise ValueError("too hot")
    system = cl.load("Lorenz").with_(rho=rho, sigma=sigma)
    return cl.simulate(system, duration=5, step=0.05).chaos.attractor_still(["x", "z"])


def test_a_moved_slider_redraws():
    box = cl.widgets.knobs(draw, rho=(0, 200, 0.5), sigma=(1, 20))
    rho, sigma, picture, message = box.children
    assert (rho.value, rho.step, sigma.value) == (28.0, 0.5, 10.0)
    before = bytes(picture.value)
    assert before.startswith(b"\x89PNG")
    rho.value = 60
    assert bytes(picture.value) != before
    assert message.value == ""


def test_a_failing_drawing_keeps_the_last_picture_and_says_why():
    box = cl.widgets.knobs(draw, rho=(0, 200))
    rho, picture, message = box.children
    before = bytes(picture.value)
    rho.value = 180
    assert bytes(picture.value) == before
    assert message.value == "ValueError: too hot"
    rho.value = 20
    assert message.value == ""


def test_a_list_of_texts_is_chosen_from():
    still = lambda name: cl.simulate(name, 3).chaos.attractor_still(["x", "y"])
    box = cl.widgets.knobs(still, name=["Rossler", "Lorenz"])
    name, picture, message = box.children
    assert name.value == "Rossler"
    before = bytes(picture.value)
    name.value = "Lorenz"
    assert bytes(picture.value) != before
    assert message.value == ""


def test_several_axes_and_figures_are_drawn():
    box = cl.widgets.knobs(lambda periods: cl.simulate("Lorenz", periods, 10).chaos.series_still(), periods=(1, 3))
    assert box.children[0].value == 2
    assert bytes(box.children[1].value).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("ranges", "error", "words"),
    [
        ({"roh": (0, 1)}, TypeError, "no argument 'roh'"),
        ({}, TypeError, "give a range"),
        ({"rho": (2, 1)}, ValueError, "(low, high)"),
        ({"rho": (1,)}, ValueError, "(low, high)"),
        ({"rho": []}, ValueError, "a list of texts"),
    ],
)
def test_bad_ranges(ranges, error, words):
    with pytest.raises(error, match=words.replace("(", r"\(").replace(")", r"\)")):
        cl.widgets.knobs(draw, **ranges)


def test_what_is_not_a_figure_is_refused():
    box = cl.widgets.knobs(lambda a: a, a=(0, 1))
    assert box.children[-1].value.startswith("TypeError: draw must return matplotlib axes")
