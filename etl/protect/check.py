"""
What `pingan verify` asks of stored releases: are they what the rules let through?

Counts that arrived later are no fault: a release stays as it was. So each is checked by itself, and
against the areas of its last day; one of earlier boundaries only by itself. The newest ones are
attacked, too: their tables are solved as somebody outside would solve them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from data.periods import Window
from data.privacy import EDITIONS, LEAST_K
from data.releases import ALL, COUNTS, OTHER, RELEASES, SENSITIVE
from etl.protect.rules import LEAST_MEMBERS
from etl.protect.solve_release import exposed_cells
from geo import divisions

if TYPE_CHECKING:
    import pandas as pd

    from data.store import Snapshot

    Floats = np.ndarray[Any, np.dtype[np.float64]]
    Ints = np.ndarray[Any, np.dtype[np.int64]]
    Bools = np.ndarray[Any, np.dtype[np.bool_]]
    Days = np.ndarray[Any, np.dtype[np.datetime64]]

_PERIOD: Final = ["edition", "period_start"]
_LOW: Final = ("township", "community", "grid")


class ReleaseFault(ValueError):  # noqa: N818 - it is an outcome of a check, as in `etl.verify`
    """A release does not keep a rule; the message says which and where."""


@dataclass(frozen=True)
class Areas:
    """The `areas` table as arrays, a row each."""

    table: pd.DataFrame
    levels: list[str]

    @cached_property
    def parent(self) -> Ints:
        """Row of each area's parent, -1 = none."""
        levels, index = self.table["level"].to_numpy(), self.table["parent_index"].to_numpy()
        first = {level: int(np.argmax(levels == level)) for level in self.levels}
        above = dict(zip(self.levels[1:], self.levels, strict=False))
        begins = np.array([first[above[level]] if level in above else 0 for level in levels])
        return np.where(index >= 0, begins + index, -1)

    @cached_property
    def depth(self) -> Ints:
        """Number of levels above each area."""
        return np.array([self.levels.index(level) for level in self.table["level"]])

    @cached_property
    def _validity(self) -> tuple[Days, Days]:
        return divisions.validity(self.table)

    def valid(self, period: Window) -> tuple[Bools, Bools]:
        """Areas valid on a period's last day, and those that ended before it within the period."""
        starts, ends = self._validity
        first, last = np.datetime64(period.start), np.datetime64(period.last_day)
        valid = (starts <= last) & (last < ends)
        return valid, (starts <= last) & (ends > first) & ~valid


def check_releases(snapshot: Snapshot) -> str:
    """
    Check all releases of a snapshot; how many there were.

    Raises
    ------
    ReleaseFault
        One does not keep a rule.
    """
    if RELEASES not in snapshot.tables():
        return "no period is released yet"
    releases = snapshot.read(RELEASES)
    rows = snapshot.read(COUNTS).merge(releases, on=_PERIOD, how="left", validate="many_to_one")
    _check_each(rows)
    levels = [entry["level"] for entry in snapshot.manifest.levels]
    areas = Areas(snapshot.areas, levels)
    here = _placed(rows[rows["boundary_version"] == snapshot.manifest.boundary_version], areas)
    newest, solved = releases["period_start"].max(), 0
    for (edition, start), release in here.groupby(_PERIOD):
        where = f"{edition} release of {start}"
        told = {
            int(category): _spread(cells, len(areas.table))
            for category, cells in release.groupby("category_index")
        }
        period = Window(start, 1, snapshot.manifest.grain)
        _check_nested(told, areas, where)
        lowest = areas.levels.index(release["finest_totals"].iloc[0])
        _check_left_out(told[ALL], areas, period, lowest, where)
        if start == newest:
            solved += _attack(told, areas, period, where)
    return f"{len(releases)} releases, {len(rows):,} counts; {solved} tables of the newest solved"


def _check_each(rows: pd.DataFrame) -> None:
    """Each count belongs to a release and is large enough; the public ones are internal ones."""
    _none(rows[rows["k"].isna()], "counts belong to no release")
    least = rows["edition"].map(LEAST_K).fillna(max(LEAST_K.values()))
    _none(rows[rows["count"] < np.maximum(rows["k"], least)], "counts are smaller than may be told")
    low = rows[(rows["category_index"] == SENSITIVE) & rows["level"].isin(_LOW)]
    _none(low, "counts of sensitive categories are of areas below the county")
    named = rows[rows["category_index"] != OTHER]
    key = ["period_start", "level", "code", "category_index", "count"]
    internal, public = (named[named["edition"] == edition] for edition in EDITIONS)
    joined = public.merge(internal[key], on=key, how="left", indicator=True)
    _none(joined[joined["_merge"] == "left_only"], "public counts are not internal ones")


def _placed(rows: pd.DataFrame, areas: Areas) -> pd.DataFrame:
    """Rows with the row of `areas` that each is of."""
    known = areas.table[["level", "code", "valid_from"]].assign(row=np.arange(len(areas.table)))
    key = ["level", "code", "day"]
    own, theirs = (
        frame.assign(day=frame["valid_from"].astype("string").fillna("")) for frame in (rows, known)
    )
    joined = own.merge(theirs[[*key, "row"]], on=key, how="left")
    _none(joined[joined["row"].isna()], "counts are of areas that do not exist")
    return joined.astype({"row": "int64"})


def _spread(cells: pd.DataFrame, size: int) -> Floats:
    """Counts by row of `areas`; NaN = withheld."""
    found = np.full(size, np.nan)
    found[cells["row"].to_numpy()] = cells["count"].to_numpy()
    return found


def _check_nested(told: dict[int, Floats], areas: Areas, where: str) -> None:
    """A count is told only beside the total and under the parent's, of which it is a part."""
    classes = [counts for category, counts in told.items() if category >= 0 or category == OTHER]
    parts = np.sum([np.nan_to_num(counts) for counts in classes], axis=0) if classes else 0.0
    _areas(parts > np.nan_to_num(told[ALL]), areas, f"{where}: more in classes than in all")
    for category, counts in told.items():
        if category != OTHER:
            below = np.flatnonzero(~np.isnan(counts) & (areas.parent >= 0))
            sums = np.zeros(len(counts))
            np.add.at(sums, areas.parent[below], counts[below])
            what = f"{where}, category {category}: less than the areas in it"
            _areas(sums > np.nan_to_num(counts, nan=0.0), areas, what)


def _check_left_out(totals: Floats, areas: Areas, period: Window, lowest: int, where: str) -> None:
    """Of the children of a told area none is withheld, or several."""
    valid, ended = areas.valid(period)
    hidden = valid & np.isnan(totals) & (areas.parent >= 0) & (areas.depth <= lowest)
    left = np.bincount(areas.parent[hidden], minlength=len(totals))
    gone = np.bincount(areas.parent[ended & (areas.parent >= 0)], minlength=len(totals)) > 0
    few = (left > 0) & (left + gone < LEAST_MEMBERS) & ~np.isnan(totals)
    _areas(few, areas, f"{where}: one or two areas withheld")


def _attack(told: dict[int, Floats], areas: Areas, period: Window, where: str) -> int:
    """Solve every table of a release; their number."""
    solved = 0
    for parent, cells in exposed_cells(told, areas.parent, areas.valid(period)[0]):
        solved += 1
        if cells:
            names = areas.table["code"].to_numpy()
            raise ReleaseFault(
                f"{where}: {cells} withheld counts in {names[parent]} can be computed; "
                "tell whoever maintains this program, and publish nothing"
            )
    return solved


def _areas(wrong: Bools, areas: Areas, what: str) -> None:
    if np.any(wrong):
        _none(areas.table.loc[np.asarray(wrong), ["level", "code"]], what)


def _none(wrong: pd.DataFrame, what: str) -> None:
    if len(wrong):
        named = [name for name in (*_PERIOD, "level", "code") if name in wrong]
        first = "; ".join(str(row) for row in wrong[named].head(5).to_dict("records"))
        raise ReleaseFault(f"{len(wrong):,} {what}: {first}")
