import hypothesis.extra.numpy as arrays
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from chaoslab.datasets.packing import pack, unpack

UNITS = np.array([2.0**-10, 0.25, 8.0])


def waves(samples=1200):
    t = np.arange(samples) / 100
    rows = np.stack([np.sin(2 * np.pi * (t + shift)) for shift in (0, 0.3)])
    return np.rint(np.stack([rows, 5 * rows, 100 + 1e4 * rows], axis=-1) / UNITS) * UNITS


@settings(deadline=None)  # the first compression of all takes longer
@given(arrays.arrays(np.int64, st.tuples(st.integers(1, 3), st.integers(1, 40), st.just(3)), elements=st.integers(-(2**40), 2**40)))
def test_whole_multiples_come_back_to_the_bit(whole):
    values = whole * UNITS
    assert np.array_equal(unpack(pack(values, UNITS)), values)


def test_a_member_may_end_early():
    values = waves()
    values[1, 700:] = np.nan
    values[0, :] = np.nan
    assert np.array_equal(unpack(pack(values, UNITS)), values, equal_nan=True)


def test_smooth_series_take_few_bits_a_number():
    values = waves()
    assert 8 * len(pack(values, np.full(3, 2.0**-10) * [1, 256, 8192])) < 4 * values.size


@pytest.mark.parametrize("broken", ["between", "gap", "large"])
def test_what_could_not_come_back_is_refused(broken):
    values = waves()
    if broken == "between":
        values[0, 3, 0] += 1e-5
    elif broken == "gap":
        values[0, 3] = np.nan
    else:
        values[0, 3, 0] = 2.0**60
    with pytest.raises(ValueError, match="missing in the middle" if broken == "gap" else "no whole multiples"):
        pack(values, UNITS)
