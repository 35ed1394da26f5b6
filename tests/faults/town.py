"""The toy city with two sources, three days of files and pushes, and what it is compared by."""

import datetime as dt
import hashlib
from pathlib import Path

import duckdb

from data.city import read_city
from data.intake import Intake
from data.records import rows_chunk
from data.store import Store
from etl.pipeline import Options, build
from tests.etl import conftest as toy

MONDAY = dt.datetime(2026, 3, 2, 4, 0, tzinfo=dt.UTC)
CALLS = toy.SOURCE.replace('files = ["calls.csv"]', 'files = ["calls*.csv"]\npush = true')
WORKS = (
    toy.SOURCE.replace("电话", "工单")
    .replace("Calls", "Works")
    .replace("calls.csv", "works*.csv")
    .replace('lng = "x"', 'updated_at = "changed"\nlng = "x"')
)
HEADINGS = {
    "calls": "id,when,kind,grade,result,x,y,grid",
    "works": "id,when,kind,grade,result,x,y,grid,changed",
}


def _calls(day):
    rows = [
        f"{n},2026-0{1 + n % 2}-{1 + n % 27:02d} 10:{n % 60:02d},{'AB'[n % 2]},{1 + n % 4},,"
        f"{103.01 + n % 19 / 100:.2f},{36.01 + n % 17 / 100:.2f},"
        for n in range(day * 40, day * 40 + 60)
    ]
    # Corrected, moved to another month, refused, quarantined, unreadable, and the same again.
    late = [
        f"{n},2026-02-{1 + n % 27:02d} 08:00,A1,{1 + day},,103.05,36.15,"
        for n in range(day * 20, day * 20 + 9)
    ]
    return [*rows, *late, f"r{day},2026-01-05 10:00,信访,1,,103.05,36.05,", "bad,row", rows[0],
            f"q{day},2026-01-05 10:00,ZZ,1,,103.05,36.05,"]  # fmt: skip


def _works(day):
    return [
        f"{n},2026-01-{1 + n % 27:02d} 09:00,B,{1 + (n + shift) % 4},,,,{('W1', 'W2', 'E1')[n % 3]},"
        f"2026-02-{1 + (n + shift * 3) % 27:02d} 12:00"
        for n in range(30)
        for shift in (day, -day)
    ]


PUSHED = [
    {"id": f"p{n}", "when": "2026-02-10 07:30", "kind": "A1", "grade": "2", "x": "103.12",
     "y": f"36.{n:02d}"}
    for n in range(3, 17)
]  # fmt: skip


def make_city(folder):
    """Write the city folder, as yet without any ledger."""
    (folder / "sources").mkdir(parents=True)
    texts = {
        "city.toml": toy.CITY, "areas.toml": toy.AREAS, "categories.csv": toy.CATEGORIES,
        "sources/calls.toml": CALLS, "sources/works.toml": WORKS,
    }  # fmt: skip
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    toy.write_grids(folder)
    return folder


def write_file(folder, name, lines):
    """Put a ledger into the city folder, whole at once."""
    waiting = folder / f".{name}"
    text = "\n".join([HEADINGS[name[:5]], *lines]) + "\n"
    waiting.write_text(text, encoding="utf-8")
    waiting.replace(folder / name)


def push(folder, home, key, rows, now):
    """Land a push as the web does."""
    source = next(one for one in read_city(folder, home=home).sources if one.name == "calls")
    return Intake(home).land(
        source,
        [rows_chunk(source, rows)],
        kind="push",
        name=f"push {now:%Y-%m-%d}",
        content=hashlib.sha256(repr(rows).encode()).hexdigest(),
        now=now,
        idempotency_key=key,
    )


def write_day(folder, day):
    write_file(folder, f"calls-{day}.csv", _calls(day))
    write_file(folder, f"works-{day}.csv", _works(day))


def live(folder, home, *, days=3, done=lambda _what: None):
    """Take in and build day by day; done again, it goes on where it was cut off."""
    for day in range(days):
        now = MONDAY + dt.timedelta(days=day)
        if day:
            push(folder, home, f"key-{day}", PUSHED[: day * 7], now)
            done(f"push {day}")
        write_day(folder, day)
        assert not build(folder, home=home, now=now).failed
        done(f"build {day}")


def rebuild(folder, home, **options):
    return build(folder, home=home, now=MONDAY + dt.timedelta(days=9), options=Options(**options))


def tables(manifest):
    """
    Content of every file by table and part; paths differ from snapshot to snapshot.

    When a period was released is no figure, so the table that says so is left out.
    """
    return sorted(
        (entry["table"], entry.get("month", entry.get("period_end", "")), entry["sha256"])
        for entry in manifest["files"]
        if entry["table"] != "releases"
    )


def incidents(home: Path, manifest):
    """Every current version, as a sorted list."""
    entry = manifest["incidents"]
    with duckdb.connect(":memory:") as engine:
        engine.execute("SET threads = 1")
        rows = engine.read_parquet(
            [str(home / path) for path in entry["files"]], hive_partitioning=True
        )
        rows.create_view("versions")
        gone = "SELECT 0 AS batch, 0 AS row, 0 AS superseded_by"
        if entry["superseded"]:
            engine.read_parquet([str(home / p) for p in entry["superseded"]]).create_view("listed")
            gone = "SELECT batch, row, superseded_by FROM listed"
        return engine.execute(
            f"SELECT incident_id, version, category, subcategory, severity, occurred_on::VARCHAR, "
            f"grid_code, batch, row FROM versions ANTI JOIN (SELECT * FROM ({gone}) "
            f"WHERE superseded_by <= {manifest['batch']}) USING (batch, row) "
            f"WHERE batch <= {manifest['batch']} ORDER BY ALL"
        ).fetchall()


def state(home):
    """What a published snapshot says: tables, account, incidents."""
    store = Store(home)
    manifest = store.manifest(store.current_id()).raw
    return {
        "tables": tables(manifest),
        "rows": manifest["rows"],
        "incidents": incidents(home, manifest),
    }
