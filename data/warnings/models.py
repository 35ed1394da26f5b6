"""Tables of the warnings. A unit is a role and an area; nothing names a person."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - the mapper reads the annotations

from sqlalchemy import Date, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from data.state.models import Base, UtcTime


class WarningRow(Base):
    """One warning as it stands now."""

    __tablename__ = "warnings"

    id: Mapped[int] = mapped_column(primary_key=True)
    tracking: Mapped[str] = mapped_column(String(24), unique=True)
    """Code under which the public sees stage and times; random."""
    fingerprint: Mapped[str] = mapped_column(String(160), unique=True)
    """Rule, area, group and episode: what is opened once."""
    rule: Mapped[str] = mapped_column(String(32))
    level: Mapped[str] = mapped_column(String(16))
    area_code: Mapped[str] = mapped_column(String(40))
    group: Mapped[str] = mapped_column(String(32))
    colour: Mapped[int]
    urgency: Mapped[str] = mapped_column(String(8))
    """`high`, `medium` or `low`: which clock of days runs until it is closed."""
    state: Mapped[str] = mapped_column(String(16), index=True)
    version: Mapped[int]
    """Number of the last step: the optimistic lock."""
    owner_role: Mapped[str] = mapped_column(String(32))
    owner_level: Mapped[str] = mapped_column(String(16))
    owner_code: Mapped[str] = mapped_column(String(40))
    evidence: Mapped[str] = mapped_column(Text)
    """JSON of numbers and codes."""
    snapshot: Mapped[str] = mapped_column(String(64))
    repeats: Mapped[int]
    """How many times running: 1 = the first."""
    tiers: Mapped[int]
    """How often it went to the unit above."""
    opened_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    stage_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    """When the clock of the stage began."""
    risk_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    """When the clock of the urgency began."""
    due_at: Mapped[dt.datetime | None] = mapped_column(UtcTime, index=True)
    due_clock: Mapped[str] = mapped_column(String(8))
    """The clock that runs out first, "" = none."""
    seen_on: Mapped[dt.date] = mapped_column(Date)
    """Last day of the data on which the condition held."""
    ended_on: Mapped[dt.date | None] = mapped_column(Date)
    """First day of the data on which it no longer held."""

    __table_args__ = (
        Index(None, "rule", "level", "area_code"),
        Index(None, "owner_level", "owner_code"),
    )


class WarningPlace(Base):
    """An area in whose subtree a warning lies: its own, and all above it."""

    __tablename__ = "warning_places"

    warning_id: Mapped[int] = mapped_column(ForeignKey("warnings.id"), primary_key=True)
    level: Mapped[str] = mapped_column(String(16), primary_key=True)
    area_code: Mapped[str] = mapped_column(String(40))
    height: Mapped[int]
    """0 = the warning's own area, rising to the city."""

    __table_args__ = (Index(None, "level", "area_code"),)


class WarningStep(Base):
    """One step of a warning's life; rows are only appended."""

    __tablename__ = "warning_steps"

    id: Mapped[int] = mapped_column(primary_key=True)
    warning_id: Mapped[int] = mapped_column(ForeignKey("warnings.id"))
    number: Mapped[int]
    """1 = opened; the warning's version after the step."""
    key: Mapped[str] = mapped_column(String(64))
    """Given by whoever asks for the step: the same key is the same step."""
    at: Mapped[dt.datetime] = mapped_column(UtcTime)
    step: Mapped[str] = mapped_column(String(16))
    before: Mapped[str] = mapped_column(String(16))
    """State before, "" at the opening."""
    after: Mapped[str] = mapped_column(String(16))
    by: Mapped[str] = mapped_column(String(64))
    """Login of the post; "" = the program itself."""
    owner_role: Mapped[str] = mapped_column(String(32))
    owner_level: Mapped[str] = mapped_column(String(16))
    owner_code: Mapped[str] = mapped_column(String(40))
    """Owner after the step."""
    reason: Mapped[str] = mapped_column(String(16))
    colour: Mapped[int]
    due_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    evidence: Mapped[str] = mapped_column(Text)
    """What a raised colour rests on; "" otherwise."""

    __table_args__ = (
        UniqueConstraint("warning_id", "number"),
        UniqueConstraint("warning_id", "key"),
    )
