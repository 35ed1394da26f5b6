"""The own account: password, one-time codes, sessions, rights, saved views, latest actions."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import segno
from flask import abort, request

from dashboard import audited
from dashboard.guard import current_scope
from dashboard.pages import render, views
from dashboard.pages.audit import in_words
from dashboard.pages.faults import new_password_faults, other_faults
from dashboard.pages.password_words import rules
from dashboard.pages.rights import grant_words, rights_of
from dashboard.signin import cookies
from data.access import decide
from data.accounts import totp
from data.accounts.duties import AccountError
from data.accounts.logins import LOCAL
from data.accounts.signing_in import check_password, has_expired
from data.state.models import User

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask import Response

    from dashboard.pages.context import PageContext
    from data.accounts.policy import Policy

TRAIL: Final = 6
"""Own rows of the audit that the page shows."""

LONGEST: Final = 256

DONE: Final = {
    "password": "password_done",  # nosec B105  # a key of the catalogue - no secret
    "totp_on": "totp_confirmed",
    "totp_off": "totp_removed",
    "sessions": "sessions_ended",
}


class OpenSession(NamedTuple):
    """One session as the page shows it."""

    created_at: dt.datetime
    seen_at: dt.datetime
    address: str
    is_this: bool


class Codes(NamedTuple):
    """State of the one-time codes of the account."""

    is_on: bool
    is_required: bool
    secret: str = ""
    picture: str = ""

    @property
    def secret_shown(self) -> str:
        """The key in groups of four, as people read it."""
        return " ".join(self.secret[at : at + 4] for at in range(0, len(self.secret), 4))


def show(context: PageContext) -> Response:
    """Show everything about the own account."""
    audited.describe("view", "/account")
    done = DONE.get(request.args.get("told", ""), "")
    return _page(context, done=render.words()(done) if done else "")


def change_password(context: PageContext) -> Response:
    """Change the own password; every other session ends."""
    told, user, now = render.words(), _own(context), context.clock()
    old, new = (request.form.get(name, "")[:LONGEST] for name in ("old", "new"))
    audited.describe("users", user.login, "change of the own password")
    if user.provider != LOCAL:
        abort(403)
    _admit_try(context)
    outcome = check_password(context.accounts, user.login, old, now=now)
    if outcome.result != "ok":
        return _page(context, faulty=[told("password_old_wrong")])
    context.throttle.put_back(audited.address())
    again = request.form.get("again", "")[:LONGEST]
    if faulty := new_password_faults(context, user.login, new, again, told):
        return _page(context, faulty=faulty)
    audited.before("users", user.login, "change of the own password")
    try:
        context.accounts.set_password(user.login, new, now=now, but=_session_id(context))
    except AccountError as error:
        return _page(context, faulty=other_faults(context, error, told))
    return render.go(render.address("account", told="password"))


def change_totp(context: PageContext) -> Response:
    """Begin, confirm or remove one-time codes."""
    told, user, now = render.words(), _own(context), context.clock()
    if user.provider != LOCAL or context.accounts.policy().totp == "off":
        abort(403)
    do, code = request.form.get("do", ""), request.form.get("code", "").replace(" ", "")[:6]
    audited.describe("users", user.login, f"one-time codes, {do[:16]}")
    if do == "begin":
        secret, uri = totp.begin(context.accounts, user.login)
        return _page(context, secret=secret, uri=uri)
    if do not in ("confirm", "remove"):
        abort(400)
    _admit_try(context)
    if do == "confirm":
        return _confirm(context, user, code)
    if _is_required(context.accounts.policy(), user):
        abort(403)
    if not totp.check(context.accounts, user.login, code, now):
        return _page(context, faulty=[told("totp_wrong")])
    context.throttle.put_back(audited.address())
    audited.before("users", user.login, "one-time codes removed by their owner")
    totp.remove(context.accounts, user.login)
    return render.go(render.address("account", told="totp_off"))


def end_sessions(context: PageContext) -> Response:
    """End every other session of the account."""
    user = _own(context)
    audited.before("users", user.login, "other sessions ended")
    context.sessions.end_all(user.id, but=_session_id(context), now=context.clock())
    return render.go(render.address("account", told="sessions"))


def _confirm(context: PageContext, user: User, code: str) -> Response:
    secret = request.form.get("secret", "")[:64]
    audited.before("users", user.login, "one-time codes turned on")
    try:
        is_right = totp.confirm(context.accounts, user.login, secret, code, context.clock())
    except AccountError:
        abort(400)  # the secret is none that this page gave out
    if not is_right:
        faulty = [render.words()("totp_wrong")]
        return _page(context, secret=secret, uri="", faulty=faulty)
    context.throttle.put_back(audited.address())
    return render.go(render.address("account", told="totp_on"))


def _page(
    context: PageContext,
    *,
    faulty: Sequence[str] = (),
    done: str = "",
    secret: str = "",
    uri: str = "",
) -> Response:
    scope, told = current_scope(), render.words()
    policy, user = context.accounts.policy(), context.accounts.get(scope.user)
    is_local = user is not None and user.provider == LOCAL
    forced = _forced(context, policy, user)
    changed_at = user.password_changed_at if user is not None and is_local else None
    values: dict[str, Any] = {
        "done": done,
        "faulty": faulty,
        "forced": told(f"{forced}_forced") if forced else "",
        "due": forced,
        "has_password": is_local,
        "changed_at": changed_at,
        "expires_on": _expiry(context, policy, changed_at),
        "policy_words": rules(policy, told),
        "totp": _codes(policy, user, secret, uri),
        "open": _open_sessions(context, user),
        "grants": [grant_words(context, grant, told) for grant in sorted(scope.grants)],
        "rights": rights_of(scope, told),
        "views": views.list_of(context) if decide(scope, "views").is_allowed else None,
        "trail": [in_words(row, told) for row in _trail(context)],
    }
    return render.page(context, "account.html", status=400 if faulty else 200, **values)


def _own(context: PageContext) -> User:
    """Return the own account; accounts of the demonstration are in no database."""
    user = context.accounts.get(current_scope().user)
    if user is None:
        abort(403)
    return user


def _session_id(context: PageContext) -> str | None:
    secret = cookies.read(request, context.settings)
    policy = context.accounts.policy()
    signed = context.sessions.current(secret, now=context.clock(), policy=policy)
    return signed.session_id if signed else None


def _open_sessions(context: PageContext, user: User | None) -> list[OpenSession] | None:
    if user is None:
        return None
    here = _session_id(context)
    return [
        OpenSession(row.created_at, row.seen_at, row.address, row.id == here)
        for row in context.sessions.open_of(user.id, now=context.clock())
    ]


def _expiry(context: PageContext, policy: Policy, changed_at: dt.datetime | None) -> str:
    if changed_at is None:
        return ""
    ends = changed_at + dt.timedelta(days=policy.expiry_days)
    return f"{ends.astimezone(context.city().zone):%Y-%m-%d}"


def _codes(policy: Policy, user: User | None, secret: str, uri: str) -> Codes | None:
    if user is None or user.provider != LOCAL or policy.totp == "off":
        return None
    picture = segno.make(uri, micro=False).svg_data_uri(scale=4) if uri else ""
    is_on = user.totp_secret is not None
    return Codes(is_on, _is_required(policy, user), secret, picture)


def _is_required(policy: Policy, user: User) -> bool:
    """Whether the account would have to turn its codes on again at once."""
    bare = User(provider=user.provider, totp_secret=None)
    return totp.is_due(policy, bare, current_scope().roles)


def _forced(context: PageContext, policy: Policy, user: User | None) -> str:
    """What must be done before anything else: `password`, `totp`, or nothing."""
    if user is None or user.provider != LOCAL:
        return ""
    if user.must_change or has_expired(policy, user, context.clock()):
        return "password"
    return "totp" if totp.is_due(policy, user, current_scope().roles) else ""


def _admit_try(context: PageContext) -> None:
    """Count a password or code that is tried out; too many from one address end here."""
    if not context.throttle.admits(audited.address()):
        abort(429)


def _trail(context: PageContext) -> list[Any]:
    scope = current_scope()
    if not decide(scope, "audit").is_allowed:
        return []
    return context.audit.search(user=scope.user, limit=TRAIL)
