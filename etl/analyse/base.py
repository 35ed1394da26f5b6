"""Stage of the analysis: expected counts, rates, trust and completeness of one period."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from etl.analyse.area_rates import area_rates
from etl.analyse.expected import cell_expected, expected_counts, interval
from etl.analyse.frames import stacked
from etl.analyse.observed import by_area, by_cell, known_rows
from etl.analyse.reporting_lag import COMPLETE, completeness
from etl.analyse.trust import area_trust

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from etl.analyse.bed import Bed, Flags, Floats

CELL_RESOLUTIONS: Final = (7, 8, 9)
NOTHING: Final = 0.005
"""Expected count below which, with nothing observed, a lowest area or a cell has no row."""

_DAY: Final = np.timedelta64(1, "D")


def base_tables(
    bed: Bed, at: int, known_on: np.datetime64, *, with_cells: bool = True, detailed: bool = True
) -> dict[str, pd.DataFrame]:
    """
    Tables of one period.

    Parameters
    ----------
    at
        Position of the period in `bed.starts`.
    known_on
        Day on which the period is looked at; what became known later is left out.
    with_cells
        Whether to tell the expected counts of cells.
    detailed
        Whether to tell the lowest level by group, and rates by every denominator.

    Returns
    -------
    tables
        `expected`, `expected_cells`, `area_rates`, `area_trust` and `completeness`; a table may
        be empty.
    """
    groups = ("all", *bed.groups)
    areas = [part for one in groups for part in _areas(bed, one, at, known_on, detailed)]
    days = [_days(bed, one, bed.starts[at], bed.ends[at], known_on) for one in groups]
    found = {
        "expected": _with_interval(areas, "area_index"),
        "area_rates": area_rates(bed, at, known_on, detailed=detailed),
        "area_trust": area_trust(bed, at, known_on),
        "completeness": stacked(days, length="day"),
    }
    if with_cells:
        cells = [
            _cells(bed, one, at, known_on, finest) for finest in CELL_RESOLUTIONS for one in groups
        ]
        found["expected_cells"] = _with_interval(cells, "cell").drop(columns="size")
    return found


def _with_interval(parts: list[dict[str, Any]], length: str) -> pd.DataFrame:
    found = stacked(parts, length=length)
    found["lower"], found["upper"] = interval(
        found["expected"].to_numpy(), found["size"].to_numpy()
    )
    return found


def _areas(
    bed: Bed, group: str, at: int, known_on: np.datetime64, detailed: bool
) -> Iterator[dict[str, Any]]:
    """Rows of `expected` of one group, a part per level."""
    found = expected_counts(bed, group, at=at, known_on=known_on)
    observed = by_area(bed, known_rows(bed, group, at, at, known_on))
    for depth, areas in enumerate(bed.areas):
        if not detailed and group != "all" and depth + 1 == len(bed.areas):
            return
        valid = areas.valid(bed.ends[at])
        expected = found.mean[depth] * found.complete
        if depth + 1 == len(bed.areas):
            valid &= _worth(observed[depth], expected)
        rows = np.flatnonzero(valid)
        yield {
            "level": areas.level,
            "period_end": bed.starts[at].astype("datetime64[s]"),
            "area_index": rows,
            "group": group,
            "observed": observed[depth][rows].astype(np.int64),
            "expected": expected[rows],
            "size": found.size[depth][rows],
            "complete": found.complete,
        }


def _worth(observed: Floats, expected: Floats) -> Flags:
    """Rows to keep: something was observed or expected."""
    return np.asarray((observed >= NOTHING) | (expected >= NOTHING))


def _cells(
    bed: Bed, group: str, at: int, known_on: np.datetime64, resolution: int
) -> dict[str, Any]:
    """Rows of `expected_cells` of one group and resolution."""
    found = cell_expected(bed, group, resolution, at=at, known_on=known_on)
    seen, number = by_cell(bed, resolution, known_rows(bed, group, at, at, known_on))
    place = np.searchsorted(found.cells, seen)
    new = seen[np.append(found.cells, -1)[place] != seen]
    cells = np.insert(found.cells, np.searchsorted(found.cells, new), new)
    observed = np.zeros(len(cells))
    observed[np.searchsorted(cells, seen)] = number
    mean, size = found.of(cells)
    mean = mean * found.complete
    kept = _worth(observed, mean)
    return {
        "resolution": resolution,
        "cell": cells[kept],
        "period_end": bed.starts[at].astype("datetime64[s]"),
        "group": group,
        "observed": observed[kept].astype(np.int64),
        "expected": mean[kept],
        "size": size[kept],
    }


def completeness_rows(
    bed: Bed, group: str, first: np.datetime64, last: np.datetime64, known_on: np.datetime64
) -> pd.DataFrame:
    """Rows of the `completeness` table for some days, as known on a day."""
    return stacked([_days(bed, group, first, last, known_on)], length="day")


def _days(
    bed: Bed, group: str, first: np.datetime64, last: np.datetime64, known_on: np.datetime64
) -> dict[str, Any]:
    days = np.arange(first, last + _DAY)
    share = completeness(bed, group, known_on)((known_on - days).astype(np.int64))
    return {
        "group": group,
        "day": days.astype("datetime64[s]"),
        "share": share,
        "is_complete": share >= COMPLETE,
    }
