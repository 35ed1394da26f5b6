"""What all pages of the phone have in common: whose they are, their colours, their addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import request

from dashboard.guard import current_scope
from dashboard.images.palette import variables
from dashboard.pages import render
from dashboard.phone.tracking import Codes
from dashboard.signin import cookies

if TYPE_CHECKING:
    from flask import Response

    from dashboard.pages.context import PageContext
    from dashboard.reports.facts import Palette

READER: Final = "X-Pingan-Reader"
"""Header by which a phone keeps the pages of one account apart from those of another."""

COOKIE: Final = "pingan_reader"
"""Cookie that tells, when somebody signs in, whether this browser keeps another one's pages."""

ALLOWED: Final = "geolocation=(self), camera=(), microphone=()"
"""Only here may a page ask where it is, for a report from the spot."""


def marked(answer: Response, context: PageContext) -> Response:
    """Say whose page it is, remember it in the browser, and let it ask the phone where it is."""
    reader = Codes(context.key).reader(current_scope().user)
    answer.headers[READER] = reader
    answer.headers["Permissions-Policy"] = ALLOWED
    cookies.put(answer, request, context.settings, reader, base=COOKIE)
    return answer


def forget_others(answer: Response, context: PageContext, user: str) -> Response:
    """
    Have a browser delete the pages and reports that it keeps of another account than `user`.

    What waits there for the network is kept for who signs in again.
    """
    held = request.cookies.get(cookies.cookie_name(COOKIE, request, context.settings), "")
    if held and held != Codes(context.key).reader(user):
        answer.headers["Clear-Site-Data"] = '"storage"'
        cookies.clear(answer, request, context.settings, base=COOKIE)
    return answer


def look(palette: Palette | None) -> dict[str, Any]:
    """Tints of the four colours: the city's, or those that everybody tells apart."""
    is_safe = request.args.get("palette") == "safe"
    tints = list(palette.tints) if palette else []
    if palette and is_safe:
        known = variables(safe=True)
        tints = [
            known.get(f"--index-{name}", tint)
            for name, tint in zip(palette.names_en, tints, strict=True)
        ]

    def here(endpoint: str = "phone", **values: Any) -> str:
        kept = {"palette": "safe"} if is_safe else {}
        return render.address(endpoint, **{**kept, **values})

    return {
        "tints": tints,
        "is_safe": is_safe,
        "here": here,
        "names": [
            render.words()("assess_grey"),
            *(render.words().pick_lists(palette.names_zh, palette.names_en) if palette else ()),
        ],
    }
