"""Arrived incidents in the state database: one writer feeds, every web process reads."""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from data.arrivals.kinds import KEPT, Account, Arrival
from data.arrivals.models import ArrivalBatch, ArrivalPosition, ArrivalRow

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    from sqlalchemy.orm import Session

    from data.arrivals.kinds import Fed
    from data.state.database import StateDatabase

STEPS: Final = 10_000_000
"""Of a degree, in which points are kept."""

_ONLY: Final = 1
_MOST_ASKED: Final = 500
"""Values of one condition."""


class FeedError(ValueError):
    """The rows of a batch do not add up; nothing of the round is kept."""


@dataclass(frozen=True)
class Position:
    """How far the log was fed, and the number that tells this feed from any other."""

    feed: str
    batch: int


@dataclass(frozen=True)
class Newest:
    """What there is now: the feed, its newest row and its newest batch."""

    feed: str
    seq: int
    batch: int


class ArrivalStore:
    """Rows of the last two days, what became of each batch, and the position in the log."""

    def __init__(self, database: StateDatabase) -> None:
        self._database = database

    def position(self) -> Position | None:
        """
        How far the log was fed; None before the first time.

        Raises
        ------
        StateError
            The database fails.
        """
        with self._database.reading() as session:
            found = session.get(ArrivalPosition, _ONLY)
            return Position(found.feed, found.batch) if found else None

    def begin(self, batch: int) -> Position:
        """Set the position where there is none yet, and return it."""
        with self._database.writing() as session:
            found = session.get(ArrivalPosition, _ONLY)
            if found is None:
                found = ArrivalPosition(id=_ONLY, feed=secrets.token_hex(8), batch=batch)
                session.add(found)
            return Position(found.feed, found.batch)

    def feed(self, batches: Sequence[Fed], *, after: int, now: dt.datetime) -> list[Account]:
        """
        Store the next batches of the log, all of them or none; what is too old is deleted.

        Parameters
        ----------
        batches
            In order; the first one follows `after`.
        after
            The position that they were read from.

        Returns
        -------
        accounts
            Of each batch; empty where another process has fed them meanwhile.

        Raises
        ------
        FeedError
            Rows are missing or too many.
        StateError
            The database fails; nothing was written.
        """
        with self._database.writing() as session:
            held = session.get(ArrivalPosition, _ONLY, with_for_update=True)
            if held is None or held.batch != after or not batches:
                return []
            incoming = [one for fed in batches for one in fed.arrivals]
            present = _present(session, {one.identity for one in incoming})
            accounts = [_store(session, fed, present) for fed in batches]
            for account in accounts:
                session.add(ArrivalBatch(fed_at=now, **asdict(account)))
            held.batch = batches[-1].account.batch
            for column in (ArrivalRow.arrived_at, ArrivalBatch.fed_at):
                session.execute(sa.delete(column.class_).where(column < now - KEPT))
            return accounts

    def newest(self) -> Newest | None:
        """
        Look whether there is anything new: one row, cheap; None before the first feeding.

        Raises
        ------
        StateError
            The database fails.
        """
        last = sa.select(sa.func.max(ArrivalRow.seq)).scalar_subquery()
        asked = sa.select(ArrivalPosition.feed, last, ArrivalPosition.batch)
        with self._database.reading() as session:
            found = session.execute(asked).one_or_none()
        return Newest(found[0], found[1] or 0, found[2]) if found else None

    def since(self, seq: int, *, limit: int) -> tuple[list[Arrival], list[tuple[int, int]]]:
        """
        Read what a reader lacks who has seen everything up to a number.

        Returns
        -------
        arrivals
            Rows with a higher number, by number, those that were replaced too; the newest `limit`.
        replaced
            Numbers up to `seq` whose row was replaced since, and by which one.

        Raises
        ------
        StateError
            The database fails.
        """
        with self._database.reading() as session:
            rows = session.execute(
                sa.select(*_READ)
                .where(ArrivalRow.seq > seq)
                .order_by(ArrivalRow.seq.desc())
                .limit(limit)
            ).all()
            replaced = session.execute(
                sa.select(ArrivalRow.seq, ArrivalRow.replaced_by).where(
                    ArrivalRow.seq <= seq, ArrivalRow.replaced_by > seq
                )
            ).all()
        return [_arrival(row) for row in reversed(rows)], [(old, by) for old, by in replaced]

    def quarantined(self, since: dt.datetime) -> int:
        """
        Count the quarantined rows of the batches that were fed since a moment.

        Raises
        ------
        StateError
            The database fails.
        """
        asked = sa.select(sa.func.coalesce(sa.func.sum(ArrivalBatch.quarantined), 0)).where(
            ArrivalBatch.fed_at >= since
        )
        with self._database.reading() as session:
            return int(session.scalar(asked) or 0)

    def accounts(self) -> list[Account]:
        """
        Read the account of every batch of the last two days, in order.

        Raises
        ------
        StateError
            The database fails.
        """
        names = [column.key for column in ArrivalBatch.__table__.columns if column.key != "fed_at"]
        with self._database.reading() as session:
            found = session.scalars(sa.select(ArrivalBatch).order_by(ArrivalBatch.batch)).all()
            return [Account(**{name: getattr(row, name) for name in names}) for row in found]


_READ: Final = (
    ArrivalRow.seq, ArrivalRow.batch, ArrivalRow.row, ArrivalRow.identity, ArrivalRow.content,
    ArrivalRow.rank, ArrivalRow.arrived_at, ArrivalRow.occurred_at, ArrivalRow.is_shown,
    ArrivalRow.is_new, ArrivalRow.category, ArrivalRow.severity, ArrivalRow.level,
    ArrivalRow.area_code, ArrivalRow.lng_e7, ArrivalRow.lat_e7, ArrivalRow.replaced_by,
)  # fmt: skip


def _arrival(row: Any) -> Arrival:
    return Arrival(
        seq=row.seq, replaced_by=row.replaced_by, batch=row.batch, row=row.row,
        identity=row.identity, content=row.content,
        rank=row.rank, arrived_at=row.arrived_at, occurred_at=row.occurred_at,
        is_shown=row.is_shown, is_new=row.is_new, category=row.category, severity=row.severity,
        level=row.level, area_code=row.area_code,
        lng=None if row.lng_e7 is None else row.lng_e7 / STEPS,
        lat=None if row.lat_e7 is None else row.lat_e7 / STEPS,
    )  # fmt: skip


def _present(session: Session, identities: Iterable[int]) -> dict[int, ArrivalRow]:
    """Present rows of incidents."""
    wanted, found = sorted(identities), {}
    for first in range(0, len(wanted), _MOST_ASKED):
        asked = sa.select(ArrivalRow).where(
            ArrivalRow.identity.in_(wanted[first : first + _MOST_ASKED]),
            ArrivalRow.replaced_by == 0,
        )
        found.update({row.identity: row for row in session.scalars(asked)})
    return found


def _store(session: Session, fed: Fed, present: dict[int, ArrivalRow]) -> Account:
    """Store one batch; its account, complete."""
    counts: Counter[str] = Counter()
    for one in fed.arrivals:
        known = present.get(one.identity)
        if known is None:
            present[one.identity] = _added(session, one)
            counts["shown" if one.is_shown else "withheld"] += 1
        elif _says_nothing_new(known, one):
            counts["duplicate"] += 1
        else:
            present[one.identity] = _corrected(session, known, one)
            counts["corrected" if one.is_shown else "withheld"] += 1
    account = replace(
        fed.account,
        shown=counts["shown"],
        corrected=counts["corrected"],
        withheld=counts["withheld"],
        duplicate=counts["duplicate"],
    )
    if account.told != account.read:
        raise FeedError(
            f"batch {account.batch} ({account.source}): {account.read:,} rows arrived, but "
            f"{account.told:,} are told of"
        )
    return account


def _says_nothing_new(known: ArrivalRow, one: Arrival) -> bool:
    """A repetition, or a version that is not newer: what the pipeline would not take either."""
    if one.by_arrival or one.rank == known.rank:
        return one.content == known.content
    return one.rank < known.rank


def _corrected(session: Session, known: ArrivalRow, one: Arrival) -> ArrivalRow:
    """Put a newer version in the place of a row; a screen is told only of what it shows."""
    one = replace(one, arrived_at=known.arrived_at)  # it is counted when it first came
    if _face(known) == _face(_row(one)):
        known.content, known.rank = one.content, one.rank
        return known
    session.flush()
    # The table lets no second present one in, so the old one steps aside first.
    known.replaced_by = known.seq
    session.flush()
    added = _added(session, replace(one, is_new=not known.is_shown and one.is_shown))
    session.flush()
    known.replaced_by = added.seq
    return added


def _added(session: Session, one: Arrival) -> ArrivalRow:
    row = _row(one)
    session.add(row)
    return row


def _row(one: Arrival) -> ArrivalRow:
    return ArrivalRow(
        identity=one.identity, content=one.content, rank=one.rank, batch=one.batch, row=one.row,
        arrived_at=one.arrived_at, occurred_at=one.occurred_at, is_shown=one.is_shown,
        is_new=one.is_new, category=one.category, severity=one.severity, level=one.level,
        area_code=one.area_code,
        lng_e7=None if one.lng is None else round(one.lng * STEPS),
        lat_e7=None if one.lat is None else round(one.lat * STEPS),
    )  # fmt: skip


def _face(row: ArrivalRow) -> tuple[object, ...]:
    """All that a screen shows of it."""
    return (
        row.is_shown, row.occurred_at, row.category, row.severity, row.level, row.area_code,
        row.lng_e7, row.lat_e7,
    )  # fmt: skip
