"""One step of a flow or delay system with noise, as trees and as code.

The drift takes the four stages of the classical Runge-Kutta method, and each stage sees where the noise has carried the
state by then; so weak noise leaves a strong flow its fourth order. Amplitudes b_i(t) that no state enters give strong order
1.5, amplitudes b_i(X_i, t) Milstein's strong order 1, for f and b as smooth as those orders suppose.

A delay system's stages see delayed states that are handed to them, and the step leaves behind the piece of path that it has
made, for later steps to look up: what the four slopes say of the drift in between (the cubic of Hairer, Norsett & Wanner,
II.6), and what the Wiener path is expected to be there, given its end and its mean. What is unknown of it has order 1.
"""

import importlib.util
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

from ..systems.calculus import gradients
from ..systems.emit import heyoka_expressions, numpy_function
from ..systems.language import read, suggest
from ..systems.tree import ZERO, Node, name, names_in, walk
from ..systems.unroll import KINKED, Flat, substitute

#: Where a Wiener path stands at stages 2, 3 and 4, w being its end and m its mean over the step. Weighted as the stages are
#: (1/3, 1/3, 1/6) they have the path's mean, m, and its expected mean square, h/2: the conditions of strong order 1.5
#: (Roessler, SIAM J. Numer. Anal. 48, 922 (2010), whose own tableaux use m alone).
PATH = ("3*m/2", "3*m/2 - w/2", "w")
#: The integral of b dW expected from w and m, where b is the parabola through its values a, b, c at start, middle and end.
INTEGRAL = "a*(m - w/3) + 2*b*w/3 + c*(2*w/3 - m)"
#: Coefficients of u, u^2, u^3 of a step's piece, u from 0 to 1: a, b, c, d are the slopes, s is the noise, m its mean.
PIECE = ("h*a + 6*m - 2*s", "h*(b + c - (3*a + d)/2) + 3*s - 6*m", "2*h*(a - b - c + d)/3")
#: Where in a step delayed states are seen, and by which of the four stages.
PLACES, STAGES = ("begin", "middle", "end"), (0, 1, 1, 2)
#: Milstein's noise. Seen by stages 3 and 4 alone, it has the mean w/2 that w lets expect, and the mean square h/2.
MILSTEIN = "b*w + b*slope*(w**2 - h)/2"
#: Numbers that no definition can declare: a step's length, the time at its start.
STEP, NOW = name("time step"), name("time now")
#: Members are computed in whole vectors, since a last one in scalars may round otherwise: results must not depend on how
#: many there are. Eight doubles fill the widest registers.
LANES = 8


@dataclass(frozen=True, eq=False)
class Scheme:
    """One step, compiled: its strong order, the components with noise, and how many normal numbers each of these takes.

    `move(rows, constants, out)` writes the next states (component, member) into `out`; `rows` are states, then normal
    numbers, then the time if it is `timed`; `constants` are the step's length, then parameter values. With `delays`, `out` has
    the piece of path too, (power, component) from the first on, in rows after the states, which `rows` leave unread; and
    `rows` have the delayed states, (delay, place in the step), before the time.
    """

    order: float
    dimension: int
    noisy: tuple[int, ...]
    draws: int
    timed: bool
    engine: str
    move: Callable[[np.ndarray, np.ndarray, np.ndarray], None]
    delays: int = 0

    @property
    def width(self) -> int:
        """Normal numbers a member and step."""
        return self.draws * len(self.noisy)

    @property
    def written(self) -> int:
        """Rows that `move` writes."""
        return self.dimension * (1 + len(PIECE) * (self.delays > 0))

    @property
    def past(self) -> slice:
        """The rows of delayed states."""
        return slice(self.written + self.width, self.written + self.width + len(PLACES) * self.delays)

    @property
    def rows(self) -> int:
        """Rows that `move` reads."""
        return self.past.stop + self.timed

    def advance(self, x, t: float, dw, dz, values, h: float) -> np.ndarray:
        """The states (member, component) of a flow one step of length `h` after the states `x` at time `t`.

        `dw` (member, component) are increments of the Wiener processes, `dz` (member, component) the integrals of
        W(s) - W(t) over the step, which only order 1.5 reads; components without noise ignore theirs. `values` are
        parameter values, (parameter,) or (member, parameter).
        """
        x = np.asarray(x, float)
        lanes = padded(len(x))
        rows = np.zeros((self.rows, lanes))
        rows[: self.dimension, : len(x)] = x.T
        w = np.asarray(dw, float).T / math.sqrt(h)
        for k, component in enumerate(self.noisy):
            rows[self.written + self.draws * k, : len(x)] = w[component]
            if self.draws == 2:
                mean = np.asarray(dz, float).T[component] / h**1.5
                rows[self.written + 2 * k + 1, : len(x)] = math.sqrt(12) * (mean - w[component] / 2)
        if self.timed:
            rows[-1] = t
        out = np.empty((self.dimension, lanes))
        self.move(rows, constants_of(h, values, len(x), lanes), out)
        return out[:, : len(x)].T.copy()


@lru_cache(maxsize=256)
def scheme(flat: Flat, diffusion: tuple[Node, ...], parameters: tuple[Node, ...], engine: str | None = None) -> Scheme:
    """The compiled step of a flow or delay system with the amplitudes `diffusion`, a tree a component, `tree.ZERO` for none.

    `parameters` are the name nodes of run-time values in the order in which they will come. `engine` is "heyoka" or
    "numpy"; by default heyoka where it is installed and nothing has a kink. An amplitude may depend on its own component,
    on components without noise and on time. Raises ValueError where it depends on another one, and for unknown names.
    """
    _check(flat, diffusion, parameters)
    noisy = tuple(k for k, amplitude in enumerate(diffusion) if amplitude is not ZERO)
    additive = not names_in(*diffusion) & names_in(*flat.variables)
    draws = [name(f"normal {number} of {k}") for k in noisy for number in range(2 if additive else 1)]
    trees = _step(flat, _additive(diffusion, draws) if additive else _milstein(flat, diffusion, draws))
    timed, dimension = NOW in set(walk(*trees)), len(flat.variables)
    unread = [name(f"piece {k}") for k in range(len(trees) - dimension)]
    delayed = [_delayed(k, place) for k in range(len(flat.delays)) for place in PLACES]
    rows = (*flat.variables, *unread, *draws, *delayed, *[NOW] * timed)
    engine, order = _engine(trees, engine), 1.5 if additive and not delayed else 1.0
    move = ENGINES[engine](trees, rows, (STEP, *parameters))
    return Scheme(order, dimension, noisy, 2 if additive else 1, timed, engine, move, len(flat.delays))


# --- one step as trees ---------------------------------------------------------------------------------------------------


@cache
def _formula(text: str) -> Node:
    return read(text)


def _put(text: str, **parts: Node) -> Node:
    """The formula with trees for its names."""
    return substitute([_formula(text)], {name(key): tree for key, tree in parts.items()} | {name("h"): STEP})[0]


def _at(trees: Sequence[Node], when: str, states: Mapping[Node, Node] | None = None) -> list[Node]:
    """The trees at another time, and at other states where these are given."""
    return substitute(trees, {name("t"): _put(when, t=NOW), **(states or {})})


def _step(flat: Flat, noise: Sequence[tuple[Node, ...]]) -> tuple[Node, ...]:
    """The next state, and a delay system's piece: Runge-Kutta's four stages, moved by the noise, which is given as (stage 2,
    3, 4, whole step, its mean)."""
    *shifts, whole, mean = zip(*noise, strict=True)
    late = [{delay.symbol: _delayed(k, PLACES[place]) for k, delay in enumerate(flat.delays)} for place in STAGES]
    x, slopes = flat.variables, [_at(flat.rhs, "t", late[0])]
    for part, shift, seen in zip(("h/2", "h/2", "h"), shifts, late[1:], strict=True):
        moved = [_put(f"x + {part}*k + s", x=x, k=k, s=s) for x, k, s in zip(x, slopes[-1], shift, strict=True)]
        slopes.append(_at(flat.rhs, f"t + {part}", dict(zip(x, moved, strict=True)) | seen))
    formulas = ("x + h*(a + 2*(b + c) + d)/6 + s", *(PIECE if flat.delays else ()))
    made = list(zip(x, *slopes, whole, mean, strict=True))
    return tuple(_put(text, **dict(zip("xabcdsm", parts, strict=True))) for text in formulas for parts in made)


def _delayed(delay: int, place: str) -> Node:
    """What stands for a delayed state at a place in the step."""
    return name(f"delayed {delay} at {place}")


def _additive(diffusion: Sequence[Node], draws: Sequence[Node]) -> list[tuple[Node, ...]]:
    """Noise whose amplitudes depend on time at most, from two normal numbers a component: for W's end and its mean."""
    noise, draws = [], iter(draws)
    for amplitude in diffusion:
        if amplitude is ZERO:
            noise.append((ZERO,) * 5)
            continue
        u, v = next(draws), next(draws)
        w, m = _put("sqrt(h)*u", u=u), _put("sqrt(h)*(u/2 + v/sqrt(12))", u=u, v=v)
        a, b, c = (_at([amplitude], when)[0] for when in ("t", "t + h/2", "t + h"))
        whole = _put("b*w", b=b, w=w) if a is b else _put(INTEGRAL, a=a, b=b, c=c, w=w, m=m)
        noise.append((*(_put(f"b*({place})", b=b, w=w, m=m) for place in PATH), whole, _put("b*m", b=b, m=m)))
    return noise


def _milstein(flat: Flat, diffusion: Sequence[Node], draws: Sequence[Node]) -> list[tuple[Node, ...]]:
    """Noise whose amplitudes depend on their own components, from one normal number each."""
    noise, draws = [], iter(draws)
    slopes = gradients(diffusion, flat.variables)
    for x, amplitude, slope in zip(flat.variables, diffusion, slopes, strict=True):
        if amplitude is ZERO:
            noise.append((ZERO,) * 5)
            continue
        w = _put("sqrt(h)*u", u=next(draws))
        b, slope = _at([amplitude, slope.get(x, ZERO)], "t")
        moved = _put("b*w", b=b, w=w) if slope is ZERO else _put(MILSTEIN, b=b, slope=slope, w=w)
        noise.append((ZERO, moved, moved, moved, _put("s/2", s=moved)))
    return noise


def _check(flat: Flat, diffusion: Sequence[Node], parameters: Sequence[Node]) -> None:
    if flat.kind == "map":
        raise ValueError("noise of this kind drives flows and delay systems; the definition is a map")
    if len(diffusion) != len(flat.variables):
        raise ValueError(f"{len(flat.variables)} components ({', '.join(flat.components[:8])}), {len(diffusion)} amplitudes given")
    known = names_in(*flat.variables, *parameters, *(delay.symbol for delay in flat.delays)) | {"t", "pi"}
    for word in sorted(names_in(*flat.rhs, *diffusion) - known):
        raise ValueError(f"{word!r} is neither a component nor among the parameters given.{suggest(word, sorted(known))}")
    noisy = {x.args[0] for x, amplitude in zip(flat.variables, diffusion, strict=True) if amplitude is not ZERO}
    for x, amplitude in zip(flat.variables, diffusion, strict=True):
        for other in sorted(names_in(amplitude) & noisy - {x.args[0]}):
            raise ValueError(
                f"the noise of {x.args[0]} depends on {other}, which has noise of its own. Such noises do not commute, and a step "
                "of order 1 would need their Levy areas, which are not drawn here; an amplitude may depend on its own component, "
                "on components without noise and on time"
            )


# --- one step as code ----------------------------------------------------------------------------------------------------


def _engine(trees: Sequence[Node], wanted: str | None) -> str:
    kinks = sorted({node.head for node in walk(*trees)} & KINKED)
    if wanted is None:
        return "heyoka" if not kinks and heyoka_is_there() else "numpy"
    if wanted not in ENGINES:
        raise ValueError(f"engine {wanted!r} is not one of {', '.join(ENGINES)}.{suggest(str(wanted), ENGINES)}")
    if wanted == "heyoka" and kinks:
        raise ValueError(f"heyoka takes no {', '.join(kinks)}; leave engine out, and numpy takes the steps")
    return wanted


@lru_cache(maxsize=1)
def heyoka_is_there() -> bool:
    """Whether heyoka is installed; its absence is said aloud once."""
    there = importlib.util.find_spec("heyoka") is not None
    if not there:
        warnings.warn(
            "heyoka is not installed, so numpy takes the steps of noise, several times slower; "
            "conda install -c conda-forge heyoka.py",
            stacklevel=4,
        )
    return there


def _with_heyoka(trees: tuple[Node, ...], rows: tuple[Node, ...], constants: tuple[Node, ...]) -> Callable:
    import heyoka as hy

    symbols = {node: hy.expression(f"x{k}") for k, node in enumerate(rows)}
    variables = [symbols[node] for node in rows]
    symbols |= {node: hy.par[k] for k, node in enumerate(constants)}
    function = hy.cfunc(heyoka_expressions(trees, symbols), variables, compact_mode=True)
    used = function.nparams  # heyoka counts up to the last value that the trees mention

    def move(rows, constants, out):
        function(rows, out, constants[:used], batch_parallel=False)

    return move


def _with_numpy(trees: tuple[Node, ...], rows: tuple[Node, ...], constants: tuple[Node, ...]) -> Callable:
    function = numpy_function(trees, (*rows, *constants))

    def move(rows, constants, out):
        with np.errstate(all="ignore"):
            for row, column in zip(out, function([*rows, *constants]), strict=True):
                row[:] = column

    return move


ENGINES = {"heyoka": _with_heyoka, "numpy": _with_numpy}


def normal_pairs(uniform: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """Independent normal numbers (2, number) from uniform ones in [0, 1) (Box & Muller, 1958), in the processor's vectors."""
    out = np.empty_like(uniform) if out is None else out
    _box_muller("heyoka" if heyoka_is_there() else "numpy")(uniform, np.empty((0, uniform.shape[1])), out)
    return out


@cache
def _box_muller(engine: str) -> Callable:
    trees = tuple(_formula(f"sqrt(-2*log(1 - u))*{wave}(2*pi*v)") for wave in ("cos", "sin"))
    return ENGINES[engine](trees, (name("u"), name("v")), ())


def padded(members: int) -> int:
    return LANES * max(1, -(-members // LANES))


def constants_of(step: float, values, members: int, lanes: int) -> np.ndarray:
    """The step and parameter values as rows of lanes; those beyond the members repeat the last one's."""
    values = np.asarray(values, float)
    rows = np.empty((1 + values.shape[-1], lanes))
    rows[0], rows[1:, :members] = step, values.T if values.ndim == 2 else values[:, None]
    rows[1:, members:] = rows[1:, members - 1 : members]
    return rows
