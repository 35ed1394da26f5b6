"""`pingan warn` and `pingan warnings` on a home of their own, and what `pingan watch` does."""

import datetime as dt
import json

import pytest
from typer.testing import CliRunner

from data.audit.verify import verify
from data.settings import Settings
from data.store import Store
from data.warnings.tree import AreaTree
from etl.cli import app
from etl.installation import installation
from etl.warn import run as running
from tests.data.warnings.town import NOW, TREE, opened
from tests.etl.warn.made import Made, index

RED = {"area_index": index(("grid", "G1", 4, 1), ("township", "T2", 3, 0))}


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An installation whose published snapshot is a made one."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("PINGAN_HOME", str(home))
    monkeypatch.setattr(Store, "current", lambda _store: Made(**RED))
    return home


@pytest.fixture
def pingan(home):
    def invoke(*words, code=0):
        result = CliRunner().invoke(app, list(words), env={"COLUMNS": "200"})
        assert result.exit_code == code, result.output
        return result.stdout

    return invoke


def test_a_dry_run_tells_and_changes_nothing_and_a_run_does_what_it_told(pingan):
    dry = json.loads(pingan("warn", "--dry-run", "--json"))
    assert [one["fingerprint"] for one in dry["wanted"]] == [
        "index|grid|G1|all|2026-11-09", "index|township|T2|all|2026-11-09",
    ]  # fmt: skip
    assert json.loads(pingan("warnings", "list", "--json")) == []
    assert json.loads(pingan("warn", "--json")) == dry
    assert len(json.loads(pingan("warnings", "list", "--json"))) == 2
    assert json.loads(pingan("warn", "--json"))["wanted"] == []


def test_it_says_what_was_done_and_which_rules_have_no_data(pingan):
    assert "dry run: warnings: 2 opened" in pingan("warn", "--dry-run")
    said = pingan("warn")
    assert "warnings: 2 opened" in said
    assert "no data for the rules facility_overdue, overdue, repeat_place, same_kind" in said
    assert "warnings: nothing to do" in pingan("warn")


def test_a_warning_is_shown_with_its_evidence_and_history(pingan):
    pingan("warn")
    said = pingan("warnings", "show", "1")
    assert "'risk': 60.0" in said
    assert "command county 11" in said
    told = json.loads(pingan("warnings", "show", "1", "--json"))
    assert [step["step"] for step in told["steps"]] == ["open"]
    pingan("warnings", "show", "99", code=1)
    pingan("warnings", "list", "--state", "asleep", code=1)
    assert "index_red" in pingan("warnings", "list", "--state", "new")


def test_every_warning_that_opens_has_its_row_in_the_audit(pingan, home):
    pingan("warn")
    with installation(Settings.from_env({"PINGAN_HOME": str(home)})) as kept:
        rows = kept.audit.search(action="warning")
        assert not verify(kept.audit).faults
    assert [row.detail.split()[:2] for row in reversed(rows)] == [
        ["open", "index_red"], ["open", "index_orange"],
    ]  # fmt: skip
    assert {(row.user, row.result) for row in rows} == {("", "ok")}


def test_rules_of_the_city_that_cannot_be_used_are_one_line(pingan, tmp_path):
    (tmp_path / "warnings.toml").write_text("days = 3\n", encoding="utf-8")
    pingan("warn", "--city", str(tmp_path), code=1)


def test_watching_runs_the_rules_once_for_a_snapshot_and_escalates_each_minute(home, tmp_path):
    chosen = Settings.from_env({"PINGAN_HOME": str(home)})
    watching = running.Round(chosen, tmp_path)
    assert watching.round(NOW) == "warnings: 2 opened"
    assert watching.round(NOW + dt.timedelta(seconds=10)) == ""
    assert watching.round(NOW + dt.timedelta(minutes=2)) == ""
    later = NOW + dt.timedelta(days=2)
    assert watching.round(later) == "warnings: 2 escalated"
    assert watching.round(later + dt.timedelta(minutes=2)) == ""


def test_a_fault_is_told_once_and_tried_again_after_an_hour(home, tmp_path):
    watching = running.Round(Settings.from_env({"PINGAN_HOME": str(home)}), tmp_path)
    rules = tmp_path / "warnings.toml"
    rules.write_text("days = 3\n", encoding="utf-8")
    assert "must be of type str" in watching.round(NOW)
    assert watching.round(NOW + dt.timedelta(minutes=30)) == ""
    rules.unlink()
    assert watching.round(NOW + dt.timedelta(hours=1)) == "warnings: 2 opened"


def test_without_a_snapshot_there_is_nothing_to_say(home, tmp_path, monkeypatch):
    monkeypatch.undo()
    chosen = Settings.from_env({"PINGAN_HOME": str(home)})
    assert running.Round(chosen, tmp_path).round(NOW) == ""


def test_paths_are_read_from_parents_and_skip_levels_that_a_city_lacks(home):
    areas = Made().areas
    without = areas[areas["level"] != "community"].copy()
    without.loc[without["code"] == "G1", "parent_code"] = "T1"
    assert AreaTree(without).path("grid", "G1") == (
        ("grid", "G1"), ("township", "T1"), ("county", "11"), ("city", "*"),
    )  # fmt: skip
    assert AreaTree(areas).path("grid", "G1") == TREE.path("grid", "G1")


def test_the_kept_rules_are_those_of_the_city(home, tmp_path):
    with installation(Settings.from_env({"PINGAN_HOME": str(home)})) as kept:
        warnings = running.warnings_of(kept, Store(home), tmp_path)
        assert warnings.settings.clocks.time_zone == "Asia/Shanghai"
        assert opened(warnings, now=NOW).id == 1
