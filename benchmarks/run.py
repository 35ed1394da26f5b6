"""
Run every benchmark and print its table: ``make benchmarks``, or ``python benchmarks/run.py``.

Without ``--home`` a small demo city is built in ``build/benchmark-home`` first. Each benchmark is a
program of its own, so that none inherits the memory or the threads of another.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TABLES = {
    "the map in a browser, both engines beside three peers, in the large city": "map",
    "two hundred viewers": "viewers",
    "queries, beside bare DuckDB": "queries",
    "placing points, beside SedonaDB, DuckDB, shapely and h3": "locate",
    "the pipeline, beside pandas, h3 and geopandas": "etl_peer",
    "a late batch": "late_batch",
    "opening a snapshot": "opening",
    "the weekly report: an issue, its documents and its page": "weekly",
    "boundaries": "boundaries",
    "Excel ledgers": "ledgers",
    "rows pushed over HTTP": "push",
    "scope and suppression on a map query": "scope",
    "rows of the audit": "audit",
    "others' pages beside hostile uploads": "hostile",
    "one worker and two": "cluster",
    "1, 3, 10 and 30 million incidents": "scale",
}
WITHOUT_HOME = {
    "map",
    "locate",
    "etl_peer",
    "late_batch",
    "cluster",
    "scale",
    "ledgers",
    "push",
    "audit",
    "hostile",
}


def build_home(home: Path) -> None:
    pingan = Path(sys.executable).with_name("pingan")
    environment = os.environ | {"PINGAN_HOME": str(home)}
    subprocess.run([pingan, "demo", "--no-serve"], cwd=ROOT, env=environment, check=True)


def run(module: str, arguments: list[str]) -> int:
    command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--home", type=Path, help="a built PINGAN_HOME")
    parser.add_argument("--only", choices=list(TABLES.values()), action="append")
    arguments = parser.parse_args()
    home = (arguments.home or ROOT / "build" / "benchmark-home").resolve()
    if arguments.home is None:
        build_home(home)
    failed = []
    for title, module in TABLES.items():
        if arguments.only and module not in arguments.only:
            continue
        if not (ROOT / "benchmarks" / f"{module}.py").is_file():
            continue
        print(f"\n## {title}\n", flush=True)
        if run(module, [] if module in WITHOUT_HOME else ["--home", str(home)]):
            failed.append(module)
    if failed:
        print(f"\n{len(failed)} benchmarks did not run through: {failed}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
