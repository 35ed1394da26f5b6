"""What a letter could be written for, and how each finding reads."""

import datetime as dt

import msgspec
import pytest

from dashboard.letters import candidates, drafting, evidence
from dashboard.reports import facts, making
from dashboard.text import Words
from data import issues
from data.issues import IssueError
from data.letters.settings import RULES, read_letter_settings
from data.letters.wording import checked
from tests.dashboard.pages import issued

TODAY = dt.date(2026, 11, 16)
SPOT = facts.Spot(
    place=facts.Place(level="grid", code="g-1", name_zh="一号网格", name_en="Grid 1"),
    pattern="lasting", count=10, history=(9, 9, 1, 2, 3, 4), within_zh="一社区", within_en="First",
)  # fmt: skip
CLOCK = facts.Clock(
    name="sign", name_zh="签收", name_en="Sign for", started=9, running=5, overdue=15, unknown=2,
    oldest_days=3.25,
)  # fmt: skip


def edition(**other):
    made = issued.edition("city", "990100")
    (level,) = made.levels
    red, blue = level.areas
    red = msgspec.structs.replace(red, now=msgspec.structs.replace(red.now, repeat_red=3))
    counted = msgspec.structs.replace(
        blue.counted, verdict="more", usual=facts.Range(lower=2, upper=8)
    )
    areas = (red, msgspec.structs.replace(blue, counted=counted))
    spots = (
        SPOT,
        msgspec.structs.replace(SPOT, pattern="new"),
        msgspec.structs.replace(SPOT, pattern="rising"),
    )
    told = {
        "levels": (msgspec.structs.replace(level, areas=areas),), "spots": spots, "clocks": (CLOCK,)
    }  # fmt: skip
    return msgspec.structs.replace(made, **(told | other))


def found(home, shown=None):
    made = issued.issue(home)
    return candidates.candidates(home, made, shown or edition(), path_of=lambda _level, _code: None)


def test_each_rule_finds_what_it_is_about(tmp_path):
    known = [(one.evidence.rule, one.basis.kind, one.basis.area) for one in found(tmp_path)]
    assert known == [
        ("repeat_red", "notice", ("county", "9901001")),
        ("red", "risk_letter", ("county", "9901001")),
        ("hot_lasting", "risk_letter", ("grid", "g-1")),
        ("hot_new", "reminder", ("grid", "g-1")),
        ("more", "reminder", ("county", "9901002")),
        ("overdue", "reminder", ("city", "990100")),
    ]
    assert {rule for rule, *_ in known} == set(RULES) - {"orange"}


def test_fewer_than_a_rule_asks_for_is_no_finding(tmp_path):
    few = msgspec.structs.replace(CLOCK, overdue=4)
    rules = {one.evidence.rule for one in found(tmp_path, edition(clocks=(few,)))}
    assert "overdue" not in rules


def test_a_quiet_edition_asks_for_nothing(tmp_path):
    quiet = msgspec.structs.replace(issued.edition("city", "990100", colour=1))
    assert found(tmp_path, quiet) == []


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_draft_can_be_stored_and_tells_only_what_is_known(tmp_path, lang):
    bare = msgspec.structs.replace(CLOCK, oldest_days=None)
    for one in found(tmp_path, edition(clocks=(bare,))):
        told = one.evidence
        wording = checked(drafting.letter(told, due=candidates.due_on(told, TODAY)))
        text = f"{wording.title_zh}{wording.body_zh}{wording.body_en}"
        drawn = evidence.blocks(told, Words(lang))
        text += "".join(cell.text for row in drawn[0].rows for cell in row) + drawn[0].note
        for wrong in ("None", "nan", "{", "}"):
            assert wrong not in text, (told.rule, wrong)


def test_the_numbers_add_up(tmp_path):
    by_rule = {one.evidence.rule: one.evidence for one in found(tmp_path)}
    zh = Words("zh")
    (spot,) = drafting.finding(by_rule["hot_lasting"], zh)
    assert spot == "一社区一号网格为长期热点，近4期群众报告10件，近6期依次为9、9、1、2、3、4件。"
    (clock,) = drafting.finding(by_rule["overdue"], zh)
    assert "尚未办结20件，其中已超期15件，最长超期3.2天；另有2件" in clock
    rows = evidence.blocks(by_rule["overdue"], zh)[0].rows
    assert rows[0][2].text == "15 ÷ 未办结 20 = 75.0%"
    rows = evidence.blocks(by_rule["hot_lasting"], zh)[0].rows
    assert rows[1][2].text == "（9 + 9 + 1 + 2 + 3 + 4）÷ 6 = 28 ÷ 6"
    assert "".join(drafting.finding(by_rule["repeat_red"], zh)).count("已连续3期为红色") == 1


def test_a_window_that_is_no_sum_is_not_counted():
    odd = msgspec.structs.replace(SPOT, count=999)
    assert evidence.in_window(odd, Words("zh")) == "热点窗口内"


def test_rules_are_those_that_the_issue_was_made_with(tmp_path):
    made = issued.issue(tmp_path)
    assert candidates.settings_of(tmp_path, made) == read_letter_settings(None)
    settings = read_letter_settings(None)
    fewer = type(settings)(settings.codes, settings.rules[:1], settings.addressees)
    head = issues.content(tmp_path, made, making.HEAD)
    later = issues.put(
        tmp_path, "2026-W47",
        {making.HEAD: head, making.LETTERS: candidates.frozen(fewer)},
        snapshot="s", frozen="w", by="x", now=issued.NOW,
    )  # fmt: skip
    assert candidates.settings_of(tmp_path, later) == fewer
    broken = issues.put(
        tmp_path, "2026-W48", {making.HEAD: head, making.LETTERS: b"{}"},
        snapshot="s", frozen="w", by="x", now=issued.NOW,
    )  # fmt: skip
    with pytest.raises(IssueError, match="the letters of issue 2026-W48 cannot be read"):
        candidates.settings_of(tmp_path, broken)
