"""
The anchor: a file outside the database that remembers how far the audit had come.

A database that is put back to an older copy of itself is whole, and its chain holds. The anchor
names a row that is then missing. It moves with the audit, at most once a minute, and never away
from a row that is no longer there: what it knows is kept as evidence.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from data.audit import chain
from data.writer import replace_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FILE: Final = "audit.anchor"
EVERY: Final = dt.timedelta(minutes=1)

log = logging.getLogger("data.audit")


class AnchorError(ValueError):
    """The anchor is not what this installation wrote."""


@dataclass(frozen=True)
class Mark:
    """A row that was there at a time."""

    seq: int
    hash: str
    at: dt.datetime


class Anchor:
    """The anchor file of one audit; several processes may move it."""

    def __init__(self, path: Path, key: bytes) -> None:
        self.path = path
        self._key = key
        self._busy = threading.Lock()
        self._looked_at: dt.datetime | None = None

    def read(self) -> Mark | None:
        """
        Read the row that it names; None where there is no anchor yet.

        Raises
        ------
        AnchorError
            It cannot be read, or was changed.
        """
        try:
            values = json.loads(self.path.read_text(encoding="utf-8"))
            mark = Mark(int(values["seq"]), values["hash"], dt.datetime.fromisoformat(values["at"]))
            seal = values["seal"]
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise AnchorError(f"{self.path.name} cannot be read ({error})") from error
        if not chain.same(self._seal(mark), seal):
            raise AnchorError(f"{self.path.name} was changed or belongs to another installation")
        return mark

    def follow(self, mark: Mark, *, has: Callable[[Mark], bool]) -> None:
        """
        Move on to a row that was just written, when it is time to.

        A fault is logged and does not stop the caller: the row itself is on disk.

        Parameters
        ----------
        has
            Tells whether a row is still in the audit as the anchor knows it.
        """
        if not self._is_due(mark.at) or not self._busy.acquire(blocking=False):
            return
        try:
            self._looked_at = mark.at
            self._move(mark, has)
        except (AnchorError, OSError, RuntimeError) as error:
            log.error("the audit's anchor stays where it was: %s", error)  # noqa: TRY400
        finally:
            self._busy.release()

    def put(self, mark: Mark) -> None:
        """Write the anchor, whatever it named before."""
        values: dict[str, Any] = {
            "seq": mark.seq,
            "hash": mark.hash,
            "at": mark.at.isoformat(),
            "seal": self._seal(mark),
        }
        replace_text(self.path, json.dumps(values) + "\n")

    def _move(self, mark: Mark, has: Callable[[Mark], bool]) -> None:
        found = self.read()
        if found is not None:
            if not has(found):
                raise AnchorError(
                    f"row {found.seq}, written before {found.at.isoformat()}, is no longer there; "
                    "run `pingan audit verify`"
                )
            if found.seq >= mark.seq or abs(mark.at - found.at) < EVERY:
                return  # another process has moved it
        self.put(mark)

    def _is_due(self, at: dt.datetime) -> bool:
        return self._looked_at is None or abs(at - self._looked_at) >= EVERY

    def _seal(self, mark: Mark) -> str:
        return chain.seal(self._key, "anchor", mark.seq, mark.hash, mark.at.isoformat())
