"""Many writers at once: no row lost, no number twice or left out, the chain holds."""

import multiprocessing
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from data.audit import AuditError, AuditLog
from data.audit.grouped import Grouped
from data.audit.verify import verify
from data.state.database import StateDatabase
from tests.data.audit.kept import KEY, Attacker, written

PROCESSES, ROWS_EACH = 4, 150


def append(ready, url, home, user, results):
    """One process."""
    log = AuditLog(StateDatabase(url), KEY, home=home)
    ready.wait()
    try:
        results.put(written(log, ROWS_EACH, user=user))
    except AuditError as error:
        results.put([str(error)])


def test_four_processes_lose_nothing(state_url, database, tmp_path):
    """The full figure, 4 x 5,000, is that of `python -m benchmarks.audit`."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.data.audit.kept"])  # libraries load once
    ready, results = context.Barrier(PROCESSES), context.Queue()
    running = [
        context.Process(target=append, args=(ready, state_url, tmp_path, f"user{number}", results))
        for number in range(PROCESSES)
    ]
    for process in running:
        process.start()
    told = [seq for _ in running for seq in results.get(timeout=120)]
    for process in running:
        process.join()
    total = PROCESSES * ROWS_EACH
    assert sorted(told) == list(range(1, total + 1))
    rows = Attacker(database).rows()
    assert [row["seq"] for row in rows] == list(range(1, total + 1))
    assert Counter(row["user"] for row in rows) == {
        f"user{number}": ROWS_EACH for number in range(PROCESSES)
    }
    verdict = verify(AuditLog(database, KEY, home=tmp_path))
    assert verdict.faults == ()
    assert verdict.anchor is not None


def test_the_first_rows_of_several_writers_share_one_head(state_url, database):
    """Each has its own connections, as if it were a process."""
    logs = [AuditLog(StateDatabase(state_url), KEY) for _ in range(6)]
    start = threading.Barrier(len(logs))

    def write(log):
        start.wait()
        return written(log, 1)[0]

    with ThreadPoolExecutor(len(logs)) as pool:
        assert sorted(pool.map(write, logs)) == [1, 2, 3, 4, 5, 6]
    assert verify(logs[0]).is_sound
    for log in logs:
        log.database.close()


@pytest.mark.parametrize("state_url", ["postgresql"], indirect=True)
def test_a_head_that_another_writer_made_meanwhile_is_no_fault(log, database, state_url):
    other, done = AuditLog(StateDatabase(state_url), KEY), []

    @sa.event.listens_for(database.engine, "before_cursor_execute")
    def meanwhile(_connection, _cursor, statement, *_):
        if statement.startswith("INSERT INTO audit_head") and not done:
            done.append(written(other, 1))

    assert written(log, 1) == [2]
    assert done == [[1]]
    assert verify(log).is_sound
    other.database.close()


class Noted(list):
    """A list that tells of each value added."""

    def __init__(self) -> None:
        super().__init__()
        self.joined = threading.Semaphore(0)

    def append(self, value):
        super().append(value)
        self.joined.release()


def test_threads_of_a_process_share_transactions(log, database):
    commits = []
    sa.event.listen(database.engine, "commit", commits.append)
    inside, go_on = threading.Event(), threading.Event()

    def hold(*_):
        inside.set()
        go_on.wait(60)

    sa.event.listen(database.engine, "before_cursor_execute", hold, once=True)
    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(written, log, 1)
        inside.wait(60)
        log._append._waiting = queue = Noted()
        others = [pool.submit(written, log, 1) for _ in range(8)]
        for _ in others:
            queue.joined.acquire(timeout=60)
        go_on.set()
        assert first.result() == [1]
        assert sorted(future.result()[0] for future in others) == list(range(2, 10))
    assert len(commits) == 2
    assert verify(log).is_sound


def test_a_group_that_fails_fails_for_each_and_the_next_one_works(log, database):
    held = threading.Event()

    def fail(connection, _cursor, statement, *_):
        if statement.startswith("INSERT INTO audit ") and not held.is_set():
            held.set()
            raise sa.exc.OperationalError(statement, {}, Exception("no space"))

    sa.event.listen(database.engine, "before_cursor_execute", fail)
    with pytest.raises(AuditError, match="no space"):
        written(log, 1)
    assert written(log, 2) == [1, 2]


def test_grouped_calls_get_their_own_answers():
    sizes = []

    def work(asked):
        sizes.append(len(asked))
        return [number * 10 for number in asked]

    grouped = Grouped(work)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(grouped, range(400))) == [number * 10 for number in range(400)]
    assert sum(sizes) == 400


def test_a_stopped_worker_leaves_nobody_waiting():
    """A web server ends a slow worker's thread by SystemExit; those behind it must hear of it."""
    inside, go_on = threading.Event(), threading.Event()

    def work(asked):
        inside.set()
        go_on.wait(60)
        raise SystemExit

    grouped, errors = Grouped(work), []

    def call():
        try:
            grouped(1)
        except BaseException as error:
            errors.append(type(error))

    threads = [threading.Thread(target=call) for _ in range(3)]
    threads[0].start()
    inside.wait(60)
    for thread in threads[1:]:
        thread.start()
    go_on.set()
    for thread in threads:
        thread.join(60)
    assert errors == [SystemExit] * 3


@pytest.mark.parametrize("state_url", ["sqlite"], indirect=True)
def test_a_writer_takes_the_lock_when_it_is_given_back(log, database):
    """And the connection then waits as long as before for anything else."""
    asked = []
    real = time.monotonic

    def clock():
        asked.append(1)
        if len(asked) == 20:
            holder.rollback()
        return real()

    with pytest.MonkeyPatch.context() as patched, database.writing() as holder:
        holder.connection()
        patched.setattr("data.state.database.time.monotonic", clock)
        assert written(log, 1) == [1]
    assert len(asked) == 20
    with database.writing() as transaction:
        waits = transaction.connection().exec_driver_sql("PRAGMA busy_timeout").scalar_one()
    assert waits == 5_000
