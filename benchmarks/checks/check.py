"""One line of an acceptance check: what was measured, the limit, and whether it holds."""

from __future__ import annotations

import argparse
import secrets
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


@dataclass(frozen=True)
class Check:
    """
    A measured figure beside its limit.

    `number` is that of the list of checks in docs/methods.md (`info` = printed, never judged).
    """

    number: str
    what: str
    value: float | str
    limit: str
    passed: bool

    def __str__(self) -> str:
        value = f"{self.value:.4g}" if isinstance(self.value, float) else str(self.value)
        mark = "    " if self.number == "info" else "ok  " if self.passed else "FAIL"
        return f"{mark} {self.number:>5}  {self.what}: {value}  ({self.limit})"


def run(checks: Iterable[Check]) -> list[Check]:
    """Print checks as they come; those that failed."""
    failed = []
    for one in checks:
        print(one, flush=True)
        if not one.passed and one.number != "info":
            failed.append(one)
    return failed


def main(checks: Callable[[int], Iterator[Check]]) -> None:
    """Run checks with the seed of `--seed`, by default one drawn now and printed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31))
    seed = parser.parse_args().seed
    print(f"seed {seed}")
    sys.exit(1 if run(checks(seed)) else 0)
