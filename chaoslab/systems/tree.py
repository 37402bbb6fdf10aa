"""Equations as trees of interned nodes: equal trees are the same object, so sharing costs nothing and survives every rewrite."""

import math
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from functools import lru_cache
from typing import ClassVar

#: The closed list of functions, with the number of arguments each takes (None: two or more).
FUNCTIONS: dict[str, int | None] = {
    **dict.fromkeys("sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh exp log sqrt abs sign step floor".split(), 1),
    **{"atan2": 2, "mod": 2, "where": 3, "min": None, "max": None},
}
LOGIC = ("and", "or", "not")
CONDITIONS = frozenset({"<", "<=", ">", ">=", "==", "!=", *LOGIC})
_set = object.__setattr__
#: Bits up to which constants are computed exactly; squares of squares would take for ever.
EXACT = 1000


class _Entry(weakref.ref):
    """A node in the table of all nodes, gone with the node."""

    __slots__ = ("key",)


class Node:
    """One operation, number or name of an equation; interned and immutable.

    `head` is "number" (args: value, text as written), "name" (args: name), "item" (name and indices), an operator
    (`+` of any number of terms, `*`, `/`, `**`, `neg`), a comparison, `and`, `or`, `not`, a function's name, or
    "over sum", "over min", "over max" (args: body, index), or "delayed" (args: state, lag). A tree of numbers and pi is `fixed`.
    """

    __slots__ = ("__weakref__", "args", "children", "fixed", "head")
    _interned: ClassVar[dict[tuple, _Entry]] = {}
    _lock = threading.Lock()
    head: str
    args: tuple
    children: tuple["Node", ...]
    fixed: bool

    def __new__(cls, head: str, *args):
        key = (head, args)  # a node is equal to itself alone
        with cls._lock:
            entry = cls._interned.get(key)
            node = None if entry is None else entry()
            if node is None:
                node = super().__new__(cls)
                children = tuple([arg for arg in args if isinstance(arg, Node)])
                _set(node, "head", head)
                _set(node, "args", args)
                _set(node, "children", children)
                fixed = head == "number" or args == ("pi",) or (children != () and all([child.fixed for child in children]))
                _set(node, "fixed", fixed)
                entry = cls._interned[key] = _Entry(node, _forget)
                entry.key = key
        return node

    def __setattr__(self, name, value):
        raise AttributeError("an equation's tree cannot be changed; build a new one")

    def __reduce__(self):
        return Node, (self.head, *self.args)

    def __repr__(self):
        return f"{self.head}({', '.join(map(str, self.args))})"


def _forget(entry: _Entry, table: dict = Node._interned) -> None:  # at exit there may be no Node any more
    if table.get(entry.key) is entry:  # another may have taken its place
        del table[entry.key]


def number(value: int | float | Fraction, text: str | None = None) -> Node:
    """A constant; kept exact, so that 8/3 stays a fraction until code is emitted."""
    if text is None and type(value) is Fraction and value.denominator == 1:
        value = value.numerator
    if text is None and type(value) is int:
        return _whole(value)
    value = Fraction(value)
    return Node("number", value, text or (str(value) if value.denominator == 1 else repr(float(value))))


@lru_cache(maxsize=4096)
def _whole(value: int) -> Node:
    return Node("number", Fraction(value), str(value))


def name(text: str) -> Node:
    return Node("name", text)


def short(value: Fraction) -> bool:
    """Whether an exact value is small enough to be kept."""
    return max(value.numerator.bit_length(), value.denominator.bit_length()) <= EXACT


ZERO, ONE = number(0), number(1)


def walk(*roots: Node) -> Iterator[Node]:
    """Every distinct node below the roots, children before parents; no recursion, so depth does not matter."""
    seen, stack = set(), [(root, False) for root in reversed(roots)]
    while stack:
        node, ready = stack.pop()
        if ready:
            yield node
        elif node not in seen:
            seen.add(node)
            if not node.children:
                yield node
                continue
            stack.append((node, True))
            stack.extend([(child, False) for child in reversed(node.children)])


def rewrite(roots: Iterable[Node], rule: Callable[[Node], Node]) -> list[Node]:
    """The trees with `rule` applied to each node after its children; shared parts are rewritten once."""
    roots, done = list(roots), {}
    for node in walk(*roots):
        args = tuple(done[arg] if isinstance(arg, Node) else arg for arg in node.args)
        done[node] = rule(node if args == node.args else Node(node.head, *args))
    return [done[root] for root in roots]


def names_in(*roots: Node) -> set[str]:
    """Names used below the roots, names of arrays included."""
    return {node.args[0] for node in walk(*roots) if node.head in ("name", "item")}


def constant(node: Node) -> float | None:
    """The float value of a tree without names, infinity where it overflows, None where there are names."""
    if not node.fixed:
        return None
    values: dict[Node, float] = {}
    for part in walk(node):
        try:
            values[part] = _fold(part, [values[child] for child in part.children])
        except KeyError:
            return None
        except (ArithmeticError, ValueError):
            return math.inf
    return values[node]


def _fold(node: Node, args: list[float]) -> float:
    match node.head:
        case "number":
            return float(node.args[0])
        case "name":
            return {"pi": math.pi}[node.args[0]]
        case "+":
            return math.fsum(args)
        case "*":
            return args[0] * args[1]
        case "/":
            return args[0] / args[1]
        case "neg":
            return -args[0]
        case "**":
            return math.pow(*args)
        case "abs" | "min" | "max":
            return float({"abs": abs, "min": min, "max": max}[node.head](*args))
        case "sign":
            return float((args[0] > 0) - (args[0] < 0))
        case "step":
            return float(args[0] > 0)
        case "mod":
            return args[0] - args[1] * math.floor(args[0] / args[1])
    if node.head in FUNCTIONS and hasattr(math, node.head):
        return getattr(math, node.head)(*args)
    raise KeyError(node.head)
