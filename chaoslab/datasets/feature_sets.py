"""The features of a window: catch22's, as aeon computes them, and those of tsfresh that do not depend on where a window begins.

Lubba et al., Data Min. Knowl. Disc. 33, 1821 (2019); Christ, Braun, Neuffer & Kempa-Liehr, Neurocomputing 307, 72 (2018).
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version

import numpy as np

SETS = ("catch22", "tsfresh")
#: Windows that go through tsfresh at once: many are quick, few let the progress bar move.
BATCH = 50
#: The 22 by the names of their paper. (aeon's short names of the two spectral ones are the wrong way round.)
CATCH22 = (
    "DN_HistogramMode_5 DN_HistogramMode_10 CO_f1ecac CO_FirstMin_ac CO_HistogramAMI_even_2_5 CO_trev_1_num MD_hrv_classic_pnn40 "
    "SB_BinaryStats_mean_longstretch1 SB_TransitionMatrix_3ac_sumdiagcov PD_PeriodicityWang_th0_01 "
    "CO_Embed2_Dist_tau_d_expfit_meandiff IN_AutoMutualInfoStats_40_gaussian_fmmi FC_LocalSimple_mean1_tauresrat "
    "DN_OutlierInclude_p_001_mdrmd DN_OutlierInclude_n_001_mdrmd SP_Summaries_welch_rect_area_5_1 SB_BinaryStats_diff_longstretch0 "
    "SB_MotifThree_quantile_hh SC_FluctAnal_2_rsrangefit_50_1_logi_prop_r1 SC_FluctAnal_2_dfa_50_1_2_logi_prop_r1 "
    "SP_Summaries_welch_rect_centroid FC_LocalSimple_mean3_stderr"
).split()
_LAGS = (1, 2, 4, 8, 15, 22, 30, 45, 60, 90)
_PARTS = ((0.0, 0.2), (0.2, 0.8), (0.8, 1.0))
#: tsfresh's calculators and their settings, of windows in deviations. Left out: what the place of the window's ends decides
#: (single Fourier and wavelet coefficients, trends, locations), what says less than a number (yes or no), and the slowest.
TSFRESH: dict[str, list[dict] | None] = {
    "autocorrelation": [{"lag": k} for k in _LAGS],
    "partial_autocorrelation": [{"lag": k} for k in (2, 3, 4, 5)],
    "agg_autocorrelation": [{"f_agg": "var", "maxlag": 90}],
    "c3": [{"lag": k} for k in (1, 8, 15)],
    "time_reversal_asymmetry_statistic": [{"lag": k} for k in (1, 4, 8, 15)],
    "cid_ce": [{"normalize": True}],
    "mean_abs_change": None,
    "change_quantiles": [{"ql": a, "qh": b, "isabs": True, "f_agg": how} for a, b in _PARTS for how in ("mean", "var")],
    "skewness": None,
    "kurtosis": None,
    "quantile": [{"q": q / 10} for q in range(1, 10)],
    "maximum": None,
    "minimum": None,
    "ratio_beyond_r_sigma": [{"r": r} for r in (1, 1.5, 2, 3)],
    "binned_entropy": [{"max_bins": 10}],
    "permutation_entropy": [{"tau": tau, "dimension": d} for tau in (1, 8) for d in (3, 5)],
    "lempel_ziv_complexity": [{"bins": 2}, {"bins": 10}],
    "fourier_entropy": [{"bins": 10}, {"bins": 100}],
    "fft_aggregated": [{"aggtype": how} for how in ("centroid", "variance", "skew", "kurtosis")],
    "number_peaks": [{"n": n} for n in (1, 3, 5, 10)],
    "number_crossing_m": [{"m": m} for m in (-1, 0, 1)],
    "longest_strike_above_mean": None,
    "longest_strike_below_mean": None,
    "count_above_mean": None,
}


def computed(windows: np.ndarray, sets: Sequence[str], calculators: Mapping | None) -> tuple[list[str], Iterator[np.ndarray]]:
    """Names of features, and their values (window, feature) of windows (window, sample), a batch of windows at a time."""
    calculators = TSFRESH if calculators is None else calculators
    names = [f"catch22__{name}" for name in CATCH22] if "catch22" in sets else []
    if "tsfresh" in sets:
        names += [f"tsfresh__{name}" for name in _tsfresh(windows[:1], calculators)[0]]
    return names, _batches(windows, sets, calculators)


def libraries(sets: Sequence[str]) -> dict[str, str]:
    """The versions of the libraries that the sets come from."""
    return {key: version(key) for key in (["aeon"] if "catch22" in sets else []) + (["tsfresh"] if "tsfresh" in sets else [])}


def _batches(windows: np.ndarray, sets: Sequence[str], calculators: Mapping) -> Iterator[np.ndarray]:
    for start in range(0, len(windows), BATCH):
        part, columns = windows[start : start + BATCH], []
        if "catch22" in sets:
            columns.append(_catch22(part))
        if "tsfresh" in sets:
            columns.append(_tsfresh(part, calculators)[1])
        yield np.concatenate(columns, axis=1)


def _catch22(windows: np.ndarray) -> np.ndarray:
    try:
        from aeon.transformations.collection.feature_based import Catch22
    except ImportError as error:
        raise ImportError("the features of catch22 need aeon: pip install 'aeon>=1.0'") from error
    # the windows are in deviations already, as the two features of outliers want them
    return np.asarray(Catch22(features=CATCH22, outlier_norm=False).fit_transform(windows[:, None, :]), float)


def _tsfresh(windows: np.ndarray, calculators: Mapping) -> tuple[list[str], np.ndarray]:
    try:
        from tsfresh import extract_features
    except ImportError as error:
        raise ImportError("the features of tsfresh need it: pip install 'tsfresh>=0.21'") from error
    import pandas as pd

    count, length = windows.shape
    table = pd.DataFrame({"window": np.repeat(np.arange(count), length), "value": windows.ravel()})
    options = {"column_id": "window", "column_value": "value", "default_fc_parameters": dict(calculators)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # an undefined feature is NaN, which features() tells
        found = extract_features(table, n_jobs=0, disable_progressbar=True, **options)
    return [str(name).removeprefix("value__") for name in found.columns], found.to_numpy(float)
