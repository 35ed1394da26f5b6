"""
Divisions: five nested levels of areas, their parents, paths and dates.

A city may lack any level but the first; the parent of an area lies in the next higher level that
the city has. Codes are text and unique within a level at any one date; a parent is always read
from `parent_code`, never cut out of a code. Functions take the `areas` table: one row per area
and validity, with `level`, `code`, `parent_code` (null in the top level) and, where the city
dates its areas, `valid_from` and `valid_to` (date, null = open, `valid_to` exclusive).
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import ArrayLike, NDArray

Level: TypeAlias = Literal["city", "county", "township", "community", "grid"]

LEVELS: tuple[Level, ...] = get_args(Level)
"""From the whole city down to the grid (网格)."""

_OPEN_START = np.datetime64("0001-01-01", "D")
_OPEN_END = np.datetime64("9999-12-31", "D")


class DivisionError(ValueError):
    """Areas that do not form one dated tree."""


def check_level(level: str) -> Level:
    """Return `level` if it is one of `LEVELS`, else raise `DivisionError`."""
    if level not in LEVELS:
        raise DivisionError(f"level {level!r} is unknown; write one of {', '.join(LEVELS)}")
    return level


def levels_of(areas: pd.DataFrame) -> tuple[Level, ...]:
    """Levels that the city has, highest first."""
    present = set(areas["level"])
    return tuple(level for level in LEVELS if level in present)


def next_level(levels: Collection[str], level: str) -> Level | None:
    """
    Find the level below.

    Parameters
    ----------
    levels
        Levels that the city has, in any order.
    level
        One of `LEVELS`; the city need not have it.

    Returns
    -------
    level
        The next lower level of the city, None below the lowest.
    """
    lower = LEVELS[LEVELS.index(check_level(level)) + 1 :]
    return next((candidate for candidate in lower if candidate in levels), None)


def previous_level(levels: Collection[str], level: str) -> Level | None:
    """Find the next higher level that the city has, None above the highest; see `next_level`."""
    higher = LEVELS[: LEVELS.index(check_level(level))]
    return next((candidate for candidate in reversed(higher) if candidate in levels), None)


def as_days(dates: ArrayLike) -> NDArray[np.datetime64]:
    """
    Read a column of dates, however it is stored.

    Parameters
    ----------
    dates
        Dates, timestamps without a zone, ISO text or numpy days; null where unknown.

    Returns
    -------
    days
        Numpy days (`datetime64[D]`), not-a-time where unknown.
    """
    array = np.asarray(dates)
    if array.dtype.kind != "M":
        array = pd.to_datetime(pd.Series(array, dtype=object)).to_numpy()
    return array.astype("datetime64[D]")


def validity(areas: pd.DataFrame) -> tuple[NDArray[np.datetime64], NDArray[np.datetime64]]:
    """
    Dates between which each area is valid.

    Parameters
    ----------
    areas
        `valid_from`, `valid_to`: dates, null = open; either column may be absent.

    Returns
    -------
    valid_from, valid_to
        Days; `valid_to` is the first day on which the area is no longer valid. An open start
        reads 0001-01-01, an open end 9999-12-31.
    """
    valid_from = _open_days(areas, "valid_from", _OPEN_START)
    return valid_from, _open_days(areas, "valid_to", _OPEN_END)


def check_divisions(areas: pd.DataFrame) -> None:
    """
    Raise unless the areas form one dated tree; every fault is named at once.

    Parameters
    ----------
    areas
        `level`, `code`, `parent_code`; `valid_from`, `valid_to` where areas are dated.

    Raises
    ------
    DivisionError
        Unknown levels, missing codes, codes valid twice on one date, ends before starts,
        parents that are missing, unknown, on another level, the area itself or not valid as
        long as the area.
    """
    faults = [
        *_level_faults(areas),
        *_code_faults(areas),
        *_date_faults(areas),
    ]
    # Parents are only looked for in sound levels and codes.
    faults = faults or _parent_faults(areas)
    if faults:
        raise DivisionError("areas: " + "; ".join(faults))


def parent_indices(areas: pd.DataFrame) -> NDArray[np.int32]:
    """
    Position of each area's parent among the areas of the next higher level.

    Parameters
    ----------
    areas
        As in `check_divisions`. Within a level, rows are numbered in table order, which is
        `area_index`.

    Returns
    -------
    parent_index
        One number per row of `areas`; -1 in the top level and where there is no such parent. A
        parent with several validities gives the latest row that overlaps the area's own.
    """
    found = np.full(len(areas), -1, dtype=np.int32)
    valid_from, valid_to = validity(areas)
    levels = levels_of(areas)
    row_level, codes = areas["level"].to_numpy(), areas["code"].to_numpy()
    parent_codes = areas["parent_code"].to_numpy()
    for upper, lower in pairwise(levels):
        upper_rows = np.flatnonzero(row_level == upper)
        indices_of_code: dict[object, list[int]] = {}
        for index in np.argsort(valid_from[upper_rows], kind="stable")[::-1].tolist():
            indices_of_code.setdefault(codes[upper_rows[index]], []).append(index)
        for row in np.flatnonzero(row_level == lower):
            for index in indices_of_code.get(parent_codes[row], ()):
                parent = upper_rows[index]
                if valid_from[parent] < valid_to[row] and valid_from[row] < valid_to[parent]:
                    found[row] = index
                    break
    return found


def children(areas: pd.DataFrame, code: str, *, level: str | None = None) -> pd.DataFrame:
    """
    Areas one level below an area.

    Parameters
    ----------
    areas
        As in `check_divisions`.
    code
        Code of the parent.
    level
        Level of the parent; needed only where two levels use the same code.

    Returns
    -------
    children
        Rows of `areas`, in table order, of every validity; empty below the lowest level.

    Raises
    ------
    DivisionError
        No area has the code.
    """
    own = _level_of(areas, code, level)
    lower = next_level(levels_of(areas), own)
    return areas[(areas["level"] == lower) & (areas["parent_code"] == code)]


def path(areas: pd.DataFrame, code: str, *, level: str | None = None) -> pd.DataFrame:
    """
    The area and all areas above it, city first.

    Parameters
    ----------
    areas
        As in `check_divisions`.
    code
        Code of the area.
    level
        Level of the area; needed only where two levels use the same code.

    Returns
    -------
    path
        One row of `areas` per level. An area with several validities gives its latest row, a
        parent the row that `parent_indices` names.

    Raises
    ------
    DivisionError
        No area has the code, or a parent on the way is missing.
    """
    own = _level_of(areas, code, level)
    valid_from, _ = validity(areas)
    row_level = areas["level"].to_numpy()
    rows = np.flatnonzero((row_level == own) & (areas["code"].to_numpy() == code))
    row = int(rows[np.argmax(valid_from[rows])])
    parent_of_row = parent_indices(areas)
    chain, levels = [row], levels_of(areas)
    while (upper := previous_level(levels, row_level[row])) is not None:
        if parent_of_row[row] < 0:
            parent = areas["parent_code"].iloc[row]
            raise DivisionError(f"areas: {row_level[row]} {code} has no {upper} {parent!r}")
        row = int(np.flatnonzero(row_level == upper)[parent_of_row[row]])
        chain.append(row)
    return areas.iloc[chain[::-1]]


def _level_of(areas: pd.DataFrame, code: str, level: str | None) -> Level:
    own = areas["code"] == code
    found = levels_of(areas[own if level is None else own & (areas["level"] == level)])
    if not found:
        where = "" if level is None else f" in level {level}"
        raise DivisionError(f"areas: no area has the code {code!r}{where}")
    if len(found) > 1:
        both = ", ".join(found)
        raise DivisionError(f"areas: code {code!r} is used by {both}; name the level")
    return found[0]


def _open_days(
    areas: pd.DataFrame, column: str, when_open: np.datetime64
) -> NDArray[np.datetime64]:
    if column not in areas:
        return np.full(len(areas), when_open, dtype="datetime64[D]")
    days = as_days(areas[column])
    return np.where(np.isnat(days), when_open, days)


def _fault(rows: NDArray[np.int64], areas: pd.DataFrame, what: str, advice: str) -> list[str]:
    if not rows.size:
        return []
    first = ", ".join(f"{row} ({areas['code'].iloc[row]})" for row in rows[:5])
    return [f"{rows.size:,} of {len(areas):,} rows {what} (rows {first}): {advice}"]


def _level_faults(areas: pd.DataFrame) -> list[str]:
    unknown = np.flatnonzero(~areas["level"].isin(LEVELS).to_numpy(dtype=bool))
    faults = _fault(unknown, areas, "have an unknown level", f"write one of {', '.join(LEVELS)}")
    if not (areas["level"] == LEVELS[0]).any():
        faults.append(f"no row has the level {LEVELS[0]}: add the city itself")
    return faults


def _code_faults(areas: pd.DataFrame) -> list[str]:
    missing = areas["code"].isna() | (areas["code"] == "")
    no_code = np.flatnonzero(missing.to_numpy(dtype=bool))
    valid_from, valid_to = validity(areas)
    # Within one level and code, sorted by start, each row must end before the next one starts.
    keys = pd.MultiIndex.from_frame(areas[["level", "code"]].astype(str))
    group = pd.factorize(keys)[0]
    order = np.lexsort((valid_from, group))
    same = group[order][1:] == group[order][:-1]
    overlap = same & (valid_from[order][1:] < valid_to[order][:-1])
    twice = np.sort(order[1:][overlap])
    return [
        *_fault(no_code, areas, "have no code", "fill `code`"),
        *_fault(
            twice,
            areas,
            "repeat a code of their level on the same dates",
            "an area that is re-cut gets a new code, or ends before its successor starts",
        ),
    ]


def _date_faults(areas: pd.DataFrame) -> list[str]:
    valid_from, valid_to = validity(areas)
    backwards = np.flatnonzero(valid_to <= valid_from)
    return _fault(backwards, areas, "end before they start", "`valid_to` is exclusive")


def _parent_faults(areas: pd.DataFrame) -> list[str]:
    row_level, codes = areas["level"].to_numpy(), areas["code"].to_numpy()
    parent_codes = areas["parent_code"].to_numpy()
    upper_of = _upper_levels(areas)
    levels_of_code: dict[object, set[str]] = {}
    for level, code in zip(row_level, codes, strict=True):
        levels_of_code.setdefault(code, set()).add(level)
    parent_of = dict(zip(codes, parent_codes, strict=True))
    rows_of: dict[str, list[int]] = {
        kind: [] for kind in ("above", "missing", "unknown", "level", "cycle", "dates")
    }
    for row, (level, parent) in enumerate(zip(row_level, parent_codes, strict=True)):
        upper = upper_of[level]
        has_parent = isinstance(parent, str) and parent != ""
        if upper is None:
            if has_parent:
                rows_of["above"].append(row)
        elif not has_parent:
            rows_of["missing"].append(row)
        elif upper not in (found := levels_of_code.get(parent, set())):
            kind = "unknown"
            if found:
                kind = "cycle" if _loops(codes[row], parent_of) else "level"
            rows_of[kind].append(row)
    rows_of["dates"] = _outlive_parent(areas)
    return _worded_parent_faults(areas, rows_of)


def _worded_parent_faults(areas: pd.DataFrame, rows_of: dict[str, list[int]]) -> list[str]:
    wording = {
        "above": ("of the top level have a parent", "leave `parent_code` empty"),
        "missing": ("have no parent", "fill `parent_code`"),
        "unknown": ("have an unknown parent", "`parent_code` must be a code of the level above"),
        "level": ("have a parent that is not on the next higher level", "correct `parent_code`"),
        "cycle": ("are their own ancestor", "correct `parent_code`"),
        "dates": ("are valid while their parent is not", "align `valid_from` and `valid_to`"),
    }
    faults = []
    for kind, (what, advice) in wording.items():
        faults += _fault(np.array(rows_of[kind], dtype=np.int64), areas, what, advice)
    return faults


def _loops(own: object, parent_of: dict[object, object]) -> bool:
    seen, code = {own}, parent_of[own]
    while isinstance(code, str) and code in parent_of:
        if code in seen:
            return code == own
        seen.add(code)
        code = parent_of[code]
    return False


def _upper_levels(areas: pd.DataFrame) -> dict[str, Level | None]:
    levels = levels_of(areas)
    return {level: previous_level(levels, level) for level in levels}


def _outlive_parent(areas: pd.DataFrame) -> list[int]:
    # Rows whose dates the rows of their parent do not cover without a hole.
    valid_from, valid_to = validity(areas)
    row_level, codes = areas["level"].to_numpy(), areas["code"].to_numpy()
    upper_of = _upper_levels(areas)
    spans: dict[tuple[object, object], list[tuple[np.datetime64, np.datetime64]]] = {}
    for row in np.argsort(valid_from, kind="stable").tolist():
        spans.setdefault((row_level[row], codes[row]), []).append((valid_from[row], valid_to[row]))
    outlive = []
    for row, parent in enumerate(areas["parent_code"].to_numpy()):
        reached = valid_from[row]
        parent_spans = spans.get((upper_of[row_level[row]], parent), [])
        for start, end in parent_spans:
            if start <= reached:
                reached = max(reached, end)
        if parent_spans and reached < valid_to[row]:
            outlive.append(row)
    return outlive
