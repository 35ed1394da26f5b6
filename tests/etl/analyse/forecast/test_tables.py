from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from data.signal_tables import SIGNAL_TABLES
from etl.analyse.expected import known_share
from etl.analyse.forecast.plain import plain_means
from etl.analyse.forecast.predict import forecast, forecast_tables
from etl.analyse.forecast.scorecards import score_tables
from etl.analyse.forecast.verdicts import verdict_table
from etl.analyse.forecast.words import hit_sentence
from tests.etl.analyse.worlds import tiny_bed

GRIDS = 400


@pytest.fixture(scope="module")
def bed():
    return tiny_bed(grids=GRIDS, weeks=60).bed


@pytest.fixture(scope="module")
def scored(bed):
    weeks = range(50, 60)
    return pd.concat([score_tables(bed, at, known_on=bed.as_of)["scorecards"] for at in weeks])


def test_children_and_what_lies_in_none_add_up_to_the_parent(bed):
    table = forecast_tables(bed, 60)["forecasts"]
    for group in ("all", *bed.groups):
        rows = table[table["group"] == group].set_index("level")
        for above, below, areas in zip(bed.levels, bed.levels[1:], bed.areas[1:], strict=False):
            parent, child = rows.loc[[above]], rows.loc[[below]]
            inside = np.bincount(areas.parent, weights=child["mean"], minlength=len(parent))
            total = inside + parent["unplaced"].to_numpy()
            np.testing.assert_allclose(total, parent["mean"], atol=1e-9)


def test_an_area_that_is_gone_is_left_out_and_its_parent_still_adds_up(bed):
    lowest = bed.areas[-1]
    gone = lowest.valid_to.copy()
    gone[7] = bed.ends[-1] - 20
    cut = replace(bed, areas=(*bed.areas[:-1], replace(lowest, valid_to=gone)))
    table = forecast_tables(cut, 60, groups=("all",), resolutions=())["forecasts"]
    below = table[table["level"] == lowest.level]
    assert 7 not in set(below["area_index"])
    above = table[table["level"] == bed.levels[-2]]
    parent = lowest.parent[below["area_index"].to_numpy()]
    inside = np.bincount(parent, weights=below["mean"], minlength=len(bed.areas[-2]))
    np.testing.assert_allclose(
        inside[above["area_index"]] + above["unplaced"], above["mean"], atol=1e-9
    )


def test_only_the_next_period_is_frozen(bed):
    assert forecast(bed, "grid", "all", 60).is_frozen
    assert not forecast(bed, "grid", "all", 59).is_frozen


def test_what_comes_later_has_no_part(bed):
    at = 50
    day = bed.starts[at] - 1
    known = replace(
        bed, events=bed.events.take(bed.events.known <= day), starts=bed.starts[:at], as_of=day
    )
    for name, table in forecast_tables(bed, at).items():
        again = forecast_tables(known, at)[name]
        pd.testing.assert_frame_equal(
            table.drop(columns="is_frozen"), again.drop(columns="is_frozen"), check_exact=True
        )


def test_too_short_a_history_gives_no_rows():
    bed = tiny_bed(grids=30, weeks=5).bed
    assert all(not len(table) for table in forecast_tables(bed, 5).values())
    assert not len(score_tables(bed, 4, known_on=bed.as_of)["scorecards"])


def test_plain_means_by_counting(bed):
    at = 55
    found = forecast(bed, "r9", "police", at)
    plain = plain_means(bed, "r9", "police", at, found.places)
    known = bed.reported & bed.of_group("police") & (bed.events.known < bed.starts[at])
    counts = bed.cell_counts(9, mask=known)[1]
    seen = counts[:, :at].any(axis=1)
    assert seen.sum() == len(found.places)
    for name, expected in (
        ("last_period", counts[seen, at - 1]),
        ("history", counts[seen, :at].mean(axis=1)),
    ):
        shown = 0.99 * expected + 0.01 * expected.mean()
        np.testing.assert_allclose(plain[name], shown, atol=1e-12)
    assert plain["kde4"].sum() == pytest.approx(counts[seen, at - 4 : at].sum() / 4)


def test_scorecards_count_the_events_of_the_period(bed, scored):
    last = scored[scored["period_end"] == bed.starts[59]]
    counts = bed.counts("grid", mask=bed.reported & bed.known_by(bed.as_of))
    ours = last[(last["method"] == "ours") & (last["group"] == "all")].set_index("target")
    assert ours.loc["grid", "events"] == counts[:, 59].sum()
    assert not ours["is_frozen"].any()
    assert set(last["target"]) == {*bed.levels, "r8", "r9"}


def test_a_stored_forecast_is_what_is_scored(bed):
    stored = forecast_tables(bed, 59)
    for table in stored.values():
        table["is_frozen"] = True
        table["mean"] = 1.0
    rows = score_tables(bed, 59, known_on=bed.as_of, stored=stored)["scorecards"]
    ours = rows[rows["method"] == "ours"]
    assert ours["is_frozen"].all()
    counts = bed.counts("grid", mask=bed.reported & bed.known_by(bed.as_of))[:, 59]
    mean = known_share(bed, "all", at=59, known_on=bed.as_of)
    grid = ours[(ours["target"] == "grid") & (ours["group"] == "all")].iloc[0]
    logs = np.where(counts > 0, counts * np.log(np.maximum(counts, 1) / mean), 0)
    assert grid["deviance"] == pytest.approx(np.mean(2 * (logs - counts + mean)))


def test_tables_have_the_columns_that_are_promised(bed, scored):
    tables = {
        **forecast_tables(bed, 60),
        "scorecards": scored,
        "forecast_verdicts": verdict_table(scored, grain="week"),
    }
    for name, table in tables.items():
        assert list(table.columns) == [column.name for column in SIGNAL_TABLES[name].columns]


def card(method, week, pai, deviance):
    return {
        "period_end": np.datetime64("2026-01-05") + 7 * week,
        "target": "r9",
        "group": "all",
        "method": method,
        "events": 10.0,
        "listed": 20,
        "pai2": pai,
        "pei2": 0.5,
        "hit2": 0.1,
        "deviance": deviance,
        "coverage": 0.95,
    }


@pytest.mark.parametrize(
    ("pai", "deviance", "weeks", "reason", "method"),
    [
        (5.0, 1.0, 10, "shown", ""),
        (4.8, 1.0, 10, "shown", ""),
        (4.7, 1.0, 10, "fewer_hits", "history"),
        (5.0, 1.03, 10, "larger_error", "history"),
        (5.0, 1.0, 3, "few_periods", ""),
    ],
)
def test_a_forecast_that_is_worse_than_a_plain_one_is_hidden(pai, deviance, weeks, reason, method):
    rows = [card("ours", week, pai, deviance) for week in range(weeks)]
    rows += [card("history", week, 5.0, 1.0) for week in range(weeks)]
    rows += [card("kde4", week, 4.0, 1.5) for week in range(weeks)]
    found = verdict_table(pd.DataFrame(rows), grain="week").iloc[0]
    assert (found["reason"], found["reason_method"]) == (reason, method)
    assert found["is_shown"] == (reason == "shown")
    assert found["pai2_to_kde4"] == pytest.approx(pai / 4)


def test_hits_of_a_handful_of_places_decide_nothing():
    rows = [card("ours", week, 1.0, 1.0) for week in range(9)]
    rows += [card("history", week, 5.0, 1.0) for week in range(9)]
    few = pd.DataFrame(rows).assign(listed=4)
    assert verdict_table(few, grain="week").iloc[0]["is_shown"]


def test_the_sentence_says_what_the_scorecard_holds():
    row = {
        **card("ours", 0, 6.96, 1.0),
        "listed": 103,
        "with_event": 100,
        "area_share": 0.0199,
        "hit2": 0.1384,
    }
    rows = pd.DataFrame([row, {**row, "method": "history", "pai2": 6.0}])
    found = hit_sentence(rows, grain="week")
    assert found.zh == (
        "上周预测最高的 103 个网格中 100 个确有事件；命中全市事件的 13.8 %，面积占 2.0 %，"
        "是随机的 7.0 倍，是简单基线的 1.16 倍。"
    )
    assert "103 cells" in found.en
    assert hit_sentence(rows[rows["method"] == "history"], grain="week") is None
