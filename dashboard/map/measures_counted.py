"""What the incidents of a window alone tell of areas: rate, count, and change to an earlier one.

Window, category and severity apply to all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import special

from dashboard import numerals, queries, summary, surroundings
from dashboard.areas import hierarchy
from dashboard.cache import scoped_cache, scoped_cache_of_few
from dashboard.map.banded import (
    UNKNOWN,
    Measured,
    Terms,
    banded,
    half_open,
    is_newest,
    scale,
    source_notes,
    window_note,
    within,
)
from dashboard.map.view import AREA_COLOURS
from data import rates
from data.periods import PERIODS_PER_YEAR

if TYPE_CHECKING:
    import datetime as dt

    from numpy.typing import NDArray

    from dashboard.areas import Area
    from dashboard.queries import Selection
    from dashboard.text import Words
    from dashboard.view import View
    from data.access import Scope
    from data.periods import Window
    from data.store import Snapshot

COUNT_EDGES: Final = {
    "city": (1, 3_000, 10_000, 30_000, 100_000, 300_000),
    "county": (1, 300, 1_000, 3_000, 10_000, 30_000),
    "township": (1, 30, 100, 300, 1_000, 3_000),
    "community": (1, 3, 10, 30, 100, 300),
    "grid": (1, 3, 10, 30, 100, 300),
}
"""Lower edges of bands 2 to 7 of a count: none, then steps of about three. Of a level and the same
every week, so that a colour keeps its meaning; four weeks of an average area of a city of millions
lie in a middle band, so that one week and a whole year still differ from the ends."""

CHANGE_EDGES: Final = (0.5, 0.8, 1.25, 2.0)
"""Lower edges of bands 2 to 5 of a ratio: a half, a fifth less, a quarter more, twice."""

NEUTRAL: Final = 3
FROM_ZERO: Final = 6
"""Band of areas that had none before and now more than chance gives: no ratio."""

CHANGE_P: Final = 0.05
"""Greatest two-sided p at which a change is coloured."""


def rate(scope: Scope, snapshot: Snapshot, view: View, words: Words) -> Measured:
    """Rate against the city's: what `dashboard.map.values.area_values` shows."""
    found = queries.level_rates(scope, snapshot, view.level, view.selection)
    gates = " / ".join(f"{gate:g}" for gate in rates.BAND_GATES)
    unit = surroundings.exposure_unit(snapshot, words)
    return within(
        scope,
        snapshot,
        view,
        Measured(
            name="rate",
            bands=found.band.astype(np.uint8),
            counts=found.count.astype(np.int64),
            small=rates.SMALL_SAMPLE,
            colours=AREA_COLOURS,
            texts=tuple(
                f"{words(f'band_{band}')}  {printed}"
                for band, printed in enumerate(half_open(rates.BAND_EDGES, "R"), start=1)
            ),
            title=words("legend_areas"),
            no_data=words("band_0"),
            notes=(
                words("measure_note_rate", unit=unit),
                words("legend_gate", gates=gates, small=rates.SMALL_SAMPLE),
                window_note(view, words),
                *source_notes(snapshot, words),
            ),
        ),
    )


def count(scope: Scope, snapshot: Snapshot, view: View, words: Words) -> Measured:
    """Incidents in the window."""
    counts = queries.window_counts(scope, snapshot, view.level, view.selection)[:-1]
    edges = COUNT_EDGES[view.level]
    bands = banded(counts.astype(np.float64), edges)
    bands[_silent(scope, snapshot, view)] = UNKNOWN
    return within(
        scope,
        snapshot,
        view,
        Measured(
            name="count",
            bands=bands,
            counts=counts,
            small=0,
            colours=scale("count", len(edges) + 1),
            texts=("n = 0", *half_open(edges, "n")[1:]),
            title=words("measure_title_count"),
            no_data=words("measure_silent"),
            notes=(
                words("measure_note_count"),
                window_note(view, words),
                *source_notes(snapshot, words),
            ),
        ),
    )


def change(scope: Scope, snapshot: Snapshot, view: View, words: Words) -> Measured:
    """Incidents of the window against those of the window just before, where chance is unlikely."""
    return _change(scope, snapshot, view, words, "change")


def change_year(scope: Scope, snapshot: Snapshot, view: View, words: Words) -> Measured:
    """Incidents of the window against those of the same one a year before."""
    return _change(scope, snapshot, view, words, "change_year")


def _change(scope: Scope, snapshot: Snapshot, view: View, words: Words, name: str) -> Measured:
    back = _back(view.selection, name)
    now, before, ratio, p = _level_change(
        scope, snapshot, view.level, view.selection, back, complete(view)
    )
    bands = np.where(p <= CHANGE_P, banded(ratio, CHANGE_EDGES), NEUTRAL)
    bands[(before == 0) & (p <= CHANGE_P)] = FROM_ZERO
    bands[np.isnan(p)] = UNKNOWN
    inside = hierarchy(scope, snapshot).inside(view.level, view.focus)
    known = int(np.count_nonzero(inside & ~np.isnan(p)))
    texts = half_open(CHANGE_EDGES, "R", form="g")
    neutral = words("measure_change_neutral", range=texts[NEUTRAL - 1])
    earlier = view.selection.window.earlier(back)
    return within(
        scope,
        snapshot,
        view,
        Measured(
            name=name,
            bands=bands.astype(np.uint8),
            counts=now.astype(np.int64),
            small=0,
            colours=scale("change", FROM_ZERO),
            texts=(
                *texts[: NEUTRAL - 1],
                neutral,
                *texts[NEUTRAL:],
                words(f"measure_{name}_from_zero"),
            ),
            title=words(f"measure_title_{name}"),
            no_data=words("measure_change_unknown"),
            notes=(
                words("measure_note_change", p=f"{CHANGE_P:g}"),
                words("measure_note_change_chance", n=f"{known:,d}", m=f"{CHANGE_P * known:,.0f}"),
                window_note(view, words),
                words("measure_before", first=earlier.start, last=earlier.last_day),
                *source_notes(snapshot, words),
            ),
        ),
    )


def rate_terms(scope: Scope, snapshot: Snapshot, view: View, area: Area, words: Words) -> Terms:
    """Rate with its interval, prior, ratio and P."""
    row = summary.rate_row(scope, snapshot, area, view.selection)
    unit = surroundings.exposure_unit(snapshot, words)
    period = words(f"period_{snapshot.manifest.grain}")
    return surroundings.rate_terms(row, unit=unit, period=period, words=words)


def count_terms(scope: Scope, snapshot: Snapshot, view: View, area: Area, words: Words) -> Terms:
    """Incidents of the window, and of the one before."""
    moved = summary.changes(scope, snapshot, area, view.selection)
    return [
        (words("measure_count"), numerals.count(moved.count, words)),
        (words("measure_change_before"), numerals.count(moved.previous, words)),
    ]


def change_terms(scope: Scope, snapshot: Snapshot, view: View, area: Area, words: Words) -> Terms:
    """Both counts, the shares known where they differ, the ratio, its p and what it says."""
    return _change_terms(scope, snapshot, view, area, "change", words)


def change_year_terms(
    scope: Scope, snapshot: Snapshot, view: View, area: Area, words: Words
) -> Terms:
    """As `change_terms`, against a year before."""
    return _change_terms(scope, snapshot, view, area, "change_year", words)


def _change_terms(  # noqa: PLR0917 - as `change_terms`, of one comparison
    scope: Scope, snapshot: Snapshot, view: View, area: Area, name: str, words: Words
) -> Terms:
    hierarchy(scope, snapshot).check(area)
    at, back = area.index, _back(view.selection, name)
    parts = _level_change(scope, snapshot, area.level, view.selection, back, complete(view))
    now, before, ratio, p = (float(part[at]) for part in parts)
    if np.isnan(p):
        return [(words(f"measure_{name}"), words("measure_change_unknown"))]
    window = view.selection.window
    known = tuple(
        known_share(scope, snapshot, each, complete(view))
        for each in (window, window.earlier(back))
    )
    sum_ = f"{now:,.0f} ÷ {before:,.0f}"
    if known[0] != known[1]:
        sum_ = f"({now:,.0f} ÷ {known[0]:.1%}) ÷ ({before:,.0f} ÷ {known[1]:.1%})"
    told = words("change_base_zero") if before == 0 else f"{sum_} = {numerals.rate(ratio, words)}"
    verdict = "significant" if p <= CHANGE_P else "chance"
    return [
        (words("measure_count"), f"{now:,.0f}"),
        (words(f"measure_{name}_before"), f"{before:,.0f}"),
        (words("measure_change_ratio"), told),
        (words("measure_change_p"), numerals.probability(p, words)),
        (words(f"measure_{name}"), words(f"measure_change_{verdict}")),
    ]


def change_p(
    now: NDArray[np.float64], before: NDArray[np.float64], share: float
) -> NDArray[np.float64]:
    """
    Two-sided exact p of counts of two windows, given their sum.

    With equal rates `now` is binomial of now + before trials (Przyborowski and Wilenski 1940,
    Biometrika 31, 313). Twice the smaller tail, at most 1.

    Parameters
    ----------
    share
        Chance of each incident to be known in the later window.
    """
    # The binomial distribution function as an incomplete beta integral (DLMF 8.17.5).
    fewer = np.where(before > 0, special.betainc(np.maximum(before, 1), now + 1, 1 - share), 1.0)
    more = np.where(now > 0, special.betainc(np.maximum(now, 1), before + 1, share), 1.0)
    return np.asarray(np.minimum(1.0, 2 * np.minimum(fewer, more)))


def _back(selection: Selection, name: str) -> int:
    """Periods back to what a change is measured against."""
    window = selection.window
    return window.periods if name == "change" else PERIODS_PER_YEAR[window.grain]


def _silent(scope: Scope, snapshot: Snapshot, view: View) -> NDArray[np.bool_]:
    """Areas whose newest counts lack a source that fell silent."""
    if is_newest(snapshot, view.selection.window.end):
        return queries.silent_areas(scope, snapshot, view.level)
    return np.zeros(len(hierarchy(scope, snapshot).at(view.level)), dtype=bool)


def complete(view: View) -> str:
    """Whose reporting delay counts: that of all incidents, or the slowest group's."""
    return "all" if view.selection.categories is None else "any"


@scoped_cache_of_few
def _level_change(  # noqa: PLR0917 - the parts of one comparison
    scope: Scope, snapshot: Snapshot, level: str, selection: Selection, back: int, groups: str
) -> tuple[NDArray[np.float64], ...]:
    """
    Counts now and before, ratio and p of every area; p is NaN where they cannot be compared.

    So it is where the counts do not reach back as far, where a source fell silent, where the area
    was not there in both windows, and where the two overlap. What is still to be reported is made
    up for.
    """
    earlier = selection.earlier(back)
    now, before = (
        queries.window_counts(scope, snapshot, level, each)[:-1].astype(np.float64)
        for each in (selection, earlier)
    )
    known = [known_share(scope, snapshot, each.window, groups) for each in (selection, earlier)]
    share = known[0] / (known[0] + known[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (now / known[0]) / (before / known[1])
    is_same = comparable(scope, snapshot, level, selection.window, earlier.window.start)
    if selection.window.periods > back:
        is_same[:] = False
    p = np.where(is_same, change_p(now, before, share), np.nan)
    return now, before, ratio, p


def comparable(
    scope: Scope, snapshot: Snapshot, level: str, window: Window, since: dt.date
) -> NDArray[np.bool_]:
    """Areas of which a window can be compared with what was counted since a day, (n areas,)."""
    areas = hierarchy(scope, snapshot).at(level)
    is_same = areas.valid_from <= np.datetime64(since)
    is_same &= areas.valid_on(window.last_day) & areas.visible
    if since < snapshot.manifest.first_period:
        is_same[:] = False
    if is_newest(snapshot, window.end):
        is_same &= ~queries.silent_areas(scope, snapshot, level)
    return np.asarray(is_same)


@scoped_cache
def known_share(scope: Scope, snapshot: Snapshot, window: Window, groups: str) -> float:
    """Share of a window's incidents that is known by now; 1 where every day is complete."""
    queries.exact(scope)
    if "completeness" not in snapshot.tables():
        return 1.0
    where = "" if groups == "any" else "AND \"group\" = 'all'"
    rows = snapshot.rows(
        "SELECT min(share) FROM completeness WHERE NOT is_complete AND day BETWEEN ? AND ? "
        f"{where} GROUP BY day",
        [window.start, window.last_day],
    )
    days = (window.last_day - window.start).days + 1
    missing: float = sum(1.0 - share for (share,) in rows)
    return 1.0 - missing / days
