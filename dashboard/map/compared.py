"""A second view beside the first: the same place, with one thing otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from dashboard import queries
from dashboard.map import measures
from dashboard.windows import ends
from data.periods import PERIODS_PER_YEAR, label

if TYPE_CHECKING:
    from dashboard.queries import Selection
    from dashboard.text import Words
    from dashboard.view import View
    from data.access import Scope
    from data.store import Snapshot

BEFORE: Final = "before"
"""The window just before."""

YEAR: Final = "year"
"""The same window a year before."""

CATEGORY: Final = "category"
MEASURE: Final = "measure"
KNOWN: Final = "known"
"""The same as it was known in an earlier snapshot; see `dashboard.map.known`."""


def other(scope: Scope, snapshot: Snapshot, view: View) -> View | None:
    """
    View of the second map: what `state.compare` names instead; None where nothing is compared.

    Raises
    ------
    LookupError
        There is no such period, category or measure, or it is the one shown.
    """
    state = view.state
    if not state.compare or state.compare.startswith(KNOWN):
        return None
    kind, _, value = state.compare.partition(".")
    plain = replace(state, compare="", overlays="")
    if kind == CATEGORY:
        categories = queries.category_family(scope, snapshot, value)
        if categories is None or value == state.category:
            raise LookupError(state.compare)
        selection = replace(view.selection, categories=categories)
        return replace(view, state=replace(plain, category=value), selection=selection)
    if kind == MEASURE:
        known = measures.on_offer(scope, snapshot)
        if value not in known or value == state.measure or state.layer == "cells":
            raise LookupError(state.compare)
        return replace(view, state=replace(plain, measure=value))
    earlier = _earlier(scope, snapshot, view, kind)
    if earlier is None:
        raise LookupError(state.compare)
    window = earlier.window
    # As many periods, also where the calendar says how many: a part is set beside an equal part.
    first, end = (label(day, grain=window.grain) for day in (window.start, window.end))
    plain = replace(plain.over(start=first), end=end)
    return replace(view, state=plain, selection=earlier)


def _earlier(scope: Scope, snapshot: Snapshot, view: View, kind: str) -> Selection | None:
    """The same filter in an earlier window; None where there is no such window."""
    window = view.selection.window
    year = PERIODS_PER_YEAR[window.grain]
    if kind == YEAR and window.periods > year:
        return None  # it would be compared with a part of itself
    selection = view.selection.earlier(window.periods if kind == BEFORE else year)
    return selection if selection.window.end in ends(scope, snapshot) else None


def on_offer(scope: Scope, snapshot: Snapshot, view: View, words: Words) -> list[tuple[str, str]]:
    """
    What the view can be compared with: values of `state.compare` with their words.

    Periods first, then the other measures, then the categories of the upper level.
    """
    state = view.state
    known = () if state.layer == "cells" else measures.on_offer(scope, snapshot)
    labels = queries.category_labels(scope, snapshot)
    return [
        *(
            (kind, words(f"twin_{kind}"))
            for kind in (BEFORE, YEAR)
            if _earlier(scope, snapshot, view, kind) is not None
        ),
        *(
            (f"{MEASURE}.{name}", words(f"measure_short_{name}"))
            for name in known
            if name != state.measure
        ),
        *(
            (f"{CATEGORY}.{label.code}", words.pick(label.name_zh, label.name_en))
            for index, label in labels.items()
            if label.group == index and label.code != state.category
        ),
    ]


def title(snapshot: Snapshot, view: View, kind: str, words: Words) -> str:
    """What tells one of two maps from the other."""
    if kind.startswith(MEASURE):
        return words(f"measure_short_{view.state.measure}")
    if kind.startswith(CATEGORY):
        table = snapshot.categories
        found = table[table["code"] == view.state.category]
        if found.empty:
            return words("category_all")
        return words.pick(found["name_zh"].iloc[0], found["name_en"].iloc[0])
    window = view.selection.window
    return words("week_range", first=window.start, last=window.last_day)
