"""Sign in by another system: send the browser there, find the account of who comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import abort, request

from dashboard import audited
from dashboard.pages import render, sign_in
from dashboard.signin.external import SignInError, refused
from dashboard.signin.return_to import local_path

if TYPE_CHECKING:
    from flask import Response

    from dashboard.pages.context import PageContext
    from dashboard.signin.external import ExternalProvider, Identity


def leave(context: PageContext, provider: str) -> Response:
    """Send the browser to the other system."""
    chosen = _provider(context, provider)
    audited.describe("sign_in", provider, "sent on")
    try:
        return chosen.start(sign_in.next_path() or "/")
    except SignInError as error:
        return _refusal(context, error)


def come_back(context: PageContext, provider: str) -> Response:
    """Begin a session of the account that belongs to whoever comes back."""
    chosen = _provider(context, provider)
    audited.describe("sign_in", provider)
    try:
        identity = chosen.finish(request)
        answer = _signed_in(context, identity)
    except SignInError as error:
        answer = _refusal(context, error)
    chosen.forget(answer)
    return answer


def _signed_in(context: PageContext, identity: Identity) -> Response:
    user = context.accounts.by_subject(identity.provider, identity.subject)
    if user is None or user.disabled:
        why = "is disabled" if user else "has no account"
        audited.describe("sign_in", user.login if user else sign_in.UNKNOWN, why)
        raise refused(identity.provider, f"{identity.subject} ({identity.login}) {why}")
    where = local_path(identity.return_to)
    return sign_in.start(context, user, "" if where == "/" else where, identity.detail)


def _provider(context: PageContext, name: str) -> ExternalProvider:
    provider = context.externals.get(name)
    if provider is None:
        abort(404)
    return provider


def _refusal(context: PageContext, error: SignInError) -> Response:
    return render.page(context, "refused.html", status=403, number=error.number)
