"""How large a made city is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Size = Literal["small", "large", "tiny"]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FIRST_DAY = date(2024, 11, 18)
WEEKS = 104
DAYS = 7 * WEEKS
LAST_DAY = date(2026, 11, 15)
RECUT_DATES = (date(2026, 1, 1), date(2026, 7, 1))
OPENED = date(2020, 1, 1)


@dataclass(frozen=True)
class Plan:
    """
    The wanted numbers of one size of city.

    `pieces` is the number of mesh pieces a grid is put together from on average; `addresses`
    the number of places with a fixed point in each piece.
    """

    counties: int
    townships: int
    communities: int
    grids: int
    population: int
    radius_km: float
    pieces: int
    addresses: int
    incidents: int
    recut_share: float
    surge_factor: float


PLANS: dict[Size, Plan] = {
    "tiny": Plan(2, 6, 20, 60, 41_000, 5.4, 8, 6, 5_000, 0.04, 0.5),
    "small": Plan(8, 116, 1_177, 4_700, 3_200_000, 47.0, 7, 4, 300_000, 0.01, 1.0),
    "large": Plan(8, 116, 1_177, 22_000, 3_200_000, 47.0, 5, 3, 3_000_000, 0.01, 3.0),
}
