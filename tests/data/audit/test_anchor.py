"""The anchor sees what no chain can: a whole database put back to an older copy."""

import datetime as dt
import json
import shutil

import pytest

from data.audit import AuditLog
from data.audit.anchor import EVERY, FILE, Anchor, AnchorError, Mark
from data.audit.chain import Head
from data.audit.log import head_values
from data.audit.verify import verify
from tests.data.audit.kept import AT, KEY, Attacker, written

LATER = AT + dt.timedelta(days=30)


@pytest.fixture
def anchor(tmp_path):
    return Anchor(tmp_path / FILE, KEY)


@pytest.fixture
def back(anchored, database):
    """An audit of ten rows that was put back to six, and its attacker."""
    attacker = Attacker(database)
    written(anchored, 6)
    older = attacker.rows(), attacker.head()
    written(anchored, 4, at=LATER)
    assert verify(anchored).anchor == 10
    attacker.put_back(*older)
    return attacker


def test_the_anchor_follows_at_most_once_a_minute(anchored, anchor):
    second = dt.timedelta(seconds=1)
    written(anchored, 61, every=second)
    assert anchor.read().seq == 61
    written(anchored, 59, at=AT + dt.timedelta(seconds=61), every=second)
    assert anchor.read().seq == 61
    written(anchored, 1, at=AT + dt.timedelta(seconds=120), every=second)
    assert anchor.read().seq == 121
    assert verify(anchored).anchor == 121


def test_processes_share_the_minute(anchored, anchor, database, tmp_path):
    written(anchored, 1)
    other = AuditLog(database, KEY, home=tmp_path)
    written(other, 1, at=AT + EVERY / 2)
    assert anchor.read().seq == 1
    written(other, 1, at=AT + 2 * EVERY)
    assert anchor.read().seq == 3
    written(anchored, 1, at=AT + 3 * EVERY)
    assert anchor.read().seq == 4


def test_a_clock_that_goes_back_does_not_stop_it(anchored, anchor):
    written(anchored, 1)
    written(anchored, 1, at=AT - 2 * EVERY)
    assert anchor.read().seq == 2


def test_an_older_copy_is_whole_for_the_chain_and_missed_by_the_anchor(back, anchored, log):
    assert verify(log).is_sound
    (fault,) = verify(anchored).faults
    assert fault.startswith(
        "rows 7 to 10: gone, but the anchor knows row 10; the audit was put back"
    )


def test_an_older_copy_that_grew_on_is_found_by_the_row_that_is_another(
    back, anchored, log, anchor
):
    before = anchor.read()
    written(log, 9, at=LATER + EVERY)
    assert verify(log).is_sound
    (fault,) = verify(anchored).faults
    assert fault.startswith("row 10: is not the row that the anchor knows; the audit was put back")
    assert anchor.read() == before


@pytest.mark.parametrize("more", [1, 9])
def test_the_anchor_never_leaves_the_evidence(back, database, tmp_path, caplog, more):
    """A writer that goes on after the roll-back does not move the anchor over it."""
    fresh = AuditLog(database, KEY, home=tmp_path)
    before = fresh.anchor.read()
    assert written(fresh, more, at=LATER + dt.timedelta(days=1)) == list(range(7, 7 + more))
    assert fresh.anchor.read() == before
    assert "row 10, written before 2026-02-04T11:00:00+00:00, is no longer there" in caplog.text
    assert not verify(fresh).is_sound


@pytest.mark.parametrize("state_url", ["sqlite"], indirect=True)
def test_a_file_put_back_with_its_journal_is_found(anchored, database, tmp_path):
    written(anchored, 6)
    database.close()
    shutil.copy(tmp_path / "state.db", tmp_path / "older.db")
    written(anchored, 4, at=LATER)
    database.close()
    for name in ("state.db-wal", "state.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    shutil.copy(tmp_path / "older.db", tmp_path / "state.db")
    (fault,) = verify(anchored).faults
    assert fault.startswith("rows 7 to 10: gone")


def test_a_replayed_head_with_its_own_seal_is_found(anchored, database):
    """The seal is real, but old; the rows after it were cut off."""
    attacker = Attacker(database)
    written(anchored, 6)
    head = attacker.head()
    written(anchored, 4, at=LATER)
    attacker.delete(7, 8, 9, 10)
    attacker.forge_head(**head)
    (fault,) = verify(anchored).faults
    assert fault.startswith("rows 7 to 10: gone, but the anchor knows row 10")


def test_everything_deleted_is_no_fresh_start(anchored, database):
    written(anchored, 4)
    Attacker(database).put_back([], head_values(Head(), KEY) | {"id": 1})
    assert any("rows 1 to 4: gone" in fault for fault in verify(anchored).faults)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: text.replace('"seq": 4', '"seq": 3'), "was changed or belongs to another"),
        (lambda text: text[:-20], "cannot be read"),
        (lambda _: "", "cannot be read"),
        (lambda _: "[" * 100_000, "cannot be read"),
        (lambda _: json.dumps({"seq": "x"}), "cannot be read"),
        (lambda _: "3", "cannot be read"),
        (lambda text: text.replace("2026", "9" * 5_000), "cannot be read"),
    ],
)
def test_a_forged_or_damaged_anchor_is_told_and_kept(anchored, database, caplog, change, told):
    written(anchored, 4)
    path = anchored.anchor.path
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    forged = path.read_bytes()
    assert any(told in fault for fault in verify(anchored).faults)
    fresh = AuditLog(database, KEY, home=path.parent)
    assert written(fresh, 1, at=LATER) == [5]
    assert path.read_bytes() == forged
    assert told in caplog.text


def test_an_anchor_that_cannot_be_written_is_logged_and_the_row_stays(
    anchored, monkeypatch, caplog
):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("data.audit.anchor.replace_text", full)
    assert written(anchored, 1) == [1]
    assert "No space left on device" in caplog.text
    assert verify(anchored).rows == 1


def test_an_unreadable_anchor_is_a_fault(anchored, tmp_path):
    written(anchored, 1)
    (tmp_path / FILE).unlink()
    (tmp_path / FILE).mkdir()
    assert any("audit.anchor cannot be read" in fault for fault in verify(anchored).faults)


def test_a_deleted_anchor_is_made_anew_by_the_next_row(anchored, database, tmp_path):
    written(anchored, 2)
    (tmp_path / FILE).unlink()
    assert verify(anchored).anchor is None
    written(AuditLog(database, KEY, home=tmp_path), 1)
    assert verify(anchored).anchor == 3


def test_what_is_put_reads_back(anchor):
    mark = Mark(7, "a" * 64, AT)
    anchor.put(mark)
    assert anchor.read() == mark
    with pytest.raises(AnchorError):
        Anchor(anchor.path, b"o" * 32).read()
