"""A plain Python function's source as a definition."""

from fractions import Fraction

import pytest

from chaoslab.systems import DefinitionError, System, load, same


def lorenz(x, y, z, sigma=10, rho=28, beta="8/3"):
    """Three modes of a fluid.

    More is said here.
    """
    return sigma * (y - x), x * (rho - z) - y, x * y - beta * z


def chua(x, y, z, *, alpha=15.6, beta=28, m0=-8 / 7, m1=-5 / 7):
    slope = (m0 - m1) / 2  # comments are fine
    h = m1 * x + slope * (abs(x + 1) - abs(x - 1))
    return [alpha * (y - x - h), x - y + z, -beta * y]


def forced(t, x, k=3):
    return k * cos(t) - x  # noqa: F821


START = {"x": 1, "y": 2, "z": 3}


def test_lorenz_is_the_catalogues():
    system = System.from_function(lorenz, state=START)
    assert same(system.flat.rhs, load("Lorenz").flat.rhs)
    assert system.parameters == {"sigma": 10, "rho": 28, "beta": Fraction(8, 3)}
    assert system.name == "lorenz"
    assert system.about == "Three modes of a fluid."
    assert system.rhs([1, 2, 3]).tolist() == load("Lorenz").rhs([1, 2, 3]).tolist()


def test_lines_become_intermediates_and_defaults_parameters():
    system = System.from_function(chua, state=START)
    assert list(system.where) == ["slope", "h"]
    assert system.parameters["m0"] == Fraction(-8, 7)
    assert system.rhs([1.5, 0.2, -1]) == pytest.approx(load("Chua").rhs([1.5, 0.2, -1]), rel=1e-14)


def test_time_is_no_state_and_a_single_value_is_one_state():
    system = System.from_function(forced, state={"x": 0})
    assert system.components == ("x",)
    assert system.rhs([1.0], t=0.0).tolist() == [2.0]


def test_arguments_of_from_function_win():
    system = System.from_function(lorenz, {"rho": 99}, START, name="Mine", kind="map")
    assert (system.parameters["rho"], system.name, system.kind) == (99, "Mine", "map")


def test_it_is_read_and_never_run():
    with pytest.raises(NameError):
        forced(0, 1)
    assert System.from_function(forced, state={"x": 0}).equations["x"] == "k * cos(t) - x"


def loop(x):
    for _ in range(3):
        x = x + 1
    return x


def branch(x):
    if x > 0:
        return x
    return -x


def two_returns(x, y):
    return y, x
    return x, y


def too_few(x, y):
    return x


def too_many(x):
    return x, x


def nothing(x):
    y = x  # noqa: F841


def bare(x):
    return


def stars(*x):
    return x


def keywords(x, **k):
    return x


def by_position(x, /):
    return x


def twice(x):
    a = x
    a = 2 * x
    return a


def overwrites_a_state(x):
    x = 2 * x
    return x


def overwrites_a_parameter(x, k=1):
    k = 2 * k
    return k * x


def unpacks(x, y):
    a, b = y, x
    return a, b


def augments(x):
    a = x
    a += 1
    return a


def annotates(x):
    a: float = 2 * x
    return a


def calls(x):
    return np.sin(x)  # noqa: F821


def undeclared(x):
    return mu * x  # noqa: F821


def nothing_as_default(x, k=None):
    return k * x


async def waits(x):
    return x


shortcut = lambda x: -x

MISTAKES = [
    (loop, "line 'for _ in range"),
    (branch, "line 'if x > 0"),
    (two_returns, "nothing can follow the return"),
    (too_few, "returns 1 values; one for each"),
    (too_many, "returns 2 values; one for each"),
    (nothing, "returns 0 values"),
    (bare, "line 'return'"),
    (stars, "takes \\* or /"),
    (keywords, "takes \\* or /"),
    (by_position, "takes \\* or /"),
    (twice, "assigns a twice"),
    (overwrites_a_state, "assigns x twice"),
    (overwrites_a_parameter, "assigns k twice"),
    (unpacks, "only `name = expression`"),
    (augments, "only `name = expression`"),
    (annotates, "only `name = expression`"),
    (calls, "only the functions of the language"),
    (undeclared, "'mu' is not declared"),
    (nothing_as_default, "parameter k must be"),
    (waits, "pass equations as text"),
    (shortcut, "pass equations as text"),
    (print, "pass equations as text"),
    (3, "pass equations as text"),
]


@pytest.mark.parametrize(("function", "message"), MISTAKES)
def test_what_cannot_be_read(function, message):
    with pytest.raises(DefinitionError, match=message):
        System.from_function(function, state={"x": 1})
