"""The weekly report as its user issues it: once, again after a kill, corrected, and by itself."""

import datetime as dt
import json
import shutil

import pytest
from typer.testing import CliRunner

from data import issues
from data.issues import IssueError
from data.periods import label, shift
from data.store import Store
from etl import reporting
from etl.cli import app
from etl.keeping.freeze import freeze, issued_maps
from etl.reporting import Order, Schedule, due, issue_week

pytestmark = pytest.mark.xdist_group("demo")
SEVEN = dt.time(7)


@pytest.fixture(scope="module")
def home(demo_home, tmp_path_factory):
    """A demonstration city with one week issued, by the command."""
    home = tmp_path_factory.mktemp("reports") / "home"
    shutil.copytree(demo_home, home)
    return home


@pytest.fixture(scope="module")
def week(home):
    return reporting.newest(home)


@pytest.fixture(scope="module")
def issued(home, week):
    result = CliRunner().invoke(
        app, ["report", "issue", "--week", week, "--json"], env={"PINGAN_HOME": str(home)}
    )
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def progress(_done, _of):
    pass


def back(home, weeks):
    """Label of the period so many before the newest."""
    last = Store(home).current().manifest.last_period
    return label(shift(last, -weeks, grain="week"), grain="week")


def test_the_command_issues_every_edition_of_the_frozen_snapshot(home, issued, week):
    snapshot = Store(home).current()
    areas = snapshot.areas
    valid = areas[areas["valid_to"].isna() & areas["level"].isin(["city", "county", "township"])]
    made = issues.issue(home, week)
    editions = {name for name in made.files if "-" in name}
    assert editions == {f"{row.level}-{row.code}.json" for row in valid.itertuples()}
    assert issued["editions"] == len(editions)
    assert made.snapshot == snapshot.id
    assert Store(home / "issued" / made.frozen).current().id == snapshot.id


def test_issued_again_it_is_the_same_issue(home, issued, week):
    again = issue_week(home, Order(week, None, "cli"), progress=progress)
    assert again == issues.issue(home, week)
    assert len([one for one in issues.issues(home) if one.week == week]) == 1


def test_killed_after_the_freezing_it_goes_on_with_the_frozen_snapshot(home, issued, week):
    earlier = back(home, 1)
    kept = freeze(home, None, earlier)
    made = issue_week(home, Order(earlier, None, "cli"), progress=progress)
    assert (made.snapshot, made.frozen) == (kept.snapshot, earlier)


def test_a_correction_is_a_version_with_a_reason(home, issued, week):
    made = issue_week(home, Order(week, None, "cli", "late rows"), progress=progress)
    assert (made.version, made.number, made.reason) == (2, issued["number"], "late rows")
    assert issues.issue(home, week, 1).reason == ""
    assert f"{week}_v2" in {one.name for one in issued_maps(home)}


def test_a_week_that_is_not_counted_is_refused_before_anything_is_copied(home, issued):
    known = {one.name for one in issued_maps(home)}
    for wrong in ("2031-W01", "no week"):
        with pytest.raises(IssueError):
            issue_week(home, Order(wrong, None, "cli"), progress=progress)
    assert {one.name for one in issued_maps(home)} == known
    result = CliRunner().invoke(
        app, ["report", "issue", "--week", "2031-W01"], env={"PINGAN_HOME": str(home)}
    )
    assert result.exit_code == 1
    assert "2031-W01" in result.stderr


def test_settings_that_cannot_be_used_are_said_and_nothing_is_issued(home, issued, tmp_path):
    (tmp_path / "report.toml").write_text("title = 1", encoding="utf-8")
    count = len(issues.issues(home))
    week = back(home, 2)
    with pytest.raises(IssueError, match="unknown key"):
        issue_week(home, Order(week, tmp_path, "cli", "again"), progress=progress)
    assert len(issues.issues(home)) == count


def test_a_week_is_due_from_monday_at_seven(demo_home):
    manifest = Store(demo_home).current().manifest
    zone = dt.timezone(dt.timedelta(hours=8))
    monday = dt.datetime.combine(shift(manifest.last_period, 1, grain="week"), SEVEN, zone)
    newest = label(manifest.last_period, grain="week")
    as_of = dt.date.fromisoformat(manifest.raw["periods"]["as_of"])
    assert as_of >= monday.date() - dt.timedelta(days=1)
    assert due(demo_home, monday, SEVEN) == newest
    assert due(demo_home, monday - dt.timedelta(minutes=1), SEVEN) == ""


def test_what_is_issued_is_not_due_again(home, issued):
    assert due(home, dt.datetime(2099, 1, 1, tzinfo=dt.UTC), SEVEN) == ""


def test_the_schedule_tells_a_fault_once_and_tries_again_in_an_hour(tmp_path, monkeypatch):
    asked = []

    def fails(_home, _city, now):
        asked.append(now)
        raise IssueError("no space")

    monkeypatch.setattr(reporting, "issue_due", fails)
    schedule, now = Schedule(tmp_path, tmp_path), dt.datetime(2026, 11, 16, tzinfo=dt.UTC)
    assert "no space" in schedule.round(now)
    assert schedule.round(now + dt.timedelta(minutes=59)) == ""
    assert "no space" in schedule.round(now + dt.timedelta(hours=1))
    assert len(asked) == 2


def test_nothing_published_is_nothing_due(tmp_path):
    city = tmp_path / "city"
    city.mkdir()
    assert Schedule(tmp_path, city).round(dt.datetime(2026, 11, 16, tzinfo=dt.UTC)) == ""
