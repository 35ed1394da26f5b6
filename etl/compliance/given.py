"""Controls of what is given out: small counts, sensitive classes, exports, watermarks."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from data.codebooks import taxonomy
from data.manifest import NoSnapshotError, SnapshotError
from data.permissions import matrix
from data.store import Store
from etl.compliance.control import Control, Installed, State, judged, listed
from etl.compliance.serving import built_in

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

GIVEN: Final = "GB/T 22239-2019 8.1.4.11 个人信息保护 b"
AGGREGATE: Final = "GB/T 37964-2019 3.5 聚合数据; PIPL art. 73 (4)"

LEAST: Final = {"internal": 5, "public": 10}
"""Least count that an edition may give."""

WIDE: Final = ("city", "county")
"""Levels at which figures of a sensitive class may be given beyond the own areas."""

_SMALL: Final = ("small counts", AGGREGATE)
_SENSITIVE: Final = ("sensitive classes", AGGREGATE)
_EXPORT: Final = ("exports with a reason", GIVEN)
_WATERMARK: Final = ("watermark", GIVEN)
_MARKING: Final = "dashboard/watermark.py"


def controls(installed: Installed) -> list[Control]:
    """Judge every control of what is given out."""
    return [
        *_released(installed.settings.home),
        _exports(),
        built_in(_WATERMARK, _MARKING, "login and time, on screens and in files"),
    ]


@dataclass(frozen=True)
class Released:
    """The tables of the published snapshot that tell what is given beyond the own areas."""

    releases: pa.Table
    released_counts: pa.Table
    categories: pa.Table

    def query(self, sql: str) -> pd.DataFrame:
        """Run a query over the tables, each under its name."""
        with duckdb.connect() as connection:
            for table in fields(self):
                connection.register(table.name, getattr(self, table.name))
            found: pd.DataFrame = connection.execute(sql).df()
            return found

    def count(self, what: str) -> int:
        """Count rows; `what` is the end of the statement, from the table on."""
        return int(self.query(f"SELECT count(*) AS n FROM {what}")["n"].iloc[0])


def _released(home: Path) -> list[Control]:
    try:
        released = read_released(home)
    except NoSnapshotError:
        return _both("not applicable", "nothing is published yet")
    except (SnapshotError, OSError, pa.ArrowException) as error:
        return _both("fail", f"{' '.join(str(error).split())}; run `pingan verify`")
    if released is None:
        told = "no release: nobody is shown anything beyond the own areas"
        return _both("not applicable", told)
    return [small_counts(released), sensitive_classes(released)]


def _both(state: State, told: str) -> list[Control]:
    return [Control(*_SMALL, state, told), Control(*_SENSITIVE, state, told)]


def read_released(home: Path) -> Released | None:
    """
    Read what the published snapshot releases; None where it releases nothing.

    Raises
    ------
    SnapshotError, OSError, pyarrow.ArrowException
        Nothing is published, or a file cannot be read.
    """
    store = Store(home)
    entries = store.manifest(store.current_id()).raw["files"]
    tables = {}
    for table in fields(Released):
        paths = [home / entry["path"] for entry in entries if entry["table"] == table.name]
        if not paths:
            return None
        parts = [pq.ParquetFile(path).read() for path in paths]
        tables[table.name] = pa.concat_tables(parts, promote_options="permissive")
    return Released(**tables)


def small_counts(released: Released) -> Control:
    """Released counts are not small, and each belongs to a release."""
    editions = released.query(
        "SELECT edition, min(k) AS k, count(*) AS periods FROM releases GROUP BY edition "
        "ORDER BY edition"
    )
    known = list(zip(editions["edition"], editions["k"], editions["periods"], strict=True))
    faults = [
        f"edition {edition} gives counts from {k} on; set {LEAST[edition]} or more"
        if edition in LEAST
        else f"edition {edition} is unknown"
        for edition, k, _ in known
        if edition not in LEAST or k < LEAST[edition]
    ]
    joined = "released_counts LEFT JOIN releases USING (edition, period_start)"
    if small := released.count(f"{joined} WHERE count < k"):
        faults.append(f"{small:,} released counts are smaller than they may be")
    if stray := released.count(f"{joined} WHERE k IS NULL"):
        faults.append(f"{stray:,} released counts belong to no release")
    if faults:
        faults.append("build again with --force and run `pingan verify`")
    good = ", ".join(f"{edition} from {k} on ({periods} periods)" for edition, k, periods in known)
    return judged(*_SMALL, faults, f"{good}; `pingan verify` proves them against subtraction")


def sensitive_classes(released: Released) -> Control:
    """Sensitive classes are released for counties and above only."""
    marked = {entry.code for entry in taxonomy() if entry.sensitive}
    rows = released.categories.select(["category_index", "code"]).to_pylist()
    found = {row["category_index"]: row["code"] for row in rows if row["code"] in marked}
    if not found:
        told = "no category of the city is one of ours that is marked; see that none is sensitive"
        return Control(*_SENSITIVE, "by hand", told)
    indexes = ", ".join(map(str, found))
    levels = ", ".join(f"'{level}'" for level in WIDE)
    count = released.count(
        f"released_counts WHERE category_index IN ({indexes}) AND level NOT IN ({levels})"
    )
    told = f"{count:,} counts of {listed(sorted(found.values()))} are released below the county"
    faults = [f"{told}; build again with --force"] if count else []
    return judged(*_SENSITIVE, faults, f"{len(found)} are released for counties and above only")


def _exports() -> Control:
    """Whoever may take figures away says why; the audit keeps it."""
    free = free_exports(("export", "share"))
    faults = [f"no reason is asked for: {listed(free)}; install the product anew"] if free else []
    return judged(*_EXPORT, faults, "every export and share asks for a reason, and is audited")


def free_exports(actions: Sequence[str]) -> list[str]:
    """Roles that may take figures away without a reason."""
    known = matrix()
    rights = (
        (role, action, known.right(action, role)) for action in actions for role in known.roles
    )
    return [
        f"{role} may {action}"
        for role, action, right in rights
        if right.reach != "-" and not right.needs_reason
    ]
