"""Real servers to sign in by, and a clock that stands still until it is moved."""

import datetime as dt
import re

import pytest

from dashboard.signin.cas import CasProvider
from dashboard.signin.oidc import OidcProvider
from tests.dashboard.signin.browser import PUBLIC, Browser
from tests.dashboard.signin.cas_server import CasServer
from tests.dashboard.signin.identity_provider import CLIENT, SECRET, IdentityProvider

KEY = b"0123456789abcdef0123456789abcdef"
TIMEOUT_S = 5.0
"""Of servers that answer at once; those that do not are asked with a shorter one."""


class Clock:
    def __init__(self) -> None:
        self.now = dt.datetime(2026, 11, 22, 8, 0, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.now

    def forward(self, **span):
        self.now += dt.timedelta(**span)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def issuer(clock):
    served = IdentityProvider(f"{PUBLIC}/signin/oidc/back", clock)
    yield served
    served.close()


@pytest.fixture
def cas():
    served = CasServer()
    yield served
    served.close()


@pytest.fixture
def oidc(issuer, clock):
    """Make the provider of the issuer, some arguments changed."""

    def make(**changed):
        given = {
            "issuer": issuer.issuer,
            "client": CLIENT,
            "secret": SECRET,
            "public_url": PUBLIC,
            "key": KEY,
            "timeout_s": TIMEOUT_S,
            "clock": clock,
        }
        return OidcProvider(**{**given, **changed})

    return make


@pytest.fixture
def cas_provider(cas, clock):
    """Make the provider of the CAS server, some arguments changed."""

    def make(**changed):
        given = {
            "url": cas.base,
            "public_url": PUBLIC,
            "key": KEY,
            "timeout_s": TIMEOUT_S,
            "clock": clock,
        }
        return CasProvider(**{**given, **changed})

    return make


@pytest.fixture
def browser(oidc):
    return Browser(oidc())


@pytest.fixture
def cas_browser(cas_provider):
    return Browser(cas_provider())


@pytest.fixture
def is_refused(caplog):
    """Check that an answer tells a number only, and the log one of the reasons under it."""

    def check(answer, *reasons):
        told = re.fullmatch(r"sign-in failed, number ([0-9a-f]{8})", answer.text)
        assert answer.status_code == 403, answer.text
        assert told, answer.text
        logged = caplog.records[-1].getMessage()
        assert f"number {told[1]}: " in logged
        assert any(reason in logged for reason in reasons), logged
        assert "\n" not in logged

    return check
