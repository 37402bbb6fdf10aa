"""System: a definition as a frozen value, and everything that is derived from its text."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass
from fractions import Fraction
from functools import cached_property
from types import MappingProxyType

import numpy as np

from . import emit
from .definition import Number, brief, exact, finite, index_entry, interval, latex_value, mapping, plain, starting_values
from .language import DefinitionError, suggest
from .latex import symbol, typeset
from .tree import Node, number
from .unroll import Flat, Text, substitute, target, unroll, unused

KINDS = ("flow", "map", "delay")
#: Tables of text by name: what the language reads, beside the equations.
TABLES = ("equations", "where", "observed", "conserved", "noise")
#: A table that is lost when a system becomes a part of another.
SYMMETRY = "symmetry"


def _empty():
    return dataclasses.field(default_factory=dict)


@dataclass(frozen=True, eq=False, repr=False)
class System:
    """A dynamical system written as text.

    Parameters
    ----------
    equations : mapping of a state's name to its right-hand side: its time derivative for a flow, its next value for a map.
        A state some time ago is written `x(t - tau)`
    parameters : mapping of a parameter's name to a number, an exact fraction as text ("8/3") or a nested list
    state : mapping of each state's name to where a trajectory starts: a number, a list, or text over index and parameters
    kind : "flow" (default), "map", or "delay" for a flow with delayed states
    where : named intermediates
    index : mapping of an index to {size=..., cyclic=..., outside=..., name=..., fixed=...}, for equations such as `x[i]`
    ranges : mapping of a parameter to the two ends within which sliders and samplers may move it
    observed : bounded coordinates for unbounded ones, as in {"z": "cos(z)"}
    conserved : first integrals by name
    symmetry : where a symmetry of the equations takes each state, as in {"x": "-x", "y": "-y"}; the others stay
    noise : diffusion of a state's Ito equation, as in {"x": "s*x"}: dx = (equation) dt + s*x dW, W its own Wiener process
    period : the dominant period in the system's time unit, or None where it is not known
    lyapunov_time : 1 / the largest Lyapunov exponent in that unit, or None where it is not known or the motion not chaotic

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
    noise: Mapping[str, str] = _empty()
    symmetry: Mapping[str, str] = _empty()
    period: float | None = None
    lyapunov_time: float | None = None

    def __post_init__(self):
        keep = lambda key, value: object.__setattr__(self, key, value)
        if self.kind not in KINDS:
            raise DefinitionError(f"kind {self.kind!r} is not one of {', '.join(KINDS)}.{suggest(str(self.kind), KINDS)}")
        if not isinstance(self.equations, Mapping) or not self.equations:
            raise DefinitionError('equations are a mapping of each state to its right-hand side, as in {"x": "sigma*(y - x)"}')
        for key in (*TABLES, SYMMETRY):
            keep(key, MappingProxyType({k: str(v).strip() for k, v in mapping(getattr(self, key), key).items()}))
        keep("index", MappingProxyType({k: MappingProxyType(index_entry(k, v)) for k, v in mapping(self.index, "index").items()}))
        parameters = mapping(self.parameters, "parameters")
        keep("parameters", MappingProxyType({k: exact(v, f"parameter {k}") for k, v in parameters.items()}))
        keep("ranges", MappingProxyType({k: interval(k, v, self.parameters) for k, v in mapping(self.ranges, "ranges").items()}))
        for key in ("period", "lyapunov_time"):
            time = getattr(self, key)
            if time is not None and not (finite(time) and time > 0):
                raise DefinitionError(f"the {key.replace('_', ' ')} must be positive and finite, or None; {time!r} given")
        keep("state", MappingProxyType(starting_values(self)))
        self.flat  # reads every equation  # noqa: B018
        for word in () if self.flat.complete else unused(self._text):
            raise DefinitionError(f"parameter {word!r} appears in no equation; setting it would change nothing. Remove it")
        for delay, lag in zip(self.flat.delays, self.lags, strict=True):
            if not 0 < lag < np.inf:
                raise DefinitionError(f"the lag of {self.components[delay.component]} must be positive and finite; it is {lag:g}")

    # --- the definition as a value ---------------------------------------------------------------------------------

    @cached_property
    def _text(self) -> Text:
        index = tuple((k, v["size"], v["cyclic"], v["outside"], v["name"]) for k, v in self.index.items())
        shapes = tuple((k, np.shape(v)) for k, v in self.parameters.items())
        equations, where, *others = (tuple(getattr(self, key).items()) for key in (*TABLES, SYMMETRY))
        return Text(self.kind, equations, where, index, shapes, *others)

    @cached_property
    def flat(self) -> Flat:
        """The scalar equations, indices and intermediates written out; what the emitters read."""
        return unroll(self._text)

    def definition(self) -> dict:
        """The definition in plain Python types, ready for TOML or JSON; `System(**definition)` reads it back."""
        definition = {}
        for item in dataclasses.fields(self):
            value = getattr(self, item.name)
            if isinstance(value, Mapping):
                value = {key: plain(entry) for key, entry in value.items()}
            if value not in ("", None, {}):
                definition[item.name] = value
        return definition

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
        """A new system with other parameter values, or other starting values of states; its times are not known yet.

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
        new = {key: exact(value, f"parameter {key}") for key, value in changes.items()}
        for key, value in new.items():
            if np.shape(value) != np.shape(self.parameters[key]):
                raise ValueError(
                    f"parameter {key} of {self.label} has shape {np.shape(self.parameters[key])}, {np.shape(value)} given; "
                    "another size is set by load(name, n=...)"
                )
        made = {"parameters": {**self.parameters, **new}, "state": {**self.state, **start}}
        return dataclasses.replace(self, **made, period=None, lyapunov_time=None)

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
        return self.name or self.title or ("this delay system" if self.kind == "delay" else f"this {self.kind}")

    @property
    def components(self) -> tuple[str, ...]:
        """Names of the state vector's entries: x, y, z, or x1, x2, ... for a state on sites."""
        return self.flat.components

    @property
    def dimension(self) -> int:
        """Number of entries of the state vector."""
        return len(self.flat.components)

    @property
    def sizes(self) -> dict[str, int]:
        """The sizes that `load` can set, by name, as in {"n": 40}; empty for a system that is no family."""
        return {entry["name"]: entry["size"] for entry in self.index.values() if not entry["fixed"]}

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

    @cached_property
    def lags(self) -> np.ndarray:
        """The lags of a delay system's delayed states, in the order of `flat.delays`; empty for every other kind."""
        return self.lags_at(self.values)

    def lags_at(self, values: np.ndarray) -> np.ndarray:
        """Lags (delay,) at parameter values in the order of `flat.parameters`."""
        if not self.flat.delays:
            return np.empty(0)
        function = emit.numpy_function(tuple(delay.lag for delay in self.flat.delays), self.flat.parameters)
        return np.array(function(list(values)), float)

    def rhs(self, state, t=0.0, delayed=None, **parameters) -> np.ndarray:
        """The right-hand side at states of shape (..., component); parameters may be arrays that broadcast with `...`.

        Time derivatives for a flow, next values for a map. NaN where a real value does not exist. A delay system takes the
        values of its `delayed` states too, (..., delay) in the order of `flat.delays`; without them, the state is taken to
        have rested where it is.
        """
        return self._evaluate(self.flat.rhs, state, t, parameters, delayed)

    def jacobian(self, state, t=0.0, delayed=None, **parameters) -> np.ndarray:
        """d rhs_i / d x_j at states (..., component), as (..., i, j); derivatives of jumps are zero."""
        entries = self._evaluate(sum(self.derivatives, ()), state, t, parameters, delayed)
        return entries.reshape(*entries.shape[:-1], self.dimension, self.dimension)

    def divergence(self, state, t=0.0, delayed=None, **parameters) -> np.ndarray:
        """The trace of the Jacobian at states (..., component), as (...): the rate at which volume grows."""
        diagonal = tuple(row[k] for k, row in enumerate(self.derivatives))
        return self._evaluate(diagonal, state, t, parameters, delayed).sum(axis=-1)

    def observe(self, state, t=0.0, **parameters) -> np.ndarray:
        """The bounded coordinates of states (..., component); the states themselves where the definition has none."""
        return self._evaluate(self.flat.observed or self.flat.variables, state, t, parameters)

    def invariants(self, state, t=0.0, **parameters) -> dict[str, np.ndarray]:
        """The values of the conserved quantities at states (..., component), by name."""
        values = self._evaluate(tuple(self.flat.conserved.values()), state, t, parameters)
        return {key: values[..., k] for k, key in enumerate(self.flat.conserved)}

    def image(self, state, **parameters) -> np.ndarray:
        """Where the symmetry takes states (..., component); raises ValueError for a system without one.

        It takes solutions to solutions: f(S(x)) = S'(x) f(x) for a flow, f(S(x)) = S(f(x)) for a map.
        """
        if self.flat.symmetry is None:
            raise ValueError(f'{self.label} states no symmetry; one is given as symmetry={{"x": "-x", ...}}')
        return self._evaluate(self.flat.symmetry, state, 0.0, parameters)

    @cached_property
    def derivatives(self) -> tuple[tuple[Node, ...], ...]:
        """Trees of the Jacobian's entries."""
        from . import calculus

        return calculus.jacobian(self.flat.rhs, self.flat.variables)

    def _evaluate(self, trees, state, t, parameters, delayed=None) -> np.ndarray:
        state = np.asarray(state, float)
        self._check(state.shape)
        values = [state[..., k] for k in range(self.dimension)] + self._columns(parameters) + self._past(state, delayed)
        function = emit.numpy_function(tuple(trees), self.flat.inputs)
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

    def _past(self, state, delayed) -> list:
        """Columns of delayed states; those of a state at rest where none are given. Arrays or tensors."""
        delays = self.flat.delays
        delayed = np.asarray(delayed, float) if isinstance(delayed, list | tuple | float | int) else delayed
        if delayed is None:
            return [state[..., delay.component] for delay in delays]
        if tuple(delayed.shape[-1:]) != (len(delays),):
            raise ValueError(
                f"{self.label} has {len(delays)} delayed states, so delayed has shape (..., {len(delays)}); "
                f"{tuple(delayed.shape)} given"
            )
        return [delayed[..., k] for k in range(len(delays))]

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
        """`f(state, t=0.0, delayed=None, **parameters)` on tensors: batched states (..., component), batched parameters.

        Follows the dtype and device of `state`; differentiable in states, parameters and time.
        """
        import torch

        function = emit.torch_function(self.flat.rhs, self.flat.inputs)

        def rhs(state, t=0.0, delayed=None, **parameters):
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
            columns += self._past(state, delayed)
            results = [cast(value) for value in function(columns, cast(t), cast)]
            return torch.stack(torch.broadcast_tensors(*results, columns[0])[:-1], dim=-1)

        return rhs

    def javascript(self) -> str:
        """The right-hand side as a JavaScript function `(s, p, t, out) => {...}` of state, parameters and time.

        A delay system's takes the delayed states `d` as a fifth argument.
        """
        return emit.javascript(self.flat.rhs, self.flat.variables, self.flat.parameters, [d.symbol for d in self.flat.delays])

    def terms(self) -> dict[str, dict[str, float]]:
        """The expanded right-hand side with parameters put in, as {state: {monomial: coefficient}}.

        Raises NotPolynomial where an equation is not a polynomial in the states.
        """
        from . import calculus

        values = dict(zip(self.flat.parameters, self._exact, strict=True))
        trees = substitute(self.flat.rhs, {node: number(Fraction(value)) for node, value in values.items()})
        past: dict[str, Node] = {}
        for delay, lag in zip(self.flat.delays, self.lags, strict=True):  # equal lags are one unknown, however they are written
            label = f"{self.components[delay.component]}(t - {np.format_float_positional(lag, trim='-')})"
            values[delay.symbol] = past.setdefault(label, delay.symbol)
        trees = substitute(trees, {delay.symbol: values[delay.symbol] for delay in self.flat.delays})
        parts = calculus.terms(trees, self.flat.variables + tuple(past.values()), [*self.components, *past])
        return dict(zip(self.components, parts, strict=True))

    @property
    def _exact(self) -> list:
        return [value if position is None else value[tuple(k - 1 for k in position)]
                for (word, position) in self.flat.places for value in [self.parameters[word]]]  # fmt: skip

    @cached_property
    def latex(self) -> str:
        """The equations as LaTeX, in the order and layout they are written in."""
        return typeset(self.kind, self.equations, self.where, self.index, self.noise)

    # --- how it looks ----------------------------------------------------------------------------------------------

    def __repr__(self):
        mark = " ->" if self.kind == "map" else "' ="
        rows = [f"{key}{mark} {text}" for key, text in self.equations.items()]
        rows += [f"noise of {key}: {text}" for key, text in self.noise.items()]
        rows += [f"where {key} = {text}" for key, text in self.where.items()]
        values = ", ".join(f"{key} = {brief(value)}" for key, value in self.parameters.items())
        kind = "delay system" if self.kind == "delay" else self.kind
        head = f"{self.label}: a {kind} of {self.dimension} component{'s' * (self.dimension != 1)}"
        return "\n".join([head, *("  " + row for row in rows), *(["  with " + values] if values else [])])

    def _repr_markdown_(self):
        parts = [f"**{self.title or self.name or 'A ' + self.kind}**" + (f" &nbsp; *{self.field}*" if self.field else "")]
        parts += [self.about] if self.about else []
        parts.append(f"$$\n{self.latex}\n$$")
        values = ", ".join(rf"${symbol(key)} = {latex_value(value)}$" for key, value in self.parameters.items())
        parts += [f"with {values}"] if values else []
        parts += [f"conserved: {', '.join(self.conserved)}"] if self.conserved else []
        parts += [f"symmetry: {_images(self.symmetry)}"] if self.symmetry else []
        parts += [f"dominant period {self.period:.4g}"] if self.period and self.kind != "map" else []
        parts += [f"Lyapunov time {self.lyapunov_time:.4g}"] if self.lyapunov_time else []
        parts += [found] if (found := self._findings()) else []
        parts += [f"<small>{self.reference}</small>"] if self.cite else []
        parts += [f"<small>Note: {self.note}</small>"] if self.note else []
        return "\n\n".join(parts)

    def _findings(self) -> str:
        from .catalogue import findings

        return findings(self) if self.name else ""

    @property
    def reference(self) -> str:
        """The source as a line of text, from references.bib; the empty string for a system without one."""
        from .catalogue import reference

        return reference(self.cite) if self.cite else ""


def _images(symmetry: Mapping[str, str]) -> str:
    return f"({', '.join(symmetry)}) → ({', '.join(symmetry.values())})"


def _rebuild(definition: dict) -> System:
    return System(**definition)
