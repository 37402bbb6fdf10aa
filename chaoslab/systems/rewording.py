"""Definitions reworded: names changed in place, old coordinates put in, time sped up. The author's layout stays."""

import ast
import itertools
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from .definition import exact
from .language import RESERVED, read
from .system import TABLES, System
from .tree import names_in
from .unroll import target


def checked(system) -> None:
    if not isinstance(system, System):
        raise TypeError(f"systems are made of systems, as in load('Lorenz'); {type(system).__name__} given")


def meanings_of(system: System) -> dict[str, object]:
    """Every name of a definition; equal meanings can be shared between systems, as those of indices and sizes."""
    words = (*system.state, *map(word_of, system.where), *system.parameters)
    sizes, index = system._text.sizes, {key: tuple(entry.items()) for key, entry in system.index.items()}
    return {**sizes, **index, **{word: object() for word in words}}


def labels_of(system: System) -> dict[str, str]:
    """Every name and every component of a definition, with the word that it comes from."""
    parts = {label: node.args[0].partition("[")[0] for label, node in zip(system.components, system.flat.variables, strict=True)}
    return parts | {word: word for word in meanings_of(system)}


def word_of(key: str) -> str:
    return target(key)[0]


def sites_of(indices: Iterable[str]) -> str:
    text = ",".join(indices)
    return f"[{text}]" if text else ""


def fresh(word: str, taken: set[str]) -> str:
    """The word, or the word with a number where it is taken; it is taken from now on."""
    new = next(new for k in itertools.count(1) if (new := word if k == 1 else f"{word}{k}") not in taken)
    taken.add(new)
    return new


def used_names(made: dict) -> set[str]:
    """Every name of a definition in the making."""
    labels = (entry["name"] for entry in made["index"].values())
    return {*made["state"], *made["parameters"], *map(word_of, made["where"]), *made["index"], *labels}


def mentioned(texts: Iterable[str], where: Mapping[str, str]) -> set[str]:
    """The names in texts and in the intermediates that they are made of."""
    bodies, found, todo = {word_of(key): body for key, body in where.items()}, set(), list(texts)
    while todo:
        new = names_in(read(todo.pop())) - found
        found |= new
        todo += [bodies[word] for word in new & bodies.keys()]
    return found


def edited(text: str, names: Mapping[str, str], past: Callable[[ast.Call], str] | None = None) -> str:
    """The text with its names replaced, and its delayed states where `past` writes them anew; the rest stays as it is."""
    text = str(text).strip()
    if "#" in text:  # a remark would swallow what is appended
        text = ast.unparse(ast.parse(text, mode="eval"))
    coded = text.encode()  # positions in the syntax tree count bytes
    starts = [0, *itertools.accumulate(map(len, coded.splitlines(keepends=True)))]
    edits, todo = [], [ast.parse(text, mode="eval").body]
    while todo:
        node = todo.pop()
        if past and isinstance(node, ast.Call) and not (isinstance(node.func, ast.Name) and node.func.id in RESERVED):
            new = past(node)
        elif isinstance(node, ast.Name) and node.id in names:
            new = names[node.id]
        else:
            todo += ast.iter_child_nodes(node)
            continue
        edits.append((starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset, new.encode()))
    for begin, end, new in sorted(edits, reverse=True):
        coded = coded[:begin] + new + coded[end:]
    return coded.decode()


def said(text, place: str) -> str:
    """Text that a user gives, read once for its errors."""
    read(text, where=place)
    return edited(text, {})


def appended(body: str, rest: str) -> str:
    """The text with an operation appended, in parentheses where they are needed."""
    alike = {ast.dump(ast.parse(text, mode="eval")) for text in (body + rest, f"({body}){rest}")}
    return body + rest if len(alike) == 1 else f"({body}){rest}"


def renamed(system: System, names: Mapping[str, str]) -> dict[str, dict]:
    """A definition's tables in other names."""
    made = {key: {edited(k, names) if key != "conserved" else k: edited(v, names) for k, v in getattr(system, key).items()}
            for key in TABLES}  # fmt: skip
    for key in ("parameters", "state", "ranges"):
        made[key] = {names.get(word, word): value for word, value in getattr(system, key).items()}
    relabelled = lambda entry: {**entry, "name": names.get(entry["name"], entry["name"])}
    return made | {"index": {names.get(key, key): relabelled(entry) for key, entry in system.index.items()}}


def put_in(made: dict, words: Iterable[str], old: Callable[..., str], taken: set[str]) -> dict[str, str]:
    """Write old coordinates in terms of new ones, in place; the names of the old.

    `old(word, site, when)` is the text of x, x[i], x(t - tau): a state may have an index and a past.
    """
    names = {word: fresh(f"{word}_old", taken) for word in words}

    def past(call: ast.Call) -> str:
        word, bracket, site = ast.unparse(call.func).partition("[")
        when = f"({ast.unparse(call.args[0])})"
        return f"({old(word, bracket + site, when)})" if word in names else word + bracket + site + when

    for table in TABLES:
        made[table] = {key: edited(body, names, past) for key, body in made[table].items()}
    sites = {word: sites_of(indices) for word, indices in map(target, made["equations"])}
    made["where"] = {new + sites[word]: old(word, sites[word]) for word, new in names.items()} | made["where"]
    return names


def pace(made: dict, system: System, what: str, value, names: tuple[str, str], taken: set[str]) -> str:
    """Let a system's time run faster by a factor, in place; the parameter that the factor becomes.

    With x(t) = X(s t), x' = s X'; a Wiener process grows with the root of time; a lag is shorter by s.
    """
    if system.kind == "map":
        raise ValueError(f"{system.label} is a map: its time is the number of iterations, and {what} has no meaning")
    value, speed, clock = exact(value, what), *(fresh(word, taken) for word in names)
    if np.ndim(value) or not value > 0:
        raise ValueError(f"{what} must be a positive number; {value!r} given")
    past = lambda call: f"{ast.unparse(call.func)}(t - {appended(_lag(call), '/' + speed)})"
    timed = any("t" in names_in(read(body)) for table in TABLES for body in made[table].values())
    for table in TABLES:
        made[table] = {key: edited(body, {"t": clock}, past) for key, body in made[table].items()}
    made["where"] = ({clock: f"{speed}*t"} if timed else {}) | made["where"]
    made["equations"] = {key: appended(body, f"*{speed}") for key, body in made["equations"].items()}
    made["noise"] = {key: appended(body, f"*sqrt({speed})") for key, body in made["noise"].items()}
    made["parameters"][speed] = value
    return speed


def _lag(call: ast.Call) -> str:
    """What is taken from t in x(t - tau)."""
    node, parts = call.args[0], []
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        parts.append((isinstance(node.op, ast.Sub), node.right))
        node = node.left
    (back, lag), *more = reversed(parts)
    lag = lag if back else ast.UnaryOp(ast.USub(), lag)
    for back, part in more:
        lag = ast.BinOp(lag, ast.Add() if back else ast.Sub(), part)
    return ast.unparse(lag)
