"""Letters and slips of one installation: every step under the scope of who takes it."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from data.access import NotVisibleError, decide
from data.letters import kinds
from data.letters.models import Letter, path_text
from data.letters.wording import Wording, checked
from data.state.alone import alone

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from data.access import Scope
    from data.state.database import StateDatabase

READ, CHANGE = "letters", "letters_change"
"""Actions of the permission matrix."""

MOST: Final = 500
"""Letters of one list."""

_LOCK: Final = 0x50_49_11
"""Numbers and chains are decided on everything that is stored."""

_ID_BYTES: Final = 6


class LetterError(ValueError):
    """A step that the state of the letter does not allow."""


class StaleError(LetterError):
    """Somebody else has changed the letter meanwhile; nothing was written."""


@dataclass(frozen=True)
class Basis:
    """
    What a letter is drafted from; it never changes.

    Attributes
    ----------
    path
        Level and code of the areas from the top down to the letter's own.
    about
        What sets it apart from others of its kind, area, week and rule: a deadline, or nothing.
    """

    kind: str
    path: tuple[tuple[str, str], ...]
    week: str
    version: int
    snapshot: str
    rule: str
    evidence: str
    code_zh: str
    code_en: str
    about: str = ""

    @property
    def area(self) -> tuple[str, str]:
        """Level and code."""
        return self.path[-1]

    @property
    def key(self) -> str:
        """The same for the same finding; a correction of the issue is no other finding."""
        told = (self.kind, *self.area, self.week, self.rule, self.about)
        return hashlib.sha256("\0".join(told).encode()).hexdigest()


class Letters:
    """The letters of one state database; safe to share between threads."""

    def __init__(self, database: StateDatabase) -> None:
        self._database = database

    def draft(self, scope: Scope, basis: Basis, wording: Wording, *, now: dt.datetime) -> Letter:
        """
        Draft a letter; one that is there already for the same finding is given back.

        Raises
        ------
        NotVisibleError
            The scope does not cover the area.
        WordingError
            The text cannot be taken.
        StateError
            The database fails.
        """
        _check(scope, CHANGE, basis.path)
        taken = checked(wording)
        with self._database.writing() as session:
            alone(session, _LOCK)
            known = session.scalar(sa.select(Letter).where(Letter.key == basis.key))
            if known is not None:
                return known
            return _add(session, scope, basis, taken, now=now)

    def draft_slip(
        self, scope: Scope, letter_id: str, kind: str, wording: Wording, *, now: dt.datetime
    ) -> Letter:
        """
        Draft the next slip of a letter's chain, from the same evidence.

        One that is being drafted already is given back.

        Raises
        ------
        NotVisibleError
            There is no such letter for the scope.
        LetterError
            The slip is not the next one of the chain.
        WordingError
            The text cannot be taken.
        """
        taken = checked(wording)
        with self._database.writing() as session:
            alone(session, _LOCK)
            chain = _chain(session, _found(session, scope, letter_id, CHANGE).chain)
            waiting = next((one for one in chain if one.status == kinds.DRAFT), None)
            if waiting is not None and waiting.kind == kind and waiting.is_slip:
                return waiting
            if kind not in kinds.following(chain):
                raise LetterError(f"{kind} is not the next slip of {letter_id}")
            first = chain[0]
            basis = Basis(
                kind, first.area_path, first.week, first.version, first.snapshot, first.rule,
                first.evidence, *codes_of(first, kind), about=f"{first.id} {len(chain)}",
            )  # fmt: skip
            return _add(session, scope, basis, taken, now=now, chain=first.id, step=len(chain))

    def edit(
        self,
        scope: Scope,
        letter_id: str,
        wording: Wording,
        *,
        revision: int,
        now: dt.datetime,
    ) -> Letter:
        """
        Change the text of a draft.

        Parameters
        ----------
        revision
            The one that the text was written over.

        Raises
        ------
        NotVisibleError
            There is no such letter for the scope.
        LetterError
            It is no draft any more; StaleError: somebody else has changed it meanwhile.
        WordingError
            The text cannot be taken.
        """
        taken = checked(wording)
        with self._database.writing() as session:
            alone(session, _LOCK)
            letter = _found(session, scope, letter_id, CHANGE)
            _check_draft(letter)
            if all(getattr(letter, name) == value for name, value in asdict(taken).items()):
                return letter  # sent twice
            _check_revision(letter, revision)
            for name, value in asdict(taken).items():
                setattr(letter, name, value)
            letter.revision += 1
            letter.edited_by, letter.edited_at = scope.user, now
            return letter

    def sign(
        self, scope: Scope, letter_id: str, *, revision: int, now: dt.datetime, day: dt.date
    ) -> Letter:
        """
        Sign a draft: it gets the next number of its kind and year, and never changes again.

        Signed twice by the same account it is signed once.

        Parameters
        ----------
        revision
            The one that was read.
        day
            In the city.

        Raises
        ------
        NotVisibleError
            There is no such letter for the scope.
        LetterError
            It is no draft any more; StaleError: it was changed after it was read.
        """
        with self._database.writing() as session:
            alone(session, _LOCK)
            letter = _found(session, scope, letter_id, CHANGE)
            if letter.status == kinds.SIGNED and letter.signed_by == scope.user:
                return letter
            _check_draft(letter)
            _check_revision(letter, revision)
            newest = session.scalar(
                sa.select(sa.func.max(Letter.number)).where(
                    Letter.kind == letter.kind, Letter.number_year == day.year
                )
            )
            letter.status = kinds.SIGNED
            letter.number_year, letter.number = day.year, (newest or 0) + 1
            letter.signed_by, letter.signed_at, letter.signed_on = scope.user, now, day
            return letter

    def withdraw(self, scope: Scope, letter_id: str, reason: str, *, now: dt.datetime) -> Letter:
        """
        Withdraw a draft or a signed letter; a number that was given is not given again.

        Raises
        ------
        NotVisibleError
            There is no such letter for the scope.
        LetterError
            The reason is none of `kinds.REASONS`, or slips of the chain still hang on it.
        """
        if reason not in kinds.REASONS:
            raise LetterError(f"{reason!r} is none of {', '.join(kinds.REASONS)}")
        with self._database.writing() as session:
            alone(session, _LOCK)
            letter = _found(session, scope, letter_id, CHANGE)
            if letter.status == kinds.WITHDRAWN:
                return letter
            later = [one for one in _chain(session, letter.chain) if one.step > letter.step]
            if any(one.status != kinds.WITHDRAWN for one in later):
                raise LetterError(f"{letter_id} has later slips; withdraw the last one first")
            letter.status, letter.key = kinds.WITHDRAWN, None
            letter.withdrawn_by, letter.withdrawn_at = scope.user, now
            letter.withdrawn_for = reason
            return letter

    def find(self, scope: Scope, letter_id: str, *, action: str = READ) -> Letter:
        """
        One letter.

        Raises
        ------
        NotVisibleError
            There is none, or the scope does not cover it: the same answer.
        """
        with self._database.reading() as session:
            return _found(session, scope, letter_id, action)

    def chain(self, scope: Scope, letter: Letter) -> list[Letter]:
        """A letter's chain in order; its slips are about the same area."""
        _check(scope, READ, letter.area_path)
        with self._database.reading() as session:
            return _chain(session, letter.chain)

    def listed(
        self, scope: Scope, *, status: str = "", signed_upto: dt.date | None = None
    ) -> list[Letter]:
        """
        Letters and slips of the scope's areas, the newest first.

        Parameters
        ----------
        status
            One of `kinds.STATUSES`; empty = all.
        signed_upto
            Only letters, not slips, that were signed up to that day.
        """
        asked = sa.select(Letter).where(*_within(scope, READ))
        if status:
            asked = asked.where(Letter.status == status)
        if signed_upto is not None:
            asked = asked.where(Letter.signed_on <= signed_upto, Letter.chain == Letter.id)
        ordered = asked.order_by(Letter.drafted_at.desc(), Letter.id).limit(MOST)
        with self._database.reading() as session:
            return list(session.scalars(ordered))

    def drafted_for(self, scope: Scope, keys: Sequence[str]) -> dict[str, str]:
        """Ids of the letters that are there for some findings, by their key."""
        asked = sa.select(Letter.key, Letter.id).where(Letter.key.in_(keys), *_within(scope, READ))
        with self._database.reading() as session:
            return {str(key): str(found) for key, found in session.execute(asked)}


def codes_of(letter: Letter, kind: str) -> tuple[str, str]:
    """What stands before the year in the numbers of a kind, as the letter's evidence tells."""
    told = json.loads(letter.evidence).get("codes", {}).get(kind, (kind, kind))
    return str(told[0]), str(told[1])


def _add(
    session: Session,
    scope: Scope,
    basis: Basis,
    wording: Wording,
    *,
    now: dt.datetime,
    chain: str = "",
    step: int = 0,
) -> Letter:
    number = secrets.token_hex(_ID_BYTES)
    letter = Letter(
        id=number,
        key=basis.key,
        chain=chain or number,
        step=step,
        kind=basis.kind,
        status=kinds.DRAFT,
        revision=1,
        level=basis.area[0],
        area_code=basis.area[1],
        path=path_text(basis.path),
        week=basis.week,
        version=basis.version,
        snapshot=basis.snapshot,
        rule=basis.rule,
        evidence=basis.evidence,
        code_zh=basis.code_zh,
        code_en=basis.code_en,
        drafted_by=scope.user,
        drafted_at=now,
        **asdict(wording),
    )
    session.add(letter)
    return letter


def _found(session: Session, scope: Scope, letter_id: str, action: str) -> Letter:
    asked = letter_id if letter_id.isascii() and letter_id.isalnum() else ""
    letter = session.get(Letter, asked)
    if letter is None:
        raise NotVisibleError("no such letter")
    _check(scope, action, letter.area_path)
    return letter


def _chain(session: Session, first: str) -> list[Letter]:
    asked = sa.select(Letter).where(Letter.chain == first).order_by(Letter.step, Letter.drafted_at)
    return list(session.scalars(asked))


def _check(scope: Scope, action: str, path: tuple[tuple[str, str], ...]) -> None:
    decision = decide(scope, action)
    if not decision.covers_city and decision.areas.isdisjoint(path):
        raise NotVisibleError("no such letter")


def _within(scope: Scope, action: str) -> list[sa.ColumnElement[bool]]:
    decision = decide(scope, action)
    if decision.covers_city:
        return []
    parts = [
        Letter.path.contains(f"|{level}:{code}|", autoescape=True)
        for level, code in sorted(decision.areas)
    ]
    return [sa.or_(sa.false(), *parts)]


def _check_draft(letter: Letter) -> None:
    if letter.status != kinds.DRAFT:
        raise LetterError(f"{letter.id} is {letter.status}, no draft")


def _check_revision(letter: Letter, revision: int) -> None:
    if letter.revision != revision:
        raise StaleError(f"{letter.id} is at revision {letter.revision}, not {revision}")
