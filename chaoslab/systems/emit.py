"""Trees to code: numpy, torch, plain Python and JavaScript text; heyoka expressions."""

import math
import textwrap
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache

import numpy as np

from .tree import CONDITIONS, FUNCTIONS, ONE, Node, constant, name, number, rewrite, short, walk
from .unroll import settle

#: Emitted expressions are cut into named parts beyond these, since parsers have limits of their own.
DEEPEST, LONGEST = 40, 2000
ONE_ARGUMENT = [word for word, arity in FUNCTIONS.items() if arity == 1]


@dataclass(frozen=True)
class Dialect:
    """How one language writes an operation; `{0}`, `{1}` stand for its arguments."""

    operations: dict[str, str]
    assign: str = "{0} = {1}"
    pairwise: frozenset[str] = field(default=frozenset({"min", "max", "and", "or"}))
    lazy: bool = False  # only the branch taken is computed, and computing the other may raise

    def write(self, head: str, args: Sequence[str]) -> str:
        if head == "+":
            rest = (f" - {arg[2:-1]}" if arg.startswith("(-") else f" + {arg}" for arg in args[1:])  # a + (-b) is a - b
            return "(" + args[0] + "".join(rest) + ")"
        if head in self.pairwise and len(args) > 2:
            return self.write(head, [self.write(head, args[:-1]), args[-1]])
        return self.operations[head].format(*args)


ARITHMETIC = {
    "*": "({0}*{1})",
    "/": "({0}/{1})",
    "neg": "(-{0})",
    **{sign: "({0} " + sign + " {1})" for sign in ("<", "<=", ">", ">=")},
}

NUMPY = Dialect(
    {
        **ARITHMETIC,
        **{word: f"np.{word}({{0}})" for word in ONE_ARGUMENT},
        **{"asin": "np.arcsin({0})", "acos": "np.arccos({0})", "atan": "np.arctan({0})"},
        **{"asinh": "np.arcsinh({0})", "acosh": "np.arccosh({0})", "atanh": "np.arctanh({0})"},
        **{"atan2": "np.arctan2({0}, {1})", "**": "np.power({0}, {1})", "step": "np.heaviside({0}, 0.0)"},
        **{"min": "np.minimum({0}, {1})", "max": "np.maximum({0}, {1})", "where": "np.where({0}, {1}, {2})"},
        **{"and": "np.logical_and({0}, {1})", "or": "np.logical_or({0}, {1})", "not": "np.logical_not({0})"},
    }
)
TORCH = Dialect(
    {
        **ARITHMETIC,
        **{word: f"torch.{word}({{0}})" for word in ONE_ARGUMENT},
        **{"atan2": "torch.atan2(cast({0}), cast({1}))", "**": "torch.pow({0}, {1})"},
        **{"step": "torch.sign(torch.relu({0}))", "where": "torch.where({0}, cast({1}), cast({2}))"},
        **{"min": "torch.minimum(cast({0}), cast({1}))", "max": "torch.maximum(cast({0}), cast({1}))"},
        **{"and": "({0} & {1})", "or": "({0} | {1})", "not": "(~{0})"},
    }
)
PYTHON = Dialect(
    {
        **ARITHMETIC,
        **{word: f"math.{word}({{0}})" for word in ONE_ARGUMENT},
        **{"abs": "abs({0})", "sign": "sign({0})", "step": "(1.0 if {0} > 0 else 0.0)"},
        **{"atan2": "math.atan2({0}, {1})", "**": "math.pow({0}, {1})", "where": "({1} if {0} else {2})"},
        **{"min": "min({0}, {1})", "max": "max({0}, {1})"},
        **{"and": "({0} and {1})", "or": "({0} or {1})", "not": "(not {0})"},
    },
    lazy=True,
)
JAVASCRIPT = Dialect(
    {
        **ARITHMETIC,
        **{word: f"Math.{word}({{0}})" for word in ONE_ARGUMENT},
        **{"step": "({0} > 0 ? 1 : 0)", "atan2": "Math.atan2({0}, {1})", "**": "Math.pow({0}, {1})"},
        **{"min": "Math.min({0}, {1})", "max": "Math.max({0}, {1})", "where": "({0} ? {1} : {2})"},
        **{"and": "({0} && {1})", "or": "({0} || {1})", "not": "(!{0})"},
    },
    assign="const {0} = {1};",
)


def lower(*trees: Node) -> list[Node]:
    """The trees in the few operations that every target has: no integer powers, no mod, constants folded."""
    return rewrite(trees, _lower)


def _lower(node: Node) -> Node:
    if node.head in ("number", "item") or (node.head == "name" and node.args[0] != "pi"):
        return node
    if node.head in CONDITIONS or (node.head == "where" and node.args[0].head == "number"):
        return settle(node)
    if all(child.head == "number" for child in node.children):
        value = constant(node)
        if value is not None and math.isfinite(value):
            return _folded(node, value)
    if node.head == "**" and node.args[1].head == "number" and node.args[1].args[0].denominator == 1:
        return _power(node.args[0], int(node.args[1].args[0]))
    if node.head == "mod":
        over, by = node.args
        return Node("+", over, Node("neg", Node("*", by, Node("floor", Node("/", over, by)))))
    return node


def _folded(node: Node, value: float) -> Node:
    args, exact = [child.args[0] for child in node.children], Fraction(value)
    match node.head:  # exact where it costs nothing, so that 8/3 is rounded once
        case "+":
            exact = sum(args)
        case "neg":
            exact = -args[0]
        case "*":
            exact = args[0] * args[1]
        case "/":
            exact = args[0] / args[1]
    return number(exact if short(exact) else Fraction(value))


def _power(base: Node, exponent: int) -> Node:
    """A product, since a general power is slow and, in a Taylor series, undefined at zero."""
    if exponent < 0:
        return Node("/", ONE, _power(base, -exponent))
    if exponent == 0:
        return ONE
    half = _power(base, exponent // 2) if exponent > 1 else None
    if half is None:
        return base
    square = Node("*", half, half)
    return Node("*", square, base) if exponent % 2 else square


def program(trees: Sequence[Node], symbols: dict[Node, str], dialect: Dialect) -> tuple[list[str], list[str]]:
    """Lines that compute shared parts, and one expression per tree."""
    trees = lower(*trees)
    always = _always(trees) if dialect.lazy else None
    uses = Counter(child for node in walk(*trees) for child in node.children)
    uses.update(trees)
    written, lines, depth = {}, [], Counter()
    for node in walk(*trees):
        depth[node] = 1 + max((depth[child] for child in node.children), default=0)
        if node.head == "number":
            value = float(node.args[0])
            written[node] = repr(value) if value >= 0 else f"({value!r})"
        elif node.head == "name":
            written[node] = symbols[node]
        else:
            text = dialect.write(node.head, [written[child] for child in node.children])
            shared = uses[node] > 1 and (always is None or node in always)
            if shared or depth[node] > DEEPEST or len(text) > LONGEST:
                depth[node] = 0
                lines.append(dialect.assign.format(f"c{len(lines)}", text))
                text = f"c{len(lines) - 1}"
            written[node] = text
    return lines, [written[tree] for tree in trees]


def _always(trees: Sequence[Node]) -> set[Node]:
    """The nodes that are needed whichever branch of a `where` is taken; only these may be computed in advance."""
    found, todo = set(), list(trees)
    while todo:
        node = todo.pop()
        if node not in found:
            found.add(node)
            todo += node.children[:1] if node.head in ("where", "and", "or") else node.children
    return found


def _sign(value: float) -> float:
    return float((value > 0) - (value < 0))


def _source(trees, names, dialect, head: str, result: str) -> str:
    symbols = {node: f"v{k}" for k, node in enumerate(names)} | {name("t"): "t"}
    lines, results = program(trees, symbols, dialect)
    unpack = [f"{', '.join(symbols[node] for node in names)}, = values"] if names else []
    result = result if results else "return ()"
    return head + "\n" + textwrap.indent("\n".join([*unpack, *lines, result.format(", ".join(results))]), "    ")


def _compile(source: str, entry: str, namespace: dict) -> Callable:
    exec(compile(source, "<chaoslab equations>", "exec"), namespace)  # our own emitted text, never a user's
    return namespace[entry]


@lru_cache(maxsize=1024)
def numpy_function(trees: tuple[Node, ...], names: tuple[Node, ...]) -> Callable:
    """`f(values, t)` with one array a name, giving one array (or number) a tree."""
    return _compile(_source(trees, names, NUMPY, "def f(values, t=0.0):", "return ({},)"), "f", {"np": np})


@lru_cache(maxsize=1024)
def scalar_function(trees: tuple[Node, ...], names: tuple[Node, ...]) -> Callable:
    """`f(values, t)` on plain floats, several times faster than numpy for one state; raises ArithmeticError or
    ValueError where a real value does not exist."""
    return _compile(_source(trees, names, PYTHON, "def f(values, t=0.0):", "return ({},)"), "f", {"math": math, "sign": _sign})


@lru_cache(maxsize=256)
def orbit_function(trees: tuple[Node, ...], names: tuple[Node, ...]) -> Callable:
    """`orbit(values, start, stop, out)`: iterate a map on plain floats, appending each new state to the list `out`."""
    states = tuple(f"v{k}" for k in range(len(trees)))
    symbols = {node: f"v{k}" for k, node in enumerate(names)} | {name("t"): "t"}
    lines, results = program(trees, symbols, PYTHON)
    every = ", ".join(symbols[node] for node in names)
    body = [*lines, f"{', '.join(states)}, = {', '.join(results)},", f"append(({', '.join(states)},))"]
    source = "\n".join(
        [
            "def orbit(values, start, stop, out):",
            f"    {every}, = values",
            "    append = out.append",
            "    for t in range(start, stop):",
            textwrap.indent("\n".join(body), " " * 8),
        ]
    )
    return _compile(source, "orbit", {"math": math, "sign": _sign})


@lru_cache(maxsize=256)
def torch_function(trees: tuple[Node, ...], names: tuple[Node, ...]) -> Callable:
    """`f(values, t, cast)`: one tensor a name in, one tensor (or number) a tree out; `cast` makes tensors of numbers."""
    import torch

    return _compile(_source(trees, names, TORCH, "def f(values, t, cast):", "return ({},)"), "f", {"torch": torch})


def javascript(trees: Sequence[Node], variables: Sequence[Node], parameters: Sequence[Node], delayed: Sequence[Node] = ()) -> str:
    """A JavaScript arrow function `(s, p, t, out) => { ... }` that writes the trees' values into `out`.

    Delayed states are a fifth argument, `d`.
    """
    symbols = {node: f"s[{k}]" for k, node in enumerate(variables)} | {name("t"): "t"}
    symbols |= {node: f"p[{k}]" for k, node in enumerate(parameters)}
    symbols |= {node: f"d[{k}]" for k, node in enumerate(delayed)}
    lines, results = program(trees, symbols, JAVASCRIPT)
    lines += [f"out[{k}] = {text};" for k, text in enumerate(results)]
    return f"(s, p, t, out{', d' if delayed else ''}) => {{\n" + textwrap.indent("\n".join(lines), "  ") + "\n}"


def heyoka_expressions(trees: Sequence[Node], symbols: dict[Node, object]) -> list:
    """heyoka expressions of smooth trees: conditions may hold modes only, kinks are replaced (`integrate.switching`)."""
    import heyoka as hy

    functions = {
        **{word: getattr(hy, word) for word in ONE_ARGUMENT if hasattr(hy, word) and word not in ("abs", "sign", "step")},
        "atan2": hy.atan2,
        "neg": lambda x: -x,
        "*": lambda x, y: x * y,
        "/": lambda x, y: x / y,
        "**": lambda x, y: x**y,
        ">": hy.gt,
        "and": lambda *parts: hy.logical_and(list(parts)),
        "or": lambda *parts: hy.logical_or(list(parts)),
        "not": lambda part: hy.expression(1.0) - part,
        "where": hy.select,
        "+": lambda *terms: terms[0] + terms[1] if len(terms) == 2 else hy.sum(list(terms)),
    }
    trees, made = lower(*trees), {}
    for node in walk(*trees):
        if node.head == "number":
            made[node] = hy.expression(float(node.args[0]))
        elif node.head == "name":
            made[node] = hy.time if node.args[0] == "t" else symbols[node]
        else:
            made[node] = functions[node.head](*(made[child] for child in node.children))
    return [made[tree] for tree in trees]
