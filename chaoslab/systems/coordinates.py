"""A system in other coordinates or another unit of time, as text.

The author's equations keep their words: the old coordinates become named intermediates, and only what surrounds an equation
is new.
"""

import dataclasses
import math
from collections.abc import Iterable, Mapping

import numpy as np

from .definition import exact
from .language import RESERVED, suggest
from .rewording import appended, checked, fresh, labels_of, mentioned, pace, put_in, renamed, sites_of, word_of
from .system import System
from .unroll import target


def rescale(system: System, *, scale=None, shift=None, standard=None, time: float | str | None = None) -> System:
    """The same motion in the coordinates (x - shift)/scale, and in another unit of time.

    State, noise, conserved quantities, observed coordinates, lags and the period follow. The constants are parameters:
    `scale_x` and `shift_x`, or `scale_all` and `shift_all` where one number holds for every component; `scale_t`. The old
    coordinates are intermediates, `x_old`. Where no equation depends on a component, its shift would be a parameter without
    effect; it is written as a number.

    Parameters
    ----------
    scale, shift : one number, a mapping of components to numbers, or (component,); what is left out stays as it is
    standard : instead, states (..., component): their mean becomes 0, their standard deviation 1
    time : the new unit in old ones, so that `time=system.period` makes the period 1. A map has none

    Raises ValueError for an unknown component, a wrong shape, and a scale or time that is not positive.

    >>> from chaoslab.systems import load
    >>> small = rescale(load("Lorenz"), scale=10)
    >>> small.equations["x"], small.where["x_old"]
    ('sigma*(y_old - x_old)/scale_all', 'scale_all*x')
    """
    checked(system)
    if standard is not None:
        if scale is not None or shift is not None:
            raise ValueError("give standard=states, or scale and shift; both were given")
        shift, scale = _moments(system, standard)
    if scale is None and shift is None and time is None:
        raise ValueError("nothing to change: give scale, shift, standard or time")
    taken, made = {*RESERVED, *labels_of(system)}, renamed(system, {})
    scales, shifts = _by_state(system, "scale", scale, 1.0), _by_state(system, "shift", shift, 0.0)
    felt = mentioned([*system.equations.values(), *system.noise.values()], system.where)
    idle = {word for word in system.state if word not in felt} if system.kind != "map" else set()
    sizes = _named(made, "scale", scales, _is_one(scale), taken)
    origins = _named(made, "shift", shifts, _is_one(shift), taken, idle)

    def old(word: str, site: str, when: str = "") -> str:
        now = (sizes[word].format(site) + "*" if word in sizes else "") + word + site + when
        return origins[word].format(site) + " + " + now if word in origins else now

    if time is not None:
        unit = pace(made, system, "time", time, ("scale_t", "t_old"), taken)
        for key in ("period", "lyapunov_time"):
            old_time = getattr(system, key)
            made[key] = old_time and old_time / float(made["parameters"][unit])
    put_in(made, {**scales, **shifts}, old, taken)
    for table in ("equations", "noise"):
        for key, body in made[table].items():
            word, site = word_of(key), sites_of(target(key)[1])
            body = appended(body, f" - {origins[word].format(site)}") if word in origins and system.kind == "map" else body
            made[table][key] = appended(body, f"/{sizes[word].format(site)}") if word in sizes else body
    for word, value in system.state.items():
        value = (np.asarray(value) - np.asarray(shifts.get(word, 0), float)) / np.asarray(scales.get(word, 1), float)
        made["state"][word] = value if value.ndim else float(value)
    return dataclasses.replace(system, **made, name="", title=f"{system.label}, rescaled")


def rotate(system: System, matrix=None, *, angle: float | str | None = None, components: Iterable[str] | None = None) -> System:
    """The same motion in the coordinates u = R x, with any invertible matrix R: a rotation, or sums and differences.

    State, conserved quantities and the period follow. The matrix is the parameter `R`, or the angle the parameter `theta`, and
    `with_` may change it to any other: the inverse is written out in terms of it. The old coordinates are intermediates, `x_old`,
    and so are their right-hand sides, `f_x`. Where the matrix mixes a component that is observed otherwise (a phase) with
    others, the observed coordinates stay those of the system given.

    Parameters
    ----------
    matrix : (component, component), row by row the new coordinates in terms of the old
    angle : instead, in radians: two components are turned from the first towards the second
    components : the states that change, in the order of the matrix; all of them by default

    Raises ValueError for a matrix of another shape or without an inverse, for states on sites and for states with noise of
    their own, which a change of coordinates would correlate.

    >>> from chaoslab.systems import load
    >>> turned = rotate(load("Rossler"), angle="pi/4", components=["x", "y"])
    >>> turned.equations["x"], turned.where["x_old"]
    ('cos(theta)*f_x - sin(theta)*f_y', 'cos(theta)*x + sin(theta)*y')
    """
    checked(system)
    words = _scalars(system, components)
    if (matrix is None) == (angle is None):
        raise ValueError("give a matrix, or an angle; one of the two")
    taken, made = {*RESERVED, *labels_of(system)}, renamed(system, {})
    if angle is not None:
        if len(words) != 2:
            raise ValueError(f"an angle turns two components, as in components=['x', 'y']; {len(words)} given: {', '.join(words)}")
        name, value, inverse = fresh("theta", taken), exact(angle, "angle"), {}
        made["parameters"][name], turn = value, float(value)
        values = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        there = [[f"cos({name})", f"-sin({name})"], [f"sin({name})", f"cos({name})"]]
        back = [[f"cos({name})", f"sin({name})"], [f"-sin({name})", f"cos({name})"]]
    else:
        values = _invertible(matrix, len(words))
        there, back, inverse = _written_out(made, values, taken)

    def old(word: str, site: str, when: str = "") -> str:
        return _combined(back[words.index(word)], [other + site + when for other in words])

    new_names = put_in(made, words, old, taken)
    made["where"] = inverse | made["where"]
    keys = {word_of(key): key for key in made["equations"]}
    rates = {word: fresh(f"f_{word}", taken) for word in words}
    made["where"] |= {rates[word]: made["equations"][keys[word]] for word in words}
    for word, row in zip(words, there, strict=True):
        made["equations"][keys[word]] = _combined(row, [rates[other] for other in words])
    otherwise = [k for k, word in enumerate(words) if word in made["observed"]]
    alone = np.eye(len(words))
    if not (np.array_equal(values[otherwise], alone[otherwise]) and np.array_equal(values[:, otherwise], alone[:, otherwise])):
        made["observed"] = {**new_names, **made["observed"]}
    made["state"] |= dict(zip(words, (values @ [system.state[word] for word in words]).tolist(), strict=True))
    return dataclasses.replace(system, **made, name="", title=f"{system.label}, rotated")


def _moments(system: System, states) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each component."""
    states = np.asarray(states, float)
    if states.shape[-1:] != (system.dimension,) or states.size < 2 * system.dimension:
        raise ValueError(f"standard takes states of shape (..., {system.dimension}), two or more; shape {states.shape} given")
    states = states.reshape(-1, system.dimension)
    if not np.isfinite(states).all():
        raise ValueError("standard holds states that are not finite; leave members that ended out")
    spread = states.std(axis=0)
    if not spread.all():
        still = ", ".join(label for label, size in zip(system.components, spread, strict=True) if not size)
        raise ValueError(f"{still} does not vary in the states given, so no scale makes its standard deviation 1")
    return states.mean(axis=0), spread


def _is_one(given) -> bool:
    return not isinstance(given, Mapping) and np.ndim(given) == 0


def _by_state(system: System, what: str, given, neutral: float) -> dict[str, object]:
    """A number or an array for each state, from one number, a mapping of components, or values along the state vector."""
    shapes = {word: np.shape(value) for word, value in system.state.items()}
    if given is None:
        return {}
    if isinstance(given, Mapping):
        values = _by_component(system, what, given, neutral)
    else:
        vector = exact(given, what)
        if np.shape(vector) not in ((), (system.dimension,)):
            raise ValueError(f"{what} is one number, a mapping, or of shape ({system.dimension},); shape {np.shape(vector)} given")
        values = dict.fromkeys(shapes, vector)
        if np.ndim(vector):
            ends = np.cumsum([math.prod(shape) for shape in shapes.values()])
            for (word, shape), piece in zip(shapes.items(), np.split(vector, ends[:-1]), strict=True):
                values[word] = piece.reshape(shape) if shape else float(piece[0])
    for word, value in values.items():
        if what == "scale" and not np.all(np.asarray(value, float) > 0):
            raise ValueError(f"the scale of {word} must be positive; {value!r} given")
    return values


def _by_component(system: System, what: str, given: Mapping, neutral: float) -> dict[str, object]:
    """Numbers and arrays by state; one site of a state may be named too, as x3."""
    values = {}
    for key, value in given.items():
        value = exact(value, f"{what} of {key}")
        if key not in system.state and key not in system.components:
            near = suggest(str(key), [*system.state, *system.components])
            raise ValueError(f"{system.label} has no component {key!r}.{near} It has {', '.join(system.state)}")
        if key in system.state:
            word, place, shape = key, ..., np.shape(system.state[key])
        else:
            word, _, site = system.flat.variables[system.components.index(key)].args[0].rstrip("]").partition("[")
            place, shape = tuple(int(k) - 1 for k in site.split(",")), ()
        if np.shape(value) not in ((), shape):
            raise ValueError(f"the {what} of {key} is one number{f' or of shape {shape}' * bool(shape)}; {np.shape(value)} given")
        if place is not ...:
            whole = np.array(np.broadcast_to(np.asarray(values.get(word, neutral), float), np.shape(system.state[word])))
            whole[place] = float(value)
            value = whole
        values[word] = value
    return values


def _named(made: dict, what: str, values: Mapping, one: bool, taken: set[str], idle: Iterable[str] = ()) -> dict[str, str]:
    """How the constant of each state is written, {} standing for its index; in place, the constants become parameters.

    Those of idle states, which no equation depends on, could be no parameters and are written as numbers.
    """
    common, texts = None, {}
    for word, value in values.items():
        if word in idle:
            if np.ndim(value):
                raise ValueError(f"no equation depends on {word}, so there is nothing to shift; leave it out")
            texts[word] = repr(float(value))
            continue
        common = common or fresh(f"{what}_{'all' if one else word}", taken)
        made["parameters"][common] = value
        texts[word] = common + "{}" * bool(np.ndim(value))
        common = common if one else None
    return texts


def _scalars(system: System, components) -> list[str]:
    """The states that a rotation changes."""
    words = list(system.state if components is None else [components] if isinstance(components, str) else components)
    for word in words:
        if word not in system.state:
            raise ValueError(
                f"{system.label} has no state {word!r}.{suggest(str(word), system.state)} It has {', '.join(system.state)}"
            )
        if np.ndim(system.state[word]):
            raise ValueError(f"{word} of {system.label} is a state on sites; rotate() takes states that are single numbers")
        if word in map(word_of, system.noise):
            raise ValueError(f"{word} of {system.label} has noise, which would become correlated; rotate the states without noise")
    if len(set(words)) < len(words):
        raise ValueError(f"components names a state twice: {', '.join(words)}")
    return words


def _invertible(matrix, size: int) -> np.ndarray:
    values = np.asarray(exact(matrix, "the matrix"), float)
    if values.shape != (size, size):
        raise ValueError(f"{size} components take a matrix of shape ({size}, {size}); shape {values.shape} given")
    if np.linalg.matrix_rank(values) < size:
        raise ValueError(f"the matrix has no inverse: its singular values are {np.linalg.svd(values, compute_uv=False)}")
    return values


def _written_out(made: dict, values: np.ndarray, taken: set[str]) -> tuple[list, list, dict[str, str]]:
    """The entries of a matrix and of its inverse as text, and the inverse's lines; in place, the matrix becomes a parameter.

    Cramer's rule for up to three components, orthogonalised rows for more.
    """
    size, R = len(values), fresh("R", taken)
    made["parameters"][R] = values
    there = [[f"{R}[{k},{m}]" for m in range(1, size + 1)] for k in range(1, size + 1)]
    if size == 1:
        return there, [[f"1/{R}[1,1]"]], {}
    if size == 2:
        (a, b), (c, d) = there
        D = fresh("D", taken)
        return there, [[f"{d}/{D}", f"-{b}/{D}"], [f"-{c}/{D}", f"{a}/{D}"]], {D: f"{a}*{d} - {b}*{c}"}
    i, j, label = (fresh(word, taken) for word in "ijn")
    made["index"] |= {key: {"size": size, "cyclic": True, "name": label} for key in (i, j)}
    if size == 3:
        Q, D = fresh("Q", taken), fresh("D", taken)
        minor = f"{R}[{j}+1,{i}+1]*{R}[{j}+2,{i}+2] - {R}[{j}+1,{i}+2]*{R}[{j}+2,{i}+1]"
        lines = {
            D: f"sum({R}[1,{j}]*({R}[2,{j}+1]*{R}[3,{j}+2] - {R}[2,{j}+2]*{R}[3,{j}+1]), {j})",
            f"{Q}[{i},{j}]": f"({minor})/{D}",
        }
        return there, [[f"{Q}[{k},{m}]" for m in (1, 2, 3)] for k in (1, 2, 3)], lines
    rows, columns = ([fresh(f"{letter}{k + 1}", taken) for k in range(size)] for letter in "qb")
    lines = _orthogonal(R, i, j, rows, columns)
    return there, [[f"{column}[{k}]" for column in columns] for k in range(1, size + 1)], lines


def _orthogonal(R: str, i: str, j: str, rows: list[str], columns: list[str]) -> dict[str, str]:
    """The columns b_k of an inverse by Gram-Schmidt steps, which for an invertible matrix never divide by zero.

    q_k = r_k - sum over m < k of h_km q_m, with the rows r_k of the matrix and h_km = (r_k, q_m)/(q_m, q_m);
    b_k = q_k/(q_k, q_k) - sum over m > k of h_mk b_m.
    """
    size, square = len(rows), [f"sum({row}[{j}]**2, {j})" for row in rows]
    h = lambda k, m: f"sum({R}[{k + 1},{j}]*{rows[m]}[{j}], {j})/{square[m]}"
    lines = {}
    for k, row in enumerate(rows):
        lines[f"{row}[{i}]"] = f"{R}[{k + 1},{i}]" + "".join(f" - {h(k, m)}*{rows[m]}[{i}]" for m in range(k))
    for k in reversed(range(size)):
        others = "".join(f" - {h(m, k)}*{columns[m]}[{i}]" for m in range(k + 1, size))
        lines[f"{columns[k]}[{i}]"] = f"{rows[k]}[{i}]/{square[k]}" + others
    return lines


def _combined(factors: Iterable[str], things: Iterable[str]) -> str:
    """A linear combination as text."""
    return " + ".join(f"{a}*{x}" for a, x in zip(factors, things, strict=True)).replace("+ -", "- ")
