"""Python text that makes a system again, exactly."""

from fractions import Fraction

import numpy as np

from ..systems import System, load
from ..trajectories.record import digest


def code(system: System) -> str:
    """An expression that makes the system again: `cl.load("Lorenz").with_(rho=99.96)` where the catalogue has it, else all of it.

    >>> code(load("Lorenz").with_(rho=99.96))
    'cl.load("Lorenz").with_(rho=99.96)'
    """
    return _from_catalogue(system) or _in_full(system)


def _from_catalogue(system: System) -> str | None:
    try:
        own = load(system.name) if system.name else None
        if own is None:
            return None
        sizes = {key: size for key, size in system.sizes.items() if own.sizes.get(key) != size}
        base = load(system.name, **sizes)
        changed = {key: value for key, value in system.parameters.items() if not _same(value, base.parameters[key])}
        moved = {key: value for key, value in system.state.items() if not _same(value, base.state[key])}
        made = base.with_(**changed, state=moved) if changed or moved else base
    except (KeyError, ValueError):  # another system of that name, or one of another shape
        return None
    if digest(made) != digest(system):
        return None
    text = f"cl.load({', '.join([_quoted(system.name), *_keywords(sizes)])})"
    state = [f"state={_literal(moved)}"] if any(key in system.parameters for key in moved) else _keywords(moved)
    return text + (f".with_({', '.join([*_keywords(changed), *state])})" if changed or moved else "")


def _in_full(system: System) -> str:
    definition = {key: value for key, value in system.definition().items() if key not in ("period", "lyapunov_time")}
    first = [_literal(definition.pop(key, {})) for key in ("equations", "parameters", "state")]
    if definition.get("kind") == "flow":
        definition.pop("kind")
    return f"cl.System({', '.join([*first, *_keywords(definition)])})"


def _same(one, other) -> bool:
    return np.shape(one) == np.shape(other) and bool(np.all(np.asarray(one) == np.asarray(other)))


def _keywords(values) -> list[str]:
    return [f"{key}={_literal(value)}" for key, value in values.items()]


def _quoted(text: str) -> str:
    return '"' + text + '"' if not set(text) & set('"\\\n') else repr(text)


def _literal(value) -> str:
    """Python text of a value, floats to the last bit."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_quoted(key)}: {_literal(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, str | Fraction):
        return _quoted(str(value))
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_literal, value)) + "]"
    return repr(value.item() if isinstance(value, np.generic) else value)
