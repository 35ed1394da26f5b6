"""The index of whole beds: its must-pass tests."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.index_trace import recompute
from data.source import STATUSES
from data.writer import stored_table
from etl.analyse.bed import DISCOVERED, NEVER, concatenate
from etl.analyse.index.clustering import Clustering, LevelClustering
from etl.analyse.index.colours import earlier_colours
from etl.analyse.index.stage import stage
from tests.etl.analyse.index_worlds import CODES, SETTINGS, last, prepared, with_taxonomy
from tests.etl.analyse.worlds import areas_of, tiny_bed

WEEKS = 110
COUNTS = [one.id for one in SETTINGS.indicators if one.kind == "count"]


@pytest.fixture(scope="module")
def bed():
    return with_taxonomy(tiny_bed(3, grids=60, weeks=WEEKS).bed, 5, discovered=0.1)


@pytest.fixture(scope="module")
def found(bed):
    return last(bed, config="v1")


def of(frame, level, index=None):
    rows = frame[frame["level"] == level]
    return rows if index is None else rows[rows["area_index"] == index]


def added(bed, number, *, code, day=None, area=None, severity=1, origin=0, scale=1):
    """The bed with more incidents of one kind in one area, known on their day."""
    one = bed.events.take(np.zeros(number, dtype=np.int64))
    lowest = sum(len(level) for level in bed.areas[:-1])
    when = np.full(number, bed.ends[-1] - 1 if day is None else day)
    second = when.astype("datetime64[s]").astype(np.int64)
    never = np.full(number, NEVER)
    more = replace(
        one,
        day=when, known=when, occurred=second, reported=second,
        area=np.full(number, lowest if area is None else area),
        category=np.full(number, CODES.index(code), dtype=np.int16),
        severity=np.full(number, severity, dtype=np.int8),
        origin=np.full(number, origin, dtype=np.int8),
        scale=np.full(number, scale, dtype=np.int8),
        repeat=np.zeros(number, dtype=bool),
        status=np.full(number, STATUSES.index("open"), dtype=np.int8),
        dispatched=never, signed=never, resolved=never, archived=never, deadline=never,
    )  # fmt: skip
    return replace(bed, events=concatenate([bed.events, more]))


def test_tables_keep_their_schema(found):
    assert stored_table("area_index", found.area_index).num_rows == len(found.area_index)
    assert stored_table("index_trace", found.index_trace).num_rows == 28 * len(found.area_index)


def test_the_stored_index_is_computed_again_to_the_last_bit(found):
    traces = dict(list(found.index_trace.groupby(["level", "area_index"], observed=True)))
    for row in found.area_index.itertuples():
        rows = traces[row.level, row.area_index]
        again = recompute(rows, SETTINGS)
        assert again.raw_colour == row.raw_colour
        assert again.missing_weight == row.missing_weight
        stored = np.array([row.d1, row.d2, row.d3, row.d4, row.d5, row.d6])
        assert np.array_equal(again.dimension_points, stored, equal_nan=True)
        assert np.array_equal(again.points, rows["points"], equal_nan=True)
        assert np.array_equal(again.weight, rows["weight"])
        assert row.raw_colour == 0 or (again.risk, again.index) == (row.risk, row.safety_index)


def test_every_sum_of_points_is_the_risk(found):
    trace = found.index_trace.assign(part=lambda rows: rows["points"].fillna(0) * rows["weight"])
    summed = trace.groupby(["level", "area_index"], observed=True)["part"].sum()
    shown = found.area_index.set_index(["level", "area_index"])["risk"]
    assert (summed - shown).abs().max() < 1e-9
    assert shown.notna().all()


def test_ratios_are_those_of_count_and_baseline(found):
    rows = found.index_trace[found.index_trace["status"] == "ok"]
    rows = rows[rows["indicator"] != 27]
    ratio = (rows["count"] + 2) / (rows["baseline"] + 2)
    assert np.allclose(rows["ratio_own"], ratio)
    powers = rows[["ratio_own", "ratio_peer", "ratio_year"]]
    weights = np.where(powers.notna(), [0.5, 0.3, 0.2], 0.0)
    mean = np.exp((np.log(powers).fillna(0) * weights).sum(axis=1) / weights.sum(axis=1))
    assert np.allclose(rows["ratio"], mean)


def test_same_input_gives_the_same_bytes_whatever_the_order_of_rows(bed, found):
    order = np.random.default_rng(9).permutation(len(bed.events))
    again = last(replace(bed, events=bed.events.take(order)), config="v1")
    pd.testing.assert_frame_equal(found.area_index, again.area_index, check_exact=True)
    pd.testing.assert_frame_equal(found.index_trace, again.index_trace, check_exact=True)


def as_known(bed, day):
    """The bed as it was on a day: later records and later steps do not exist."""
    events = bed.events.take(bed.events.known <= day)
    now = (day + 1).astype("datetime64[s]").astype(np.int64) - 8 * 3600
    steps = {
        name: getattr(events, name) for name in ("dispatched", "signed", "resolved", "archived")
    }
    steps = {name: np.where(one >= now, NEVER, one) for name, one in steps.items()}
    status = np.where(steps["archived"] == NEVER, STATUSES.index("open"), events.status)
    return replace(bed, events=replace(events, **steps, status=status.astype(np.int8)))


@pytest.mark.parametrize("late", [0, 5, 28])
def test_no_look_ahead(bed, late):
    known_on = bed.ends[100] + late
    before = last(bed, at=100, known_on=known_on)
    after = last(as_known(bed, known_on), at=100, known_on=known_on)
    pd.testing.assert_frame_equal(before.area_index, after.area_index, check_exact=True)
    pd.testing.assert_frame_equal(before.index_trace, after.index_trace, check_exact=True)


def test_the_baseline_never_holds_the_scored_window(bed, found):
    more = last(added(bed, 40, code="D201"), config="v1", complete=np.ones(WEEKS))
    same = last(bed, config="v1", complete=np.ones(WEEKS))
    flows = [
        one.id for one in SETTINGS.indicators if one.measure in {"events", "weighted", "top_type"}
    ]
    for column in ("baseline", "ratio_year"):
        old, new = (
            one.index_trace.loc[one.index_trace["indicator"].isin(flows), column]
            for one in (same, more)
        )
        kept = old if column == "baseline" else old[~old.ne(new)]
        assert np.array_equal(kept, new.loc[kept.index], equal_nan=True)


@settings(max_examples=12)
@given(
    code=st.sampled_from(["D201", "D101", "P101", "P201", "P103", "P301", "H101", "L201", "M101"]),
    severity=st.integers(0, 4),
    number=st.integers(1, 9),
    scale=st.integers(0, 2),
)
def test_a_count_never_loses_points_when_it_rises(*, bed, found, code, severity, number, scale):
    complete = np.ones(WEEKS)
    old = last(bed, complete=complete).index_trace
    more = added(bed, number, code=code, severity=severity, scale=scale)
    new = last(more, complete=complete).index_trace
    lowest = bed.areas[-1].parent[0]
    own = {"grid": 0, "community": lowest}
    for level, index in own.items():
        before, after = of(old, level, index), of(new, level, index)
        counted = before["indicator"].isin(COUNTS).to_numpy()
        assert (after["count"].to_numpy() >= before["count"].to_numpy())[
            counted & before["count"].notna().to_numpy()
        ].all()
        lost = before["points"].to_numpy() - after["points"].to_numpy()
        assert np.nanmax(lost[counted]) <= 1e-9


def test_mild_patrol_finds_never_raise_disputes_police_calls_or_demands(bed):
    old = last(bed).area_index
    more = bed
    for code in ("D201", "P201", "P101", "L201", "M101"):
        more = added(more, 30, code=code, severity=2, origin=DISCOVERED)
    new = last(more).area_index
    for column in ("d1", "d2", "d4", "p", "n"):
        assert np.array_equal(old[column], new[column], equal_nan=True)
    severe = last(added(bed, 30, code="D201", severity=3, origin=DISCOVERED)).area_index
    assert of(severe, "grid", 0)["d1"].item() > of(old, "grid", 0)["d1"].item()
    hazards = last(added(bed, 30, code="H101", severity=1, origin=DISCOVERED)).area_index
    assert of(hazards, "grid", 0)["d3"].item() > of(old, "grid", 0)["d3"].item()


def test_a_recut_grid_moves_no_figure_of_the_city(bed, found):
    lowest = bed.areas[-1]
    cut = bed.ends[-1] - 60
    ends = lowest.valid_to.copy()
    ends[0] = cut
    halves = {
        "parent": np.append(lowest.parent, [lowest.parent[0]] * 2),
        "valid_from": np.append(lowest.valid_from, [cut, cut]),
        "valid_to": np.append(ends, lowest.valid_to[:2]),
        **{name: np.append(getattr(lowest, name), getattr(lowest, name)[:1].repeat(2) / 2)
           for name in ("residents", "households", "area_km2", "exposure")},
    }  # fmt: skip
    first = sum(len(one) for one in bed.areas[:-1])
    events = bed.events
    moved = (events.area == first) & (events.day >= cut)
    half = first + len(lowest) + np.arange(len(events)) % 2
    area = np.where(moved, half, events.area)
    recut = replace(bed, areas=(*bed.areas[:-1], replace(lowest, **halves)),
                    events=replace(events, area=area))  # fmt: skip
    again = last(recut, config="v1")
    for level in bed.levels[:-1]:
        for name in ("area_index", "index_trace"):
            old, new = (of(getattr(one, name), level).reset_index(drop=True)
                        for one in (found, again))  # fmt: skip
            # Indicator 28 and the cells do not go by grids either.
            pd.testing.assert_frame_equal(old, new, check_exact=True)
    grids = of(again.area_index, "grid")
    assert 0 not in grids["area_index"].to_numpy()
    assert of(grids, "grid", len(lowest))["status"].item() == "short_history"
    assert of(grids, "grid", len(lowest))["colour"].item() == 0


def test_totals_agree_on_all_levels(bed, found):
    rows = found.area_index
    city = of(rows, "city")["n"].item()
    assert of(rows, "county")["n"].sum() == of(rows, "township")["n"].sum() == city
    assert of(rows, "community")["n"].sum() == of(rows, "grid")["n"].sum()
    known = bed.history("city", "all", bed.as_of)[0]
    assert city == known[-1]
    assert of(rows, "grid")["n"].sum() == known[-4:].sum()
    unplaced = replace(
        bed.events, area=np.where(np.arange(len(bed.events)) % 7, bed.events.area, -1)
    )
    again = last(replace(bed, events=unplaced)).area_index
    assert of(again, "city")["n"].item() < city


def test_a_silent_source_turns_its_areas_grey(bed, found):
    silent = {"county": np.zeros(len(bed.areas[1]), dtype=bool)}
    silent["county"][2] = True
    again = last(bed, silent=silent)
    row = of(again.area_index, "county", 2)
    assert row["colour"].item() == 0
    assert row["status"].item() == "source_silent"
    assert row["risk"].isna().item()
    assert set(of(again.index_trace, "county", 2)["status"]) == {"source_silent"}
    others = of(again.area_index, "county")["area_index"] != 2
    assert (of(again.area_index, "county")["status"][others] == "ok").all()


def test_a_homicide_is_red_for_its_week_and_says_so(bed):
    more = last(added(bed, 1, code="P204", severity=4)).area_index
    for level in ("grid", "city"):
        row = of(more, level, 0)
        assert (row["colour"].item(), row["override"].item()) == (4, "homicide")
    before = bed.starts[-1] - 3
    earlier = last(added(bed, 1, code="P204", severity=4, day=before)).area_index
    assert of(earlier, "grid", 0)["override"].item() == ""


def test_a_large_group_incident_is_red(bed):
    more = last(added(bed, 1, code="D406", scale=3)).area_index
    assert of(more, "grid", 0)["override"].item() == "mass_incident"
    assert of(more, "grid", 0)["colour"].item() == 4


def test_a_surge_is_red_by_itself(bed):
    more = last(added(added(bed, 60, code="P201"), 60, code="D201")).area_index
    row = of(more, "grid", 0)
    assert row["p"].item() < 1e-6
    assert row["gated_colour"].item() == 4
    assert row["override"].item() == ""


def test_a_colour_rises_at_once_and_falls_after_two_periods(bed):
    surge = added(
        added(bed, 60, code="P201", day=bed.ends[100]), 60, code="D201", day=bed.ends[100]
    )
    ready = prepared(surge)
    past, shown, held = [], [], []
    for at in range(99, 104):
        one = stage(ready, at=at, known_on=bed.ends[at], past=past)
        past.append(one.colours)
        row = of(one.area_index, "county", 0)
        shown.append(row["colour"].item())
        held.append(bool(row["held"].item()))
    assert shown[1] == 4
    assert shown[2] == 4
    assert held[2]
    assert shown[3] < 4
    assert not held[1]


def test_earlier_colours_come_back_from_the_stored_rows(bed, found):
    sizes = {level: len(areas) for level, areas in zip(bed.levels, bed.areas, strict=True)}
    again = earlier_colours(found.area_index, sizes)
    for level, (firm, colour) in found.colours.items():
        assert np.array_equal(again[level][0], firm)
        assert np.array_equal(again[level][1], colour)


def test_missing_indicators_say_why(bed, found):
    rows = of(found.index_trace, "city").set_index("indicator")
    assert rows.loc[[11, 15, 16, 24], "status"].tolist() == ["no_feed"] * 4
    assert rows.loc[[25, 26], "status"].tolist() == ["no_clustering"] * 2
    assert rows["weight"].sum() == pytest.approx(1)
    without = with_taxonomy(tiny_bed(3, grids=20, weeks=WEEKS).bed, 5, times=False)
    without = replace(without, events=replace(
        without.events, severity=without.events.severity * 0, scale=without.events.scale * 0,
        repeat=without.events.repeat & False))  # fmt: skip
    rows = of(last(without).index_trace, "city").set_index("indicator")
    assert rows.loc[[13, 14, 20, 21, 22, 23], "status"].tolist() == [
        "no_times", "no_deadlines", "no_times", "no_times", "no_times", "no_times",
    ]  # fmt: skip
    assert rows.loc[[2, 4, 18], "status"].tolist() == ["no_severity", "no_scale", "no_marks"]


def test_hot_cells_are_taken_as_given(bed):
    given_levels = {}
    for level, areas in zip(bed.levels, bed.areas, strict=True):
        n = len(areas)
        hot = np.zeros((n, 5))
        fresh = np.zeros((n, 5))
        hot[0, -1], fresh[0, -1] = 6, 6
        given_levels[level] = LevelClustering(np.full(n, 10.0), hot, fresh)
    rows = last(bed, clustering=Clustering(given_levels)).index_trace
    ratio = of(rows, "grid").set_index(["area_index", "indicator"])["ratio"]
    assert ratio[0, 25] > 1.5
    assert ratio[0, 26] > 1.5
    assert ratio[1, 26] < 1.05


def test_the_trace_of_the_lowest_level_is_kept_for_the_newest_periods(bed):
    old = last(bed, at=WEEKS - 5, known_on=bed.ends[-1])
    assert "grid" not in set(old.index_trace["level"])
    assert "community" in set(old.index_trace["level"])
    assert "grid" in set(old.area_index["level"])


def test_a_city_that_counts_little_of_it_is_grey(bed):
    from etl.analyse.index.prepared import prepare
    from tests.etl.analyse.index_worlds import CATEGORIES, CLOCKS

    renamed = tuple(replace(one, code=f"X{one.code}", parent_code=one.parent_code and f"X{one.parent_code}")
                    if one.code[0] in "DP" else one for one in CATEGORIES)  # fmt: skip
    ready = prepare(bed, SETTINGS, categories=renamed, clocks=CLOCKS)
    rows = stage(ready, at=WEEKS - 1, known_on=bed.as_of)
    assert set(rows.area_index["colour"]) == {0}
    assert (rows.area_index["missing_weight"] > 0.4).all()
    assert of(rows.index_trace, "city")["status"].tolist()[:10] == ["no_category"] * 10


@pytest.mark.parametrize("weeks", [1, 5, 20])
def test_too_short_a_history_is_no_data(weeks):
    short = with_taxonomy(tiny_bed(2, grids=8, weeks=weeks).bed, 1)
    rows = last(short).area_index
    assert set(of(rows, "grid")["colour"]) == {0}
    assert set(of(rows, "grid")["status"]) == {"short_history"}
    if weeks == 20:
        assert (of(rows, "city")["colour"] > 0).all()


def test_one_area_without_an_incident_or_an_exposure(bed):
    alone = (areas_of("city", [-1], [np.nan]),)
    rows = last(replace(bed, events=bed.events.take(np.arange(0)), areas=alone))
    # Nobody has told a time, a severity or a scale yet: too much is missing.
    assert rows.area_index["colour"].tolist() == [0]
    assert rows.area_index["n"].tolist() == [0]
    everything = replace(bed, events=replace(bed.events, area=bed.events.area * 0), areas=alone)
    assert last(everything).area_index["colour"].tolist() != [0]
    assert last(everything).index_trace["ratio_peer"].isna().all()


def test_an_unknown_exposure_has_no_peers_but_an_index(bed):
    lowest = bed.areas[-1]
    unknown = replace(
        lowest, exposure=np.where(np.arange(len(lowest)) == 0, np.nan, lowest.exposure)
    )
    rows = last(replace(bed, areas=(*bed.areas[:-1], unknown)))
    trace = of(rows.index_trace, "grid", 0).set_index("indicator")
    assert trace.loc[[1, 7, 17], "ratio_peer"].isna().all()
    assert trace.loc[[1, 7, 17], "ratio_own"].notna().all()
    assert of(rows.area_index, "grid", 0)["risk"].notna().item()


def test_months(bed):
    starts = np.arange("2024-12", "2026-12", dtype="datetime64[M]").astype("datetime64[D]")
    monthly = replace(bed, grain="month", starts=starts)
    rows = last(monthly, at=len(starts) - 1, known_on=bed.as_of)
    assert (rows.area_index["colour"] > 0).all()
    assert of(rows.index_trace, "city")["ratio_year"].notna().any()


def test_late_reporting_is_no_fall(bed):
    half = np.ones(WEEKS)
    half[-4:] = 0.5
    whole, part = last(bed, complete=np.ones(WEEKS)), last(bed, complete=half)
    old, new = (
        of(one.index_trace, "city").set_index("indicator")["ratio_own"] for one in (whole, part)
    )
    assert (new[[1, 7, 17]] > old[[1, 7, 17]]).all()


def test_ranks_hold_the_own_rank(found):
    rows = of(found.area_index, "township")
    rank = (-rows["risk"]).rank(method="min")
    assert (rows["rank_lower"] <= rank).all()
    assert (rank <= rows["rank_upper"]).all()
