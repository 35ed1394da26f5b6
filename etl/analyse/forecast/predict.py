"""
The forecast of one period for each area or cell, from what was known at the end of the one before.

Expected count = share × level of the city (`etl.analyse.expected`); the interval is that of the
negative binomial. Children and what lies in none of them add up to the parent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from etl.analyse.expected import cell_expected, expected_counts, interval, period_starts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from etl.analyse.bed import Bed, Floats, Ints

CELL_RESOLUTIONS: Final = (8, 9)

FORECASTS: Final = (
    "made_on", "period_start", "level", "area_index", "group", "mean", "unplaced", "lower", "upper",
    "size", "is_frozen",
)  # fmt: skip
FORECAST_CELLS: Final = (
    "made_on", "period_start", "resolution", "cell", "group", "mean", "lower", "upper", "size",
    "is_frozen",
)  # fmt: skip


@dataclass(frozen=True)
class Forecast:
    """
    A forecast for some places, arrays of shape (n places,).

    `places` are positions in a level, or H3 cells in ascending order; `size` is that of the
    negative binomial, inf = Poisson; `lower` and `upper` bound the 90 % interval; `is_frozen`
    tells that it was made before its period was over.
    """

    places: Ints
    mean: Floats
    lower: Floats
    upper: Floats
    size: Floats
    is_frozen: bool


def target_name(resolution: int) -> str:
    """Name of the cells of a resolution as a target, beside the levels."""
    return f"r{resolution}"


def forecast(bed: Bed, target: str, group: str, at: int) -> Forecast:
    """
    Forecast one target (a level, `r8` or `r9`).

    Parameters
    ----------
    at
        Position of the period, at least 1; the number of periods = the next one. No event of it
        or later has a part, and none that became known after the period before.
    """
    starts = period_starts(bed, at)
    day = starts[at] - 1
    if target in bed.levels:
        depth = bed.levels.index(target)
        areas = expected_counts(bed, group, at=at, known_on=day)
        valid = bed.areas[depth].valid(starts[at + 1] - 1)
        mean, size = areas.mean[depth], areas.size[depth]
        places = np.flatnonzero(valid & np.isfinite(mean)).astype(np.int64)
        mean, size = mean[places], size[places]
    else:
        found = cell_expected(bed, group, int(target[1:]), at=at, known_on=day)
        places, mean, size = found.cells, found.mean, found.size
    lower, upper = interval(mean, size)
    frozen = bool(bed.as_of < starts[at + 1] - 1)
    return Forecast(places, mean, lower, upper, size, frozen)


def forecast_tables(
    bed: Bed,
    at: int,
    *,
    groups: Sequence[str] | None = None,
    resolutions: Sequence[int] = CELL_RESOLUTIONS,
) -> dict[str, pd.DataFrame]:
    """
    Forecast one period at every level and for cells.

    Returns
    -------
    tables
        `forecasts` and `forecast_cells`, columns `FORECASTS` and `FORECAST_CELLS`; both empty
        where the history is too short. `unplaced` is the part of `mean` in none of the children
        that are listed.
    """
    starts = period_starts(bed, at)
    named = groups or ("all", *bed.groups)
    when = {"made_on": starts[at] - 1, "period_start": starts[at]}
    areas = [one for group in named for one in _level_rows(bed, group, at, when)]
    cells = [
        _rows(forecast(bed, target_name(one), group, at), "cell", np.int64)
        .assign(**when, resolution=np.int32(one), group=group)
        for one in resolutions
        for group in named
    ]  # fmt: skip
    return {
        "forecasts": _joined(areas, FORECASTS),
        "forecast_cells": _joined(cells, FORECAST_CELLS),
    }


def _level_rows(
    bed: Bed, group: str, at: int, when: Mapping[str, np.datetime64]
) -> list[pd.DataFrame]:
    found = [forecast(bed, level, group, at) for level in bed.levels]
    frames = []
    for depth, (level, one) in enumerate(zip(bed.levels, found, strict=True)):
        unplaced = one.mean
        if depth + 1 < len(found):
            below = found[depth + 1]
            parent = bed.areas[depth + 1].parent[below.places]
            size, inside = len(bed.areas[depth]), parent >= 0
            children = np.bincount(parent[inside], weights=below.mean[inside], minlength=size)[
                one.places
            ]
            unplaced = np.maximum(one.mean - children, 0.0)
        else:
            unplaced = np.zeros(len(one.mean))
        rows = _rows(one, "area_index", np.int32)
        frames.append(rows.assign(**when, level=level, group=group, unplaced=unplaced))
    return frames


def _rows(one: Forecast, place: str, kind: type) -> pd.DataFrame:
    return pd.DataFrame({
        place: one.places.astype(kind), "mean": one.mean, "lower": one.lower, "upper": one.upper,
        "size": one.size, "is_frozen": np.full(len(one.places), one.is_frozen),
    })  # fmt: skip


def _joined(frames: list[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    filled = [one for one in frames if len(one)]
    joined = pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=list(columns))
    return joined[list(columns)]


def stored_forecast(rows: pd.DataFrame, target: str, group: str) -> Forecast | None:
    """
    A forecast as it was stored; None where it was not.

    Parameters
    ----------
    rows
        Rows of `forecasts` or `forecast_cells` of one period.
    """
    if "level" in rows:
        chosen, place = rows[(rows["level"] == target) & (rows["group"] == group)], "area_index"
    else:
        same = rows["resolution"] == int(target[1:])
        chosen, place = rows[same & (rows["group"] == group)], "cell"
    if not len(chosen):
        return None
    figures = {
        name: chosen[name].to_numpy(dtype=np.float64) for name in ("mean", "lower", "upper", "size")
    }
    places = chosen[place].to_numpy().astype(np.int64)
    return Forecast(places=places, is_frozen=bool(chosen["is_frozen"].all()), **figures)
