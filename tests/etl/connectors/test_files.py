"""Files that come in, on folders as offices leave them."""

import datetime as dt
import os
import pickle
import sqlite3
from concurrent.futures import ProcessPoolExecutor

import pyarrow.parquet as pq
import pytest

from data.city import read_city
from data.intake import Intake
from etl.connectors import files, known_files
from etl.connectors.files import failed_files, land_file, pending_files, take_files
from tests.small_city import add_source, source_text, write_city

NOW = dt.datetime(2026, 11, 16, 4, 0, tzinfo=dt.UTC)
LONG_AGO = NOW - dt.timedelta(hours=1)
HEADER = "工单编号,发生时间,类别,经度,纬度,网格,电话\n"
WATCHED = {"format": '"csv"', "push": None, "watch": '"drop"'}


def ledger(*numbers):
    rows = [f"N{n},2026-11-16 08:30:00,1,120.1,30.2,990101001,{13800000000 + n}\n" for n in numbers]
    return HEADER + "".join(rows)


def put(path, text, *, at=LONG_AGO):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    os.utime(path, (at.timestamp(), at.timestamp()))
    return path


@pytest.fixture
def folder(tmp_path):
    return write_city(tmp_path / "city", {"watched": source_text(**WATCHED)})


@pytest.fixture
def drop(folder):
    path = folder / "drop"
    path.mkdir()
    return path


@pytest.fixture
def intake(tmp_path):
    return Intake(tmp_path / "home")


def city_of(folder, intake):
    return read_city(folder, home=intake.home)


def names(taken):
    return [(entry.name, entry.is_new, entry.error is None) for entry in taken]


def ids(intake):
    paths = [intake.home / chunk["path"] for batch in intake.batches() for chunk in batch.chunks]
    return [number for path in paths for number in pq.read_table(path)["incident_id"].to_pylist()]


def test_declared_and_dropped_files_are_landed_once(folder, drop, intake):
    put(folder / "old.csv", ledger(1))
    add_source(folder, "declared", source_text(format='"csv"', push=None, files='["*.csv"]'))
    put(drop / "b.csv", ledger(2, 3))
    put(drop / "a.csv", ledger(4), at=LONG_AGO + dt.timedelta(minutes=1))
    # `categories.csv` fits the pattern too, and is no ledger.
    city = city_of(folder, intake)
    taken = take_files(city, intake, NOW)
    assert names(taken) == [
        ("categories.csv", False, False), ("old.csv", True, True), ("b.csv", True, True), ("a.csv", True, True),
    ]  # fmt: skip
    assert ids(intake) == ["N1", "N2", "N3", "N4"]
    assert take_files(city, intake, NOW, retry=False) == []
    assert (
        "电话"
        not in pq.read_table(intake.home / intake.batches()[0].chunks[0]["path"]).column_names
    )


def test_the_same_content_under_another_name_is_known(folder, drop, intake):
    put(drop / "a.csv", ledger(1))
    put(drop / "copy of a.csv", ledger(1))
    city = city_of(folder, intake)
    assert names(take_files(city, intake, NOW)) == [("a.csv", True, True)]
    (drop / "a.csv").rename(drop / "z.csv")
    assert take_files(city, intake, NOW) == []
    put(drop / "z.csv", ledger(1, 2))
    assert names(take_files(city, intake, NOW)) == [("z.csv", True, True)]


def test_an_unchanged_file_is_hashed_when_it_is_found_and_when_it_is_read(
    folder, drop, intake, monkeypatch
):
    hashed = []
    real = known_files.file_sha256
    monkeypatch.setattr(
        known_files, "file_sha256", lambda path: hashed.append(path.name) or real(path)
    )
    put(drop / "a.csv", ledger(1))
    city = city_of(folder, intake)
    for _ in range(3):
        take_files(city, intake, NOW)
    assert hashed == ["a.csv", "a.csv"]
    put(drop / "a.csv", ledger(2))
    assert names(take_files(city, intake, NOW)) == [("a.csv", True, True)]
    assert hashed == ["a.csv"] * 4


def test_a_change_that_keeps_size_and_time_is_seen(folder, drop, intake):
    put(drop / "a.csv", ledger(1))
    city = city_of(folder, intake)
    take_files(city, intake, NOW)
    put(drop / "a.csv", ledger(2))
    assert names(take_files(city, intake, NOW)) == [("a.csv", True, True)]
    assert ids(intake) == ["N1", "N2"]


def test_a_young_hash_is_not_trusted(folder, drop, intake, monkeypatch):
    """A file system that counts in steps of 2 s shows no change within a step."""
    path = put(drop / "a.csv", ledger(1), at=NOW - dt.timedelta(seconds=1))
    known = known_files.KnownFiles(intake.home)
    monkeypatch.setattr(known_files, "_stamp", lambda _: ("same", NOW - dt.timedelta(seconds=1)))
    first = known.content(path, NOW)
    path.write_text(ledger(2), encoding="utf-8")
    assert known.content(path, NOW) != first


@pytest.mark.parametrize(
    "name", ["a.csv.part", "a.TMP", "~$a.xlsx", ".a.csv", "a.csv.crdownload", "a.csv.filepart"]
)
def test_an_unfinished_name_waits(folder, drop, intake, name):
    put(drop / name, ledger(1))
    city = city_of(folder, intake)
    assert take_files(city, intake, NOW) == []
    (drop / name).rename(drop / "a.csv")
    assert names(take_files(city, intake, NOW)) == [("a.csv", True, True)]


def test_a_growing_file_waits_until_it_is_quiet(folder, drop, intake):
    city = city_of(folder, intake)
    for second in range(4):
        put(drop / "a.csv", ledger(*range(second + 1)), at=NOW + dt.timedelta(seconds=second))
        assert take_files(city, intake, NOW + dt.timedelta(seconds=second + 1)) == []
    assert names(take_files(city, intake, NOW + dt.timedelta(seconds=8))) == [("a.csv", True, True)]
    assert ids(intake) == ["N0", "N1", "N2", "N3"]


def test_a_file_from_a_clock_that_is_ahead_waits_no_longer(folder, drop, intake):
    put(drop / "a.csv", ledger(1), at=NOW + dt.timedelta(days=3))
    city = city_of(folder, intake)
    assert take_files(city, intake, NOW) == []
    assert take_files(city, intake, NOW + dt.timedelta(seconds=4)) == []
    assert names(take_files(city, intake, NOW + dt.timedelta(seconds=5))) == [("a.csv", True, True)]


def test_links_and_folders_are_not_followed(folder, drop, intake):
    secret = put(folder / "elsewhere.csv", ledger(1))
    (drop / "a.csv").symlink_to(secret)
    put(drop / "deeper" / "b.csv", ledger(2))
    assert take_files(city_of(folder, intake), intake, NOW) == []


def test_a_bad_file_does_not_hold_up_the_others(folder, drop, intake):
    put(drop / "1.csv", "甲,乙\n1,2\n")
    put(drop / "2.csv", ledger(2))
    city = city_of(folder, intake)
    bad, good = take_files(city, intake, NOW)
    assert (bad.name, bad.batch, good.is_new) == ("1.csv", None, True)
    assert "工单编号" in bad.error
    (failure,) = failed_files(intake)
    assert (failure.source, failure.path, failure.reason) == (
        "watched",
        str(drop / "1.csv"),
        bad.error,
    )
    assert failure.failed_at == NOW.isoformat()


def test_a_bad_file_is_tried_again_when_it_or_its_source_has_changed(folder, drop, intake):
    put(drop / "1.csv", ledger(1).replace("网格", "格"))
    assert len(take_files(city_of(folder, intake), intake, NOW, retry=False)) == 1
    assert take_files(city_of(folder, intake), intake, NOW, retry=False) == []
    assert len(take_files(city_of(folder, intake), intake, NOW)) == 1
    add_source(folder, "watched", source_text(**WATCHED).replace('"网格"', '"格"'))
    assert names(take_files(city_of(folder, intake), intake, NOW, retry=False)) == [
        ("1.csv", True, True)
    ]
    assert failed_files(intake) == []


def test_a_bad_file_that_is_gone_is_no_longer_listed(folder, drop, intake):
    put(drop / "1.csv", "甲,乙\n1,2\n")
    city = city_of(folder, intake)
    take_files(city, intake, NOW)
    (drop / "1.csv").unlink()
    assert take_files(city, intake, NOW) == []
    assert failed_files(intake) == []


def test_a_watched_folder_that_is_missing_is_told(folder, intake):
    (taken,) = take_files(city_of(folder, intake), intake, NOW)
    assert taken.error == f"watched folder {folder / 'drop'} does not exist; make it"


def test_a_file_that_changes_while_it_is_read_is_not_landed(folder, drop, intake, monkeypatch):
    path = put(drop / "1.csv", ledger(1))
    city = city_of(folder, intake)
    real = files.sources.read_chunks

    def read_chunks(source, path):
        yield from real(source, path)
        put(path, ledger(1, 2))

    with monkeypatch.context() as patched:
        patched.setattr(files.sources, "read_chunks", read_chunks)
        (taken,) = take_files(city, intake, NOW)
    assert "was changed while it was read" in taken.error
    assert intake.batches() == []
    assert failed_files(intake) == []
    assert list((intake.home / "landed" / "watched").iterdir()) == []
    assert names(take_files(city, intake, NOW, retry=False)) == [("1.csv", True, True)]
    assert ids(intake) == ["N1", "N2"]
    assert path.exists()


@pytest.mark.parametrize("step", ["write", "append"])
def test_a_full_disk_is_no_fault_of_the_file(folder, drop, intake, monkeypatch, step):
    put(drop / "1.csv", ledger(1))
    city = city_of(folder, intake)

    def full(*_, **__):
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(Intake, step, full)
        (taken,) = take_files(city, intake, NOW)
    assert taken.error == "database or disk is full"
    assert failed_files(intake) == []
    assert names(take_files(city, intake, NOW, retry=False)) == [("1.csv", True, True)]


def test_a_personal_number_in_a_file_name_is_not_stored(folder, drop, intake):
    put(drop / "张三 13812345678.csv", ledger(1))
    (taken,) = take_files(city_of(folder, intake), intake, NOW)
    assert "13812345678" not in taken.batch.name


def test_files_can_be_landed_by_several_processes(folder, drop, intake):
    for number in range(4):
        put(drop / f"{number}.csv", ledger(number))
    pending = pending_files(city_of(folder, intake), intake, NOW)
    assert [entry.path.name for entry in pending] == ["0.csv", "1.csv", "2.csv", "3.csv"]
    assert pickle.loads(pickle.dumps(pending)) == pending  # noqa: S301
    with ProcessPoolExecutor(2) as pool:
        futures = [pool.submit(land_file, *entry, intake, NOW) for entry in [*pending, *pending]]
        landed = [future.result() for future in futures]
    assert [entry.error for entry in landed] == [None] * 8
    assert sum(entry.is_new for entry in landed) == 4
    assert sorted(ids(intake)) == ["N0", "N1", "N2", "N3"]
    assert pending_files(city_of(folder, intake), intake, NOW) == []
