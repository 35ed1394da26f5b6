"""Marked actions: places, days and kinds, and nothing else."""

import datetime as dt

import pytest

from data.actions import Action, ActionsError, read_actions

GROUPS, KINDS = ("disputes", "police"), ("patrol", "lighting")
HEAD = "id,level,code,date,kind,group\n"


def read(folder, text):
    (folder / "actions.csv").write_text(text, encoding="utf-8")
    return read_actions(folder, kinds=KINDS, groups=GROUPS)


def test_a_city_without_the_file_has_none(tmp_path):
    assert read_actions(tmp_path, kinds=KINDS, groups=GROUPS) == ()


def test_rows_are_actions(tmp_path):
    found = read(tmp_path, "\ufeff" + HEAD + "2026-1,grid,990101001001001,2026-05-04,patrol,all\n")
    day = dt.date(2026, 5, 4)
    assert found == (Action("2026-1", "grid", "990101001001001", day, "patrol", "all"),)


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("a,street,1,2026-05-04,patrol,all", "`level`"),
        ("a,grid,东湖社区门口,2026-05-04,patrol,all", "`code`"),
        ("a,grid,1,04.05.2026,patrol,all", "`date`"),
        ("a,grid,1,20260504,patrol,all", "`date`"),
        ("a,grid,1,2026-05-04,王某被劝离,all", "no free text"),
        ("a,grid,1,2026-05-04,patrol,petitions", "`group`"),
        ("13812345678,grid,1,2026-05-04,patrol,all", "long number"),
        ("a b,grid,1,2026-05-04,patrol,all", "`id`"),
        ("a,grid,1,2026-05-04,patrol,all,remark", "7 values"),
    ],
)
def test_anything_else_is_refused(tmp_path, row, fault):
    with pytest.raises(ActionsError, match=fault) as raised:
        read(tmp_path, HEAD + row + "\n")
    assert "line 2" in str(raised.value)
    assert "王某" not in str(raised.value)


def test_further_columns_and_repeated_ids_are_refused(tmp_path):
    with pytest.raises(ActionsError, match="first line"):
        read(tmp_path, HEAD.replace("group", "group,remark"))
    row = "a,grid,1,2026-05-04,patrol,all\n"
    with pytest.raises(ActionsError, match="once"):
        read(tmp_path, HEAD + row + row)
