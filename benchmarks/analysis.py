"""
Every acceptance check of the analysis, then its time and memory at full size.

Run from the root of the project: ``python -m benchmarks.analysis`` (all; about an hour, most of it
the backtests and the made-up worlds), ``--only speed`` or any other module of benchmarks/checks.
Seeds are drawn now and printed. The checks on real cities need ../shared/data.
"""

import argparse
import importlib
import secrets
import sys
import time

from benchmarks.checks.check import run

MODULES = ("base", "hotspots", "index", "signals", "clocks", "effect", "forecast", "speed")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", choices=MODULES, default=MODULES)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31))
    asked = parser.parse_args()
    failed = []
    for name in asked.only:
        began = time.perf_counter()
        print(f"== {name}, seed {asked.seed}")
        module = importlib.import_module(f"benchmarks.checks.{name}")
        failed += run(module.checks(asked.seed))
        print(f"== {name}: {time.perf_counter() - began:.0f} s\n", flush=True)
    print(f"{len(failed)} checks failed")
    for one in failed:
        print(one)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
