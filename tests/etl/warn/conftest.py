"""Warnings of the town by the default rules, in a database of their own."""

import shutil

import pytest

from data.state.database import StateDatabase, open_state
from data.state.migrate import upgrade
from data.warnings import Warnings
from tests.data.warnings.town import TREE


@pytest.fixture(scope="session")
def upgraded(tmp_path_factory):
    home = tmp_path_factory.mktemp("upgraded")
    database = open_state("", home)
    upgrade(database)
    database.close()
    return home / "state.db"


@pytest.fixture
def warnings(tmp_path, upgraded):
    shutil.copy(upgraded, tmp_path / "state.db")
    database = StateDatabase(f"sqlite:///{tmp_path / 'state.db'}")
    yield Warnings(database, tree=lambda: TREE)
    database.close()
