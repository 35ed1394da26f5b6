"""docs/security.md says what the program does."""

import re
from pathlib import Path

import pytest

from data.permissions import Matrix, Right, matrix
from docs import permission_matrix

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


def test_the_matrix_on_the_page_is_the_one_that_decides():
    assert permission_matrix.drawn(PAGE) == PAGE, "run `python -m docs.permission_matrix`"


def test_the_table_has_every_action_and_role():
    rows = permission_matrix.table().splitlines()
    known = matrix()
    assert len(rows) == len(known.actions) + 2
    assert {row.count("|") for row in rows} == {len(known.roles) + 2}
    told = "\n".join(rows)
    assert all(title in told for titles in known.actions.values() for title in titles)
    assert all(role.title_zh in told and role.title_en in told for role in known.roles.values())


@pytest.mark.parametrize(
    ("right", "cell"),
    [
        (Right("-", needs_reason=False), "–"),
        (Right("self", needs_reason=False), "own"),
        (Right("own", needs_reason=True), "areas +"),
        (Right("wider", needs_reason=False), "protected"),
        (Right("all", needs_reason=True), "yes +"),
    ],
)
def test_a_changed_right_changes_the_page(monkeypatch, right, cell):
    whole = matrix()
    changed = Matrix(whole.actions, whole.roles, {**whole.rights, ("map", "leader"): right})
    monkeypatch.setattr(permission_matrix, "matrix", lambda: changed)
    row = permission_matrix.table().splitlines()[2]
    assert row.split(" | ")[list(whole.roles).index("leader") + 1] == cell
    assert (permission_matrix.drawn(PAGE) == PAGE) == (right == whole.right("map", "leader"))


@pytest.mark.parametrize("page", ["no marks", PAGE + PAGE])
def test_a_page_without_its_marks_is_refused(page):
    with pytest.raises(ValueError, match="keep one"):
        permission_matrix.drawn(page)


def test_every_control_of_the_table_is_on_the_page(tmp_path):
    import datetime as dt

    from data.settings import Settings
    from etl import compliance

    now = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
    found = compliance.examine(
        Settings(home=tmp_path / "home"), now=now, environ={}, headers_of=lambda _settings: None
    )
    (section,) = re.findall(r"## The compliance table\n(.*?)\n## ", PAGE, re.DOTALL)
    assert [row.name for row in found if row.name not in section] == []


def test_the_tests_that_the_page_names_are_there():
    named = set(re.findall(r"`(tests/[\w/.]+)`", PAGE))
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_both_front_pages_lead_there(readme):
    assert "docs/security.md" in (ROOT / readme).read_text(encoding="utf-8")
