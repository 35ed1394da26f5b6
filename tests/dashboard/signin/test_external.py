"""What a failed sign-in says, and what counts once."""

import datetime as dt

import pytest

from dashboard.signin.external import AnswerError, checked_subject, on_one_line, refused
from dashboard.signin.seen import Seen

NOON = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.UTC)


def test_the_error_knows_a_number_and_the_log_the_reason(caplog):
    error = refused("oidc", "the signature\nis wrong")
    assert str(error) == f"sign-in failed, number {error.number}"
    assert error.args == (str(error),)
    assert caplog.records[0].getMessage() == (
        f"sign-in by oidc failed, number {error.number}: the signature?is wrong"
    )
    assert refused("oidc", "x").number != error.number


def test_a_stranger_writes_one_short_line():
    assert on_one_line("a\r\nb\x1b[31m\u2028\u202ec") == "a??b?[31m??c"
    assert len(on_one_line("a" * 10_000)) == 301


def test_a_subject_is_kept_as_it_is():
    for name in ("post-0417", "auth0|5f7c8ec7", "a" * 255, "岗位0417", "Post-0417"):
        assert checked_subject(name) == name


@pytest.mark.parametrize(
    "name", [None, 7, "", "a" * 256, "a b", "a\tb", "a\x00", "a\u202eb", "\u3000"]
)
def test_a_subject_that_cannot_be_read(name):
    with pytest.raises(AnswerError):
        checked_subject(name)


def test_a_value_counts_once_for_as_long_as_it_is_kept():
    seen = Seen(dt.timedelta(seconds=10))
    assert seen.is_first("a", NOON)
    assert not seen.is_first("a", NOON + dt.timedelta(seconds=9))
    assert seen.is_first("b", NOON + dt.timedelta(seconds=9))
    assert seen.is_first("a", NOON + dt.timedelta(seconds=10))
    assert len(seen) == 2


def test_the_oldest_go_first():
    seen = Seen(dt.timedelta(seconds=10))
    for second in range(1_000):
        assert seen.is_first(str(second), NOON + dt.timedelta(seconds=second))
        assert len(seen) <= 10
