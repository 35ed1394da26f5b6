import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl.sources import SourceError, delimited, headings

HEADER = "编号,来电人,时间,类别,办理结果,经度,纬度\n"
ROW = "007,李四,t, A ,NA,1.50,2\n"


@pytest.fixture
def write(tmp_path):
    def write(text, encoding="utf-8"):
        path = tmp_path / "calls.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    return write


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_encodings_give_the_same_rows(write, read, make_source, calls, encoding):
    path = write("")
    calls.to_csv(path, index=False, encoding=encoding)
    found = read(make_source("csv"), path)
    assert found.rows[0] == {
        "incident_id": "007", "occurred_at": "2026-01-05 10:00", "category": "噪声",
        "outcome": "已办结", "lng": "103.81", "lat": "36.05", "row": 1,
    }  # fmt: skip
    assert found.rows[2]["category"] is None
    assert headings(make_source("csv"), path) == list(calls.columns)


def test_a_mark_of_gb18030_is_no_part_of_the_first_heading(write, read, make_source):
    assert read(make_source("csv"), write("\ufeff" + HEADER + ROW, "gb18030")).numbers == [1]


def test_one_foreign_byte_decides_for_the_whole_file(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(("a\n" + "甲乙\n" * 800_000).encode() + "丙".encode("gb18030") + b"\n")
    assert delimited.csv_encoding(path) == "gb18030"
    path.write_bytes(b"\xff\xff\xff")
    with pytest.raises(SourceError, match="neither UTF-8 nor GB18030"):
        delimited.csv_encoding(path)


def test_text_is_kept_as_it_is_and_nothing_else_is_read(write, read, make_source):
    found = read(make_source("csv"), write(HEADER + ROW + "1,,,,,,\n"))
    assert "李四" not in found.rows[0].values()
    assert [found.rows[0][name] for name in ("incident_id", "category", "outcome", "lng")] == [
        "007", " A ", "NA", "1.50",
    ]  # fmt: skip
    assert found.rows[1]["outcome"] is None


def test_tabs_separate_fields_of_a_tsv(write, read, make_source):
    found = read(make_source("tsv"), write((HEADER + "1,,t,甲，乙,,1,2\n").replace(",", "\t")))
    assert found.rows[0]["category"] == "甲，乙"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_rows_with_other_numbers_of_fields_keep_their_number(write, read, make_source, end):
    lines = [
        "1,,t,A,,1,2", "2,t", "", '3,,t,A,"two\nlines ""x""",1,2', "4,,t,A,,1,2,,,", "5,,t,A,,1,2",
    ]  # fmt: skip
    found = read(make_source("csv"), write(HEADER.strip() + end + end.join(lines)))
    assert found.numbers == [1, 3, 5]
    assert found.rows[1]["outcome"] == 'two\nlines "x"'
    assert found.malformed == [2, 4]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    kinds=st.lists(st.sampled_from(["good", "short", "long", "quoted", "blank"]), max_size=40),
    block=st.integers(40, 400),
    rows=st.integers(1, 9),
)
def test_numbers_do_not_depend_on_blocks_or_chunks(  # noqa: PLR0917
    write, read, make_source, kinds, block, rows
):
    texts = {
        "good": "1,,t,A,甲,1,2", "short": "1,2", "long": "1,,,,,,,,", "blank": "",
        "quoted": '1,,t,A,"乙\n\n, ""丙""\n",1,2',
    }  # fmt: skip
    path = write(HEADER + "\n".join(texts[kind] for kind in kinds), "gb18030")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "_BLOCK_BYTES", block)
        found = read(make_source("csv"), path, rows=rows)
    counted = [kind for kind in kinds if kind != "blank"]
    bad = [at for at, kind in enumerate(counted, 1) if kind in ("short", "long")]
    assert found.malformed == bad
    assert found.numbers == [at for at in range(1, len(counted) + 1) if at not in bad]
    assert all(size == rows for size in found.sizes[:-1])


def test_a_file_without_rows_has_no_chunk(write, read, make_source):
    assert read(make_source("csv"), write(HEADER)).sizes == []
    assert read(make_source("csv"), write(HEADER.strip())).sizes == []


def test_unreadable_rows_alone_are_still_counted(write, read, make_source):
    found = read(make_source("csv"), write(HEADER + "1\n2\n"))
    assert (found.numbers, found.malformed) == ([], [1, 2])


def test_a_published_column_may_also_be_the_category(write, read, make_source):
    source = make_source("csv", published=[("类别", "grid")])
    row = read(source, write(HEADER + ROW)).rows[0]
    assert (row["category"], row["published_grid"]) == (" A ", " A ")


def test_a_column_that_is_not_read_may_stand_twice(write, read, make_source):
    found = read(make_source("csv"), write("备注,备注," + HEADER + ",," + ROW))
    assert found.numbers == [1]


def test_missing_columns_are_named(write, read, make_source):
    with pytest.raises(
        SourceError, match=r"calls: calls\.csv lacks the columns \['类别', '纬度'\]"
    ):
        read(make_source("csv"), write("编号,时间,办理结果,经度\n1,t,,1\n"))


HOSTILE = {
    "nothing": (b"", "it has none"),
    "two columns of one name": (("类别," + HEADER + "B," + ROW).encode(), "more than once"),
    "NUL bytes": ((HEADER + ROW).encode() + b"\0\0", "NUL bytes"),
    "UTF-16": ((HEADER + ROW).encode("utf-16"), "UTF-16"),
    "UTF-16 without a mark": ((HEADER + ROW).encode("utf-16-le"), "NUL bytes"),
    "marked as UTF-8": (b"\xef\xbb\xbf" + (HEADER + ROW).encode("gb18030"), "marked as UTF-8"),
    "cut inside a character": ((HEADER + ROW).encode() + "甲".encode()[:2], "neither"),
    "open quote": ((HEADER + '1,,t,"A,,1,2\n' + ROW * 9).encode(), "never closed after data row 0"),
    "endless first line": (b"x" * 3_000_000, "no readable first line"),
    "another separator": ((HEADER + ROW).replace(",", ";").encode(), "lacks the columns"),
    "a web page": ("<html><body>登录</body></html>".encode(), "lacks the columns"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_whole(write, read, make_source, name):
    content, message = HOSTILE[name]
    with pytest.raises(SourceError, match=message):
        read(make_source("csv"), write(content))


def test_an_open_quote_does_not_swallow_the_memory(write, read, make_source, monkeypatch):
    monkeypatch.setattr(delimited, "_BLOCK_BYTES", 1000)
    monkeypatch.setattr(delimited, "_ROW_BYTES", 5000)
    path = write(HEADER + ROW * 100 + '1,,t,"A,,1,2\n' + ROW * 10_000)
    with pytest.raises(SourceError, match="never closed"):
        read(make_source("csv"), path)
    read(make_source("csv"), write(HEADER + ROW * 100 + '1,,t,5" pipe,,1,2\n' + ROW * 1000))
