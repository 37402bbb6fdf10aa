"""From what a person writes to what a System keeps: numbers, ranges, index entries, starting values; and back."""

import dataclasses
import math
from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from . import emit
from .language import DefinitionError, read, suggest
from .latex import figure
from .tree import constant, number, walk
from .unroll import substitute, target, unroll

Number = int | float | Fraction


def mapping(value, key: str) -> Mapping:
    if not isinstance(value, Mapping):
        raise DefinitionError(f"{key} must be a mapping of names, {type(value).__name__} given")
    for word in value:
        if not isinstance(word, str):
            raise DefinitionError(f"{key} has the key {word!r}; names are text")
        if key == "parameters" and (not word.isidentifier() or target(word)[1]):
            raise DefinitionError(f"parameter {word!r} must be a plain name; a matrix is given as nested lists and used as w[i,j]")
    return value


def exact(value, place: str) -> Number | np.ndarray:
    """A finite number, exact where it is given as a fraction, or a read-only array of floats."""
    if isinstance(value, str):
        tree = read(value, where=place)
        folded = emit.lower(tree)[0]
        if constant(tree) is None:
            raise DefinitionError(f"{place} = {value!r} must be a number; only digits, pi and functions can stand here")
        rational = all(node.head in ("number", "+", "*", "/", "neg") for node in walk(tree))
        if rational and folded.head == "number":
            fraction = folded.args[0]
            return int(fraction) if fraction.denominator == 1 else fraction
        value = constant(tree)
    if isinstance(value, np.generic | np.ndarray) and np.ndim(value) == 0:
        value = value.item()
    if isinstance(value, list | tuple | np.ndarray):
        try:
            array = np.array(floats(value, place), float)
        except ValueError as error:
            raise DefinitionError(f"{place} must be a number or a rectangular list of numbers; {value!r} given") from error
        if array.size == 0:
            raise DefinitionError(f"{place} is an empty list")
        array.flags.writeable = False
        return array
    if not finite(value):
        raise DefinitionError(f"{place} must be a finite number, a fraction such as '8/3', or a list; {value!r} given")
    return value


def finite(value) -> bool:
    """Whether it is a number, and one that a float can hold."""
    try:
        return isinstance(value, Number) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:
        return False


def floats(value, place: str):
    """Nested lists with every entry a finite float; entries may be fractions as text."""
    return [floats(entry, place) for entry in value] if isinstance(value, list | tuple | np.ndarray) else float(exact(value, place))


def index_entry(key: str, entry) -> dict:
    known = {"size": None, "cyclic": False, "outside": None, "name": "n", "fixed": False}
    entry = dict(mapping(entry, f"index {key}"))
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
    if entry["outside"] is not None and np.ndim(exact(entry["outside"], f"outside of index {key}")):
        raise DefinitionError(f"outside of index {key} is one number; {entry['outside']!r} given")
    if not isinstance(entry["fixed"], bool):
        raise DefinitionError(f"index {key} is fixed = true where no other size has a meaning; {entry['fixed']!r} given")
    if not isinstance(entry["name"], str) or not entry["name"].isidentifier():
        raise DefinitionError(f"the name of index {key}'s size is a word such as 'n'; {entry['name']!r} given")
    return entry


def interval(key: str, value, parameters) -> tuple[float, float]:
    if key not in parameters:
        raise DefinitionError(f"[ranges] names {key!r}, which is not a parameter.{suggest(key, parameters)}")
    ends = tuple(float(exact(end, f"range of {key}")) for end in value) if isinstance(value, list | tuple) else ()
    if len(ends) != 2 or not ends[0] < ends[1]:
        raise DefinitionError(f"the range of {key} must be two numbers, the smaller first, as in [0, 200]; {value!r} given")
    return ends


def starting_values(system) -> dict[str, float | np.ndarray]:
    """The starting values with text evaluated, one entry a state; raises where one is missing or too many."""
    left = dict(target(key) for key in system.equations)
    given = mapping(system.state, "state")
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
        value = exact(value, f"state {word}")
        if len(shape) == len(indices) and np.shape(value) != shape:
            raise DefinitionError(
                f"state {word} needs {'one number' if not shape else f'a list of shape {shape}'}, shape {np.shape(value)} given"
            )
        state[word] = value if indices else float(value)
    return state


def _spread(system, key: str, text: str) -> np.ndarray:
    """Values of text such as 'F + cos(2*pi*i/n)' at every site."""
    alone = {"equations": ((key, text),), "where": (), "observed": (), "conserved": (), "noise": (), "symmetry": (), "kind": "flow"}
    flat = unroll(dataclasses.replace(system._text, **alone))
    values = {node: number(Fraction(float(value))) for node, value in zip(flat.parameters, system.values, strict=True)}
    sites = [constant(tree) for tree in substitute(flat.rhs, values)]
    if any(site is None or not math.isfinite(site) for site in sites):
        raise DefinitionError(f"state {key} = {text!r} must be finite numbers made of indices, sizes and parameters")
    return np.array(sites)


def plain(value):
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Fraction):
        return str(value)
    if isinstance(value, Mapping):
        return {key: entry for key, entry in value.items() if entry is not None and (key, entry) != ("fixed", False)}
    return list(value) if isinstance(value, tuple) else value


def brief(value) -> str:
    if isinstance(value, np.ndarray):
        return (
            np.array2string(value, threshold=6, edgeitems=2, separator=", ").replace("\n", "")
            if value.size <= 6
            else f"array{value.shape}"
        )
    return str(value) if isinstance(value, Fraction | int) else f"{value:.6g}"


def latex_value(value) -> str:
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
