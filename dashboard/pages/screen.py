"""`/screen`: the wall, drawn whole by the server; `?part=scenes` is what changes with the data."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from flask import abort, request

from dashboard import audited
from dashboard.areas import hierarchy
from dashboard.controls import level_name
from dashboard.guard import current_scope
from dashboard.live.route import revision
from dashboard.pages import render, screen_special
from dashboard.phone import tasks
from dashboard.phone.own import last_day
from dashboard.screen import facts, queue, story
from dashboard.screen.spark import HEIGHT, WIDTH, spark
from dashboard.situation.drawing import situation_map
from dashboard.situation.sheet import Frame
from data.access import NotVisibleError
from data.manifest import SnapshotError
from data.warnings.settings import WarningSettingsError

if TYPE_CHECKING:
    import datetime as dt

    from flask import Response

    from dashboard.areas import Area
    from dashboard.pages.context import PageContext
    from dashboard.screen.queue import Queue
    from dashboard.text import Words
    from data.access import Scope
    from data.store import Snapshot
    from data.warnings.store import Warnings

log = logging.getLogger("dashboard")

PRESETS: Final = {"": (1920, 1080), "wide": (3840, 1080)}
"""Size of the stage; it is scaled to any wall."""

MAPS: Final = {"": Frame(952, 646, 24), "wide": Frame(1204, 646, 26)}
EVERY_MS: Final = (500, 60_000, 2_000)
DWELL_S: Final = (4, 600, 20)
"""Least, most and usual: between two questions for what is new, and of one scene."""

SCENES: Final = ("overview", "spots", "deadlines", "special")


def show(context: PageContext) -> Response:
    """Show the wall, or its scenes alone."""
    part, preset = request.args.get("part", ""), request.args.get("preset", "")
    if part not in ("", "scenes") or preset not in PRESETS:
        abort(400)
    every, dwell = _number("every", EVERY_MS), _number("dwell", DWELL_S)
    audited.describe("view", f"/screen {part}".strip())
    told = render.words()
    scenes = _scenes(context, preset, told)
    if part:
        return render.page(context, "screen_scenes.html", **scenes)
    width, height = PRESETS[preset]
    return render.page(
        context,
        "screen.html",
        title=told("screen_title", name=scenes["name"]),
        preset=preset,
        width=width,
        height=height,
        every=every,
        dwell=dwell,
        code=revision(),
        is_safe=request.args.get("palette") == "safe",
        zone=context.city().zone.key,
        now_ms=int(context.clock().timestamp() * 1000),
        **scenes,
    )


def _number(name: str, allowed: tuple[int, int, int]) -> int:
    """Whole number of the address within bounds; the usual one where it names none."""
    least, most, usual = allowed
    text = request.args.get(name, "")
    if not text:
        return usual
    if not (text.isascii() and text.isdigit() and len(text) < 7 and least <= int(text) <= most):
        abort(400)
    return int(text)


def _scenes(context: PageContext, preset: str, told: Words) -> dict[str, Any]:
    """What the fragment shows; where nothing is published, that alone."""
    now = context.clock()
    local = now.astimezone(context.city().zone)
    common = {"loaded": local, "day": local.date().isoformat()}
    try:
        snapshot = context.store.current()
    except SnapshotError:
        return {"snapshot": "", "name": "", "scenes": [], "board": None, **common}
    scope = current_scope()
    try:
        area = _area(scope, snapshot)
        return {**common, **_filled(context, scope, snapshot, area, preset, told)}
    except NotVisibleError:
        abort(403)


def _area(scope: Scope, snapshot: Snapshot) -> Area:
    """Area that the address names; the highest of the scope where it names none."""
    tree = hierarchy(scope, snapshot)
    reference = request.args.get("area", "")
    return tree.find(reference, day=last_day(snapshot)) if reference else tree.top()


def _filled(  # noqa: PLR0917 - the page's one question
    context: PageContext,
    scope: Scope,
    snapshot: Snapshot,
    area: Area,
    preset: str,
    told: Words,
) -> dict[str, Any]:
    now = context.clock()
    board = facts.board(scope, snapshot, area)
    kept = _kept(context)
    waiting = queue.queue_of(scope, snapshot, area, board.level, kept, now) if kept else None
    period = screen_special.shown(context, scope, told, now)
    drawn = situation_map(
        scope,
        snapshot,
        area,
        told,
        frame=MAPS[preset],
        is_fine=True,
        warnings=waiting.by_area if waiting else None,
    )
    return {
        "snapshot": snapshot.id,
        "name": str(hierarchy(scope, snapshot).at(area.level).names(told.lang)[area.index]),
        "scenes": [name for name in SCENES if name != "special" or period],
        "board": board,
        "cards": story.cards(snapshot, board, waiting, told),
        "map": drawn,
        "level": _level(snapshot, board.level, told),
        "coloured": _level(snapshot, drawn.level_coloured if drawn else "", told),
        "spots": story.spots(board, told),
        "fading": story.fading(board, told),
        "patterns": story.patterns(board, told),
        "clocks": story.clocks(board, told),
        "sources": story.sources(board, told),
        "has_queue": waiting is not None,
        "special": period,
        "notice": told.pick(
            snapshot.manifest.city["notice_zh"], snapshot.manifest.city["notice_en"]
        ),
        "tints": board.palette.tints if board.palette else (),
        "spark": spark,
        "spark_size": (WIDTH, HEIGHT),
        **_warned(scope, snapshot, waiting, kept, told, now),
    }


def _level(snapshot: Snapshot, level: str, told: Words) -> str:
    """Name of a level; "" for none, as below the lowest."""
    return level_name(snapshot, level, told) if level else ""


def _warned(  # noqa: PLR0917 - the page's one question
    scope: Scope,
    snapshot: Snapshot,
    waiting: Queue | None,
    kept: Warnings | None,
    told: Words,
    now: dt.datetime,
) -> dict[str, list[story.Line]]:
    """The two lists of warnings in words."""
    if waiting is None or kept is None:
        return {"newest": [], "urgent": []}
    both = (*waiting.newest, *waiting.next_ones)
    names = _names(scope, snapshot, {(one.level, one.code) for one in both}, told)
    kinds = {rule.name: rule.kind for rule in kept.settings.rules}
    return {
        "newest": story.warned(waiting.newest, names, kinds, told, now, by_due=False),
        "urgent": story.warned(waiting.next_ones, names, kinds, told, now, by_due=True),
    }


def _names(
    scope: Scope, snapshot: Snapshot, places: set[tuple[str, str]], told: Words
) -> dict[tuple[str, str], str]:
    """Names of areas that the scope covers, each after that of the area above it."""
    tree, found = hierarchy(scope, snapshot), {}
    for level, code in sorted(places):
        try:
            area = tree.find(f"{level}.{code}" if code != "*" else "", day=last_day(snapshot))
        except NotVisibleError:
            if code == "*":
                found[level, code] = told("level_city")
            continue
        above = tree.parent(area)
        # English names are long; but every community has a grid 2.
        is_told = told.lang == "zh" or level in ("community", "grid")
        path = [above, area] if above and is_told and above != tree.top() else [area]
        found[level, code] = " ".join(
            str(tree.at(one.level).names(told.lang)[one.index]) for one in path
        )
    return found


def _kept(context: PageContext) -> Warnings | None:
    """Warnings of this installation; none where the city's rules of them cannot be used."""
    try:
        return tasks.register(context.settings, context.database, context.city().zone.key)
    except WarningSettingsError:
        log.exception("warnings.toml of the city cannot be used; the wall shows no warnings")
        return None
