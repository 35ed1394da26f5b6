"""`pingan user`, `pingan state` and `pingan token` on a home of their own."""

import json
import re

import pytest
from typer.testing import CliRunner

from data.accounts.signing_in import sign_in
from data.audit import AuditError, AuditLog
from data.audit.verify import verify
from data.settings import Settings
from data.state.migrate import newest
from etl.commands import state, token, user
from etl.installation import installation

PASSWORD = re.compile(r"^[0-9A-Za-z]{4}(?:-[0-9A-Za-z]{4}){3}$", re.MULTILINE)


@pytest.fixture
def home(tmp_path, monkeypatch):
    home = tmp_path / "home"
    monkeypatch.setenv("PINGAN_HOME", str(home))
    return home


@pytest.fixture
def run(home):
    def invoke(app, *words):
        return CliRunner().invoke(app, list(words))

    return invoke


@pytest.fixture
def pingan_user(run):
    """Run `pingan user ...`, which must succeed; what it printed."""

    def invoke(*words):
        result = run(user.app, *words)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout) if "--json" in words else result.stdout

    return invoke


@pytest.fixture
def opened(home):
    """The installation as the commands see it."""
    return lambda: installation(Settings(home=home))


def audited(opened):
    """What the audit tells, oldest first."""
    with opened() as installed:
        assert verify(installed.audit).faults == ()
        rows = installed.audit.search()[::-1]
    assert {row.user for row in rows} <= {"cli"}
    return [(row.action, row.target, row.result, row.detail) for row in rows]


def test_a_new_account_signs_in_with_the_password_that_is_printed_once(pingan_user, opened):
    told = pingan_user("add", "duty.office", "--unit", "值班室", "--role", "leader")
    (password,) = PASSWORD.findall(told)
    assert told.startswith("account duty.office: leader of city:*\nfirst password, shown once")
    with opened() as installed:
        outcome = sign_in(installed.accounts, "duty.office", password, now=installed.now)
        assert outcome.result == "must_change"
    assert password not in pingan_user("show", "duty.office")
    assert password not in str(audited(opened))


def test_every_change_is_in_the_audit_and_what_was_refused_too(pingan_user, run, opened):
    pingan_user("add", "duty", "--role", "township", "--area", "township:620102001")
    pingan_user("grant", "duty", "grid_chief", "--area", "grid:7", "--last", "2026-12-31")
    pingan_user("revoke", "duty", "grid_chief", "--area", "grid:7")
    pingan_user("disable", "duty")
    pingan_user("enable", "duty")
    pingan_user("unlock", "duty")
    pingan_user("password", "duty")
    pingan_user("codes-off", "duty")
    pingan_user("setup-link")
    assert run(user.app, "disable", "ghost").exit_code == 1
    assert audited(opened) == [
        ("users", "duty", "ok", "add, local, township of township:620102001"),
        ("users", "duty", "ok", "grant grid_chief of grid:7, None to 2026-12-31"),
        ("users", "duty", "ok", "revoke grid_chief of grid:7"),
        ("users", "duty", "ok", "disable"),
        ("users", "duty", "ok", "enable"),
        ("users", "duty", "ok", "unlock"),
        ("users", "duty", "ok", "new password"),
        ("users", "duty", "ok", "one-time codes off"),
        ("users", "set-up link", "ok", "made"),
        ("users", "ghost", "ok", "disable"),
        ("users", "ghost", "failed", "there is no account 'ghost'"),
    ]


def test_without_a_row_in_the_audit_nothing_is_changed(run, opened, monkeypatch):
    def broken(_self, **_row):
        raise AuditError("the audit was not written: disk full")

    monkeypatch.setattr(AuditLog, "write", broken)
    result = run(user.app, "add", "duty")
    assert (result.exit_code, result.stderr) == (
        1, "pingan: the audit was not written: disk full\n",
    )  # fmt: skip
    with opened() as installed:
        assert installed.accounts.all() == []


def test_accounts_are_listed_and_shown(pingan_user):
    assert pingan_user("add", "duty", "--json").keys() == {
        "login", "password", "must_change", "grants",
    }  # fmt: skip
    pingan_user(
        "grant", "duty", "township", "--area", "township:620102001", "--first", "2026-01-01"
    )
    pingan_user("add", "outside", "--provider", "oidc", "--subject", "a-17")
    pingan_user("disable", "outside")
    assert pingan_user("list", "--json") == [
        {
            "login": "duty",
            "unit": "",
            "provider": "local",
            "roles": ["township of township:620102001 2026-01-01/"],
            "state": "open",
        },
        {
            "login": "outside",
            "unit": "",
            "provider": "oidc",
            "roles": [],
            "state": "disabled",
        },
    ]
    assert "620102001" in pingan_user("list")
    shown = pingan_user("show", "outside", "--json")
    assert (shown["subject"], shown["open_sessions"], shown["one_time_codes"]) == ("a-17", 0, False)
    assert "password_hash" not in shown


def test_a_locked_account_is_shown_and_unlocked(pingan_user, opened):
    pingan_user("add", "duty")
    with opened() as installed:
        for _ in range(5):
            sign_in(installed.accounts, "duty", "wrong", now=installed.now)
    assert pingan_user("show", "duty", "--json")["state"].startswith("locked until 20")
    pingan_user("unlock", "duty")
    assert pingan_user("show", "duty", "--json")["state"] == "open"


def test_a_new_password_replaces_the_old_one(pingan_user, opened):
    old = pingan_user("add", "duty", "--json")["password"]
    new = pingan_user("password", "duty", "--json")["password"]
    assert PASSWORD.fullmatch(new)
    with opened() as installed:
        results = [sign_in(installed.accounts, "duty", p, now=installed.now) for p in (old, new)]
    assert [outcome.result for outcome in results] == ["wrong", "must_change"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["add", "13800001234"], "looks like a telephone"),
        (["add", "duty", "--role", "mayor"], "there is no role 'mayor'; known: grid_chief"),
        (["grant", "ghost", "leader"], "there is no account 'ghost'"),
        (["show", "ghost"], "there is no account 'ghost'"),
    ],
)
def test_a_refusal_is_one_line(run, opened, words, told):
    result = run(user.app, *words)
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert told in result.stderr
    with opened() as installed:
        assert installed.accounts.all() == []


def test_an_area_needs_its_level(run):
    result = run(user.app, "grant", "duty", "township", "--area", "620102001")
    assert result.exit_code == 2
    assert "write LEVEL:CODE" in result.stderr


def test_the_set_up_link_is_for_the_first_administrator_only(pingan_user, run, monkeypatch):
    monkeypatch.setenv("PINGAN_PUBLIC_URL", "https://map.example.gov.cn/")
    found = pingan_user("setup-link", "--json")
    assert re.fullmatch(r"https://map\.example\.gov\.cn/setup/[\w-]{43}", found["address"])
    assert found["hours"] == 24
    pingan_user("add", "sec", "--role", "security_admin")
    result = run(user.app, "setup-link")
    assert result.exit_code == 1
    assert "there is a security_admin already" in result.stderr


def test_an_area_that_the_map_lacks_is_told(toy, monkeypatch, run):
    toy.publish(["1,2026-01-05 10:00,A1,1,,103.05,36.05,"])
    monkeypatch.setenv("PINGAN_HOME", str(toy.home))
    run(user.app, "add", "duty")
    result = run(user.app, "grant", "duty", "grid_chief", "--area", "grid:mistyped")
    assert result.exit_code == 0
    assert "the published map has no grid mistyped; check the code" in result.stderr


# The state database --------------------------------------------------------------------------


def test_the_database_is_made_once_and_described(home, run):
    missing = run(state.app, "info")
    assert missing.exit_code == 1
    assert "there is no state database" in missing.stderr
    assert not home.exists()
    made = json.loads(run(state.app, "upgrade", "--json").stdout)
    assert made == {"before": "", "revision": newest(), "tokens_taken_in": 0}
    assert run(state.app, "upgrade").stdout == f"revision {newest()}\n"
    assert json.loads(run(state.app, "info", "--json").stdout) == {
        "database": f"sqlite:///{home / 'state.db'}",
        "revision": newest(),
        "users": 0,
        "sessions": 0,
        "api_tokens": 0,
        "saved_views": 0,
        "audit_rows": 0,
    }
    assert "users           0" in run(state.app, "info").stdout


def test_a_password_in_the_url_is_not_printed(run, monkeypatch):
    monkeypatch.setenv("PINGAN_STATE", "postgresql+psycopg://map:Vq92mXe7@127.0.0.1:9/none")
    result = run(state.app, "info")
    assert result.exit_code == 1
    assert result.stderr.startswith("pingan: the state database failed: ")
    assert result.stderr.count("\n") == 1
    assert "Vq92mXe7" not in result.output


def test_tables_of_an_older_version_are_told(home, run):
    home.mkdir()
    (home / "state.db").touch()
    result = run(state.app, "info")
    assert result.exit_code == 1
    assert f"has revision none, this program needs {newest()}; run" in result.stderr


# Tokens --------------------------------------------------------------------------------------


def test_tokens_are_made_listed_and_revoked(run, opened):
    made = run(token.app, "create", "hotline", "--source", "a", "--source", "b")
    assert made.exit_code == 0, made.output
    assert made.stdout.startswith("token hotline for a, b; keep it, it is shown once:\npingan_")
    listed = json.loads(run(token.app, "list", "--json").stdout)
    assert [(one["name"], one["sources"]) for one in listed] == [("hotline", "a, b")]
    assert run(token.app, "revoke", "hotline").stdout == "token hotline is revoked\n"
    again = run(token.app, "revoke", "hotline")
    assert (again.exit_code, again.stderr) == (
        1,
        "pingan: there is no token hotline; known: none\n",
    )
    assert audited(opened) == [
        ("configure", "token hotline", "ok", "create for a, b"),
        ("configure", "token hotline", "ok", "revoke"),
        ("configure", "token hotline", "ok", "revoke"),
        ("configure", "token hotline", "failed", "there is no token hotline; known: none"),
    ]


def test_the_tokens_of_an_older_version_come_along(home, run):
    home.mkdir()
    old = [{"id": "0a1b2c3d", "name": "hotline", "sources": ["a"], "sha256": "0" * 64,
            "created_at": "2026-10-01T00:00:00+00:00"}]  # fmt: skip
    (home / "tokens.json").write_text(json.dumps(old), encoding="utf-8")
    (home / "tokens.json").chmod(0o600)
    told = run(state.app, "upgrade").stdout
    assert told == (
        f"revision {newest()} (was none)\n1 tokens of tokens.json are in the database now\n"
    )
    assert "hotline" in run(token.app, "list").stdout
    assert not (home / "tokens.json").exists()
