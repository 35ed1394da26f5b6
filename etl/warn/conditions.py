"""
The conditions that open warnings: each reads one stored table for one rule.

A condition gives None where its table is not stored: nothing is known then, so nothing begins or
ends. `CONDITIONS` names them by the `kind` of a rule; whoever adds a table adds its line there.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from data.warnings.settings import ALL_GROUPS
from etl.warn.facilities import facilities_overdue
from etl.warn.found import Findings, Found, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from data.warnings.settings import Rule
    from etl.warn.found import Sight

_INDEX: Final = (
    "colour", "risk", "n", "p", "stability", "is_firm", "small_sample", "override",
    "d1", "d2", "d3", "d4", "d5", "d6", "repeat_red",
)  # fmt: skip
_SIGNAL: Final = ("colour", "by", "window_days", "observed", "expected", "upper", "p", "ratio")
_RED: Final = 4


def index(sight: Sight, rule: Rule) -> Findings | None:
    """Areas whose index has the colour in the newest period; grey ones are unknown."""
    if not sight.has("area_index"):
        return None
    newest, found, unknown = _newest(sight, "area_index", "period_end"), [], set()
    if newest is None:
        return None
    columns = ", ".join(f"i.{name}" for name in _INDEX)
    for level in rule.levels:
        rows = sight.snapshot.rows(
            f"SELECT a.code, i.status, {columns} FROM area_index i "  # nosec B608  # columns are constants - values go as parameters
            "JOIN areas a USING (level, area_index) WHERE i.level = ? AND i.period_end = ?",
            [level, newest],
        )
        for code, status, *values in rows:
            figures = dict(zip(_INDEX, values, strict=True))
            if status != "ok" or not figures["colour"]:
                unknown.add((level, code))
            elif figures["colour"] >= rule.threshold:
                repeats = figures["repeat_red"] if figures["colour"] == _RED else 1
                evidence = shown({**figures, "period": newest})
                found.append(
                    Found(level, code, newest, evidence, colour=figures["colour"],
                          repeats=max(repeats, 1))
                )  # fmt: skip
    return Findings(newest, tuple(found), frozenset(unknown))


def signal(sight: Sight, rule: Rule) -> Findings | None:
    """Areas and groups that show the colour on the newest day."""
    if not sight.has("signals", "signal_chance"):
        return None
    # A day without any colour has no row in `signals`.
    newest = _newest(sight, "signal_chance", "day")
    if newest is None:
        return None
    columns = ", ".join(f"s.{name}" for name in _SIGNAL)
    rows = sight.snapshot.rows(
        f'SELECT s.level, a.code, s."group", s.reached_on, {columns} FROM signals s '  # nosec B608  # columns are constants - values go as parameters
        "JOIN areas a USING (level, area_index) WHERE s.day = ? AND s.colour >= ?",
        [newest, rule.threshold],
    )
    found = []
    for level, code, group, reached, *values in rows:
        figures = dict(zip(_SIGNAL, values, strict=True))
        if level in rule.levels:
            evidence = shown({**figures, "reached_on": _day(reached)})
            found.append(
                Found(level, code, _day(reached), evidence, group=group, colour=figures["colour"])
            )
    return Findings(newest, tuple(found))


def repeat_place(sight: Sight, rule: Rule) -> Findings | None:
    """Areas with a place where incidents of one category repeat within 30 days."""
    if not sight.has("frequent_places", "frequent_types"):
        return None
    newest = _newest(sight, "frequent_types", "period_end")
    if newest is None:
        return None
    rows = [
        *sight.snapshot.rows(
            "SELECT f.level, a.code, f.category_index, f.count, '' FROM frequent_places f "
            "JOIN areas a USING (level, area_index) WHERE f.period_end = ? AND f.count >= ?",
            [newest, rule.threshold],
        ),
        *_cells(sight, newest, rule.threshold),
    ]
    return Findings(newest, tuple(_most(sight, rule, newest, rows)))


def same_kind(sight: Sight, rule: Rule) -> Findings | None:
    """Areas with many incidents of their commonest category within 30 days."""
    if not sight.has("frequent_types"):
        return None
    newest = _newest(sight, "frequent_types", "period_end")
    if newest is None:
        return None
    rows = sight.snapshot.rows(
        "SELECT f.level, a.code, f.category_index, f.count, '' FROM frequent_types f "
        "JOIN areas a USING (level, area_index) WHERE f.period_end = ? AND f.count >= ?",
        [newest, rule.threshold],
    )
    return Findings(newest, tuple(_most(sight, rule, newest, rows)))


def overdue(sight: Sight, rule: Rule) -> Findings | None:
    """Areas in which so many clocks of one kind, and such a share of them, have run out."""
    as_of = sight.snapshot.manifest.raw.get("analysis", {}).get("as_of")
    if not sight.has("clock_states") or not as_of:
        return None
    day = dt.date.fromisoformat(as_of)
    rows = sight.snapshot.rows(
        "SELECT c.level, a.code, c.clock, c.overdue, c.running, c.started, c.oldest_overdue_days "
        "FROM clock_states c JOIN areas a USING (level, area_index) "
        "WHERE c.\"group\" = 'all' AND c.overdue >= ? AND c.overdue >= ? * c.started "
        "AND c.period_end = (SELECT max(period_end) FROM clock_states) "
        "ORDER BY c.overdue DESC, c.clock",
        [rule.threshold, rule.share],
    )
    found: dict[tuple[str, str], Found] = {}
    for level, code, clock, late, running, started, oldest in rows:
        evidence = shown(
            {"clock": clock, "overdue": late, "running": running, "started": started,
             "oldest_overdue_days": oldest}
        )  # fmt: skip
        if level in rule.levels:
            found.setdefault((level, code), Found(level, code, day, evidence))
    return Findings(day, tuple(found.values()))


def source_silent(sight: Sight, rule: Rule) -> Findings | None:
    """Areas in which a source has gone silent; the areas within them are not named again."""
    if not sight.has("area_trust"):
        return None
    newest = _newest(sight, "area_trust", "period_end")
    if newest is None:
        return None
    rows = sight.snapshot.rows(
        "SELECT t.level, a.code, t.silent_sources FROM area_trust t "
        "JOIN areas a USING (level, area_index) WHERE t.period_end = ? AND t.is_silent",
        [newest],
    )
    silent = {sight.tree.path(level, code)[0]: sources.split() for level, code, sources in rows}
    found = []
    for level, code, sources in rows:
        _, *above = sight.tree.path(level, code)
        named = sources.split()
        if level in rule.levels and not any(
            place in silent and {*named} <= {*silent[place]}
            for place in above
            if place[0] in rule.levels
        ):
            evidence = {"sources": len(named)} | {
                f"source_{at}": name for at, name in enumerate(named[:5], start=1)
            }
            found.append(Found(level, code, newest, shown(evidence)))
    return Findings(newest, tuple(found))


CONDITIONS: Final[dict[str, Callable[[Sight, Rule], Findings | None]]] = {
    "index": index,
    "signal": signal,
    "repeat_place": repeat_place,
    "same_kind": same_kind,
    "overdue": overdue,
    "source_silent": source_silent,
    "facility_overdue": facilities_overdue,
}
"""Kind of a rule to its condition."""


def _newest(sight: Sight, table: str, column: str) -> dt.date | None:
    found = sight.snapshot.rows(f"SELECT max({column}) FROM {table}")[0][0]  # nosec B608  # names are constants - none from outside
    return None if found is None else _day(found)


def _cells(sight: Sight, newest: dt.date, threshold: float) -> list[tuple[Any, ...]]:
    """Cells with repeats, each in the lowest area in which most incidents of the cell lie."""
    if not sight.has("cells_10", "area_cell_counts_10"):
        return []
    rows = sight.snapshot.rows(
        "WITH hot AS (SELECT lower(hex(cell)) AS cell, category_index, count FROM frequent_places "
        "WHERE place = 'cell' AND period_end = ? AND count >= ?), "
        "told AS (SELECT hot.cell, hot.category_index, hot.count, n.area_row, sum(n.count) AS n "
        "FROM hot JOIN cells_10 c ON c.cell = hot.cell "
        "JOIN area_cell_counts_10 n USING (cell_index) "
        "WHERE n.area_row >= 0 GROUP BY ALL) "
        "SELECT area_row, category_index, count, cell FROM told QUALIFY row_number() OVER "
        "(PARTITION BY cell, category_index ORDER BY n DESC, area_row) = 1",
        [newest, threshold],
    )
    areas = sight.snapshot.areas
    levels, codes = areas["level"].tolist(), areas["code"].tolist()
    return [(levels[row], codes[row], *rest) for row, *rest in rows]


def _most(
    sight: Sight, rule: Rule, newest: dt.date, rows: list[tuple[Any, ...]]
) -> Iterator[Found]:
    """Of each area and group the place or category with the most incidents."""
    places: dict[tuple[str, str, str], int] = {}
    for level, code, category, _, _ in rows:
        group = sight.groups.get(category, ALL_GROUPS)
        places[level, code, group] = places.get((level, code, group), 0) + 1
    done = set()
    for level, code, category, count, cell in sorted(rows, key=lambda row: (-row[3], *row[:3])):
        group = sight.groups.get(category, ALL_GROUPS)
        if level not in rule.levels or (level, code, group) in done:
            continue
        done.add((level, code, group))
        evidence = {
            "category": sight.categories[category],
            "count": count,
            "days": 30,
            "period": newest,
            "places": places[level, code, group],
        }
        evidence |= {"cell": cell} if cell else {}
        yield Found(level, code, newest, shown(evidence), group=group)


def _day(value: dt.date) -> dt.date:
    return value.date() if isinstance(value, dt.datetime) else value
