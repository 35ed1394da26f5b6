from dataclasses import replace

import numpy as np
import pytest

from etl.analyse.baseline import effective, expected_from, exposure, memory
from etl.analyse.bed import DISCOVERED, Events
from etl.analyse.expected import cell_expected, expected_counts, moment_size
from tests.etl.analyse.worlds import tiny_bed

AT = 50


@pytest.fixture(scope="module")
def world():
    return tiny_bed(7, grids=80, weeks=70, mean=3.0)


@pytest.fixture(scope="module")
def bed(world):
    return world.bed


def cut(bed, kept):
    return replace(bed, events=bed.events.take(kept))


def raw(bed, at=AT):
    areas = expected_counts(bed, "police", at=at, known_on=bed.starts[at])
    cells = cell_expected(bed, "police", 9, at=at, known_on=bed.starts[at])
    arrays = (*areas.mean, *areas.unplaced, *areas.size, cells.cells, cells.mean, cells.size)
    return b"".join(one.tobytes() for one in arrays)


def test_what_happens_later_or_is_known_later_has_no_part(bed):
    earlier = bed.events.day < bed.starts[AT]
    known = bed.events.known < bed.starts[AT]
    assert (earlier & ~known).any()
    assert raw(cut(bed, earlier)) == raw(bed)
    assert raw(cut(bed, earlier & known)) == raw(bed)


def test_moving_later_events_changes_nothing_and_moving_an_earlier_one_does(bed):
    area, cell = bed.events.area.copy(), bed.events.cell.copy()
    later = np.flatnonzero(bed.events.day >= bed.starts[AT])
    area[later], cell[later] = area[later[::-1]], cell[later[::-1]]
    moved = replace(bed, events=replace(bed.events, area=area, cell=cell))
    assert raw(moved) == raw(bed)
    first = np.flatnonzero(bed.of_group("police") & (bed.events.day < bed.starts[AT - 4]))[0]
    assert raw(cut(bed, np.arange(len(bed.events)) != first)) != raw(bed)


def test_children_and_unplaced_make_the_parent(bed):
    first = sum(len(one) for one in bed.areas[:-1])
    area = bed.events.area.copy()
    # Every tenth event is known to its community only.
    area[::10] = bed.areas[-1].parent[area[::10] - first] + first - len(bed.areas[-2])
    found = expected_counts(
        replace(bed, events=replace(bed.events, area=area)), "all", at=70, known_on=bed.as_of
    )
    for depth, areas in enumerate(bed.areas[1:]):
        inside = np.bincount(areas.parent, weights=found.mean[depth + 1])
        assert inside + found.unplaced[depth] == pytest.approx(found.mean[depth], abs=1e-9)
    assert found.unplaced[-2].sum() / found.mean[0][0] == pytest.approx(0.1, abs=0.03)


def test_the_bed_and_plain_arrays_agree(bed):
    day = bed.ends[AT - 1]
    plain = expected_from(
        [bed.history(level, "all", day) for level in bed.levels],
        [one.parent for one in bed.areas],
        starts=bed.starts,
        grain="week",
        at=AT,
    )
    found = expected_counts(bed, "all", at=AT, known_on=day)
    # Same shares; the level differs by holidays and by the reporting lag only.
    for ours, theirs in zip(found.mean, plain.mean, strict=True):
        assert ours / found.mean[0] == pytest.approx(theirs / plain.mean[0], rel=1e-9)


def test_expected_counts_are_near_the_truth(world):
    found = expected_counts(world.bed, "all", at=69, known_on=world.bed.as_of)
    truth = world.rates[:, 69]
    assert found.mean[0][0] == pytest.approx(truth.sum(), rel=0.1)
    error = np.abs(found.mean[-1] - truth).mean()
    assert error < np.abs(truth.mean() - truth).mean() / 3


def test_the_share_known_grows_with_the_days(bed):
    days = bed.starts[AT] + np.array([-1, 3, 6, 20, 120])
    shares = [expected_counts(bed, "all", at=AT, known_on=day).complete for day in days]
    assert shares[0] == 0
    assert shares == sorted(shares)
    assert shares[-1] == 1
    means = {expected_counts(bed, "all", at=AT, known_on=day).mean[0][0] for day in days}
    assert len(means) == 1


def test_patrol_finds_are_not_counted(bed):
    found = replace(bed.events.take(slice(0, 500)), origin=np.full(500, DISCOVERED, dtype=np.int8))
    names = Events.__dataclass_fields__
    both = {n: np.concatenate([getattr(bed.events, n), getattr(found, n)]) for n in names}
    assert raw(replace(bed, events=Events(**both))) == raw(bed)


def test_too_short_a_history_is_no_data(bed):
    found = expected_counts(bed, "all", at=5, known_on=bed.as_of)
    assert all(np.isnan(one).all() for one in (*found.mean, *found.size))
    cells = cell_expected(bed, "all", 9, at=5, known_on=bed.as_of)
    assert np.isnan(cells.of(bed.cells(9)[0])[0]).all()
    assert np.isfinite(expected_counts(bed, "all", at=8, known_on=bed.as_of).mean[-1]).all()


def test_no_events_and_one_area(bed):
    empty = cut(bed, np.zeros(len(bed.events), dtype=bool))
    found = expected_counts(empty, "all", at=AT, known_on=bed.as_of)
    assert all((one < 1e-3).all() for one in found.mean)
    alone = replace(bed, areas=bed.areas[:1])
    alone = replace(alone, events=replace(bed.events, area=np.zeros(len(bed.events), dtype=int)))
    assert expected_counts(alone, "all", at=AT, known_on=bed.as_of).mean[0][0] > 100
    assert len(cell_expected(empty, "all", 9, at=AT, known_on=bed.as_of).cells) == 0


def test_months_work_as_weeks_do(bed):
    months = np.arange("2024-12", "2026-03", dtype="datetime64[M]").astype("datetime64[D]")
    monthly = replace(bed, grain="month", starts=months, as_of=np.datetime64("2026-02-28"))
    found = expected_counts(monthly, "all", at=13, known_on=monthly.as_of)
    weekly = expected_counts(bed, "all", at=60, known_on=bed.as_of)
    assert found.mean[0][0] / weekly.mean[0][0] == pytest.approx(31 / 7, rel=0.25)


def test_cells_add_up_to_the_city_but_for_cells_not_seen(bed):
    found = cell_expected(bed, "all", 9, at=AT, known_on=bed.as_of)
    city = expected_counts(bed, "all", at=AT, known_on=bed.as_of).mean[0][0]
    assert 0.85 * city < found.mean.sum() <= city * (1 + 1e-9)
    new = np.setdiff1d(bed.cells(9)[0], found.cells)
    mean, size = found.of(np.append(found.cells[:2], new))
    assert mean[:2] == pytest.approx(found.mean[:2])
    assert (mean[2:] < np.median(found.mean)).all()
    assert (size > 0).all()


def test_sizes_come_back_from_the_past_of_a_scattered_world():
    bed = tiny_bed(3, grids=600, weeks=60, mean=3.0, size=3.0).bed
    found = expected_counts(bed, "all", at=59, known_on=bed.as_of)
    assert np.median(found.size[-1]) == pytest.approx(3, rel=0.3)
    history = bed.history("grid", "all", bed.ends[58])
    past = found.past(len(bed.levels) - 1)
    assert moment_size(history[:, -past.shape[1] :], past) == pytest.approx(3, rel=0.35)


def test_the_memory_leaves_out_the_last_weeks_and_halves_in_a_year():
    found = memory(100, "week")
    assert found.now[98:].tolist() == [0, 0]
    assert found.now[97] == 1
    assert found.now[97 - 52] == 0.5
    assert found.then[found.before :].sum() == 0
    assert effective(np.ones(5)) == 1


def test_an_area_that_is_recut_counts_for_the_weeks_in_which_it_was_valid():
    starts = np.datetime64("2025-01-06") + 7 * np.arange(12)
    always = np.datetime64("1900-01-01"), np.datetime64("2200-01-01")
    valid_from = np.array([always[0], starts[5], always[0], starts[11]])
    valid_to = np.array([always[1], always[1], starts[5], always[1]])
    found = exposure(valid_from, valid_to, starts, np.ones(10))
    assert found.tolist() == pytest.approx([1, 0.5, np.nan, np.nan], nan_ok=True)
