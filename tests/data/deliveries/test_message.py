"""What may be told outside: numbers, places and links of our own, and nothing else."""

import datetime as dt
from dataclasses import replace

import pytest

from data.deliveries.message import Message, MessageError, PersonalMessageError, Place, check
from data.deliveries.words import words

COUNTY = Place("county", "990103", "甲区", "A District", ("city.990100",))
GOOD = Message(
    key="warning:17:opened",
    kind="warning",
    level=4,
    place=COUNTY,
    counts={"incidents": 12},
    path="/command?warning=17",
    posted_at=dt.datetime(2026, 11, 16, tzinfo=dt.UTC),
)


def test_a_message_of_numbers_places_and_a_link_is_one():
    check(GOOD)
    assert len(GOOD.id) == 12
    assert GOOD.id == replace(GOOD, level=1).id != replace(GOOD, key="warning:18:opened").id


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"kind": "gossip"}, "kind is one of"),
        ({"level": 5}, "level is 0 to 4"),
        ({"counts": {"names": 1}}, "counts ['names'] are unknown"),
        ({"counts": {"incidents": -1}}, "whole numbers"),
        ({"counts": {"incidents": True}}, "whole numbers"),
        ({"counts": {"incidents": "张三"}}, "whole numbers"),
        ({"key": "a b"}, "the key has"),
        ({"path": "https://elsewhere.example/"}, "the path"),
        ({"path": "//elsewhere.example/"}, "the path"),
        ({"path": "/weekly?note=张三打人"}, "the path"),
        ({"path": "/weekly?note=%E5%BC%A0"}, "the path"),
        ({"path": "/weekly\n"}, "the path"),
        ({"posted_at": dt.datetime(2026, 11, 16)}, "its zone"),  # noqa: DTZ001
        ({"place": COUNTY._replace(name_zh="甲区\n第二行")}, "printable"),
        ({"place": COUNTY._replace(code="99 01")}, "areas are named"),
    ],
)
def test_what_is_no_message_is_refused(wrong, said):
    with pytest.raises(MessageError) as told:
        check(replace(GOOD, **wrong))
    assert said in str(told.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"place": COUNTY._replace(name_zh="甲区 13812345678")},
        {"place": COUNTY._replace(name_en="call 13812345678")},
        {"place": COUNTY._replace(name_zh="川A12345")},
        {"path": "/command?phone=13812345678"},
    ],
)
def test_what_looks_like_a_person_is_refused_and_not_repeated(wrong):
    with pytest.raises(PersonalMessageError) as told:
        check(replace(GOOD, **wrong))
    assert "13812345678" not in str(told.value)
    assert "12345" not in str(told.value)


def test_every_word_is_there_in_both_languages():
    for part in words():
        assert part
        assert all(zh and en and zh != en for zh, en in part.values())
    assert list(words().levels) == ["0", "1", "2", "3", "4"]
