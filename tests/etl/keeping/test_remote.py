"""Snapshots in a folder or bucket: push, pull, and readers outside."""

import datetime as dt
import json

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from data.manifest import SnapshotError
from data.remote import PUSHED, pull, push
from data.storage import Storage
from data.store import POINTER, Store, check_files
from etl.keeping.prune import prune
from etl.keeping.retention import Retention

from .conftest import MONDAY, THIRD


def same_answers(home, other):
    own, pulled = Store(home).current(), Store(other).current()
    assert pulled.manifest.raw == own.manifest.raw
    for table in own.tables():
        assert pulled.read(table).equals(own.read(table))


def test_another_machine_pulls_what_was_pushed(kept, address):
    pushed = push(kept.home, address)
    moved = pull(address, kept.other)
    assert moved.snapshot == pushed.snapshot == kept.manifest["snapshot"]
    same_answers(kept.home, kept.other)
    assert pull(address, kept.other).copied_files == 0
    assert push(kept.home, address).copied_files == 0


def test_only_new_files_are_pushed_and_pulled(kept, address):
    push(kept.home, address)
    pull(address, kept.other)
    third = kept.third()
    before = {entry["path"] for entry in kept.manifest["files"]}
    fresh = [entry["path"] for entry in third["files"] if entry["path"] not in before]
    parts = set(third["incidents"]["files"]) | set(third["incidents"]["superseded"])
    parts -= {*kept.manifest["incidents"]["files"], *kept.manifest["incidents"]["superseded"]}
    # One more entry of the Delta log.
    assert push(kept.home, address).copied_files == len(fresh) + len(parts) + 1
    assert pull(address, kept.other).copied_files == len(fresh)
    same_answers(kept.home, kept.other)


def test_the_incidents_can_be_read_in_place(kept, bucket, tmp_path):
    push(kept.home, bucket)
    host = bucket.partition("endpoint_override=")[2].partition("&")[0]
    options = {"AWS_ENDPOINT_URL": f"http://{host}", "AWS_ALLOW_HTTP": "true"}
    options |= {"AWS_REGION": "us-east-1"}
    table = DeltaTable(f"{bucket.partition('?')[0]}/incidents", storage_options=options)
    rows = pa.table(table.get_add_actions(flatten=True))
    assert sum(rows["num_records"].to_pylist()) == kept.manifest["rows"]["accepted"]
    found = table.to_pyarrow_table() if hasattr(table, "to_pyarrow_table") else rows
    assert len(found) == kept.manifest["rows"]["accepted"]


@pytest.mark.parametrize("name", ["put", "put_text"])
def test_a_killed_push_leaves_the_pushed_snapshot(kept, monkeypatch, name):
    address = str(kept.target)
    push(kept.home, address)
    third = kept.third()
    real, left = getattr(Storage, name), [0]

    def dying(self, *arguments, **options):
        if left[0] == 0:
            raise KeyboardInterrupt
        left[0] -= 1
        return real(self, *arguments, **options)

    for calls in range(3):
        left[0] = calls
        with monkeypatch.context() as patch:
            patch.setattr(Storage, name, dying)
            with pytest.raises(KeyboardInterrupt):
                push(kept.home, address)
        assert pull(address, kept.other).snapshot == kept.manifest["snapshot"]
        check_files(kept.other, Store(kept.other).manifest(kept.manifest["snapshot"]))
        (kept.target / PUSHED).unlink(missing_ok=True)
    push(kept.home, address)
    assert pull(address, kept.other).snapshot == third["snapshot"]


def test_a_damaged_home_pushes_nothing(kept, address):
    push(kept.home, address)
    third = kept.third()
    damaged = kept.home / third["files"][-1]["path"]
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    with pytest.raises(SnapshotError, match="damaged"):
        push(kept.home, address)
    assert Storage(address).read_text(POINTER).strip() == kept.manifest["snapshot"]


@pytest.mark.parametrize("harm", ["flip", "remove"])
def test_a_damaged_bucket_reaches_no_reader(kept, harm):
    address = str(kept.target)
    push(kept.home, address)
    pull(address, kept.other)
    third = kept.third()
    push(kept.home, address)
    before = {entry["path"] for entry in kept.manifest["files"]}
    path = next(entry["path"] for entry in third["files"] if entry["path"] not in before)
    harmed = kept.target / path
    if harm == "flip":
        harmed.write_bytes(harmed.read_bytes()[:-1] + b"?")
    else:
        harmed.unlink()
    with pytest.raises(SnapshotError, match=r"damaged|missing"):
        pull(address, kept.other)
    assert Store(kept.other).current().id == kept.manifest["snapshot"]
    assert not list(kept.other.rglob(f"*{harmed.name}.*[0-9]"))


def test_a_damaged_file_of_a_reader_is_fetched_again(kept):
    address = str(kept.target)
    push(kept.home, address)
    pull(address, kept.other)
    damaged = kept.other / kept.manifest["files"][0]["path"]
    damaged.write_bytes(bytes(damaged.stat().st_size))
    assert pull(address, kept.other).copied_files == 1
    same_answers(kept.home, kept.other)


def test_a_damaged_manifest_is_refused(kept):
    address = str(kept.target)
    push(kept.home, address)
    manifest = kept.target / "manifests" / f"{kept.manifest['snapshot']}.json"
    raw = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(raw | {"batch": 99}))
    with pytest.raises(SnapshotError, match="damaged"):
        pull(address, kept.other)
    manifest.write_text(manifest.read_text()[:-2])
    with pytest.raises(SnapshotError, match="damaged"):
        pull(address, kept.other)


def test_a_reader_deletes_old_snapshots_too(kept):
    address = str(kept.target)
    push(kept.home, address)
    pull(address, kept.other)
    third = kept.third()
    push(kept.home, address)
    pull(address, kept.other)
    now = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    done = prune(kept.other, Retention(snapshots=1), now=now)
    assert done.kept == [third["snapshot"]]
    assert done.files["snapshots"] > 0
    same_answers(kept.home, kept.other)
    assert pull(address, kept.other).copied_files == 0


def test_an_empty_bucket_says_so(kept, address):
    with pytest.raises(SnapshotError, match="no snapshot in"):
        pull(address, kept.other)


def test_the_last_of_two_publishers_wins(kept, address, tmp_path):
    push(kept.home, address)
    third = kept.third()
    from etl.keeping.backup import backup
    from etl.keeping.restore import restore
    from etl.pipeline import build

    backup(kept.home, str(tmp_path / "copy"))
    restore(str(tmp_path / "copy"), kept.other)
    kept.toy.write([*THIRD, "more,2026-02-19 10:00,B,1,,103.05,36.15,"])
    other = build(kept.toy.folder, home=kept.other, now=MONDAY + dt.timedelta(days=3)).manifest
    reader = tmp_path / "reader"
    for home, snapshot in ((kept.other, other), (kept.home, third)):
        push(home, address)
        assert pull(address, reader).snapshot == snapshot["snapshot"]
        same_answers(home, reader)
