"""Changes of one letter: edited, signed, withdrawn, followed by a slip; each one is audited."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from flask import abort, request

from dashboard import audited
from dashboard.guard import current_scope
from dashboard.letters import candidates, drafting, evidence
from dashboard.pages import letter as letter_page
from dashboard.pages import render
from dashboard.pages.letter_words import wording_faults
from dashboard.pages.reasons import given_reason
from dashboard.text import Words
from data.access import NotVisibleError, decide
from data.letters import kinds
from data.letters.store import CHANGE, LetterError, Letters, StaleError
from data.letters.wording import Wording, WordingError, is_personal

if TYPE_CHECKING:
    from flask import Response

    from dashboard.pages.context import PageContext
    from data.letters.models import Letter


def change(context: PageContext, letter_id: str) -> Response:
    """Change a letter as its form says."""
    do = request.form.get("do", "")
    audited.describe("letter", f"/letters/{letter_id[:12]}", do[:16])
    steps = {"edit": _edit, "sign": _sign, "withdraw": _withdraw, "slip": _slip}
    letter = letter_page.found(context, letter_id, action=CHANGE)
    if do not in steps:
        abort(400)
    try:
        return steps[do](context, letter)
    except NotVisibleError:
        abort(404)


def _edit(context: PageContext, letter: Letter) -> Response:
    told = render.words()
    due, is_day = _day(request.form.get("due", ""))
    written = _written(due)
    if not is_day:
        return letter_page.page(context, letter, faulty=[told("letter_fault_due")], written=written)
    revision = _revision()
    audited.before("letter", _named(letter), f"edit revision {revision}")
    try:
        Letters(context.database).edit(
            current_scope(), letter.id, written, revision=revision, now=context.clock()
        )
    except WordingError as error:
        return letter_page.page(
            context, letter, faulty=wording_faults(error, told), written=written
        )
    except StaleError:
        now = letter_page.found(context, letter.id)
        fault = told("letter_fault_stale", now=now.revision, was=revision)
        return letter_page.page(context, now, faulty=[fault], written=written, status=409)
    except LetterError:
        return _refused(context, letter, "letter_fault_state")
    return _done(letter, "saved")


def _sign(context: PageContext, letter: Letter) -> Response:
    reason = given_reason()
    if letter.status == kinds.DRAFT:
        if decide(current_scope(), CHANGE).needs_reason and not reason:
            return _refused(context, letter, "reason_missing", status=400)
        if is_personal(reason):
            return _refused(context, letter, "letter_fault_reason", status=400)
        if Words("zh")("letter_blank") in letter.body_zh:
            return _refused(context, letter, "letter_fault_blank", status=400)
    audited.before("letter", _named(letter), f"sign: {reason}")
    try:
        Letters(context.database).sign(
            current_scope(),
            letter.id,
            revision=_revision(),
            now=context.clock(),
            day=context.today(),
        )
    except StaleError:
        return _refused(context, letter, "letter_fault_stale_sign")
    except LetterError:
        return _refused(context, letter, "letter_fault_state")
    return _done(letter, "signed")


def _withdraw(context: PageContext, letter: Letter) -> Response:
    why = request.form.get("why", "")
    if why not in kinds.REASONS:
        abort(400)
    audited.before("letter", _named(letter), f"withdraw: {why}")
    try:
        Letters(context.database).withdraw(current_scope(), letter.id, why, now=context.clock())
    except LetterError:
        return _refused(context, letter, "letter_fault_slips")
    return _done(letter, "withdrawn")


def _slip(context: PageContext, letter: Letter) -> Response:
    kind = request.form.get("kind", "")
    if kind not in kinds.SLIPS:
        abort(400)
    scope, store = current_scope(), Letters(context.database)
    # What was withdrawn is named nowhere.
    chain = [one for one in store.chain(scope, letter) if one.status != kinds.WITHDRAWN]
    if not chain or chain[0].is_slip:
        return _refused(context, letter, "letter_fault_state")
    told = evidence.evidence_of(letter)
    due = candidates.due_on(told, context.today())
    wording = drafting.slip(kind, told, chain, due=due)
    audited.before("letter", _named(letter), f"draft {kind}")
    try:
        made = store.draft_slip(scope, chain[0].id, kind, wording, now=context.clock())
    except LetterError:
        return _refused(context, letter, "letter_fault_state")
    return _done(made, "drafted")


def _refused(context: PageContext, letter: Letter, key: str, *, status: int = 409) -> Response:
    """The letter as it is now, with why nothing was done."""
    now = letter_page.found(context, letter.id)
    return letter_page.page(context, now, faulty=[render.words()(key)], status=status)


def _done(letter: Letter, told: str) -> Response:
    return render.go(render.address("letter", letter_id=letter.id, told=told))


def _named(letter: Letter) -> str:
    """How the audit names a letter: no word of its text."""
    return f"{letter.id} {letter.kind} {letter.level}.{letter.area_code} {letter.week}"


def _written(due: dt.date | None) -> Wording:
    texts = {
        f"{name}_{lang}": request.form.get(f"{name}_{lang}", "")
        for name in letter_page.FIELDS
        for lang in ("zh", "en")
    }
    return Wording(**texts, due=due)


def _revision() -> int:
    text = request.form.get("revision", "")
    if not (text.isascii() and text.isdigit() and len(text) < 7):
        abort(400)
    return int(text)


def _day(text: str) -> tuple[dt.date | None, bool]:
    """The day of a field, and whether it is one or empty."""
    try:
        return (dt.date.fromisoformat(text.strip()) if text.strip() else None), True
    except ValueError:
        return None, False
