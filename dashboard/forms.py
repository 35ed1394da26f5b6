"""A token in every form: only a page that this application gave out can send one."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING, Final

from flask import Response, abort, after_this_request, g, request

from dashboard.signin import cookies

if TYPE_CHECKING:
    from data.settings import Settings

FIELD: Final = "form_token"
COOKIE: Final = "pingan_form"
"""Random text of a browser that has no session yet."""


class Forms:
    """Makes and checks the tokens of one installation."""

    def __init__(self, key: bytes, settings: Settings) -> None:
        self._key = hmac.digest(key, b"form tokens", "sha256")
        self._settings = settings

    def token(self) -> str:
        """Token for the forms of this answer; a browser without a session gets a cookie first."""
        held = self.held() or g.get("form_cookie", "")
        if not held:
            held = g.form_cookie = secrets.token_urlsafe(24)
            after_this_request(self._give)
        return self._sign(held)

    def check_token(self) -> None:
        """End the request with 400 where its form was not given to this browser."""
        held, sent = self.held(), request.form.get(FIELD, "")
        if not held or not hmac.compare_digest(self._sign(held).encode(), sent.encode()):
            abort(400)

    def held(self) -> str:
        """
        Random text that only this browser and we know; "" for a browser that is new.

        A session cookie that is no longer good counts like a good one.
        """
        name = cookies.cookie_name(COOKIE, request, self._settings)
        return cookies.read(request, self._settings) or request.cookies.get(name, "")

    def _sign(self, held: str) -> str:
        return hmac.new(self._key, held.encode(), hashlib.sha256).hexdigest()

    def _give(self, answer: Response) -> Response:
        cookies.put(answer, request, self._settings, g.form_cookie, base=COOKIE)
        return answer
