"""The day of issue is that of the city's clock when it was issued."""

import datetime as dt

import pytest

from dashboard.reports import reading
from data.issues import Issue
from data.manifest import SnapshotError

LATE = dt.datetime(2026, 11, 15, 22, 30, tzinfo=dt.UTC)
"""Sunday in London, Monday in Shanghai, Sunday in New York."""


class City:
    def __init__(self, zones, home) -> None:
        self.zones, self.home = zones, home

    def __call__(self, place) -> "City":
        return City(self.zones, place)

    def current_id(self):
        if self.home not in self.zones:
            raise SnapshotError("nothing")
        return "one"

    def manifest(self, _snapshot):
        return type("Manifest", (), {"city": {"time_zone": self.zones[self.home]}})


@pytest.mark.parametrize(
    ("frozen", "published", "day"),
    [
        ("America/New_York", "Asia/Shanghai", 15),
        ("Asia/Shanghai", "America/New_York", 16),
        (None, "America/New_York", 15),
        (None, None, 16),
    ],
)
def test_the_zone_is_that_of_the_frozen_city(tmp_path, monkeypatch, frozen, published, day):
    zones = {tmp_path / "issued" / "2026-W46": frozen, tmp_path: published}
    zones = {place: zone for place, zone in zones.items() if zone}
    monkeypatch.setattr(reading, "Store", City(zones, None))
    issue = Issue(1, "2026-W46", 1, "s", "2026-W46", LATE.isoformat(), "test", "", {})
    assert reading.issued_on(tmp_path, issue) == dt.date(2026, 11, day)
