"""One measure of the areas of one level, in bands: what is coloured, and the words about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dashboard import assessment
from dashboard.areas import hierarchy
from dashboard.cache import scoped_cache_of_few

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dashboard.text import Words
    from dashboard.view import View
    from data.access import Scope
    from data.store import Snapshot

Component = Any
Terms = list[tuple[str, Component]]
"""A name and what is said under it."""

UNKNOWN: Final = 0
"""Band of an area of which nothing is known; never that of a zero."""


@dataclass(frozen=True)
class Measured:
    """
    A measure of one level, arrays of shape (n areas of the level,).

    Attributes
    ----------
    bands
        0 no data, k = entry k-1 of `colours`. Areas outside the focus or the scope have 0.
    counts
        Incidents, or what else the denominator is; 0 outside the focus.
    small
        A band of 1 or more on fewer than this is hatched as a small sample; 0 = none is.
    colours
        CSS variables (or a colour of the city's own palette), the same every week.
    texts
        Half-open range of each band.
    title, no_data
        Words of the legend.
    notes
        Denominator, window, source, gate and as of when.
    """

    name: str
    bands: NDArray[np.uint8]
    counts: NDArray[np.int64]
    small: int
    colours: tuple[str, ...]
    texts: tuple[str, ...]
    title: str
    no_data: str
    notes: tuple[str, ...]


def within(scope: Scope, snapshot: Snapshot, view: View, found: Measured) -> Measured:
    """Take away what lies outside the focus or the scope."""
    inside = hierarchy(scope, snapshot).inside(view.level, view.focus)
    return replace(
        found,
        bands=np.where(inside, found.bands, UNKNOWN).astype(np.uint8),
        counts=np.where(inside, found.counts, 0).astype(np.int64),
    )


def banded(values: NDArray[np.float64], edges: Sequence[float]) -> NDArray[np.uint8]:
    """Band 1 below the first edge, half-open upwards; 0 where the value is NaN."""
    found = 1 + np.searchsorted(edges, np.nan_to_num(values), side="right")
    return np.where(np.isfinite(values), found, UNKNOWN).astype(np.uint8)


def half_open(edges: Sequence[float], symbol: str, *, form: str = ",g") -> tuple[str, ...]:
    """Print the bands between edges: `x < 1`, `1 ≤ x < 3`, `x ≥ 3`."""
    printed = [format(edge, form) for edge in edges]
    between = [f"{low} ≤ {symbol} < {high}" for low, high in pairwise(printed)]
    return (f"{symbol} < {printed[0]}", *between, f"{symbol} ≥ {printed[-1]}")


def scale(name: str, steps: int) -> tuple[str, ...]:
    """Colours of a scale of `measures.css`, the lowest first."""
    return tuple(f"var(--{name}-{step})" for step in range(1, steps + 1))


def window_note(view: View, words: Words) -> str:
    """The window in days."""
    window = view.selection.window
    return words("measure_window", first=window.start, last=window.last_day)


def source_notes(snapshot: Snapshot, words: Words) -> tuple[str, ...]:
    """Where the incidents come from, and as of when."""
    manifest = snapshot.manifest
    titles = [words.pick(one["title_zh"], one["title_en"]) for one in manifest.raw["sources"]]
    said = words("measure_sources", sources=words("assess_list").join(titles))
    return said, words("footer_as_of", as_of=manifest.raw["periods"]["as_of"])


def unfiltered_notes(view: View, words: Words) -> tuple[str, ...]:
    """Say that the filter has no part in it, where there is one."""
    selection = view.selection
    is_filtered = selection.categories is not None or selection.min_severity > 0
    return (words("assess_unfiltered"),) if is_filtered else ()


def is_newest(snapshot: Snapshot, end: dt.date) -> bool:
    """Whether a window reaches the last analysed period."""
    last: str = snapshot.manifest.raw.get("analysis", {}).get("last", "9999")
    return end.isoformat() >= last


@dataclass(frozen=True)
class LevelTrust:
    """Rows of `area_trust` of one level and period, arrays of shape (n areas,)."""

    reported: NDArray[np.int64]
    discovered: NDArray[np.int64]
    share: NDArray[np.float64]
    is_silent: NDArray[np.bool_]
    is_kept: bool
    """Whether anything of the period is stored."""


@scoped_cache_of_few
def level_trust(scope: Scope, snapshot: Snapshot, level: str, end: dt.date) -> LevelTrust:
    """How far the data of the areas that the scope covers can be trusted; others are unknown."""
    columns = ("reported", "discovered", "discovered_share", "is_silent")
    rows = level_rows(
        scope, snapshot, "area_trust", level, columns=columns, condition=("period_end = ?", end)
    )
    return LevelTrust(
        reported=np.nan_to_num(rows["reported"]).astype(np.int64),
        discovered=np.nan_to_num(rows["discovered"]).astype(np.int64),
        share=rows["discovered_share"],
        is_silent=np.nan_to_num(rows["is_silent"]).astype(bool),
        is_kept=bool(np.isfinite(rows["reported"]).any()),
    )


def level_rows(
    scope: Scope,
    snapshot: Snapshot,
    table: str,
    level: str,
    *,
    columns: Sequence[str],
    condition: tuple[str, object],
) -> dict[str, NDArray[np.float64]]:
    """
    Sums of a table's columns by area, shape (n areas,); NaN without a row, and outside the scope.

    Parameters
    ----------
    condition
        Further condition on the rows, and its value.
    """
    assessment.check_level(scope, snapshot, level)
    visible = hierarchy(scope, snapshot).at(level).visible
    found = {name: np.full(len(visible), np.nan) for name in columns}
    if table not in snapshot.tables():
        return found
    sums = ", ".join(f'sum("{name}"::DOUBLE) AS "{name}"' for name in columns)
    rows = snapshot.arrays(
        f"SELECT area_index, {sums} FROM {table} WHERE level = ? AND {condition[0]} "
        "GROUP BY area_index",
        [level, condition[1]],
    )
    at = rows["area_index"]
    for name in columns:
        found[name][at] = np.ma.filled(rows[name], np.nan)
        found[name][~visible] = np.nan
    return found
