"""`/warnings/<id>`: one warning with everything that it rests on, and what may be done now."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from flask import abort, current_app, request

from dashboard import audited
from dashboard.command import naming, places, told, units
from dashboard.command.evidence import Evidence
from dashboard.command.kept import kind_of, register
from dashboard.command.rows import Teller
from dashboard.guard import current_scope
from dashboard.pages import render
from data.access import NotVisibleError, decide
from data.letters.store import READ as READ_LETTERS
from data.letters.store import Letters
from data.manifest import SnapshotError
from data.warnings import life, rights
from data.warnings.clocks import STAGES

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from flask import Response

    from dashboard.areas import Area
    from dashboard.pages.context import PageContext
    from data.access import Scope
    from data.letters.models import Letter
    from data.warnings.kinds import AreaWarning, Step

SAID: Final = ("opened", "known", "nowhere")
"""What the page may tell beside the outcome of a step."""

LETTERS_SHOWN: Final = 3
GROUP: Final = 4
"""A tracking code is read out four characters at a time."""


class Passed(NamedTuple):
    """One step of the history in words."""

    at: dt.datetime
    step: str
    state: str
    unit: str
    reason: str
    by: str
    due: dt.datetime | None


def show(context: PageContext, warning_id: int) -> Response:
    """Show a warning; another's is answered as one that is not there."""
    audited.describe("view", f"/warnings/{warning_id}")
    scope, words, now = current_scope(), render.words(), context.clock()
    kept = register(context)
    try:
        snapshot = context.store.current()
        one = kept.get(scope, warning_id)
        steps = kept.steps(scope, warning_id)
    except SnapshotError:
        abort(503)
    except NotVisibleError:
        abort(404)
    evidence = Evidence.of(scope, snapshot, words)
    teller = Teller(scope, kept, context.names, evidence, words, now)
    area = places.find(scope, snapshot, one.level, one.code)
    kind = kind_of(kept, one.rule)
    rule = next((rule for rule in kept.settings.rules if rule.name == one.rule), None)
    pressed = request.args.get("told", "")
    step, outcomes = told.read(pressed, teller)
    line = teller.line(one)
    return render.page(
        context,
        "warning.html",
        title=words("warning_title", n=one.id),
        line=line,
        rule=evidence.rule(rule, kind, kept.settings),
        figures=evidence.rows(one),
        history=_history(context, scope, steps),
        raised=[(at.at, evidence.rows(_as_of(one, at))) for at in steps[1:] if at.evidence],
        clocks=_clocks(teller, one),
        links=_links(scope, snapshot, area),
        letters=_letters(context, scope, one),
        code="-".join(one.tracking[at : at + GROUP] for at in range(0, len(one.tracking), GROUP)),
        track=f"/track/{one.tracking}" if "track" in current_app.view_functions else "",
        reasons={
            name: [(reason, _reason(name, reason)) for reason in known]
            for name, known in life.REASONS.items()
        },
        units=units.Units(scope, snapshot, kept.settings, context.names, words).of_warning(one)
        if life.ASSIGN in line.steps
        else [],
        may_act=decide(scope, rights.ACT).is_allowed,
        key=secrets.token_hex(16),
        told_step=step,
        outcomes=outcomes,
        said=words(f"warning_said_{pressed}") if pressed in SAID else "",
        said_tone="good" if pressed == "opened" else "warn",
        facts=[
            (words(f"warning_{name}"), value)
            for name, value in (
                ("where", " › ".join(_path(context, scope, one))),
                ("of_group", line.group),
                ("owner", line.unit),
                ("opened", render.local_time(context, one.opened_at)[:16]),
                ("ladder", _ladder(one)),
            )
        ],
    )


def _as_of(one: AreaWarning, step: Step) -> AreaWarning:
    return replace(one, evidence=step.evidence)


def _path(context: PageContext, scope: Scope, one: AreaWarning) -> list[str]:
    """Names of the areas in which it lies and that the scope covers, the highest first."""
    words, names, way = render.words(), context.names, one.places[::-1]
    told = []
    for at, place in enumerate(way, start=1):
        area = names.find(*place)
        if area is None:
            told.append(naming.area(names, scope, place, words))
        elif at == len(way) or naming.covers(scope, way[:at]):
            told.append(words.pick(area.name_zh, area.name_en))
    return told


def _ladder(one: AreaWarning) -> str:
    """How often running, what that asks for, and how far it went up."""
    words = render.words()
    told_as = [words("command_repeats", n=one.repeats)]
    if one.measure:
        told_as.append(words(f"warning_measure_{one.measure}"))
    if one.tiers:
        told_as.append(words("warning_tiers", n=one.tiers))
    return words("phone_dot").join(told_as)


def _history(context: PageContext, scope: Scope, steps: Sequence[Step]) -> list[Passed]:
    """Steps, the newest first; the login of a post for who reads it on letters as well."""
    words = render.words()
    is_told = decide(scope, READ_LETTERS).is_allowed
    return [
        Passed(
            at=one.at,
            step=words(f"warning_step_{one.step}"),
            state=words(f"warning_state_{one.after}"),
            unit=naming.unit(context.names, one.owner, words),
            reason=_reason(one.step, one.reason) if one.reason else "",
            by=(one.by or words("warning_by_program")) if is_told else "",
            due=one.due_at,
        )
        for one in reversed(steps)
    ]


def _reason(step: str, reason: str) -> str:
    words = render.words()
    if step == life.CLOSE:
        return words(f"phone_closed_{reason}")
    return words(f"warning_why_{reason}")


def _clocks(teller: Teller, one: AreaWarning) -> list[tuple[str, str, bool]]:
    """Each clock with its days, and whether it is the one that runs out first."""
    clocks, words = teller.kept.settings.clocks, teller.words
    found = [
        (words(f"warning_clock_{name}"), f"{clocks.stages[name]:g}", one.due_clock == name)
        for name in STAGES
    ]
    told_as = words("warning_clock_risk_of", urgency=words(f"warning_urgency_{one.urgency}"))
    found.append((told_as, f"{clocks.risks[one.urgency]:g}", one.due_clock == "risk"))
    return [(name, words("warning_days", n=days), is_here) for name, days, is_here in found]


def _links(scope: Scope, snapshot: Any, area: Area | None) -> list[tuple[str, str]]:
    """Names and addresses of the pages that say more about the area."""
    if area is None or not decide(scope, "map").is_allowed:
        return []
    words, search = render.words(), places.search(scope, snapshot, area)
    reference = places.place_of(scope, snapshot, area)
    return [
        (words("warning_to_map"), f"/{search}"),
        (words("warning_to_index"), f"/index{search}"),
        (words("warning_to_spots"), f"/hotspots{search}"),
        (words("warning_to_queue"),
         places.with_look("/command", area=".".join(reference)) if reference[1] != "*"
         else places.with_look("/command")),
    ]  # fmt: skip


def _letters(context: PageContext, scope: Scope, one: AreaWarning) -> list[Letter] | None:
    """Letters about the warning's own area, the newest first; None for who may not read them."""
    if not decide(scope, READ_LETTERS).is_allowed:
        return None
    here = (one.level, one.code)
    known = Letters(context.database).listed(scope)
    return [each for each in known if (each.level, each.area_code) == here][:LETTERS_SHOWN]
