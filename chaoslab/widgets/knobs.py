"""A picture that follows sliders."""

import inspect
import io
from collections.abc import Callable


def knobs(draw: Callable, **ranges: tuple[float, float] | tuple[float, float, float] | list[str]):
    """Sliders and lists above a picture that is redrawn as they move, as an ipywidgets box.

    Parameters
    ----------
    draw : called with the sliders' values by name; returns matplotlib axes (or several, or a figure)
    ranges : for each argument of `draw` the ends of its slider, and its step if wanted: `rho=(0, 200, 0.5)`; or the texts to
        choose from: `name=["Lorenz", "Rossler"]`. It starts at the argument's default, or in the middle, or at the first text

    A drawing that fails leaves the last picture and says why below it. Raises TypeError where a range names no argument.
    """
    import ipywidgets as widgets

    arguments = inspect.signature(draw).parameters
    unknown = [word for word in ranges if word not in arguments]
    if unknown or not ranges:
        raise TypeError(f"draw{tuple(arguments)} has no argument {unknown[0]!r}" if unknown else "give a range for each slider")
    sliders = {word: _slider(word, ends, arguments[word].default) for word, ends in ranges.items()}
    picture, message = widgets.Image(format="png"), widgets.Label()

    def turn(_=None):
        try:
            picture.value = _png(draw(**{word: slider.value for word, slider in sliders.items()}))
            message.value = ""
        except Exception as error:  # a slider must survive what it is dragged into; the reader sees it
            message.value = f"{type(error).__name__}: {error}"

    for slider in sliders.values():
        slider.observe(turn, "value")
    turn()
    return widgets.VBox([*sliders.values(), picture, message])


def _slider(word: str, ends: tuple | list, start):
    import ipywidgets as widgets

    if isinstance(ends, list):
        if not ends or not all(isinstance(text, str) for text in ends):
            raise ValueError(f"the choices of {word} are a list of texts, as in ['Lorenz', 'Rossler']; {ends!r} given")
        return widgets.Dropdown(options=ends, value=ends[0] if start is inspect.Parameter.empty else start, description=word)
    if len(ends) not in (2, 3) or not ends[0] < ends[1]:
        raise ValueError(f"the range of {word} is (low, high) or (low, high, step), as in (0, 200, 0.5); {ends!r} given")
    step = ends[2] if len(ends) == 3 else (ends[1] - ends[0]) / 200
    value = sum(ends[:2]) / 2 if start is inspect.Parameter.empty else start
    layout = widgets.Layout(width="480px")
    return widgets.FloatSlider(value, min=ends[0], max=ends[1], step=step, description=word, layout=layout)


def _png(drawn) -> bytes:
    """The PNG of the figure behind axes, several axes or a figure; the figure is closed."""
    import matplotlib.pyplot as plt
    import numpy as np

    first = np.ravel(drawn)[0] if isinstance(drawn, list | tuple | np.ndarray) else drawn
    figure = getattr(first, "figure", first)
    if not hasattr(figure, "savefig"):
        raise TypeError(f"draw must return matplotlib axes or a figure, as the stills do; {type(drawn).__name__} returned")
    data = io.BytesIO()
    figure.savefig(data, dpi=80)
    plt.close(figure)
    return data.getvalue()
