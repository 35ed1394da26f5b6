"""Frames of many parts at once: columns are joined as arrays, texts as codes of few words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def stacked(parts: Sequence[Mapping[str, Any]], *, length: str) -> pd.DataFrame:
    """
    One frame of several parts.

    Parameters
    ----------
    parts
        Column name to an array of the part's length, or to one value for all its rows; every part
        with the same columns.
    length
        Name of a column that is an array: its length is the part's.
    """
    if not parts:
        return pd.DataFrame()
    numbers = [len(one[length]) for one in parts]
    return pd.DataFrame(
        {name: _column([one[name] for one in parts], numbers) for name in parts[0]}, copy=False
    )


def _column(values: list[Any], numbers: list[int]) -> Any:
    if isinstance(values[0], np.ndarray) and values[0].ndim:
        return np.concatenate(values)
    if isinstance(values[0], str):
        words = list(dict.fromkeys(values))
        codes = np.repeat([words.index(one) for one in values], numbers)
        return pd.array(words, dtype="str").take(codes)
    return np.repeat(np.array(values), numbers)
