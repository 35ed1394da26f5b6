"""Tables of the state database. They hold accounts and actions, no incident and no person."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import (
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

SHA256 = 64
"""Hexadecimal digits of a SHA-256."""


class UtcTime(TypeDecorator[dt.datetime]):
    """A moment, always aware and in UTC; SQLite itself keeps no zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> Any:
        """Store UTC; a naive moment is an error."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored moment needs its zone")
        utc = value.astimezone(dt.UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: Any, dialect: Dialect) -> dt.datetime | None:  # noqa: ARG002
        """Give back an aware moment in UTC."""
        if value is None:
            return None
        moment: dt.datetime = value
        return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)


class Base(DeclarativeBase):
    """Every table of the state database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class User(Base):
    """One account: a post or an office, named by its login."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(String(64), unique=True)
    """Lower case, unique."""
    unit: Mapped[str] = mapped_column(String(64), default="")
    """Post or office, as the watermark shows it beside the login."""
    provider: Mapped[str] = mapped_column(String(16), default="local")
    subject: Mapped[str | None] = mapped_column(String(255), default=None)
    """Who this is at an outside provider."""
    password_hash: Mapped[str | None] = mapped_column(String(255), default=None)
    password_changed_at: Mapped[dt.datetime | None] = mapped_column(UtcTime, default=None)
    must_change: Mapped[bool] = mapped_column(default=False)
    totp_secret: Mapped[str | None] = mapped_column(String(255), default=None)
    """Encrypted with the installation's key."""
    totp_step: Mapped[int] = mapped_column(default=0)
    """Time step of the last code that was used; it cannot be used again."""
    failures: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[dt.datetime | None] = mapped_column(UtcTime, default=None)
    disabled: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[dt.datetime] = mapped_column(UtcTime)

    __table_args__ = (UniqueConstraint("provider", "subject"),)


class PasswordHistory(Base):
    """An earlier password of a user, as its hash."""

    __tablename__ = "password_history"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    changed_at: Mapped[dt.datetime] = mapped_column(UtcTime)


class Role(Base):
    """A role of the permission matrix."""

    __tablename__ = "roles"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    title_zh: Mapped[str] = mapped_column(String(64))
    title_en: Mapped[str] = mapped_column(String(64))


class UserScope(Base):
    """A user holds a role in the subtree of one area, for a time."""

    __tablename__ = "scopes"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    role: Mapped[str] = mapped_column(ForeignKey("roles.name"))
    level: Mapped[str] = mapped_column(String(16))
    area_code: Mapped[str] = mapped_column(String(40))
    """`*` = the whole city; two levels may share a code, hence the level."""
    valid_from: Mapped[dt.date | None] = mapped_column(Date, default=None)
    valid_until: Mapped[dt.date | None] = mapped_column(Date, default=None)
    """Last day."""
    granted_by: Mapped[str] = mapped_column(String(64))
    granted_at: Mapped[dt.datetime] = mapped_column(UtcTime)

    __table_args__ = (UniqueConstraint("user_id", "role", "level", "area_code"),)


class UserSession(Base):
    """A sign-in, known by the hash of the cookie that the browser holds."""

    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(String(SHA256), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    address: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    seen_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    expires_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcTime, default=None)


class Link(Base):
    """A link that opens one thing: the first set-up, or a protected view shared with others."""

    __tablename__ = "links"

    id: Mapped[str] = mapped_column(String(SHA256), primary_key=True)
    """Hash of the secret in the link."""
    kind: Mapped[str] = mapped_column(String(16))
    """`setup` or `share`."""
    search: Mapped[str] = mapped_column(Text, default="")
    """The shared view, as the query of an address."""
    created_by: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    expires_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcTime, default=None)
    """When it was used up or withdrawn."""


class ApiToken(Base):
    """A system that may push rows."""

    __tablename__ = "api_tokens"

    id: Mapped[str] = mapped_column(String(8), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    sources: Mapped[str] = mapped_column(Text)
    """JSON list of source names."""
    sha256: Mapped[str] = mapped_column(String(SHA256))
    created_at: Mapped[dt.datetime] = mapped_column(UtcTime)


class AuditRow(Base):
    """One action; rows are only ever appended, each sealed with the hash of the one before."""

    __tablename__ = "audit"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[dt.datetime] = mapped_column(UtcTime, index=True)
    user: Mapped[str] = mapped_column(String(64), index=True)
    roles: Mapped[str] = mapped_column(String(255))
    address: Mapped[str] = mapped_column(String(64))
    session: Mapped[str] = mapped_column(String(8))
    action: Mapped[str] = mapped_column(String(32), index=True)
    target: Mapped[str] = mapped_column(Text)
    result: Mapped[str] = mapped_column(String(16), index=True)
    detail: Mapped[str] = mapped_column(Text)
    previous: Mapped[str] = mapped_column(String(SHA256))
    hash: Mapped[str] = mapped_column(String(SHA256))


class AuditHead(Base):
    """Where the audit begins and ends, sealed: a row cut off at either end shows."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True)
    """Always 1."""
    first_seq: Mapped[int]
    """First row that is still here; earlier ones are in archived files."""
    first_previous: Mapped[str] = mapped_column(String(SHA256))
    seq: Mapped[int]
    hash: Mapped[str] = mapped_column(String(SHA256))
    seal: Mapped[str] = mapped_column(String(SHA256))


class SavedView(Base):
    """An address that a user kept under a name."""

    __tablename__ = "saved_views"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    name: Mapped[str] = mapped_column(String(64))
    search: Mapped[str] = mapped_column(Text)
    created_at: Mapped[dt.datetime] = mapped_column(UtcTime)

    __table_args__ = (UniqueConstraint("user_id", "name"),)


class Setting(Base):
    """A setting that an administrator changed from its default."""

    __tablename__ = "settings"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    changed_by: Mapped[str] = mapped_column(String(64))
