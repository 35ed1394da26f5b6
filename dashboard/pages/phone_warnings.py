"""Warnings on the phone: signed for, in hand, done, in as few taps as can be."""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING, Any

from flask import Response, abort, request

from dashboard import audited
from dashboard.guard import current_scope
from dashboard.pages import render
from dashboard.phone import tasks
from dashboard.phone.story import place_name
from dashboard.reports import sentences
from data.access import DeniedError, NotVisibleError
from data.warnings import life
from data.warnings.kinds import StaleError, StepError
from data.warnings.settings import WarningSettingsError

if TYPE_CHECKING:
    from flask import Flask

    from dashboard.pages.context import PageContext
    from dashboard.phone.facts import Facts
    from dashboard.text import Words
    from data.access import Scope
    from data.store import Snapshot
    from data.warnings.store import Warnings

log = logging.getLogger("dashboard")

SAID = ("done", "stale", "step")
"""What the page may tell of the last press."""


def register(server: Flask, context: PageContext) -> None:
    """Add the one address that takes steps."""
    server.add_url_rule(
        "/m/warnings",
        "phone_warning",
        functools.partial(take, context),
        methods=["POST"],
    )


def take(context: PageContext) -> Response:
    """Take a warning through a step, and go back to the page."""
    context.forms.check_token()
    scope, form = current_scope(), request.form
    number, version = form.get("id", ""), form.get("version", "")
    step = form.get("step", "")
    is_number = all(one.isascii() and one.isdigit() and len(one) < 10 for one in (number, version))
    if not is_number or step not in tasks.STEPS:
        abort(400)
    audited.before("warning", f"warning {number}", step)
    outcome = "done"
    try:
        _kept(context).act(
            scope,
            int(number),
            step=step,
            version=int(version),
            key=form.get("key", ""),
            reason=form.get("reason") if step in life.REASONS else None,
            now=context.clock(),
        )
    except StaleError:
        outcome = "stale"
    except StepError:
        outcome = "step"
    except (DeniedError, NotVisibleError):
        abort(403)
    area = form.get("area", "")[:80] or None
    where = render.address("phone", area=area, said=outcome, palette=form.get("palette") or None)
    return render.go(f"{where}#warnings")


def _kept(context: PageContext) -> Warnings:
    """Warnings of this installation; 503 where the city's rules of them cannot be used."""
    try:
        return tasks.register(context.settings, context.database, context.city().zone.key)
    except WarningSettingsError:
        log.exception("warnings.toml of the city cannot be used")
        abort(503)


def said(told: Words) -> tuple[str, str]:
    """What became of the last press, and how it is shown."""
    outcome = request.args.get("said", "")
    if outcome not in SAID:
        return "", ""
    return told(f"phone_said_{outcome}"), "good" if outcome == "done" else "warn"


def listed(
    context: PageContext, scope: Scope, snapshot: Snapshot, shown: Facts
) -> list[dict[str, Any]] | None:
    """Open warnings in words; None for who may not read them."""
    kept = _kept(context)
    found = tasks.warnings(scope, snapshot, shown.area, kept, context.clock())
    if found is None:
        return None
    told, zone = render.words(), context.city().zone
    groups = shown.settings.groups if shown.settings else {}
    # A rule that the city has taken away since has no kind any more.
    kinds = {"person": "person"} | {rule.name: rule.kind for rule in kept.settings.rules}
    lines = []
    for one in found:
        warning = one.warning
        group = groups.get(warning.group)
        lines.append(
            {
                "task": one,
                "id": warning.id,
                "colour": warning.colour,
                "colour_name": sentences.colour(warning.colour, shown, told),
                "why": told(f"phone_why_{kinds.get(warning.rule, 'other')}"),
                "place": _place(scope, snapshot, one, shown, told),
                "group": told.pick(*group) if group else told("phone_all_groups"),
                "state": told(f"phone_state_{warning.state}"),
                "due": warning.due_at.astimezone(zone) if warning.due_at else None,
                "reasons": [
                    (name, told(f"phone_closed_{name}")) for name in life.REASONS[life.CLOSE]
                ]
                if life.CLOSE in one.steps
                else [],
                "steps": [(step, told(f"phone_step_{step}")) for step in one.steps],
            }
        )
    return lines


def _place(scope: Scope, snapshot: Snapshot, task: tasks.Task, shown: Facts, told: Words) -> str:
    """Where a warning is; nothing for the area that the page is about."""
    if task.area in (None, shown.area):
        return ""
    return place_name(scope, snapshot, task.area, shown.area, told)
