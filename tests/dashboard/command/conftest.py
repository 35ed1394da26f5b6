"""The city of squares with warnings in it, and posts that sit at its desks."""

import re
import shutil
from html import unescape

import pytest

from dashboard.app import create_app
from dashboard.situation import shaping
from data.access import Grant, Scope
from data.settings import Settings
from data.state.database import open_state
from data.state.migrate import upgrade
from data.store import Store
from data.warnings import Warnings
from data.warnings.kinds import Unit
from data.warnings.tree import Trees
from tests.dashboard.phone.conftest import boxes
from tests.dashboard.squares import FixedProvider

HTML = {"Accept": "text/html"}
TOWNSHIP = Unit("township", "township", "9902006")
COMMUNITY = Unit("community", "community", "9903022")
SCOPES = {
    "township": Scope("ruth", frozenset({Grant(*TOWNSHIP)})),
    "second": Scope("sven", frozenset({Grant(*TOWNSHIP)})),
    "community": Scope("cora", frozenset({Grant(*COMMUNITY)})),
    "chief": Scope("karl", frozenset({Grant("grid_chief", "grid", "9904086")})),
    "foreign": Scope("olga", frozenset({Grant("township", "township", "9902007")})),
    "leader": Scope("lena", frozenset({Grant("leader")})),
    "admin": Scope("adam", frozenset({Grant("system_admin")})),
}


class Desk:
    """One installation, asked by whom the test chooses."""

    def __init__(self, home) -> None:
        self.settings, self.store = Settings(home=home), Store(home)
        self.database = open_state("", home)
        upgrade(self.database)
        self.warnings = Warnings(self.database, tree=Trees(self.store))
        self._clients = {}

    def client(self, name):
        if name not in self._clients:
            app = create_app(self.settings, self.store, provider=FixedProvider(SCOPES[name]))
            self._clients[name] = app.server.test_client()
        return self._clients[name]

    def get(self, name, path):
        return self.client(name).get(path, headers=HTML)

    def post(self, name, path, data, page="/command"):
        fields = {"form_token": field(self.get(name, page).text, "form_token"), **data}
        return self.client(name).post(path, data=fields, headers=HTML)

    def act(self, name, step, *seen, back="", **more):
        data = {"id": [f"{one.id}:{one.version}" for one in seen], "step": step, "back": back}
        return self.post(name, "/warnings/act", data | {"key": "0" * 31 + "1"} | more)

    def now(self, one):
        return self.warnings.get(SCOPES["leader"], one.id)


def field(text, name):
    return unescape(re.search(rf'name="{name}" value="([^"]*)"', text)[1])


def told(text):
    found = re.search(
        r'<(?:div|p) class="said[^"]*"[^>]*>(.*?)</(?:div|p)>\s*<(?:div|section)', text, re.DOTALL
    )
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", found[1])).split()) if found else ""


def lines(text):
    """Ids of the queue in their order."""
    return [int(one) for one in re.findall(r'<tr id="w(\d+)"', text)]


@pytest.fixture(autouse=True)
def drawn(monkeypatch):
    monkeypatch.setattr(shaping, "level_shapes", boxes)


@pytest.fixture
def desk(home, tmp_path):
    made = Desk(shutil.copytree(home, tmp_path / "home"))
    yield made
    made.database.close()
