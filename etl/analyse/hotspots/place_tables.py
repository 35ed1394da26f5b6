"""Stored tables of frequent places and types, near repeats and the space-time scan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from etl.analyse.expected import expected_counts
from etl.analyse.hotspots.near_repeat import knox
from etl.analyse.hotspots.places import frequent, top_types
from etl.analyse.hotspots.scan import Cluster, scan
from geo.cells import cell_centres

if TYPE_CHECKING:
    from etl.analyse.bed import Bed, Days, Floats, Ints
    from etl.analyse.hotspots.near_repeat import Knox
    from etl.analyse.hotspots.prepared import Prepared

_KM_PER_DEGREE: Final = 111.195
_MOST_DAYS: Final = 7
"""Fewest days in a period: how many periods hold the last days."""


def frequent_tables(
    prepared: Prepared, at: int, known_on: np.datetime64
) -> dict[str, pd.DataFrame]:
    """`frequent_places` and `frequent_types` of the days up to the end of a period."""
    bed, settings = prepared.bed, prepared.settings
    end = bed.ends[at]
    rows = prepared.rows(at - settings.frequent_days // _MOST_DAYS - 1, at, known_on)
    rows = rows[bed.events.day[prepared.events[rows]] > end - settings.frequent_days]
    events = prepared.events[rows]
    category = bed.events.category[events].astype(np.int64)
    cell = bed.events.cell[events]
    area = prepared.level_positions[-1][rows].astype(np.int64)
    return {
        "frequent_places": pd.concat(
            [
                _places("cell", cell[cell != 0], category[cell != 0], prepared, at),
                _places("area", area[area >= 0], category[area >= 0], prepared, at),
            ],
            ignore_index=True,
        ),
        "frequent_types": pd.concat(
            [_types(prepared, depth, rows, category, at) for depth in range(len(bed.levels))],
            ignore_index=True,
        ),
    }


def _places(kind: str, places: Ints, category: Ints, prepared: Prepared, at: int) -> pd.DataFrame:
    place, of, count = frequent(places, category, least=prepared.settings.frequent_events)
    is_cell = kind == "cell"
    n = len(place)
    return pd.DataFrame(
        {
            "period_end": period_column(prepared.bed, at, n),
            "place": np.full(n, kind, dtype=object),
            "level": np.full(n, None if is_cell else prepared.bed.levels[-1], dtype=object),
            "area_index": np.full(n, -1) if is_cell else place,
            "cell": place if is_cell else np.zeros(n, dtype=np.int64),
            "category_index": of,
            "count": count,
        }
    )


def _types(prepared: Prepared, depth: int, rows: Ints, category: Ints, at: int) -> pd.DataFrame:
    index = prepared.level_positions[depth][rows].astype(np.int64)
    area, of, count, share = top_types(index[index >= 0], category[index >= 0])
    return pd.DataFrame(
        {
            "period_end": period_column(prepared.bed, at, len(area)),
            "level": np.full(len(area), prepared.bed.levels[depth], dtype=object),
            "area_index": area,
            "category_index": of,
            "count": count,
            "share": share,
        }
    )


def newest_tables(
    bed: Bed, prepared: Prepared, at: int, known_on: np.datetime64
) -> dict[str, pd.DataFrame]:
    """
    Tables that are made of the newest period alone.

    Parameters
    ----------
    at
        Position of the period in `bed.starts`.
    known_on
        Day as of which the period is described.

    Returns
    -------
    tables
        `scan_clusters`, `near_repeats`, `frequent_places`, `frequent_types`.
    """
    return {
        **frequent_tables(prepared, at, known_on),
        "scan_clusters": scan_table(bed, prepared, at, known_on),
        "near_repeats": near_repeat_table(bed, prepared, at, known_on),
    }


def scan_table(bed: Bed, prepared: Prepared, at: int, known_on: np.datetime64) -> pd.DataFrame:
    """
    The most unusual clusters of the last periods.

    Shares and sizes are those expected for the first of these periods, from what was known before
    it: no scanned period is part of its own baseline.
    """
    settings = prepared.settings
    first = at - settings.scan_periods + 1
    found: list[Cluster] = []
    known = np.zeros(0, dtype=np.int64)
    centres = prepared.geography.centres
    if first >= 0 and centres is not None:
        expected = expected_counts(bed, "all", at=first, known_on=known_on)
        share = expected.mean[-1]
        inside = bed.areas[-1].valid(bed.ends[at]) & np.isfinite(centres[:, 0])
        known = np.flatnonzero(inside & (share > 0))
        counts = [
            prepared.level_counts(-1, prepared.rows(one, one, known_on))[known]
            for one in range(first, at + 1)
        ]
        found = scan(
            np.stack(counts, axis=1),
            share[known],
            expected.size[-1][known],
            centres[known],
            neighbours=settings.scan_areas,
            replicas=settings.scan_replicas,
            told=settings.scan_clusters,
            seed=_seed(bed, at),
        )
    return _cluster_rows(prepared, at, found, known)


def _cluster_rows(prepared: Prepared, at: int, found: list[Cluster], known: Ints) -> pd.DataFrame:
    members = [known[one.members] for one in found]
    none = np.zeros((0, 2))
    centres, lng_lat = (
        none if one is None else one
        for one in (prepared.geography.centres, prepared.geography.lng_lat)
    )
    middle = np.array([one[0] for one in members], dtype=np.int64)
    columns: dict[str, tuple[list[Any], type]] = {
        "rank": (list(range(1, len(found) + 1)), int),
        "lng": (lng_lat[middle, 0].tolist(), float),
        "lat": (lng_lat[middle, 1].tolist(), float),
        "radius_km": ([_radius(centres[one]) for one in members], float),
        "n_areas": ([len(one) for one in members], int),
        "periods": ([one.periods for one in found], int),
        "observed": ([one.observed for one in found], int),
        "expected": ([one.expected for one in found], float),
        "llr": ([one.ratio for one in found], float),
        "p": ([one.p for one in found], float),
        "members": ([" ".join(map(str, one.tolist())) for one in members], object),
    }
    return pd.DataFrame(
        {
            "period_end": period_column(prepared.bed, at, len(found)),
            **{name: np.array(values, dtype=kind) for name, (values, kind) in columns.items()},
        }
    )


def _radius(centres: Floats) -> float:
    return float(np.hypot(*(centres - centres[0]).T).max())


def near_repeat_table(
    bed: Bed, prepared: Prepared, at: int, known_on: np.datetime64
) -> pd.DataFrame:
    """Knox tables of every group; none where incidents are counted, and often dated, by month."""
    settings = prepared.settings
    parts = []
    if bed.grain == "week":
        rows = prepared.rows(at - settings.near_history_days // _MOST_DAYS + 1, at, known_on)
        events = prepared.events[rows]
        events = events[bed.events.cell[events] != 0]
        distinct, place = np.unique(bed.events.cell[events], return_inverse=True)
        centres = np.column_stack(cell_centres(distinct))
        for number, name in enumerate(bed.groups):
            own = bed.group[events] == number
            found = _knox(
                prepared, centres, place[own], bed.events.day[events[own]], seed=_seed(bed, at)
            )
            if found is not None:
                parts.append(_knox_rows(prepared, at, name, found))
    if not parts:
        parts = [_knox_rows(prepared, at, "", None)]
    return pd.concat(parts, ignore_index=True)


def _knox(
    prepared: Prepared, centres: Floats, place: Ints, days: Days, *, seed: int
) -> Knox | None:
    """Knox table of events by the positions of their cells in `centres`, degrees (n cells, 2)."""
    settings = prepared.settings
    seen, back = np.unique(place, return_inverse=True)
    lng, lat = centres[seen].T
    scale = 1000 * _KM_PER_DEGREE
    shrink = np.cos(np.radians(lat.mean())) if len(lat) else 1.0
    return knox(
        np.column_stack([lng * scale * shrink, lat * scale])[back],
        days,
        metres=settings.near_metres,
        bands=settings.near_days,
        replicas=settings.near_replicas,
        most_pairs=settings.near_pairs,
        seed=seed,
    )


def _knox_rows(prepared: Prepared, at: int, group: str, found: Knox | None) -> pd.DataFrame:
    settings = prepared.settings
    shape = (0, 0) if found is None else found.pairs.shape
    metres, days = np.meshgrid(
        np.array(settings.near_metres[: shape[0]], dtype=np.int64),
        np.array(settings.near_days[: shape[1]], dtype=np.int64),
        indexing="ij",
    )
    n = metres.size
    pairs, expected, p = (
        (np.zeros(0), np.zeros(0), np.zeros(0))
        if found is None
        else (found.pairs.ravel(), found.expected.ravel(), found.p.ravel())
    )
    ratio = np.divide(pairs, expected, out=np.full(n, np.nan), where=expected > 0)
    return pd.DataFrame(
        {
            "period_end": period_column(prepared.bed, at, n),
            "group": np.full(n, group, dtype=object),
            "metres": metres.ravel(),
            "days": days.ravel(),
            "pairs": pairs.astype(np.int64),
            "expected": expected,
            "ratio": ratio,
            "p": p,
            "sampled": np.full(n, np.nan if found is None else found.sampled),
        }
    )


def _seed(bed: Bed, at: int) -> int:
    """Of the period's date: the same period gives the same replicas in every build."""
    return int(bed.starts[at].astype("datetime64[D]").astype(np.int64))


def period_column(bed: Bed, at: int, n: int) -> Any:
    """`period_end` of some rows, shape (n,)."""
    return np.full(n, bed.starts[at].astype("datetime64[s]"))
