"""Take one warning or several through a step; each by itself, and each with its own outcome."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from flask import abort, request

from dashboard import audited
from dashboard.command import told, units
from dashboard.command.filters import Filters
from dashboard.command.kept import register
from dashboard.guard import current_scope
from dashboard.pages import render
from data.access import NotVisibleError
from data.warnings import life
from data.warnings.store import MOST_AT_ONCE, Outcome

if TYPE_CHECKING:
    from flask import Response

    from dashboard.pages.context import PageContext
    from data.warnings.kinds import Unit
    from data.warnings.store import Warnings

ONE: Final = "warning"
"""What a form of the warning's own page brings as the way back."""

_SEEN: Final = re.compile(r"(\d{1,9}):(\d{1,9})")
_UNIT: Final = re.compile(r"[a-z]{1,16}:[0-9A-Za-z*][0-9A-Za-z._-]{0,39}")
_KEY: Final = re.compile(r"[0-9a-f]{32}")


def act(context: PageContext) -> Response:
    """Take what was selected through a step, and go back to where it was selected."""
    form, step = request.form, request.form.get("step", "")
    versions = _versions(form.getlist("id"))
    unit, back = form.get("to", ""), form.get("back", "")
    if step not in life.STEPS or not _KEY.fullmatch(form.get("key", "")):
        abort(400)
    if step == life.ASSIGN and versions and not _UNIT.fullmatch(unit):
        return _back(back, versions, "nowhere")
    if not versions:
        return _back(back, versions, "none")
    for number in versions:
        audited.before("warning", f"warning {number}", step)
    outcomes = _taken(context, versions, step, unit)
    if all(one.error in {"denied", "unknown"} for one in outcomes):
        # Not even which: another's warning looks like one that is not there.
        abort(403)
    return _back(back, versions, told.written(step, outcomes))


def _versions(texts: list[str]) -> dict[int, int]:
    """Id to version of what was selected, each as it was seen."""
    found = [_SEEN.fullmatch(text) for text in texts]
    if len(texts) > MOST_AT_ONCE:
        abort(400)
    pairs = [(int(one[1]), int(one[2])) for one in found if one is not None]
    if len(pairs) < len(texts):
        abort(400)
    return dict(pairs)


def _taken(context: PageContext, versions: dict[int, int], step: str, to: str) -> list[Outcome]:
    """Take each through the step; of an assignment all that go to one unit together."""
    scope, kept, form = current_scope(), register(context), request.form
    groups: dict[Unit | None, dict[int, int]] = {None: versions}
    missing: list[Outcome] = []
    if step == life.ASSIGN:
        groups, missing = _by_unit(kept, versions, to)
    found = {one.id: one for one in missing}
    for unit, members in groups.items():
        done = kept.act_on_many(
            scope,
            members,
            step=step,
            key=form["key"],
            to_unit=unit,
            reason=form.get("reason") if step in life.REASONS else None,
            now=context.clock(),
        )
        found |= {one.id: one for one in done}
    return [found[number] for number in versions]


def _by_unit(
    kept: Warnings, versions: dict[int, int], to: str
) -> tuple[dict[Unit | None, dict[int, int]], list[Outcome]]:
    """Warnings by the unit that each goes to, and those for which there is none."""
    groups: dict[Unit | None, dict[int, int]] = {}
    missing = []
    for number, version in versions.items():
        try:
            unit = units.read(to, kept.get(current_scope(), number), kept.settings)
        except NotVisibleError:
            missing.append(Outcome(number, None, "unknown"))
            continue
        if unit is None:
            missing.append(Outcome(number, None, "step"))
        else:
            groups.setdefault(unit, {})[number] = version
    return groups, missing


def _back(back: str, versions: dict[int, int], outcome: str) -> Response:
    if back == ONE and len(versions) == 1:
        (number,) = versions
        return render.go(render.address("warning", warning_id=number, told=outcome))
    return render.go(render.address("command", **Filters.of_query(back).query(), told=outcome))
