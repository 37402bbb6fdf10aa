"""Indexed equations written out: one scalar equation per component, all names resolved."""

import itertools
import math
import operator
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import NamedTuple

from .language import RESERVED, DefinitionError, read, suggest
from .tree import ONE, ZERO, Node, name, names_in, number, rewrite, short, walk

COMPARE = {"==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
#: Functions with a kink or a jump.
KINKED = frozenset({"abs", "sign", "step", "floor", "mod", "min", "max", "where"})
#: Operations an unrolled system may have; beyond it the text should become an array code, not scalar equations.
LARGEST = 1_000_000


class Delay(NamedTuple):
    """A delayed state: the name that stands for it in the equations, the state's place, and its lag (of parameters alone)."""

    symbol: Node
    component: int
    lag: Node


@dataclass(frozen=True)
class Flat:
    """The scalar equations behind a definition; what every emitter starts from.

    `variables` and `parameters` are the name nodes in `rhs`, in the order of the state vector and of the flattened
    parameter values. A parameter's place is its name and its position in the array (None for a scalar). `noise` has the
    diffusion of every component, zero where it has none; `symmetry` what each component is mapped to. It is `complete` where
    every parameter has come into the equations.
    """

    kind: str
    components: tuple[str, ...]
    variables: tuple[Node, ...]
    rhs: tuple[Node, ...]
    parameters: tuple[Node, ...]
    places: tuple[tuple[str, tuple[int, ...] | None], ...]
    observed: tuple[Node, ...] | None = None
    conserved: Mapping[str, Node] = field(default_factory=dict)
    delays: tuple[Delay, ...] = ()
    noise: tuple[Node, ...] | None = None
    symmetry: tuple[Node, ...] | None = None
    complete: bool = False

    def __hash__(self):
        return hash((self.kind, self.rhs, self.variables, self.parameters))

    @property
    def inputs(self) -> tuple[Node, ...]:
        """All that the right-hand side is a function of, beside time: states, parameters, delayed states."""
        return self.variables + self.parameters + tuple(delay.symbol for delay in self.delays)

    @cached_property
    def size(self) -> int:
        """Distinct operations in the right-hand side."""
        return sum(1 for node in walk(*self.rhs) if node.children)

    @cached_property
    def smooth(self) -> bool:
        """Whether the right-hand side is free of kinks and jumps."""
        return not any(node.head in KINKED for node in walk(*self.rhs))

    @cached_property
    def timed(self) -> bool:
        """Whether time itself appears in the equations."""
        return name("t") in set(walk(*self.rhs))


@dataclass(frozen=True)
class Text:
    """A definition's text without its numbers; equal texts share everything that is derived from them."""

    kind: str
    equations: tuple[tuple[str, str], ...]
    where: tuple[tuple[str, str], ...]
    index: tuple[tuple[str, int, bool, float | None, str], ...]
    shapes: tuple[tuple[str, tuple[int, ...]], ...]
    observed: tuple[tuple[str, str], ...]
    conserved: tuple[tuple[str, str], ...]
    noise: tuple[tuple[str, str], ...] = ()
    symmetry: tuple[tuple[str, str], ...] = ()

    @property
    def sizes(self) -> dict[str, int]:
        """The sizes of a family by name, as in {"n": 40}."""
        return {size_name: size for _, size, _, _, size_name in self.index}


@lru_cache(maxsize=2048)
def target(key: str) -> tuple[str, tuple[str, ...]]:
    """The name and the index names on the left of an equation: 'x[i,j]' gives ('x', ('i', 'j'))."""
    node = read(key, where="left-hand side")
    if node.head == "name":
        return node.args[0], ()
    if node.head == "item" and all(arg.head == "name" for arg in node.args[1:]):
        indices = tuple(arg.args[0] for arg in node.args[1:])
        if len(set(indices)) < len(indices):
            raise DefinitionError(f"{key!r} stands left of an equation with one index twice; write two, as in x[i,j]")
        return node.args[0], indices
    raise DefinitionError(f"{key!r} stands left of an equation: write a name such as x, or x[i] with an index")


@lru_cache(maxsize=512)
def unroll(text: Text) -> Flat:
    """The scalar equations of a definition; raises DefinitionError on unknown names, cycles and wrong indices."""
    try:
        return _Unroller(text).flat()
    except RecursionError:
        raise DefinitionError("[where] builds on itself too deeply; put its entries in order, the first ones first") from None


@lru_cache(maxsize=512)
def unused(text: Text) -> tuple[str, ...]:
    """Parameters that no equation mentions, itself or by its intermediates; setting one would change nothing."""
    where = {target(key)[0]: body for key, body in text.where}
    used, bodies = set(), [body for _, body in text.equations + text.noise]
    while bodies:
        new = names_in(read(bodies.pop())) - used
        used |= new
        bodies += [where[word] for word in new & set(where)]
    return tuple(word for word, _ in text.shapes if word not in used)


class _Unroller:
    def __init__(self, text: Text):
        self.text = text
        self.index = {key: (size, cyclic, outside) for key, size, cyclic, outside, _ in text.index}
        self.shapes = dict(text.shapes)
        self.states = dict(target(key) for key, _ in text.equations)
        self.where = {}
        for key, body in text.where:
            word, indices = target(key)
            self.where[word] = (indices, read(body, where=f"definition of {word}"))
        declared = {*self.states, *self.where, *self.shapes, *self.index}
        self.sizes = {label: size for label, size in text.sizes.items() if label not in declared}
        self.done: dict[tuple, Node] = {}
        self.followed: dict[Node, tuple] = {}
        self.items: dict[tuple, Node] = {}
        self.open: list[str] = []
        self.delays: dict[tuple[Node, Node], Node] = {}
        self.check_names()
        self.check_size()

    def check_names(self):
        words = [*self.states, *self.where, *self.shapes, *self.index, *self.sizes]
        for word in words:
            if word in RESERVED:
                raise DefinitionError(f"{word!r} has a fixed meaning in the language and cannot be declared; write {word}_")
            if words.count(word) > 1:
                raise DefinitionError(f"{word!r} is declared twice, or both as a state, intermediate, parameter or index")
        if len(self.states) < len(self.text.equations):
            raise DefinitionError("a state has two equations")
        if len(self.where) < len(self.text.where):
            raise DefinitionError("[where] defines a name twice")
        for key, size, _, _, label in self.text.index:
            if self.text.sizes[label] != size:
                raise DefinitionError(f"two sizes are called {label!r}; name one, as in {key} = {{size = {size}, name = 'm'}}")

    def check_size(self):
        """Refuse at once what would take minutes to write out."""
        tables = {"equation of": self.text.equations, "definition of": self.text.where, "observed": self.text.observed}
        tables |= {"noise of": self.text.noise, "symmetry of": self.text.symmetry}
        bodies = [(f"{kind} {key}", target(key)[1], body) for kind, table in tables.items() for key, body in table]
        bodies += [(f"conserved {key}", (), body) for key, body in self.text.conserved]
        total = 0
        for place, indices, body in bodies:
            total += max(1, self.operations(read(body, where=place))) * math.prod(self.size(index) for index in indices)
            if total > LARGEST:
                raise DefinitionError(f"in the {place}: more than {LARGEST} operations when written out; use a smaller size")

    def operations(self, tree: Node) -> int:
        """How many operations the tree has when its sums are written out."""
        count: dict[Node, int] = {}
        for node in walk(tree):
            count[node] = sum(count[child] for child in node.children) + (node.head not in ("number", "name", "item"))
            last = node.args[-1]
            if node.head.startswith("over "):
                count[node] *= self.size(last)
            elif node.head in ("min", "max") and last.head == "name":
                count[node] *= self.size(last.args[0])
        return count[tree]

    def size(self, index: str) -> int:
        return self.index.get(index, (1,))[0]

    def flat(self) -> Flat:
        components, variables, rhs = [], [], []
        for word, (indices, _) in self.where.items():
            if not indices:
                self.intermediate(word, (), f"definition of {word}")
        for key, body in self.text.equations:
            word, indices = target(key)
            tree = read(body, where=f"equation of {key}")
            for position in self.positions(indices):
                label = word + "_".join(map(str, position))
                components.append(label)
                variables.append(name(_element(word, position)))
                rhs.append(self.scalar(tree, dict(zip(indices, position, strict=True)), f"equation of {key}"))
        if len(set(components)) < len(components):
            raise DefinitionError(f"two components have the same name; they are {components}")
        places = [
            (word, position or None)
            for word, shape in self.text.shapes
            for position in itertools.product(*(range(1, size + 1) for size in shape))
        ]
        parameters = tuple(name(_element(word, position or ())) for word, position in places)
        places_of = {variable: k for k, variable in enumerate(variables)}
        observed, noise, symmetry, conserved = self.extras(components, variables)
        used = set(walk(*rhs))  # indices may have ruled out the branch that a delayed state stands in
        delays = tuple(Delay(symbol, places_of[state], lag) for (state, lag), symbol in self.delays.items() if symbol in used)
        self.check_kind(bool(delays), [*(observed or ()), *(noise or ()), *(symmetry or ()), *conserved.values()])
        names = tuple(components), tuple(variables)
        used |= set(walk(*(noise or ()), *(delay.lag for delay in delays)))
        found = {word for node, (word, _) in zip(parameters, places, strict=True) if node in used}
        extras = observed, conserved, delays, noise, symmetry, found == set(self.shapes)
        return Flat(self.text.kind, *names, tuple(rhs), parameters, tuple(places), *extras)

    def check_kind(self, past: bool, extras: list[Node]):
        """Refuse delayed states and noise where they have no meaning."""
        kind = self.text.kind
        if not set(self.delays.values()).isdisjoint(walk(*extras)):
            elsewhere = "what is observed, conserved, noise or symmetry"
            raise DefinitionError(f"delayed states belong into equations and [where], not into {elsewhere}")
        if past != (kind == "delay"):
            reason = 'has delayed states: write kind = "delay"' if past else "has no delayed state; one is written x(t - tau)"
            raise DefinitionError(f"a system of kind {kind!r} {reason}")
        if self.text.noise and kind == "map":
            raise DefinitionError("[noise] is the diffusion of Ito equations, of flows and delay systems; this is a map")

    def extras(self, components, variables):
        """What is observed, each component's noise and image (each None where the text has none), and what is conserved."""
        itself = dict(zip(components, variables, strict=True))
        seen = self.by_component("observed", self.text.observed, dict(itself))
        images = self.by_component("symmetry of", self.text.symmetry, dict(itself))
        noise = self.by_component("noise of", self.text.noise, dict.fromkeys(components, ZERO))
        conserved = {
            key: self.scalar(read(body, where=f"conserved {key}"), {}, f"conserved {key}") for key, body in self.text.conserved
        }
        return (
            (tuple(seen.values()) if self.text.observed else None),
            (tuple(noise.values()) if self.text.noise else None),
            (tuple(images.values()) if self.text.symmetry else None),
            conserved,
        )

    def by_component(self, what: str, table, entries: dict[str, Node]) -> dict[str, Node]:
        """The entries with those that the table gives replaced."""
        for key, body in table:
            word, indices = target(key)
            tree = read(body, where=f"{what} {key}")
            for position in self.positions(indices):
                label = word + "_".join(map(str, position))
                if label not in entries:
                    raise DefinitionError(f"{what} {label!r} is not a component.{suggest(label, entries)}")
                entries[label] = self.scalar(tree, dict(zip(indices, position, strict=True)), f"{what} {key}")
        return entries

    def positions(self, indices):
        for index in indices:
            if index not in self.index:
                raise DefinitionError(f"index {index!r} is not declared; add it to [index], as in {index} = {{size = 40}}")
        return itertools.product(*(range(1, self.index[index][0] + 1) for index in indices))

    def scalar(self, node: Node, at: dict[str, int], place: str) -> Node:
        """The tree with names resolved, sums written out and indices put in."""
        args = node.args
        match node.head:
            case "number":
                return node
            case "name":
                return self.word(node, at, place)
            case "item":
                return self.item(args[0], args[1:], at, place)
            case "over sum" | "over min" | "over max":
                return self.reduction(node, at, place)
            case "delayed":
                return self.delayed(*args, at, place)
            case "min" | "max" if args[-1].head == "name" and args[-1].args[0] in self.index and args[-1].args[0] not in at:
                body = args[0] if len(args) == 2 else Node(node.head, *args[:-1])
                return self.reduction(Node(f"over {node.head}", body, args[-1].args[0]), at, place)
        if node.head == "where":
            condition = self.scalar(args[0], at, place)
            if condition.head == "number":  # the indices decide; the other branch may reach beyond the ends
                return self.scalar(args[1] if condition.args[0] else args[2], at, place)
        resolved = tuple([self.scalar(arg, at, place) for arg in args])
        if node.head == "*" and any(new is ZERO and old is not ZERO for new, old in zip(resolved, args, strict=True)):
            return ZERO  # a neighbour beyond the ends, where outside = 0
        done = settle(node if resolved == args else Node(node.head, *resolved))
        if done.head in ("==", "!="):
            raise DefinitionError(f"in the {place}: == and != compare indices; real numbers are compared with < or >")
        return done

    def word(self, node: Node, at: dict[str, int], place: str) -> Node:
        [word] = node.args
        if word in at:
            return number(at[word])
        if word in self.sizes:
            return number(self.sizes[word])
        if word in ("pi", "t"):
            return node
        if word in self.where:
            return self.intermediate(word, (), place)
        if self.states.get(word) == () or self.shapes.get(word) == ():
            return node
        if word in self.states or word in self.shapes:
            raise DefinitionError(f"in the {place}: {word!r} is an array and needs its indices, as in {word}[i]")
        if word in self.index:
            raise DefinitionError(f"in the {place}: index {word!r} is free here; sum over it, or write it on the left")
        known = [*self.states, *self.where, *self.shapes, *self.index, *self.sizes, "pi", "t"]
        raise DefinitionError(f"in the {place}: {word!r} is not declared.{suggest(word, known)} Known names: {', '.join(known)}")

    def item(self, word: str, indices: tuple[Node, ...], at: dict[str, int], place: str) -> Node:
        position = []
        for index in indices:
            value = self.whole(index, at)
            if value is None:
                self.scalar(index, at, place)  # raises where a name is wrong
                raise DefinitionError(f"in the {place}: the index of {word!r} must be a whole number such as i+1")
            for size, cyclic, outside in self.rules(index):
                if cyclic:
                    value = (value - 1) % size + 1
                elif outside is not None and not 1 <= value <= size:
                    return number(outside) if outside else ZERO
            position.append(value)
        key = word, tuple(position)
        if key not in self.items:
            self.items[key] = self.element(word, position, place)
        return self.items[key]

    def element(self, word: str, position: list[int], place: str) -> Node:
        shape = self.shape(word, place)
        if len(shape) != len(position):
            raise DefinitionError(f"in the {place}: {word!r} has {len(shape)} indices, {len(position)} given")
        if any(not 1 <= value <= size for value, size in zip(position, shape, strict=True)):
            raise DefinitionError(
                f"in the {place}: {word}{position} lies outside {word}'s sizes {list(shape)}; "
                "make the index cyclic, or give it a value outside = 0"
            )
        if word in self.where:
            return self.intermediate(word, tuple(position), place)
        return name(_element(word, tuple(position)))

    def whole(self, node: Node, at: dict[str, int]) -> int | None:
        """The value of an index such as i + 1; None where it is not a whole number, or not made of indices and sizes."""
        head, args = node.head, node.args
        if head == "name":
            return at[args[0]] if args[0] in at else self.sizes.get(args[0])
        if head == "number":
            return args[0].numerator if args[0].denominator == 1 else None
        if head not in ("+", "*", "neg"):
            return None
        values = [self.whole(arg, at) for arg in args]
        if None in values:
            return None
        return sum(values) if head == "+" else math.prod(values) if head == "*" else -values[0]

    def rules(self, index: Node) -> tuple[tuple, ...]:
        """What i+1 does beyond the ends: it follows the rule of the index it is written with."""
        if index not in self.followed:
            words = [node.args[0] for node in walk(index) if node.head == "name"]
            self.followed[index] = tuple(self.index[word] for word in words if word in self.index)
        return self.followed[index]

    def delayed(self, state: Node, lag: Node, at: dict[str, int], place: str) -> Node:
        word = state.args[0]
        if word not in self.states:
            raise DefinitionError(
                f"in the {place}: {word!r} has no past, only states have.{suggest(word, self.states)} "
                "Write x(t - tau) with a state x"
            )
        state, lag = self.scalar(state, at, place), self.scalar(lag, at, place)
        moving = {word for word in names_in(lag) if _base(word) not in self.shapes} - {"pi"}
        if moving:
            raise DefinitionError(
                f"in the {place}: the lag of {word!r} is made of {sorted(moving)}; lags are constant, numbers and parameters"
            )
        if state.head == "number":  # outside the index, where it was always this
            return state
        return self.delays.setdefault((state, lag), name(f"delayed {len(self.delays)}"))

    def shape(self, word: str, place: str) -> tuple[int, ...]:
        if word in self.shapes:
            return self.shapes[word]
        indices = self.states.get(word) if word in self.states else self.where.get(word, (None,))[0]
        if indices is None:
            raise DefinitionError(
                f"in the {place}: {word!r} is not declared.{suggest(word, [*self.states, *self.where, *self.shapes])}"
            )
        return tuple(self.index[index][0] for index in indices)

    def intermediate(self, word: str, position: tuple[int, ...], place: str) -> Node:
        key = (word, position)
        if key not in self.done:
            label = _element(word, position)
            if label in self.open:
                raise DefinitionError(f"[where] goes in a circle: {' -> '.join([*self.open, label])}")
            indices, tree = self.where[word]
            if len(indices) != len(position):
                raise DefinitionError(f"in the {place}: {word!r} is an array and needs its indices {list(indices)}")
            self.positions(indices)  # raises for an index that is not declared
            self.open.append(label)
            self.done[key] = self.scalar(tree, dict(zip(indices, position, strict=True)), f"definition of {word}")
            self.open.pop()
        return self.done[key]

    def reduction(self, node: Node, at: dict[str, int], place: str) -> Node:
        body, index = node.args
        if index in at:
            raise DefinitionError(f"in the {place}: {index!r} is already in use here; sum over another index")
        terms = [self.scalar(body, {**at, index: value}, place) for (value,) in self.positions((index,))]
        head = {"over sum": "+", "over min": "min", "over max": "max"}[node.head]
        terms = [term for term in terms if term is not ZERO] or [ZERO] if head == "+" else terms
        return terms[0] if len(terms) == 1 else Node(head, *terms)


def _base(element: str) -> str:
    """The name of the array that an element such as w[1,2] belongs to."""
    return element.partition("[")[0]


def _element(word: str, position: tuple[int, ...]) -> str:
    return f"{word}[{','.join(map(str, position))}]" if position else word


def settle(node: Node) -> Node:
    """Decide at once what depends only on numbers: i + 1, i == j, where(i == j, a, b)."""
    args, deciding = node.args, node.head in ("and", "or", "where")
    if not (deciding or all([arg.head == "number" for arg in args])):
        return node
    if node.head in ("and", "or"):
        decided = {bool(arg.args[0]) for arg in args if arg.head == "number"}
        rest = [arg for arg in args if arg.head != "number"]
        if (node.head == "or") in decided:
            return ONE if node.head == "or" else ZERO
        if not rest:
            return ZERO if node.head == "or" else ONE
        return Node(node.head, *rest) if len(rest) > 1 else rest[0]
    if node.head == "where" and args[0].head == "number":
        return args[1] if args[0].args[0] else args[2]
    if all(arg.head == "number" for arg in args):
        values = [arg.args[0] for arg in args]
        match node.head:
            case "+":
                return number(sum(values)) if short(sum(values)) else node
            case "neg":
                return number(-values[0])
            case "*":
                return number(math.prod(values)) if short(math.prod(values)) else node
            case "==" | "!=" | "<" | "<=" | ">" | ">=":
                return ONE if COMPARE[node.head](*values) else ZERO
            case "not":
                return ZERO if values[0] else ONE
    return node


def substitute(trees, values: Mapping[Node, Node]) -> list[Node]:
    """The trees with names replaced by other trees."""
    return rewrite(trees, lambda node: values.get(node, node))
