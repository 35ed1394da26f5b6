"""Sums over incidents by area of every level and group of categories."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from etl.analyse.bed import Bed, Floats, Ints


def area_tables(
    bed: Bed,
    rows: Ints,
    columns: Mapping[str, Floats],
    *,
    largest: tuple[str, ...] = (),
) -> Iterator[pd.DataFrame]:
    """
    One frame per level: `level`, `area_index`, `group`, and the sum of each column.

    Parameters
    ----------
    rows
        Positions in `bed.events`, shape (n,).
    columns
        Values of each incident, shape (n,).
    largest
        Columns of which the largest value is taken instead.

    Returns
    -------
    frames
        Rows without any incident, or with nothing but zeros, are left out.
    """
    group = bed.group_of[bed.events.category[rows]]
    group = np.where(group < 0, len(bed.groups), group)
    names = np.array([*bed.groups, "all"], dtype=object)
    width = len(names)
    some = np.any([one != 0 for one in columns.values()], axis=0)
    for level in bed.levels:
        index = bed.index(level)[rows].astype(np.int64)
        placed = np.flatnonzero((index >= 0) & some)
        size = len(bed.level_areas(level))
        keys = index[placed] * width + group[placed]
        tables = {
            name: _table(keys, values[placed], (size, width), largest=name in largest)
            for name, values in columns.items()
        }
        used = np.any([one != 0 for one in tables.values()], axis=0)
        area, which = np.nonzero(used)
        yield pd.DataFrame(
            {"level": level, "area_index": area, "group": names[which]}
            | {name: table[area, which] for name, table in tables.items()}
        )


def _table(keys: Ints, values: Floats, shape: tuple[int, int], *, largest: bool) -> Floats:
    """Sum or largest value by area and group; the last column, of no group, becomes that of all."""
    table = np.zeros(shape)
    if largest:
        np.maximum.at(table.reshape(-1), keys, values)
        table[:, -1] = table.max(axis=1)
        return table
    table += np.bincount(keys, weights=values, minlength=table.size).reshape(shape)
    table[:, -1] = table.sum(axis=1)
    return table
