"""
Cells of a ledger as text: codes, numbers and times as they were meant.

What cannot be understood is left as it is written, so that the row is refused with its value
instead of being guessed at.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import unicodedata
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

LOST_DIGITS: Final = 1e15
"""A workbook's number keeps fifteen digits; of a longer code the rest is gone."""

_ERRORS: Final = frozenset(
    {"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"}
)
_EMPTY_MARKS: Final = frozenset({"", "/", "\\", "-", "--", "—", "——", "–", "－", "N/A"})
"""How a clerk writes that there is nothing; words such as 无 may be codes and stay."""

# Letters and digits only: brackets and commas in names of classes must stay as they are.
_NARROW: Final = {0xFF10 + n: 0x30 + n for n in range(10)} | {
    first + n: to + n for first, to in ((0xFF21, 0x41), (0xFF41, 0x61)) for n in range(26)
}
_INVISIBLE: Final = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\r"))
_SPACES: Final = dict.fromkeys(map(ord, "\u3000\xa0\t\n"), " ")
_CODE_LETTERS: Final = _NARROW | _INVISIBLE | _SPACES

_WHOLE: Final = re.compile(r"^(\d+)\.0+$")
_SERIAL: Final = re.compile(r"^\d{5}(?:\.\d+)?$")
_SERIALS: Final = (18_264, 73_051)
"""Days of 1950 to 2099 in the 1900 system: other numbers are no dates of incidents."""
_EPOCH_1900: Final = dt.datetime(1899, 12, 30)  # noqa: DTZ001 -- a wall clock, no instant
_DAYS_1904: Final = 1462
_COMPACT: Final = re.compile(
    r"^(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})"
    r"(?:[ T]*(?P<H>\d{2}):?(?:(?P<M>\d{2}):?(?:(?P<S>\d{2})(?:\.\d+)?)?)?)?$"
)
_WRITTEN: Final = re.compile(
    r"^(?P<y>\d{4}) ?[-/.年] ?(?P<m>\d{1,2}) ?[-/.月] ?(?P<d>\d{1,2}) ?[日号]?,?"
    r"(?: ?\(?(?:星期|周|礼拜)[一二三四五六日天]\)?)?"
    r"(?:[ T]*(?P<half>上午|下午|凌晨|早上|中午|晚上|AM|PM)? ?"
    r"(?P<H>\d{1,2}) ?[:时点](?: ?(?P<M>\d{1,2}) ?[:分]?(?: ?(?P<S>\d{1,2})(?:\.\d+)? ?秒?)?)?"
    r"(?: ?(?P<half_after>AM|PM))?)?$",
    re.IGNORECASE,
)
_AFTERNOON: Final = ("下午", "晚上", "PM")
_MORNING: Final = ("上午", "凌晨", "早上", "AM")


def is_blank(value: Any) -> bool:
    """Whether a cell shows nothing."""
    return value is None or value == "" or (isinstance(value, str) and not value.strip())


def code_text(value: Any) -> str | None:
    """
    Text of a cell with a code or a number of a case; None = empty or an error value.

    Whole numbers lose their `.0`, full-width letters and digits become narrow, spaces around the
    text go. A number of more than fifteen digits stands as Excel shows it, `1.10101199003078E+17`.
    """
    if isinstance(value, str):
        text = value.translate(_CODE_LETTERS).strip().lstrip("'")
        whole = _WHOLE.match(text)
        return whole[1] if whole else _unless_empty(text)
    if value is None or isinstance(value, bool):
        return None if value is None else str(value).upper()
    if not isinstance(value, int | float):
        return str(value)
    if not math.isfinite(value):
        return repr(value)
    if abs(value) >= LOST_DIGITS:
        return f"{value:.14E}"
    return str(int(value)) if value == int(value) else repr(value)


def number_text(value: Any) -> str | None:
    """Text of a cell with a coordinate; None = empty or an error value."""
    if isinstance(value, str):
        return _unless_empty(_narrow(value).rstrip("°度"))
    return code_text(value)


def time_text(value: Any, *, formats: Iterable[str] = (), from_1904: bool = False) -> str | None:
    """
    Text of a cell with a time, `YYYY-MM-DD HH:MM:SS`; None = empty or an error value.

    Parameters
    ----------
    formats
        The source's own formats of `strptime`, tried before the known forms.
    from_1904
        Plain numbers count days from 1904-01-01 instead of 1899-12-30.

    Returns
    -------
    text
        As it is written where it is no time, or names a zone of its own.
    """
    if isinstance(value, dt.datetime):
        return _iso(value)
    if isinstance(value, dt.date):
        return f"{value.isoformat()} 00:00:00"
    if isinstance(value, str):
        text = _unless_empty(_narrow(value).lstrip("'"))
        return text and (
            _read_formats(text, formats) or _read_text(text, from_1904=from_1904) or text
        )
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _read_number(value, from_1904=from_1904) or code_text(value)
    return code_text(value)


def is_time(text: str | None) -> bool:
    """Whether `time_text` understood a time."""
    return text is not None and _ISO.match(text) is not None


_LAST_SECOND: Final = dt.datetime(9999, 12, 31, 23, 59, 59)  # noqa: DTZ001 -- as cells are
_ISO: Final = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$")


def _narrow(value: str) -> str:
    text = unicodedata.normalize("NFKC", value).translate(_INVISIBLE | _SPACES)
    return " ".join(text.split())


def _unless_empty(text: str) -> str | None:
    return None if text in _EMPTY_MARKS or text in _ERRORS else text


def _read_formats(text: str, formats: Iterable[str]) -> str | None:
    for form in formats:
        try:
            read = dt.datetime.strptime(text, form)  # noqa: DTZ007 -- the source names the zone
        except ValueError:
            continue
        return text if read.tzinfo is not None else _iso(read)
    return None


def _iso(moment: dt.datetime) -> str:
    if moment.microsecond and moment < _LAST_SECOND:
        # Serial numbers are floats: 08:05 is stored as 08:04:59.9999….
        moment = (moment + dt.timedelta(microseconds=500_000)).replace(microsecond=0)
    return moment.isoformat(" ", "seconds")


def _read_number(value: float, *, from_1904: bool) -> str | None:
    days = value + (_DAYS_1904 if from_1904 else 0)
    if _SERIALS[0] <= days < _SERIALS[1]:
        return _iso(_EPOCH_1900 + dt.timedelta(days=days))
    if not math.isfinite(value):
        return None
    return _read_compact(str(int(value))) if value == int(value) else None


def _read_text(text: str, *, from_1904: bool) -> str | None:
    if _SERIAL.match(text):
        return _read_number(float(text), from_1904=from_1904)
    whole = _WHOLE.match(text)
    found = _WRITTEN.match(text)
    return _moment(found) if found else _read_compact(whole[1] if whole else text)


def _read_compact(text: str) -> str | None:
    found = _COMPACT.match(text)
    return _moment(found) if found else None


def _moment(found: re.Match[str]) -> str | None:
    parts = found.groupdict()
    year, month, day, hour, minute, second = (int(parts[name] or 0) for name in "ymdHMS")
    half = (parts.get("half") or parts.get("half_after") or "").upper()
    if half in _AFTERNOON and hour < 12:
        hour += 12
    elif half in _MORNING and hour == 12:
        hour = 0
    # The end of a day is often written as its hour 24.
    end_of_day = (hour, minute, second) == (24, 0, 0)
    try:
        moment = dt.datetime(year, month, day, 0 if end_of_day else hour, minute, second)  # noqa: DTZ001
        return _iso(moment + dt.timedelta(days=end_of_day))
    except (ValueError, OverflowError):
        return None
