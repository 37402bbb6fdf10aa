"""Whether a flow nobody has seen before is chaotic, and stays so: what is asked of every candidate, cheapest question first."""

from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from ..integrate import solve
from ..invariants import lyapunov_spectrum, regime
from ..invariants.kaplan_yorke import CLEARLY
from ..systems import System
from ..trajectories import NoPeriod, dominant_period
from .random_flows import rounded

#: Periods before the state a system starts from, and of the first exponents, which tell how long to go on.
SETTLE, TRIAL = 200, 200
#: Periods of the last exponents, of all members together, and of the orbit that the regime is read from.
LAST, LOOKS = 1200, 256
#: Chaos weaker than this, in e-folds a period, is left alone: a thousand Lyapunov times of it are too long to follow.
WEAKEST = 0.02
#: Of a flow of up to four variables all exponents are taken but the last, which follows from the divergence; of larger ones
#: two, which tell chaos from hyperchaos.
ALL, FEW = 4, 2
#: Volumes shrink by so many e-folds a period at least; an exponent is zero to three errors, between these parts of the largest.
SHRINKING, NEARLY = 1e-3, (0.05, 0.3)
#: An exponent known no better than one part in so many is of motion that changes its ways: in audits just such systems fell.
STEADY = 12
#: How often it is gone further, where the last exponent is less than the first, and how much further than it seems needed.
TIMES, MARGIN = 4, 1.1
#: A motion spreads where its range becomes so many times that of the first 200 periods.
SPREAD, SAMPLES = 3.0, 2048
#: e-folds a period of the fastest rate: with faster ones, differences would have to be made orthonormal hundreds of times a period.
STIFFEST = 2000.0
#: Every variable crosses its mean so often in a hundred periods at least, or it rests, or drifts.
FEWEST = 8
#: A dominant period so many times the one expected is that of rare bursts, which no number of periods would follow in good time.
SLOWEST = 50
#: Of a solver's step: exponents are averages, and their errors far larger.
TOLERANCE = 1e-9
#: Digits of a starting state.
DIGITS = 6
CHAOS = ("chaotic", "hyperchaotic")


class Rejected(Exception):
    """A candidate that is not chaotic for good: why, in a word or two that are counted."""


@dataclass(frozen=True)
class Judged:
    """A chaotic system, its exponents, their dimension, and the time for which it was followed."""

    system: System
    regime: str
    spectrum: xr.Dataset
    followed: float


def judge(system: System, *, lyapunov_times: float, tolerance: float = TOLERANCE, length: float = 1.0, seed: int = 0) -> Judged:
    """The system at a state on its attractor, with period and Lyapunov time, if it is chaotic now and `lyapunov_times` later.

    After 200 periods exponents are taken, the orbit is followed for so many Lyapunov times, and exponents are taken again, which
    count; `regime` reads both. `length` times as many periods are used for exponents. Raises Rejected, and says why.
    """
    system = settled(system, tolerance)
    options = {"tolerance": tolerance, "progress": False, "rng": seed, "transient": 0.0}
    options |= {"count": system.dimension - 1 if system.dimension <= ALL else FEW}
    first = _exponents(system, TRIAL * system.period * length, options)
    if not _positive(first):
        first = _exponents(system, LAST * system.period * length, options)
    if not _positive(first) or not first.exponent[0] * system.period > WEAKEST / 2:
        word = _word(system, first, tolerance)
        raise Rejected("weak chaos" if word in CHAOS else word)
    now, followed, found = system, 0.0, first
    for _ in range(TIMES):
        rate = max(float(found.exponent[0]), WEAKEST / system.period)
        more = MARGIN * (lyapunov_times / rate) - followed
        if more > 0:
            now = followed_on(now, more, tolerance)
            followed += more
        found = _exponents(now, LAST * system.period * length, options)
        followed += LAST * system.period * length
        if not _positive(found):
            raise Rejected("transient chaos")
        if float(found.exponent[0]) * followed >= lyapunov_times:
            break
    else:
        raise Rejected("weak chaos")
    if not found.exponent[0] * system.period > WEAKEST:
        raise Rejected("weak chaos")
    _plausible(found, system)
    if not found.exponent[0] > STEADY * found.error[0]:
        raise Rejected("unsteady")
    word = _word(now, found, tolerance)
    if word not in CHAOS:
        raise Rejected(word)
    time = 1 / float(found.exponent[0])
    return Judged(replace(system, lyapunov_time=rounded(time, 4)), word, found, followed)


def _positive(spectrum: xr.Dataset) -> bool:
    """Whether the largest exponent is, beyond doubt."""
    return bool(spectrum.exponent[0] > CLEARLY * spectrum.error[0])


def _plausible(spectrum: xr.Dataset, system: System) -> None:
    """Raise Rejected where volume does not shrink, or where no exponent is zero, as one is along every motion that stays."""
    if not float(spectrum["divergence"]) * system.period < -SHRINKING:
        raise Rejected("no attractor")
    values, errors = spectrum["exponent"].values, spectrum["error"].values
    zero = values[0] * np.clip(CLEARLY * errors / values[0], *NEARLY)
    if len(values) == system.dimension - 1 and (np.abs(values) > zero).all():
        raise Rejected("no zero exponent")


def _word(system: System, spectrum: xr.Dataset, tolerance: float) -> str:
    """The regime test's verdict."""
    found = regime(system, spectrum=spectrum, time=LOOKS * system.period, tolerance=tolerance, progress=False)
    return found.regime


def settled(system: System, tolerance: float) -> System:
    """The system with its period, at a state that it comes to; raises Rejected where it leaves or rests.

    A period that it has already need not be exact.
    """
    system, rows = _moved(system, SETTLE * (system.period or _period(system)), tolerance)
    late = rows[len(rows) // 2 :] > rows[len(rows) // 2 :].mean(axis=0)
    if (np.diff(late, axis=0).sum(axis=0) < FEWEST).any():  # a period would be looked for on ever longer orbits
        raise Rejected("drifts")
    if _stiffness(system, rows) > STIFFEST:
        raise Rejected("stiff")
    period = _period(system)  # that of the attractor alone
    if system.period and period > SLOWEST * system.period:
        raise Rejected("no clear period")
    return replace(system, period=rounded(period, 4))


def _stiffness(system: System, rows: np.ndarray) -> float:
    """The fastest rate of the linearised equations along an orbit, in e-folds a period."""
    rates = np.abs(np.linalg.eigvals(system.jacobian(rows[::8]))).max(axis=1)
    return float(np.quantile(rates, 0.9)) * system.period if system.period else 0.0


def _period(system: System) -> float:
    try:
        return dominant_period(system).value
    except NoPeriod as error:
        found = [word for word in ("escaped", "failed") if word in str(error)]
        raise Rejected({"escaped": "escaping", "failed": "failed"}[found[0]] if found else "fixed point") from error


def followed_on(system: System, duration: float, tolerance: float) -> System:
    """The system at its state so much later; raises Rejected where the motion leaves, or spreads ever further.

    It is looked at after 200 periods, and after twice as many each time: an orbit that winds outwards turns ever faster.
    """
    done, piece, first = 0.0, SETTLE * system.period, None
    while done < duration:
        system, rows = _moved(system, min(piece, duration - done), tolerance)
        spread = np.ptp(rows, axis=0)
        first = spread if first is None else first
        if (spread > SPREAD * first).any():
            raise Rejected("spreads")
        if _stiffness(system, rows) > STIFFEST:
            raise Rejected("stiff")
        done, piece = done + piece, 2 * piece
    return system


def _moved(system: System, duration: float, tolerance: float) -> tuple[System, np.ndarray]:
    """The system at its state so much later, and states on the way."""
    times = duration * np.arange(1, SAMPLES + 1) / SAMPLES
    found = solve(system, system.initial[None], times, tolerance=tolerance, many=False)
    if found.status[0] != "ok":
        raise Rejected("escaping" if found.status[0] == "escaped" else "failed")
    last = zip(system.components, found.states[0, -1], strict=True)
    return replace(system, state={word: rounded(value, DIGITS) for word, value in last}), found.states[0]


def _exponents(system: System, time: float, options: dict) -> xr.Dataset:
    try:
        return lyapunov_spectrum(system, time=time, **options)
    except ValueError as error:  # a member that ends, or differences that part too fast for the time
        raise Rejected("failed") from error


def completed(spectrum: xr.Dataset) -> xr.Dataset:
    """With the last exponent, where it alone is missing: what is left of the mean divergence."""
    if len(spectrum["exponent"]) != spectrum.attrs["dimension"] - 1:
        return spectrum
    values, covariance = spectrum["exponent"].values, spectrum["covariance"].values
    others = -covariance.sum(axis=0)
    whole = np.block([[covariance, others[:, None]], [others[None], np.full((1, 1), -others.sum())]])
    values = np.append(values, float(spectrum["divergence"]) - values.sum())
    made = {"exponent": ("index", values), "error": ("index", np.sqrt(np.diag(whole))), "covariance": (("index", "other"), whole)}
    return xr.Dataset(made, attrs=spectrum.attrs)
