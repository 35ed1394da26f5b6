"""A real installation over the canary city: accounts, sessions, audit, and several web processes."""

import datetime as dt
import os
import re
import shutil
from html import unescape

from dashboard.app import create_app
from dashboard.installation import open_installation
from data.access import Grant
from data.settings import Settings
from data.store import Store
from tests.redteam.attack import CALLBACKS, generous

PASSWORD = "Quiet-River-7-Lamps"
REASON = "monthly review of the district"
HTML = {"Accept": "text/html"}


def linked(home, folder):
    """The published city again, file for file, without state, key or audit of the first."""
    folder.mkdir()
    for one in home.iterdir():
        if one.name.startswith(("state.", "secret", "audit", "tokens")) or one.suffix == ".key":
            continue
        if one.is_dir():
            shutil.copytree(one, folder / one.name, copy_function=os.link)
        else:
            shutil.copy(one, folder / one.name)
    return folder


class Town:
    """One installation and its browsers."""

    def __init__(self, home, *, processes=1, limits=generous) -> None:
        self.home = home
        self.settings = Settings(home=home, auth="local")
        self.stores = [Store(home) for _ in range(processes)]
        self.apps = [create_app(self.settings, store, limits=limits()) for store in self.stores]
        self.inside = open_installation(self.settings, self.stores[0])
        self.accounts, self.sessions = self.inside.accounts, self.inside.sessions

    @property
    def app(self):
        return self.apps[0]

    def person(self, login, *grants, now=None, **days):
        now = now or utc_now()
        self.accounts.add(login, password=PASSWORD, now=now)
        for grant in grants:
            self.accounts.grant(login, grant, by="setup", now=now, **days)
        return login

    def secret(self, login, *, now=None):
        """Secret of a new session, as signing in makes it."""
        user = self.accounts.get(login)
        policy = self.accounts.policy()
        return self.sessions.start(user, address="127.0.0.1", policy=policy, now=now or utc_now())

    def browser(self, login, *, app=None, now=None, secret=""):
        browser = (app or self.app).server.test_client()
        browser.set_cookie("pingan_session", secret or self.secret(login, now=now))
        return browser

    def rows(self):
        """Rows of the audit, oldest first."""
        return self.inside.audit.search(limit=1_000)[::-1]


def utc_now():
    return dt.datetime.now(dt.UTC)


def token_of(browser, page="/account"):
    """Form token of a page, as a visitor's browser would send it."""
    found = re.search(r'name="form_token" value="([^"]*)"', browser.get(page, headers=HTML).text)
    assert found, f"no form on {page}"
    return unescape(found[1])


def send(browser, path, data=None, *, page="/account", **headers):
    data = {"form_token": token_of(browser, page), **(data or {})}
    return browser.post(path, data=data, headers=HTML | headers)


def bodies_of(app):
    """Of each callback, what the page sends; read from the inside, nobody needs to be signed in."""
    found = {}
    for key, spec in app.callback_map.items():
        if "callback" not in spec:
            continue
        targets = [name.rsplit(".", 1) for name in key.strip(".").split("...")]
        named = {
            part: [{"id": item["id"], "property": item["property"]} for item in spec[part]]
            for part in ("inputs", "state")
        }
        outputs = [{"id": one, "property": prop} for one, prop in targets]
        found[key] = {"output": key, "outputs": outputs, "changedPropIds": [], **named}
    return found


def body_of(app, callback, values):
    """Body of one callback of `attack.CALLBACKS` with values by `id.property`."""
    assert callback in CALLBACKS
    (body,) = [
        body for key, body in bodies_of(app).items() if callback in key.strip(".").split("...")
    ]
    filled = {
        part: [one | {"value": values.get(f"{one['id']}.{one['property']}")} for one in body[part]]
        for part in ("inputs", "state")
    }
    return body | filled


def county(code):
    return Grant("command", "county", code)
