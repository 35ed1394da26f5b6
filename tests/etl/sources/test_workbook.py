import struct
import zipfile

import openpyxl
import pytest
import xlwt

from etl.sources import SourceError, read_chunks
from etl.sources.workbook import open_workbook
from tests.etl.sources.books import HEADER, data_row, make_source, rewrite_sheet, write_xlsx

XML_TABLE = (
    b'\xef\xbb\xbf<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>'
    b'<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"></Workbook>'
)


def refused(path, match):
    with pytest.raises(SourceError, match=match) as caught:
        list(read_chunks(make_source(), path))
    message = str(caught.value)
    assert message.startswith(f"source disputes: {path.name} ")
    assert message.count(path.name) == 1


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.xlsx", "纠纷编号,发生日期\nJF1,2026-11-16\n".encode(), "is a text file"),
        ("a.xlsx", "纠纷编号,发生日期\nJF1,2026-11-16\n".encode("gb18030"), "is a text file"),
        ("a.xls", b"<html><head></head><body><table><tr><td>1</td></tr></table></body></html>",
         r"is a web page \(HTML\)"),
        ("a.xls", b"\r\n  <table border='1'><tr><td>1</td></tr></table>", "web page"),
        ("a.xls", XML_TABLE,
         "is an XML table"),
        ("a.xlsx", b"", "is empty"),
        ("a.xlsx", b"\x89PNG\r\n\x1a\n\0\0\0", "damaged or no Excel workbook"),
        ("a.xlsx", b"PK\x03\x04 and then nothing", "damaged"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "damaged"),
    ],
)  # fmt: skip
def test_what_is_no_workbook_is_told_apart(tmp_path, name, content, said):
    path = tmp_path / name
    path.write_bytes(content)
    refused(path, said)


def test_a_truncated_workbook(tmp_path):
    path = write_xlsx(tmp_path / "a.xlsx", [HEADER, data_row(1)])
    path.write_bytes(path.read_bytes()[:-200])
    refused(path, "damaged")


def test_broken_cells(tmp_path):
    path = write_xlsx(tmp_path / "a.xlsx", [HEADER, data_row(1)])
    rewrite_sheet(path, (b"</sheetData>", b"<c r="))
    refused(path, "damaged")


def test_flipped_bytes(tmp_path):
    path = write_xlsx(tmp_path / "a.xlsx", [HEADER, *(data_row(n) for n in range(50))])
    with zipfile.ZipFile(path) as parts:
        at = parts.getinfo("xl/worksheets/sheet1.xml").header_offset
    content = bytearray(path.read_bytes())
    for offset in range(200, 260):
        content[at + offset] ^= 0xFF
    path.write_bytes(content)
    refused(path, "damaged")


def test_other_zip_files(tmp_path):
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as parts:
        parts.writestr("content.xml", "<office/>")
    refused(path, r"no \.xlsx workbook")


def test_the_ending_of_the_name_does_not_matter(tmp_path):
    path = write_xlsx(tmp_path / "a.xlsx", [HEADER, data_row(1)])
    renamed = path.rename(tmp_path / "a.xls")
    assert sum(len(chunk.rows) for chunk in read_chunks(make_source(format="xls"), renamed)) == 1


def test_workbooks_protected_by_a_password(tmp_path):
    # Excel packs an encrypted .xlsx into the old container, as a stream of this name.
    book = xlwt.Workbook()
    book.add_sheet("台账").write(0, 0, "x")
    path = tmp_path / "a.xlsx"
    book.save(str(path))
    content = path.read_bytes()
    old, new = ("Workbook\0".encode("utf-16-le"), "EncryptedPackage\0".encode("utf-16-le"))
    at = content.index(old)
    entry = new.ljust(64, b"\0") + struct.pack("<H", len(new)) + content[at + 66 : at + 128]
    path.write_bytes(content[:at] + entry + content[at + 128 :])
    refused(path, "protected by a password")


def test_empty_workbooks(tmp_path):
    path = tmp_path / "a.xlsx"
    openpyxl.Workbook().save(path)
    refused(path, "no sheet with a table")


def test_a_bomb_of_one_part(tmp_path):
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("xl/workbook.xml", "<workbook/>")
        parts.writestr("xl/worksheets/sheet1.xml", bytes(30_000_000))
    assert path.stat().st_size < 40_000
    refused(path, r"claims to unpack to 30,000,011 bytes \(allowed: 200,000,000, and 100 times")


def test_a_claim_above_the_limit(tmp_path, monkeypatch):
    path = write_xlsx(tmp_path / "a.xlsx", [HEADER, data_row(1)])
    monkeypatch.setattr("etl.sources.workbook.MAX_BYTES", 1000)
    refused(path, "claims to unpack")


@pytest.mark.parametrize("cell", [b'r="XFD1048576"', b'r="A1048576"', b"r='ZZZ900000'"])
def test_a_far_cell_that_would_take_all_memory(tmp_path, cell):
    path = write_xlsx(tmp_path / "a.xlsx", [[None, *range(30)], HEADER, data_row(1)])
    rewrite_sheet(path, (b'r="B3"', cell))
    refused(path, "more than 20,000,000 cells")


def test_a_wide_sheet_is_measured_by_its_rows(tmp_path, monkeypatch):
    monkeypatch.setattr("etl.sources.workbook.MAX_CELLS", 4_000_000)
    path = write_xlsx(tmp_path / "a.xlsx", [[*HEADER, *range(290)], data_row(1)])
    rewrite_sheet(path, (b'<row r="2"', b'<row r="12000"'), (b'2" ', b'12000" '))
    assert sum(len(chunk.rows) for chunk in read_chunks(make_source(), path)) == 1
    monkeypatch.setattr("etl.sources.workbook.MAX_CELLS", 3_000_000)
    refused(path, "row 12,000 and column 300")


def test_formatted_rows_without_values_cost_nothing(tmp_path):
    path = write_xlsx(tmp_path / "a.xlsx", [HEADER, data_row(1)], formats={"A500000": "0.00"})
    assert sum(len(chunk.rows) for chunk in read_chunks(make_source(), path)) == 1


def test_the_date_system_of_old_workbooks(tmp_path):
    for is_1904 in (False, True):
        book = xlwt.Workbook()
        book.dates_1904 = is_1904
        book.add_sheet("台账").write(0, 0, "x")
        book.save(str(tmp_path / "a.xls"))
        with open_workbook(tmp_path / "a.xls") as opened:
            assert opened.from_1904 is is_1904
