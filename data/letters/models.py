"""The table of letters in the state database: texts and figures of areas, no person."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - the mapping reads the annotations

from sqlalchemy import Date, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from data.state.models import SHA256, Base, UtcTime


class Letter(Base):
    """A letter or slip: drafted from evidence, edited, then signed and immutable, or withdrawn."""

    __tablename__ = "letters"

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    """Random, so that addresses tell nothing of how many there are."""
    key: Mapped[str | None] = mapped_column(String(SHA256), unique=True)
    """What it was drafted for: asked for twice it is made once. Free again when withdrawn."""
    chain: Mapped[str] = mapped_column(String(12), index=True)
    """Id of the letter that its chain of slips began with; its own where it is that one."""
    step: Mapped[int]
    """Position in the chain, from 0."""
    kind: Mapped[str] = mapped_column(String(16))
    status: Mapped[str] = mapped_column(String(16), index=True)
    revision: Mapped[int]
    """Counts changes of the text: who changes an older one is told."""
    level: Mapped[str] = mapped_column(String(16))
    area_code: Mapped[str] = mapped_column(String(40))
    path: Mapped[str] = mapped_column(Text)
    """`|level:code|level:code|` from the top down to the area: who may read it."""
    week: Mapped[str] = mapped_column(String(8))
    """Issue that the evidence is of."""
    version: Mapped[int]
    snapshot: Mapped[str] = mapped_column(String(64))
    rule: Mapped[str] = mapped_column(String(16))
    evidence: Mapped[str] = mapped_column(Text)
    """The figures that it was drafted from, as JSON; never changed."""
    code_zh: Mapped[str] = mapped_column(String(32))
    """What stands before the year of its number."""
    code_en: Mapped[str] = mapped_column(String(32))
    addressee_zh: Mapped[str] = mapped_column(String(80))
    addressee_en: Mapped[str] = mapped_column(String(80))
    title_zh: Mapped[str] = mapped_column(String(120))
    title_en: Mapped[str] = mapped_column(String(120))
    body_zh: Mapped[str] = mapped_column(Text)
    body_en: Mapped[str] = mapped_column(Text)
    due: Mapped[dt.date | None] = mapped_column(Date)
    """Day by which an answer is asked for."""
    drafted_by: Mapped[str] = mapped_column(String(64))
    drafted_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    edited_by: Mapped[str | None] = mapped_column(String(64))
    edited_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    signed_by: Mapped[str | None] = mapped_column(String(64))
    signed_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    signed_on: Mapped[dt.date | None] = mapped_column(Date)
    """Day of signing in the city."""
    number_year: Mapped[int | None]
    number: Mapped[int | None]
    withdrawn_by: Mapped[str | None] = mapped_column(String(64))
    withdrawn_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    withdrawn_for: Mapped[str | None] = mapped_column(String(16))

    __table_args__ = (UniqueConstraint("kind", "number_year", "number"),)

    @property
    def is_slip(self) -> bool:
        """Whether it follows another one."""
        return self.chain != self.id

    @property
    def area_path(self) -> tuple[tuple[str, str], ...]:
        """Level and code of the areas from the top down to its own."""
        pairs = (one.partition(":") for one in self.path.strip("|").split("|"))
        return tuple((level, code) for level, _, code in pairs)


def path_text(path: tuple[tuple[str, str], ...]) -> str:
    """A path as it is stored."""
    return "".join(f"|{level}:{code}" for level, code in path) + "|"
