"""
Rows of a stored table found by their area: what a panel tells of one, without a scan of the table.

Every column is kept in the smallest form that loses nothing: whole numbers in their smallest type,
words and days as codes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from data.counts import offsets, small

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Columns = dict[str, NDArray[Any]]

KEY = ("level", "area_index")


class AreaRows:
    """
    Rows of one table by area, in the order in which they were read.

    Parameters
    ----------
    found
        The columns of the table, `level` and `area_index` among them.
    places
        Areas of each level, the highest first.
    """

    def __init__(self, found: Columns, places: Mapping[str, int]) -> None:
        firsts = np.cumsum([0, *places.values()])
        self._first = dict(zip(places, firsts.tolist(), strict=False))
        levels = _Coded(found["level"])
        first = np.array([self._first[level] for level in levels.values], dtype=np.int64)
        row = first[levels.codes] + found["area_index"]
        self._at = offsets(row, int(firsts[-1]))
        order = np.argsort(row, kind="stable")
        self._columns = {
            name: _packed(column, order) for name, column in found.items() if name not in KEY
        }

    def of(self, level: str, index: int, *, by: str = "") -> Columns:
        """
        Columns of one area, but for those that name it; NaN or None where there is nothing.

        Parameters
        ----------
        by
            Column in whose order the rows stand; that of the few rows of an area takes no time,
            where that of a whole table takes a database's memory.
        """
        row = self._first[level] + index
        at = slice(*self._at[row : row + 2])
        found = {name: column.read(at) for name, column in self._columns.items()}
        if by:
            order = np.argsort(found[by], kind="stable")
            found = {name: column[order] for name, column in found.items()}
        return found

    def only(self, name: str) -> Any:
        """The one value of a column of words or days; None where there are none or several."""
        column = self._columns[name]
        values = column.values if isinstance(column, _Coded) else []
        return values[0] if len(values) == 1 else None


class _Coded:
    """Words, days, and whole numbers that may be empty, as codes of their values."""

    def __init__(self, column: NDArray[Any]) -> None:
        held: dict[Any, int] = {}
        codes = [held.setdefault(value, len(held)) for value in _plain(column)]
        self.codes = small(np.array(codes, dtype=np.int64))
        self.values = list(held)
        self._table = np.array([*self.values, None], dtype=object)

    def read(self, at: slice) -> NDArray[Any]:
        return np.asarray(self._table[self.codes[at]])


class _Numbers:
    """Numbers in the smallest type that holds each of them exactly."""

    def __init__(self, column: NDArray[Any]) -> None:
        self._type = column.dtype
        self._held = column
        for kind in (np.uint8, np.int16, np.int32, np.float32):
            with np.errstate(invalid="ignore", over="ignore"):
                smaller = column.astype(kind)
            is_float = column.dtype.kind == "f"
            if np.array_equal(smaller.astype(column.dtype), column, equal_nan=is_float):
                self._held = smaller
                break

    def read(self, at: slice) -> NDArray[Any]:
        return self._held[at].astype(self._type)


def _packed(column: NDArray[Any], order: NDArray[np.int64]) -> _Coded | _Numbers:
    column = column[order]
    if column.dtype.kind == "f":
        return _Numbers(np.ma.filled(column, np.nan))
    if column.dtype.kind in "iub" and not np.ma.is_masked(column):
        return _Numbers(np.ma.getdata(column))
    return _Coded(column)


def _plain(column: NDArray[Any]) -> list[Any]:
    """Values as Python has them: days as `date`, None where there is nothing."""
    if column.dtype.kind == "M":
        column = column.astype("datetime64[D]")
    values: list[Any] = column.tolist()
    return values
