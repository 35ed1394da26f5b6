"""Wall screens and special periods."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "screens",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        *_area(),
        sa.Column("addresses", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("valid_until", sa.Date()),
        sa.Column("seen_at", _MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_screens"),
        sa.UniqueConstraint("name", name="uq_screens_name"),
        sa.UniqueConstraint("sha256", name="uq_screens_sha256"),
    )
    _special_periods()
    _special_places()
    _special_checks()
    _special_marks()


def _special_periods() -> None:
    op.create_table(
        "special_periods",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        *_area(),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("ended_at", _MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_special_periods"),
        sa.UniqueConstraint("key", name="uq_special_periods_key"),
    )
    for column in ("first_day", "last_day"):
        op.create_index(f"ix_special_periods_{column}", "special_periods", [column])


def _special_places() -> None:
    op.create_table(
        "special_places",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("period_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        *_area(),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("facility", sa.String(100), nullable=False),
        sa.Column("text", sa.String(40), nullable=False),
        sa.Column("ended_at", _MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_special_places"),
        sa.ForeignKeyConstraint(
            ["period_id"], ["special_periods.id"], name="fk_special_places_period_id"
        ),
        sa.UniqueConstraint("period_id", "key", name="uq_special_places_period_id_key"),
    )
    op.create_index("ix_special_places_period_id", "special_places", ["period_id"])


def _special_checks() -> None:
    op.create_table(
        "special_checks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("due_minute", sa.Integer(), nullable=False),
        sa.Column("only_on", sa.Date()),
        sa.Column("ended_at", _MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_special_checks"),
        sa.ForeignKeyConstraint(
            ["place_id"], ["special_places.id"], name="fk_special_checks_place_id"
        ),
        sa.UniqueConstraint("place_id", "key", name="uq_special_checks_place_id_key"),
    )
    op.create_index("ix_special_checks_place_id", "special_checks", ["place_id"])


def _special_marks() -> None:
    op.create_table(
        "special_marks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("check_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("result", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(16), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_special_marks"),
        sa.ForeignKeyConstraint(
            ["check_id"], ["special_checks.id"], name="fk_special_marks_check_id"
        ),
        sa.UniqueConstraint(
            "check_id", "day", "number", name="uq_special_marks_check_id_day_number"
        ),
        sa.UniqueConstraint("check_id", "day", "key", name="uq_special_marks_check_id_day_key"),
    )


def _area() -> list[sa.Column[str]]:
    return [
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("area_code", sa.String(40), nullable=False),
    ]
