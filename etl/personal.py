"""
What looks like a person in a text: a citizen's identity number or a mobile number.

Such values never travel further than this module: the row is refused, the value is not stored.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

REMOVED: Final = "[removed]"
_LONGEST: Final = 60

# A region, a day of birth from 1900 on, a serial number and a check digit (GB 11643-1999).
_IDENTITY: Final = r"[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]"
_MOBILE: Final = r"1[3-9]\d{9}"
# Longer runs of letters and digits (hashes, order numbers) hold such digits by chance.
_START, _END = r"(?:^|[^0-9A-Za-z])", r"(?:$|[^0-9A-Za-z])"
_EITHER: Final = f"{_START}(?:{_IDENTITY}|{_MOBILE}){_END}"
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS: Final = "10X98765432"


def names_a_person(texts: pd.Series, *, is_number: bool = False) -> NDArray[np.bool_]:
    """
    Tell which texts hold an identity number or a mobile number.

    Parameters
    ----------
    texts
        Text, null where empty.
    is_number
        The column holds the source's own numbers: an identity number must then have a right
        check digit, because order numbers of 18 digits often start with a date.
    """
    # Arrow's expressions run without a Python call per row.
    found = pc.match_substring_regex(pa.array(texts, from_pandas=True), _EITHER)
    flags = np.asarray(pc.fill_null(found, fill_value=False))
    if is_number and flags.any():
        flags = flags.copy()
        rows = np.flatnonzero(flags)
        flags[rows] = [_is_sure(text) for text in texts.iloc[rows]]
    return flags


def scrub(text: str) -> str:
    """Text with every such number removed, cut to sixty characters."""
    bare = re.sub(rf"(?<![0-9A-Za-z])(?:{_IDENTITY}|{_MOBILE})(?![0-9A-Za-z])", REMOVED, text)
    return bare if len(bare) <= _LONGEST else bare[:_LONGEST] + "…"


def _is_sure(text: str) -> bool:
    if re.search(_START + _MOBILE + _END, text):
        return True
    return any(
        _CHECK_DIGITS[sum(int(d) * w for d, w in zip(n, _WEIGHTS, strict=False)) % 11]
        == n[-1].upper()
        for n in re.findall(_IDENTITY, text)
    )
