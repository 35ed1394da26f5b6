"""Sign in with a login and a password, and a code where the account has one; sign out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from flask import g, request

from dashboard import audited
from dashboard.guard import current_scope
from dashboard.pages import demo, phone_frame, render
from dashboard.signin import cookies
from dashboard.signin.demo import COOKIE as DEMO_COOKIE
from dashboard.signin.return_to import local_path
from dashboard.signin.wall import COOKIE as WALL_COOKIE
from data.accounts.logins import normal_login
from data.accounts.signing_in import sign_in
from data.permissions import NOT_HELD

if TYPE_CHECKING:
    from flask import Response

    from dashboard.pages.context import PageContext
    from data.access import Scope
    from data.state.models import User

UNKNOWN: Final = "(unknown account)"
"""What the audit calls a login that is none: people type passwords into the wrong field."""

LONGEST: Final = 256
"""Characters of a login or password that are looked at."""


class Answer(NamedTuple):
    """What the page says beside its form."""

    status: int = 200
    key: str = ""
    login: str = ""
    sealed: str = ""


def show(context: PageContext) -> Response:
    """Show the sign-in page, or go on where somebody is signed in."""
    scope = current_scope()
    if context.is_demo:
        return demo.show(context, next_path())
    if is_signed_in(scope):
        return render.go(_after(next_path()) or render.home_of(scope))
    told = request.args.get("told", "")
    keys = {"out": "signin_out", "set_up": "signin_set_up"}
    return _page(context, Answer(key=keys.get(told, "")))


def take(context: PageContext) -> Response:
    """Take the form of either step."""
    if context.is_demo:
        return demo.take(context, _after(next_path()))
    tried = _tried(context)
    if tried is None:
        return _page(context, Answer(400, "signin_again"))
    if not context.throttle.admits(audited.address()):
        audited.describe("sign_in", _named(context, tried[0]), "too many tries from this address")
        answer = _page(context, Answer(429, "signin_throttled"))
        answer.headers["Retry-After"] = "60"
        return answer
    return _judge(context, *tried)


def _judge(context: PageContext, login: str, password: str) -> Response:
    """Look at a login and a password, and the code if there is one."""
    code, now = request.form.get("code", "").strip()[:16], context.clock()
    outcome = sign_in(context.accounts, login, password, code=code, now=now)
    if outcome.user is not None:
        context.throttle.put_back(audited.address())
        return start(context, outcome.user, _after(next_path()))
    if outcome.result == "code_needed":
        context.throttle.put_back(audited.address())
        audited.describe("sign_in", login, "first step right, code asked for")
        browser = context.forms.held()
        sealed = context.steps.seal(login, password, browser=browser, now=now)
        return _page(context, Answer(200, login=login, sealed=sealed))
    audited.describe("sign_in", _named(context, login), outcome.result)
    if outcome.result == "code_wrong":
        sealed = request.form.get("sealed", "")
        return _page(context, Answer(401, "signin_code_wrong", login, sealed))
    # A wrong password, a lock, a disabled account and a login that there is not: one answer.
    return _page(context, Answer(401, "signin_wrong", login))


def start(context: PageContext, user: User, where: str, detail: str = "") -> Response:
    """
    Begin a session under a secret that no browser held before, and go on.

    Parameters
    ----------
    where
        Path to go to; empty = where the account begins.
    """
    now = context.clock()
    policy = context.accounts.policy()
    scope = context.accounts.scope_of(user, day=context.today())
    g.scope = scope
    audited.before("sign_in", user.login, detail)
    context.sessions.end(cookies.read(request, context.settings))
    secret = context.sessions.start(user, address=audited.address(), policy=policy, now=now)
    answer = render.go(where or render.home_of(scope))
    cookies.put(answer, request, context.settings, secret)
    return phone_frame.forget_others(answer, context, user.login)


def sign_out(context: PageContext) -> Response:
    """End the session, and have the browser forget everything of this site."""
    audited.describe("sign_out", current_scope().user)
    context.sessions.end(cookies.read(request, context.settings))
    answer = render.go(render.address("signin", told="out"))
    cookies.clear(answer, request, context.settings)
    cookies.clear(answer, request, context.settings, base=WALL_COOKIE)
    answer.delete_cookie(DEMO_COOKIE, path="/")
    answer.headers["Clear-Site-Data"] = '"cache", "cookies", "storage"'
    return answer


def next_path() -> str:
    """Where the visitor was going; "" for anything that is no page of this application."""
    return local_path(request.values.get("next", ""))


def _after(path: str) -> str:
    return render.map_address(path) if path else ""


def _tried(context: PageContext) -> tuple[str, str] | None:
    """Login and password of the form, or of the step before."""
    sealed = request.form.get("sealed", "")
    if sealed:
        return context.steps.open(sealed, browser=context.forms.held(), now=context.clock())
    login = normal_login(request.form.get("login", "")[:LONGEST])
    return login, request.form.get("password", "")[:LONGEST]


def _named(context: PageContext, login: str) -> str:
    return login if context.accounts.get(login) else UNKNOWN


def is_signed_in(scope: Scope) -> bool:
    """Whether an account asks; a shared link and a wall screen have none."""
    return bool(scope.user) and scope.roles not in {(role,) for role in NOT_HELD}


def _page(context: PageContext, answer: Answer) -> Response:
    policy, told = context.accounts.policy(), render.words()
    next_page = next_path()
    rules = {"failures": policy.lock_failures, "minutes": policy.lock_minutes}
    externals, elsewhere = [], []
    for provider in context.externals.values():
        title = told.pick(provider.title_zh, provider.title_en)
        href = render.address("signin_external", provider=provider.name, next=next_page or None)
        externals.append((title, href))
        if answer.key == "signin_out" and (out := provider.sign_out_url()):
            elsewhere.append((title, out))
    values: dict[str, Any] = {
        "login": answer.login,
        "sealed": answer.sealed,
        "said_text": told(answer.key, **rules) if answer.key else "",
        "is_good": answer.status == 200,
        "next": next_page,
        "externals": externals,
        "elsewhere": elsewhere,
        "is_external_first": context.settings.auth in context.externals and not answer.login,
    }
    return render.page(context, "signin.html", status=answer.status, **values)
