"""What a spectrum of Lyapunov exponents says: a dimension, an entropy, a time; each with the error that its exponents give."""

import numpy as np
import xarray as xr

#: An exponent counts as positive from this many errors on.
CLEARLY = 3.0


def kaplan_yorke_dimension(spectrum: xr.Dataset) -> xr.Dataset:
    """The Kaplan-Yorke (Lyapunov) dimension, j + (sum of the first j exponents) / |exponent j + 1|, as `value` and `error`.

    j is the largest number of exponents whose sum is not negative. All dimensions where the whole sum is not negative; 0 where
    the largest exponent is; NaN where more exponents than the spectrum has would be needed. Of motion that is not chaotic,
    exponents within three errors of zero count as zero. Kaplan & Yorke, in Functional Differential Equations and Approximation
    of Fixed Points (1979).
    """
    _check(spectrum, "kaplan_yorke_dimension")
    exponents, covariance = spectrum["exponent"].values, spectrum["covariance"].values
    slack = CLEARLY * np.nan_to_num(spectrum["error"].values)
    if not (exponents > slack).any():
        exponents = np.where(np.abs(exponents) <= slack, 0.0, exponents)
    sums = np.cumsum(exponents)
    whole = int(spectrum.attrs["dimension"])
    kept = np.flatnonzero(sums >= _tiny(exponents))
    j = int(kept[-1]) + 1 if len(kept) else 0
    if j == len(exponents):
        return _estimate(float(j) if j == whole else np.nan, 0.0 if j == whole else np.nan)
    if j == 0:
        return _estimate(0.0, 0.0)
    following = abs(exponents[j])
    if np.isinf(following):
        return _estimate(float(j), 0.0)
    slope = np.zeros(len(exponents))
    slope[:j] = 1 / following
    slope[j] = sums[j - 1] / following**2
    used = slice(0, j + 1)
    error = float(np.sqrt(max(slope[used] @ covariance[used, used] @ slope[used], 0.0)))
    return _estimate(j + float(sums[j - 1]) / following, error)


def _tiny(exponents: np.ndarray) -> float:
    """What a sum that should be zero may miss it by."""
    return -1e-9 * float(np.abs(exponents[np.isfinite(exponents)]).sum())


def pesin_sum(spectrum: xr.Dataset) -> xr.Dataset:
    """The sum of the exponents that are positive by three errors, as `value` and `error`: a bound of the entropy rate, which it
    equals where the motion is smooth along its unstable directions (Pesin, Russian Mathematical Surveys 32, 55 (1977)).

    NaN where all exponents in the spectrum are positive but there may be more.
    """
    _check(spectrum, "pesin_sum")
    exponents, covariance = spectrum["exponent"].values, spectrum["covariance"].values
    positive = exponents > CLEARLY * spectrum["error"].values
    if positive.all() and len(exponents) != spectrum.attrs["dimension"]:
        return _estimate(np.nan, np.nan)
    return _estimate(float(exponents[positive].sum()), float(np.sqrt(max(covariance[np.ix_(positive, positive)].sum(), 0.0))))


def lyapunov_time(spectrum: xr.Dataset) -> xr.Dataset:
    """1 / the largest exponent (natural logarithm), as `value` and `error`; NaN where it is not positive by three errors."""
    _check(spectrum, "lyapunov_time")
    first, error = float(spectrum["exponent"][0]), float(spectrum["error"][0])
    if not first > CLEARLY * error:
        return _estimate(np.nan, np.nan)
    return _estimate(1 / first, error / first**2)


def _check(spectrum, asking: str) -> None:
    if not isinstance(spectrum, xr.Dataset) or not {"exponent", "error", "covariance"} <= set(spectrum):
        raise TypeError(f"{asking}() takes a spectrum by lyapunov_spectrum(), with its errors; {type(spectrum).__name__} given")


def _estimate(value: float, error: float) -> xr.Dataset:
    return xr.Dataset({"value": ((), value), "error": ((), error)})
