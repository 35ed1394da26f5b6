"""
Frozen maps: what was issued, as it was issued, for ever.

`issued/<name>/` is a small home of its own with the tables and tiles of one snapshot: a store can
be opened on it, whatever becomes of the rest. `issued/<name>.json` names the snapshot and is
written last; while it stands, retention keeps the snapshot too, with the incidents behind it.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from data.locks import KEEPING, locked
from data.remote import copy_snapshot, place
from data.storage import Storage
from data.store import Store, check_files
from data.writer import replace_text, sync

if TYPE_CHECKING:
    from pathlib import Path

ISSUED: Final = "issued"

_NAME: Final = re.compile(r"\w[\w-]{0,63}")


class FreezeError(ValueError):
    """A map cannot be frozen under a name."""


@dataclass(frozen=True)
class Issued:
    """A frozen map."""

    name: str
    snapshot: str
    frozen_at: str


def freeze(
    home: Path, snapshot_id: str | None, name: str, *, now: dt.datetime | None = None
) -> Issued:
    """
    Copy a snapshot's files out, so that it never changes.

    Parameters
    ----------
    snapshot_id
        None freezes the published one.
    name
        Letters of any script, digits, `-` and `_`, such as `2026-W47`.

    Returns
    -------
    issued
        The same snapshot under the same name again gives what is there.

    Raises
    ------
    FreezeError
        The name is taken by another snapshot, or is no plain name.
    SnapshotError
        The snapshot is missing or damaged.
    """
    if not _NAME.fullmatch(name):
        raise FreezeError(f"name {name!r}: use up to 64 letters, digits, - and _")
    store = Store(home)
    manifest = store.manifest(snapshot_id or store.current_id())
    folder, note = home / ISSUED / name, home / ISSUED / f"{name}.json"
    with locked(home, KEEPING, shared=True):
        if note.is_file():
            known = Issued(**json.loads(note.read_text(encoding="utf-8")))
            if known.snapshot != manifest.id:
                raise FreezeError(
                    f"{name} is issued with snapshot {known.snapshot}; choose another name"
                )
            return known
        check_files(home, manifest)
        waiting = folder.with_name(f".{name}")
        for left in (waiting, folder):
            shutil.rmtree(left, ignore_errors=True)
        storage = Storage(str(waiting))
        copy_snapshot(home, manifest.raw, storage)
        place(storage, manifest.raw)
        for path in waiting.rglob("*"):
            if path.is_file():
                path.chmod(0o444)
        waiting.rename(folder)
        sync(folder.parent)
        moment = (now or dt.datetime.now(dt.UTC)).astimezone(dt.UTC)
        issued = Issued(name, manifest.id, moment.isoformat(timespec="seconds"))
        replace_text(note, json.dumps(vars(issued), ensure_ascii=False))
    return issued


def issued_maps(home: Path) -> list[Issued]:
    """Every frozen map, by name."""
    return [
        Issued(**json.loads(path.read_text(encoding="utf-8")))
        for path in sorted((home / ISSUED).glob("[!.]*.json"))
    ]
