"""The 0-1 test for chaos: whether sums of a series, turned by a fixed angle each step, stay bounded or walk at random.

Gottwald & Melbourne, Proc. R. Soc. A 460, 603 (2004), and SIAM J. Appl. Dyn. Syst. 8, 129 (2009).
"""

import math

import numpy as np
import xarray as xr

from ..trajectories.grid import whole
from ..trajectories.schema import package_version, seed_text
from .series import FEWEST, SMOOTH, longest_piece, mean_period, read_series, standardised

#: Angles a step: away from 0, where a trend shows, and from pi and its fractions that short cycles resonate with.
ANGLES = (math.pi / 5, 4 * math.pi / 5)
#: Displacements are looked at over this part of the series.
PART = 1 / 10
#: A flow is sampled this often in a mean period. More often, and its smooth pieces look regular; not by halves, at which a
#: symmetric oscillation may stand still.
EVERY = 0.45
#: K is 0 or 1 in the limit: the middle decides, where K lies so many errors off it.
MIDDLE, CLEARLY = 0.5, 2.0
#: The most numbers transformed at once.
ROOM = 2_000_000


def zero_one_test(
    series: np.ndarray | xr.DataArray | xr.Dataset,
    *,
    component: str | None = None,
    every: int | None = None,
    frequencies: int = 100,
    rng: int | np.random.Generator = 0,
) -> xr.Dataset:
    """K, near 0 for regular and near 1 for chaotic motion, with its error and a verdict.

    With p + iq = sum of x(j) exp(i c j), the mean square displacement of (p, q) over n steps is bounded for regular and grows
    like n for chaotic motion; K(c) is its correlation with n, n up to a tenth of the series, and K the median over angles c.
    The mean of x is taken off first, and with it the term that oscillates with n. The displacements of several components,
    standardised, add up.

    Parameters
    ----------
    series : (time,), (time, component), or a trajectory of one member, whose `observed` is taken where there is one. Where
        there are gaps, the longest piece without one counts
    every : only every so many samples count. By default 1 for maps; of flows, and of other series with 10 samples in a mean
        period, 0.45 of a mean period, as oversampled flows give 0
    frequencies : angles c, drawn from (pi/5, 4 pi/5)

    Gives `value`, `error` and `correlation`, K(c), along `angle`. The error joins the spread over angles with the difference of
    the two halves of the series. The attribute `verdict` is "chaotic" or "regular" where K lies two errors off 1/2, else
    "undecided". Weak chaos needs long series, and is called regular before: K of a chaotic motion rises with their length, of
    a regular one it falls. Noise is chaotic to this test. Raises ValueError for a series that is too short or constant.

    >>> x = [0.4]
    >>> for _ in range(2000):
    ...     x.append(4 * x[-1] * (1 - x[-1]))
    >>> zero_one_test(x).verdict
    'chaotic'
    """
    frequencies = whole(frequencies, "frequencies")
    values, spacing, flow = read_series(series, component, None)
    values, gapless = standardised(values)
    piece = longest_piece(values, gapless)
    if every is None:
        period = mean_period(values, gapless)
        every = max(1, round(EVERY * period)) if flow or (flow is None and period >= SMOOTH) else 1
    every = whole(every, "every")
    piece = piece[::every]
    if len(piece) < 2 * FEWEST:
        raise ValueError(
            f"the series is too short: {len(piece)} samples are left of {len(values)}, every {every} samples and without a gap; "
            f"{2 * FEWEST} are needed"
        )
    angles = np.sort(np.random.default_rng(rng).uniform(*ANGLES, frequencies))
    half = len(piece) // 2
    every_k, *halves = (_correlations(part, angles) for part in (piece, piece[:half], piece[half:]))
    value, first, second = (float(np.median(each)) for each in (every_k, *halves))
    error = math.hypot(_error_of_median(every_k), (first - second) / 2)
    attrs = {"method": "0-1 test, correlation", "every": every, "points": len(piece), "sampling": spacing}
    attrs |= {"verdict": _verdict(value, error), "rng": seed_text(rng), "version": package_version()}
    return xr.Dataset(
        {"value": value, "error": error, "correlation": ("angle", every_k)},
        coords={"angle": angles},
        attrs=attrs,
    )


def _verdict(value: float, error: float) -> str:
    if abs(value - MIDDLE) <= CLEARLY * error:
        return "undecided"
    return "chaotic" if value > MIDDLE else "regular"


def _error_of_median(each: np.ndarray) -> float:
    """As of normal values with that distance of the quartiles."""
    low, high = np.quantile(each, [0.25, 0.75])
    return math.sqrt(math.pi / 2) * (high - low) / 1.349 / math.sqrt(len(each))


def _correlations(series: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """K(c) of each angle: how the mean square displacement over n steps goes with n."""
    series = series - series.mean(axis=0)
    steps = np.arange(1, int(PART * len(series)) + 1)
    parts = np.array_split(angles, max(1, math.ceil(len(angles) * series.size / ROOM)))
    moved = np.concatenate([displacements(series, part, len(steps)) for part in parts])
    moved, steps = moved - moved.mean(axis=1, keepdims=True), steps - steps.mean()
    size = np.sqrt((moved**2).sum(axis=1) * (steps @ steps))
    return np.where(size > 0, moved @ steps / np.where(size > 0, size, 1), 0.0)


def displacements(series: np.ndarray, angles: np.ndarray, steps: int) -> np.ndarray:
    """Mean square displacements (angle, step) of the turned sums, over 1 to `steps`, from the same starts for all."""
    from scipy.fft import fft, ifft, next_fast_len

    count, starts = len(series), len(series) - steps
    turned = np.exp(1j * angles[:, None] * np.arange(count))
    walk = np.cumsum(turned[:, None] * series.T, axis=2)
    walk -= walk.mean(axis=2, keepdims=True)
    # (walk(j + n) - walk(j))**2 summed over starts j: two sums of squares, and a correlation by Fourier transforms
    size = next_fast_len(count + steps)
    both = (fft(walk[..., :starts], size).conj() * fft(walk, size)).sum(axis=1)
    cross = ifft(both)[:, 1 : steps + 1].real
    squares = np.concatenate([np.zeros((len(angles), 1)), np.cumsum((np.abs(walk) ** 2).sum(axis=1), axis=1)], axis=1)
    ends = squares[:, starts + 1 : starts + steps + 1] - squares[:, 1 : steps + 1]
    return (squares[:, starts : starts + 1] + ends - 2 * cross) / starts
