"""Letters and slips."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "letters",
        sa.Column("id", sa.String(12), nullable=False),
        sa.Column("key", sa.String(64)),
        sa.Column("chain", sa.String(12), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("area_code", sa.String(40), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("week", sa.String(8), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("snapshot", sa.String(64), nullable=False),
        sa.Column("rule", sa.String(16), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        *_texts(),
        *_steps(),
        sa.PrimaryKeyConstraint("id", name="pk_letters"),
        sa.UniqueConstraint("key", name="uq_letters_key"),
        sa.UniqueConstraint(
            "kind", "number_year", "number", name="uq_letters_kind_number_year_number"
        ),
    )
    for column in ("chain", "status"):
        op.create_index(f"ix_letters_{column}", "letters", [column])


def _texts() -> list[sa.Column[str]]:
    lengths = {"code": 32, "addressee": 80, "title": 120, "body": None}
    return [
        sa.Column(f"{name}_{lang}", sa.String(length) if length else sa.Text(), nullable=False)
        for name, length in lengths.items()
        for lang in ("zh", "en")
    ]


def _steps() -> list[sa.Column[object]]:
    moment = sa.DateTime(timezone=True)
    return [
        sa.Column("due", sa.Date()),
        sa.Column("drafted_by", sa.String(64), nullable=False),
        sa.Column("drafted_at", moment, nullable=False),
        sa.Column("edited_by", sa.String(64)),
        sa.Column("edited_at", moment),
        sa.Column("signed_by", sa.String(64)),
        sa.Column("signed_at", moment),
        sa.Column("signed_on", sa.Date()),
        sa.Column("number_year", sa.Integer()),
        sa.Column("number", sa.Integer()),
        sa.Column("withdrawn_by", sa.String(64)),
        sa.Column("withdrawn_at", moment),
        sa.Column("withdrawn_for", sa.String(16)),
    ]
