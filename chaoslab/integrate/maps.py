"""Iteration of maps: one orbit on plain floats, many by numpy."""

import numpy as np

from ..systems.emit import numpy_function, orbit_function
from ..systems.unroll import Flat

#: Orbits from which on the vectorised loop is faster.
MANY = 8


def iterate(flat: Flat, initial: np.ndarray, values: np.ndarray, count: int, skip: int = 0, first: int = 0) -> np.ndarray:
    """States (member, time, component) of `count` iterates after `skip`, the initial state being number `first`.

    `values` are parameter values of shape (parameter,) or (member, parameter). NaN from where no real value exists.
    """
    values = np.broadcast_to(values, (len(initial), values.shape[-1]))
    if len(initial) >= MANY:
        return _vectorised(flat, initial, values, count, skip, first)
    return np.stack([_single(flat, x, p, count, skip, first) for x, p in zip(initial, values, strict=True)])


def _single(flat: Flat, x, values, count: int, skip: int, first: int) -> np.ndarray:
    orbit = orbit_function(flat.rhs, flat.variables + flat.parameters)
    out, total = [tuple(map(float, x))], count + skip
    try:
        orbit([*out[0], *map(float, values)], first, first + total - 1, out)
    except (ArithmeticError, ValueError):
        pass  # the orbit ends here; the rest stays NaN and is marked by the caller
    states = np.full((total, len(x)), np.nan)
    states[: len(out)] = out
    return states[skip:]


def _vectorised(flat: Flat, initial, values, count: int, skip: int, first: int) -> np.ndarray:
    function = numpy_function(flat.rhs, flat.variables + flat.parameters)
    out = np.empty((len(initial), count, len(flat.variables)))
    parameters, x = list(values.T), np.array(initial.T, float)
    with np.errstate(all="ignore"):
        for k in range(count + skip):
            if k >= skip:
                out[:, k - skip] = x.T
            if k + 1 < count + skip:
                for j, column in enumerate(function([*x.copy(), *parameters], float(first + k))):
                    x[j] = column
    return out
