"""Settings of the weekly report: its head, and who acts on a colour until when."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from data.tables import REQUIRED, Keys, parse_toml, take

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE: Final = "report.toml"
TEMPLATE: Final = "report.docx"
"""The city's own template of Word documents, beside it."""

COLOURS: Final = (1, 2, 3, 4)
MOST_DAYS: Final = 31


class ReportSettingsError(ValueError):
    """`report.toml` cannot be used; every fault at once."""


@dataclass(frozen=True)
class Meeting:
    """Who acts on a colour, and how many days after the end of the week; 0 = no date."""

    colour: int
    name_zh: str
    name_en: str
    days: int


@dataclass(frozen=True)
class ReportSettings:
    """Content of `report.toml`."""

    title_zh: str
    title_en: str
    publisher_zh: str
    publisher_en: str
    copies_zh: str
    copies_en: str
    issue_at: dt.time | None
    """Time of the city on the day after the period at which `pingan watch` issues; None = never."""
    meetings: tuple[Meeting, ...]


_KEYS: Final[Keys] = {
    "title_zh": (str, REQUIRED),
    "title_en": (str, REQUIRED),
    "publisher_zh": (str, REQUIRED),
    "publisher_en": (str, REQUIRED),
    "copies_zh": (str, ""),
    "copies_en": (str, ""),
    "issue_at": (str, "07:00"),
    "meeting": (list, REQUIRED),
}
_MEETING: Final[Keys] = {
    "colour": (int, REQUIRED),
    "name_zh": (str, REQUIRED),
    "name_en": (str, REQUIRED),
    "days": (int, 0),
}


def read_report_settings(city_folder: Path | None) -> ReportSettings:
    """
    Read the city's own file, else the default.

    Raises
    ------
    ReportSettingsError
        The file cannot be used.
    """
    own = city_folder / FILE if city_folder else None
    path = own if own and own.is_file() else Path(str(resources.files("data"))) / "reference" / FILE
    faults: list[str] = []
    taken = take(parse_toml(path, faults), _KEYS, FILE, faults)
    meetings = [
        Meeting(**_meeting(one, at, faults)) for at, one in enumerate(taken.pop("meeting"), start=1)
    ]
    if not faults and sorted(one.colour for one in meetings) != list(COLOURS):
        faults.append(f"{FILE}: one [[meeting]] for each colour from 1 to 4")
    at = _time(taken.pop("issue_at"), faults)
    if faults:
        raise ReportSettingsError("; ".join(faults))
    ordered = sorted(meetings, key=lambda one: -one.colour)
    return ReportSettings(**taken, issue_at=at, meetings=tuple(ordered))


def _time(text: str, faults: list[str]) -> dt.time | None:
    if not text:
        return None
    try:
        return dt.datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007 - the city's own time
    except ValueError:
        faults.append(f'{FILE}: `issue_at` must be a time as "07:00", or empty')
        return None


def _meeting(table: Mapping[str, Any], at: int, faults: list[str]) -> dict[str, Any]:
    where = f"{FILE}: [[meeting]] {at}"
    if not isinstance(table, dict):
        faults.append(f"{where}: must be a table")
        return {"colour": 0, "name_zh": "", "name_en": "", "days": 0}
    taken = take(table, _MEETING, where, faults)
    if not 0 <= taken["days"] <= MOST_DAYS:
        faults.append(f"{where}: `days` must be 0 to {MOST_DAYS}")
    return taken
