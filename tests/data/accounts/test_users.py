import datetime as dt

import pytest
import sqlalchemy as sa

from data.access import NOBODY, WHOLE_CITY, Grant, Scope, decide
from data.accounts import stored_settings, users
from data.accounts.duties import AccountError
from data.accounts.links import share, shared
from data.accounts.passwords import is_password
from data.accounts.policy import Policy, password_faults
from data.accounts.rows import HISTORY_KEPT
from data.accounts.sessions import Sessions
from data.accounts.users import PasswordError
from data.state.models import PasswordHistory, User
from tests.data.accounts.town import NOW, OTHER, PASSWORD, SECURITY, TOWNSHIP, made

GRID = Grant("grid_chief", "grid", "620102001001")
DAY = NOW.date()


def refusal(work, *words, error=AccountError, **named):
    with pytest.raises(error) as refused:
        work(*words, **named)
    return str(refused.value)


def test_a_new_account_has_a_password_of_its_own_and_must_change_it(accounts):
    user, password = accounts.add(" Duty.Office ", unit="城关街道值班室", now=NOW)
    assert (user.login, user.unit, user.provider, user.created_at) == (
        "duty.office", "城关街道值班室", "local", NOW,
    )  # fmt: skip
    assert user.must_change
    assert is_password(user.password_hash, password)
    assert password_faults(Policy(), "duty.office", password) == []
    assert accounts.get("DUTY.OFFICE").id == user.id
    assert accounts.account("duty.office").grants == ()


def test_where_first_changes_are_off_the_made_password_stays(accounts):
    stored_settings.change(accounts.database, "first_change", False, by="x", now=NOW)
    assert not accounts.add("duty", now=NOW)[0].must_change


def test_a_given_password_is_not_given_back(accounts):
    user, password = accounts.add("duty", password=PASSWORD, now=NOW)
    assert (password, user.must_change) == ("", False)
    assert accounts.add("other", password=PASSWORD, now=NOW, must_change=True)[0].must_change


def test_a_bad_password_is_refused_with_its_faults(accounts):
    with pytest.raises(PasswordError) as refused:
        accounts.add("duty", password="duty", now=NOW)
    assert refused.value.faults == ("too_short", "too_few_classes", "holds_login")
    assert str(refused.value).startswith("the password of duty is too short; too few kinds")
    assert accounts.get("duty") is None


@pytest.mark.parametrize(
    ("login", "told"),
    [
        ("x", "use 2 to 64 letters"),
        ("a b", "use 2 to 64 letters"),
        ("../etc", "use 2 to 64 letters"),
        ("a" * 65, "use 2 to 64 letters"),
        ("dutу", "use 2 to 64 letters"),  # a Cyrillic letter
        ("duty@office.gov.cn", "use 2 to 64 letters"),
        ("13800001234", "looks like a telephone"),
        ("0931-8888888", "looks like a telephone"),
        ("cli", "is kept for the program"),
        ("System", "is kept for the program"),
        ("demo-leader", "is kept for the program"),
    ],
)
def test_a_login_names_a_post(accounts, login, told):
    assert told in refusal(accounts.add, login, now=NOW)
    assert accounts.all() == []


@pytest.mark.parametrize("unit", ["x" * 65, "a\nb", "值班 13800001234"])
def test_a_unit_names_an_office(accounts, unit):
    assert "unit" in refusal(accounts.add, "duty", unit=unit, now=NOW)
    made(accounts)
    assert "unit" in refusal(accounts.set_unit, "duty", unit)
    accounts.set_unit("duty", "指挥中心")
    assert accounts.get("duty").unit == "指挥中心"


def test_chinese_and_full_width_logins_are_one_spelling(accounts):
    user, _ = accounts.add("城关ＺＨＢ", now=NOW)
    assert user.login == "城关zhb"
    assert refusal(accounts.add, "城关zhb", now=NOW) == "login 城关zhb is taken; choose another"


def test_an_outside_account_has_no_password_here(accounts):
    user, password = accounts.add("duty", provider="oidc", subject="a-17", now=NOW)
    assert (user.provider, user.subject, user.password_hash, password) == ("oidc", "a-17", None, "")
    assert accounts.by_subject("oidc", "a-17").login == "duty"
    assert accounts.by_subject("cas", "a-17") is None
    assert accounts.add("other", provider="header", now=NOW)[0].subject == "other"
    assert refusal(accounts.set_password, "duty", PASSWORD, now=NOW) == (
        "duty signs in by oidc; it has no password here"
    )
    assert "give no password" in refusal(
        accounts.add, "third", provider="oidc", password=PASSWORD, now=NOW
    )
    assert refusal(accounts.add, "third", provider="oidc", subject="a-17", now=NOW) == (
        "login third or its subject at oidc is taken; choose another"
    )


def test_unknown_accounts_are_told(accounts):
    for work in (accounts.account, accounts.disable, accounts.enable, accounts.unlock):
        assert refusal(work, "nobody.here") == "there is no account 'nobody.here'"


def test_all_lists_users_with_their_grants(accounts):
    made(accounts, "b.post", grants=[TOWNSHIP, GRID])
    made(accounts, "a.post")
    listed = [(account.user.login, account.grants) for account in accounts.all()]
    assert listed == [("a.post", ()), ("b.post", (GRID, TOWNSHIP))]


# Passwords -----------------------------------------------------------------------------------


def test_a_new_password_replaces_the_old_one(accounts, later):
    made(accounts)
    accounts.set_password("duty", OTHER, now=later(days=1))
    user = accounts.get("duty")
    assert is_password(user.password_hash, OTHER)
    assert not is_password(user.password_hash, PASSWORD)
    assert user.password_changed_at == later(days=1)
    assert not user.must_change


def test_the_last_five_passwords_cannot_be_used_again(accounts, later):
    made(accounts)
    used = [PASSWORD, *(f"Wy4_nQv8_Hs{n}z" for n in range(4))]
    for day, password in enumerate(used[1:], start=1):
        accounts.set_password("duty", password, now=later(days=day))
    for password in used:
        with pytest.raises(PasswordError) as refused:
            accounts.set_password("duty", password, now=later(days=9))
        assert refused.value.faults == ("reused",)
    accounts.set_password("duty", "Tg7=bKe3=Zc5p", now=later(days=9))
    accounts.set_password("duty", PASSWORD, now=later(days=10))


def test_the_history_follows_the_setting_and_stays_small(accounts, later):
    made(accounts)
    stored_settings.change(accounts.database, "history", 0, by="x", now=NOW)
    for day in range(HISTORY_KEPT + 3):
        accounts.set_password("duty", (OTHER, PASSWORD)[day % 2], now=later(days=day))
    with accounts.database.reading() as session:
        kept = session.scalar(sa.select(sa.func.count()).select_from(PasswordHistory))
    assert kept == HISTORY_KEPT


def test_a_refused_password_changes_nothing(accounts, later):
    made(accounts)
    secret = Sessions(accounts.database).start(
        accounts.get("duty"), address="10.0.0.1", policy=Policy(), now=NOW
    )
    refusal(accounts.set_password, "duty", "short", now=later(minutes=1), error=PasswordError)
    assert is_password(accounts.get("duty").password_hash, PASSWORD)
    assert Sessions(accounts.database).current(secret, now=later(minutes=1), policy=Policy())


@pytest.mark.parametrize("keeps", [True, False])
def test_a_new_password_ends_the_other_sessions(accounts, later, keeps):
    user, sessions = made(accounts), Sessions(accounts.database)
    here, there = (
        sessions.start(user, address="10.0.0.1", policy=Policy(), now=NOW) for _ in range(2)
    )
    now = later(minutes=1)
    held = sessions.current(here, now=now, policy=Policy())
    accounts.set_password("duty", OTHER, now=now, but=held.session_id if keeps else None)
    assert sessions.current(there, now=now, policy=Policy()) is None
    assert (sessions.current(here, now=now, policy=Policy()) is not None) == keeps


def test_a_password_that_somebody_else_just_changed_is_kept(accounts, monkeypatch):
    made(accounts)
    hashed = users.hash_password

    def slow(password):
        monkeypatch.setattr(users, "hash_password", hashed)
        accounts.set_password("duty", "Tg7=bKe3=Zc5p", now=NOW)
        return hashed(password)

    monkeypatch.setattr(users, "hash_password", slow)
    told = "the password of duty was just changed; try again"
    assert refusal(accounts.set_password, "duty", OTHER, now=NOW) == told
    assert is_password(accounts.get("duty").password_hash, "Tg7=bKe3=Zc5p")


def test_a_reset_unlocks_and_asks_for_another_password(accounts, later):
    made(accounts)
    with accounts.database.writing() as session:
        session.execute(sa.update(User).values(failures=5, locked_until=later(minutes=30)))
    password = accounts.reset_password("duty", now=NOW)
    user = accounts.get("duty")
    assert is_password(user.password_hash, password)
    assert (user.must_change, user.failures, user.locked_until) == (True, 0, None)


def test_unlock_forgets_the_failures(accounts, later):
    made(accounts)
    with accounts.database.writing() as session:
        session.execute(sa.update(User).values(failures=5, locked_until=later(minutes=30)))
    accounts.unlock("duty")
    user = accounts.get("duty")
    assert (user.failures, user.locked_until) == (0, None)


# Rights --------------------------------------------------------------------------------------


def test_a_scope_holds_what_was_granted(accounts):
    user = made(accounts, grants=[TOWNSHIP, Grant("leader", "city", "ignored")])
    accounts.set_unit("duty", "值班室")
    scope = accounts.scope_of(accounts.get("duty"), day=DAY, session="0123456789abcdef")
    assert scope == Scope(
        "duty", frozenset({TOWNSHIP, Grant("leader", "city", WHOLE_CITY)}), "值班室", "01234567"
    )
    assert decide(scope, "map").covers_city
    assert accounts.scope_of(user, day=DAY).session == ""


@pytest.mark.parametrize(
    ("first", "last", "holds"),
    [
        (None, None, True),
        (DAY, DAY, True),
        (DAY + dt.timedelta(1), None, False),
        (None, DAY - dt.timedelta(1), False),
        (DAY - dt.timedelta(9), DAY + dt.timedelta(9), True),
    ],
)
def test_a_grant_holds_from_its_first_to_its_last_day(accounts, first, last, holds):
    user = made(accounts)
    accounts.grant("duty", TOWNSHIP, by="sec", now=NOW, valid_from=first, valid_until=last)
    assert accounts.scope_of(user, day=DAY).grants == ({TOWNSHIP} if holds else set())


def test_a_grant_again_has_the_new_days(accounts):
    made(accounts, grants=[TOWNSHIP])
    accounts.grant("duty", TOWNSHIP, by="sec", now=NOW, valid_until=DAY)
    (held,) = accounts.account("duty").held
    assert (held.valid_until, held.granted_by, held.granted_at) == (DAY, "sec", NOW)


def test_a_revoked_grant_is_gone_at_once(accounts):
    user = made(accounts, grants=[TOWNSHIP, GRID])
    accounts.revoke("duty", TOWNSHIP)
    assert accounts.scope_of(user, day=DAY).grants == {GRID}
    assert refusal(accounts.revoke, "duty", TOWNSHIP) == (
        "duty does not hold township for township 620102001"
    )


@pytest.mark.parametrize(
    ("grant", "told"),
    [
        (Grant("mayor"), "there is no role 'mayor'; known: grid_chief"),
        (Grant("public"), "there is no role 'public'"),
        (Grant("wall", "county", "9901"), "there is no role 'wall'"),
        (Grant("township", "street", "1"), "there is no level 'street'; known: city, county"),
        (Grant("township", "township", "*"), "area code '*'"),
        (Grant("township", "township", ""), "area code ''"),
        (Grant("township", "township", "1 OR 1"), "area code '1 OR 1'"),
        (Grant("audit_admin", "county", "1"), "role audit_admin has no area"),
    ],
)
def test_a_grant_that_cannot_be_is_refused(accounts, grant, told):
    made(accounts)
    assert told in refusal(accounts.grant, "duty", grant, by="sec", now=NOW)
    assert accounts.account("duty").held == ()


def test_days_in_the_wrong_order_are_refused(accounts):
    made(accounts)
    told = refusal(
        accounts.grant, "duty", TOWNSHIP, by="sec", now=NOW,
        valid_from=DAY, valid_until=DAY - dt.timedelta(1),
    )  # fmt: skip
    assert told == "the last day 2026-11-15 is before the first 2026-11-16"


@pytest.mark.parametrize("first", ["system_admin", "security_admin", "audit_admin"])
@pytest.mark.parametrize("second", ["system_admin", "security_admin", "audit_admin", "leader"])
def test_an_administrator_holds_nothing_else(accounts, first, second):
    if first == second:
        return
    made(accounts, grants=[Grant(first)])
    assert f"duty holds {first}, which cannot go together with {second}" in refusal(
        accounts.grant, "duty", Grant(second), by="sec", now=NOW
    )
    made(accounts, "other", grants=[Grant(second)])
    assert "cannot go together" in refusal(accounts.grant, "other", Grant(first), by="sec", now=NOW)


def test_other_roles_go_together(accounts):
    made(accounts, grants=[TOWNSHIP, GRID, Grant("analyst"), Grant("leader")])
    assert len(accounts.account("duty").held) == 4


def test_nobody_changes_their_own_rights(accounts):
    made(accounts, "sec", grants=[SECURITY])
    told = "sec cannot change the rights of sec; another administrator can"
    assert refusal(accounts.grant, "sec", TOWNSHIP, by="sec", now=NOW) == told
    assert refusal(accounts.revoke, "sec", SECURITY, by="sec") == told


LAST = "sec is the last security_admin; give that role to another account first"


def test_the_last_security_administrator_stays(accounts, later):
    made(accounts, "sec", grants=[SECURITY])
    assert refusal(accounts.disable, "sec", now=NOW) == LAST
    assert refusal(accounts.revoke, "sec", SECURITY, now=NOW) == LAST
    assert refusal(accounts.grant, "sec", SECURITY, by="x", now=NOW, valid_until=DAY) == LAST
    made(accounts, "sec2", grants=[SECURITY])
    accounts.revoke("sec", SECURITY, now=NOW)
    accounts.disable("sec", now=NOW)
    assert "sec2 is the last" in refusal(accounts.disable, "sec2", now=NOW)


@pytest.mark.parametrize(
    ("first", "last"), [(None, DAY + dt.timedelta(1)), (DAY + dt.timedelta(1), None)]
)
def test_who_holds_the_role_for_a_time_only_is_no_other_one(accounts, first, last):
    made(accounts, "sec", grants=[SECURITY])
    made(accounts, "deputy")
    accounts.grant("deputy", SECURITY, by="sec", now=NOW, valid_from=first, valid_until=last)
    assert refusal(accounts.disable, "sec", now=NOW) == LAST


def test_a_disabled_one_is_no_other_one(accounts):
    made(accounts, "sec", grants=[SECURITY])
    made(accounts, "sec2", grants=[SECURITY])
    accounts.disable("sec2", now=NOW)
    accounts.disable("sec2", now=NOW)
    assert refusal(accounts.disable, "sec", now=NOW) == LAST
    accounts.enable("sec2")
    accounts.disable("sec", now=NOW)


def test_a_disabled_account_is_nobody_and_its_sessions_and_links_end(accounts, later):
    user, sessions = made(accounts, grants=[TOWNSHIP]), Sessions(accounts.database)
    secret = sessions.start(user, address="10.0.0.1", policy=Policy(), now=NOW)
    link = share(accounts.database, search="?level=township", by="duty", days=7, now=NOW)
    accounts.disable("duty", now=NOW)
    assert accounts.scope_of(user, day=DAY) == NOBODY
    accounts.enable("duty")
    assert accounts.scope_of(user, day=DAY).grants == {TOWNSHIP}
    assert sessions.current(secret, now=later(minutes=1), policy=Policy()) is None
    assert shared(accounts.database, link, later(minutes=1)) is None


def test_who_is_unknown_to_the_database_is_nobody(accounts):
    assert accounts.scope_of(User(id=99, login="ghost"), day=DAY) == NOBODY
