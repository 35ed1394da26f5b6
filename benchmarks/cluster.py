"""
The same city built by one worker and by two: seconds, and the same bytes.

Run from the root of the project: ``python -m benchmarks.cluster``. Ten million incidents; each build
is ``pingan build --workers N`` in a fresh home, raw files → published snapshot, in turns. Equal
means: every file that the snapshots name has the same SHA-256. A last build starts from a copy of
the first one's landed batches (the same log, so the same times of arrival) with two workers; there
the files of the incidents must be equal as well. With ``--kill`` a worker of that build is killed
when half of its time is over, and nothing may be missing or different.
"""

import argparse
import json
import os
import shutil
import signal
import statistics
import tempfile
import threading
from collections import Counter
from pathlib import Path

from benchmarks import large_city, processes
from benchmarks.report import Row, print_rows
from data.intake import LANDED, LOG
from data.store import Store, file_sha256

BUDGET = 1.5
HEAD = ["what", "budget", "two workers", "least–most", "one worker", "ratio", "budget is"]


def build(city, home, *, workers, during=None):
    command, environment = large_city.pingan(
        ["build", "--city", city, "--workers", workers], home=home
    )
    return processes.run(command, environment=environment, during=during)


def published(home):
    """SHA-256 of every file that the published snapshot names, by table."""
    store = Store(home)
    files = store.manifest(store.current_id()).raw["files"]
    return Counter((file["table"], file["sha256"]) for file in files)


def incident_files(home):
    """SHA-256 of every stored part of the incidents that the published snapshot names."""
    store = Store(home)
    named = store.manifest(store.current_id()).raw["incidents"]
    paths = [*named["files"], *named["superseded"]]
    return Counter((path, file_sha256(home / path)) for path in paths)


def check_same(name, one, other):
    if one != other:
        different = sorted({table for table, _ in (one - other) + (other - one)})
        raise SystemExit(f"{name}: files of {', '.join(different)} differ")


def with_the_log_of(first, home):
    """Home that has taken in the same batches and processed none."""
    home.mkdir()
    for path in first.glob(LOG + "*"):
        shutil.copy2(path, home)
    shutil.copytree(first / LANDED, home / LANDED)
    return home


def killer(after_s, killed):
    """Something to do during a build: kill its busiest child, a worker, after some seconds."""

    def kill(program):
        if threading.Event().wait(after_s) or program.poll() is not None:
            return
        busiest = max(processes.tree(program.pid)[1:], key=cpu_ticks, default=None)
        if busiest is not None:
            os.kill(busiest, signal.SIGKILL)
            killed.append(busiest)

    return kill


def cpu_ticks(pid):
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return -1
    return int(fields[11]) + int(fields[12])


def measure(folder, *, rows, rounds, demo, kill):
    city, _ = large_city.make_city(folder, rows=rows, demo=demo)
    runs = {1: [], 2: []}
    first, files = folder / "first", None
    for number in range(rounds):
        for workers, done in runs.items():
            home = first if files is None else folder / f"home-{number}-{workers}"
            done.append(build(city, home, workers=workers))
            large_city.account(home)
            files = files or published(home)
            check_same(f"{workers} workers", files, published(home))
            if home != first:
                shutil.rmtree(home)
    home, killed = with_the_log_of(first, folder / "last"), []
    median = statistics.median(run.seconds for run in runs[2])
    during = killer(median / 2, killed) if kill else None
    last = build(city, home, workers=2, during=during)
    if kill and not killed:
        raise SystemExit("the build was over before a worker could be killed; take more rows")
    large_city.account(home)
    check_same("same log", files, published(home))
    check_same("same log, incidents", incident_files(first), incident_files(home))
    return runs, last


def main():
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--kill", action="store_true", help="kill a worker of the last build")
    parser.add_argument("--demo", type=Path, help="raw files of the large demonstration city")
    parser.add_argument("--scratch", type=Path, help="folder for files and homes")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--markdown", action="store_true")
    arguments = parser.parse_args()
    demo = large_city.demo_source(arguments.demo)
    with tempfile.TemporaryDirectory(dir=arguments.scratch, prefix="cluster-") as folder:
        runs, last = measure(
            Path(folder), rows=arguments.rows, rounds=arguments.rounds, demo=demo,
            kill=arguments.kill,
        )  # fmt: skip
    one, two = ([run.seconds for run in runs[workers]] for workers in (1, 2))
    what = f"{arguments.rows / 1e6:g} M rows: raw files → published"
    rows = [
        Row(what, "s", round(statistics.median(one) / BUDGET, 1), two, one),
        Row("peak memory of all processes", "MB", 3072, [run.peak_mb for run in runs[2]],
            [run.peak_mb for run in runs[1]]),
        Row("from the landed batches" + (", one worker killed" if arguments.kill else ""), "s",
            None, [last.seconds]),
    ]  # fmt: skip
    print_rows(rows, markdown=arguments.markdown, head=HEAD)
    print(
        "\nEvery file of every snapshot has the same SHA-256, as have the files of the incidents."
    )
    if arguments.json:
        arguments.json.write_text(json.dumps([vars(row) for row in rows], ensure_ascii=False))


if __name__ == "__main__":
    main()
