"""
CSV and TSV files.

The encoding of a file is decided on the whole of it, because a few rows of GB18030 can pass for
UTF-8 and the other way round. The file is read in blocks: memory does not grow with it.
"""

from __future__ import annotations

import codecs
import csv
import io
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv

from data.intake import RawChunk
from etl.sources.chunks import SourceError, check_headings, our_columns, regroup, wanted_columns

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from data.source import Source

_BLOCK_BYTES: Final = 1 << 22
_HEADER_BYTES: Final = 1 << 20
_ROW_BYTES: Final = 1 << 26
"""Bytes without the end of a row after which a quote must be missing."""

_DELIMITERS: Final = {"csv": ",", "tsv": "\t"}
_ENCODINGS: Final = ("utf-8-sig", "gb18030")
_UNCLOSED: Final = (
    'has a quote (") that is never closed after data row {row:,}; close or double the quotes'
)


def read_chunks(source: Source, path: Path, *, rows: int) -> Iterator[RawChunk]:
    """Chunks of the file; see `etl.sources.read_chunks`."""
    encoding = csv_encoding(path)
    names = _header(source, path, encoding)
    check_headings(source, names)
    return regroup(_pieces(source, path, encoding, names), rows)


def headings(source: Source, path: Path) -> list[str]:
    """Fields of the first line."""
    return _header(source, path, csv_encoding(path))


def csv_encoding(path: Path) -> str:
    """
    Encoding of a whole text file: UTF-8 where every byte fits, else GB18030.

    Raises
    ------
    SourceError
        It is neither, or no text.
    """
    with path.open("rb") as stream:
        start = stream.read(4)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise SourceError("is UTF-16 (Excel calls it Unicode text); save it as CSV UTF-8")
    marked = start.startswith(codecs.BOM_UTF8)
    for encoding in _ENCODINGS[:1] if marked else _ENCODINGS:
        if _decodes(path, encoding):
            return encoding
    claim = "marked as UTF-8 but is not" if marked else "neither UTF-8 nor GB18030 text"
    raise SourceError(f"is {claim}; export it again as UTF-8")


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    try:
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK_BYTES):
                if b"\0" in block:
                    raise SourceError("holds NUL bytes, so it is no text; export it again as CSV")
                decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _header(source: Source, path: Path, encoding: str) -> list[str]:
    """Fields of the first line that is not empty."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    with path.open("rb") as stream:
        text = decoder.decode(stream.read(_HEADER_BYTES)).lstrip("\ufeff")
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_DELIMITERS[source.format])
    try:
        return next((fields for fields in lines if fields), [])
    except csv.Error as error:
        raise SourceError("has no readable first line; export it with its headings") from error


def _pieces(source: Source, path: Path, encoding: str, names: list[str]) -> Iterator[RawChunk]:
    """Rows of one block each; the heading counts as row 0."""
    held, before = b"", -1
    for block in _utf8_blocks(path, encoding):
        held += block
        # A line may end inside a quoted value: then the block is read again with the next one.
        end = max(held.rfind(b"\n"), held.rfind(b"\r")) + 1
        parsed = _parse(source, held[:end], names) if end else None
        if parsed is not None:
            yield _numbered(source, parsed, before)
            held, before = held[end:], before + parsed.read
        elif len(held) > _ROW_BYTES:
            raise SourceError(_UNCLOSED.format(row=before))
    parsed = _parse(source, held, names)
    if parsed is None:
        raise SourceError(_UNCLOSED.format(row=max(before, 0)))
    yield _numbered(source, parsed, before)


def _utf8_blocks(path: Path, encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    with path.open("rb") as stream:
        if encoding == "utf-8-sig" and stream.read(3) != codecs.BOM_UTF8:
            stream.seek(0)
        while block := stream.read(_BLOCK_BYTES):
            yield block if encoding == "utf-8-sig" else decoder.decode(block).encode()


@dataclass(frozen=True)
class _Parsed:
    """Good rows of a block, numbers of the others from 1, and how many there are in all."""

    rows: pa.Table
    malformed: NDArray[np.int64]
    read: int


def _parse(source: Source, block: bytes, names: list[str]) -> _Parsed | None:
    """Rows of a block; None where it ends inside a quoted value."""
    delimiter = _DELIMITERS[source.format]
    # A last line with one field too many: it is met as a row only if every quote is closed.
    mark = secrets.token_hex(16)
    unread: list[int] = []
    last = ""

    def skip(row: Any) -> str:
        nonlocal last
        unread.append(row.number)
        last = row.text
        return "skip"

    text = block + f"\n{mark}{delimiter * len(names)}\n".encode()
    wanted = wanted_columns(source)
    rows = pa.csv.read_csv(
        pa.BufferReader(text),
        # Row numbers are known to one thread and one block only.
        read_options=pa.csv.ReadOptions(
            use_threads=False, block_size=len(text) + 1, column_names=names
        ),
        parse_options=pa.csv.ParseOptions(
            delimiter=delimiter, newlines_in_values=True, invalid_row_handler=skip
        ),
        convert_options=pa.csv.ConvertOptions(
            include_columns=wanted,
            column_types={name: pa.string() for name in wanted},
            null_values=[""],
            strings_can_be_null=True,
        ),
    )
    if not last.startswith(mark):
        return None
    return _Parsed(rows, np.array(unread[:-1], dtype=np.int64), unread[-1] - 1)


def _numbered(source: Source, parsed: _Parsed, before: int) -> RawChunk:
    """Rows of a block by our names, numbered on from the row before it."""
    numbers = np.delete(np.arange(1, parsed.read + 1), parsed.malformed - 1) + before
    malformed = parsed.malformed + before
    heading = int((numbers <= 0).sum())
    rows = our_columns(source, parsed.rows, numbers).slice(heading)
    return RawChunk(rows, malformed[malformed > 0])
