import json

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.manifest import NoSnapshotError, checksum
from data.store import file_sha256
from etl.verify import verify

LINES = [f"{day},2026-01-{day:02d} 10:00,A1,1,,103.{day % 2}5,36.05," for day in range(5, 26)]


def sealed(path, stored):
    """Write a manifest whose own checksum is right."""
    stored["checksum"] = checksum({k: v for k, v in stored.items() if k != "checksum"})
    path.write_text(json.dumps(stored), "utf-8")


def tamper(home, manifest, table, change):
    """Change a stored table and the checksum that would tell it."""
    path = home / "manifests" / f"{manifest['snapshot']}.json"
    stored = json.loads(path.read_text("utf-8"))
    entry = next(entry for entry in stored["files"] if entry["table"] == table)
    rows = pd.read_parquet(home / entry["path"])
    kept = pq.read_schema(home / entry["path"])
    changed = pa.Table.from_pandas(change(rows), schema=kept, preserve_index=False)
    pq.write_table(changed, home / entry["path"])
    entry["sha256"] = file_sha256(home / entry["path"])
    sealed(path, stored)


def failed(home):
    report = verify(home)
    assert not report["ok"]
    return {check["name"] for check in report["checks"] if not check["ok"]}


def take_one(column):
    def change(rows):
        rows.loc[rows.index[-1], column] -= 1
        return rows

    return change


def add_one(column):
    def change(rows):
        rows.loc[rows.index[-1], column] += 1
        return rows

    return change


@pytest.mark.parametrize(
    ("table", "change", "names"),
    [
        ("area_counts_grid", add_one("count"), {"sums of areas and cells", "areas against incidents", "levels", "areas by cell", "area risk"}),
        ("area_counts_grid", add_one("area_index"), {"areas against incidents", "areas by cell", "area risk"}),
        ("area_counts_city", lambda rows: rows.iloc[1:], {"sums of areas and cells", "areas against incidents", "levels", "areas by cell", "hours of the week", "area risk"}),
        ("area_hours", add_one("count"), {"hours of the week"}),
        ("area_hours", add_one("hour"), {"hours of the week"}),
        ("area_hours", add_one("area_row"), {"hours of the week"}),
        ("area_hours", lambda rows: rows.iloc[1:], {"hours of the week"}),
        ("cell_counts_8", add_one("count"), {"sums of areas and cells", "resolutions"}),
        ("area_cell_counts_10", add_one("count"), {"sums of areas and cells", "areas by cell"}),
        ("area_cell_counts_10", add_one("area_row"), {"areas by cell", "points"}),
        ("area_cell_counts_10", take_one("cell_index"), {"areas by cell", "points"}),
        ("points", add_one("cell_index"), {"points"}),
        ("points", add_one("lng"), {"points"}),
        ("points", lambda rows: rows.iloc[1:], {"points"}),
        ("area_risk", add_one("band"), {"area risk"}),
        ("accounts", add_one("duplicate"), {"row account"}),
    ],
)  # fmt: skip
def test_a_changed_table_is_found(toy, table, change, names):
    tamper(toy.home, toy.publish(LINES).manifest, table, change)
    assert failed(toy.home) == names


def test_a_damaged_file_stops_the_rest(toy):
    manifest = toy.publish(LINES).manifest
    (toy.home / manifest["files"][0]["path"]).write_bytes(b"x")
    assert failed(toy.home) == {"files"}
    assert len(verify(toy.home)["checks"]) == 2


def test_a_lost_incident_file_is_found(toy):
    manifest = toy.publish(LINES).manifest
    (toy.home / manifest["incidents"]["files"][0]).unlink()
    assert failed(toy.home) == {"files of incidents"}


def test_tiles_of_other_areas_are_found(toy):
    manifest = toy.publish(LINES).manifest
    path = toy.home / "manifests" / f"{manifest['snapshot']}.json"
    stored = json.loads(path.read_text("utf-8"))
    stored["levels"][2]["count"] += 1
    sealed(path, stored)
    assert failed(toy.home) == {"tiles"}


def test_nothing_published_is_told(toy):
    with pytest.raises(NoSnapshotError, match="pingan demo"):
        verify(toy.home)
