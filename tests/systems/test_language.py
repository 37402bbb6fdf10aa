"""The equation language: what it accepts, with the exact tree, and what it refuses, with the reason."""

import math
import pickle
import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaoslab.systems import DefinitionError, suggest
from chaoslab.systems.emit import scalar_function
from chaoslab.systems.language import LONGEST_TEXT, read
from chaoslab.systems.tree import FUNCTIONS, Node, constant, name, names_in, number, rewrite, walk

X, Y, Z = name("x"), name("y"), name("z")
ONE, TWO, THREE = (number(k) for k in (1, 2, 3))


def op(head, *args):
    return Node(head, *args)


def neg(node):
    return op("neg", node)


# --- what is accepted --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("x", X),
        ("  x ", X),
        ("+x", X),
        ("-x", neg(X)),
        ("2", TWO),
        (2, TWO),
        ("x + y - z", op("+", X, Y, neg(Z))),
        ("x - (y - z)", op("+", X, neg(op("+", Y, neg(Z))))),
        ("x*y/z", op("/", op("*", X, Y), Z)),
        ("x/(y*z)", op("/", X, op("*", Y, Z))),
        ("-x*y", op("*", neg(X), Y)),
        ("-x**2", neg(op("**", X, TWO))),
        ("(-x)**2", op("**", neg(X), TWO)),
        ("x**y**z", op("**", X, op("**", Y, Z))),
        ("2*x + 1", op("+", op("*", TWO, X), ONE)),
        ("sin(x)", op("sin", X)),
        ("atan2(y, x)", op("atan2", Y, X)),
        ("min(x, y, z)", op("min", X, Y, Z)),
        ("where(x > 0, y, z)", op("where", op(">", X, number(0)), Y, Z)),
        ("where(1 < x < 2, y, z)", op("where", op("and", op("<", ONE, X), op("<", X, TWO)), Y, Z)),
        ("where(not x > 1 or y <= 2, y, z)", op("where", op("or", op("not", op(">", X, ONE)), op("<=", Y, TWO)), Y, Z)),
        ("x[i+1]", op("item", "x", op("+", name("i"), ONE))),
        ("w[i,j]", op("item", "w", name("i"), name("j"))),
        ("sum(x[j], j)", op("over sum", op("item", "x", name("j")), "j")),
        ("sum(x, i, j)", op("over sum", op("over sum", X, "j"), "i")),
        ("lambda_", name("lambda_")),
        ("σ*x", op("*", name("σ"), X)),
        ("(x +\n y)", op("+", X, Y)),
    ],
)
def test_text_has_exactly_this_meaning(text, tree):
    assert read(text) is tree


@pytest.mark.parametrize(
    ("text", "value"),
    [("0.1", Fraction(1, 10)), ("1e-4", Fraction(1, 10_000)), ("2.50", Fraction(5, 2)), (".5", Fraction(1, 2)), ("1_000", 1000)],
)
def test_numbers_are_exact_and_keep_how_they_were_written(text, value):
    node = read(text)
    assert node.args == (value, text)


def test_numbers_in_other_bases_are_kept_as_decimals():
    assert read("0x1e").args == (30, "30")


@pytest.mark.parametrize(
    "text", ["-x**2", "2**3**2", "x/y/z", "x - y - z", "-x*y", "x/y*z", "1 - -x", "x - (y + z)/2*x**3", "(x - y)*z"]
)
@given(x=st.floats(0.1, 3), y=st.floats(0.1, 3), z=st.floats(0.1, 3))
def test_precedence_is_pythons(text, x, y, z):
    found = scalar_function((read(text),), (X, Y, Z))([x, y, z])[0]
    assert found == pytest.approx(eval(text, {"x": x, "y": y, "z": z}), rel=1e-12, abs=1e-12)


# --- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "quoted", "advice"),
    [
        ("x + sine(y)", "'sine(y)'", "Did you mean 'sin'"),
        ("x + foo(y)", "'foo(y)'", "They are sin, cos"),
        ("x.real + 1", "'x.real'", "attributes are not part"),
        ("__import__('os').system('touch /tmp/x')", "system", "only the functions of the language"),
        ("[].append(x)", "'[].append'", "only the functions"),
        ("(lambda: x)()", "lambda", "only the functions"),
        ("eval(x)", "'eval(x)'", "not a function of the language"),
        ("x[0][1]", "'x[0][1]'", "not part of the language"),
        ("x[1:2]", "'1:2'", "not part of the language"),
        ("x + 1e301", "'1e301'", "between 1e-300 and 1e300"),
        ("x + 1e-301", "'1e-301'", "between 1e-300 and 1e300"),
        ("x + 1e999", "'1e999'", "between 1e-300 and 1e300"),
        ("1e200*1e200*x", "'1e200*1e200'", "not a finite number"),
        ("x + log(0)", "'log(0)'", "not a finite number"),
        ("sqrt(-1)*x", "'sqrt(-1)'", "not a finite number"),
        ("9**9**9", "'9**9**9'", "go up to 64"),
        ("2*10**400", "'10**400'", "go up to 64"),
        ("x**1000", "'x**1000'", "go up to 64"),
        ("x**-1000", "'x**-1000'", "go up to 64"),
        ("x**(10*10)", "go up to 64", "go up to 64"),
        ("0**-1", "'0**-1'", "not a finite number"),
        ("(-8)**(1/3)", "(-8)", "not a finite number"),
        ("x/0", "'x/0'", "division by zero"),
        ("x/(2 - 2)", "'x/(2 - 2)'", "division by zero"),
        ("lambda*x", "'lambda*x'", "write lambda_"),
        ("x + lambda", "'x + lambda'", "write lambda_"),
        ("lambda x: x", "Lambda", "not part of the language"),
        ("x if y else z", "IfExp", "not part of the language"),
        ("[x for x in y]", "ListComp", "not part of the language"),
        ("x := 3", "'x := 3'", "not an expression"),
        ("x = 3", "'x = 3'", "not an expression"),
        ("import os", "'import os'", "not an expression"),
        ("x; y", "'x; y'", "not an expression"),
        ("2*x^2", "'2*x^2'", "write ** for powers"),
        ("x % 2", "'x % 2'", "+ - * / **"),
        ("x // 2", "'x // 2'", "+ - * / **"),
        ("~x", "'~x'", "not part of the language"),
        ("x > 0", "'x > 0'", "where(condition, a, b)"),
        ("x*(y > 0)", "(y > 0)", "where(condition, a, b)"),
        ("min(x > 0, y)", "min(x > 0, y)", "where(condition, a, b)"),
        ("where(x, y, z)", "where(x, y, z)", "where(condition, a, b)"),
        ("x in y", "'x in y'", "comparisons are"),
        ("x is y", "'x is y'", "comparisons are"),
        ("sin*x", "'sin'", "in parentheses"),
        ("sin(x, y)", "'sin(x, y)'", "one argument, 2 given"),
        ("atan2(x)", "'atan2(x)'", "2 arguments, 1 given"),
        ("min(x)", "'min(x)'", "two or more arguments, 1 given"),
        ("where(x > 0, y)", "where", "3 arguments, 2 given"),
        ("sin(u=x)", "'sin(u=x)'", "by position"),
        ("max(*x)", "'max(*x)'", "by position"),
        ("sum(x)", "'sum(x)'", "sum(expression, j)"),
        ("sum(x, 3)", "'sum(x, 3)'", "sum(expression, j)"),
        ("x + True", "'True'", "only real numbers"),
        ("x + 1j", "'1j'", "only real numbers"),
        ("x + 'y'", "\"'y'\"", "only real numbers"),
        ("None", "'None'", "not part of the language"),
        ("_*x", "'_'", "a name has a letter"),
        ("", "''", "empty"),
        ("   ", "''", "empty"),
        ("x +", "'x +'", "not an expression"),
        ("x\0", "'x\\x00'", "not an expression"),
        ("\ud800", "'\\ud800'", "not an expression"),
        (None, "'None'", "an equation is text"),
        (True, "'True'", "an equation is text"),
        (["x"], "['x']", "an equation is text"),
        (b"x", "b'x'", "an equation is text"),
    ],
)
def test_refusal_quotes_the_part_names_the_equation_and_says_why(text, quoted, advice):
    with pytest.raises(DefinitionError) as caught:
        read(text, where="equation of y")
    message = str(caught.value)
    assert message.startswith("in the equation of y, ")
    assert quoted in message
    assert advice in message


@pytest.mark.parametrize(
    "text",
    [
        "x" * (LONGEST_TEXT + 1),
        "x" + "*x" * 200,
        "(" * 500 + "x" + ")" * 500,
        "-" * 15_000 + "x",
        "x" + "+x" * 9000,
        "sin(" * 150 + "x" + ")" * 150,
    ],
    ids=["long", "product", "parentheses", "minuses", "sum", "calls"],
)
def test_too_long_or_too_deep_is_refused_in_a_short_message(text):
    with pytest.raises(DefinitionError) as caught:
        read(text)
    assert len(str(caught.value)) < 500


def test_a_long_sum_is_fine():
    assert len(read(" + ".join(f"sin({k}*x)" for k in range(1, 400))).args) == 399


def test_nothing_is_evaluated(tmp_path):
    for text in (f"open({str(tmp_path / 'seen')!r}, 'w')", f"__import__('pathlib').Path({str(tmp_path / 'seen')!r}).touch()"):
        with pytest.raises(DefinitionError):
            read(text)
    assert list(tmp_path.iterdir()) == []


# --- properties --------------------------------------------------------------------------------------------------------

words = st.one_of(
    st.sampled_from("xyzi2*-+/()[],.^>='#: "),
    st.sampled_from(["lambda", "where(", "sin(", "sum(", " and ", " not ", " if ", " for ", "1e400", "10**400", "0x1f", "=="]),
)


@given(st.one_of(st.text(), st.lists(words).map(" ".join), st.lists(words).map("".join)))
def test_any_text_reads_or_raises_a_definition_error(text):
    try:
        tree = read(text)
    except DefinitionError:
        return
    assert isinstance(tree, Node)


@given(st.one_of(st.none(), st.binary(), st.complex_numbers(), st.lists(st.text()), st.floats(), st.integers()))
def test_any_object_reads_or_raises_a_definition_error(value):
    try:
        tree = read(value)
    except DefinitionError:
        return
    assert isinstance(tree, Node)


def plus(first, *rest):
    return op("+", *(first.args if first.head == "+" else [first]), *rest)


def grow(trees):
    one = [word for word, arity in FUNCTIONS.items() if arity == 1]
    return st.one_of(
        st.builds(plus, trees, trees),
        st.builds(op, st.sampled_from(["*", "/", "**"]), trees, trees),
        st.builds(neg, trees),
        st.builds(op, st.sampled_from(one), trees),
        st.builds(op, st.sampled_from(["min", "max"]), trees, trees, trees),
        st.builds(lambda c, a, b, p, q: op("where", op(c, a, b), p, q), st.sampled_from(["<", "<=", ">", ">="]), *[trees] * 4),
    )


leaves = st.one_of(st.sampled_from([X, Y, Z]), st.integers(0, 64).map(number), st.just(number(Fraction(1, 8))))
random_trees = st.recursive(leaves, grow, max_leaves=12)


def written(node):
    """The tree as text with every parenthesis."""
    parts = [f"({written(child)})" for child in node.children]
    match node.head:
        case "number":
            return node.args[1]
        case "name":
            return node.args[0]
        case "neg":
            return "-" + parts[0]
        case "+" | "*" | "/" | "**" | "<" | "<=" | ">" | ">=":
            return f" {node.head} ".join(parts)
    return f"{node.head}({', '.join(parts)})"


@given(random_trees)
def test_a_tree_written_out_is_read_as_the_same_tree(tree):
    try:
        again = read(written(tree))
    except DefinitionError as error:
        again, reason = None, str(error)
    if again is None:  # constants such as 1/0 and 64**64**2 are refused
        assert re.search("finite|division by zero|go up to", reason)
    else:
        assert again is tree


# --- trees -------------------------------------------------------------------------------------------------------------


def test_equal_trees_are_one_object_and_survive_pickling():
    tree = read("x*sin(y) + 8/3")
    assert read("x*sin( y ) + 8/3") is tree
    assert pickle.loads(pickle.dumps(tree)) is tree


def test_trees_cannot_be_changed():
    with pytest.raises(AttributeError, match="build a new one"):
        read("x + y").head = "*"


def test_walk_visits_shared_parts_once_and_children_first():
    tree = read("sin(x*y) + cos(x*y)")
    heads = [node.head for node in walk(tree)]
    assert heads.count("*") == 1
    assert heads[-1] == "+"
    assert heads.index("*") < heads.index("sin")


def test_rewrite_and_names():
    [tree] = rewrite([read("x*y + w[i]")], lambda node: Z if node is X else node)
    assert tree is read("z*y + w[i]")
    assert names_in(tree) == {"z", "y", "w", "i"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("8/3", 8 / 3),
        ("2*pi", 2 * math.pi),
        ("sqrt(2) - 1", math.sqrt(2) - 1),
        ("mod(-1, 3)", 2),
        ("step(0)", 0),
        ("x*0", None),
        ("max(1, 2, 3)", 3),
    ],
)
def test_constant(text, value):
    assert constant(read(text)) == value


def test_suggest():
    assert suggest("sigm", ["sigma", "rho"]) == " Did you mean 'sigma'?"
    assert suggest("LORENZ", ["Lorenz"]) == " Did you mean 'Lorenz'?"
    assert suggest("qqq", ["sigma", "rho"]) == ""


def test_numbers_of_any_kind_are_exact():
    assert number(Fraction(8, 3)).args[0] == Fraction(8, 3)
    assert number(np.float64(0.5)).args == (Fraction(1, 2), "0.5")
