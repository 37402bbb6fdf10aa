"""Whether a series has a period beyond noise: single frequencies, the largest of them, and the octave that dominates."""

import math

import numpy as np
import xarray as xr

from ..trajectories import timescale
from ..trajectories.grid import whole
from ..trajectories.schema import package_version, seed_text
from .series import checked_name
from .surrogates import checked_level, gapless, rank_p

#: background: what is taken for noise.
BACKGROUNDS = {
    "white": "independent Gaussian values",
    "AR(1)": "first-order autoregressive noise with the series' own correlation from sample to sample",
}
#: An expected number of larger frequencies above which Fisher's sum loses its digits, and is 1 to two of them.
CERTAIN = 5.0
#: Pieces of the series whose spectra are averaged for bands, and the fewest samples of a piece.
BLOCKS, SHORTEST = 8, 16
#: Numbers handled at once.
WORK = 4_000_000


def significant_periods(
    series: np.ndarray | xr.DataArray | xr.Dataset,
    *,
    level: float = 0.05,
    background: str = "white",
    count: int = 999,
    component: str | None = None,
    rng: int | np.random.Generator = 0,
) -> xr.Dataset:
    """Which frequencies of a series stand out of noise, one by one, and whether the largest of them does among all.

    `p_value` and `significant` along `frequency` are each frequency's own, so that of noise alone a part `level` is flagged.
    A period is claimed, `dominant`, by the maximum: `p_maximum` is the probability that the largest of all frequencies of noise
    stands out as much. Against white noise both are exact: of m frequencies one holds a part g of the power with
    p = (1 - g)^(m - 1), and the largest by Fisher's sum (Proc. R. Soc. A 125, 54 (1929)). Against AR(1) noise the spectrum is
    divided by that of the fitted noise, and p is the rank among `count` series of it, each fitted anew.

    `period` is that of the sine which fits best near the largest frequency, `error` its standard error in this background
    (Rife & Boorstyn, IEEE Trans. Inf. Theory 20, 591 (1974)); both say something only where `dominant` holds.

    Raises ValueError for gaps, a constant or short series, several components, and a `count` that cannot reach the level.

    >>> time = np.arange(400)
    >>> found = significant_periods(np.sin(2*np.pi*time/12.5) + np.random.default_rng(0).standard_normal(400))
    >>> bool(found.dominant), bool(abs(found.period - 12.5) < 3*found.error)
    (True, True)
    """
    x, sampling = _one(series, component)
    level, count = checked_level(level), whole(count, "count")
    checked_name(background, BACKGROUNDS, "background")
    n, frequency = len(x), np.fft.rfftfreq(len(x))[1 : (len(x) + 1) // 2]
    power = _periodogram(x[None])[0]
    share = power / power.sum()
    noise = np.ones(len(power))
    if background == "white":
        single = (1 - share) ** (len(share) - 1)
        maximum = fisher_p(float(share.max()), len(share))
        k = int(share.argmax())
    else:
        _reaches(count, level)
        out = _above(power[None], frequency)[0]
        others = np.concatenate([_above(_periodogram(made), frequency) for made in _noise(x, background, count, rng)])
        single = (1 + (others >= out).sum(axis=0)) / (1 + count)
        k = int(out.argmax())
        maximum = rank_p(float(out[k]), others.max(axis=1), "upper")
        noise = _shape(_correlation(power[None], frequency)[0], frequency)
    period, error = _sine(x, frequency[k], noise[k] / noise.mean())
    units = {"units": "per time unit of the series"}
    return xr.Dataset(
        {
            "power": ("frequency", share, {"long_name": "part of the power"}),
            "p_value": ("frequency", single),
            "significant": ("frequency", single <= level + 1e-12),
            "period": ((), period * sampling),
            "error": ((), error * sampling),
            "p_maximum": ((), maximum),
            "dominant": ((), maximum <= level + 1e-12),
        },
        coords={"frequency": ("frequency", frequency / sampling, units)},
        attrs=_said(background, level, rng, n) | {"count": count if background != "white" else 0, "method": "periodogram"},
    )


def has_dominant_period(
    series: np.ndarray | xr.DataArray | xr.Dataset,
    *,
    level: float = 0.05,
    background: str = "AR(1)",
    count: int = 199,
    component: str | None = None,
    rng: int | np.random.Generator = 0,
) -> xr.Dataset:
    """Whether a series has a dominant period beyond noise: `dominant`, `p_value`, the `period` and its `error`.

    Chaotic oscillations have humps in their spectrum, not lines. So the period is what `trajectories.dominant_period` takes, the
    middle of the octave that holds most of the variance, which any noise has too. The part of the variance in it is set against
    what this octave holds in `count` series of noise, in its deviations, and ranked among the same of each of them in its own
    octave. `error` is the jackknife error over eight pieces of the series.

    Raises ValueError as `significant_periods` does. A claim says that the series is not such noise. By default noise remembers as
    the series does from sample to sample.
    """
    x, sampling = _one(series, component)
    level, count = checked_level(level), whole(count, "count")
    checked_name(background, BACKGROUNDS, "background")
    _reaches(count, level)
    if len(x) < BLOCKS * SHORTEST:
        raise ValueError(f"the series is too short: {len(x)} samples, {BLOCKS * SHORTEST} are needed for {BLOCKS} pieces")
    pieces = _pieces(x[None])
    bands = timescale.octaves(pieces.shape[-1])[1]

    def parts(power):
        mean = power.mean(axis=1)
        return mean @ bands.T / mean.sum(axis=1, keepdims=True)

    everything = np.vstack([parts(pieces), *(parts(_pieces(made)) for made in _noise(x, background, count, rng))])
    logs = np.log(np.maximum(everything, 1e-300))
    excess = (logs - logs.mean(axis=0)) / np.maximum(logs.std(axis=0), 1e-12)
    largest = np.take_along_axis(excess, everything.argmax(axis=1)[:, None], axis=1)[:, 0]
    frequency = np.fft.rfftfreq(len(x) // BLOCKS)[1:]
    value = timescale.peak(frequency, pieces[0])
    without = np.array([timescale.peak(frequency, np.delete(pieces[0], k, axis=0)) for k in range(BLOCKS)])
    p = rank_p(float(largest[0]), largest[1:], "upper")
    return xr.Dataset(
        {
            "dominant": ((), p <= level + 1e-12),
            "p_value": ((), p),
            "period": ((), value * sampling),
            "error": ((), math.sqrt((BLOCKS - 1) / BLOCKS * ((without - value) ** 2).sum()) * sampling),
        },
        attrs=_said(background, level, rng, len(x)) | {"count": count, "method": "octave with most of the variance"},
    )


def _one(series, component) -> tuple[np.ndarray, float]:
    """Values (time,) about their mean, and the time between samples."""
    values, sampling = gapless(series, component)
    if values.shape[1] != 1:
        raise ValueError(f"the series has {values.shape[1]} components; choose one, as in component='x', or a column")
    return values[:, 0] - values[:, 0].mean(), sampling


def _reaches(count: int, level: float) -> None:
    least = math.ceil(1 / level - 1e-9) - 1
    if count < least:
        raise ValueError(f"{count} series of noise cannot reach the level {level:g}; at least {least} are needed")


def _said(background: str, level: float, rng, samples: int) -> dict:
    words = {"background": background, "noise": BACKGROUNDS[background], "level": level, "samples": samples}
    return words | {"rng": seed_text(rng), "version": package_version()}


def _periodogram(rows: np.ndarray) -> np.ndarray:
    """The power (row, frequency) of series (row, time), but for the mean and, of an even number, the last frequency, which has
    another distribution."""
    samples = rows.shape[1]
    return np.abs(np.fft.rfft(rows, axis=1)[:, 1 : (samples + 1) // 2]) ** 2


def fisher_p(largest: float, m: int) -> float:
    """The probability that one of m equal exponential parts is this large or larger."""
    expected = m * (1 - largest) ** (m - 1)
    if expected > CERTAIN:
        return 1.0 - math.exp(-expected)
    total, term = 0.0, 1.0
    for j in range(1, int(1 / largest) + 1):
        left = 1 - j * largest
        if left <= 0:
            break
        term = math.exp(math.lgamma(m + 1) - math.lgamma(j + 1) - math.lgamma(m - j + 1) + (m - 1) * math.log(left))
        total += term if j % 2 else -term
        if term < 1e-17:
            break
    return min(max(total, 0.0), 1.0)


# --- noise ---------------------------------------------------------------------------------------------------------------


def _correlation(power: np.ndarray, frequency: np.ndarray) -> np.ndarray:
    """The correlation from sample to sample (row,) that power (row, frequency) stands for."""
    found = (power @ np.cos(2 * np.pi * frequency)) / power.sum(axis=1)
    return np.clip(found, -1 + 1 / power.shape[1], 1 - 1 / power.shape[1])


def _shape(correlation: float | np.ndarray, frequency: np.ndarray) -> np.ndarray:
    """The spectrum of AR(1) noise, up to its size."""
    return 1 / (1 - 2 * correlation * np.cos(2 * np.pi * frequency) + correlation**2)


def _above(power: np.ndarray, frequency: np.ndarray) -> np.ndarray:
    """Power (row, frequency) over that of AR(1) noise fitted to it, in means."""
    out = power / _shape(_correlation(power, frequency)[:, None], frequency)
    return out / out.mean(axis=1, keepdims=True)


def _noise(x: np.ndarray, background: str, count: int, rng):
    """Series of noise (row, time) like x, some at a time."""
    from scipy.signal import lfilter

    generator, n = np.random.default_rng(rng), len(x)
    frequency = np.fft.rfftfreq(n)[1 : (n + 1) // 2]
    memory = float(_correlation(_periodogram(x[None]), frequency)[0]) if background == "AR(1)" else 0.0
    at_once = max(1, WORK // n)
    for first in range(0, count, at_once):
        kicks = generator.standard_normal((min(at_once, count - first), n))
        kicks[:, 0] /= math.sqrt(1 - memory**2)
        yield lfilter([1.0], [1.0, -memory], kicks, axis=1)


# --- periods -------------------------------------------------------------------------------------------------------------


def _sine(x: np.ndarray, near: float, noise: float) -> tuple[float, float]:
    """The period of the sine that fits best within half a frequency step, and its standard error.

    `noise` is how strong the background is at this frequency, relative to its mean.
    """
    from scipy.optimize import minimize_scalar

    n, time = len(x), np.arange(len(x)) - (len(x) - 1) / 2

    def left(frequency):
        waves = np.stack([np.ones(n), np.cos(2 * np.pi * frequency * time), np.sin(2 * np.pi * frequency * time)], axis=1)
        fit = np.linalg.lstsq(waves, x, rcond=None)[0]
        return float(((x - waves @ fit) ** 2).sum()), float(np.hypot(*fit[1:]))

    low, high = max(near - 0.7 / n, 0.3 / n), min(near + 0.7 / n, 0.5)
    found = float(minimize_scalar(lambda f: left(f)[0], bounds=(low, high), method="bounded", options={"xatol": 1e-7 / n}).x)
    rest, amplitude = left(found)
    error = math.sqrt(24 * noise * rest / n / (amplitude**2 * n * (n**2 - 1.0))) / (2 * math.pi)
    return 1 / found, error / found**2


def _pieces(rows: np.ndarray) -> np.ndarray:
    """The power (row, piece, frequency) of pieces of series (row, time), Hann window."""
    length = rows.shape[1] // BLOCKS
    pieces = rows[:, : BLOCKS * length].reshape(len(rows), BLOCKS, length)
    pieces = (pieces - pieces.mean(axis=2, keepdims=True)) * np.hanning(length)
    return np.abs(np.fft.rfft(pieces, axis=2)[..., 1:]) ** 2
