"""What has just arrived, for the screens that are open."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)
_COUNTS = (
    "read", "shown", "corrected", "withheld", "duplicate", "old", "quarantined", "refused",
    "passed", "failed",
)  # fmt: skip


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "arrivals",
        sa.Column("seq", _NUMBER, nullable=False),
        sa.Column("replaced_by", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("identity", "content")),
        sa.Column("rank", sa.BigInteger(), nullable=False),
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("arrived_at", _MOMENT, nullable=False),
        sa.Column("occurred_at", _MOMENT, nullable=True),
        sa.Column("is_shown", sa.Boolean(), nullable=False),
        sa.Column("is_new", sa.Boolean(), nullable=False),
        sa.Column("category", sa.String(40), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("area_code", sa.String(40), nullable=False),
        sa.Column("lng_e7", sa.Integer(), nullable=True),
        sa.Column("lat_e7", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("seq", name="pk_arrivals"),
        sa.UniqueConstraint("identity", "replaced_by", name="uq_arrivals_identity_replaced_by"),
        sqlite_autoincrement=True,
    )
    for name in ("replaced_by", "arrived_at"):
        op.create_index(f"ix_arrivals_{name}", "arrivals", [name])
    op.create_table(
        "arrival_batches",
        sa.Column("batch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("fed_at", _MOMENT, nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in _COUNTS),
        sa.PrimaryKeyConstraint("batch", name="pk_arrival_batches"),
    )
    op.create_index("ix_arrival_batches_fed_at", "arrival_batches", ["fed_at"])
    op.create_table(
        "arrival_position",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("feed", sa.String(16), nullable=False),
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_arrival_position"),
    )
