import pytest

from data.settings import Settings
from data.store import Store
from tests.redteam import city


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
