"""A wall screen begins: its token becomes a cookie, and leaves the address bar."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from flask import abort, g, request

from dashboard import audited
from dashboard.pages import render
from dashboard.signin import cookies
from dashboard.signin.wall import COOKIE
from data.screens import ScreenStore

if TYPE_CHECKING:
    from flask import Response

    from dashboard.pages.context import PageContext
    from data.screens import Screen

LASTS: Final = dt.timedelta(days=400)
"""As long as browsers keep a cookie; what it opens is asked anew for each request."""

SCREEN: Final = "/screen"


def show(context: PageContext, secret: str) -> Response:
    """
    Give the cookie and go on to the wall.

    By a page of our own: a browser that came by another site's link would not send the cookie along
    after a redirect.
    """
    screen = _opened(context, secret)
    g.scope = screen.scope
    audited.before("sign_in", f"screen {screen.name}", f"{screen.level} {screen.code}")
    query = urlencode([(name, value) for name, value in request.args.items(multi=True)])
    answer = render.page(
        context, "screen_enter.html", goes_to=f"{SCREEN}?{query}" if query else SCREEN
    )
    cookies.put(answer, request, context.settings, secret, base=COOKIE, lasts=LASTS, is_strict=True)
    return answer


def _opened(context: PageContext, secret: str) -> Screen:
    """
    Screen of a token that counts here; whatever is wrong, the answer is the same 404.

    The audit tells what was wrong, and never the token.
    """
    if not context.throttle.admits(audited.address()):
        audited.describe("sign_in", "screen", "too many tries")
        abort(429)
    screen = ScreenStore(context.database).by_secret(secret)
    if screen is None:
        audited.describe("sign_in", "screen", "unknown token")
        abort(404)
    if not screen.takes(audited.address()):
        audited.describe("sign_in", f"screen {screen.name}", "not from this address")
        abort(404)
    if screen.is_over(context.today()):
        audited.describe("sign_in", f"screen {screen.name}", "its last day has passed")
        abort(404)
    context.throttle.put_back(audited.address())
    return screen
