"""The city of squares as a drawing: its tiles hold no polygons."""

import pytest

from dashboard.situation import shaping
from tests.dashboard.squares import boxes


@pytest.fixture(autouse=True)
def drawn(monkeypatch):
    monkeypatch.setattr(shaping, "level_shapes", boxes)
