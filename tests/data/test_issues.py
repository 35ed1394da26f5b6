"""Frozen issues: written once, whole or not at all, corrected by a further version."""

import os

import pytest

from data import issues
from data.issues import IssueError

FILES = {"head.json": b"{}", "city-990100.json": b'{"a":1}'}


def put(home, week="2026-W46", files=FILES, **more):
    return issues.put(home, week, files, snapshot="s1", frozen=week, by="cli", **more)


def test_an_issue_is_read_back_as_it_was_put(tmp_path):
    made = put(tmp_path)
    assert issues.issues(tmp_path) == [made]
    assert issues.issue(tmp_path, "2026-W46") == made
    assert {name: issues.content(tmp_path, made, name) for name in FILES} == FILES
    assert (made.number, made.version, made.year) == (1, 1, 2026)


def test_numbers_run_through_the_year_and_a_correction_keeps_its_own(tmp_path):
    for week in ("2025-W52", "2026-W01", "2026-W02"):
        put(tmp_path, week)
    second = put(tmp_path, "2026-W01", reason="late rows")
    found = [(one.week, one.version, one.number) for one in issues.issues(tmp_path)]
    assert found == [
        ("2026-W02", 1, 2), ("2026-W01", 2, 1), ("2026-W01", 1, 1), ("2025-W52", 1, 1)
    ]  # fmt: skip
    assert issues.issue(tmp_path, "2026-W01") == second
    assert issues.issue(tmp_path, "2026-W01", 1).reason == ""


def test_a_week_is_not_issued_again_without_a_reason(tmp_path):
    put(tmp_path)
    with pytest.raises(IssueError, match="reason"):
        put(tmp_path)
    assert len(issues.issues(tmp_path)) == 1


@pytest.mark.parametrize("week", ["2026-46", "2026-W4", "../2026-W46", "2026-W46/..", ""])
def test_an_odd_week_is_refused(tmp_path, week):
    if week == "2026-46":  # a month's form, if no month
        assert put(tmp_path, week).week == week
        return
    with pytest.raises(IssueError, match="label"):
        put(tmp_path, week)


@pytest.mark.parametrize("name", ["../x", "a/b", "issue.json", ".hidden", ""])
def test_an_odd_name_is_refused(tmp_path, name):
    with pytest.raises(IssueError, match="name"):
        put(tmp_path, files={name: b""})
    assert issues.issues(tmp_path) == []


def test_what_is_damaged_or_missing_is_said(tmp_path):
    made = put(tmp_path)
    path = issues.folder(tmp_path, made.week, 1) / "city-990100.json"
    path.chmod(0o644)
    path.write_bytes(b'{"a":2}')
    with pytest.raises(IssueError, match="damaged"):
        issues.content(tmp_path, made, path.name)
    path.unlink()
    with pytest.raises(IssueError, match="cannot be read"):
        issues.content(tmp_path, made, path.name)
    with pytest.raises(IssueError, match="no file"):
        issues.content(tmp_path, made, "county-1.json")
    with pytest.raises(IssueError, match="no issue"):
        issues.issue(tmp_path, "2026-W45")


def test_killed_before_the_rename_nothing_is_issued_and_the_next_run_is_whole(
    tmp_path, monkeypatch
):
    class Killed(BaseException):
        pass

    def killed(self, target):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.rename", killed)
        with pytest.raises(Killed):
            put(tmp_path)
    assert issues.issues(tmp_path) == []
    left = issues.folder(tmp_path, "2026-W46", 1).with_name(".v1")
    assert left.is_dir()
    made = put(tmp_path)
    assert issues.content(tmp_path, made, "head.json") == b"{}"
    assert not left.exists()


def test_files_of_an_issue_cannot_be_written_by_chance(tmp_path):
    made = put(tmp_path)
    path = issues.folder(tmp_path, made.week, 1) / "head.json"
    assert path.stat().st_mode & 0o222 == 0
    assert os.access(path, os.R_OK)


def test_a_damaged_note_hides_no_other_issue_and_is_said(tmp_path):
    put(tmp_path, "2026-W45")
    broken = put(tmp_path)
    note = issues.folder(tmp_path, broken.week, 1) / issues.NOTE
    note.chmod(0o644)
    note.write_text("{", encoding="utf-8")
    assert [one.week for one in issues.issues(tmp_path)] == ["2026-W45"]
    assert list(issues.damaged(tmp_path)) == ["2026-W46"]
    for wanted in ("issue", "put"):
        with pytest.raises(IssueError, match="restore a backup"):
            issues.issue(tmp_path, "2026-W46") if wanted == "issue" else put(
                tmp_path, reason="again"
            )
