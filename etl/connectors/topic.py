"""
Kafka topics: messages that are JSON objects, one row each (extra `pingan-map[kafka]`).

Where a topic was read to stands in the log row of the landed batch, not only at the broker: a run
that is killed between the two finds its own offsets there and leaves repeated messages out.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol
from zoneinfo import ZoneInfo

from data.records import rows_chunk
from etl.connectors.taken import Taken

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping, Sequence

    from data.intake import Intake
    from data.source import Source

MOST_MESSAGES: Final = 10_000
LONGEST_WAIT_S: Final = 5.0
LARGEST_MESSAGE: Final = 1_000_000

_BEGINNING: Final = -2
"""Kafka's offset that stands for the oldest message."""


class TopicError(ValueError):
    """A topic cannot be read; what was landed before stays."""


class Message(Protocol):
    """What is used of `confluent_kafka.Message`."""

    def error(self) -> Any:
        """Fault instead of a message."""

    def partition(self) -> int:
        """Partition that it comes from."""

    def offset(self) -> int:
        """Position in the partition."""

    def value(self) -> bytes | None:
        """Content."""


class Consumer(Protocol):
    """What is used of `confluent_kafka.Consumer`."""

    def consume(self, num_messages: int, timeout: float) -> Sequence[Message]:
        """Messages that came within a time, in order of each partition."""

    def commit(self, *, message: Message, asynchronous: bool) -> object:
        """Tell the broker that everything up to a message is done."""

    def close(self) -> None:
        """Leave the group."""


@dataclass(frozen=True)
class Progress:
    """Topic, and the offset that comes next in each partition."""

    topic: str
    offsets: dict[int, int]


def take_topic(
    source: Source,
    intake: Intake,
    now: dt.datetime,
    *,
    consumer: Consumer,
    most: int = MOST_MESSAGES,
    seconds: float = LONGEST_WAIT_S,
    clock: Callable[[], float] = time.monotonic,
) -> list[Taken]:
    """
    Land up to so many messages, or those of so many seconds, as one batch; then commit.

    Parameters
    ----------
    clock
        Seconds that only grow.

    Returns
    -------
    taken
        Nothing where no new message came.

    Raises
    ------
    TopicError
        The broker tells a fault; nothing is committed.
    IntakeError
        The disk does not take it; nothing is committed.
    """
    assert source.kafka is not None
    progress = landed_progress(source, intake)
    messages = _consume(source, consumer, most=most, until=clock() + seconds, clock=clock)
    fresh = [
        message
        for message in messages
        if message.offset() >= progress.offsets.get(message.partition(), 0)
    ]
    taken = [_land(source, intake, now, fresh, progress)] if fresh else []
    last = {message.partition(): message for message in messages}
    for message in last.values():
        consumer.commit(message=message, asynchronous=False)
    return taken


def landed_progress(source: Source, intake: Intake) -> Progress:
    """
    Where the landed batches of a source got to; another topic is read from its beginning.

    Raises
    ------
    TopicError
        The last watermark is not one of a topic.
    """
    assert source.kafka is not None
    text = intake.watermark(source.name)
    if text is None:
        return Progress(source.kafka.topic, {})
    try:
        stored = json.loads(text)
        offsets = {int(number): int(offset) for number, offset in stored["offsets"].items()}
        topic = str(stored["topic"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise TopicError(
            f"source {source.name}: its last watermark is not of a topic; "
            "give the topic a source file of its own"
        ) from None
    return Progress(topic, offsets if topic == source.kafka.topic else {})


def open_consumer(source: Source, intake: Intake, environ: Mapping[str, str]) -> Consumer:
    """
    Join the topic's group, beginning where the landed batches end.

    Raises
    ------
    TopicError
        The extra is not installed, the servers are not set or not well formed.
    """
    kafka = source.kafka
    assert kafka is not None
    servers = environ.get(kafka.servers_env, "")
    if not servers:
        raise TopicError(f"topic {kafka.topic}: set {kafka.servers_env} to host:port,host:port")
    try:
        library = importlib.import_module("confluent_kafka")
    except ImportError:
        raise TopicError(
            f"topic {kafka.topic}: Kafka needs an extra; run `pip install pingan-map[kafka]`"
        ) from None
    settings = {
        "bootstrap.servers": servers,
        "group.id": kafka.group,
        "enable.auto.commit": False,
        # An offset that is gone is a loss: it is told, not skipped.
        "auto.offset.reset": "error",
    }

    def begin(joined: Any, partitions: list[Any]) -> None:
        offsets = landed_progress(source, intake).offsets
        for partition in partitions:
            partition.offset = offsets.get(partition.partition, _BEGINNING)
        joined.assign(partitions)

    try:
        consumer = library.Consumer(settings)
        consumer.subscribe([kafka.topic], on_assign=begin)
    except (library.KafkaException, ValueError) as error:
        raise TopicError(f"topic {kafka.topic}: {error}") from None
    return _Told(consumer, kafka.topic, library.KafkaException)


class _Told:
    """The library's consumer, whose faults are told in our words."""

    def __init__(self, consumer: Any, topic: str, fault: type[Exception]) -> None:
        self._consumer = consumer
        self._topic = topic
        self._fault = fault

    def consume(self, num_messages: int, timeout: float) -> Sequence[Message]:
        try:
            came: Sequence[Message] = self._consumer.consume(num_messages, timeout)
        except self._fault as error:
            raise TopicError(f"topic {self._topic}: {error}") from None
        return came

    def commit(self, *, message: Message, asynchronous: bool) -> None:
        try:
            self._consumer.commit(message=message, asynchronous=asynchronous)
        except self._fault as error:
            raise TopicError(f"topic {self._topic}: landed, but not committed: {error}") from None

    def close(self) -> None:
        self._consumer.close()


def _consume(
    source: Source,
    consumer: Consumer,
    *,
    most: int,
    until: float,
    clock: Callable[[], float],
) -> list[Message]:
    messages: list[Message] = []
    while len(messages) < most and (left := until - clock()) > 0:
        came = consumer.consume(most - len(messages), left)
        for message in came:
            if message.error() is not None:
                assert source.kafka is not None
                raise TopicError(f"topic {source.kafka.topic}: {message.error()}")
        messages += came
    return messages


def _land(
    source: Source,
    intake: Intake,
    now: dt.datetime,
    messages: list[Message],
    progress: Progress,
) -> Taken:
    rows = [_row(message.value()) for message in messages]
    offsets = dict(progress.offsets)
    digest = hashlib.sha256(progress.topic.encode())
    for message in messages:
        offsets[message.partition()] = message.offset() + 1
        digest.update(f"\n{message.partition()} {message.offset()} ".encode())
        digest.update(message.value() or b"")
    assert source.kafka is not None
    topic = source.kafka.topic
    batch, is_new = intake.land(
        source,
        [rows_chunk(source, rows)],
        kind="topic",
        name=f"{topic} {now.astimezone(ZoneInfo(source.time_zone)).date()}",
        content=digest.hexdigest(),
        now=now,
        headings=sorted({name for row in rows if isinstance(row, dict) for name in row}),
        watermark=json.dumps({"topic": topic, "offsets": offsets}, ensure_ascii=False),
    )
    return Taken(source.name, topic, batch, is_new)


def _row(value: bytes | None) -> object:
    """JSON value of a message; None, which counts as malformed, where it is none."""
    if value is None or len(value) > LARGEST_MESSAGE:
        return None
    try:
        row: object = json.loads(value.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return row
