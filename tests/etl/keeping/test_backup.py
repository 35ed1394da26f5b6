"""Backup while the home is in use, and restore."""

import datetime as dt
import json
import stat
import threading

import pytest

from data import issues
from data.intake import Intake
from data.locks import KEEPING, BusyError, locked
from data.state.database import open_state
from data.state.migrate import upgrade
from data.state.models import Setting
from data.storage import Storage, StorageError
from data.store import Store
from etl.connectors.known_files import KnownFiles
from etl.keeping import contents
from etl.keeping.backup import backup
from etl.keeping.freeze import freeze
from etl.keeping.last import FILE, last_backup
from etl.keeping.listing import BackupError, listing_ids, read_listing
from etl.keeping.restore import check_backup, restore
from etl.pipeline import build

from .conftest import MONDAY, THIRD, is_sound, tables

STEPS = ["snapshots", "delta log", "ledgers", "intake", "files", "listing"]


def content(home):
    """Every file of a home that a backup holds; databases by what they say."""
    loose = (".lock", ".db", ".db-wal", ".db-shm")
    return {
        path.relative_to(home).as_posix(): path.read_bytes()
        for path in home.rglob("*")
        # The register of all cells serves the tasks of one build; the note tells of the backup.
        if path.is_file()
        and not path.name.endswith(loose)
        and path.name not in ("register.parquet", FILE)
    }


def go_on(kept, home):
    """Publish the third day under a home."""
    kept.toy.write(THIRD)
    return build(kept.toy.folder, home=home, now=MONDAY + dt.timedelta(days=2)).manifest


def delta_is_whole(home):
    assert all((home / path).is_file() for path in contents.named_by_delta(home))


def test_a_backup_leaves_a_note_of_itself(kept, address):
    done = backup(kept.home, address)
    last = last_backup(kept.home)
    assert last is not None
    assert last.backup == done.listing.id


def test_accounts_and_audit_come_back(kept, address):
    database = open_state("", kept.home)
    upgrade(database)
    with database.writing() as session:
        session.add(Setting(name="min_length", value="12", changed_at=MONDAY, changed_by="cli"))
    backup(kept.home, address)
    restore(address, kept.other)
    assert stat.S_IMODE((kept.other / "state.db").stat().st_mode) == 0o600
    with open_state("", kept.other).reading() as session:
        assert session.get(Setting, "min_length").value == "12"


def test_issues_of_the_report_come_back_as_they_were_issued(kept, address):
    freeze(kept.home, None, "2026-W08")
    put = {"snapshot": kept.manifest["snapshot"], "frozen": "2026-W08", "by": "test"}
    first = issues.put(kept.home, "2026-W08", {"city-1.json": b"{}"}, **put)
    second = issues.put(kept.home, "2026-W08", {"city-1.json": b"[]"}, **put, reason="late rows")
    done = backup(kept.home, address)
    assert any(one.path.startswith(f"{issues.FOLDER}/") for one in done.listing.files)
    restore(address, kept.other)
    assert issues.issues(kept.other) == [second, first]
    assert issues.damaged(kept.other) == {}
    assert [issues.content(kept.other, one, "city-1.json") for one in (first, second)] == [
        b"{}", b"[]",
    ]  # fmt: skip
    assert Store(kept.other / "issued" / "2026-W08").current().id == kept.manifest["snapshot"]
    # What is issued stays as it is, and goes on where it was.
    with pytest.raises(issues.IssueError, match="needs a reason"):
        issues.put(kept.other, "2026-W08", {"city-1.json": b"{}"}, **put)
    third = issues.put(kept.other, "2026-W08", {"city-1.json": b"{}"}, **put, reason="again")
    assert (third.number, third.version) == (first.number, 3)


def test_a_restored_home_is_the_home(kept, address):
    done = backup(kept.home, address)
    restore(address, kept.other)
    assert content(kept.other) == content(kept.home)
    assert Intake(kept.other).batches() == Intake(kept.home).batches()
    assert Store(kept.other).manifest(kept.manifest["snapshot"]).raw == kept.manifest
    assert is_sound(kept.other) == kept.manifest["snapshot"] == done.listing.snapshot
    again = go_on(kept, kept.other)
    assert tables(again) == tables(kept.third())
    assert is_sound(kept.other) == again["snapshot"]


def test_an_earlier_day_can_be_rebuilt_after_a_restore(kept):
    from etl.pipeline import Options

    first = Store(kept.home).manifest(kept.manifest["parent"]).raw
    backup(kept.home, str(kept.target))
    restore(str(kept.target), kept.other)
    moment = MONDAY + dt.timedelta(hours=1)
    again = build(
        kept.toy.folder, home=kept.other, now=MONDAY, options=Options(as_of=moment)
    ).manifest
    assert tables(again) == tables(first)


@pytest.mark.parametrize("step", STEPS[:4])
def test_a_build_may_run_during_a_backup(kept, step):
    published = []

    def tell(done):
        if done == step:
            published.append(kept.third())

    backup(kept.home, str(kept.target), tell=tell)
    restore(str(kept.target), kept.other)
    assert is_sound(kept.other) == kept.manifest["snapshot"]
    delta_is_whole(kept.other)
    again = go_on(kept, kept.other)
    assert tables(again) == tables(published[0])
    assert again["rows"] == published[0]["rows"]
    assert is_sound(kept.other) == again["snapshot"]
    delta_is_whole(kept.other)


def test_an_epoch_may_begin_during_a_backup(kept):
    def tell(done):
        if done == "snapshots":
            kept.toy.change("city.toml", "window = 2", "window = 3")
            kept.third()

    backup(kept.home, str(kept.target), tell=tell)
    restore(str(kept.target), kept.other)
    assert is_sound(kept.other) == kept.manifest["snapshot"]
    delta_is_whole(kept.other)
    assert go_on(kept, kept.other)["rows"] == Store(kept.home).current().manifest.rows
    is_sound(kept.other)


def test_pushes_may_land_during_a_backup(kept):
    stop, landed = threading.Event(), []

    def push():
        while not stop.is_set():
            number = len(landed)
            landed.append(kept.push([f"p{number},2026-02-11 10:00,A1,1,,103.05,36.05,"]))

    pushing = threading.Thread(target=push)
    pushing.start()
    try:
        done = [backup(kept.home, str(kept.target)).listing.batches for _ in range(5)]
    finally:
        stop.set()
        pushing.join()
    assert done == sorted(done)
    restore(str(kept.target), kept.other)
    batches = Intake(kept.other).batches()
    assert len(batches) == done[-1]
    assert batches == Intake(kept.home).batches(upto=done[-1])
    assert all((kept.other / chunk["path"]).is_file() for one in batches for chunk in one.chunks)
    build(kept.toy.folder, home=kept.other, now=MONDAY + dt.timedelta(days=2))
    is_sound(kept.other)


def test_a_second_backup_copies_only_what_is_new(kept, address):
    first = backup(kept.home, address)
    assert first.copied_files > 20
    assert backup(kept.home, address).copied_bytes == 0
    kept.third()
    third = backup(kept.home, address)
    before = {file.sha256 for file in first.listing.files}
    fresh = {file.sha256: file.size for file in third.listing.files if file.sha256 not in before}
    assert (third.copied_files, third.copied_bytes) == (len(fresh), sum(fresh.values()))
    # Each of them can be restored.
    restore(address, kept.other, backup_id=first.listing.id)
    assert is_sound(kept.other) == kept.manifest["snapshot"]


@pytest.mark.parametrize("step", STEPS[:5])
def test_a_killed_backup_does_not_count(kept, step):
    def die(done):
        if done == step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backup(kept.home, str(kept.target), tell=die)
    assert not (kept.target / "backup.json").exists()
    with pytest.raises(BackupError, match=r"no backup\.json"):
        restore(str(kept.target), kept.other)
    first = backup(kept.home, str(kept.target)).listing
    kept.third()
    with pytest.raises(KeyboardInterrupt):
        backup(kept.home, str(kept.target), tell=die)
    assert check_backup(str(kept.target)) == first
    assert not list(kept.home.glob(".backup-*"))


def test_what_a_killed_backup_left_is_swept(kept):
    left = kept.home / ".backup-killed"
    left.mkdir()
    (left / "intake.db").write_text("half")
    backup(kept.home, str(kept.target))
    assert not left.exists()


def test_a_damaged_home_makes_no_backup(kept):
    first = backup(kept.home, str(kept.target)).listing
    third = kept.third()
    before = {entry["path"] for entry in kept.manifest["files"]}
    fresh = [entry["path"] for entry in third["files"] if entry["path"] not in before]
    damaged, missing = (kept.home / path for path in fresh[:2])
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    missing.unlink()
    with pytest.raises(BackupError) as told:
        backup(kept.home, str(kept.target))
    assert f"{fresh[0]} is damaged" in str(told.value)
    assert f"{fresh[1]} is missing" in str(told.value)
    assert check_backup(str(kept.target)) == first


def test_damage_of_a_file_that_is_backed_up_already_does_not_reach_the_backup(kept):
    backup(kept.home, str(kept.target))
    damaged = kept.home / kept.manifest["files"][0]["path"]
    damaged.write_bytes(bytes(damaged.stat().st_size))
    backup(kept.home, str(kept.target))
    restore(str(kept.target), kept.other)
    is_sound(kept.other)


def objects(target):
    return sorted(path for path in (target / "objects").rglob("*") if path.is_file())


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def truncate(path):
    path.write_bytes(path.read_bytes()[:-1])


def remove(path):
    path.unlink()


@pytest.mark.parametrize("harm", [flip, truncate, remove])
def test_a_damaged_backup_is_refused_with_the_list(kept, harm):
    listing = backup(kept.home, str(kept.target)).listing
    before = content(kept.home)
    of_path = {file.sha256: file.path for file in listing.files if file.size}
    harmed = [path for path in objects(kept.target) if path.name in of_path][::5]
    assert len(harmed) > 3
    for path in harmed:
        harm(path)
    for home in (kept.other, kept.home):
        with pytest.raises(BackupError) as told:
            restore(str(kept.target), home, force=True)
        assert all(of_path[path.name] in str(told.value) for path in harmed)
    with pytest.raises(BackupError, match="do not hold"):
        check_backup(str(kept.target))
    # The homes are as they were.
    assert not [path for path in kept.other.iterdir() if not path.name.endswith(".lock")]
    assert content(kept.home) == before


def test_a_damaged_listing_is_refused(kept):
    backup(kept.home, str(kept.target))
    listing = kept.target / "backup.json"
    raw = json.loads(listing.read_text())
    raw["files"][0]["path"] = "../astray"
    listing.write_text(json.dumps(raw))
    with pytest.raises(BackupError, match="damaged"):
        restore(str(kept.target), kept.other)


def test_a_listing_cannot_write_outside_the_home(kept):
    from data.manifest import checksum

    backup(kept.home, str(kept.target))
    listing = kept.target / "backup.json"
    raw = json.loads(listing.read_text())
    raw["files"][0]["path"] = "../astray"
    listing.write_text(json.dumps(raw | {"checksum": checksum(raw)}))
    with pytest.raises(BackupError, match="lead out of the home"):
        restore(str(kept.target), kept.other)


def test_a_home_that_is_not_empty_is_kept_aside(kept):
    backup(kept.home, str(kept.target))
    kept.third()
    before = content(kept.home)
    with pytest.raises(BackupError, match="not empty"):
        restore(str(kept.target), kept.home)
    assert content(kept.home) == before
    restore(str(kept.target), kept.home, force=True, now=MONDAY)
    assert is_sound(kept.home) == kept.manifest["snapshot"]
    aside = kept.home / "replaced-20260223T040000Z"
    assert content(aside) == before
    # What was kept aside is not part of the next backup.
    assert not [
        file.path
        for file in backup(kept.home, str(kept.target)).listing.files
        if file.path.startswith("replaced-")
    ]


def test_private_files_stay_private(kept):
    backup(kept.home, str(kept.target))
    restore(str(kept.target), kept.other)
    assert (kept.other / "secret.key").read_text() == "k" * 64
    assert stat.S_IMODE((kept.other / "secret.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.target.stat().st_mode) == 0o700


def test_raw_files_are_in_the_backup_only_when_asked_for(kept):
    raw = kept.home / "source" / "calls" / "raw.csv"
    raw.parent.mkdir(parents=True)
    raw.write_text("raw")
    paths = [file.path for file in backup(kept.home, str(kept.target)).listing.files]
    assert not [path for path in paths if path.startswith("source/")]
    backup(kept.home, str(kept.target), with_source=True)
    restore(str(kept.target), kept.other)
    assert (kept.other / "source" / "calls" / "raw.csv").read_text() == "raw"


def test_hashes_of_known_files_come_back(kept):
    backup(kept.home, str(kept.target))
    restore(str(kept.target), kept.other)
    assert (kept.other / "files.db").is_file()
    assert KnownFiles(kept.other).failures() == []


def test_older_backups_and_what_only_they_hold_are_deleted(kept):
    first = backup(kept.home, str(kept.target), now=MONDAY).listing
    kept.third()
    second = backup(kept.home, str(kept.target), now=MONDAY + dt.timedelta(days=1), keep=1)
    assert second.dropped_backups == 1
    storage = Storage(str(kept.target))
    assert listing_ids(storage) == [second.listing.id]
    assert storage.sizes("objects") == second.listing.objects()
    assert first.objects().keys() - second.listing.objects().keys()
    assert check_backup(str(kept.target)) == second.listing == read_listing(storage)


def test_retention_and_backup_wait_for_each_other(kept):
    with locked(kept.home, KEEPING), pytest.raises(BusyError, match="wait until it ends"):
        backup(kept.home, str(kept.target))
    with locked(kept.home, KEEPING, shared=True):
        backup(kept.home, str(kept.target))


def test_a_target_in_the_home_is_refused(kept):
    with pytest.raises(BackupError, match="lies in the home"):
        backup(kept.home, str(kept.home / "backup"))


def test_an_empty_home_can_be_backed_up(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    listing = backup(home, str(tmp_path / "backup")).listing
    assert (listing.snapshot, listing.batches, listing.files) == (None, 0, ())


@pytest.mark.parametrize(
    "url", ["ftp://host/folder", "s3://key:word@bucket/city", "s3://bucket/city?colour=red"]
)
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(StorageError):
        Storage(url)
