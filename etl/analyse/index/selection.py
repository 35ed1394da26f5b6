"""Which incidents an indicator counts, by category, severity, scale and origin."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from etl.analyse.bed import NO_CELL
from etl.analyse.index.places import last_match
from etl.analyse.index.series import Series, Table, series

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.city import Category
    from data.index_settings import IndexSettings, Indicator
    from etl.analyse.bed import Bed, Flags, Ints

DAY_S = 86_400


@dataclass(frozen=True)
class Counted:
    """
    Rows of an indicator: what is counted, and for a share of what.

    `since` is the first day since 1970 on which any record of the city told what it needs; an
    indicator is missing before.
    """

    part: Series | Table
    whole: Series | Table | None = None
    since: int = 0
    reason: str = ""


def has_code(categories: Sequence[Category], codes: Sequence[str]) -> Flags:
    """Which categories a list of codes names, itself or by its parent; shape (n categories,)."""
    return np.array([one.code in codes or one.parent_code in codes for one in categories], bool)


def labels(categories: Sequence[Category], codes: Sequence[str]) -> Ints:
    """Number of each category among the types below some codes, 0 = none of them."""
    chosen = has_code(categories, codes)
    return np.where(chosen, np.cumsum(chosen), 0)


def of_dimension(bed: Bed, settings: IndexSettings, dimension: int) -> Flags:
    """Events that a dimension may count by their origin: reported, and the severer patrol finds."""
    least = settings.dimensions[dimension].discovered_from
    return bed.reported | (bed.events.severity >= least)


def matching(
    bed: Bed, settings: IndexSettings, categories: Sequence[Category], indicator: Indicator
) -> Flags:
    """Events of an indicator's categories and origin, whatever their severity and scale."""
    own = of_dimension(bed, settings, indicator.dimension)
    if not indicator.codes:
        return own
    return own & has_code(categories, indicator.codes)[bed.events.category]


def count_rows(
    bed: Bed, settings: IndexSettings, categories: Sequence[Category], indicator: Indicator
) -> Counted:
    """Rows of the measures that go by the day of the incident."""
    chosen = matching(bed, settings, categories, indicator)
    events = bed.events
    all_of_them = np.flatnonzero(chosen)
    severe = chosen & (events.severity >= indicator.severity_from)
    severe &= events.scale >= indicator.scale_from
    part = np.flatnonzero(severe)
    plain = partial(shared_series, bed)
    measure = indicator.measure
    if measure == "weighted":
        weights = np.array(settings.severity_weights)[events.severity[part]]
        return Counted(series(bed, part, value=weights))
    if measure == "repeat_place":
        return Counted(_repeated(bed, part, settings))
    if measure == "severe_share":
        since, reason = first_told(bed, chosen & (events.severity > 0)), "no_severity"
        return Counted(plain(part), plain(all_of_them), since, reason)
    if measure == "marked_repeat":
        marked = chosen & events.repeat
        since = first_told(bed, marked)
        return Counted(plain(np.flatnonzero(marked)), plain(all_of_them), since, "no_marks")
    if measure in {"top_type", "top_type_share"}:
        label = labels(categories, indicator.codes)[events.category[part]]
        found = series(bed, part, label=label)
        return Counted(found, found if measure == "top_type_share" else None)
    return Counted(plain(part), None, *_needs(bed, indicator, chosen))


def shared_series(bed: Bed, chosen: Ints) -> Series:
    """`series` of some events; indicators of the same events share one."""
    key = ("series", len(chosen), hash(chosen.tobytes()))
    if key not in bed.memo:
        bed.memo[key] = series(bed, chosen)
    found: Series = bed.memo[key]
    return found


def _needs(bed: Bed, indicator: Indicator, chosen: Flags) -> tuple[int, str]:
    if indicator.scale_from > 0:
        return first_told(bed, chosen & (bed.events.scale > 0)), "no_scale"
    if indicator.severity_from > 0:
        return first_told(bed, chosen & (bed.events.severity > 0)), "no_severity"
    return 0, ""


def first_told(bed: Bed, told: Flags) -> int:
    """First day since 1970 on which such an event was known; far away = never."""
    known = bed.events.known[told]
    return int(known.min().astype(np.int64)) if len(known) else np.iinfo(np.int32).max


def _repeated(bed: Bed, chosen: Ints, settings: IndexSettings) -> Series:
    """Incidents at a place that had another one in the days before."""
    events = bed.events
    placed = chosen[events.cell[chosen] != NO_CELL]
    _, place = bed.cells(10)
    known = last_match(
        place[placed].astype(np.int64), events.occurred[placed], events.known[placed],
        low=-settings.repeat_days * DAY_S, high=-1,
    )  # fmt: skip
    found = ~np.isnat(known)
    repeated = placed[found]
    return series(bed, repeated, known=np.maximum(known[found], events.known[repeated]))
