"""Uploaded files on their way into the log: read apart, and gone afterwards."""

import datetime as dt
import threading

import pyarrow.parquet as pq
import pytest

from data import upload_store
from data.city import read_city
from data.intake import Intake, IntakeError
from data.upload_store import Arriving, records, waiting
from etl.connectors import apart, uploaded
from etl.connectors import files as file_connector
from etl.connectors.apart import UPLOADED, WORKBOOK, limits_of
from etl.connectors.files import failed_files, pending_files, take_files
from tests.faults import hostile_made
from tests.faults import ledger_samples as samples
from tests.small_city import add_source, source_text, write_city

NOW = dt.datetime(2026, 11, 16, 4, 0, tzinfo=dt.UTC)
HEADER = "工单编号,发生时间,类别,经度,纬度,网格,电话\n"
REGISTER = "姓名,身份证号,吸毒情况,管控级别,帮教人,监护人,工单编号,发生时间,类别,经度,纬度,网格\n"
CSV = {"format": '"csv"', "push": None}


def ledger(*numbers, phone="13900000000"):
    rows = [f"N{n},2026-11-16 08:30:00,1,120.1,30.2,990101001,{phone}\n" for n in numbers]
    return HEADER + "".join(rows)


def upload(home, content, *, source="calls", ending=".csv", now=NOW):
    """Put a file where the door puts it; the checks of the door are its own."""
    with Arriving(home, now) as file:
        file.write(content if isinstance(content, bytes) else content.encode())
        file._stream.close()
        return file.keep(source, ending, now)


@pytest.fixture
def folder(tmp_path):
    return write_city(tmp_path / "city", {"calls": source_text(**CSV)})


@pytest.fixture
def intake(tmp_path):
    return Intake(tmp_path / "home")


@pytest.fixture
def in_process(monkeypatch):
    """Read in this process: what is tested is not the confinement."""
    monkeypatch.setattr(apart, "confined", lambda function, *args, **_limits: function(*args))


def take(folder, intake, now=NOW, **options):
    return take_files(read_city(folder, home=intake.home), intake, now, **options)


def left(intake):
    """Files under the folder of uploads that are no records."""
    found = (intake.home / "uploads").rglob("*")
    return [path.name for path in found if path.is_file() and path.suffix != ".json"]


def told(intake, source="calls"):
    return [
        (one.name, one.state, one.batch, one.told) for one in records(intake.home, source, limit=9)
    ]


def test_an_upload_is_landed_apart_under_a_name_of_its_own_and_deleted(folder, intake):
    record = upload(intake.home, ledger(1, 2))
    (taken,) = take(folder, intake)
    (batch,) = intake.batches()
    assert (taken.name, taken.is_new, taken.error) == (record.name, True, None)
    assert (batch.name, batch.kind, batch.content, batch.read) == (
        record.name,
        "file",
        record.sha256,
        2,
    )
    landed = pq.read_table(intake.home / batch.chunks[0]["path"])
    assert landed["incident_id"].to_pylist() == ["N1", "N2"]
    assert "电话" not in landed.column_names
    assert left(intake) == []
    assert told(intake) == [(record.name, "taken", 1, "")]
    assert take(folder, intake, retry=False) == []


def test_a_file_that_cannot_be_read_is_refused_told_and_deleted(folder, intake, in_process):
    record = upload(intake.home, "编号,\x1b[2J时间\n1,2\n")
    good = upload(intake.home, ledger(1), now=NOW + dt.timedelta(seconds=1))
    bad, fine = take(folder, intake)
    assert bad.name == record.name
    assert "lacks the columns" in bad.error
    assert bad.error.isprintable()
    assert (fine.name, fine.is_new) == (good.name, True)
    assert left(intake) == []
    assert told(intake) == [(good.name, "taken", 1, ""), (record.name, "refused", None, bad.error)]
    assert failed_files(intake) == []


def test_a_register_of_persons_is_refused_whole_and_deleted(folder, intake, in_process):
    upload(
        intake.home, REGISTER + "某,110105194912310021,,,,,N1,2026-11-16 08:30:00,1,120.1,30.2,9\n"
    )
    take(folder, intake)
    (batch,) = intake.batches()
    assert (batch.read, batch.refused, batch.chunks) == (1, {"person_register": 1}, ())
    assert left(intake) == []


def test_what_is_in_the_log_already_is_settled_at_the_next_look(folder, intake, in_process):
    add_source(folder, "calls", source_text(**CSV, files='["a.csv"]'))
    (folder / "a.csv").write_text(ledger(1), encoding="utf-8")
    take(folder, intake)
    record = upload(intake.home, ledger(1))
    assert take(folder, intake) == []
    assert told(intake) == [(record.name, "taken", 1, "")]
    assert left(intake) == []


def test_the_same_content_beside_a_declared_file_is_one_batch(folder, intake, in_process):
    add_source(folder, "calls", source_text(**CSV, files='["a.csv"]'))
    (folder / "a.csv").write_text(ledger(1), encoding="utf-8")
    upload(intake.home, ledger(1))
    assert [(one.name[:6], one.is_new) for one in take(folder, intake)] == [
        ("a.csv", True), ("upload", False),
    ]  # fmt: skip
    assert len(intake.batches()) == 1
    assert left(intake) == []


def test_an_upload_that_failed_may_come_again(folder, intake, in_process):
    for _ in range(2):
        upload(intake.home, "编号,时间\n1,2\n")
        (taken,) = take(folder, intake, retry=False)
        assert taken.error
    add_source(folder, "calls", source_text(**CSV).replace("工单编号", "编号"))
    upload(intake.home, ledger(1).replace("工单编号", "编号"))
    assert [one.error for one in take(folder, intake, retry=False)] == [None]


def test_when_the_disk_is_at_fault_the_upload_stays(folder, intake, in_process, monkeypatch):
    record = upload(intake.home, ledger(1))

    def full(*_args, **_options):
        raise IntakeError("No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Intake, "write", full)
        assert "No space" in take(folder, intake)[0].error
    with monkeypatch.context() as patched:
        patched.setattr(Intake, "append", full)
        assert "No space" in take(folder, intake)[0].error
    assert told(intake) == [(record.name, "waiting", None, "")]
    with monkeypatch.context() as patched:
        patched.setattr(upload_store, "settle", lambda *_args, **_options: full())
        assert take(folder, intake)[0].batch.number == 1
        assert len(left(intake)) == 1
    assert take(folder, intake) == []
    assert told(intake) == [(record.name, "taken", 1, "")]
    assert left(intake) == []


def test_an_upload_that_another_process_took_is_not_told_as_refused(folder, intake, in_process):
    upload(intake.home, ledger(1))
    city = read_city(folder, home=intake.home)
    pending = pending_files(city, intake, NOW)
    take(folder, intake)
    (again,) = [
        file_connector.log_file(file_connector.write_file(intake.home, NOW, one), intake, NOW)
        for one in pending
    ]
    assert again.error
    assert [state for _, state, _, _ in told(intake)] == ["taken"]


def test_uploads_for_a_source_that_is_gone_are_refused(folder, intake, in_process):
    record = upload(intake.home, ledger(1), source="gone")
    (taken,) = take(folder, intake)
    assert (taken.source, taken.name) == ("gone", record.name)
    assert told(intake, "gone") == [(record.name, "refused", None, uploaded.NO_SOURCE)]
    assert left(intake) == []


def test_more_rows_than_an_upload_may_have(folder, intake, in_process, monkeypatch):
    monkeypatch.setattr(apart, "UPLOADED", apart.Limits(None, 30.0, 2))
    upload(intake.home, ledger(1, 2, 3))
    (taken,) = take(folder, intake)
    assert "more than 2 rows; split it" in taken.error
    assert intake.batches() == []
    assert list((intake.home / "landed").glob("*/*")) == []


def test_what_no_reader_foresaw_is_told_in_one_line(folder, intake, monkeypatch):
    def broken(*_args, **_options):
        raise KeyError("sheet")

    monkeypatch.setattr(apart, "confined", broken)
    upload(intake.home, ledger(1))
    (taken,) = take(folder, intake)
    assert taken.error.endswith("cannot be read (KeyError); export it again")
    assert left(intake) == []


def test_who_is_read_apart(folder):
    (source,) = read_city(folder, home=folder).sources
    assert limits_of(source, is_uploaded=False) is None
    assert limits_of(source, is_uploaded=True) == UPLOADED
    add_source(folder, "books", source_text(format='"xls"', push=None))
    books = read_city(folder, home=folder).sources[0]
    assert limits_of(books, is_uploaded=False) == WORKBOOK
    assert limits_of(books, is_uploaded=True) == UPLOADED


@pytest.mark.parametrize("name", hostile_made.APART)
def test_a_layer_that_never_ends_ends_with_its_process(tmp_path, folder, intake, monkeypatch, name):
    kind, content = hostile_made.made(tmp_path)[name]
    (folder / "sources" / "layers.toml").write_text(samples.source_text(kind).replace("A1", "A101"))
    monkeypatch.setattr(apart, "UPLOADED", apart.Limits(256 << 20, 4.0, 1_000_000))
    upload(intake.home, content, source="layers", ending=".gpkg")
    upload(intake.home, ledger(1))
    first, second = take(folder, intake)
    assert second.error is None or first.error is None
    bad = first if first.error else second
    assert "split it" in bad.error or "cannot be read" in bad.error
    assert left(intake) == []
    assert [batch.source for batch in intake.batches()] == ["calls"]


def test_a_workbook_that_breaks_its_reader_harms_no_other_file(tmp_path, folder, intake):
    """Two flipped bits of an .xls make its reader ask for a terabyte and abort."""
    add_source(
        folder, "books",
        samples.source_text("xls", files=["bad.xls", "good.xls"]).replace('"A1"', '"A101"'),
    )  # fmt: skip
    good = samples.good(tmp_path)["xls"]
    (folder / "good.xls").write_bytes(good)
    bad = bytearray(good)
    at = good.index(b"\x00\x02\x0e\x00")  # the extent of the sheet
    bad[at + 4 : at + 18] = b"\xff" * 14
    at = good.index(b"\xfd\x00\x0a\x00")  # the first cell, in the last row and column
    bad[at + 4 : at + 8] = b"\xff\xff\xff\xff"
    (folder / "bad.xls").write_bytes(bad)
    told = {one.name: one.error for one in take(folder, intake)}
    assert told["good.xls"] is None
    assert "cannot be read" in told["bad.xls"] or "damaged" in told["bad.xls"]


def test_settling_is_done_by_one_of_two_processes(folder, intake, in_process):
    upload(intake.home, ledger(1))
    (path,) = waiting(intake.home, "calls")
    threads = [
        threading.Thread(target=uploaded.settle, args=(intake, path, NOW), kwargs={"batch": 1})
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert left(intake) == []
    assert [state for _, state, _, _ in told(intake)] == ["taken"]


def test_a_file_that_may_not_be_read_is_told(folder, intake, monkeypatch):
    upload(intake.home, ledger(1))

    def denied(_path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(uploaded, "file_sha256", denied)
    assert [one.error for one in take(folder, intake)] == ["[Errno 13] Permission denied"]
    assert len(left(intake)) == 1
