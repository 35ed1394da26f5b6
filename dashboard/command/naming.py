"""Warnings in words: where, whose, how far, and how long there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from data.permissions import matrix

if TYPE_CHECKING:
    import datetime as dt

    from dashboard.pages.area_names import AreaNames
    from dashboard.text import Words
    from data.access import Scope
    from data.warnings.kinds import Place, Unit

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR


def area(names: AreaNames, scope: Scope, place: Place, words: Words) -> str:
    """Name of an area, after the one above it where the scope covers that; the city by a word."""
    found = names.find(*place)
    if found is None:
        return names.name(*place, words.lang) or words("command_city")
    if covers(scope, found.path[:-1]):
        return found.name(words.lang)
    return words.pick(found.name_zh, found.name_en)


def covers(scope: Scope, path: tuple[Place, ...]) -> bool:
    """Whether the scope covers an area, by its way from the top down."""
    return scope.sees_all or not scope.sight.areas.isdisjoint(path)


def unit(names: AreaNames, owner: Unit, words: Words) -> str:
    """Name of a unit: its area and its role."""
    role = matrix().roles.get(owner.role)
    title = words.pick(role.title_zh, role.title_en) if role else owner.role
    where = names.find(owner.level, owner.code)
    if where is None:
        return title
    return words("warning_unit", area=words.pick(where.name_zh, where.name_en), role=title)


def colour(number: int, words: Words) -> str:
    """Name of a warning's colour."""
    return words(f"warning_colour_{number}")


def span(length: dt.timedelta, words: Words) -> str:
    """Length of time in its two largest units."""
    seconds = int(abs(length).total_seconds())
    days, hours = seconds // _DAY, seconds % _DAY // _HOUR
    if days:
        return words("warning_span_days", d=days, h=hours)
    return words("warning_span_hours", h=hours, m=seconds % _HOUR // _MINUTE)


def clock(due: dt.datetime | None, now: dt.datetime, words: Words) -> str:
    """Time that is left, or since when it is over; nothing where no clock runs."""
    if due is None:
        return ""
    return words("warning_late" if now > due else "warning_left", t=span(due - now, words))
