"""
Uploaded files: what is checked of a stranger's file before it is stored.

The checks read a file as plain bytes, in blocks and in little memory, because they run in the web
process. No reader of a format is trusted with it here: what passes is parsed later, by the
pipeline, in a process of its own (`etl.sources.confined`).
"""

from __future__ import annotations

import codecs
import mmap
import re
import unicodedata
from contextlib import closing
from typing import TYPE_CHECKING, Final

import numpy as np

from data.archives import Content, Member, first_bytes, read_directory
from data.source import SUFFIXES
from data.upload_error import UploadError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from data.source import Source

MAX_BYTES: Final = 20 * 1024 * 1024
"""Size of an uploaded file."""
DEEPEST: Final = 32
"""Brackets within brackets of JSON; a ledger of points has six."""
LONGEST_SHOWN: Final = 120

_BLOCK: Final = 1 << 18
_PROLOG: Final = 1 << 16
_WORKBOOKS: Final = ("xlsx", "xls")
_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_NO_TABLE: Final = (
    b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"SQLite format 3", b"%PDF", b"\x7fELF", b"\x1f\x8b",
    b"7z\xbc\xaf", b"Rar!", b"\x89PNG", b"GIF8", b"\xff\xd8\xff", b"{", b"<",
)  # fmt: skip
"""Beginnings of what is no table of text, web pages and JSON among it."""
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_SMALLEST_OLE: Final = 1536
_VBA_STORAGES: Final = tuple(
    name.encode("utf-16-le") for name in ("_VBA_PROJECT", "VBA_PROJECT_CUR")
)
_GEOPACKAGE: Final = (b"GPKG", b"GP10", b"GP11")
_ARCHIVES: Final = (b"PK\x03\x04", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!")
_PARQUET: Final = b"PAR1"
_ESCAPED: Final = re.compile(rb"\\[\s\S]")
_NO_BRACKETS: Final = bytes(byte for byte in range(256) if byte not in b"[]{}")
_ENCODING: Final = re.compile(rb"""\bencoding\s*=\s*["']([^"']*)["']""")
_XML_ENCODINGS: Final = (b"utf-8", b"utf8", b"us-ascii")


def endings(source: Source) -> tuple[str, ...]:
    """Endings of names that a source takes, the usual one first; none where it has no files."""
    formats = _WORKBOOKS if source.format in _WORKBOOKS else (source.format,)
    return tuple(ending for ending, kind in SUFFIXES.items() if kind in formats)


def shown_name(name: str) -> str:
    """A browser's name of a file, to be shown and for nothing else: one short line."""
    flat = "".join(
        character if unicodedata.category(character)[0] not in "CZ" or character == " " else " "
        for character in name[: 4 * LONGEST_SHOWN]
    )
    flat = " ".join(flat.split())
    return flat if len(flat) <= LONGEST_SHOWN else flat[: LONGEST_SHOWN - 1] + "…"


def check_name(source: Source, name: str) -> str:
    """
    Ending under which a file will be stored; the rest of its name is not used.

    Raises
    ------
    UploadError
        The source takes no files of that ending.
    """
    ending = "." + name.rpartition(".")[2].lower() if "." in name else ""
    taken = endings(source)
    if ending not in taken:
        raise UploadError("name", endings=" ".join(taken))
    kind = SUFFIXES[ending]
    return next(first for first, other in SUFFIXES.items() if other == kind)


def check_file(path: Path, ending: str) -> None:
    """
    Check that a file is what its ending says, and that it cannot grow when it is read.

    Raises
    ------
    UploadError
        With the first reason against it.
    """
    size = path.stat().st_size
    if not size:
        raise UploadError("empty")
    if size > MAX_BYTES:
        raise too_large()
    with (
        path.open("rb") as stream,
        closing(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)) as content,
    ):
        _CHECKS[SUFFIXES[ending]](content)


def too_large() -> UploadError:
    """What is said of a file, or of a form, that has too many bytes."""
    return UploadError("too_large", most=MAX_BYTES // (1024 * 1024))


def _check_xlsx(content: Content) -> None:
    _require(content[:4] == b"PK\x03\x04")
    members = _check_archive(content)
    names = {member.name for member in members}
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise UploadError("macros")
    _require({"[Content_Types].xml", "xl/workbook.xml"} <= names)
    types = next(member for member in members if member.name == "[Content_Types].xml")
    if b"macroenabled" in first_bytes(content, types, _PROLOG).lower():
        raise UploadError("macros")


def _check_shapefile(content: Content) -> None:
    _require(content[:4] == b"PK\x03\x04")
    members = _check_archive(content)
    _require(any(member.name.lower().endswith(".shp") for member in members))


def _check_archive(content: Content) -> list[Member]:
    members = read_directory(content)
    for member in members:
        if member.name.lower().endswith((".xml", ".rels")):
            _check_prolog(first_bytes(content, member, _PROLOG))
        elif first_bytes(content, member, 8).startswith(
            (b"PK\x03\x04", b"\x1f\x8b", b"7z\xbc\xaf")
        ):
            raise UploadError("zip_nested")
    return members


def _check_prolog(text: bytes) -> None:
    """What stands before the first element of XML: no document type, and no hidden encoding."""
    rest = text.removeprefix(codecs.BOM_UTF8)
    if b"\0" in rest[:4] or rest.startswith(_UTF16):
        raise UploadError("xml")
    while True:
        rest = rest.lstrip(b" \t\r\n")
        if rest.startswith(b"<?"):
            instruction, _, rest = rest.partition(b"?>")
            named = _ENCODING.search(instruction)
            if named is not None and named[1].strip().lower() not in _XML_ENCODINGS:
                raise UploadError("xml")
        elif rest.startswith(b"<!--"):
            rest = rest.partition(b"-->")[2]
        elif re.match(rb"<[A-Za-z_]", rest):
            return
        else:
            # A document type, no XML at all, or none in the first bytes.
            raise UploadError("xml")


def _check_xls(content: Content) -> None:
    _require(content[:8] == _OLE and len(content) >= _SMALLEST_OLE)
    if any(content.find(name) >= 0 for name in _VBA_STORAGES):
        raise UploadError("macros")


def _check_geopackage(content: Content) -> None:
    _require(content[:16] == b"SQLite format 3\0" and content[68:72] in _GEOPACKAGE)


def _check_parquet(content: Content) -> None:
    size = len(content)
    _require(size >= 12 and content[:4] == content[size - 4 : size] == _PARQUET)
    _require(0 < int.from_bytes(content[size - 8 : size - 4], "little") <= size - 12)


def _check_table(content: Content) -> None:
    """Text in one of the encodings that `etl.sources.delimited` reads."""
    start = content[: max(map(len, _NO_TABLE))].removeprefix(codecs.BOM_UTF8)
    _require(not start.lstrip().startswith(_NO_TABLE))
    _check_text(content, ("utf-8",) if content[:3] == codecs.BOM_UTF8 else ("utf-8", "gb18030"))


def _check_collection(content: Content) -> None:
    _check_text(content, ("utf-8",))
    _require(content[:1024].removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"{"))
    _check_depth(_blocks(content))


def _check_lines(content: Content) -> None:
    _check_text(content, ("utf-8",))
    start = content[:1024].removeprefix(codecs.BOM_UTF8).lstrip(b" \t\r\n\x1e")
    _require(start.startswith(b"{"))
    at = 0
    while at < len(content):
        end = content.find(b"\n", at) + 1 or len(content)
        line = content[at:end]
        # Few lines have more brackets than may stand within one another.
        if line.count(b"{") + line.count(b"[") > DEEPEST:
            _check_depth(iter([line]))
        at = end


def _check_text(content: Content, encodings: tuple[str, ...]) -> None:
    if content[:2] in _UTF16:
        raise UploadError("text_utf16")
    if content.find(b"\0") >= 0:
        raise UploadError("text_binary")
    if not any(_decodes(content, encoding) for encoding in encodings):
        raise UploadError("text_encoding", encodings=" / ".join(encodings).upper())


def _decodes(content: Content, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    try:
        for block in _blocks(content):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _check_depth(blocks: Iterator[bytes]) -> None:
    """Count brackets outside of texts; what is no JSON is found by its reader."""
    depth, is_inside, held = 0, False, b""
    for block in blocks:
        bare = _ESCAPED.sub(b"", held + block)
        held = bare[-1:] if bare.endswith(b"\\") else b""
        texts = bare.split(b'"')
        outside = b"".join(texts[int(is_inside) :: 2]).translate(None, _NO_BRACKETS)
        is_inside ^= len(texts) % 2 == 0
        marks = np.frombuffer(outside, dtype=np.uint8)
        depths = depth + np.cumsum(np.where((marks == ord("[")) | (marks == ord("{")), 1, -1))
        if len(depths):
            depth = int(depths[-1])
            if depths.max() > DEEPEST:
                raise UploadError("deep", most=DEEPEST)


def _blocks(content: Content) -> Iterator[bytes]:
    for at in range(0, len(content), _BLOCK):
        yield bytes(content[at : at + _BLOCK])


def _require(holds: bool) -> None:
    if not holds:
        raise UploadError("content")


_CHECKS: Final[Mapping[str, Callable[[Content], None]]] = {
    "csv": _check_table,
    "tsv": _check_table,
    "geojson": _check_collection,
    "ndjson": _check_lines,
    "gpkg": _check_geopackage,
    "parquet": _check_parquet,
    "shapefile": _check_shapefile,
    "xls": _check_xls,
    "xlsx": _check_xlsx,
}
