"""Proposals: which columns are coordinates, and in which frame they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from etl.boundaries import plain_numbers
from etl.frames import FRAMES, best_trial, plane_frames, try_frames
from etl.samples import filled_rows, number_values, plain_values, text_values
from etl.sources.heading_match import heading_key
from etl.time_formats import parsed

if TYPE_CHECKING:
    import pyarrow as pa

    from data.city import City
    from etl.boundaries import Boundaries
    from etl.frames import Trial
    from etl.proposal import Proposal

AXES: Final = ("lng", "lat")

_PAIRS: Final = (("x", "y"), ("east", "north"), ("easting", "northing"), ("横坐标", "纵坐标"))
"""Headings that mean coordinates only together."""
_CHINA: Final = (73.0, 3.0, 136.0, 54.0)
_MOST: Final = 0.8
_ENOUGH: Final = 0.6
_CLEAR_LEAD: Final = 0.002
"""Shares of two frames that differ by less do not tell them apart."""
_LAST_DEGREE: Final = 180


def find_coordinates(found: Proposal, built: Boundaries | None) -> None:
    """Find the pair of coordinates by short names or by values where no alias tells them."""
    sample = found.sample
    if "lng" in found.columns or sample.points is not None:
        return
    keys = {heading_key(name): name for name in found.open_columns}
    for pair in _PAIRS:
        if all(key in keys and _is_numeric(sample.rows.column(keys[key])) for key in pair):
            found.columns |= {axis: keys[key] for axis, key in zip(AXES, pair, strict=True)}
            return
    west, south, east, north = built.limits.bounds if built else _CHINA
    fits: dict[str, str] = {}
    for name in found.open_columns:
        numbers = number_values(sample.rows.column(name))
        given = numbers[np.isfinite(numbers)]
        # Whole numbers are counts or codes.
        if len(given) and not np.all(given == np.floor(given)):
            for axis, low, high in (("lng", west, east), ("lat", south, north)):
                if axis not in fits and np.mean((given >= low) & (given <= high)) > _MOST:
                    fits[axis] = name
                    break
    if len(fits) == len(AXES):
        found.columns |= fits
        found.notes |= dict.fromkeys(fits, "by its values, not its heading")


def choose_frame(found: Proposal, city: City, built: Boundaries) -> None:
    """Put the points into each frame; swap the two columns where only that makes sense."""
    rows = _points(found, city)
    if rows is None:
        return
    frames: tuple[str, ...] = FRAMES
    if _is_plane(rows):
        declared = found.sample.declared
        frames = (declared,) if declared else plane_frames(built)
    found.trials = try_frames(rows, built, frames=frames, against=frames[0])
    turned = rows.rename(columns={"lng": "lat", "lat": "lng"})
    swapped = try_frames(turned, built, frames=frames, against=frames[0])
    if best_trial(swapped).inside > max(0.5, best_trial(found.trials).inside):
        columns = found.columns
        if "lng" in columns:
            columns["lng"], columns["lat"] = columns["lat"], columns["lng"]
            found.trials, rows = swapped, turned
        found.remarks.append("longitude and latitude are swapped in the file: their values say so")
    best = best_trial(found.trials)
    found.frame = best.frame
    # Once more, so that the shifts are those from the proposed frame.
    found.trials = try_frames(rows, built, frames=frames, against=best.frame)
    if best.inside < _ENOUGH:
        found.remarks.append(
            "no frame puts most points into the city: wrong file, wrong columns or a projected "
            "frame (name its EPSG code)"
        )
    others = [trial for trial in found.trials if trial.frame != best.frame]
    second = best_trial(others) if others else None
    if second and _score(best) - _score(second) < _CLEAR_LEAD:
        found.remarks.append(
            f"the points do not tell the frames {best.frame} and {second.frame} apart"
        )


def _score(trial: Trial) -> float:
    return trial.inside if trial.own_code is None else trial.own_code


def _points(found: Proposal, city: City) -> pd.DataFrame | None:
    sample, columns = found.sample, found.columns
    if "lng" in columns:
        pair = [sample.rows.column(columns[axis]) for axis in AXES]
    elif sample.points is not None:
        pair = [sample.points.column(axis) for axis in AXES]
    else:
        return None
    moments = plain_values(sample.rows.column(columns["occurred_at"]))
    times = parsed(moments, found.time_format, zone=found.time_zone)
    days = times.dt.tz_convert(ZoneInfo(city.time_zone)).dt.tz_localize(None).dt.floor("D")
    codes = pd.Series(None, times.index, dtype=object)
    if "area_code" in columns:
        codes = text_values(sample.rows.column(columns["area_code"]))
        codes = plain_numbers(codes) if found.numeric_codes else codes
    return pd.DataFrame(
        {
            "lng": number_values(pair[0]),
            "lat": number_values(pair[1]),
            "area_code": codes,
            "occurred_on": days.astype("datetime64[s]"),
        }
    )


def _is_plane(rows: pd.DataFrame) -> bool:
    return bool(rows[["lng", "lat"]].abs().median().max() > _LAST_DEGREE)


def _is_numeric(column: pa.ChunkedArray) -> bool:
    """Whether most of what is given are numbers."""
    return bool(np.isfinite(number_values(column)).sum() >= _ENOUGH * max(1, filled_rows(column)))
