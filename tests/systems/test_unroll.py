"""Indexed equations written out: sums, ends, sizes, intermediates, and the mistakes that are caught."""

import numpy as np
import pytest

from chaoslab.systems import DefinitionError, System
from chaoslab.systems.language import read
from chaoslab.systems.tree import ZERO, name
from chaoslab.systems.unroll import LARGEST, settle, target, unused


def sites(text, state, *, where=None, parameters=None, second=None, **index):
    """A system with one state x on sites i; `second` declares an index j."""
    index = {"i": {"size": len(state), **index}, **({"j": second} if second else {})}
    return System({"x[i]": text}, parameters or {}, {"x": state}, where=where or {}, index=index)


FOUR = np.array([1.0, 10.0, 100.0, 1000.0])


@pytest.mark.parametrize(
    ("text", "index", "expected"),
    [
        ("x[i+1]", {"cyclic": True}, [10, 100, 1000, 1]),
        ("x[i-2]", {"cyclic": True}, [100, 1000, 1, 10]),
        ("x[i+9]", {"cyclic": True}, [10, 100, 1000, 1]),
        ("x[i+1]", {"outside": 0}, [10, 100, 1000, 0]),
        ("x[i-1] + x[i+1]", {"outside": "1/2"}, [10.5, 101, 1010, 100.5]),
        ("x[2]", {}, [10, 10, 10, 10]),
        ("x[n]", {}, [1000] * 4),
        ("i*x[i]", {}, [1, 20, 300, 4000]),
        ("x[n + 1 - i]", {}, [1000, 100, 10, 1]),
        ("n*i", {}, [4, 8, 12, 16]),
        ("m*i", {"name": "m"}, [4, 8, 12, 16]),
        ("where(i == 1, x[i], 0)", {}, [1, 0, 0, 0]),
        ("where(i != 1 and i < n, x[i], 0)", {}, [0, 10, 100, 0]),
        ("where(i == 1 or x[i] > 500, x[i], 0)", {}, [1, 0, 0, 1000]),
        ("where(i > 2 and not x[i] > 500, x[i], 0)", {}, [0, 0, 100, 0]),
        ("i**2", {}, [1, 4, 9, 16]),
    ],
)
def test_index(text, index, expected):
    assert sites(text, FOUR, **index).rhs(FOUR).tolist() == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sum(x[j], j)", [1111] * 4),
        ("sum(x[j] - x[i], j)", [1111 - 4 * x for x in FOUR]),
        ("sum(where(j == i, 0, x[j]), j)", [1111 - x for x in FOUR]),
        ("sum(j*x[i], j)", [10 * x for x in FOUR]),
        ("sum(1, j)", [4] * 4),
        ("sum(0*x[j], j)", [0] * 4),
        ("min(x[j], j)", [1] * 4),
        ("max(x[j] + x[i], j)", [1000 + x for x in FOUR]),
        ("min(x[j], 5*x[i], j)", [1] * 4),
        ("min(x[i], i)", [1, 2, 3, 4]),
    ],
)
def test_over_an_index(text, expected):
    assert sites(text, FOUR, second={"size": 4}).rhs(FOUR).tolist() == expected


def test_matrix_parameter_and_two_sums():
    w = np.arange(16.0).reshape(4, 4)
    system = sites("sum(w[i,j]*x[j], j)", FOUR, parameters={"w": w}, second={"size": 4})
    np.testing.assert_array_equal(system.rhs(FOUR), w @ FOUR)
    total = System({"x": "sum(w[i,j], i, j)"}, {"w": w}, {"x": 0}, index={"i": {"size": 4}, "j": {"size": 4}})
    assert total.rhs([0.0]) == w.sum()


def test_state_on_a_plane():
    system = System({"u[i,j]": "u[i+1,j] - u[i,j-1]"}, {}, {"u": np.arange(6.0).reshape(2, 3)},
                    index={"i": {"size": 2, "cyclic": True}, "j": {"size": 3, "outside": 0, "name": "m"}})  # fmt: skip
    u = np.arange(6.0).reshape(2, 3)
    expected = np.roll(u, -1, 0) - np.hstack([np.zeros((2, 1)), u[:, :2]])
    np.testing.assert_array_equal(system.rhs(u.ravel()), expected.ravel())
    assert system.components == ("u1_1", "u1_2", "u1_3", "u2_1", "u2_2", "u2_3")


def test_intermediates_in_any_order_indexed_and_recursive():
    system = sites("total*y[i]", FOUR, where={"total": "2*scale", "scale": "y[4]", "y[i]": "y[i-1] + x[i]"}, outside=0)
    np.testing.assert_array_equal(system.rhs(FOUR), 2 * 1111 * np.cumsum(FOUR))


def test_long_chains_of_intermediates():
    chain = {"a0": "x", **{f"a{k}": f"a{k - 1} + 1" for k in range(1, 500)}}
    assert System({"x": "a499"}, {}, {"x": 0}, where=chain).rhs([0.0]) == 499
    with pytest.raises(DefinitionError, match="in order"):
        System({"x": "a499"}, {}, {"x": 0}, where=dict(reversed(chain.items())))


def test_state_as_text_over_index_size_and_parameters():
    system = sites("-F*x[i]", [0] * 4, parameters={"F": 3})
    system = System(system.equations, system.parameters, {"x": "F + i/n"}, index=system.index)
    assert system.initial.tolist() == [3.25, 3.5, 3.75, 4.0]


def test_a_declared_name_wins_over_the_default_name_of_a_size():
    assert sites("x[i]**n", [2.0, 3.0], parameters={"n": 3}).rhs([2.0, 3.0]).tolist() == [8, 27]


def test_constants_are_exact_while_that_is_cheap():
    squares = {"a0": "1.0000001", **{f"a{k}": f"a{k - 1}*a{k - 1}" for k in range(1, 41)}}
    system = System({"x": "a20*x"}, {}, {"x": 1}, where=squares)
    assert system.rhs([1.0]) == pytest.approx(1.0000001 ** (2**20), rel=1e-9)


def test_settle_leaves_open_what_depends_on_values():
    condition = read("where(1 < 2 and x > 0, x, 0)").args[0]
    assert settle(condition).head == "and"
    assert settle(read("where(x > 0, x, 0)")) is read("where(x > 0, x, 0)")


def test_flat_knows_names_places_and_kinks():
    flat = sites("w[i]*abs(x[i]) + t", [1, 2], parameters={"w": [3, 4]}).flat
    assert flat.components == ("x1", "x2")
    assert flat.variables == (name("x[1]"), name("x[2]"))
    assert flat.places == (("w", (1,)), ("w", (2,)))
    assert flat.timed
    assert not flat.smooth
    assert System({"x": "sin(x)"}, {}, {"x": 0}).flat.smooth


def test_equal_texts_share_one_unrolled_system():
    first = sites("F - x[i]", FOUR, parameters={"F": 1})
    assert first.with_(F=2).flat is first.flat


@pytest.mark.parametrize(("key", "meaning"), [("x", ("x", ())), ("x[i]", ("x", ("i",))), ("u[i, j]", ("u", ("i", "j")))])
def test_target(key, meaning):
    assert target(key) == meaning


@pytest.mark.parametrize("key", ["x + 1", "x[1]", "x[i+1]", "sin(x)", "3", "x[i,i]", "x'", "d/dt x"])
def test_what_cannot_stand_on_the_left(key):
    with pytest.raises(DefinitionError):
        target(key)


# --- mistakes ----------------------------------------------------------------------------------------------------------

ONE = {"i": {"size": 3}}
TWO = {"i": {"size": 3}, "j": {"size": 3}}
MISTAKES = {
    "unknown name": ({"x": "sigm*x"}, {"sigma": 1}, {}, {}, "'sigm' is not declared. Did you mean 'sigma'"),
    "unknown name lists what is known": ({"x": "qqq*x"}, {"sigma": 1}, {}, {}, "Known names: x, sigma, pi, t"),
    "unknown name in an unused intermediate": ({"x": "-x"}, {}, {"b": "3*c"}, {}, "definition of b: 'c' is not declared"),
    "unknown index on the left": ({"x[k]": "-x[k]"}, {}, {}, ONE, "'k' is not declared; add it to [index]"),
    "unknown index in a sum": ({"x[i]": "sum(x[k], k)"}, {}, {}, ONE, "'k' is not declared; add it to [index]"),
    "free index": ({"x[i]": "x[j]"}, {}, {}, TWO, "'j' is free here"),
    "index in use": ({"x[i]": "sum(x[i], i)"}, {}, {}, ONE, "already in use"),
    "index outside": ({"x[i]": "x[i+1]"}, {}, {}, ONE, "x[4] lies outside x's sizes [3]; make the index cyclic"),
    "fixed index outside": ({"x[i]": "x[0]"}, {}, {}, ONE, "x[0] lies outside"),
    "index not whole": ({"x[i]": "x[i/2]"}, {}, {}, ONE, "whole number such as i+1"),
    "index depends on a state": ({"x[i]": "x[x[i]]"}, {}, {}, ONE, "whole number such as i+1"),
    "too many indices": ({"x[i]": "x[i,i]"}, {}, {}, ONE, "'x' has 1 indices, 2 given"),
    "no index": ({"x[i]": "-x"}, {}, {}, ONE, "'x' is an array and needs its indices"),
    "index on a number": ({"x[i]": "k[i]*x[i]"}, {"k": 1}, {}, ONE, "'k' has 0 indices, 1 given"),
    "index of an undeclared array": ({"x[i]": "w[i]*x[i]"}, {}, {}, ONE, "'w' is not declared"),
    "intermediate without index": ({"x[i]": "y*x[i]"}, {}, {"y[i]": "x[i]"}, ONE, "'y' is an array and needs its indices"),
    "circle": ({"x": "a"}, {}, {"a": "b + 1", "b": "c*2", "c": "a"}, {}, "goes in a circle: a -> b -> c -> a"),
    "circle of one": ({"x": "a"}, {}, {"a": "a + x"}, {}, "goes in a circle: a -> a"),
    "circle over an index": ({"x[i]": "y[i]"}, {}, {"y[i]": "sum(y[j], j)"}, TWO, "goes in a circle: y[1] -> y[1]"),
    "state and parameter": ({"x": "-x"}, {"x": 1}, {}, {}, "'x' is declared twice"),
    "state and intermediate": ({"x": "-x"}, {}, {"x": "2"}, {}, "'x' is declared twice"),
    "parameter and intermediate": ({"x": "-a*x"}, {"a": 1}, {"a": "2"}, {}, "'a' is declared twice"),
    "parameter and index": ({"x[i]": "-i*x[i]"}, {"i": 1}, {}, ONE, "'i' is declared twice"),
    "state twice": ({"x": "-x", "x ": "x"}, {}, {}, {}, "two equations"),
    "state twice with an index": ({"x[i]": "-x[i]", "x[j]": "x[j]"}, {}, {}, TWO, "two equations"),
    "intermediate twice": ({"x[i]": "y[i]"}, {}, {"y[i]": "1", "y[j]": "2"}, TWO, "defines a name twice"),
    "component twice": ({"x[i]": "-x[i]", "x1": "x1"}, {}, {}, ONE, "same name"),
    "two sizes with one name": ({"x[i]": "-x[i]"}, {}, {}, {"i": {"size": 3}, "j": {"size": 4}}, "two sizes are called 'n'"),
    "t is reserved": ({"t": "1"}, {}, {}, {}, "'t' has a fixed meaning"),
    "pi is reserved": ({"x": "pi*x"}, {"pi": 3}, {}, {}, "'pi' has a fixed meaning"),
    "functions are reserved": ({"sin": "1"}, {}, {}, {}, "sin is a function"),
    "Python's words are reserved": ({"lambda": "1"}, {}, {}, {}, "write lambda_"),
    "a size is reserved": ({"x[i]": "-x[i]"}, {}, {}, {"i": {"size": 3, "name": "sum"}}, "'sum' has a fixed meaning"),
    "unused parameter": ({"x": "-x"}, {"k": 1}, {}, {}, "'k' appears in no equation"),
    "parameter of an unused intermediate": ({"x": "-x"}, {"k": 1}, {"b": "k*x"}, {}, "'k' appears in no equation"),
    "real numbers are not equal": ({"x": "where(x == 1, 1, 2)"}, {}, {}, {}, "== and != compare indices"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_explained(mistake):
    equations, parameters, where, index, message = MISTAKES[mistake]
    state = {target(key)[0]: [1, 2, 3] if "[" in key else 1 for key in equations if key != "lambda" and key != "sin"}
    with pytest.raises(DefinitionError) as caught:
        System(equations, parameters, state, where=where, index=index)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ({"size": 0}, "needs a size"),
        ({"size": 2.0}, "needs a size"),
        ({"size": True}, "needs a size"),
        ({"size": 10**6}, "needs a size"),
        ({}, "needs a size"),
        ({"sizes": 3}, "unknown key 'sizes'. Did you mean 'size'"),
        ({"size": 2, "cyclic": "no"}, "cyclic = true"),
        ({"size": 2, "cyclic": True, "outside": 0}, "cyclic = true"),
        ({"size": 2, "outside": "zero"}, "must be a number"),
        ({"size": 2, "outside": float("nan")}, "finite number"),
        ({"size": 2, "outside": [1, 2]}, "one number"),
        ({"size": 2, "name": 3}, "a word such as 'n'"),
        ({"size": 2, "fixed": 1}, "fixed = true where no other size has a meaning"),
        (3, "must be a mapping"),
    ],
)
def test_bad_index(index, message):
    with pytest.raises(DefinitionError, match=message.replace(".", r"\.")):
        System({"x[i]": "-x[i]"}, {}, {"x": [1, 2]}, index={"i": index})


@pytest.mark.parametrize("text", ["sum(x[j], j)", "sum(1, j, k)", "sum(sin(x[j] - x[i]), j)", "max(x[i]*x[j], j)", "-total"])
def test_a_system_too_large_to_write_out_is_refused(text):
    index = {key: {"size": 20_000} for key in "ijk"}
    with pytest.raises(DefinitionError, match=f"more than {LARGEST} operations"):
        System({"x[i]": text}, {}, {"x": "0"}, where={"total": "sum(x[j]*x[k], j, k)"}, index=index)


def test_a_branch_that_indices_rule_out_may_reach_beyond_the_ends():
    system = System({"x[i]": "where(i == 1, a, x[i-1])"}, {"a": 7}, {"x": [1, 2, 3]}, index={"i": {"size": 3}}, kind="map")
    assert system.rhs([1, 2, 3]).tolist() == [7, 1, 2]


def test_what_is_multiplied_by_a_neighbour_beyond_the_end_is_gone():
    system = System({"x[i]": "x[i-1]*sin(x[i])"}, {}, {"x": [1, 2]}, index={"i": {"size": 2, "outside": 0}})
    assert system.flat.rhs[0] is ZERO


def test_unused_counts_only_what_reaches_an_equation():
    system = System({"x": "-a*x"}, {"k": 1}, {"x": 1}, where={"a": "b", "b": "k"})
    assert unused(system._text) == ()
