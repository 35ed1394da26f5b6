"""`/facilities`: inspection points, what is overdue, and how far its warning has come."""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from flask import abort, current_app, request

from dashboard import audited, facility_list
from dashboard.areas import hierarchy
from dashboard.command import kept, naming, places
from dashboard.guard import current_scope
from dashboard.map.facility_rows import registers_day
from dashboard.pages import render
from dashboard.pages.visible_names import visible_name
from dashboard.phone import own
from data.access import NotVisibleError
from data.manifest import SnapshotError
from data.resources.kinds import facility_kinds
from data.resources.state import OVERDUE, STATES, UNKNOWN
from data.warnings import life, queue, rights
from data.warnings.about import about
from data.warnings.tree import CITY

if TYPE_CHECKING:
    from flask import Response

    from dashboard.areas import Area
    from dashboard.facility_list import Facility
    from dashboard.pages.context import PageContext
    from dashboard.text import Words
    from data.access import Scope
    from data.store import Snapshot
    from data.warnings.kinds import AreaWarning, Place
    from data.warnings.store import Warnings

SHOWN: Final = 30
"""Points of one page."""
CASES: Final = 10
"""Warnings of the page; the queue of the desk has them all."""

TONES: Final = {"overdue": "bad", "due": "warn", "ok": "good", "unknown": ""}
KIND: Final = "facility_overdue"
"""Kind of the rules whose warnings are about inspection points."""
VERIFY: Final = (life.ARCHIVE, life.REJECT)
"""What the unit above does with what was closed."""


class Line(NamedTuple):
    """A point as the page shows it; `warning` is the nearest one about its area."""

    facility: Facility
    kind: str
    area: str
    state: str
    tone: str
    warning: AreaWarning | None
    warning_state: str


class Case(NamedTuple):
    """A warning about overdue points, and what the reader may do to verify it."""

    warning: AreaWarning
    area: str
    unit: str
    state: str
    told: str
    clock: str
    is_late: bool
    steps: list[str]
    key: str


def show(context: PageContext) -> Response:
    """Show the points of an area, and the warnings that they opened."""
    audited.describe("view", "/facilities")
    told, scope = render.words(), current_scope()
    try:
        snapshot = context.store.current()
    except SnapshotError:
        abort(503)
    if facility_list.TABLE not in snapshot.tables():
        return render.page(context, "facilities.html", title=told("facility_page_title"), area=None)
    try:
        area = own.open_area(scope, snapshot, request.args.get("area", "")[:80])
    except NotVisibleError:
        abort(403)
    reference = own.reference(scope, snapshot, area)
    audited.describe("view", f"/facilities {reference}")
    return render.page(
        context,
        "facilities.html",
        title=told("facility_page_title"),
        area=reference,
        area_name=_area_name(scope, snapshot, area, told),
        areas=_areas(scope, snapshot, area, told),
        as_of=registers_day(snapshot),
        reasons=[(one, told(f"warning_why_{one}")) for one in life.REASONS[life.REJECT]],
        has_warning="warning" in current_app.view_functions,
        **_cases(context, scope, snapshot, area),
        **_points(context, scope, snapshot, area),
    )


def _cases(context: PageContext, scope: Scope, snapshot: Snapshot, area: Area) -> dict[str, Any]:
    """Warnings about the points of an area: how many in each state, and the first of them."""
    told, now, kept_ones = render.words(), context.clock(), kept.register(context)
    place, rules = places.place_of(scope, snapshot, area), _rules(kept_ones)
    states: Counter[str] = Counter()
    for one in queue.tallies(kept_ones, scope, None if place == CITY else place, now):
        if one.rule in rules and one.state != life.ARCHIVED:
            states[one.state] += one.n
    # What waits to be verified comes first: it is this page's own step.
    wanted = queue.Wanted(rules=rules, area=None if place == CITY else place)
    found: list[AreaWarning] = []
    for several in ({life.CLOSED}, {*life.OPEN}):
        part = replace(wanted, states=several)
        found += queue.page(
            kept_ones, scope, part, order="clock", start=0, limit=CASES - len(found), now=now
        )
    return {
        "cases": [_case(context, one, told) for one in found],
        "cases_total": sum(states.values()),
        "cases_states": [
            (told(f"warning_state_{state}"), states[state])
            for state in life.STATES
            if states[state]
        ],
    }


def _points(
    context: PageContext, scope: Scope, snapshot: Snapshot, area: Area
) -> dict[str, Any]:  # fmt: skip
    told = render.words()
    counts = facility_list.counted(scope, snapshot, area)
    kinds = [one for one in facility_kinds() if any(kind == one for kind, _ in counts)]
    kind, state = _asked("kind", kinds), _asked("state", STATES)
    of = sum(n for key, n in counts.items() if kind in ("", key[0]) and state in ("", key[1]))
    first = _first(of)
    rows = facility_list.listed(
        scope, snapshot, area, kind=kind, state=state, first=first, limit=SHOWN
    )
    paths = {
        row: facility_list.places_above(scope, snapshot, row)
        for row in dict.fromkeys(one.area_row for one in rows)
    }
    warnings = kept.register(context)
    near = about(
        warnings, scope, _rules(warnings), {one for path in paths.values() for one in path}
    )
    here = {"area": request.args.get("area"), "kind": kind or None, "state": state or None}
    return {
        "tiles": _tiles(counts, kind, state, here, told),
        "total": sum(n for key, n in counts.items() if kind in ("", key[0])),
        "kinds": [("", told("any")), *((one, _kind(one, told)) for one in kinds)],
        "kind": kind,
        "states": [("", told("any")), *((one, told(f"facility_{one}")) for one in STATES)],
        "state": state,
        "lines": [_line(context, one, paths[one.area_row], near) for one in rows],
        "first": first + 1,
        "last": first + len(rows),
        "of": of,
        "before": render.address("facilities", **here, first=first - SHOWN) if first else "",
        "after": render.address("facilities", **here, first=first + SHOWN)
        if first + SHOWN < of
        else "",
    }


def _tiles(
    counts: dict[tuple[str, str], int], kind: str, state: str, here: dict[str, Any], told: Words
) -> list[tuple[str, int, str, str, bool]]:
    """Name, count, what it is of, address and whether it is chosen, for each state."""
    of_kind = {
        one: sum(n for key, n in counts.items() if kind in ("", key[0]) and key[1] == one)
        for one in STATES
    }
    known = sum(of_kind.values()) - of_kind[UNKNOWN]
    tiles = []
    for one in STATES:
        of = sum(of_kind.values()) if one == UNKNOWN else known
        key = "facility_page_of" if one == UNKNOWN else "facility_page_of_known"
        href = render.address("facilities", **{**here, "state": None if state == one else one})
        tiles.append((one, of_kind[one], told(key, n=f"{of:,d}"), href, state == one))
    return tiles


def _line(
    context: PageContext, one: Facility, path: list[Place], near: dict[Place, AreaWarning]
) -> Line:
    told = render.words()
    # A warning is about what is overdue: a point in time has none.
    of_place = [near[place] for place in path if place in near] if one.state == OVERDUE else []
    warning = of_place[0] if of_place else None
    return Line(
        one,
        _kind(one.kind, told),
        visible_name(context, current_scope(), path[0], told),
        told(f"facility_{one.state}"),
        TONES[one.state],
        warning,
        told(f"warning_state_{warning.state}") if warning else "",
    )


def _rules(warnings: Warnings) -> list[str]:
    """Names of the rules in force about inspection points."""
    return [rule for rule, kind in kept.kinds(warnings).items() if kind == KIND]


def _case(context: PageContext, one: AreaWarning, told: Words) -> Case:
    now = context.clock()
    shown = {name: one.evidence.get(name) for name in ("overdue", "total")}
    is_told = all(isinstance(value, int) for value in shown.values())
    return Case(
        one,
        visible_name(context, current_scope(), (one.level, one.code), told) or one.code,
        naming.unit(context.names, one.owner, told),
        told(f"warning_state_{one.state}"),
        told("warning_brief_facility_overdue", **shown)
        if is_told
        else told("facility_page_no_data"),
        naming.clock(one.due_at, now, told),
        one.is_overdue(now),
        [step for step in rights.choices(current_scope(), one) if step in VERIFY],
        secrets.token_hex(16),
    )


def _areas(scope: Scope, snapshot: Snapshot, area: Area, told: Words) -> list[tuple[str, str]]:
    """Own areas, the way up, and the areas below: what the page can go to."""
    tree, day = hierarchy(scope, snapshot), own.last_day(snapshot)
    found = [*own.own_areas(scope, snapshot), *tree.path(area)]
    for level in tree.below(area.level)[:1]:
        inside = tree.inside(level, area) & tree.at(level).valid_on(day)
        found += [type(area)(level, int(index)) for index in inside.nonzero()[0][: own.MOST]]
    depth = {one.level: at for at, one in enumerate(tree.levels)}
    top = min(depth[one.level] for one in found)
    return [
        (
            own.reference(scope, snapshot, one),
            "\u3000" * (depth[one.level] - top) + _area_name(scope, snapshot, one, told),
        )
        for one in dict.fromkeys(found)
    ]


def _area_name(scope: Scope, snapshot: Snapshot, area: Area, told: Words) -> str:
    return str(hierarchy(scope, snapshot).at(area.level).names(told.lang)[area.index])


def _kind(code: str, told: Words) -> str:
    kind = facility_kinds().get(code)
    return told.pick(kind.name_zh, kind.name_en) if kind else code


def _asked(name: str, known: Any) -> str:
    """A filter of the address; "" for what is none."""
    text = request.args.get(name, "")
    return text if text in known else ""


def _first(of: int) -> int:
    """Position of the first point shown."""
    text = request.args.get("first", "")
    asked = int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 0
    return asked // SHOWN * SHOWN if asked < of else 0
