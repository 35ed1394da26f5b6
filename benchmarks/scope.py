"""
What scope and suppression cost: a map query of a part of the city, and of a shared link, against
the same query of somebody who sees everything.

    python -m benchmarks.scope --home HOME [--rounds 30]

Each round asks for another window, so that no query result is in the cache; what a scope covers is,
as it is for every click after the first. Rounds of the scopes alternate.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

from dashboard import answers
from dashboard.areas import hierarchy
from dashboard.signin.demo import demo_accounts
from dashboard.state import PERIOD_CHOICES
from dashboard.windows import ends
from data import periods
from data.access import Grant, Scope
from data.store import Store

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from data.store import Snapshot

LEVELS = ("county", "township", "community", "grid")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=30)
    given = parser.parse_args()
    snapshot = Store(given.home).current()
    accounts = {account.name: account.scope for account in demo_accounts(snapshot)}
    leader = accounts["leader"]
    line = {
        next(iter(scope.grants)).level: scope for scope in accounts.values() if scope.sees_areas
    }
    county = next(grant for grant in line["township"].grants)
    above = hierarchy(leader, snapshot)
    township = above.find(f"township.{county.code}", day=snapshot.manifest.last_period)
    own_county = above.parent(township)
    assert own_county is not None
    command = Scope(
        "county",
        frozenset({Grant("command", "county", str(above.at("county").codes[own_county.index]))}),
    )
    link = Scope("link", frozenset({Grant("public")}))
    print(f"snapshot {snapshot.id}; medians of {given.rounds} rounds, ms")
    print("| level on the map | whole city | one county | ratio | deciding alone |")
    print("|---|---|---|---|---|")
    windows = _windows(snapshot, ends(leader, snapshot)[2:])
    for level in LEVELS:
        if level not in above.order[2:]:
            continue
        spent = {"whole": [], "part": [], "decide": []}
        for _ in range(given.rounds):
            search = f"?level={level}&{next(windows)}"
            for name, scope in (("whole", leader), ("part", command)):
                spent[name].append(_drawn(scope, snapshot, search))
            fresh = Scope("county", command.grants)
            began = time.perf_counter()
            _ = fresh.cache_key, hierarchy(fresh, snapshot)
            spent["decide"].append(time.perf_counter() - began)
        whole, part, alone = (1e3 * statistics.median(spent[name]) for name in spent)
        print(f"| {level} | {whole:.2f} | {part:.2f} | {part / whole:.2f} | {alone:.3f} |")
    both = {"exact": [], "protected": []}
    windows = _windows(snapshot, ends(link, snapshot)[:40])
    for _ in range(given.rounds):
        search = f"?level=township&severity=&{next(windows)}"
        for name, scope in (("exact", leader), ("protected", link)):
            both[name].append(_drawn(scope, snapshot, search))
    exact, kept = (1e3 * statistics.median(both[name]) for name in both)
    print(f"shared link, townships: {kept:.2f} ms; exact {exact:.2f} ms; ratio {kept / exact:.2f}")


def _windows(snapshot: Snapshot, known: list[dt.date]) -> Iterator[str]:
    """Windows that were not asked for yet, as parts of an address."""
    grain = snapshot.manifest.grain
    for length in PERIOD_CHOICES[grain]:
        for end in known:
            yield f"periods={length}&end={periods.label(end, grain=grain)}"


def _drawn(scope: Scope, snapshot: object, search: str) -> float:
    began = time.perf_counter()
    answers.draw_map(scope, snapshot, search=search, fragment="", resolution=None)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
