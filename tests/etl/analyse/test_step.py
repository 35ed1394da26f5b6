"""The step of the pipeline: what it stores, what a later build keeps, and when it runs."""

import datetime as dt
import shutil
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from data.analysis_tables import ANALYSIS_TABLES
from etl.analyse.aside import Aside
from etl.analyse.plan import NEWEST, plan
from etl.pipeline import Options, build
from etl.verify import verify
from tests.etl.conftest import AREAS, CATEGORIES, CITY, HEADER, SOURCE, write_grids

# One made town for all of them.
pytestmark = pytest.mark.xdist_group("analysis-step")

PLACES = ((103.02, 36.02), (103.05, 36.15), (103.12, 36.03), (103.16, 36.17), (103.08, 36.04))
FIRST = dt.date(2025, 2, 3)
WEEKS = 56


def rows(first, weeks, *, seed=1, number=0):
    """A few incidents a day, here and there, of three classes."""
    rng = np.random.default_rng(seed)
    lines = []
    for day in range(7 * weeks):
        for _ in range(rng.poisson(3)):
            number += 1
            x, y = PLACES[rng.choice(len(PLACES), p=(0.4, 0.25, 0.2, 0.1, 0.05))]
            at = first + dt.timedelta(days=day)
            kind, grade = rng.choice(["A", "A1", "B"]), rng.integers(1, 5)
            x, y = x + rng.uniform(-0.01, 0.01), y + rng.uniform(-0.01, 0.01)
            lines.append(
                f"{seed}-{number},{at} {rng.integers(0, 24):02d}:10,{kind},{grade},,{x:.5f},{y:.5f},"
            )
    return lines


def moment(weeks):
    """Monday morning after so many weeks."""
    day = FIRST + dt.timedelta(weeks=weeks)
    return dt.datetime.combine(day, dt.time(1), tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A build, and another one a week later."""
    folder, home = tmp_path_factory.mktemp("city"), tmp_path_factory.mktemp("home")
    (folder / "sources").mkdir()
    source = SOURCE.replace('["calls.csv"]', '["calls*.csv"]')
    texts = {
        "city.toml": CITY,
        "areas.toml": AREAS,
        "sources/calls.toml": source,
        "categories.csv": CATEGORIES,
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    write_grids(folder)
    write(folder, 0, rows(FIRST, WEEKS))
    first = build(folder, home=home, now=moment(WEEKS)).manifest
    write(folder, 1, rows(FIRST + dt.timedelta(weeks=WEEKS), 1, seed=2))
    second = build(folder, home=home, now=moment(WEEKS + 1)).manifest
    return SimpleNamespace(folder=folder, home=home), first, second


def write(folder, number, lines):
    (folder / f"calls{number}.csv").write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture
def grown(made, tmp_path):
    """The same, to be changed by one test."""
    town, first, second = made
    for name in ("folder", "home"):
        shutil.copytree(getattr(town, name), tmp_path / name)
    return SimpleNamespace(folder=tmp_path / "folder", home=tmp_path / "home"), first, second


def files(manifest, month=None):
    return {
        (entry["table"], entry["month"]): entry["path"]
        for entry in manifest["files"]
        if entry["table"] in ANALYSIS_TABLES and month in (None, entry["month"])
    }


def test_every_table_is_there_and_keeps_its_promises(made):
    toy, _, second = made
    assert {name for name, _ in files(second)} == set(ANALYSIS_TABLES)
    assert second["analysis"]["last"] == second["periods"]["last"]
    report = verify(toy.home)
    assert report["ok"], [one for one in report["checks"] if not one["ok"]]


def test_settled_months_stand_and_the_others_are_told_anew(made):
    _, first, second = made
    before, after = files(first), files(second)
    months = sorted({month for _, month in before if month != NEWEST})
    kept = [month for month in months if all(
        after.get(key) == path for key, path in before.items() if key[1] == month
    )]  # fmt: skip
    assert kept[:2] == months[:2]
    assert months[-1] not in kept
    assert not set(before.values()) & {p for (_, month), p in after.items() if month == NEWEST}


def test_a_forecast_stands_as_it_was_made(made):
    toy, first, second = made

    def read(manifest, month):
        paths = files(manifest, month)
        return pd.read_parquet(toy.home / paths["forecasts", month])

    made = read(first, NEWEST)
    last = second["periods"]["last"]
    stood = read(second, last[:7])
    stood = stood[stood["period_start"].astype(str) == last].reset_index(drop=True)
    pd.testing.assert_frame_equal(stood, made)
    assert stood["is_frozen"].all()
    cards = pd.read_parquet(toy.home / files(second)["scorecards", last[:7]])
    frozen = cards.groupby("period_end")["is_frozen"].all()
    assert frozen.iloc[-1]
    assert not frozen.iloc[:-1].any()


def test_what_was_known_gives_the_same_figures_again(grown):
    """A build of everything at once tells the newest period as the two builds in turn do."""
    toy, _, second = grown
    again = build(
        toy.folder, home=toy.home, now=moment(WEEKS + 1), options=Options(force=True)
    ).manifest
    last = second["periods"]["last"]
    for name in ("expected", "area_rates", "area_trust", "area_hotspots", "resolution_cohorts"):
        one, other = (
            pd.read_parquet(toy.home / files(manifest)[name, last[:7]])
            for manifest in (second, again)
        )
        newest = one["period_end"].astype(str) == last
        assert newest.any()
        pd.testing.assert_frame_equal(
            one[newest].reset_index(drop=True),
            other[other["period_end"].astype(str) == last].reset_index(drop=True),
        )


def test_a_build_may_leave_the_analysis_for_later(grown):
    toy, _, second = grown
    write(toy.folder, 2, rows(FIRST + dt.timedelta(weeks=WEEKS + 1), 1, seed=3)[:3])
    soon = moment(WEEKS + 1) + dt.timedelta(minutes=5)
    third = build(toy.folder, home=toy.home, now=soon, options=Options(analyse="due")).manifest
    assert third["batch"] > second["batch"]
    assert files(third) == files(second)
    assert third["analysis"] == second["analysis"]
    # Nothing more comes: what was left is made up for, once, with the month that was touched then.
    later = soon + dt.timedelta(minutes=20)
    fourth = build(toy.folder, home=toy.home, now=later, options=Options(analyse="due"))
    assert fourth.is_new
    assert fourth.manifest["analysis"]["batch"] == third["batch"]
    assert not build(toy.folder, home=toy.home, now=later, options=Options(analyse="due")).is_new


def test_a_marked_action_is_followed_without_new_rows(grown):
    toy, _, second = grown
    (toy.folder / "actions.csv").write_text(
        "id,level,code,date,kind,group\nx1,grid,W1,2025-11-03,patrol,all\n", encoding="utf-8"
    )
    third = build(toy.folder, home=toy.home, now=moment(WEEKS + 1)).manifest
    effects = pd.read_parquet(toy.home / files(third)["effects", NEWEST])
    assert len(effects) == 1
    assert third["snapshot"] != second["snapshot"]
    assert files(third, "2025-11") == files(second, "2025-11")


def test_a_short_history_is_not_analysed(toy):
    toy.write(rows(FIRST, 5))
    manifest = build(toy.folder, home=toy.home, now=moment(5)).manifest
    assert files(manifest) == {}
    assert verify(toy.home)["ok"]


class Sums:
    def __init__(self) -> None:
        self.done = []

    def square(self, n):
        self.done.append(n)
        return n * n


@pytest.mark.parametrize("cores", [1, 2])
def test_jobs_beside_give_what_they_give_here(cores):
    aside = Aside(Sums(), cores=cores)
    try:
        for n in range(40):
            aside.give("square", n)
        assert sorted(found for _, found in aside.results()) == [n * n for n in range(40)]
    finally:
        aside.close()


ENDS = [dt.date(2026, 1, 5) + dt.timedelta(weeks=week) for week in range(12)]
NOW = dt.datetime(2026, 4, 6, tzinfo=dt.UTC)
BEFORE = {
    "settings": "s",
    "inputs": "i",
    "last": "2026-03-23",
    "as_of": "2026-03-29",
    "made_at": "2026-04-05T23:50:00+00:00",
}
KEPT = [
    {"table": "area_index", "month": month} for month in ("2026-01", "2026-02", "2026-03", NEWEST)
]


def planned(**changed):
    told = {
        "parent": {"analysis": BEFORE}, "kept": KEPT, "changed": set(), "settings": "s", "inputs": "i",
        "mode": "always", "now": NOW,
    }  # fmt: skip
    return plan(ENDS, **(told | changed))


def test_a_changed_month_renews_itself_and_the_later_ones():
    assert [entry["month"] for entry in planned().kept] == []
    long_ago = BEFORE | {"as_of": "2026-06-30"}
    found = planned(parent={"analysis": long_ago}, changed={"2026-02"})
    assert [entry["month"] for entry in found.kept] == ["2026-01"]
    assert found.ends == [end for end in ENDS if end.month > 1]


def test_other_settings_begin_anew():
    found = planned(settings="other")
    assert (found.kept, found.ends, found.is_same) == ([], ENDS, False)


@pytest.mark.parametrize(
    ("changed", "waits"),
    [
        ({}, True),
        ({"now": NOW + dt.timedelta(minutes=6)}, False),
        ({"parent": {"analysis": BEFORE | {"last": "2026-03-16"}}}, False),
        ({"settings": "other"}, False),
        ({"inputs": "other"}, False),
        ({"kept": []}, False),
    ],
)
def test_when_an_analysis_is_due(changed, waits):
    assert (planned(mode="due", **changed).ends is None) == waits


def test_never_means_never():
    assert planned(mode="never").ends is None
    assert planned(mode="never", settings="other").kept == []
