"""A small site with the upload page, signed in for good as the system administrator."""

import os
from pathlib import Path

from flask import Flask, g

from dashboard import audited, pages
from dashboard.pages import upload
from dashboard.pages.context import PageContext
from data.access import Grant, Scope
from data.accounts.sessions import Sessions
from data.accounts.users import Accounts
from data.audit import AuditLog
from data.settings import Settings
from data.state.database import open_state
from data.state.migrate import upgrade
from data.store import Store

KEY = bytes(range(32))
ADMIN = Scope(user="sys", grants=frozenset({Grant("system_admin")}))


def make_site(home, city, **more):
    """The server and what its pages work with."""
    database = open_state("", home)
    upgrade(database)
    context = PageContext(
        settings=Settings(home=home, city=str(city), auth="local", insecure_http=True),
        store=Store(home),
        database=database,
        accounts=Accounts(database, KEY),
        sessions=Sessions(database),
        audit=AuditLog(database, KEY),
        externals={},
        key=KEY,
        **more,
    )
    server = Flask("dashboard", static_folder=None)
    # Every other request has the small limit of the whole product.
    server.config.update(MAX_CONTENT_LENGTH=256 * 1024, PROPAGATE_EXCEPTIONS=False)

    @server.before_request
    def admit():
        g.scope, g.is_guarded = ADMIN, True

    audited.install(server, context.audit)
    pages.register(server, context)
    if "upload" not in server.view_functions:
        upload.register(server, context)
    server.add_url_rule("/", "home", lambda: "the map")
    server.add_url_rule("/healthz", "health", lambda: "ok")
    return server, context


def server():
    """For gunicorn: the site of the folders that the environment names."""
    return make_site(Path(os.environ["SITE_HOME"]), Path(os.environ["SITE_CITY"]))[0]
