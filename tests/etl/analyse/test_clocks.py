"""Clocks: due times, states, what is unknown, and what was not yet known."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from data.clock_settings import read_clock_settings
from data.schema import check_table
from data.source import STATUSES
from etl.analyse.bed import NEVER
from etl.analyse.deadlines.clocks import (
    IN_TIME,
    LATE,
    NONE,
    OVERDUE,
    RUNNING,
    UNKNOWN,
    run_clock,
    steps_at,
)
from etl.analyse.deadlines.tables import clock_tables
from etl.analyse.deadlines.working_days import counted_time
from tests.etl.analyse.clock_worlds import as_known, clock_world, end_of
from tests.etl.analyse.worlds import areas_of, bed_of, tiny_bed

SETTINGS = read_clock_settings(Path("none"), time_zone="Asia/Shanghai")
HOUR = 3_600
DAY = 24 * HOUR


def second(text):
    """City time as seconds since 1970 UTC."""
    return int(np.datetime64(text, "s").astype(np.int64)) - 8 * HOUR


def bed_with(**columns):
    """Incidents of one source in one area, as of Sunday 2024-12-29 (six weeks)."""
    n = len(next(iter(columns.values())))
    empty = tiny_bed(1, grids=4, weeks=3).bed.events
    plain = {
        one.name: np.zeros(n, dtype=getattr(empty, one.name).dtype)
        for one in dataclasses.fields(empty)
    }
    never = dict.fromkeys(
        ("occurred", "reported", "dispatched", "signed", "resolved", "archived", "deadline"),
        np.full(n, NEVER),
    )
    codes = {"status": np.full(n, -1, dtype=np.int8), "severity": np.ones(n, dtype=np.int8)}
    columns = {name: np.asarray(values) for name, values in columns.items()}
    merged = plain | never | codes | columns
    merged["occurred"] = merged["reported"]
    merged["day"] = merged["known"] = ((merged["reported"] + 8 * HOUR) // DAY).astype(
        "datetime64[D]"
    )
    areas = (areas_of("city", np.array([-1]), np.ones(1)),)
    return bed_of(dataclasses.replace(empty, **merged), areas, 6)


def run(bed, clock, settings=SETTINGS, day=None):
    steps = steps_at(bed, settings, bed.as_of if day is None else day)
    (chosen,) = [one for one in settings.clocks if one.name == clock]
    found = run_clock(steps, chosen, bed=bed, settings=settings)
    order = np.argsort(steps.rows)
    return dataclasses.replace(
        found, **{name: getattr(found, name)[order] for name in ("state", "start", "end", "due")}
    )


class TestWorkingDays:
    TIME = counted_time(
        np.datetime64("2025-09-01"), np.datetime64("2025-12-31"), "Asia/Shanghai", working=True
    )

    @pytest.mark.parametrize(
        ("start", "days", "due"),
        [
            ("2025-11-12T10:00", 1, "2025-11-13T10:00"),
            ("2025-11-14T15:00", 1, "2025-11-17T15:00"),  # Friday to Monday
            ("2025-11-15T10:00", 1, "2025-11-18T00:00"),  # Saturday: all of Monday
            ("2025-09-30T09:00", 1, "2025-10-09T09:00"),  # over the national holiday
            ("2025-09-26T09:00", 1, "2025-09-28T09:00"),  # that Sunday is worked in lieu
            ("2025-11-12T00:00", 7, "2025-11-21T00:00"),
        ],
    )
    def test_due(self, start, days, due):
        counted = self.TIME.counted(np.array([second(start)])) + days * DAY
        assert self.TIME.moment(counted)[0] == second(due)

    def test_calendar_days_are_days(self):
        time = counted_time(
            np.datetime64("2025-09-01"), np.datetime64("2025-12-31"), "Asia/Shanghai", working=False
        )
        moments = np.random.default_rng(1).integers(
            second("2025-01-01"), second("2026-06-01"), 1_000
        )
        assert (time.moment(time.counted(moments)) == moments).all()

    def test_counted_time_never_runs_backwards(self):
        moments = np.sort(
            np.random.default_rng(2).integers(second("2025-01-01"), second("2026-06-01"), 5_000)
        )
        assert (np.diff(self.TIME.counted(moments)) >= 0).all()

    def test_clocks_of_another_zone_turn_with_its_summer_time(self):
        time = counted_time(
            np.datetime64("2025-01-01"),
            np.datetime64("2025-12-31"),
            "America/Chicago",
            working=False,
        )
        day = np.datetime64("2025-07-04")
        assert time.end_of(day) == int(np.datetime64("2025-07-05T04:59:59", "s").astype(np.int64))


class TestStates:
    def test_each_state(self):
        received = (
            [second("2024-12-28T10:00")] * 2
            + [second("2024-12-29T10:00")]
            + [second("2024-12-20T10:00")]
        )
        bed = bed_with(
            reported=received,
            dispatched=[received[0] + DAY, received[1] + DAY + 1, NEVER, NEVER],
        )
        found = run(bed, "dispatch")
        assert found.state.tolist() == [IN_TIME, LATE, RUNNING, OVERDUE]
        assert (found.due - found.start == DAY).all()

    def test_not_begun_is_no_clock(self):
        received = second("2024-12-29T10:00")
        bed = bed_with(
            reported=[received, received - 9 * DAY],
            dispatched=[NEVER, received],
            signed=[NEVER, received + 60],
        )
        assert run(bed, "sign").state.tolist() == [NONE, IN_TIME]

    def test_a_step_that_no_record_tells_is_unknown(self):
        bed = bed_with(reported=[second("2024-12-28T10:00")] * 3)
        for clock in SETTINGS.clocks:
            assert (run(bed, clock.name).state == UNKNOWN).all()

    def test_a_record_without_the_time_of_a_past_step_is_unknown(self):
        received = second("2024-12-02T10:00")
        bed = bed_with(
            reported=[received] * 3,
            dispatched=[NEVER, received, received],
            signed=[received + HOUR, received + HOUR, received + HOUR],
            resolved=[NEVER, NEVER, received + 2 * HOUR],
            status=np.array([-1, STATUSES.index("resolved"), -1], dtype=np.int8),
        )
        assert run(bed, "dispatch").state.tolist() == [UNKNOWN, IN_TIME, IN_TIME]
        assert run(bed, "resolve").state.tolist() == [OVERDUE, UNKNOWN, IN_TIME]

    def test_untold_steps_are_merged_or_unknown(self):
        received = second("2024-12-02T10:00")
        bed = bed_with(
            reported=[received] * 2, resolved=[received + 6 * DAY, received + 6 * DAY + 1]
        )
        found = run(bed, "resolve")
        assert found.state.tolist() == [IN_TIME, LATE]  # 1 + 2 + 3 days from the receipt
        strict = dataclasses.replace(SETTINGS, untold_steps="unknown")
        assert (run(bed, "resolve", strict).state == UNKNOWN).all()

    def test_the_sources_deadline_replaces_ours(self):
        received = second("2024-12-02T10:00")
        bed = bed_with(
            reported=[received] * 3,
            resolved=[received + 20 * DAY] * 3,
            deadline=[received + 20 * DAY, received + 19 * DAY, second("2024-12-22T00:00")],
        )
        assert run(bed, "resolve").state.tolist() == [IN_TIME, LATE, IN_TIME]
        assert run(bed, "risk").state.tolist() == [LATE] * 3

    def test_risk_clock_by_severity(self):
        received = second("2024-12-02T10:00")
        bed = bed_with(
            reported=[received] * 5,
            resolved=[received + 2 * DAY] * 5,
            severity=np.arange(5, dtype=np.int8),
        )
        found = run(bed, "risk")
        assert found.state.tolist() == [UNKNOWN, IN_TIME, IN_TIME, LATE, LATE]
        assert ((found.due - found.start)[1:] // DAY).tolist() == [7, 3, 1, 1]

    def test_void_incidents_have_none(self):
        bed = bed_with(
            reported=[second("2024-12-28T10:00")],
            status=np.array([STATUSES.index("void")], dtype=np.int8),
        )
        assert len(steps_at(bed, SETTINGS, bed.as_of).rows) == 0

    def test_overrides_of_a_group(self):
        received = second("2024-12-02T10:00")
        bed = bed_with(
            reported=[received] * 2,
            dispatched=[received + 2 * DAY] * 2,
            category=np.array([0, 1], dtype=np.int16),
        )
        settings = dataclasses.replace(SETTINGS, overrides={("police", "dispatch"): (3.0,) * 5})
        assert run(bed, "dispatch", settings).state.tolist() == [LATE, IN_TIME]


class TestTables:
    @pytest.fixture(scope="class")
    @classmethod
    def made(cls):  # noqa: ANN206
        bed, truth = clock_world(4, grids=80, weeks=50)
        return bed, truth, clock_tables(bed, SETTINGS, len(bed.starts) - 1, bed.as_of)

    def test_they_keep_their_description(self, made):
        assert set(made[2]) == {"clock_states", "open_clocks", "clock_curves", "resolution_cohorts"}
        for name, frame in made[2].items():
            assert len(frame)
            check_table(name, frame)

    def test_levels_and_groups_agree(self, made):
        states = made[2]["clock_states"]
        columns = ["started", "in_time", "late", "running", "overdue", "expected_breach_24h"]
        of_all = states[states["group"] == "all"].groupby(["level", "clock"])[columns].sum()
        for level in made[0].levels[1:]:
            np.testing.assert_allclose(of_all.loc[level], of_all.loc["city"])
        groups = states[states["group"] != "all"].groupby(["level", "clock"])[columns].sum()
        np.testing.assert_allclose(groups, of_all)
        parts = states[["in_time", "late", "running", "overdue"]].sum(axis=1)
        assert (states["started"] == parts).all()

    def test_nothing_told_is_no_data(self):
        bed = bed_with(reported=[second("2024-12-28T10:00")] * 3)
        states = clock_tables(bed, SETTINGS, 5, bed.as_of)["clock_states"]
        assert (states["unknown"] == 3).all()
        assert (states["started"] == 0).all()
        assert states[["expected_breach_6h", "expected_breach_24h"]].isna().all(axis=None)

    def test_urgent_clocks_are_listed_in_their_order(self, made):
        listed = made[2]["open_clocks"]
        assert (listed["total"] == len(listed)).all()
        assert listed["is_overdue"].is_monotonic_increasing
        still = listed[~listed["is_overdue"]]
        assert still["severity"].is_monotonic_decreasing
        assert still["p_24h"].between(0, 1).all()
        assert (still["p_6h"] <= still["p_24h"]).all()
        assert listed.loc[listed["is_overdue"], "p_24h"].isna().all()
        city = made[2]["clock_states"].query("level == 'city' and group == 'all'")
        assert still["p_24h"].sum() == pytest.approx(city["expected_breach_24h"].sum())
        assert listed["is_overdue"].sum() == city["overdue"].sum()

    def test_nothing_later_is_seen(self, made):
        _, truth, _ = made
        day = truth.ends[40]
        cut = {"starts": truth.starts[:41], "as_of": day}
        whole = dataclasses.replace(truth, **cut)
        deleted = dataclasses.replace(truth, events=as_known(truth.events, day), **cut)
        seen = [clock_tables(bed, SETTINGS, 40, day) for bed in (whole, deleted)]
        for name in seen[0]:
            columns = seen[0][name].columns
            assert seen[0][name][columns].equals(seen[1][name][columns]), name

    def test_a_day_on_which_nothing_was_known(self):
        bed, _ = clock_world(4, grids=4, weeks=4)
        none = dataclasses.replace(
            bed, events=bed.events.take(np.zeros(len(bed.events), dtype=bool))
        )
        tables = clock_tables(none, SETTINGS, 3, none.as_of)
        assert all(len(frame) == 0 for frame in tables.values())


class TestCohorts:
    def test_open_ones_stay_in_the_denominator(self):
        received = second("2024-11-19T10:00")
        bed = bed_with(
            reported=[received] * 4 + [received + 9 * DAY],
            resolved=[
                received + 7 * DAY,
                received + 8 * DAY,
                NEVER,
                second("2025-03-01"),
                received + 9 * DAY,
            ],
        )
        row = clock_tables(bed, SETTINGS, 0, np.datetime64("2024-12-24"))[
            "resolution_cohorts"
        ].iloc[0]
        assert row[["received", "resolved_7d", "resolved_30d", "resolved", "open"]].tolist() == [
            4,
            1,
            2,
            2,
            2,
        ]

    def test_a_cohort_that_is_too_young_has_no_figure(self):
        received = second("2024-11-19T10:00")
        bed = bed_with(reported=[received], resolved=[received + DAY])
        row = clock_tables(bed, SETTINGS, 0, bed.ends[0] + 29)["resolution_cohorts"].iloc[0]
        assert row["resolved_7d"] == 1
        assert np.isnan(float("nan" if row.isna()["resolved_30d"] else 0))
        assert row.isna()["reopened_30d"]

    def test_sources_that_tell_no_end_are_unknown(self):
        received = second("2024-11-19T10:00")
        bed = bed_with(
            reported=[received] * 3,
            resolved=[received + DAY, NEVER, NEVER],
            source=np.array([0, 0, 1], dtype=np.int16),
        )
        row = clock_tables(bed, SETTINGS, 0, bed.as_of)["resolution_cohorts"].iloc[0]
        assert row[["received", "resolved", "open", "unknown"]].tolist() == [2, 1, 1, 1]


def test_the_moment_is_the_end_of_the_day():
    bed = bed_with(reported=[second("2024-12-28T10:00")])
    assert (
        steps_at(bed, SETTINGS, bed.as_of).now == second("2024-12-29T23:59:59") == end_of(bed.as_of)
    )
