"""To whom a desk may assign a warning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from dashboard.areas import hierarchy
from dashboard.command import naming, places
from dashboard.phone import own
from data.access import decide
from data.warnings import rights
from geo.divisions import LEVELS

if TYPE_CHECKING:
    from dashboard.areas import Area
    from dashboard.pages.area_names import AreaNames
    from dashboard.text import Words
    from data.access import Scope
    from data.store import Snapshot
    from data.warnings.kinds import AreaWarning, Place, Unit
    from data.warnings.settings import WarningSettings

MOST: Final = 120
"""Units of one list."""

LEVEL: Final = "level"


def read(text: str, warning: AreaWarning, settings: WarningSettings) -> Unit | None:
    """
    Unit that a form names for a warning; None where there is none.

    Parameters
    ----------
    text
        `level:township`, the unit of that level in whose area the warning lies; or
        `township:T1`, that of one area.
    """
    level, _, code = text.partition(":")
    if level == LEVEL:
        place = next((one for one in warning.places if one[0] == code), None)
    else:
        place = (level, code) if level in settings.units and code else None
    return settings.unit(place) if place else None


def levels(scope: Scope, snapshot: Snapshot, settings: WarningSettings) -> list[str]:
    """Levels whose unit a batch can go to: those at or below the own areas."""
    granted = [level for level, _ in decide(scope, rights.ACT).areas]
    if not granted:
        return []
    top = min(LEVELS.index(level) for level in granted)
    present = hierarchy(scope, snapshot).order
    return [one for one in LEVELS[top:] if one in present and one in settings.units]


@dataclass(frozen=True)
class Units:
    """The units of one city, in words for one reader."""

    scope: Scope
    snapshot: Snapshot
    settings: WarningSettings
    names: AreaNames
    words: Words

    def below(self, focus: Area) -> list[tuple[str, str]]:
        """Value and name of the units of the next level under an area; none where too many."""
        tree, day = hierarchy(self.scope, self.snapshot), own.last_day(self.snapshot)
        for level in tree.below(focus.level):
            areas = tree.at(level)
            rows = np.flatnonzero(tree.inside(level, focus) & areas.valid_on(day)).tolist()
            if rows and level in self.settings.units:
                there = [(level, str(areas.codes[row])) for row in rows]
                return [self._named(one) for one in there] if len(rows) <= MOST else []
        return []

    def of_warning(self, warning: AreaWarning) -> list[tuple[str, str]]:
        """Value and name of every unit that it may be assigned to, the highest first."""
        granted = decide(self.scope, rights.ACT).areas
        reached = [
            place
            for at, place in enumerate(warning.places)
            if granted & {*warning.places[at:]} and place != warning.owner.place
        ]
        found = [self._named(one) for one in reached[::-1]]
        area = places.find(self.scope, self.snapshot, warning.level, warning.code)
        if area is not None and granted & {*warning.places}:
            found += self.below(area)
        return found

    def _named(self, place: Place) -> tuple[str, str]:
        return ":".join(place), naming.unit(self.names, self.settings.unit(place), self.words)
