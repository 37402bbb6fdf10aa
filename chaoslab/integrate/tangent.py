"""Tangent dynamics: a motion together with small differences from it, which the linearised equations carry along.

A difference w obeys w' = J w along a flow, w -> J w under a map. Where the field jumps on a surface g = 0 it is carried across
by the saltation matrix 1 + (f_after - f_before) grad(g) / (dg/dt before) (Leine & Nijmeijer, Dynamics and Bifurcations of
Non-Smooth Mechanical Systems, 2004). A delay system's difference is a function over the longest lag.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from ..systems import calculus
from ..systems.emit import numpy_function
from ..systems.system import System
from ..systems.tree import ZERO, Node, name, walk
from ..systems.unroll import Delay, Flat
from . import delay
from .crossing import Walk
from .exponents import with_whole_powers
from .past import Past, chebyshev, given
from .solve import SOLVERS, TOLERANCE, default_solver, flow
from .switching import Switched

#: Points of a lag at which differences of delay systems are compared.
LOOKS = 64
#: Samples of a step across switches, to which a walk that missed one goes back.
LOOKS_BETWEEN = 9
#: Less than this part of a volume left behind a jump means that it has been pressed onto a surface.
FLAT = 1e-9
#: A motion so many times further out than at first, and twice as far as a step before, has left; a solver may follow it for hours.
FAR = 1e4


@lru_cache(maxsize=256)
def linearised(flat: Flat, count: int) -> Flat:
    """The equations of a flow or delay system with `count` differences beside the state.

    Components: the state, then difference by difference; for a flow, last, the integral of the divergence.
    """
    n, symbols = len(flat.variables), tuple(item.symbol for item in flat.delays)
    jacobian = calculus.jacobian(flat.rhs, flat.variables + symbols)
    variables, rhs, delays = list(flat.variables), list(flat.rhs), list(flat.delays)
    for k in range(count):
        here = [name(f"difference {k} of {word}") for word in flat.components]
        past = [name(f"difference {k} of {symbol.args[0]}") for symbol in symbols]
        delays += [Delay(new, n + k * n + item.component, item.lag) for new, item in zip(past, flat.delays, strict=True)]
        variables += here
        rhs += [_sum([_product(slope, w) for slope, w in zip(row, here + past, strict=True)]) for row in jacobian]
    if flat.kind == "flow":
        variables.append(name("integral of the divergence"))
        rhs.append(_sum([jacobian[k][k] for k in range(n)]))
    components = tuple(node.args[0] for node in variables)
    bare = {"observed": None, "conserved": {}, "noise": None, "symmetry": None}
    return replace(flat, components=components, variables=tuple(variables), rhs=tuple(rhs), delays=tuple(delays), **bare)


def _product(slope: Node, w: Node) -> Node:
    if slope is ZERO:
        return ZERO
    return w if slope.head == "number" and slope.args[0] == 1 else Node("*", slope, w)


def _sum(terms: list[Node]) -> Node:
    terms = [term for term in terms if term is not ZERO]
    return Node("+", *terms) if len(terms) > 1 else terms[0] if terms else ZERO


class _Pieces(Switched):
    def sliding(self, k):
        made = Switched.sliding(self, k)
        n = _dimension(self.flat)
        count = (len(self.flat.variables) - 1 - n) // n
        states = self.flat.variables[:n]
        jacobian = calculus.jacobian(made.rhs[:n], states)
        rhs = list(made.rhs[:n])
        for j in range(count):
            here = self.flat.variables[n + j * n : n + (j + 1) * n]
            rhs += [_sum([_product(slope, w) for slope, w in zip(row, here, strict=True)]) for row in jacobian]
        rhs.append(_sum([jacobian[i][i] for i in range(n)]))
        return made._replace(rhs=tuple(rhs))


class _Carrying(Walk):
    """A walk of a state and its differences across switching surfaces."""

    def __init__(self, pieces, *more):
        from dataclasses import fields

        super().__init__(_Pieces(**{f.name: getattr(pieces, f.name) for f in fields(pieces)}), *more)

    def leg(self, slide, t, x, modes, times):
        if slide is not None:
            n = _dimension(self.pieces.flat)
            below, above = (self.field(slide, t, x, [*modes[:slide], side, *modes[slide + 1 :]])[:n] for side in (0.0, 1.0))
            gap = above - below
            gradient = self.gradient(slide, t, x, modes)[0]
            x = np.array(x)
            frame = x[n:-1].reshape(-1, n)
            frame -= np.outer(frame @ gradient / (gap @ gradient), gap)
            self.flat = True
        return super().leg(slide, t, x, modes, times)

    def gradient(self, k, t, x, modes):
        slope = self.pieces.slope(k)
        n = _dimension(self.pieces.flat)
        gradient = np.zeros(n)
        *values, along_time = self.evaluate((*slope.values(), slope.get(name("t"), ZERO)), t, x, modes)
        for by, value in zip(slope, values, strict=True):
            if by in self.pieces.flat.variables[:n]:
                gradient[self.pieces.flat.variables.index(by)] = value
        return gradient, along_time

    #: Whether the differences have been pressed onto a surface that is slid on.
    flat = False

    def carried(self, k, t, x, before, after):
        """Differences behind the jump at surface k; along a surface that is slid on they stay on it."""
        if before[k] == 0.5 and not self.pieces.levels[k]:
            return x  # it leaves the surface where the field is the same on both sides of that moment
        flat = self.pieces.flat
        n = _dimension(flat)
        fields = [self.field(k, t, x, modes)[:n] for modes in (before, after)]
        gap = fields[1] - fields[0]
        if not np.any(gap):
            return x
        slope = self.pieces.slope(k)
        gradient = np.zeros(n)
        *values, along_time = self.evaluate((*slope.values(), slope.get(name("t"), ZERO)), t, x, before)
        for by, value in zip(slope, values, strict=True):
            if by in flat.variables[:n]:
                gradient[flat.variables.index(by)] = value
        rate = gradient @ fields[0] + along_time
        if rate == 0:
            return x
        new = np.array(x)
        frame = new[n:-1].reshape(-1, n)
        frame += np.outer(frame @ gradient / rate, gap)
        left = abs(1 + gradient @ gap / rate)
        if left < FLAT:
            self.flat = True
        else:
            new[-1] += np.log(left)
        return new

    def field(self, k, t, x, modes) -> np.ndarray:
        """The field on the given side of surface k, or along it."""
        held = [j for j, mode in enumerate(modes) if mode == 0.5 and not self.pieces.levels[j]]
        trees = self.pieces.sliding(held[0]).rhs if held else self.pieces.rhs
        return np.array(self.evaluate(trees, t, x, modes))


def _dimension(flat: Flat) -> int:
    """Components of the state in linearised equations of a flow."""
    return sum(not word.startswith("difference ") for word in flat.components) - 1


@dataclass
class Bundle:
    """Members of a system, each with a frame of differences that is orthonormal after every step, in units of `scale`.

    `states` (member, component), or a list of pasts of a delay system; `frames` (member, component, difference) (of a delay
    system kept within the pasts); `factors` (member, difference, difference): the triangular matrices of the last step, frame
    before to frame after; `volume` (member,): the mean divergence of the last step times its length. `t` is the time.
    A flow's member that comes further from the origin than `reach`, by leaps, ends.
    """

    system: System
    states: np.ndarray | list[Past]
    frames: np.ndarray | None
    scale: np.ndarray
    values: np.ndarray
    tolerance: float
    solver: str
    turning: list[int]
    t: float = 0.0
    factors: np.ndarray | None = None
    volume: np.ndarray | None = None
    reasons: list[str] | tuple = ()
    reach: float = np.inf
    advances: int = 0
    flat: np.ndarray | None = None

    def advance(self, duration: float) -> np.ndarray:
        """Go on by a time (a map: by whole iterations); natural logarithms of the growth (member, difference).

        -inf where a difference dies out altogether, NaN where a member ends.
        """
        step = {"flow": self._flow, "map": self._map, "delay": self._delay}[self.system.kind]
        step(duration)
        self.t += duration
        self.advances += 1
        with np.errstate(divide="ignore"):
            growth = np.log(np.abs(np.diagonal(self.factors, axis1=1, axis2=2)))
        if self.flat is not None:
            growth[self.flat, self.system.dimension - 1 :] = -np.inf  # rounding has left something
        return growth

    def _flow(self, duration: float) -> None:
        flat = linearised(with_whole_powers(self.system.flat, self.values), self.frames.shape[2])
        members, n, count = self.frames.shape
        size = np.fmax(1.0, np.abs(self.states).max(axis=1)) / self.scale.max()
        whole = size[:, None] * self.scale
        raw = (self.frames * whole[:, :, None]).transpose(0, 2, 1).reshape(members, -1)
        start = np.concatenate([self.states, raw, np.zeros((members, 1))], axis=1)
        values = np.broadcast_to(self.values, (members, np.shape(self.values)[-1]))
        end, walks = self.t + duration, []
        times = np.array([self.t, end]) if flat.smooth else np.linspace(self.t, end, LOOKS_BETWEEN)

        def way(*made):
            walks.append(_Carrying(*made))
            return walks[-1]

        ends = flow(flat, start, times, values, self.t, self.tolerance, self.solver, 1, walk=way, wary=self.t == 0)
        ends, _, self.reasons = ends
        ends = ends[:, -1]
        self.flat = np.array([one.flat for one in walks], bool) if walks else np.zeros(members, bool)
        now = np.abs(ends[:, :n]).max(axis=1)
        ends[(now > self.reach) & (now > 2 * np.abs(self.states).max(axis=1))] = np.nan
        self.states, self.volume = ends[:, :n], ends[:, -1]
        self.volume[self.flat] = -np.inf
        if self.turning:
            self.states[:, self.turning] %= 2 * np.pi
        self._orthonormalise(ends[:, n:-1].reshape(members, count, n).transpose(0, 2, 1) / whole[:, :, None])

    def _map(self, iterations: float) -> None:
        flat = self.system.flat
        n = self.system.dimension
        trees = (*flat.rhs, *sum(self.system.derivatives, ()))
        function = numpy_function(trees, flat.variables + flat.parameters)
        x, total = self.states.T, np.zeros(len(self.states))
        whole = np.broadcast_to(np.eye(self.frames.shape[2]), (len(self.states), *[self.frames.shape[2]] * 2))
        columns = np.empty((len(trees), len(self.states)))
        values = np.broadcast_to(self.values, (len(self.states), np.shape(self.values)[-1])).T
        with np.errstate(all="ignore"):
            for k in range(round(iterations)):
                for row, value in zip(columns, function([*x, *values], self.t + k), strict=True):
                    row[:] = value
                x = columns[:n].copy()
                jacobian = columns[n:].T.reshape(-1, n, n)
                total += np.linalg.slogdet(jacobian)[1]
                self._orthonormalise(jacobian * self.scale / self.scale[:, None] @ self.frames)
                whole = self.factors @ whole
        self.states, self.volume, self.factors, self.flat = x.T, total, whole, np.isneginf(total)

    def _delay(self, duration: float) -> None:
        for orbit in self.orbits:
            orbit.run(np.array([orbit.past.now + duration]), np.empty((1, orbit.past.coefficients.shape[1])))
        self.volume = np.full(len(self.orbits), np.nan)
        self.factors = np.stack([self._orthonormalised(orbit) for orbit in self.orbits])

    def _orthonormalised(self, orbit) -> np.ndarray:
        """Make the differences over the last lag orthonormal: the mean of their products there, and at its end."""
        n, past = self.system.dimension, orbit.past
        reach, end = float(orbit.longest), past.span[1]
        times = end - reach * np.append(chebyshev(LOOKS)[0], 0.0)
        rows = past.at(times)[:, n:].reshape(len(times), -1, n) / self.scale
        weights = np.append(np.full(LOOKS, LOOKS**-0.5), 1.0)[:, None, None]
        matrix = (rows * weights).transpose(0, 2, 1).reshape(-1, rows.shape[1])
        if orbit.failed or not np.isfinite(matrix).all():
            return np.full((rows.shape[1],) * 2, np.nan)
        upper = _positive(np.linalg.qr(matrix)[1])
        kept = slice(past.first, past.first + past.count)
        block = past.coefficients[kept, n:]
        shaped = block.reshape(len(block), -1, n, block.shape[-1])
        past.coefficients[kept, n:] = np.einsum("pknd,kj->pjnd", shaped, np.linalg.inv(upper)).reshape(block.shape)
        return upper

    def _orthonormalise(self, frames: np.ndarray) -> None:
        good = np.isfinite(frames).all(axis=(1, 2))
        whole = bool(good.all())
        q, r = np.linalg.qr(frames if whole else np.where(good[:, None, None], frames, 0.0))
        signs = np.where(np.diagonal(r, axis1=1, axis2=2) < 0, -1.0, 1.0)
        self.frames, factors = q * signs[:, None, :], r * signs[:, :, None]
        self.factors = factors if whole else np.where(good[:, None, None], factors, np.nan)


def _positive(upper: np.ndarray) -> np.ndarray:
    """A triangular factor with a positive diagonal."""
    return upper * np.where(np.diag(upper) < 0, -1.0, 1.0)[:, None]


@lru_cache(maxsize=256)
def turning(system: System) -> list[int]:
    """Components that are angles: observed as a sine or cosine, and a full turn changes nothing. They are kept from growing,
    since a large angle has few digits left."""
    if system.kind != "flow" or system.flat.observed is None:
        return []
    rows, columns = np.ogrid[1:5, : system.dimension]
    states = system.initial + 0.1 * np.maximum(1.0, np.abs(system.initial)) * np.sin(rows + 2.3 * columns)
    found = []
    for k, (tree, variable) in enumerate(zip(system.flat.observed, system.flat.variables, strict=True)):
        if tree.head in ("sin", "cos") and tree.args == (variable,):
            turned = states + 2 * np.pi * (np.arange(system.dimension) == k)
            if np.allclose(system.rhs(turned), system.rhs(states), rtol=1e-9, atol=1e-9):
                found.append(k)
    return found


class _Linearised:
    """What a delay orbit asks of a system, for its linearised equations."""

    def __init__(self, system: System, values: np.ndarray, count: int):
        self.flat = linearised(with_whole_powers(system.flat, values), count)
        self.label, self._system, self._count = system.label, system, count

    def lags_at(self, values: np.ndarray) -> np.ndarray:
        return np.tile(self._system.lags_at(values), self._count + 1)


def bundle(
    system: System,
    states: np.ndarray | list[Past],
    count: int,
    *,
    scale: np.ndarray,
    rng: np.random.Generator,
    values: np.ndarray | None = None,
    tolerance: float = TOLERANCE,
    solver: str | None = None,
) -> Bundle:
    """Members at `states`, each with a random orthonormal frame of `count` differences.

    `scale` (component,) is the unit of length of each component; a delay system's members are pasts.
    """
    values = system.values if values is None else np.asarray(values, float)
    solver = solver or default_solver()
    n, scale = system.dimension, np.asarray(scale, float)
    if system.kind != "delay":
        frames = np.linalg.qr(rng.standard_normal((len(states), n, n)))[0][:, :, :count]
        made = Bundle(system, np.array(states, float), frames, scale, values, tolerance, solver, turning(system))
        made.reach = FAR * max(1.0, float(np.abs(made.states).max()))
        return made
    jumps = [node.head for node in walk(*system.flat.rhs) if node.head in ("sign", "step", "floor", "mod", "where")]
    if jumps:
        raise ValueError(f"{system.label} has a jump ({jumps[0]}); differences are not carried across jumps of delay systems")
    made = Bundle(system, list(states), None, scale, values, tolerance, solver, [])
    reach, whole = float(system.lags_at(values).max()), _Linearised(system, values, count)
    make = lambda equations: SOLVERS[solver](equations, tolerance)
    made.orbits = []
    for past in states:
        waves = rng.standard_normal((count, n, count + 1))

        def history(s, past=past, waves=waves):
            turns = np.cos(np.pi * np.arange(count + 1) * (s / reach))
            return np.concatenate([past.at(np.array(past.span[1] + s)), ((waves @ turns) * scale).ravel()])

        start = given(history, reach, past.now, n * (count + 1))
        made.orbits.append(delay.Orbit(whole, start, values, make, tolerance))
    for orbit in made.orbits:
        made._orthonormalised(orbit)
    return made
