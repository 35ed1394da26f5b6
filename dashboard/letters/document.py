"""A letter as a document: the blocks that page, Word and PDF draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dashboard.letters import drafting, evidence
from dashboard.reports.document import Document, Paragraph
from dashboard.reports.story import GREY
from dashboard.text import Words
from data.letters.kinds import DRAFT, WITHDRAWN

if TYPE_CHECKING:
    from dashboard.reports.document import Block
    from data.letters.models import Letter


@dataclass(frozen=True)
class Paper:
    """
    A letter on paper.

    Attributes
    ----------
    document
        Its text; `publisher` signs it.
    addressee
        To whom it goes, with the sign after it.
    annex
        Figures that it rests on, on a sheet of their own.
    state
        What is printed over a draft or a withdrawn one; empty for a signed one.
    """

    document: Document
    addressee: str
    annex: tuple[Block, ...]
    annex_title: str
    state: str


def paper(letter: Letter, *, lang: str) -> Paper:
    """
    A letter in one language.

    Raises
    ------
    msgspec.ValidationError
        Its evidence was written by another version of this program.
    """
    words, told = Words(lang), evidence.evidence_of(letter)
    annex = evidence.blocks(told, words)
    state = _state(letter, words)
    document = Document(
        lang=lang,
        title=words.pick(letter.title_zh, letter.title_en),
        subtitle=words(f"letter_kind_{letter.kind}"),
        number=drafting.numbered(letter, words),
        publisher=words.pick(told.publisher_zh, told.publisher_en),
        dated=words("rep_dated", day=letter.signed_on) if letter.signed_on else state,
        headline="",
        blocks=tuple(_text(letter, words)),
        tints=(GREY, *(told.palette.tints if told.palette else ())),
        foot=tuple(filter(None, (state, words.pick(told.notice_zh, told.notice_en)))),
        copies=words.pick(told.copies_zh, told.copies_en),
        properties={"snapshot": letter.snapshot, "week": letter.week},
    )
    return Paper(
        document,
        words("letter_to", unit=words.pick(letter.addressee_zh, letter.addressee_en)),
        tuple(annex),
        words("letter_annex"),
        state,
    )


def _text(letter: Letter, words: Words) -> list[Block]:
    body = words.pick(letter.body_zh, letter.body_en)
    said: list[Block] = [Paragraph(line) for line in body.split("\n")]
    if letter.due is not None:
        said.append(Paragraph(words("letter_due_line", day=letter.due)))
    said.append(Paragraph(words("letter_annexed")))
    return said


def _state(letter: Letter, words: Words) -> str:
    if letter.status == DRAFT:
        return words("letter_is_draft")
    return words("letter_is_withdrawn") if letter.status == WITHDRAWN else ""
