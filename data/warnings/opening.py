"""Open warnings, once for each episode, and raise those whose condition has grown."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from data.access import DeniedError, decide
from data.state.alone import WARNINGS, alone
from data.warnings import life, rights
from data.warnings.clocks import URGENCIES
from data.warnings.kinds import NotVisibleError
from data.warnings.models import WarningPlace, WarningRow
from data.warnings.moving import set_owner, step_row, wind
from data.warnings.reading import Reading
from data.warnings.rows import as_warnings, evidence_text, new_tracking, owner_columns
from data.warnings.settings import read_warning_settings

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sqlalchemy.orm import Session

    from data.access import Scope
    from data.audit import AuditLog
    from data.state.database import StateDatabase
    from data.warnings.episodes import Episode
    from data.warnings.kinds import AreaWarning, Place, Unit, Value
    from data.warnings.settings import WarningSettings
    from data.warnings.tree import AreaTree


class Opening(Reading):
    """What opens warnings, and writes every step into the audit."""

    def __init__(
        self,
        database: StateDatabase,
        *,
        settings: WarningSettings | None = None,
        tree: Callable[[], AreaTree] | None = None,
        audit: AuditLog | None = None,
    ) -> None:
        self.database = database
        self.settings = settings or read_warning_settings(None)
        self._tree = tree
        self._audit = audit

    def open(
        self,
        *,
        fingerprint: str,
        rule: str,
        level: str,
        code: str,
        group: str,
        colour: int,
        evidence: Mapping[str, Value],
        owner: Unit | None = None,
        snapshot: str,
        now: dt.datetime,
        urgency: str | None = None,
        repeats: int = 1,
        seen_on: dt.date | None = None,
        by: Scope | None = None,
    ) -> AreaWarning:
        """
        Open a warning; the same fingerprint again gives back the one there is.

        One that is still open is raised where the colour, or the rung of its repeats, is higher
        than before: with new evidence, and the clocks of the new colour from now on.

        Parameters
        ----------
        fingerprint
            Rule, area, group and episode.
        evidence
            Numbers and codes only.
        owner
            None = by the routing rules.
        urgency
            None = by the colour.
        by
            Who opens it by hand (rule `person`); the program where left out.

        Raises
        ------
        NotVisibleError
            There is no such area, or it is outside the scope.
        DeniedError
            The scope may not open warnings.
        ValueError
            The evidence holds text, or the colour or the urgency is none.
        """
        places = self._path(level, code)
        if by is not None and not decide(by, rights.ACT).is_allowed:
            raise DeniedError(f"{by.user or 'nobody'} may not open warnings")
        if by is not None and not decide(by, rights.ACT).areas & {*places}:
            raise NotVisibleError(f"there is no area {level} {code}")
        fields = {
            "rule": rule,
            "level": level,
            "area_code": places[0][1],
            "group": group,
            "colour": colour,
            "urgency": urgency or self.settings.urgencies[colour],
            "repeats": repeats,
            "evidence": evidence_text(evidence),
            "snapshot": snapshot,
            "seen_on": seen_on or now.date(),
        }
        unit = owner or self.settings.owner(places, group, colour, repeats)
        known = self._by_fingerprint(fingerprint)
        if known is not None and not is_higher(known, colour, repeats, self.settings):
            return known
        told = f"{'open' if known is None else 'raise'} {rule} {level} {code} {group} {colour}"
        with self._recorded(now, by, fingerprint, told), self.database.writing() as session:
            alone(session, WARNINGS)
            row = session.scalars(with_fingerprint(fingerprint).with_for_update()).one_or_none()
            if row is None:
                row = self._insert(session, fingerprint, fields, places, unit, now=now, by=by)
            elif is_higher(row, colour, repeats, self.settings):
                self._raise(session, row, fields, unit, now=now)
            return self._value(session, row)

    def _insert(
        self, session: Session, fingerprint: str, fields: dict[str, Any], places: Sequence[Place],
        owner: Unit, *, now: dt.datetime, by: Scope | None,
    ) -> WarningRow:  # fmt: skip
        row = WarningRow(
            **fields, **owner_columns(owner), fingerprint=fingerprint, tracking=new_tracking(),
            state=life.NEW, version=1, tiers=0, opened_at=now, stage_at=now, risk_at=now,
        )  # fmt: skip
        wind(row, self.settings)
        session.add(row)
        session.flush()
        session.add_all(
            WarningPlace(warning_id=row.id, level=level, area_code=code, height=height)
            for height, (level, code) in enumerate(places)
        )
        user = by.user if by else ""
        session.add(step_row(row, life.OPENED, "", by=user, key="open:", at=now))
        return row

    def _raise(
        self, session: Session, row: WarningRow, fields: dict[str, Any], owner: Unit, *,
        now: dt.datetime,
    ) -> None:  # fmt: skip
        """Raise an open one; it never goes to a lower unit, and no running clock is put off."""
        before, urgency = row.state, row.urgency
        for name in ("colour", "repeats"):
            fields[name] = max(fields[name], getattr(row, name))
        fields["urgency"] = min(fields["urgency"], urgency, key=URGENCIES.index)
        for name, value in fields.items():
            setattr(row, name, value)
        if rights.is_higher(owner.place, (row.owner_level, row.owner_code)):
            set_owner(row, owner)
            row.state, row.stage_at = life.ESCALATED, now
            row.tiers += 1
        row.version += 1
        running = (row.due_at, row.due_clock)
        row.risk_at = now if row.urgency != urgency else row.risk_at
        wind(row, self.settings)
        row.due_at, row.due_clock = min(running, (row.due_at, row.due_clock))
        told = step_row(row, life.RAISED, before, by="", key=f"raise:{row.version}", at=now)
        told.evidence = row.evidence
        session.add(told)

    def _path(self, level: str, code: str) -> tuple[Place, ...]:
        if self._tree is None:
            raise NotVisibleError(f"there is no area {level} {code}")
        return self._tree().path(level, code)

    def _by_fingerprint(self, fingerprint: str) -> AreaWarning | None:
        with self.database.reading() as session:
            alone(session, WARNINGS)
            row = session.scalars(with_fingerprint(fingerprint)).one_or_none()
            return None if row is None else self._value(session, row)

    def _value(self, session: Session, row: WarningRow) -> AreaWarning:
        session.flush()
        return as_warnings(session, [row], self.settings)[0]

    @contextmanager
    def _recorded(
        self, now: dt.datetime, scope: Scope | None, target: str, detail: str
    ) -> Iterator[None]:
        """Write a row of the audit, then do what it tells of; one more where that fails."""
        self._write(now, scope, target, detail, "ok")
        try:
            yield
        except Exception as error:
            result = "denied" if isinstance(error, PermissionError | LookupError) else "failed"
            self._write(now, scope, target, f"{detail}: {error}", result)
            raise

    def _write(
        self, now: dt.datetime, scope: Scope | None, target: str, detail: str, result: str
    ) -> None:
        if self._audit is not None:
            self._audit.write(
                at=now,
                user=scope.user if scope else "",
                roles=",".join(scope.roles) if scope else "",
                address="",
                session=scope.session if scope else "",
                action="warning",
                target=target,
                result=result,
                detail=detail,
            )


def is_higher(
    known: AreaWarning | Episode | WarningRow,
    colour: int,
    repeats: int,
    settings: WarningSettings,
) -> bool:
    """Whether an open warning is to be raised: a higher colour, or a higher rung of repeats."""
    rungs = [settings.rung(one).repeats for one in (known.repeats, repeats)]
    return known.state in life.OPEN and (colour > known.colour or rungs[1] > rungs[0])


def with_fingerprint(fingerprint: str) -> Any:
    """Query of the one warning with a fingerprint."""
    return sa.select(WarningRow).where(WarningRow.fingerprint == fingerprint)
