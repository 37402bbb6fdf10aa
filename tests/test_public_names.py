"""What `import chaoslab` offers is a list we decide on, documented and working."""

import inspect

import chaoslab as cl

PUBLIC = set(
    "DefinitionError System catalogue couple dominant_period explore figures invariants largest_exponent load lyapunov_spectrum "
    "datasets names open_collection rescale rotate sample_parameters search simulate skew sweep table widgets".split()
)
LAYERS = {"systems", "integrate", "trajectories"}


def test_the_list_is_the_list():
    assert {name for name in vars(cl) if not name.startswith("_")} - LAYERS == PUBLIC


def test_everything_public_is_documented():
    for layer in (cl, cl.systems, cl.integrate, cl.trajectories, cl.invariants, cl.datasets, cl.figures, cl.widgets):
        for name, value in vars(layer).items():
            if (
                not name.startswith("_")
                and (inspect.isclass(value) or inspect.isfunction(value))
                and "chaoslab" in value.__module__
            ):
                assert inspect.getdoc(value), f"{layer.__name__}.{name} has no docstring"
    for name, value in vars(cl.System).items():
        if not name.startswith("_") and (inspect.isfunction(value) or isinstance(value, property)):
            assert inspect.getdoc(value), f"System.{name} has no docstring"


def test_upper_layers_add_their_methods():
    assert cl.System.simulate is cl.simulate
    ds = cl.load("Lorenz").simulate(periods=1)
    for method in ("attractor", "attractor_still", "series", "series_still"):
        assert callable(getattr(ds.chaos, method))
