import datetime as dt
import random

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

GOOD = "2026-01-05 10:00,A1,1,resolved,103.05,36.05,"


def reasons(cleaned):
    return dict(zip(cleaned.quarantine["row"], cleaned.quarantine["reason"], strict=True))


def test_a_good_row_is_typed_in_utc_and_city_time(toy):
    row = toy.cleaned(["7,2026-01-05 07:30,A1,2,resolved,103.05,36.05,W1"]).incidents.iloc[0]
    assert row["incident_id"] == "calls:7"
    assert row["occurred_at"] == pd.Timestamp("2026-01-04 23:30", tz="UTC")
    assert str(row["occurred_on"].date()) == "2026-01-05"
    assert str(row["period_start"].date()) == "2026-01-05"
    assert (row["category_index"], row["severity"], row["outcome"]) == (1, 2, 0)
    assert (row["lng"], row["lat"], row["area_code"]) == (103.05, 36.05, "W1")


@pytest.mark.parametrize(
    ("line", "reason", "field"),
    [
        ("1,2026-01-05 10:00,A1,1,回电13812345678,103.05,36.05,", "person_data", "outcome"),
        (",2026-01-05 10:00,A1,1,,103.05,36.05,", "missing_id", "incident_id"),
        ("1,,A1,1,,103.05,36.05,", "missing_time", "occurred_at"),
        ("1,2026-02-30 10:00,A1,1,,103.05,36.05,", "bad_time", "occurred_at"),
        ("1,2026-03-01 12:11,A1,1,,103.05,36.05,", "future_time", "occurred_at"),
        ("1,2024-12-31 23:59,A1,1,,103.05,36.05,", "before_boundaries", "occurred_at"),
        ("1,2026-01-05 10:00,,1,,103.05,36.05,", "missing_category", "category"),
        ("1,2026-01-05 10:00,ZZ,1,,103.05,36.05,", "unknown_category", "category"),
        ("1,2026-01-05 10:00,A1,9,,103.05,36.05,", "unknown_severity", "severity"),
        ("1,2026-01-05 10:00,A1,1,,east,36.05,", "bad_coordinates", "lng,lat"),
        ("1,2026-01-05 10:00,A1,1,,103.05,,", "bad_coordinates", "lng,lat"),
        ("1,2026-01-05 10:00,A1,1,,0,0,", "zero_coordinates", "lng,lat"),
        ("1,2026-01-05 10:00,A1,1,,36.05,103.05,", "swapped_coordinates", "lng,lat"),
        ("1,2026-01-05 10:00,A1,1,,104.05,36.05,", "outside_city", "lng,lat"),
        ("1,2026-01-05 10:00,A1,1,,,,X9", "unknown_area_code", "area_code"),
    ],
)
def test_a_refused_row_has_its_reason_and_number(toy, line, reason, field):
    cleaned = toy.cleaned([f"0,{GOOD}", line])
    refused = cleaned.quarantine.to_dict("records")
    assert [(row["row"], row["reason"], row["field"]) for row in refused] == [(2, reason, field)]
    assert cleaned.incidents["row"].tolist() == [1]


def test_the_future_starts_ten_minutes_after_now(toy):
    edge = toy.now.astimezone(dt.timezone(dt.timedelta(hours=8))) + dt.timedelta(minutes=10)
    assert toy.cleaned([f"1,{edge:%Y-%m-%d %H:%M},A1,1,,103.05,36.05,"]).quarantine.empty


def test_a_wrong_point_with_a_known_code_is_placed_by_code(toy):
    cleaned = toy.cleaned(["1,2026-01-05 10:00,A1,1,,0,0,W1", "2,2026-01-05 10:00,A1,1,,150,36,E"])
    assert cleaned.quarantine.empty
    assert cleaned.incidents["lng"].isna().all()
    assert cleaned.points_dropped == {"zero_coordinates": 1, "outside_city": 1}


def test_a_point_just_over_the_border_is_kept_and_a_far_one_is_not(toy):
    # 0.02 degrees are about 2 km, 0.2 about 18.
    cleaned = toy.cleaned(
        ["1,2026-01-05 10:00,A1,1,,102.98,36.05,", "2,2026-01-05 10:00,A1,1,,102.80,36.05,"]
    )
    assert cleaned.incidents["incident_id"].tolist() == ["calls:1"]
    assert reasons(cleaned) == {2: "outside_city"}


def test_no_point_and_no_code_is_accepted(toy):
    assert len(toy.cleaned(["1,2026-01-05 10:00,A1,,,,,"]).incidents) == 1


def test_unknown_severity_text_differs_from_no_severity(toy):
    cleaned = toy.cleaned(["1,2026-01-05 10:00,A1,,,,,", "2,2026-01-05 10:00,A1,high,,,,"])
    assert cleaned.incidents["severity"].tolist() == [0]
    assert reasons(cleaned) == {2: "unknown_severity"}


def test_an_optional_code_that_no_table_knows_is_left_empty_and_counted(toy):
    lines = [f"{n},2026-01-05 10:00,A1,1,办结了,103.05,36.05," for n in range(5)]
    lines += ["5,2026-01-05 10:00,A1,1,某人说的话,103.05,36.05,", f"6,{GOOD}"]
    cleaned = toy.cleaned(lines)
    assert cleaned.incidents["outcome"].tolist() == [-1] * 6 + [0]
    assert cleaned.unmapped == {"outcome": {"办结了": 5, "(others)": 1}}


def test_a_code_may_stand_for_no_outcome_yet(toy):
    with (toy.folder / "sources/calls.toml").open("a", encoding="utf-8") as stream:
        stream.write('[outcome_codes]\n"办理中" = ""\n"办结" = "resolved"\n')
    cleaned = toy.cleaned(
        ["1,2026-01-05 10:00,A1,1,办理中,,,W1", "2,2026-01-05 10:00,A1,1,办结,,,W1"]
    )
    assert cleaned.incidents["outcome"].tolist() == [-1, 0]
    assert cleaned.unmapped == {}


def test_free_text_is_not_kept(toy):
    cleaned = toy.cleaned([f"1,2026-01-05 10:00,A1,1,{'某某小区' * 20},103.05,36.05,"])
    assert reasons(cleaned) == {1: "free_text"}
    assert cleaned.quarantine["value"].tolist() == ["[free text removed]"]


def test_a_version_is_a_number(toy):
    toy.change("sources/calls.toml", 'outcome = "result"', 'version = "result"')
    cleaned = toy.cleaned(["1,2026-01-05 10:00,A1,1,3,,,W1", "2,2026-01-05 10:00,A1,1,x,,,W1"])
    assert cleaned.incidents["version"].tolist() == [3]
    assert reasons(cleaned) == {2: "bad_version"}


def test_rows_without_id_count_each_where_the_source_says_so(toy):
    toy.change(
        "sources/calls.toml",
        'origin = "reported"',
        'origin = "reported"\nrows_without_id = "accept"',
    )
    cleaned = toy.cleaned([f",{GOOD}", f",{GOOD}"])
    assert cleaned.incidents["incident_id"].tolist() == ["calls:calls.csv#1", "calls:calls.csv#2"]


def test_what_names_a_person_is_not_stored(toy):
    cleaned = toy.cleaned(["1,2026-01-05 10:00,A1,1,张三身份证11010519491231002X,103.05,36.05,"])
    assert cleaned.quarantine["value"].tolist() == ["[removed]"]


def test_the_hour_that_a_clock_shows_twice_is_its_first_pass(toy):
    toy.change("sources/calls.toml", 'time_zone = "Asia/Shanghai"', 'time_zone = "America/Chicago"')
    cleaned = toy.cleaned(["1,2025-11-02 01:30,A1,1,,103.05,36.05,"])
    assert cleaned.incidents["occurred_at"].iloc[0] == pd.Timestamp("2025-11-02 06:30", tz="UTC")


FIELDS = st.tuples(
    st.sampled_from(["", "1", "2", "3", "13812345678", "甲"]),
    st.sampled_from(["", "2026-01-05 10:00", "2026-02-03 08:00", "2031-01-01 00:00", "x"]),
    st.sampled_from(["A", "A1", "B", "", "ZZ"]),
    st.sampled_from(["", "1", "4", "9"]),
    st.sampled_from(["", "ok", "110105194912310021"]),
    st.sampled_from(["", "0", "103.05", "103.15", "36.05", "170", "nan"]),
    st.sampled_from(["", "0", "36.05", "36.15", "103.05", "95", "1e400"]),
    st.sampled_from(["", "W1", "E", "X"]),
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(FIELDS.map(",".join), min_size=1, max_size=25))
def test_every_row_is_good_or_has_a_reason(toy, lines):
    cleaned = toy.cleaned(lines)
    rows = [*cleaned.incidents["row"], *cleaned.quarantine["row"]]
    assert sorted(rows) == list(range(1, len(lines) + 1))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(FIELDS.map(",".join), min_size=2, max_size=25), st.randoms(use_true_random=False))
def test_a_row_is_judged_by_itself(toy, lines, chance):
    shuffled = random.Random(chance.random()).sample(lines, len(lines))
    judged = []
    for rows in (lines, shuffled):
        cleaned = toy.cleaned(rows)
        told = dict.fromkeys(cleaned.incidents["row"], "good") | reasons(cleaned)
        judged.append(sorted((rows[row - 1], reason) for row, reason in told.items()))
    assert judged[0] == judged[1]
