import pytest
import sqlalchemy as sa

from data.audit import AuditLog
from data.audit.log import HEAD, ROWS
from data.audit.protect import lift, missing, protect
from data.audit.verify import verify
from data.state.database import StateDatabase, StateError
from tests.data.audit.kept import KEY, Attacker, written

STATEMENTS = {
    "update": "UPDATE audit SET detail = 'x' WHERE seq = 2",
    "update all": "UPDATE audit SET seq = seq + 100",
    "delete": "DELETE FROM audit WHERE seq = 2",
    "delete all": "DELETE FROM audit",
    "head back": "UPDATE audit_head SET seq = 2",
    "beginning back": "UPDATE audit_head SET first_seq = 0",
    "beginning beyond the end": "UPDATE audit_head SET first_seq = 9",
    "head renamed": "UPDATE audit_head SET id = 2",
    "head deleted": "DELETE FROM audit_head",
    "second head": "INSERT INTO audit_head SELECT 2, first_seq, first_previous, seq, hash, seal FROM audit_head",
    "insert before": 'INSERT INTO audit SELECT 0, at, "user", roles, address, session, action, target, '
    "result, detail, previous, hash FROM audit WHERE seq = 1",
}

REWRITTEN = """CREATE OR REPLACE FUNCTION audit_refused() RETURNS trigger LANGUAGE plpgsql
AS $$BEGIN RETURN NEW; END$$"""


def run(database, statement):
    with database.writing() as transaction:
        transaction.execute(sa.text(statement))


@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=STATEMENTS)
def test_the_database_refuses(log, database, statement):
    written(log, 3)
    with pytest.raises(StateError, match="audit rows are only appended"):
        run(database, statement)
    assert verify(log).is_sound
    assert written(log, 1) == [4]


@pytest.mark.parametrize("state_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("table", ["audit", "audit_head"])
def test_insert_or_replace_is_refused(log, database, table):
    """It deletes a row without any delete trigger that sees it."""
    written(log, 3)
    with pytest.raises(StateError, match="audit rows are only appended"):
        run(database, f"INSERT OR REPLACE INTO {table} SELECT * FROM {table} LIMIT 1")


@pytest.mark.parametrize("state_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("table", ["audit", "audit_head"])
def test_truncate_is_refused(log, database, table):
    written(log, 3)
    with pytest.raises(StateError, match="audit rows are only appended"):
        run(database, f"TRUNCATE {table}")
    assert verify(log).rows == 3


def test_guards_are_installed_once_and_mended(log, database, caplog):
    def gone():
        with database.reading() as reading:
            return missing(reading.connection())

    assert gone() == []
    protect(database)
    with database.writing() as transaction:
        lift(transaction.connection())
    assert {"audit_insert", "audit_update", "audit_delete", "audit_head_update"} <= set(gone())
    protect(database)
    assert gone() == []
    assert caplog.text == ""
    written(log, 1)
    Attacker(database).run()
    assert "guards of the audit were gone and are back: audit_insert," in caplog.text


@pytest.mark.parametrize("state_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("ALTER TABLE audit DISABLE TRIGGER audit_update", "audit_update"),
        (REWRITTEN, "audit_refused"),
    ],
)
def test_a_guard_that_was_switched_off_is_missing_and_mended(database, statement, name):
    run(database, statement)
    with database.reading() as reading:
        assert missing(reading.connection()) == [name]
    protect(database)
    with database.reading() as reading:
        assert missing(reading.connection()) == []


@pytest.mark.parametrize("state_url", ["sqlite"], indirect=True)
def test_a_guard_that_was_rewritten_is_missing(database):
    run(database, "DROP TRIGGER audit_update")
    run(database, "CREATE TRIGGER audit_update BEFORE UPDATE ON audit WHEN 0 BEGIN SELECT 1; END")
    with database.reading() as reading:
        assert missing(reading.connection()) == ["audit_update"]


def test_several_starting_processes_may_protect(state_url, database):
    other = StateDatabase(state_url)
    protect(other)
    protect(database)
    assert written(AuditLog(other, KEY), 1) == [1]
    other.close()


def test_an_attacker_who_drops_the_guards_and_restores_them_is_still_found(log, database):
    written(log, 3)
    Attacker(database).edit(2, detail="x")
    assert verify(log).faults == ("row 2: changed after it was written",)


def test_the_names_of_the_tables_are_those_of_the_statements():
    assert (ROWS.name, HEAD.name) == ("audit", "audit_head")
