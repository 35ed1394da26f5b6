"""The words of the phone's page: plain, short sentences from the facts of one area."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from dashboard import numerals, queries
from dashboard.areas import Area, hierarchy
from dashboard.index_panel import reason
from dashboard.phone.due import SHOWN
from dashboard.reports import sentences
from data.index_trace import GREY
from data.periods import Window

if TYPE_CHECKING:
    from dashboard.phone.due import Matter
    from dashboard.phone.facts import Facts, Lead
    from dashboard.reports.facts import Clock
    from dashboard.text import Words
    from data.access import Scope
    from data.store import Snapshot


@dataclass(frozen=True)
class Line:
    """One line of a list: what, how much, and what else is to be known."""

    name: str
    text: str
    note: str = ""
    mark: str = ""
    """`late`, `soon`, or nothing."""


@dataclass(frozen=True)
class Head:
    """The first thing on the page: colour, index, and why."""

    name: str
    level: str
    colour: int
    colour_name: str
    marks: str
    index: str
    moved: str
    why: str
    duty: str


@dataclass(frozen=True)
class Today:
    """What is due, what will be late, what is late."""

    lead: str
    coming: tuple[Line, ...]
    over: tuple[Line, ...]
    more: str
    steps: tuple[tuple[str, ...], ...]
    """Rows of the table of steps: name, in hand, overdue, late within a day, without times."""
    note: str


def area_name(scope: Scope, snapshot: Snapshot, area: Area, words: Words) -> str:
    """Name of an area that the scope covers."""
    return str(hierarchy(scope, snapshot).at(area.level).names(words.lang)[area.index])


def place_name(scope: Scope, snapshot: Snapshot, area: Area, within: Area, words: Words) -> str:
    """Name of an area under another, after that of the one between them: grids share names."""
    name = area_name(scope, snapshot, area, words)
    above = hierarchy(scope, snapshot).parent(area)
    if above is None or above == within:
        return name
    return words("phone_dot").join([area_name(scope, snapshot, above, words), name])


def level_name(snapshot: Snapshot, level: str, words: Words) -> str:
    """Name of a level as the city calls it."""
    entry = next(one for one in snapshot.manifest.levels if one["level"] == level)
    return words.pick(entry["name_zh"], entry["name_en"])


def below_title(snapshot: Snapshot, shown: Facts, words: Words) -> str:
    """Heading of the list below: how many there are, and of what time their incidents are."""
    grain = snapshot.manifest.grain
    level = level_name(snapshot, shown.level_below, words)
    said = words("phone_below", level=level, n=len(shown.below))
    if shown.settings is None:
        return said
    span = shown.settings.index.span(shown.level_below, grain).periods
    return words("phone_below_span", text=said, span=words(f"assess_span_{grain}", n=span))


def head(snapshot: Snapshot, shown: Facts, words: Words) -> Head:
    """Colour, index and the reason in one sentence."""
    now, before = shown.standing.now, shown.standing.before
    colour = shown.standing.colour
    plain = sentences.colour(colour, shown, words)
    whole = sentences.coloured(now, shown, words)
    moved = sentences.moved(now.safety if now else None, before.safety if before else None, words)
    is_told = now is not None and now.safety is not None
    has_change = is_told and before is not None and before.safety is not None
    return Head(
        name=sentences.name(shown.standing.place, words),
        level=level_name(snapshot, shown.area.level, words),
        colour=colour,
        colour_name=plain,
        marks=whole if whole != plain else "",
        index=sentences.one_decimal(now.safety, words) if now and is_told else "",
        moved=words("phone_moved", text=moved) if has_change else "",
        why=_why(shown, words),
        duty=words("phone_duty", who=words.pick(shown.duty_zh, shown.duty_en))
        if shown.duty_zh and colour != GREY
        else "",
    )


def _why(shown: Facts, words: Words) -> str:
    """Why this colour, in one sentence."""
    risk = shown.standing.now
    if risk is None:
        return words("phone_why_unknown")
    if risk.colour == GREY:
        return words("phone_why_grey", reason=reason(risk.status, words))
    if risk.rule_zh:
        return words("phone_why_rule", rule=words.pick(risk.rule_zh, risk.rule_en))
    if not shown.leads:
        return words("phone_why_quiet" if risk.colour == 1 else "phone_why_even")
    told = words("assess_join").join(_lead(one, words) for one in shown.leads[:2])
    return words("phone_why_calm" if risk.colour == 1 else "phone_why_raised", told=told)


def _lead(lead: Lead, words: Words) -> str:
    name = words.pick(lead.name_zh, lead.name_en)
    if lead.is_alarm or math.isnan(lead.seen):
        return words("phone_lead_alarm", name=name)
    if math.isnan(lead.baseline):
        return words("phone_lead_alone", name=name, n=_figure(lead.seen))
    return words("phone_lead", name=name, n=_figure(lead.seen), base=_figure(lead.baseline))


def _figure(value: float) -> str:
    return f"{value:,.1f}".removesuffix(".0")


def today(scope: Scope, snapshot: Snapshot, shown: Facts, words: Words) -> Today | None:
    """What is due today and what will be late; None where no clock is stored."""
    if shown.due is None or not shown.clocks:
        return None
    due = shown.due

    def line(one: Matter) -> Line:
        return _matter(scope, snapshot, shown, one, words)

    late = sum(one.soon or 0.0 for one in shown.clocks)
    overdue = max((one.overdue for one in shown.clocks), default=0)
    said = [words("phone_due", n=len(due.coming)) if due.coming else words("phone_due_none")]
    if late >= 0.05:
        said.append(words("phone_will_be_late", n=f"{late:.1f}"))
    said.append(words("phone_overdue", n=f"{overdue:,d}") if overdue else words("phone_on_time"))
    lead = words("phone_stop").join(said)
    listed = len(due.coming[:SHOWN]) + len(due.over[:SHOWN])
    more = len(due.coming) + len(due.over) - listed
    untold = max((one.unknown for one in shown.clocks), default=0)
    return Today(
        lead=lead[:1].upper() + lead[1:],
        coming=tuple(line(one) for one in due.coming[:SHOWN]),
        over=tuple(line(one) for one in due.over[:SHOWN]),
        more=_more(more, is_whole=due.is_whole, words=words),
        steps=tuple(_step(one, words) for one in shown.clocks if one.started or one.unknown),
        note=words("phone_untold", n=f"{untold:,d}") if untold else "",
    )


def _more(count: int, *, is_whole: bool, words: Words) -> str:
    if count <= 0:
        return ""
    return words("phone_more" if is_whole else "phone_more_at_least", n=f"{count:,d}")


def _step(one: Clock, words: Words) -> tuple[str, ...]:
    soon = "–" if one.soon is None else f"{one.soon:.1f}"
    name = words.pick(one.name_zh, one.name_en)
    return (name, f"{one.running:,d}", f"{one.overdue:,d}", soon, f"{one.unknown:,d}")


def _matter(scope: Scope, snapshot: Snapshot, shown: Facts, one: Matter, words: Words) -> Line:
    category = queries.category_labels(scope, snapshot)[one.category]
    names = shown.settings.clocks if shown.settings else {}
    clocks = [words.pick(*names.get(clock, (clock, clock))) for clock in one.clocks]
    at = one.due_at.astimezone(_zone(snapshot))
    is_here = one.area == shown.area
    where = [] if is_here else [place_name(scope, snapshot, one.area, shown.area, words)]
    days = (data_day(snapshot) - at.date()).days
    if one.is_overdue:
        text = words("phone_late_days", n=f"{max(days, 0):,d}") if days else words("phone_late")
    else:
        text = words("phone_due_at", at=at)
    is_close = not one.is_overdue and one.p_24h is not None and one.p_24h >= 0.5
    return Line(
        words.pick(category.name_zh, category.name_en),
        text,
        words("phone_dot").join([*where, words("assess_list").join(clocks)]),
        "late" if one.is_overdue else "soon" if is_close else "",
    )


def data_day(snapshot: Snapshot) -> dt.date:
    """Last day that the data tell of."""
    return dt.date.fromisoformat(str(snapshot.manifest.raw["periods"]["as_of"])[:10])


def _zone(snapshot: Snapshot) -> dt.tzinfo:
    return ZoneInfo(snapshot.manifest.city["time_zone"])


def week(snapshot: Snapshot, shown: Facts, words: Words) -> list[Line]:
    """The newest period against the own past, the area above, and areas like this."""
    counted = shown.standing.counted
    window = Window(snapshot.manifest.last_period, 1, snapshot.manifest.grain)
    grain = window.grain
    lines = [
        Line(
            words(f"phone_this_{grain}", start=window.start, end=window.last_day),
            words("phone_incidents", n=sentences.whole(counted.now, words)),
            words("phone_verdict", text=sentences.verdict(counted, words)),
        ),
        Line(
            words("phone_usual"),
            sentences.spread(counted.usual, words),
            words("phone_usual_note") if counted.usual else "",
        ),
        Line(
            words(f"phone_before_{grain}"),
            _incidents(counted.before, words),
            sentences.change(counted.now, counted.before, words),
        ),
        Line(
            words("phone_year"),
            _incidents(counted.year, words),
            sentences.year_change(counted.now, counted.year, words),
        ),
    ]
    return lines + _peers(snapshot, shown, words)


def _incidents(count: int | None, words: Words) -> str:
    return words("no_value") if count is None else words("phone_incidents", n=f"{count:,d}")


def _peers(snapshot: Snapshot, shown: Facts, words: Words) -> list[Line]:
    peers, lines = shown.peers, []
    level = level_name(snapshot, shown.area.level, words)
    if peers.ranked > 1:
        ranks = words("phone_ranks", lower=f"{peers.rank_lower:,d}", upper=f"{peers.rank_upper:,d}")
        of = words("phone_rank_of", n=f"{peers.ranked:,d}", level=level)
        lines.append(Line(words("phone_rank"), ranks, of))
    if peers.window is None:
        return lines
    city = snapshot.manifest.city
    unit = words.pick(city["exposure_unit_zh"], city["exposure_unit_en"])
    per = words("phone_per", unit=unit, n=peers.window.periods)
    withheld = words("phone_withheld", k=peers.threshold)

    def told(rate: float) -> str:
        return withheld if math.isnan(rate) else numerals.rate(rate, words)

    lines.append(Line(words("phone_own_rate"), told(peers.own), per))
    if peers.above_level:
        above = level_name(snapshot, peers.above_level, words)
        lines.append(Line(words("phone_above_rate", level=above), told(peers.above), per))
    if peers.siblings:
        of = words("phone_like_of", told=peers.told, n=peers.siblings, k=peers.threshold)
        lines.append(Line(words("phone_like_rate", level=level), told(peers.like), of))
    return lines


def places(scope: Scope, snapshot: Snapshot, shown: Facts, words: Words) -> list[Line]:
    """Where the same thing happens again and again."""
    labels = queries.category_labels(scope, snapshot)
    lines = []
    for one in shown.places:
        elsewhere = one.area if one.area != shown.area else None
        name = words("phone_here")
        if elsewhere:
            name = place_name(scope, snapshot, elsewhere, shown.area, words)
        label = labels[one.category]
        lines.append(
            Line(
                words.pick(label.name_zh, label.name_en),
                words("phone_incidents", n=f"{one.incidents:,d}"),
                name,
            )
        )
    return lines


def trend_said(shown: Facts, words: Words) -> str:
    """The trend in words, for who cannot see it."""
    if shown.trend is None:
        return ""
    told = [
        (count, start)
        for count, start in zip(shown.trend.counts, shown.trend.starts, strict=True)
        if count is not None
    ]
    most, start = max(told, key=lambda one: one[0])
    return words(
        "phone_trend_said",
        n=len(told),
        last=f"{told[-1][0]:,d}",
        most=f"{most:,d}",
        start=start,
    )
