import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etl.sources import SourceError, headings, read_chunks


def test_types_of_the_file_are_kept_and_nothing_else_is_read(tmp_path, read, make_source, calls):
    path = tmp_path / "calls.parquet"
    stamped = calls.assign(
        时间=pd.to_datetime(calls["时间"]), 类别=calls["类别"].astype("category")
    )
    stamped.to_parquet(path, row_group_size=2)
    found = read(make_source("parquet"), path)
    assert pa.types.is_timestamp(found.table.schema.field("occurred_at").type)
    assert pa.types.is_float64(found.table.schema.field("lng").type)
    assert pa.types.is_string(found.table.schema.field("category").type)
    assert found.table["category"].to_pylist() == ["噪声", "占道", None]
    assert found.numbers == [1, 2, 3]
    assert set(found.table.column_names) == {
        "incident_id", "occurred_at", "category", "outcome", "lng", "lat", "row",
    }  # fmt: skip
    assert headings(make_source("parquet"), path) == list(calls.columns)


def test_text_in_other_clothes_is_text(tmp_path, read, make_source, calls):
    path = tmp_path / "calls.parquet"
    table = pa.Table.from_pandas(calls)
    for name, kind in (
        ("编号", pa.large_string()),
        ("类别", pa.binary()),
        ("时间", pa.string_view()),
    ):
        at = table.column_names.index(name)
        table = table.set_column(at, name, table[name].cast(kind))
    pq.write_table(table, path)
    found = read(make_source("parquet"), path)
    for name in ("incident_id", "category", "occurred_at"):
        assert found.table.schema.field(name).type == pa.string()
    assert found.table["category"].to_pylist() == ["噪声", "占道", None]


def test_chunks_are_cut_across_row_groups(tmp_path, make_source, calls):
    path = tmp_path / "calls.parquet"
    pd.concat([calls] * 10).to_parquet(path, row_group_size=4)
    chunks = list(read_chunks(make_source("parquet"), path, rows=7))
    assert [len(chunk.rows) for chunk in chunks] == [7, 7, 7, 7, 2]
    assert [number for chunk in chunks for number in chunk.rows["row"].to_pylist()] == list(
        range(1, 31)
    )


def test_no_rows_no_chunk(tmp_path, read, make_source, calls):
    path = tmp_path / "calls.parquet"
    calls.head(0).to_parquet(path)
    assert read(make_source("parquet"), path).sizes == []


def _whole(calls, path):
    calls.to_parquet(path)
    return path.read_bytes()


def _cut(calls, path):
    path.write_bytes(_whole(calls, path)[:-200])


def _flipped(calls, path):
    table = pa.Table.from_pandas(pd.concat([calls] * 500))
    pq.write_table(table, path, compression="none", write_page_checksum=True, use_dictionary=False)
    content = bytearray(path.read_bytes())
    content[2000] ^= 1
    path.write_bytes(content)


def _bad_text(calls, path):
    texts = pa.array([b"\xff\xfe", b"a", b"b"]).view(pa.string())
    table = pa.Table.from_pandas(calls)
    pq.write_table(table.set_column(0, "编号", texts), path)


def _bad_bytes(calls, path):
    table = pa.Table.from_pandas(calls)
    pq.write_table(table.set_column(0, "编号", pa.array([b"\xff", b"a", b"b"])), path)


def _nested(calls, path):
    calls.assign(类别=[{"a": 1}] * 3).to_parquet(path)


def _twice(calls, path):
    table = pa.Table.from_pandas(calls)
    pq.write_table(table.append_column("类别", table["类别"]), path)


def _csv(calls, path):
    calls.to_csv(path)


def _empty(_calls, path):
    path.touch()


def _lacking(calls, path):
    calls.drop(columns="类别").to_parquet(path)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_cut, "cannot be read"), (_flipped, "cannot be read"), (_bad_text, "cannot be read"),
        (_bad_bytes, "cannot be read"), (_nested, "tables or lists in the column '类别'"),
        (_twice, "more than once"), (_csv, "cannot be read"), (_empty, "cannot be read"),
        (_lacking, r"lacks the columns \['类别'\]"),
    ],
)  # fmt: skip
def test_a_hostile_file_is_refused_whole(  # noqa: PLR0917
    tmp_path, read, make_source, calls, spoil, message
):
    path = tmp_path / "calls.parquet"
    spoil(calls, path)
    with pytest.raises(SourceError, match=message):
        read(make_source("parquet"), path)


def test_a_missing_file_is_told(tmp_path, read, make_source):
    with pytest.raises(SourceError, match=r"calls: x\.parquet cannot be read"):
        read(make_source("parquet"), tmp_path / "x.parquet")


def test_rows_without_files_have_no_reader(tmp_path, read, make_source):
    with pytest.raises(SourceError, match="view or push"):
        read(make_source("rows"), tmp_path / "x")
