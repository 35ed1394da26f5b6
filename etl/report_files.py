"""
Documents of all editions of an issue, written to a folder.

They are drawn by the dashboard's program (`python -m dashboard.reports`), which is told one line
for each document and answers with one. A document gets its name when it is whole, so that whoever
is stopped goes on where it was.
"""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Final, NamedTuple

from data import issues
from data.issues import IssueError
from etl.reporting import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from data.issues import Issue

FORMATS: Final = ("docx", "pdf", "xlsx")
LANGUAGES: Final = ("zh", "en")
_PART: Final = ".part"


class Wanted(NamedTuple):
    """What is to be written, and where."""

    issue: Issue
    folder: Path
    formats: tuple[str, ...]
    lang: str


class Written(NamedTuple):
    """What became of it: made now, kept from before, and failed, by name with the reason."""

    made: int
    kept: int
    failed: dict[str, str]


def wanted(
    home: Path, folder: Path, *, week: str | None, version: int | None, formats: str, lang: str
) -> Wanted:
    """
    Read an order.

    Parameters
    ----------
    formats
        Some of `FORMATS`, with commas between.

    Raises
    ------
    IssueError
        There is no such issue, format or language.
    """
    chosen = tuple(dict.fromkeys(one.strip() for one in formats.split(",") if one.strip()))
    if not chosen or set(chosen) - set(FORMATS):
        raise IssueError(f"formats are {', '.join(FORMATS)}, not {formats!r}")
    if lang not in LANGUAGES:
        raise IssueError(f"languages are {', '.join(LANGUAGES)}, not {lang!r}")
    known = issues.issues(home)
    if week is None and not known:
        raise IssueError("nothing is issued yet; run `pingan report issue`")
    return Wanted(issues.issue(home, week or known[0].week, version), folder, chosen, lang)


def write_files(
    home: Path, asked: Wanted, *, by: str, progress: Callable[[int, int], None]
) -> Written:
    """
    Write what is not there yet.

    Parameters
    ----------
    by
        Who takes the documents; it stands on every page, with the day.
    progress
        Called with the documents that are done, and how many there are.
    """
    asked.folder.mkdir(parents=True, exist_ok=True)
    names = {
        _name(asked, edition, kind): (edition, kind)
        for edition in sorted(one for one in asked.issue.files if "-" in one)
        for kind in asked.formats
    }
    missing = {name: one for name, one in names.items() if not (asked.folder / name).is_file()}
    kept, failed = len(names) - len(missing), dict[str, str]()
    progress(kept, len(names))
    orders = [_order(home, asked, name, *one, by=by) for name, one in missing.items()]
    for done, (name, why) in enumerate(_run(asked.folder, list(missing), orders), start=kept + 1):
        if why:
            failed[name] = why
        progress(done, len(names))
    return Written(len(missing) - len(failed), kept, failed)


def _name(asked: Wanted, edition: str, kind: str) -> str:
    """As the page names a download."""
    one = asked.issue
    stem = edition.removesuffix(".json")
    return f"pingan-report-{one.week}-v{one.version}-{stem}-{asked.lang}.{kind}"


def _order(home: Path, asked: Wanted, name: str, edition: str, kind: str, *, by: str) -> str:
    level, _, code = edition.removesuffix(".json").partition("-")
    order = {
        "do": "file",
        "home": str(home.resolve()),
        "path": str((asked.folder / name).resolve()) + _PART,
        "week": asked.issue.week,
        "version": asked.issue.version,
        "level": level,
        "code": code,
        "kind": kind,
        "lang": asked.lang,
        "mark": f"{by} {dt.datetime.now(dt.UTC).astimezone():%Y-%m-%d}",
    }
    return json.dumps(order, ensure_ascii=False)


def _run(folder: Path, names: list[str], orders: list[str]) -> Iterator[tuple[str, str]]:
    """Give the program one order after the other; each name, and why it failed or nothing."""
    if not orders:
        return
    command = [sys.executable, "-m", PROGRAM]
    with subprocess.Popen(  # noqa: S603  # nosec B603  # our own program - no shell
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for name, order in zip(names, orders, strict=True):
            try:
                process.stdin.write(order + "\n")
                process.stdin.flush()
                answer = process.stdout.readline()
            except BrokenPipeError:
                answer = ""
            said = json.loads(answer) if answer else {}
            if "file" in said:
                (folder / f"{name}{_PART}").replace(folder / name)
                yield name, ""
            else:
                yield name, said.get("error", "the report's program ended")
