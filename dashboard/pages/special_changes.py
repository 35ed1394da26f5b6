"""Changes of special periods: made, altered, ended; checks ticked. Each is audited first."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from flask import abort, request

from dashboard import audited
from dashboard.guard import current_scope
from dashboard.pages import render, special, special_places
from data.access import DeniedError, NotVisibleError
from data.special import SpecialError, StaleError, kinds

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Response

    from dashboard.pages.context import PageContext

_DIGITS = 10


def change(context: PageContext) -> Response:
    """Change periods, places or checks as the form says."""
    do = request.form.get("do", "")
    if do not in STEPS:
        abort(400)
    audited.describe("warning", "special period", do)
    return _taken(context, lambda: STEPS[do](context))


def check(context: PageContext) -> Response:
    """Tick one check of a day."""
    audited.describe("warning", "special period", "tick")
    return _taken(context, lambda: _tick(context))


def _taken(context: PageContext, step: Callable[[], Response]) -> Response:
    """Take a step; what cannot be is told on the page, and who may not gets 403 or 404."""
    try:
        return step()
    except SpecialError as error:
        return special.page(context, fault=f"special_fault_{error.fault}", status=400)
    except StaleError:
        return special.page(context, fault="special_fault_stale", status=409)
    except DeniedError:
        abort(403)
    except NotVisibleError:
        abort(404)


def _create(context: PageContext) -> Response:
    area = special.read_place(_given("area"))
    audited.before("warning", f"special period {area[0]} {area[1]}", "create")
    number = special.kept(context).create(
        current_scope(), area, _given("name"), _days(), key=_given("key"), now=context.clock()
    )
    return _back(number, "made", edit=1)


def _alter(context: PageContext) -> Response:
    number = _number("period")
    audited.before("warning", f"special period {number}", "change")
    special.kept(context).change(
        current_scope(), number, _given("name"), _days(), version=_number("version")
    )
    return _back(number, "saved", edit=1)


def _end(context: PageContext) -> Response:
    number = _number("period")
    audited.before("warning", f"special period {number}", "end")
    special.kept(context).end(
        current_scope(), number, version=_number("version"), now=context.clock()
    )
    return render.go(render.address("special", told="ended"))


def _add_place(context: PageContext) -> Response:
    number, area = _number("period"), special.read_place(_given("area"))
    label = _label(context, area)
    audited.before("warning", f"special period {number}", f"add place {area[0]} {area[1]}")
    special.kept(context).add_place(
        current_scope(), number, area, label, version=_number("version"), key=_given("key")
    )
    return _back(number, "saved", edit=1)


def _remove_place(context: PageContext) -> Response:
    number = _number("place")
    audited.before("warning", f"special place {number}", "remove")
    special.kept(context).remove_place(
        current_scope(), number, version=_number("version"), now=context.clock()
    )
    return _back(_number("period"), "saved", edit=1)


def _add_check(context: PageContext) -> Response:
    number, kind, only = _number("place"), _given("kind"), _given("only_on")
    audited.before("warning", f"special place {number}", f"add check {kind[:16]}")
    special.kept(context).add_check(
        current_scope(),
        number,
        kind,
        _time(_given("due")),
        only_on=_day(only) if only else None,
        version=_number("version"),
        key=_given("key"),
    )
    return _back(_number("period"), "saved", edit=1)


def _remove_check(context: PageContext) -> Response:
    number = _number("check")
    audited.before("warning", f"special check {number}", "remove")
    special.kept(context).remove_check(
        current_scope(), number, version=_number("version"), now=context.clock()
    )
    return _back(_number("period"), "saved", edit=1)


def _tick(context: PageContext) -> Response:
    number, day, result = _number("check"), _day(_given("day")), _given("result")
    reason = _given("reason") if result == kinds.NOT_DONE else ""
    audited.before("warning", f"special check {number}", f"{day} {result[:16]} {reason[:16]}")
    special.kept(context).tick(
        current_scope(),
        number,
        day,
        result,
        reason=reason,
        number=_number("number"),
        key=_given("key"),
        now=context.clock(),
    )
    return _back(_number("period"), "ticked", day=day.isoformat())


STEPS: dict[str, Callable[[PageContext], Response]] = {
    "create": _create,
    "alter": _alter,
    "end": _end,
    "add_place": _add_place,
    "remove_place": _remove_place,
    "add_check": _add_check,
    "remove_check": _remove_check,
}


def _label(context: PageContext, area: tuple[str, str]) -> tuple[str, str]:
    """Kind and value of a place: what was written counts before what was chosen."""
    if written := _given("text"):
        return kinds.TEXT, written
    kind, _, value = _given("label").partition("=")
    if kind == kinds.FACILITY:
        known = dict(special_places.facilities(context, area, render.words()))
        if value not in known:
            raise SpecialError("place")
    return kind, value


def _back(number: int, told: str, **more: Any) -> Response:
    return render.go(render.address("special", period=number, told=told, **more))


def _given(name: str) -> str:
    return request.form.get(name, "").strip()[:200]


def _number(name: str) -> int:
    text = _given(name)
    if not (text.isascii() and text.isdigit() and len(text) < _DIGITS):
        abort(400)
    return int(text)


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise SpecialError("dates") from None


def _days() -> tuple[dt.date, dt.date]:
    return _day(_given("first")), _day(_given("last"))


def _time(text: str) -> dt.time:
    try:
        return dt.time.fromisoformat(text).replace(tzinfo=None, second=0, microsecond=0)
    except ValueError:
        raise SpecialError("time") from None
