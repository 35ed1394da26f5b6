"""
The scorecard: each period's forecast beside the plain ones, against what happened.

Scored are the places that were known when the period began; an event anywhere else is one that
was missed, and counts among all events.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from etl.analyse.expected import known_share
from etl.analyse.forecast.plain import HEAT, HISTORY, LAST, plain_means
from etl.analyse.forecast.predict import (
    CELL_RESOLUTIONS,
    Forecast,
    forecast,
    stored_forecast,
    target_name,
)
from etl.analyse.forecast.score import Hits, crps, hits, poisson_deviance
from etl.analyse.observed import known_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from etl.analyse.bed import Bed, Floats, Ints

OURS: Final = "ours"
METHODS: Final = (OURS, LAST, HEAT, HISTORY)
AREA_SHARES: Final = (0.01, 0.02, 0.05)

SCORECARDS: Final = (
    "period_end", "target", "group", "method", "events", "places", "listed", "with_event",
    "area_share", "pai1", "pai2", "pai5", "pei2", "hit1", "hit2", "hit5", "deviance", "crps",
    "coverage", "is_frozen",
)  # fmt: skip


def score_tables(
    bed: Bed,
    at: int,
    *,
    known_on: np.datetime64,
    stored: Mapping[str, pd.DataFrame] | None = None,
    groups: Sequence[str] | None = None,
    resolutions: Sequence[int] = CELL_RESOLUTIONS,
) -> dict[str, pd.DataFrame]:
    """
    Score the forecasts of one period.

    Parameters
    ----------
    at
        Position of the period, at least 1.
    known_on
        Day as of which its events are counted.
    stored
        Rows of `forecasts` and `forecast_cells` of this period as they were stored. What is not
        there is made again from what was known before the period, and marked as not frozen.

    Returns
    -------
    tables
        `scorecards`, columns `SCORECARDS`: a row per target (level, `r8`, `r9`), group and method.
        `listed`, `with_event` and `area_share` belong to the best 2 % of the area; hits are NaN
        where no place is that small or the area is unknown.
    """
    rows = [
        row
        for target in (*bed.levels, *(target_name(one) for one in resolutions))
        for group in (groups or ("all", *bed.groups))
        for row in _target_rows(bed, target, group, at=at, known_on=known_on, stored=stored or {})
    ]
    frame = pd.DataFrame(rows, columns=list(SCORECARDS))
    counted = dict.fromkeys(("places", "listed", "with_event"), np.int32)
    return {"scorecards": frame.astype(counted)}


def _target_rows(
    bed: Bed,
    target: str,
    group: str,
    *,
    at: int,
    known_on: np.datetime64,
    stored: Mapping[str, pd.DataFrame],
) -> list[dict[str, object]]:
    rows = stored.get("forecasts" if target in bed.levels else "forecast_cells")
    made = None if rows is None else stored_forecast(rows, target, group)
    found = forecast(bed, target, group, at) if made is None else made
    if not len(found.places) or not found.mean.sum() > 0:
        return []
    counts, events = observed_counts(bed, target, group, found.places, at=at, known_on=known_on)
    area = (
        bed.level_areas(target).area_km2[found.places]
        if target in bed.levels
        else np.ones(len(found.places))
    )
    complete = known_share(bed, group, at=at, known_on=known_on)
    told = {"period_end": bed.starts[at], "target": target, "group": group, "events": events,
            "places": len(counts), "is_frozen": found.is_frozen}  # fmt: skip
    plain = plain_means(bed, target, group, at, found.places)
    means = {OURS: found.mean, **{name: plain[name] for name in METHODS[1:] if name in plain}}
    return [
        {
            **told,
            "method": method,
            **_hit_figures(mean, counts, area, events),
            **_errors(counts, mean * complete, found if method == OURS else None),
        }
        for method, mean in means.items()
        if mean.sum() > 0
    ]


def observed_counts(
    bed: Bed, target: str, group: str, places: Ints, *, at: int, known_on: np.datetime64
) -> tuple[Floats, float]:
    """Events in each place in one period as known on a day, and all of them that were placed."""
    chosen = known_rows(bed, group, at, at, known_on)
    if target in bed.levels:
        position: NDArray[Any] = bed.index_of(target, chosen)
        size, where = len(bed.level_areas(target)), places
    else:
        cells, of_event = bed.cells(int(target[1:]))
        position, size = of_event[chosen], len(cells)
        where = np.searchsorted(cells, places)
    counts = np.bincount(position[position >= 0], minlength=size).astype(np.float64)
    return counts[where], float(counts.sum())


def _hit_figures(
    mean: Floats, counts: Floats, area: Floats, events: float
) -> dict[str, float | int]:
    one, two, five = hits(mean, counts, area=area, shares=AREA_SHARES, events=events)
    return {
        "listed": two.listed, "with_event": two.with_event, "area_share": two.area_share,
        "pei2": two.pei,
        **{f"pai{name}": found.pai for name, found in _named(one, two, five)},
        **{f"hit{name}": found.hit for name, found in _named(one, two, five)},
    }  # fmt: skip


def _named(one: Hits, two: Hits, five: Hits) -> tuple[tuple[int, Hits], ...]:
    return (1, one), (2, two), (5, five)


def _errors(counts: Floats, mean: Floats, ours: Forecast | None) -> dict[str, float]:
    """
    Errors over the places to which the forecast gives a chance at all.

    A plain forecast tells no interval: it is taken as Poisson's, and its coverage is no data.
    """
    scored = np.flatnonzero(mean > 0)
    counts, mean = counts[scored], mean[scored]
    size, coverage = np.full(len(mean), np.inf), np.nan
    if ours is not None:
        size = ours.size[scored]
        inside = (counts >= ours.lower[scored]) & (counts <= ours.upper[scored])
        coverage = float(inside.mean())
    return {
        "deviance": poisson_deviance(counts, mean),
        "crps": float(crps(counts, mean, size).mean()),
        "coverage": coverage,
    }
