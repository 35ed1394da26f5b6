"""Put the application together: Dash, guard, routes, callbacks, checks."""

from __future__ import annotations

import functools
import logging
import os
import secrets
import threading
from importlib import resources
from typing import TYPE_CHECKING, Any

from dash import Dash, set_props
from dash.exceptions import DependencyException
from flask import Response, has_request_context, request
from werkzeug.exceptions import HTTPException

from dashboard import (
    api,
    audited,
    basemap,
    callbacks,
    ids,
    layout,
    live_push,
    pages,
    panels,
    routes,
    startup,
)
from dashboard.chrome import Chrome
from dashboard.desk import wiring
from dashboard.guard import Guard, current_scope
from dashboard.installation import Installation, open_installation
from dashboard.leaf import written
from dashboard.limits import Limits
from dashboard.live import route as live_route
from dashboard.map import live
from dashboard.pages import export, image, phone, share, upload
from dashboard.pages.context import PageContext
from dashboard.signin.provider import DemoOrLink, SessionProvider
from dashboard.signin.registry import externals, portal
from dashboard.text import Words
from data.manifest import SnapshotError
from data.secrets import derived
from data.settings import Settings
from data.store import Store

if TYPE_CHECKING:
    from flask import Flask

    from dashboard.auth import Provider

log = logging.getLogger("dashboard")

NOT_INJECTED = (
    r"(^maplibre.*|^leaflet.*|^pages\.css|^weekly\.css|"
    r"^phone.*|^command.*|^live_feed.*|^screen.*|^situation.*|^special\.css|.*\.mjs|.*\.map)$"
)
"""Files that the map does not load at its start: its scripts ask for them, or other pages do."""


def create_app(
    settings: Settings,
    store: Store,
    *,
    provider: Provider | None = None,
    limits: Limits | None = None,
) -> Dash:
    """
    Build one application; two of them share nothing.

    Parameters
    ----------
    provider
        Sign-in to use instead of the one that the settings name; for tests.
    limits
        Shares of users instead of the usual ones; for tests that ask much.

    Raises
    ------
    UnsafeError, UnguardedError
        The configuration is not safe to serve.
    """
    startup.check_settings(settings)
    installed = open_installation(settings, store)
    startup.check_accounts(installed)
    app = Dash(
        "dashboard",
        title=Words("zh")("app_title"),
        update_title="",
        serve_locally=True,
        assets_ignore=NOT_INJECTED,
        include_pages_meta=False,
        enable_mcp=False,
        on_error=report_error,
        add_log_handler=False,
        index_string=resources.files("dashboard").joinpath("page.html").read_text("utf-8"),
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}],
    )
    app.server.secret_key = derived(installed.key, "flask")
    routes.trust_proxies(app.server, settings.proxies)
    asked = provider or _provider(installed)
    # Half of the threads: with all of them one user would shut everybody else out.
    guard = Guard(app, asked, limits or Limits(in_flight=max(1, settings.threads // 2)))
    audited.install(app.server, installed.audit)
    context = _context(installed)
    basemap.install(app.server, settings)
    routes.register(app.server, store)
    pages.register(app.server, context)
    export.register(app.server, context)
    image.register(app.server, context)
    share.register(app.server, context)
    upload.register(app.server, context)
    phone.register(app.server, context)
    pushes = api.Api(settings, store, installed.database)
    api.register(app.server, pushes)
    live_push.register(app.server, pushes)
    live.install(app.server, installed.database)
    live_route.register(app.server, context)
    chrome = Chrome(is_demo=settings.auth == "demo", token=context.forms.token)
    callbacks.register(app, guard, store, chrome)
    wiring.register(app, guard, store, chrome)
    # Dash types its layout properties by their empty defaults.
    untyped: Any = app
    untyped.layout = functools.partial(_page, store)
    untyped.validation_layout = layout.skeleton()
    app.server.register_error_handler(DependencyException, _no_such_script)
    routes.secure(app.server, app.csp_hashes(), is_https=settings.public_url.startswith("https:"))
    startup.check_app(app, guard, asked, settings)
    startup.warm_up(app)
    return app


def _provider(installed: Installation) -> Provider:
    """Sign-in that the settings name."""
    if installed.settings.auth == "demo":
        return DemoOrLink(installed)
    return SessionProvider(installed, portal(installed.settings))


def _context(installed: Installation) -> PageContext:
    return PageContext(
        settings=installed.settings,
        store=installed.store,
        database=installed.database,
        accounts=installed.accounts,
        sessions=installed.sessions,
        audit=installed.audit,
        externals=externals(installed.settings, derived(installed.key, "external sign-in")),
        key=installed.key,
    )


def create_server() -> Flask:
    """Build the WSGI application of the environment's settings, for gunicorn."""
    settings = Settings.from_env(os.environ)
    store = Store(settings.home)
    server: Flask = create_app(settings, store).server
    threading.Thread(target=_make_ahead, args=(store,), name="counts", daemon=True).start()
    return server


def _make_ahead(store: Store) -> None:
    """Put the counts of what is published into memory, while the first pages load."""
    try:
        store.current().kept.make_ahead()
    except SnapshotError as error:
        log.warning("no counts are held in memory: %s", error)


def _no_such_script(_error: DependencyException) -> Response:
    """Dash fails where a script is asked for that it does not have; anybody may ask."""
    return Response("not found\n", 404, mimetype="text/plain")


def _page(store: Store) -> Any:
    """Layout of a request; Dash asks for one outside any request too, to check the callbacks."""
    if has_request_context() and request.endpoint == "/_dash-layout":
        audited.describe("view", "page")
    return layout.page(current_scope(), store) if has_request_context() else layout.skeleton()


def report_error(error: Exception) -> Any:
    """Log a failed callback under a number, and show the reader only the number."""
    if isinstance(error, HTTPException):
        raise error
    number = secrets.token_hex(4)
    log.error("callback failed, number %s", number, exc_info=error)
    said = written({ids.NOTICE: panels.error(Words("zh"), number)})
    set_props(ids.PANELS_MARKUP, {"data": said})
