"""
Reading files apart from the pipeline, because their readers may break down.

Uploaded files are a stranger's: they get little memory and time. Workbooks are read apart even
where they are the operator's own, because two flipped bits of an .xls make its reader ask for a
terabyte and abort the process that it runs in; they get all the memory there is, and more time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from etl.connectors.taken import STORAGE_FAULTS
from etl.sources import SourceError
from etl.sources.confined import MEMORY, SECONDS, LimitError, confined

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from data.intake import Landed, RawChunk
    from data.source import Source


@dataclass(frozen=True)
class Limits:
    """What a file may take: bytes of memory (None = all there is), seconds, rows (None = any)."""

    memory: int | None
    seconds: float
    rows: int | None


UPLOADED: Final = Limits(MEMORY, SECONDS, 2_000_000)
"""A few bytes of some formats can stand for any number of rows."""
WORKBOOK: Final = Limits(None, 600.0, None)

_WORKBOOKS: Final = ("xlsx", "xls")


def limits_of(source: Source, *, is_uploaded: bool) -> Limits | None:
    """Limits of a file; None = it is read in the pipeline's own process."""
    if is_uploaded:
        return UPLOADED
    return WORKBOOK if source.format in _WORKBOOKS else None


def write_apart(
    write: Callable[..., Landed], home: Path, pending: tuple[Source, Path, Any], limits: Limits
) -> Landed:
    """
    Call what writes a file's rows in a process of its own.

    Raises
    ------
    SourceError
        The file cannot be read, or not within the limits.
    IntakeError, DamageError, OSError, sqlite3.Error
        The disk or the log is at fault.
    """
    where = f"source {pending[0].name}: {pending[1].name}"
    try:
        return confined(
            write, home, pending, limits.rows, memory=limits.memory, seconds=limits.seconds
        )
    except LimitError as error:
        raise SourceError(f"{where} {error}") from error
    except (SourceError, *STORAGE_FAULTS):
        raise
    except Exception as error:
        # What no reader foresaw ends with its process, and is told like any damage.
        kind = type(error).__name__
        raise SourceError(f"{where} cannot be read ({kind}); export it again") from error


def at_most(most: int, chunks: Iterator[RawChunk], path: Path) -> Iterator[RawChunk]:
    """Pass chunks on; fail where they have more rows than allowed."""
    rows = 0
    for chunk in chunks:
        rows += len(chunk.rows) + len(chunk.malformed)
        if rows > most:
            raise SourceError(f"{path.name} has more than {most:,} rows; split it")
        yield chunk
