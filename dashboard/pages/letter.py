"""One letter: as it will look, its chain, the figures it rests on, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from flask import abort, request

from dashboard import audited
from dashboard.guard import current_scope
from dashboard.letters import drafting, effect, evidence
from dashboard.letters.document import paper
from dashboard.pages import letters, render
from data.access import NotVisibleError, decide
from data.letters import kinds
from data.letters.store import CHANGE, Letters
from data.letters.wording import LONGEST, Wording
from data.manifest import SnapshotError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask import Response

    from dashboard.pages.context import PageContext
    from dashboard.text import Words
    from data.letters.models import Letter

FIELDS: Final = ("addressee", "title", "body")
TOLD: Final = ("drafted", "saved", "signed", "withdrawn")


class Step(NamedTuple):
    """One of the chain: what it is, where it stands, when."""

    name: str
    number: str
    state: str
    tone: str
    day: str
    href: str
    is_here: bool


def show(context: PageContext, letter_id: str) -> Response:
    """Show a letter; another's is answered as one that is not there."""
    audited.describe("view", f"/letters/{letter_id[:12]}")
    return page(context, found(context, letter_id))


def found(context: PageContext, letter_id: str, *, action: str = "letters") -> Letter:
    """Look a letter up; 404 for one that the scope does not cover."""
    try:
        return Letters(context.database).find(current_scope(), letter_id, action=action)
    except NotVisibleError:
        abort(404)


def page(
    context: PageContext,
    letter: Letter,
    *,
    faulty: Sequence[str] = (),
    written: Wording | None = None,
    status: int = 400,
) -> Response:
    """
    Draw a letter.

    Parameters
    ----------
    written
        What stood in the form that could not be taken.
    """
    told, scope = render.words(), current_scope()
    try:
        drawn = paper(letter, lang=told.lang)
        figures = evidence.blocks(evidence.evidence_of(letter), told)
    except msgspec.ValidationError:
        abort(503, told("letter_unread"))
    chain = Letters(context.database).chain(scope, letter)
    may_change = _may_change(context, letter)
    return render.page(
        context,
        "letter.html",
        status=status if faulty else 200,
        title=f"{drawn.document.title} {drawn.document.number}",
        letter=letter,
        kind=told(f"letter_kind_{letter.kind}"),
        state=told(f"letter_state_{letter.status}"),
        tone=letters.TONES[letter.status],
        paper=drawn,
        figures=[(type(one).__name__.lower(), one) for one in figures],
        area=context.names.name(letter.level, letter.area_code, told.lang),
        done=_done(letter, told),
        faulty=faulty,
        written=written or _stored(letter),
        longest=LONGEST,
        may_change=may_change,
        may_take=decide(scope, "export").is_allowed,
        needs_reason=decide(scope, CHANGE).needs_reason,
        reasons=[(one, told(f"letter_why_{one}")) for one in kinds.REASONS],
        steps=[_step(one, letter, told) for one in chain],
        following=_following(chain, told) if may_change else [],
        is_over=any(one.kind == "feedback" and one.status == kinds.SIGNED for one in chain),
        effect=None if letter.is_slip else _effect(context, letter, told),
    )


def _may_change(context: PageContext, letter: Letter) -> bool:
    try:
        Letters(context.database).find(current_scope(), letter.id, action=CHANGE)
    except NotVisibleError:
        return False
    return True


def _stored(letter: Letter) -> Wording:
    values: dict[str, Any] = {
        f"{name}_{lang}": getattr(letter, f"{name}_{lang}")
        for name in FIELDS
        for lang in ("zh", "en")
    }
    return Wording(**values, due=letter.due)


def _done(letter: Letter, told: Words) -> str:
    """What was just done, as the address says."""
    what = request.args.get("told", "")
    if what not in TOLD:
        return ""
    if what == "signed":
        return told("letter_told_signed", number=drafting.numbered(letter, told))
    return told(f"letter_told_{what}")


def _step(one: Letter, here: Letter, told: Words) -> Step:
    day = one.signed_on or one.drafted_at.date()
    return Step(
        told(f"letter_kind_{one.kind}"),
        drafting.numbered(one, told),
        told(f"letter_state_{one.status}"),
        letters.TONES[one.status],
        f"{day:%Y-%m-%d}",
        render.address("letter", letter_id=one.id),
        one.id == here.id,
    )


def _following(chain: Sequence[Letter], told: Words) -> list[tuple[str, str]]:
    """Kinds of the slips that may be drafted next, with the words of their button."""
    return [
        (kind, told("letter_next", kind=told(f"letter_kind_{kind}")))
        for kind in kinds.following(chain)
    ]


def _effect(context: PageContext, letter: Letter, told: Words) -> list[str]:
    """What came of it, one paragraph each."""
    if letter.status != kinds.SIGNED:
        return [told("letter_effect_unsigned")]
    scope = current_scope()
    try:
        measured = effect.effect(scope, context.store.current(), letter, today=context.today())
    except (SnapshotError, NotVisibleError):
        return [told("letter_effect_cannot_tell")]
    return effect.sentences(scope, measured, told) if measured else []
