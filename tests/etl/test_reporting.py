"""The weekly report as its user issues it: once, again after a kill, corrected, and by itself."""

import dataclasses
import datetime as dt
import json
import shutil

import pytest
from typer.testing import CliRunner

from data import issues
from data.deliveries.channels import Channel
from data.deliveries.outbox import Outbox
from data.issues import IssueError
from data.periods import label, shift
from data.state.database import open_state
from data.state.migrate import upgrade
from data.store import Store
from etl import report_files, reporting
from etl.cli import app
from etl.delivering.issued import announce
from etl.keeping.freeze import freeze, issued_maps
from etl.report_files import write_files
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


def few(home, week, folder, **more):
    """An order for the documents of three editions."""
    asked = report_files.wanted(
        home, folder, **{"week": week, "version": None, "formats": "xlsx", "lang": "zh", **more}
    )
    names = sorted(name for name in asked.issue.files if "-" in name)[:3]
    kept = {name: asked.issue.files[name] for name in names}
    return asked._replace(issue=dataclasses.replace(asked.issue, files=kept))


def test_documents_are_written_once_and_told_of(home, issued, week, tmp_path):
    told = []
    asked = few(home, week, tmp_path / "out", version=1)
    written = write_files(home, asked, by="cli", progress=lambda *one: told.append(one))
    assert (written.made, written.kept, written.failed) == (3, 0, {})
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]
    files = {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert {path.suffix for path in files} == {".xlsx"}
    assert all(content[:2] == b"PK" for content in files.values())
    # Stopped in the middle: what has its name is whole, what has not is written again.
    gone = sorted(files)[1]
    gone.rename(f"{gone}.part")
    again = write_files(home, asked, by="cli", progress=progress)
    assert (again.made, again.kept, again.failed) == (1, 2, {})
    assert set((tmp_path / "out").iterdir()) == set(files)


def test_documents_that_fail_are_listed_and_the_others_are_written(home, issued, week, tmp_path):
    asked = few(home, week, tmp_path / "out", version=1)
    missing = {**asked.issue.files, "county-000000.json": "0" * 64}
    asked = asked._replace(issue=dataclasses.replace(asked.issue, files=missing))
    written = write_files(home, asked, by="cli", progress=progress)
    assert written.made == 3
    ((name, why),) = written.failed.items()
    assert "county-000000" in name
    assert "has no file" in why


@pytest.mark.parametrize("wrong", [{"formats": "odt"}, {"formats": ""}, {"lang": "de"}])
def test_documents_of_no_kind_are_refused(home, issued, week, tmp_path, wrong):
    with pytest.raises(IssueError):
        few(home, week, tmp_path, **wrong)


def test_an_issue_is_told_once_to_whoever_has_its_areas(home, issued, week):
    database = open_state("", home)
    upgrade(database)
    outbox, made = Outbox(database), issues.issue(home, week, 1)
    editions = [name for name in made.files if "-" in name]
    # The command told it already.
    assert outbox.known(f"issue:{week}:v1:") == len(editions)
    now = dt.datetime.fromisoformat(made.created_at)
    assert announce(outbox, home, now) == 0
    outbox.route(
        [Channel("city", "json", messages=("issue",)),
         Channel("county", "json", messages=("issue",), areas=(a_county(home, made),))],
        now,
    )  # fmt: skip
    found = {one.channel: one for one in outbox.newest(most=9)}
    assert set(found) == {"city", "county"}
    assert found["city"].place.startswith("city.")
    assert found["county"].place == a_county(home, made)
    database.close()


def a_county(home, made):
    name = next(name for name in sorted(made.files) if name.startswith("county-"))
    return name.removesuffix(".json").replace("-", ".", 1)


def test_an_issue_whose_maker_was_killed_is_told_by_the_next_round(home, issued, week, tmp_path):
    database = open_state("", tmp_path)
    upgrade(database)
    outbox, made = Outbox(database), issues.issue(home, week, 1)
    now = dt.datetime.fromisoformat(made.created_at)
    known = sum("-" in name for one in issues.issues(home) for name in one.files)
    assert announce(outbox, home, now + dt.timedelta(hours=1)) == known
    assert announce(outbox, home, now + dt.timedelta(hours=2)) == 0
    held = outbox.route([Channel("c", "json", messages=("issue",))], now)
    assert held == len(issues.issues(home))
    message = outbox.hold(now).message
    edition = json.loads(issues.content(home, made, f"city-{message.place.code}.json"))
    assert message.counts["incidents"] == edition["standing"]["counted"]["now"]
    assert message.counts["red_areas"] == edition["levels"][0]["colours"][4]
    assert message.level == edition["standing"]["now"]["colour"]
    assert message.path == f"/weekly?week={week}&version=1&area=city.{message.place.code}"
    database.close()


def test_an_old_issue_is_no_news(home, issued, week, tmp_path):
    database = open_state("", tmp_path)
    upgrade(database)
    made = issues.issue(home, week, 1)
    late = dt.datetime.fromisoformat(made.created_at) + dt.timedelta(days=30)
    assert announce(Outbox(database), home, late) == 0
    database.close()


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
