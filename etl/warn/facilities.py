"""Facilities whose inspection is past its day (渝北)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etl.warn.found import Findings, Found, shown

if TYPE_CHECKING:
    import datetime as dt

    from data.warnings.settings import Rule
    from etl.warn.found import Sight


def facilities_overdue(sight: Sight, rule: Rule) -> Findings | None:
    """Areas with so many facilities that are overdue, whatever their kind."""
    if not sight.has("facilities_due"):
        return None
    newest = sight.snapshot.rows("SELECT max(as_of) FROM facilities_due")[0][0]
    if newest is None:
        return None
    rows = sight.snapshot.rows(
        "SELECT f.level, a.code, sum(f.overdue), sum(f.total), sum(f.unknown), "
        "max(f.oldest_overdue_days), arg_max(f.kind, f.overdue) "
        "FROM facilities_due f JOIN areas a USING (level, area_index) "
        "WHERE f.as_of = ? GROUP BY f.level, a.code HAVING sum(f.overdue) >= ?",
        [newest, rule.threshold],
    )
    found = [_found(newest, *row) for row in rows if row[0] in rule.levels]
    return Findings(newest, tuple(found))


def _found(day: dt.date, level: str, code: str, *figures: Any) -> Found:
    overdue, total, unknown, oldest, kind = figures
    evidence = {
        "overdue": int(overdue),
        "total": int(total),
        "unknown": int(unknown),
        "oldest_overdue_days": oldest,
        "kind": kind,
        "as_of": day,
    }
    return Found(level, code, day, shown(evidence))
