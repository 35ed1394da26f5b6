"""Between the tables of the warnings and their values; what may stand in evidence."""

from __future__ import annotations

import json
import math
import re
import secrets
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from data.warnings.kinds import AreaWarning, Step, Unit
from data.warnings.models import WarningPlace, WarningRow, WarningStep

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy.orm import Session

    from data.warnings.kinds import Place, Value
    from data.warnings.settings import WarningSettings

MOST_EVIDENCE: Final = 40
"""Values of one warning's evidence."""

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without I, L, O and U, which are misread."""
_TRACKING: Final = 20
"""Characters of a tracking code: 100 bits."""
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,39}|")


def new_tracking() -> str:
    """Make a tracking code that nobody can guess."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_TRACKING))


def tracking_of(text: str) -> str:
    """Return a code as it is stored, from what somebody typed; "" where it is none."""
    typed = text[:64].upper().replace("-", "").replace(" ", "")
    is_code = len(typed) == _TRACKING and all(one in _ALPHABET for one in typed)
    return typed if is_code else ""


def is_code(text: str) -> bool:
    """Whether a text of evidence is a code: up to 40 letters, digits and signs, no words."""
    return _CODE.fullmatch(text) is not None


def evidence_text(evidence: Mapping[str, Value]) -> str:
    """
    Evidence as it is stored.

    Raises
    ------
    ValueError
        It holds something that is neither a number nor a code.
    """
    if len(evidence) > MOST_EVIDENCE:
        raise ValueError(f"evidence has {len(evidence)} values; at most {MOST_EVIDENCE}")
    for name, value in evidence.items():
        is_number = isinstance(value, int | float) and math.isfinite(value)
        is_kept = value is None or is_number or (isinstance(value, str) and is_code(value))
        if not _NAME.fullmatch(name) or not is_kept:
            raise ValueError(f"evidence {name!r}: only numbers and codes can be kept")
    return json.dumps(dict(evidence), separators=(",", ":"))


def as_warnings(
    session: Session, found: Sequence[WarningRow], settings: WarningSettings
) -> list[AreaWarning]:
    """Values of rows, in their order, with the areas in which each lies."""
    places = _places(session, [row.id for row in found])
    return [_as_warning(row, places[row.id], settings) for row in found]


def as_step(row: WarningStep) -> Step:
    """Value of one step."""
    return Step(
        number=row.number, at=row.at, step=row.step, before=row.before, after=row.after,
        by=row.by, owner=owner_of(row), reason=row.reason, colour=row.colour, due_at=row.due_at,
        evidence=json.loads(row.evidence) if row.evidence else {},
    )  # fmt: skip


def owner_of(row: WarningRow | WarningStep) -> Unit:
    """Unit that owns a warning, or did after a step."""
    return Unit(row.owner_role, row.owner_level, row.owner_code)


def owner_columns(owner: Unit) -> dict[str, Any]:
    """Columns of an owner."""
    return {"owner_role": owner.role, "owner_level": owner.level, "owner_code": owner.code}


def _places(session: Session, ids: Iterable[int]) -> dict[int, list[Place]]:
    wanted = list(ids)
    found: dict[int, list[Place]] = {one: [] for one in wanted}
    asked = (
        sa.select(WarningPlace.warning_id, WarningPlace.level, WarningPlace.area_code)
        .where(WarningPlace.warning_id.in_(wanted))
        .order_by(WarningPlace.warning_id, WarningPlace.height)
    )
    for number, level, code in session.execute(asked):
        found[number].append((level, code))
    return found


def _as_warning(row: WarningRow, places: Sequence[Place], settings: WarningSettings) -> AreaWarning:
    return AreaWarning(
        id=row.id, tracking=row.tracking, fingerprint=row.fingerprint, rule=row.rule,
        level=row.level, code=row.area_code, group=row.group, colour=row.colour,
        urgency=row.urgency, state=row.state, version=row.version, owner=owner_of(row),
        evidence=json.loads(row.evidence), snapshot=row.snapshot, repeats=row.repeats,
        measure=settings.rung(row.repeats).measure, tiers=row.tiers, opened_at=row.opened_at,
        since=row.stage_at, due_at=row.due_at, due_clock=row.due_clock, places=tuple(places),
        seen_on=row.seen_on, ended_on=row.ended_on,
    )  # fmt: skip
