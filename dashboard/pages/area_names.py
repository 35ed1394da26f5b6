"""Names of the areas that rights were given for, from the snapshot that is published now."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, NamedTuple

import pandas as pd

from data.access import WHOLE_CITY
from data.manifest import SnapshotError

if TYPE_CHECKING:
    from data.store import Snapshot, Store

FOUND: Final = 20
"""Areas that a search lists."""


class NamedArea(NamedTuple):
    """One area: names in both languages, and those of the areas above it, highest first."""

    level: str
    code: str
    name_zh: str
    name_en: str
    path_zh: tuple[str, ...]
    path_en: tuple[str, ...]
    path: tuple[tuple[str, str], ...] = ()
    """Level and code from the top down to the area itself."""

    def name(self, lang: str) -> str:
        """The name after the one of the area above, as people tell places apart."""
        path, own = (self.path_zh, self.name_zh) if lang == "zh" else (self.path_en, self.name_en)
        return " · ".join((*path[1:][-1:], own))


_Known = dict[tuple[str, str], NamedArea]


class AreaNames:
    """Looks areas up by level and code; read once for each snapshot."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._known: tuple[str, _Known] = ("", {})

    def has_areas(self) -> bool:
        """Whether anything is published that names areas."""
        return bool(self._areas())

    def levels(self) -> tuple[str, ...]:
        """Levels of the published city from the top down; none without one."""
        return tuple(dict.fromkeys(level for level, _ in self._areas()))

    def find(self, level: str, code: str) -> NamedArea | None:
        """The area of a level with a code; None where there is none now."""
        return self._areas().get((level, code))

    def name(self, level: str, code: str, lang: str) -> str:
        """Name for people, or the code where no present area has it; "" is the whole city."""
        if code == WHOLE_CITY:
            return ""
        area = self.find(level, code)
        return area.name(lang) if area else code

    def search(self, text: str, *, within: tuple[str, str] | None = None) -> list[NamedArea]:
        """
        Areas whose name holds a text or whose code begins with it, the highest levels first.

        Parameters
        ----------
        within
            Level and code of an area in which they lie; None = anywhere.
        """
        wanted = text.strip().casefold()
        if not wanted:
            return []
        found = (
            area
            for area in self._areas().values()
            if (within is None or within in area.path)
            and (
                wanted in area.name_zh.casefold()
                or wanted in area.name_en.casefold()
                or area.code.casefold().startswith(wanted)
            )
        )
        return [area for area, _ in zip(found, range(FOUND), strict=False)]

    def _areas(self) -> _Known:
        try:
            snapshot = self._store.current()
        except SnapshotError:
            return {}
        with self._lock:
            if self._known[0] != snapshot.id:
                self._known = (snapshot.id, _read(snapshot))
            return self._known[1]


def _read(snapshot: Snapshot) -> _Known:
    """Every area that is valid now; one whose code was given anew is the newer one."""
    known: _Known = {}
    above: dict[int, NamedArea] = {}
    for level, rows in snapshot.areas.groupby("level", sort=False):
        at_level: dict[int, NamedArea] = {}
        for row in rows.itertuples():
            parent = above.get(int(row.parent_index))
            name_zh = str(row.name)
            area = NamedArea(
                str(level),
                str(row.code),
                name_zh,
                name_zh if pd.isna(row.name_en) or not row.name_en else str(row.name_en),
                (*parent.path_zh, parent.name_zh) if parent else (),
                (*parent.path_en, parent.name_en) if parent else (),
                (*(parent.path if parent else ()), (str(level), str(row.code))),
            )
            at_level[int(row.area_index)] = area
            if pd.isna(row.valid_to):
                known[area.level, area.code] = area
        above = at_level
    return known
