"""
What safe uploads cost: reading apart, the checks of the door, and everybody else meanwhile.

Run: `python -m benchmarks.hostile`. Medians of five. The server is the product's upload page behind
gunicorn (one worker of eight threads); bystanders ask it for a page all the time.
"""

import http.client
import statistics
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.ledgers import SOURCE, write_ledger
from data.intake import Intake
from data.store import file_sha256
from data.uploads import MAX_BYTES, check_file
from etl.connectors.apart import UPLOADED, write_apart
from etl.connectors.files import Pending, _write
from tests.faults import ledger_samples as samples
from tests.faults import town
from tests.faults.hostile import Site
from tests.faults.hostile_uploads import Upload, form

ROUNDS = 5
SIZES = (100, 10_000, 100_000)
LOAD_S = 20.0


def timed(call):
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def reading(folder):
    """Rows of a workbook into the intake, here and apart with the limits of uploads."""
    print("| workbook | here | apart | more |\n|---|---:|---:|---:|")
    for rows in SIZES:
        path = folder / f"{rows}.xlsx"
        write_ledger(path, rows)
        pending = Pending(SOURCE, path, file_sha256(path))
        home = folder / "home"
        here = timed(lambda: _write(home, pending, None))  # noqa: B023
        apart = timed(lambda: write_apart(_write, home, pending, UPLOADED))  # noqa: B023
        size = path.stat().st_size / 1e6
        print(
            f"| {rows:,} rows, {size:.1f} MB | {here:.2f} s | {apart:.2f} s | {apart - here:.2f} s |"
        )
    assert Intake(home).batches() == []


def checking(folder):
    """The checks of the web process on files of the largest size."""
    print("\n| check of 20 MB | time |\n|---|---:|")
    line = b'{"id": "1", "when": "2026-01-01 10:00", "x": [1, 2, [3]]}\n'
    contents = {
        ".csv": "编号,时间\n".encode("gb18030") + b"1,2026-01-01 10:00,A1\n" * (MAX_BYTES // 22),
        ".ndjson": line * (MAX_BYTES // len(line)),
        ".geojson": b'{"features": [' + b'{"a": ["[", 1]}, ' * (MAX_BYTES // 17 - 2) + b"1]}",
    }
    for ending, content in contents.items():
        path = folder / f"largest{ending}"
        path.write_bytes(content[:MAX_BYTES])
        print(f"| {ending} | {timed(lambda: check_file(path, ending)):.2f} s |")  # noqa: B023


def bystanders(folder):
    """Time of a page for others: alone, and while two senders upload the largest files."""
    home, city = folder / "site", town.make_city(folder / "city")
    home.mkdir()
    (city / "sources" / "csv.toml").write_text(samples.source_text("csv"), encoding="utf-8")
    base = folder / "server"
    base.mkdir()
    site = Site(base, home, city)
    try:
        site.wait()
        token, cookie = site.token()
        body = form(
            token, "csv", "a.csv", b"id,when\n" + "噪声,1\n".encode("gb18030") * (MAX_BYTES // 7)
        )
        print("\n| others' page | requests | p50 | p95 | p99 |\n|---|---:|---:|---:|---:|")
        for title, senders in (("alone", 0), ("beside two uploads of 20 MB without a pause", 2)):
            times, sent = _load(site, cookie, body, senders)
            cuts = statistics.quantiles(times, n=100)
            told = f"{title} ({sent} sent)" if senders else title
            print(
                f"| {told} | {len(times)} | "
                + " | ".join(f"{1e3 * cuts[n - 1]:.0f} ms" for n in (50, 95, 99))
                + " |"
            )
        print(f"\nmemory of the worker: {site.memory()} MiB")
    finally:
        site.close()


def _load(site, cookie, body, senders):
    until, times, sent = time.monotonic() + LOAD_S, [], []

    def send():
        while time.monotonic() < until:
            site.post(Upload("large", body), cookie)
            sent.append(1)

    threads = [threading.Thread(target=send) for _ in range(senders)]
    for thread in threads:
        thread.start()
    while time.monotonic() < until:
        start = time.perf_counter()
        try:
            assert site.get("/upload")[0] == 200
        except (OSError, http.client.HTTPException):
            times.append(60.0)
        times.append(time.perf_counter() - start)
        time.sleep(0.05)
    for thread in threads:
        thread.join()
    return times, len(sent)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        reading(Path(place))
        checking(Path(place))
        bystanders(Path(place))
