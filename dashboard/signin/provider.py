"""From a request to a scope: by session, portal in front, wall screen's token or shared link."""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING, Final, Protocol

from flask import g

from dashboard.signin import cookies
from dashboard.signin.demo import DemoProvider
from dashboard.signin.wall import wall_scope
from data.access import Grant, Scope
from data.accounts import links, stored_settings, totp
from data.accounts.policy import Policy
from data.permissions import PUBLIC

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Request

    from dashboard.installation import Installation
    from dashboard.signin.external import Identity
    from data.state.models import User

LINK: Final = "pingan_link"
"""Cookie of a browser that opened a shared link."""

POLICY_S: Final = 10.0
"""Age at which the stored policy is read again."""


class Portal(Protocol):
    """What tells, for each request, whom a portal in front has signed in."""

    def identity(self, request: Request) -> Identity | None:
        """Who asks; None where the portal says nothing that can be trusted."""


class SessionProvider:
    """
    Accounts of the state database, each request asked anew: a right that ends, ends at once.

    Behind a portal it alone says who asks; a session that is left over counts for nothing.
    """

    def __init__(self, installed: Installation, portal: Portal | None = None) -> None:
        self._installed = installed
        self._portal = portal
        self.can_sign_in = portal is None
        self._policy = StoredPolicy(installed)

    def admits(self, request: Request) -> bool:  # noqa: ARG002 - whoever comes may sign in
        """Everybody may knock."""
        return True

    def scope(self, request: Request) -> Scope | None:
        """Scope of the portal's user or of the session, else of a wall or of a shared link."""
        now = _now()
        if self._portal is None:
            found = self._of_session(request, now)
        else:
            identity = self._portal.identity(request)
            found = None if identity is None else self._of_identity(identity, now)
        return (
            found
            or wall_scope(self._installed, request, now)
            or shared_scope(self._installed, request, now)
        )

    def _of_session(self, request: Request, now: dt.datetime) -> Scope | None:
        secret = cookies.read(request, self._installed.settings)
        if not secret:
            return None
        signed = self._installed.sessions.current(secret, now=now, policy=self._policy())
        if signed is None:
            return None
        scope = self._of(signed.user, now, signed.session_id[:8])
        g.must_change = _must_change(signed.user, self._policy(), now) or (
            scope is not None and totp.is_due(self._policy(), signed.user, scope.roles)
        )
        return scope

    def _of(self, user: User, now: dt.datetime, session: str) -> Scope | None:
        day = now.astimezone(self._installed.zone()).date()
        return self._installed.accounts.scope_of(user, day=day, session=session)

    def _of_identity(self, identity: Identity, now: dt.datetime) -> Scope | None:
        user = self._installed.accounts.by_subject(identity.provider, identity.subject)
        return None if user is None or user.disabled else self._of(user, now, identity.provider)


class DemoOrLink(DemoProvider):
    """The demonstration's accounts, or the wall or shared link that its visitor opened."""

    def __init__(self, installed: Installation) -> None:
        super().__init__(installed.store)
        self._installed = installed

    def scope(self, request: Request) -> Scope | None:
        """Scope of a wall or an open link, else of the chosen account; this machine only."""
        if not self.admits(request):
            return None
        now = _now()
        return (
            wall_scope(self._installed, request, now)
            or shared_scope(self._installed, request, now)
            or super().scope(request)
        )


class StoredPolicy:
    """The policy as it is stored, at most a few seconds old."""

    def __init__(
        self, installed: Installation, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._installed = installed
        self._clock = clock
        self._read_at = -POLICY_S
        self._policy = Policy()

    def __call__(self) -> Policy:
        """Return the policy in force."""
        now = self._clock()
        if now - self._read_at >= POLICY_S:
            self._policy = stored_settings.policy(self._installed.database)
            self._read_at = now
        return self._policy


def shared_scope(installed: Installation, request: Request, now: dt.datetime) -> Scope | None:
    """What a browser may see that opened a shared link: the public edition, nothing else."""
    name = cookies.cookie_name(LINK, request, installed.settings)
    secret = request.cookies.get(name, "")
    link = links.shared(installed.database, secret, now) if secret else None
    if link is None:
        return None
    return Scope(f"link-{link.id[:8]}", frozenset({Grant(PUBLIC)}), session=link.id[:8])


def _must_change(user: User, policy: Policy, now: dt.datetime) -> bool:
    """Whether an account must get a new password before anything else."""
    if user.provider != "local":
        return False
    changed = user.password_changed_at
    is_over = changed is None or now - changed > dt.timedelta(days=policy.expiry_days)
    return user.must_change or is_over


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
