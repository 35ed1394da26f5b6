"""What must hold before the first request: what is unsafe does not start."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import dash

from dashboard import basemap
from dashboard.signin import registry
from dashboard.signin.demo import DemoProvider
from data import safety
from data.safety import Framework

if TYPE_CHECKING:
    from dashboard.auth import Provider
    from dashboard.guard import Guard
    from dashboard.installation import Installation
    from data.settings import Settings


class UnsafeError(RuntimeError):
    """The configuration would open the data to others; the message lists every reason."""


def check_settings(settings: Settings, *, dash_version: str = dash.__version__) -> None:
    """
    Refuse unsafe settings and files, all faults at once.

    Raises
    ------
    UnsafeError
        `data.safety` names a fault of the settings, of the home, or of the framework's version.
    """
    _refuse(
        [
            *safety.settings_faults(settings, environ=os.environ),
            *registry.faults(settings),
            *basemap.faults(settings),
            *safety.home_faults(settings),
            *safety.framework_faults(Framework(dash_version), settings),
        ]
    )


def check_accounts(installed: Installation) -> None:
    """
    Refuse to serve accounts that anybody could use.

    Raises
    ------
    UnsafeError
        There are such accounts.
    """
    _refuse(safety.account_faults(installed.database, installed.settings))


def check_app(app: dash.Dash, guard: Guard, provider: Provider, settings: Settings) -> None:
    """
    Refuse an application that answers more than it declares.

    Raises
    ------
    UnsafeError
        MCP, pages, background or suppressed callbacks are on, or debug does not match.
    UnguardedError
        A callback or endpoint is not declared.
    """
    found = Framework(
        version=dash.__version__,
        has_mcp=bool(app._enable_mcp),  # noqa: SLF001
        has_pages=bool(app.use_pages),
        has_background=app._background_manager is not None,  # noqa: SLF001
        is_suppressed=bool(app.config.suppress_callback_exceptions),
        is_debug=bool(app.server.debug),
        origins=app.server.test_client()
        .get("/healthz")
        .headers.get("Access-Control-Allow-Origin", ""),
        has_demo=isinstance(provider, DemoProvider),
    )
    _refuse(safety.framework_faults(found, settings))
    guard.check()


def warm_up(app: dash.Dash) -> None:
    """
    Let Dash finish its set-up before the first visitor comes.

    It would do so during the first request, and fail every other request until that one is done.
    """
    app.server.test_client().get("/healthz")


def _refuse(faults: list[str]) -> None:
    if faults:
        raise UnsafeError("; ".join(faults))
