"""The text of a letter from its evidence, in both languages; a person edits and signs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dashboard.letters.evidence import in_window
from dashboard.reports import sentences
from dashboard.text import Words
from data.letters.wording import Wording

if TYPE_CHECKING:
    import datetime as dt

    from dashboard.letters.evidence import Evidence
    from data.letters.models import Letter

RISKS: Final = ("repeat_red", "red", "orange")
NAMED: Final = 3
"""Reasons that a letter gives; its annex has all."""

WEEKS: Final = 6
"""Newest weeks of a hot spot that a letter gives; its annex has more."""


def letter(told: Evidence, *, due: dt.date) -> Wording:
    """A letter as it is proposed."""
    zh, en = Words("zh"), Words("en")
    return Wording(
        addressee_zh=told.addressee_zh,
        addressee_en=told.addressee_en,
        title_zh=_title(told, zh),
        title_en=_title(told, en),
        body_zh=_body(told, zh),
        body_en=_body(told, en),
        due=due,
    )


def slip(kind: str, told: Evidence, chain: list[Letter], *, due: dt.date) -> Wording:
    """
    The next slip of a chain as it is proposed.

    Parameters
    ----------
    chain
        The letter and the slips before it, in order.
    due
        Day by which an answer is asked for; a feedback asks for none.
    """
    zh, en = Words("zh"), Words("en")
    first, back = chain[0], kind in {"acceptance", "feedback"}
    # What answers goes to whoever wrote; what orders goes to the unit that was written to.
    return Wording(
        addressee_zh=told.publisher_zh if back else first.addressee_zh,
        addressee_en=told.publisher_en if back else first.addressee_en,
        title_zh=zh(f"letter_title_{kind}", place=sentences.name(told.place, zh)),
        title_en=en(f"letter_title_{kind}", place=sentences.name(told.place, en)),
        body_zh=_slip_body(kind, told, chain, zh),
        body_en=_slip_body(kind, told, chain, en),
        due=None if kind == "feedback" else due,
    )


def numbered(one: Letter, words: Words) -> str:
    """Number of a signed letter: code, year in brackets, count; that of a draft is still open."""
    code = words.pick(one.code_zh, one.code_en)
    if one.number is None:
        return words("letter_unnumbered", code=code)
    return words("letter_number", code=code, year=one.number_year, n=one.number)


def _title(told: Evidence, words: Words) -> str:
    return words(f"letter_title_{told.letter}", place=sentences.name(told.place, words))


def _body(told: Evidence, words: Words) -> str:
    lines = [
        words(
            "letter_opening",
            report=words.pick(told.title_zh, told.title_en),
            number=words("rep_number", year=told.year, n=told.number),
            week=told.week.label,
            first=told.week.first,
            last=told.week.last,
        )
        + "".join(finding(told, words)),
        *_reasons(told, words),
        words(f"letter_ask_{told.letter}"),
        words("letter_caveat"),
    ]
    return "\n".join(lines)


def finding(told: Evidence, words: Words) -> list[str]:
    """What the rule fired on, one sentence after the other."""
    if told.spot is not None:
        return [_spot(told, words)]
    if told.clock is not None:
        return [_clock(told, words)]
    return _standing(told, words)


def _standing(told: Evidence, words: Words) -> list[str]:
    assert told.standing is not None
    one, place = told.standing, sentences.name(told.place, words)
    now, before, counted = one.now, one.before, one.counted
    said = []
    if told.rule in RISKS and now is not None:
        said.append(
            words(
                "letter_found_colour",
                place=place,
                colour=sentences.coloured(now, told, words),
                risk=sentences.one_decimal(now.risk, words),
                before=sentences.one_decimal(before.risk if before else None, words),
                change=sentences.moved(now.risk, before.risk if before else None, words),
            )
        )
        if told.rule == "repeat_red":
            said.append(words("letter_found_repeat", n=now.repeat_red))
    said.append(
        words(
            "letter_found_count",
            place=place,
            now=sentences.whole(counted.now, words),
            before=sentences.whole(counted.before, words),
            change=sentences.change(counted.now, counted.before, words),
        )
    )
    if counted.usual is not None:
        said.append(
            words(
                "letter_found_usual",
                reported=sentences.whole(counted.reported, words),
                range=sentences.spread(counted.usual, words),
                verdict=sentences.verdict(counted, words),
            )
        )
    return said


def _spot(told: Evidence, words: Words) -> str:
    assert told.spot is not None
    one = told.spot
    weeks = one.history[-WEEKS:]
    return words(
        "letter_found_spot",
        within=words.pick(one.within_zh, one.within_en),
        place=sentences.name(one.place, words),
        pattern=words(f"hot_class_{one.pattern}"),
        window=in_window(one, words),
        count=f"{one.count:,d}",
        n=len(weeks),
        list=words("assess_list").join(f"{n:,d}" for n in weeks),
    )


def _clock(told: Evidence, words: Words) -> str:
    assert told.clock is not None
    one = told.clock
    return words(
        "letter_found_clock",
        place=sentences.name(told.place, words),
        clock=words.pick(one.name_zh, one.name_en),
        whole=f"{one.running + one.overdue:,d}",
        overdue=f"{one.overdue:,d}",
        oldest=sentences.one_decimal(one.oldest_days, words),
        unknown=f"{one.unknown:,d}",
    )


def _reasons(told: Evidence, words: Words) -> list[str]:
    standing = told.standing
    reasons = words.pick_lists(standing.why_zh, standing.why_en) if standing else ()
    if not reasons or told.rule not in RISKS:
        return []
    said = words("rep_semicolon").join(reasons[:NAMED])
    return [words("letter_found_why", list=said)]


def _slip_body(kind: str, told: Evidence, chain: list[Letter], words: Words) -> str:
    first, last = chain[0], chain[-1]
    named = words.pick(first.title_zh, first.title_en)
    lines = [
        words(
            f"letter_slip_{kind}",
            number=numbered(first, words),
            title=named,
            last=numbered(last, words),
        ),
        "".join(finding(told, words)),
    ]
    if kind == "feedback":
        blank = words("letter_blank")
        lines = [
            lines[0],
            words("letter_measures", blank=blank),
            words("letter_result", blank=blank),
        ]
    return "\n".join(lines)
