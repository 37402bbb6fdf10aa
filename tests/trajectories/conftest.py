"""What several tests of trajectories watch."""

import pytest

from chaoslab.integrate.delay import Orbit


@pytest.fixture
def few_pieces(monkeypatch):
    """Fail, rather than go on for ever, where a delay system is cut into ever shorter pieces."""
    piece, pieces = Orbit.piece, []

    def counted(*args):
        pieces.append(1)
        if len(pieces) > 20_000:
            pytest.fail("pieces get shorter without end")
        return piece(*args)

    monkeypatch.setattr(Orbit, "piece", counted)
