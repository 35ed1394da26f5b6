"""
Marked actions of a city: `actions.csv` in its folder, read strictly.

An action is an area, a day and a kind; nobody who took it or whom it met. There is no column for
remarks, and a code that is not one is refused.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from geo.divisions import LEVELS

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

FILE: Final = "actions.csv"
HEADER: Final = ["id", "level", "code", "date", "kind", "group"]
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_LONG_NUMBER: Final = re.compile(r"\d{11}")
"""As long as a telephone number: no number of an action."""
_CODE: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")
_SHOWN: Final = 20


class ActionsError(ValueError):
    """The actions of a city cannot be used; the message lists every fault, one a line."""


@dataclass(frozen=True)
class Action:
    """What was done in an area from a day on; `group` is that of which a change is expected."""

    id: str
    level: str
    code: str
    day: dt.date
    kind: str
    group: str


def read_actions(
    city_folder: Path, *, kinds: Collection[str], groups: Collection[str]
) -> tuple[Action, ...]:
    """
    Read the actions of a city; none where it has no such file.

    Parameters
    ----------
    kinds
        Names of the kinds of `effect.toml`.
    groups
        Names of the groups of `groups.toml`; `all` may be written too.

    Raises
    ------
    ActionsError
        With every fault found. Values that may be free text are not repeated in it.
    """
    path = city_folder / FILE
    if not path.is_file():
        return ()
    try:
        rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ActionsError(f"{FILE}: is no CSV in UTF-8: {error}") from error
    if not rows or rows[0] != HEADER:
        raise ActionsError(f"{FILE}: the first line must be {','.join(HEADER)}")
    faults: list[str] = []
    found = []
    for number, row in enumerate(rows[1:], start=2):
        wrong = _faults(row, kinds, {*groups, "all"})
        faults += [f"{FILE}: line {number}: {what}" for what in wrong]
        if not wrong:
            name, level, code, day, kind, group = row
            found.append(Action(name, level, code, dt.date.fromisoformat(day), kind, group))
    if len({one.id for one in found}) < len(found):
        faults.append(f"{FILE}: every `id` must stand once")
    if faults:
        raise ActionsError("\n".join(faults[:_SHOWN]))
    return tuple(found)


def _faults(row: list[str], kinds: Collection[str], groups: Collection[str]) -> list[str]:
    if len(row) != len(HEADER):
        return [f"has {len(row)} values, not {len(HEADER)}"]
    name, level, code, day, kind, group = row
    rules = (
        (_ID.fullmatch(name) and not _LONG_NUMBER.search(name),
         "`id` must be up to 32 letters, digits, - or _, and no long number"),
        (level in LEVELS, f"`level` must be one of {', '.join(LEVELS)}"),
        (_CODE.fullmatch(code), "`code` must be the code of an area"),
        (_is_day(day), "`date` must be a day, YYYY-MM-DD"),
        (kind in kinds, f"`kind` must be one of {', '.join(sorted(kinds))}; no free text"),
        (group in groups, f"`group` must be one of {', '.join(sorted(groups))}"),
    )  # fmt: skip
    return [what for holds, what in rules if not holds]


def _is_day(text: str) -> bool:
    try:
        return dt.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
