"""The state of registers: which row of each number or week counts, and the account of all rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

PLACE: Final = ["register", "file"]
_NOT_CONTENT: Final = ("file", "row", "order")


def without_repeats(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows that say something new, in their order; the first of those that say the same stays."""
    content = [name for name in rows if name not in _NOT_CONTENT]
    return rows.drop_duplicates(content, ignore_index=True)


def current_points(rows: pd.DataFrame) -> pd.DataFrame:
    """
    Current version of each facility or post that has not been removed.

    The version with the newest inspection counts, and of several the one that came last: an old
    export that comes late does not bring an old inspection back.
    """
    order = ["last_inspected", "order"] if "last_inspected" in rows else ["order"]
    newest = rows.sort_values(order, kind="stable", na_position="first").drop_duplicates(
        ["register", "id"], keep="last"
    )
    kept = newest[~newest["is_removed"].astype(bool)]
    return kept.sort_values(["register", "id"], ignore_index=True)


def current_counts(rows: pd.DataFrame) -> pd.DataFrame:
    """Visits of each register, area and week as told last."""
    week = rows["day"] - pd.to_timedelta(rows["day"].dt.day_of_week, unit="D")
    told = rows.assign(week_start=week).sort_values("order", kind="stable")
    return told.drop_duplicates(["register", "area_code", "week_start"], keep="last")


def account(
    read: Sequence[dict[str, Any]], kept: pd.DataFrame, refused: pd.DataFrame
) -> pd.DataFrame:
    """
    Account of every file: read = accepted + quarantined + duplicate.

    Parameters
    ----------
    read
        `register`, `file` and `read` of each file.
    kept
        Rows that say something new.
    """
    table = pd.DataFrame(list(read), columns=[*PLACE, "read"])
    for name, rows in (("accepted", kept), ("quarantined", refused)):
        counted = rows.groupby(PLACE).size().rename(name).reset_index()
        table = table.merge(counted, on=PLACE, how="left")
    table = table.fillna({"accepted": 0, "quarantined": 0})
    table["duplicate"] = table["read"] - table["accepted"] - table["quarantined"]
    numbers = ["read", "accepted", "quarantined", "duplicate"]
    return table.astype(dict.fromkeys(numbers, "int64"))
