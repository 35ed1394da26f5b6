"""From a raw colour to the one that is shown: gate, firmness, hysteresis, overrides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from data.index_trace import GREY, RED
from etl.analyse.index.gate import caps
from etl.analyse.index.robustness import stability
from etl.analyse.index.series import day_number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from data.index_settings import IndexSettings
    from data.index_trace import Composed
    from etl.analyse.bed import Flags, Floats, Ints
    from etl.analyse.index.measure import Measured, Moment

COLOURED: Final = ("period_end", "level", "area_index", "gated_colour", "is_firm", "colour")
"""Columns of `area_index` that tell the colours of earlier periods."""


@dataclass(frozen=True)
class Shown:
    """
    Colours of one level in one period, arrays of shape (n areas,).

    Attributes
    ----------
    gated
        After the gate, before firmness.
    firm
        After firmness: what hysteresis goes by.
    colour
        As shown, overrides included.
    held
        Whether the colour stands only because it was higher before.
    stability
        Share of draws that reach `gated`; NaN where grey.
    override
        Position of the rule that decided, -1 = none.
    repeat_red
        Red windows in a row up to now, those that overlap counted once.
    """

    gated: Ints
    firm: Ints
    colour: Ints
    held: Flags
    stability: Floats
    override: Ints
    repeat_red: Ints


def earlier_colours(rows: pd.DataFrame, sizes: Mapping[str, int]) -> dict[str, tuple[Ints, Ints]]:
    """
    Firm and shown colours of one earlier period from its stored `area_index` rows.

    Parameters
    ----------
    sizes
        Areas of each level.
    """
    found = {}
    for level, size in sizes.items():
        own = rows[rows["level"] == level]
        index = own["area_index"].to_numpy()
        firm, shown = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
        gated = own["gated_colour"].to_numpy().astype(np.int64)
        firm[index] = lowered(gated, own["is_firm"].to_numpy(dtype=bool))
        shown[index] = own["colour"].to_numpy()
        found[level] = firm, shown
    return found


def lowered(gated: Ints, is_firm: Flags) -> Ints:
    """A colour that is not firm gives way to the next lower one."""
    return np.where((gated > 1) & ~is_firm, gated - 1, gated)


def shown_colours(
    moment: Moment,
    measured: Measured,
    composed: Composed,
    *,
    probability: Floats,
    n: Floats,
    past: Sequence[Mapping[str, tuple[Ints, Ints]]],
) -> Shown:
    """
    Decide the colours of a level.

    Parameters
    ----------
    probability, n
        Of the gate, and reported incidents in the window, shape (n areas,).
    past
        Firm and shown colours of the periods just before, the newest last, by level.
    """
    settings, level = moment.prepared.settings, moment.level.areas.level
    raw = composed.raw_colour.astype(np.int64)
    cap = caps(probability, n, settings)
    gated = np.minimum(raw, cap)
    share = np.where(gated == GREY, np.nan, 1.0)
    raised = np.flatnonzero(gated > 1)
    share[raised] = stability(
        measured.ratios[:, raised], np.isfinite(measured.ratio[raised]),
        colour=gated[raised], settings=settings,
    )  # fmt: skip
    firm = lowered(gated, share >= settings.robustness.firm)
    settled = firm.copy()
    for one in past[len(past) - min(len(past), settings.colours.down_after - 1) :]:
        settled = np.maximum(settled, one[level][0])
    settled = np.where(firm == GREY, GREY, settled)
    override, forced = _overrides(moment, settings)
    colour = np.maximum(settled, forced)
    reds = [one[level][1] == RED for one in past]
    return Shown(
        gated=gated,
        firm=firm,
        colour=colour,
        held=(settled > firm) & (forced <= firm),
        stability=share,
        override=override,
        repeat_red=repeated(
            colour == RED, reds, step=moment.level.span.periods, most=_most(settings)
        ),
    )


def _most(settings: IndexSettings) -> int:
    return max((one.number for one in settings.letters), default=1)


def repeated(red: Flags, earlier: Sequence[Flags], *, step: int, most: int) -> Ints:
    """
    Red windows in a row that do not overlap, up to `most`.

    Parameters
    ----------
    earlier
        Red in the periods just before, the newest last.
    step
        Periods of a window.
    """
    running = red.copy()
    found = red.astype(np.int64)
    for back in range(step, step * (most - 1) + 1, step):
        if back > len(earlier):
            break
        running = running & earlier[-back]
        found += running
    return found


def _overrides(moment: Moment, settings: IndexSettings) -> tuple[Ints, Ints]:
    """Rule that decides and the colour that it demands, by area: incidents of this period only."""
    prepared, level = moment.prepared, moment.level
    rule, forced = (np.full(len(level.areas), one, dtype=np.int64) for one in (-1, GREY))
    rows: list[Any] = [*zip(settings.overrides, prepared.overrides, strict=True)]
    for number, (one, found) in enumerate(rows):
        if found is None or level.areas.level not in one.levels:
            continue
        chosen = found.rows(moment.at, moment.at + 1, int(day_number(moment.known_on)))
        area = prepared.roll.index[level.depth][found.row[chosen]]
        hit = np.zeros(len(level.areas), dtype=bool)
        hit[area[area >= 0]] = True
        hit &= level.valid & (one.colour > forced)
        rule, forced = np.where(hit, number, rule), np.where(hit, one.colour, forced)
    return rule, forced
