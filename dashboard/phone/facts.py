"""Everything that the phone tells of one area, read once: figures and names, no words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from dashboard import assessment, trend
from dashboard.areas import Area, hierarchy
from dashboard.desk import hotspot_list, index_list
from dashboard.phone.due import due
from dashboard.phone.own import last_day, level_below
from dashboard.phone.peers import peers
from dashboard.queries import Selection
from dashboard.reports import evidence, standings
from dashboard.reports.facts import Palette
from data.index_trace import raised
from data.periods import Window

if TYPE_CHECKING:
    from dashboard.phone.due import Due
    from dashboard.phone.peers import Peers
    from dashboard.reports.facts import Clock, Standing, Trust
    from dashboard.trend import Trend
    from data.access import Scope
    from data.shown_settings import ShownSettings
    from data.store import Snapshot

PLACES: Final = 5
"""Places that repeat which are listed."""


class Lead(NamedTuple):
    """An indicator that raises the risk; an alarm has no figures."""

    name_zh: str
    name_en: str
    seen: float
    baseline: float
    is_alarm: bool


class Repeating(NamedTuple):
    """A place with many incidents of one category within 30 days."""

    area: Area | None
    category: int
    incidents: int


class Below(NamedTuple):
    """One area of the list below."""

    area: Area
    colour: int
    incidents: int


@dataclass(frozen=True)
class Facts:
    """
    One area on the phone.

    Attributes
    ----------
    leads
        What raises the risk, the strongest first; empty where nothing does or it is withheld.
    duty_zh, duty_en
        Who acts on the colour.
    below
        Areas of `level_below`, the highest risk first.
    """

    area: Area
    standing: Standing
    palette: Palette | None
    settings: ShownSettings | None
    leads: tuple[Lead, ...]
    duty_zh: str
    duty_en: str
    clocks: tuple[Clock, ...]
    due: Due | None
    peers: Peers
    places: tuple[Repeating, ...]
    trend: Trend | None
    trust: Trust
    level_below: str
    below: tuple[Below, ...]


def facts(scope: Scope, snapshot: Snapshot, area: Area) -> Facts:
    """
    Read what the phone tells of an area.

    Raises
    ------
    NotVisibleError
        The area is unknown or outside the scope.
    """
    hierarchy(scope, snapshot).check(area)
    end = snapshot.manifest.last_period
    settings = assessment.settings(scope, snapshot)
    standing = standings.standing(scope, snapshot, area, end)
    duties = settings.index.duties if settings else ()
    duty = next((one for one in duties if one.number == standing.colour), None)
    selection = Selection(Window(end, 1, snapshot.manifest.grain), None, 0)
    level = level_below(scope, snapshot, area)
    return Facts(
        area=area,
        standing=standing,
        palette=palette(scope, snapshot),
        settings=settings,
        leads=_leads(scope, snapshot, area, settings),
        duty_zh=duty.name_zh if duty else "",
        duty_en=duty.name_en if duty else "",
        clocks=evidence.clocks(scope, snapshot, area, end),
        due=due(scope, snapshot, area),
        peers=peers(scope, snapshot, area),
        places=_places(scope, snapshot, area),
        trend=trend.trend(scope, snapshot, area, selection),
        trust=evidence.trust(scope, snapshot, area, end),
        level_below=level,
        below=_below(scope, snapshot, area, level) if level else (),
    )


def palette(scope: Scope, snapshot: Snapshot) -> Palette | None:
    """The city's colours; None without an analysis."""
    settings = assessment.settings(scope, snapshot)
    if settings is None:
        return None
    shown = settings.index.palette
    return Palette(
        names_zh=shown.names_zh,
        names_en=shown.names_en,
        tints=shown.tints,
        edges=settings.index.colours.edges,
    )


def _leads(
    scope: Scope, snapshot: Snapshot, area: Area, settings: ShownSettings | None
) -> tuple[Lead, ...]:
    """Indicators above the own past and the peers; none where they would tell of foreign areas."""
    if settings is None:
        return ()
    if assessment.stands_alone(scope, snapshot, area.level, last_day(snapshot)):
        return ()
    trace = assessment.trace(scope, snapshot, area, snapshot.manifest.last_period)
    if trace.empty:
        return ()
    kept = trace.sort_values("indicator").reset_index(drop=True)
    found = []
    for position, _ in raised(trace, settings.index):
        one, row = settings.index.indicators[position], kept.iloc[position]
        found.append(
            Lead(
                one.name_zh,
                one.name_en,
                float(row["count"]),
                float(row["baseline"]),
                is_alarm=one.kind == "alarm",
            )
        )
    return tuple(found)


def _places(scope: Scope, snapshot: Snapshot, area: Area) -> tuple[Repeating, ...]:
    found = hotspot_list.frequent_places(scope, snapshot, area, snapshot.manifest.last_period)
    return tuple(
        Repeating(
            Area(str(row["level"]), int(row["area_index"])) if row["area_index"] >= 0 else None,
            int(row["category_index"]),
            int(row["count"]),
        )
        for row in found.head(PLACES).to_dict("records")
    )


def _below(scope: Scope, snapshot: Snapshot, area: Area, level: str) -> tuple[Below, ...]:
    """Areas of a level, the highest colour first; without an analysis in their own order."""
    end = snapshot.manifest.last_period
    rows = index_list.rows(scope, snapshot, area, level, end)
    if rows.empty:
        tree = hierarchy(scope, snapshot)
        here = tree.inside(level, area) & tree.at(level).valid_on(last_day(snapshot))
        return tuple(Below(Area(level, index), 0, -1) for index in np.flatnonzero(here).tolist())
    order = np.lexsort((np.arange(len(rows)), -rows["colour"].to_numpy()))
    return tuple(
        Below(Area(level, int(row["area_index"])), int(row["colour"]), int(row["n"]))
        for row in rows.iloc[order].to_dict("records")
    )
