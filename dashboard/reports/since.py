"""What became known of the last issue's week since, and why it reads otherwise now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from dashboard import queries
from dashboard.areas import Area, hierarchy
from dashboard.desk import index_list
from dashboard.reports.facts import CategoryChange, Since
from data.access import NotVisibleError
from data.periods import Window

if TYPE_CHECKING:
    import datetime as dt

    from data.access import Scope
    from data.store import Snapshot

NAMED: Final = 5
"""Categories whose change is told one by one."""


def since(
    scope: Scope, now: Snapshot, then: Snapshot, code: str, end: dt.date, *, week: str
) -> Since | None:
    """
    Compare what two snapshots know of one week of an area.

    Parameters
    ----------
    then
        Snapshot of the last issue.
    code
        Of the area, as an address names it.
    end, week
        First day and label of the last issue's period.

    Returns
    -------
    since
        None where the earlier snapshot does not have the area.
    """
    try:
        area, before = (hierarchy(scope, each).find(code, day=end) for each in (now, then))
    except NotVisibleError:
        return None
    old, new = _by_category(scope, then, before, end), _by_category(scope, now, area, end)
    moved = {code: new.get(code, 0) - old.get(code, 0) for code in old | new}
    total = sum(moved.values())
    names = {row.code: (row.name_zh, row.name_en) for row in now.categories.itertuples()}
    largest = sorted((one for one in moved if moved[one]), key=lambda one: (-abs(moved[one]), one))
    return Since(
        week=week,
        was=sum(old.values()),
        now=sum(new.values()),
        # What left one category for another cancels out in the sum.
        reclassified=(sum(map(abs, moved.values())) - abs(total)) // 2,
        categories=tuple(
            CategoryChange(
                name_zh=names.get(one, (one, one))[0],
                name_en=names.get(one, (one, one))[1],
                was=old.get(one, 0),
                now=new.get(one, 0),
            )
            for one in largest[:NAMED]
        ),
        more_categories=max(0, len(largest) - NAMED),
        recoloured=_recoloured(scope, (then, before), (now, area), end),
        has_other_boundaries=now.manifest.boundary_version != then.manifest.boundary_version,
        has_other_settings=_settings(now) != _settings(then),
        has_other_program=now.manifest.raw.get("code_version")
        != then.manifest.raw.get("code_version"),
    )


def _by_category(scope: Scope, snapshot: Snapshot, area: Area, end: dt.date) -> dict[str, int]:
    selection = queries.Selection(Window(end, 1, snapshot.manifest.grain), None, 0)
    found = queries.category_counts(scope, snapshot, area, selection)
    labels = queries.category_labels(scope, snapshot)
    return {labels[index].code: count for index, count in found.items()}


def _recoloured(
    scope: Scope, then: tuple[Snapshot, Area], now: tuple[Snapshot, Area], end: dt.date
) -> int:
    """Areas of the next level whose colour of that week is another now."""
    below = hierarchy(scope, now[0]).below(now[1].level)
    if not below or below[0] not in hierarchy(scope, then[0]).order:
        return 0
    old, new = (_colours(scope, *each, below[0], end) for each in (then, now))
    return sum(old[code] != new[code] for code in old.keys() & new.keys())


def _colours(
    scope: Scope, snapshot: Snapshot, focus: Area, level: str, end: dt.date
) -> dict[str, int]:
    rows = index_list.rows(scope, snapshot, focus, level, end)
    if rows.empty:
        return {}
    codes = hierarchy(scope, snapshot).at(level).codes
    index = rows["area_index"].to_numpy(np.int64)
    return dict(zip(map(str, codes[index]), rows["colour"].astype(int).tolist(), strict=True))


def _settings(snapshot: Snapshot) -> object:
    return snapshot.manifest.raw.get("analysis", {}).get("shown")
