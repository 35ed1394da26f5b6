"""What somebody filled in, as it is stored; each refuses what cannot be taken."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

from data.letters.wording import is_personal
from data.special import kinds
from data.special.kinds import SpecialError

_FACILITY: Final = re.compile(r"[\w.:/-]{1,100}")
_SHORTEST: Final = 2


def text(written: str) -> str:
    """A name as it is stored: one line, and about no person."""
    plain = " ".join(written.split())
    if not _SHORTEST <= len(plain) <= kinds.LONGEST_NAME or not plain.isprintable():
        raise SpecialError("name")
    if is_personal(plain):
        raise SpecialError("personal")
    return plain


def days(both: tuple[dt.date, dt.date]) -> tuple[dt.date, dt.date]:
    """First and last day, in this order and not too far apart."""
    first, last = both
    if not dt.timedelta() <= last - first < dt.timedelta(days=kinds.LONGEST_DAYS):
        raise SpecialError("dates")
    return both


def label(kind: str, value: str) -> tuple[str, str, str]:
    """Kind, facility and text of a place."""
    if kind == kinds.TEXT:
        return kind, "", text(value)
    if kind == kinds.FACILITY and _FACILITY.fullmatch(value):
        return kind, value, ""
    if kind in kinds.PLACES and not value:
        return kind, "", ""
    raise SpecialError("place")
