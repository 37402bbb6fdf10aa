"""The kernel's picture of a view: the exact solution, in the same frame as the page's own."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..integrate import TOLERANCE, iterate, solve
from ..systems import System, suggest
from . import axes
from .colouring import ALIGNING, COLOURS, colours, local_exponents, speed

#: Periods of a flow in which differences turn to where they belong, before local exponents are shown.
TURNING = 10


@dataclass(frozen=True, eq=False)
class Picture:
    """What is drawn of one view.

    `points` (time, 3) lie in the cube that the default orbit fills, `colour` (time,) from 0 to 1 between the two values of
    `range`; `series` (axis, time) are the values along the axes; `time` is in the system's own unit. `twin` are the points of
    a second motion that began a hair away, `distance` (time,) how far it is, in sizes of the motion; None without twins. A
    motion that ends has fewer samples, and `status` says why; it is empty where all is well. `what` says how it was made.
    `coloured` is what the colours are: time where there are no local exponents.
    """

    points: np.ndarray
    time: np.ndarray
    colour: np.ndarray
    range: tuple[float, float]
    series: np.ndarray
    twin: np.ndarray | None
    distance: np.ndarray | None
    status: str
    what: str
    coloured: str


@dataclass(frozen=True, eq=False)
class _Plan:
    """What a view asks for, in the system's own terms: times are sampled after `before` more that are only looked back at."""

    system: System
    values: np.ndarray
    initial: np.ndarray
    step: float
    count: int
    transient: float
    before: int
    lag: int
    start: float

    @property
    def times(self) -> np.ndarray:
        return self.start + self.step * np.arange(-self.before, self.count)

    def looking(self, recipe: Mapping) -> dict:
        """How series are read from its samples."""
        return {"before": self.before, "lag": self.lag, "samples": recipe["period"] / self.step}


def picture(system: System, recipe: Mapping, view: Mapping) -> Picture:
    """The exact solution of what a view asks for; what the view leaves out is the recipe's.

    `view` has `parameters` and `state` by name, `periods`, `samples` and `transient` in the recipe's period, `axes`, `colour`
    ("time", "speed", "exponent": the local one, of flows over a period), and `twins`: their first distance in sizes of the
    motion, or False. Raises ValueError for a name that is not there; a motion that escapes is a picture of what there is.
    """
    if view.get("colour", "time") not in COLOURS:
        raise ValueError(f"colour {view['colour']!r} is not known.{suggest(str(view['colour']), COLOURS)}")
    names = list(view.get("axes", recipe["axes"]))
    plan = _plan(system, recipe, view)
    lags = system.lags_at(plan.values)
    if not ((lags > 0) & np.isfinite(lags)).all():
        return _nothing(plan, names, f"lags must be positive; they are {lags.tolist()}")
    solution = _solved(plan)
    if not _good(solution) > plan.before and plan.transient > 0:
        before = plan.before if system.kind == "delay" else 0
        plan = replace(plan, transient=0.0, before=before)  # it ends before the picture begins: this is how
        solution = _solved(plan)
    good = _good(solution)
    if not good > plan.before:
        return _nothing(plan, names, _status(plan, solution) or "it has no samples")
    parameters = dict(view.get("parameters", {}))
    times, states = plan.times[:good], solution.states[0, :good]
    seen = system.observe(states, times, **parameters)
    rows = axes.series(recipe, seen, names, **plan.looking(recipe))
    kind, values = _values(view.get("colour", "time"), plan, recipe, parameters, states, seen)
    colour, ends = colours(values[plan.before :])
    twin, distance = _twins(plan, recipe, names, parameters, seen, states, view) if view.get("twins") else (None, None)
    return Picture(
        points=axes.framed(recipe, rows, names).astype(np.float32),
        time=times[plan.before :].astype(np.float32),
        colour=colour,
        range=ends,
        series=rows.astype(np.float32),
        twin=twin,
        distance=distance,
        status=_status(plan, solution),
        what=_what(system, solution.solver),
        coloured=kind,
    )


def _plan(system: System, recipe: Mapping, view: Mapping) -> _Plan:
    values = np.array(system.values)
    scalars = {entry["name"]: entry["index"] for entry in recipe["parameters"] if not entry["array"]}
    for word, value in view.get("parameters", {}).items():
        if word not in scalars:
            raise ValueError(f"{system.label} has no parameter {word!r} that is one number.{suggest(word, scalars)}")
        values[scalars[word]] = value
    initial = np.array(system.initial)
    for word, value in view.get("state", {}).items():
        if word not in system.components:
            raise ValueError(f"{system.label} has no component {word!r}.{suggest(word, system.components)}")
        initial[system.components.index(word)] = value
    periods, samples, transient = (view.get(key, recipe[key]) for key in ("periods", "samples", "transient"))
    step, count = recipe["period"] / samples, max(1, round(periods * samples))
    before, lag = 0, recipe["lag"]
    if system.kind == "delay":
        longest = float(system.lags_at(values).max())
        lag = max(1, round(longest / step)) if np.isfinite(longest) else 1
        before = lag * max(axes.place_of(recipe, word).get("back", 0) for word in view.get("axes", recipe["axes"]))
    elif view.get("colour") == "exponent":  # differences turn to where they belong in the last part of the transient
        turning = min(ALIGNING if system.kind == "map" else TURNING, transient)
        before, transient = round(turning * samples), transient - turning
    return _Plan(system, values, initial, step, count, transient * recipe["period"], before, lag, recipe["start"])


def _solved(plan: _Plan):
    system, start = plan.system, plan.start - plan.before * plan.step - plan.transient
    if system.kind == "map":
        skip, first, count = round(plan.transient), round(start), plan.before + plan.count
        return iterate(system, plan.initial[None], count, skip=skip, first=first, values=plan.values)
    return solve(system, plan.initial[None], plan.times, values=plan.values, start=start)


def _good(solution) -> int:
    """Samples before the motion ends."""
    finite = np.isfinite(solution.states[0]).all(axis=1)
    return len(finite) if finite.all() else int(finite.argmin())


def _status(plan: _Plan, solution) -> str:
    if solution.status[0] == "ok":
        return ""
    when = float(solution.ended[0]) + (plan.start - plan.before if plan.system.kind == "map" else 0.0)
    if solution.status[0] == "escaped":
        return f"escapes at t = {when:.4g}"
    return f"cannot be followed beyond t = {when:.4g}: {solution.reasons[0]}"


def _what(system: System, solver: str) -> str:
    if system.kind == "map":
        return "exact: iterated"
    method = "Taylor" if solver == "taylor" else "SciPy"
    steps = " method of steps" if system.kind == "delay" else " with located switches" if not system.smooth else ""
    return f"exact: {method}{steps}, tolerance {TOLERANCE:.0e}"


def _nothing(plan: _Plan, names: list[str], status: str) -> Picture:
    """A picture without points."""
    none = np.zeros(0, np.float32)
    points, series = np.zeros((0, 3), np.float32), np.zeros((len(names), 0), np.float32)
    return Picture(points, none, none, (0.0, 0.0), series, None, None, status, _what(plan.system, "taylor"), "time")


def _values(kind: str, plan: _Plan, recipe: Mapping, parameters: dict, states, seen) -> tuple[str, np.ndarray]:
    """What colours stand for, and its values (time,)."""
    if kind == "exponent":
        found = local_exponents(plan.system.with_(**parameters), states, plan.step, plan.times[0], recipe["period"])
        if found is not None:
            return kind, found
    if kind == "speed":
        return kind, speed(seen, recipe, recipe["period"] / plan.step)
    return "time", plan.times[: len(states)]


# --- twins --------------------------------------------------------------------------------------------------------------


def _twins(plan: _Plan, recipe, names, parameters, seen, states, view) -> tuple[np.ndarray, np.ndarray]:
    """The points of a motion that begins a hair away from the first sample, and its distance in sizes of the motion."""
    phases, moving = np.array(recipe["phases"]), ~np.array(recipe["clocks"])
    shift = float(view["twins"]) * np.where(phases, 0.0, recipe["state_sizes"]) * np.sqrt(moving.sum() / max(1, (~phases).sum()))
    times = plan.times[plan.before :]
    if plan.system.kind == "map":
        first = round(plan.start)
        solution = iterate(plan.system, (states[plan.before] + shift)[None], plan.count, first=first, values=plan.values)
    elif plan.system.kind == "delay":
        past = _past(plan).copy()
        past.coefficients[:, :, 0] += shift
        solution = solve(plan.system, [past], times, values=plan.values, start=times[0])
    else:
        begin = states[plan.before] + shift
        solution = solve(plan.system, begin[None], times, values=plan.values, start=times[0])
    count = min(_good(solution), len(seen) - plan.before)
    other = plan.system.observe(solution.states[0, :count], times[:count], **parameters)
    rows = axes.series(recipe, np.concatenate([seen[: plan.before], other]), names, **plan.looking(recipe))
    apart = (other - seen[plan.before :][:count])[:, moving] / np.array(recipe["sizes"])[moving]
    distance = np.sqrt((apart**2).mean(axis=1)) if moving.any() else np.zeros(count)
    return axes.framed(recipe, rows, names).astype(np.float32), distance.astype(np.float32)


def _past(plan: _Plan):
    """A delay system's past at the first sample."""
    whole = replace(plan, count=1)
    return _solved(whole).pasts[0]
