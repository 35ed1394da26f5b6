"""`/special`: special periods (places, days, checks), and what was done of them today."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import TYPE_CHECKING, Any, NamedTuple

from flask import abort, request

from dashboard import audited
from dashboard.command.kept import trees
from dashboard.guard import current_scope
from dashboard.pages import render, special_places
from dashboard.pages.visible_names import visible_name
from data.access import NotVisibleError, decide
from data.special import SpecialPeriods, kinds
from data.special.reading import ACT
from data.special.store import may_act

if TYPE_CHECKING:
    from flask import Response

    from dashboard.pages.context import PageContext
    from dashboard.text import Words
    from data.special import Check, SpecialPeriod
    from data.warnings.kinds import Place

SAID = ("made", "saved", "ended", "ticked")
TONES = {"done": "good", "not_done": "bad", "late": "bad", "open": ""}


class CheckLine(NamedTuple):
    """A check as the page shows it."""

    check: Check
    title: str
    due: str
    state: str
    tone: str
    note: str
    key: str


class PlaceCard(NamedTuple):
    """A place with its checks; `may_tick` = the reader may tick them on that day."""

    id: int
    title: str
    area: str
    checks: list[CheckLine]
    done: int
    may_tick: bool


def kept(context: PageContext) -> SpecialPeriods:
    """Special periods of this installation."""
    return SpecialPeriods(context.database, context.city().zone, trees(context))


def show(context: PageContext) -> Response:
    """Show the periods of the reader's areas, and one of them."""
    audited.describe("view", "/special")
    return page(context)


def page(context: PageContext, *, fault: str = "", status: int = 200) -> Response:
    """The page, with what was wrong where something was."""
    told, scope, now = render.words(), current_scope(), context.clock()
    known = kept(context).listed(scope, now=now)
    chosen = _chosen(context, known)
    said = request.args.get("told", "")
    return render.page(
        context,
        "special.html",
        status=status,
        title=told("special_title"),
        tabs=[
            render.Link(_tab(one), render.address("special", period=one.id), _is(one, chosen))
            for one in known
        ],
        makes=_makes(context, told),
        today=context.today(),
        fault=told(fault) if fault else "",
        said=told(f"special_said_{said}") if said in SAID and not fault else "",
        key=lambda: secrets.token_urlsafe(16),
        check_kinds=[(one, told(f"special_check_{one}")) for one in kinds.CHECKS],
        reasons=[(one, told(f"special_reason_{one}")) for one in kinds.REASONS],
        **(_period(context, chosen, told) if chosen else {"period": None}),
    )


def _tab(one: SpecialPeriod) -> str:
    """Name and days: two periods may have one name."""
    return f"{one.name} {one.first_day:%m-%d}/{one.last_day:%m-%d}"


def _is(one: SpecialPeriod, chosen: SpecialPeriod | None) -> bool:
    return chosen is not None and one.id == chosen.id


def _chosen(context: PageContext, known: list[SpecialPeriod]) -> SpecialPeriod | None:
    """
    Period of the address; else the one of today, the next one, or the last one.

    It ends the request with 404 for one that is unknown or another's.
    """
    store, scope, now = kept(context), current_scope(), context.clock()
    asked, today = request.args.get("period", ""), context.today()
    if not asked:
        of_today = [one for one in known if one.first_day <= today <= one.last_day]
        ahead = [one for one in known if one.first_day > today]
        best = of_today[:1] or ahead[-1:] or known[:1]
        if not best:
            return None
        asked = str(best[0].id)
    if not (asked.isascii() and asked.isdigit() and len(asked) < 10):
        abort(404)
    try:
        return store.get(scope, int(asked), day=asked_day(), now=now)
    except NotVisibleError:
        abort(404)


def asked_day() -> dt.date | None:
    """Day of the address; None where it names none."""
    try:
        return dt.date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        return None


def _period(context: PageContext, one: SpecialPeriod, told: Words) -> dict[str, Any]:
    scope, today = current_scope(), context.today()
    may_change = may_act(scope, one.path)
    edits = may_change and request.args.get("edit") == "1"
    total, done, late = one.count(), one.count("done"), one.count("late")
    when = "ahead" if today < one.first_day else "over" if today > one.last_day else "now"
    return {
        "period": one,
        "area": visible_name(context, scope, (one.level, one.code), told),
        "when": told(f"special_{when}"),
        "when_tone": {"now": "info", "ahead": "warn", "over": ""}[when],
        "places": [_card(context, place, one, told) for place in one.places],
        "total": total,
        "done": done,
        "counts": told(
            "special_counts", done=done, total=total, late=late, undone=one.count("not_done")
        ),
        "days": _days(one, today, edits=edits),
        "may_change": may_change,
        "edits": edits,
        **(special_places.offered(context, one, told) if edits else {}),
    }


def _card(context: PageContext, place: Any, period: SpecialPeriod, told: Words) -> PlaceCard:
    zone, scope = context.city().zone, current_scope()
    lines = [_line(check, told, zone) for check in place.checks]
    may_tick = may_act(scope, place.path) or may_act(scope, period.path)
    return PlaceCard(
        place.id,
        special_places.title(place, told),
        visible_name(context, scope, (place.level, place.code), told),
        lines,
        sum(check.state == kinds.DONE for check in place.checks),
        may_tick and period.day <= context.today(),
    )


def _line(check: Check, told: Words, zone: dt.tzinfo) -> CheckLine:
    notes = []
    if check.at is not None:
        notes.append(told("special_at", at=f"{check.at.astimezone(zone):%m-%d %H:%M}"))
        if check.is_late:
            notes.append(told("special_after"))
    if check.reason:
        notes.append(told(f"special_reason_{check.reason}"))
    return CheckLine(
        check,
        told(f"special_check_{check.kind}"),
        f"{check.due_at.astimezone(zone):%H:%M}",
        told(f"special_state_{check.state}"),
        TONES[check.state],
        told("list_comma").join(notes),
        secrets.token_urlsafe(16),
    )


def _days(one: SpecialPeriod, today: dt.date, *, edits: bool) -> dict[str, Any]:
    """Links to the day before and after, and to today."""
    more = {"period": one.id, "edit": 1 if edits else None}

    def link(day: dt.date) -> str:
        is_in = one.first_day <= day <= one.last_day and day != one.day
        return render.address("special", day=day.isoformat(), **more) if is_in else ""

    step = dt.timedelta(days=1)
    number = (one.day - one.first_day).days + 1
    return {
        "day": one.day,
        "number": number,
        "of": (one.last_day - one.first_day).days + 1,
        "before": link(one.day - step),
        "after": link(one.day + step),
        "today": link(today),
        "is_today": one.day == today,
    }


def _makes(context: PageContext, told: Words) -> list[tuple[str, str]]:
    """Areas that the reader may make a period for."""
    areas = sorted(decide(current_scope(), ACT).areas)
    return [
        (f"{level}:{code}", visible_name(context, current_scope(), (level, code), told))
        for level, code in areas
        if level in kinds.MAKERS
    ]


def read_place(text: str) -> Place:
    """Level and code of a form's area; the request ends with 400 where it is none."""
    level, colon, code = text.partition(":")
    if not colon or len(text) > 60:
        abort(400)
    return level, code
