"""The pages on a small server of their own: a state database, a tiny guard, a clock to turn."""

import datetime as dt
import re
import shutil
from html import unescape
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from argon2 import PasswordHasher
from flask import Flask, abort, g, request, send_from_directory

from dashboard import audited, pages
from dashboard.pages.context import PageContext
from dashboard.signin import cookies
from data.access import NOBODY, Grant, decide
from data.accounts import passwords
from data.accounts.sessions import Sessions
from data.accounts.users import Accounts
from data.audit import AuditLog
from data.settings import Settings
from data.state.database import open_state
from data.state.migrate import upgrade

ASSETS = Path(pages.__file__).parents[1] / "assets"
KEY = bytes(range(32))
NOW = dt.datetime(2026, 11, 20, 2, 0, tzinfo=dt.UTC)
PASSWORD = "Quiet-River-7-Lamps"
SECOND = "Brisk-Otter-9-Canal"
SCRIPT = "<script>alert(1)</script>"
HOSTILE = "'\"><img src=x onerror=alert(1)>{{1234567*7}}"

PERMISSIONS = {
    "signin": "anyone", "signin_external": "anyone", "signin_back": "anyone", "setup": "anyone",
    "screen": "map", "screen_enter": "anyone", "track": "anyone", "track_form": "anyone",
    "special": "warnings", "special_change": "warnings_act", "special_check": "warnings_act",
    "facilities": "warnings",
    "signout": "signed in",
    "account": "account", "account_password": "account", "account_totp": "account",
    "account_sessions": "account", "views": "views", "methods": "signed in",
    "weekly": "report", "weekly_file": "export",
    "letters": "letters", "letter": "letters", "letters_draft": "letters_change",
    "letter_change": "letters_change", "letter_file": "export",
    "command": "warnings", "warning": "warnings", "warnings_act": "warnings_act",
    "warnings_open": "warnings_act",
    "users": "users_read", "user": "users_read", "users_add": "users_change",
    "user_change": "users_change",
    "audit": "audit", "audit_verify": "audit", "audit_export": "audit",
    "settings": "settings_read", "settings_change": "settings_change",
    "home": "signed in", "assets": "anyone", "static": "nobody",
}  # fmt: skip


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> dt.datetime:
        return self.now

    def turn(self, **by):
        self.now += dt.timedelta(**by)


class SmallStore:
    """A city of five areas; one of them is named to do harm."""

    def __init__(self) -> None:
        rows = [
            ("city", 0, "990100", "试验市", "Test City", -1),
            ("county", 0, "9901001", "东区", "East", 0),
            ("county", 1, "9901002", SCRIPT, SCRIPT, 0),
            ("township", 0, "990100101", "东门街道", "East Gate", 0),
            ("grid", 0, "g-1", "一号网格", "", 0),
        ]
        names = ("level", "area_index", "code", "name", "name_en", "parent_index")
        areas = pd.DataFrame(rows, columns=names).assign(
            valid_from=None, valid_to=None, exposure=1.0
        )
        city = {"name_zh": "试验市", "name_en": "Test City", "time_zone": "Asia/Shanghai"}
        self.snapshot = SimpleNamespace(id="s1", areas=areas, manifest=SimpleNamespace(city=city))

    def current(self):
        return self.snapshot


class Site:
    """One installation: what the pages work with, and browsers that visit it."""

    def __init__(self, folder, *, store=None, externals=None, **settings) -> None:
        self.clock = Clock()
        self.settings = Settings(home=folder, **{"auth": "local", **settings})
        self.database = open_state("", folder)
        self.accounts = Accounts(self.database, KEY)
        self.sessions = Sessions(self.database)
        self.audit = AuditLog(self.database, KEY)
        self.context = PageContext(
            settings=self.settings,
            store=store or SmallStore(),
            database=self.database,
            accounts=self.accounts,
            sessions=self.sessions,
            audit=self.audit,
            externals=externals or {},
            key=KEY,
            clock=self.clock,
        )
        self.server = Flask("dashboard", static_folder=None)
        self.server.testing = True
        self.server.config["PROPAGATE_EXCEPTIONS"] = False
        self.server.before_request(self._admit)
        audited.install(self.server, self.audit)
        pages.register(self.server, self.context)
        self.server.add_url_rule("/", "home", lambda: "the map")
        self.server.add_url_rule(
            "/assets/<path:name>", "assets", lambda name: send_from_directory(ASSETS, name)
        )

    def _admit(self):
        """What the guard does, in short."""
        g.scope, g.is_guarded = NOBODY, True
        if self.settings.auth == "demo":
            from dashboard.signin.demo import DemoProvider

            g.scope = DemoProvider(self.context.store).scope(request) or NOBODY
        elif secret := cookies.read(request, self.settings):
            signed = self.sessions.current(secret, now=self.clock(), policy=self.accounts.policy())
            if signed:
                g.scope = self.accounts.scope_of(
                    signed.user, day=self.context.today(), session=signed.session_id
                )
        asked = PERMISSIONS.get(request.endpoint or "", "nobody")
        if asked == "anyone":
            return
        if asked == "nobody":
            abort(404)
        if not g.scope.user:
            abort(401)
        if asked != "signed in" and not decide(g.scope, asked).is_allowed:
            abort(403)

    def person(self, login, *grants, unit="", password=PASSWORD):
        """An account whose password is its own already."""
        self.accounts.add(login, unit=unit, password=password, now=self.clock())
        for role, level, code in grants:
            self.accounts.grant(login, Grant(role, level, code), by="setup", now=self.clock())
        return login

    def admin(self, role="security_admin", login=None):
        return self.person(login or role.replace("_", "-"), (role, "city", "*"))

    def browser(self, login="", password=PASSWORD):
        browser = Browser(self)
        if login:
            answer = browser.sign_in(login, password)
            assert answer.status_code == 303, answer.text
        return browser

    def rows(self, **asked):
        return [
            (row.user, row.action, row.target, row.result) for row in self.audit.search(**asked)
        ]


class Browser:
    """Keeps cookies, and fills forms in as a visitor would: with what the page gave out."""

    def __init__(self, site) -> None:
        self.site = site
        self.client = site.server.test_client()

    def get(self, path, **more):
        return self.client.get(path, headers={"Accept": "text/html"}, **more)

    def token(self, path="/signin"):
        return field(self.get(path).text, "form_token")

    def post(self, path, data=None, *, page="/account", **more):
        data = {"form_token": self.token(page), **(data or {})}
        return self.client.post(path, data=data, headers={"Accept": "text/html"}, **more)

    def sign_in(self, login, password=PASSWORD, **more):
        data = {"login": login, "password": password, **more}
        return self.post("/signin", data, page="/signin")

    @property
    def cookie(self):
        held = self.client.get_cookie("pingan_session")
        return held.value if held else ""


def field(text, name):
    found = re.search(rf'name="{name}" value="([^"]*)"', text)
    assert found, f"no field {name} in the page"
    return unescape(found[1])


def said(text):
    """What the page tells about what was just done."""
    found = re.findall(r'class="said[^"]*"[^>]*>(.*?)</(?:p|div)>', text, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", one)).strip() for one in found)


@pytest.fixture(scope="session")
def tables(tmp_path_factory):
    """A state database without rows, made once."""
    folder = tmp_path_factory.mktemp("tables")
    database = open_state("", folder)
    upgrade(database)
    database.close()
    return folder / "state.db"


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch):
    """Passwords are hashed as ever, with less effort: there are hundreds of sign-ins here."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "HASHER", quick)
    monkeypatch.setattr(passwords, "_NOBODYS", quick.hash("of nobody"))


@pytest.fixture
def site(make_site):
    return make_site()


@pytest.fixture
def make_site(tmp_path, tables):
    made = []

    def make(**settings):
        folder = tmp_path / str(len(made))
        folder.mkdir()
        shutil.copy(tables, folder)
        made.append(Site(folder, **settings))
        return made[-1]

    yield make
    for one in made:
        one.database.close()
