"""What the colours of the areas can show: one registry of measures, and what is told of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dashboard import assessment
from dashboard.cache import scoped_cache
from dashboard.map import (
    measures_analysed,
    measures_counted,
    measures_expected,
    measures_resources,
)
from dashboard.map.banded import Measured, Terms
from dashboard.queries import exact
from dashboard.state import MEASURES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dashboard.areas import Area
    from dashboard.text import Words
    from dashboard.view import View
    from data.access import Scope
    from data.store import Snapshot

__all__ = ["MEASURES", "Measured", "hover_terms", "measured", "name_of", "on_offer"]

_TABLES: Final = {"index": "area_index", "breach": "clock_states", "discovered": "area_trust"}
"""Tables of the analysis without which a measure is not on offer."""

_REGISTERS: Final = {"overdue": "facilities_due", "patrol": "patrol_coverage"}
"""The same of the city's registers."""

_MEASURED: Final[Mapping[str, Callable[[Scope, Snapshot, View, Words], Measured]]] = {
    "rate": measures_counted.rate,
    "index": measures_analysed.index,
    "count": measures_counted.count,
    "change": measures_counted.change,
    "change_year": measures_counted.change_year,
    "band15": measures_expected.band15,
    "breach": measures_analysed.breach,
    "discovered": measures_analysed.discovered,
    "overdue": measures_resources.overdue,
    "patrol": measures_resources.patrol,
}
_TERMS: Final[Mapping[str, Callable[[Scope, Snapshot, View, Area, Words], Terms]]] = {
    "rate": measures_counted.rate_terms,
    "index": measures_analysed.index_terms,
    "count": measures_counted.count_terms,
    "change": measures_counted.change_terms,
    "change_year": measures_counted.change_year_terms,
    "band15": measures_expected.band15_terms,
    "breach": measures_analysed.breach_terms,
    "discovered": measures_analysed.discovered_terms,
    "overdue": measures_resources.overdue_terms,
    "patrol": measures_resources.patrol_terms,
}


@scoped_cache
def on_offer(scope: Scope, snapshot: Snapshot) -> tuple[str, ...]:
    """Measures whose tables exist; a scope that covers no area exactly has the rate alone."""
    if not scope.sees_areas:
        return ("rate",)
    held = set(snapshot.tables())
    is_analysed = assessment.settings(scope, snapshot) is not None
    return tuple(
        name
        for name in MEASURES
        if (name not in _TABLES or (is_analysed and _TABLES[name] in held))
        and (name not in _REGISTERS or _REGISTERS[name] in held)
    )


def name_of(name: str, words: Words) -> str:
    """Name of a measure, for a control."""
    return words(f"measure_{name}")


def measured(scope: Scope, snapshot: Snapshot, view: View, name: str, words: Words) -> Measured:
    """
    Bands and counts of the areas of the shown level, and the words of their legend.

    Raises
    ------
    NotVisibleError
        The scope covers no area exactly (`dashboard.protected` shows what is released).
    LookupError
        The measure is not on offer.
    """
    exact(scope)
    _check(scope, snapshot, name)
    return _MEASURED[name](scope, snapshot, view, words)


def hover_terms(  # noqa: PLR0917 - as `measured`, of one area
    scope: Scope, snapshot: Snapshot, view: View, area: Area, name: str, words: Words
) -> Terms:
    """
    Tell of one area what a measure says, with its arithmetic in short.

    Raises
    ------
    NotVisibleError
        The area is unknown or outside the scope.
    LookupError
        The measure is not on offer.
    """
    exact(scope)
    _check(scope, snapshot, name)
    return _TERMS[name](scope, snapshot, view, area, words)


def _check(scope: Scope, snapshot: Snapshot, name: str) -> None:
    if name not in on_offer(scope, snapshot):
        raise LookupError(f"measure {name!r} is not on offer")
