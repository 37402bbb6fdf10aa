"""The signs of Lyapunov exponents, and what they say of a motion.

Differences of regular motion grow like a power of time, so that its exponents look like log(T) / T after a time T; chaos is
what lies above that. A motion in a bounded region without a positive exponent is a rest, where no exponent is zero, and a
periodic orbit where a single one is (Campanino, Commun. Math. Phys. 74, 15, 1980); with more zeros it winds on a torus.
"""

import math
from dataclasses import dataclass

import numpy as np
import xarray as xr

from ..integrate.tangent import turning
from ..systems import System
from ..systems.tree import name, walk
from ..trajectories.starts import phases
from .lyapunov import LINEAR
from .settling import Look, Return

#: An exponent is not zero from this many standard errors on.
ERRORS = 3
#: A distance from the closest return that shrinks to this part from one look to the next is on its way to zero.
CLOSING = 0.25


@dataclass(frozen=True)
class Signs:
    """Exponents in descending order, and their errors.

    `regular` is how far from zero those of regular motion can lie after the time of a member, `span`; `last` is the last one of
    all `dimension` (-1 for a delay system) where it alone is missing, from the divergence.
    """

    values: np.ndarray
    errors: np.ndarray
    regular: float
    span: float
    dimension: int
    last: float

    @classmethod
    def of(cls, ds: xr.Dataset, unit: float) -> "Signs":
        values, errors = ds["exponent"].values, np.nan_to_num(ds["error"].values)
        order = np.argsort(-values)
        span = float(ds.attrs["time"]) / int(ds.attrs["members"])
        dimension = int(ds.attrs["dimension"])
        last = float(ds["divergence"]) - float(values.sum()) if dimension == len(values) + 1 else np.nan
        return cls(values[order], errors[order], math.log(max(span / unit, math.e)) / span, span, dimension, last)

    @property
    def slack(self) -> np.ndarray:
        """How far from zero each may be found though it is zero."""
        return np.maximum(ERRORS * self.errors, self.regular)

    @property
    def positive(self) -> int:
        """Exponents that are positive beyond doubt."""
        return int((self.values > self.slack).sum())

    @property
    def negative(self) -> int:
        """Exponents that are negative beyond doubt."""
        return int((self.values < -self.slack).sum())

    @property
    def zero(self) -> int:
        """Exponents that may be zero."""
        return len(self.values) - self.positive - self.negative

    @property
    def numbers(self) -> dict[str, float]:
        """All of it as numbers by name."""
        numbers = {"positive": self.positive, "zero": self.zero, "regular": self.regular}
        for k, (value, error) in enumerate(zip(self.values, self.errors, strict=True), start=1):
            numbers |= {f"exponent {k}": float(value), f"error {k}": float(error)}
        return numbers

    def shown(self, k: int) -> str:
        """Exponent k, from 0, with its error."""
        return f"{self.values[k]:.3g} ± {self.errors[k]:.1g}"

    def clear(self, system: System) -> bool:
        """Whether more time would not change that there is chaos, and of which kind."""
        known = self.negative > 0 or self.last < -self.slack.max() or len(self.values) == self.dimension
        return self.positive > 1 or (self.positive == 1 and known and self.zero <= certain_zeros(system))


def certain_zeros(system: System) -> int:
    """Exponents that are zero because of what the equations are: along the flow and its clocks, and across first integrals."""
    if system.kind == "map":
        return len(system.conserved)
    along = 0 if _timed(system) else 1
    return max(along, int(phases(system).sum())) + len(system.conserved)


def _timed(system: System) -> bool:
    """Whether time itself stands in the equations."""
    return name("t") in set(walk(*system.flat.rhs))


def of_chaos(system: System, signs: Signs) -> tuple[str, str]:
    """What a motion with a positive exponent is, and why."""
    shown = " and ".join(signs.shown(k) for k in range(min(signs.positive, 2)))
    per = "iteration" if system.kind == "map" else "time unit"
    above = f"{shown} per {per}, where regular motion shows about {signs.regular:.2g} at most after that time"
    if signs.positive > 1:
        return "hyperchaotic", f"At least two exponents are positive, {above}."
    if signs.clear(system):
        return "chaotic", f"One exponent is positive, {above}."
    others = f"{signs.zero} of the others cannot be told from zero" if signs.zero else "not all others are known"
    return "chaotic", f"An exponent is positive, {above}; {others}, so a second positive one is not excluded."


def of_regular(system: System, signs: Signs, looks: list[Look]) -> tuple[str, str]:
    """What a motion without a positive exponent is, and why."""
    look, shown = looks[-1], f"The largest exponent is {signs.shown(0)}"
    driven = _timed(system) or bool(set(np.flatnonzero(phases(system))) - set(turning(system)))
    zeros = signs.zero + (system.kind == "map" or _timed(system))
    if zeros == 0 and not driven:
        if look.steady:
            return "undecided", f"{shown}: all differences die out, as they do only at rest, and yet it moves."
        return "fixed point", f"{shown}: all differences die out, and it is on its way to rest."
    longer = "give it a longer time."
    if not look.steady:
        hint = "" if system.observed else ", as an angle does that `observed` does not name"
        return "undecided", f"{shown}, but the motion still settles, or drifts away{hint}; {longer}"
    if signs.values[0] > max(ERRORS * signs.errors[0], 1.5 * LINEAR / signs.span):
        return "undecided", f"{shown}, more than most regular motion shows in that time, and too little for chaos; {longer}"
    if zeros > 1 and len(looks) > 1 and _closing(looks[-2].back, look.back):
        return "undecided", f"{shown}, but the orbit still draws closer to a cycle; {longer}"
    if zeros > 1:
        return "quasi-periodic", f"{shown}, none is positive, {signs.zero} can be zero, and it does not come back to itself."
    if driven:
        return "undecided", f"{shown} and differences die out: it follows what drives it, which was not seen to repeat."
    if signs.negative == 0:
        return "undecided", f"{shown}; of a count of {len(signs.values)} a cycle cannot be told from a torus."
    others = "All exponents" if system.kind == "map" else "All exponents but one"
    return "periodic", f"{others} are negative, so it is a cycle; its period is longer than was looked for."


def _closing(earlier: Return, later: Return) -> bool:
    """Whether a motion has come much closer to the same cycle."""
    return abs(later.period - earlier.period) < 0.01 * later.period and later.distance < CLOSING * earlier.distance
