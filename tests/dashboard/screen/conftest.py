"""The wall of the city of squares, whose tiles hold no polygons."""

import shutil

import pytest

from dashboard.app import create_app
from dashboard.situation import shaping
from data.access import Grant, Scope
from data.settings import Settings
from data.store import Store
from tests.dashboard.squares import FixedProvider, boxes

HTML = {"Accept": "text/html"}
SCOPES = {
    "leader": Scope("leader", frozenset({Grant("leader")})),
    "wall": Scope("screen-hall", frozenset({Grant("wall", "county", "9901002")})),
    "township": Scope("town", frozenset({Grant("township", "township", "9902006")})),
    "public": Scope("link", frozenset({Grant("public")})),
    "admin": Scope("admin", frozenset({Grant("system_admin")})),
}


@pytest.fixture(autouse=True)
def drawn(monkeypatch):
    monkeypatch.setattr(shaping, "level_shapes", boxes)


class Site:
    """One installation, asked by whom the test chooses."""

    def __init__(self, home) -> None:
        self.home, self.settings, self.store = home, Settings(home=home), Store(home)

    def get(self, name, path):
        app = create_app(self.settings, self.store, provider=FixedProvider(SCOPES[name]))
        return app.server.test_client().get(path, headers=HTML)


@pytest.fixture
def site(home, tmp_path):
    """A copy: its state database is written."""
    return Site(shutil.copytree(home, tmp_path / "home"))


@pytest.fixture
def bare_site(tmp_path):
    """Nothing is published there yet."""
    (tmp_path / "bare").mkdir()
    return Site(tmp_path / "bare")
