"""Tables of the outbox: what is to be told, and what became of it by each channel."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - SQLAlchemy reads the annotations

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from data.state.models import Base, UtcTime


class MessageRow(Base):
    """A message as it was posted: names of areas, numbers and a path; nothing of a person."""

    __tablename__ = "messages"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(120), unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    level: Mapped[int]
    place_level: Mapped[str] = mapped_column(String(16))
    place_code: Mapped[str] = mapped_column(String(40))
    place_zh: Mapped[str] = mapped_column(String(80))
    place_en: Mapped[str] = mapped_column(String(80))
    above: Mapped[str] = mapped_column(Text)
    """JSON list of the areas above."""
    counts: Mapped[str] = mapped_column(Text)
    """JSON object of names and numbers."""
    path: Mapped[str] = mapped_column(String(300))
    posted_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    routed_at: Mapped[dt.datetime | None] = mapped_column(UtcTime, index=True)
    """When its channels were chosen."""


class DeliveryRow(Base):
    """A message on its way by one channel."""

    __tablename__ = "deliveries"

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("messages.id"))
    channel: Mapped[str] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(16))
    tries: Mapped[int]
    next_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    """When it is to be tried."""
    held_until: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    """Until then the process that tries it has it to itself."""
    sent_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    reason: Mapped[str] = mapped_column(String(200))
    """Why the last try failed; no secret, no answer of the other side."""

    __table_args__ = (
        UniqueConstraint("message_id", "channel"),
        Index(None, "state", "next_at"),
    )
