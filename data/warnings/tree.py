"""Which areas lie in which: the path of an area up to the city, from a snapshot's areas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from data.access import WHOLE_CITY, NotVisibleError

if TYPE_CHECKING:
    import pandas as pd

    from data.store import Store
    from data.warnings.kinds import Place

CITY: Final[Place] = ("city", WHOLE_CITY)


class AreaTree:
    """
    Paths of areas.

    Parameters
    ----------
    areas
        The snapshot's `areas`; of areas with one code the last row counts, which is the newest.
    """

    def __init__(self, areas: pd.DataFrame) -> None:
        levels = list(dict.fromkeys(areas["level"]))
        above = dict(zip(levels[1:], levels[:-1], strict=True))
        self._parents: dict[Place, Place] = {}
        for level, code, parent in zip(
            areas["level"], areas["code"], areas["parent_code"], strict=True
        ):
            upper = above.get(level)
            has_parent = upper not in (None, "city") and isinstance(parent, str) and parent
            self._parents[level, code] = (str(upper), str(parent)) if has_parent else CITY

    def path(self, level: str, code: str) -> tuple[Place, ...]:
        """
        Areas in which an area lies, itself first and the city last.

        Raises
        ------
        NotVisibleError
            There is no such area.
        """
        if level == "city":
            return (CITY,)
        found: list[Place] = []
        place: Place = (level, code)
        while place != CITY:
            if place not in self._parents:
                raise NotVisibleError(f"there is no area {place[0]} {place[1]}")
            found.append(place)
            place = self._parents[place]
        return (*found, CITY)


class Trees:
    """The tree of the newest snapshot of a store, made once per snapshot."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._held: tuple[str, AreaTree] | None = None

    def __call__(self) -> AreaTree:
        """Return the tree of the snapshot that is published now."""
        snapshot = self._store.current()
        held = self._held
        if held is None or held[0] != snapshot.id:
            self._held = held = (snapshot.id, AreaTree(snapshot.areas))
        return held[1]
