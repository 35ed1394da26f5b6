import datetime as dt
import random
import re

import pytest
import sqlalchemy as sa

from data.audit import AuditError, AuditLog
from data.audit.archive import set_aside
from data.audit.chain import FIELDS, GENESIS, Head, row_hash, seal
from data.audit.log import HEAD, ROWS
from data.audit.verify import verify
from tests.data.audit.kept import AT, KEY, Attacker, written

CONTENT = (*FIELDS[1:], "previous", "hash")


@pytest.fixture
def attacker(log, database):
    """Of an audit of ten rows."""
    written(log, 10)
    return Attacker(database)


def faults(log, **options):
    return verify(log, **options).faults


def named(found):
    """Every row number that the faults name."""
    numbers = set()
    for fault in found:
        if told := re.match(r"rows? (\d+)(?: to (\d+))?:", fault):
            numbers.update(range(int(told[1]), int(told[2] or told[1]) + 1))
    return numbers


def test_an_audit_without_rows_is_sound(log):
    verdict = verify(log)
    assert (verdict.is_sound, verdict.rows, verdict.first_seq, verdict.last_seq) == (True, 0, 1, 0)


def test_what_was_written_is_sound(log, attacker):
    verdict = verify(log)
    assert verdict.faults == ()
    assert (verdict.rows, verdict.first_seq, verdict.last_seq) == (10, 1, 10)
    assert verdict.hash == attacker.rows()[-1]["hash"]
    assert verdict.anchor is None


def test_another_key_makes_every_row_a_fault(log, database, attacker):
    found = faults(AuditLog(database, b"o" * 32))
    assert found[0].startswith(
        "the head was changed, or sealed with another key; it says rows 1 to 10"
    )
    assert "rows 1 to 10: changed after it was written" in found


@pytest.mark.parametrize("column", CONTENT)
def test_every_column_is_covered(log, attacker, column):
    value = AT + dt.timedelta(microseconds=1) if column == "at" else "x"
    attacker.edit(4, **{column: value})
    assert faults(log) == ("row 4: changed after it was written",)


def test_a_changed_last_row_is_named(log, attacker):
    attacker.edit(10, detail="x")
    assert faults(log) == ("row 10: changed after it was written",)


@pytest.mark.parametrize(
    ("gone", "told"),
    [
        ((1,), "row 1: missing"),
        ((5,), "row 5: missing"),
        ((5, 6, 7), "rows 5 to 7: missing"),
        ((10,), "row 10: missing"),
        ((1, 2, 3, 4, 5, 6, 7, 8, 9, 10), "rows 1 to 10: missing"),
    ],
)
def test_deleted_rows_are_named(log, attacker, gone, told):
    attacker.delete(*gone)
    assert faults(log) == (told,)


def test_a_gap_that_is_closed_up_is_seen(log, attacker):
    attacker.delete(5)
    for seq in range(6, 11):
        attacker.run(sa.update(ROWS).where(ROWS.c.seq == seq).values(seq=seq - 1))
    assert faults(log) == ("rows 5 to 9: changed after it was written", "row 10: missing")


def test_swapped_rows_are_named(log, attacker):
    rows = attacker.rows()
    third = {name: rows[2][name] for name in CONTENT}
    attacker.edit(3, **{name: rows[7][name] for name in CONTENT})
    attacker.edit(8, **third)
    assert named(faults(log)) == {3, 8}


def test_a_copy_of_a_row_under_another_number_is_named(log, attacker):
    copied = attacker.rows()[3]
    attacker.insert(copied | {"seq": 11}, copied | {"seq": 0})
    assert faults(log) == (
        "row 0: changed after it was written",
        "row 0: outside the sealed range",
        "row 11: changed after it was written",
        "row 11: outside the sealed range",
    )


def test_a_row_made_without_the_key_is_named(log, attacker):
    last = attacker.rows()[-1]
    entry = {**last, "seq": 11, "at": "2026-01-05 18:00:00.000000"}
    forged = row_hash(b"a guess of thirty-two characters", last["hash"], entry)
    attacker.insert(
        {
            **last,
            "seq": 11,
            "at": AT + dt.timedelta(hours=10),
            "previous": last["hash"],
            "hash": forged,
        }
    )
    attacker.forge_head(seq=11, hash=forged)
    found = faults(log)
    assert found[0].startswith("the head was changed")
    assert "row 11: changed after it was written" in found


def test_the_tail_cut_off_with_the_head_moved_back_is_seen(log, attacker):
    rows = attacker.rows()
    attacker.delete(9, 10)
    attacker.forge_head(seq=8, hash=rows[7]["hash"])
    (found,) = faults(log)
    assert found.startswith("the head was changed")
    assert found.endswith("it says rows 1 to 8")


def test_the_beginning_cut_off_with_the_head_moved_on_is_seen(log, attacker):
    rows = attacker.rows()
    attacker.delete(1, 2)
    attacker.forge_head(first_seq=3, first_previous=rows[1]["hash"])
    (found,) = faults(log)
    assert found.startswith("the head was changed")
    assert found.endswith("it says rows 3 to 10")


@pytest.mark.parametrize(
    "values",
    [{"seal": "0" * 64}, {"hash": GENESIS}, {"seq": 2_000_000_000}, {"first_seq": 9}, {"id": 2}],
)
def test_any_change_of_the_head_is_seen(log, attacker, values):
    attacker.forge_head(**values)
    assert faults(log)[0].startswith("the head was changed")


def test_a_missing_head_is_seen(log, attacker):
    attacker.run(sa.delete(HEAD))
    assert faults(log)[0] == "the head is missing"


def test_a_row_of_another_branch_is_seen(log, attacker):
    """Both rows 9 bear the key's sum; only the chain tells that they do not belong together."""
    rows, head = attacker.rows(), attacker.head()
    digest = rows[7]["hash"]
    before = Head(1, GENESIS, 8, digest)
    sealed = {"seq": 8, "hash": digest, "seal": before.seal(KEY)}  # as it stood after row 8
    attacker.put_back(rows[:8], head | sealed)
    written(log, 2, at=AT + dt.timedelta(days=9))
    attacker.run(sa.delete(ROWS).where(ROWS.c.seq == 9), sa.insert(ROWS).values(rows[8]))
    assert faults(log) == ("row 10: does not follow the row before it",)


def test_a_seal_of_another_kind_is_no_row(log, attacker):
    """What the key has sealed for something else must not pass as a row's sum."""
    attacker.edit(4, hash=seal(KEY, "head", 1, GENESIS, 4, attacker.rows()[3]["hash"]))
    assert named(faults(log)) == {4}


def test_many_faults_of_neighbours_are_told_together(log, attacker):
    attacker.run(sa.update(ROWS).where(ROWS.c.seq.in_((2, 3, 4, 7))).values(detail="x"))
    assert faults(log) == (
        "rows 2 to 4: changed after it was written",
        "row 7: changed after it was written",
    )


def test_a_noted_row_is_compared(log, attacker):
    digest = attacker.rows()[4]["hash"]
    assert faults(log, noted=(5, digest)) == faults(log, noted=(5, digest[:16])) == ()
    (found,) = faults(log, noted=(5, "f" * 16))
    assert found.startswith("row 5: is not the row that the note knows")
    (found,) = faults(log, noted=(12, "f" * 16))
    assert found.startswith("rows 11 to 12: gone, but the note knows row 12")


def test_missing_guards_are_told(log, attacker, database):
    from data.audit.protect import lift

    with database.writing() as transaction:
        lift(transaction.connection())
    assert any("guard audit_update of the database is missing" in fault for fault in faults(log))


@pytest.mark.parametrize("state_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "assignment",
    [
        "detail = CAST(x'ff00fe' AS TEXT)", "detail = x'ff'", "at = 'yesterday'", "at = 7",
        "previous = x'00'", "hash = 3", "hash = '语'", "target = char(0)",
    ],
)  # fmt: skip
def test_bytes_that_are_no_value_do_not_stop_the_verification(log, attacker, assignment):
    attacker.run(sa.text(f"UPDATE audit SET {assignment} WHERE seq = 4"))
    assert faults(log) == ("row 4: changed after it was written",)


@pytest.mark.parametrize("state_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "assignment",
    [
        "seq = 'abc'", "seq = 9.5", "first_seq = x'ff'", "first_seq = CAST(x'ff' AS TEXT)",
        "hash = x'ff00'", "hash = CAST(x'ff' AS TEXT)", "seal = 7", "seal = x'ff'",
    ],
)  # fmt: skip
def test_a_head_of_any_bytes_is_told_stops_writing_and_can_be_set_aside(
    log, attacker, assignment, tmp_path
):
    attacker.run(sa.text(f"UPDATE audit_head SET {assignment}"))
    assert faults(log)[0].startswith("the head was changed")
    with pytest.raises(AuditError):
        written(log, 1)
    set_aside(log, tmp_path / "aside", reason="attack", now=AT)
    assert verify(log).is_sound
    assert written(log, 1) == [12]


@pytest.mark.parametrize("state_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("moment", ["infinity", "-infinity", "4713-01-01 BC", "12026-01-01"])
def test_moments_that_python_does_not_have_do_not_stop_the_verification(log, attacker, moment):
    attacker.run(sa.text(f"UPDATE audit SET at = '{moment}' WHERE seq = 4"))
    assert faults(log) == ("row 4: changed after it was written",)


@pytest.mark.parametrize("state_url", ["sqlite"], indirect=True)
def test_a_damaged_file_is_told(log, attacker, tmp_path, database):
    written(log, 300)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    path = tmp_path / "state.db"
    content = bytearray(path.read_bytes())
    content[len(content) // 2 :] = b"\xa5" * (len(content) - len(content) // 2)
    path.write_bytes(content)
    assert not verify(log).is_sound


class Strikes:
    """One random attack after another; each returns the numbers that it touched."""

    def __init__(self, attacker, rows, seed) -> None:
        self.attacker, self.rows, self.random = attacker, rows, random.Random(seed)

    def strike(self):
        kind = self.random.choice((self.edit, self.delete, self.swap, self.renumber, self.insert))
        return kind()

    def some(self, most):
        numbers = [row["seq"] for row in self.rows]
        return self.random.sample(numbers, self.random.randint(1, most))

    def edit(self):
        seq, column = self.some(1)[0], self.random.choice(CONTENT)
        old = self.rows[seq - 1][column]
        if column == "at":
            new = old + dt.timedelta(microseconds=self.random.choice((-1, 1, 10**9)))
        else:
            place = self.random.randrange(len(old) + 1)
            new = self.random.choice(
                (old[:place] + "x" + old[place:], old[: place // 2] + "\u200a")
            )
            new = new[: ROWS.c[column].type.length or 500]
        if new == old:
            new = "y" + old[1:]
        self.attacker.edit(seq, **{column: new})
        return {seq}

    def delete(self):
        gone = self.some(5)
        self.attacker.delete(*gone)
        return set(gone)

    def swap(self):
        one, other = self.random.sample(self.rows, 2)
        self.attacker.edit(one["seq"], **{name: other[name] for name in CONTENT})
        self.attacker.edit(other["seq"], **{name: one[name] for name in CONTENT})
        return {one["seq"], other["seq"]}

    def renumber(self):
        seq = self.some(1)[0]
        new = len(self.rows) + self.random.randint(1, 5)
        self.attacker.run(sa.update(ROWS).where(ROWS.c.seq == seq).values(seq=new))
        return {seq, new}

    def insert(self):
        row = self.random.choice(self.rows)
        new = len(self.rows) + self.random.randint(1, 3)
        self.attacker.insert(row | {"seq": new})
        return {new}


def test_a_hundred_random_attacks_are_all_found_and_named(log, database):
    """Promise 12: 100 random edits, deletions, swaps and insertions, 100 found."""
    written(log, 40)
    attacker = Attacker(database)
    rows, head = attacker.rows(), attacker.head()
    strikes, found = Strikes(attacker, rows, seed=20261116), 0
    for _ in range(100):
        touched = strikes.strike()
        told = faults(log)
        assert touched == named(told), (touched, told)
        found += 1
        attacker.put_back(rows, head)
        assert verify(log).is_sound
    assert found == 100
