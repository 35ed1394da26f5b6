"""The watching loop, on a clock that a test moves by hand."""

import datetime as dt
import os
import signal
import sqlite3

import pytest

from data.city import read_city
from data.intake import Intake
from data.records import rows_chunk
from etl.connectors.topic import TopicError
from etl.connectors.watch import INTERVAL_S, stopped_by_signals, watch
from tests.small_city import add_source, row, source_text, write_city

START = dt.datetime(2026, 11, 16, 4, 0, tzinfo=dt.UTC)
SQL = '{url_env = "CITY_DB", view = "v", watermark = "更新时间"}'
KAFKA = '{servers_env = "CITY_KAFKA", topic = "events", group = "pingan"}'
HEADER = "工单编号,发生时间,类别,经度,纬度,网格\n"


class Office:
    """A watched installation: what happens in which round, what was built and reported."""

    def __init__(self, tmp_path) -> None:
        self.folder = write_city(tmp_path / "city", {"pushed": source_text()})
        self.home = tmp_path / "home"
        self.intake = Intake(self.home)
        self.now = START
        self.events, self.builds, self.reports = {}, [], []
        self.rounds = self.last_round = 0
        self.environ = {}
        self.closed = []

    def build(self):
        batches = self.intake.batches()
        last = batches[-1].number if batches else 0
        self.builds.append((self.rounds, last))
        return last

    def wait(self, seconds):
        assert seconds == INTERVAL_S
        self.now += dt.timedelta(seconds=seconds)
        self.rounds += 1
        self.events.get(self.rounds, lambda: None)()

    def run(self, rounds, **more):
        self.last_round = rounds
        settings = {"build": self.build, "report": self.reports.append, **more}
        return watch(
            self.folder, self.home, clock=lambda: self.now, wait=self.wait,
            stop=lambda: self.rounds >= self.last_round, environ=self.environ, **settings,
        )  # fmt: skip

    def errors(self):
        return [(entry.source, entry.error) for entry in self.reports if entry.error]


@pytest.fixture
def office(tmp_path):
    """With one batch, that of its first round."""
    office = Office(tmp_path)
    push(office, 0)
    return office


def push(office, number):
    source = read_city(office.folder, home=office.home).sources[0]
    office.intake.land(
        source, [rows_chunk(source, [row(number)])], kind="push", name="push", content=str(number), now=office.now
    )  # fmt: skip


def test_a_first_round_builds_and_quiet_rounds_do_not(office):
    assert office.run(4) == 1
    assert office.builds == [(0, 1)]


def test_nothing_is_built_before_anything_came(tmp_path):
    assert Office(tmp_path).run(3) == 0


def test_a_push_from_another_process_is_published(office):
    office.events[2] = lambda: push(office, 1)
    office.events[4] = lambda: (push(office, 2), push(office, 3))
    assert office.run(6) == 3
    assert office.builds == [(0, 1), (2, 2), (4, 4)]


def test_a_dropped_file_is_published_when_it_is_quiet(office):
    add_source(office.folder, "watched", source_text(format='"csv"', push=None, watch='"drop"'))
    (office.folder / "drop").mkdir()

    def drop():
        path = office.folder / "drop" / "a.csv"
        path.write_text(
            HEADER + "N1,2026-11-16 08:30:00,1,120.1,30.2,990101001\n", encoding="utf-8"
        )
        os.utime(path, (office.now.timestamp(), office.now.timestamp()))

    office.events[1] = drop
    office.run(4)
    assert office.builds == [(0, 1), (2, 2)]
    assert [(entry.name, entry.is_new) for entry in office.reports] == [("a.csv", True)]


def test_a_view_is_polled(office, tmp_path):
    path = tmp_path / "ledger.db"
    with sqlite3.connect(path) as database:
        database.execute(
            'CREATE TABLE v ("工单编号", "发生时间", "类别", "经度", "纬度", "网格", "更新时间")'
        )
    add_source(office.folder, "view", source_text(push=None, sql=SQL))
    office.environ["CITY_DB"] = f"sqlite:///{path}"

    def insert():
        with sqlite3.connect(path) as changed:
            changed.execute(
                "INSERT INTO v VALUES ('N1', '2026-11-16 08:30:00', 1, 120.1, 30.2, 'x', 1)"
            )
        changed.close()

    database.close()
    office.events[2] = insert
    office.run(4)
    assert office.builds == [(0, 1), (2, 2)]
    assert office.errors() == []


def test_a_repaired_rule_is_built_without_any_new_batch(office):
    text = source_text().replace('"1" = "A101"', '"1" = "A101"\n"2" = "A101"')
    office.events[2] = lambda: add_source(office.folder, "pushed", text)
    office.run(4)
    assert [number for number, _ in office.builds] == [0, 2]


def test_a_broken_city_folder_is_told_and_waited_for(office):
    office.events[1] = lambda: add_source(office.folder, "bad", "x = 1")
    office.events[2] = (office.folder / "sources" / "bad.toml").unlink
    office.run(4)
    ((source, reason),) = office.errors()
    assert source == ""
    assert "sources/bad.toml" in reason
    assert [number for number, _ in office.builds] == [0]


def test_one_source_that_fails_does_not_stop_the_others(office):
    add_source(office.folder, "a_folder", source_text(format='"csv"', push=None, watch='"nowhere"'))
    add_source(office.folder, "b_view", source_text(push=None, sql=SQL))
    add_source(office.folder, "c_topic", source_text(push=None, kafka=KAFKA))
    office.events[1] = lambda: push(office, 1)
    office.run(2)
    assert {source for source, _ in office.errors()} == {"a_folder", "b_view", "c_topic"}
    assert [number for number, _ in office.builds] == [0, 1]


def test_a_build_that_fails_is_tried_again(office):
    def build():
        office.build()
        if len(office.builds) < 3:
            raise OSError("No space left on device")
        return office.builds[-1][1]

    assert office.run(5, build=build) == 1
    assert office.builds == [(0, 1), (1, 1), (2, 1)]
    assert office.errors() == [("", "No space left on device")] * 2


def test_a_broken_consumer_is_left_and_opened_anew(office):
    add_source(office.folder, "stream", source_text(push=None, kafka=KAFKA))
    opened, closed = [], []

    class Consumer:
        def consume(self, *_):
            if len(opened) == 1:
                raise TopicError("topic events: gone")
            office.rounds = max(office.rounds, 2)
            raise TopicError("topic events: again")

        def commit(self, **_):
            raise AssertionError

        def close(self):
            closed.append(self)

    def opener(*_):
        opened.append(Consumer())
        return opened[-1]

    office.run(2, opener=opener)
    assert closed == opened
    assert len(opened) == 2
    assert [reason for _, reason in office.errors()] == [
        "topic events: gone",
        "topic events: again",
    ]


def test_consumers_leave_their_groups_at_the_end(office):
    add_source(office.folder, "stream", source_text(push=None, kafka=KAFKA))
    closed = []

    class Consumer:
        def consume(self, *_):
            office.rounds = 9
            raise KeyboardInterrupt

        def close(self):
            closed.append(True)

    with pytest.raises(KeyboardInterrupt):
        office.run(2, opener=lambda *_: Consumer())
    assert closed == [True]


def test_sigterm_ends_the_loop_after_its_round(office):
    before = signal.getsignal(signal.SIGTERM)
    with stopped_by_signals() as stopped:

        def never(_seconds):
            pytest.fail("it waits although it shall stop")

        def build():
            signal.raise_signal(signal.SIGTERM)
            assert stopped.is_set()
            return office.build()

        found = watch(
            office.folder, office.home, build=build, clock=lambda: START, wait=never,
            stop=stopped.is_set, environ={}, report=office.reports.append,
        )  # fmt: skip
    assert found == 1
    assert signal.getsignal(signal.SIGTERM) is before
