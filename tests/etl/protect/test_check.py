"""What `pingan verify` finds wrong with a release that was tampered with."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.manifest import checksum
from data.store import file_sha256
from etl.verify import verify
from tests.etl.protect.conftest import weeks


def tamper(town, manifest, change):
    """Change the released rows and every checksum that would tell it."""
    path = town.home / "manifests" / f"{manifest['snapshot']}.json"
    stored = json.loads(path.read_text("utf-8"))
    entry = next(entry for entry in stored["files"] if entry["table"] == "released_counts")
    schema = pq.read_schema(town.home / entry["path"])
    rows = change(pq.read_table(town.home / entry["path"]).to_pylist())
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), town.home / entry["path"])
    entry["sha256"] = file_sha256(town.home / entry["path"])
    stored["checksum"] = checksum({k: v for k, v in stored.items() if k != "checksum"})
    path.write_text(json.dumps(stored), "utf-8")


def matching(row, **values):
    return all(row[name] == value for name, value in values.items())


def with_count(count, **values):
    def change(rows):
        assert any(matching(row, **values) for row in rows)
        return [row | {"count": count} if matching(row, **values) else row for row in rows]

    return change


def without(**values):
    def change(rows):
        assert any(matching(row, **values) for row in rows)
        return [row for row in rows if not matching(row, **values)]

    return change


def also(count, **values):
    def change(rows):
        like = next(row for row in rows if row["level"] == values["level"])
        return [*rows, like | values | {"count": count}]

    return change


GRID = {"edition": "internal", "level": "grid", "code": "A1"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (with_count(4, **GRID), "1 counts are smaller than may be told"),
        (with_count(60, **GRID), "category -1: less than the areas in it"),
        (without(**GRID), "one or two areas withheld"),
        (without(level="county", code="A", category_index=-1), "more in classes than in all"),
        (with_count(30, edition="internal", level="county", code="A", category_index=0), "public counts are not internal ones"),
        (with_count(40, level="county", code="A", category_index=0), "more in classes than in all"),
        (also(20, edition="public", level="county", code="A", category_index=-3), "public counts are not internal ones"),
        (also(20, edition="internal", level="grid", code="A1", category_index=-3), "sensitive categories are of areas below the county"),
        (also(12, edition="internal", level="grid", code="Z"), "of areas that do not exist"),
        (without(edition="internal", level="county", code="A", category_index=0), "public counts are not internal ones"),
        (without(level="county", code="A", category_index=0), "can be computed"),
    ],
)  # fmt: skip
def test_a_changed_release_is_found(town, change, said):
    tamper(town, town.publish(weeks(3)).manifest, change)
    report = verify(town.home)
    failed = {check["name"]: check["detail"] for check in report["checks"] if not check["ok"]}
    assert list(failed) == ["releases"]
    assert said in failed["releases"]
