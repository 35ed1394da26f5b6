import datetime as dt

import pyotp
import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from data.accounts import passwords, signing_in, stored_settings, totp
from data.accounts.signing_in import Outcome, check_password, sign_in
from data.state.models import User
from tests.data.accounts.town import NOW, OTHER, PASSWORD, made


def result(accounts, password=PASSWORD, *, login="duty", now=NOW, code=""):
    outcome = sign_in(accounts, login, password, code=code, now=now)
    assert (outcome.user is not None) == (outcome.result in ("ok", "must_change", "expired"))
    return outcome.result


def with_codes(accounts, login="duty"):
    """Set an authenticator up an hour before `NOW`; what it shows at a moment."""
    secret, _ = totp.begin(accounts, login)
    app = pyotp.TOTP(secret)
    before = NOW - dt.timedelta(hours=1)
    assert totp.confirm(accounts, login, secret, app.at(before.timestamp()), before)
    return lambda now: app.at(now.timestamp())


def failures(accounts, login="duty"):
    user = accounts.get(login)
    return user.failures, user.locked_until


def test_the_right_password_lets_in(accounts):
    user = made(accounts)
    outcome = sign_in(accounts, " DUTY ", PASSWORD, now=NOW)
    assert (outcome.result, outcome.user.id) == ("ok", user.id)


def test_a_wrong_password_and_an_unknown_login_are_answered_alike(accounts):
    made(accounts)
    wrong = sign_in(accounts, "duty", OTHER, now=NOW)
    unknown = sign_in(accounts, "nobody.here", OTHER, now=NOW)
    assert wrong == unknown == Outcome("wrong")


@pytest.mark.usefixtures("real_hashes")
@pytest.mark.parametrize("login", ["duty", "nobody.here", "outside", "locked"])
def test_every_refusal_hashes_once_and_writes_once(accounts, monkeypatch, login):
    """What an unknown login costs: one argon2 and one transaction, as any other."""
    for name in ("duty", "locked"):
        made(accounts, name)
    accounts.add("outside", provider="oidc", now=NOW)
    for _ in range(5):
        sign_in(accounts, "locked", OTHER, now=NOW)
    verified, written = [], []
    verify = passwords.HASHER.verify

    def counted(password_hash, password):
        verified.append(password_hash.split("$")[1:4])
        return verify(password_hash, password)

    monkeypatch.setattr(PasswordHasher, "verify", lambda _self, *given: counted(*given))

    @sa.event.listens_for(accounts.database.engine, "before_cursor_execute")
    def _seen(_connection, _cursor, statement, *_rest):
        if statement.startswith("UPDATE"):
            written.append(statement.split()[1])

    assert sign_in(accounts, login, OTHER, now=NOW).result in ("wrong", "locked")
    assert verified == [["argon2id", "v=19", "m=19456,t=2,p=1"]]
    assert len(written) == 1


def test_five_failures_lock_for_half_an_hour(accounts, later):
    made(accounts)
    assert [result(accounts, OTHER) for _ in range(5)] == ["wrong"] * 5
    assert failures(accounts) == (5, later(minutes=30))
    assert result(accounts) == "locked"
    assert result(accounts, now=later(minutes=29, seconds=59)) == "locked"
    assert result(accounts, now=later(minutes=30)) == "ok"
    assert failures(accounts) == (0, None)


def test_after_a_lock_the_count_begins_anew(accounts, later):
    made(accounts)
    for _ in range(5):
        result(accounts, OTHER)
    assert [result(accounts, OTHER, now=later(minutes=31)) for _ in range(5)] == ["wrong"] * 5
    assert result(accounts, now=later(minutes=31)) == "locked"
    assert failures(accounts)[1] == later(minutes=61)


def test_tries_during_a_lock_do_not_prolong_it(accounts, later):
    made(accounts)
    for minute in range(20):
        result(accounts, OTHER, now=later(minutes=minute))
    assert failures(accounts)[1] == later(minutes=34)


def test_a_success_clears_the_count(accounts):
    made(accounts)
    for _ in range(4):
        result(accounts, OTHER)
    assert result(accounts) == "ok"
    assert [result(accounts, OTHER) for _ in range(4)] == ["wrong"] * 4
    assert result(accounts) == "ok"


def test_the_lock_follows_the_settings(accounts, later):
    made(accounts)
    stored_settings.change(accounts.database, "lock_failures", 2, by="x", now=NOW)
    stored_settings.change(accounts.database, "lock_minutes", 60, by="x", now=NOW)
    assert [result(accounts, OTHER) for _ in range(2)] == ["wrong"] * 2
    assert result(accounts, now=later(minutes=59)) == "locked"
    assert result(accounts, now=later(minutes=60)) == "ok"


def test_a_disabled_account_is_told_only_to_who_knows_the_password(accounts):
    made(accounts)
    accounts.disable("duty", now=NOW)
    assert result(accounts, OTHER) == "wrong"
    assert result(accounts) == "disabled"


def test_a_first_password_must_be_changed(accounts, later):
    _, password = accounts.add("duty", now=NOW)
    assert result(accounts, password) == "must_change"
    accounts.set_password("duty", OTHER, now=NOW)
    assert result(accounts, OTHER) == "ok"


def test_a_password_expires_after_ninety_days(accounts, later):
    made(accounts)
    assert result(accounts, now=later(days=89, hours=23)) == "ok"
    assert result(accounts, OTHER, now=later(days=90)) == "wrong"
    outcome = sign_in(accounts, "duty", PASSWORD, now=later(days=90))
    assert outcome.result == "expired"
    # Every page but the one that changes it stays closed.
    assert outcome.user.must_change
    assert accounts.get("duty").must_change
    accounts.set_password("duty", OTHER, now=later(days=90))
    assert result(accounts, OTHER, now=later(days=91)) == "ok"


def test_an_outside_account_has_no_password_to_guess(accounts):
    accounts.add("outside", provider="oidc", now=NOW)
    for password in ("", "None", OTHER):
        assert result(accounts, password, login="outside") == "wrong"
    assert failures(accounts, "outside") == (0, None)


@pytest.mark.usefixtures("real_hashes")
def test_an_old_hash_is_made_anew(accounts, monkeypatch):
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    made(accounts)
    with accounts.database.writing() as session:
        session.execute(sa.update(User).values(password_hash=weak))
    assert result(accounts, OTHER) == "wrong"
    assert accounts.get("duty").password_hash == weak
    assert result(accounts) == "ok"
    assert accounts.get("duty").password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert result(accounts) == "ok"


def test_a_password_that_is_changed_meanwhile_lets_nobody_in(accounts, monkeypatch):
    made(accounts)
    compare = signing_in.is_password

    def slow(password_hash, password):
        found = compare(password_hash, password)
        accounts.set_password("duty", OTHER, now=NOW)
        return found

    monkeypatch.setattr(signing_in, "is_password", slow)
    assert result(accounts) == "wrong"


@pytest.mark.parametrize("password", ["", "x" * 100_000, "\x00", "\udcff", "密码" * 50])
def test_odd_passwords_are_wrong_and_nothing_else(accounts, password):
    made(accounts)
    assert result(accounts, password) == "wrong"


@pytest.mark.parametrize("login", ["", "\x00", "a" * 100_000, "' OR 1=1 --", "\udcff", "%"])
def test_odd_logins_are_wrong_and_nothing_else(accounts, login):
    made(accounts)
    assert result(accounts, login=login) == "wrong"


# One-time codes ------------------------------------------------------------------------------


def test_with_an_authenticator_the_password_is_half_of_it(accounts):
    made(accounts)
    code = with_codes(accounts)
    assert result(accounts, OTHER, code=code(NOW)) == "wrong"
    assert result(accounts) == "code_needed"
    assert result(accounts, code="000000") == "code_wrong"
    assert result(accounts, code=code(NOW)) == "ok"


def test_a_code_is_used_once(accounts, later):
    made(accounts)
    code = with_codes(accounts)
    assert result(accounts, code=code(NOW)) == "ok"
    assert result(accounts, code=code(NOW)) == "code_wrong"
    assert result(accounts, code=code(later(seconds=30)), now=later(seconds=30)) == "ok"


def test_wrong_codes_lock_as_wrong_passwords_do(accounts):
    made(accounts)
    code = with_codes(accounts)
    for _ in range(5):
        assert result(accounts, code="000000") == "code_wrong"
    assert result(accounts, code=code(NOW)) == "locked"


def test_asking_for_the_code_does_not_clear_the_count(accounts):
    """Else whoever has the password tries four codes, asks, tries four more, and so on."""
    made(accounts)
    with_codes(accounts)
    for _ in range(4):
        assert result(accounts, code="000000") == "code_wrong"
        assert result(accounts) == "code_needed"
    assert result(accounts, code="000000") == "code_wrong"
    assert result(accounts) == "locked"


def test_asking_for_the_code_counts_nothing(accounts):
    made(accounts)
    with_codes(accounts)
    for _ in range(20):
        assert result(accounts) == "code_needed"
    assert failures(accounts) == (0, None)


def test_where_codes_are_off_nobody_is_asked(accounts):
    made(accounts)
    with_codes(accounts)
    stored_settings.change(accounts.database, "totp", "off", by="x", now=NOW)
    assert result(accounts) == "ok"


def test_a_first_password_is_told_after_the_code(accounts):
    _, password = accounts.add("duty", now=NOW)
    code = with_codes(accounts)
    assert result(accounts, password) == "code_needed"
    assert result(accounts, password, code=code(NOW)) == "must_change"


# The password of somebody signed in ----------------------------------------------------------


def test_the_password_alone_is_judged_and_counted(accounts):
    user = made(accounts)
    with_codes(accounts)
    assert check_password(accounts, "duty", PASSWORD, now=NOW).user.id == user.id
    assert failures(accounts) == (0, None)
    for _ in range(4):
        assert check_password(accounts, "duty", OTHER, now=NOW) == Outcome("wrong")
    assert check_password(accounts, "duty", PASSWORD, now=NOW).result == "ok"
    assert failures(accounts) == (4, None)
    assert check_password(accounts, "duty", OTHER, now=NOW) == Outcome("wrong")
    assert check_password(accounts, "duty", PASSWORD, now=NOW) == Outcome("locked")
    assert check_password(accounts, "ghost", PASSWORD, now=NOW) == Outcome("wrong")


def test_the_password_of_a_disabled_account_is_no_use(accounts):
    made(accounts)
    accounts.disable("duty", now=NOW)
    assert check_password(accounts, "duty", PASSWORD, now=NOW) == Outcome("disabled")
