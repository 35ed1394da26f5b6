"""
Zipped shapefiles.

The archive is never unpacked to disk. Its members are found by exact name, checked for their size
before and while they are read, and handed to GDAL in memory. Text is taken byte by byte and
decoded here: by the `.cpg` file, else as UTF-8 where all of it fits, else as GB18030.
"""

from __future__ import annotations

import codecs
import io
import re
import struct
import warnings
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyogrio

from data.intake import RawChunk
from etl.sources.chunks import (
    SourceError,
    check_headings,
    our_columns,
    regroup,
    wanted_columns,
)
from etl.sources.layers import needs_points, read_points

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from data.source import Source

MAX_BYTES: Final = 200_000_000
"""Bytes of all members together, unpacked."""

MAX_RATIO: Final = 100
"""Bytes unpacked from one packed byte; honest shapefiles stay below 60."""

_NEEDED: Final = (".shp", ".shx", ".dbf")
_READ: Final = (*_NEEDED, ".prj", ".cpg")
_SHAPE_CODE: Final = b"\x00\x00\x27\x0a"
_DAMAGED: Final = "holds a damaged shapefile: its parts do not fit together; pack it again"
_NAME_BYTES: Final = 10
# Each byte becomes the character of the same number, so that none is lost on the way.
_BYTEWISE: Final = "ISO-8859-1"
_GUESSES: Final = ("utf-8", "gb18030")
_PAGES: Final = {"65001": "utf-8", "54936": "gb18030", "20936": "gb2312"}
# Each is a part of GB18030; files hold more than the name allows.
_CHINESE: Final = {"gbk", "gb2312", "cp936"}
# What is left of Chinese text after a wrong conversion.
_GARBLED: Final = r"\x{FFFD}|锟斤拷"


@dataclass(frozen=True)
class _Shapes:
    """An archive of the needed members only, its fields byte by byte, and its text's encodings."""

    archive: bytes
    info: dict[str, Any]
    encodings: tuple[str, ...]

    @property
    def fields(self) -> list[str]:
        return [str(name) for name in self.info["fields"]]


def read_chunks(source: Source, path: Path, *, rows: int) -> Iterator[RawChunk]:
    """Chunks of the file; see `etl.sources.read_chunks`."""
    shapes = _open(source, path)
    for encoding in shapes.encodings:
        try:
            piece = _piece(source, shapes, encoding)
        except UnicodeDecodeError:
            continue
        return regroup([piece], rows)
    raise _wrong_text(shapes)


def headings(source: Source, path: Path) -> list[str]:
    """Names of the fields, cut to ten bytes as the format does."""
    shapes = _open(source, path)
    for encoding in shapes.encodings:
        try:
            return [_decode(name, encoding, _NAME_BYTES) for name in shapes.fields]
        except UnicodeDecodeError:
            continue
    raise _wrong_text(shapes)


def _wrong_text(shapes: _Shapes) -> SourceError:
    return SourceError(
        f"has garbled text: not all of it is {' or '.join(shapes.encodings)}; "
        "correct the .cpg file or export it again as UTF-8"
    )


def _open(source: Source, path: Path) -> _Shapes:
    """
    Check the archive and pack its needed members anew, by plain names.

    Raises
    ------
    SourceError
        It is no archive of one whole shapefile, or too large.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = _members(source, archive)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise SourceError(f"is a damaged or locked archive ({error}); pack it again") from error
    _check_whole(members)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for suffix in _NEEDED:
            archive.writestr(f"points{suffix}", members[suffix])
    return _Shapes(
        packed.getvalue(),
        _info(packed.getvalue(), members.get(".prj", b"")),
        _encodings(members.get(".cpg", b"")),
    )


def _info(packed: bytes, frame: bytes) -> dict[str, Any]:
    """What GDAL says of the shapefile, and the frame that it declares."""
    with warnings.catch_warnings():
        # What GDAL warns of is checked here, or does not matter to points.
        warnings.simplefilter("ignore", RuntimeWarning)
        if not len(pyogrio.list_layers(packed)):
            raise SourceError(_DAMAGED)
        info: dict[str, Any] = pyogrio.read_info(packed, encoding=_BYTEWISE)
    return info | {"crs": frame.decode(_BYTEWISE).strip() or None}


def _members(source: Source, archive: zipfile.ZipFile) -> dict[str, bytes]:
    """Bytes of the members of the one shapefile, or of the one that `sheet` names."""
    by_name = {info.filename: info for info in archive.infolist()}
    tables = [name for name in by_name if name.lower().endswith(".shp")]
    if source.sheet:
        tables = [name for name in tables if name == f"{source.sheet}.shp"]
    if len(tables) != 1:
        raise SourceError(
            f"holds {len(tables)} shapefiles ({', '.join(tables[:5]) or 'none'}); "
            "pack one, or name it in `sheet`"
        )
    stem = tables[0][: -len(".shp")]
    same = {name.lower(): info for name, info in by_name.items()}
    found = {
        suffix: same[stem.lower() + suffix] for suffix in _READ if stem.lower() + suffix in same
    }
    missing = [suffix for suffix in _NEEDED if suffix not in found]
    if missing:
        raise SourceError(f"lacks the members {', '.join(missing)} of {stem}; pack all of them")
    size = sum(info.file_size for info in found.values())
    packed = max(1, sum(info.compress_size for info in found.values()))
    if size > MAX_BYTES or size / packed > MAX_RATIO:
        raise SourceError(
            f"unpacks to {size:,} bytes, {size // packed:,} times its size; allowed are "
            f"{MAX_BYTES:,} and {MAX_RATIO} times; split it or use GeoPackage"
        )
    # `read` stops at the declared size and checks the sum, so a lie of the header ends there.
    return {suffix: archive.read(info) for suffix, info in found.items()}


def _check_whole(members: dict[str, bytes]) -> None:
    """Each member must be as long as it says itself, and all must count the same rows."""
    table, shapes, index = members[".dbf"], members[".shp"], members[".shx"]
    whole = len(table) >= 32 and len(shapes) >= 100 and len(index) >= 100
    if whole:
        count, start, width = struct.unpack("<IHH", table[4:12])
        whole = (
            shapes.startswith(_SHAPE_CODE)
            and index.startswith(_SHAPE_CODE)
            and len(shapes) == 2 * struct.unpack(">I", shapes[24:28])[0]
            and len(index) == 100 + 8 * count
            and len(table) >= start + count * width
        )
    if not whole:
        raise SourceError(_DAMAGED)


def _encodings(declared: bytes) -> tuple[str, ...]:
    """Encodings to try: that of the `.cpg` file alone where there is one."""
    if not declared.strip():
        return _GUESSES
    name = declared.decode("ascii", "replace").strip().lower()
    # Windows writes code pages by number, with or without a word before it.
    page = re.fullmatch(r"(?:ansi|oem|cp|windows)?[ -]?(\d+)", name)
    known = name if page is None else _PAGES.get(page[1], f"cp{page[1]}")
    try:
        # Python also has codecs that give no text; this refuses them.
        codec = codecs.lookup(io.TextIOWrapper(io.BytesIO(), encoding=known).encoding).name
    except (LookupError, ValueError) as error:
        raise SourceError(
            f"has a .cpg file with the unknown encoding {name[:20]!r}; write UTF-8 or GBK"
        ) from error
    return ("gb18030" if codec in _CHINESE else codec,)


def _piece(source: Source, shapes: _Shapes, encoding: str) -> RawChunk:
    """All rows; raises `UnicodeDecodeError` where the encoding is wrong."""
    names = [_decode(name, encoding, _NAME_BYTES) for name in shapes.fields]
    # A source may name a field as it was before the format cut it.
    cut = {_cut(name, encoding): name for name in wanted_columns(source) if name not in names}
    names = [cut.get(name, name) for name in names]
    check_headings(source, names)
    geometry = needs_points(source, shapes.info)
    wanted = {names.index(name): name for name in wanted_columns(source)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        meta, raw = pyogrio.read_arrow(
            shapes.archive,
            columns=[shapes.fields[at] for at in wanted],
            read_geometry=geometry,
            encoding=_BYTEWISE,
        )
    theirs = pa.table(
        {
            name: _text(raw.field(shapes.fields[at]), raw.column(shapes.fields[at]), encoding)
            for at, name in wanted.items()
        }
    )
    numbers = np.arange(1, len(raw) + 1)
    points = read_points(raw, meta) if geometry else None
    return RawChunk(our_columns(source, theirs, numbers, points))


def _cut(name: str, encoding: str) -> str:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    return decoder.decode(name.encode(encoding, "replace")[:_NAME_BYTES])


def _decode(bytewise: str, encoding: str, width: int) -> str:
    """Text of bytes; a character that the end of the field cuts through is dropped."""
    raw = bytewise.encode(_BYTEWISE)
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    return decoder.decode(raw, final=len(raw) < width)


def _text(field: pa.Field, column: pa.ChunkedArray, encoding: str) -> pa.ChunkedArray:
    """Column with its text decoded; each distinct value once."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column
    width = int((field.metadata or {}).get(b"GDAL:OGR:width", 0))
    coded = column.combine_chunks().dictionary_encode()
    values = pa.array(
        [_decode(value, encoding, width) for value in coded.dictionary.to_pylist()], pa.string()
    )
    if pc.any(pc.match_substring_regex(values, _GARBLED)).as_py():
        name = field.name.encode(_BYTEWISE).decode(encoding, "ignore")
        raise SourceError(f"has garbled text in the column {name!r}; export it again as UTF-8")
    return pa.chunked_array([values.take(coded.indices)])
