"""Facilities and resources."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "live_units",
        sa.Column("sender", sa.String(64), nullable=False),
        sa.Column("unit", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("area_code", sa.String(40), nullable=False),
        sa.Column("lng_e3", sa.Integer(), nullable=False),
        sa.Column("lat_e3", sa.Integer(), nullable=False),
        *_times(),
        sa.PrimaryKeyConstraint("sender", "unit", name="pk_live_units"),
    )
    op.create_index("ix_live_units_expires_at", "live_units", ["expires_at"])
    op.create_table(
        "live_crowds",
        sa.Column("sender", sa.String(64), nullable=False),
        sa.Column("cell", sa.BigInteger(), nullable=False),
        sa.Column("area_code", sa.String(40), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        *_times(),
        sa.PrimaryKeyConstraint("sender", "cell", name="pk_live_crowds"),
    )
    op.create_index("ix_live_crowds_expires_at", "live_crowds", ["expires_at"])


def _times() -> list[sa.Column[Any]]:
    moment = sa.DateTime(timezone=True)
    return [
        sa.Column("at", moment, nullable=False),
        sa.Column("expires_at", moment, nullable=False),
    ]
