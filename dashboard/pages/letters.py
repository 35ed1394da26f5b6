"""The letters of one's areas, and what the newest issue asks a letter for."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final, NamedTuple

from flask import abort, request

from dashboard import audited
from dashboard.guard import current_scope
from dashboard.letters import candidates, drafting, effect
from dashboard.pages import render, weekly, weekly_links
from dashboard.reports import reading, sentences
from data import issues
from data.access import NotVisibleError, decide, narrowed
from data.issues import IssueError
from data.letters import kinds
from data.letters.store import CHANGE, Letters
from data.letters.wording import WordingError
from data.manifest import SnapshotError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask import Response

    from dashboard.letters.candidates import Candidate
    from dashboard.pages.context import PageContext
    from dashboard.pages.weekly import Opened
    from dashboard.text import Words
    from data.access import Scope
    from data.letters.models import Letter

STATES: Final = ("all", "draft", "signed", "due", "withdrawn")
SHOWN: Final = 60
"""Findings of one page; the rules narrow them down."""

TONES: Final = {"draft": "warn", "signed": "good", "withdrawn": ""}


class Row(NamedTuple):
    """A letter of the list."""

    letter: Letter
    number: str
    title: str
    kind: str
    area: str
    state: str
    tone: str


class Finding(NamedTuple):
    """What a letter could be written for; `drafted` is the id of one that is there."""

    candidate: Candidate
    rule: str
    area: str
    kind: str
    figures: str
    drafted: str


def show(context: PageContext) -> Response:
    """Show the list, and what one could be written for."""
    audited.describe("view", "/letters")
    return _page(context)


def draft(context: PageContext) -> Response:
    """Draft a letter for one finding of an issue; asked for twice it is drafted once."""
    scope = current_scope()
    asked = request.form.get("finding", "")
    audited.describe("letter", f"draft {asked[:24]}")
    try:
        opened = _opened(context, scope)
    except (IssueError, NotVisibleError):
        opened = None
    if opened is None:
        return _page(context, fault="letter_gone")
    found = next((one for one in _candidates(context, opened) if one.id == asked), None)
    if found is None:
        return _page(context, fault="letter_gone")
    told, now = found.evidence, context.clock()
    area = f"{told.place.level}.{told.place.code}"
    audited.before("letter", f"draft {told.letter} {area} {told.week.label} {told.rule}")
    wording = drafting.letter(told, due=candidates.due_on(told, context.today()))
    try:
        made = Letters(context.database).draft(scope, found.basis, wording, now=now)
    except NotVisibleError:
        abort(404)
    except WordingError:
        return _page(context, fault="letter_fault_state")
    return render.go(render.address("letter", letter_id=made.id, told="drafted"))


def _page(context: PageContext, *, fault: str = "") -> Response:
    told, scope = render.words(), current_scope()
    state = request.args.get("state", "all")
    state = state if state in STATES else "all"
    known = Letters(context.database).listed(scope)
    by_state = {name: _in_state(context, scope, known, name) for name in STATES}
    findings, opened = _findings(context, scope, told)
    rule = request.args.get("rule", "")
    shown = [one for one in findings if rule in ("", one.candidate.evidence.rule)]
    return render.page(
        context,
        "letters.html",
        status=400 if fault else 200,
        title=told("letters_title"),
        rows=[_row(context, one, told) for one in by_state[state]],
        states=[
            render.Link(
                told(f"letters_{name}", n=len(by_state[name])),
                render.address("letters", state=name),
                name == state,
            )
            for name in STATES
        ],
        may_change=decide(scope, CHANGE).is_allowed,
        findings=shown[:SHOWN],
        of=len(shown),
        rules=_rules(findings, rule, opened, told),
        lead=_lead(opened, findings, told),
        here=_here(opened),
        fault=told(fault) if fault else "",
    )


def _in_state(
    context: PageContext, scope: Scope, known: Sequence[Letter], state: str
) -> list[Letter]:
    if state == "all":
        return list(known)
    if state != "due":
        return [one for one in known if one.status == state]
    signed = [one for one in known if one.status == kinds.SIGNED and not one.is_slip]
    try:
        snapshot = context.store.current()
        return [
            one for one in signed
            if one.signed_on
            and effect.not_before(scope, snapshot, one.signed_on) <= context.today()
        ]  # fmt: skip
    except (SnapshotError, NotVisibleError):
        four_weeks = context.today() - dt.timedelta(weeks=effect.WEEKS + 1)
        return [one for one in signed if one.signed_on and one.signed_on <= four_weeks]


def _row(context: PageContext, one: Letter, told: Words) -> Row:
    return Row(
        one,
        drafting.numbered(one, told),
        told.pick(one.title_zh, one.title_en),
        told(f"letter_kind_{one.kind}"),
        context.names.name(one.level, one.area_code, told.lang),
        told(f"letter_state_{one.status}"),
        TONES[one.status],
    )


def _opened(context: PageContext, scope: Scope) -> Opened | None:
    """The issue and edition that letters are written from: as on the weekly page."""
    if not decide(scope, CHANGE).is_allowed:
        return None
    home = context.settings.home
    known = issues.issues(home)
    if not known:
        return None
    # Whoever reads by one post and writes by another gets only what the second one covers.
    return weekly.open_edition(narrowed(scope, CHANGE), home, known)


def _candidates(context: PageContext, opened: Opened) -> list[Candidate]:
    def path_of(level: str, code: str) -> tuple[tuple[str, str], ...] | None:
        area = context.names.find(level, code)
        return area.path if area else None

    found = candidates.candidates(
        context.settings.home, opened.issue, opened.edition, path_of=path_of
    )
    # An area that was moved to another one since may lie outside.
    return [one for one in found if reading.covers(current_scope(), one.basis.path)]


def _findings(
    context: PageContext, scope: Scope, told: Words
) -> tuple[list[Finding], Opened | None]:
    try:
        opened = _opened(context, scope)
        found = _candidates(context, opened) if opened else []
    except NotVisibleError:
        abort(404)
    except IssueError:
        return [], None
    known = Letters(context.database).drafted_for(scope, [one.basis.key for one in found])
    return [
        Finding(
            one,
            told(f"letter_rule_{one.evidence.rule}", n=one.evidence.least),
            _area(one, told),
            told(f"letter_kind_{one.evidence.letter}"),
            "".join(drafting.finding(one.evidence, told)),
            known.get(one.basis.key, ""),
        )
        for one in found
    ], opened


def _area(one: Candidate, told: Words) -> str:
    name = sentences.name(one.evidence.place, told)
    spot = one.evidence.spot
    within = told.pick(spot.within_zh, spot.within_en) if spot else ""
    return f"{within} · {name}" if within else name


def _rules(
    findings: Sequence[Finding], rule: str, opened: Opened | None, told: Words
) -> list[render.Link]:
    """Links that narrow the findings down to one rule."""
    here = _asked(opened)
    links = [
        render.Link(
            told("letters_any_rule", n=len(findings)),
            render.address("letters", **here, _anchor="write"),
            rule == "",
        )
    ]
    names = dict.fromkeys((one.candidate.evidence.rule, one.rule) for one in findings)
    for name, title in names:
        count = sum(one.candidate.evidence.rule == name for one in findings)
        links.append(
            render.Link(
                told("letters_of_rule", rule=title, n=count),
                render.address("letters", **here, rule=name, _anchor="write"),
                rule == name,
            )
        )
    return links


def _lead(opened: Opened | None, findings: Sequence[Finding], told: Words) -> str:
    if opened is None:
        return told("letters_no_issue")
    if not findings:
        return told("letters_nothing")
    return told(
        "letters_write_lead",
        issue=weekly_links.named(opened.issue),
        n=len(findings),
        place=sentences.name(opened.edition.place, told),
    )


def _asked(opened: Opened | None) -> dict[str, str]:
    """Issue and area of the address, where they are not the reader's own of the newest one."""
    if opened is None:
        return {}
    names = ("week", "version", "area")
    return {name: request.args[name] for name in names if name in request.args}


def _here(opened: Opened | None) -> str:
    """Where a form goes: the issue that the findings are of, even once there is a newer one."""
    if opened is None:
        return render.address("letters_draft")
    return render.address(
        "letters_draft",
        week=opened.issue.week,
        version=opened.issue.version,
        area=opened.area,
    )
