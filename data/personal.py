"""
What looks like a person: identity numbers, telephone numbers, plates, mail addresses.

Values with one of them never travel further than the intake. Recognition works on the shape of the
text alone and errs on the side of removing; where a column holds codes (order numbers, grid codes)
an identity number must also have a right check digit, because such codes often hold a region and a
date. Fifteen-digit identity numbers (not issued since 1999, void since 2013) and bank cards are
recognised only behind their own word: by shape they are grid codes and order numbers.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    Texts: TypeAlias = pd.Series | pa.Array | pa.ChunkedArray

REMOVED: Final = "[removed]"
TOO_LONG: Final = "[free text removed]"
LONGEST_VALUE: Final = 64
"""Characters of the longest code, number or time that is kept."""
NUMBER_COLUMNS: Final = ("incident_id", "version", "repeat_of", "area_code")
"""Columns of codes; so are those of published area codes."""

_LONGEST: Final = 60
_SAMPLE: Final = 4096
_ROW: Final = "row"

# A region, a day of birth from 1900 on, a serial number and a check digit (GB 11643-1999). No
# province is 99: the demonstration city uses it, so that its planted numbers are nobody's.
_REGION: Final = r"(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]|99)[0-9]{4}"
_BIRTH: Final = r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
_IDENTITY: Final = _REGION + _BIRTH + r"[0-9]{3}[0-9Xx]"
_SPACED_IDENTITY: Final = (
    _REGION + r"(?:[ -]" + _BIRTH + r"[ -]?|[ -]?" + _BIRTH + r"[ -])[0-9]{3}[0-9Xx]"
)
_MOBILE: Final = (
    r"(?i:tel|phone|mobile|wx|vx)?(?:\+?86[ -]?|0086[ -]?)?1[3-9][0-9](?:[ -]?[0-9]{4}){2}"
)
# With the 0 of the trunk call before it; in a column of codes that is a number filled with zeros.
_TRUNK_MOBILE: Final = r"01[3-9][0-9]{9}"
_AREA: Final = r"(?:0(?:10|2[0-57-9])|0[3-9][0-9]{2})"
# Area codes have three or four digits; the number itself never starts with 0 or 1.
_LANDLINE: Final = (
    r"(?:\(" + _AREA + r"\) ?|" + _AREA + r"[ -]?|\+86[ -]?[1-9][0-9]{1,2}[ -])"
    r"[2-9][0-9]{2,3}[ -]?[0-9]{4}"
)
_MAIL: Final = r"[A-Za-z0-9][A-Za-z0-9._%+-]*@[A-Za-z0-9-]+\.[A-Za-z]{2,}"

_PROVINCE: Final = "京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新"
_MARK: Final = r"[A-HJ-NP-Za-hj-np-z0-9]"
_DOT: Final = "[ ·•・.-]?"
_HEAD: Final = f"[{_PROVINCE}] ?[A-HJ-NP-Za-hj-np-z]{_DOT}"
# GA 36-2018: ordinary and new energy plates, those that end in a word, embassies, armed police,
# the forces. The forces' two letters and five digits count with their dot only: without it they
# are any code.
_PLATE: Final = "|".join(
    (
        f"{_HEAD}{_MARK}{{5,6}}",
        f"{_HEAD}{_MARK}{{4}}[挂学警港澳试超领使]",
        f"使{_DOT}[0-9]{{3}}{_DOT}[0-9]{{3}}",
        f"WJ{_DOT}[{_PROVINCE}]{_DOT}[0-9]{{4}}[0-9A-Z]",
        "[军空海北沈兰济南广成] ?[A-Z][ ·•・-]?[0-9]{5}",
        "[A-Z]{2}[·•・][0-9]{5}",
    )
)
_EMBASSY: Final = f"[0-9]{{3}}{_DOT}[0-9]{{3}}{_DOT}[使领]"
_WORDED: Final = r"(?:身份证|证件)[^0-9]{0,6}[0-9]{15}|(?:银行卡|卡号)[^0-9]{0,6}[0-9]{16,19}"

# Longer runs of letters and digits (hashes, order numbers) hold such digits by chance, and so do
# the decimals of a coordinate.
_START: Final = r"(?:^|[^0-9A-Za-z.]|[^0-9]\.|^\.)"
_END: Final = r"(?:$|[^0-9A-Za-z])"
_NUMBERS: Final = (
    f"{_IDENTITY}|{_SPACED_IDENTITY}|{_MOBILE}|{_TRUNK_MOBILE}|{_LANDLINE}|"
    "WJ[0-3][0-9][ -][0-9]{4,5}"
)
_IN_TEXT: Final = f"{_START}(?:{_NUMBERS}){_END}|{_MAIL}"
_IN_CODE: Final = f"{_START}(?:{_IDENTITY}|{_MOBILE}){_END}|{_MAIL}"
_SURE_IN_CODE: Final = f"{_START}{_MOBILE}{_END}|{_MAIL}"
_WIDE: Final = f"(?:{_PLATE}){_END}|{_START}{_EMBASSY}(?:$|[ ,，。;；)）])|{_WORDED}"
"""What has a Chinese character in it, or a dot that is none of ASCII."""

_SCRUBBED: Final = re.compile(
    rf"(?<![0-9A-Za-z])(?<![0-9]\.)(?:{_NUMBERS}|{_EMBASSY})(?![0-9A-Za-z])"
    rf"|{_MAIL}|(?:{_PLATE})(?![0-9A-Za-z])|{_WORDED}"
)
_FULL_WIDTH: Final = "[０-９Ａ-Ｚａ-ｚ＠＋－（）]"

_WEIGHTS: Final = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2], np.float32)
_CHECK_DIGITS: Final = np.frombuffer(b"10X98765432", dtype=np.uint8)
_IDENTITY_LENGTH: Final = 18
_SURE_SHARE: Final = 0.75
_ENOUGH: Final = 3
_SMALLEST: Final = 13_000_000_000
"""The smallest number that can be a mobile number."""

_PERSONAL_HEADINGS: Final = re.compile(
    "姓名|身份证|证件|公民身份|护照|电话|手机|联系方式|联系人|来电号码|主叫|车牌|号牌|住址|居住|户籍|户口|"
    "家庭地址|微信|QQ|邮箱|邮件|性别|^民族|出生|年龄|学历|文化程度|政治面貌|婚姻状况|职业|籍贯|银行卡|"
    "账号|人员类别|报警人|来电人|当事人|投诉人|举报人|求助人|申请人|被申请人|监护人|责任人|嫌疑人|受害人|"
    "信访人|录音|"
    r"(?<![a-z])(?:phone|mobile|tel|telephone|e-?mail|wechat|passport|id[_ ]?(?:card|number)|plate|"
    r"caller|reporter|victim|suspect|gender|sex|ethnicity|birth\w*|"
    r"(?:full|first|last|contact)[_ ]?name)"
    r"(?![a-z])",
    re.IGNORECASE,
)


def names_a_person(texts: Texts, *, is_number: bool = False) -> NDArray[np.bool_]:
    """
    Tell which texts hold an identity number, a telephone number, a plate or a mail address.

    Parameters
    ----------
    texts
        Text, null where empty; positions count from 0. Full-width digits and letters count.
    is_number
        The column holds codes of the source: an identity number must then have a right check
        digit, one with a date from 2000 on also company (most such numbers of the column are
        right), and landlines do not count. Order numbers of 18 digits that hold a region and a
        date, and grid codes, are thus left alone.
    """
    array = _array(texts)
    if not pa.types.is_dictionary(array.type) and _repeats(array):
        array = array.dictionary_encode()
    if not pa.types.is_dictionary(array.type):
        return _flags(array, is_number=is_number)
    known = np.append(_flags(array.dictionary, is_number=is_number), False)
    position = pc.fill_null(array.indices.cast(pa.int64()), len(known) - 1)
    return np.asarray(known[np.asarray(position)], dtype=np.bool_)


def scrub(text: str) -> str:
    """Text with everything of that kind removed, cut to sixty characters."""
    flat = unicodedata.normalize("NFKC", text)
    bare = _SCRUBBED.sub(REMOVED, flat) if _SCRUBBED.search(flat) else text
    return bare if len(bare) <= _LONGEST else bare[:_LONGEST] + "…"


def without_personal(rows: pa.Table) -> pa.Table:
    """
    Rows with every personal value and every long text replaced by a mark.

    Parameters
    ----------
    rows
        Raw rows by our column names; the column `row` is returned as it is.

    Returns
    -------
    rows
        A value that names a person is `REMOVED`, one of more than 64 characters `TOO_LONG`: coded
        columns are short, free text is not stored. A column of numbers with such a value becomes
        text.
    """
    for position, name in enumerate(rows.column_names):
        column = rows.column(name).combine_chunks()
        is_number = name in NUMBER_COLUMNS or name.startswith("published_")
        if name == _ROW:
            continue
        if _is_number_type(column.type):
            cleaned = _clean_numbers(column, is_number=is_number)
        elif _is_text(column.type):
            cleaned = _clean_texts(column, is_number=is_number)
        else:
            continue
        if cleaned is not column:
            rows = rows.set_column(position, name, cleaned)
    return rows


def personal_columns(headings: Sequence[str]) -> list[str]:
    """Headings of a file that look personal, in their order."""
    return [heading for heading in headings if _PERSONAL_HEADINGS.search(str(heading))]


def personal_share(column: Texts, *, is_number: bool = False) -> float:
    """Share of the filled values that name a person, 0 to 1; 0 where all are empty."""
    array = _array(column)
    filled = len(array) - array.null_count
    if not filled:
        return 0.0
    return float(names_a_person(array, is_number=is_number).sum() / filled)


def _array(texts: Texts) -> pa.Array:
    known = isinstance(texts, pa.Array | pa.ChunkedArray)
    array = texts if known else pa.array(texts, from_pandas=True)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _flags(values: pa.Array, *, is_number: bool) -> NDArray[np.bool_]:
    is_plain = pc.all(pc.string_is_ascii(values)).as_py() is not False
    # Arrow's expressions run without a Python call per row.
    if not is_plain and _matches(values, _FULL_WIDTH).any():
        values = pc.utf8_normalize(values, form="NFKC")
    pattern = _IN_CODE if is_number else _IN_TEXT
    flags = _matches(values, pattern if is_plain else f"{pattern}|{_WIDE}")
    if is_number and flags.any():
        rows = np.flatnonzero(flags)
        flags[rows] = _sure(values.take(pa.array(rows)))
    return flags


def _sure(values: pa.Array) -> NDArray[np.bool_]:
    """Which codes with something personal in them hold more than an order number by its shape."""
    sure = _matches(values, f"{_SURE_IN_CODE}|{_WIDE}")
    shaped = np.flatnonzero(~sure)
    if not len(shaped):
        return sure
    owner, digits = _identities(values.take(pa.array(shaped)))
    # Exact in single precision: the sum is below 1,000.
    weighted = (digits[:, :17].astype(np.float32) - ord("0")) @ _WEIGHTS
    right = _CHECK_DIGITS[weighted.astype(np.int64) % 11] == digits[:, 17]
    company = len(right) >= _ENOUGH and right.mean() >= _SURE_SHARE
    sure[shaped[owner[right & ((digits[:, 6] == ord("1")) | company)]]] = True
    return sure


def _identities(texts: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Every identity number by its shape: the position of its text, and its 18 characters."""
    lengths = np.asarray(pc.binary_length(texts))
    bare = np.flatnonzero(lengths == _IDENTITY_LENGTH)
    # A text that is nothing but the number needs no search; whole columns are like that.
    owners, numbers = [bare], [_bytes(texts.take(pa.array(bare)))]
    for row in np.flatnonzero(lengths != _IDENTITY_LENGTH):
        found = re.findall(_IDENTITY, texts[int(row)].as_py())
        numbers.append("".join(found).encode())
        owners.append(np.full(len(found), row))
    digits = np.frombuffer(b"".join(numbers).upper(), dtype=np.uint8)
    return np.concatenate(owners).astype(np.int64), digits.reshape(-1, _IDENTITY_LENGTH)


def _bytes(texts: pa.Array) -> bytes:
    """All texts one after the other; none is null."""
    whole = pc.binary_join(pa.ListArray.from_arrays([0, len(texts)], texts.cast(pa.string())), "")
    return str(whole[0].as_py()).encode()


def _matches(values: pa.Array, pattern: str) -> NDArray[np.bool_]:
    found = pc.match_substring_regex(values, pattern)
    return np.array(pc.fill_null(found, fill_value=False), dtype=np.bool_)


def _repeats(values: pa.Array) -> bool:
    """Whether a column has few distinct values, by its first ones."""
    first = values.slice(0, _SAMPLE)
    return len(values) > 2 * _SAMPLE and len(pc.unique(first)) * 8 < len(first)


def _clean_texts(column: pa.Array, *, is_number: bool) -> pa.Array:
    named = names_a_person(column, is_number=is_number)
    texts = column
    if pa.types.is_dictionary(column.type):
        texts = column.cast(column.type.value_type)
    lengths = np.asarray(pc.fill_null(pc.utf8_length(texts), 0))
    long = (lengths > LONGEST_VALUE) & ~named
    if not (named.any() or long.any()):
        return column
    texts = pc.if_else(pa.array(named), pa.scalar(REMOVED, texts.type), texts)
    return pc.if_else(pa.array(long), pa.scalar(TOO_LONG, texts.type), texts)


def _clean_numbers(column: pa.Array, *, is_number: bool) -> pa.Array:
    """A telephone or identity number may stand in a column of numbers."""
    values = pc.fill_null(column, 0).to_numpy(zero_copy_only=False)
    largest = float(np.iinfo(np.int64).max)
    rows = np.flatnonzero((values >= _SMALLEST) & (values < largest))
    if not len(rows):
        return column
    texts = pa.array(values[rows].astype(np.int64)).cast(pa.string())
    named = rows[names_a_person(texts, is_number=is_number)]
    if not len(named):
        return column
    removed = np.zeros(len(column), dtype=np.bool_)
    removed[named] = True
    return pc.if_else(pa.array(removed), pa.scalar(REMOVED), column.cast(pa.string()))


def _is_text(kind: pa.DataType) -> bool:
    held = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(held) or pa.types.is_large_string(held))


def _is_number_type(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))
