"""What registers tell of areas: share of facilities that are overdue, visits of patrols."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

import numpy as np

from dashboard.areas import hierarchy
from dashboard.cache import scoped_cache_of_few
from dashboard.map.banded import Measured, Terms, banded, half_open, level_rows, scale, within
from dashboard.map.facility_rows import registers_day
from data.periods import shift, span

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dashboard.areas import Area
    from dashboard.text import Words
    from dashboard.view import View
    from data.access import Scope
    from data.store import Snapshot

OVERDUE_EDGES: Final = (0.02, 0.05, 0.1, 0.25)
"""Lower edges of bands 2 to 5 of the share overdue, the same every week."""

VISIT_EDGES: Final = (1.0, 3.0, 7.0, 14.0)
"""The same of visits per lowest area and week: at least one, three, one a day, two a day."""

SMALL: Final = 10
"""A share of fewer facilities than this is hatched as a small sample."""

MOST_WEEKS: Final = 13

Level = dict[str, "NDArray[np.float64]"]


def overdue(scope: Scope, snapshot: Snapshot, view: View, words: Words) -> Measured:
    """Share of the facilities that are overdue, of those whose day is known."""
    due = _level_due(scope, snapshot, view.level)
    known = due["total"] - due["unknown"]
    share = np.divide(due["overdue"], known, out=np.full(len(known), np.nan), where=known > 0)
    return within(
        scope,
        snapshot,
        view,
        Measured(
            name="overdue",
            bands=banded(share, OVERDUE_EDGES),
            counts=np.nan_to_num(known).astype(np.int64),
            small=SMALL,
            colours=scale("overdue", len(OVERDUE_EDGES) + 1),
            texts=half_open(OVERDUE_EDGES, "s", form=".0%"),
            title=words("measure_title_overdue"),
            no_data=words("measure_overdue_unknown"),
            notes=(
                words("measure_note_overdue", day=registers_day(snapshot)),
                words("measure_note_small", n=SMALL),
            ),
        ),
    )


def patrol(scope: Scope, snapshot: Snapshot, view: View, words: Words) -> Measured:
    """Visits per told lowest area and week, in the weeks of the window."""
    first, last = _weeks(view)
    told = _level_visits(scope, snapshot, view.level, first, last)
    rate = np.divide(
        told["visits"],
        told["told"],
        out=np.full(len(told["told"]), np.nan),
        where=np.nan_to_num(told["told"]) > 0,
    )
    return within(
        scope,
        snapshot,
        view,
        Measured(
            name="patrol",
            bands=banded(rate, VISIT_EDGES),
            counts=np.nan_to_num(told["visits"]).astype(np.int64),
            small=0,
            colours=scale("patrol", len(VISIT_EDGES) + 1),
            texts=half_open(VISIT_EDGES, "v"),
            title=words("measure_title_patrol"),
            no_data=words("measure_patrol_unknown"),
            notes=(words("measure_note_patrol", first=first, last=last),),
        ),
    )


def overdue_terms(scope: Scope, snapshot: Snapshot, view: View, area: Area, words: Words) -> Terms:
    """Overdue of known, due soon, unknown, and the oldest."""
    del view
    hierarchy(scope, snapshot).check(area)
    due = {
        name: values[area.index] for name, values in _level_due(scope, snapshot, area.level).items()
    }
    if np.isnan(due["total"]):
        return [(words("measure_overdue"), words("measure_overdue_none"))]
    known = due["total"] - due["unknown"]
    terms: Terms = [
        (words("measure_overdue"), f"{due['overdue']:,.0f} / {known:,.0f}"),
        (words("measure_overdue_soon"), f"{due['due_7d']:,.0f}"),
        (words("measure_overdue_untold"), f"{due['unknown']:,.0f}"),
        (words("measure_as_of"), f"{registers_day(snapshot)}"),
    ]
    return terms


def patrol_terms(scope: Scope, snapshot: Snapshot, view: View, area: Area, words: Words) -> Terms:
    """Visits, and the denominator: areas and weeks that are told, of those there are."""
    hierarchy(scope, snapshot).check(area)
    first, last = _weeks(view)
    told = {
        name: values[area.index]
        for name, values in _level_visits(scope, snapshot, area.level, first, last).items()
    }
    if np.isnan(told["told"]):
        return [(words("measure_patrol"), words("measure_patrol_none"))]
    rate = told["visits"] / told["told"]
    return [
        (words("measure_patrol"), words("measure_patrol_rate", rate=f"{rate:,.1f}")),
        (words("measure_patrol_visits"), f"{told['visits']:,.0f}"),
        (words("measure_patrol_told"), f"{told['told']:,.0f} / {told['areas']:,.0f}"),
    ]


def _weeks(view: View) -> tuple[dt.date, dt.date]:
    """First days of the weeks that begin in the window, the newest `MOST_WEEKS` at most."""
    window = view.selection.window
    last = window.last_day - dt.timedelta(days=window.last_day.weekday())
    start = window.start + dt.timedelta(days=-window.start.weekday() % 7)
    return max(start, shift(last, 1 - MOST_WEEKS, grain="week")), last


@scoped_cache_of_few
def _level_due(scope: Scope, snapshot: Snapshot, level: str) -> Level:
    """Facilities of the areas that the scope covers, all kinds together."""
    columns = ("total", "overdue", "due_7d", "unknown")
    every = ("area_index >= 0 AND total > ?", 0)
    return level_rows(scope, snapshot, "facilities_due", level, columns=columns, condition=every)


@scoped_cache_of_few
def _level_visits(
    scope: Scope, snapshot: Snapshot, level: str, first: dt.date, last: dt.date
) -> Level:
    """Visits, told and existing lowest areas, added up over weeks."""
    columns = ("visits", "told", "areas")
    weeks = [week for week in span(first, last, grain="week") if week.weekday() == 0]
    when = ("area_index >= 0 AND week_start IN (SELECT unnest(?::DATE[]))", weeks)
    return level_rows(scope, snapshot, "patrol_coverage", level, columns=columns, condition=when)
