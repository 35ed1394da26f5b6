"""Rows of the tables `area_index` and `index_trace`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from data.index_settings import INDICATORS
from data.index_tables import INDEX_TABLES
from data.index_trace import GREY, OK
from etl.analyse.index.measure import STATUSES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.index_settings import IndexSettings
    from etl.analyse.bed import Bed, Ints
    from etl.analyse.index.level import Scored
    from etl.analyse.index.measure import Moment


Columns = dict[str, Any]
"""Column name to its values; texts as positions among their values."""


def _shared(moment: Moment, size: int) -> Columns:
    """Columns that are alike in all rows of a level."""
    depth = moment.level.depth
    return {
        "level": np.full(size, depth, dtype=np.int8),
        "period_end": np.full(size, moment.prepared.bed.starts[moment.at].astype("datetime64[s]")),
        "config": np.zeros(size, dtype=np.int8),
    }


def trace_rows(moment: Moment, scored: Scored) -> Columns:
    """One row per valid area and indicator."""
    rows = np.flatnonzero(moment.level.valid)
    measured, composed = scored.measured, scored.composed

    def flat(values: Any) -> Any:
        return values[rows].ravel()

    known = flat(measured.status) == STATUSES.index(OK)
    own, peer, year = (np.where(known, flat(one), np.nan) for one in measured.ratios)
    return {
        **_shared(moment, len(rows) * INDICATORS),
        "area_index": np.repeat(rows, INDICATORS).astype(np.int32),
        "indicator": np.tile(np.arange(1, INDICATORS + 1, dtype=np.int32), len(rows)),
        "count": flat(measured.count),
        "exposure": flat(measured.exposure),
        "baseline": flat(measured.baseline),
        "ratio_own": own,
        "ratio_peer": peer,
        "ratio_year": year,
        "ratio": flat(measured.ratio),
        "points": flat(composed.points),
        "weight": flat(composed.weight),
        "status": flat(measured.status),
    }


def area_rows(moment: Moment, scored: Scored) -> Columns:
    """One row per valid area."""
    rows = np.flatnonzero(moment.level.valid)
    composed, shown, settings = scored.composed, scored.shown, moment.prepared.settings
    share = shown.stability[rows]
    return {
        **_shared(moment, len(rows)),
        "area_index": rows.astype(np.int32),
        "status": _area_status(scored)[rows],
        "risk": composed.risk[rows],
        "safety_index": 100.0 - composed.risk[rows],
        "colour": shown.colour[rows].astype(np.int32),
        "raw_colour": composed.raw_colour[rows].astype(np.int32),
        "gated_colour": shown.gated[rows].astype(np.int32),
        "p": scored.probability[rows],
        "n": scored.n[rows].astype(np.int32),
        "override": shown.override[rows] + 1,
        "held": shown.held[rows],
        "stability": share,
        "is_firm": ~(share < settings.robustness.firm),
        "small_sample": scored.n[rows] < settings.colours.small_sample,
        "missing_weight": composed.missing_weight[rows],
        **{f"d{d}": one for d, one in enumerate(composed.dimension_points[rows].T, start=1)},
        "rank_lower": scored.ranks[0][rows].astype(np.int32),
        "rank_upper": scored.ranks[1][rows].astype(np.int32),
        "repeat_red": shown.repeat_red[rows].astype(np.int32),
    }


def _area_status(scored: Scored) -> Ints:
    """Why an area is grey: the most frequent reason of its indicators; `ok` where it is not."""
    grey = np.flatnonzero(scored.composed.raw_colour == GREY)
    status = scored.measured.status[grey]
    number = np.stack([(status == one).sum(axis=1) for one in range(len(STATUSES))])
    number[STATUSES.index(OK)] = 0
    found = np.full(len(scored.n), STATUSES.index(OK))
    found[grey] = number.argmax(axis=0)
    return found


def frame(
    name: str, levels: Sequence[Columns], bed: Bed, settings: IndexSettings, *, config: str
) -> pd.DataFrame:
    """Columns of several levels as one table."""
    texts = {
        "level": bed.levels,
        "config": [config],
        "status": STATUSES,
        "override": ["", *(one.name for one in settings.overrides)],
    }
    if not levels:
        return pd.DataFrame(columns=INDEX_TABLES[name].names)
    found = {}
    for column in INDEX_TABLES[name].names:
        values = np.concatenate([one[column] for one in levels])
        named = texts.get(column)
        found[column] = pd.Categorical.from_codes(values, list(named)) if named else values
    return pd.DataFrame(found, copy=False)
