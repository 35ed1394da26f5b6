"""The areas of a snapshot as arrays per level: names, parents, ancestors, validity, visibility."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd

from dashboard.cache import scoped_cache_of_few
from data import access, releases
from data.access import NotVisibleError, Scope

if TYPE_CHECKING:
    import datetime as dt

    from numpy.typing import NDArray

    from data.store import Snapshot

Bounds = tuple[float, float, float, float]


@dataclass(frozen=True)
class Area:
    """One area: its level and its position in that level."""

    level: str
    index: int


@dataclass(frozen=True)
class LevelAreas:
    """The areas of one level by `area_index`; each array has shape (n areas,)."""

    level: str
    codes: NDArray[Any]
    names_zh: NDArray[Any]
    names_en: NDArray[Any]
    parents: NDArray[np.int64]
    exposure: NDArray[np.float64]
    lng: NDArray[np.float64]
    lat: NDArray[np.float64]
    bounds: NDArray[np.float64]
    """West, south, east, north in degrees, shape (n areas, 4)."""
    valid_from: NDArray[np.datetime64]
    valid_to: NDArray[np.datetime64]
    """First day no longer valid."""
    visible: NDArray[np.bool_]
    known: frozenset[str]
    """The codes, to look one up."""

    def __len__(self) -> int:
        return len(self.codes)

    def valid_on(self, day: dt.date) -> NDArray[np.bool_]:
        """Which areas exist on a day."""
        return np.asarray(
            (self.valid_from <= np.datetime64(day)) & (self.valid_to > np.datetime64(day))
        )

    def names(self, lang: str) -> NDArray[Any]:
        """Names in one language; an area without an English name keeps its own."""
        return self.names_zh if lang == "zh" else self.names_en


@dataclass(frozen=True)
class Hierarchy:
    """Every level of the city, the highest first, as one scope may see it."""

    levels: tuple[LevelAreas, ...]

    @cached_property
    def order(self) -> tuple[str, ...]:
        """Level names from the top down."""
        return tuple(areas.level for areas in self.levels)

    def at(self, level: str) -> LevelAreas:
        """Areas of one level."""
        return self.levels[self.order.index(level)]

    def below(self, level: str) -> tuple[str, ...]:
        """Levels under the given one, from the top down."""
        return self.order[self.order.index(level) + 1 :]

    def code(self, area: Area) -> str:
        """
        Text that names an area in an address.

        Its code; where two levels use the same code, `level.code` (codes are unique in a level).
        """
        code = str(self.at(area.level).codes[area.index])
        shared = sum(code in areas.known for areas in self.levels) > 1
        return f"{area.level}.{code}" if shared else code

    def find(self, reference: str, *, day: dt.date) -> Area:
        """
        Area that `code` names, or `level.code`; of several validities the one that holds on `day`.

        Raises
        ------
        NotVisibleError
            There is no such area, or the scope does not cover it: the same answer.
        """
        prefix, _, rest = reference.partition(".")
        levels = tuple(areas.level for areas in self.levels if reference in areas.known)
        code = reference
        if prefix in self.order and rest:
            levels, code = (prefix,), rest
        for level in levels:
            areas = self.at(level)
            found = np.flatnonzero((areas.codes == code) & areas.visible)
            if len(found):
                valid = found[areas.valid_on(day)[found]]
                return Area(level, int(valid[0] if len(valid) else found[-1]))
        raise NotVisibleError("no such area")

    def check(self, area: Area) -> Area:
        """
        Return the area if it exists and the scope covers it.

        Raises
        ------
        NotVisibleError
            Otherwise; the reason is not told.
        """
        if area.level not in self.order or not 0 <= area.index < len(self.at(area.level)):
            raise NotVisibleError("no such area")
        if not self.at(area.level).visible[area.index]:
            raise NotVisibleError("no such area")
        return area

    def top(self) -> Area:
        """
        The highest area that the scope covers.

        Raises
        ------
        NotVisibleError
            The scope covers none.
        """
        for areas in self.levels:
            visible = np.flatnonzero(areas.visible)
            if len(visible):
                return Area(areas.level, int(visible[0]))
        raise NotVisibleError("nothing is visible")

    def parent(self, area: Area) -> Area | None:
        """The next higher area, None at the top or where the scope ends."""
        depth = self.order.index(area.level)
        index = int(self.levels[depth].parents[area.index])
        if depth == 0 or index < 0 or not self.levels[depth - 1].visible[index]:
            return None
        return Area(self.order[depth - 1], index)

    def line_up(self, area: Area) -> list[Area]:
        """The areas above, the nearest first, whether the scope covers them or not."""
        found = []
        index, depth = area.index, self.order.index(area.level)
        while depth > 0 and (index := int(self.levels[depth].parents[index])) >= 0:
            depth -= 1
            found.append(Area(self.order[depth], index))
        return found

    def path(self, area: Area) -> list[Area]:
        """The area and everything above it that the scope covers, highest first."""
        steps = [area]
        while (above := self.parent(steps[0])) is not None:
            steps.insert(0, above)
        return steps

    def ancestors(self, level: str, *, at: str) -> NDArray[np.int64]:
        """
        Position of each area's ancestor at a higher (or the same) level; -1 where it has none.

        Shape (n areas of `level`,).
        """
        depth = self.order.index(level)
        found = np.arange(len(self.levels[depth]))
        for step in range(depth, self.order.index(at), -1):
            found = np.where(found >= 0, self.levels[step].parents[found], -1)
        return found

    def inside(self, level: str, focus: Area) -> NDArray[np.bool_]:
        """Which areas of a level lie in the focus and in the scope."""
        return np.asarray(
            (self.ancestors(level, at=focus.level) == focus.index) & self.at(level).visible
        )

    def rows_inside(self, focus: Area) -> NDArray[np.int64]:
        """Rows of the table `areas` that lie in the focus and in the scope, itself among them."""
        found = np.concatenate(
            [
                self.inside(areas.level, focus)
                if areas.level in (focus.level, *self.below(focus.level))
                else np.zeros(len(areas), dtype=bool)
                for areas in self.levels
            ]
        )
        return np.flatnonzero(found)


@scoped_cache_of_few
def hierarchy(scope: Scope, snapshot: Snapshot) -> Hierarchy:
    """
    Arrange the `areas` table by level, with what the scope may walk through.

    That is what it covers exactly; for a scope of the protected tier, the levels of its releases.
    """
    if not scope.is_protected:
        return _arranged(snapshot, access.visible_areas(scope, snapshot.areas))
    levels = releases.released_levels(snapshot, scope.sight.edition)
    whole = _arranged(snapshot, np.ones(len(snapshot.areas), dtype=bool))
    return Hierarchy(tuple(areas for areas in whole.levels if areas.level in levels))


@scoped_cache_of_few
def all_areas(scope: Scope, snapshot: Snapshot) -> Hierarchy:
    """
    Every area of the city, to look up names and shapes that a comparison or a release speaks of.

    `visible` tells what the scope covers exactly.
    """
    return _arranged(snapshot, access.visible_areas(scope, snapshot.areas))


_NOBODYS: WeakKeyDictionary[Snapshot, tuple[LevelAreas, ...]] = WeakKeyDictionary()
"""Arrays of each open snapshot, visible to nobody: what is the same for every scope."""


def _arranged(snapshot: Snapshot, visible: NDArray[np.bool_]) -> Hierarchy:
    levels = snapshot.areas["level"].to_numpy()
    if snapshot not in _NOBODYS:
        _NOBODYS[snapshot] = tuple(
            _level_areas(entry["level"], snapshot.areas[levels == entry["level"]])
            for entry in snapshot.manifest.levels
        )
    return Hierarchy(
        tuple(
            replace(areas, visible=visible[levels == areas.level]) for areas in _NOBODYS[snapshot]
        )
    )


def _level_areas(level: str, rows: pd.DataFrame) -> LevelAreas:
    names_zh = rows["name"].to_numpy(object)
    names_en = rows["name_en"].to_numpy(object)
    return LevelAreas(
        level=level,
        codes=rows["code"].to_numpy(object),
        names_zh=names_zh,
        names_en=np.where(names_en.astype(bool), names_en, names_zh),
        parents=rows["parent_index"].to_numpy(np.int64),
        exposure=rows["exposure"].to_numpy(np.float64),
        lng=rows["lng"].to_numpy(np.float64),
        lat=rows["lat"].to_numpy(np.float64),
        bounds=rows[["west", "south", "east", "north"]].to_numpy(np.float64),
        valid_from=_days(rows["valid_from"], otherwise="0001-01-01"),
        valid_to=_days(rows["valid_to"], otherwise="9999-12-31"),
        visible=np.zeros(len(rows), dtype=bool),
        known=frozenset(rows["code"].tolist()),
    )


def _days(column: pd.Series[Any], *, otherwise: str) -> NDArray[np.datetime64]:
    days = [otherwise if pd.isna(day) else str(day)[:10] for day in column]
    return np.array(days, dtype="datetime64[D]")
