"""What a wall says: cards of figures, and rows of short lists; every share with its whole."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final, NamedTuple

from dashboard import numerals
from dashboard.controls import level_name
from dashboard.reports import sentences
from data.index_trace import GREY
from data.warnings.kinds import PERSON

if TYPE_CHECKING:
    from dashboard.reports.facts import Spot
    from dashboard.screen.facts import Board
    from dashboard.screen.queue import Queue
    from dashboard.text import Words
    from data.store import Snapshot
    from data.warnings.kinds import AreaWarning

FRESH: Final = ("new", "rising", "running")
"""Patterns of hot spots that ask for attention, in this order."""

SPOTS: Final = 8
SILENT_DAYS: Final = 3
"""Days behind the newest data from which a source is marked."""

SOURCES: Final = 6
COLOURS: Final = (4, 3, 2, 1)


class Card(NamedTuple):
    """
    One figure of the top row.

    Attributes
    ----------
    name
        Of the card: `incidents`, `index`, `warnings`, `deadlines`, `resolved`, `today`, `data`.
    colour
        0 to 4 of the index; None = none.
    chips
        Colour and number of warnings, red first.
    """

    name: str
    title: str
    value: str
    detail: str
    note: str = ""
    colour: int | None = None
    chips: tuple[tuple[int, int], ...] = ()


class Line(NamedTuple):
    """
    One row of a list.

    Attributes
    ----------
    mark
        `late`, `soon`, a pattern of a hot spot, or nothing.
    """

    name: str
    text: str
    note: str = ""
    colour: int = 0
    mark: str = ""
    history: tuple[int, ...] = ()
    within: str = ""


def cards(snapshot: Snapshot, board: Board, queue: Queue | None, words: Words) -> list[Card]:
    """Figures of the top row; `today` is filled in by what arrives."""
    found = [_incidents(board, words), _index(board, words)]
    if queue is not None:
        found.append(_warnings(queue, words))
    found += [_deadlines(board, words), _resolved(board, words)]
    found.append(Card("today", words("screen_today"), "–", words("screen_today_wait")))
    found.append(_data(snapshot, board, words))
    return found


def _incidents(board: Board, words: Words) -> Card:
    counted = board.standing.counted
    band = words("screen_band_none")
    if counted.band:
        band = words("screen_band", range=sentences.spread(counted.band, words))
    told = sentences.change(counted.now, counted.before, words)
    if counted.band:
        where = sentences.against_band(counted.now, counted.band, words)
        told = words("screen_and", one=where, other=words("screen_on_last", change=told))
    else:
        told = words("screen_on_last", change=told)
    return Card(
        "incidents",
        words("screen_incidents", week=board.week.label),
        numerals.count(counted.now, words),
        band,
        told,
    )


def _index(board: Board, words: Words) -> Card:
    now, before = board.standing.now, board.standing.before
    safety = now.safety if now else None
    moved = sentences.moved(safety, before.safety if before else None, words)
    return Card(
        "index",
        words("assess_index"),
        "–" if safety is None else f"{safety:.1f}",
        sentences.coloured(now, board, words),
        words("screen_on_last", change=moved),
        colour=now.colour if now else GREY,
    )


def _warnings(queue: Queue, words: Words) -> Card:
    chips = tuple((colour, queue.colours[colour - 1]) for colour in COLOURS)
    told = words("screen_warnings_due", late=f"{queue.late:,d}", soon=f"{queue.soon:,d}")
    return Card("warnings", words("screen_warnings"), f"{queue.total:,d}", told, chips=chips)


def _deadlines(board: Board, words: Words) -> Card:
    """The deadline of resolving, or the one that most are past: clocks are not added up."""
    found = next((one for one in board.clocks if one.name == "resolve"), None)
    found = found or max(board.clocks, key=lambda one: one.overdue, default=None)
    if found is None:
        return Card("deadlines", words("rep_overdue"), "–", words("no_value"))
    name = words.pick(found.name_zh, found.name_en)
    return Card(
        "deadlines",
        words("screen_overdue", clock=name),
        f"{found.overdue:,d}",
        words("screen_of_running", n=f"{found.running + found.overdue:,d}"),
        "" if found.soon is None else words("screen_soon", n=f"{found.soon:,.0f}"),
    )


def _resolved(board: Board, words: Words) -> Card:
    found = board.cohort
    if found is None:
        return Card("resolved", words("screen_resolved"), "–", words("no_value"))
    return Card(
        "resolved",
        words("screen_resolved"),
        numerals.share(found.resolved, found.received, words),
        words(
            "screen_cohort",
            week=found.week.label,
            resolved=f"{found.resolved:,d}",
            received=f"{found.received:,d}",
        ),
        words("screen_cohort_unknown", n=f"{found.unknown:,d}") if found.unknown else "",
    )


def _data(snapshot: Snapshot, board: Board, words: Words) -> Card:
    note = ""
    if board.placing is not None:
        tree = [entry["level"] for entry in snapshot.manifest.levels]
        below = tree[min(tree.index(board.placing.level) + 1, len(tree) - 1)]
        share = board.placing.not_placed
        told = words("no_value") if share != share else f"{share:.1%}"  # noqa: PLR0124 - NaN
        note = words("screen_unplaced", level=level_name(snapshot, below, words), share=told)
    complete = board.trust.complete
    told = words("no_value") if complete is None else f"{complete:.0%}"
    as_of = board.trust.as_of
    return Card(
        "data",
        words("screen_data"),
        f"{as_of:%m-%d}",
        words("screen_complete", share=told),
        note,
    )


def spots(board: Board, words: Words) -> list[Line]:
    """Hot spots that are new, rising or stay for some weeks, those with most incidents first."""
    found = [one for pattern in FRESH for one in board.spots if one.pattern == pattern]
    return [_spot(one, words) for one in found[:SPOTS]]


def fading(board: Board, words: Words) -> list[Line]:
    """Hot spots that recede."""
    return [_spot(one, words) for one in board.spots if one.pattern == "receding"][:SPOTS]


def patterns(board: Board, words: Words) -> list[tuple[str, str, int]]:
    """How many hot spots there are of each pattern: name, title, number."""
    return [
        (name, words(f"mark_group_{name}"), number) for name, number in board.spot_counts.items()
    ]


def _spot(one: Spot, words: Words) -> Line:
    return Line(
        name=sentences.name(one.place, words),
        text=words("screen_n", n=f"{one.count:,d}"),
        note=words(f"mark_group_{one.pattern}"),
        mark=one.pattern,
        history=one.history,
        within=words.pick(one.within_zh, one.within_en),
    )


def clocks(board: Board, words: Words) -> list[tuple[str, str, str, str]]:
    """Each deadline: name, overdue, expected to be within a day, running."""
    return [
        (
            words.pick(one.name_zh, one.name_en),
            f"{one.overdue:,d}",
            words("no_value") if one.soon is None else f"{one.soon:,.0f}",
            f"{one.running:,d}",
        )
        for one in board.clocks
    ]


def warned(
    found: tuple[AreaWarning, ...],
    names: dict[tuple[str, str], str],
    kinds: dict[str, str],
    words: Words,
    now: dt.datetime,
    *,
    by_due: bool,
) -> list[Line]:
    """
    Warnings as rows.

    Parameters
    ----------
    names
        Of the areas that the scope covers, by level and code.
    kinds
        Rule to its kind; a rule that is no more has none.
    by_due
        The note tells when the clock runs out; else how long it is as it is.
    """
    return [
        Line(
            name=names.get((one.level, one.code), one.code),
            text=_why(one, kinds, words, has_state=not by_due),
            note=_due(one, now, words) if by_due else _since(one, now, words),
            colour=one.colour,
            mark=_urgency(one, now),
        )
        for one in found
    ]


def _why(one: AreaWarning, kinds: dict[str, str], words: Words, *, has_state: bool) -> str:
    kind = PERSON if one.rule == PERSON else kinds.get(one.rule, "other")
    why = words(f"phone_why_{kind}")
    if not has_state:
        return why
    return words("phone_dot").join([why, words(f"phone_state_{one.state}")])


def _due(one: AreaWarning, now: dt.datetime, words: Words) -> str:
    if one.due_at is None:
        return words(f"phone_state_{one.state}")
    key = "screen_late_by" if one.is_overdue(now) else "screen_due_in"
    return words(key, span=span(abs(one.due_at - now), words))


def _since(one: AreaWarning, now: dt.datetime, words: Words) -> str:
    return words("screen_ago", span=span(now - one.since, words))


def _urgency(one: AreaWarning, now: dt.datetime) -> str:
    if one.is_overdue(now):
        return "late"
    is_soon = one.due_at is not None and one.due_at - now <= dt.timedelta(hours=6)
    return "soon" if is_soon else ""


def span(length: dt.timedelta, words: Words) -> str:
    """Say a length of time by its largest unit."""
    minutes = max(0, int(length.total_seconds() // 60))
    if minutes < 60:
        return words("screen_minutes", n=minutes)
    if minutes < 48 * 60:
        return words("screen_hours", n=minutes // 60)
    return words("screen_days", n=minutes // (24 * 60))


def sources(board: Board, words: Words) -> list[Line]:
    """Sources, those that fell silent and the slowest first; the lag is against the newest day."""
    silent = {*board.trust.silent_zh, *board.trust.silent_en}
    rows = []
    for one in board.sources:
        behind = None
        if one.last_day:
            behind = max(0, (board.trust.as_of - dt.date.fromisoformat(one.last_day[:10])).days)
        is_silent = one.title_zh in silent or one.title_en in silent
        rows.append((not is_silent, -1 if behind is None else -behind, one, behind))
    rows.sort(key=lambda row: (row[0], row[1], row[2].name))
    return [
        Line(
            name=words.pick(one.title_zh, one.title_en),
            text=words("no_value") if behind is None else words("trust_days", n=behind),
            note="" if is_fine else words("trust_is_silent"),
            mark="late" if not is_fine else ("soon" if (behind or 0) >= SILENT_DAYS else ""),
        )
        for is_fine, _, one, behind in rows[:SOURCES]
    ]
