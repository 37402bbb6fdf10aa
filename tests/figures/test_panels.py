"""Named series below one another, and their spectra."""

import numpy as np
import pytest
import xarray as xr

from chaoslab import figures

TIME = 0.5 * np.arange(4096)


@pytest.fixture
def named():
    wave = xr.DataArray(np.sin(2 * np.pi * TIME / 20), {"time": TIME}, "time")
    return {"wave": wave, "noise": np.random.default_rng(0).standard_normal(4096)}


def test_every_series_has_a_panel_with_its_name(named):
    axes = figures.panels(named, unit="days", title="Which?")
    assert [ax.get_ylabel() for ax in axes] == ["wave", "noise"]
    assert axes[0].figure.get_suptitle() == "Which?"
    assert axes[-1].get_xlabel() == "time (days)"
    assert np.array_equal(axes[0].lines[0].get_xdata(), TIME)
    assert np.array_equal(axes[1].lines[0].get_ydata(), named["noise"])
    assert axes[0].lines[0].get_color() != axes[1].lines[0].get_color()


def test_spectra_have_all_the_power_where_it_is(named):
    ax = figures.spectra(named, unit="day")
    wave, noise = ax.lines
    frequency, power = wave.get_data()
    assert frequency[power.argmax()] == pytest.approx(1 / 20, abs=1 / (4096 * 0.5 / 8))
    assert power.sum() == pytest.approx(1)
    flat = noise.get_ydata()
    assert flat[:128].sum() == pytest.approx(flat[128:].sum(), rel=0.3)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["wave", "noise"]
    assert ax.get_xlabel() == "frequency (1 / day)"


def test_portraits_show_a_value_over_an_earlier_one(named):
    axes = figures.portraits(named, 10, title="Before and after")
    assert [ax.get_title() for ax in axes] == ["wave", "noise"]
    assert np.array_equal(axes[1].collections[0].get_offsets(), np.stack([named["noise"][:-10], named["noise"][10:]], axis=1))
    assert (axes[0].get_xlabel(), axes[0].get_ylabel()) == ("a value", "10 samples later")
    assert figures.portraits(named)[0].get_ylabel() == "the next"
    with pytest.raises(ValueError, match="a lag of 4096 samples is more than a series of 4096 has"):
        figures.portraits(named, 4096)
    with pytest.raises(ValueError, match="lag, in samples, must be a whole number"):
        figures.portraits(named, 0.5)


def test_what_is_no_series_by_name_is_refused(named):
    with pytest.raises(TypeError, match="given by name, as in"):
        figures.panels(named["noise"])
    with pytest.raises(TypeError, match="given by name"):
        figures.spectra({})
    gap = named["noise"].copy()
    gap[7] = np.nan
    assert len(figures.panels({"gap": gap})) == 1
    with pytest.raises(ValueError, match="'gap' has gaps"):
        figures.spectra({"gap": gap})
