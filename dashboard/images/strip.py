"""Playback on paper: the last windows as small maps with one legend."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dashboard.images.formats import STRIP_MAPS, check
from dashboard.images.gather import shown, side
from dashboard.images.legends import main
from dashboard.images.map_image import composed, foot, subtitle, title
from dashboard.images.picture import Picture, Side
from dashboard.map.frames import earlier_views
from dashboard.text import Words
from dashboard.view import settle
from dashboard.windows import name as window_name

if TYPE_CHECKING:
    from data.access import Scope
    from data.store import Snapshot


def draw_strip(
    scope: Scope,
    snapshot: Snapshot,
    search: str,
    *,
    count: int = STRIP_MAPS,
    size: str = "a4",
    dpi: int | None = None,
    kind: str = "png",
    mark: str = "",
) -> bytes:
    """
    Draw the windows that end with the last periods up to the one in view, oldest first.

    Parameters
    ----------
    count
        How many, 1 to 26; fewer where there are fewer.

    Returns
    -------
    content
        See `dashboard.images.map_image.draw`, also for the other parameters and what it raises.
    """
    check(size=size, dpi=dpi, kind=kind, count=count)
    made = strip_picture(scope, snapshot, search, count=count, mark=mark)
    return composed(made, size=size, dpi=dpi).sheet.content(kind)


def strip_picture(
    scope: Scope, snapshot: Snapshot, search: str, *, count: int = STRIP_MAPS, mark: str = ""
) -> Picture:
    """What the strip of a view shows; overlays and comparisons are left out."""
    view = settle(scope, snapshot, search)
    words = Words(view.state.lang)
    view = replace(view, state=replace(view.state, overlays="", compare=""))
    views = earlier_views(scope, snapshot, view, most=count)
    sides: list[Side] = []
    for each in views:
        window = each.selection.window
        name = words("image_window", first=window.start, last=window.last_day)
        one = shown(scope, snapshot, each, words)
        drawn = side(scope, one, words, title=name, plain=True)
        sides.append(replace(drawn, has_scale=not sides))
    newest = shown(scope, snapshot, view, words)
    legend = main(scope, newest, words)
    return Picture(
        title=title(scope, newest, words),
        subtitle=words(
            "image_strip",
            what=subtitle(snapshot, view, words, dated=False),
            length=window_name(view.state, view.selection.window, words),
        ),
        sides=tuple(sides),
        legends=(replace(legend, notes=legend.notes[:1]),),
        foot=foot(snapshot, words, mark),
        safe=view.state.palette == "safe",
    )
