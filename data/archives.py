"""
The directory of a zip archive, read strictly; nothing is unpacked but the first bytes of a part.

Readers of zip archives differ where an archive contradicts itself, and that is what bombs and
forgeries live on. So an archive must say everything once and in order: members one behind the
other without overlaps, each told the same way in front of it and in the directory, and the
directory at the very end.
"""

from __future__ import annotations

import mmap
import re
import stat
import struct
import unicodedata
import zlib
from dataclasses import dataclass
from typing import Final, TypeAlias

from data.upload_error import UploadError

Content: TypeAlias = bytes | mmap.mmap

MAX_BYTES: Final = 200_000_000
"""Bytes of all members together, unpacked."""
MAX_RATIO: Final = 100
"""Bytes unpacked from one byte of the archive."""
MAX_MEMBERS: Final = 200
LONGEST_NAME: Final = 255

STORED: Final = 0
DEFLATED: Final = 8

_END: Final = struct.Struct("<4s4H2IH")
_ENTRY: Final = struct.Struct("<4s6H3I5H2I")
_LOCAL: Final = struct.Struct("<4s5H3I2H")
_END_64: Final = struct.Struct("<4sQ2H2I4Q")
_LOCATOR_64: Final = struct.Struct("<4sIQI")
_BLOCK: Final = 1 << 16
_FULL: Final = 0xFFFFFFFF
_ENCRYPTED: Final = 0x0001 | 0x0040 | 0x2000
_SIZES_FOLLOW: Final = 0x0008
_UTF8: Final = 0x0800
_LONGEST_FOLLOWER: Final = 24
_LONGEST_DIRECTORY: Final = MAX_MEMBERS * 1024
_BAD_NAME: Final = re.compile(r"[\x00-\x1f\x7f\\]|^/|^[A-Za-z]:|(?:^|/)\.{1,2}(?:/|$)|//|^$")
_NESTED: Final = re.compile(
    r"\.(?:zip|xls[xmb]?|doc[xm]?|ppt[xm]?|od[st]|jar|war|apk|7z|rar|tar|tgz|gz|bz2|xz|zst|lz4|cab"
    r"|iso|gpkg|kmz)$"
)


@dataclass(frozen=True)
class Member:
    """One member: its bytes stand from `start` on in the archive, packed by `method`."""

    name: str
    method: int
    start: int
    packed: int
    unpacked: int

    @property
    def is_folder(self) -> bool:
        """Whether it only names a folder."""
        return self.name.endswith("/")


def read_directory(content: Content) -> list[Member]:
    """
    Members of an archive in the order of their bytes, everything about them checked.

    Raises
    ------
    UploadError
        The archive contradicts itself, is encrypted, claims more than the limits, or has members
        whose names lead elsewhere, stand twice or are archives themselves.
    """
    count, first, last = _find_directory(content)
    if count > MAX_MEMBERS:
        raise UploadError("zip_members", n=count, most=MAX_MEMBERS)
    entries = []
    at = first
    for _ in range(count):
        entry, at = _entry(content, at, last)
        entries.append(entry)
    _require(at == last)
    entries.sort(key=lambda entry: entry.offset)
    members = _placed(content, entries, first)
    _check_names(members)
    _check_claims(members, len(content))
    return members


def first_bytes(content: Content, member: Member, size: int) -> bytes:
    """
    Unpack no more than the first bytes of a member.

    Raises
    ------
    UploadError
        They cannot be unpacked.
    """
    end = member.start + member.packed
    if member.method == STORED:
        return bytes(content[member.start : min(end, member.start + size)])
    found, unpack = b"", zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for at in range(member.start, end, _BLOCK):
            found += unpack.decompress(content[at : min(at + _BLOCK, end)], size - len(found))
            if len(found) == size:
                break
    except zlib.error as error:
        raise UploadError("zip_damaged") from error
    return found


@dataclass(frozen=True)
class _Entry:
    """What the directory says of a member."""

    raw_name: bytes
    flags: int
    method: int
    packed: int
    unpacked: int
    offset: int

    @property
    def name(self) -> str:
        try:
            return self.raw_name.decode("utf-8" if self.flags & _UTF8 else "cp437")
        except UnicodeDecodeError as error:
            raise UploadError("zip_name") from error


def _require(holds: bool) -> None:
    if not holds:
        raise UploadError("zip_damaged")


def _find_directory(content: Content) -> tuple[int, int, int]:
    """Number of entries, and the first and last place of the directory."""
    end = len(content) - _END.size
    _require(end >= 0 and content[end : end + 4] == b"PK\x05\x06")
    _, disk, start_disk, here, count, size, first, comment = _END.unpack_from(content, end)
    last = end
    if content[max(end - _LOCATOR_64.size, 0) :][:4] == b"PK\x06\x07":
        last, here, count, size, first = _directory_64(content, end, (here, count, size, first))
    _require(not comment and not disk and not start_disk and here == count)
    _require((first + size == last and size <= _LONGEST_DIRECTORY) or count > MAX_MEMBERS)
    return count, first, last


def _directory_64(
    content: Content, end: int, said: tuple[int, int, int, int]
) -> tuple[int, int, int, int, int]:
    """The same of a record for large archives, which some programs write for small ones too."""
    _, disk, at, disks = _LOCATOR_64.unpack_from(content, end - _LOCATOR_64.size)
    _require(not disk and disks == 1)
    _require(at == end - _LOCATOR_64.size - _END_64.size and content[at : at + 4] == b"PK\x06\x06")
    _, length, _, _, disk, start_disk, *found = _END_64.unpack_from(content, at)
    _require(length == _END_64.size - 12 and not disk and not start_disk)
    limits = (0xFFFF, 0xFFFF, _FULL, _FULL)
    _require(
        all(short in (long, limit) for short, long, limit in zip(said, found, limits, strict=True))
    )
    here, count, size, first = found
    return at, here, count, size, first


def _entry(content: Content, at: int, last: int) -> tuple[_Entry, int]:
    """The entry at a place of the directory, and where the next one begins."""
    _require(at + _ENTRY.size <= last and content[at : at + 4] == b"PK\x01\x02")
    (
        _, made_by, _, flags, method, _, _, _, packed, unpacked, named, extra, comment, disk, _,
        attributes, offset,
    ) = _ENTRY.unpack_from(content, at)  # fmt: skip
    named_at = at + _ENTRY.size
    end = named_at + named + extra + comment
    _require(end <= last and not disk)
    if flags & _ENCRYPTED:
        raise UploadError("zip_encrypted")
    if made_by >> 8 == 3 and stat.S_ISLNK(attributes >> 16):
        raise UploadError("zip_name")
    unpacked, packed, offset = _long_sizes(
        bytes(content[named_at + named : named_at + named + extra]), (unpacked, packed, offset)
    )
    _require(method in (STORED, DEFLATED) and (method == DEFLATED or packed == unpacked))
    name = bytes(content[named_at : named_at + named])
    return _Entry(name, flags, method, packed, unpacked, offset), end


def _long_sizes(extra: bytes, sizes: tuple[int, int, int]) -> tuple[int, int, int]:
    """Sizes and offset, those that say "see elsewhere" taken from the field that holds them."""
    if _FULL not in sizes:
        return sizes
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            held = extra[at + 4 : at + 4 + length]
            _require(len(held) == length and length >= 8 * sizes.count(_FULL))
            longs = iter(struct.unpack_from(f"<{sizes.count(_FULL)}Q", held))
            unpacked, packed, offset = (next(longs) if size == _FULL else size for size in sizes)
            return unpacked, packed, offset
        at += 4 + length
    raise UploadError("zip_damaged")


def _placed(content: Content, entries: list[_Entry], end: int) -> list[Member]:
    """Members with the place of their bytes; each begins where the one before it ends."""
    members: list[Member] = []
    free = 0
    for entry in entries:
        gap = entry.offset - free
        _require(gap == 0 or (0 < gap <= _LONGEST_FOLLOWER and bool(members)))
        start = _start(content, entry, end)
        free = start + entry.packed
        _require(free <= end)
        members.append(Member(entry.name, entry.method, start, entry.packed, entry.unpacked))
    _require(bool(members) and 0 <= end - free <= _LONGEST_FOLLOWER)
    return members


def _start(content: Content, entry: _Entry, end: int) -> int:
    """Where the bytes of a member begin, behind its own header, which must say the same."""
    _require(entry.offset + _LOCAL.size <= end)
    mark, _, flags, method, _, _, _, packed, unpacked, named, extra = _LOCAL.unpack_from(
        content, entry.offset
    )
    named_at = entry.offset + _LOCAL.size
    _require(mark == b"PK\x03\x04" and method == entry.method)
    _require(bytes(content[named_at : named_at + named]) == entry.raw_name)
    if flags & _ENCRYPTED:
        raise UploadError("zip_encrypted")
    follow = bool(flags & _SIZES_FOLLOW)
    for said, known in ((packed, entry.packed), (unpacked, entry.unpacked)):
        _require(said in (known, _FULL) or (follow and said == 0))
    return int(named_at + named + extra)


def _check_names(members: list[Member]) -> None:
    seen = set()
    for member in members:
        name = member.name
        if _BAD_NAME.search(name) or len(name) > LONGEST_NAME:
            raise UploadError("zip_name")
        key = unicodedata.normalize("NFKC", name).casefold().rstrip("/")
        if key in seen:
            raise UploadError("zip_twice")
        seen.add(key)
        if _NESTED.search(key):
            raise UploadError("zip_nested")


def _check_claims(members: list[Member], size: int) -> None:
    claimed = sum(member.unpacked for member in members)
    if claimed > MAX_BYTES or claimed > MAX_RATIO * size:
        raise UploadError("zip_large", most=f"{MAX_BYTES:,}", ratio=MAX_RATIO)
