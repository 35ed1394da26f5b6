"""The table of wall screens."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - the mapper reads the annotations

from sqlalchemy import Date, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from data.state.models import SHA256, Base, UtcTime


class ScreenRow(Base):
    """A wall that may show one area without anybody signing in."""

    __tablename__ = "screens"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    level: Mapped[str] = mapped_column(String(16))
    area_code: Mapped[str] = mapped_column(String(40))
    addresses: Mapped[str] = mapped_column(Text)
    """Networks from which its token counts, separated by a space."""
    sha256: Mapped[str] = mapped_column(String(SHA256), unique=True)
    created_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    valid_until: Mapped[dt.date | None] = mapped_column(Date)
    """Last day in the city, none = without end."""
    seen_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    """Written at most once a minute."""
