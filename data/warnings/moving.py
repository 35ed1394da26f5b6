"""Move the row of a warning: its state, its owner, its clocks, and the row of the step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.warnings import life
from data.warnings.clocks import first_due
from data.warnings.models import WarningStep
from data.warnings.rows import owner_columns, owner_of

if TYPE_CHECKING:
    import datetime as dt

    from data.warnings.kinds import Unit
    from data.warnings.models import WarningRow
    from data.warnings.settings import WarningSettings


def take(
    row: WarningRow, to: str, owner: Unit, *, step: str, now: dt.datetime, settings: WarningSettings
) -> None:
    """Move a row to its next state and owner; the clocks go on, or begin anew, as they must."""
    goes_on = (row.state, to) == (life.SIGNED, life.IN_HAND)
    row.stage_at = row.stage_at if goes_on else now
    if step in (life.ESCALATE, life.REJECT):
        row.risk_at = now
    row.tiers += step == life.ESCALATE
    row.state, row.version = to, row.version + 1
    set_owner(row, owner)
    wind(row, settings)


def set_owner(row: WarningRow, owner: Unit) -> None:
    """Give a warning to a unit."""
    for name, value in owner_columns(owner).items():
        setattr(row, name, value)


def wind(row: WarningRow, settings: WarningSettings) -> None:
    """Set the clock that runs out first."""
    row.due_at, row.due_clock = first_due(
        row.state, row.urgency, stage_at=row.stage_at, risk_at=row.risk_at, clocks=settings.clocks
    )


def step_row(
    row: WarningRow, step: str, before: str, *, by: str, key: str, at: dt.datetime, reason: str = ""
) -> WarningStep:
    """Row of the step that a warning has just taken."""
    return WarningStep(
        warning_id=row.id, number=row.version, key=key, at=at, step=step, before=before,
        after=row.state, by=by, **owner_columns(owner_of(row)), reason=reason, colour=row.colour,
        due_at=row.due_at, evidence="",
    )  # fmt: skip
