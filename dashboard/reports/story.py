"""The report of an edition in words, figures and tables: what every document shows, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dashboard.reports import sentences, story_areas, story_record
from dashboard.reports.document import Document, Figure, Figures, Heading, Paragraph
from dashboard.text import Words
from data.rates import SMALL_SAMPLE

if TYPE_CHECKING:
    import datetime as dt

    from dashboard.reports.document import Block
    from dashboard.reports.facts import Edition
    from dashboard.reports.making import Head
    from data.issues import Issue

GREY: Final = "#c8cdd3"


def document(edition: Edition, head: Head, issue: Issue, *, lang: str, issued: dt.date) -> Document:
    """
    Write the report.

    Parameters
    ----------
    lang
        zh or en.
    issued
        Day of issue in city time.
    """
    words = Words(lang)
    place = sentences.name(edition.place, words)
    title = words.pick(head.title_zh, head.title_en)
    version = words("rep_version", n=issue.version) if issue.version > 1 else ""
    return Document(
        lang=lang,
        title=words("rep_title", title=title, place=place),
        subtitle=words(
            "rep_days", week=edition.week.label, first=edition.week.first, last=edition.week.last
        ),
        number=words("rep_number", year=issue.year, n=issue.number) + version,
        publisher=words.pick(head.publisher_zh, head.publisher_en),
        dated=words("rep_dated", day=issued),
        headline=headline(edition, words),
        blocks=tuple(blocks(edition, words)),
        tints=(GREY, *(edition.palette.tints if edition.palette else ())),
        foot=_foot(edition, issue, words),
        copies=words.pick(head.copies_zh, head.copies_en),
        correction=issue.reason,
        properties={"snapshot": edition.snapshot, "week": edition.week.label},
    )


def blocks(edition: Edition, words: Words) -> list[Block]:
    """Every block in order; a part of which nothing is stored says so."""
    numbered = iter(range(1, 20))

    def part(key: str, content: list[Block]) -> list[Block]:
        title = words("rep_part", n=words(f"rep_n{next(numbered)}"), title=words(key))
        return [Heading(title), *content]

    return [
        *part("rep_overall", overall(edition, words)),
        *part("rep_map", story_areas.maps(edition, words)),
        *part("rep_moves", story_areas.moves(edition, words)),
        *part("rep_attention", story_areas.attention(edition, words)),
        *part("rep_spots", story_areas.spots(edition, words)),
        *part("rep_clocks", story_record.clocks(edition, words)),
        *part("rep_record", story_record.record(edition, words)),
        *part("rep_trust", story_record.trust(edition, words)),
        *story_areas.appendix(edition, words),
    ]


def headline(edition: Edition, words: Words) -> str:
    """Index with its change and its reason, and the count, in one sentence."""
    standing = edition.standing
    place = sentences.name(edition.place, words)
    now, before = standing.now, standing.before
    reasons = words.pick_lists(standing.why_zh, standing.why_en)
    reason = words("rep_reason", why=reasons[0]) if reasons else ""
    if now is None or now.safety is None:
        return words("rep_headline_grey", place=place)
    return words(
        "rep_headline",
        place=place,
        index=sentences.one_decimal(now.safety, words),
        colour=sentences.colour(now.colour, edition, words),
        moved=sentences.moved(now.safety, before.safety if before else None, words),
        reason=reason,
    )


def overall(edition: Edition, words: Words) -> list[Block]:
    """Index and count beside last week, last year and the fifteen weeks before; the groups."""
    standing, counted = edition.standing, edition.standing.counted
    now, before, year = standing.now, standing.before, standing.year
    safety = now.safety if now else None
    risk = now.risk if now else None
    figures = (
        Figure(
            words("assess_index"),
            sentences.one_decimal(safety, words),
            words(
                "rep_index_detail",
                before=sentences.moved(safety, before.safety if before else None, words),
                year=sentences.moved(safety, year.safety if year else None, words),
            ),
            colour=now.colour if now else 0,
        ),
        Figure(
            words("kpi_count"),
            sentences.whole(counted.now, words),
            words(
                "rep_count_detail",
                before=sentences.change(counted.now, counted.before, words),
                year=sentences.year_change(counted.now, counted.year, words),
            ),
        ),
        Figure(
            words("rep_usual"),
            sentences.spread(counted.usual, words),
            words(
                "rep_usual_detail",
                reported=sentences.whole(counted.reported, words),
                verdict=sentences.verdict(counted, words),
            ),
        ),
        Figure(
            words("rep_band"),
            sentences.spread(counted.band, words),
            sentences.against_band(counted.now, counted.band, words, least=SMALL_SAMPLE),
        ),
        Figure(
            words("rep_risk_band"),
            sentences.spread(standing.band, words, form=".1f"),
            words(
                "rep_risk_band_detail",
                risk=sentences.one_decimal(risk, words),
                where=sentences.against_band(risk, standing.band, words),
            ),
        ),
    )
    said: list[Block] = [Figures(figures)]
    if now is not None and now.colour:
        said.append(
            Paragraph(
                sentences.coloured(now, edition, words) + words("rep_stop"),
                lead=words("rep_colour_lead"),
            )
        )
    reasons = words.pick_lists(standing.why_zh, standing.why_en)
    if reasons:
        said.append(Paragraph(words("rep_semicolon").join(reasons), lead=words("rep_why_lead")))
    return said


def _foot(edition: Edition, issue: Issue, words: Words) -> tuple[str, ...]:
    notice = words.pick(edition.notice_zh, edition.notice_en)
    data = words("rep_foot", snapshot=edition.snapshot, as_of=edition.trust.as_of)
    version = words("rep_number", year=issue.year, n=issue.number) + words(
        "rep_version", n=issue.version
    )
    return tuple(filter(None, (notice, words("image_join").join((data, version)))))
