import datetime as dt

import pytest
from argon2 import PasswordHasher

from data.accounts import passwords
from data.accounts.users import Accounts
from tests.data.accounts.town import KEY, NOW


@pytest.fixture
def real_hashes():
    """For tests of what hashing costs and of what runs meanwhile."""


@pytest.fixture(autouse=True)
def quick_hashes(request, monkeypatch):
    """Elsewhere passwords are hashed as ever, with less effort."""
    if "real_hashes" not in request.fixturenames:
        quick = PasswordHasher(time_cost=1, memory_cost=16, parallelism=1)
        monkeypatch.setattr(passwords, "HASHER", quick)
        monkeypatch.setattr(passwords, "_NOBODYS", quick.hash("of nobody"))


@pytest.fixture
def accounts(database):
    return Accounts(database, KEY)


@pytest.fixture
def later():
    """A moment some time after `NOW`."""
    return lambda **times: NOW + dt.timedelta(**times)
