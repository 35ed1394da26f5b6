import datetime as dt
import json
import shutil
import threading

import pandas as pd
import pytest

from data import held, store
from data.manifest import SnapshotError
from data.store import Store
from data.writer import SnapshotWriter

MONTHS = ("2026-09", "2026-10", "2026-11")
TOTAL = "SELECT sum(count)::BIGINT AS n FROM area_counts_city"


def counts(month, count):
    day = dt.date.fromisoformat(f"{month}-07")
    rows = {"period_start": [day] * 3, "area_index": range(3), "category_index": 1, "severity": 2}
    return pd.DataFrame(rows).assign(count=count)


def publish(home, name, changed=(), *, count=1, version="b1"):
    """A snapshot that keeps the files of the one before but for the changed months."""
    pointer = home / "CURRENT"
    before = Store(home).manifest(pointer.read_text().strip()).raw if pointer.exists() else None
    writer = SnapshotWriter(home, name)
    for month in MONTHS:
        if before and month not in changed:
            (entry,) = [one for one in before["files"] if one["path"].endswith(f"{month}.parquet")]
            writer.keep(entry)
        else:
            writer.add_table("area_counts_city", counts(month, count), part=month)
    writer.publish({"boundary_version": version, "cell_version": "c1"})


def total(snapshot):
    return int(snapshot.arrays(TOTAL)["n"][0])


def settled(opened):
    """The snapshot after the opening beside has ended."""
    opened.current()
    opened._opening.join()
    return opened.current()


def flip(path, bit):
    content = bytearray(path.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)


def test_the_old_snapshot_answers_until_the_new_one_is_open(tmp_path, monkeypatch):
    publish(tmp_path, "a")
    opened = Store(tmp_path)
    first = opened.current()
    publish(tmp_path, "b", ["2026-10"], count=5)
    go_on, check = threading.Event(), store.check_files
    monkeypatch.setattr(store, "check_files", lambda *given: go_on.wait() and check(*given))
    assert opened.current() is first
    assert opened.current() is first
    go_on.set()
    assert total(settled(opened)) == 21
    assert total(first) == 9


def test_only_what_changed_is_read_and_loaded(tmp_path, monkeypatch):
    publish(tmp_path, "a")
    opened = Store(tmp_path)
    opened.current()
    hashed, read, loaded = [], store.file_sha256, []
    load = held.Pool._load
    monkeypatch.setattr(store, "file_sha256", lambda path: hashed.append(path.stem) or read(path))
    monkeypatch.setattr(
        held.Pool, "_load",
        lambda pool, name, table, parts: loaded.extend(parts) or load(pool, name, table, parts),
    )  # fmt: skip
    publish(tmp_path, "b", ["2026-10"])
    assert total(settled(opened)) == 9
    assert hashed == [part.path.stem for part in loaded] == ["2026-10"]


def test_a_touched_file_is_checked_again(tmp_path):
    publish(tmp_path, "a")
    opened = Store(tmp_path)
    opened.current()
    flip(tmp_path / "snapshots" / "a" / "area_counts_city" / "2026-09.parquet", 999)
    publish(tmp_path, "b", ["2026-10"])
    assert settled(opened).id == "a"
    assert "2026-09.parquet is damaged" in opened.alarm.reason


def test_a_damaged_snapshot_is_never_served(tmp_path, caplog):
    publish(tmp_path, "a")
    opened = Store(tmp_path)
    opened.current()
    assert opened.alarm is None
    publish(tmp_path, "b", ["2026-10"], count=5)
    flip(tmp_path / "snapshots" / "b" / "area_counts_city" / "2026-10.parquet", 4000)
    assert total(settled(opened)) == 9
    assert opened.alarm.snapshot == "b"
    assert "2026-10.parquet is damaged" in caplog.text
    failed = opened._opening
    assert opened.current().id == "a"
    assert opened._opening is failed, "not tried again at every request"
    publish(tmp_path, "c", MONTHS, count=7)
    assert total(settled(opened)) == 63
    assert opened.alarm is None


def test_a_damaged_snapshot_is_tried_again_after_a_while(tmp_path, monkeypatch):
    publish(tmp_path, "a")
    opened = Store(tmp_path)
    opened.current()
    publish(tmp_path, "b", ["2026-10"], count=5)
    path = tmp_path / "snapshots" / "b" / "area_counts_city" / "2026-10.parquet"
    flip(path, 4000)
    assert settled(opened).id == "a"
    flip(path, 4000)
    now = store.time.monotonic()
    monkeypatch.setattr(store.time, "monotonic", lambda: now + store.RETRY_S + 1)
    assert settled(opened).id == "b"


def test_the_start_falls_back_to_the_newest_sound_snapshot(tmp_path):
    for name, changed in (("a", ()), ("b", MONTHS[:1]), ("c", MONTHS[:1])):
        publish(tmp_path, name, changed)
    flip(tmp_path / "snapshots" / "c" / "area_counts_city" / "2026-09.parquet", 4000)
    flip(tmp_path / "manifests" / "b.json", 800)
    opened = Store(tmp_path)
    assert opened.current().id == "a"
    assert opened.alarm.snapshot == "c"
    with pytest.raises(SnapshotError, match="is damaged"):
        opened.refresh()


def test_what_was_not_made_current_is_never_served(tmp_path):
    publish(tmp_path, "a")
    past = SnapshotWriter(tmp_path, "b")
    past.add_table("area_counts_city", counts("2026-09", 1))
    past.publish({"boundary_version": "b1", "cell_version": "c1"}, current=False)
    assert Store(tmp_path).current().id == "a"
    publish(tmp_path, "c", MONTHS)
    flip(tmp_path / "snapshots" / "c" / "area_counts_city" / "2026-09.parquet", 4000)
    assert Store(tmp_path).current().id == "a"
    assert Store(tmp_path).manifest("b").raw["current"] is False


def test_without_any_sound_snapshot_there_is_none(tmp_path):
    publish(tmp_path, "a")
    (tmp_path / "snapshots" / "a" / "area_counts_city" / "2026-09.parquet").unlink()
    with pytest.raises(SnapshotError, match=r"2026-09\.parquet is missing"):
        Store(tmp_path).current()


def test_every_flipped_bit_is_found(tmp_path):
    publish(tmp_path, "a")
    files = [*tmp_path.rglob("*.parquet"), tmp_path / "manifests" / "a.json", tmp_path / "CURRENT"]
    said = Store(tmp_path).current().manifest.raw
    for path in files:
        sound = path.read_bytes()
        for bit in range(3, len(sound) * 8, max(1, len(sound) * 8 // 40)):
            flip(path, bit)
            try:
                raw = Store(tmp_path).refresh().manifest.raw
            except SnapshotError:
                pass
            else:
                assert raw == said, f"bit {bit} of {path.name}"
            path.write_bytes(sound)


def test_pages_of_the_snapshot_before_still_find_it(tmp_path):
    publish(tmp_path, "a", version="b1")
    opened = Store(tmp_path)
    opened.current()
    publish(tmp_path, "b", MONTHS[:1], version="b2")
    assert opened.of_version("b2").id == "b", "waits for what another process has opened"
    assert opened.of_version("b1").id == "a"
    assert opened.of_version("c1").id == "b"
    with pytest.raises(SnapshotError, match="version b3"):
        opened.of_version("b3")


def test_held_tables_outlive_their_files(tmp_path):
    publish(tmp_path, "a")
    opened = Store(tmp_path)
    first = opened.current()
    shutil.rmtree(tmp_path / "snapshots")
    assert total(first) == 9


def test_any_order_of_snapshots_answers_for_itself(tmp_path):
    opened, kept = Store(tmp_path), []
    for step in range(12):
        publish(tmp_path, f"s{step:02d}", [MONTHS[step % 3]], count=step + 1)
        snapshot = opened.refresh()
        kept.append((snapshot, int(snapshot.read("area_counts_city")["count"].sum())))
        for earlier, expected in kept:
            assert total(earlier) == expected


def test_tables_that_nobody_asks_for_leave_the_memory(tmp_path):
    opened = Store(tmp_path)
    for step in range(12):
        publish(tmp_path, f"s{step:02d}", [MONTHS[step % 3]], count=step + 1)
        opened.refresh()
    pool = opened._pool._connection
    assert len(pool.execute("SELECT * FROM duckdb_tables()").fetchall()) <= 3
    assert len(pool.execute("SELECT * FROM duckdb_views() WHERE NOT internal").fetchall()) <= 3
    assert pool.execute("SELECT sum(estimated_size) FROM duckdb_tables()").fetchone()[0] <= 45


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('/etc/hostname')",
        "ATTACH '/tmp/other.db'",
        "SET enable_external_access = true",
        "SET allowed_directories = ['/']",
        "INSTALL httpfs",
    ],
)
def test_the_query_connection_reaches_nothing_else(tmp_path, sql):
    publish(tmp_path, "a")
    snapshot = Store(tmp_path).current()
    with pytest.raises(Exception, match=r"(?i)permission|locked|disabled|cannot"):
        snapshot.query(sql)


def test_a_manifest_that_was_edited_is_refused(tmp_path):
    publish(tmp_path, "a")
    path = tmp_path / "manifests" / "a.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"boundary_version": "b9"}))
    with pytest.raises(SnapshotError, match="manifest a is damaged"):
        Store(tmp_path).current()
