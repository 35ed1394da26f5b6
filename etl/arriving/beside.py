"""
A process beside `pingan watch` that feeds the screens, so that no build or analysis holds it up.

A process of its own, not a thread: a build forks workers, which must not happen while another
thread holds a lock of some library, and its seconds of pure Python would hold a thread up. A small
process between the two starts it again at once where it dies, in the middle of a build too.
"""

from __future__ import annotations

import datetime as dt
import multiprocessing
import signal
import threading
from typing import TYPE_CHECKING, Any, Final

from etl.engine import end_with_parent

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

    from data.settings import Settings

EVERY_S: Final = 0.5
"""Seconds between two looks at the log."""

AGAIN_S: Final = 1.0
"""Seconds until a process that died is started again."""

STOP_S: Final = 10.0


_SAID: Final = "arrivals: the feed had ended and is started again"


class Beside:
    """Starts the process, and starts it again where it has died."""

    def __init__(self, chosen: Settings, city: Path) -> None:
        self._arguments = (chosen, city)
        self._process: multiprocessing.process.BaseProcess | None = None

    def round(self, now: dt.datetime) -> str:  # noqa: ARG002 - as every part of a round
        """
        See to it that the process runs.

        Returns
        -------
        said
            That it had died, empty = nothing.
        """
        if self._process is not None and self._process.is_alive():
            return ""
        said = "" if self._process is None else _SAID
        self._process = _started(keep_feeding, self._arguments)
        return said

    def __enter__(self) -> Self:
        self.round(dt.datetime.now(dt.UTC))
        return self

    def __exit__(self, *_error: object) -> None:
        """End the process; wherever it is, nothing is lost."""
        if self._process is None:
            return
        self._process.terminate()
        self._process.join(STOP_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._process = None


def keep_feeding(chosen: Settings, city: Path) -> None:
    """Start the feed, and start it again whenever it has died, until told to stop."""
    stopped = _until_stopped()
    feed = _started(feed_on, (chosen, city))
    while not stopped.wait(AGAIN_S):
        if not feed.is_alive():
            print(_SAID, flush=True)  # noqa: T201 - the words of a command
            feed = _started(feed_on, (chosen, city))
    feed.terminate()
    feed.join(STOP_S)


def feed_on(chosen: Settings, city: Path) -> None:
    """Feed round after round until told to stop, or until the parent has ended."""
    from data.state.database import open_state  # noqa: PLC0415 - loaded by the process that feeds
    from etl.arriving.feed import Feed  # noqa: PLC0415

    stopped = _until_stopped()
    feed = Feed(city, chosen.home, open_state(chosen.state, chosen.home))
    while not stopped.is_set():
        for line in feed.round(dt.datetime.now(dt.UTC)):
            print(line, flush=True)  # noqa: T201 - the words of a command
        stopped.wait(EVERY_S)


def _started(target: Any, arguments: tuple[Settings, Path]) -> multiprocessing.process.BaseProcess:
    # Spawned, not forked: the process that starts it may have threads by now.
    process = multiprocessing.get_context("spawn").Process(target=target, args=arguments)
    process.start()
    return process


def _until_stopped() -> threading.Event:
    """End with the parent; a key press reaches the whole group, and the parent then ends this."""
    end_with_parent()
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: stopped.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return stopped
