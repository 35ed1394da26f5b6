"""Warnings of the town, on each engine."""

import pytest

from data.warnings import Warnings
from tests.data.warnings.town import TREE


@pytest.fixture
def warnings(database):
    return Warnings(database, tree=lambda: TREE)
