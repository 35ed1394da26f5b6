"""Settings of the warnings: the city's own `warnings.toml`, else the default, read strictly."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from data.permissions import matrix
from data.tables import REQUIRED, Keys, check_choice, parse_toml, take
from data.warnings.clocks import CALENDAR, STAGES, URGENCIES, WORKING, Clocks
from data.warnings.kinds import PERSON, Unit
from geo.divisions import LEVELS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from data.warnings.kinds import Place

FILE: Final = "warnings.toml"
KINDS: Final = (
    "index", "signal", "repeat_place", "same_kind", "overdue", "source_silent", "facility_overdue",
)  # fmt: skip
OVERDUE: Final = "overdue"
OWN_COLOUR: Final = ("index", "signal")
"""Kinds whose condition has a colour itself."""
COLOURS: Final = {"red": 4, "orange": 3, "yellow": 2, "blue": 1}
MEASURES: Final = ("notice", "talk", "further")
ALL_GROUPS: Final = "all"
MOST_DAYS: Final = 366
_HEIGHT: Final[dict[str, int]] = {level: at for at, level in enumerate(LEVELS)}
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")


class WarningSettingsError(ValueError):
    """`warnings.toml` cannot be used; the message lists every fault."""


@dataclass(frozen=True)
class Rule:
    """
    What opens a warning: a kind of condition, where, from what on, and its colour (0 = own).

    `share`, of `overdue` alone: those that have run out are also at least so much of all that
    began, 0 to 1.
    """

    name: str
    kind: str
    levels: tuple[str, ...]
    threshold: float
    colour: int
    share: float = 0.0


@dataclass(frozen=True)
class Route:
    """Who owns a new warning; an empty tuple fits everything, `owner` "" = the area's own unit."""

    levels: tuple[str, ...]
    groups: tuple[str, ...]
    colours: tuple[int, ...]
    owner: str

    def fits(self, level: str, group: str, colour: int) -> bool:
        """Whether it is for such a warning."""
        pairs = ((self.levels, level), (self.groups, group), (self.colours, colour))
        return all(not wanted or value in wanted for wanted, value in pairs)


@dataclass(frozen=True)
class Rung:
    """From so many repeats on, so many units higher, and a measure."""

    repeats: int
    tiers: int
    measure: str


@dataclass(frozen=True)
class WarningSettings:
    """Content of `warnings.toml`, and the city's time zone."""

    clocks: Clocks
    repeat_days: int
    urgencies: Mapping[int, str]
    units: Mapping[str, str]
    ladder: tuple[Rung, ...]
    rules: tuple[Rule, ...]
    routes: tuple[Route, ...]

    def unit(self, place: Place) -> Unit:
        """Who acts for an area."""
        return Unit(self.units[place[0]], *place)

    def owner(self, places: Sequence[Place], group: str, colour: int, repeats: int) -> Unit:
        """
        Who owns a new warning.

        Parameters
        ----------
        places
            Its area and all above, the lowest first. Where no area has the level of the route, the
            next one above it owns the warning.
        """
        level = places[0][0]
        route = next(one for one in self.routes if one.fits(level, group, colour))
        wanted = _HEIGHT[route.owner or level]
        at = next(i for i, (own, _) in enumerate(places) if _HEIGHT[own] <= wanted)
        return self.unit(places[min(at + self.rung(repeats).tiers, len(places) - 1)])

    def above(self, owner: Unit, places: Sequence[Place]) -> Unit | None:
        """
        The unit above an owner; None at the top.

        The owner may be a unit below the warning's area; above it is the unit of that area.
        """
        if owner.place not in places:
            return self.unit(places[0])
        at = list(places).index(owner.place) + 1
        return self.unit(places[at]) if at < len(places) else None

    def rung(self, repeats: int) -> Rung:
        """The rung of the ladder that so many repeats have reached."""
        reached = [one for one in self.ladder if one.repeats <= repeats]
        return reached[-1] if reached else Rung(0, 0, "")


_STAGE_KEYS: Final[Keys] = dict.fromkeys(STAGES, ((int, float), REQUIRED))
_RISK_KEYS: Final[Keys] = dict.fromkeys(URGENCIES, ((int, float), REQUIRED))
_COLOUR_KEYS: Final[Keys] = dict.fromkeys(COLOURS, (str, REQUIRED))
_UNIT_KEYS: Final[Keys] = dict.fromkeys(LEVELS, (str, REQUIRED))
_KEYS: Final[Keys] = {
    "days": (str, CALENDAR),
    "work_from": (str, "00:00"),
    "work_until": (str, "00:00"),
    "repeat_days": (int, 31),
    "stages": (dict, REQUIRED),
    "risks": (dict, REQUIRED),
    "urgencies": (dict, REQUIRED),
    "units": (dict, REQUIRED),
    "ladder": (list, []),
    "rule": (list, REQUIRED),
    "route": (list, REQUIRED),
}
_RUNG_KEYS: Final[Keys] = {
    "repeats": (int, REQUIRED), "tiers": (int, REQUIRED), "measure": (str, REQUIRED),
}  # fmt: skip
_RULE_KEYS: Final[Keys] = {
    "name": (str, REQUIRED), "kind": (str, REQUIRED), "levels": (list, REQUIRED),
    "threshold": ((int, float), REQUIRED), "colour": (int, REQUIRED), "share": ((int, float), 0),
}  # fmt: skip
_ROUTE_KEYS: Final[Keys] = {
    "levels": (list, []), "groups": (list, []), "colours": (list, []), "owner": (str, ""),
}  # fmt: skip


def read_warning_settings(
    city_folder: Path | None, *, time_zone: str = "Asia/Shanghai"
) -> WarningSettings:
    """
    Read the city's own file, else the default.

    Raises
    ------
    WarningSettingsError
        With every fault found.
    """
    own = city_folder / FILE if city_folder else None
    path = own if own and own.is_file() else Path(str(resources.files("data"))) / "reference" / FILE
    faults: list[str] = []
    taken = take(parse_toml(path, faults), _KEYS, FILE, faults)
    urgencies = take(taken["urgencies"], _COLOUR_KEYS, f"{FILE}: [urgencies]", faults)
    for colour, urgency in urgencies.items():
        check_choice(urgency, URGENCIES, f"{FILE}: `{colour}`", faults)
    found = WarningSettings(
        clocks=_clocks(taken, time_zone, faults),
        repeat_days=taken["repeat_days"],
        urgencies={COLOURS[colour]: urgency for colour, urgency in urgencies.items()},
        units=_units(taken["units"], faults),
        ladder=tuple(_each(taken["ladder"], "ladder", _rung, faults)),
        rules=tuple(_each(taken["rule"], "rule", _rule, faults)),
        routes=tuple(_each(taken["route"], "route", _route, faults)),
    )
    _check_together(found, faults)
    if faults:
        raise WarningSettingsError(f"{path}:\n  " + "\n  ".join(faults))
    return found


def _check_together(found: WarningSettings, faults: list[str]) -> None:
    if not 1 <= found.repeat_days <= MOST_DAYS:
        faults.append(f"{FILE}: `repeat_days` must be 1 to {MOST_DAYS}")
    names = [one.name for one in found.rules]
    if len(set(names)) < len(names) or PERSON in names:
        faults.append(f"{FILE}: rule names must differ, and none may be `{PERSON}`")
    if not any(one == Route((), (), (), one.owner) for one in found.routes):
        faults.append(f"{FILE}: one [[route]] must fit everything: leave its lists empty")
    repeats, tiers = ([getattr(one, name) for one in found.ladder] for name in ("repeats", "tiers"))
    if repeats != sorted(set(repeats)) or tiers != sorted(tiers):
        faults.append(f"{FILE}: [[ladder]] must rise: repeats and tiers")


def _clocks(taken: dict[str, Any], time_zone: str, faults: list[str]) -> Clocks:
    check_choice(taken["days"], (CALENDAR, WORKING), f"{FILE}: `days`", faults)
    start, end = (_time(taken[key], key, faults) for key in ("work_from", "work_until"))
    if end != dt.time() and end <= start:
        faults.append(f"{FILE}: `work_until` must be after `work_from`")
    stages = take(taken["stages"], _STAGE_KEYS, f"{FILE}: [stages]", faults)
    risks = take(taken["risks"], _RISK_KEYS, f"{FILE}: [risks]", faults)
    for name, days in (stages | risks).items():
        if not 0 < days <= MOST_DAYS:
            faults.append(f"{FILE}: `{name}` must be days above 0, at most {MOST_DAYS}")
    return Clocks(time_zone, taken["days"], start, end, stages, risks)


def _time(text: str, key: str, faults: list[str]) -> dt.time:
    try:
        return dt.datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007 - the city's own time
    except ValueError:
        faults.append(f'{FILE}: `{key}` must be a time as "09:00"')
        return dt.time()


def _units(table: dict[str, Any], faults: list[str]) -> dict[str, str]:
    taken = take(table, _UNIT_KEYS, f"{FILE}: [units]", faults)
    may = [one for one in matrix().roles if matrix().right("warnings_act", one).reach == "own"]
    for level, role in taken.items():
        check_choice(role, tuple(may), f"{FILE}: [units] `{level}`", faults)
    return taken


def _each(tables: list[Any], name: str, read: Any, faults: list[str]) -> list[Any]:
    if not all(isinstance(one, dict) for one in tables):
        faults.append(f"{FILE}: write [[{name}]] before each table")
        return []
    return [
        read(table, f"{FILE}: [[{name}]] {at}", faults) for at, table in enumerate(tables, start=1)
    ]


def _rung(table: dict[str, Any], where: str, faults: list[str]) -> Rung:
    taken = take(table, _RUNG_KEYS, where, faults)
    check_choice(taken["measure"], MEASURES, f"{where}: `measure`", faults)
    if taken["repeats"] < 2 or taken["tiers"] < 0:
        faults.append(f"{where}: `repeats` must be at least 2, `tiers` at least 0")
    return Rung(**taken)


def _rule(table: dict[str, Any], where: str, faults: list[str]) -> Rule:
    taken = take(table, _RULE_KEYS, where, faults)
    if not _NAME.fullmatch(taken["name"]):
        faults.append(f"{where}: `name` must be up to 32 small letters, digits and _")
    check_choice(taken["kind"], KINDS, f"{where}: `kind`", faults)
    levels = _listed(taken["levels"], LEVELS, f"{where}: `levels`", faults)
    least = 0 if taken["kind"] in OWN_COLOUR else 1
    if not least <= taken["colour"] <= max(COLOURS.values()):
        faults.append(f"{where}: `colour` must be {least} to {max(COLOURS.values())}")
    if taken["threshold"] <= 0:
        faults.append(f"{where}: `threshold` must be above 0")
    if not 0 <= taken["share"] <= (1 if taken["kind"] == OVERDUE else 0):
        faults.append(f"{where}: `share` is for `{OVERDUE}` alone, and must be 0 to 1")
    figures = float(taken["threshold"]), taken["colour"], float(taken["share"])
    return Rule(taken["name"], taken["kind"], levels, *figures)


def _route(table: dict[str, Any], where: str, faults: list[str]) -> Route:
    taken = take(table, _ROUTE_KEYS, where, faults)
    levels = _listed(taken["levels"], LEVELS, f"{where}: `levels`", faults)
    colours = _listed(taken["colours"], tuple(COLOURS.values()), f"{where}: `colours`", faults)
    if not all(isinstance(one, str) and _NAME.fullmatch(one) for one in taken["groups"]):
        faults.append(f"{where}: `groups` must be names of groups.toml, or {ALL_GROUPS}")
    if taken["owner"]:
        check_choice(taken["owner"], LEVELS, f"{where}: `owner`", faults)
    return Route(levels, tuple(map(str, taken["groups"])), colours, taken["owner"])


def _listed(found: list[Any], known: tuple[Any, ...], what: str, faults: list[str]) -> Any:
    if not all(any(one == other and type(one) is type(other) for other in known) for one in found):
        faults.append(f"{what} must be of {', '.join(map(str, known))}")
        return ()
    return tuple(found)
