import datetime as dt

import pytest

from data.report_settings import FILE, ReportSettingsError, read_report_settings

HEAD = """
title_zh = "周报"
title_en = "Weekly"
publisher_zh = "办公室"
publisher_en = "Office"
"""


def meeting(colour, days=3):
    return f'[[meeting]]\ncolour = {colour}\nname_zh = "会"\nname_en = "m"\ndays = {days}\n'


ALL = "".join(map(meeting, (1, 2, 3, 4)))


def test_the_default_names_who_acts_on_every_colour():
    found = read_report_settings(None)
    assert [one.colour for one in found.meetings] == [4, 3, 2, 1]
    assert found.issue_at == dt.time(7)


def test_a_city_has_its_own(tmp_path):
    (tmp_path / FILE).write_text(HEAD + 'issue_at = ""\n' + ALL, encoding="utf-8")
    found = read_report_settings(tmp_path)
    assert (found.title_zh, found.issue_at, found.copies_en) == ("周报", None, "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD + meeting(4), "each colour"),
        (HEAD + ALL + meeting(4), "each colour"),
        (HEAD + ALL.replace("days = 3", "days = 32", 1), "0 to 31"),
        (HEAD + 'issue_at = "25:00"\n' + ALL, "07:00"),
        (HEAD + 'colour = "x"\n' + ALL, "unknown key"),
        (HEAD.replace("title_zh", "title"), "title_zh"),
        (HEAD + "meeting = [1]\n", "must be a table"),
        ("title_zh = ", FILE),
    ],
)
def test_what_is_wrong_is_said(tmp_path, text, said):
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    with pytest.raises(ReportSettingsError, match=said):
        read_report_settings(tmp_path)
