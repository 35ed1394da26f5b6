import dataclasses
import datetime as dt

import pytest

from data.access import NotVisibleError
from data.letters import kinds
from data.letters.store import LetterError, StaleError
from data.letters.wording import WordingError
from tests.data.accounts.town import at_once
from tests.data.letters.conftest import (
    CHIEF,
    DAY,
    EAST,
    LEADER,
    NOW,
    PATH,
    WEST,
    basis,
    scope_of,
    wording,
)


def sign(letters, letter, *, scope=LEADER, day=DAY):
    return letters.sign(scope, letter.id, revision=letter.revision, now=NOW, day=day)


def test_what_is_drafted_twice_is_there_once(letters, draft):
    again = letters.draft(EAST, basis(), wording(title_zh="另一个标题"), now=NOW)
    assert (again.id, again.title_zh) == (draft.id, draft.title_zh)
    # A correction of the issue is the same finding; another deadline or week is not.
    assert letters.draft(
        LEADER, dataclasses.replace(basis(), version=2), wording(), now=NOW
    ).id == (draft.id)
    for other in (basis(about="sign"), basis(week="2026-W47"), basis("notice")):
        assert letters.draft(LEADER, other, wording(), now=NOW).id != draft.id
    assert len(letters.listed(LEADER)) == 4


def test_many_who_draft_at_once_make_one(letters):
    made = at_once(lambda _n: letters.draft(LEADER, basis(), wording(), now=NOW).id, 6)
    assert len(set(made)) == 1


def test_the_one_who_edits_an_older_text_is_told(letters, draft):
    mine, yours = wording(title_zh="关于东门街道的函一"), wording(title_zh="关于东门街道的函二")
    first = letters.edit(LEADER, draft.id, mine, revision=1, now=NOW)
    assert (first.revision, first.edited_by) == (2, "leader")
    with pytest.raises(StaleError, match="is at revision 2, not 1"):
        letters.edit(EAST, draft.id, yours, revision=1, now=NOW)
    assert letters.find(LEADER, draft.id).title_zh == mine.title_zh
    # The same text sent twice is no quarrel.
    assert letters.edit(LEADER, draft.id, mine, revision=1, now=NOW).revision == 2
    with pytest.raises(StaleError):
        letters.sign(EAST, draft.id, revision=1, now=NOW, day=DAY)


def test_of_two_who_edit_at_once_one_wins(letters, draft):
    def edit(number):
        text = wording(title_zh=f"关于东门街道的函{number}")
        return letters.edit(LEADER, draft.id, text, revision=1, now=NOW).revision

    results = at_once(edit, 4)
    assert results.count(2) == 1
    assert sum(isinstance(one, StaleError) for one in results) == 3


def test_what_is_signed_never_changes(letters, draft):
    signed = sign(letters, draft)
    assert (signed.status, signed.number_year, signed.number) == (kinds.SIGNED, 2026, 1)
    with pytest.raises(LetterError, match="is signed, no draft"):
        letters.edit(LEADER, draft.id, wording(title_zh="改一个标题"), revision=1, now=NOW)
    later = NOW + dt.timedelta(hours=1)
    again = letters.sign(LEADER, draft.id, revision=1, now=later, day=DAY)
    assert (again.number, again.signed_at) == (1, NOW)
    with pytest.raises(LetterError, match="is signed, no draft"):
        sign(letters, draft, scope=EAST)


def test_numbers_count_by_kind_and_year(letters):
    def signed(week, kind="risk_letter", day=DAY):
        made = letters.draft(LEADER, basis(kind, week=week), wording(), now=NOW)
        return sign(letters, made, day=day).number

    assert [signed("2026-W44"), signed("2026-W45"), signed("2026-W46", "notice")] == [1, 2, 1]
    assert signed("2026-W52", day=dt.date(2027, 1, 4)) == 1


def test_numbers_signed_at_once_differ_and_have_no_gap(letters):
    drafts = [
        letters.draft(LEADER, basis(week=f"2026-W{n:02d}"), wording(), now=NOW)
        for n in range(10, 18)
    ]
    numbers = at_once(lambda n: sign(letters, drafts[n]).number, len(drafts))
    assert sorted(numbers) == list(range(1, 9))


def test_a_withdrawn_number_is_not_given_again_and_the_finding_is_free(letters, draft):
    sign(letters, draft)
    gone = letters.withdraw(LEADER, draft.id, "wrong_data", now=NOW)
    assert (gone.status, gone.number, gone.withdrawn_for) == (kinds.WITHDRAWN, 1, "wrong_data")
    again = letters.draft(LEADER, basis(), wording(), now=NOW)
    assert again.id != draft.id
    assert sign(letters, again).number == 2
    with pytest.raises(LetterError, match="'mood' is none of"):
        letters.withdraw(LEADER, again.id, "mood", now=NOW)


@pytest.mark.parametrize("scope", [WEST, scope_of("system", "system_admin")])
def test_another_areas_letter_is_as_one_that_is_not_there(letters, draft, scope):
    for asked in (draft.id, "nothing", "", "x" * 500, "|%_"):
        with pytest.raises(NotVisibleError, match=r"^no such letter$"):
            letters.find(scope, asked)
    calls = (
        lambda: letters.edit(scope, draft.id, wording(), revision=1, now=NOW),
        lambda: sign(letters, draft, scope=scope),
        lambda: letters.withdraw(scope, draft.id, "settled", now=NOW),
        lambda: letters.draft(scope, basis(), wording(), now=NOW),
        lambda: letters.draft_slip(scope, draft.id, "acceptance", wording(), now=NOW),
        lambda: letters.chain(scope, draft),
    )
    for call in calls:
        with pytest.raises(NotVisibleError):
            call()
    assert letters.listed(scope) == []
    assert letters.drafted_for(scope, [basis().key]) == {}


def test_who_reads_may_not_change(letters, draft):
    assert [one.id for one in letters.listed(CHIEF)] == [draft.id]
    assert letters.find(CHIEF, draft.id).area_path == PATH
    with pytest.raises(NotVisibleError):
        letters.edit(CHIEF, draft.id, wording(), revision=1, now=NOW)


def test_codes_that_are_patterns_match_themselves_alone(letters):
    path = (("city", "990100"), ("county", "99_1"))
    letters.draft(LEADER, basis(path=path), wording(), now=NOW)
    assert letters.listed(scope_of("x", "command", "county", "9901")) == []
    assert letters.listed(scope_of("x", "command", "county", "%")) == []
    assert len(letters.listed(scope_of("x", "command", "county", "99_1"))) == 1


def test_slips_follow_one_another(letters, draft):
    with pytest.raises(LetterError, match="acceptance is not the next slip"):
        letters.draft_slip(LEADER, draft.id, "acceptance", wording(), now=NOW)
    sign(letters, draft)
    with pytest.raises(LetterError, match="feedback is not the next slip"):
        letters.draft_slip(LEADER, draft.id, "feedback", wording(), now=NOW)
    order = ("acceptance", "assignment", "supervision", "supervision", "feedback")
    for step, kind in enumerate(order, start=1):
        slip = letters.draft_slip(LEADER, draft.id, kind, wording(), now=NOW)
        assert letters.draft_slip(EAST, draft.id, kind, wording(), now=NOW).id == slip.id
        assert (slip.step, slip.is_slip, slip.chain) == (step, True, draft.id)
        sign(letters, slip)
    chain = letters.chain(LEADER, draft)
    assert [one.kind for one in chain] == ["risk_letter", *order]
    assert [one.number for one in chain] == [1, 1, 1, 1, 2, 1]
    assert chain[1].code_zh == "平安受理"
    assert kinds.following(chain) == ()
    with pytest.raises(LetterError, match="withdraw the last one first"):
        letters.withdraw(LEADER, draft.id, "settled", now=NOW)


def test_a_withdrawn_slip_can_be_written_again(letters, draft):
    sign(letters, draft)
    slip = letters.draft_slip(LEADER, draft.id, "acceptance", wording(), now=NOW)
    letters.withdraw(LEADER, slip.id, "wrong_addressee", now=NOW)
    again = letters.draft_slip(LEADER, draft.id, "acceptance", wording(), now=NOW)
    assert again.id != slip.id


def test_nothing_personal_is_stored(letters, draft):
    with pytest.raises(WordingError, match="body_zh: personal"):
        letters.edit(
            LEADER, draft.id, wording(body_zh="请联系 13800138000 核实情况。"), revision=1, now=NOW
        )
    assert letters.find(LEADER, draft.id).revision == 1


def test_lists_by_state(letters, draft):
    other = letters.draft(LEADER, basis(week="2026-W45"), wording(), now=NOW)
    sign(letters, other)
    assert [one.id for one in letters.listed(LEADER, status="draft")] == [draft.id]
    assert [one.id for one in letters.listed(LEADER, signed_upto=DAY)] == [other.id]
    assert letters.listed(LEADER, signed_upto=DAY - dt.timedelta(days=1)) == []
    assert letters.drafted_for(LEADER, [basis().key, "no"]) == {basis().key: draft.id}
