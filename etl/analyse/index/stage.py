"""The risk index of every area in one period: from incidents to two tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from etl.analyse.index.context import Sums, context
from etl.analyse.index.frames import area_rows, frame, trace_rows
from etl.analyse.index.level import score
from etl.analyse.index.measure import Moment
from etl.analyse.reporting_lag import completeness

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import pandas as pd

    from etl.analyse.bed import Flags, Floats, Ints
    from etl.analyse.index.clustering import Clustering
    from etl.analyse.index.prepared import Prepared
    from etl.analyse.index.series import Series, Table


@dataclass(frozen=True)
class Staged:
    """
    The index of one period.

    Attributes
    ----------
    area_index, index_trace
        Rows of the tables of these names.
    colours
        Firm and shown colour by level, which later periods ask for.
    """

    area_index: pd.DataFrame
    index_trace: pd.DataFrame
    colours: Mapping[str, tuple[Ints, Ints]]


def stage(
    prepared: Prepared,
    *,
    at: int,
    known_on: np.datetime64,
    clustering: Clustering | None = None,
    silent: Mapping[str, Flags] | None = None,
    past: Sequence[Mapping[str, tuple[Ints, Ints]]] = (),
    complete: Floats | None = None,
    config: str = "",
) -> Staged:
    """
    Work out the index of every level from its own counts.

    Parameters
    ----------
    at
        Position of the window's last period in `bed.starts`.
    known_on
        Incidents that became known later do not exist.
    clustering
        Hot cells by level; None = indicators 25 and 26 are missing.
    silent
        Level to areas of which a source fell silent, shape (n areas,): they are grey.
    past
        `Staged.colours` of the periods just before, the newest last. Hysteresis asks for one,
        `repeat_red` of a window of w periods for 3 w.
    complete
        Share of each period's incidents that is known, shape (n periods,); by default that of the
        reporting lag.
    config
        Version of the settings, stored with every row.

    Returns
    -------
    staged
        Areas valid on the period's last day. The trace of the lowest level is left out before the
        newest `trace_periods` of the bed.
    """
    bed, settings = prepared.bed, prepared.settings
    if complete is None:
        lag = completeness(bed, "all", known_on)
        complete = lag.of_periods(bed.starts, bed.ends, known_on)
    sums = Sums(prepared, _named(prepared), at=at, known_on=known_on)
    deepest = len(bed.areas) - 1
    areas, traces = [], []
    colours = {}
    for depth, level in enumerate(bed.levels):
        moment = Moment(
            prepared, context(prepared, depth, at, complete), sums, at, known_on, clustering
        )
        quiet = None if silent is None else silent.get(level)
        found = score(moment, silent=quiet, past=past)
        areas.append(area_rows(moment, found))
        colours[level] = found.shown.firm, found.shown.colour
        if depth < deepest or at >= len(bed.starts) - settings.trace_periods:
            traces.append(trace_rows(moment, found))
    return Staged(
        frame("area_index", areas, bed, settings, config=config),
        frame("index_trace", traces, bed, settings, config=config),
        colours,
    )


def _named(prepared: Prepared) -> dict[object, Series | Table]:
    """Rows that are summed over the stretches, by name."""
    found: dict[object, Series | Table] = {
        ("gate", number): rows for number, rows in enumerate(prepared.gates)
    }
    for i, one in prepared.counted.items():
        if one.part.label is None:
            found[i, "part"] = one.part
            if one.whole is not None:
                found[i, "whole"] = one.whole
    return found
