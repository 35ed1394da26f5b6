"""A note in the home of its last backup: when it was, and where it went."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from data.writer import replace_text

if TYPE_CHECKING:
    from pathlib import Path

FILE: Final = "last-backup.json"


@dataclass(frozen=True)
class LastBackup:
    """When a home was last backed up, UTC, under which id and to which target."""

    at: dt.datetime
    backup: str
    target: str


def note(home: Path, last: LastBackup) -> None:
    """Write the note anew; the target is told without the options behind it."""
    values = {
        "at": last.at.astimezone(dt.UTC).isoformat(timespec="seconds"),
        "backup": last.backup,
        "target": last.target.partition("?")[0],
    }
    replace_text(home / FILE, json.dumps(values, ensure_ascii=False) + "\n")


def last_backup(home: Path) -> LastBackup | None:
    """
    Read the note; None where no backup has left one.

    Raises
    ------
    ValueError
        It is damaged.
    """
    try:
        values = json.loads((home / FILE).read_text(encoding="utf-8"))
        at = dt.datetime.fromisoformat(values["at"]).astimezone(dt.UTC)
        return LastBackup(at, str(values["backup"]), str(values["target"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{home / FILE} is damaged ({error}); the next backup renews it") from None
