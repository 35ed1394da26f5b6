import datetime as dt
import multiprocessing
import stat
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from data.state.database import FILE, StateDatabase, StateError, open_state, state_url
from data.state.models import Setting, UserSession
from tests.data.accounts.town import at_once

NOW = dt.datetime(2026, 11, 16, 4, 0, 0, 123456, tzinfo=dt.UTC)


def setting(name, *, at=NOW):
    return Setting(name=name, value="1", changed_at=at, changed_by="x")


def count(database):
    with database.reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(Setting))


def test_moments_come_back_aware_and_in_utc(database):
    there = NOW.astimezone(ZoneInfo("Asia/Shanghai"))
    with database.writing() as session:
        session.add(setting("a", at=there))
    with database.reading() as session:
        found = session.get_one(Setting, "a").changed_at
        assert session.scalar(sa.select(Setting.name).where(Setting.changed_at == there)) == "a"
    assert (found, found.utcoffset()) == (NOW, dt.timedelta(0))


def test_a_moment_without_zone_is_an_error(database):
    with pytest.raises(StateError, match="a stored moment needs its zone"), database.writing() as s:
        s.add(setting("a", at=NOW.replace(tzinfo=None)))
    assert count(database) == 0


def test_of_a_block_that_fails_nothing_stays(database):
    def fail():
        with database.writing() as session:
            session.add(setting("a"))
            session.flush()
            raise LookupError("later")

    with pytest.raises(LookupError, match="later"):
        fail()
    assert count(database) == 0


def test_a_row_of_an_unknown_user_is_refused(database):
    orphan = UserSession(
        id="0" * 64, user_id=99, address="", created_at=NOW, seen_at=NOW, expires_at=NOW
    )
    with pytest.raises(StateError, match="the state database failed"), database.writing() as s:
        s.add(orphan)


def test_an_error_is_one_line_without_the_values(database):
    twice = [_values(setting("secret-name"))] * 2
    with pytest.raises(StateError) as told, database.writing() as session:
        session.execute(sa.insert(Setting), twice)
    assert "secret-name" not in str(told.value)
    assert "\n" not in str(told.value)
    assert str(told.value).startswith("the state database failed: ")


def _values(row):
    return {column.name: getattr(row, column.name) for column in Setting.__table__.columns}


def test_threads_lose_no_row(database):
    def write(number):
        for n in range(10):
            with database.writing() as session:
                session.add(setting(f"{number}-{n}"))

    assert at_once(write, 8) == [None] * 8
    assert count(database) == 80


def written(url, number):
    database = StateDatabase(url)
    for n in range(25):
        with database.writing() as session:
            held = session.scalar(sa.select(sa.func.count()).select_from(Setting))
            session.add(setting(f"{number}-{n}", at=NOW + dt.timedelta(seconds=held)))
    database.close()


def test_processes_that_read_before_they_write_lose_no_row(database, state_url):
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        pool.starmap(written, [(state_url, number) for number in range(4)], chunksize=1)
    assert count(database) == 100


def test_the_file_is_for_its_owner_alone(tmp_path):
    home = tmp_path / "new"
    database = open_state("", home)
    with database.reading() as session:
        session.execute(sa.text("SELECT 1"))
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in home.iterdir()}
    assert modes[FILE] == 0o600
    assert set(modes.values()) == {0o600}
    database.close()
    assert state_url("", home) == f"sqlite:///{home / FILE}"
    assert state_url("postgresql+psycopg://h/d", home) == "postgresql+psycopg://h/d"


def test_a_file_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / FILE).mkdir()
    with pytest.raises(StateError, match=r"state\.db cannot be opened: Is a directory"):
        open_state("", tmp_path)


def test_a_file_that_is_no_database_is_told(tmp_path):
    (tmp_path / FILE).write_text("x" * 5_000)
    with (
        pytest.raises(StateError, match="file is not a database"),
        open_state("", tmp_path).reading() as session,
    ):
        session.execute(sa.text("SELECT 1"))
