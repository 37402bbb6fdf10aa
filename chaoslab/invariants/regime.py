"""Which regime a motion is in: first what its orbit does, then, where that leaves it open, how small differences grow."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import xarray as xr

from ..integrate import TOLERANCE, solve
from ..integrate.tangent import Bundle, bundle
from ..systems import System, as_system
from ..trajectories import NoPeriod, dominant_period
from ..trajectories.grid import positive
from ..trajectories.starts import phases
from .lyapunov import MEMBERS, lyapunov_spectrum
from .orbit import time_unit
from .settling import Look, Orbit
from .signs import Signs, of_chaos, of_regular

#: What `regime` may answer.
REGIMES = (
    "chaotic",
    "hyperchaotic",
    "quasi-periodic",
    "periodic",
    "fixed point",
    "transient chaos",
    "escaping",
    "undecided",
)
#: How long an orbit is followed: dominant periods, of a map iterations.
LENGTH = {"flow": 2048, "map": 100_000, "delay": 256}
#: Parts of that time after which it is seen whether the motion has settled; then, where it still moves slowly, multiples.
LOOKS, LONGER = (1 / 64, 1 / 16, 1 / 4, 1), (4, 16, 64)
#: The time over which exponents are taken, all members together, in parts of the orbit's; later ones where it is not clear.
PARTS = (1 / 8, 1 / 2, 2)
#: The longest of them for a motion that is chaotic already, where only a second positive exponent is open.
AT_MOST = 1 / 2
#: Units, of a map iterations, that a member needs to tell anything.
LEAST = 16
#: What chaos that passes must do: let differences grow by so many e-folds, over so many units, ...
FOLDS, LASTING = 10, {"flow": 40, "delay": 40, "map": 100}
#: ... while the motion covers this part of its range; within so many units from the start.
MOVING, EARLY = 0.1, {"flow": 512, "delay": 256, "map": 8192}
#: Steps of such a unit (part of it, away from simple fractions), and how many of them show the range.
STRIDE, GROUP = 0.382, 8


@dataclass(frozen=True, eq=False, repr=False)
class Regime:
    """The regime of one motion, and why.

    `regime` is one of REGIMES; `evidence` are numbers by name, times in the system's own unit; `words` say it in a sentence.
    `end` is what transient chaos ends in; `spectrum` are the Lyapunov exponents where they were needed.
    """

    system: str
    regime: str
    words: str
    evidence: Mapping[str, float] = field(default_factory=dict)
    end: str = ""
    spectrum: xr.Dataset | None = None

    def __repr__(self):
        numbers = ", ".join(f"{key} {value:.6g}" for key, value in self.evidence.items())
        return f"{self.system}: {self.regime}\n  {self.words}\n  {numbers}"


def regime(
    system: System | str,
    *,
    time: float | None = None,
    transient: float = 0.0,
    count: int | None = None,
    rng: int | np.random.Generator = 0,
    spectrum: xr.Dataset | None = None,
    tolerance: float = TOLERANCE,
    progress: bool = True,
) -> Regime:
    """What the motion from the system's own state is: chaotic, hyperchaotic, quasi-periodic, periodic, a fixed point, escaping,
    transient chaos, or undecided where the evidence is not enough.

    The orbit is followed until it escapes, rests or recurs; if it does none of these, its exponents count. Two positive ones
    are hyperchaos. A regular end is transient chaos where differences grew by 10 e-folds, and longer than 40 periods (of a map
    100 iterations), before. A strange attractor without a positive exponent counts as quasi-periodic.

    Parameters
    ----------
    time : how long the orbit is followed, in the system's unit; by default 2,048 dominant periods (of a delay system 256), or
        100,000 iterations, and longer where it then still settles. Exponents are taken over up to twice that time
    transient : passed before anything counts, in the system's unit
    count : exponents; by default as many as decide: at most 3 more than there are clocks, of a delay system 2
    spectrum : of this system, by `lyapunov_spectrum`, if there is one already

    >>> regime("Henon").regime
    'chaotic'
    """
    system = as_system(system, "regime")
    _check(system, time, transient, spectrum)
    unit = _unit(system)
    length = LENGTH[system.kind] * unit if time is None else float(time)
    orbit = Orbit(system, unit, tolerance)
    if not orbit.coordinates:
        return Regime(system.label, "undecided", "Every coordinate just counts time; `observed` can state an angle.")
    if transient:
        orbit.go(transient)
    begin = (orbit.now, orbit.t)
    looks = _follow(orbit, length, time is None)
    made = {"unit": unit, "time": orbit.t}
    if orbit.end and not (looks and orbit.end == "failed"):
        return _ended(orbit, made)
    found = _settled(orbit, looks[-1], made)
    if found is None:
        options = {"count": count or _count(system), "rng": rng, "tolerance": tolerance, "progress": progress}
        found = _by_exponents(orbit, looks, spectrum, length, made, options)
    if found.regime in ("fixed point", "periodic", "quasi-periodic"):
        return _after_chaos(found, orbit, begin, rng)
    return found


def _check(system: System, time, transient, spectrum) -> None:
    if time is not None:
        positive(time, "time, how long the orbit is followed,")
    positive(transient, "transient, a time to pass first,", zero=True)
    if spectrum is not None and spectrum.attrs.get("name") != system.label:
        raise ValueError(f"the spectrum is of {spectrum.attrs.get('name', 'nothing')}; one of {system.label} is needed")


def _unit(system: System) -> float:
    """A time unit as exponents have it, but four lags, the turn of a delayed answer, for a delay system without a period."""
    if system.kind == "delay" and system.period is None:
        try:
            return dominant_period(system).value
        except NoPeriod:
            return 4 * float(system.lags.max())
    return time_unit(system)


def _count(system: System) -> int:
    """Exponents that decide: the last one follows from the divergence, and more than two positive ones change nothing.

    The third of a delay system costs most, as it may be so negative that nothing but rounding is left of a difference.
    """
    if system.kind == "delay":
        return 2
    return min(system.dimension, 3 + int(phases(system).sum()), max(2, system.dimension - (system.kind == "flow")))


def _follow(orbit: Orbit, length: float, further: bool) -> list[Look]:
    """Looks at the orbit, until it ends, has settled, or the time is over."""
    looks, begin, whole = [], orbit.t, orbit.system.kind == "map"
    for part in (*LOOKS, *(LONGER if further else ())):
        if part < 1 and part * length < LEAST * orbit.unit:
            continue
        if orbit.end or (part > 1 and looks[-1].steady):
            break
        look = orbit.look(begin + (round(part * length) if whole else part * length))
        if look is None:
            break
        looks.append(look)
        if look.recurs or (look.rests and not _unstable(orbit)[1]):
            break
    return looks


def _unstable(orbit: Orbit) -> tuple[float, bool]:
    """The largest real part (map: modulus) of the eigenvalues where the orbit is, and whether differences grow there.

    NaN for a delay system, which has infinitely many, and where the Jacobian is not finite.
    """
    system = orbit.system
    if system.kind == "delay":
        return np.nan, False
    moving = ~phases(system)
    matrix = system.jacobian(orbit.now[0], orbit.t)[np.ix_(moving, moving)]
    if not np.isfinite(matrix).all():
        return np.nan, False
    values = np.linalg.eigvals(matrix)
    if system.kind == "map":
        return float(np.abs(values).max()), bool(np.abs(values).max() > 1 + 1e-6)
    return float(values.real.max()), bool(values.real.max() > 1e-6 * np.abs(values).max())


def _ended(orbit: Orbit, made: dict) -> Regime:
    label, when = orbit.system.label, orbit.ended
    if orbit.end == "escaped":
        return Regime(label, "escaping", f"It leaves for good, at t = {when:.6g}.", {"escaped": when, **made, "time": when})
    why = f"The orbit cannot be followed beyond t = {when:.6g}" + (f": {orbit.reason}." if orbit.reason else ".")
    return Regime(label, "undecided", why, {"failed": when, **made})


def _settled(orbit: Orbit, look: Look, made: dict) -> Regime | None:
    """A rest or a cycle that the orbit has come to."""
    label, whole = orbit.system.label, orbit.system.kind == "map"
    if look.rests:
        value, unstable = _unstable(orbit)
        what = "modulus of an eigenvalue" if whole else "real part of an eigenvalue"
        words = f"It has come to rest; the largest {what} there is {value:.3g}" if np.isfinite(value) else "It has come to rest"
        words += ", so the least push would lead away." if unstable else "."
        return Regime(label, "fixed point", words, {"eigenvalue": value, **made})
    if not look.recurs:
        return None
    period, distance = look.back
    length = f"{period:.0f} iterations" if whole else f"{period:.6g} time units"
    words = f"It comes back after {length}, again and again, to within {distance:.1g} of its size."
    return Regime(label, "periodic", words, {"period": period, "distance": distance, **made})


def _by_exponents(orbit: Orbit, looks: list[Look], spectrum, length: float, made: dict, options: dict) -> Regime:
    """The regime of a motion that neither ends nor settles."""
    system, unit = orbit.system, orbit.unit
    if spectrum is None:
        try:
            for part in PARTS:
                if part < 1 and part * length < LEAST * MEMBERS[system.kind] * unit:
                    continue
                spectrum = lyapunov_spectrum(system, time=part * length, transient=orbit.t, **options)
                signs = Signs.of(spectrum, unit)
                if signs.clear(system) or (signs.positive and part >= AT_MOST):
                    break
        except ValueError as error:  # a time too short for errors, or a member that ends
            words = f"It neither rests nor recurs, and exponents were not to be had: {error}."
            return Regime(system.label, "undecided", words, made)
    signs = Signs.of(spectrum, unit)
    kind, words = of_chaos(system, signs) if signs.positive else of_regular(system, signs, looks)
    nearest = looks[-1].back.distance
    evidence = {**signs.numbers, **({"distance": nearest} if nearest < math.inf else {}), **made}
    return Regime(system.label, kind, words, evidence, spectrum=spectrum)


# --- chaos that passes --------------------------------------------------------------------------------------------------


def _after_chaos(found: Regime, orbit: Orbit, begin, rng) -> Regime:
    """Transient chaos in place of a regular end, where the orbit was chaotic for long enough before."""
    growth, when = _growth(orbit, *begin, rng)
    unit, kind = orbit.unit, orbit.system.kind
    regular = math.log(max((orbit.t - begin[1]) / unit, math.e))
    if growth < FOLDS + regular or when - begin[1] < LASTING[kind] * unit:
        return found
    words = f"Differences grew by {growth:.0f} e-folds until t = {when:.6g}; then: {found.words[0].lower()}{found.words[1:]}"
    evidence = {"growth": growth, "chaotic until": when, **found.evidence}
    return Regime(found.system, "transient chaos", words, evidence, end=found.regime, spectrum=found.spectrum)


def _growth(orbit: Orbit, start, t: float, rng) -> tuple[float, float]:
    """The e-folds by which a difference grew early on, while the motion was large, and the time when it had."""
    system, stride = orbit.system, 1.0 if orbit.system.kind == "map" else STRIDE * orbit.unit
    if system.kind == "delay" and not isinstance(start, list):
        start = solve(system, start, np.array([t]), start=t).pasts
    group = bundle(system, start, 1, scale=np.ones(system.dimension), rng=np.random.default_rng(rng), tolerance=orbit.tolerance)
    group.t = t
    total, best, when = 0.0, 0.0, t
    reach = np.where(orbit.reach > 0, orbit.reach, np.inf)
    for _ in range(int(min(orbit.t - t, EARLY[system.kind] * orbit.unit) / (stride * GROUP))):
        grown, rows = 0.0, []
        for _ in range(GROUP):
            grown += float(group.advance(stride)[0, 0])
            rows.append(system._evaluate(orbit.coordinates, _states(group), group.t, {})[0])
        if not np.isfinite(grown):
            break
        if (np.ptp(rows, axis=0) >= MOVING * reach).any():
            total += grown
        if total > best + 1:
            best, when = total, group.t
    return best, when


def _states(group: Bundle) -> np.ndarray:
    """Where members are (member, component)."""
    if group.system.kind != "delay":
        return group.states
    return np.array([item.past.state[: group.system.dimension] for item in group.orbits])
