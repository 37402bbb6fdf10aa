"""Motions that several files look at."""

import pytest
import xarray as xr

import chaoslab as cl


@pytest.fixture(scope="session")
def lorenz() -> xr.Dataset:
    """Lorenz's system, some 40 samples a turn, as delays need them. Files that need it otherwise have their own."""
    return cl.simulate("Lorenz", duration=300, step=0.02, transient=20)
