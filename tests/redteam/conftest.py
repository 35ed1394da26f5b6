import pytest

from dashboard.situation import shaping
from data.settings import Settings
from data.store import Store
from tests.dashboard.phone.conftest import boxes
from tests.redteam import city


@pytest.fixture(autouse=True)
def drawn(monkeypatch):
    """The tile archive of the city of squares holds no outlines; the desk draws some."""
    monkeypatch.setattr(shaping, "level_shapes", boxes)


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("redteam")
    city.publish(folder)
    return folder


@pytest.fixture(scope="session")
def store(home):
    return Store(home)


@pytest.fixture(scope="session")
def settings(home):
    return Settings(home=home, auth="local")
