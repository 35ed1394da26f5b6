"""The city of squares on a phone: its shapes, a source of reports, and accounts to open it with."""

import datetime as dt
import re
import shutil
from html import unescape

import numpy as np
import pytest
import shapely

from dashboard.app import create_app
from dashboard.phone import small_map
from data.access import Grant, Scope
from data.settings import Settings
from data.store import Store
from geo.tile_shapes import mercator_bounds
from tests.dashboard.squares import FixedProvider
from tests.small_city import write_city

NOW = dt.datetime(2026, 11, 16, 4, 0, tzinfo=dt.UTC)
HTML = {"Accept": "text/html"}
SOURCE = """
title_zh = "手机"
title_en = "Phone"
push = true
format = "rows"
time_zone = "Asia/Shanghai"
time_format = "%Y-%m-%dT%H:%M:%S%z"
frame = "WGS84"
channel = "phone"
origin = "discovered"
[columns]
incident_id = "code"
occurred_at = "at"
reported_at = "received"
category = "class"
severity = "severity"
lng = "lng"
lat = "lat"
"""
SCOPES = {
    "chief": Scope("chief", frozenset({Grant("grid_chief", "grid", "9904086")})),
    "second": Scope("second", frozenset({Grant("grid_chief", "grid", "9904087")})),
    "two": Scope(
        "two",
        frozenset({Grant("grid_chief", "grid", "9904086"), Grant("grid_chief", "grid", "9904010")}),
    ),
    "community": Scope("community", frozenset({Grant("community", "community", "9903022")})),
    "township": Scope("township", frozenset({Grant("township", "township", "9902006")})),
    "leader": Scope("leader", frozenset({Grant("leader")})),
    "admin": Scope("admin", frozenset({Grant("system_admin")})),
    "public": Scope("link", frozenset({Grant("public")})),
}


def boxes(snapshot, level, _bounds):
    """Every area of a level is the box of its bounds."""
    rows = snapshot.areas[snapshot.areas["level"] == level]
    edges = rows[["west", "south", "east", "north"]].to_numpy(float)
    return np.array([shapely.box(*mercator_bounds(tuple(one))) for one in edges], dtype=object)


@pytest.fixture(autouse=True)
def drawn(monkeypatch):
    monkeypatch.setattr(small_map, "level_shapes", boxes)


class Site:
    """One installation, asked by whom the test chooses."""

    def __init__(self, home, city="") -> None:
        self.home, self.settings, self.store = home, Settings(home=home, city=city), Store(home)

    def client(self, name):
        app = create_app(self.settings, self.store, provider=FixedProvider(SCOPES[name]))
        return app.server.test_client()

    def get(self, name, path):
        return self.client(name).get(path, headers=HTML)


@pytest.fixture
def site(home, tmp_path):
    """A copy: reports are written into it."""
    copied = shutil.copytree(home, tmp_path / "home")
    return Site(copied, str(write_city(tmp_path / "city", {"street": SOURCE})))


def token(page):
    return unescape(re.search(r'name="form_token" value="([^"]*)"', page)[1])
