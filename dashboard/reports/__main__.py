"""
Make or write out a report: what `pingan report` runs.

The pipeline does not import the dashboard, so its command starts this module as a process of its
own, with one JSON object on standard input, and reads one JSON line per step from standard output.
`"do": "file"` writes a document of an issue to a path; without it an issue is made. Several lines
are several orders: one after the other, each with an answer, whatever became of those before it.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dashboard.images.fonts import FontError
from dashboard.letters.candidates import frozen
from dashboard.reports.files import make_file
from dashboard.reports.making import Wanted, make
from data import issues
from data.issues import IssueError
from data.letters.settings import LetterSettingsError, read_letter_settings
from data.locks import BusyError
from data.manifest import SnapshotError
from data.report_settings import TEMPLATE, ReportSettingsError, read_report_settings

FAULTS = (
    IssueError,
    SnapshotError,
    ReportSettingsError,
    LetterSettingsError,
    BusyError,
    FontError,
    OSError,
)


def main() -> int:
    """Do what standard input asks for, line by line; 0 = all done, 1 = said why not."""
    failed = False
    for line in sys.stdin:
        asked = json.loads(line)
        work = {"issue": _issue, "file": _file}[asked.pop("do", "issue")]
        try:
            work(Path(asked.pop("home")), asked)
        except FAULTS as error:
            _tell(error=str(error))
            failed = True
    return int(failed)


def _issue(home: Path, asked: dict[str, Any]) -> None:
    """Make an issue."""
    city = asked.pop("city")
    folder = Path(city) if city else None
    settings = read_report_settings(folder)
    made = make(
        home,
        Wanted(**asked),
        settings,
        template=_template(folder),
        letters=frozen(read_letter_settings(folder)),
        progress=_tell_progress,
    )
    _tell(issue=asdict(made))


def _template(folder: Path | None) -> bytes:
    """The city's own Word template, found fit for use; empty where it has none."""
    path = folder / TEMPLATE if folder else None
    if path is None or not path.is_file():
        return b""
    from dashboard.reports import word  # noqa: PLC0415 - only a city with a template needs it

    content = path.read_bytes()
    word.check_template(content)
    return content


def _file(home: Path, asked: dict[str, Any]) -> None:
    """Write a document of an issue."""
    path = Path(asked.pop("path"))
    issue = issues.issue(home, asked.pop("week"), asked.pop("version", None))
    content = make_file(home, issue, **asked)
    path.write_bytes(content)
    _tell(file=str(path), size=len(content))


def _tell_progress(done: int, of: int) -> None:
    _tell(done=done, of=of)


def _tell(**said: Any) -> None:
    sys.stdout.write(json.dumps(said, ensure_ascii=False) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
