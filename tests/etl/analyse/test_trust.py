from dataclasses import replace

import numpy as np
import pytest

from data.base_tables import BASE_TABLES
from etl.analyse.trust import area_trust, silent
from tests.etl.analyse.worlds import tiny_bed

STOP = 50


@pytest.fixture(scope="module")
def bed():
    found = tiny_bed(5, grids=200, weeks=60, late=False).bed
    return replace(found, sources=("hotline", "patrol"))


def with_source(bed, chosen):
    return replace(bed, events=replace(bed.events, source=chosen.astype(np.int16)))


def without(bed, rows):
    return replace(bed, events=bed.events.take(~rows))


def test_sources_that_go_on_are_not_silent(bed):
    both = with_source(bed, np.arange(len(bed.events)) % 2)
    for at in (20, 40, 59):
        assert not any(one.any() for one in silent(both, bed.ends[at]).flags)


def test_a_source_that_stopped_turns_the_city_grey(bed):
    both = with_source(bed, np.arange(len(bed.events)) % 2)
    late = (both.events.source == 1) & (both.events.day >= bed.starts[STOP])
    found = without(both, late)
    assert not silent(found, bed.starts[STOP] + 1).flags[0].any()
    assert all(one.all() for one in silent(found, bed.ends[STOP + 1]).flags)
    rows = area_trust(found, STOP + 1, bed.as_of)
    assert set(rows["silent_sources"]) == {"patrol"}
    assert rows["is_silent"].all()


def test_a_source_that_stopped_in_one_county_turns_only_that_grey(bed):
    both = with_source(bed, np.arange(len(bed.events)) % 2)
    there = both.index("county") == 2
    late = (both.events.source == 1) & there & (both.events.day >= bed.starts[STOP])
    found = silent(without(both, late), bed.ends[STOP + 5])
    assert np.flatnonzero(found.flags[1]).tolist() == [2]
    assert not found.flags[0].any()
    grids = bed.areas[3].parent[bed.areas[4].parent]
    assert (found.flags[4] == (bed.areas[2].parent[grids] == 2)).mean() > 0.9


def test_a_weekly_upload_may_be_silent_for_a_week(bed):
    weekly = bed.starts[np.maximum(bed.period, 0)] + 6
    found = replace(bed, events=replace(bed.events, known=weekly))
    assert not silent(found, bed.ends[50] + 6).flags[0].any()
    assert silent(without(found, bed.events.day > bed.ends[50]), bed.ends[59]).flags[0].all()


def test_a_source_of_few_records_does_not_grey_the_areas_of_another(bed):
    few = np.arange(len(bed.events)) % 25 == 0
    both = with_source(bed, few)
    late = few & (bed.events.day >= bed.starts[20])
    assert not silent(without(both, late), bed.ends[45]).flags[0].any()


def test_what_is_known_later_does_not_end_a_silence(bed):
    day = bed.ends[55]
    late = bed.events.day >= bed.starts[STOP]
    stopped = silent(without(bed, late), day)
    told_later = replace(
        bed, events=replace(bed.events, known=np.where(late, bed.as_of, bed.events.known))
    )
    assert stopped.flags[0].all()
    assert np.array_equal(silent(told_later, day).flags[0], stopped.flags[0])


def test_shares_of_an_area_by_hand(bed):
    at, level = 30, "county"
    origin = (np.arange(len(bed.events)) % 4 == 0).astype(np.int8)
    first = sum(len(one) for one in bed.areas[:-1])
    area = bed.events.area.copy()
    # Every fifth event is placed in its county only.
    area[::5] = bed.index(level)[::5] + len(bed.areas[0])
    found = replace(bed, events=replace(bed.events, origin=origin, area=area))
    row = area_trust(found, at, bed.as_of).query("level == 'county'").set_index("area_index").loc[1]
    inside = (bed.period == at) & (bed.index(level) == 1)
    assert row["discovered"] == (inside & (origin == 1)).sum()
    assert row["reported"] == (inside & (origin == 0)).sum()
    assert row["discovered_share"] == pytest.approx((origin[inside] == 1).mean())
    assert row["unplaced_share"] == pytest.approx((area[inside] < first).mean())


def test_columns_are_those_of_the_table_and_unknown_is_empty(bed):
    rows = area_trust(without(bed, bed.index("grid") == 0), 30, bed.as_of)
    assert sorted(rows) == sorted(BASE_TABLES["area_trust"].names)
    grids = rows[rows["level"] == "grid"].set_index("area_index")
    assert np.isnan(grids.loc[0, "discovered_share"])
    assert grids["unplaced_share"].isna().all()
