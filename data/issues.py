"""
Issues (期) of the weekly report: what was issued, as it was issued, for ever.

`reports/<week>/v<version>/` holds `issue.json` and the files that it names with their sums. A
folder is filled under another name and renamed into place, so that an issue is there whole or not
at all; what is there is never written again. A correction is a further version of the same week
with the same number. The snapshot behind it is kept by `pingan freeze` (`issued/<name>`).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import shutil
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from data import periods
from data.locks import KEEPING, locked
from data.writer import sync

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from data.manifest import Manifest

FOLDER: Final = "reports"
NOTE: Final = "issue.json"

_WEEK: Final = re.compile(r"\d{4}-(?:W\d{2}|\d{2})")
_VERSION: Final = re.compile(r"v([1-9]\d{0,3})")
_NAME: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,99}")


class IssueError(ValueError):
    """An issue is not there, is damaged, or cannot be made."""


@dataclass(frozen=True)
class Issue:
    """
    One version of one issue.

    Attributes
    ----------
    number
        Of the year, from 1; a correction keeps it.
    week
        Label of the period that it is about, as 2026-W46.
    frozen
        Name of the frozen map that holds its snapshot.
    reason
        Why it was corrected; empty for the first version.
    files
        Name to sha256.
    """

    number: int
    week: str
    version: int
    snapshot: str
    frozen: str
    created_at: str
    created_by: str
    reason: str
    files: dict[str, str]

    @property
    def year(self) -> int:
        """Year of the number."""
        return int(self.week[:4])


def issues(home: Path) -> list[Issue]:
    """
    Every issue, the newest week first and of a week the newest version.

    One whose note cannot be read is left out here, as it must not hide the others; `damaged`
    names it.
    """
    found = [one for one in map(_read, _notes(home)) if isinstance(one, Issue)]
    return sorted(found, key=lambda one: (one.week, one.version), reverse=True)


def damaged(home: Path) -> dict[str, str]:
    """Weeks of which an issue cannot be read, and what is wrong with it."""
    read = [(path.parts[-3], _read(path)) for path in _notes(home)]
    return {week: said for week, said in read if isinstance(said, str)}


def _notes(home: Path) -> list[Path]:
    """The notes of all issues."""
    return sorted(
        path
        for path in (home / FOLDER).glob(f"*/v*/{NOTE}")
        if _WEEK.fullmatch(path.parts[-3]) and _VERSION.fullmatch(path.parts[-2])
    )


def issue(home: Path, week: str, version: int | None = None) -> Issue:
    """
    One issue; its newest version unless one is named.

    Raises
    ------
    IssueError
        There is none.
    """
    known = [one for one in issues(home) if one.week == week]
    for one in known:
        if version in (None, one.version):
            return one
    said = f"no issue of {week}" + (f" in version {version}" if version else "")
    raise IssueError(damaged(home).get(week, said))


def content(home: Path, one: Issue, name: str) -> bytes:
    """
    A file of an issue, proved to be as it was issued.

    Raises
    ------
    IssueError
        The issue has no such file, or the file is missing or damaged.
    """
    if name not in one.files:
        raise IssueError(f"issue {one.week} has no file {name}")
    path = folder(home, one.week, one.version) / name
    try:
        found = path.read_bytes()
    except OSError as error:
        raise IssueError(f"{name} of issue {one.week} cannot be read: {error}") from None
    if hashlib.sha256(found).hexdigest() != one.files[name]:
        raise IssueError(f"{name} of issue {one.week} is damaged; restore a backup")
    return found


def folder(home: Path, week: str, version: int) -> Path:
    """Where a version of an issue lies."""
    return home / FOLDER / week / f"v{version}"


def next_number(home: Path, week: str) -> tuple[int, int]:
    """Number and version that an issue of a week gets."""
    known = issues(home)
    same = [one for one in known if one.week == week]
    if same:
        return same[0].number, max(_versions(home, week)) + 1
    return len({one.week for one in known if one.week[:4] == week[:4]}) + 1, 1


def _versions(home: Path, week: str) -> list[int]:
    """Versions that a week has, damaged ones too."""
    return [int(path.parts[-2][1:]) for path in _notes(home) if path.parts[-3] == week]


def period_of(manifest: Manifest, week: str) -> dt.date:
    """
    First day of the period that a label names.

    Raises
    ------
    IssueError
        It is no label, or the snapshot does not count that period.
    """
    try:
        start = periods.parse_label(week, grain=manifest.grain)
    except ValueError as error:
        raise IssueError(str(error)) from None
    if not manifest.first_period <= start <= manifest.last_period:
        first, last = (
            periods.label(one, grain=manifest.grain)
            for one in (manifest.first_period, manifest.last_period)
        )
        raise IssueError(f"snapshot {manifest.id} counts {first} to {last}, not {week}")
    return start


def put(
    home: Path,
    week: str,
    files: Mapping[str, bytes],
    *,
    snapshot: str,
    frozen: str,
    by: str,
    reason: str = "",
    now: dt.datetime | None = None,
) -> Issue:
    """
    Issue a week: the first version, or a correction of what is issued.

    Raises
    ------
    IssueError
        The week's label or a file's name is none, or a correction tells no reason.
    BusyError
        A backup or a retention run is going on, or another issue is being made.
    """
    if not _WEEK.fullmatch(week):
        raise IssueError(f"{week!r} is no label of a week or month, as 2026-W46 or 2026-11")
    for name in files:
        if not _NAME.fullmatch(name) or name == NOTE:
            raise IssueError(f"{name!r} cannot be the name of a file")
    with locked(home, KEEPING, shared=True), locked(home, "issue.lock"):
        if week in (broken := damaged(home)):
            raise IssueError(broken[week])
        number, version = next_number(home, week)
        if version > 1 and not reason:
            raise IssueError(f"{week} is issued; a correction needs a reason")
        made = Issue(
            number=number,
            week=week,
            version=version,
            snapshot=snapshot,
            frozen=frozen,
            created_at=(now or dt.datetime.now(dt.UTC)).isoformat(timespec="seconds"),
            created_by=by,
            reason=reason,
            files={name: hashlib.sha256(one).hexdigest() for name, one in files.items()},
        )
        _write(home, made, files)
    return made


def _write(home: Path, made: Issue, files: Mapping[str, bytes]) -> None:
    """Fill a folder aside, flush it, and rename it into place."""
    target = folder(home, made.week, made.version)
    waiting = target.with_name(f".{target.name}")
    shutil.rmtree(waiting, ignore_errors=True)
    waiting.mkdir(parents=True)
    note = json.dumps(asdict(made), ensure_ascii=False, indent=1).encode()
    for name, content in {**files, NOTE: note}.items():
        path = waiting / name
        path.write_bytes(content)
        sync(path)
        path.chmod(0o444)
    sync(waiting)
    waiting.rename(target)
    sync(target.parent)


def _read(path: Path) -> Issue | str:
    """Read an issue, or say what is wrong with it."""
    try:
        raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return Issue(**raw)
    except (OSError, ValueError, TypeError) as error:
        return f"{path.parent} is damaged ({error}); restore a backup"
