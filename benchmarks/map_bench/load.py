"""What the server takes: a panel's query beside bare DuckDB, and two hundred viewers."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import viewers
from benchmarks.map_bench.city import ROOT
from benchmarks.queries import BUDGET_MS, BUDGET_RATIO
from benchmarks.report import Row

QUERY_ROUNDS = 15
VIEWERS, SECONDS = 200, 30


def measure_queries(city):
    """The slowest of each promise, of every query with its arithmetic; `queries` prints them all."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "queries.json"
        command = [sys.executable, "-m", "benchmarks.queries", "--home", str(city.home), "--only",
                   "query", "--rounds", str(QUERY_ROUNDS), "--json", str(path)]  # fmt: skip
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        found = json.loads(path.read_text())
    slowest = max(found, key=lambda case: case["p95_ms"])
    asked = [case for case in found if case["ratio"] is not None]
    widest = max(asked, key=lambda case: case["ratio"])
    late = [case["name"] for case in found if case["p95_ms"] > BUDGET_MS]
    return [
        Row(f"p95 of the slowest of {len(found)} queries ({slowest['name']})", "ms", BUDGET_MS, [slowest["p95_ms"]]),
        Row(f"queries over {BUDGET_MS} ms at p95", "", 0, [len(late)]),
        Row(f"largest ratio to bare DuckDB ({widest['name']})", "×", BUDGET_RATIO, [widest["ratio"]]),
    ]  # fmt: skip


def measure_viewers(city, seed):
    rows, notes = viewers.measure(city.home, viewers=VIEWERS, seconds=SECONDS, seed=seed)
    for name, kinds in notes.items():
        if kinds:
            print(f"{name}: {kinds}", file=sys.stderr)
    return rows
