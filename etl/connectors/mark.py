"""
Marks: how far a view has been read, as one text that travels with the landed page.

The hashes of the rows that share the last value can be many (a first load that is stamped at once),
so they stand in a file of their own, named by its content and written before the page is landed.
A file that got lost costs repeated rows, which processing counts as duplicates, and no row.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from data.writer import sync

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from data.intake import Intake
    from data.source import Source

FOLDER: Final = "ties"
HASH_BYTES: Final = 8


class MarkError(ValueError):
    """A watermark is of a type that cannot be kept, or of another kind of source."""


@dataclass(frozen=True)
class Mark:
    """
    How far a view has been read.

    Attributes
    ----------
    value
        Last value of the watermark column.
    ties
        Hashes of the rows with this value that are in, sorted; equal rows as often as they came.
    """

    view: str
    column: str
    value: Any
    ties: tuple[bytes, ...]


_READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "datetime": dt.datetime.fromisoformat,
    "date": dt.date.fromisoformat,
    "int": int,
    "float": float,
    "Decimal": Decimal,
    "bytes": bytes.fromhex,
    "str": str,
}


def write_mark(home: Path, source: Source, mark: Mark) -> str:
    """
    Text of a mark; the hashes are on disk when this returns.

    Raises
    ------
    MarkError
        The watermark column holds values without an order that can be kept.
    """
    kind = type(mark.value).__name__
    if kind not in _READERS:
        raise MarkError(
            f"source {source.name}: watermark {mark.column} is of type {kind}; "
            f"use a column of {', '.join(_READERS)}"
        )
    content = b"".join(mark.ties)
    name = f"{source.name}-{hashlib.sha256(content).hexdigest()[:32]}"
    _write_once(home / FOLDER / name, content)
    value = mark.value
    text = value.hex() if kind == "bytes" else value.isoformat() if _is_time(value) else str(value)
    stored = {"view": mark.view, "column": mark.column, "kind": kind, "value": text, "ties": name}
    return json.dumps(stored, ensure_ascii=False)


def read_mark(intake: Intake, source: Source) -> Mark | None:
    """
    Where the last landed page of a source got to.

    Returns
    -------
    mark
        None where nothing was landed, or where the source now names another view or column: then
        it is read from the beginning.

    Raises
    ------
    MarkError
        The last watermark is not one of a view.
    """
    assert source.sql is not None
    text = intake.watermark(source.name)
    if text is None:
        return None
    try:
        stored = json.loads(text)
        value = _READERS[stored["kind"]](stored["value"])
        name, view, column = stored["ties"], stored["view"], stored["column"]
    except (ValueError, KeyError, TypeError):
        raise MarkError(
            f"source {source.name}: its last watermark is not of a view; "
            "give the view a source file of its own"
        ) from None
    folder = intake.home / FOLDER
    _sweep(folder, source, keep=name)
    if (view, column) != (source.sql.view, source.sql.watermark):
        return None
    path = folder / str(name)
    content = path.read_bytes() if path.is_file() else b""
    ties = [content[at : at + HASH_BYTES] for at in range(0, len(content), HASH_BYTES)]
    return Mark(view, column, value, tuple(ties))


def _is_time(value: object) -> bool:
    return isinstance(value, dt.date)


def _write_once(path: Path, content: bytes) -> None:
    if path.is_file():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    waiting = path.with_name(f".{path.name}.{os.getpid()}")
    waiting.write_bytes(content)
    sync(waiting)
    waiting.replace(path)
    sync(path.parent)


def _sweep(folder: Path, source: Source, *, keep: str) -> None:
    """Delete the hashes of earlier pages of a source."""
    # The last dash ends the name of the source, which may hold dashes itself.
    for path in folder.glob("*"):
        if path.name.rpartition("-")[0] == source.name and path.name != keep:
            path.unlink(missing_ok=True)
