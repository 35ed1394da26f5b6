"""The factory of tables: every table the same, in both languages, with nothing that is run."""

import datetime as dt
import json
import re
from pathlib import Path

import numpy as np
import pytest

import dashboard
from dashboard.desk import grid
from dashboard.desk.grid import Column
from dashboard.text import Words
from data.access import Grant, Scope
from tests.dashboard.squares import CITY

SCRIPT = Path(dashboard.__file__).parent / "assets" / "desk_grid.js"
KINDS = (
    "text", "link", "count", "number", "change", "range", "share", "p", "chip", "flag", "spark",
)  # fmt: skip


def made(snapshot, rows=(), columns=(), scope=CITY, **more):
    box = grid.table(
        "test", columns or [Column("a", "A")], rows, scope=scope, snapshot=snapshot,
        words=Words("zh"), label="L", **more,
    )  # fmt: skip
    return box, box.children[1]


def test_unknown_values_are_null_and_days_are_text(snapshot):
    rows = [{"id": "1", "a": np.nan, "b": np.int64(3), "c": dt.date(2026, 11, 9), "d": None,
             "e": np.float64(0.1234567891), "f": np.bool_(True), "g": float("inf")}]  # fmt: skip
    _, table = made(snapshot, rows)
    assert table.rowData == [
        {"id": "1", "a": None, "b": 3, "c": "2026-11-09", "d": None, "e": 0.123457, "f": True,
         "g": None}
    ]  # fmt: skip
    json.dumps(table.rowData)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_printed_by_a_function_that_the_page_has(snapshot, kind):
    _, table = made(snapshot, columns=[Column("a", "A", kind, more={"p": "b", "to": "b"})])
    (column,) = table.columnDefs
    script = SCRIPT.read_text(encoding="utf-8")
    for key in ("valueFormatter", "filterValueGetter"):
        if key in column:
            (name,) = re.fullmatch(r"(\w+)\(params\)", column[key]["function"]).groups()
            assert re.search(rf"^    {name}: ", script, re.MULTILINE), name
    if "cellRenderer" in column:
        assert f"{column['cellRenderer']}: {column['cellRenderer']}" in script


def test_no_code_may_be_given_as_text(snapshot):
    _, table = made(snapshot)
    assert not hasattr(table, "dangerously_allow_code")  # it is off by default
    script = SCRIPT.read_text(encoding="utf-8")
    for word in ("eval(", "new Function", "innerHTML", "http:", "https:"):
        assert word not in script


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_grid_speaks_the_language_of_the_page(lang):
    words = grid.locale(Words(lang))
    assert {"contains", "noRowsToShow", "filterOoo", "inRangeStart", "ariaFilterInput"} <= set(
        words
    )
    assert words["ariaFilterInput"].count("${variable}") == 1
    if lang == "zh":
        # The translation that comes with the grid says “页 0 的 0”.
        assert words["of"] != "的"


def test_only_who_may_export_gets_the_button(snapshot):
    def has_button(scope):
        box, _ = made(snapshot, scope=scope)
        return any("grid-export" in getattr(part, "className", "")
                   for part in box.children[0].children)  # fmt: skip

    assert has_button(CITY)
    assert not has_button(Scope("g", frozenset({Grant("grid_chief", "grid", "9904086")})))


def test_a_file_says_who_made_it_of_what(snapshot):
    box, _ = made(snapshot)
    button = box.children[0].children[-1].to_plotly_json()["props"]
    assert snapshot.id in button["data-stamp"]
    assert CITY.user in button["data-stamp"]


def test_rows_that_are_left_out_are_counted(snapshot):
    box, _ = made(snapshot, [{"id": "1", "a": 1}], total=1234)
    assert "1,234" in str(box.children[0].children[1].children)


@pytest.mark.parametrize(
    ("places", "shown"),
    [(["W", "W"], ["a"]), (["W", "E"], ["a", "place"]), (["W"], ["a", "place"])],
)
def test_a_column_that_says_the_same_in_every_row_may_go(snapshot, places, shown):
    rows = [{"id": str(at), "a": "x", "place": place} for at, place in enumerate(places)]
    columns = [Column("a", "A"), Column("place", "P", may_go=True)]
    _, table = made(snapshot, rows, columns)
    assert [column["field"] for column in table.columnDefs] == shown
