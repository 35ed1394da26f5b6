"""
Time how fast batches come in: pushes over HTTP, pages of a database view, dropped files.

Run from the root of the project: ``python -m benchmarks.push``. Every figure is of durable rows:
the clock stops when the batch is in the log, after its fsyncs. The peers are the same bodies parsed
and written to one fsynced Parquet file each without anything else (push), and the bare read of the
same query into memory (view). `--kill` ends the web workers again and again while batches are sent,
and then compares what was acknowledged with what is there.
"""

import argparse
import contextlib
import datetime as dt
import http.client
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from data.city import read_city
from data.intake import Intake
from data.state.database import open_state
from data.state.migrate import upgrade
from data.store import file_sha256
from data.tokens import TokenStore
from data.writer import sync
from etl.connectors.files import take_files
from etl.connectors.view import take_views
from tests.small_city import add_source, row, source_text, write_city

NOW = dt.datetime(2026, 11, 16, 4, 0, tzinfo=dt.UTC)
PER_TOKEN = 100
HEADER = "工单编号,发生时间,类别,经度,纬度,网格\n"


def make_home(folder):
    """A city with a pushed, a viewed and a watched source; the home beside it."""
    sql = '{url_env = "CITY_DB", view = "v", watermark = "更新时间"}'
    city = write_city(folder / "city", {"pushed": source_text()})
    add_source(city, "viewed", source_text(push=None, sql=sql))
    add_source(city, "watched", source_text(format='"csv"', push=None, watch='"drop"'))
    (city / "drop").mkdir()
    return city, folder / "home"


def bodies(count, rows):
    """Bodies of pushes whose rows all differ."""
    return [
        json.dumps(
            {"source": "pushed", "rows": [row(first * rows + n) for n in range(rows)]},
            ensure_ascii=False,
        ).encode()
        for first in range(count)
    ]


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@contextlib.contextmanager
def served(home, city, port):
    """The web server as `pingan serve` starts it."""
    environ = os.environ | {"PINGAN_HOME": str(home), "PINGAN_CITY": str(city)}
    command = [
        sys.executable, "-m", "gunicorn", "dashboard.app:create_server()", "--bind", f"127.0.0.1:{port}",
        "--workers", "2", "--threads", "4", "--log-level", "critical", "--no-control-socket",
    ]  # fmt: skip
    server = subprocess.Popen(command, env=environ, stderr=subprocess.DEVNULL)
    try:
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
                break
            time.sleep(0.2)
        yield server
    finally:
        server.terminate()
        server.wait()


def send(port, secret, key, body):
    """Status and answer of one push; None where there was no answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {
        "Authorization": f"Bearer {secret}",
        "Idempotency-Key": key,
        "Content-Type": "application/json",
    }
    try:
        connection.request("POST", "/api/v1/incidents", body, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()


def secrets_for(home, count):
    """One token per hundred requests, because each token has its own limit."""
    database = open_state("", home)
    upgrade(database)
    tokens = TokenStore(database)
    names = range(len(tokens.list()), len(tokens.list()) + count // PER_TOKEN + 1)
    return [tokens.create(f"t{name}", ["pushed"], now=NOW)[1] for name in names]


def push_all(port, home, sent, senders, *, tag):
    """Push bodies from several senders, each again until it is acknowledged; batch numbers."""
    secrets, numbers, waiting = secrets_for(home, len(sent)), {}, list(enumerate(sent))
    lock = threading.Lock()

    def work():
        while True:
            with lock:
                if not waiting:
                    return
                number, body = waiting.pop()
            while (
                told := send(port, secrets[number // PER_TOKEN], f"{tag}-{number}", body)
            ) is None:
                time.sleep(0.05)
            if told[0] != 202:
                raise SystemExit(f"push {number}: {told}")
            numbers[number] = told[1]["batch"]

    threads = [threading.Thread(target=work) for _ in range(senders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return numbers


def bare_write(sent, folder):
    """What the same rows cost with nothing around them: parse, write, fsync."""
    for number, body in enumerate(sent):
        path = folder / f"{number}.parquet"
        pq.write_table(pa.Table.from_pylist(json.loads(body)["rows"]), path, compression="zstd")
        sync(path)
        sync(folder)


def timed(work):
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def told(what, times, batches, rows):
    seconds = statistics.median(times)
    print(
        f"| {what} | {seconds:.2f} | {batches / seconds:,.0f} | {rows / seconds:,.0f} |", flush=True
    )


def time_pushes(folder, rounds):
    city, home = make_home(folder)
    port = free_port()
    with served(home, city, port):
        push_all(port, home, bodies(4, 10), 2, tag="warm")
        for rows, count, senders in ((1, 100, 1), (1, 200, 4), (1_000, 20, 4), (10_000, 8, 4)):
            sent = bodies(count, rows)
            times = [
                timed(lambda: push_all(port, home, sent, senders, tag=f"{rows}-{senders}-{n}"))  # noqa: B023
                for n in range(rounds)
            ]
            told(f"push, {rows:,} rows each, {senders} senders", times, count, count * rows)
            bare = folder / f"bare-{rows}-{senders}"
            bare.mkdir()
            peer = [timed(lambda: bare_write(sent, bare)) for _ in range(rounds)]  # noqa: B023
            told(f"  bare write, {rows:,} rows each", peer, count, count * rows)


def time_view(folder, rounds, rows):
    environ = {"CITY_DB": f"sqlite:///{folder / 'ledger.db'}"}
    engine = sa.create_engine(environ["CITY_DB"])
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE v (工单编号 TEXT, 发生时间 TEXT, 类别 TEXT, 经度 REAL, 纬度 REAL, 网格 TEXT, 更新时间 INTEGER)"
        )
        values = [(*row(number).values(), number // 10) for number in range(rows)]
        connection.exec_driver_sql("INSERT INTO v VALUES (?, ?, ?, ?, ?, ?, ?)", values)
        connection.exec_driver_sql("CREATE INDEX i ON v (更新时间)")

    def read():
        with engine.connect() as connection:
            connection.exec_driver_sql("SELECT * FROM v ORDER BY 更新时间").fetchall()

    times, batches = [], 0
    for number in range(rounds):
        city, home = make_home(folder / str(number))
        found = read_city(city, home=home)
        intake = Intake(home)
        times.append(timed(lambda: take_views(found, intake, NOW, environ=environ)))  # noqa: B023
        batches = len(intake.batches())
        assert sum(batch.read for batch in intake.batches()) == rows
    told(f"view, {rows:,} rows", times, batches, rows)
    told("  bare read", [timed(read) for _ in range(rounds)], batches, rows)


def time_files(folder, rounds, rows, count=20):
    times = []
    for number in range(rounds):
        city, home = make_home(folder / str(number))
        for part in range(count):
            path = city / "drop" / f"{part:02d}.csv"
            lines = (
                f"N{part * rows + n},2026-11-16 08:30:00,1,120.1,30.2,990101001\n"
                for n in range(rows)
            )
            path.write_text(HEADER + "".join(lines), encoding="utf-8")
            os.utime(path, (NOW.timestamp() - 60, NOW.timestamp() - 60))
        found = read_city(city, home=home)
        intake = Intake(home)
        times.append(timed(lambda: take_files(found, intake, NOW)))  # noqa: B023
        assert len(intake.batches()) == count
    told(f"{count} files, {rows:,} rows each", times, count, count * rows)
    quiet = [timed(lambda: take_files(found, intake, NOW)) for _ in range(rounds)]
    told(f"  a look at the same {count} files", quiet, count, count * rows)


def kill(folder, kills, seed=1):
    """End web workers while batches are sent; every acknowledged batch must be there, once."""
    city, home = make_home(folder)
    port, sent, done = free_port(), bodies(300, 20), threading.Event()
    random_ = random.Random(seed)
    killed = 0
    with served(home, city, port) as server:
        push_all(port, home, sent[:1], 1, tag="first")

        def end_workers():
            nonlocal killed
            while killed < kills and not done.wait(random_.uniform(0.05, 0.4)):
                listed = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
                if listed:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(int(random_.choice(listed)), signal.SIGKILL)
                        killed += 1

        killer = threading.Thread(target=end_workers)
        killer.start()
        numbers = push_all(port, home, sent, 4, tag="kill")
        done.set()
        killer.join()
    found = {batch.number: batch for batch in Intake(home).batches()}
    assert set(numbers.values()) <= set(found)
    assert len(set(numbers.values())) == len(sent) == len(found) - 1
    for batch in found.values():
        for chunk in batch.chunks:
            assert file_sha256(home / chunk["path"]) == chunk["sha256"]
    print(
        f"{killed} kills of web workers, {len(numbers)} batches acknowledged: none lost or doubled"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=200_000, help="rows of the view")
    parser.add_argument("--kill", type=int, default=0, help="kills of web workers, and no timing")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if asked.kill:
            kill(folder, asked.kill)
            return
        print("| what | s | batches/s | rows/s |\n|---|---:|---:|---:|")
        time_pushes(folder / "push", asked.rounds)
        (folder / "view").mkdir()
        time_view(folder / "view", asked.rounds, asked.rows)
        time_files(folder / "files", asked.rounds, 10_000)


if __name__ == "__main__":
    main()
