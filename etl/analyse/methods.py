"""Every method on one bed: what each period has, and what the newest one has besides."""

from __future__ import annotations

from collections import deque
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from data.actions import read_actions
from data.analysis_settings import read_group_list, settings_version
from data.clock_settings import read_clock_settings
from data.effect_settings import read_effect_settings
from data.index_file import read_index_settings
from data.signal_settings import read_signal_settings
from etl.analyse import marked
from etl.analyse.base import base_tables
from etl.analyse.deadlines.cohorts import resolution_cohorts
from etl.analyse.deadlines.tables import newest_tables as newest_clocks
from etl.analyse.effect_tables import effect_tables, place_actions, place_letters
from etl.analyse.forecast.predict import forecast_tables
from etl.analyse.forecast.scorecards import score_tables
from etl.analyse.forecast.verdicts import verdict_table
from etl.analyse.hotspots.clustering import CLUSTERED, clustering_of
from etl.analyse.hotspots.geography_store import geography_of
from etl.analyse.hotspots.place_tables import newest_tables
from etl.analyse.hotspots.prepared import prepare as prepare_hotspots
from etl.analyse.hotspots.settings import read_settings as read_hotspot_settings
from etl.analyse.hotspots.tables import hotspot_tables
from etl.analyse.index.clustering import Clustering, LevelClustering
from etl.analyse.index.colours import COLOURED, earlier_colours
from etl.analyse.index.prepared import prepare as prepare_index
from etl.analyse.index.stage import stage
from etl.analyse.plan import NEWEST
from etl.analyse.reporting_lag import completeness
from etl.analyse.signals.records import RECORD_PERIODS, signal_record_table
from etl.analyse.signals.tables import newest_days, signal_tables
from etl.analyse.trust import silent

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from data.city import City
    from etl.analyse.bed import Bed, Ints
    from etl.analyse.hotspots.prepared import Prepared as PreparedHotspots
    from etl.analyse.index.prepared import Prepared as PreparedIndex
    from etl.analyse.stored import Stored
    from etl.boundaries import Boundaries

    Tables = dict[str, pd.DataFrame]

GEOGRAPHIES: Final = "boundaries/geography"
"""Folder under the home where the polygons' measures are kept."""

PAST_HOT: Final = 15
"""Earlier periods whose hot cells the index compares with."""

PAST_COLOURS: Final = 12
"""Earlier periods whose colours the index asks for: three windows of four weeks."""

DETAILED: Final = 13
"""
Newest periods that are told by group at the lowest level, by every denominator, and whose
forecasts are scored by group, when they are analysed.
"""

CELL_PERIODS: Final = 4
"""Newest periods whose expected counts of cells are stored."""

COHORT_DAYS: Final = np.timedelta64(30, "D")
"""A cohort of incidents is told once it had so long to be resolved."""

RECORD_DAYS: Final = np.timedelta64(7, "D")
"""What followed a signal is told as known so long after its period."""

KEEP_DAYS: Final = np.timedelta64(56, "D")
"""Signals of older days than this are left out: eight weeks of record."""


class Methods:
    """
    The methods, prepared for one bed.

    Periods must be asked for in order; what leans on earlier results (hysteresis, past hot cells)
    takes them from the periods asked for before, else from the earlier snapshot.
    """

    def __init__(
        self, bed: Bed, city: City, boundaries: Boundaries, *, home: Path, stored: Stored
    ) -> None:
        self._bed, self._city = bed, city
        self._stored = stored
        self._clocks = read_clock_settings(city.folder, time_zone=city.time_zone)
        self._signals = read_signal_settings(city.folder)
        self._effects = read_effect_settings(city.folder, grain=city.grain)
        self._config = settings_version(city.folder)
        hotspots = read_hotspot_settings(city.folder)
        land = geography_of(
            home / GEOGRAPHIES,
            boundaries.version,
            levels=bed.levels,
            geometries=boundaries.geometries,
            resolutions=hotspots.resolutions,
        )
        self._land, self._hotspot_settings = land, hotspots
        self._index_settings = read_index_settings(city.folder)
        actions = read_actions(
            city.folder,
            kinds=[kind.name for kind in self._effects.kinds],
            groups=[group.name for group in read_group_list(city.folder)],
        )
        self._actions = [
            *place_actions(actions, boundaries.areas),
            *place_letters(marked.letters(home), boundaries.areas),
        ]
        self._hot: deque[Any] = deque(maxlen=PAST_HOT + 1)
        self._colours: deque[dict[str, tuple[Ints, Ints]]] = deque(maxlen=PAST_COLOURS)

    # What only some methods need is made where it is asked for: here, or in the worker beside.

    @cached_property
    def _hotspots(self) -> PreparedHotspots:
        return prepare_hotspots(self._bed, self._land, settings=self._hotspot_settings)

    @cached_property
    def _index(self) -> PreparedIndex:
        return prepare_index(
            self._bed,
            self._index_settings,
            categories=self._city.categories,
            clocks=self._clocks,
        )

    @cached_property
    def _adjacency(self) -> sparse.csr_array:
        bed = self._bed
        return _without_self(self._land.rings.get(bed.levels[-1]), len(bed.areas[-1]))

    def period(self, at: int, known_on: np.datetime64) -> Tables:
        """Tables of one period, as known on a day."""
        bed = self._bed
        if not self._hot:
            self._recall(at)
        hot = hotspot_tables(bed, self._hotspots, at, known_on)
        self._hot.append(clustering_of(bed, self._hotspots, hot, at))
        quiet = dict(zip(bed.levels, silent(bed, known_on).flags, strict=True))
        index = stage(
            self._index,
            at=at,
            known_on=known_on,
            clustering=self._clustering(),
            silent=quiet,
            past=tuple(self._colours),
            config=self._config,
        )
        self._colours.append(dict(index.colours))
        _forget(bed, at)
        return {
            **base_tables(
                bed,
                at,
                known_on,
                with_cells=at >= len(bed.starts) - CELL_PERIODS,
                detailed=at >= len(bed.starts) - DETAILED,
            ),
            **hot,
            "area_index": index.area_index,
            "index_trace": index.index_trace,
            "resolution_cohorts": resolution_cohorts(
                bed, self._clocks, at, min(bed.as_of, bed.ends[at] + COHORT_DAYS)
            ),
        }

    def forecast(self) -> Tables:
        """Forecast of the next period."""
        return forecast_tables(self._bed, len(self._bed.starts))

    def clusters(self) -> Tables:
        """Scan, near repeats and frequent places of the newest period."""
        bed = self._bed
        return newest_tables(bed, self._hotspots, len(bed.starts) - 1, bed.as_of)

    def clocks(self) -> Tables:
        """How the clocks stand at the newest day."""
        return newest_clocks(self._bed, self._clocks, self._bed.as_of)

    def effects(self) -> Tables:
        """What came of the marked actions."""
        bed = self._bed
        near = {bed.levels[-1]: self._adjacency}
        at = len(bed.starts) - 1
        return effect_tables(bed, self._actions, self._effects, at, bed.as_of, adjacency=near)

    def facts(self) -> dict[str, Any]:
        """What the manifest says: groups, and the day up to which the data are complete."""
        bed = self._bed
        lag = completeness(bed, "all", bed.as_of)
        return {
            "groups": list(bed.groups),
            "complete_through": str(lag.complete_through(bed.as_of)),
        }

    def _recall(self, at: int) -> None:
        """Take hot cells and colours of the periods before from the earlier snapshot."""
        bed = self._bed
        first = bed.starts[max(at - PAST_HOT, 0)]
        days = pc.field("period_end")
        past = (days >= pa.scalar(first.astype(object))) & (
            days < pa.scalar(bed.starts[at].astype(object))
        )
        finest = pc.field("resolution") == self._hotspots.settings.resolutions[-1]
        cells = dict(iter(self._stored.rows(
            "cell_hotspots", columns=CLUSTERED, since=first, only=past & finest
        ).groupby("period_end", sort=False)))  # fmt: skip
        colours = dict(iter(self._stored.rows(
            "area_index", columns=COLOURED, since=first, only=past
        ).groupby("period_end", sort=False)))  # fmt: skip
        sizes = {one.level: len(one) for one in bed.areas}
        for before in range(max(at - PAST_HOT, 0), at):
            day = pd.Timestamp(bed.starts[before])
            if day in cells:
                found = {"cell_hotspots": cells[day]}
                self._hot.append(clustering_of(bed, self._hotspots, found, before))
            if day in colours:
                self._colours.append(earlier_colours(colours[day], sizes))

    def _clustering(self) -> Clustering:
        """Hot cells of this and the earlier periods, as the index takes them."""
        now = self._hot[-1]
        levels = {}
        for depth, level in enumerate(self._bed.levels):
            cells = now.cells[depth]
            levels[level] = LevelClustering(
                cells=cells,
                hot=np.column_stack([one.hot_share[depth] * cells for one in self._hot]),
                fresh=np.column_stack([one.emerging[depth] for one in self._hot]),
            )
        return Clustering(levels)

    def score(self, at: int, known_on: np.datetime64) -> Tables:
        """
        How the forecast of a period did, and the forecast itself where it was frozen.

        One that is made afterwards, for the score alone, is marked so there and not stored.
        """
        bed, start = self._bed, self._bed.starts[at]
        stored = {
            name: self._stored.of_day(name, "period_start", start)
            for name in ("forecasts", "forecast_cells")
        }
        frozen = stored if len(stored["forecasts"]) else None
        recent = at >= len(bed.starts) - DETAILED
        scores = score_tables(
            bed, at, known_on=known_on, stored=frozen, groups=None if recent else ("all",)
        )
        return {**(frozen or {}), **scores}

    def verdicts(self, fresh: pd.DataFrame) -> Tables:
        """Judge the forecasts over the scores of this run and the stored ones."""
        rows = self._stored.rows("scorecards")
        if len(fresh):
            rows = rows[~rows["period_end"].isin(fresh["period_end"])]
            rows = pd.concat([rows, fresh], ignore_index=True) if len(rows) else fresh
        return {"forecast_verdicts": verdict_table(rows, grain=self._city.grain)}

    def signals(self) -> Tables:
        """Signals of the days since the last analysis; those of earlier days stand as issued."""
        bed = self._bed
        days = newest_days(bed)
        before = {name: self._stored.rows(name, month=NEWEST) for name in _ISSUED}
        issued = before["signal_chance"]
        if len(issued):
            last = issued["day"].max().to_datetime64().astype("datetime64[D]")
            days = [day for day in days if day > last or day == bed.as_of]
        found = signal_tables(bed, self._adjacency, days, settings=self._signals)
        return {
            **{name: _with_earlier(found[name], before[name], days, bed.as_of) for name in _ISSUED},
            "signal_records": self._records(),
        }

    def _records(self) -> pd.DataFrame:
        bed = self._bed
        stored = self._stored.rows("signal_records", month=NEWEST)
        parts = []
        for at in range(max(len(bed.starts) - RECORD_PERIODS, 1), len(bed.starts)):
            own = stored[stored["period_end"] == pd.Timestamp(bed.starts[at])]
            day = min(bed.as_of, bed.ends[at] + RECORD_DAYS)
            if len(own) and bed.ends[at] + RECORD_DAYS < bed.as_of:
                parts.append(own)
                continue
            parts.append(
                signal_record_table(bed, self._adjacency, at, known_on=day, settings=self._signals)
            )
        return pd.concat(parts, ignore_index=True) if parts else stored


_ISSUED: Final = ("signals", "signal_chance")


def _with_earlier(
    found: pd.DataFrame, before: pd.DataFrame, days: Iterable[np.datetime64], as_of: np.datetime64
) -> pd.DataFrame:
    """Rows of new days, and those of earlier days of the last weeks as they were issued."""
    made = pd.to_datetime(list(days))
    first = pd.Timestamp(as_of - KEEP_DAYS)
    kept = before[(before["day"] > first) & ~before["day"].isin(made)] if len(before) else before
    if not len(kept):
        return found
    return pd.concat([kept, found.astype({"day": kept["day"].dtype})], ignore_index=True)


def _forget(bed: Bed, at: int) -> None:
    """Drop what was worked out for the periods before one: half a GB in a long run."""
    for key in [key for key in bed.memo if key[0] in _BY_PERIOD and key[_BY_PERIOD[key[0]]] < at]:
        del bed.memo[key]


_BY_PERIOD: Final = {"expected": 2, "cell_expected": 3, "level": 2, "late rows": 2}
"""Which part of a key of the bed's memo is the period, by the key's name."""


def _without_self(ring: sparse.csr_array | None, size: int) -> sparse.csr_array:
    """Neighbours alone; none where nobody drew the areas."""
    if ring is None:
        return sparse.csr_array((size, size))
    return (ring - sparse.eye_array(size)).tocsr()
