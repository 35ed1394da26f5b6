import datetime as dt
import json
import os
import signal
import subprocess
import sys

import pandas as pd
import pyarrow.parquet as pq
import pytest

from data.store import NoSnapshotError, Store
from data.writer import SnapshotWriter
from etl import publish
from etl.pipeline import BuildError, build
from etl.verify import verify

LINES = [
    "1,2026-01-05 10:00,A1,1,resolved,103.05,36.05,",
    "2,2026-01-06 10:00,A,,,103.05,36.15,",
    "2,2026-01-07 10:00,A,,,103.05,36.15,",
    "3,2026-01-20 10:00,B,4,,103.15,36.15,",
    "4,2026-02-09 10:00,B,4,,103.15,36.15,",
    "5,2026-02-10 10:00,B,2,,,,W1",
    "6,2026-02-11 10:00,B,2,,102.98,36.05,",
    "7,2026-02-12 10:00,ZZ,2,,103.05,36.05,",
    "8,2026-02-22 10:00,A1,1,,,,",
]


def test_a_build_publishes_a_snapshot_that_verifies(toy):
    steps = []
    toy.write(LINES)
    tell = lambda step, share: steps.append((step, share))  # noqa: E731
    built = build(toy.folder, home=toy.home, now=toy.now, progress=tell)
    manifest = built.manifest
    assert built.is_new
    assert [share for _, share in steps] == sorted(share for _, share in steps)
    assert steps[-1] == ("done", 1.0)
    rows = manifest["rows"]
    account = ("read", "accepted", "quarantined", "duplicate", "refused", "incidents", "superseded")
    assert [rows[name] for name in account] == [9, 8, 1, 0, 0, 7, 1]
    assert rows["no_point"] == 2
    assert rows["not_placed"] == {"city": 2, "county": 2, "grid": 2}
    assert rows["quarantine_reasons"] == {"unknown_category": 1}
    assert manifest["periods"] == {
        "first": "2026-01-05",
        "last": "2026-02-16",
        "as_of": "2026-02-22",
    }
    report = verify(toy.home)
    assert report["ok"], report
    assert report["snapshot"] == manifest["snapshot"]
    assert len(report["checks"]) == 16


def test_the_stored_incidents_hold_places_and_no_more(toy):
    manifest = toy.publish(LINES).manifest
    files = [toy.home / file for file in manifest["incidents"]["files"]]
    # One file at a time: the folders would add the month as a column.
    rows = pd.concat([pq.ParquetFile(file).read().to_pandas() for file in files])
    rows = rows.sort_values("incident_id", ignore_index=True)
    rows = rows[~((rows["incident_id"] == "calls:2") & (rows["version"] == 1))]
    assert rows["incident_id"].tolist() == [f"calls:{number}" for number in (1, 2, 3, 4, 5, 6, 8)]
    assert rows["grid_code"].tolist()[:5] == ["W1", "W2", "E2", "E3", "W1"]
    assert rows["township_code"].isna().all()
    assert rows["located_by"].tolist() == ["point"] * 4 + ["code", "none", "none"]
    assert rows["severity"].isna().tolist() == [False, True, False, False, False, False, False]
    assert str(rows["occurred_at"].iloc[0].tz_convert("UTC")) == "2026-01-05 02:00:00+00:00"


def test_nothing_new_keeps_the_snapshot(toy):
    first = toy.publish(LINES).manifest
    again = toy.publish(LINES)
    assert (again.is_new, again.manifest["snapshot"]) == (False, first["snapshot"])
    forced = toy.publish(LINES, force=True)
    assert forced.is_new
    assert forced.manifest["parent"] == first["snapshot"]


@pytest.mark.parametrize("what", ["rows", "settings", "areas", "damage"])
def test_any_change_builds_again(toy, what):
    first = toy.publish(LINES).manifest
    lines = LINES
    if what == "rows":
        lines = LINES[:-1]
    elif what == "settings":
        toy.change("city.toml", "window = 2", "window = 3")
    elif what == "areas":
        toy.write_grids(toy.grids[:4])
    else:
        (toy.home / first["files"][0]["path"]).write_bytes(b"")
    assert toy.publish(lines).is_new
    assert verify(toy.home)["ok"]


def test_a_second_build_gives_the_same_tables(toy):
    first = toy.publish(LINES).manifest
    second = toy.publish(LINES, force=True).manifest
    for one, other in zip(first["files"], second["files"], strict=True):
        assert (one["table"], one["sha256"]) == (other["table"], other["sha256"])
    assert first["tiles"] == second["tiles"]


def test_an_older_snapshot_stays_readable(toy):
    first = toy.publish(LINES).manifest
    toy.publish(LINES[:3])
    assert all((toy.home / file).exists() for file in first["incidents"]["files"])
    assert all((toy.home / entry["path"]).exists() for entry in first["files"])


def test_a_failed_build_leaves_the_old_snapshot_alone(toy, monkeypatch):
    first = toy.publish(LINES).manifest

    def full(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(SnapshotWriter, "publish", full)
    with pytest.raises(OSError, match="No space left"):
        toy.publish(LINES[:3])
    assert Store(toy.home).current_id() == first["snapshot"]
    assert [path.name for path in (toy.home / "snapshots").iterdir()] == [first["snapshot"]]
    assert verify(toy.home)["ok"]


def test_no_accepted_row_publishes_nothing(toy):
    with pytest.raises(BuildError, match="unknown_category"):
        toy.publish(["1,2026-01-05 10:00,ZZ,1,,103.05,36.05,"])
    with pytest.raises(NoSnapshotError):
        Store(toy.home).current_id()


def test_only_one_process_writes_and_the_lock_dies_with_it(toy):
    code = """
import sys
from pathlib import Path
from etl.publish import writer_lock
with writer_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""
    command = [sys.executable, "-c", code, str(toy.home)]
    pipe = subprocess.PIPE
    holder = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(publish.WriterBusyError, match="another build"):
            toy.publish(LINES)
    finally:
        os.kill(holder.pid, signal.SIGKILL)
        holder.communicate()
    assert toy.publish(LINES).is_new


def test_rows_without_any_point_make_a_snapshot_without_cells(toy):
    manifest = toy.publish(["1,2026-01-05 10:00,A,1,,,,W1", "2,2026-01-15 10:00,A,1,,,,E"]).manifest
    assert manifest["cells"] == []
    assert manifest["rows"]["not_placed"] == {"city": 0, "county": 0, "grid": 1}
    report = verify(toy.home)
    assert not [check for check in report["checks"] if not check["ok"]]


def test_the_manifest_is_plain_json_without_row_content(toy):
    toy.publish(LINES)
    text = (toy.home / "manifests" / f"{Store(toy.home).current_id()}.json").read_text("utf-8")
    assert json.loads(text)["city"]["exposure_unit_zh"] == "万人"
    assert "103.05" not in text


def test_a_city_with_a_last_day_does_not_depend_on_the_clock(toy):
    toy.change("city.toml", "window = 2", "window = 2\nas_of = 2026-01-25")
    lines = [
        "1,2026-01-25 23:59,A1,1,,103.05,36.05,",
        "2,2026-01-26 00:30,A1,1,,103.05,36.05,",
    ]
    toy.write(lines)
    long_before = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    manifest = build(toy.folder, home=toy.home, now=long_before).manifest
    assert manifest["rows"]["accepted"] == 1
    assert manifest["rows"]["quarantine_reasons"] == {"future_time": 1}
