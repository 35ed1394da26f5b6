"""Areas of an edition: index, colour, counts and reasons of each, now and then."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dashboard import assessment, queries, usual_band
from dashboard.areas import Area, hierarchy
from dashboard.assessment import Index
from dashboard.desk import index_list
from dashboard.reports import compared
from dashboard.reports.facts import Counted, Level, Place, Range, Risk, Standing, known
from data import periods
from data.access import NotVisibleError
from data.index_trace import GREY, reasons
from data.periods import PERIODS_PER_YEAR, Window

if TYPE_CHECKING:
    import datetime as dt

    import pandas as pd

    from data.access import Scope
    from data.index_settings import IndexSettings
    from data.store import Snapshot

SENTENCES: Final = 3
"""Reasons that are kept of an area."""

MOST_RISK: Final = 100.0

ATTENTION: Final = 3
"""Colour from which an area's reasons are kept: orange."""


def place(scope: Scope, snapshot: Snapshot, area: Area) -> Place:
    """Names and code of an area."""
    areas = hierarchy(scope, snapshot).at(area.level)
    return Place(
        level=area.level,
        code=str(areas.codes[area.index]),
        name_zh=str(areas.names_zh[area.index]),
        name_en=str(areas.names_en[area.index]),
    )


def standing(scope: Scope, snapshot: Snapshot, area: Area, end: dt.date) -> Standing:
    """
    The edition's own area.

    Raises
    ------
    NotVisibleError
        The area is unknown or outside the scope.
    """
    grain = snapshot.manifest.grain
    before = periods.shift(end, -1, grain=grain)
    year = periods.shift(end, -PERIODS_PER_YEAR[grain], grain=grain)
    settings = _settings(scope, snapshot)
    why_zh, why_en = _why(assessment.trace(scope, snapshot, area, end), settings)
    row = assessment.index(scope, snapshot, area, end)
    is_silent = _silent(scope, snapshot, area, end)
    return Standing(
        place=place(scope, snapshot, area),
        counted=own_count(scope, snapshot, area, end),
        now=risk(row, settings, is_silent=is_silent),
        before=risk(assessment.index(scope, snapshot, area, before), settings),
        year=risk(assessment.index(scope, snapshot, area, year), settings),
        band=_risk_band(scope, snapshot, area, end),
        why_zh=why_zh,
        why_en=why_en,
    )


def own_count(scope: Scope, snapshot: Snapshot, area: Area, end: dt.date) -> Counted:
    """All incidents of one area in the week, with the usual band."""
    grain = snapshot.manifest.grain
    window = Window(end, 1, grain)
    selection = queries.Selection(window, None, 0)
    series = queries.area_series(scope, snapshot, area, selection)
    rows = compared.area_counts(scope, snapshot, area.level, [area.index], end)
    now = series.total(window)
    facts = Counted(now=now or 0)
    if area.index in rows.index:
        row = rows.loc[area.index]
        (verdict,) = compared.verdicts(rows.loc[[area.index]])
        facts = compared.counted(row, verdict, total=now)
    return Counted(
        now=facts.now,
        before=series.total(window.earlier(1)),
        year=series.total(window.earlier(PERIODS_PER_YEAR[grain])),
        reported=facts.reported,
        usual=facts.usual,
        band=_usual_band(scope, snapshot, area, selection),
        verdict=facts.verdict,
    )


def level(
    scope: Scope, snapshot: Snapshot, focus: Area, name: str, end: dt.date, *, most: int
) -> Level:
    """
    Areas of a level under the edition's area, the highest colour and risk first.

    Parameters
    ----------
    most
        Areas that are listed one by one at most, of those from orange on where there are more.
    """
    found = index_list.rows(scope, snapshot, focus, name, end)
    if found.empty:
        return Level(level=name, colours=(0,) * index_list.COLOURS)
    colours = np.bincount(found["colour"], minlength=index_list.COLOURS)
    order = np.lexsort((np.arange(len(found)), -found["colour"].to_numpy()))
    found = found.iloc[order]
    if len(found) > most:
        found = found[found["colour"] >= ATTENTION].head(most)
    inside = hierarchy(scope, snapshot).inside(name, hierarchy(scope, snapshot).check(focus))
    rows = compared.area_counts(scope, snapshot, name, np.flatnonzero(inside).tolist(), end)
    said = dict(zip(rows.index, compared.verdicts(rows), strict=True))
    areas = found["area_index"].astype(int).tolist()
    is_told = found["colour"] >= ATTENTION
    told = found["area_index"][is_told].astype(int).tolist()
    traces = assessment.traces(scope, snapshot, name, told, end)
    listed = _Listed(scope, snapshot, name, end, areas=areas, counts=rows, said=said, traces=traces)
    return Level(
        level=name,
        colours=tuple(colours.tolist()),
        areas=tuple(listed.standing(row) for row in found.to_dict("records")),
        tested=sum(one != "unknown" for one in said.values()),
    )


class _Listed:
    """What all areas of a level are told from, read once."""

    def __init__(
        self,
        scope: Scope,
        snapshot: Snapshot,
        level: str,
        end: dt.date,
        *,
        areas: list[int],
        counts: pd.DataFrame,
        said: dict[int, str],
        traces: dict[int, pd.DataFrame],
    ) -> None:
        self.scope, self.snapshot, self.level, self.end = scope, snapshot, level, end
        self.counts, self.said, self.traces = counts, said, traces
        self.settings = _settings(scope, snapshot)
        before = periods.shift(end, -1, grain=snapshot.manifest.grain)
        self.now, self.before = (_stored(snapshot, level, areas, each) for each in (end, before))

    def standing(self, row: dict[Any, Any]) -> Standing:
        """One area."""
        area = Area(self.level, int(row["area_index"]))
        why_zh, why_en = _why(self.traces.get(area.index), self.settings)
        facts = Counted(now=int(row["n"]), reported=int(row["n"]))
        if area.index in self.counts.index:
            facts = compared.counted(self.counts.loc[area.index], self.said[area.index])
        tree = hierarchy(self.scope, self.snapshot)
        above = tree.parent(area)
        return Standing(
            place=place(self.scope, self.snapshot, area),
            counted=facts,
            now=risk(self.now.get(area.index), self.settings, is_silent=bool(row["is_silent"])),
            before=risk(self.before.get(area.index), self.settings),
            within="" if above is None else tree.code(above),
            why_zh=why_zh,
            why_en=why_en,
        )


def _stored(snapshot: Snapshot, level: str, areas: list[int], end: dt.date) -> dict[int, Index]:
    """Stored index of some areas of a level, which the caller's scope covers."""
    if "area_index" not in snapshot.tables():
        return {}
    columns = [field.name for field in fields(Index)]
    rows = snapshot.rows(
        f"SELECT area_index, {', '.join(columns)} FROM area_index "
        "WHERE level = ? AND period_end = ? AND area_index IN (SELECT unnest(?))",
        [level, end, areas],
    )
    made: dict[int, Index] = {}
    for index, *values in rows:
        filled: list[Any] = [math.nan if value is None else value for value in values]
        made[int(index)] = Index(*filled)
    return made


def risk(
    row: Index | None, settings: IndexSettings | None, *, is_silent: bool = False
) -> Risk | None:
    """Facts of a stored index; an area of which a source fell silent is grey."""
    if row is None or settings is None:
        return None
    if is_silent or row.colour == GREY:
        return Risk(status="source_silent" if is_silent else row.status, colour=GREY, n=int(row.n))
    rule = next((one for one in settings.overrides if one.name == row.override), None)
    return Risk(
        status=row.status,
        colour=int(row.colour),
        risk=known(row.risk),
        safety=known(row.safety_index),
        wanted=int(row.gated_colour),
        is_firm=bool(row.is_firm),
        stability=known(row.stability),
        is_small=bool(row.small_sample),
        is_held=bool(row.held),
        n=int(row.n),
        rank_lower=int(row.rank_lower),
        rank_upper=int(row.rank_upper),
        repeat_red=int(row.repeat_red),
        rule_zh=rule.name_zh if rule else "",
        rule_en=rule.name_en if rule else "",
    )


def _why(
    trace: pd.DataFrame | None, settings: IndexSettings | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What raises the risk most, in both languages; nothing where no trace is kept."""
    if settings is None or trace is None or trace.empty:
        return (), ()
    found = reasons(trace, settings, most=SENTENCES)
    return tuple(one for one, _ in found), tuple(one for _, one in found)


def _usual_band(
    scope: Scope, snapshot: Snapshot, area: Area, selection: queries.Selection
) -> Range | None:
    """Band of the count; None where the area cannot be compared with its own past."""
    found = usual_band.level_band(scope, snapshot, area.level, selection, "all")
    if not found.known[area.index]:
        return None
    lower, upper = usual_band.band_of(found.predicted.of(area.index))
    return Range(lower=float(lower), upper=float(upper))


def _risk_band(scope: Scope, snapshot: Snapshot, area: Area, end: dt.date) -> Range | None:
    """Band of the risk, from the windows just before."""
    hierarchy(scope, snapshot).check(area)
    if "area_index" not in snapshot.tables():
        return None
    earlier = usual_band.baseline(Window(end, 1, snapshot.manifest.grain))
    found = snapshot.rows(
        "SELECT risk FROM area_index WHERE level = ? AND area_index = ? "
        "AND period_end BETWEEN ? AND ? AND risk IS NOT NULL",
        [area.level, area.index, earlier.start, earlier.end],
    )
    missing = [math.nan] * (earlier.periods - len(found))
    bounds = usual_band.score_band(
        [*(float(one) for (one,) in found), *missing], least=0.0, most=MOST_RISK
    )
    return Range(lower=bounds[0], upper=bounds[1]) if bounds else None


def _silent(scope: Scope, snapshot: Snapshot, area: Area, end: dt.date) -> bool:
    trust = assessment.trust(scope, snapshot, area, end)
    return trust is not None and trust.is_silent


def _settings(scope: Scope, snapshot: Snapshot) -> IndexSettings | None:
    try:
        found = assessment.settings(scope, snapshot)
    except NotVisibleError:
        return None
    return found.index if found else None
