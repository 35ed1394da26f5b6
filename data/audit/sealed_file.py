"""
Sealed files: audit rows that left the database.

Gzipped NDJSON for its owner alone: a line that says which rows follow, a line for each row, and a
last line with the SHA-256 of everything before it and its seal.
"""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import json
import os
import zlib
from typing import TYPE_CHECKING, Any, Final

from data.audit import chain
from data.audit.chain import Head
from data.writer import sync

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from data.audit.walk import Faults

_PREFIX: Final = "audit-"
_SUFFIX: Final = ".ndjson.gz"
_DAMAGED: Final = "damaged-audit-"
_FAULTS: Final = (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError, RecursionError)


class SealedFileError(ValueError):
    """A file is not what was written."""


def archive_path(folder: Path, first_seq: int) -> Path:
    """Archive that begins with a row; names sort by row."""
    return folder / f"{_PREFIX}{first_seq:010d}{_SUFFIX}"


def damaged_path(folder: Path, now: dt.datetime) -> Path:
    """File of an audit that was damaged and set aside."""
    return folder / f"{_DAMAGED}{now.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}{_SUFFIX}"


def write_sealed(
    path: Path, key: bytes, about: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]
) -> str:
    """
    Write a file, flushed to disk, in place of what was there.

    Parameters
    ----------
    about
        First line.

    Returns
    -------
    sha256
        Of the lines before the last.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    waiting = path.with_name(f".{path.name}.{os.getpid()}")
    digest = hashlib.sha256()
    handle = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as stream:
        with gzip.GzipFile("", "wb", fileobj=stream, mtime=0) as packed:
            packed.write(_line(about, digest))
            for row in rows:
                packed.write(_line(row, digest))
            sha256 = digest.hexdigest()
            packed.write(_line(_trailer(key, sha256), digest))
        stream.flush()
        os.fsync(stream.fileno())
    waiting.replace(path)
    sync(path.parent)
    return sha256


def read_sealed(path: Path, key: bytes) -> dict[str, Any]:
    """
    Check a whole file.

    Returns
    -------
    about
        Its first line.

    Raises
    ------
    SealedFileError
        It is damaged, was changed, or another installation wrote it.
    """
    digest, first, last = hashlib.sha256(), b"", b""
    try:
        with gzip.open(path, "rb") as stream:
            for line in stream:
                first = first or line
                digest.update(last)
                last = line
        found = json.loads(last)
        about: dict[str, Any] = json.loads(first)
        stored = (found["sha256"], found["seal"])
    except _FAULTS as error:
        raise SealedFileError(f"{path.name} cannot be read ({error})") from error
    expected = _trailer(key, digest.hexdigest())
    if not all(chain.same(*pair) for pair in zip(expected.values(), stored, strict=True)):
        raise SealedFileError(f"{path.name} was changed or belongs to another installation")
    return about


def head_of(about: Mapping[str, Any]) -> Head:
    """Range that a file's first line, or a stored head, tells."""
    return Head(**{name: about[name] for name in ("first_seq", "first_previous", "seq", "hash")})


def check_archives(folder: Path, key: bytes, head: Head, faults: Faults) -> None:
    """Check all archived files of a folder: each one, and that they lead up to the first row."""
    following: Head | None = None
    for path in sorted(folder.glob(f"{_PREFIX}*{_SUFFIX}")):
        try:
            part = head_of(read_sealed(path, key))
        except SealedFileError as error:
            faults.other(str(error))
            following = None
            continue
        if following is not None and not _leads_to(following, part):
            faults.other(f"{path.name} does not follow the file before it")
        following = part
    if following is None and head.first_seq > 1:
        faults.other(f"{folder} holds no sound file with row {head.first_seq - 1}")
    elif following is not None and not _leads_to(following, head):
        faults.other(
            f"the archived files end at row {following.seq}, which does not lead to row "
            f"{head.first_seq}"
        )


def _leads_to(before: Head, after: Head) -> bool:
    return (before.seq + 1, before.hash) == (after.first_seq, after.first_previous)


def _trailer(key: bytes, sha256: str) -> dict[str, str]:
    return {"sha256": sha256, "seal": chain.seal(key, "file", sha256)}


def _line(values: Mapping[str, Any], digest: Any) -> bytes:
    # A damaged row may hold bytes.
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"), default=repr)
    line = text.encode() + b"\n"
    digest.update(line)
    return line
