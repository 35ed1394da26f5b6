"""
Watching: take in whatever comes, then publish, until told to stop.

Each round looks at the folders, views and topics of the city and at what was pushed meanwhile. A
source that fails is reported and tried again in the next round; the others go on.
"""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from data.city import CityError, folder_hash, read_city
from data.intake import Intake
from data.state.database import StateError
from etl.analyse.marked import inputs_version
from etl.connectors.files import take_files
from etl.connectors.taken import STORAGE_FAULTS, Taken
from etl.connectors.topic import Consumer, TopicError, open_consumer, take_topic
from etl.connectors.view import take_views

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from data.city import City
    from data.source import Source

INTERVAL_S: Final = 10.0
TOPIC_WAIT_S: Final = 1.0


class Watch:
    """What has to be remembered from one round to the next."""

    def __init__(
        self,
        folder: Path,
        home: Path,
        *,
        build: Callable[[], int],
        environ: Mapping[str, str],
        report: Callable[[Taken], None],
        opener: Callable[[Source, Intake, Mapping[str, str]], Consumer] = open_consumer,
        is_stale: Callable[[dt.datetime], bool] = lambda _now: False,
    ) -> None:
        self._folder = folder
        self._intake = Intake(home)
        self._build = build
        self._environ = environ
        self._report = report
        self._opener = opener
        self._is_stale = is_stale
        self._consumers: dict[str, Consumer] = {}
        self._built: tuple[int, str] | None = None

    def round(self, now: dt.datetime) -> bool:
        """
        Look once at everything; whether a build was made.

        A fault of the city folder, of a source or of the build is reported and ends only its part.
        """
        try:
            city = read_city(self._folder, home=self._intake.home)
            rules = folder_hash(self._folder) + inputs_version(self._intake.home, self._folder)
        except (CityError, OSError, StateError) as error:
            self._report(Taken("", self._folder.name, error=str(error)))
            return False
        for taken in self._take(city, now):
            self._report(taken)
        try:
            waiting = self._intake.batches(after=self._built[0] if self._built else 0)
            same = self._built is None or self._built[1] == rules
            if not waiting and same and not self._is_stale(now):
                return False
            self._built = (self._build(), rules)
        except (ValueError, RuntimeError, *STORAGE_FAULTS) as error:
            self._report(Taken("", "build", error=str(error)))
            return False
        return True

    def close(self) -> None:
        """Leave the groups of all topics."""
        for consumer in self._consumers.values():
            consumer.close()
        self._consumers.clear()

    def _take(self, city: City, now: dt.datetime) -> Iterator[Taken]:
        yield from take_files(city, self._intake, now, retry=False)
        yield from take_views(city, self._intake, now, environ=self._environ)
        for source in city.sources:
            if source.kafka is not None:
                yield from self._take_topic(source, source.kafka.topic, now)

    def _take_topic(self, source: Source, topic: str, now: dt.datetime) -> list[Taken]:
        try:
            if source.name not in self._consumers:
                consumer = self._opener(source, self._intake, self._environ)
                self._consumers[source.name] = consumer
            return take_topic(
                source,
                self._intake,
                now,
                consumer=self._consumers[source.name],
                seconds=TOPIC_WAIT_S,
            )
        except (TopicError, *STORAGE_FAULTS) as error:
            if (broken := self._consumers.pop(source.name, None)) is not None:
                broken.close()
            return [Taken(source.name, topic, error=str(error))]


def watch(
    city_folder: Path,
    home: Path,
    *,
    build: Callable[[], int],
    clock: Callable[[], dt.datetime],
    wait: Callable[[float], object],
    stop: Callable[[], bool],
    environ: Mapping[str, str],
    report: Callable[[Taken], None],
    opener: Callable[[Source, Intake, Mapping[str, str]], Consumer] = open_consumer,
    is_stale: Callable[[dt.datetime], bool] = lambda _now: False,
    after: Callable[[dt.datetime], None] = lambda _now: None,
) -> int:
    """
    Go round until told to stop; a round that has begun is finished.

    Parameters
    ----------
    build
        Processes and publishes everything that is landed; returns the last batch it covers.
    clock
        Now, with a time zone.
    wait
        Waits for so many seconds, or less when a stop is asked for.
    stop
        Whether to end.
    environ
        Holds the URLs of views and the servers of topics.
    report
        Told of everything taken in and of every fault.
    is_stale
        Whether what is published waits for its analysis, although nothing new came.
    after
        Called at the end of every round.

    Returns
    -------
    builds
        How many builds were made.
    """
    watching = Watch(
        city_folder,
        home,
        build=build,
        environ=environ,
        report=report,
        opener=opener,
        is_stale=is_stale,
    )
    builds = 0
    try:
        while not stop():
            builds += watching.round(clock())
            after(clock())
            if not stop():
                wait(INTERVAL_S)
    finally:
        watching.close()
    return builds


@contextmanager
def stopped_by_signals() -> Iterator[threading.Event]:
    """Event that SIGTERM and SIGINT set; its `is_set` and `wait` are what `watch` asks for."""
    stopped = threading.Event()

    def on_signal(_number: int, _frame: object) -> None:
        stopped.set()

    before = {
        number: signal.signal(number, on_signal) for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
