"""Controls of accounts, each failing once."""

import datetime as dt

import pytest

from data.access import Grant
from data.permissions import Matrix, Right, matrix
from data.state.models import Setting, User, UserScope
from etl.compliance import accounts
from tests.etl.compliance.values import NOW

DAY = dt.timedelta(days=1)


def test_a_good_installation_passes_every_control_of_accounts(installed):
    found = installed.controls()
    told = {
        "unique logins": "5 enabled accounts, each login once",
        "password rules": "min_length 8, min_classes 3, history 5, expiry_days 90, "
        "first_change True",
        "no default account": "the product has none; every account has a password",
        "lock after failed sign-ins": "lock_failures 5, lock_minutes 30",
        "idle logout": "idle_minutes 30, session_hours 12",
        "two factors": "5 local accounts have one-time codes",
        "permission matrix": f"{len(matrix().rights)} rights of {len(matrix().roles)} roles are decided, all others "
        "are denied",
        "scopes of accounts": "5 accounts, each with a role and an area",
        "unused accounts": "every account was used or made in the last 90 days",
        "three administrators": "three posts, and none of them holds another role",
    }
    assert {name: (found[name].state, found[name].detail) for name in told} == {
        name: ("pass", detail) for name, detail in told.items()
    }


def fails(control, detail):
    assert (control.state, control.detail) == ("fail", detail)


def test_nobody_may_sign_in(installed):
    installed.change(User, disabled=True)
    fails(
        installed.controls()["unique logins"],
        "there is no enabled account; run `pingan user add`",
    )


def test_one_login_stands_for_one_account(installed):
    installed.add("GRID-17", Grant("grid_chief", "grid", "W2"))
    fails(
        installed.controls()["unique logins"],
        "1 logins stand for several accounts: grid-17",
    )


@pytest.mark.parametrize("columns", [{"login": "13912345678"}, {"unit": "王 13912345678"}])
def test_an_account_is_a_post_and_no_person(installed, columns):
    installed.change(User, "grid-17", **columns)
    fails(
        installed.controls()["unique logins"],
        "1 logins or units hold a telephone, identity or plate number; an account is a post, "
        "rename it",
    )


@pytest.mark.parametrize(
    ("control", "setting", "value", "default"),
    [
        ("password rules", "min_length", 7, 8),
        ("password rules", "min_classes", 2, 3),
        ("password rules", "history", 4, 5),
        ("password rules", "expiry_days", 91, 90),
        ("password rules", "first_change", False, True),
        ("lock after failed sign-ins", "lock_failures", 6, 5),
        ("lock after failed sign-ins", "lock_minutes", 29, 30),
        ("idle logout", "idle_minutes", 31, 30),
        ("idle logout", "session_hours", 13, 12),
    ],
)
def test_no_rule_is_weaker_than_its_default(installed, control, setting, value, default):
    installed.put(setting, value)
    fails(
        installed.controls()[control],
        f"{setting} is {value}, weaker than {default}; set it back",
    )


def test_a_rule_that_cannot_be_used_is_told(installed):
    installed.put("lock_failures", 5)
    installed.change(Setting, value="never")
    fails(
        installed.controls()["lock after failed sign-ins"],
        "lock_failures: 'never' is no whole number from 1 to 20; the default 5 holds",
    )


def test_a_stronger_rule_passes(installed):
    installed.put("min_length", 12)
    assert installed.controls()["password rules"].state == "pass"


def test_no_account_is_without_a_password(installed):
    installed.change(User, "grid-17", password_hash=None)
    fails(
        installed.controls()["no default account"],
        "1 enabled accounts without a password: grid-17; disable them or set a password",
    )


def test_no_account_has_a_name_that_is_guessed_first(installed):
    installed.add("Admin", Grant("leader"))
    fails(
        installed.controls()["no default account"],
        "1 enabled accounts have names that are guessed first: Admin; make others and disable "
        "these",
    )


def test_every_local_account_has_a_second_factor(installed):
    for number in range(7):
        installed.add(f"late-{number}", Grant("leader"), totp_secret=None)
    fails(
        installed.controls()["two factors"],
        "7 of 12 local accounts have no one-time code: late-0, late-1, late-2, late-3, late-4 and "
        "2 more; set totp to all, and have each set it up",
    )


def test_a_second_factor_elsewhere_is_seen_by_hand(installed):
    installed.add("sso-1", Grant("leader"), provider="oidc", subject="7", totp_secret=None)
    control = installed.controls()["two factors"]
    assert (control.state, control.detail) == (
        "by hand",
        "1 accounts sign in elsewhere; see that two factors are asked for there",
    )


@pytest.mark.parametrize(
    ("rights", "fault"),
    [
        (
            {("map", "system_admin"): Right("own", needs_reason=False)},
            "system_admin may see the map; administrators see no figures",
        ),
        (
            {("cells", "public"): Right("own", needs_reason=False)},
            "shared links give more than protected figures: cells",
        ),
        (
            {("export", "wall"): Right("own", needs_reason=False)},
            "wall screens may do more than show figures: export",
        ),
    ],
)
def test_the_matrix_gives_nobody_more_than_it_may(installed, monkeypatch, rights, fault):
    whole = matrix()
    found = Matrix(whole.actions, whole.roles, {**whole.rights, **rights})
    monkeypatch.setattr(accounts, "matrix", lambda: found)
    fails(installed.controls()["permission matrix"], f"{fault}; install the product anew")


def test_the_matrix_decides_every_cell(installed, monkeypatch):
    whole = matrix()
    rights = {key: right for key, right in whole.rights.items() if key != ("export", "leader")}
    found = Matrix(whole.actions, whole.roles, rights)
    monkeypatch.setattr(accounts, "matrix", lambda: found)
    fails(
        installed.controls()["permission matrix"],
        f"1 of {len(whole.rights)} rights are not decided; install the product anew",
    )


@pytest.mark.parametrize(
    "days", [{"valid_until": (NOW - DAY).date()}, {"valid_from": (NOW + DAY).date()}]
)
def test_every_account_has_a_role_that_holds_today(installed, days):
    with installed.database.writing() as session:
        session.query(UserScope).filter(UserScope.area_code == "W1").update(days)
    fails(
        installed.controls()["scopes of accounts"],
        "1 enabled accounts have no role that holds today: grid-17; grant one or disable them",
    )


def test_unused_accounts_are_told(installed):
    long_ago = NOW - 91 * DAY
    installed.change(User, created_at=long_ago)
    for login in ("post-system", "post-security", "command-1"):
        installed.sign_in(login, NOW - 80 * DAY)
    installed.sign_in("grid-17", NOW, result="failed")
    fails(
        installed.controls()["unused accounts"],
        "1 enabled accounts were not used for 90 days: grid-17; disable them",
    )


def test_each_administrator_is_a_post_of_its_own(installed):
    installed.change(User, "post-audit", disabled=True)
    fails(
        installed.controls()["three administrators"],
        "nobody is audit_admin; grant it to a post of its own",
    )


@pytest.mark.parametrize("role", ["leader", "security_admin"])
def test_no_administrator_holds_another_role(installed, role):
    installed.add("both", Grant("audit_admin"), Grant(role))
    fails(
        installed.controls()["three administrators"],
        "1 accounts are administrators and something else: both; revoke one of the roles",
    )


def test_the_demo_has_no_accounts_to_be_judged(installed):
    found = installed.controls(auth="demo", public_url="")
    names = {"unique logins", "two factors", "three administrators", "idle logout"}
    assert {found[name].state for name in names} == {"not applicable"}
    assert found["permission matrix"].state == "pass"


def test_without_a_state_database_accounts_fail(installed, tmp_path):
    found = installed.controls(home=tmp_path / "new")
    assert found["unique logins"].state == "fail"
    assert found["unique logins"].detail == (
        "no state database yet; run `pingan serve` once, or `pingan user add`"
    )
    assert not (tmp_path / "new").exists()


def test_an_old_state_database_is_told_and_left_alone(installed):
    with installed.database.writing() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    fails(
        installed.controls()["unique logins"],
        "the state database has revision 0000; run `pingan serve`",
    )


def test_a_damaged_state_database_is_told(installed):
    installed.database.close()
    (installed.home / "state.db").write_bytes(b"no database" * 1000)
    control = installed.controls()["audit chain"]
    assert control.state == "fail"
    assert control.detail.startswith("the state database failed:")
    assert installed.controls(auth="demo", public_url="")["audit chain"].state == "fail"


def test_a_state_url_with_a_fault_tells_no_password(installed):
    control = installed.controls(state="nothing://pingan:hidden@host/x")["unique logins"]
    assert control.state == "fail"
    assert "hidden" not in control.detail
