"""What can be chosen as an axis, and how states become what is seen along it."""

from collections.abc import Mapping, Sequence

import numpy as np

from ..systems import System, suggest
from ..systems.unroll import target
from ..trajectories.starts import phases

#: Principal components on offer where a system has more coordinates than a picture has axes.
ROWS = 3
#: From so many components on, and for states on sites, principal components are shown first.
MANY = 7


def places(system: System) -> dict[str, dict]:
    """Where each choice of an axis is found: {"component": k, "back": m}, {"row": j} of the basis, or {"time": True}.

    A component is seen as the definition observes it. `back` counts longest lags of a delay system, iterations of a map.
    """
    found = {word: {"component": k, "back": 0} for k, word in enumerate(system.components)}
    first = system.components[0]
    if system.kind == "delay":
        found |= {f"{first}(t - tau)": {"component": 0, "back": 1}, f"{first}(t - 2 tau)": {"component": 0, "back": 2}}
    elif system.dimension == 1:
        found |= {f"{first}(t - 1)": {"component": 0, "back": 1}} if system.kind == "map" else {"time": {"time": True}}
    if system.dimension > ROWS:
        found |= {f"PC{j + 1}": {"row": j} for j in range(ROWS)}
    return found


def shown_first(system: System) -> list[str]:
    """The axes of the first picture."""
    names, first = list(system.components), system.components[0]
    if system.kind == "delay":
        return [first, f"{first}(t - tau)", f"{first}(t - 2 tau)"] if system.dimension == 1 else names[:3]
    if system.dimension == 1:
        return [f"{first}(t - 1)", first] if system.kind == "map" else ["time", first]
    if system.dimension > ROWS and (system.dimension >= MANY or any(target(key)[1] for key in system.equations)):
        return [f"PC{j + 1}" for j in range(ROWS)]
    plain = clocks(system)
    return [word for word, clock in zip(names, plain, strict=True) if not clock][:3] if plain.sum() < len(names) - 1 else names[:3]


def clocks(system: System) -> np.ndarray:
    """Which components just count time, and are not observed as something else: (component,)."""
    seen = system.flat.observed or system.flat.variables
    return phases(system) & np.array([tree is own for tree, own in zip(seen, system.flat.variables, strict=True)])


def words(system: System) -> dict[str, list[str]]:
    """The components of each state by its name in the equations: {"x": ["x1", "x2"]} for x[i], {"x": ["x"]} for a plain one."""
    found = {}
    for key in system.equations:
        word, indices = target(key)
        own = lambda name, word=word, indices=indices: name == word if not indices else _indexed(name, word)
        found[word] = [name for name in system.components if own(name)]
    return found


def _indexed(name: str, word: str) -> bool:
    return name.startswith(word) and name[len(word) :].replace("_", "").isdigit()


def labels(system: System) -> dict[str, str]:
    """What each component is seen as, where that is not the component itself: {"z": "cos(z)"}."""
    found = {}
    for key, text in system.observed.items():
        for name in words(system)[target(key)[0]]:
            found[name] = text.replace(key, name)
    return found


def basis(seen: np.ndarray) -> dict[str, list]:
    """Principal components of standardised coordinates (time, component): `rows` turn a distance from the `mean` into them.

    `share` is the part of the variance along each. A coordinate that rests counts for nothing.
    """
    mean, deviation = seen.mean(axis=0), seen.std(axis=0)
    moving = deviation > 1e-9 * np.maximum(np.abs(mean), 1e-300)
    weights = np.where(moving, 1 / np.where(moving, deviation, 1.0), 0.0)
    values, vectors = np.linalg.eigh(np.cov((seen - mean) * weights, rowvar=False))
    first = np.argsort(values)[::-1][:ROWS]
    rows = vectors[:, first].T
    rows *= np.sign(rows[np.arange(len(rows)), np.abs(rows).argmax(axis=1)])[:, None]  # so that a picture is not mirrored by chance
    return {"mean": mean.tolist(), "rows": (rows * weights).tolist(), "share": (values[first] / max(values.sum(), 1e-300)).tolist()}


def series(
    recipe: Mapping, seen: np.ndarray, axes: Sequence[str], *, before: int = 0, lag: int | None = None, samples: float | None = None
) -> np.ndarray:
    """What is seen along axes, (axis, time), from observed coordinates (time, component) whose first `before` samples only
    serve to look back at; where there is nothing to look back at, the first whole point stands in.

    `lag` are the samples of the longest lag, `samples` those of a period, by default as in the recipe.
    """
    lag, count, columns = recipe["lag"] if lag is None else lag, len(seen) - before, []
    back = [lag * place.get("back", 0) for place in (place_of(recipe, word) for word in axes)]
    at = before + np.arange(count)
    at = np.maximum(at, min(max(back, default=0), len(seen) - 1))
    for word, steps in zip(axes, back, strict=True):
        place = place_of(recipe, word)
        if "row" in place:
            columns.append((seen[at] - recipe["basis"]["mean"]) @ recipe["basis"]["rows"][place["row"]])
        elif "time" in place:
            columns.append((at - before) / (samples or recipe["samples"]))
        else:
            columns.append(seen[np.maximum(at - steps, 0), place["component"]])
    return np.array(columns).reshape(len(axes), count)


def place_of(recipe: Mapping, word: str) -> Mapping:
    """The place of a choice; raises ValueError with the nearest name."""
    if word not in recipe["places"]:
        raise ValueError(f"{recipe['label']} has no axis {word!r}.{suggest(str(word), recipe['places'])}")
    return recipe["places"][word]


def framed(recipe: Mapping, values: np.ndarray, axes: Sequence[str]) -> np.ndarray:
    """Points (time, 3) in the cube [-1, 1] that the default orbit fills, from series (axis, time); flat where there are two."""
    points = np.zeros((values.shape[1], 3))
    for k, (word, row) in enumerate(zip(axes, values, strict=True)):
        number = recipe["choices"].index(word)
        points[:, k] = (row - recipe["centre"][number]) / recipe["scale"][number]
    return points
