import datetime as dt
import gzip
import json
import stat

import pytest

from data.audit import AuditError, AuditLog
from data.audit.archive import archive, set_aside
from data.audit.chain import GENESIS, Head
from data.audit.log import head_values
from data.audit.sealed_file import SealedFileError, read_sealed
from data.audit.verify import verify
from data.locks import BusyError, locked
from tests.data.audit.kept import AT, KEY, Attacker, written

NOW = AT + dt.timedelta(days=400)
HOUR = dt.timedelta(hours=1)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr("data.audit.archive.PART_ROWS", 4)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "archived"


def moved(log, folder, hours, **options):
    return archive(log, folder, older_than=AT + hours * HOUR, now=NOW, **options)


def lines(path):
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


def faults(log, folder):
    return verify(log, archives=folder).faults


def test_old_rows_move_and_the_chain_goes_on(anchored, folder, database):
    written(anchored, 10)
    before = Attacker(database).rows()
    done = moved(anchored, folder, 6, by="auditor")
    assert (done.rows, [path.name for path in done.files]) == (
        6, ["audit-0000000001.ndjson.gz", "audit-0000000005.ndjson.gz"],
    )  # fmt: skip
    verdict = verify(anchored, archives=folder)
    assert (verdict.faults, verdict.rows, verdict.first_seq, verdict.last_seq) == ((), 5, 7, 11)
    row = anchored.search(limit=1)[0]
    assert (row.user, row.action, row.target, row.result) == ("auditor", "system", "audit", "ok")
    assert row.detail == "6 rows into 2 files"
    about, *kept, trailer = lines(done.files[1])
    assert about == {
        "format": 1,
        "first_seq": 5,
        "first_previous": before[3]["hash"],
        "seq": 6,
        "hash": before[5]["hash"],
    }
    assert [row["hash"] for row in kept] == [before[4]["hash"], before[5]["hash"]]
    assert kept[0]["at"] == "2026-01-05 12:00:00.000000"
    assert set(trailer) == {"sha256", "seal"}
    for path in done.files:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_second_run_continues_and_no_row_is_no_file(anchored, folder):
    written(anchored, 10)
    moved(anchored, folder, 3)
    assert moved(anchored, folder, 3).files == ()
    assert [path.name for path in moved(anchored, folder, 9).files] == [
        "audit-0000000004.ndjson.gz", "audit-0000000008.ndjson.gz",
    ]  # fmt: skip
    assert faults(anchored, folder) == ()


def test_every_row_may_go(log, folder):
    written(log, 4)
    archive(log, folder, older_than=AT + dt.timedelta(days=99), now=NOW)
    assert [row.action for row in log.search()] == ["system"]
    assert verify(log, archives=folder).first_seq == 5
    assert faults(log, folder) == ()


def test_an_empty_audit_has_nothing_to_archive(log, folder):
    assert moved(log, folder, 1).rows == 0
    assert faults(log, folder) == ()


def test_rows_of_the_last_180_days_stay(log, folder):
    written(log, 2)
    with pytest.raises(AuditError, match=r"rows of the last 180 days stay; 2026-08-14 is too late"):
        archive(log, folder, older_than=NOW - dt.timedelta(days=179), now=NOW)
    assert archive(log, folder, older_than=NOW - dt.timedelta(days=180), now=NOW).rows == 2


def test_a_younger_row_in_between_keeps_what_comes_after_it(log, folder):
    """Clocks of several processes differ a little; order is that of the numbers."""
    written(log, 2)
    written(log, 1, at=AT + 50 * HOUR)
    written(log, 2, at=AT + 3 * HOUR)
    assert moved(log, folder, 10).rows == 2
    assert faults(log, folder) == ()


def test_a_damaged_audit_is_not_archived(log, folder, database):
    written(log, 5)
    Attacker(database).edit(2, detail="x")
    with pytest.raises(
        AuditError, match=r"1 faults, the first: row 2: changed after it was written"
    ):
        moved(log, folder, 4)
    assert len(Attacker(database).rows()) == 5


def test_an_anchor_that_misses_rows_stops_it(anchored, folder, database):
    written(anchored, 3)
    older = Attacker(database).rows(), Attacker(database).head()
    written(anchored, 3, at=AT + 5 * HOUR)
    Attacker(database).put_back(*older)
    with pytest.raises(AuditError, match="the anchor knows row 6"):
        moved(anchored, folder, 4)


def test_two_runs_at_once_are_refused(log, folder):
    folder.mkdir()
    with locked(folder, "audit.lock"), pytest.raises(BusyError):
        moved(log, folder, 1)


@pytest.mark.parametrize("step", ["_check_leftover", "read_sealed", "head_values"])
def test_a_run_killed_anywhere_loses_nothing_and_is_taken_up(
    log, folder, database, monkeypatch, step
):
    written(log, 10)
    with monkeypatch.context() as patched:

        def killed(*_):
            raise KeyboardInterrupt

        patched.setattr(f"data.audit.archive.{step}", killed)
        with pytest.raises(KeyboardInterrupt):
            moved(log, folder, 6)
    assert verify(log).rows == 10
    assert moved(log, folder, 5).rows == 5
    assert faults(log, folder) == ()
    kept = [row["seq"] for path in sorted(folder.glob("*.gz")) for row in lines(path)[1:-1]]
    assert kept + [row["seq"] for row in Attacker(database).rows()] == list(range(1, 12))


def test_a_file_with_rows_that_the_database_lost_is_not_replaced(log, folder, database):
    """The database was put back; the archive then holds the only copy."""
    written(log, 4)
    older = Attacker(database).rows()[:2]
    back = Head(1, GENESIS, 2, older[1]["hash"])
    moved(log, folder, 4)
    path = folder / "audit-0000000001.ndjson.gz"
    content = path.read_bytes()
    Attacker(database).put_back(older, head_values(back, KEY) | {"id": 1})
    with pytest.raises(AuditError, match="holds rows that the database does not have"):
        moved(log, folder, 4)
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-9],
        lambda content: content[:40],
        lambda _: b"",
        lambda _: b"no gzip",
        lambda content: content[:60] + b"\x00" + content[61:],
        lambda content: gzip.compress(gzip.decompress(content).replace(b"grid.01", b"grid.02")),
        lambda content: gzip.compress(b"\n".join(gzip.decompress(content).split(b"\n")[:3])),
        lambda content: gzip.compress(gzip.decompress(content) + b"{}\n"),
        lambda _: gzip.compress(b"[" * 100_000 + b"\n{}\n"),
        lambda _: gzip.compress(b"3\n"),
    ],
)
def test_a_changed_file_is_named(log, folder, damage):
    written(log, 10)
    path = moved(log, folder, 8).files[0]
    path.write_bytes(damage(path.read_bytes()))
    assert any(fault.startswith("audit-0000000001.ndjson.gz ") for fault in faults(log, folder))


def test_a_missing_file_is_seen(log, folder):
    written(log, 20)
    files = moved(log, folder, 12).files
    kept = files[1].read_bytes()
    files[1].unlink()
    assert faults(log, folder) == ("audit-0000000009.ndjson.gz does not follow the file before it",)
    files[1].write_bytes(kept)
    assert faults(log, folder) == ()
    files[2].unlink()
    assert faults(log, folder) == (
        "the archived files end at row 8, which does not lead to row 13",
    )
    for path in folder.glob("*.gz"):
        path.unlink()
    assert faults(log, folder) == (f"{folder} holds no sound file with row 12",)


def test_old_files_may_be_taken_away_from_the_front(log, folder):
    written(log, 20)
    moved(log, folder, 12).files[0].unlink()
    assert faults(log, folder) == ()


def test_archived_rows_put_back_into_the_database_are_seen(log, folder, database):
    written(log, 6)
    rows = Attacker(database).rows()
    moved(log, folder, 4)
    Attacker(database).insert(rows[2])
    assert verify(log).faults == ("row 3: outside the sealed range",)


def test_a_beginning_moved_on_without_an_archive_is_seen(log, database):
    """As the archive does it, but without the key."""
    written(log, 6)
    rows = Attacker(database).rows()
    Attacker(database).forge_head(first_seq=4, first_previous=rows[2]["hash"])
    Attacker(database).delete(1, 2, 3)
    assert verify(log).faults[0].startswith("the head was changed")


def test_a_full_disk_is_told(log, folder, database, monkeypatch):
    written(log, 6)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("data.audit.archive.write_sealed", full)
    with pytest.raises(AuditError, match=r"was not archived: .*No space left"):
        moved(log, folder, 4)
    assert verify(log).rows == 6


# -- A damaged audit --


def test_a_damaged_audit_is_set_aside_and_a_new_one_begins(anchored, folder, database):
    written(anchored, 5)
    attacker = Attacker(database)
    attacker.edit(2, detail="x")
    attacker.delete(4)
    done = set_aside(anchored, folder, reason="disk failure", now=NOW, by="auditor")
    assert (done.rows, [path.name for path in done.files]) == (
        4, ["damaged-audit-20270209T080000Z.ndjson.gz"],
    )  # fmt: skip
    about, *rows, _ = lines(done.files[0])
    assert about["faults"] == ["row 2: changed after it was written", "row 4: missing"]
    assert about["head"][0]["seq"] == 5
    assert [(row["seq"], row["detail"]) for row in rows][1] == (2, "x")
    read_sealed(done.files[0], KEY)
    (first,) = anchored.search()
    assert (first.seq, first.user, first.result) == (6, "auditor", "failed")
    assert first.detail == (
        "4 rows with 2 faults into damaged-audit-20270209T080000Z.ndjson.gz: disk failure"
    )
    assert verify(anchored).faults == ()
    assert written(anchored, 1, at=NOW) == [7]
    assert verify(anchored).is_sound


@pytest.mark.parametrize(
    "strike",
    [
        lambda attacker: attacker.forge_head(seq=2, hash=GENESIS),
        lambda attacker: attacker.forge_head(seq=2_147_483_647),
        lambda attacker: attacker.insert(attacker.rows()[0] | {"seq": 2_147_483_647}),
        lambda attacker: attacker.put_back(attacker.rows(), attacker.head() | {"id": 7}),
    ],
)
def test_a_forged_end_does_not_stop_the_audit_for_ever(anchored, folder, database, strike):
    written(anchored, 5)
    strike(Attacker(database))
    assert not verify(anchored).is_sound
    set_aside(anchored, folder, reason="attack", now=NOW)
    assert written(anchored, 1, at=NOW) == [7]
    assert verify(anchored).faults == ()


def test_numbers_are_not_given_twice_after_a_roll_back(anchored, folder, database):
    """The anchor knows row 10; the new audit begins behind it."""
    written(anchored, 4)
    older = Attacker(database).rows(), Attacker(database).head()
    written(anchored, 6, at=AT + 10 * HOUR)
    Attacker(database).put_back(*older)
    set_aside(anchored, folder, reason="restored from a backup", now=NOW)
    assert [row.seq for row in anchored.search()] == [11]
    assert verify(anchored).is_sound


@pytest.mark.parametrize("reason", ["", "  "])
def test_a_reason_is_needed(log, folder, database, reason):
    written(log, 2)
    Attacker(database).edit(2, detail="x")
    with pytest.raises(AuditError, match="with a reason"):
        set_aside(log, folder, reason=reason, now=NOW)


def test_a_sound_audit_is_not_set_aside(log, folder):
    written(log, 2)
    with pytest.raises(AuditError, match="only an audit with faults"):
        set_aside(log, folder, reason="why not", now=NOW)


def test_a_lost_key_is_no_end(log, folder, database):
    written(log, 3)
    other = AuditLog(database, b"o" * 32)
    set_aside(other, folder, reason="the key file was lost", now=NOW)
    assert verify(other).is_sound
    with pytest.raises(SealedFileError, match="belongs to another installation"):
        read_sealed(folder / "damaged-audit-20270209T080000Z.ndjson.gz", KEY)
