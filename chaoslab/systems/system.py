"""System: a definition as a frozen value, and everything that is derived from its text."""

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass
from fractions import Fraction
from functools import cached_property
from types import MappingProxyType

import numpy as np

from . import emit
from .language import DefinitionError, Node, constant, number, read, suggest
from .latex import figure, symbol, typeset
from .unroll import Flat, Text, substitute, target, unroll, unused

KINDS = ("flow", "map")
Number = int | float | Fraction


def _empty():
    return dataclasses.field(default_factory=dict)


@dataclass(frozen=True, eq=False, repr=False)
class System:
    """A dynamical system written as text.

    Parameters
    ----------
    equations : mapping of a state's name to its right-hand side: its time derivative for a flow, its next value for a map
    parameters : mapping of a parameter's name to a number, an exact fraction as text ("8/3") or a nested list
    state : mapping of each state's name to where a trajectory starts: a number, a list, or text over index and parameters
    kind : "flow" (default) or "map"
    where : named intermediates
    index : mapping of an index to {size=..., cyclic=..., outside=..., name=...}, for equations such as `x[i]`
    ranges : mapping of a parameter to the two ends within which sliders and samplers may move it
    observed : bounded coordinates for unbounded ones, as in {"z": "cos(z)"}
    conserved : first integrals by name
    period : the dominant period in the system's time unit, or None where it is not known

    A System never changes: `with_` makes a new one. Raises DefinitionError for a definition that cannot be read.

    >>> decay = System({"x": "-k*x"}, {"k": 2}, {"x": 1})
    >>> decay.rhs([3.0])
    array([-6.])
    """

    equations: Mapping[str, str]
    parameters: Mapping[str, Number | np.ndarray] = _empty()
    state: Mapping[str, float | np.ndarray] = _empty()
    _: KW_ONLY
    name: str = ""
    title: str = ""
    about: str = ""
    kind: str = "flow"
    field: str = ""
    cite: str = ""
    note: str = ""
    where: Mapping[str, str] = _empty()
    index: Mapping[str, Mapping] = _empty()
    ranges: Mapping[str, tuple[float, float]] = _empty()
    observed: Mapping[str, str] = _empty()
    conserved: Mapping[str, str] = _empty()
    period: float | None = None

    def __post_init__(self):
        keep = lambda key, value: object.__setattr__(self, key, value)
        if self.kind not in KINDS:
            raise DefinitionError(f"kind {self.kind!r} is not one of {', '.join(KINDS)}.{suggest(str(self.kind), KINDS)}")
        if not isinstance(self.equations, Mapping) or not self.equations:
            raise DefinitionError('equations are a mapping of each state to its right-hand side, as in {"x": "sigma*(y - x)"}')
        for key in ("equations", "where", "observed", "conserved"):
            keep(key, MappingProxyType({k: str(v).strip() for k, v in _mapping(getattr(self, key), key).items()}))
        keep("index", MappingProxyType({k: MappingProxyType(_index(k, v)) for k, v in _mapping(self.index, "index").items()}))
        parameters = _mapping(self.parameters, "parameters")
        keep("parameters", MappingProxyType({k: _number(v, f"parameter {k}") for k, v in parameters.items()}))
        keep("ranges", MappingProxyType({k: _range(k, v, self.parameters) for k, v in _mapping(self.ranges, "ranges").items()}))
        if self.period is not None and not (_finite(self.period) and self.period > 0):
            raise DefinitionError(f"the period must be positive and finite, or None; {self.period!r} given")
        keep("state", MappingProxyType(_initial(self)))
        self.flat  # reads every equation  # noqa: B018
        for word in unused(self._text):
            raise DefinitionError(f"parameter {word!r} appears in no equation; setting it would change nothing. Remove it")

    # --- the definition as a value ---------------------------------------------------------------------------------

    @cached_property
    def _text(self) -> Text:
        index = tuple((k, v["size"], v["cyclic"], v["outside"], v["name"]) for k, v in self.index.items())
        shapes = tuple((k, np.shape(v)) for k, v in self.parameters.items())
        tables = (tuple(getattr(self, key).items()) for key in ("equations", "where", "observed", "conserved"))
        equations, where, observed, conserved = tables
        return Text(self.kind, equations, where, index, shapes, observed, conserved)

    @cached_property
    def flat(self) -> Flat:
        """The scalar equations, indices and intermediates written out; what the emitters read."""
        return unroll(self._text)

    def definition(self) -> dict:
        """The definition in plain Python types, ready for TOML or JSON; `System(**definition)` reads it back."""
        plain = {}
        for item in dataclasses.fields(self):
            value = getattr(self, item.name)
            if isinstance(value, Mapping):
                value = {key: _plain(entry) for key, entry in value.items()}
            if value not in ("", None, {}):
                plain[item.name] = value
        return plain

    def __reduce__(self):
        return _rebuild, (self.definition(),)

    @cached_property
    def _key(self) -> str:
        return repr(self.definition())

    def __eq__(self, other):
        return self._key == other._key if isinstance(other, System) else NotImplemented

    def __hash__(self):
        return hash(self._key)

    def with_(self, *, state: Mapping | None = None, **changes) -> "System":
        """A new system with other parameter values, or other starting values of states; its period is not known yet.

        >>> from chaoslab.systems import load
        >>> load("Lorenz").with_(rho=99).parameters["rho"]
        99
        """
        start = dict(state or {})
        start |= {key: changes.pop(key) for key in list(changes) if key in self.state and key not in self.parameters}
        for key in (*changes, *start):
            known = self.state if key in start else self.parameters
            if key not in known:
                kind = "state" if key in start else "parameter"
                choices = [*self.parameters, *self.state]
                raise ValueError(f"{self.label} has no {kind} {key!r}.{suggest(key, choices)} It has {', '.join(choices)}")
        new = {key: _number(value, f"parameter {key}") for key, value in changes.items()}
        for key, value in new.items():
            if np.shape(value) != np.shape(self.parameters[key]):
                raise ValueError(
                    f"parameter {key} of {self.label} has shape {np.shape(self.parameters[key])}, {np.shape(value)} given; "
                    "another size is set by load(name, n=...)"
                )
        return dataclasses.replace(self, parameters={**self.parameters, **new}, state={**self.state, **start}, period=None)

    @classmethod
    def from_function(cls, function: Callable, parameters=None, state=None, **more) -> "System":
        """A system from the source of a plain Python function of the states that returns their right-hand sides.

        The first arguments are the states, arguments with defaults are parameters; lines `a = ...` become [where].

        >>> def vanderpol(x, y, mu=2.0):
        ...     return y, mu*(1 - x**2)*y - x
        >>> System.from_function(vanderpol, state={"x": 1, "y": 0}).equations["x"]
        'y'
        """
        from .function import definition_of

        definition = definition_of(function)
        definition["parameters"] |= dict(parameters or {})
        if state is not None:
            definition["state"] = dict(state)
        return cls(**{**definition, **more})

    # --- what is derived -------------------------------------------------------------------------------------------

    @property
    def label(self) -> str:
        """The name, or words that stand for it."""
        return self.name or self.title or f"this {self.kind}"

    @property
    def components(self) -> tuple[str, ...]:
        """Names of the state vector's entries: x, y, z, or x1, x2, ... for a state on sites."""
        return self.flat.components

    @property
    def dimension(self) -> int:
        """Number of entries of the state vector."""
        return len(self.flat.components)

    @property
    def smooth(self) -> bool:
        """Whether the right-hand side is free of kinks and jumps."""
        return self.flat.smooth

    @cached_property
    def initial(self) -> np.ndarray:
        """The state vector where a trajectory starts, shape (component,)."""
        vector = np.concatenate([np.ravel(np.asarray(self.state[target(key)[0]], float)) for key in self.equations])
        vector.flags.writeable = False
        return vector

    @cached_property
    def values(self) -> np.ndarray:
        """Parameter values as floats in the order of `flat.parameters`."""
        flat = [np.ravel(np.asarray(value, float)) for value in self.parameters.values()]
        vector = np.concatenate(flat) if flat else np.empty(0)
        vector.flags.writeable = False
        return vector

    def rhs(self, state, t=0.0, **parameters) -> np.ndarray:
        """The right-hand side at states of shape (..., component); parameters may be arrays that broadcast with `...`.

        Time derivatives for a flow, next values for a map. NaN where a real value does not exist.
        """
        return self._evaluate(self.flat.rhs, state, t, parameters)

    def jacobian(self, state, t=0.0, **parameters) -> np.ndarray:
        """d rhs_i / d x_j at states (..., component), as (..., i, j); derivatives of jumps are zero."""
        entries = self._evaluate(sum(self.derivatives, ()), state, t, parameters)
        return entries.reshape(*entries.shape[:-1], self.dimension, self.dimension)

    def divergence(self, state, t=0.0, **parameters) -> np.ndarray:
        """The trace of the Jacobian at states (..., component), as (...): the rate at which volume grows."""
        diagonal = tuple(row[k] for k, row in enumerate(self.derivatives))
        return self._evaluate(diagonal, state, t, parameters).sum(axis=-1)

    def observe(self, state, t=0.0, **parameters) -> np.ndarray:
        """The bounded coordinates of states (..., component); the states themselves where the definition has none."""
        return self._evaluate(self.flat.observed or self.flat.variables, state, t, parameters)

    def invariants(self, state, t=0.0, **parameters) -> dict[str, np.ndarray]:
        """The values of the conserved quantities at states (..., component), by name."""
        values = self._evaluate(tuple(self.flat.conserved.values()), state, t, parameters)
        return {key: values[..., k] for k, key in enumerate(self.flat.conserved)}

    @cached_property
    def derivatives(self) -> tuple[tuple[Node, ...], ...]:
        """Trees of the Jacobian's entries."""
        from . import calculus

        return calculus.jacobian(self.flat.rhs, self.flat.variables)

    def _evaluate(self, trees, state, t, parameters) -> np.ndarray:
        state = np.asarray(state, float)
        self._check(state.shape)
        values = [state[..., k] for k in range(self.dimension)] + self._columns(parameters)
        function = emit.numpy_function(tuple(trees), self.flat.variables + self.flat.parameters)
        with np.errstate(all="ignore"):
            columns = function(values, t)
        shape = np.broadcast_shapes(np.shape(t), *(np.shape(value) for value in values))
        out = np.empty((*shape, len(columns)))
        for k, column in enumerate(columns):
            out[..., k] = column
        return out

    def _check(self, shape: tuple[int, ...]):
        if tuple(shape[-1:]) != (self.dimension,):
            given = f"shape {tuple(shape)}" if shape else "a single number"
            raise ValueError(
                f"{self.label} has {self.dimension} components, so states have shape (..., {self.dimension}); {given} given"
            )

    def _columns(self, parameters: Mapping) -> list:
        for key in parameters:
            if key not in self.parameters:
                raise ValueError(
                    f"{self.label} has no parameter {key!r}.{suggest(key, self.parameters)} It has {', '.join(self.parameters)}"
                )
        if not parameters:
            return list(self.values)
        merged = {**self.parameters, **parameters}
        columns = []
        for word, position in self.flat.places:
            value = np.asarray(float(merged[word]) if isinstance(merged[word], Fraction) else merged[word], float)
            if position and value.shape[value.ndim - len(position) :] != np.shape(self.parameters[word]):
                raise ValueError(f"parameter {word} has shape {np.shape(self.parameters[word])}; {value.shape} given")
            columns.append(value[(..., *(k - 1 for k in position))] if position else value)
        return columns

    def torch_rhs(self) -> Callable:
        """`f(state, t=0.0, **parameters)` on tensors: batched states (..., component) and batched parameters.

        Follows the dtype and device of `state`; differentiable in states, parameters and time.
        """
        import torch

        function = emit.torch_function(self.flat.rhs, self.flat.variables + self.flat.parameters)

        def rhs(state, t=0.0, **parameters):
            self._check(state.shape)
            if not state.is_floating_point():
                raise ValueError(f"states are floating-point tensors, as in state.double(); {state.dtype} given")
            cast = lambda value: torch.as_tensor(value, dtype=state.dtype, device=state.device)
            given = {key: cast(value) for key, value in parameters.items()}
            default = dict(zip(self.flat.parameters, self.values, strict=True))
            columns = [state[..., k] for k in range(self.dimension)]
            for node, (word, position) in zip(self.flat.parameters, self.flat.places, strict=True):
                if word in given:
                    columns.append(given[word][(..., *(k - 1 for k in position))] if position else given[word])
                else:
                    columns.append(cast(default[node]))
            unknown = set(given) - set(self.parameters)
            if unknown:
                raise ValueError(f"{self.label} has no parameter {sorted(unknown)}; it has {', '.join(self.parameters)}")
            results = [cast(value) for value in function(columns, cast(t), cast)]
            return torch.stack(torch.broadcast_tensors(*results, columns[0])[:-1], dim=-1)

        return rhs

    def javascript(self) -> str:
        """The right-hand side as a JavaScript function `(s, p, t, out) => {...}` of state, parameters and time."""
        return emit.javascript(self.flat.rhs, self.flat.variables, self.flat.parameters)

    def terms(self) -> dict[str, dict[str, float]]:
        """The expanded right-hand side with parameters put in, as {state: {monomial: coefficient}}.

        Raises NotPolynomial where an equation is not a polynomial in the states.
        """
        from . import calculus

        values = dict(zip(self.flat.parameters, self._exact, strict=True))
        trees = substitute(self.flat.rhs, {node: number(Fraction(value)) for node, value in values.items()})
        return dict(zip(self.components, calculus.terms(trees, self.flat.variables, self.components), strict=True))

    @property
    def _exact(self) -> list:
        return [value if position is None else value[tuple(k - 1 for k in position)]
                for (word, position) in self.flat.places for value in [self.parameters[word]]]  # fmt: skip

    @cached_property
    def latex(self) -> str:
        """The equations as LaTeX, in the order and layout they are written in."""
        return typeset(self.kind, self.equations, self.where, self.index)

    # --- how it looks ----------------------------------------------------------------------------------------------

    def __repr__(self):
        mark = "'" if self.kind == "flow" else " ->"
        rows = [f"{key}{mark}{' =' if self.kind == 'flow' else ''} {text}" for key, text in self.equations.items()]
        rows += [f"where {key} = {text}" for key, text in self.where.items()]
        values = ", ".join(f"{key} = {_short(value)}" for key, value in self.parameters.items())
        head = f"{self.label}: a {self.kind} of {self.dimension} component{'s' * (self.dimension != 1)}"
        return "\n".join([head, *("  " + row for row in rows), *(["  with " + values] if values else [])])

    def _repr_markdown_(self):
        parts = [f"**{self.title or self.name or 'A ' + self.kind}**" + (f" &nbsp; *{self.field}*" if self.field else "")]
        parts += [self.about] if self.about else []
        parts.append(f"$$\n{self.latex}\n$$")
        values = ", ".join(rf"${symbol(key)} = {_latex_value(value)}$" for key, value in self.parameters.items())
        parts += [f"with {values}"] if values else []
        parts += [f"conserved: {', '.join(self.conserved)}"] if self.conserved else []
        parts += [f"dominant period {self.period:.4g}"] if self.period and self.kind == "flow" else []
        parts += [f"<small>{self.reference}</small>"] if self.cite else []
        parts += [f"<small>Note: {self.note}</small>"] if self.note else []
        return "\n\n".join(parts)

    @property
    def reference(self) -> str:
        """The source as a line of text, from references.bib; the empty string for a system without one."""
        from .catalogue import reference

        return reference(self.cite) if self.cite else ""


def _rebuild(definition: dict) -> System:
    return System(**definition)


def _mapping(value, key: str) -> Mapping:
    if not isinstance(value, Mapping):
        raise DefinitionError(f"{key} must be a mapping of names, {type(value).__name__} given")
    for word in value:
        if not isinstance(word, str):
            raise DefinitionError(f"{key} has the key {word!r}; names are text")
        if key == "parameters" and (not word.isidentifier() or target(word)[1]):
            raise DefinitionError(f"parameter {word!r} must be a plain name; a matrix is given as nested lists and used as w[i,j]")
    return value


def _number(value, place: str) -> Number | np.ndarray:
    """A finite number, exact where it is given as a fraction, or a read-only array of floats."""
    if isinstance(value, str):
        tree = read(value, where=place)
        exact = emit.lower(tree)[0]
        if constant(tree) is None:
            raise DefinitionError(f"{place} = {value!r} must be a number; only digits, pi and functions can stand here")
        rational = all(node.head in ("number", "+", "*", "/", "neg") for node in emit.walk(tree))
        if rational and exact.head == "number":
            fraction = exact.args[0]
            return int(fraction) if fraction.denominator == 1 else fraction
        value = constant(tree)
    if isinstance(value, np.generic | np.ndarray) and np.ndim(value) == 0:
        value = value.item()
    if isinstance(value, list | tuple | np.ndarray):
        try:
            array = np.array(_floats(value, place), float)
        except ValueError as error:
            raise DefinitionError(f"{place} must be a number or a rectangular list of numbers; {value!r} given") from error
        if array.size == 0:
            raise DefinitionError(f"{place} is an empty list")
        array.flags.writeable = False
        return array
    if not _finite(value):
        raise DefinitionError(f"{place} must be a finite number, a fraction such as '8/3', or a list; {value!r} given")
    return value


def _finite(value) -> bool:
    """Whether it is a number, and one that a float can hold."""
    try:
        return isinstance(value, Number) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:
        return False


def _floats(value, place: str):
    """Nested lists with every entry a finite float; entries may be fractions as text."""
    return (
        [_floats(entry, place) for entry in value] if isinstance(value, list | tuple | np.ndarray) else float(_number(value, place))
    )


def _index(key: str, entry) -> dict:
    known = {"size": None, "cyclic": False, "outside": None, "name": "n"}
    entry = dict(_mapping(entry, f"index {key}"))
    for word in entry:
        if word not in known:
            raise DefinitionError(f"index {key} has the unknown key {word!r}.{suggest(word, known)} Keys are {', '.join(known)}")
    entry = known | entry
    if isinstance(entry["size"], bool) or not isinstance(entry["size"], int) or not 1 <= entry["size"] <= 100_000:
        raise DefinitionError(
            f"index {key} needs a size, a whole number from 1 to 100000, as in {{size = 40}}; {entry['size']!r} given"
        )
    if not isinstance(entry["cyclic"], bool) or (entry["cyclic"] and entry["outside"] is not None):
        raise DefinitionError(f"index {key} is cyclic = true, or has a value outside = 0, or neither")
    if entry["outside"] is not None and np.ndim(_number(entry["outside"], f"outside of index {key}")):
        raise DefinitionError(f"outside of index {key} is one number; {entry['outside']!r} given")
    if not isinstance(entry["name"], str) or not entry["name"].isidentifier():
        raise DefinitionError(f"the name of index {key}'s size is a word such as 'n'; {entry['name']!r} given")
    return entry


def _range(key: str, value, parameters) -> tuple[float, float]:
    if key not in parameters:
        raise DefinitionError(f"[ranges] names {key!r}, which is not a parameter.{suggest(key, parameters)}")
    ends = tuple(float(_number(end, f"range of {key}")) for end in value) if isinstance(value, list | tuple) else ()
    if len(ends) != 2 or not ends[0] < ends[1]:
        raise DefinitionError(f"the range of {key} must be two numbers, the smaller first, as in [0, 200]; {value!r} given")
    return ends


def _initial(system: System) -> dict[str, float | np.ndarray]:
    """The starting values with text evaluated, one entry a state; raises where one is missing or too many."""
    left = dict(target(key) for key in system.equations)
    given = _mapping(system.state, "state")
    for word in given:
        if word not in left:
            raise DefinitionError(
                f"[state] names {word!r}, which has no equation.{suggest(word, left)} States are {', '.join(left)}"
            )
    state = {}
    for key in system.equations:
        word, indices = target(key)
        if word not in given:
            raise DefinitionError(f"[state] has no value for {word}; a trajectory must start somewhere")
        value, shape = given[word], tuple(system.index[i]["size"] for i in indices if i in system.index)
        if isinstance(value, str) and indices:
            value = _spread(system, key, value).reshape(shape)
        value = _number(value, f"state {word}")
        if len(shape) == len(indices) and np.shape(value) != shape:
            raise DefinitionError(
                f"state {word} needs {'one number' if not shape else f'a list of shape {shape}'}, shape {np.shape(value)} given"
            )
        state[word] = value if indices else float(value)
    return state


def _spread(system: System, key: str, text: str) -> np.ndarray:
    """Values of text such as 'F + cos(2*pi*i/n)' at every site."""
    flat = unroll(dataclasses.replace(system._text, equations=((key, text),), where=(), observed=(), conserved=()))
    values = {node: number(Fraction(float(value))) for node, value in zip(flat.parameters, system.values, strict=True)}
    sites = [constant(tree) for tree in substitute(flat.rhs, values)]
    if any(site is None or not math.isfinite(site) for site in sites):
        raise DefinitionError(f"state {key} = {text!r} must be finite numbers made of indices, sizes and parameters")
    return np.array(sites)


def _plain(value):
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Fraction):
        return str(value)
    if isinstance(value, Mapping):
        return {key: entry for key, entry in value.items() if entry is not None}
    return list(value) if isinstance(value, tuple) else value


def _short(value) -> str:
    if isinstance(value, np.ndarray):
        return (
            np.array2string(value, threshold=6, edgeitems=2, separator=", ").replace("\n", "")
            if value.size <= 6
            else f"array{value.shape}"
        )
    return str(value) if isinstance(value, Fraction | int) else f"{value:.6g}"


def _latex_value(value) -> str:
    if isinstance(value, np.ndarray):
        rows = value if value.ndim == 2 else [value]
        if value.size > 64 or value.ndim > 2:
            size = r" \times ".join(map(str, value.shape))
            return rf"\text{{array }} {size}"
        body = r" \\ ".join(" & ".join(figure(f"{entry:.6g}") for entry in row) for row in rows)
        return rf"\begin{{pmatrix}} {body} \end{{pmatrix}}"
    if isinstance(value, Fraction):
        return rf"\frac{{{value.numerator}}}{{{value.denominator}}}"
    return figure(f"{value:.7g}")
