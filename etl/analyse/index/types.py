"""The most frequent type of an area's baseline, and how much of it there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etl.analyse.index.series import Series, day_number

if TYPE_CHECKING:
    from etl.analyse.bed import Floats, Ints
    from etl.analyse.index.context import Stretch
    from etl.analyse.index.measure import Moment

Three = tuple["Floats", "Floats", "Floats"]


def top_types(moment: Moment, number: int) -> tuple[Three, Three]:
    """
    Incidents of each area's top type, and of all types, in window, baseline and last year.

    The top type is the one that the baseline had most of; of several, the first in the order of
    categories. What happens in the window has no say in it.

    Returns
    -------
    top, all
        Three arrays of shape (n areas,) each.
    """
    rows = moment.prepared.counted[number].part
    roll, level, day = moment.prepared.roll, moment.level, int(day_number(moment.known_on))
    index, size = roll.index[level.depth], len(level.areas)
    assert isinstance(rows, Series)
    assert rows.label is not None
    labels = rows.label
    types = int(labels.max(initial=0)) + 1

    def found(stretch: Stretch) -> tuple[Ints, Ints]:
        chosen = rows.rows(stretch.low, stretch.high, day)
        area = index[rows.row[chosen]]
        placed = area >= 0
        return area[placed], labels[chosen][placed].astype(np.int64)

    area, label = found(level.stretches.baseline)
    table = np.bincount(area * types + label, minlength=size * types).reshape(size, types)
    top = table.argmax(axis=1)
    several = [table[np.arange(size), top].astype(np.float64)]
    whole = [table.sum(axis=1).astype(np.float64)]
    for stretch in (level.stretches.window, level.stretches.year):
        area, label = found(stretch)
        own = label == top[area]
        several.append(np.bincount(area[own], minlength=size).astype(np.float64))
        whole.append(np.bincount(area, minlength=size).astype(np.float64))
    return (several[1], several[0], several[2]), (whole[1], whole[0], whole[2])
