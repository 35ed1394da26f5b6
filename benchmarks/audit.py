"""
Time the audit: several processes append rows at once, then all rows are verified and archived.

Run from the root of the project: ``python -m benchmarks.audit``. On SQLite and on a PostgreSQL of
our own (fsync on), with the guards in place. Every row is on disk when its call returns. The peer
is the same row inserted durably with nothing around it: no head, no sum, no guard. After each
round the numbers must run from 1 without a gap, and the chain must hold.
"""

import argparse
import contextlib
import datetime as dt
import multiprocessing
import statistics
import tempfile
import threading
import time
from pathlib import Path

import sqlalchemy as sa

from data.audit import AuditLog
from data.audit.archive import archive
from data.audit.log import ROWS
from data.audit.verify import verify
from data.state.database import StateDatabase, state_url
from data.state.migrate import upgrade
from tests.data.audit.kept import KEY
from tests.postgres import NoServerError, fresh_database, postgres_server

AT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
ENTRY = {
    "user": "township.0107",
    "roles": "township",
    "address": "10.21.3.44",
    "session": "0f0f0f0f",
    "action": "view",
    "target": "update_map ?area=990107&level=grid&layer=areas&periods=4",
    "result": "ok",
    "detail": "",
}


def opened(url, home):
    database = StateDatabase(url)
    upgrade(database)
    return AuditLog(database, KEY, home=home)


def append(ready, times, *, url, home, rows, threads):
    """One process: its threads append rows when all processes are ready."""
    log, lock = AuditLog(StateDatabase(url), KEY, home=home), threading.Lock()
    ready.wait()

    def work():
        own = []
        for number in range(rows // threads):
            started = time.perf_counter()
            log.write(at=AT + dt.timedelta(seconds=number), **ENTRY)
            own.append(time.perf_counter() - started)
        with lock:
            times.extend(own)

    running = [threading.Thread(target=work) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()


def bare(ready, times, *, url, rows, **_):
    """The peer: the same values, inserted and committed."""
    database = StateDatabase(url)
    ready.wait()
    own = []
    for _number in range(rows):
        started = time.perf_counter()
        with database.writing() as transaction:
            values = {"at": AT, "previous": KEY.hex(), "hash": KEY.hex(), **ENTRY}
            transaction.connection().execute(PEER_INSERT, values)
        own.append(time.perf_counter() - started)
    times.extend(own)


PEER = sa.Table(
    "peer",
    sa.MetaData(),
    sa.Column("number", sa.Integer, primary_key=True),
    *(sa.Column(column.name, column.type) for column in ROWS.columns if column.name != "seq"),
)
PEER_INSERT = PEER.insert()


def raced(work, processes, **job):
    """Seconds of a round, and the milliseconds of each row in order."""
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(processes + 1)
    with context.Manager() as manager:
        times = manager.list()
        running = [
            context.Process(target=work, args=(ready, times), kwargs=job) for _ in range(processes)
        ]
        for process in running:
            process.start()
        ready.wait()
        started = time.perf_counter()
        for process in running:
            process.join()
        seconds = time.perf_counter() - started
        assert all(process.exitcode == 0 for process in running)
        return seconds, sorted(1e3 * value for value in times)


def checked(url, home, rows):
    """All rows are there, numbered without a gap; seconds that the verification took."""
    log = AuditLog(StateDatabase(url), KEY, home=home)
    with log.database.reading() as reading:
        found = reading.execute(
            sa.select(sa.func.count(), sa.func.min(ROWS.c.seq), sa.func.max(ROWS.c.seq))
        ).one()
    assert tuple(found) == (rows, 1, rows), found
    started = time.perf_counter()
    verdict = verify(log)
    seconds = time.perf_counter() - started
    assert verdict.is_sound, verdict.faults[:5]
    log.database.close()
    return seconds


def told(what, rows, seconds, times=None):
    shares = (
        f"{times[len(times) // 2]:.2f} | {times[int(len(times) * 0.95)]:.2f} | {times[-1]:.0f}"
        if times
        else " | | "
    )
    print(f"| {what} | {statistics.median(seconds):.2f} | "
          f"{rows / statistics.median(seconds):,.0f} | {shares} |", flush=True)  # fmt: skip


@contextlib.contextmanager
def fresh(folder, server):
    """URL of an empty audit, and a folder for its anchor."""
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=folder)))
        url = stack.enter_context(fresh_database(server)) if server else state_url("", home)
        log = opened(url, home)
        PEER.create(log.database.engine)
        log.database.close()
        yield url, home


def measure(engine, folder, server, asked):
    for name, processes, rows, threads, work in (
        ("1 process", 1, asked.rows, 1, append),
        ("1 process, bare insert", 1, asked.rows, 1, bare),
        ("4 processes", 4, asked.rows, 1, append),
        ("4 processes, bare insert", 4, asked.rows, 1, bare),
        ("2 processes of 8 threads", 2, asked.rows, 8, append),
    ):
        rounds, checks, times = [], [], []
        for _ in range(asked.rounds):
            with fresh(folder, server) as (url, home):
                seconds, took = raced(
                    work, processes, url=url, home=home, rows=rows, threads=threads
                )
                rounds.append(seconds)
                times += took
                if work is append:
                    checks.append(checked(url, home, processes * (rows // threads) * threads))
        told(f"{engine}, {name}, {rows:,} rows each", processes * rows, rounds, sorted(times))
        if name == "4 processes":
            told(f"{engine}, verify {processes * rows:,} rows", processes * rows, checks)


def archived(engine, folder, server, rows):
    """Seconds that moving rows out takes."""
    with fresh(folder, server) as (url, home):
        log = opened(url, None)
        for number in range(rows):
            log.write(at=AT + dt.timedelta(seconds=number), **ENTRY)
        started = time.perf_counter()
        now = AT + dt.timedelta(days=400)
        done = archive(log, home / "archived", older_than=now - dt.timedelta(days=200), now=now)
        seconds = time.perf_counter() - started
        assert done.rows == rows
        assert verify(log, archives=home / "archived").is_sound
        log.database.close()
    told(f"{engine}, archive {rows:,} rows, verified before", rows, [seconds])


def main():
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=5_000, help="rows of each process")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"))
    asked = parser.parse_args()
    print("| what | s | rows/s | median ms | p95 ms | longest ms |\n|---|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory(dir=Path.cwd().parent) as name:
        folder = Path(name)
        if asked.engine != "postgresql":
            measure("SQLite", folder, None, asked)
            archived("SQLite", folder, None, asked.rows)
        if asked.engine != "sqlite":
            try:
                with postgres_server(fsync="on") as server:
                    measure("PostgreSQL", folder, server, asked)
                    archived("PostgreSQL", folder, server, asked.rows)
            except NoServerError as error:
                print(error)


if __name__ == "__main__":
    main()
