"""
Frames put to the test: where the points of a file fall under each coordinate frame.

GCJ-02 and BD-09 shift a point by some hundred metres, so a wrong frame never looks absurd. It
shows in the share of points inside the city, and better in the share of points that lie in the
area whose code their own row gives.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
import shapely

from etl.place import place, upwards
from geo.crs import to_wgs84

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from etl.boundaries import Boundaries

FRAMES: Final = ("WGS84", "GCJ-02", "BD-09")
TRIED_ROWS: Final = 20_000
ENOUGH_CODES: Final = 30
"""Rows with a point and a known code from which their agreement says something."""

_SAME_NUMBERS: Final = {"WGS84", "CGCS2000", "EPSG:4326", "EPSG:4490"}
"""Alike to within centimetres."""
_CHINA: Final = (75.0, 135.0)
_METRES_PER_DEGREE: Final = 111_195.0


@dataclass(frozen=True)
class Trial:
    """
    How the points of a file lie under one frame.

    Attributes
    ----------
    points
        Rows with two numbers.
    inside
        Share of them inside the city, 0 to 1.
    own_code
        Share that lies in the area of the row's own code; None = too few rows have one.
    shift_m
        Median distance in metres from the points under the frame compared with, of those that the
        latter puts into the city.
    """

    frame: str
    points: int
    inside: float
    own_code: float | None
    shift_m: float


def frames_beside(frame: str) -> tuple[str, ...]:
    """Return a frame and those of `FRAMES` that have other numbers."""
    same = _SAME_NUMBERS if frame in _SAME_NUMBERS else {frame}
    return frame, *(other for other in FRAMES if other not in same)


def plane_frames(built: Boundaries) -> tuple[str, ...]:
    """
    Return frames in metres that a file of the city may be in.

    CGCS2000 in zones of three and six degrees around the city, with and without the number of the
    zone before the easting (EPSG:4491 to 4554), UTM, and the web's own Mercator.
    """
    west, _, east, _ = shapely.bounds(built.geometries[built.levels[0]][0])
    middle = (west + east) / 2
    three, six = round(middle / 3), int(middle // 6)
    numbers = [32631 + six, 3857]
    if _CHINA[0] < middle < _CHINA[1]:
        numbers += [4509 + three + side for side in (0, -1, 1)]
        numbers += [4488 + three + side for side in (0, -1, 1)]
        numbers += [4490 + six, 4479 + six]
    return tuple(f"EPSG:{number}" for number in numbers)


def try_frames(
    rows: pd.DataFrame, built: Boundaries, *, frames: Sequence[str], against: str
) -> list[Trial]:
    """
    Put the points of a file into each frame.

    Parameters
    ----------
    rows
        `lng`, `lat` (numbers in the unknown frame), `area_code`, `occurred_on` (city day); null
        where a row has none. At most `TRIED_ROWS` of them are used, evenly spread.
    against
        Frame that `shift_m` is measured from.
    """
    rows = rows[np.isfinite(rows["lng"]) & np.isfinite(rows["lat"])]
    if len(rows) > TRIED_ROWS:
        rows = rows.iloc[np.linspace(0, len(rows) - 1, TRIED_ROWS).astype(int)]
    rows = rows.reset_index(drop=True)
    base = to_wgs84(rows["lng"].to_numpy(), rows["lat"].to_numpy(), frame=against)
    return [_trial(rows, built, frame, base) for frame in frames]


def best_trial(trials: Sequence[Trial]) -> Trial:
    """Trial that puts most points into the areas of their codes, then into the city."""
    return max(trials, key=lambda trial: (trial.own_code or 0.0, trial.inside))


def _trial(
    rows: pd.DataFrame,
    built: Boundaries,
    frame: str,
    base: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> Trial:
    lng, lat = to_wgs84(rows["lng"].to_numpy(), rows["lat"].to_numpy(), frame=frame)
    city = shapely.union_all(built.geometries[built.levels[0]])
    shapely.prepare(city)
    inside = shapely.contains_xy(city, lng, lat)
    east = (lng - base[0]) * np.cos(np.radians(base[1]))
    metres = np.hypot(east, lat - base[1]) * _METRES_PER_DEGREE
    measured = metres[np.isfinite(metres) & shapely.contains_xy(city, *base)]
    return Trial(
        frame=frame,
        points=len(rows),
        inside=float(inside.mean()) if len(rows) else 0.0,
        own_code=_own_code(rows.assign(lng=lng, lat=lat), inside, built),
        shift_m=float(np.median(measured)) if len(measured) else 0.0,
    )


def _own_code(rows: pd.DataFrame, inside: NDArray[np.bool_], built: Boundaries) -> float | None:
    told = (rows["area_code"].isin(built.codes) & rows["occurred_on"].notna()).to_numpy()
    if told.sum() < ENOUGH_CODES:
        return None
    rows = rows[told & inside].reset_index(drop=True)
    placed = place(rows.assign(area_code=pd.Series(None, rows.index, dtype=object)), built)
    codes = rows["area_code"].to_numpy(dtype=object)
    same = np.zeros(len(rows), dtype=bool)
    for level, index in upwards(placed.level, placed.index, built).items():
        own = np.array([*built.level_areas(level)["code"], None], dtype=object)
        same |= own[index] == codes
    return float(same.sum() / told.sum())
