"""Which wall screen a request shows: by its cookie and its address, asked anew each time."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from dashboard.signin import cookies
from data.screens import ScreenStore
from data.state.database import StateError

if TYPE_CHECKING:
    import datetime as dt

    from flask import Request

    from dashboard.installation import Installation
    from data.access import Scope

COOKIE: Final = "pingan_screen"

log = logging.getLogger("dashboard")


def wall_scope(installed: Installation, request: Request, now: dt.datetime) -> Scope | None:
    """What a wall screen may see; None for every other browser, and for one that is revoked."""
    secret = request.cookies.get(cookies.cookie_name(COOKIE, request, installed.settings), "")
    if not secret:
        return None
    screens = ScreenStore(installed.database)
    day = now.astimezone(installed.zone()).date()
    screen = screens.current(secret, request.remote_addr or "", day=day)
    if screen is None:
        return None
    try:
        screens.see(screen, now=now)
    except StateError:  # a busy database keeps no wall dark
        log.warning("screen %s: that it is there was not written down", screen.name)
    return screen.scope
