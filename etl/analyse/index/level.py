"""The index of the areas of one level in one period."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.index_trace import compose, death_indicators
from etl.analyse.index.colours import shown_colours
from etl.analyse.index.gate import area_tail
from etl.analyse.index.measure import measure
from etl.analyse.index.robustness import rank_range

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from data.index_trace import Composed
    from etl.analyse.bed import Flags, Floats, Ints
    from etl.analyse.index.colours import Shown
    from etl.analyse.index.measure import Measured, Moment


@dataclass(frozen=True)
class Scored:
    """
    What became of the areas of a level, arrays of shape (n areas,).

    `probability` and `n` are those of the gate, `ranks` the lowest and highest by risk.
    """

    measured: Measured
    composed: Composed
    probability: Floats
    n: Floats
    shown: Shown
    ranks: tuple[Ints, Ints]


def score(
    moment: Moment,
    *,
    silent: Flags | None,
    past: Sequence[Mapping[str, tuple[Ints, Ints]]],
) -> Scored:
    """Measure, compose and colour one level; parameters as for `stage`."""
    settings = moment.prepared.settings
    measured = measure(moment, silent=silent)
    told = [i for i in death_indicators(settings) if np.isfinite(measured.ratio[:, i]).any()]
    deaths = np.nan_to_num(measured.count[:, told[0]]) if told else None
    composed = compose(measured.ratio, settings, deaths=deaths)
    probability, n = area_tail(moment)
    shown = shown_colours(moment, measured, composed, probability=probability, n=n, past=past)
    usable = np.isfinite(composed.risk) & moment.level.valid
    ranks = rank_range(composed.dimension_points, usable, settings)
    return Scored(measured, composed, probability, n, shown, ranks)
