"""Controls of what is kept: backups, and what must not be left lying about."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from data.upload_store import UPLOADS
from etl.compliance.control import DEMO, Control, Installed, judged
from etl.keeping.last import last_backup

if TYPE_CHECKING:
    from pathlib import Path

OLDEST_BACKUP: Final = dt.timedelta(days=2)
"""A nightly backup is never older, even in the hours while the next one runs."""

OLDEST_UPLOAD: Final = dt.timedelta(days=2)
"""An upload is taken in or refused by the next build, and deleted then."""

_BACKUP: Final = ("backup", "GB/T 22239-2019 8.1.4.9 数据备份恢复 a")
_RESIDUAL: Final = ("no leftovers", "GB/T 22239-2019 8.1.4.10 剩余信息保护")
_LEFTOVERS: Final = (".backup-*", ".restore", "staging/*")


def controls(installed: Installed) -> list[Control]:
    """Judge every control of what is kept."""
    return [_backup(installed), _residual(installed.settings.home, installed.now)]


def _backup(installed: Installed) -> Control:
    if installed.is_demo:
        return Control(*_BACKUP, "not applicable", f"{DEMO}; the demo city can be made again")
    try:
        last = last_backup(installed.settings.home)
    except ValueError as error:
        return Control(*_BACKUP, "fail", str(error))
    if last is None:
        told = "no record; run `pingan backup TARGET` every night, or show how else it is done"
        return Control(*_BACKUP, "by hand", told)
    age = installed.now - last.at
    when = f"{last.at:%Y-%m-%d %H:%M} UTC to {last.target}"
    if age > OLDEST_BACKUP:
        told = f"the last one is {age.days} days old ({when}); run `pingan backup` every night"
        return Control(*_BACKUP, "fail", told)
    if _is_elsewhere(installed.settings.state):
        told = f"{when}; the state database is a server: dump it every night as well"
        return Control(*_BACKUP, "by hand", told)
    return Control(*_BACKUP, "pass", f"{when}; try a restore every quarter")


def _is_elsewhere(state: str) -> bool:
    try:
        return bool(state) and make_url(state).get_backend_name() != "sqlite"
    except ArgumentError:
        return False


def _residual(home: Path, now: dt.datetime) -> Control:
    """Files that a process left when it was killed, and uploads that nobody takes in."""
    left = [
        path.name for pattern in _LEFTOVERS for path in home.glob(pattern) if _is_old(path, now)
    ]
    waiting = [
        path
        for path in (home / UPLOADS).glob("*/*")
        if path.is_file() and not path.parent.name.startswith(".") and _is_old(path, now)
    ]
    faults = []
    if left:
        faults.append(
            f"{len(left)} folders of killed processes: {', '.join(sorted(left)[:5])}; delete them "
            "when nothing runs"
        )
    if waiting:
        faults.append(
            f"{len(waiting)} uploaded files wait for more than {OLDEST_UPLOAD.days} days and may "
            "name persons; run `pingan build`"
        )
    return judged(*_RESIDUAL, faults, "uploads are deleted once read; nothing old waits")


def _is_old(path: Path, now: dt.datetime) -> bool:
    try:
        return now.timestamp() - path.stat().st_mtime > OLDEST_UPLOAD.total_seconds()
    except FileNotFoundError:
        return False
