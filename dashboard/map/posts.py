"""Posts that stay where they are, and the units that a register keeps: kind and number alone."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dashboard.elements import html
from dashboard.map import facility_rows
from dashboard.map.marks import Key, Marks
from data.resources.kinds import resource_kinds

if TYPE_CHECKING:
    from dashboard.text import Words
    from dashboard.view import View
    from data.access import Scope
    from data.store import Snapshot

Component = Any

NAME: Final = "resources"
MOST: Final = 1_500


def overlays_on_offer(scope: Scope, snapshot: Snapshot) -> tuple[str, ...]:
    """The layer, where its table exists."""
    return (NAME,) if facility_rows.is_on_offer(scope, snapshot, NAME) else ()


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
    if overlay not in overlays_on_offer(scope, snapshot):
        raise LookupError(f"overlay {overlay!r} is not on offer")
    every = facility_rows.posts(scope, snapshot, view.focus)
    located = np.flatnonzero(np.isfinite(every.lng))
    drawn = located[:MOST]
    names = [
        f"{name_of(every.kind[at], words)} {str(every.number[at]).partition(':')[2]}"
        for at in drawn
    ]
    return Marks(
        index=np.arange(len(drawn)),
        lng=every.lng[drawn],
        lat=every.lat[drawn],
        icons=tuple(icon(every.kind[at]) for at in drawn),
        labels=tuple(names),
        level=None,
        total=len(located),
        day=facility_rows.registers_day(snapshot),
    )


def icon(kind: str) -> str:
    """Symbol of a kind: a house or a shield."""
    told = resource_kinds().get(kind)
    return "unit" if told is not None and told.is_unit else "post"


def name_of(kind: str, words: Words) -> str:
    """Name of a kind; a code that is not known stands for itself."""
    told = resource_kinds().get(kind)
    return words.pick(told.name_zh, told.name_en) if told else str(kind)


def mark_legend(
    scope: Scope,
    snapshot: Snapshot,
    view: View,
    overlay: str,
    words: Words,
    *,
    resolution: int | None = None,
) -> list[Component]:
    """Symbol, name and number of each kind."""
    told = key(scope, snapshot, view, overlay, words, resolution=resolution)
    return key_legend(told)


def key(
    scope: Scope,
    snapshot: Snapshot,
    view: View,
    overlay: str,  # noqa: ARG001 - as every source of symbols
    words: Words,
    *,
    resolution: int | None = None,  # noqa: ARG001 - as every source of symbols
) -> Key:
    """What an image prints beside the symbols."""
    every = facility_rows.posts(scope, snapshot, view.focus)
    counts = Counter(every.kind.tolist())
    rows = tuple(
        (icon(kind), f"{name_of(kind, words)}  {counts[kind]:,d}")
        for kind in resource_kinds()
        if counts[kind]
    )
    notes = [words("resources_as_of", day=facility_rows.registers_day(snapshot))]
    without = int(np.isnan(every.lng).sum())
    if without:
        notes.append(words("facility_no_point", n=f"{without:,d}"))
    if len(every.lng) - without > MOST:
        notes.append(words("resources_left_out", shown=f"{MOST:,d}"))
    title = words("resources_amount", n=f"{len(every.lng):,d}")
    return Key(title, rows, tuple(notes))


def key_legend(told: Key) -> list[Component]:
    """Legend on the screen from that of an image."""
    head = html.Div(html.Span(told.title), className="legend-row")
    rows = [
        html.Div(
            [html.Span(className=f"mark-swatch mark-{shape}"), html.Span(text)],
            className="legend-row",
        )
        for shape, text in told.rows
    ]
    notes = [html.Div(note, className="legend-note") for note in told.notes]
    return [head, html.Div(rows), *notes]
