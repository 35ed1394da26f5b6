"""Personal numbers are found however they are written; ordinary codes are left alone."""

import datetime as dt

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.personal import (
    REMOVED,
    TOO_LONG,
    names_a_person,
    personal_columns,
    personal_share,
    scrub,
    without_personal,
)

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
PROVINCES = "京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新"
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
WIDE = {ord(c): ord(c) - 0x20 + 0xFF00 for c in "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"}


def found(text, *, is_number=False):
    return bool(names_a_person(pa.array([text], pa.string()), is_number=is_number)[0])


def with_check_digit(first):
    return first + "10X98765432"[sum(int(d) * w for d, w in zip(first, WEIGHTS, strict=True)) % 11]


@pytest.mark.parametrize(
    "text",
    [
        # GB 11643-1999, example of annex A
        "11010519491231002X",
        "证11010519491231002x。",
        "110105 19491231 002X",
        "１１０１０５１９４９１２３１００２Ｘ",
        "身份证号：110105491231002",
        "回电13812345678",
        "138-1234-5678",
        "138 1234 5678",
        "+86 138 1234 5678",
        "8613812345678",
        "008613812345678",
        "１３８１２３４５６７８",
        "tel.13812345678",
        "TEL13812345678",
        "微信wx13812345678",
        "013812345678",
        "0931-8412345",
        "(0931)8412345",
        "（0931）8412345",
        "010-65123456",
        "02163215678",
        "0931 8412345转801",
        "京A12345",
        "甘A·1B234",
        "粤Z1234港",
        "粤Z1234澳",
        "京A1234警",
        "京A1234学",
        "京A1234挂",
        "京AD12345",
        "京A12345D",
        "沪 A-12345",
        "沪A1234领",
        "使014578",
        "014578使",
        "WJ京1234X",
        "WJ01-12345",
        "军A12345",
        "VA·12345",
        "车牌京Ａ１２３４５停在门口",
        "卡号 6222021234567890123",
        "zhang.san@example.com",
    ],
)
def test_what_names_a_person_is_found_and_scrubbed(text):
    assert found(text)
    assert REMOVED in scrub(text)
    assert not found(scrub(text))


@pytest.mark.parametrize(
    "text",
    [
        "110105194913310021",  # month 13
        "12812345678",
        "a13812345678b",
        "113.13812345678",
        "-2.804451",
        "20251118103000",
        "20251118103000123",
        "2025-11-18 13:30:00",
        "2025-11-18T13:30:00+08:00",
        "1763437800",
        "1763437800000",
        "GD-20251118-0001",
        "620102002003",
        "62010200200301",
        "110105001001001",
        "62010200200300112345",
        "12345热线",
        "上海12345",
        "20251118使用中",
        "公安局",
        "第3网格",
        "",
        None,
    ],
)
def test_ordinary_values_are_left_alone(text):
    assert not found(text)
    assert text is None or scrub(text) == text


def test_a_pandas_column_is_read_by_position():
    texts = pd.Series(["13812345678", None, "x"], dtype="str", index=[7, 8, 9])
    assert names_a_person(texts).tolist() == [True, False, False]
    assert names_a_person(pa.chunked_array([["x"], ["13812345678"]])).tolist() == [False, True]


def test_codes_need_a_right_check_digit():
    numbers = pa.array(["11010519491231002X", "110105194912310021", "13812345678"])
    assert names_a_person(numbers, is_number=True).tolist() == [True, False, True]


def test_zeros_that_fill_a_code_make_no_telephone_number():
    assert not found("013812345678", is_number=True)
    assert not found("093184123456", is_number=True)


def test_order_numbers_of_region_and_date_are_left_alone_however_many_or_few():
    """Six digits of region, the day, a serial number: 18 digits, one in eleven checks by chance."""
    numbers = [with_check_digit(f"62010220251118{n:03d}") for n in range(2)]
    assert not names_a_person(pa.array(numbers), is_number=True).any()
    column = pa.array([f"62010220251118{n:04d}" for n in range(2000)])
    assert not names_a_person(column, is_number=True).any()


def test_a_column_of_identity_numbers_is_known_whatever_the_year_of_birth():
    numbers = [with_check_digit(f"6201022005{month:02d}18001") for month in range(1, 13)]
    assert names_a_person(pa.array(numbers), is_number=True).all()


def test_repeated_values_are_judged_once_and_answered_by_row():
    values = ["办结", "转13812345678", None, "未办"] * 5000
    assert names_a_person(pa.array(values)).tolist() == [False, True, False, False] * 5000


def test_rows_lose_personal_values_and_free_text_and_nothing_else():
    rows = pa.table(
        {
            "incident_id": ["A-1", "13812345678", None],
            "outcome": ["办结", "甘A12345", "很长" * 40],
            "lng": [103.8, 103.9, None],
            "area_code": pa.array([620102002003, 13812345678, None], pa.int64()),
            "category": pa.array(["0101", "电13812345678", "0101"]).dictionary_encode(),
            "row": pa.array([13812345678, 2, 3], pa.int64()),
        }
    )
    cleaned = without_personal(rows).to_pydict()
    assert cleaned == {
        "incident_id": ["A-1", REMOVED, None],
        "outcome": ["办结", REMOVED, TOO_LONG],
        "lng": [103.8, 103.9, None],
        "area_code": ["620102002003", REMOVED, None],
        "category": ["0101", REMOVED, "0101"],
        "row": [13812345678, 2, 3],
    }


def test_numbers_that_spreadsheets_made_of_telephone_numbers_are_found():
    rows = pa.table({"category": [13812345678.0, float("nan"), 101.0]})
    assert without_personal(rows)["category"].to_pylist()[0] == REMOVED


def test_clean_rows_are_returned_as_they_are():
    rows = pa.table({"incident_id": ["A-1"], "lng": [103.8], "occurred_at": ["2025-11-18 10:30"]})
    assert without_personal(rows).equals(rows)


def test_scrub_cuts():
    assert scrub("电13812345678号") == f"电{REMOVED}号"
    assert len(scrub("x" * 500)) == 61


def test_personal_headings_are_named():
    headings = [
        "工单编号", "来电时间", "来电人姓名", "联系电话", "身份证号码", "车牌号", "家庭住址", "微信号",
        "电子邮箱", "事发地址", "网格名称", "问题分类编码", "caller_name", "Phone", "area_name", "民族",
    ]  # fmt: skip
    assert personal_columns(headings) == [
        "来电人姓名", "联系电话", "身份证号码", "车牌号", "家庭住址", "微信号", "电子邮箱", "caller_name",
        "Phone", "民族",
    ]  # fmt: skip


def test_share_counts_filled_values():
    assert personal_share(pa.array(["13812345678", "x", None, None])) == 0.5
    assert personal_share(pa.array([None, None], pa.string())) == 0.0


identities = st.builds(
    lambda region, born, serial: with_check_digit(f"{region}{born:%Y%m%d}{serial:03d}"),
    st.sampled_from(["110105", "620102", "440305", "650104", "820001"]),
    st.dates(dt.date(1920, 1, 1), dt.date(1999, 12, 31)),
    st.integers(0, 999),
)
mobiles = st.builds(
    lambda second, rest, separator, country: (
        country + separator.join((f"1{second}{rest[:1]}", rest[1:5], rest[5:]))
    ),
    st.integers(3, 9),
    st.text("0123456789", min_size=9, max_size=9),
    st.sampled_from(["", "-", " "]),
    st.sampled_from(["", "+86", "86", "+86 ", "86-"]),
)
landlines = st.builds(
    lambda area, first, rest, separator: f"{area}{separator}{first}{rest}",
    st.sampled_from(["010", "021", "029", "0931", "0755", "0991"]),
    st.integers(2, 9),
    st.text("0123456789", min_size=6, max_size=7),
    st.sampled_from(["-", " ", ""]),
)
plates = st.builds(
    lambda province, letter, dot, digits, tail: f"{province}{letter}{dot}{digits}{tail}",
    st.sampled_from(PROVINCES),
    st.sampled_from(LETTERS),
    st.sampled_from(["", "·", " ", "-"]),
    st.text("0123456789" + LETTERS, min_size=4, max_size=4),
    st.sampled_from([*"挂学警港澳", "8", "Z", "D5", "12"]),
)
wrappings = st.sampled_from(["{}", "联系{}处理", "（{}）", "x {} y", "号码:{}，", "{}、{}"])
written = st.sampled_from([lambda text: text, lambda text: text.translate(WIDE)])


@settings(deadline=None)
@given(st.one_of(identities, mobiles, landlines, plates), wrappings, written)
def test_an_embedded_number_is_found_and_never_survives(number, wrapping, write):
    text = wrapping.replace("{}", write(number))
    for name in ("outcome", "category", "status"):
        kept = without_personal(pa.table({name: ["办结", text]}))[name].to_pylist()
        assert kept == ["办结", REMOVED]
    assert number not in scrub(text)


@settings(deadline=None)
@given(st.one_of(identities, mobiles, plates), wrappings, written)
def test_nor_does_it_in_a_column_of_codes(number, wrapping, write):
    text = wrapping.replace("{}", write(number))
    codes = [f"62010220251118{n:04d}" for n in range(30)]
    for name in ("incident_id", "area_code", "published_grid"):
        kept = without_personal(pa.table({name: [*codes, text]}))[name].to_pylist()
        assert kept == [*codes, REMOVED]


def clean_codes(rows):
    """100,000 values as real ledgers hold them: order numbers, times, area codes, coordinates."""
    rng = np.random.default_rng(20261115)
    days = [dt.date(2024, 1, 1) + dt.timedelta(int(d)) for d in rng.integers(0, 900, rows)]
    region = rng.choice(["620102", "620103", "110105", "440305", "330106"], rows)
    serial = rng.integers(0, 10**6, rows)
    town = rng.choice([*range(1, 20), *range(100, 115), *range(200, 212)], rows)
    village = rng.choice([*range(1, 40), *range(200, 240)], rows)
    seconds = rng.integers(0, 86_400, rows)
    area = [f"{r}{t:03d}{v:03d}" for r, t, v in zip(region, town, village, strict=True)]
    time = [str(dt.timedelta(seconds=int(s))).zfill(8) for s in seconds]
    together = list(zip(region, days, serial, time, area, strict=True))
    return {
        "incident_id": [f"{r}{d:%Y%m%d}{s % 10000:04d}" for r, d, s, _, _ in together],
        "incident_id ": [f"GD-{d:%Y%m%d}-{s:06d}" for _, d, s, _, _ in together],
        "incident_id  ": [f"{d:%Y%m%d}{t.replace(':', '')}{s % 10000:04d}" for _, d, s, t, _ in together],
        "occurred_at": [f"{d} {t}" for _, d, _, t, _ in together],
        "reported_at": [f"{d:%Y%m%d}{t.replace(':', '')}" for _, d, _, t, _ in together],
        "lng": [repr(float(x)) for x in 100 + 20 * rng.random(rows)],
        "lat": [f"{x:.11f}" for x in 20 + 20 * rng.random(rows)],
        **{
            "area_code" + " " * more: [code + f"{s % 10**more:0{more}d}" for (*_, s, _, code) in together]
            for more in (2, 3, 4, 6, 8)
        },
    }  # fmt: skip


def test_clean_codes_are_hardly_ever_taken_for_persons():
    columns = clean_codes(100_000 // 12)
    wrong = {}
    for name, values in columns.items():
        kept = without_personal(pa.table({name.strip(): values}))[name.strip()].to_pylist()
        wrong[name] = sum(a != b for a, b in zip(values, kept, strict=True))
    values = sum(len(column) for column in columns.values())
    assert values > 99_000
    assert sum(wrong.values()) < 0.001 * values, wrong
