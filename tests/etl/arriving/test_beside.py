"""The process beside `pingan watch`: it feeds, comes again when it dies, and ends with the command."""

import datetime as dt
import os
import signal
import threading
from pathlib import Path

from data.arrivals import ArrivalStore
from data.intake import Intake
from data.records import rows_chunk
from data.settings import Settings
from data.state.database import open_state
from data.state.migrate import upgrade
from etl.arriving.beside import Beside
from tests.etl.arriving.test_feed import PUSHED, row
from tests.etl.conftest import make_toy

TRIES = 1_200


def until(found):
    """Ask again and again until something is there; no clock decides."""
    pause = threading.Event()
    for _ in range(TRIES):
        if value := found():
            return value
        pause.wait(0.1)
    raise AssertionError("it did not come")


def spawned(pid):
    """Processes that a process spawned, without Python's own helpers."""
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        named = {int(one): Path(f"/proc/{one}/cmdline").read_bytes() for one in found}
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [one for one, command in named.items() if b"spawn_main" in command]


def test_it_feeds_comes_again_and_ends(tmp_path):
    toy = make_toy(tmp_path)
    (toy.folder / "sources" / "pushed.toml").write_text(PUSHED, encoding="utf-8")
    database = open_state("", toy.home)
    upgrade(database)
    store, intake = ArrivalStore(database), Intake(toy.home)
    store.begin(0)
    source = next(one for one in toy.city().sources if one.name == "pushed")

    def push(number):
        now = dt.datetime.now(dt.UTC)
        when = now.astimezone(dt.timezone(dt.timedelta(hours=8))).strftime("%Y-%m-%d %H:%M")
        chunk = rows_chunk(source, [row(number, when=when)])
        intake.land(source, [chunk], kind="push", name="push", content=str(number), now=now)

    def arrived(count):
        newest = store.newest()
        return newest is not None and newest.seq == count

    with Beside(Settings(home=toy.home), toy.folder) as beside:
        push(1)
        until(lambda: arrived(1))
        assert beside.round(dt.datetime.now(dt.UTC)) == ""
        keeper = beside._process.pid
        (feed,) = spawned(keeper)
        os.kill(feed, signal.SIGKILL)
        push(2)
        until(lambda: arrived(2))
        (feed,) = spawned(keeper)
        os.kill(keeper, signal.SIGKILL)
        beside._process.join()
        # The feed goes with the one above it, and the next round of the command starts both.
        until(lambda: not Path(f"/proc/{feed}/fd").exists() or not spawned(os.getpid()))
        assert "started again" in beside.round(dt.datetime.now(dt.UTC))
        push(3)
        until(lambda: arrived(3))
        keeper = beside._process.pid
    assert not Path(f"/proc/{keeper}").exists()
    database.close()
