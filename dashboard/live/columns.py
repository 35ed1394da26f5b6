"""Arrived incidents of two days as columns: some fifty bytes each, looked through in no time."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from data.arrivals import Arrival

MOST: Final = 200_000
"""Rows that are held; where more arrive in two days, counts of the day are not known."""


class Codes:
    """Texts as numbers: each distinct one is kept once; only ever grows."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._numbers: dict[Any, int] = {}

    def number(self, value: Any) -> int:
        """Number of a value, a new one where it is new."""
        if value not in self._numbers:
            self.values.append(value)
            self._numbers[value] = len(self.values) - 1
        return self._numbers[value]


@dataclass(frozen=True)
class Columns:
    """
    Rows in the order of their numbers; each array has shape (n rows,).

    Attributes
    ----------
    replaced_by
        0 = the row is the present one.
    arrived, occurred
        Seconds since 1970, UTC; not-a-number where not told.
    category, place
        Positions among the codes of classes, and of (level, area code).
    """

    seq: NDArray[np.int64]
    replaced_by: NDArray[np.int64]
    arrived: NDArray[np.float64]
    occurred: NDArray[np.float64]
    is_shown: NDArray[np.bool_]
    is_new: NDArray[np.bool_]
    category: NDArray[np.int32]
    severity: NDArray[np.int8]
    place: NDArray[np.int32]
    lng: NDArray[np.float64]
    lat: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.seq)

    def joined(self, newer: Columns) -> Columns:
        """These rows and newer ones, the newest `MOST` of them."""
        return Columns(
            **{
                one.name: np.concatenate([getattr(self, one.name), getattr(newer, one.name)])[
                    -MOST:
                ]
                for one in fields(self)
            }
        )

    def replacing(self, pairs: Sequence[tuple[int, int]]) -> Columns:
        """The same rows, some of them replaced since: (number, by which)."""
        if not pairs:
            return self
        replaced_by = self.replaced_by.copy()
        by = dict(pairs)
        at = np.flatnonzero(np.isin(self.seq, list(by)))
        replaced_by[at] = [by[int(seq)] for seq in self.seq[at]]
        return replace(self, replaced_by=replaced_by)

    def since(self, moment: float) -> Columns:
        """Rows that arrived since a moment."""
        return self.only(self.arrived >= moment)

    def only(self, wanted: NDArray[Any]) -> Columns:
        """Some of the rows."""
        return Columns(**{one.name: getattr(self, one.name)[wanted] for one in fields(self)})


def columns(arrivals: Sequence[Arrival], categories: Codes, places: Codes) -> Columns:
    """Rows as columns."""
    none = float("nan")
    table: dict[str, tuple[Any, list[Any]]] = {
        "seq": (np.int64, [one.seq for one in arrivals]),
        "replaced_by": (np.int64, [one.replaced_by for one in arrivals]),
        "arrived": (np.float64, [one.arrived_at.timestamp() for one in arrivals]),
        "occurred": (
            np.float64,
            [one.occurred_at.timestamp() if one.occurred_at else none for one in arrivals],
        ),
        "is_shown": (np.bool_, [one.is_shown for one in arrivals]),
        "is_new": (np.bool_, [one.is_new for one in arrivals]),
        "category": (np.int32, [categories.number(one.category) for one in arrivals]),
        "severity": (np.int8, [one.severity for one in arrivals]),
        "place": (np.int32, [places.number((one.level, one.area_code)) for one in arrivals]),
        "lng": (np.float64, [none if one.lng is None else one.lng for one in arrivals]),
        "lat": (np.float64, [none if one.lat is None else one.lat for one in arrivals]),
    }
    return Columns(**{name: np.array(values, dtype=kind) for name, (kind, values) in table.items()})
