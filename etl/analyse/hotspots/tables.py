"""Stored tables of the hot spots of one period."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etl.analyse.expected import expected_counts
from etl.analyse.hotspots.cell_baseline import cell_baselines
from etl.analyse.hotspots.emerging import GROUPS
from etl.analyse.hotspots.much import area_chances, cell_chances
from etl.analyse.hotspots.place_tables import period_column
from etl.analyse.hotspots.resolution import HotCells, agreements, stable
from etl.analyse.hotspots.view import view

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etl.analyse.bed import Bed, Flags, Ints
    from etl.analyse.expected import Expected
    from etl.analyse.hotspots.prepared import Map, Prepared
    from etl.analyse.hotspots.view import View


def hotspot_tables(
    bed: Bed,
    prepared: Prepared,
    at: int,
    known_on: np.datetime64,
    expected: Expected | None = None,
) -> dict[str, pd.DataFrame]:
    """
    Hot spots of areas and cells in a period, of reported incidents.

    Parameters
    ----------
    prepared
        Of the same bed (`prepare`).
    at
        Position of the period in `bed.starts`.
    known_on
        Day as of which the period is described.
    expected
        Of the group `all` and this period; by default it is computed.

    Returns
    -------
    tables
        `area_hotspots`, `cell_hotspots`, `hotspot_agreement`; what is made of the newest period
        alone is in `newest_tables`.
    """
    if expected is None:
        expected = expected_counts(bed, "all", at=at, known_on=known_on)
    areas = area_views(prepared, at=at, known_on=known_on, expected=expected)
    cells = cell_views(prepared, at=at, known_on=known_on)
    hot = {
        resolution: HotCells(
            prepared.cells[resolution].numbers,
            one.windows.clusters.hot,
            one.windows.counts,
            one.windows.study,
        )
        for resolution, one in cells.items()
    }
    # Rows of windows that will not be asked for again; what came of them is in `prepared.steps`.
    prepared.chosen.clear()
    return {
        "area_hotspots": _together(
            [_rows(prepared, prepared.areas[level], one, at) for level, one in areas.items()]
        ),
        "cell_hotspots": _together(
            [
                _rows(prepared, prepared.cells[resolution], cells[resolution], at, stable=flags)
                for resolution, flags in stable(hot).items()
            ]
        ),
        "hotspot_agreement": _agreement_rows(bed, hot, at),
    }


def area_views(
    prepared: Prepared, *, at: int, known_on: np.datetime64, expected: Expected
) -> dict[str, View]:
    """Level to its layers."""
    bed, settings = prepared.bed, prepared.settings
    length = settings.window(bed.grain)
    rows = prepared.rows(at - length + 1, at, known_on)
    chances = area_chances(
        [prepared.level_counts(depth, rows) for depth in range(len(bed.areas))],
        bed.areas,
        day=bed.ends[at],
        ratio=settings.much_ratio,
        periods=length,
    )
    found = {}
    for level, one in prepared.areas.items():
        depth = bed.levels.index(level)
        mean = np.where(one.study(bed.ends[at]), expected.mean[depth] * expected.complete, np.nan)
        found[level] = view(
            prepared,
            one,
            at=at,
            known_on=known_on,
            much=chances[depth],
            baseline=(mean, expected.size[depth]),
        )
    return found


def cell_views(prepared: Prepared, *, at: int, known_on: np.datetime64) -> dict[int, View]:
    """Resolution to its layers."""
    length = prepared.settings.window(prepared.bed.grain)
    rows = prepared.rows(at - length + 1, at, known_on)
    baselines = cell_baselines(prepared, at=at, known_on=known_on)
    found = {}
    for resolution, one in prepared.cells.items():
        counts = one.counts(rows)
        study = one.study(prepared.bed.ends[at])
        found[resolution] = view(
            prepared,
            one,
            at=at,
            known_on=known_on,
            much=cell_chances(counts, study, ratio=prepared.settings.much_ratio),
            baseline=baselines[resolution],
        )
    return found


def _rows(
    prepared: Prepared, one: Map, layers: View, at: int, *, stable: Flags | None = None
) -> pd.DataFrame:
    """Rows of a map in which something is to be told."""
    much = layers.much >= prepared.settings.much_probability
    clusters = layers.windows.clusters
    grouped = np.isin(layers.group, GROUPS[1:])
    told = (layers.windows.counts > 0) | much | clusters.hot | layers.more.hot | grouped
    rows = np.flatnonzero(told & layers.windows.study)
    found = {
        "period_end": period_column(prepared.bed, at, len(rows)),
        **_names(one, rows),
        "count": layers.windows.counts[rows].astype(np.int64),
        "recent": layers.recent[rows].astype(np.int64),
        "much_p": layers.much[rows],
        "much": much[rows],
        "gi_z": clusters.z[rows],
        "gi_p": clusters.p[rows],
        "clusters": clusters.hot[rows],
        "expected": layers.expected[rows],
        "exceed_p": layers.more.p[rows],
        "ring_p": layers.more.p_ring[rows],
        "more": layers.more.hot[rows],
        "pattern": layers.pattern[rows],
        "pattern_group": layers.group[rows],
    }
    if stable is not None:
        found["stable"] = stable[rows]
    return pd.DataFrame(found)


def _names(one: Map, rows: Ints) -> dict[str, Any]:
    if isinstance(one.name, int):
        return {"resolution": np.full(len(rows), one.name), "cell": one.numbers[rows]}
    return {"level": np.full(len(rows), one.name, dtype=object), "area_index": one.numbers[rows]}


def _agreement_rows(bed: Bed, hot: Mapping[int, HotCells], at: int) -> pd.DataFrame:
    pairs = agreements(hot)
    figures: dict[str, list[float]] = {
        "coarse_area_share": [one.area_share[0] for one in pairs],
        "fine_area_share": [one.area_share[1] for one in pairs],
        "coarse_incident_share": [one.incident_share[0] for one in pairs],
        "fine_incident_share": [one.incident_share[1] for one in pairs],
        "coarse_only": [one.disagreeing[0] for one in pairs],
        "fine_only": [one.disagreeing[1] for one in pairs],
    }
    return pd.DataFrame(
        {
            "period_end": period_column(bed, at, len(pairs)),
            "coarse": np.array([one.coarse for one in pairs], dtype=np.int64),
            "fine": np.array([one.fine for one in pairs], dtype=np.int64),
            **{name: np.array(values, dtype=np.float64) for name, values in figures.items()},
        }
    )


def _together(parts: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(parts, ignore_index=True)
