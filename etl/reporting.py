"""
Issuing the weekly report: freeze the snapshot, then let the dashboard's program write the issue.

The pipeline and the dashboard meet in stored tables only, so the issue is made by a process of its
own (`python -m dashboard.reports`), told by one line of JSON and telling one line per step.
"""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from data import issues, periods
from data.issues import Issue, IssueError
from data.manifest import NoSnapshotError
from data.report_settings import read_report_settings
from data.store import Store
from etl.keeping.freeze import freeze, issued_maps

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


# Named, not imported.
PROGRAM: Final = "dashboard.reports"

AGAIN: Final = dt.timedelta(hours=1)
"""Until an issue that failed is tried again."""


@dataclass(frozen=True)
class Order:
    """
    What is to be issued.

    Attributes
    ----------
    city
        City folder with `report.toml`; None = the default settings.
    reason
        Why an issued week is corrected; empty for a first version.
    """

    week: str
    city: Path | None
    by: str
    reason: str = ""


def issue_week(home: Path, order: Order, *, progress: Callable[[int, int], None]) -> Issue:
    """
    Issue a week; what is issued already, and is not to be corrected, is given back as it is.

    Killed at any moment and run again it goes on with the same frozen snapshot.

    Raises
    ------
    IssueError
        The week cannot be issued; FreezeError, SnapshotError: the snapshot cannot be frozen.
    """
    known = [one for one in issues.issues(home) if one.week == order.week]
    if known and not order.reason:
        return known[0]
    _, version = issues.next_number(home, order.week)
    name = order.week if version == 1 else f"{order.week}_v{version}"
    if name not in {one.name for one in issued_maps(home)}:
        # Refused before anything is copied.
        issues.period_of(Store(home).current().manifest, order.week)
        freeze(home, None, name)
    asked = {
        "home": str(home.resolve()),
        "city": str(order.city.resolve()) if order.city else "",
        "week": order.week,
        "frozen": name,
        "by": order.by,
        "reason": order.reason,
    }
    return _run(asked, progress)


def _run(asked: dict[str, str], progress: Callable[[int, int], None]) -> Issue:
    """Run the program; its last line is the issue or the fault."""
    command = [sys.executable, "-m", PROGRAM]
    with subprocess.Popen(  # noqa: S603  # nosec B603  # our own program - no shell
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(asked) + "\n")
        process.stdin.close()
        said: dict[str, Any] = {}
        for line in process.stdout:
            said = json.loads(line)
            if "done" in said:
                progress(said["done"], said["of"])
    if "issue" in said:
        return Issue(**said["issue"])
    raise IssueError(
        said.get("error", f"the report's program ended with code {process.returncode}")
    )


def newest(home: Path) -> str:
    """Label of the newest period that the published snapshot counts."""
    manifest = Store(home).current().manifest
    return periods.label(manifest.last_period, grain=manifest.grain)


class Schedule:
    """The report of each period by itself: what `pingan watch` looks at in every round."""

    def __init__(self, home: Path, city: Path) -> None:
        self._home, self._city = home, city
        self._again: dt.datetime | None = None

    def round(self, now: dt.datetime) -> str:
        """Issue what is due; what there is to say of it, empty = nothing."""
        if self._again is not None and now < self._again:
            return ""
        self._again = None
        try:
            made = issue_due(self._home, self._city, now)
        except (ValueError, RuntimeError, OSError) as error:
            self._again = now + AGAIN
            return f"report: {error}; tried again in an hour"
        return f"report: issue {made.number} of {made.year} ({made.week})" if made else ""


def issue_due(home: Path, city: Path, now: dt.datetime) -> Issue | None:
    """
    Issue the newest period if it is over and its hour has come; None = nothing is due.

    Raises
    ------
    IssueError, FreezeError, SnapshotError, ReportSettingsError
        It is due and cannot be issued.
    """
    at = read_report_settings(city).issue_at
    try:
        week = due(home, now, at) if at else ""
    except NoSnapshotError:
        return None
    if not week:
        return None
    return issue_week(home, Order(week, city, "schedule"), progress=lambda _done, _of: None)


def due(home: Path, now: dt.datetime, at: dt.time) -> str:
    """
    Label of the newest period if it is over and is to be issued; empty = nothing is due.

    Parameters
    ----------
    at
        Time of the city on the first day after the period, from which its issue is due, once a
        snapshot counts the whole of it.
    """
    manifest = Store(home).current().manifest
    window = periods.Window(manifest.last_period, 1, manifest.grain)
    label = periods.label(window.end, grain=manifest.grain)
    local = now.astimezone(ZoneInfo(str(manifest.city["time_zone"])))
    first = dt.datetime.combine(window.last_day + dt.timedelta(days=1), at, local.tzinfo)
    as_of = dt.date.fromisoformat(manifest.raw["periods"]["as_of"])
    is_known = any(one.week == label for one in issues.issues(home))
    return label if local >= first and as_of >= window.last_day and not is_known else ""
