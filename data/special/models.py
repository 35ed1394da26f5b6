"""
Tables of special periods: chosen places on chosen days, and what is checked there.

Places and checks only. Who ticked what stands in the audit and nowhere else.
"""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - the mapper reads the annotations

from sqlalchemy import Date, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from data.state.models import Base, UtcTime


class PeriodRow(Base):
    """Some days on which an area looks after some places more closely."""

    __tablename__ = "special_periods"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    """Made once for each press: the same key is the same period."""
    name: Mapped[str] = mapped_column(String(40))
    level: Mapped[str] = mapped_column(String(16))
    area_code: Mapped[str] = mapped_column(String(40))
    path: Mapped[str] = mapped_column(Text)
    """`|level:code|level:code|` from the area up to the city."""
    first_day: Mapped[dt.date] = mapped_column(Date, index=True)
    last_day: Mapped[dt.date] = mapped_column(Date, index=True)
    version: Mapped[int]
    """Counts changes of the period, its places and checks: the optimistic lock."""
    created_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    """When it was taken away."""


class PlaceRow(Base):
    """A place of a period."""

    __tablename__ = "special_places"

    id: Mapped[int] = mapped_column(primary_key=True)
    period_id: Mapped[int] = mapped_column(ForeignKey("special_periods.id"), index=True)
    key: Mapped[str] = mapped_column(String(64))
    level: Mapped[str] = mapped_column(String(16))
    area_code: Mapped[str] = mapped_column(String(40))
    path: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(String(16))
    """Of the fixed list, or `facility`, or `text`."""
    facility: Mapped[str] = mapped_column(String(100))
    """Id of the register's facility, "" = none."""
    text: Mapped[str] = mapped_column(String(40))
    """What somebody called it, "" = nothing."""
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)

    __table_args__ = (UniqueConstraint("period_id", "key"),)


class CheckRow(Base):
    """What is done at a place by some time of the day: each day, or once."""

    __tablename__ = "special_checks"

    id: Mapped[int] = mapped_column(primary_key=True)
    place_id: Mapped[int] = mapped_column(ForeignKey("special_places.id"), index=True)
    key: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(16))
    due_minute: Mapped[int]
    """Minutes after midnight in the city."""
    only_on: Mapped[dt.date | None] = mapped_column(Date)
    """None = each day."""
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)

    __table_args__ = (UniqueConstraint("place_id", "key"),)


class MarkRow(Base):
    """What was ticked for a check on a day; rows are only appended, the last one counts."""

    __tablename__ = "special_marks"

    id: Mapped[int] = mapped_column(primary_key=True)
    check_id: Mapped[int] = mapped_column(ForeignKey("special_checks.id"))
    day: Mapped[dt.date] = mapped_column(Date)
    number: Mapped[int]
    """1 = the first of this check and day: the optimistic lock."""
    key: Mapped[str] = mapped_column(String(64))
    result: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(16))
    at: Mapped[dt.datetime] = mapped_column(UtcTime)

    __table_args__ = (
        UniqueConstraint("check_id", "day", "number"),
        UniqueConstraint("check_id", "day", "key"),
    )
