"""Many states and many parameter sets of one flow at once, in torch: on any device, differentiable.

A method is data, its Butcher tableau, and `_step` runs them all. Members take equal steps together, or steps of their own.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..systems import emit
from ..systems.language import suggest
from ..systems.system import System
from .tableaux import METHODS as METHODS
from .tableaux import Method
from .tableaux import tableau as tableau

if TYPE_CHECKING:
    import torch

TOLERANCE = 1e-8
#: A component's error counts against its own size, or against this part of the state's largest component.
SMALLEST = 1e-2
#: The next step is this part of the one that would just meet the tolerance, between these multiples of the last.
SAFETY, SHRINK, GROWTH = 0.9, 0.2, 5.0
#: Sample times may miss a whole number of steps by this part: they are rounded, too.
ROUNDING = 1e-9


def integrate(
    system: System,
    initial,
    times,
    *,
    parameters: Mapping | None = None,
    method: str | None = None,
    step: float | None = None,
    tolerance: float | None = None,
    device=None,
    dtype: "torch.dtype | None" = None,
    max_steps: int = 1_000_000,
) -> "torch.Tensor":
    """States of a flow at the sample `times`, from many initial states or at many parameter values: (*batch, time, component).

    Differentiable in `initial`, `parameters` and `times`; the derivatives are those of the steps as taken. A member that
    blows up, or needs too short or too many steps, is NaN from there on. Neither the others nor their gradients notice: what
    becomes of a member does not depend on who else is in the batch, to rounding.

    Parameters
    ----------
    initial : tensor or array (..., component), the states at the first of the times. A tensor's dtype and device are kept,
        anything else becomes float64
    times : tensor or array (time,), ascending, in the system's time unit
    parameters : numbers or tensors by name that broadcast with the batch; an array parameter has its own shape last
    method : "euler", "midpoint", "rk4", "dopri5" or "dop853"; by default "rk4" where `step` is given, else "dop853"
    step : equal steps for all, between two samples as many as keep them no longer than this; by any method
    tolerance : without `step`, every member takes steps of its own length, which end at each sample, by "dopri5" or "dop853".
        A step's estimated error stays below the tolerance (1e-8) times the state, or ten roundings of the dtype
    device, dtype : where to compute instead, and in which floating-point type
    max_steps : attempts at a step that a member has; where steps are equal, more are refused

    Kinks and jumps (abs, sign, where) are not located, as `solve` does: an equal step across one loses the method's order,
    steps of own length become short there, and a motion that slides along a switch needs very many of them. Noise that a
    definition states is left out. Raises ValueError for maps and delay systems, unknown names, shapes that do not fit, times
    that do not ascend, and devices that are not there.

    >>> from chaoslab.systems import load
    >>> lorenz = load("Lorenz")
    >>> integrate(lorenz, lorenz.initial, [0.0, 0.5, 1.0], parameters={"rho": [20.0, 24.0, 28.0, 32.0]}).shape
    torch.Size([4, 3, 3])
    """
    try:
        import torch
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError('batches are integrated by torch, which is missing: pip install "chaoslab[torch]"') from error

    if system.kind != "flow":
        raise ValueError(f"{system.label} is a {system.kind}; only flows are integrated in batches")
    chosen = _choice(method, step, tolerance)
    x = _states(system, initial, device, dtype)
    clock = _clock(times, x.device)
    batch, x, field = _members(system, x, dict(parameters or {}))
    gradients = torch.is_grad_enabled() and any(value.requires_grad for value in (x, clock, *field.columns))
    with torch.set_grad_enabled(gradients):
        if step is not None or len(clock) == 1:
            samples = _equal_steps(chosen, field, x, clock, step, max_steps)
        else:
            finest = 10 * torch.finfo(x.dtype).eps
            samples = _own_steps(chosen, field, x, clock, max(tolerance or TOLERANCE, finest), max_steps)
        lost = ~samples.isfinite().all(dim=-1, keepdim=True)
        samples = samples.masked_fill(lost, math.nan) if lost.any() else samples
        return samples.transpose(0, 1).reshape(*batch, len(clock), system.dimension)


def _choice(method, step, tolerance) -> Method:
    if step is not None and tolerance is not None:
        raise ValueError("step asks for equal steps, tolerance for steps of own length; give one of them")
    for word, value in (("step", step), ("tolerance", tolerance)):
        if value is not None and not (value > 0 and math.isfinite(value)):
            raise ValueError(f"{word} must be positive and finite; {value!r} given")
    chosen = tableau(method or ("dop853" if step is None else "rk4"))
    if step is None and not chosen.errors:
        able = " or ".join(name for name in METHODS if tableau(name).errors)
        raise ValueError(f"{method} does not estimate its error, so it needs step=; for steps of own length take {able}")
    return chosen


def _states(system: System, initial, device, dtype):
    import torch

    if not isinstance(initial, torch.Tensor):
        initial = torch.from_numpy(np.array(initial, float))
    for what, kind in (("initial", initial.dtype), ("dtype", dtype)):
        if kind is not None and not kind.is_floating_point:
            raise ValueError(f"states are floating-point tensors, as in initial.double(); {what} is {kind}")
    system._check(initial.shape)
    try:
        return initial.to(device=device, dtype=dtype)
    except (RuntimeError, AssertionError) as error:  # which of the two depends on how torch was built
        there = ["cpu", *(f"cuda:{k}" for k in range(torch.cuda.device_count())), *["mps"] * torch.backends.mps.is_available()]
        raise ValueError(f"there is no device {str(device)!r} here; there is {', '.join(there)}") from error


def _clock(times, device):
    """The sample times, in double precision where the device has it: late single-precision times would swallow small steps."""
    import torch

    times = times if isinstance(times, torch.Tensor) else torch.from_numpy(np.array(times, float))
    if times.ndim != 1 or not len(times):
        raise ValueError(f"times have shape (time,), with one time at least; shape {tuple(times.shape)} given")
    times = times.to(device, torch.float32 if torch.device(device).type == "mps" else torch.float64)
    wrong = ~(times.diff(prepend=times.new_tensor([-math.inf])) > 0) | ~times.isfinite()
    if wrong.any():
        k = int(wrong.nonzero()[0])
        after = f" after {times[k - 1]:g}" if k else ""
        raise ValueError(f"times must be finite and ascend; times[{k}] is {times[k]:g}{after}")
    return times


def _members(system: System, x, parameters: dict) -> tuple[tuple[int, ...], "torch.Tensor", "Field"]:
    """The batch's shape, the states (component, member), and the right-hand side with each member's parameters."""
    import torch

    given, shapes = {}, {"initial": x.shape[:-1]}
    for key, value in parameters.items():
        if key not in system.parameters:
            known = ", ".join(system.parameters)
            raise ValueError(f"{system.label} has no parameter {key!r}.{suggest(str(key), system.parameters)} It has {known}")
        value = value if isinstance(value, torch.Tensor) else torch.from_numpy(np.array(value, float))
        own = np.shape(system.parameters[key])
        split = value.ndim - len(own)
        if split < 0 or tuple(value.shape[split:]) != own:
            raise ValueError(f"parameter {key} has shape {own}, after the batch's dimensions; {tuple(value.shape)} given")
        given[key], shapes[key] = value.to(x), value.shape[:split]
    try:
        batch = torch.broadcast_shapes(*shapes.values())
    except RuntimeError as error:
        listed = ", ".join(f"{key} {tuple(shape)}" for key, shape in shapes.items())
        raise ValueError(f"the batch's dimensions do not broadcast: {listed}") from error
    columns = []
    for default, (word, position) in zip(x.new_tensor(system.values), system.flat.places, strict=True):
        value = given.get(word, default)
        if word in given and position:
            value = value[(..., *(k - 1 for k in position))]
        columns.append(value.expand(batch).reshape(-1) if value.ndim else value)
    states = x.expand(*batch, system.dimension).reshape(-1, system.dimension).T.contiguous()
    return tuple(batch), states, Field(emit.torch_function(system.flat.rhs, system.flat.inputs), columns, system.flat.timed)


# --- the right-hand side and one step ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Field:
    """The right-hand side on states (component, member), where every operation runs over neighbours in memory.

    `columns` are parameter values: one for all members, or one each.
    """

    function: Callable
    columns: Sequence
    timed: bool

    def __call__(self, t, x):
        import torch

        cast = lambda value: torch.as_tensor(value, dtype=x.dtype, device=x.device)
        slopes = self.function([*x.unbind(0), *self.columns], cast(t) if self.timed else t, cast)
        shape = x.shape[1:]  # a slope that does not depend on the state is one number
        return torch.stack([k if getattr(k, "shape", None) == shape else cast(k).expand(shape) for k in slopes])

    def of(self, members) -> "Field":
        """The right-hand side of some of the members."""
        return replace(self, columns=[value.index_select(0, members) if value.ndim else value for value in self.columns])


def _step(method: Method, field: Field, t, x, h, first):
    """The states after a step of length `h`, the stages' moves, and the last slope; `first` is the slope at the beginning.

    Moves are slopes times h, unless h is a number: the weights take that along for nothing.
    """
    fixed = isinstance(h, float)
    size, slope = (h if fixed else 1.0), first
    moves = [slope if fixed else slope * h]
    for node, row in zip(method.nodes[1:], method.rows[1:], strict=True):
        new = _weighted(row, moves, size, x)
        slope = field(t + node * h if field.timed else t, new)
        moves.append(slope if fixed else slope * h)
    return (new if method.hands_on else _weighted(method.weights, moves, size, x)), moves, slope


def _weighted(weights, moves, size=1.0, start=None):
    """start + size * sum of weighted moves, in place from the second term on: a sum keeps nothing for the gradient."""
    total = None
    for weight, move in zip(weights, moves, strict=True):
        if weight and total is None:
            total = move * (weight * size) if start is None else start.add(move, alpha=weight * size)
        elif weight:
            total.add_(move, alpha=weight * size)
    return total


# --- equal steps -------------------------------------------------------------------------------------------------------


def _equal_steps(method: Method, field: Field, x, clock, step, max_steps):
    """Samples (time, member, component)."""
    import torch

    counts = [max(1, math.ceil(gap / step * (1 - ROUNDING))) for gap in clock.detach().diff().tolist()]
    if sum(counts) > max_steps:
        raise ValueError(f"step={step:g} asks for {sum(counts)} steps; max_steps allows {max_steps}")
    gradients = torch.is_grad_enabled()
    ends = clock.unbind() if gradients and clock.requires_grad else clock.tolist()
    place, nothing, rows = torch.arange(x.shape[1], device=x.device), torch.full_like(x, math.nan), [x]
    for begin, end, count in zip(ends[:-1], ends[1:], counts, strict=True):
        new = _leg(method, field, x, begin, end, count)
        if gradients and not (well := new.isfinite().all(dim=0)).all():
            # a lost member's infinite derivatives would reach the parameters that all share, so it leaves before
            some = well.nonzero().squeeze(1)
            x, place, field = x.index_select(1, some), place[some], field.of(some)
            new = _leg(method, field, x, begin, end, count)
        x = new
        rows.append(x if len(place) == nothing.shape[1] else nothing.index_copy(1, place, x))
    return torch.stack(rows).transpose(1, 2)


def _leg(method: Method, field: Field, x, begin, end, count):
    """The states at the end of an interval, after `count` steps."""
    h = (end - begin) / count
    for k in range(count):
        t = begin + k * h
        x, _, _ = _step(method, field, t, x, h, field(t, x))
    return x


# --- steps of own length -----------------------------------------------------------------------------------------------


def _own_steps(method: Method, field: Field, x, clock, tolerance, max_steps):
    """Samples (time, member, component), NaN where none was reached; every member on its own clock.

    A round is one attempt of each member that is still on its way. Attempts are made without gradients. Where these are
    asked for, those that succeed are made again: what is rejected or not finite never enters the graph.
    """
    import torch

    gradients, times = torch.is_grad_enabled(), clock.detach()
    shortest = 4 * torch.finfo(times.dtype).eps * times.abs().max()
    place = torch.arange(x.shape[1], device=x.device)
    goal = torch.ones_like(place)  # the number of the sample that a member is on its way to
    t, end = times[0].expand(len(place)), times[1].expand(len(place))
    with torch.no_grad():
        first = field(t, x)
        h = _first_length(x, first, times[1] - times[0])
    taken = [(goal - 1, place, x.T)]
    for _ in range(max_steps):
        if not len(place):
            break
        with torch.no_grad():
            left = end - t
            landing = h >= left
            length = torch.where(landing, left, torch.minimum(h, left / 2))
            new, moves, slope = _step(method, field, t, x, length.to(x.dtype), first)
            ratio = _error(method, x, new, moves) / tolerance
            good = ratio <= 1
            landed = landing & good
            factor = SAFETY * ratio.nan_to_num(nan=math.inf, posinf=math.inf) ** (-1 / method.error_order)
            h = torch.where(landed, h, length * factor.clamp(SHRINK, GROWTH))
        x = _again(method, field, t, x, length, clock, goal, good) if gradients else torch.where(good, new, x)
        t = torch.where(landed, end, torch.where(good, t + length, t))
        with torch.no_grad():
            first = torch.where(good, slope, first) if method.hands_on else field(t, x)
        hits = landed.nonzero().squeeze(1)
        if len(hits):
            taken.append((goal.index_select(0, hits), place.index_select(0, hits), x.index_select(1, hits).T))
            goal = goal + landed
            end = times.index_select(0, goal.clamp(max=len(times) - 1))
        on = (landed | (length > shortest)) & (goal < len(times))
        if not on.all():
            some = on.nonzero().squeeze(1)
            t, end, h, goal, place = (value.index_select(0, some) for value in (t, end, h, goal, place))
            x, first, field = x.index_select(1, some), first.index_select(1, some), field.of(some)
    rows, members, values = (torch.cat(pieces) for pieces in zip(*taken, strict=True))
    return values.new_full((len(times), *taken[0][2].shape), math.nan).index_put((rows, members), values)


def _first_length(x, slope, interval):
    """A hundredth of the time in which the state would change by its own size."""
    guess = 0.01 * x.abs().amax(dim=0) / slope.abs().amax(dim=0)
    return guess.to(interval.dtype).nan_to_num(nan=0.0).clamp(1e-6 * interval, interval)


def _error(method: Method, x, new, moves):
    """A step's estimated error relative to the state, of its worst component: (member,)."""
    import torch

    tiny = torch.finfo(x.dtype).tiny  # for states that stay at zero
    size = x.abs().maximum(new.abs())
    size = size.maximum(SMALLEST * size.amax(dim=0)).add_(tiny)
    estimates = [_weighted(weights, moves).div_(size).abs_().amax(dim=0) for weights in method.errors]
    if len(estimates) == 1:
        return estimates[0]
    fine, coarse = estimates  # Hairer, Norsett & Wanner, II.10
    return fine * fine / (fine.hypot(0.1 * coarse) + tiny)


def _again(method: Method, field: Field, t, x, length, clock, goal, good):
    """The good steps with gradients. Times and lengths are parts of an interval, and move with its ends."""
    some = good.nonzero().squeeze(1)
    goal, t, length = (value.index_select(0, some) for value in (goal, t, length))
    begin, end = clock.index_select(0, goal - 1), clock.index_select(0, goal)
    stretch = (end - begin) / (end - begin).detach()  # 1, but for its derivative
    t, h = begin + (t - begin.detach()) * stretch, (length * stretch).to(x.dtype)
    start, part = x.index_select(1, some), field.of(some)
    new, _, _ = _step(method, part, t, start, h, part(t, start))
    return new if len(some) == x.shape[1] else x.index_copy(1, some, new)
