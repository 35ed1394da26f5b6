import datetime as dt

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.areas.read import COLUMNS
from etl.areas.recut import merge, valid_on
from geo import divisions

# Up to six codes, each on one of three pieces of ground.
EDITIONS = st.lists(
    st.dictionaries(st.sampled_from("ABCDEF"), st.integers(0, 2), min_size=1),
    min_size=1,
    max_size=5,
)
FIRST = dt.date(2020, 1, 1)


def edition(ground):
    rows = pd.DataFrame({name: [None] * len(ground) for name in COLUMNS}, dtype=object)
    rows["code"] = np.array(list(ground), dtype=object)
    rows["parent_code"] = "P"
    for name in ("population", "households"):
        rows[name] = np.nan
    shapes = [shapely.box(103 + place, 36, 104 + place, 37) for place in ground.values()]
    return gpd.GeoDataFrame(rows, geometry=shapes, crs="EPSG:4326")


@settings(deadline=None, max_examples=25)
@given(EDITIONS)
def test_every_day_has_the_edition_of_that_day(editions):
    rows = None
    days = [FIRST + dt.timedelta(days=30 * n) for n in range(len(editions))]
    for day, ground in zip(days, editions, strict=True):
        rows, changes, _ = merge(rows, edition(ground), valid_from=day)
        assert sum(changes[kind] for kind in changes if kind != "ended") == len(ground)
    assert rows is not None
    for day, ground in zip(days, editions, strict=True):
        for when in (day, day + dt.timedelta(days=29)):
            valid = valid_on(rows, when)
            assert sorted(valid["code"]) == sorted(ground)
            expected = edition(ground).set_index("code").geometry
            found = valid.set_index("code").geometry
            assert all(found[code].equals(expected[code]) for code in ground)
    start, end = divisions.validity(rows)
    assert (start < end).all()


@settings(deadline=None, max_examples=10)
@given(EDITIONS)
def test_the_same_edition_again_changes_nothing(editions):
    rows, _, _ = merge(None, edition(editions[0]), valid_from=FIRST)
    later = FIRST + dt.timedelta(days=30)
    again, changes, findings = merge(rows, edition(editions[0]), valid_from=later)
    assert changes["unchanged"] == len(rows)
    assert findings == []
    pd.testing.assert_frame_equal(again, rows)
