"""`pingan audit` on a home of its own."""

import datetime as dt
import json

import pytest
from typer.testing import CliRunner

from data.audit import AuditLog
from data.audit.protect import lift
from data.secrets import derived, installation_key
from data.state.database import open_state
from data.state.migrate import upgrade
from etl.commands.audit import app
from tests.data.audit.kept import Attacker, written

NOW = dt.datetime.now(dt.UTC)
OLD = NOW - dt.timedelta(days=300)


@pytest.fixture
def home(tmp_path, monkeypatch):
    home = tmp_path / "home"
    monkeypatch.setenv("PINGAN_HOME", str(home))
    return home


@pytest.fixture
def pingan_audit(home):
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def log(home):
    """An audit of three old rows and two new ones."""
    database = open_state("", home)
    upgrade(database)
    log = AuditLog(database, derived(installation_key(home, ""), "audit"), home=home)
    written(log, 3, at=OLD)
    written(log, 2, at=NOW - dt.timedelta(hours=5), user="leader")
    yield log
    database.close()


def test_a_sound_audit_is_told_with_its_last_row_to_note(log, pingan_audit):
    result = pingan_audit("verify")
    assert result.exit_code == 0
    assert "5 rows, 1 to 5; anchor: row 5" in result.stdout
    digest = log.search(limit=1)[0].hash
    assert f"audit: ok; note 5:{digest}" in result.stdout
    assert pingan_audit("verify", "--noted", f"5:{digest}").exit_code == 0
    found = json.loads(pingan_audit("verify", "--json").stdout)
    assert (found["ok"], found["rows"], found["last_seq"], found["hash"]) == (True, 5, 5, digest)


def test_faults_are_listed_and_exit_1(log, pingan_audit):
    Attacker(log.database).edit(2, detail="x")
    result = pingan_audit("verify")
    assert result.exit_code == 1
    assert "FAIL  row 2: changed after it was written\n" in result.stdout
    assert "audit: NOT OK, 1 faults" in result.stdout
    found = json.loads(pingan_audit("verify", "--json").stdout)
    assert (found["ok"], found["faults"]) == (False, ["row 2: changed after it was written"])


def test_guards_that_are_gone_are_told_and_not_mended_on_the_way(log, pingan_audit):
    with log.database.writing() as transaction:
        lift(transaction.connection())
    for _ in range(2):
        result = pingan_audit("verify")
        assert result.exit_code == 1
        assert "the guard audit_update of the database is missing" in result.stdout


def test_a_noted_row_that_is_another_is_a_fault(log, pingan_audit):
    result = pingan_audit("verify", "--noted", "4:" + "0" * 16)
    assert result.exit_code == 1
    assert "row 4: is not the row that the note knows" in result.stdout


@pytest.mark.parametrize("note", ["5", "5:abc", "x:" + "0" * 16, "5:" + "G" * 16, "-5:" + "0" * 16])
def test_a_note_that_is_none_is_refused(log, pingan_audit, note):
    result = pingan_audit("verify", f"--noted={note}")
    assert result.exit_code == 2
    assert "write SEQ:HASH" in result.stderr


def test_the_search_prints_what_was_asked_for(log, pingan_audit):
    found = json.loads(pingan_audit("search", "--user", "leader", "--json").stdout)
    assert [row["seq"] for row in found] == [5, 4]
    day = f"{NOW - dt.timedelta(days=1):%Y-%m-%d}"
    until = json.loads(pingan_audit("search", "--until", day, "--limit", "2", "--json").stdout)
    assert [row["seq"] for row in until] == [3, 2]
    result = pingan_audit("search", "--text", "第 1 次", "--before", "4")
    assert result.exit_code == 0
    assert "1 rows of the audit" in result.stdout


def test_old_rows_are_archived_after_the_days_of_the_setting(log, pingan_audit, tmp_path):
    folder = tmp_path / "archived"
    result = pingan_audit("archive", folder)
    assert result.exit_code == 0
    assert result.stdout.startswith("3 rows moved:\n")
    checked = pingan_audit("verify", "--archives", folder, "--json")
    assert checked.exit_code == 0
    assert json.loads(checked.stdout)["first_seq"] == 4
    (folder / "audit-0000000001.ndjson.gz").write_bytes(b"x")
    assert pingan_audit("verify", "--archives", folder).exit_code == 1
    assert pingan_audit("verify").exit_code == 0


def test_the_setting_counts_unless_days_are_given(log, pingan_audit, tmp_path):
    from data.accounts import stored_settings

    stored_settings.change(log.database, "audit_keep_days", 400, by="security", now=NOW)
    assert json.loads(pingan_audit("archive", tmp_path / "a", "--json").stdout)["rows"] == 0
    found = json.loads(pingan_audit("archive", tmp_path / "a", "--days", "299", "--json").stdout)
    assert found["rows"] == 3


def test_less_than_180_days_are_refused_in_one_line(log, pingan_audit, tmp_path):
    result = pingan_audit("archive", tmp_path / "archived", "--days", "179")
    assert result.exit_code == 1
    assert result.stderr.startswith("pingan: rows of the last 180 days stay")
    assert result.stderr.count("\n") == 1


def test_a_damaged_audit_is_set_aside(log, pingan_audit, tmp_path):
    Attacker(log.database).delete(2)
    result = pingan_audit("set-aside", tmp_path / "aside", "--reason", "disk failure")
    assert result.exit_code == 0
    assert "4 rows moved" in result.stdout
    assert pingan_audit("verify").exit_code == 0
    again = pingan_audit("set-aside", tmp_path / "aside", "--reason", "again")
    assert again.exit_code == 1
    assert "only an audit with faults" in again.stderr


def test_without_a_state_database_it_says_what_to_do(home, pingan_audit):
    result = pingan_audit("verify")
    assert result.exit_code == 1
    assert "run `pingan state upgrade`" in result.stderr
