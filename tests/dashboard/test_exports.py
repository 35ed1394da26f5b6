"""What is taken away as a file: of whom, why, and nothing that runs or that was not granted."""

import csv
import io

import openpyxl
import pytest

from dashboard import exports
from dashboard.app import create_app
from data.access import Grant, NotVisibleError, Scope, narrowed
from data.audit import AuditError, AuditLog
from tests.dashboard.squares import CITY, COUNTY, SCRIPT, FixedProvider, client

TOWNSHIP = Scope("zb-01", frozenset({Grant("township", "township", "9902006")}), unit="=cmd()")


def made(scope, snapshot, address="", reason="周例会使用"):
    return exports.tables(scope, snapshot, address, mark="zb-01 2026-11-22", reason=reason)


def test_the_rows_add_up_to_the_total_of_the_focus(snapshot):
    for scope, address in (
        (CITY, ""),
        (CITY, "?level=grid"),
        (COUNTY, "?level=community&periods=13"),
    ):
        _, areas, _ = made(scope, snapshot, address).sheets
        *rows, not_placed, total = areas.rows
        assert sum(row[2] for row in rows) + not_placed[2] == total[2] > 0


def test_only_what_was_granted_is_in_it(snapshot):
    _, areas, _ = made(COUNTY, snapshot, "?area=9901003&level=township").sheets
    codes = {row[0] for row in areas.rows if row[0]}
    assert codes == {"9902005", "9902006", "9902007", "9902008"}


def test_a_right_to_export_does_not_reach_into_areas_of_another_role(snapshot):
    both = Scope(
        "u",
        frozenset(
            {Grant("grid_chief", "grid", "9904200"), Grant("township", "township", "9902006")}
        ),
    )
    _, areas, _ = made(narrowed(both, "export"), snapshot, "?area=9904200").sheets
    assert "9904200" not in {row[0] for row in areas.rows}
    with pytest.raises(NotVisibleError):
        made(
            narrowed(Scope("c", frozenset({Grant("grid_chief", "grid", "9904200")})), "export"),
            snapshot,
        )


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("hostile", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "＝1+1"])
def test_no_text_runs_as_a_formula(snapshot, kind, hostile):
    content = exports.written(made(CITY, snapshot, reason=hostile), kind)
    cells = list(cells_of(content, kind))
    assert f"'{hostile}" in cells
    assert not any(str(cell)[:1] in "=+@\t＝" for cell in cells if isinstance(cell, str) and cell)


def cells_of(content, kind):
    if kind == "csv":
        assert content[:3] == b"\xef\xbb\xbf"
        for row in csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")):
            yield from row
        return
    for sheet in openpyxl.load_workbook(io.BytesIO(content)):
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f"
                yield cell.value


def test_both_formats_hold_the_same(snapshot):
    export = made(CITY, snapshot, "?level=township")
    book = openpyxl.load_workbook(io.BytesIO(exports.written(export, "xlsx")))
    assert [sheet.title for sheet in book] == [sheet.name for sheet in export.sheets]
    for sheet, page in zip(export.sheets, book, strict=True):
        assert [list(row) for row in page.iter_rows(values_only=True)] == [
            [None if value == "" else value for value in line] for line in sheet.lines
        ]
    assert SCRIPT in list(cells_of(exports.written(made(CITY, snapshot), "csv"), "csv"))


@pytest.fixture
def township(settings, store):
    return create_app(settings, store, provider=FixedProvider(TOWNSHIP))


def form(browser, path="/export"):
    page = browser.get(path).get_data(as_text=True)
    return page.rpartition('name="form_token" value="')[2].partition('"')[0]


def test_an_export_asks_why_and_is_recorded_before_it_is_given(township):
    browser = client(township)
    token = form(browser)
    log = township.server.extensions["pingan_audit"]
    refused = browser.post("/export", data={"form_token": token, "format": "csv", "reason": " ab "})
    assert refused.status_code == 400
    answer = browser.post(
        "/export?level=grid", data={"form_token": token, "format": "csv", "reason": "周例会 使用"}
    )
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="pingan-2026')
    assert answer.headers["Cache-Control"] == "private, no-store"
    text = answer.get_data(as_text=True)
    assert "zb-01 =cmd()" in text
    last = log.search(limit=1)[0]
    assert (last.user, last.action, last.result, last.detail) == (
        "zb-01",
        "export",
        "ok",
        "周例会 使用",
    )


def test_without_a_record_there_is_no_file(township, monkeypatch):
    browser = client(township)
    token = form(browser)

    def fail(self, **row):
        raise AuditError("full")

    monkeypatch.setattr(AuditLog, "write", fail)
    data = {"form_token": token, "format": "xlsx", "reason": "周例会使用"}
    assert browser.post("/export", data=data).status_code == 503
    assert browser.get("/export").status_code == 200


@pytest.mark.parametrize("changed", [{"form_token": "x"}, {"format": "exe"}, {"format": ""}])
def test_a_form_that_the_page_did_not_make_is_refused(township, changed):
    browser = client(township)
    data = {"form_token": form(browser), "format": "csv", "reason": "周例会使用"} | changed
    assert browser.post("/export", data=data).status_code == 400


def test_a_grid_chief_exports_nothing(settings, store):
    chief = Scope("c", frozenset({Grant("grid_chief", "grid", "9904086")}))
    browser = client(create_app(settings, store, provider=FixedProvider(chief)))
    assert browser.get("/export").status_code == 403
    assert browser.post("/export", data={"format": "csv"}).status_code == 403
