"""Deadlines of a report, what came of last week's signals and forecast, trust, and corrections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboard import numerals
from dashboard.reports import sentences
from dashboard.reports.document import Cell, Column, Paragraph, Table

if TYPE_CHECKING:
    from dashboard.reports.document import Block
    from dashboard.reports.facts import Edition, Foretold, Since
    from dashboard.text import Words


def clocks(edition: Edition, words: Words) -> list[Block]:
    """What is overdue, what is about to be, and the newest cohort with its denominator."""
    content: list[Block] = []
    if edition.clocks:
        content.append(
            Table(
                name=words("rep_sheet_clocks"),
                title=words("rep_clocks_title"),
                columns=(
                    Column(words("rep_clock"), width=1.6),
                    Column(words("rep_overdue"), is_number=True),
                    Column(words("rep_soon"), is_number=True),
                    Column(words("rep_running"), is_number=True),
                    Column(words("rep_oldest"), is_number=True),
                    Column(words("rep_untold"), is_number=True),
                ),
                rows=tuple(
                    (
                        Cell(words.pick(one.name_zh, one.name_en)),
                        Cell(f"{one.overdue:,d}", one.overdue),
                        Cell(sentences.one_decimal(one.soon, words), one.soon),
                        Cell(f"{one.running:,d}", one.running),
                        Cell(sentences.one_decimal(one.oldest_days, words), one.oldest_days),
                        Cell(f"{one.unknown:,d}", one.unknown),
                    )
                    for one in edition.clocks
                ),
                note=words("rep_clocks_note"),
            )
        )
    else:
        content.append(Paragraph(words("rep_clocks_none")))
    if edition.cohort is not None:
        found = edition.cohort
        content.append(
            Paragraph(
                words(
                    "rep_cohort",
                    week=found.week.label,
                    received=f"{found.received:,d}",
                    resolved=f"{found.resolved:,d}",
                    share=numerals.share(found.resolved, found.received, words),
                    unknown=f"{found.unknown:,d}",
                ),
                lead=words("rep_cohort_lead"),
            )
        )
    return content


def record(edition: Edition, words: Words) -> list[Block]:
    """What followed last week's signals, and how its forecast did; the next week's forecast."""
    said = [
        words(
            "rep_signal_record",
            level=words(f"rep_level_{one.level}"),
            colour=words(f"rep_signal_{one.colour}"),
            issued=one.issued,
            followed=one.followed,
            chance=f"{one.by_chance:.1f}",
        )
        for one in edition.records
    ]
    text = (
        words("rep_semicolon").join(said) + words("rep_stop") if said else words("rep_signals_none")
    )
    content: list[Block] = [Paragraph(text, lead=words("rep_signals_lead"))]
    content.append(Paragraph(_foretold(edition.foretold, words), lead=words("rep_forecast_lead")))
    if edition.ahead is not None:
        content.append(
            Paragraph(
                words(
                    "rep_ahead",
                    week=edition.ahead.week.label,
                    mean=f"{edition.ahead.mean:,.0f}",
                    range=sentences.spread(edition.ahead.range, words),
                ),
                lead=words("rep_ahead_lead"),
            )
        )
    content.append(Paragraph(words("rep_record_note"), is_note=True))
    return content


def _foretold(found: Foretold | None, words: Words) -> str:
    if found is None or found.came is None:
        return words("rep_forecast_none")
    held = words("rep_held" if found.range.holds(found.came) else "rep_not_held")
    below = ""
    if found.of:
        below = words(
            "rep_forecast_below",
            inside=found.inside,
            of=found.of,
            share=numerals.share(found.inside, found.of, words),
        )
    return words(
        "rep_forecast",
        range=sentences.spread(found.range, words),
        came=f"{found.came:,d}",
        held=held,
        below=below,
    )


def trust(edition: Edition, words: Words) -> list[Block]:
    """Rows in and out, what is unplaced, who is silent, and what changed since the last issue."""
    found = edition.trust
    said = []
    if found.read is not None:
        said.append(
            words(
                "rep_rows",
                read=sentences.whole(found.read, words),
                accepted=sentences.whole(found.accepted, words),
                quarantined=sentences.whole(found.quarantined, words),
                duplicate=sentences.whole(found.duplicate, words),
            )
        )
    said.append(
        words(
            "rep_known",
            as_of=found.as_of,
            complete=sentences.share(found.complete, words),
            unplaced=sentences.share(found.unplaced, words),
        )
    )
    silent = words.pick_lists(found.silent_zh, found.silent_en)
    if silent:
        said.append(words("rep_silent", names=words("assess_list").join(silent)))
    content: list[Block] = [Paragraph("".join(said), lead=words("rep_trust_lead"))]
    if edition.since is not None:
        content.append(
            Paragraph(
                _since(edition.since, words), lead=words("rep_since_lead", week=edition.since.week)
            )
        )
    return content


def _since(found: Since, words: Words) -> str:
    """What became known of the last issue's week, and why it reads otherwise now."""
    said = [
        words(
            "rep_since",
            was=f"{found.was:,d}",
            now=f"{found.now:,d}",
            by=f"{found.now - found.was:+,d}",
        )
    ]
    if found.categories:
        moved = [
            f"{words.pick(one.name_zh, one.name_en)} {one.now - one.was:+,d}"
            for one in found.categories
        ]
        more = words("rep_more", n=found.more_categories) if found.more_categories else ""
        said.append(words("rep_since_categories", list=words("assess_list").join(moved) + more))
    if found.reclassified:
        said.append(words("rep_since_reclassified", n=found.reclassified))
    if found.recoloured:
        said.append(words("rep_since_recoloured", n=found.recoloured))
    for is_so, key in (
        (found.has_other_boundaries, "rep_since_boundaries"),
        (found.has_other_settings, "rep_since_settings"),
        (found.has_other_program, "rep_since_program"),
    ):
        if is_so:
            said.append(words(key))
    return "".join(said)
