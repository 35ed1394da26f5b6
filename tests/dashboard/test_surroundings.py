import json

import pytest
from dash._utils import to_json

from dashboard import answers, surroundings
from dashboard.text import Words
from tests.dashboard.squares import CITY


def footer(snapshot, lang, *, whole=True):
    return to_json(surroundings.footer(snapshot.manifest, Words(lang), whole=whole))


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_foot_shows_an_account_that_adds_up(snapshot, lang):
    rows = snapshot.manifest.rows
    parts = [rows[name] for name in ("accepted", "quarantined", "duplicate", "refused")]
    assert rows["read"] == sum(parts)
    assert rows["incidents"] == rows["accepted"] - rows["superseded"]
    shown = footer(snapshot, lang)
    for number in (*parts, rows["read"], rows["incidents"], rows["superseded"], rows["no_point"]):
        assert f"{number:,d}" in shown


def test_every_reason_is_said_in_words_and_an_unknown_one_by_its_code(snapshot):
    assert surroundings.account_lines(snapshot.manifest, Words("zh"))[:4] == [
        "隔离 4 行：时间无法识别",
        "隔离 1 行：odd_moon",
        "拒收 11 行：拒收类别",
        "坐标弃用、仍按区划代码落图 3 行：坐标为零",
    ]
    english = surroundings.account_lines(snapshot.manifest, Words("en"))
    assert english[0] == "4 quarantined: unreadable time"
    not_placed = snapshot.manifest.rows["not_placed"]
    assert english[-1] == f"{not_placed['grid']:,d} not placed in a Grid"


@pytest.mark.parametrize(
    ("search", "words"),
    [("", "未通过完整性校验"), ("?lang=en", "did not pass its integrity check")],
)
def test_the_page_says_that_newer_data_is_withheld(snapshot, search, words):
    def notice(*, withheld):
        found = answers.draw_panels(CITY, snapshot, search=search, withheld=withheld)["notice"]
        return json.dumps(json.loads(to_json(found)), ensure_ascii=False)

    assert words in notice(withheld=True)
    assert words not in notice(withheld=False)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_who_sees_a_part_of_the_city_is_not_told_its_row_account(snapshot, lang):
    shown = footer(snapshot, lang, whole=False)
    rows = snapshot.manifest.rows
    assert snapshot.id in shown
    assert not any(f"{rows[name]:,d}" in shown for name in ("read", "accepted", "incidents"))
