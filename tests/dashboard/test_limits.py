import pytest

from dashboard import limits
from dashboard.limits import Limits, TooManyError


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def made(**given):
    clock, used = Clock(), Clock()
    return Limits(clock=clock, used=used, **given), clock, used


def spend(shares, used, user, seconds):
    began = shares.enter(user)
    used.now += seconds
    shares.leave(user, began)


def test_so_many_requests_at_a_time_and_the_next_after_one_has_ended():
    shares, _, _ = made(in_flight=2)
    began = shares.enter("a")
    shares.enter("a")
    with pytest.raises(TooManyError):
        shares.enter("a")
    shares.enter("b")
    shares.leave("a", began)
    shares.enter("a")


def test_processor_time_is_taken_off_and_comes_back():
    shares, clock, used = made(burst=3.0, per_second=0.5)
    spend(shares, used, "a", 5.0)
    with pytest.raises(TooManyError):
        shares.enter("a")
    spend(shares, used, "b", 1.0)
    clock.now = 3.9
    with pytest.raises(TooManyError):
        shares.enter("a")
    clock.now = 4.1
    shares.enter("a")


def test_a_share_never_grows_beyond_the_burst():
    shares, clock, used = made(burst=1.0, per_second=1.0)
    clock.now = 1_000.0
    spend(shares, used, "a", 1.5)
    with pytest.raises(TooManyError):
        shares.enter("a")


def test_a_refused_request_leaves_no_trace_in_the_count():
    shares, _, _ = made(in_flight=1)
    began = shares.enter("a")
    for _ in range(3):
        with pytest.raises(TooManyError):
            shares.enter("a")
    shares.leave("a", began)
    with shares.taken("a"):
        pass
    with shares.taken("a"):
        pass


def test_the_memory_of_users_is_bounded(monkeypatch):
    monkeypatch.setattr(limits, "MOST_KNOWN", 3)
    shares, _, used = made(burst=1.0)
    spend(shares, used, "a", 2.0)
    for user in "bcd":
        spend(shares, used, user, 0.1)
    shares.enter("a")  # forgotten, so a new share
