"""
Live tables: where units are and how full places are now, each row with the moment it ends.

A unit is a number and a kind of a sending system, never a person; what was before is not kept.
"""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - SQLAlchemy reads it

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from data.state.models import Base, UtcTime


class LiveUnit(Base):
    """Newest position of one unit; the next one takes its place."""

    __tablename__ = "live_units"

    sender: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Name of the token that pushed it."""
    unit: Mapped[str] = mapped_column(String(40), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    """Code of resources.toml, a unit."""
    area_code: Mapped[str] = mapped_column(String(40))
    """Area that the sender places it in; decides who may see it."""
    lng_e3: Mapped[int]
    """Thousandths of a degree, WGS 84: about 100 m, and no finer by its type."""
    lat_e3: Mapped[int]
    at: Mapped[dt.datetime] = mapped_column(UtcTime)
    expires_at: Mapped[dt.datetime] = mapped_column(UtcTime, index=True)


class LiveCrowd(Base):
    """Newest count of one H3 cell; those below the least count are never written."""

    __tablename__ = "live_crowds"

    sender: Mapped[str] = mapped_column(String(64), primary_key=True)
    cell: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """H3 index of resolution 8 or 9."""
    area_code: Mapped[str] = mapped_column(String(40))
    count: Mapped[int]
    at: Mapped[dt.datetime] = mapped_column(UtcTime)
    expires_at: Mapped[dt.datetime] = mapped_column(UtcTime, index=True)
