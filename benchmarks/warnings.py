"""
Race operators for warnings: each presses `assign` on every warning as all of them saw it.

Run from the root of the project: ``python -m benchmarks.warnings``. On SQLite and on a PostgreSQL
of our own (fsync on), with the audit in place. Of each warning exactly one must win, every other
must be told the winner's state, and the history must hold one assignment.
"""

import argparse
import contextlib
import multiprocessing
import tempfile
import time
from pathlib import Path

import numpy as np

from data.audit import AuditLog
from data.state.database import StateDatabase
from data.state.migrate import upgrade
from data.warnings import StaleError, Warnings
from tests.data.audit.kept import KEY
from tests.data.warnings.town import CHIEF, CITY, COMMUNITY, NOW, TOWNSHIP, TREE, opened, post
from tests.postgres import NoServerError, fresh_database, postgres_server

OPERATORS = ((TOWNSHIP, COMMUNITY), (CITY, CHIEF))


def kept(url):
    database = StateDatabase(url)
    return Warnings(database, tree=lambda: TREE, audit=AuditLog(database, KEY))


def order(numbers, at):
    """The second operator swaps neighbours: both are at the same few warnings, neither is first."""
    return numbers if at == 0 else [numbers[n ^ 1] if n ^ 1 < len(numbers) else numbers[n]
                                    for n in range(len(numbers))]  # fmt: skip


def press(gate, out, url, at, numbers):
    """One operator: what each press came to, and how long it took."""
    warnings, (unit, to) = kept(url), OPERATORS[at]
    told, took = {}, []
    gate.wait()
    for number in order(numbers, at):
        started = time.perf_counter()
        try:
            done = warnings.act(
                post(unit), number, step="assign", version=1, key=f"operator-{at}-{number}",
                to_unit=to, now=NOW,
            )  # fmt: skip
            told[number] = ("won", done.owner.code)
        except StaleError as error:
            told[number] = ("lost", error.present.owner.code)
        took.append(time.perf_counter() - started)
    out.put((told, took))


def race(url, count):
    """Open, race, look at what is stored; the figures of one round."""
    database = StateDatabase(url)
    upgrade(database)
    database.close()
    warnings = kept(url)
    started = time.perf_counter()
    numbers = [opened(warnings, f"{at}", owner=TOWNSHIP).id for at in range(count)]
    opening = count / (time.perf_counter() - started)
    context = multiprocessing.get_context("spawn")
    gate, out = context.Barrier(len(OPERATORS), timeout=60), context.Queue()
    workers = [
        context.Process(target=press, args=(gate, out, url, at, numbers))
        for at in range(len(OPERATORS))
    ]
    for worker in workers:
        worker.start()
    found = [out.get(timeout=600) for _ in workers]
    for worker in workers:
        worker.join()
    lost = untold = 0
    for number in numbers:
        stored = warnings.get(post(CITY), number)
        words = sorted(told[number][0] for told, _ in found)
        lost += words != ["lost", "won"] or len(warnings.steps(post(CITY), number)) != 2
        untold += {told[number][1] for told, _ in found} != {stored.owner.code}
    took = np.array([one for _, times in found for one in times]) * 1000
    wins = [sum(word == "won" for word, _ in told.values()) for told, _ in found]
    warnings.database.close()
    return opening, wins, lost, untold, np.percentile(took, (50, 95))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--warnings", type=int, default=1_000)
    count = parser.parse_args().warnings
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        urls = {"SQLite": f"sqlite:///{Path(folder) / 'state.db'}"}
        with contextlib.suppress(NoServerError):
            server = stack.enter_context(postgres_server())
            urls["PostgreSQL"] = stack.enter_context(fresh_database(server))
        for name, url in urls.items():
            opening, wins, lost, untold, (middle, high) = race(url, count)
            print(
                f"{name}: {count:,} warnings opened at {opening:,.0f}/s; two operators won "
                f"{wins[0]:,} and {wins[1]:,}; lost updates {lost}, losers not told {untold}; "
                f"a press took {middle:.1f} ms, p95 {high:.1f} ms"
            )
            if lost or untold:
                raise SystemExit(1)


if __name__ == "__main__":
    main()
