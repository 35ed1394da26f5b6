"""
The outbox: every message once per channel, kept in the state database until it is delivered.

Delivery is at least once: a process that is killed between the other side's answer and its own
note sends the message again, with the same number in it. Two processes never hold one delivery.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from data.deliveries.message import Message, Place, check
from data.deliveries.models import DeliveryRow, MessageRow

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from sqlalchemy.orm import Session

    from data.deliveries.channels import Channel
    from data.state.database import StateDatabase

WAITING: Final = "waiting"
SENT: Final = "sent"
FAILED: Final = "failed"
GIVEN_UP: Final = "given_up"
STATES: Final = (WAITING, FAILED, SENT, GIVEN_UP)

FIRST_WAIT: Final = dt.timedelta(minutes=1)
MOST_WAIT: Final = dt.timedelta(hours=1)
MOST_TRIES: Final = 30
"""After about a day; `pingan deliver retry` begins anew."""

LEASE: Final = dt.timedelta(minutes=5)
"""Longer than any try takes: until then nobody else tries the same delivery."""

FRESH: Final = dt.timedelta(days=3)
"""A message that finds its first channel later than that is told to none: it is no news."""

_LONGEST_REASON: Final = 200


class Held(NamedTuple):
    """A delivery that this process has to itself."""

    id: int
    channel: str
    tries: int
    message: Message


class Listed(NamedTuple):
    """A delivery as it is listed."""

    id: int
    message: str
    kind: str
    place: str
    channel: str
    state: str
    tries: int
    next_at: dt.datetime
    sent_at: dt.datetime | None
    reason: str


class Standing(NamedTuple):
    """How one channel stands: deliveries by state, and why the newest that failed did."""

    channel: str
    counts: Mapping[str, int]
    reason: str
    oldest: dt.datetime | None
    """When the oldest message was posted that is still to be sent."""


class Outbox:
    """The outbox of one installation; safe to share between threads and beside other processes."""

    def __init__(self, database: StateDatabase) -> None:
        self._database = database

    def post(
        self,
        *,
        key: str,
        kind: str,
        level: int,
        place: Place,
        counts: Mapping[str, int],
        path: str,
        now: dt.datetime,
        session: Session | None = None,
    ) -> bool:
        """
        Post a message; False where its key was posted before.

        Parameters
        ----------
        session
            Transaction of the caller: the message is there if and only if it is kept.

        Raises
        ------
        MessageError
            It is no message, or would hold something personal.
        StateError
            The database fails; nothing was posted.
        """
        message = Message(key, kind, level, place, dict(counts), path, now)
        if session is not None:
            return bool(_insert(session, [message]))
        return bool(self.post_all([message]))

    def post_all(self, messages: Sequence[Message]) -> int:
        """Post several at once, all or none; how many were new. Errors as `post`."""
        with self._database.writing() as session:
            return _insert(session, messages)

    def known(self, prefix: str) -> int:
        """Messages whose key begins so."""
        with self._database.reading() as session:
            asked = sa.select(sa.func.count()).where(
                MessageRow.key.startswith(prefix, autoescape=True)
            )
            return int(session.scalar(asked) or 0)

    def unknown(self, keys: Collection[str]) -> set[str]:
        """Keys of which no message was posted."""
        with self._database.reading() as session:
            asked = sa.select(MessageRow.key).where(MessageRow.key.in_(keys))
            return {*keys} - {*session.scalars(asked)}

    def route(self, channels: Sequence[Channel], now: dt.datetime) -> int:
        """
        Choose the channels of each new message; how many deliveries that makes.

        Without a channel nothing is chosen: the messages wait for one.
        """
        if not channels:
            return 0
        with self._database.writing() as session:
            rows = session.scalars(
                sa.select(MessageRow).where(MessageRow.routed_at.is_(None)).with_for_update()
            ).all()
            made = [
                DeliveryRow(
                    message_id=row.id,
                    channel=channel.name,
                    state=WAITING,
                    tries=0,
                    next_at=now,
                    reason="",
                )
                for row in rows
                if row.posted_at >= now - FRESH
                for channel in channels
                if channel.takes(_message(row))
            ]
            session.add_all(made)
            for row in rows:
                row.routed_at = now
            return len(made)

    def hold(self, now: dt.datetime, *, without: Collection[str] = ()) -> Held | None:
        """
        Take the next delivery that is due, for this process alone; None = nothing is due.

        Parameters
        ----------
        without
            Channels that are left alone.
        """
        due = sa.and_(
            DeliveryRow.state.in_((WAITING, FAILED)),
            DeliveryRow.next_at <= now,
            sa.or_(DeliveryRow.held_until.is_(None), DeliveryRow.held_until <= now),
        )
        with self._database.writing() as session:
            row = session.scalar(
                sa.select(DeliveryRow)
                .where(due, DeliveryRow.channel.not_in(list(without)))
                .order_by(DeliveryRow.next_at, DeliveryRow.id)
                .limit(1)
                .with_for_update(skip_locked=True)
            )
            if row is None:
                return None
            row.held_until, row.tries = now + LEASE, row.tries + 1
            message = session.get_one(MessageRow, row.message_id)
            return Held(row.id, row.channel, row.tries, _message(message))

    def sent(self, held: Held, now: dt.datetime) -> None:
        """Note that a delivery was taken by the other side."""
        self._note(held.id, state=SENT, sent_at=now, held_until=None, reason="")

    def failed(
        self, held: Held, reason: str, now: dt.datetime, *, is_final: bool = False
    ) -> dt.datetime | None:
        """
        Note that a try failed, and why; when the next one is, None where it is given up.

        Parameters
        ----------
        reason
            Without a secret, and nothing that the other side wrote.
        is_final
            Another try could not go better.
        """
        told = reason[:_LONGEST_REASON]
        if is_final or held.tries >= MOST_TRIES:
            self._note(held.id, state=GIVEN_UP, held_until=None, reason=told)
            return None
        again = now + wait_after(held.tries)
        self._note(held.id, state=FAILED, held_until=None, next_at=again, reason=told)
        return again

    def retry(self, now: dt.datetime, *, channel: str = "") -> int:
        """Try anew what failed or was given up, of one channel or of all; how many."""
        asked = sa.update(DeliveryRow).where(DeliveryRow.state.in_((FAILED, GIVEN_UP)))
        if channel:
            asked = asked.where(DeliveryRow.channel == channel)
        with self._database.writing() as session:
            found = session.execute(
                asked.values(state=WAITING, tries=0, next_at=now).returning(DeliveryRow.id)
            )
            return len(found.all())

    def standings(self) -> list[Standing]:
        """How each channel stands, by its name."""
        with self._database.reading() as session:
            counted = session.execute(
                sa.select(DeliveryRow.channel, DeliveryRow.state, sa.func.count()).group_by(
                    DeliveryRow.channel, DeliveryRow.state
                )
            ).all()
            reasons = session.execute(
                sa.select(DeliveryRow.channel, DeliveryRow.reason)
                .where(DeliveryRow.state.in_((FAILED, GIVEN_UP)))
                .order_by(DeliveryRow.next_at, DeliveryRow.id)
            ).all()
            oldest = session.execute(
                sa.select(DeliveryRow.channel, sa.func.min(MessageRow.posted_at))
                .join(MessageRow, MessageRow.id == DeliveryRow.message_id)
                .where(DeliveryRow.state.in_((WAITING, FAILED)))
                .group_by(DeliveryRow.channel)
            ).all()
        why = {channel: reason for channel, reason in reasons}  # noqa: C416 - rows, not pairs
        since = {channel: at for channel, at in oldest}  # noqa: C416
        found: dict[str, dict[str, int]] = {}
        for channel, state, n in counted:
            found.setdefault(channel, dict.fromkeys(STATES, 0))[state] = int(n)
        return [
            Standing(name, counts, why.get(name, ""), since.get(name))
            for name, counts in sorted(found.items())
        ]

    def unrouted(self) -> int:
        """Messages for which no channel was chosen yet."""
        with self._database.reading() as session:
            asked = sa.select(sa.func.count()).where(MessageRow.routed_at.is_(None))
            return int(session.scalar(asked) or 0)

    def newest(self, *, most: int) -> list[Listed]:
        """The deliveries that were posted last."""
        with self._database.reading() as session:
            rows = session.execute(
                sa.select(DeliveryRow, MessageRow)
                .join(MessageRow, MessageRow.id == DeliveryRow.message_id)
                .order_by(DeliveryRow.id.desc())
                .limit(most)
            ).all()
        return [_listed(row, _message(message)) for row, message in rows]

    def _note(self, delivery: int, **values: Any) -> None:
        with self._database.writing() as session:
            session.execute(
                sa.update(DeliveryRow).where(DeliveryRow.id == delivery).values(**values)
            )


def wait_after(tries: int) -> dt.timedelta:
    """Time until the next try: a minute at first, twice as long each time, an hour at most."""
    doubled: dt.timedelta = FIRST_WAIT * (1 << min(tries - 1, 20))
    return min(doubled, MOST_WAIT)


def _insert(session: Session, messages: Iterable[Message]) -> int:
    made = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    new = 0
    for message in messages:
        check(message)
        found = session.execute(
            made.insert(MessageRow)
            .values(_values(message))
            .on_conflict_do_nothing(index_elements=["key"])
            .returning(MessageRow.id)
        )
        new += found.first() is not None
    return new


def _values(message: Message) -> dict[str, Any]:
    place = message.place
    return {
        "key": message.key,
        "kind": message.kind,
        "level": message.level,
        "place_level": place.level,
        "place_code": place.code,
        "place_zh": place.name_zh,
        "place_en": place.name_en,
        "above": json.dumps(place.above),
        "counts": json.dumps(dict(message.counts)),
        "path": message.path,
        "posted_at": message.posted_at,
    }


def _message(row: MessageRow) -> Message:
    place = Place(
        row.place_level, row.place_code, row.place_zh, row.place_en, tuple(json.loads(row.above))
    )
    counts = json.loads(row.counts)
    return Message(row.key, row.kind, row.level, place, counts, row.path, row.posted_at)


def _listed(row: DeliveryRow, message: Message) -> Listed:
    return Listed(
        id=row.id,
        message=message.id,
        kind=message.kind,
        place=message.place.reference,
        channel=row.channel,
        state=row.state,
        tries=row.tries,
        next_at=row.next_at,
        sent_at=row.sent_at,
        reason=row.reason,
    )
