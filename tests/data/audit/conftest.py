import pytest

from data.audit import AuditLog
from tests.data.audit.kept import KEY


@pytest.fixture
def log(database):
    """An audit without an anchor."""
    return AuditLog(database, KEY)


@pytest.fixture
def anchored(database, tmp_path):
    """The same audit with an anchor."""
    return AuditLog(database, KEY, home=tmp_path)
