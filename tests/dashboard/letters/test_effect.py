"""From which day on an effect is told."""

import datetime as dt

import pytest

from dashboard.letters.effect import first_whole


@pytest.mark.parametrize(
    ("day", "grain", "first"),
    [
        ("2026-11-16", "week", "2026-11-16"), ("2026-11-17", "week", "2026-11-23"),
        ("2026-11-22", "week", "2026-11-23"), ("2026-12-31", "week", "2027-01-04"),
        ("2026-11-01", "month", "2026-11-01"), ("2026-11-02", "month", "2026-12-01"),
        ("2026-12-31", "month", "2027-01-01"),
    ],
)  # fmt: skip
def test_the_first_whole_period(day, grain, first):
    found = first_whole(dt.date.fromisoformat(day), grain=grain)
    assert found.isoformat() == first
