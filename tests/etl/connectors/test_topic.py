"""Topics, over a broker in memory that keeps Kafka's promises about offsets and commits."""

import datetime as dt
import json
import sys
from dataclasses import dataclass, field

import pyarrow.parquet as pq
import pytest

from data.city import read_city
from data.intake import Intake, IntakeError
from etl.connectors import topic
from etl.connectors.topic import TopicError, open_consumer, take_topic
from tests.small_city import row, source_text, write_city

NOW = dt.datetime(2026, 11, 16, 4, 0, tzinfo=dt.UTC)
KAFKA = '{servers_env = "CITY_KAFKA", topic = "events", group = "pingan"}'
ENVIRON = {"CITY_KAFKA": "127.0.0.1:1"}


@dataclass
class Message:
    number: int
    position: int
    content: bytes | None
    fault: object = None

    def error(self):
        return self.fault

    def partition(self):
        return self.number

    def offset(self):
        return self.position

    def value(self):
        return self.content


@dataclass
class Broker:
    """Two partitions and the committed offsets of one group."""

    partitions: dict = field(default_factory=lambda: {0: [], 1: []})
    committed: dict = field(default_factory=lambda: {0: 0, 1: 0})

    def send(self, *rows, partition=0):
        log = self.partitions[partition]
        for one in rows:
            content = one if isinstance(one, bytes | None) else json.dumps(one).encode()
            log.append(Message(partition, len(log), content))


class Consumer:
    """Starts at what is committed; its own position moves on with every message."""

    def __init__(self, broker, moment) -> None:
        self.broker, self.moment = broker, moment
        self.position = dict(broker.committed)
        self.is_closed = False

    def consume(self, num_messages, timeout):
        came = []
        for number, log in self.broker.partitions.items():
            came += log[self.position[number] :][: num_messages - len(came)]
        for message in came:
            self.position[message.number] = message.position + 1
        # Nothing there: the library waits for the whole time.
        self.moment[0] += 0.1 if came else timeout
        return came

    def commit(self, *, message, asynchronous):
        assert not asynchronous
        self.broker.committed[message.number] = message.position + 1

    def close(self):
        self.is_closed = True


@pytest.fixture
def intake(tmp_path):
    return Intake(tmp_path / "home")


@pytest.fixture
def source(tmp_path):
    folder = write_city(tmp_path / "city", {"stream": source_text(push=None, kafka=KAFKA)})
    return read_city(folder, home=folder).sources[0]


@pytest.fixture
def broker():
    return Broker()


def poll(source, intake, broker, consumer=None, **more):
    moment = [0.0]
    consumer = consumer or Consumer(broker, moment)
    consumer.moment = moment
    return take_topic(source, intake, NOW, consumer=consumer, clock=lambda: moment[0], **more)


def ids(intake):
    paths = [intake.home / chunk["path"] for batch in intake.batches() for chunk in batch.chunks]
    return [number for path in paths for number in pq.read_table(path)["incident_id"].to_pylist()]


def test_messages_are_landed_then_committed(source, intake, broker):
    broker.send(row(1), row(2))
    broker.send(row(3, 报案人="张三"), partition=1)
    (taken,) = poll(source, intake, broker)
    assert (taken.name, taken.is_new, taken.batch.read, taken.batch.kind) == (
        "events",
        True,
        3,
        "topic",
    )
    assert taken.batch.name == "events 2026-11-16"
    assert ids(intake) == ["N000001", "N000002", "N000003"]
    assert broker.committed == {0: 2, 1: 1}
    assert poll(source, intake, broker) == []


def test_so_many_messages_are_one_batch(source, intake, broker):
    broker.send(*(row(number) for number in range(7)))
    consumer = Consumer(broker, [0.0])
    assert [poll(source, intake, broker, consumer, most=3)[0].batch.read for _ in range(3)] == [
        3,
        3,
        1,
    ]
    assert broker.committed[0] == 7


def test_a_poll_ends_after_its_seconds(source, intake, broker):
    moment = [0.0]

    class Busy(Consumer):
        def consume(self, _most, timeout):
            self.broker.send(row(len(self.broker.partitions[0])))
            return super().consume(1, timeout)

    taken = take_topic(
        source, intake, NOW, consumer=Busy(broker, moment), seconds=0.95, clock=lambda: moment[0]
    )
    assert taken[0].batch.read == 10


@pytest.mark.parametrize("more", [0, 1, 5])
def test_a_crash_between_landing_and_commit_doubles_nothing(
    source, intake, broker, monkeypatch, more
):
    broker.send(row(1), row(2))
    broker.send(row(3), partition=1)

    class KilledError(BaseException):
        pass

    def die(self, **_):
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(Consumer, "commit", die)
        with pytest.raises(KilledError):
            poll(source, intake, broker)
    assert broker.committed == {0: 0, 1: 0}
    broker.send(*(row(10 + number) for number in range(more)))
    poll(source, intake, broker)
    assert ids(intake) == ["N000001", "N000002", "N000003"] + [
        f"N{10 + n:06d}" for n in range(more)
    ]
    assert broker.committed == {0: 2 + more, 1: 1}


def test_what_was_not_landed_is_not_committed(source, intake, broker, monkeypatch):
    broker.send(row(1))

    def full(*_, **__):
        raise IntakeError("No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Intake, "land", full)
        with pytest.raises(IntakeError):
            poll(source, intake, broker)
    assert broker.committed[0] == 0
    poll(source, intake, broker)
    assert ids(intake) == ["N000001"]


def test_what_is_no_object_is_malformed(source, intake, broker):
    broker.send(row(1), b"\xff", None, b"[1]", b"{" * 100_000, b"x" * 1_000_001, b'"text"', row(2))
    (taken,) = poll(source, intake, broker)
    assert (taken.batch.read, taken.batch.malformed) == (8, (2, 3, 4, 5, 6, 7))
    assert broker.committed[0] == 8


def test_a_fault_of_the_broker_is_told_and_nothing_is_committed(source, intake, broker):
    broker.send(row(1))
    broker.partitions[0].append(Message(0, 1, None, fault="offset out of range"))
    with pytest.raises(TopicError, match=r"^topic events: offset out of range$"):
        poll(source, intake, broker)
    assert (intake.batches(), broker.committed[0]) == ([], 0)


def test_another_topic_starts_at_its_beginning(tmp_path, source, intake, broker):
    broker.send(row(1), row(2))
    poll(source, intake, broker)
    text = source_text(push=None, kafka=KAFKA.replace('"events"', '"renamed"'))
    folder = write_city(tmp_path / "renamed", {"stream": text})
    renamed = read_city(folder, home=folder).sources[0]
    fresh = Broker()
    fresh.send(row(3))
    poll(renamed, intake, fresh)
    assert ids(intake) == ["N000001", "N000002", "N000003"]


def test_a_watermark_of_a_view_is_not_taken_for_offsets(source, intake, broker):
    broker.send(row(1))
    intake.land(source, [], kind="view", name="v", content="c", now=NOW, watermark='{"view": "v"}')
    with pytest.raises(TopicError, match="its last watermark is not of a topic"):
        poll(source, intake, broker)


def test_without_the_extra_it_is_said_how_to_get_it(source, intake, monkeypatch):
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    with pytest.raises(
        TopicError,
        match=r"^topic events: Kafka needs an extra; run `pip install pingan-map\[kafka\]`$",
    ):
        open_consumer(source, intake, ENVIRON)


def test_without_servers_it_is_said_which_variable_names_them(source, intake):
    with pytest.raises(TopicError, match="set CITY_KAFKA to host:port,host:port"):
        open_consumer(source, intake, {})


def test_the_real_library_takes_our_settings(source, intake):
    pytest.importorskip("confluent_kafka")
    consumer = open_consumer(source, intake, ENVIRON)
    assert consumer.consume(1, 0.0) == []
    consumer.close()


def test_partitions_begin_where_the_landed_batches_end(source, intake, broker, monkeypatch):
    broker.send(row(1), row(2))
    poll(source, intake, broker)

    @dataclass
    class Partition:
        partition: int
        offset: int = -1001

    class Library:
        KafkaException = RuntimeError

        def Consumer(self, settings):  # noqa: N802 - the library's name
            self.settings = settings
            return self

        def subscribe(self, topics, on_assign):
            self.topics, self.on_assign = topics, on_assign

        def assign(self, partitions):
            self.assigned = [(one.partition, one.offset) for one in partitions]

    library = Library()
    monkeypatch.setitem(sys.modules, "confluent_kafka", library)
    open_consumer(source, intake, ENVIRON)
    library.on_assign(library, [Partition(0), Partition(1)])
    assert library.assigned == [(0, 2), (1, topic._BEGINNING)]
    assert (library.topics, library.settings["enable.auto.commit"]) == (["events"], False)
