"""
The guard in front of everything: who is asking, is the endpoint declared, is the call well formed.

Dash itself checks nothing: forged ids, values and triggers reach a callback. So every request is
denied unless its endpoint is declared here, and callbacks are registered only through `Guard`,
which knows their exact inputs, parses each value by a strict reader and hands over the scope.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from dash import ctx
from flask import abort, g, request

from dashboard.inputs import BadInputError
from data.access import NOBODY, Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dash import Dash
    from dash.dependencies import Input, Output, State

    from dashboard.auth import Provider

CALLBACKS: Final = "/_dash-update-component"

PERMISSIONS: Final[Mapping[str, str]] = {
    "/": "signed in",
    "/_dash-layout": "signed in",
    "/_dash-dependencies": "signed in",
    "/_dash-component-suites/<string:package_name>/<path:fingerprinted_path>": "signed in",
    "/_favicon.ico": "signed in",
    CALLBACKS: "signed in",
    "_dash_assets.static": "signed in",
    "tile": "signed in",
    "names": "signed in",
    "health": "anyone",
    # Systems, not people: `dashboard.api` asks for a token or a signature itself.
    "push": "token",
    "batch": "token",
    # Served by the framework, of no use here: nobody gets them.
    "/<path:path>": "nobody",
    "/_reload-hash": "nobody",
    "static": "nobody",
}
"""Who may call each endpoint; one that is not listed stops the start."""


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

    def __init__(self, app: Dash, provider: Provider) -> None:
        self._app = app
        self._provider = provider
        self._contracts: dict[str, Contract] = {}
        app.server.before_request(self._admit)

    def register(
        self,
        *,
        output: Mapping[str, Output],
        inputs: Mapping[str, tuple[Input | State, Any]],
        prevent_initial_call: bool = False,
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """
        Register a callback whose every input has a strict reader.

        Parameters
        ----------
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

        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            @functools.wraps(function)
            def guarded(**raw: Any) -> Any:
                try:
                    values = {name: inputs[name][1](value) for name, value in raw.items()}
                except BadInputError as error:
                    abort(400, str(error))
                return function(scope=current_scope(), trigger=_trigger(), **values)

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
                    (str(item.component_id), item.component_property) for item in output.values()
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
        undeclared = sorted(foreign) + sorted(endpoints - set(PERMISSIONS))
        if undeclared:
            raise UnguardedError(
                f"{len(undeclared)} callbacks or endpoints are not declared: {undeclared[:5]}; "
                "register callbacks through Guard and list endpoints in PERMISSIONS"
            )

    def _admit(self) -> None:
        g.scope = NOBODY
        permission = PERMISSIONS.get(request.endpoint or "", "nobody")
        if permission in ("anyone", "token"):
            return
        scope = self._provider.scope(request)
        if scope is None:
            abort(403)
        g.scope = scope
        if permission != "signed in":
            abort(404)
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            _check_origin()
        if request.endpoint == CALLBACKS:
            self._check_call()

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


def current_scope() -> Scope:
    """Scope of the request being answered; nobody's when the guard has not run."""
    scope: Scope = g.get("scope", NOBODY)
    return scope


def _trigger() -> str:
    return str(ctx.triggered_id or "")


def _pairs(specs: list[dict[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((spec["id"], spec["property"]) for spec in specs)


def _named(items: object) -> tuple[tuple[str, str], ...] | None:
    """Ids and properties of a callback's arguments; None when they are not plainly that."""
    if isinstance(items, dict):
        items = [items]
    if not isinstance(items, list):
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
    if origin is not None and urlsplit(origin).netloc != request.host:
        abort(403)
