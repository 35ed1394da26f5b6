"""Areas of a report: the map, what rose and fell, red and orange areas, hot spots, the appendix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dashboard.reports import sentences
from dashboard.reports.document import Cell, Column, Maps, Paragraph, Table
from dashboard.reports.evidence import PATTERNS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboard.reports.document import Block
    from dashboard.reports.facts import Edition, Group, Level, Spot, Standing
    from dashboard.text import Words

RED, ORANGE = 4, 3

NAMED: Final = 10
"""Areas that a table of the page names; the workbook has all."""

LABELLED: Final = 40
"""Most areas whose names the map bears."""


def maps(edition: Edition, words: Words) -> list[Block]:
    """The colours of the next level, now and a week before, with how many have each."""
    level = _mapped(edition)
    if level is None:
        return [Paragraph(words("rep_no_map"))]
    now = {one.place.code: one.colour for one in level.areas}
    before = {one.place.code: one.before.colour if one.before else 0 for one in level.areas}
    named = level.areas if len(level.areas) <= LABELLED else ()
    drawn = Maps(
        level=level.level,
        now=now,
        before=before,
        titles=(_week(edition, words), words("rep_map_before", week=edition.before.label)),
        legend=tuple(
            (colour, sentences.colour(colour, edition, words), level.colours[colour])
            for colour in (RED, ORANGE, 2, 1, 0)
        ),
        names={one.place.code: sentences.name(one.place, words) for one in named},
        note=words("rep_map_note"),
    )
    changed = [
        one
        for one in level.areas
        if one.before is not None and one.now is not None and one.before.colour != one.colour
    ]
    return [drawn, Paragraph(_changes(edition, changed, words), lead=words("rep_changed_lead"))]


def _week(edition: Edition, words: Words) -> str:
    return words("rep_map_now", week=edition.week.label)


def _changes(edition: Edition, changed: Sequence[Standing], words: Words) -> str:
    """Which areas have another colour than the week before."""
    if not changed:
        return words("rep_changed_none")
    said = [
        words(
            "rep_changed",
            name=sentences.name(one.place, words),
            before=sentences.colour(one.before.colour if one.before else 0, edition, words),
            now=sentences.colour(one.colour, edition, words),
        )
        for one in changed[:NAMED]
    ]
    more = words("rep_more", n=len(changed) - NAMED) if len(changed) > NAMED else ""
    return words("rep_semicolon").join(said) + more + words("rep_stop")


def moves(edition: Edition, words: Words) -> list[Block]:
    """Groups and areas with more or less than usual, those alone that chance hardly explains."""
    tested = [one for one in edition.groups if one.counted.verdict != "unknown"]
    rows = [_group_row(words.pick(one.name_zh, one.name_en), one, words) for one in edition.groups]
    level = edition.levels[0] if edition.levels else None
    found = [
        one for one in (level.areas if level else ()) if one.counted.verdict in {"more", "less"}
    ]
    content: list[Block] = [
        Table(
            name=words("rep_sheet_groups"),
            title=words("rep_groups"),
            columns=_count_columns(words("rep_group"), words),
            rows=tuple(rows),
            note=words("rep_groups_note", n=len(tested)),
        )
    ]
    said = [_moved(one, words) for one in found[:NAMED]]
    text = (
        words("rep_semicolon").join(said) + words("rep_stop") if said else words("rep_moves_none")
    )
    tested_areas = level.tested if level else 0
    content.append(Paragraph(text, lead=words("rep_moves_lead", n=tested_areas)))
    return content


def _group_row(name: str, one: Group | Standing, words: Words) -> tuple[Cell, ...]:
    counted = one.counted
    return (
        Cell(name),
        Cell(sentences.whole(counted.now, words), counted.now),
        Cell(sentences.whole(counted.before, words), counted.before),
        Cell(sentences.change(counted.now, counted.before, words)),
        Cell(sentences.spread(counted.usual, words)),
        Cell(sentences.verdict(counted, words)),
    )


def _count_columns(first: str, words: Words) -> tuple[Column, ...]:
    return (
        Column(first, width=1.4),
        Column(words("rep_this_week"), is_number=True, width=0.7),
        Column(words("rep_week_before"), is_number=True, width=0.7),
        Column(words("rep_change"), width=1.0),
        Column(words("rep_usual"), is_number=True, width=1.1),
        Column(words("rep_verdict"), width=1.0),
    )


def _moved(one: Standing, words: Words) -> str:
    counted = one.counted
    return words(
        f"rep_moved_{counted.verdict}",
        name=sentences.name(one.place, words),
        now=sentences.whole(counted.now, words),
        usual=sentences.spread(counted.usual, words),
    )


def attention(edition: Edition, words: Words) -> list[Block]:
    """Red and orange areas with the reason, who acts and until when."""
    content: list[Block] = []
    for level in edition.levels[:2]:
        rows = [one for one in level.areas if one.colour >= ORANGE]
        if rows:
            content.append(_attention(edition, level, rows, words))
    if not content:
        content.append(Paragraph(words("rep_attention_none")))
    lower = [
        words(
            "rep_lower",
            level=words(f"rep_level_{one.level}"),
            red=one.colours[RED],
            orange=one.colours[ORANGE],
        )
        for one in edition.levels[2:]
    ]
    if lower:
        said = words("rep_semicolon").join(lower) + words("rep_stop")
        content.append(Paragraph(said, lead=words("rep_lower_lead")))
    return content


def _attention(edition: Edition, level: Level, rows: Sequence[Standing], words: Words) -> Table:
    return Table(
        name=words("rep_sheet_attention", level=words(f"rep_level_{level.level}")),
        title=words(
            "rep_attention_title",
            level=words(f"rep_level_{level.level}"),
            red=level.colours[RED],
            orange=level.colours[ORANGE],
        ),
        columns=(
            Column(words("rep_area"), width=1.0),
            Column(words("index_colour"), width=1.1),
            Column(words("index_before"), width=0.6),
            Column(words("assess_risk"), is_number=True, width=0.6),
            Column(words("rep_why"), width=2.6),
            Column(words("rep_who"), width=1.7),
        ),
        rows=tuple(
            (
                Cell(sentences.name(one.place, words)),
                Cell(sentences.coloured(one.now, edition, words), colour=one.colour),
                Cell(
                    sentences.colour(one.before.colour if one.before else 0, edition, words),
                    colour=one.before.colour if one.before else 0,
                ),
                Cell(
                    sentences.one_decimal(one.now.risk if one.now else None, words),
                    one.now.risk if one.now else None,
                ),
                Cell(_first(words.pick_lists(one.why_zh, one.why_en), words)),
                Cell(_who(edition, one.colour, words)),
            )
            for one in rows
        ),
        note=words("rep_attention_note"),
    )


def _first(reasons: tuple[str, ...], words: Words) -> str:
    return reasons[0] if reasons else words("no_value")


def _who(edition: Edition, colour: int, words: Words) -> str:
    """Who acts on a colour, and until when."""
    duty = next((one for one in edition.duties if one.colour == colour), None)
    if duty is None:
        return ""
    who = words.pick(duty.name_zh, duty.name_en)
    return words("rep_until", who=who, day=duty.due) if duty.due else who


def spots(edition: Edition, words: Words) -> list[Block]:
    """New, running, rising, lasting and receding hot spots."""
    if not edition.spot_counts:
        return [Paragraph(words("rep_spots_unknown"))]
    content: list[Block] = []
    for pattern in PATTERNS:
        named = [one for one in edition.spots if one.pattern == pattern]
        count = edition.spot_counts.get(pattern, 0)
        if not count:
            continue
        said = words("assess_list").join(_spot(one, words) for one in named)
        more = words("rep_more", n=count - len(named)) if count > len(named) else ""
        lead = words("rep_spot_lead", pattern=words(f"hot_class_{pattern}"), n=count)
        content.append(Paragraph(said + more + words("rep_stop"), lead=lead))
    return content or [Paragraph(words("rep_spots_none"))]


def _spot(one: Spot, words: Words) -> str:
    within = words.pick(one.within_zh, one.within_en)
    return words("rep_spot", name=sentences.name(one.place, words), within=within, n=one.count)


def appendix(edition: Edition, words: Words) -> list[Block]:
    """Every area that the edition lists, for the workbook."""
    return [
        Table(
            name=words("rep_sheet_areas", level=words(f"rep_level_{level.level}")),
            title=words("rep_areas_title", level=words(f"rep_level_{level.level}")),
            columns=(
                Column(words("rep_code")),
                *_count_columns(words("rep_area"), words),
                Column(words("rep_year"), is_number=True),
                Column(words("index_colour")),
                Column(words("index_before")),
                Column(words("assess_index"), is_number=True),
                Column(words("assess_risk"), is_number=True),
                Column(words("index_rank")),
            ),
            rows=tuple(_area_row(edition, one, words) for one in level.areas),
            note=words("rep_areas_note", n=len(level.areas), of=sum(level.colours)),
            is_appendix=True,
        )
        for level in edition.levels
        if level.areas
    ]


def _area_row(edition: Edition, one: Standing, words: Words) -> tuple[Cell, ...]:
    now = one.now
    ranks = f"{now.rank_lower}–{now.rank_upper}" if now and now.rank_lower else ""
    safety, risk = (now.safety, now.risk) if now else (None, None)
    return (
        Cell(one.place.code),
        *_group_row(sentences.name(one.place, words), one, words),
        Cell(sentences.whole(one.counted.year, words), one.counted.year),
        Cell(sentences.coloured(now, edition, words), colour=one.colour),
        Cell(
            sentences.colour(one.before.colour if one.before else 0, edition, words),
            colour=one.before.colour if one.before else 0,
        ),
        Cell(sentences.one_decimal(safety, words), safety),
        Cell(sentences.one_decimal(risk, words), risk),
        Cell(ranks),
    )


def _mapped(edition: Edition) -> Level | None:
    """The level that the map colours: the next one that has areas."""
    return next((one for one in edition.levels if one.areas), None)
