"""Non-smooth equations as smooth pieces: modes, the surfaces on which they change, and the walk across them.

A Taylor series cannot see a kink: a step looks straight through it. So every kink and jump is replaced by a *mode*, a
run-time parameter that is constant within a step, and a step ends on the surface where the mode changes. Where the field
points at a jump from both sides the motion slides along the surface (Filippov, Differential Equations with Discontinuous
Righthand Sides, 1988).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import NamedTuple

from ..systems.calculus import gradients
from ..systems.tree import ONE, ZERO, Node, name, number, rewrite, walk
from ..systems.unroll import Flat

HALF = number(Fraction(1, 2))
#: Arguments beyond which a Taylor series does not feel what these functions do next: tanh is 1 to the last digit and its
#: derivatives, computed from 1 - tanh^2, are exactly zero; an exponential is too small for the choice of the step. A step
#: must end where they come back into sight.
OUT_OF_SIGHT = {"tanh": 16, "exp": 38, "sinh": 38, "cosh": 38}


class Equations(NamedTuple):
    """What a stepper is built from: right-hand sides and surfaces in variables and run-time values."""

    rhs: tuple[Node, ...]
    surfaces: tuple[Node, ...]
    variables: tuple[Node, ...]
    values: tuple[Node, ...]


@dataclass(frozen=True)
class Switched:
    """Smooth right-hand sides in which modes stand for the sides of surfaces.

    `arguments` are the quantities whose sign (or whole part, where `levels`) decides a mode, in the original functions.
    """

    flat: Flat
    rhs: tuple[Node, ...]
    modes: tuple[Node, ...]
    arguments: tuple[Node, ...]
    smooth_arguments: tuple[Node, ...]
    levels: tuple[bool, ...]
    watched: tuple[Node, ...]

    @property
    def smooth(self) -> bool:
        return not self.modes

    @cached_property
    def surfaces(self) -> tuple[Node, ...]:
        """Zero where a mode changes: the argument itself, or sin(pi u) for whole parts, less a run-time offset."""
        pairs = zip(self.smooth_arguments, self.levels, strict=True)
        crossed = [Node("sin", Node("*", name("pi"), u)) if level else u for u, level in pairs]
        crossed += self.watched
        return tuple(Node("+", u, Node("neg", offset)) for u, offset in zip(crossed, self.offsets, strict=True))

    @cached_property
    def offsets(self) -> tuple[Node, ...]:
        return tuple(name(f"offset {k}") for k in range(len(self.modes) + len(self.watched)))

    @cached_property
    def values(self) -> tuple[Node, ...]:
        """Names of the run-time values: parameters, modes, offsets of surfaces."""
        return self.flat.parameters + self.modes + self.offsets

    def equations(self) -> Equations:
        return Equations(self.rhs, self.surfaces, self.flat.variables, self.values)

    @lru_cache(maxsize=64)  # noqa: B019  (few and long-lived)
    def slope(self, k: int) -> dict[Node, Node]:
        """The gradient of argument k, by variables and time."""
        return gradients([self.smooth_arguments[k]], (*self.flat.variables, name("t")))[0]

    @lru_cache(maxsize=256)  # noqa: B019
    def rate(self, k: int) -> tuple[Node, ...]:
        """The terms of d(argument k)/dt along the field, one a coordinate."""
        fields = dict(zip((*self.flat.variables, name("t")), (*self.rhs, ONE), strict=True))
        return tuple(Node("*", slope, fields[by]) for by, slope in self.slope(k).items())

    @cached_property
    def continuous(self) -> bool:
        """Whether no argument jumps, so that crossing one surface never carries the state past another."""
        return not any(node.head in ("sign", "step", "floor", "mod", "where") for node in walk(*self.arguments))

    @lru_cache(maxsize=256)  # noqa: B019
    def jumps(self, k: int) -> bool:
        """Whether the rate of argument k depends on its own mode: else it cannot slide."""
        return self.modes[k] in set(walk(*self.rate(k)))

    @lru_cache(maxsize=64)  # noqa: B019
    def sliding(self, k: int) -> Equations:
        """The field along surface k, Filippov's mixture of the two sides; its first two events leave to either side."""
        (low, *below), (high, *above) = (
            _put([Node("+", ZERO, *self.rate(k)), *self.rhs], self.modes[k], side) for side in (ZERO, ONE)
        )
        share = Node("/", low, Node("+", low, Node("neg", high)))
        pairs = zip(below, above, strict=True)
        field = [b if a is b else Node("+", b, Node("*", share, Node("+", a, Node("neg", b)))) for b, a in pairs]
        others = self.surfaces[:k] + self.surfaces[k + 1 :]
        return Equations(tuple(field), (low, high, *others), self.flat.variables, self.values)


def _put(trees: Sequence[Node], mode: Node, side: Node) -> list[Node]:
    """The trees on one side of a surface, the choice made."""

    def rule(node: Node) -> Node:
        if node is mode:
            return side
        if node.head == "where" and node.args[0].head == ">" and node.args[0].args[0].head == "number":
            return node.args[1] if node.args[0].args[0].args[0] > Fraction(1, 2) else node.args[2]
        return node

    return rewrite(trees, rule)


@lru_cache(maxsize=512)
def switched(flat: Flat) -> Switched:
    """The smooth pieces of a right-hand side and the surfaces between them."""
    modes: dict[tuple[Node, bool], Node] = {}
    made: dict[Node, Node] = {}
    moving = set(flat.variables) | {name("t")}

    def mode(original: Node, level: bool = False) -> Node:
        return modes.setdefault((original, level), name(f"mode {len(modes)}"))

    def side(original: Node) -> Node:
        """Whether `original` is positive, as a mode; of parameters alone, the plain comparison."""
        fixed = moving.isdisjoint(walk(original))
        return Node(">", _smooth(original, made), ZERO) if fixed else Node(">", mode(original), HALF)

    def minus(a: Node, b: Node) -> Node:
        return Node("+", a, Node("neg", b))

    def condition(node: Node) -> Node:
        """A condition on modes alone."""
        a, b = (*node.args, None)[:2]
        if node.head in ("<=", ">=") and moving.isdisjoint(walk(node)):  # parameters may well be equal
            return Node("not", condition(Node({"<=": ">", ">=": "<"}[node.head], a, b)))
        match node.head:
            case "<" | "<=":
                return side(minus(b, a))
            case ">" | ">=":
                return side(a if b is ZERO else minus(a, b))
        return Node(node.head, *(condition(part) for part in node.args))

    for node in walk(*flat.rhs):
        args = [made[child] for child in node.children]
        match node.head:
            case "abs":
                made[node] = Node("where", side(node.args[0]), args[0], Node("neg", args[0]))
            case "sign":
                other = number(-1)
                if moving.isdisjoint(walk(node)):  # a parameter may rest at zero
                    other = Node("where", Node(">", Node("neg", args[0]), ZERO), other, ZERO)
                made[node] = Node("where", side(node.args[0]), ONE, other)
            case "step":
                made[node] = Node("where", side(node.args[0]), ONE, ZERO)
            case "floor":
                made[node] = mode(node.args[0], level=True)
            case "mod":
                whole = mode(Node("/", *node.args), level=True)
                made[node] = minus(args[0], Node("*", args[1], whole))
            case "min" | "max":
                best, smooth = node.args[0], args[0]
                for other, its in zip(node.args[1:], args[1:], strict=True):
                    first = side(minus(other, best) if node.head == "min" else minus(best, other))
                    best, smooth = Node(node.head, best, other), Node("where", first, smooth, its)
                    made[best] = made[node] = smooth
            case "where":
                made[node] = Node("where", condition(node.args[0]), *args[1:])
            case "<" | "<=" | ">" | ">=" | "and" | "or" | "not":
                made[node] = node
            case _:
                made[node] = Node(node.head, *args) if node.children else node
    rhs = tuple(made[tree] for tree in flat.rhs)
    arguments = tuple(argument for argument, _ in modes)
    return Switched(
        flat,
        rhs,
        tuple(modes.values()),
        arguments,
        tuple(_smooth(argument, made) for argument in arguments),
        tuple(level for _, level in modes),
        tuple(_watched(rhs, moving)),
    )


def _smooth(argument: Node, made: dict[Node, Node]) -> Node:
    """An argument with the kinks inside it replaced too; differences of known trees are new here."""
    if argument in made:
        return made[argument]
    return Node(argument.head, *(_smooth(part, made) for part in argument.args)) if argument.children else argument


def _watched(trees: Sequence[Node], moving: set[Node]) -> list[Node]:
    """Surfaces on which a function that saturates comes into sight."""
    found, depends = {}, {}
    for node in walk(*trees):
        depends[node] = node in moving or any(depends[child] for child in node.children)
        if node.head in OUT_OF_SIGHT and depends[node]:
            limit = OUT_OF_SIGHT[node.head]
            scaled = Node("/", node.args[0], number(limit))
            found[Node("+", Node("*", scaled, scaled), number(-1))] = None
    return list(found)
