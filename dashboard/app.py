"""Put the application together: Dash, guard, routes, callbacks, checks."""

from __future__ import annotations

import functools
import logging
import os
import secrets
from importlib import resources
from typing import TYPE_CHECKING, Any

from dash import Dash, set_props
from flask import has_request_context
from werkzeug.exceptions import HTTPException

from dashboard import api, callbacks, ids, layout, panels, routes, startup
from dashboard.auth import PROVIDERS
from dashboard.guard import Guard, current_scope
from dashboard.text import Words
from data.settings import Settings
from data.store import Store

if TYPE_CHECKING:
    from flask import Flask

    from dashboard.auth import Provider

log = logging.getLogger("dashboard")

NOT_INJECTED = r"(^plotly.*|^maplibre.*|.*\.mjs|.*\.map)$"
"""Vendored files that the page's own scripts load when they are wanted."""


def create_app(settings: Settings, store: Store, *, provider: Provider | None = None) -> Dash:
    """
    Build one application; two of them share nothing.

    Parameters
    ----------
    provider
        Sign-in to use instead of the one that the settings name; for tests.

    Raises
    ------
    UnsafeError, UnguardedError
        The configuration is not safe to serve.
    """
    startup.check_settings(settings)
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
    app.server.secret_key = startup.secret_key(settings)
    guard = Guard(app, provider or PROVIDERS[settings.auth]())
    routes.register(app.server, store)
    api.register(app.server, api.Api(settings, store))
    callbacks.register(app, guard, store)
    # Dash types its layout properties by their empty defaults.
    untyped: Any = app
    untyped.layout = functools.partial(_page, store)
    untyped.validation_layout = layout.skeleton()
    routes.secure(app.server, app.csp_hashes())
    startup.check_app(app, guard, settings)
    startup.warm_up(app)
    return app


def create_server() -> Flask:
    """Build the WSGI application of the environment's settings, for gunicorn."""
    settings = Settings.from_env(os.environ)
    server: Flask = create_app(settings, Store(settings.home)).server
    return server


def _page(store: Store) -> Any:
    """Layout of a request; Dash asks for one outside any request too, to check the callbacks."""
    return layout.page(current_scope(), store) if has_request_context() else layout.skeleton()


def report_error(error: Exception) -> Any:
    """Log a failed callback under a number, and show the reader only the number."""
    if isinstance(error, HTTPException):
        raise error
    number = secrets.token_hex(4)
    log.error("callback failed, number %s", number, exc_info=error)
    set_props(ids.NOTICE, {"children": panels.error(Words("zh"), number)})
