"""`/m`: the grid chief's page for a phone; drawn whole by the server, small scripts come after."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from flask import Response, abort, request

from dashboard import audited, queries
from dashboard.areas import hierarchy
from dashboard.guard import current_scope
from dashboard.pages import phone_app, phone_reports, phone_warnings, render
from dashboard.pages.phone_frame import look, marked
from dashboard.phone import own, story, tasks
from dashboard.phone.facts import facts, palette
from dashboard.phone.small_map import WIDTH, small_map
from dashboard.phone.trend_chart import HEIGHT, chart
from dashboard.phone.trend_chart import WIDTH as CHART_WIDTH
from data import periods
from data.access import NotVisibleError, decide
from data.manifest import SnapshotError
from data.permissions import matrix

if TYPE_CHECKING:
    from flask import Flask

    from dashboard.areas import Area
    from dashboard.pages.context import PageContext
    from dashboard.phone.facts import Facts
    from dashboard.text import Words
    from data.access import Scope
    from data.store import Snapshot


def register(server: Flask, context: PageContext) -> None:
    """Add the page, its map, reports, warnings, and what makes it an app."""
    desk = phone_reports.Desk(context)
    server.add_url_rule("/m", "phone", functools.partial(show, context, desk))
    server.add_url_rule("/m/map", "phone_map", functools.partial(show_map, context))
    phone_reports.register(server, desk)
    phone_warnings.register(server, context)
    phone_app.register(server)


def opened(context: PageContext) -> tuple[Scope, Snapshot, Area]:
    """
    Area that the address names; 403 where it is unknown or another's, whichever it is.

    It ends the request with 503 where nothing is published.
    """
    scope = current_scope()
    try:
        snapshot = context.store.current()
        return scope, snapshot, own.open_area(scope, snapshot, request.args.get("area", ""))
    except SnapshotError:
        abort(503)
    except NotVisibleError:
        abort(403)


def show(context: PageContext, desk: phone_reports.Desk) -> Response:
    """Show one area."""
    audited.describe("view", "/m")
    scope, snapshot, area = opened(context)
    reference = own.reference(scope, snapshot, area)
    audited.describe("view", f"/m {reference}")
    told = render.words()
    shown = facts(scope, snapshot, area)
    head = story.head(snapshot, shown, told)
    is_reporting = decide(scope, "report_event").is_allowed
    answer = render.page(
        context,
        "phone.html",
        title=head.name,
        reference=reference,
        head=head,
        today=story.today(scope, snapshot, shown, told),
        week=story.week(snapshot, shown, told),
        places=story.places(scope, snapshot, shown, told),
        warnings=phone_warnings.listed(context, scope, snapshot, shown),
        said=phone_warnings.said(told),
        letters=_letters(context, scope, snapshot, area),
        below=_below(scope, snapshot, shown, told),
        below_title=story.below_title(snapshot, shown, told) if shown.level_below else "",
        classes=classes(scope, snapshot, told) if is_reporting else [],
        may_report=is_reporting and desk.is_open(),
        is_reporting=is_reporting,
        as_of=story.data_day(snapshot),
        notice=told.pick(snapshot.manifest.city["notice_zh"], snapshot.manifest.city["notice_en"]),
        **_trend(shown, told),
        **_places_to_go(scope, snapshot, area, told),
        **look(shown.palette),
        made=context.clock().astimezone(context.city().zone),
        reader=desk.codes.reader(scope.user),
        step_key=tasks.STEPS,
    )
    return marked(answer, context)


def _trend(shown: Facts, told: Words) -> dict[str, Any]:
    if shown.trend is None:
        return {"trend": None, "trend_said": "", "trend_rows": []}
    rows = zip(shown.trend.starts, shown.trend.counts, shown.trend.last_year, strict=True)
    return {
        "trend": chart(shown.trend),
        "chart_size": (CHART_WIDTH, HEIGHT),
        "trend_said": story.trend_said(shown, told),
        "trend_rows": [*rows][::-1],
        "trend_span": (shown.trend.starts[0], shown.trend.starts[-1]),
        "trend_incomplete": shown.trend.incomplete,
    }


def _places_to_go(scope: Scope, snapshot: Snapshot, area: Area, told: Words) -> dict[str, Any]:
    """Own areas to switch between, and what lies above this one."""
    tree = hierarchy(scope, snapshot)
    own_ones = own.own_areas(scope, snapshot)
    return {
        "switch": [
            (
                own.reference(scope, snapshot, one),
                story.area_name(scope, snapshot, one, told),
                one == area,
            )
            for one in own_ones
        ]
        if len(own_ones) > 1
        else [],
        "above": [
            (own.reference(scope, snapshot, one), story.area_name(scope, snapshot, one, told))
            for one in tree.path(area)[:-1]
        ],
    }


def _below(
    scope: Scope, snapshot: Snapshot, shown: Facts, told: Words
) -> list[tuple[str, str, int, int]]:
    """Address, name, colour and incidents of each area of the list below."""
    return [
        (
            own.reference(scope, snapshot, one.area),
            story.place_name(scope, snapshot, one.area, shown.area, told),
            one.colour,
            one.incidents,
        )
        for one in shown.below
    ]


def _letters(
    context: PageContext, scope: Scope, snapshot: Snapshot, area: Area
) -> list[Any] | None:
    """Signed letters about the area shown and what lies in it."""
    if "letters" not in matrix().actions:
        return None
    found = tasks.letters(scope, context.database)
    if found is None:
        return None
    code = str(hierarchy(scope, snapshot).at(area.level).codes[area.index])
    return [one for one in found if (area.level, code) in one.area_path]


def classes(scope: Scope, snapshot: Snapshot, told: Words) -> list[tuple[str, list[Any]]]:
    """Classes to choose from, under their upper ones: those that have none under them."""
    labels = queries.category_labels(scope, snapshot)
    parents = {one.group for index, one in labels.items() if one.group != index}
    groups: dict[int, list[tuple[str, str]]] = {}
    for index, one in labels.items():
        if index not in parents:
            groups.setdefault(one.group, []).append((one.code, told.pick(one.name_zh, one.name_en)))
    return [
        (told.pick(labels[group].name_zh, labels[group].name_en), members)
        for group, members in groups.items()
    ]


def show_map(context: PageContext) -> Response:
    """Answer with the small map alone: the page asks for it once it stands."""
    scope, snapshot, area = opened(context)
    audited.describe("view", f"/m/map {own.reference(scope, snapshot, area)}")
    told = render.words()
    drawn = small_map(scope, snapshot, area)
    if drawn is None:
        answer = render.page(context, "phone_map.html", map=None)
        return marked(answer, context)
    named = [
        story.area_name(scope, snapshot, one.area, told) if one.area else "" for one in drawn.shapes
    ]
    references = [
        own.reference(scope, snapshot, one.area) if one.area else "" for one in drawn.shapes
    ]
    window = periods.label(snapshot.manifest.last_period, grain=snapshot.manifest.grain)
    answer = render.page(
        context,
        "phone_map.html",
        map=drawn,
        width=WIDTH,
        shapes=list(zip(drawn.shapes, named, references, strict=True)),
        is_lowest=not own.level_below(scope, snapshot, area),
        window=window,
        grain=snapshot.manifest.grain,
        **look(palette(scope, snapshot)),
    )
    return marked(answer, context)
