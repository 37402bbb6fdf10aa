"""Non-smooth equations as smooth pieces: modes, the surfaces on which they change, and the walk across them.

A Taylor series cannot see a kink: a step looks straight through it. So every kink and jump is replaced by a *mode*, a
run-time parameter that is constant within a step, and a step ends on the surface where the mode changes. Where the field
points at a jump from both sides the motion slides along the surface (Filippov, Differential Equations with Discontinuous
Righthand Sides, 1988).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import NamedTuple, Protocol

import numpy as np

from ..systems.calculus import gradients
from ..systems.emit import scalar_function
from ..systems.language import ONE, ZERO, Node, name, number, rewrite, walk
from ..systems.unroll import Flat

HALF = number(Fraction(1, 2))
#: Arguments beyond which a Taylor series does not feel what these functions do next: tanh is 1 to the last digit and its
#: derivatives, computed from 1 - tanh^2, are exactly zero; an exponential is too small for the choice of the step. A step
#: must end where they come back into sight.
OUT_OF_SIGHT = {"tanh": 16, "exp": 38, "sinh": 38, "cosh": 38}
#: How far a surface of this kind moves once it has been reached, relative to its distance.
OUTWARDS = 1e-6
#: A rate of approach below this part of its largest term counts as touching a surface, not crossing it.
TOUCHING = 1e-7
#: Where a state rests on a surface, the surface is moved this far behind it, relative to the state's size.
BEHIND = 1e-13
#: Samples asked for at once, at least.
AHEAD = 64
#: Switches without progress in time before a trajectory is given up.
STUCK = 100


class Leg(NamedTuple):
    """What a stepper did: samples reached, where it stopped, the event that stopped it (None: the last time)."""

    rows: np.ndarray
    t: float
    x: np.ndarray
    event: int | None
    failed: bool


class Stepper(Protocol):
    """Integrates smooth equations and stops on the first zero of one of its surfaces."""

    def restart(self) -> None: ...

    def advance(self, t: float, x: np.ndarray, values: np.ndarray, times: np.ndarray) -> Leg: ...


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
        return tuple(name(f"offset[{k}]") for k in range(len(self.modes) + len(self.watched)))

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

    def mode(original: Node, level: bool = False) -> Node:
        return modes.setdefault((original, level), name(f"mode[{len(modes)}]"))

    def side(original: Node) -> Node:
        return Node(">", mode(original), HALF)

    def minus(a: Node, b: Node) -> Node:
        return Node("+", a, Node("neg", b))

    def condition(node: Node) -> Node:
        """A condition on modes alone."""
        a, b = (*node.args, None)[:2]
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
                made[node] = Node("where", side(node.args[0]), ONE, number(-1))
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
        tuple(_watched(rhs, set(flat.variables) | {name("t")})),
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


class Walk:
    """One trajectory across the surfaces of a switched system."""

    def __init__(self, pieces: Switched, stepper, values: np.ndarray):
        self.pieces, self.make, self.parameters = pieces, stepper, list(map(float, values))
        self.main = stepper(pieces.equations())
        self.main.restart()
        names = pieces.flat.variables + pieces.flat.parameters
        self.argument_values = scalar_function(pieces.arguments, names)
        self.offsets = [0.0] * len(pieces.offsets)
        self.message = ""

    def run(self, x: np.ndarray, times: np.ndarray, start: float) -> tuple[np.ndarray, float | None]:
        """Samples at `times` (NaN from where it failed) and the time of failure, or None."""
        out = np.full((len(times), len(x)), np.nan)
        t, row, ahead, idle, last = start, 0, AHEAD, 0, -math.inf
        modes = self.sides(t, x)
        for k, value in enumerate(self.arguments(t, x)):
            if value == (round(value) if self.pieces.levels[k] else 0):
                modes[k] = self.choose(k, t, x, modes, None)
        while row < len(times):
            slide = next((k for k, mode in enumerate(modes) if mode == 0.5 and not self.pieces.levels[k]), None)
            leg, modes = self.leg(slide, t, x, modes, times[row : row + ahead])
            ahead = 2 * len(leg.rows) + AHEAD  # a long grid handed over at every switch would cost its square
            out[row : row + len(leg.rows)] = leg.rows
            row, t, x = row + len(leg.rows), leg.t, leg.x
            idle = idle + 1 if leg.event is not None and t - last <= 1e-13 * max(1.0, abs(t)) else 0
            last = t
            if leg.failed or self.message or idle > STUCK:
                self.message = self.message or (f"switches without moving on at t = {t:.6g}" if idle > STUCK else "")
                return out, t
        return out, None

    def leg(self, slide, t, x, modes, times) -> tuple[Leg, list[float]]:
        """One stretch between switches, and the modes after it."""
        count = len(self.pieces.modes)
        if slide is None:
            leg = self.main.advance(t, x, self.values(modes), times)
            surface = leg.event
        else:
            stepper = self.make(self.pieces.sliding(slide))
            stepper.restart()
            leg = stepper.advance(t, x, self.values(modes), times)
            leg = leg._replace(rows=self.onto(slide, leg.rows, times, modes), x=self.onto(slide, leg.x[None], [leg.t], modes)[0])
            surface = leg.event if leg.event is None else leg.event - 2 + (leg.event - 2 >= slide)
        if leg.event is None or leg.failed:
            return leg, modes
        if leg.event >= (0 if slide is None else 2) and surface >= count:
            # the same surface must not stop the next step too: it is moved a little outwards, and back next time
            self.offsets[surface] = 0.0 if self.offsets[surface] else OUTWARDS
            return leg, modes
        modes = list(modes)
        if slide is not None and leg.event < 2:
            surface, modes[slide] = slide, float(leg.event)
            self.step_behind(slide, leg.x, modes[slide])
        elif slide is not None and not self.pieces.levels[surface]:
            modes[surface] = 1.0 - modes[surface]
        else:
            modes[surface] = self.choose(surface, leg.t, leg.x, modes, modes[surface])
        return leg, self.consistent(leg, modes, {slide, surface})

    def consistent(self, leg: Leg, modes: list[float], switching: set) -> list[float]:
        """Modes of the other surfaces, which a jump may have moved."""
        for k, value in enumerate(self.arguments(leg.t, leg.x)):
            if k not in switching and abs(value) > 1e-9 and modes[k] != 0.5 and not self.pieces.levels[k]:
                modes[k] = float(value > 0)
        if (
            modes.count(0.5) > 1
            and sum(mode == 0.5 for mode, level in zip(modes, self.pieces.levels, strict=True) if not level) > 1
        ):
            self.message = "slides along two surfaces at once, which is not supported"
        return modes

    def choose(self, k: int, t: float, x: np.ndarray, modes: list[float], current: float | None) -> float:
        """The mode after reaching surface k: a side, a whole number, or 0.5 for sliding."""
        level = self.pieces.levels[k]
        whole = round(self.arguments(t, x)[k]) if level else 1
        (low, scale), (high, _) = (self.rate(k, t, x, [*modes[:k], float(side), *modes[k + 1 :]]) for side in (whole - 1, whole))
        small = TOUCHING * scale
        self.offsets[k] = 0.0
        if level and current is None:
            current = float(math.floor(self.arguments(t, x)[k]))
        elif level and low * high < 0:
            self.message = f"is held at a jump of floor or mod at t = {t:.6g}, which is not supported"
        if level and min(abs(low), abs(high)) > small:
            return float(whole if high > 0 else whole - 1)
        if not level and low > small and high < -small:
            return 0.5
        if current is None:
            current = 1.0 if high > 0 or (high == 0 and low >= 0) else 0.0
        here = high if current == whole else low
        if abs(here) > small:
            return float(whole if here > 0 else whole - 1)
        self.step_behind(k, x, current)  # it touches the surface, rests on it, or has just left it
        return current

    def step_behind(self, k: int, x: np.ndarray, mode: float) -> None:
        """Move a surface a hair behind the state, so that resting on it is no event."""
        sign = (-1) ** int(mode) if self.pieces.levels[k] else 1
        away = math.pi if self.pieces.levels[k] else 1.0 if mode else -1.0
        self.offsets[k] = -sign * away * BEHIND * max(1.0, float(np.abs(x).max()))

    def rate(self, k: int, t: float, x: np.ndarray, modes) -> tuple[float, float]:
        """How fast argument k grows, and the size of the largest term in it."""
        terms = self.evaluate(self.pieces.rate(k), t, x, modes)
        return math.fsum(terms), max(map(abs, terms), default=0.0)

    def evaluate(self, trees: tuple[Node, ...], t: float, x: np.ndarray, modes) -> tuple[float, ...]:
        function = scalar_function(trees, self.pieces.flat.variables + self.pieces.values)
        return function([*map(float, x), *self.values(modes)], float(t))

    def onto(self, k: int, rows: np.ndarray, times, modes) -> np.ndarray:
        """States moved onto surface k along its gradient, so that rounding never leaves them on a wrong side."""
        slope = {by: part for by, part in self.pieces.slope(k).items() if by is not name("t")}
        at = [self.pieces.flat.variables.index(by) for by in slope]
        trees, rows = (self.pieces.smooth_arguments[k], *slope.values()), np.array(rows)
        for row, t in zip(rows, times, strict=False):
            if np.isfinite(row).all():
                value, *g = self.evaluate(trees, t, row, modes)
                row[at] -= value * np.array(g) / np.dot(g, g)
        return rows

    def values(self, modes) -> list[float]:
        return [*self.parameters, *modes, *self.offsets]

    def arguments(self, t: float, x: np.ndarray) -> tuple[float, ...]:
        return self.argument_values([*map(float, x), *self.parameters], float(t))

    def sides(self, t: float, x: np.ndarray) -> list[float]:
        pairs = zip(self.arguments(t, x), self.pieces.levels, strict=True)
        return [float(math.floor(value)) if level else float(value > 0) for value, level in pairs]
