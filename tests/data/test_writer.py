import datetime as dt
import json

import pandas as pd
import pyarrow as pa
import pytest

from data.manifest import NoSnapshotError, SnapshotError
from data.schema import SchemaError
from data.store import POINTER, Store
from data.writer import SnapshotWriter, new_snapshot_id, replace_text

MONTHS = ("2026-09", "2026-10", "2026-11")
ACCOUNTS = pd.DataFrame(
    {
        "source": ["calls"],
        "file": ["a.csv"],
        "read": [3],
        "accepted": [2],
        "quarantined": [1],
        "duplicate": [0],
        "refused": [0],
    }
)


def publish(home, name, accounts=ACCOUNTS):
    writer = SnapshotWriter(home, name)
    writer.add_table("accounts", accounts)
    return writer.publish({"rows": {"read": 3}})


def test_without_a_publish_there_is_no_snapshot(tmp_path):
    SnapshotWriter(tmp_path, "one").add_table("accounts", ACCOUNTS)
    with pytest.raises(NoSnapshotError, match="pingan demo"):
        Store(tmp_path).current()


def test_a_published_table_comes_back_equal(tmp_path):
    publish(tmp_path, "one")
    snapshot = Store(tmp_path).current()
    pd.testing.assert_frame_equal(snapshot.read("accounts"), ACCOUNTS, check_dtype=False)
    found = snapshot.query("SELECT read FROM accounts WHERE source = ?", ["calls"])
    assert found["read"].tolist() == [3]


def test_another_schema_version_is_refused(tmp_path):
    publish(tmp_path, "one")
    path = tmp_path / "manifests" / "one.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema_version": 999}))
    with pytest.raises(SnapshotError, match="schema version 999"):
        Store(tmp_path).current()


def test_every_fault_of_a_table_is_told_at_once(tmp_path):
    twice = pd.concat([ACCOUNTS, ACCOUNTS.assign(read=pd.NA)]).assign(colour="red")
    with pytest.raises(SchemaError) as caught:
        SnapshotWriter(tmp_path, "one").add_table("accounts", twice.drop(columns="accepted"))
    message = str(caught.value)
    assert "missing columns ['accepted']" in message
    assert "unknown columns ['colour']" in message
    assert "`read` is empty in 1 of 2 rows (rows [1])" in message


def test_a_repeated_key_is_refused(tmp_path):
    with pytest.raises(SchemaError, match=r"1 rows repeat the key \('source', 'file'\)"):
        SnapshotWriter(tmp_path, "one").add_table("accounts", pd.concat([ACCOUNTS, ACCOUNTS]))


def counts(month, count=1, areas=3):
    rows = {
        "period_start": [dt.date.fromisoformat(f"{month}-07")] * areas,
        "area_index": range(areas),
    }
    return pd.DataFrame(rows).assign(category_index=1, severity=2, count=count)


def test_a_table_of_several_files_is_read_in_stored_order(tmp_path):
    writer = SnapshotWriter(tmp_path, "one")
    for month in MONTHS[::-1]:
        writer.add_table("area_counts_city", counts(month), part=month, period=month, none=4)
    stored = writer.publish({})["files"]
    assert [(entry["path"], entry["rows"], entry["none"]) for entry in stored] == [
        (f"snapshots/one/area_counts_city/{month}.parquet", 3, 4) for month in MONTHS[::-1]
    ]
    snapshot = Store(tmp_path).current()
    assert snapshot.tables() == ["area_counts_city"]
    months = [f"{day:%Y-%m}" for day in snapshot.read("area_counts_city")["period_start"]]
    assert months == [month for month in MONTHS[::-1] for _ in range(3)]
    found = snapshot.arrays("SELECT count(*) AS n FROM area_counts_city WHERE period_start > ?",
                            [dt.date(2026, 10, 1)])  # fmt: skip
    assert found["n"].tolist() == [6]


def test_a_kept_file_is_named_again_and_not_written(tmp_path):
    first = SnapshotWriter(tmp_path, "one")
    for month in MONTHS:
        first.add_table("area_counts_city", counts(month), part=month, incidents=3)
    entries = first.publish({})["files"]
    second = SnapshotWriter(tmp_path, "two")
    for entry in entries[:2]:
        second.keep(entry)
    second.add_table("area_counts_city", counts(MONTHS[2], count=5), part=MONTHS[2])
    assert second.publish({})["files"][:2] == entries[:2]
    written = (tmp_path / "snapshots" / "two").rglob("*.parquet")
    assert [path.stem for path in written] == [MONTHS[2]]
    assert Store(tmp_path).current().read("area_counts_city")["count"].sum() == 21


def test_a_file_that_is_gone_cannot_be_kept(tmp_path):
    entry = SnapshotWriter(tmp_path, "one").add_table("accounts", ACCOUNTS)
    (tmp_path / entry["path"]).unlink()
    with pytest.raises(FileNotFoundError, match=r"accounts\.parquet is named again"):
        SnapshotWriter(tmp_path, "two").keep(entry)


def test_a_part_is_a_plain_word_and_written_once(tmp_path):
    writer = SnapshotWriter(tmp_path, "one")
    for part in ("../x", "a/b", ".", "2026 11"):
        with pytest.raises(ValueError, match="letters, digits"):
            writer.add_table("area_counts_city", counts("2026-11"), part=part)
    writer.add_table("area_counts_city", counts("2026-11"), part="2026-11")
    with pytest.raises(FileExistsError):
        writer.add_table("area_counts_city", counts("2026-11"), part="2026-11")


def test_arrow_and_pandas_rows_give_the_same_bytes(tmp_path):
    rows = counts("2026-11")
    frame = SnapshotWriter(tmp_path, "one").add_table("area_counts_city", rows)
    table = SnapshotWriter(tmp_path, "two").add_table("area_counts_city", pa.table(dict(rows)))
    assert frame["sha256"] == table["sha256"]


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"count": [1, None, 3]}, r"`count` is empty in 1 of 3 rows \(rows \[1\]\)"),
        ({"area_index": [1, 2, 1]}, r"1 rows repeat the key .* \(rows \[2\]\)"),
        ({"colour": [1, 2, 3]}, r"unknown columns \['colour'\]"),
        ({"count": [1, 2, 1 << 40]}, "`count` is no int"),
    ],
)
def test_faults_of_arrow_rows_are_told_as_those_of_frames(tmp_path, changed, fault):
    rows = pa.table({**dict(counts("2026-11")), **changed})
    with pytest.raises(SchemaError, match=fault):
        SnapshotWriter(tmp_path, "one").add_table("area_counts_city", rows)


def test_not_a_number_is_empty(tmp_path):
    rows = pa.table({"cell_index": [0], "cell": ["8"], "area_km2": [float("nan")],
                     "lng": [1.0], "lat": [2.0]})  # fmt: skip
    with pytest.raises(SchemaError, match="`area_km2` is empty"):
        SnapshotWriter(tmp_path, "one").add_table("cells_8", rows)


def test_ids_sort_by_time_and_never_repeat():
    early = dt.datetime(2026, 11, 9, 1, tzinfo=dt.UTC)
    late = dt.datetime(2026, 11, 9, 9, tzinfo=dt.timezone(dt.timedelta(hours=1)))
    assert new_snapshot_id(early) < new_snapshot_id(late)
    assert new_snapshot_id(early) != new_snapshot_id(early)


def test_replacing_leaves_no_waiting_file(tmp_path):
    replace_text(tmp_path / POINTER, "one\n")
    replace_text(tmp_path / POINTER, "two\n")
    assert [path.name for path in tmp_path.iterdir()] == [POINTER]
    assert (tmp_path / POINTER).read_text() == "two\n"
