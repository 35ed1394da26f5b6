"""Follow a chain of rows from its beginning to its end, and name every row that breaks it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from data.audit import chain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from data.audit.chain import Head

CHANGED: Final = "changed after it was written"
MISSING: Final = "missing"
UNLINKED: Final = "does not follow the row before it"
OUTSIDE: Final = "outside the sealed range"


class Faults:
    """What was found, row by row; neighbours with the same fault are told together."""

    def __init__(self) -> None:
        self._ranges: list[tuple[int, int, str]] = []
        self._others: list[str] = []

    def rows(self, what: str, first: int, last: int | None = None) -> None:
        """Add a fault of a row, or of all rows from one to another."""
        last = first if last is None else last
        if self._ranges:
            start, end, before = self._ranges[-1]
            if before == what and end + 1 == first:
                self._ranges[-1] = (start, last, what)
                return
        self._ranges.append((first, last, what))

    def other(self, text: str) -> None:
        """Add a fault of something else than a row."""
        self._others.append(text)

    def told(self) -> tuple[str, ...]:
        """Tell every fault: `row 7: missing`, `rows 7 to 9: missing`, others first."""
        ranges = (
            f"row {first}: {what}" if first == last else f"rows {first} to {last}: {what}"
            for first, last, what in self._ranges
        )
        return (*self._others, *ranges)


class Walk:
    """
    One pass over rows in the order of their numbers.

    Attributes
    ----------
    rows
        Rows seen.
    sound_seq
        Largest number of a row whose own sum holds; 0 where there is none.
    """

    def __init__(self, key: bytes, head: Head, faults: Faults) -> None:
        self._key = key
        self._head = head
        self._faults = faults
        self._next = head.first_seq
        # Hash of the row before; None where that row cannot be relied on.
        self._previous: str | None = head.first_previous
        self.rows = 0
        self.sound_seq = 0

    def follow(self, rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Pass rows on, looking at each one; then look at the end."""
        for row in rows:
            self._look(row)
            yield row
        head, faults = self._head, self._faults
        if self._next <= head.seq:
            faults.rows(MISSING, self._next, head.seq)
        elif self._previous is not None and not chain.same(self._previous, head.hash):
            faults.other(f"the sealed end does not fit row {head.seq}")

    def _look(self, row: Mapping[str, Any]) -> None:
        seq, faults = row["seq"], self._faults
        self.rows += 1
        is_sound = self._is_sound(row)
        if not is_sound:
            faults.rows(CHANGED, seq)
        if not self._head.first_seq <= seq <= self._head.seq:
            faults.rows(OUTSIDE, seq)
            return
        if seq > self._next:
            faults.rows(MISSING, self._next, seq - 1)
        elif is_sound and self._previous is not None and row["previous"] != self._previous:
            faults.rows(UNLINKED, seq)
        self._next = seq + 1
        self._previous = row["hash"] if is_sound else None

    def _is_sound(self, row: Mapping[str, Any]) -> bool:
        texts = [row[name] for name in (*chain.FIELDS[1:], "previous")]
        if not all(isinstance(text, str) for text in texts):
            return False
        if not chain.same(chain.row_hash(self._key, row["previous"], row), row["hash"]):
            return False
        self.sound_seq = max(self.sound_seq, row["seq"])
        return True
