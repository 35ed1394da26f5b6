"""The figures that a letter is drafted from, as the issue had them, and their arithmetic."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - msgspec reads the annotations
import itertools
from typing import TYPE_CHECKING

import msgspec

from dashboard import numerals
from dashboard.reports import sentences
from dashboard.reports.document import Cell, Column, Paragraph, Table
from dashboard.reports.facts import Clock, Days, Fact, Palette, Place, Spot, Standing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dashboard.reports.document import Block
    from dashboard.text import Words
    from data.letters.models import Letter


class Evidence(Fact, frozen=True, kw_only=True):
    """
    What a rule fired on, and what the letter's head is made of; frozen into the letter.

    Attributes
    ----------
    rule
        One of `data.letters.settings.RULES`; exactly one of `standing`, `spot` and `clock` is what
        it fired on.
    least
        The number from which the rule fires; 0 where it has none.
    codes
        Of each kind what stands before the year of its number: Chinese, English.
    """

    rule: str
    letter: str
    least: int = 0
    days: int
    place: Place
    week: Days
    before: Days
    number: int
    year: int
    version: int
    snapshot: str
    as_of: dt.date
    title_zh: str
    title_en: str
    publisher_zh: str
    publisher_en: str
    copies_zh: str = ""
    copies_en: str = ""
    notice_zh: str = ""
    notice_en: str = ""
    addressee_zh: str
    addressee_en: str
    palette: Palette | None = None
    standing: Standing | None = None
    spot: Spot | None = None
    clock: Clock | None = None
    codes: dict[str, tuple[str, str]] = msgspec.field(default_factory=dict)

    @property
    def colour(self) -> int:
        """Colour of the area; 0 where the rule is not about it."""
        return self.standing.colour if self.standing else 0

    @property
    def about(self) -> str:
        """What sets it apart from others of the same rule and area: the deadline's name."""
        return self.clock.name if self.clock else ""


def evidence_of(letter: Letter) -> Evidence:
    """
    The evidence of a stored letter.

    Raises
    ------
    msgspec.ValidationError
        It was written by another version of this program.
    """
    return msgspec.json.decode(letter.evidence, type=Evidence)


def blocks(told: Evidence, words: Words) -> list[Block]:
    """The figures with what they are compared with, and where they come from."""
    table = Table(
        name=words("letter_sheet"),
        title=words("letter_figures", place=sentences.name(told.place, words)),
        columns=(
            Column(words("letter_figure"), width=1.3),
            Column(words("letter_value"), is_number=True, width=0.8),
            Column(words("letter_against"), width=2.2),
        ),
        rows=tuple(_rows(told, words)),
        note=source(told, words),
    )
    standing = told.standing
    reasons = words.pick_lists(standing.why_zh, standing.why_en) if standing else ()
    numbered = (f"{at}. {reason}" for at, reason in enumerate(reasons, start=1))
    return [table, *(Paragraph(line) for line in numbered)]


def source(told: Evidence, words: Words) -> str:
    """Which issue, rule and snapshot the figures are of."""
    return words(
        "letter_source",
        report=words.pick(told.title_zh, told.title_en),
        number=words("rep_number", year=told.year, n=told.number),
        version=told.version,
        week=told.week.label,
        snapshot=told.snapshot,
        rule=words(f"letter_rule_{told.rule}", n=told.least),
    )


def _rows(told: Evidence, words: Words) -> Iterator[tuple[Cell, Cell, Cell]]:
    if told.standing is not None:
        yield from _standing(told, told.standing, words)
    if told.spot is not None:
        yield from _spot(told.spot, words)
    if told.clock is not None:
        yield from _clock(told.clock, words)


def _standing(told: Evidence, one: Standing, words: Words) -> Iterator[tuple[Cell, Cell, Cell]]:
    now, before, counted = one.now, one.before, one.counted
    if now is not None:
        risk = before.risk if before else None
        yield (
            Cell(words("assess_risk")),
            Cell(sentences.one_decimal(now.risk, words), now.risk),
            Cell(
                words(
                    "letter_before",
                    value=sentences.one_decimal(risk, words),
                    change=sentences.moved(now.risk, risk, words),
                )
            ),
        )
        yield (
            Cell(words("index_colour")),
            Cell(sentences.colour(now.colour, told, words), colour=now.colour),
            Cell(sentences.coloured(now, told, words)),
        )
        if now.repeat_red:
            yield (
                Cell(words("letter_repeat")),
                Cell(f"{now.repeat_red:,d}", now.repeat_red),
                Cell(words("letter_rule_repeat_red", n=told.least) if told.least else ""),
            )
    yield (
        Cell(words("kpi_count")),
        Cell(sentences.whole(counted.now, words), counted.now),
        Cell(
            words(
                "letter_before",
                value=sentences.whole(counted.before, words),
                change=sentences.change(counted.now, counted.before, words),
            )
        ),
    )
    yield (
        Cell(words("letter_reported")),
        Cell(sentences.whole(counted.reported, words), counted.reported),
        Cell(
            words(
                "letter_usual",
                range=sentences.spread(counted.usual, words),
                verdict=sentences.verdict(counted, words),
            )
        ),
    )


def _spot(one: Spot, words: Words) -> Iterator[tuple[Cell, Cell, Cell]]:
    weeks = one.history[-12:]
    yield (
        Cell(in_window(one, words)),
        Cell(f"{one.count:,d}", one.count),
        Cell(words("letter_pattern", pattern=words(f"hot_class_{one.pattern}"))),
    )
    if weeks:
        mean = sum(weeks) / len(weeks)
        yield (
            Cell(words("letter_weeks", n=len(weeks))),
            Cell(f"{mean:,.1f}", mean),
            Cell(
                words(
                    "letter_sum",
                    parts=" + ".join(f"{n:,d}" for n in weeks),
                    sum=f"{sum(weeks):,d}",
                    n=len(weeks),
                )
            ),
        )


def in_window(one: Spot, words: Words) -> str:
    """What the count of a hot spot is of: its newest periods, where they sum up to it."""
    newest = itertools.accumulate(reversed(one.history))
    periods = next((n for n, total in enumerate(newest, start=1) if total == one.count), 0)
    return words("letter_in_periods", n=periods) if periods else words("letter_in_window")


def _clock(one: Clock, words: Words) -> Iterator[tuple[Cell, Cell, Cell]]:
    yield (
        Cell(words("letter_overdue_of", clock=words.pick(one.name_zh, one.name_en))),
        Cell(f"{one.overdue:,d}", one.overdue),
        Cell(
            words(
                "letter_share",
                part=f"{one.overdue:,d}",
                whole=f"{one.running + one.overdue:,d}",
                share=numerals.share(one.overdue, one.running + one.overdue, words),
            )
        ),
    )
    yield (
        Cell(words("rep_oldest")),
        Cell(sentences.one_decimal(one.oldest_days, words), one.oldest_days),
        Cell(words("letter_untold", n=f"{one.unknown:,d}")),
    )
