"""
The guard in front of everything: who is asking, is the endpoint declared, is the call well formed.

Dash itself checks nothing: forged ids, values and triggers reach a callback. So every request is
denied unless its endpoint is declared (`dashboard.endpoints`), and callbacks are registered only
through `Guard`, which knows their exact inputs, parses each value by a strict reader and hands
over the scope. What a scope may do is decided by `data.access.decide` alone; the guard asks it for
every endpoint and every callback by the action that each declares.
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dash import ctx
from flask import Response, abort, g, redirect, request
from werkzeug.exceptions import TooManyRequests

from dashboard import audited
from dashboard.auth import challenge
from dashboard.endpoints import (
    CALLBACKS,
    FREE,
    PERMISSIONS,
    POLLED,
    SIGN_IN,
    UNCHANGED,
    WALLS,
    WORDS,
)
from dashboard.inputs import BadInputError
from dashboard.limits import Limits, TooManyError
from data.access import NOBODY, DeniedError, Scope, decide, require
from data.permissions import WALL, matrix

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dash import Dash
    from dash.dependencies import Input, Output, State

    from dashboard.auth import Provider


class UnguardedError(RuntimeError):
    """A callback or an endpoint that was not declared."""


@dataclass(frozen=True)
class Contract:
    """What one callback takes, as the browser names it."""

    inputs: tuple[tuple[str, str], ...]
    states: tuple[tuple[str, str], ...]
    outputs: tuple[tuple[str, str], ...]


class Guard:
    """Denies by default; knows every callback of one app."""

    def __init__(self, app: Dash, provider: Provider, limits: Limits | None = None) -> None:
        self._app = app
        self._provider = provider
        self._limits = limits or Limits()
        self._crowds: dict[bytes, Scope] = {}
        self._contracts: dict[str, Contract] = {}
        app.server.before_request(self._admit)
        app.server.teardown_request(self._leave)

    def register(
        self,
        *,
        action: str,
        doing: str = "query",
        output: Mapping[str, Output],
        inputs: Mapping[str, tuple[Input | State, Any]],
        prevent_initial_call: bool = False,
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """
        Register a callback whose every input has a strict reader.

        Parameters
        ----------
        action
            Action of the permission matrix that the callback is part of.
        doing
            What the audit calls it.
        output
            Where each named part of the answer goes.
        inputs
            For each parameter: the component property, and the reader of its value.

        Returns
        -------
        decorator
            The function is called with `scope`, `trigger` (id of the component that changed, ""
            on load) and the read values.
        """
        if action not in matrix().actions:
            raise UnguardedError(f"no action {action!r} in the permission matrix")

        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            @functools.wraps(function)
            def guarded(**raw: Any) -> Any:
                scope = current_scope()
                audited.describe(doing, f"{function.__name__} {raw.get('search') or ''}".strip())
                try:
                    require(scope, action)
                    values = {name: inputs[name][1](value) for name, value in raw.items()}
                except DeniedError:
                    abort(403)
                except BadInputError as error:
                    abort(400, str(error))
                return function(scope=scope, trigger=_trigger(), **values)

            before = set(self._app.callback_map)
            self._app.callback(
                output=dict(output),
                inputs={name: dependency for name, (dependency, _) in inputs.items()},
                prevent_initial_call=prevent_initial_call,
            )(guarded)
            (key,) = set(self._app.callback_map) - before
            spec = self._app.callback_map[key]
            self._contracts[key] = Contract(
                inputs=_pairs(spec["inputs"]),
                states=_pairs(spec["state"]),
                outputs=tuple(
                    (str(item.component_id), _property(item, key)) for item in output.values()
                ),
            )
            return guarded

        return decorate

    def check(self) -> None:
        """
        Refuse callbacks that bypassed `register` and endpoints that are not declared.

        Raises
        ------
        UnguardedError
            With all of them.
        """
        clientside = {
            name for name, spec in self._app.callback_map.items() if "callback" not in spec
        }
        foreign = set(self._app.callback_map) - set(self._contracts) - clientside
        endpoints = {rule.endpoint for rule in self._app.server.url_map.iter_rules()}
        unknown = {
            f"{endpoint}: {rule}"
            for endpoint, rule in PERMISSIONS.items()
            if rule not in WORDS and rule not in matrix().actions
        }
        undeclared = sorted(foreign) + sorted(endpoints - set(PERMISSIONS)) + sorted(unknown)
        if undeclared:
            raise UnguardedError(
                f"{len(undeclared)} callbacks or endpoints are not declared: {undeclared[:5]}; "
                "register callbacks through Guard and list endpoints in PERMISSIONS"
            )

    def _admit(self) -> Response | None:
        g.scope, g.is_guarded = NOBODY, True
        permission = PERMISSIONS.get(request.endpoint or "", "nobody")
        if permission == "token" or request.endpoint == "health":
            g.is_guarded = False  # its own log tells of these
            return None
        if not self._provider.admits(request):
            abort(403)
        if request.endpoint in SIGN_IN and not self._provider.can_sign_in:
            abort(404)
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            _check_origin()
        self._refuse_crowd()
        scope = self._provider.scope(request)
        if permission == "nobody":
            g.scope = scope or NOBODY
            abort(404)
        if scope is None:
            if permission != "anyone":
                return challenge(request, can_sign_in=self._provider.can_sign_in)
            self._take_share(audited.address())
            return None
        g.scope = scope
        if WALL in scope.roles and request.endpoint not in WALLS:
            abort(403)  # it stands where nobody watches it
        return self._admit_signed_in(scope, permission)

    def _admit_signed_in(self, scope: Scope, permission: str) -> Response | None:
        must_change = g.get("must_change", False) and permission != "anyone"
        if must_change and request.endpoint not in UNCHANGED:
            return _to_account()
        if request.endpoint == "/" and not decide(scope, "map").is_allowed:
            return _to_account()  # an administrator has no map to begin with
        if permission not in WORDS and not must_change:
            try:
                require(scope, permission)
            except DeniedError:
                abort(403)
        self._take_share(scope.user)
        if request.endpoint == CALLBACKS:
            self._check_call()
        return None

    def _take_share(self, user: str) -> None:
        """Count the request against the user's share; the cheap ones that come in crowds not."""
        if request.endpoint in FREE:
            return
        try:
            g.share = (_share(user), self._limits.enter(_share(user)))
        except TooManyError:
            if user == current_scope().user and _bearer():
                self._crowds[_bearer()] = current_scope()
            raise TooManyRequests(retry_after=2) from None

    def _refuse_crowd(self) -> None:
        """
        Refuse at once what comes with the cookies of somebody who has too much running already.

        Looking up who it is costs as much as an answer; a crowd of requests must not be paid for
        by the others.
        """
        known = self._crowds.get(_bearer())
        if not known or request.endpoint in FREE:
            return
        if self._limits.is_spent(_share(known.user)):
            g.scope = known
            raise TooManyRequests(retry_after=2)

    def _leave(self, _error: BaseException | None) -> None:
        if taken := g.pop("share", None):
            self._limits.leave(*taken)
            self._crowds.pop(_bearer(), None)

    def _check_call(self) -> None:
        """Compare a callback's body with its contract: ids, properties, order, triggers."""
        try:
            body = request.get_json(silent=True)
        except RecursionError:  # a body of a hundred thousand brackets
            abort(400)
        if not isinstance(body, dict) or not isinstance(body.get("output"), str):
            abort(400)
        contract = self._contracts.get(body["output"])
        if contract is None:
            abort(400)
        inputs, states = _named(body.get("inputs", [])), _named(body.get("state", []))
        outputs, changed = _named(body.get("outputs", [])), body.get("changedPropIds", [])
        known = {f"{name}.{prop}" for name, prop in contract.inputs}
        if (
            inputs != contract.inputs
            or states != contract.states
            or outputs != contract.outputs
            or not isinstance(changed, list)
            or not all(isinstance(item, str) and item in known for item in changed)
        ):
            abort(400)


def _share(user: str) -> str:
    """Name of the share that this request is counted against: polls have one of their own."""
    return f"{user} {request.endpoint}" if request.endpoint in POLLED else user


def _bearer() -> bytes:
    """What tells one bearer of cookies from another before anybody is asked; empty without any."""
    cookies = request.headers.get("Cookie", "")
    return hashlib.sha256(cookies.encode()).digest() if cookies else b""


def current_scope() -> Scope:
    """Scope of the request being answered; nobody's when the guard has not run."""
    scope: Scope = g.get("scope", NOBODY)
    return scope


def _to_account() -> Response:
    """Send a page's reader to the account; refuse everything else than a page."""
    if request.method not in ("GET", "HEAD") or request.path.startswith(("/_", "/tiles", "/names")):
        abort(403)
    answer = redirect("/account")
    return Response(answer.get_data(), headers=answer.headers, status=answer.status_code)


def _trigger() -> str:
    return str(ctx.triggered_id or "")


def _property(output: Output, key: str) -> str:
    """Property as the browser names it: one that two callbacks write has the digest of its own."""
    name = str(output.component_property)
    return f"{name}@{key.partition('@')[2][:64]}" if output.allow_duplicate else name


def _pairs(specs: list[dict[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((spec["id"], spec["property"]) for spec in specs)


def _named(items: object) -> tuple[tuple[str, str], ...] | None:
    """Ids and properties of a callback's arguments; None when they are not plainly that."""
    if not isinstance(items, list):  # every callback here has named outputs, so always a list
        return None
    pairs = []
    for item in items:
        if not isinstance(item, dict) or not {"id", "property"} <= item.keys() <= {
            "id",
            "property",
            "value",
        }:
            return None
        if not isinstance(item["id"], str) or not isinstance(item["property"], str):
            return None
        pairs.append((item["id"], item["property"]))
    return tuple(pairs)


def _check_origin() -> None:
    """Refuse a POST that a page of another origin has sent."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        abort(403)
    origin = request.headers.get("Origin")
    # Not parsed: what is no origin at all must be refused, not fail.
    if origin is not None and origin.partition("://")[2] != request.host:
        abort(403)
