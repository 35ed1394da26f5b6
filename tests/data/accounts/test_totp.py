from urllib.parse import parse_qs, unquote, urlsplit

import pyotp
import pytest
import sqlalchemy as sa

from data.accounts import totp
from data.accounts.duties import AccountError
from data.accounts.policy import Policy
from data.accounts.users import Accounts
from data.state.models import User
from tests.data.accounts.town import NOW, made


@pytest.fixture
def app(accounts):
    """An authenticator that was set up two minutes before `NOW`."""
    made(accounts)
    return set_up(accounts, "duty")


def set_up(accounts, login):
    secret, _ = totp.begin(accounts, login)
    app = pyotp.TOTP(secret)
    before = NOW.timestamp() - 120
    assert totp.confirm(
        accounts, login, secret, app.at(before), NOW.fromtimestamp(before, NOW.tzinfo)
    )
    return app


def test_the_codes_are_those_of_the_standard():
    """RFC 6238, appendix B: SHA-1, the last six of the eight digits printed there."""
    seed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    moment = NOW.fromtimestamp(1_111_111_109, NOW.tzinfo)
    assert totp._step_of(seed, "081804", moment) == 1_111_111_109 // 30
    assert totp._step_of(seed, "081805", moment) is None


def test_the_address_is_what_authenticators_read(accounts):
    made(accounts, "duty.office")
    secret, address = totp.begin(accounts, "duty.office")
    parts = urlsplit(address)
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert unquote(parts.path) == "/PingAn Map:duty.office"
    assert parse_qs(parts.query) == {"secret": [secret], "issuer": ["PingAn Map"]}
    assert accounts.get("duty.office").totp_secret is None


def test_a_wrong_first_code_stores_nothing(accounts):
    made(accounts)
    secret, _ = totp.begin(accounts, "duty")
    right = pyotp.TOTP(secret).at(NOW.timestamp())
    wrong = f"{(int(right) + 1) % 1_000_000:06}"
    assert not totp.confirm(accounts, "duty", secret, wrong, NOW)
    assert accounts.get("duty").totp_secret is None


def test_the_secret_is_stored_encrypted_for_this_account_and_key(accounts, app, caplog):
    stored = accounts.get("duty").totp_secret
    assert app.secret not in stored
    made(accounts, "other")
    with accounts.database.writing() as session:
        session.execute(sa.update(User).where(User.login == "other").values(totp_secret=stored))
    code = app.at(NOW.timestamp())
    assert not totp.check(accounts, "other", code, NOW)
    assert "the code secret of other was encrypted with another key; remove it" in caplog.text
    assert not totp.check(Accounts(accounts.database, b"o" * 32), "duty", code, NOW)
    assert totp.check(accounts, "duty", code, NOW)


@pytest.mark.parametrize(
    ("seconds", "is_right"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)]
)
def test_a_clock_may_be_wrong_by_one_step(accounts, app, seconds, is_right):
    assert totp.check(accounts, "duty", app.at(NOW.timestamp() + seconds), NOW) == is_right


def test_a_code_and_all_before_it_are_used_up(accounts, app):
    at = NOW.timestamp()
    assert totp.check(accounts, "duty", app.at(at), NOW)
    assert not totp.check(accounts, "duty", app.at(at), NOW)
    assert not totp.check(accounts, "duty", app.at(at - 30), NOW)
    assert totp.check(accounts, "duty", app.at(at + 30), NOW)


def test_the_code_of_the_set_up_signs_nobody_in(accounts):
    made(accounts)
    secret, _ = totp.begin(accounts, "duty")
    code = pyotp.TOTP(secret).at(NOW.timestamp())
    assert totp.confirm(accounts, "duty", secret, code, NOW)
    assert not totp.check(accounts, "duty", code, NOW)


@pytest.mark.parametrize(
    "code", ["", "12345", "1234567", "١٢٣٤٥٦", "abcdef", "\x00", "\udcff", "-12345"]
)
def test_what_is_no_code_is_wrong(accounts, app, code):
    assert not totp.check(accounts, "duty", code, NOW)


def test_a_code_may_be_typed_with_a_gap(accounts, app):
    code = app.at(NOW.timestamp())
    assert totp.check(accounts, "duty", f" {code[:3]} {code[3:]} ", NOW)


@pytest.mark.parametrize("secret", ["", "ABC", "A" * 31, "a" * 32, "A1" * 16, "A" * 65])
def test_a_secret_that_was_not_made_here_is_refused(accounts, secret):
    made(accounts)
    with pytest.raises(AccountError, match="no secret of an authenticator"):
        totp.confirm(accounts, "duty", secret, "123456", NOW)


def test_without_an_authenticator_no_code_is_right(accounts, app):
    totp.remove(accounts, "duty")
    assert accounts.get("duty").totp_secret is None
    assert not totp.check(accounts, "duty", app.at(NOW.timestamp()), NOW)
    made(accounts, "other")
    assert not totp.check(accounts, "other", "000000", NOW)


def test_outside_accounts_are_asked_elsewhere(accounts):
    user, _ = accounts.add("outside", provider="oidc", now=NOW)
    with pytest.raises(AccountError, match="outside signs in by oidc, which asks for codes itself"):
        totp.begin(accounts, "outside")
    assert not totp.is_due(Policy(totp="all"), user, ["leader"])


@pytest.mark.parametrize(
    ("rule", "roles", "due"),
    [
        ("off", ["audit_admin"], False),
        ("optional", ["audit_admin"], False),
        ("administrators", ["audit_admin"], True),
        ("administrators", ["leader", "township"], False),
        ("administrators", [], False),
        ("all", [], True),
        ("all", ["leader"], True),
    ],
)
def test_who_must_set_one_up(accounts, rule, roles, due):
    user = made(accounts)
    policy = Policy(totp=rule)
    assert totp.is_due(policy, user, roles) == due
    set_up(accounts, "duty")
    user = accounts.get("duty")
    assert not totp.is_due(policy, user, roles)
    assert totp.is_asked(policy, user) == (rule != "off")
