"""
Tables of what has just arrived. No text and nothing of a person: codes, numbers, times, a hash.

A row is never changed in what a screen shows: a newer version is a new row with a higher number, so
that one number tells a screen all that it lacks.
"""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - the mapper reads the annotations

from sqlalchemy import BigInteger, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from data.state.models import Base, UtcTime

NUMBER = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts on by itself only in a column of this very type."""


class ArrivalRow(Base):
    """One incident as one version of it told it."""

    __tablename__ = "arrivals"

    seq: Mapped[int] = mapped_column(NUMBER, primary_key=True)
    """Rising, and never used again, whatever is deleted."""
    replaced_by: Mapped[int] = mapped_column(BigInteger, index=True, default=0)
    """The row that stands in its place; 0 = it is the present one."""
    identity: Mapped[int] = mapped_column(BigInteger)
    """Hash of the source's number of the incident."""
    content: Mapped[int] = mapped_column(BigInteger)
    """Hash of all that the source told."""
    rank: Mapped[int] = mapped_column(BigInteger)
    """Order among the versions of one incident."""
    batch: Mapped[int]
    row: Mapped[int]
    arrived_at: Mapped[dt.datetime] = mapped_column(UtcTime, index=True)
    occurred_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    is_shown: Mapped[bool]
    """Not so for sensitive classes: of those nothing but the hashes is kept."""
    is_new: Mapped[bool]
    """False where it stands in the place of another row."""
    category: Mapped[str] = mapped_column(String(40))
    severity: Mapped[int]
    """0 = not known."""
    level: Mapped[str] = mapped_column(String(16))
    area_code: Mapped[str] = mapped_column(String(40))
    """Lowest area that holds it, "" = none; decides who may see it."""
    lng_e7: Mapped[int | None]
    """Ten-millionths of a degree, WGS 84: the point of its cell, never its own."""
    lat_e7: Mapped[int | None]

    # Of the versions of one incident one is the present one.
    __table_args__ = (UniqueConstraint("identity", "replaced_by"), {"sqlite_autoincrement": True})


class ArrivalBatch(Base):
    """What became of the rows of one batch; all numbers but the first add up to `read`."""

    __tablename__ = "arrival_batches"

    batch: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    source: Mapped[str] = mapped_column(String(64))
    fed_at: Mapped[dt.datetime] = mapped_column(UtcTime, index=True)
    read: Mapped[int]
    shown: Mapped[int]
    corrected: Mapped[int]
    withheld: Mapped[int]
    duplicate: Mapped[int]
    old: Mapped[int]
    quarantined: Mapped[int]
    refused: Mapped[int]
    passed: Mapped[int]
    failed: Mapped[int]


class ArrivalPosition(Base):
    """One row: how far the log was fed, and a number that tells this feed from any other."""

    __tablename__ = "arrival_position"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    feed: Mapped[str] = mapped_column(String(16))
    batch: Mapped[int]
