"""One published city of squares, and applications over it."""

import pytest

from dashboard.app import create_app
from data.settings import Settings
from data.store import Store
from tests.dashboard.squares import COUNTY, FixedProvider, publish


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    publish(folder)
    return folder


@pytest.fixture(scope="session")
def store(home):
    return Store(home)


@pytest.fixture(scope="session")
def snapshot(store):
    return store.current()


@pytest.fixture(scope="session")
def settings(home):
    return Settings(home=home)


@pytest.fixture(scope="session")
def app(settings, store):
    return create_app(settings, store)


@pytest.fixture(scope="session")
def county_app(settings, store):
    return create_app(settings, store, provider=FixedProvider(COUNTY))
