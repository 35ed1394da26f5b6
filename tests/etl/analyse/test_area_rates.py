from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from data.base_tables import BASE_TABLES
from etl.analyse.area_rates import area_rates, garwood, posterior_interval, ranks
from tests.etl.analyse.worlds import tiny_bed


@pytest.fixture(scope="module")
def bed():
    return tiny_bed(5, grids=80, weeks=20).bed


def table(bed, at=19):
    keys = ["level", "denominator", "area_index"]
    return area_rates(bed, at, bed.as_of).set_index(keys).sort_index()


def test_exact_bounds_are_those_of_garwood():
    lower, upper = garwood(np.array([0, 3, 3, 20]))
    assert lower[0] == 0
    assert upper[0] == pytest.approx(-np.log(0.05))
    assert lower[1:] == pytest.approx(stats.chi2.ppf(0.05, 2 * np.array([3, 3, 20])) / 2)
    assert upper == pytest.approx(stats.chi2.ppf(0.95, 2 * np.array([0, 3, 3, 20]) + 2) / 2)


def test_posterior_points_are_those_of_the_gamma():
    count, scale = np.array([0, 7, 7, 2]), np.array([1.0, 2.0, 4.0, 8.0])
    lower, upper = posterior_interval(count, 0.7, scale)
    assert lower == pytest.approx(stats.gamma(0.7 + count, scale=1 / scale).ppf(0.05))
    assert upper == pytest.approx(stats.gamma(0.7 + count, scale=1 / scale).ppf(0.95))


@pytest.mark.parametrize("number", [200, 2000])
def test_rank_ranges_hold_the_true_rank(number):
    rng = np.random.default_rng(1)
    truth, exposure = rng.gamma(3, 1 / 3, number), rng.lognormal(1, 1, number)
    count = rng.poisson(truth * exposure)
    found = ranks(count, 3.0, 3.0 + exposure, threshold=1.5, seed=4)
    assert sorted(found.rank) == list(range(1, number + 1))
    assert (found.lower <= found.rank).all()
    assert (found.rank <= found.upper).all()
    rank = np.empty(number)
    rank[np.argsort(-truth)] = np.arange(1, number + 1)
    assert 0.85 < np.mean((found.lower <= rank) & (rank <= found.upper)) < 0.97


def test_a_tiny_area_with_one_event_does_not_lead():
    count, exposure = np.array([1, 60, 20]), np.array([0.01, 20.0, 20.0])
    found = ranks(count, 2.0, 2.0 + exposure, threshold=1.5, seed=1)
    assert found.rank.tolist() == [2, 1, 3]
    assert found.upper[0] - found.lower[0] == 2


def test_columns_are_those_of_the_table(bed):
    assert sorted(area_rates(bed, 19, bed.as_of)) == sorted(BASE_TABLES["area_rates"].names)


def test_a_rate_is_count_by_exposure_of_its_window(bed):
    found = table(bed)
    known = bed.counts("grid", mask=bed.reported & bed.known_by(bed.as_of))[:, 16:20].sum(axis=1)
    grid = int(np.argmax(known))
    row = found.loc[("grid", "residents", grid)]
    assert row["count"] == known[grid]
    assert row["periods"] == 4
    complete = row["exposure"] / (bed.areas[-1].residents[grid] / 10_000 * 4)
    assert 0.9 < complete < 1
    assert row["rate"] == pytest.approx(known[grid] / row["exposure"])
    assert row["lower"] < row["rate"] < row["upper"]
    assert found.loc[("county", "households", 0)]["periods"] == 1
    assert "km2" not in found.index.get_level_values("denominator")


def test_areas_without_a_known_exposure_keep_their_count_only(bed):
    lowest = bed.areas[-1]
    residents = lowest.residents.copy()
    residents[0] = np.nan
    found = table(replace(bed, areas=(*bed.areas[:-1], replace(lowest, residents=residents))))
    row = found.loc[("grid", "residents", 0)]
    assert row["count"] == bed.counts("grid")[0, 16:20].sum()
    assert row[["exposure", "rate", "shrunk_rate", "rank", "upper"]].isna().all()
    assert np.isfinite(found.loc[("grid", "households", 0)]["rate"])


def test_an_area_that_begins_inside_the_window_has_that_much_exposure(bed):
    lowest = bed.areas[-1]
    valid_from = lowest.valid_from.copy()
    valid_from[0] = bed.starts[18]
    valid_to = lowest.valid_to.copy()
    valid_to[1] = bed.starts[18]
    recut = replace(
        bed, areas=(*bed.areas[:-1], replace(lowest, valid_from=valid_from, valid_to=valid_to))
    )
    before, after = (table(one).xs(("grid", "residents")) for one in (bed, recut))
    assert after.loc[0, "exposure"] == pytest.approx(before.loc[0, "exposure"] / 2)
    assert 1 not in after.index


def test_a_city_without_events_has_rate_zero_and_no_ranks(bed):
    empty = replace(bed, events=bed.events.take(np.zeros(len(bed.events), dtype=bool)))
    found = area_rates(empty, 19, bed.as_of)
    assert (found["rate"] == 0).all()
    assert found["rank"].isna().all()


def test_before_four_weeks_only_large_areas_have_rates(bed):
    assert set(area_rates(bed, 2, bed.as_of)["level"]) == {"city", "county", "township"}
