"""The small tables that one panel needs; every function takes the scope first and keeps to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dashboard import pinyin
from dashboard.areas import Area, hierarchy
from dashboard.cache import scoped_cache, scoped_cache_of_few
from data import periods, rates
from data.access import NotVisibleError

if TYPE_CHECKING:
    import datetime as dt

    from numpy.typing import NDArray

    from data.access import Scope
    from data.periods import Window
    from data.store import Snapshot


@dataclass(frozen=True)
class Selection:
    """Which incidents count: a window, categories (None = all) and a least severity (0 = all)."""

    window: Window
    categories: tuple[int, ...] | None
    min_severity: int

    def earlier(self, count: int) -> Selection:
        """The same filter, `count` periods back."""
        return replace(self, window=self.window.earlier(count))

    @property
    def is_everything(self) -> bool:
        """Whether every incident of the window counts."""
        return self.categories is None and not self.min_severity

    @property
    def condition(self) -> tuple[str, list[Any]]:
        """SQL condition on category and severity, with its parameters."""
        parts: list[str] = ["TRUE"]
        values: list[Any] = []
        if self.min_severity:
            parts.append("severity >= ?")
            values.append(self.min_severity)
        if self.categories is not None:
            marks = ", ".join("?" * len(self.categories))
            parts.append(f"category_index IN ({marks})")
            values += self.categories
        return " AND ".join(parts), values


def exact(scope: Scope) -> None:
    """
    Stop a scope that covers no area from reading exact tables, whatever it asked for.

    Raises
    ------
    NotVisibleError
        It covers none.
    """
    if not scope.sees_areas:
        raise NotVisibleError("no area is covered exactly")


@scoped_cache
def has_severities(scope: Scope, snapshot: Snapshot) -> bool:
    """Whether any source of the city tells severities; never for the protected tier."""
    if scope.is_protected:
        return False
    top = snapshot.manifest.levels[0]["level"]
    found = snapshot.arrays(f"SELECT coalesce(max(severity), 0) AS most FROM area_counts_{top}")
    return int(found["most"][0]) > 0


@scoped_cache
def category_family(scope: Scope, snapshot: Snapshot, code: str) -> tuple[int, ...] | None:
    """
    Indices of a category and of those under it; None for an empty or unknown code.

    The protected tier knows the upper categories only, each as a whole.
    """
    table = snapshot.categories
    if scope.is_protected:
        table = table[table["parent_code"].fillna("") == ""]
    chosen = table[(table["code"] == code) | (table["parent_code"] == code)]
    return tuple(chosen["category_index"].astype(int)) or None


@dataclass(frozen=True)
class CategoryLabel:
    """Names of a category and the index of its top category (its own, at the top)."""

    name_zh: str
    name_en: str
    group: int
    code: str


@scoped_cache
def category_labels(
    scope: Scope,  # noqa: ARG001 - every query takes it
    snapshot: Snapshot,
) -> dict[int, CategoryLabel]:
    """Every category by its index."""
    rows = snapshot.categories.to_dict("records")
    index_of = {row["code"]: int(row["category_index"]) for row in rows}
    return {
        int(row["category_index"]): CategoryLabel(
            row["name_zh"],
            row["name_en"],
            index_of.get(row["parent_code"], int(row["category_index"])),
            row["code"],
        )
        for row in rows
    }


@scoped_cache
def window_counts(
    scope: Scope, snapshot: Snapshot, level: str, selection: Selection
) -> NDArray[np.int64]:
    """
    Incidents in the window per area of a level, shape (n areas + 1,).

    The last entry counts what is placed in no area of the level. City-wide on purpose: rates lean
    on the levels above; callers give out only what the scope covers.
    """
    return counted(scope, snapshot, level, selection)


def counted(
    scope: Scope, snapshot: Snapshot, level: str, selection: Selection
) -> NDArray[np.int64]:
    """The same, counted anew: for many windows of which none is asked for again."""
    exact(scope)
    window = selection.window
    return snapshot.kept.areas(level).between(
        window.start,
        window.end,
        categories=selection.categories,
        min_severity=selection.min_severity,
    )


@scoped_cache_of_few
def level_rates(
    scope: Scope, snapshot: Snapshot, level: str, selection: Selection
) -> rates.AreaRates:
    """
    Rates and bands of every area of a level, computed from the city down.

    Areas that are not valid on the window's last day have no exposure then: they keep their
    counts, get no band, and lend nothing to the priors of others. An area of which a source has
    fallen silent has no band either, in a window that reaches the newest period.
    """
    tree = hierarchy(scope, snapshot)
    chain = tree.levels[: tree.order.index(level) + 1]
    day = selection.window.last_day
    found = rates.rates_by_level(
        [window_counts(scope, snapshot, areas.level, selection)[:-1] for areas in chain],
        [np.where(areas.valid_on(day), areas.exposure, np.nan) for areas in chain],
        [areas.parents for areas in chain],
        periods=selection.window.periods,
    )[-1]
    newest = snapshot.manifest.raw.get("analysis", {}).get("last", "9999")
    if selection.window.end.isoformat() < newest:
        return found
    silent = silent_areas(scope, snapshot, level)
    return replace(found, band=np.where(silent, rates.NO_DATA, found.band).astype(np.int8))


@scoped_cache
def silent_areas(scope: Scope, snapshot: Snapshot, level: str) -> NDArray[np.bool_]:
    """Areas of a level of which a source has fallen silent in the newest period, (n areas,)."""
    exact(scope)
    flags = np.zeros(len(hierarchy(scope, snapshot).at(level).parents), dtype=bool)
    if "area_trust" in snapshot.tables():
        newest = "SELECT max(period_end) FROM area_trust"
        rows = snapshot.arrays(
            "SELECT area_index FROM area_trust WHERE is_silent AND level = ? "
            f"AND period_end = ({newest})",
            (level,),
        )
        flags[rows["area_index"].astype(np.int64)] = True
    return flags


@dataclass(frozen=True)
class Series:
    """
    Incidents per consecutive period, shape (n periods,).

    Attributes
    ----------
    counts
        Incidents of the area itself.
    carried
        Its share of those of the areas that it took over when grids were re-cut, whole numbers;
        they count for the ended areas in every sum, so they stand in the trend only.
    """

    starts: list[dt.date]
    counts: NDArray[np.int64]
    carried: NDArray[np.int64]

    def total(self, window: Window) -> int | None:
        """
        Incidents in a window; None where it reaches beyond what is known of the area itself.

        So a window of before a re-cut is not compared with one of after it.
        """
        if window.start not in self.starts or window.end not in self.starts:
            return None
        first = self.starts.index(window.start)
        inside = slice(first, first + window.periods)
        if self.carried[inside].any() and not self.counts[inside].any():
            return None
        return int(self.counts[inside].sum())


@scoped_cache
def area_series(scope: Scope, snapshot: Snapshot, area: Area, selection: Selection) -> Series:
    """
    Incidents of one area in every counted period, whatever the selection's window.

    Raises
    ------
    NotVisibleError
        The area is unknown or outside the scope.
    """
    exact(scope)
    hierarchy(scope, snapshot).check(area)
    manifest = snapshot.manifest
    starts = periods.span(manifest.first_period, manifest.last_period, grain=manifest.grain)
    own = _history(snapshot, area.level, {area.index: 1.0}, starts, selection)
    parts = _taken_over(scope, snapshot).get((area.level, area.index), {})
    shares = _history(snapshot, area.level, parts, starts, selection)
    # Rounded as they run on, so that the whole history keeps its sum.
    carried = np.diff(np.round(np.cumsum(shares)), prepend=0.0)
    return Series(starts, own.astype(np.int64), carried.astype(np.int64))


def _history(
    snapshot: Snapshot,
    level: str,
    weights: dict[int, float],
    starts: list[dt.date],
    selection: Selection,
) -> NDArray[np.float64]:
    """Weighted incidents of some areas per period."""
    counts = np.zeros(len(starts))
    if not weights:
        return counts
    held = snapshot.kept.areas(level)
    at = held.periods.between(starts[0], starts[-1])
    place = np.searchsorted(np.array(starts, dtype="datetime64[D]"), held.periods.starts)
    for index, weight in weights.items():
        rows = held.of_area(index).within(at).only(selection.categories, selection.min_severity)
        counts += np.bincount(
            place[rows.period], weights=rows.count * weight, minlength=len(starts)
        )
    return counts


@scoped_cache
def _taken_over(scope: Scope, snapshot: Snapshot) -> dict[tuple[str, int], dict[int, float]]:
    """
    Ended areas of which each area took over a part, with the share of each.

    The whole of it: no figure is in it, and it has a row for each area that was re-cut only.
    """
    exact(scope)
    found: dict[tuple[str, int], dict[int, float]] = {}
    for level, new, old, weight in snapshot.rows(
        "SELECT level, new_index, old_index, weight FROM crosswalk ORDER BY ALL"
    ):
        found.setdefault((level, new), {})[old] = weight
    return found


@scoped_cache
def category_counts(
    scope: Scope, snapshot: Snapshot, area: Area, selection: Selection
) -> dict[int, int]:
    """
    Incidents of one area in the window per category index; only non-zero ones.

    Raises
    ------
    NotVisibleError
        The area is unknown or outside the scope.
    """
    exact(scope)
    hierarchy(scope, snapshot).check(area)
    held, window = snapshot.kept.areas(area.level), selection.window
    rows = held.of_area(area.index).within(held.periods.between(window.start, window.end))
    rows = rows.only(selection.categories, selection.min_severity)
    sums = np.bincount(rows.category, weights=rows.count).astype(np.int64)
    return {index: int(sums[index]) for index in np.flatnonzero(sums).tolist()}


@scoped_cache
def search_areas(
    scope: Scope, snapshot: Snapshot, text: str, day: dt.date, limit: int
) -> tuple[Area, ...]:
    """
    Areas valid on a day whose name or code holds the text: the higher levels first.

    Latin letters find Chinese names too, by their pinyin or the first letters of it.
    """
    wanted = text.strip().casefold()
    letters = wanted.replace(" ", "") if wanted.isascii() and wanted[:1].isalpha() else ""
    found: list[Area] = []
    if not wanted:
        return ()
    for areas in hierarchy(scope, snapshot).levels:
        allowed = areas.visible & areas.valid_on(day)
        for index in np.flatnonzero(allowed).tolist():
            words = (areas.names_zh[index], areas.names_en[index], areas.codes[index])
            is_named = any(wanted in str(word).casefold() for word in words)
            if is_named or (letters and pinyin.matches(letters, str(words[0]))):
                found.append(Area(areas.level, index))
                if len(found) == limit:
                    return tuple(found)
    return tuple(found)
