"""Counting: incidents per period, area or cell, category and severity."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from data.periods import period_starts, shift
from etl.times import tells_the_day
from geo import cells as h3_cells

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from data.city import City


@dataclass(frozen=True)
class Periods:
    """
    What the counted periods cover.

    Attributes
    ----------
    first, last
        First days of the first counted and of the last complete period.
    as_of
        Last day covered.
    """

    first: dt.date
    last: dt.date
    as_of: dt.date


def covered_periods(incidents: pd.DataFrame, city: City) -> Periods:
    """
    Decide which periods are complete.

    The last day covered is `as_of` of the city, else the latest day of any incident (the month's
    last day where a source tells only months). The last complete period is the last one that
    ends on or before that day; counts of a later, incomplete period are stored all the same.

    Parameters
    ----------
    incidents
        `source`, `occurred_on`, `period_start`; at least one row.
    """
    as_of = city.as_of
    if as_of is None:
        as_of = max(
            _last_day(
                incidents.loc[(incidents["source"] == source.name).to_numpy()],
                tells_the_day(source),
            )
            for source in city.sources
            if (incidents["source"] == source.name).any()
        )
    day_after = np.array([as_of + dt.timedelta(days=1)], dtype="datetime64[D]")
    running = period_starts(day_after, grain=city.grain)[0].astype(object)
    first = incidents["period_start"].min().date()
    return Periods(first, max(shift(running, -1, grain=city.grain), first), as_of)


def _last_day(incidents: pd.DataFrame, tells_day: bool) -> dt.date:
    latest: dt.date = incidents["occurred_on"].max().date()
    if tells_day:
        return latest
    return shift(latest.replace(day=1), 1, grain="month") - dt.timedelta(days=1)


def count_rows(incidents: pd.DataFrame, index: NDArray[np.int32], *, name: str) -> pd.DataFrame:
    """
    Count incidents per period, place, category and severity.

    Parameters
    ----------
    incidents
        `period_start`, `category_index`, `severity`.
    index
        `area_index` or `cell_index` of each incident, -1 = none.
    name
        Which of the two it is.

    Returns
    -------
    counts
        The `area_counts` or `cell_counts` table: rows above zero, in the order of its key.
    """
    period, periods = pd.factorize(incidents["period_start"], sort=True)
    category = incidents["category_index"].to_numpy()
    severity = incidents["severity"].to_numpy()
    sizes = (
        max(len(periods), 1),
        int(index.max(initial=-1)) + 2,
        int(category.max(initial=0)) + 1,
        int(severity.max(initial=0)) + 1,
    )
    # One number a row, ordered as the key is, so that one sort counts and orders.
    keys = np.ravel_multi_index((period, index.astype(np.int64) + 1, category, severity), sizes)
    found, counts = np.unique(keys, return_counts=True)
    period, place, category, severity = np.unravel_index(found, sizes)
    starts = periods.to_numpy().astype("datetime64[D]")[period]
    return pd.DataFrame(
        {
            "period_start": starts.astype("datetime64[s]"),
            name: (place - 1).astype(np.int32),
            "category_index": category.astype(np.int16),
            "severity": severity.astype(np.int8),
            "count": counts.astype(np.int32),
        }
    )


def cell_register(cells: NDArray[np.object_]) -> pd.DataFrame:
    """
    Describe the cells of one resolution.

    Parameters
    ----------
    cells
        Distinct cells, sorted; the position is `cell_index`.

    Returns
    -------
    register
        The `cells` table.
    """
    lng, lat = h3_cells.cell_centres(cells)
    return pd.DataFrame(
        {
            "cell_index": np.arange(len(cells), dtype=np.int32),
            "cell": cells,
            "area_km2": h3_cells.cell_areas_km2(cells),
            "lng": lng,
            "lat": lat,
        }
    )
