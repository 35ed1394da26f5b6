import datetime as dt
import hashlib
import hmac
import json

import pytest
import sqlalchemy as sa

from data.audit import AuditError, AuditLog
from data.audit.log import HEAD, ROWS
from data.audit.verify import verify
from data.state.database import StateDatabase
from tests.data.audit.kept import AT, KEY, Attacker, written

sqlite = pytest.mark.parametrize("state_url", ["sqlite"], indirect=True)
server = pytest.mark.parametrize("state_url", ["postgresql"], indirect=True)


def test_rows_are_numbered_and_hashed_as_documented(log):
    assert written(log, 3) == [1, 2, 3]
    rows = Attacker(log.database).rows()
    entry = {
        "seq": 2,
        "at": "2026-01-05 09:00:00.000000",
        "user": "grid.01",
        "roles": "grid_chief",
        "address": "10.1.2.3",
        "session": "0f0f0f0f",
        "action": "view",
        "target": "map ?area=990101",
        "result": "ok",
        "detail": "第 1 次",
    }
    text = json.dumps(entry, ensure_ascii=False, separators=(",", ":"))
    message = (rows[0]["hash"] + text).encode()
    assert rows[0]["previous"] == "0" * 64
    assert rows[1]["previous"] == rows[0]["hash"]
    assert rows[1]["hash"] == hmac.new(KEY, message, hashlib.sha256).hexdigest()
    head = Attacker(log.database).head()
    sealed = json.dumps([1, "0" * 64, 3, rows[2]["hash"]], separators=(",", ":"))
    assert head["seal"] == hmac.new(KEY, f"head:{sealed}".encode(), hashlib.sha256).hexdigest()


def test_a_moment_is_kept_in_utc_to_the_microsecond(log):
    at = dt.datetime(2026, 1, 5, 16, 0, 0, 1, tzinfo=dt.timezone(dt.timedelta(hours=8)))
    written(log, 1, at=at)
    (row,) = log.search()
    assert row.at == dt.datetime(2026, 1, 5, 8, 0, 0, 1, tzinfo=dt.UTC)
    assert verify(log).is_sound
    with pytest.raises(ValueError, match="needs its zone"):
        written(log, 1, at=at.replace(tzinfo=None))
    assert verify(log).rows == 1


@pytest.mark.parametrize(
    ("action", "result", "told"),
    [("look", "ok", "audit action 'look' is none of sign_in"), ("view", "OK", "result 'OK'")],
)
def test_unknown_words_are_refused(log, action, result, told):
    with pytest.raises(ValueError, match=told):
        log.write(
            at=AT,
            user="",
            roles="",
            address="",
            session="",
            action=action,
            target="",
            result=result,
        )


def test_hostile_text_of_any_length_is_taken(log):
    nasty = "a\x00\ud800\u202eb" + "语" * 10_000
    log.write(
        at=AT, user=nasty, roles=nasty, address=nasty, session=nasty, action="denied",
        target=nasty, result="denied", detail=nasty,
    )  # fmt: skip
    (row,) = log.search()
    assert (row.user[:3], len(row.user), len(row.roles)) == ("ab语", 64, 255)
    assert (len(row.address), len(row.session), len(row.target)) == (64, 8, 500)
    assert row.detail == "ab" + "语" * 497 + "…"
    assert verify(log).is_sound


def test_a_search_finds_by_each_column_newest_first(log):
    written(log, 3)
    log.write(
        at=AT + dt.timedelta(days=1), user="leader", roles="leader", address="10.9.9.9",
        session="abcd0123", action="export", target="rows 100%_A", result="denied", detail="Why",
    )  # fmt: skip

    def found(**asked):
        return [row.seq for row in log.search(**asked)]

    assert found() == [4, 3, 2, 1]
    assert found(limit=2) == found(limit=2, before=9) == [4, 3]
    assert found(limit=2, before=3) == [2, 1]
    assert found(user="leader") == found(action="export") == found(result="denied") == [4]
    assert found(user="lead") == found(user="") == []
    assert (
        found(text="0%_a") == found(text="WHY") == found(text="9.9.9") == found(text="ABCD") == [4]
    )
    assert found(text="%") == [4]
    assert found(text="a_e") == []
    assert found(text="第 2 次") == [3]
    assert found(since=AT + dt.timedelta(hours=1), until=AT + dt.timedelta(hours=2)) == [2]
    assert found(user="grid.01", text="map", before=3) == [2, 1]
    assert found(text="x\x00\ud800'; DROP TABLE audit; --", user="\x00") == []


def test_a_search_is_bounded(log):
    written(log, 3)
    assert len(log.search(limit=0)) == len(log.search(limit=-5)) == 1
    assert len(log.search(limit=10**9)) == len(log.search(before=10**30)) == 3
    assert log.search(before=-(10**30)) == log.search(text="%_" * 10**6) == []


def test_a_short_key_is_refused(database):
    with pytest.raises(ValueError, match="has 31 bytes; 32 needed"):
        AuditLog(database, b"k" * 31)


def test_a_head_that_another_key_sealed_stops_writing(log, database):
    written(log, 2)
    other = AuditLog(database, b"o" * 32)
    with pytest.raises(AuditError, match="head was changed, or sealed with another key"):
        written(other, 1)
    assert written(log, 1) == [3]


def test_a_head_that_was_cut_back_is_not_sealed_anew(log, database):
    """Going on from a forged head would make the cut unseen for ever."""
    written(log, 5)
    attacker = Attacker(database)
    attacker.delete(4, 5)
    attacker.forge_head(seq=3, hash=attacker.rows()[-1]["hash"])
    with pytest.raises(AuditError, match="run `pingan audit verify`"):
        written(log, 1)
    assert len(attacker.rows()) == 3


def test_rows_without_a_head_stop_writing(log, database):
    written(log, 2)
    Attacker(database).run(sa.delete(HEAD))
    with pytest.raises(AuditError, match="head is missing"):
        written(log, 1)


def test_a_gone_table_is_an_audit_error(log, database):
    with database.writing() as transaction:
        transaction.execute(sa.text("DROP TABLE audit"))
    with pytest.raises(AuditError, match="the audit was not written: the state database failed"):
        written(log, 1)
    with pytest.raises(AuditError, match="the audit cannot be searched"):
        log.search()


def test_a_taken_number_fails_whole_and_the_log_goes_on(log, database):
    written(log, 1)
    foreign = Attacker(database).rows()[0] | {"seq": 2}
    Attacker(database).insert(foreign)
    with pytest.raises(AuditError, match="was not written"):
        written(log, 1)
    assert Attacker(database).head()["seq"] == 1
    Attacker(database).delete(2)
    assert written(log, 1) == [2]


@sqlite
def test_a_full_disk_is_an_audit_error(log, database):
    written(log, 2)

    @sa.event.listens_for(database.engine, "connect")
    def limit(connection, _record):
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    database.engine.dispose()
    with pytest.raises(AuditError, match="database or disk is full"):
        written(log, 100)
    kept = Attacker(database).rows()[-1]["seq"]
    assert verify(log).is_sound
    assert Attacker(database).head()["seq"] == kept


@sqlite
def test_a_database_that_cannot_be_written_is_an_audit_error(log, database):
    @sa.event.listens_for(database.engine, "connect")
    def refuse(connection, _record):
        connection.execute("PRAGMA query_only = ON")

    database.engine.dispose()
    with pytest.raises(AuditError, match="readonly database"):
        written(log, 1)


@sqlite
def test_a_locked_database_is_an_audit_error_and_then_writable_again(database, monkeypatch):
    monkeypatch.setattr("data.state.database.BUSY_MS", 1)
    other = AuditLog(StateDatabase(str(database.url)), KEY)
    with database.writing() as holder:
        holder.connection()
        with pytest.raises(AuditError, match="database is locked"):
            written(other, 1)
    assert written(other, 1) == [1]
    other.database.close()


@server
def test_a_killed_connection_is_an_audit_error_and_the_next_row_is_written(log, database):
    hit = []

    @sa.event.listens_for(database.engine, "before_cursor_execute")
    def kill(connection, _cursor, statement, *_):
        if statement.startswith("INSERT INTO audit ") and not hit:
            hit.append(connection)
            pid = connection.connection.dbapi_connection.info.backend_pid
            other = sa.create_engine(database.url, poolclass=sa.NullPool)
            with other.connect() as killer:
                killer.execute(sa.text(f"SELECT pg_terminate_backend({pid})"))

    with pytest.raises(AuditError, match="was not written"):
        written(log, 1)
    assert written(log, 1) == [1]
    assert verify(log).rows == 1


def test_the_table_has_what_the_chain_covers():
    from data.audit.chain import FIELDS

    assert [*FIELDS, "previous", "hash"] == [column.name for column in ROWS.columns]
