"""The toy city with three counties of four grids each, and enough incidents to release some."""

import datetime as dt

import pyarrow.parquet as pq
import pytest

from data.store import Store

COUNTIES = ("A", "B", "C")
PER_WEEK = 12
FIRST = dt.date(2026, 1, 5)


def grids():
    """Code, county, west, south, valid from, valid to of twelve squares."""
    return [
        (f"{county}{number}", county, 103.0 + 0.1 * column, 36.0 + 0.1 * number, "2025-01-01", None)
        for column, county in enumerate(COUNTIES)
        for number in range(4)
    ]


def weeks(count, *, per_week=PER_WEEK, first=FIRST, kinds=("A1", "B"), skip=(), tag=""):
    """Lines of the ledger: incidents of some weeks in every grid but those to skip."""
    lines = []
    for week in range(count):
        day = first + dt.timedelta(weeks=week, days=2)
        for code, _, west, south, _, _ in grids():
            for number in range(0 if code in skip else per_week):
                at = f"{west + 0.05:.2f},{south + 0.05:.2f}"
                kind = kinds[number % len(kinds)]
                lines.append(f"{tag}{week}-{code}-{number},{day} 10:00,{kind},,,{at},")
    return lines


@pytest.fixture
def town(toy):
    """The toy city with the twelve grids and shortcuts to what is released."""
    toy.write_grids(grids())

    def stored(manifest=None):
        """Released rows of a snapshot: (edition, start, level, code, category) to count."""
        manifest = manifest or Store(toy.home).manifest(Store(toy.home).current_id()).raw
        found = {}
        for entry in manifest["files"]:
            if entry["table"] == "released_counts":
                for row in pq.read_table(toy.home / entry["path"]).to_pylist():
                    key = (row["edition"], row["period_start"].isoformat(), row["level"])
                    found[*key, row["code"], row["category_index"]] = row["count"]
        return found

    def paths(manifest):
        """First day and kind to the file of each release."""
        return {
            (entry["period_start"], entry["kind"]): entry["path"]
            for entry in manifest["files"]
            if entry["table"] == "released_counts"
        }

    def privacy(text):
        path = toy.folder / "city.toml"
        kept = path.read_text(encoding="utf-8").partition("[privacy]")[0]
        path.write_text(f"{kept}[privacy]\n{text}\n", encoding="utf-8")

    toy.stored, toy.paths, toy.privacy = stored, paths, privacy
    return toy
