import datetime as dt
import json

import pandas as pd
import pytest

from data.schema import SchemaError
from data.store import POINTER, NoSnapshotError, SnapshotError, Store
from data.writer import SnapshotWriter, new_snapshot_id, replace_text

ACCOUNTS = pd.DataFrame(
    {
        "source": ["calls"],
        "file": ["a.csv"],
        "read": [3],
        "accepted": [2],
        "quarantined": [1],
        "duplicate": [0],
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
    pd.testing.assert_frame_equal(snapshot.read("accounts"), ACCOUNTS)
    found = snapshot.query("SELECT read FROM accounts WHERE source = ?", ["calls"])
    assert found["read"].tolist() == [3]


def test_readers_move_to_the_next_snapshot_and_the_old_one_stays(tmp_path):
    publish(tmp_path, "one")
    store = Store(tmp_path)
    first = store.current()
    publish(tmp_path, "two", ACCOUNTS.assign(read=4, accepted=3))
    assert store.current().query("SELECT read FROM accounts")["read"].tolist() == [4]
    assert first.query("SELECT read FROM accounts")["read"].tolist() == [3]


def test_a_flipped_bit_is_found(tmp_path):
    publish(tmp_path, "one")
    path = tmp_path / "snapshots" / "one" / "accounts.parquet"
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(SnapshotError, match=r"accounts\.parquet is damaged"):
        Store(tmp_path).current()


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


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('/etc/hostname')",
        "ATTACH '/tmp/other.db'",
        "SET enable_external_access = true",
        "INSTALL httpfs",
    ],
)
def test_the_query_connection_reaches_nothing_else(tmp_path, sql):
    publish(tmp_path, "one")
    snapshot = Store(tmp_path).current()
    with pytest.raises(Exception, match=r"(?i)permission|locked|disabled|cannot"):
        snapshot.query(sql)


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
