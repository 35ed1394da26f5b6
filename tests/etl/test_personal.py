import pandas as pd
import pytest

from etl.personal import REMOVED, names_a_person, scrub


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("11010519491231002X", True),
        ("证11010519491231002x。", True),
        ("110105194913310021", False),  # month 13
        ("回电13812345678", True),
        ("12812345678", False),
        ("013812345678", False),
        ("a13812345678b", False),
        ("20251118103000", False),
        ("-2.804451", False),
        (None, False),
    ],
)
def test_identity_and_mobile_numbers_are_found(text, found):
    assert names_a_person(pd.Series([text], dtype="str")).tolist() == [found]


def test_order_numbers_need_a_right_check_digit():
    numbers = pd.Series(["11010519491231002X", "110105194912310021", "13812345678"], dtype="str")
    assert names_a_person(numbers, is_number=True).tolist() == [True, False, True]


def test_scrub_removes_numbers_and_cuts():
    assert scrub("电13812345678号") == f"电{REMOVED}号"
    assert len(scrub("x" * 500)) == 61
