"""What others have put on this area's table: open warnings, and letters that were signed."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dashboard.areas import hierarchy
from dashboard.phone.own import last_day
from data.access import NotVisibleError, decide
from data.letters import kinds
from data.letters.store import READ as READ_LETTERS
from data.letters.store import Letters
from data.warnings import life, rights
from data.warnings.settings import read_warning_settings
from data.warnings.store import Warnings

if TYPE_CHECKING:
    import datetime as dt

    from dashboard.areas import Area
    from data.access import Scope
    from data.letters.models import Letter
    from data.settings import Settings
    from data.state.database import StateDatabase
    from data.store import Snapshot
    from data.warnings.kinds import AreaWarning

STEPS: Final = (life.SIGN, life.START, life.CLOSE)
"""Steps of the phone: signed for, in hand, done."""

MOST: Final = 20
"""Warnings and letters that are listed."""


@dataclass(frozen=True)
class Task:
    """
    A warning with the steps that the reader may take.

    Attributes
    ----------
    area
        Its own area; None where it is not one that the scope sees.
    key
        Of the next press: sent twice, it is one step.
    """

    warning: AreaWarning
    area: Area | None
    steps: tuple[str, ...]
    is_late: bool
    key: str


def register(settings: Settings, database: StateDatabase, zone: str) -> Warnings:
    """
    Warnings of this installation, by the clocks of its city.

    Raises
    ------
    WarningSettingsError
        The city's `warnings.toml` cannot be used.
    """
    folder = Path(settings.city) if settings.city else None
    return Warnings(database, settings=read_warning_settings(folder, time_zone=zone))


def warnings(
    scope: Scope, snapshot: Snapshot, area: Area, kept: Warnings, now: dt.datetime
) -> list[Task] | None:
    """
    Open warnings of an area, the most urgent first; None for who may not read warnings.

    Raises
    ------
    NotVisibleError
        The area is unknown or outside the scope.
    """
    tree = hierarchy(scope, snapshot)
    tree.check(area)
    if not decide(scope, rights.READ).is_allowed:
        return None
    code = str(tree.at(area.level).codes[area.index])
    # In grants and warnings the city has no code of its own.
    place = ("city", "*") if area.level == tree.order[0] == "city" else (area.level, code)
    found = kept.listed(scope, states=life.OPEN, area=place, limit=MOST)
    return [_task(scope, snapshot, one, now) for one in found]


def _task(scope: Scope, snapshot: Snapshot, warning: AreaWarning, now: dt.datetime) -> Task:
    area = None
    try:
        reference = f"{warning.level}.{warning.code}"
        area = hierarchy(scope, snapshot).find(reference, day=last_day(snapshot))
    except NotVisibleError:
        pass  # of a unit's area that was re-cut since
    return Task(
        warning,
        area,
        tuple(step for step in rights.choices(scope, warning) if step in STEPS),
        warning.is_overdue(now),
        secrets.token_hex(16),
    )


def letters(scope: Scope, database: StateDatabase) -> list[Letter] | None:
    """Signed letters to the scope's areas, the newest first; None for who may not read them."""
    if not decide(scope, READ_LETTERS).is_allowed:
        return None
    return Letters(database).listed(scope, status=kinds.SIGNED)[:MOST]
