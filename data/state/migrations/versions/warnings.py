"""Warnings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "warnings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tracking", sa.String(24), nullable=False),
        sa.Column("fingerprint", sa.String(160), nullable=False),
        sa.Column("rule", sa.String(32), nullable=False),
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("area_code", sa.String(40), nullable=False),
        sa.Column("group", sa.String(32), nullable=False),
        sa.Column("colour", sa.Integer(), nullable=False),
        sa.Column("urgency", sa.String(8), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        *_owner(),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("snapshot", sa.String(64), nullable=False),
        sa.Column("repeats", sa.Integer(), nullable=False),
        sa.Column("tiers", sa.Integer(), nullable=False),
        sa.Column("opened_at", _time(), nullable=False),
        sa.Column("stage_at", _time(), nullable=False),
        sa.Column("risk_at", _time(), nullable=False),
        sa.Column("due_at", _time()),
        sa.Column("due_clock", sa.String(8), nullable=False),
        sa.Column("seen_on", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date()),
        sa.PrimaryKeyConstraint("id", name="pk_warnings"),
        sa.UniqueConstraint("tracking", name="uq_warnings_tracking"),
        sa.UniqueConstraint("fingerprint", name="uq_warnings_fingerprint"),
    )
    for columns in (
        ["state"],
        ["due_at"],
        ["rule", "level", "area_code"],
        ["owner_level", "owner_code"],
    ):
        op.create_index(f"ix_warnings_{'_'.join(columns)}", "warnings", columns)
    op.create_table(
        "warning_places",
        sa.Column("warning_id", sa.Integer(), nullable=False),
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("area_code", sa.String(40), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("warning_id", "level", name="pk_warning_places"),
        _of_warning("warning_places"),
    )
    op.create_index("ix_warning_places_level_area_code", "warning_places", ["level", "area_code"])
    op.create_table(
        "warning_steps",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("warning_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("at", _time(), nullable=False),
        sa.Column("step", sa.String(16), nullable=False),
        sa.Column("before", sa.String(16), nullable=False),
        sa.Column("after", sa.String(16), nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
        *_owner(),
        sa.Column("reason", sa.String(16), nullable=False),
        sa.Column("colour", sa.Integer(), nullable=False),
        sa.Column("due_at", _time()),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_warning_steps"),
        _of_warning("warning_steps"),
        sa.UniqueConstraint("warning_id", "number", name="uq_warning_steps_warning_id_number"),
        sa.UniqueConstraint("warning_id", "key", name="uq_warning_steps_warning_id_key"),
    )


def _owner() -> list[sa.Column[str]]:
    return [
        sa.Column("owner_role", sa.String(32), nullable=False),
        sa.Column("owner_level", sa.String(16), nullable=False),
        sa.Column("owner_code", sa.String(40), nullable=False),
    ]


def _time() -> sa.DateTime:
    return sa.DateTime(timezone=True)


def _of_warning(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["warning_id"], ["warnings.id"], name=f"fk_{table}_warning_id")
