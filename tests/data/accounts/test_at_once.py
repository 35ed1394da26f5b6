"""What several threads, or web processes, do at the same moment."""

import multiprocessing
from collections import Counter

import pyotp
import pytest

from data.access import Grant
from data.accounts import links, totp
from data.accounts.duties import AccountError
from data.accounts.sessions import Sessions
from data.accounts.signing_in import sign_in
from data.accounts.users import Accounts
from data.state.database import StateDatabase
from tests.data.accounts.town import KEY, NOW, OTHER, PASSWORD, SECURITY, at_once, made

pytestmark = pytest.mark.usefixtures("real_hashes")


def guess(url, number):
    """What one web process is told about a wrong password."""
    database = StateDatabase(url)
    found = [
        sign_in(Accounts(database, KEY), "duty", f"Wrong-{number}-{n}", now=NOW) for n in range(3)
    ]
    database.close()
    return [outcome.result for outcome in found]


def test_threads_that_guess_get_five_tries(accounts):
    made(accounts)
    done = at_once(lambda _: sign_in(accounts, "duty", OTHER, now=NOW).result, 16)
    assert Counter(done) == {"wrong": 5, "locked": 11}
    assert sign_in(accounts, "duty", PASSWORD, now=NOW).result == "locked"


def test_processes_that_guess_get_five_tries(accounts, state_url):
    made(accounts)
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        done = pool.starmap(guess, [(state_url, number) for number in range(4)], chunksize=1)
    assert Counter(result for results in done for result in results) == {"wrong": 5, "locked": 7}


def test_the_right_password_among_guesses_gives_no_more_tries_than_the_lock(accounts):
    made(accounts)
    done = at_once(
        lambda n: sign_in(accounts, "duty", OTHER if n else PASSWORD, now=NOW).result, 12
    )
    # A success may fall anywhere: before the fifth guess it clears those before it, no others.
    assert done[0] in ("ok", "locked")
    assert Counter(done)["wrong"] <= (9 if done[0] == "ok" else 5)


def test_a_code_lets_one_in(accounts):
    made(accounts)
    secret, _ = totp.begin(accounts, "duty")
    app = pyotp.TOTP(secret)
    before = NOW.fromtimestamp(NOW.timestamp() - 120, NOW.tzinfo)
    assert totp.confirm(accounts, "duty", secret, app.at(before.timestamp()), before)
    code = app.at(NOW.timestamp())
    done = at_once(lambda _: totp.check(accounts, "duty", code, NOW), 8)
    assert sum(done) == 1
    signed = at_once(lambda _: sign_in(accounts, "duty", PASSWORD, code=code, now=NOW).result, 4)
    assert set(signed) == {"code_wrong"}


def test_a_set_up_link_lets_one_in(database):
    secret = links.setup_link(database, now=NOW)
    assert sum(at_once(lambda _: links.use_setup(database, secret, NOW), 8)) == 1


def test_a_set_up_link_makes_one_administrator(accounts):
    secret = links.setup_link(accounts.database, now=NOW)
    done = at_once(lambda n: accounts.add_first(secret, f"sec{n}", PASSWORD, now=NOW), 6)
    assert sum(isinstance(one, links.LinkError) for one in done) == 5
    (only,) = accounts.all()
    assert [grant.role for grant in only.grants] == ["security_admin"]


def test_of_set_up_links_made_at_once_one_is_open(database):
    secrets = at_once(lambda _: links.setup_link(database, now=NOW), 6)
    assert sum(links.setup_is_open(database, secret, now=NOW) for secret in secrets) == 1


@pytest.mark.parametrize("how", ["disable", "revoke"])
def test_two_last_administrators_cannot_remove_each_other(accounts, how):
    for n in range(4):
        made(accounts, f"sec{n}", grants=[SECURITY])

    def remove(number):
        if how == "disable":
            accounts.disable(f"sec{number}", now=NOW)
        else:
            accounts.revoke(f"sec{number}", SECURITY, now=NOW)

    done = at_once(remove, 4)
    assert next(str(one) for one in done if one is not None).endswith(
        "is the last security_admin; give that role to another account first"
    )
    assert Counter(type(one) for one in done) == {type(None): 3, AccountError: 1}


def test_duties_that_exclude_each_other_are_not_given_at_once(accounts):
    made(accounts)
    roles = ["system_admin", "security_admin", "audit_admin", "leader"]
    at_once(lambda n: accounts.grant("duty", Grant(roles[n]), by="sec", now=NOW), 4)
    assert len(accounts.account("duty").held) == 1


def test_a_grant_given_twice_at_once_is_one(accounts):
    made(accounts)
    done = at_once(lambda _: accounts.grant("duty", Grant("leader"), by="sec", now=NOW), 6)
    assert done == [None] * 6
    assert len(accounts.account("duty").held) == 1


def test_a_login_is_taken_once(accounts):
    done = at_once(lambda _: accounts.add("duty", password=PASSWORD, now=NOW), 6)
    assert Counter(type(one) for one in done) == {tuple: 1, AccountError: 5}


def test_a_password_is_changed_by_one_at_a_time(accounts):
    made(accounts)
    done = at_once(lambda n: accounts.set_password("duty", f"Wy4_nQv8_Hs{n}z", now=NOW), 4)
    told = "the password of duty was just changed; try again"
    kept = [n for n, one in enumerate(done) if one is None]
    assert kept
    assert {str(one) for one in done if one is not None} <= {told}
    right = [sign_in(accounts, "duty", f"Wy4_nQv8_Hs{n}z", now=NOW).result for n in range(4)]
    assert right.count("ok") == 1
    assert right.index("ok") in kept


def test_sessions_begun_at_once_are_all_kept(accounts):
    user, sessions = made(accounts), Sessions(accounts.database)
    policy = accounts.policy()
    secrets = at_once(
        lambda _: sessions.start(user, address="10.0.0.1", policy=policy, now=NOW), 12
    )
    assert all(sessions.current(secret, now=NOW, policy=policy) for secret in secrets)
