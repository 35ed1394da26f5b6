"""Views of other databases: SQLite always, PostgreSQL where it is installed."""

import datetime as dt
import os
import shutil
import socket
import subprocess
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.city import read_city
from data.intake import Intake
from etl.connectors import mark
from etl.connectors.view import ViewError, land_view, take_views
from tests.small_city import source_text, write_city

NOW = dt.datetime(2026, 11, 16, 4, 0, tzinfo=dt.UTC)
AT = dt.datetime(2026, 11, 16, 8, 30)  # noqa: DTZ001 - as databases keep it
SQL = '{url_env = "CITY_DB", view = "事件视图", watermark = "更新时间"}'
OTHER = '{url_env = "CITY_DB", view = "公开.事件", watermark = "序号"}'


def source_of(folder, sql=SQL):
    write_city(folder, {"view": source_text(push=None, sql=sql)})
    return read_city(folder, home=folder).sources[0]


class Database:
    """A database with a table whose columns have names as offices give them."""

    def __init__(self, url, *, time_type="TIMESTAMP", key_type="TEXT") -> None:
        self.environ = {"CITY_DB": url}
        self.engine = sa.create_engine(url, poolclass=sa.NullPool)
        self.run(
            f'CREATE TABLE "事件" ("工单编号" {key_type}, "发生时间" {time_type}, "类别" INTEGER, '
            f'"经度" NUMERIC(10, 4), "纬度" NUMERIC(10, 4), "网格" VARCHAR(20), "报案人" TEXT, '
            f'"更新时间" {time_type}, "select" TEXT, "Mixed ""Case%" TEXT)'
        )
        self.run('CREATE VIEW "事件视图" AS SELECT * FROM "事件"')

    def run(self, sql, rows=None):
        with self.engine.begin() as connection:
            connection.execute(sa.text(sql), rows)

    def put(self, *rows):
        """Rows (number, seconds of change after AT)."""
        self.run(
            'INSERT INTO "事件" ("工单编号", "发生时间", "类别", "经度", "纬度", "网格", "报案人", "更新时间") '
            "VALUES (:id, :at, 1, 120.125, 30.25, '990101001', '张三', :changed)",
            [
                {"id": f"N{number}", "at": self.time(0), "changed": self.time(seconds)}
                for number, seconds in rows
            ],
        )

    def time(self, seconds):
        at = AT + dt.timedelta(seconds=seconds)
        return at.isoformat(sep=" ") if self.engine.dialect.name == "sqlite" else at


@pytest.fixture
def database(tmp_path):
    return Database(f"sqlite:///{tmp_path / 'ledger.db'}")


@pytest.fixture
def intake(tmp_path):
    return Intake(tmp_path / "home")


@pytest.fixture
def source(tmp_path):
    return source_of(tmp_path / "city")


def land(source, intake, database, page_rows=3):
    return list(land_view(source, intake, NOW, environ=database.environ, page_rows=page_rows))


def tables(intake):
    return [pq.read_table(intake.home / c["path"]) for b in intake.batches() for c in b.chunks]


def ids(intake):
    return [number for table in tables(intake) for number in table["incident_id"].to_pylist()]


def test_pages_are_landed_with_their_watermark(source, intake, database):
    database.put(*((number, number) for number in range(7)))
    batches = land(source, intake, database)
    assert [batch.read for batch in batches] == [3, 3, 1]
    assert ids(intake) == [f"N{number}" for number in range(7)]
    assert {(batch.kind, batch.name) for batch in batches} == {("view", "事件视图 2026-11-16")}
    assert mark.read_mark(intake, source).value == "2026-11-16 08:30:06"
    assert land(source, intake, database) == []
    database.put((7, 7))
    assert [batch.read for batch in land(source, intake, database)] == [1]


def test_only_allowed_columns_are_asked_for(source, intake, database):
    database.put((1, 1))
    asked = []

    def note(connection, cursor, statement, *_):
        asked.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        land(source, intake, database)
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
    selects = [text for text in asked if text.startswith("SELECT") and "事件视图" in text]
    assert selects
    assert not [text for text in selects if "报案人" in text or "*" in text]
    (table,) = tables(intake)
    assert "报案人" not in str(table.to_pylist())


def test_rows_of_one_moment_across_a_page_border_all_come_once(source, intake, database):
    database.put(*((number, 5) for number in range(10)))
    land(source, intake, database)
    assert sorted(ids(intake)) == sorted(f"N{number}" for number in range(10))
    database.put((10, 5), (11, 5), (12, 6))
    assert sum(batch.read for batch in land(source, intake, database)) == 3
    assert land(source, intake, database) == []
    assert Counter(ids(intake)) == Counter(f"N{number}" for number in range(13))


def test_equal_rows_of_one_moment_come_as_often_as_they_are_there(source, intake, database):
    database.put((1, 5), (1, 5))
    land(source, intake, database)
    database.put((1, 5))
    assert [batch.read for batch in land(source, intake, database)] == [1]
    assert ids(intake) == ["N1"] * 3


def test_a_change_within_the_last_moment_is_seen(source, intake, database):
    database.put((1, 5), (2, 5))
    land(source, intake, database)
    database.run("""UPDATE "事件" SET "类别" = 9 WHERE "工单编号" = 'N2'""")
    land(source, intake, database)
    (row,) = tables(intake)[-1].to_pylist()
    assert (row["incident_id"], row["category"]) == ("N2", "9")


class KilledError(BaseException):
    """The process ends here."""


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    moments=st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=8), min_size=1, max_size=4),
    kills=st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=4),
    page_rows=st.integers(1, 5),
)
def test_whatever_the_moments_pages_and_kills_every_row_comes_once(
    tmp_path_factory, moments, kills, page_rows
):
    folder = tmp_path_factory.mktemp("case")
    database = Database(f"sqlite:///{folder / 'ledger.db'}")
    intake, source = Intake(folder / "home"), source_of(folder / "city")
    real, expected, kills = Intake._append, Counter(), list(kills)

    def poll():
        after, is_landed = kills.pop() if kills else (1 << 30, False)
        landed = []

        def append(self, *args):
            if len(landed) == after and not is_landed:
                raise KilledError
            done = real(self, *args)
            landed.append(done)
            if len(landed) > after:
                raise KilledError
            return done

        Intake._append = append
        try:
            land(source, intake, database, page_rows)
        except KilledError:
            pass
        finally:
            Intake._append = real

    number, base = 0, 0
    for added in moments:
        rows = []
        for step in sorted(added):
            rows.append((number, base + step))
            expected[f"N{number}"] = 1
            number += 1
        # The next rows may share the last moment: change times never go back.
        base += max(added)
        database.put(*rows)
        poll()
    kills.clear()
    poll()
    assert Counter(ids(intake)) == expected


def test_hashes_that_got_lost_cost_repeats_and_no_row(source, intake, database):
    database.put((1, 5), (2, 5))
    land(source, intake, database)
    for path in (intake.home / "ties").iterdir():
        path.unlink()
    database.put((3, 5))
    land(source, intake, database)
    assert Counter(ids(intake)) == {"N1": 2, "N2": 2, "N3": 1}
    assert land(source, intake, database) == []


def test_old_hashes_do_not_pile_up(source, intake, database):
    for number in range(5):
        database.put((number, number))
        land(source, intake, database)
    land(source, intake, database)
    assert len(list((intake.home / "ties").iterdir())) == 1


def test_another_view_or_watermark_is_read_from_its_beginning(tmp_path, source, intake, database):
    database.put((1, 1))
    land(source, intake, database)
    database.run('CREATE VIEW "新视图" AS SELECT * FROM "事件"')
    land(source_of(tmp_path / "city", SQL.replace("事件视图", "新视图")), intake, database)
    assert ids(intake) == ["N1", "N1"]


def test_rows_without_a_watermark_are_told_after_the_others_are_in(source, intake, database):
    database.put((1, 1))
    database.run("""INSERT INTO "事件" ("工单编号") VALUES ('N2')""")
    with pytest.raises(
        ViewError, match=r"^view 事件视图 has rows without 更新时间, which are never read"
    ):
        land(source, intake, database)
    assert ids(intake) == ["N1"]


@pytest.mark.parametrize(
    ("environ", "reason"),
    [
        ({}, "set CITY_DB to the database's URL"),
        ({"CITY_DB": "postgres//u:hunter2@h"}, "cannot be used"),
        ({"CITY_DB": "nosuch://u:hunter2@h/d"}, "cannot be used"),
        ({"CITY_DB": "oracle+oracledb://u:hunter2@h/d"}, "No module named"),
        ({"CITY_DB": "sqlite:////no/such/folder/x.db"}, "unable to open database file"),
        ({"CITY_DB": "sqlite://"}, "does not exist"),
    ],
)
def test_a_database_that_does_not_answer_is_told_without_its_password(
    source, intake, environ, reason
):
    with pytest.raises(ViewError) as caught:
        list(land_view(source, intake, NOW, environ=environ))
    assert reason in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_columns_are_named(tmp_path, intake, database):
    database.run('CREATE VIEW "短视图" AS SELECT "工单编号", "更新时间" FROM "事件"')
    source = source_of(tmp_path / "city", SQL.replace("事件视图", "短视图"))
    with pytest.raises(
        ViewError,
        match=r"^view 短视图: 5 columns are missing: 发生时间, 类别, 经度, 纬度, 网格; it has 工单编号, 更新时间$",
    ):
        land(source, intake, database)


def test_a_source_that_fails_does_not_stop_the_others(tmp_path, intake, database):
    database.put((1, 1))
    missing = source_text(push=None, sql=SQL.replace("事件视图", "没有"))
    folder = write_city(
        tmp_path / "city", {"a": missing, "b": source_text(push=None, sql=SQL), "c": source_text()}
    )
    city = read_city(folder, home=folder)
    taken = take_views(city, intake, NOW, environ=database.environ)
    assert [(entry.source, entry.is_new, entry.error is None) for entry in taken] == [
        ("a", False, False),
        ("b", True, True),
    ]


def test_a_watermark_of_another_kind_of_source_is_not_guessed_at(source, intake, database):
    database.put((1, 1))
    intake.land(
        source, [], kind="topic", name="t", content="c", now=NOW, watermark='{"offsets": {}}'
    )
    with pytest.raises(mark.MarkError, match=r"its last watermark is not of a view"):
        land(source, intake, database)


@pytest.mark.parametrize(
    "value",
    [AT, AT.replace(tzinfo=dt.UTC), AT.date(), 2**70, 0.1, Decimal("1E-7"), b"\x00\xff", "2026 年"],
)
def test_every_kind_of_watermark_reads_back(source, intake, value):
    kept = mark.Mark("事件视图", "更新时间", value, (b"12345678", b"12345678"))
    text = mark.write_mark(intake.home, source, kept)
    intake.land(source, [], kind="view", name="v", content="c", now=NOW, watermark=text)
    assert mark.read_mark(intake, source) == kept


def test_a_watermark_without_an_order_is_refused(source, intake):
    with pytest.raises(mark.MarkError, match=r"watermark 更新时间 is of type list"):
        mark.write_mark(intake.home, source, mark.Mark("v", "更新时间", [1], ()))


def server_program(name):
    """Where Debian keeps the server's programs, outside the path; None without them."""
    kept = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(kept[-1]) if kept else shutil.which(name)


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    """URL of a PostgreSQL of our own, started for this module."""
    pytest.importorskip("psycopg")
    initdb, pg_ctl = server_program("initdb"), server_program("pg_ctl")
    if not (initdb and pg_ctl):
        pytest.skip("PostgreSQL is not installed")
    folder = tmp_path_factory.mktemp("pg")
    # PostgreSQL refuses to run as root.
    other = {"user": "postgres", "group": "postgres"} if os.getuid() == 0 else {}
    if other:
        for place in (folder, *folder.parents[:3]):
            place.chmod(place.stat().st_mode | 0o055)
        shutil.chown(folder, **other)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data, options = folder / "data", f"-p {port} -h 127.0.0.1 -k '' -c fsync=off"
    run = {"capture_output": True, "timeout": 60, "cwd": folder, **other}
    try:
        subprocess.run(
            [initdb, "-D", data, "-U", "city", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"],
            check=True,
            **run,
        )
        subprocess.run(
            [pg_ctl, "-D", data, "-o", options, "-l", folder / "log", "-w", "start"],
            check=True,
            **run,
        )
    except (subprocess.SubprocessError, OSError) as error:
        pytest.skip(f"PostgreSQL does not start here: {error}")
    yield f"postgresql+psycopg://city@127.0.0.1:{port}/postgres"
    subprocess.run([pg_ctl, "-D", data, "-m", "immediate", "stop"], check=True, **run)


@pytest.fixture
def server(postgres):
    engine = sa.create_engine(postgres, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP SCHEMA public CASCADE"))
        connection.execute(sa.text("CREATE SCHEMA public"))
    return Database(postgres)


def test_postgresql_pages_ties_and_naive_times(server, source, intake):
    server.put(*((number, number // 4) for number in range(10)))
    assert [batch.read for batch in land(source, intake, server)] == [3, 3, 3, 1]
    server.put((10, 2), (11, 3))
    assert sum(batch.read for batch in land(source, intake, server)) == 2
    assert land(source, intake, server) == []
    assert Counter(ids(intake)) == Counter(f"N{number}" for number in range(12))
    row = tables(intake)[0].to_pylist()[0]
    # Naive: `etl.times` reads it in the zone of the source.
    assert (row["occurred_at"], row["lng"]) == (AT, "120.1250")
    assert mark.read_mark(intake, source).value == AT + dt.timedelta(seconds=3)


def test_postgresql_zoned_times_are_utc_and_a_view_may_stand_in_a_schema(server, tmp_path, intake):
    server.run("""CREATE SCHEMA "公开" """)
    server.run(
        """CREATE VIEW "公开"."事件" AS SELECT *, ("发生时间" AT TIME ZONE 'Asia/Shanghai') AS "时刻",
        row_number() OVER (ORDER BY "更新时间") AS "序号" FROM public."事件" """
    )
    server.put((1, 1), (2, 2), (3, 3))
    folder = tmp_path / "city"
    write_city(folder, {"view": source_text(push=None, sql=OTHER).replace('"发生时间"', '"时刻"')})
    source = read_city(folder, home=folder).sources[0]
    assert [batch.read for batch in land(source, intake, server, 2)] == [2, 1]
    assert tables(intake)[0]["occurred_at"].to_pylist()[0] == dt.datetime(
        2026, 11, 16, 0, 30, tzinfo=dt.UTC
    )
    assert mark.read_mark(intake, source).value == 3


def test_postgresql_odd_names_are_quoted(server, tmp_path, intake):
    server.put((1, 1))
    server.run("""UPDATE "事件" SET "select" = 'S', "Mixed ""Case%" = 'M'""")
    folder = tmp_path / "city"
    text = (
        source_text(push=None, sql=SQL)
        .replace('"网格"', "'Mixed \"Case%'")
        .replace('"类别"', '"select"')
    )
    write_city(folder, {"view": text})
    source = read_city(folder, home=folder).sources[0]
    land(source, intake, server)
    (row,) = tables(intake)[0].to_pylist()
    assert (row["category"], row["area_code"]) == ("S", "M")


def test_postgresql_dates_identifiers_and_numbers_are_values(server, tmp_path, intake):
    server.put((1, 1))
    server.run(
        """CREATE VIEW "型" AS SELECT "更新时间", "发生时间"::date AS "日", "类别", "经度", "纬度",
        '00000000-0000-0000-0000-000000000001'::uuid AS "工单编号", 1.5::float8 AS "网格"
        FROM "事件" """
    )
    folder = tmp_path / "city"
    sql = SQL.replace("事件视图", "型")
    text = source_text(push=None, sql=sql).replace('"发生时间"', '"日"')
    write_city(folder, {"view": text})
    (batch,) = land(read_city(folder, home=folder).sources[0], intake, server)
    (row,) = tables(intake)[0].to_pylist()
    assert batch.malformed == ()
    assert row["incident_id"] == "00000000-0000-0000-0000-000000000001"
    assert (row["occurred_at"], row["area_code"]) == (AT.replace(hour=0, minute=0), "1.5")


def test_postgresql_that_is_not_there_is_told_in_one_line(source, intake):
    environ = {"CITY_DB": "postgresql+psycopg://u:hunter2@127.0.0.1:1/x"}
    with pytest.raises(ViewError) as caught:
        list(land_view(source, intake, NOW, environ=environ))
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)
