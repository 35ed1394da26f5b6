"""The session cookie: where its name and flags are decided, for every page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dashboard.auth import is_loopback

if TYPE_CHECKING:
    import datetime as dt

    from flask import Request, Response

    from data.settings import Settings

SESSION: Final = "pingan_session"


def is_plain(request: Request, settings: Settings) -> bool:
    """
    Whether cookies go without `Secure`: http to this machine, or where http was asked for.

    Elsewhere http gets cookies that a browser keeps for https only, so nobody can sign in.
    """
    if request.is_secure:
        return False
    return settings.insecure_http or is_loopback(request.remote_addr or "")


def cookie_name(base: str, request: Request, settings: Settings) -> str:
    """Name of a cookie; `__Host-` lets no other host or path of the domain write it."""
    return base if is_plain(request, settings) else f"__Host-{base}"


def read(request: Request, settings: Settings) -> str:
    """Secret of the session that the browser holds; "" where there is none."""
    return request.cookies.get(cookie_name(SESSION, request, settings), "")


def put(
    answer: Response,
    request: Request,
    settings: Settings,
    secret: str,
    *,
    base: str = SESSION,
    lasts: dt.timedelta | None = None,
    is_strict: bool = False,
) -> None:
    """
    Give the browser a cookie that no script reads and no other site's form sends along.

    Parameters
    ----------
    is_strict
        It is not sent either when a link of another site is followed.
    """
    answer.set_cookie(
        cookie_name(base, request, settings),
        secret,
        max_age=lasts,
        path="/",
        secure=not is_plain(request, settings),
        httponly=True,
        samesite="Strict" if is_strict else "Lax",
    )


def clear(answer: Response, request: Request, settings: Settings, *, base: str = SESSION) -> None:
    """Take the cookie away; a name with `__Host-` needs the same flags to be taken."""
    answer.delete_cookie(
        cookie_name(base, request, settings),
        path="/",
        secure=not is_plain(request, settings),
        httponly=True,
        samesite="Lax",
    )
