"""Reading the protected tier: by area of the snapshot, withheld as NaN."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from data import releases, schema
from data.store import Store
from data.writer import SnapshotWriter

NOW = dt.datetime(2026, 3, 1, 4, tzinfo=dt.UTC)
WEEKS = (dt.date(2026, 1, 5), dt.date(2026, 1, 12))
CUT = dt.date(2026, 1, 12)
# level, index, code, valid_from
AREAS = [
    ("city", 0, "T", None),
    ("county", 0, "A", None),
    ("county", 1, "B", None),
    ("county", 2, "B", CUT),
]
COUNTS = [
    ("internal", WEEKS[0], "city", "T", None, -1, 90),
    ("internal", WEEKS[0], "county", "B", None, -1, 40),
    ("internal", WEEKS[1], "county", "B", CUT, -1, 30),
    ("internal", WEEKS[1], "county", "B", CUT, 3, 11),
    ("internal", WEEKS[1], "county", "B", CUT, -2, 12),
    ("public", WEEKS[0], "city", "T", None, -1, 90),
]


def empty_row(name):
    kinds = {"text": "", "int": 0, "float": 0.0, "date": None}
    return {column.name: kinds[column.kind] for column in schema.table(name).columns}


@pytest.fixture
def snapshot(tmp_path, request):
    writer = SnapshotWriter(tmp_path, "20260301T040000Z-00000000")
    areas = [
        empty_row("areas")
        | {"level": level, "area_index": index, "code": code, "valid_from": start}
        for level, index, code, start in AREAS
    ]
    writer.add_table("areas", pd.DataFrame(areas))
    if not getattr(request, "param", None):
        names = schema.table("released_counts").names
        writer.add_table("released_counts", pd.DataFrame(COUNTS, columns=names), part="first")
        rows = [
            (edition, start, "week", k, NOW, "v", "r", finest, "county")
            for start in WEEKS
            for edition, k, finest in (("internal", 5, "county"), ("public", 10, "city"))
        ]
        writer.add_table("releases", pd.DataFrame(rows, columns=schema.table("releases").names))
    writer.publish({"levels": [{"level": "city"}, {"level": "county"}]})
    return Store(tmp_path).current()


def test_the_released_periods_and_how_they_were_made(snapshot):
    assert releases.released_starts(snapshot, "internal") == WEEKS
    assert releases.released_levels(snapshot, "internal") == ("city", "county")
    assert releases.released_levels(snapshot, "public") == ("city",)
    assert releases.threshold(snapshot, "public") == 10


def test_counts_lie_where_the_areas_of_the_snapshot_are(snapshot):
    found = releases.released_counts(snapshot, "internal", "county", WEEKS)
    # The same code before and after a re-cut is two areas.
    assert np.array_equal(found, [[np.nan, 40, np.nan], [np.nan, np.nan, 30]], equal_nan=True)
    assert releases.released_counts(snapshot, "internal", "county", WEEKS[1:], 3)[0, 2] == 11
    assert (
        releases.released_counts(snapshot, "internal", "county", WEEKS[1:], releases.OTHER)[0, 2]
        == 12
    )


def test_what_is_not_stored_is_withheld(snapshot):
    public = releases.released_counts(snapshot, "public", "county", WEEKS)
    assert np.isnan(public).all()
    unknown = releases.released_counts(snapshot, "internal", "city", [dt.date(2026, 2, 2)])
    assert np.isnan(unknown).all()
    assert releases.released_counts(snapshot, "internal", "city", []).shape == (0, 1)


@pytest.mark.parametrize("snapshot", ["without"], indirect=True)
def test_a_snapshot_without_releases_tells_nothing(snapshot):
    assert releases.released_starts(snapshot, "internal") == ()
    assert releases.released_levels(snapshot, "public") == ()
    assert releases.threshold(snapshot, "internal") == 0
    assert np.isnan(releases.released_counts(snapshot, "internal", "city", WEEKS)).all()
