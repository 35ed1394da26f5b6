"""
Inspection points: what kind, and whether an inspection is due, told by shape as well as colour.

At most `MOST` symbols are drawn, the most urgent; the legend counts all of them, and says how many
are left out or have no point.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dashboard.elements import html
from dashboard.map import facility_rows
from dashboard.map.marks import Key, Marks
from data.resources.kinds import facility_kinds
from data.resources.state import OVERDUE, SOON_DAYS, STATES

if TYPE_CHECKING:
    from dashboard.map.facility_rows import Facilities
    from dashboard.text import Words
    from dashboard.view import View
    from data.access import Scope
    from data.store import Snapshot

Component = Any

NAME: Final = "facilities"
MOST: Final = 1_500
GLYPHS: Final = 6
"""Kinds that a reader tells apart; those beyond share the last glyph."""

_SIZES: Final = ((800, 0.6), (200, 0.85), (0, 1.1))
"""From so many symbols on, their size times the usual one."""


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
    Symbols of the focus, the most urgent last and so on top.

    Raises
    ------
    NotVisibleError
        The focus is outside the scope.
    LookupError
        The layer is not on offer.
    """
    if overlay not in overlays_on_offer(scope, snapshot):
        raise LookupError(f"overlay {overlay!r} is not on offer")
    every = facility_rows.facilities(scope, snapshot, view.focus)
    located = np.flatnonzero(np.isfinite(every.lng))
    drawn = located[:MOST][::-1]
    size = next(size for least, size in _SIZES if len(drawn) >= least)
    return Marks(
        index=np.arange(len(drawn)),
        lng=every.lng[drawn],
        lat=every.lat[drawn],
        icons=tuple(icon(every.kind[at], every.state[at]) for at in drawn),
        labels=tuple(_label(every, at, words) for at in drawn),
        level=None,
        total=len(located),
        day=every.as_of,
        sizes=(size,) * len(drawn),
    )


def icon(kind: str, state: str) -> str:
    """Name of a symbol: its glyph is the kind, its plate the state."""
    kinds = list(facility_kinds())
    at = kinds.index(kind) if kind in kinds else len(kinds)
    return f"facility-{min(at + 1, GLYPHS)}-{state}"


def mark_legend(
    scope: Scope,
    snapshot: Snapshot,
    view: View,
    overlay: str,  # noqa: ARG001 - as every source of symbols
    words: Words,
    *,
    resolution: int | None = None,  # noqa: ARG001 - as every source of symbols
) -> list[Component]:
    """How many are overdue of how many, each state and each kind, and as of which day."""
    every = facility_rows.facilities(scope, snapshot, view.focus)
    states, kinds = Counter(every.state.tolist()), Counter(every.kind.tolist())
    late = Counter(every.kind[every.state == OVERDUE].tolist())
    head = html.Div(
        [html.Span(words("overlay_facilities")), html.Small(_amount(states, words))],
        className="legend-row",
    )
    rows = [
        _row(f"mark-plate mark-plate-{state}", words(f"facility_{state}"), f"{states[state]:,d}")
        for state in STATES
    ]
    rows += [
        _row(
            f"mark-glyph mark-point-{min(at, GLYPHS)}",
            words.pick(kind.name_zh, kind.name_en),
            words("facility_kind_n", n=f"{kinds[code]:,d}", late=f"{late[code]:,d}"),
        )
        for at, (code, kind) in enumerate(facility_kinds().items(), start=1)
        if kinds[code]
    ]
    notes = [html.Div(note, className="legend-note") for note in _notes(every, words)]
    return [head, html.Div(rows), *notes]


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
    every = facility_rows.facilities(scope, snapshot, view.focus)
    states, kinds = Counter(every.state.tolist()), Counter(every.kind.tolist())
    rows = [
        (f"facility-0-{state}", f"{words(f'facility_{state}')}  {states[state]:,d}")
        for state in STATES
    ]
    rows += [
        (f"point-{min(at, GLYPHS)}", f"{words.pick(kind.name_zh, kind.name_en)}  {kinds[code]:,d}")
        for at, (code, kind) in enumerate(facility_kinds().items(), start=1)
        if kinds[code]
    ]
    return Key(words("overlay_facilities"), tuple(rows), _notes(every, words))


def _row(swatch: str, name: str, number: str) -> Component:
    shape = html.Span(className=f"mark-swatch {swatch}")
    return html.Div([shape, html.Span(name), html.Small(number)], className="legend-row")


def _amount(states: Counter[str], words: Words) -> str:
    total = f"{sum(states.values()):,d}"
    return words("facility_amount", late=f"{states[OVERDUE]:,d}", total=total)


def _notes(every: Facilities, words: Words) -> tuple[str, ...]:
    located = int(np.isfinite(every.lng).sum())
    notes = [words("facility_as_of", day=every.as_of, days=SOON_DAYS)]
    if located > MOST:
        left = f"{located - MOST:,d}"
        notes.append(words("facility_left_out", shown=f"{MOST:,d}", left=left))
    if located < len(every.lng):
        notes.append(words("facility_no_point", n=f"{len(every.lng) - located:,d}"))
    return tuple(notes)


def _label(every: Facilities, at: int, words: Words) -> str:
    """Kind, number, state and days; no name."""
    kind = facility_kinds().get(every.kind[at])
    name = words.pick(kind.name_zh, kind.name_en) if kind else str(every.kind[at])
    number = str(every.number[at]).partition(":")[2]
    state = str(every.state[at])
    told = [f"{name} {number}"]
    if state == OVERDUE:
        told.append(words("facility_late_by", n=f"{every.overdue_days[at]:,d}"))
    else:
        told.append(words(f"facility_{state}"))
    if every.due_on[at]:
        told.append(words("facility_due_on", day=every.due_on[at]))
    last = every.last_inspected[at]
    told.append(words("facility_last", day=last) if last else words("facility_never"))
    return words("assess_join").join(told)
