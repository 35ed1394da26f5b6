import pytest

from data.access import Grant
from data.accounts import links
from data.accounts.duties import AccountError
from data.accounts.links import LinkError
from data.accounts.users import PasswordError
from tests.data.accounts.town import NOW, PASSWORD, SECURITY, made


def first(accounts, secret, *, login="sec", password=PASSWORD, now=NOW):
    return accounts.add_first(secret, login, password, unit="安全管理", now=now)


# The first set-up ----------------------------------------------------------------------------


def test_a_set_up_link_is_used_once(database):
    secret = links.setup_link(database, now=NOW)
    assert links.setup_is_open(database, secret, now=NOW)
    assert links.use_setup(database, secret, NOW)
    assert not links.use_setup(database, secret, NOW)
    assert not links.setup_is_open(database, secret, now=NOW)


def test_it_works_for_a_day(database, later):
    secret = links.setup_link(database, now=NOW)
    assert links.setup_is_open(database, secret, now=later(hours=23, minutes=59))
    assert not links.setup_is_open(database, secret, now=later(hours=24))
    assert not links.use_setup(database, secret, later(hours=24))


def test_one_is_open_at_a_time(database):
    old, new = links.setup_link(database, now=NOW), links.setup_link(database, now=NOW)
    assert not links.use_setup(database, old, NOW)
    assert links.use_setup(database, new, NOW)


@pytest.mark.parametrize("secret", ["", "x", "\x00", "\udcff"])
def test_no_other_text_opens_it(database, secret):
    links.setup_link(database, now=NOW)
    assert not links.use_setup(database, secret, NOW)


def test_the_first_account_manages_accounts(accounts):
    user = first(accounts, links.setup_link(accounts.database, now=NOW))
    assert (user.login, user.unit, user.must_change) == ("sec", "安全管理", False)
    (held,) = accounts.account("sec").held
    assert (held.role, held.granted_by) == ("security_admin", "setup")
    assert accounts.scope_of(user, day=NOW.date()).grants == {SECURITY}


def test_with_a_security_administrator_the_set_up_is_over_for_good(accounts, later):
    database = accounts.database
    open_one = links.setup_link(database, now=NOW)
    made(accounts, "sec", grants=[SECURITY])
    told = r"^there is a security_admin already.*on this machine use `pingan user add`$"
    with pytest.raises(LinkError, match=told):
        links.setup_link(database, now=NOW)
    assert not links.setup_is_open(database, open_one, now=NOW)
    assert not links.use_setup(database, open_one, NOW)
    with pytest.raises(LinkError):
        first(accounts, open_one, login="thief")
    assert accounts.get("thief") is None


def test_other_accounts_do_not_end_it(accounts):
    made(accounts, "audit", grants=[Grant("audit_admin")])
    assert links.use_setup(accounts.database, links.setup_link(accounts.database, now=NOW), NOW)


@pytest.mark.parametrize(
    ("login", "password", "error"),
    [
        ("sec", "short", PasswordError),
        ("x", PASSWORD, AccountError),
        ("taken", PASSWORD, AccountError),
    ],
)
def test_after_a_refused_account_the_link_still_works(accounts, login, password, error):
    made(accounts, "taken")
    secret = links.setup_link(accounts.database, now=NOW)
    with pytest.raises(error):
        first(accounts, secret, login=login, password=password)
    assert first(accounts, secret).login == "sec"


def test_a_used_link_makes_no_account(accounts):
    secret = links.setup_link(accounts.database, now=NOW)
    links.use_setup(accounts.database, secret, NOW)
    with pytest.raises(LinkError, match="was used or is over"):
        first(accounts, secret)
    assert accounts.all() == []


# Shared views --------------------------------------------------------------------------------


def shared_by(database, login="duty", *, search="?level=township", days=7, now=NOW):
    return links.share(database, search=search, by=login, days=days, now=now)


def test_a_shared_view_is_opened_until_its_day(database, later):
    secret = shared_by(database)
    link = links.shared(database, secret, later(days=6, hours=23))
    assert (link.search, link.created_by, link.expires_at) == (
        "?level=township", "duty", later(days=7),
    )  # fmt: skip
    assert links.shared(database, secret, later(days=7)) is None


@pytest.mark.parametrize("secret", ["", "x", "\x00", "\udcff"])
def test_no_other_text_opens_a_view(database, secret):
    shared_by(database)
    assert links.shared(database, secret, NOW) is None


def test_one_kind_of_link_is_not_the_other(database):
    share, setup = shared_by(database), links.setup_link(database, now=NOW)
    assert links.shared(database, setup, NOW) is None
    assert not links.use_setup(database, share, NOW)


def test_a_withdrawn_link_is_over(database, later):
    secret = shared_by(database)
    link = links.shared(database, secret, NOW)
    assert not links.withdraw(database, link.id, now=NOW, by="other")
    assert links.withdraw(database, link.id, now=NOW, by="duty")
    assert links.shared(database, secret, NOW) is None
    assert not links.withdraw(database, link.id, now=NOW)
    assert not links.withdraw(database, "\x00", now=NOW)


def test_a_set_up_link_is_not_withdrawn_as_a_shared_one(database):
    secret = links.setup_link(database, now=NOW)
    assert not links.withdraw(database, links.hashed(secret), now=NOW)
    assert links.use_setup(database, secret, NOW)


def test_links_are_listed_by_who_made_them(database, later):
    shared_by(database)
    shared_by(database, now=later(hours=1), search="?level=grid")
    shared_by(database, "other")
    shared_by(database, days=1, now=later(days=-2))
    mine = links.shares(database, now=later(hours=2), by="duty")
    assert [link.search for link in mine] == ["?level=grid", "?level=township"]
    assert len(links.shares(database, now=later(hours=2))) == 3


@pytest.mark.parametrize("days", [0, 91, -1])
def test_days_are_bounded(database, days):
    with pytest.raises(LinkError, match=f"works for 1 to 90 days, not {days}"):
        shared_by(database, days=days)


@pytest.mark.parametrize("search", ["x" * 4_001, "a\nb", "\x00", "\udcff"])
def test_a_view_is_the_query_of_an_address(database, search):
    with pytest.raises(LinkError, match="a view is the query of an address"):
        shared_by(database, search=search)
