"""
Live layers: units where they are now, and how full places are.

Both end by themselves when nothing new comes. A scope sees what its sender places in one of its
areas and what lies there; what is placed in no area that the snapshot knows, or far from it, is
seen by the whole city's scope alone.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from flask import current_app, g, has_app_context, has_request_context

from dashboard.areas import hierarchy
from dashboard.live.claims import believed_crowds, believed_units
from dashboard.map import posts
from dashboard.map.marks import Key, Marks
from dashboard.queries import exact
from data.resources.kinds import resource_kinds
from data.resources.live import CROWDS, UNITS, LiveStore
from data.state.database import StateError
from geo import cells as h3_cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask import Flask

    from dashboard.areas import Area
    from dashboard.text import Words
    from dashboard.view import View
    from data.access import Scope
    from data.resources.live import Crowd, Unit
    from data.state.database import StateDatabase
    from data.store import Snapshot

Component = Any

MOST: Final = 1_500
SIZES: Final = ((1_000, 1.6), (200, 1.25), (50, 1.0), (0, 0.75))
"""From so many people on, the size of a crowd's symbol times the usual one."""

_EXTENSION: Final = "pingan_live"
_OFFER: Final = "live_offer"

log = logging.getLogger("dashboard.live")


@dataclass(frozen=True)
class Drawn:
    """What is live inside a focus."""

    units: tuple[Unit, ...]
    crowds: tuple[Crowd, ...]
    at: dt.datetime


def install(server: Flask, database: StateDatabase) -> None:
    """Make the live tables known to the requests of an application."""
    server.extensions[_EXTENSION] = LiveStore(database)


def present() -> LiveStore | None:
    """Live tables of the application that is answering; None where there is none."""
    if not has_app_context():
        return None
    found: LiveStore | None = current_app.extensions.get(_EXTENSION)
    return found


def drawn(
    scope: Scope, snapshot: Snapshot, focus: Area, store: LiveStore, *, now: dt.datetime
) -> Drawn:
    """
    What is live inside the focus and the scope; nothing of it is cached.

    Raises
    ------
    NotVisibleError
        The focus is unknown or outside the scope.
    StateError
        The database fails.
    """
    exact(scope)
    tree = hierarchy(scope, snapshot)
    tree.check(focus)
    codes = snapshot.areas["code"].to_numpy()
    inside = set(codes[tree.rows_inside(focus)].tolist())
    sees_rest = scope.sees_all and focus == tree.top()

    def shown(code: str) -> bool:
        return code in inside or (sees_rest and not code)

    units, crowds = tuple(store.units(now)), tuple(store.crowds(now))
    return Drawn(
        tuple(one for one, code in believed_units(snapshot, units) if shown(code)),
        tuple(one for one, code in believed_crowds(snapshot, crowds) if shown(code)),
        now,
    )


def overlays_on_offer(scope: Scope, snapshot: Snapshot) -> tuple[str, ...]:  # noqa: ARG001
    """The layers of which something is live; none for a scope that covers no area exactly."""
    store = present()
    if store is None or not scope.sees_areas:
        return ()
    if not has_request_context():
        return _present_in(store)
    # One answer asks a dozen times, and must be told the same each time.
    if _OFFER not in g:
        setattr(g, _OFFER, _present_in(store))
    offered: tuple[str, ...] = getattr(g, _OFFER)
    return offered


def _present_in(store: LiveStore) -> tuple[str, ...]:
    now = _now()
    try:
        has = zip((UNITS, CROWDS), store.present(now), strict=True)
    except StateError:
        log.exception("what is live cannot be read; the map is drawn without it")
        return ()
    return tuple(name for name, is_live in has if is_live)


def found(
    scope: Scope,
    snapshot: Snapshot,
    view: View,
    overlay: str,
    words: Words,
    *,
    resolution: int | None = None,  # noqa: ARG001 - as every source of symbols
) -> Marks:
    """
    Symbols of the focus.

    Raises
    ------
    NotVisibleError
        The focus is outside the scope.
    LookupError
        The layer is not on offer.
    """
    live = _live(scope, snapshot, view, overlay)
    return _units(live, view, words) if overlay == UNITS else _crowds(live, view, words)


def mark_legend(
    scope: Scope,
    snapshot: Snapshot,
    view: View,
    overlay: str,
    words: Words,
    *,
    resolution: int | None = None,
) -> list[Component]:
    """Symbol and number of each kind, and as of which minute."""
    return posts.key_legend(key(scope, snapshot, view, overlay, words, resolution=resolution))


def key(
    scope: Scope,
    snapshot: Snapshot,
    view: View,
    overlay: str,
    words: Words,
    *,
    resolution: int | None = None,  # noqa: ARG001 - as every source of symbols
) -> Key:
    """What an image prints beside the symbols."""
    live = _live(scope, snapshot, view, overlay)
    at = words("live_at", at=_local(live.at, snapshot))
    if overlay == UNITS:
        counts = Counter(one.kind for one in live.units)
        rows = tuple(
            ("unit-live", f"{posts.name_of(kind, words)}  {counts[kind]:,d}")
            for kind in resource_kinds()
            if counts[kind]
        )
        return Key(words("overlay_units"), rows, (at, words("live_units_about")))
    people = sum(one.count for one in live.crowds)
    told = words("live_crowds_n", n=f"{people:,d}", cells=f"{len(live.crowds):,d}")
    return Key(words("overlay_crowds"), (("crowd", told),), (at, words("live_crowds_about")))


def _live(scope: Scope, snapshot: Snapshot, view: View, overlay: str) -> Drawn:
    store = present()
    if store is None or overlay not in overlays_on_offer(scope, snapshot):
        raise LookupError(f"overlay {overlay!r} is not on offer")
    return drawn(scope, snapshot, view.focus, store, now=_now())


def _units(live: Drawn, view: View, words: Words) -> Marks:
    shown = live.units[:MOST]
    labels = [f"{posts.name_of(one.kind, words)} {one.unit}" for one in shown]
    points = np.array([(one.lng, one.lat) for one in shown], dtype=np.float64).reshape(-1, 2)
    icons = ("unit-live",) * len(shown)
    return _marks(points, icons, labels, view, total=len(live.units))


def _crowds(live: Drawn, view: View, words: Words) -> Marks:
    shown = sorted(live.crowds, key=lambda one: -one.count)[:MOST]
    cells = np.array([one.cell for one in shown], dtype=np.int64)
    points = np.column_stack(h3_cells.cell_centres(cells)) if len(shown) else np.empty((0, 2))
    labels = [words("live_crowd", n=f"{one.count:,d}") for one in shown]
    sizes = tuple(next(size for least, size in SIZES if one.count >= least) for one in shown)
    icons = ("crowd",) * len(shown)
    return _marks(points, icons, labels, view, total=len(live.crowds), sizes=sizes)


def _marks(
    points: np.ndarray,
    icons: tuple[str, ...],
    labels: Sequence[str],
    view: View,
    *,
    total: int,
    sizes: tuple[float, ...] = (),
) -> Marks:
    return Marks(
        index=np.arange(len(points)),
        lng=points[:, 0],
        lat=points[:, 1],
        icons=icons,
        labels=tuple(labels),
        level=None,
        total=total,
        day=view.selection.window.last_day,
        sizes=sizes,
    )


def _local(moment: dt.datetime, snapshot: Snapshot) -> str:
    return f"{moment.astimezone(ZoneInfo(snapshot.manifest.city['time_zone'])):%H:%M}"


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
