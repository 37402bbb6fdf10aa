"""What every test that draws needs."""

import matplotlib.pyplot as plt
import pytest


@pytest.fixture(autouse=True)
def closed():
    """Closes what a test has drawn."""
    yield
    plt.close("all")
