"""`/warnings/open`: a person opens a warning; an area, a colour, a group and a reason, no text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from flask import abort, request

from dashboard import assessment, audited
from dashboard.areas import Area, hierarchy
from dashboard.command import naming, places
from dashboard.command.evidence import Evidence
from dashboard.command.kept import register
from dashboard.guard import current_scope
from dashboard.pages import render
from dashboard.pages.command import opened
from dashboard.phone import own
from data.access import NotVisibleError, decide
from data.warnings import life, rights
from data.warnings.episodes import fingerprint_of
from data.warnings.kinds import PERSON
from data.warnings.settings import ALL_GROUPS

if TYPE_CHECKING:
    from flask import Response

    from dashboard.pages.context import PageContext
    from data.access import Scope
    from data.store import Snapshot
    from data.warnings.kinds import AreaWarning

REASONS: Final = ("patrol", "public", "superior", "department", "event", "weather", "judged")
FOUND: Final = 20
_AGAIN: Final = 9
"""Warnings that one area, group and day can have by hand, each after the one before was closed."""

_AREA: Final = re.compile(r"[a-z]{1,16}\.[0-9A-Za-z][0-9A-Za-z._-]{0,39}")


def show(context: PageContext) -> Response:
    """Show the search, and the form once an area is chosen."""
    audited.describe("view", "/warnings/open")
    return _page(context, request.args.get("area", ""))


def take(context: PageContext) -> Response:
    """Open the warning, or lead to the one that is open there already."""
    form, scope = request.form, current_scope()
    reference, colour = form.get("area", ""), form.get("colour", "")
    group, reason = form.get("group", ""), form.get("reason", "")
    snapshot, area = _chosen(context, scope, reference)
    if area is None:
        return _page(context, "", fault="warning_open_no_area")
    if colour not in {"1", "2", "3", "4"} or reason not in REASONS:
        return _page(context, reference, fault="warning_open_incomplete")
    if group not in dict(_groups(scope, snapshot)):
        abort(400)
    place = places.place_of(scope, snapshot, area)
    audited.before("warning", f"open {place[0]} {place[1]}", f"{group} {colour} {reason}")
    one, is_new = _opened(context, snapshot, area, (group, int(colour), reason))
    outcome = "opened" if is_new else "known"
    return render.go(render.address("warning", warning_id=one.id, told=outcome))


def _opened(
    context: PageContext, snapshot: Snapshot, area: Area, what: tuple[str, int, str]
) -> tuple[AreaWarning, bool]:
    """Open one for the day; a further one only where the one before is done with."""
    kept, scope, now = register(context), current_scope(), context.clock()
    (group, colour, reason), place = what, places.place_of(scope, snapshot, area)
    name = fingerprint_of((PERSON, *place, group), context.today())
    for number in range(1, _AGAIN + 1):
        try:
            one = kept.open(
                fingerprint=name if number == 1 else f"{name}.{number}",
                rule=PERSON, level=place[0], code=place[1], group=group, colour=colour,
                evidence={"reason": reason}, snapshot=snapshot.id, now=now,
                seen_on=context.today(), by=scope,
            )  # fmt: skip
        except NotVisibleError:
            abort(404)
        if one.opened_at == now or one.state in life.OPEN:
            return one, one.opened_at == now
    return one, False


def _chosen(context: PageContext, scope: Scope, reference: str) -> tuple[Snapshot, Area | None]:
    """Area of the form, None where it is none of those that the reader may open warnings in."""
    snapshot, _ = opened(context, scope, "")
    if not _AREA.fullmatch(reference):
        return snapshot, None
    tree = hierarchy(scope, snapshot)
    try:
        area = tree.find(reference, day=own.last_day(snapshot))
    except NotVisibleError:
        abort(404)
    return snapshot, area if _may(scope, snapshot, area) else None


def _may(scope: Scope, snapshot: Snapshot, area: Area) -> bool:
    path = {places.place_of(scope, snapshot, one) for one in hierarchy(scope, snapshot).path(area)}
    decision = decide(scope, rights.ACT)
    return decision.covers_city or bool(decision.areas & path)


def _page(context: PageContext, reference: str, *, fault: str = "") -> Response:
    scope, words = current_scope(), render.words()
    snapshot, area = _chosen(context, scope, reference)
    asked = request.args.get("q", "")[:40].strip()
    return render.page(
        context,
        "warning_open.html",
        status=400 if fault else 200,
        title=words("warning_open_title"),
        asked=asked,
        found=_search(context, scope, snapshot, asked) if asked else [],
        area=None if area is None else _named(context, scope, snapshot, area),
        groups=_groups(scope, snapshot),
        reasons=[(one, words(f"warning_reason_{one}")) for one in REASONS],
        colours=[(str(one), naming.colour(one, words)) for one in (4, 3, 2, 1)],
        chosen=request.form,
        fault=words(fault) if fault else "",
    )


def _named(context: PageContext, scope: Scope, snapshot: Snapshot, area: Area) -> dict[str, Any]:
    place = places.place_of(scope, snapshot, area)
    return {
        "reference": own.reference(scope, snapshot, area),
        "name": naming.area(context.names, scope, place, render.words()),
        "code": place[1],
    }


def _groups(scope: Scope, snapshot: Snapshot) -> list[tuple[str, str]]:
    """Groups of categories with their names, all together first."""
    settings = assessment.settings(scope, snapshot)
    evidence = Evidence.of(scope, snapshot, render.words())
    known = [one for one in (settings.groups if settings else {}) if one != ALL_GROUPS]
    return [(one, evidence.group(one)) for one in (ALL_GROUPS, *known)]


def _search(
    context: PageContext, scope: Scope, snapshot: Snapshot, text: str
) -> list[dict[str, Any]]:
    """Own areas whose name holds a text or whose code begins with it, the highest levels first."""
    tree, day, wanted, found = (
        hierarchy(scope, snapshot),
        own.last_day(snapshot),
        text.casefold(),
        [],
    )
    for areas in tree.levels:
        names = zip(areas.names_zh, areas.names_en, areas.codes, strict=True)
        hits = np.array(
            [
                wanted in zh.casefold() or wanted in en.casefold() or code.startswith(text)
                for zh, en, code in names
            ],
            dtype=bool,
        )
        rows = np.flatnonzero(hits & areas.visible & areas.valid_on(day))[: 3 * FOUND].tolist()
        found += [
            _named(context, scope, snapshot, Area(areas.level, row))
            for row in rows
            if _may(scope, snapshot, Area(areas.level, row))
        ]
        if len(found) >= FOUND:
            break
    return found[:FOUND]
