"""
OLE containers, in which .xls workbooks lie: whether their chains of sectors end.

A container is a small file system. Its readers follow chains of sectors from a table, and a chain
that comes back to itself keeps them busy for ever.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

import numpy as np

from etl.sources.chunks import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_HEADER: Final = 512
_LAST: Final = 0xFFFFFFFA
"""Numbers from here on are no sectors: the end of a chain, or a free one."""
_SHIFTS: Final = (9, 12)
_OWN_TABLE: Final = 109
_ENTRY: Final = 128
_SMALL: Final = 64
_STREAM, _ROOT = 2, 5


def check_chains(content: bytes) -> None:
    """
    Follow every chain that a reader may follow.

    Raises
    ------
    SourceError
        One of them leads back to a sector that it has left, or the header is none.
    """
    if len(content) < _HEADER:
        raise SourceError("is cut off; export it again")
    (shift,) = struct.unpack_from("<H", content, 30)
    if shift not in _SHIFTS:
        raise SourceError("is damaged (no sectors of 512 or 4,096 bytes); export it again")
    container = _Container(content, 1 << shift)
    first, cutoff, small = struct.unpack_from("<I4xII", content, 48)
    small_table = container.numbers(container.chain(first=small))
    for kind, start, size in container.entries(first):
        if not size:
            continue
        if kind == _ROOT or (kind == _STREAM and size >= cutoff):
            list(container.chain(first=start))
        elif kind == _STREAM:
            list(container.chain(first=start, table=small_table))


class _Container:
    """Sectors of a container and the table that chains them."""

    def __init__(self, content: bytes, size: int) -> None:
        self._content = content
        self._size = size
        self._count = max(len(content) // size - 1, 0)
        # Each sector lies in one chain, and holds eight small ones or sixty-four; many chains that
        # share their sectors would take for ever, too.
        self._steps = 2 * self._count * (1 + size // _SMALL) + 4 * _OWN_TABLE
        self._table = np.empty(0, dtype="<u4")
        self._table = self.numbers(self._table_sectors())

    def sector(self, number: int) -> bytes:
        """Bytes of a sector; none beyond the end."""
        start = (number + 1) * self._size
        return self._content[start : start + self._size]

    def numbers(self, sectors: Iterator[int]) -> NDArray[np.uint32]:
        """Content of sectors as numbers."""
        joined = b"".join(map(self.sector, sectors))
        return np.frombuffer(joined[: len(joined) // 4 * 4], dtype="<u4")

    def chain(self, first: int, table: NDArray[np.uint32] | None = None) -> Iterator[int]:
        """Sectors from the first one on; one that does not exist ends it."""
        following = self._table if table is None else table
        number, left = first, len(following)
        while number < len(following):
            self._step()
            if not left:
                raise _ring()
            left -= 1
            yield number
            number = int(following[number])

    def entries(self, first: int) -> Iterator[tuple[int, int, int]]:
        """Kind, first sector and size of everything in the directory."""
        directory = b"".join(map(self.sector, self.chain(first)))
        for at in range(0, len(directory) - _ENTRY + 1, _ENTRY):
            start, size = struct.unpack_from("<II", directory, at + 116)
            yield directory[at + 66], start, size

    def _table_sectors(self) -> Iterator[int]:
        """Sectors of the table: the first ones stand in the header, others in a chain of lists."""
        yield from self._valid(np.frombuffer(self._content, "<u4", _OWN_TABLE, 76))
        (number,) = struct.unpack_from("<I", self._content, 68)
        while number < self._count:
            self._step()
            listed = np.frombuffer(self.sector(number), "<u4")
            if not len(listed):
                return
            yield from self._valid(listed[:-1])
            number = int(listed[-1])

    def _valid(self, numbers: NDArray[np.uint32]) -> Iterator[int]:
        for number in numbers[numbers < min(self._count, _LAST)].tolist():
            self._step()
            yield number

    def _step(self) -> None:
        self._steps -= 1
        if self._steps < 0:
            raise _ring()


def _ring() -> SourceError:
    return SourceError("is damaged (its sectors lead in a ring); export it again")
