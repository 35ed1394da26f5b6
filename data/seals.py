"""Seals: how one sees that what is read back is what was written, bit for bit."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from data.store import file_sha256

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

_SHOWN: Final = 5
_NO_SPACE: Final = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
_FULL: Final = " (is the disk full?); make space and run it again"
_DAMAGED: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT)


class DamageError(ValueError):
    """A stored file is not what was written; the message names it and says what to do."""


def seal(values: Iterable[Any]) -> str:
    """SHA-256 of plain values (text, numbers, None), their order and their kinds."""
    text = json.dumps(list(values), ensure_ascii=False, separators=(",", ":"), default=repr)
    return hashlib.sha256(text.encode()).hexdigest()


def check_files(home: Path, sums: Mapping[str, str], *, remedy: str) -> None:
    """
    Compare stored files with their hashes.

    Parameters
    ----------
    sums
        Path relative to the home, to sha256.
    remedy
        What to do where one differs.

    Raises
    ------
    DamageError
        Files are missing or differ; the first five are named.
    """
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        found = pool.map(lambda path: _fault(home / path, sums[path]), sums)
        faults = [f"{path} {fault}" for path, fault in zip(sums, found, strict=True) if fault]
    if faults:
        more = f" and {len(faults) - _SHOWN:,} more" if len(faults) > _SHOWN else ""
        raise DamageError(f"{'; '.join(faults[:_SHOWN])}{more}; {remedy}")


def _fault(path: Path, sha256: str) -> str | None:
    try:
        return None if file_sha256(path) == sha256 else "is damaged (sha256 differs)"
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read ({error.strerror})"


@contextmanager
def told(path: Path, *, remedy: str, kind: type[ValueError] = DamageError) -> Iterator[None]:
    """
    Word the faults of a database; a row that is there already stays `sqlite3.IntegrityError`.

    Parameters
    ----------
    remedy
        What to do where it is damaged.
    kind
        Error to raise where it is damaged, locked for too long, or the disk does not take it.
    """
    try:
        yield
    except sqlite3.IntegrityError:
        raise
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        advice = f"; {remedy}" if code in _DAMAGED else _FULL if code in _NO_SPACE else ""
        raise kind(f"{path}: {error}{advice}") from error


def check_database(log: sqlite3.Connection, path: Path, *, remedy: str) -> None:
    """
    Check every page and index of a database.

    Raises
    ------
    DamageError
        It is damaged.
    """
    found = log.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != "ok":
        raise DamageError(f"{path} is damaged ({' '.join(found.split())}); {remedy}")
