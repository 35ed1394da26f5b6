"""Settings of the clocks: which steps they run between, and how long each may take."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from data.analysis_settings import AnalysisSettingsError, read_group_list, settings_file
from data.source import SEVERITIES
from data.tables import REQUIRED, Keys, check_choice, parse_toml, take

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILE: Final = "clocks.toml"
STEPS: Final = ("received", "dispatched", "signed", "resolved", "archived")
"""Steps of an incident in their order; `received` is when it was reported, else happened."""
CALENDAR, WORKING = "calendar", "working"
MERGE, UNKNOWN = "merge", "unknown"

Allowed = tuple[float, ...]
"""Days by severity 0 to 4; NaN = no clock."""


@dataclass(frozen=True)
class Clock:
    """
    One clock.

    `start` and `end` are positions in `STEPS`; with `own_deadline` the source's deadline, where it
    gives one, takes the place of `allowed` and counts from the receipt.
    """

    name: str
    name_zh: str
    name_en: str
    start: int
    end: int
    allowed: Allowed
    own_deadline: bool


@dataclass(frozen=True)
class ClockSettings:
    """
    Content of `clocks.toml`, and the city's time zone.

    Attributes
    ----------
    days
        `calendar` or `working`.
    untold_steps
        `merge` or `unknown`: what becomes of a clock whose first step a source never tells.
    window_days
        The state of the clocks counts incidents received in so many days, and all that still run.
    curve_days, least_at_risk
        Survival curves rest on clocks started in so many days, and on at least so many clocks.
    overrides
        Group and clock to another allowance.
    """

    time_zone: str
    days: str
    untold_steps: str
    window_days: int
    curve_days: int
    least_at_risk: int
    clocks: tuple[Clock, ...]
    overrides: Mapping[tuple[str, str], Allowed]

    def allowed(self, clock: Clock, group: str) -> Allowed:
        """Days of a clock by severity 0 to 4 in a group (`all` = in none)."""
        return self.overrides.get((group, clock.name), clock.allowed)


_KEYS: Final[Keys] = {
    "days": (str, CALENDAR),
    "untold_steps": (str, MERGE),
    "window_days": (int, 91),
    "curve_days": (int, 365),
    "least_at_risk": (int, 30),
    "clock": (list, REQUIRED),
    "override": (list, []),
}
_CLOCK_KEYS: Final[Keys] = {
    "name": (str, REQUIRED),
    "name_zh": (str, REQUIRED),
    "name_en": (str, REQUIRED),
    "start": (str, REQUIRED),
    "end": (str, REQUIRED),
    "allowed": ((int, float, list), REQUIRED),
    "own_deadline": (bool, False),
}
_OVERRIDE_KEYS: Final[Keys] = {
    "group": (str, REQUIRED),
    "clock": (str, REQUIRED),
    "allowed": ((int, float, list), REQUIRED),
}


def read_clock_settings(city_folder: Path, *, time_zone: str) -> ClockSettings:
    """
    Read the clocks that are in force in a city.

    Raises
    ------
    AnalysisSettingsError
        With every fault found.
    """
    path = settings_file(city_folder, FILE)
    faults: list[str] = []
    taken = take(parse_toml(path, faults), _KEYS, path.name, faults)
    check_choice(taken["days"], (CALENDAR, WORKING), f"{path.name}: `days`", faults)
    check_choice(taken["untold_steps"], (MERGE, UNKNOWN), f"{path.name}: `untold_steps`", faults)
    for key in ("window_days", "curve_days", "least_at_risk"):
        if taken[key] < 1:
            faults.append(f"{path.name}: `{key}` must be at least 1")
    clocks = tuple(
        _clock(table, f"{path.name}: clock {number}", faults)
        for number, table in enumerate(_listed(taken.pop("clock"), path.name, faults), start=1)
    )
    groups = [one.name for one in read_group_list(city_folder)]
    overrides = {}
    listed = _listed(taken.pop("override"), path.name, faults)
    for number, table in enumerate(listed, start=1):
        where = f"{path.name}: override {number}"
        own = take(table, _OVERRIDE_KEYS, where, faults)
        check_choice(own["group"], tuple(groups), f"{where}: `group`", faults)
        names = tuple(clock.name for clock in clocks)
        check_choice(own["clock"], names, f"{where}: `clock`", faults)
        overrides[own["group"], own["clock"]] = _allowed(own["allowed"], where, faults)
    if not clocks or len({clock.name for clock in clocks}) < len(clocks):
        faults.append(f"{path.name}: write at least one [[clock]]; their names must differ")
    if faults:
        raise AnalysisSettingsError(f"{path}:\n  " + "\n  ".join(faults))
    return ClockSettings(time_zone=time_zone, clocks=clocks, overrides=overrides, **taken)


def _listed(tables: list[Any], where: str, faults: list[str]) -> list[dict[str, Any]]:
    kept = [table for table in tables if isinstance(table, dict)]
    if len(kept) < len(tables):
        faults.append(f"{where}: write [[clock]] or [[override]] before each table")
    return kept


def _clock(table: dict[str, Any], where: str, faults: list[str]) -> Clock:
    taken = take(table, _CLOCK_KEYS, where, faults)
    for key in ("start", "end"):
        check_choice(taken[key], STEPS, f"{where}: `{key}`", faults)
    positions = {key: STEPS.index(taken[key]) if taken[key] in STEPS else 0
                 for key in ("start", "end")}  # fmt: skip
    if {taken["start"], taken["end"]} <= {*STEPS} and positions["start"] >= positions["end"]:
        faults.append(f"{where}: `end` must be a later step than `start`")
    return Clock(**taken | positions | {"allowed": _allowed(taken["allowed"], where, faults)})


def _allowed(days: float | list[Any], where: str, faults: list[str]) -> Allowed:
    """One number for every severity, or four for severity 1 to 4."""
    if not isinstance(days, list):
        found = [float(days)] * (len(SEVERITIES) + 1)
    elif len(days) == len(SEVERITIES) and all(isinstance(one, int | float) for one in days):
        found = [math.nan, *map(float, days)]
    else:
        faults.append(f"{where}: `allowed` must be a number, or one for each severity 1 to 4")
        return (math.nan,) * (len(SEVERITIES) + 1)
    if any(one <= 0 for one in found):
        faults.append(f"{where}: `allowed` must be days above 0")
    return tuple(found)
