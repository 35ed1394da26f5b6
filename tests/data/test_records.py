import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.city import read_city
from data.records import rows_chunk
from tests.small_city import PUSHED, row, write_city

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from([*row(1), "电话"])


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = write_city(tmp_path_factory.mktemp("city"), {"pushed": PUSHED})
    return read_city(folder, home=folder).sources[0]


def test_values_become_text_that_reads_back(source):
    rows = [
        row(1, 类别=7, 经度=0.1 + 0.2, 纬度=True),
        row(2, 类别=Decimal("1E+2"), 经度=None, 纬度=7.0),
        row(3, 类别=-(2**63), 经度=-0.5),
    ]
    found = rows_chunk(source, rows, before=10).rows
    assert found.column("row").to_pylist() == [11, 12, 13]
    assert found.column("category").to_pylist() == ["7", "100", str(-(2**63))]
    assert found.column("lng").to_pylist() == ["0.30000000000000004", None, "-0.5"]
    assert found.column("lat").to_pylist() == ["true", "7", "30.25"]


@pytest.mark.parametrize(
    "value", [["1"], {"code": 1}, float("nan"), float("inf"), 10**30, "\ud800", b"1", object()]
)
def test_a_value_that_is_no_value_makes_its_row_malformed(source, value):
    found = rows_chunk(source, [row(1), row(2, 类别=value), row(3, 电话=value)])
    assert found.malformed.tolist() == [2]
    assert found.rows.column("row").to_pylist() == [1, 3]


def test_times_stay_times_naive_ones_too(source):
    at = dt.datetime(2026, 11, 16, 8, 30)  # noqa: DTZ001 - as databases keep it
    naive = rows_chunk(source, [row(1, 发生时间=at), row(2, 发生时间=None)])
    assert naive.rows.schema.field("occurred_at").type == pa.timestamp("us")
    assert naive.rows.column("occurred_at").to_pylist() == [at, None]
    zone = dt.timezone(dt.timedelta(hours=8))
    aware = rows_chunk(source, [row(1, 发生时间=at.replace(tzinfo=zone))])
    (moment,) = aware.rows.column("occurred_at").to_pylist()
    assert moment == dt.datetime(2026, 11, 16, 0, 30, tzinfo=dt.UTC)
    mixed = rows_chunk(source, [row(1, 发生时间=at), row(2, 发生时间="2026-11-16 08:30:00")])
    assert mixed.rows.column("occurred_at").to_pylist() == ["2026-11-16 08:30:00"] * 2


def test_no_rows_are_an_empty_chunk(source):
    found = rows_chunk(source, [])
    assert (len(found.rows), len(found.malformed)) == (0, 0)


@given(rows=st.lists(JSON | st.dictionaries(NAMES, JSON), max_size=8))
def test_every_row_is_either_kept_or_malformed(source, rows):
    found = rows_chunk(source, rows)
    numbers = found.rows.column("row").to_pylist() + found.malformed.tolist()
    assert sorted(numbers) == list(range(1, len(rows) + 1))
    assert set(found.rows.column_names) == {*source.allowed, "row"}
