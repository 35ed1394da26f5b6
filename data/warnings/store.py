"""`Warnings`: open them, take them through their steps, escalate those that run out of time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from data.access import DeniedError, decide
from data.warnings import life, rights
from data.warnings.kinds import AreaWarning, NotVisibleError, StaleError, StepError
from data.warnings.models import WarningRow, WarningStep
from data.warnings.moving import step_row, take
from data.warnings.opening import Opening
from data.warnings.reading import visible
from data.warnings.rows import as_warnings, owner_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from data.access import Scope
    from data.warnings.kinds import Unit

MOST_AT_ONCE: Final = 100
"""Warnings of one batch."""

_KEY: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")
"""Of a person's step; the program's own keys hold a colon."""
_CODE: Final = re.compile(r"\S{1,40}")


@dataclass(frozen=True)
class Outcome:
    """
    What became of one warning of a batch.

    `error` is "" where the step was taken, else `stale` (`warning` as it stands now), `step`,
    `denied` or `unknown`.
    """

    id: int
    warning: AreaWarning | None
    error: str = ""


class Warnings(Opening):
    """
    The warnings of one installation; safe to share between threads and beside other processes.

    Parameters
    ----------
    settings
        None = the product's default.
    tree
        Gives the areas of the newest snapshot; needed to open warnings and to assign below their
        own area.
    audit
        Where each step is written first. The web process leaves it out: there the row of the
        request (`dashboard.audited.before`) is the record.
    """

    def act(
        self,
        scope: Scope,
        warning_id: int,
        *,
        step: str,
        version: int,
        key: str,
        to_unit: Unit | None = None,
        reason: str | None = None,
        now: dt.datetime,
    ) -> AreaWarning:
        """
        Take a warning through a step.

        Parameters
        ----------
        version
            As the caller saw it.
        key
            8 to 64 letters, digits, - or _, made once for each press: the same key again is the
            same step, whatever has happened since.
        to_unit
            Whom it is assigned to; with `assign` alone.
        reason
            One of `life.REASONS`.

        Returns
        -------
        warning
            As it stands now.

        Raises
        ------
        NotVisibleError
            It is unknown or outside the scope.
        DeniedError
            The scope may not take the step with it.
        StaleError
            Somebody else was faster; it carries the present state.
        StepError
            The life does not allow the step, or unit, reason or key cannot be.
        """
        if not _KEY.fullmatch(key):
            raise StepError("the key of a step has 8 to 64 letters, digits, - or _")
        target = f"warning {warning_id}"
        with self._recorded(now, scope, target, step), self.database.writing() as session:
            # First the lock: the same press on another connection may be taking the step now.
            session.execute(_locked(warning_id))
            done = _taken(session, warning_id, key)
            if done is not None and done.by == scope.user:
                return self._again(session, done, step)
            row, present = visible(session, scope, warning_id, self.settings)
            if done is not None:
                raise StepError("the key belongs to another step")
            self._check_same(session, row, version)
            rights.check_may(scope, present, step)
            told = life.check_reason(step, reason)
            owner = self._next_owner(session, present, step, to_unit)
            self._check_reach(scope, present, step, owner)
            to = life.move(row.state, step).to
            take(row, to, owner, step=step, now=now, settings=self.settings)
            session.add(
                step_row(row, step, present.state, by=scope.user, key=key, at=now, reason=told)
            )
            return self._value(session, row)

    def act_on_many(
        self,
        scope: Scope,
        versions: Mapping[int, int],
        *,
        step: str,
        key: str,
        to_unit: Unit | None = None,
        reason: str | None = None,
        now: dt.datetime,
    ) -> list[Outcome]:
        """
        Take several warnings through the same step, each by itself; one key for all.

        Parameters
        ----------
        versions
            Id to version as the caller saw it; 100 at most.

        Raises
        ------
        ValueError
            There are too many.
        """
        if len(versions) > MOST_AT_ONCE:
            raise ValueError(f"{len(versions)} warnings at once; at most {MOST_AT_ONCE}")
        found = []
        for number, version in versions.items():
            try:
                done = self.act(
                    scope, number, step=step, version=version, key=key, to_unit=to_unit,
                    reason=reason, now=now,
                )  # fmt: skip
                found.append(Outcome(number, done))
            except StaleError as error:
                found.append(Outcome(number, error.present, "stale"))
            except StepError:
                found.append(Outcome(number, None, "step"))
            except DeniedError:
                found.append(Outcome(number, None, "denied"))
            except NotVisibleError:
                found.append(Outcome(number, None, "unknown"))
        return found

    def late(self, now: dt.datetime) -> list[tuple[AreaWarning, Unit]]:
        """Warnings whose clock has run out, each with the unit above; not those at the top."""
        asked = sa.select(WarningRow).where(
            WarningRow.due_at < now, WarningRow.state.in_(life.OPEN)
        )
        with self.database.reading() as session:
            rows = session.scalars(asked.order_by(WarningRow.id)).all()
            found = as_warnings(session, rows, self.settings)
        above = [(one, self.settings.above(one.owner, one.places)) for one in found]
        return [(one, owner) for one, owner in above if owner is not None]

    def escalate_due(self, now: dt.datetime) -> list[AreaWarning]:
        """
        Give every warning whose clock has run out to the unit above; those at the top stay.

        Run twice it does nothing more: the clocks of an escalated warning begin anew.
        """
        taken = [self._escalate(one, owner, now) for one, owner in self.late(now)]
        return [one for one in taken if one is not None]

    def _escalate(self, late: AreaWarning, owner: Unit, now: dt.datetime) -> AreaWarning | None:
        """Escalate one; None where somebody was faster."""
        told = f"escalate {life.OVERDUE} {late.due_clock} to {owner.level} {owner.code}"
        try:
            with (
                self._recorded(now, None, f"warning {late.id}", told),
                self.database.writing() as session,
            ):
                row = session.get_one(WarningRow, late.id, with_for_update=True)
                self._check_same(session, row, late.version)
                to, step, reason = life.ESCALATED, life.ESCALATE, life.OVERDUE
                take(row, to, owner, step=step, now=now, settings=self.settings)
                key = f"{reason}:{late.version}"
                session.add(step_row(row, step, late.state, by="", key=key, at=now, reason=reason))
                return self._value(session, row)
        except StaleError:
            return None

    def _check_same(self, session: Session, row: WarningRow, version: int) -> None:
        if row.version != version:
            raise StaleError(self._value(session, row))

    def _next_owner(
        self, session: Session, warning: AreaWarning, step: str, to_unit: Unit | None
    ) -> Unit:
        """Who owns a warning after a step."""
        if (step == life.ASSIGN) != (to_unit is not None):
            raise StepError("a unit is named when a warning is assigned, and only then")
        if to_unit is not None:
            return self._checked(to_unit, warning)
        if step in (life.RETURN, life.REJECT):
            return _who_assigned(session, warning)
        if step == life.ESCALATE:
            above = self.settings.above(warning.owner, warning.places)
            if above is None:
                raise StepError("there is no unit above")
            return above
        return warning.owner

    def _checked(self, unit: Unit, warning: AreaWarning) -> Unit:
        """A unit that can own a warning: of an area around its own, or within it."""
        if self.settings.units.get(unit.level) != unit.role or not _CODE.fullmatch(unit.code):
            raise StepError("there is no such unit")
        if unit.place in warning.places:
            return unit
        try:
            path = self._path(*unit.place)
        except NotVisibleError:
            raise StepError("there is no such unit") from None
        if warning.places[0] not in path:
            raise StepError("the unit's area has nothing to do with the warning's")
        return unit

    def _check_reach(self, scope: Scope, warning: AreaWarning, step: str, owner: Unit) -> None:
        """Whoever assigns can give a warning to units at or below one of the own areas only."""
        if step != life.ASSIGN:
            return
        granted = decide(scope, rights.ACT).areas
        if owner.place in warning.places:
            path = warning.places[warning.places.index(owner.place) :]
        else:
            path = self._path(*owner.place)
        if not granted & {*path}:
            raise DeniedError(f"{scope.user} may not assign to {owner.level} {owner.code}")

    def _again(self, session: Session, done: WarningStep, step: str) -> AreaWarning:
        """The warning as it stands, for whoever presses the same key again."""
        if done.step != step:
            raise StepError("the key belongs to another step")
        return self._value(session, session.get_one(WarningRow, done.warning_id))


def _locked(warning_id: int) -> Any:
    return sa.select(WarningRow.id).where(WarningRow.id == warning_id).with_for_update()


def _taken(session: Session, warning_id: int, key: str) -> WarningStep | None:
    """The step that a key stands for, if it was taken."""
    asked = sa.select(WarningStep).where(
        WarningStep.warning_id == warning_id, WarningStep.key == key
    )
    return session.scalars(asked).one_or_none()


def _who_assigned(session: Session, warning: AreaWarning) -> Unit:
    """Owner before the last assignment; the present one where none was."""
    rows = session.scalars(
        sa.select(WarningStep)
        .where(WarningStep.warning_id == warning.id)
        .order_by(WarningStep.number.desc())
    ).all()
    for later, earlier in pairwise(rows):
        if later.step == life.ASSIGN:
            return owner_of(earlier)
    return warning.owner
