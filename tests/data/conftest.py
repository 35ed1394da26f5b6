"""The state database on both engines: SQLite in a file, PostgreSQL on a server of our own."""

import shutil

import pytest

from data.state.database import StateDatabase, open_state
from data.state.migrate import upgrade
from tests.postgres import NoServerError, fresh_database, postgres_server

ENGINES = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgres_url():
    """URL of a server that runs as long as this test process."""
    pytest.importorskip("psycopg")
    try:
        with postgres_server() as url:
            yield url
    except NoServerError as error:
        pytest.skip(str(error))


@pytest.fixture(params=ENGINES)
def empty_url(request, tmp_path):
    """URL of a database without any table, on each engine in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'state.db'}"
        return
    with fresh_database(request.getfixturevalue("postgres_url")) as url:
        yield url


@pytest.fixture
def empty_database(empty_url):
    database = StateDatabase(empty_url)
    yield database
    database.close()


@pytest.fixture(scope="session")
def upgraded_file(tmp_path_factory):
    """File of an upgraded SQLite database; tests work on copies."""
    home = tmp_path_factory.mktemp("upgraded")
    database = open_state("", home)
    upgrade(database)
    database.close()
    return home / "state.db"


@pytest.fixture(scope="session")
def upgraded_template(postgres_url):
    """Name of an upgraded database on the server; tests work on copies."""
    with fresh_database(postgres_url) as url:
        database = StateDatabase(url)
        upgrade(database)
        database.close()
        yield database.url.database


@pytest.fixture(params=ENGINES)
def state_url(request, tmp_path):
    """URL of an upgraded database that holds nothing yet, on each engine in turn."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("upgraded_file"), tmp_path / "state.db")
        yield f"sqlite:///{tmp_path / 'state.db'}"
        return
    server = request.getfixturevalue("postgres_url")
    template = request.getfixturevalue("upgraded_template")
    with fresh_database(server, like=template) as url:
        yield url


@pytest.fixture
def database(state_url):
    database = StateDatabase(state_url)
    yield database
    database.close()
