"""What a place of a special period can be: an area, with a kind, a facility or a short name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import request

from dashboard.facility_list import in_place
from dashboard.guard import current_scope
from dashboard.pages import render
from dashboard.pages.visible_names import visible_name
from data.access import WHOLE_CITY
from data.manifest import SnapshotError
from data.resources.kinds import facility_kinds
from data.special import kinds

if TYPE_CHECKING:
    from dashboard.pages.area_names import NamedArea
    from dashboard.pages.context import PageContext
    from dashboard.text import Words
    from data.special import SpecialPeriod, SpecialPlace
    from data.warnings.kinds import Place

MOST_FACILITIES: Final = 60
"""Facilities that the form offers, the most urgent first."""


def title(place: SpecialPlace, told: Words) -> str:
    """What a place is called."""
    if place.kind == kinds.TEXT:
        return place.text
    if place.kind == kinds.FACILITY:
        return told("special_facility", number=place.facility.partition(":")[2] or place.facility)
    return told(f"special_place_{place.kind}")


def offered(context: PageContext, period: SpecialPeriod, told: Words) -> dict[str, Any]:
    """What the form for another place offers: areas that were searched, and labels."""
    find = request.args.get("find", "").strip()[:40]
    chosen = _chosen(context, period)
    return {
        "find": find,
        "found": [_link(period, one, told) for one in _search(context, period, find)],
        "chosen": f"{chosen[0]}:{chosen[1]}",
        "chosen_name": visible_name(context, current_scope(), chosen, told),
        "labels": [(one, told(f"special_place_{one}")) for one in kinds.PLACES],
        "facilities": facilities(context, chosen, told),
    }


def facilities(context: PageContext, area: Place, told: Words) -> list[tuple[str, str]]:
    """Id and title of facilities of an area that the reader sees."""
    try:
        rows = in_place(current_scope(), context.store.current(), area, limit=MOST_FACILITIES)
    except SnapshotError:
        return []
    names = facility_kinds()
    found = []
    for one in rows:
        kind = names.get(one.kind)
        name = told.pick(kind.name_zh, kind.name_en) if kind else one.kind
        found.append((one.id, f"{name} {one.number}"))
    return found


def _search(context: PageContext, period: SpecialPeriod, find: str) -> list[NamedArea]:
    within = None if period.code == WHOLE_CITY else (period.level, period.code)
    return context.names.search(find, within=within)


def _link(period: SpecialPeriod, one: NamedArea, told: Words) -> render.Link:
    where = f"{one.level}:{one.code}"
    href = render.address("special", period=period.id, edit=1, at=where, _anchor="place")
    return render.Link(one.name(told.lang), href, request.args.get("at") == where)


def _chosen(context: PageContext, period: SpecialPeriod) -> Place:
    """Area of the address where it lies in the period's; else the period's own."""
    level, _, code = request.args.get("at", "")[:60].partition(":")
    found = context.names.find(level, code)
    is_within = found is not None and (
        period.code == WHOLE_CITY or (period.level, period.code) in found.path
    )
    return (level, code) if is_within and level != "city" else (period.level, period.code)
