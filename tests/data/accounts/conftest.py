import datetime as dt

import pytest

from data.accounts.users import Accounts
from tests.data.accounts.town import KEY, NOW


@pytest.fixture
def accounts(database):
    return Accounts(database, KEY)


@pytest.fixture
def later():
    """A moment some time after `NOW`."""
    return lambda **times: NOW + dt.timedelta(**times)
