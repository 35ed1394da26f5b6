"""`/command`: the desk of a command centre; drawn by the server, renewed by a small script."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import TYPE_CHECKING, Any, Final

from flask import abort, current_app, request

from dashboard import audited
from dashboard.command import breaches, naming, places, spots, told, units
from dashboard.command.evidence import Evidence
from dashboard.command.filters import SIZE, Filters
from dashboard.command.kept import register
from dashboard.command.rows import Teller
from dashboard.guard import current_scope
from dashboard.pages import render
from dashboard.phone import own
from dashboard.phone.story import data_day, level_name
from dashboard.situation.drawing import map_level, situation_map
from data.access import NotVisibleError, decide
from data.manifest import SnapshotError
from data.warnings import life, queue, rights
from data.warnings.store import MOST_AT_ONCE

if TYPE_CHECKING:
    from flask import Response

    from dashboard.areas import Area
    from dashboard.command.rows import Line
    from dashboard.pages.context import PageContext
    from data.access import Scope
    from data.store import Snapshot

BATCH: Final = (life.ASSIGN, life.SIGN, life.START, life.CLOSE)
"""Steps that several warnings can be taken through at once."""

PRESSED: Final = ("none", "nowhere")
"""Presses that could not be meant."""

TALLY: Final = {"open": "open_count", "late": "late", "today": "", "hour": ""}
"""Figures of the head; those of incidents come with the live feed."""

KEYS: Final = ("move", "select", "open", "assign", "filter", "help")


class Desk:
    """One request for the desk: what is asked for, and what it is drawn from."""

    def __init__(self, context: PageContext) -> None:
        self.context, self.scope, self.words = context, current_scope(), render.words()
        self.filters = Filters.read(request.args)
        self.now = context.clock()
        self.kept = register(context)
        self.snapshot, self.focus = opened(context, self.scope, self.filters.area)
        self.teller = Teller(
            self.scope,
            self.kept,
            context.names,
            Evidence.of(self.scope, self.snapshot, self.words),
            self.words,
            self.now,
        )

    @property
    def is_acting(self) -> bool:
        """Whether the reader may take any warning through a step."""
        return decide(self.scope, rights.ACT).is_allowed

    def queue(self) -> dict[str, Any]:
        """Everything that the queue's own part of the page shows."""
        place = None
        if self.filters.area:
            place = places.place_of(self.scope, self.snapshot, self.focus)
        known = queue.tallies(self.kept, self.scope, place, self.now)
        total = self.teller.total(self.filters, known)
        last = max(1, -(-total // SIZE))
        if int(self.filters.page) > last:
            self.filters = self.filters.but(page=str(last))
        lines = self.teller.page(self.filters, known, place)
        return {
            "filters": self.filters,
            "choices": self.teller.choices(self.filters, known),
            "owners": self.teller.units(self.filters, known),
            "lines": lines,
            "total": total,
            "late": sum(one.n for one in known if one.due == queue.LATE),
            "open_count": sum(one.n for one in known if one.state in life.OPEN),
            "first": (int(self.filters.page) - 1) * SIZE + 1,
            "last_page": last,
            "here": lambda filters: render.address("command", **filters.query()),
            "is_acting": self.is_acting,
            **self._batch(lines),
        }

    def _batch(self, lines: list[Line]) -> dict[str, Any]:
        """What several warnings at once can be taken through."""
        steps = [one for one in BATCH if any(one in line.steps for line in lines)]
        settings, words = self.kept.settings, self.words
        levels = units.levels(self.scope, self.snapshot, settings)
        return {
            "steps": steps,
            "most": MOST_AT_ONCE,
            "key": secrets.token_hex(16),
            "reasons": [(one, words(f"phone_closed_{one}")) for one in life.REASONS[life.CLOSE]],
            "unit_levels": [
                (f"{units.LEVEL}:{one}",
                 words("command_own_unit", level=level_name(self.snapshot, one, words)))
                for one in levels
            ],
            "unit_list": units.Units(
                self.scope, self.snapshot, settings, self.context.names, words
            ).below(self.focus),
        }  # fmt: skip

    def map(self) -> dict[str, Any]:
        """The situation map with its way up."""
        level = map_level(self.scope, self.snapshot, self.focus)
        counts = self.kept.by_area(self.scope, level) if level else {}
        drawn = situation_map(
            self.scope,
            self.snapshot,
            self.focus,
            self.words,
            warnings=counts,
            href=lambda one: render.address("command", **self.filters.but(area=one).query()),
        )
        path = places.way_up(self.scope, self.snapshot, self.focus, self.words)
        return {
            "map": drawn,
            "path": [
                (render.address("command", **self.filters.but(area=one).query()), name)
                for one, name in path
            ],
            "map_search": places.search(self.scope, self.snapshot, self.focus),
        }

    def side(self) -> dict[str, Any]:
        """What will be late, and where it is hot."""
        found, total = spots.spots(self.scope, self.snapshot, self.focus, self.words)
        scope, snapshot, focus, words = self.scope, self.snapshot, self.focus, self.words
        return {
            "spots": found,
            "spots_total": total,
            "sparkline": (spots.WIDTH, spots.HEIGHT),
            "warned": breaches.warned(self.kept, scope, self.now),
            "expected": breaches.expected(scope, snapshot, focus, words),
            "matters": breaches.matters(scope, snapshot, focus, words, self.context.city().zone),
            "as_of": data_day(snapshot),
        }


def opened(context: PageContext, scope: Scope, reference: str) -> tuple[Snapshot, Area]:
    """Snapshot and area that the address names; 404 for what is unknown or another's alike."""
    try:
        snapshot = context.store.current()
        return snapshot, own.open_area(scope, snapshot, reference)
    except SnapshotError:
        abort(503)
    except NotVisibleError:
        abort(404)


def show(context: PageContext) -> Response:
    """Show the desk, or the queue alone to a page that renews it."""
    audited.describe("view", f"/command {request.query_string.decode('ascii', 'replace')}"[:200])
    desk = Desk(context)
    if request.args.get("part") == "queue":
        return render.page(context, "command_queue.html", **desk.queue())
    pressed = request.args.get("told", "")
    step, outcomes = told.read(pressed, desk.teller)
    shown = desk.queue()
    return render.page(
        context,
        "command.html",
        title=desk.words("nav_command"),
        **shown,
        **desk.map(),
        **desk.side(),
        step=step,
        outcomes=outcomes,
        pressed=desk.words(f"command_pressed_{pressed}") if pressed in PRESSED else "",
        tally=[
            (name, desk.words(f"command_{name}"), shown.get(value, "–"))
            for name, value in TALLY.items()
        ],
        may_open=desk.is_acting,
        screen="/screen" if "screen" in current_app.view_functions else "",
        keys=KEYS,
        focus_name=naming.area(
            context.names,
            desk.scope,
            places.place_of(desk.scope, desk.snapshot, desk.focus),
            desk.words,
        ),
        made=render.local_time(
            context, dt.datetime.fromisoformat(desk.snapshot.manifest.raw["created_at"])
        )[:16],
    )
