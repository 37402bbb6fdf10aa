"""Fixed points as the explorer draws and lists them."""

from collections.abc import Mapping

import numpy as np

from ..invariants import fixed_points
from ..systems import System

#: Points that are listed, and eigenvalues of each.
MOST, EIGENVALUES = 24, 6
#: Components that a point is named by.
NAMED = 4


def fixed(system: System, recipe: Mapping) -> dict:
    """The fixed points of a system: `points`, each with its values along every choice of an axis, and what is said of it.

    Where there are none, or they are not looked for, `told` says why.
    """
    try:
        found = fixed_points(system)
    except Exception as error:  # shown in place of the list; a thread has nobody to raise it to
        return {"points": [], "told": str(error)}
    points = [_said(system, recipe, found.isel(point=k)) for k in range(min(found.sizes["point"], MOST))]
    count, steady = found.sizes["point"], int(found["stable"].sum())
    told = f"{count} fixed point{'s' * (count != 1)}, {steady or 'none'} stable" if count else "no fixed point"
    more = f"the first {MOST} are shown" if count > MOST else ""
    return {"points": points, "told": "; ".join(filter(None, [told, more, found.attrs["reason"]]))}


def _said(system: System, recipe: Mapping, point) -> dict:
    state = point["point"].values
    seen = system.observe(state)
    kind, stable = str(point["kind"].item()), bool(point["stable"])
    word = f"{'stable' if stable else 'unstable'} {kind}" if kind in ("node", "focus") else kind
    names = [f"{name} = {value + 0.0:.5g}".replace("-", "−") for name, value in zip(system.components[:NAMED], state, strict=False)]
    values = point["eigenvalue"].values
    told = ", ".join(map(_complex, values[:EIGENVALUES])) + (", ..." if len(values) > EIGENVALUES else "")
    return {
        "at": [_along(recipe, word, seen) for word in recipe["choices"]],
        "stable": stable,
        "name": ", ".join(names) + (", ..." if system.dimension > NAMED else ""),
        "kind": word,
        "eigenvalues": f"{'multipliers' if system.kind == 'map' else 'eigenvalues'} {told}",
    }


def _along(recipe: Mapping, word: str, seen: np.ndarray) -> float | None:
    """Where a resting motion is along an axis: its past is where it is; along time it is nowhere."""
    place = recipe["places"][word]
    if "row" in place:
        return float((seen - recipe["basis"]["mean"]) @ recipe["basis"]["rows"][place["row"]])
    return None if "time" in place else float(seen[place["component"]])


def _complex(value: complex) -> str:
    if abs(value.imag) <= 1e-9 * abs(value):
        return f"{value.real:.4g}".replace("-", "−")
    return f"{value.real:.4g} {'+' if value.imag > 0 else '−'} {abs(value.imag):.4g}i".replace("-", "−")
