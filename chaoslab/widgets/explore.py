"""The explorer, by one call."""

from ..systems import System, as_system


def explore(system: System | str = "Lorenz"):
    """A system with its knobs: sliders, the attractor to turn, series, twins, equations and what is measured of it.

    The page integrates while a slider moves, and the kernel's exact solution takes its place when it rests. Gives a widget with
    `turn(rho=28)`, `look(twins=1e-6)`, `system` (the System in view) and `save_html(path)`. Takes a System or a name in the
    catalogue; raises KeyError with the nearest name for one that is not there.

    >>> import chaoslab as cl
    >>> cl.explore("Lorenz").turn(rho=99.96).system.parameters["rho"]
    99.96
    """
    from .explorer import Explorer

    return Explorer(as_system(system, "explore"))
