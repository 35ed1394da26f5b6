import pytest

from data.accounts import views
from data.accounts.views import ViewError
from tests.data.accounts.town import NOW, at_once, made


@pytest.fixture
def user(accounts):
    return made(accounts)


def names(database, user):
    return [view.name for view in views.saved(database, user.id)]


def test_views_are_kept_by_name(database, user, accounts, later):
    views.save(database, user.id, "周报", "?level=township", NOW)
    views.save(database, user.id, " 今日 ", "?period=week", NOW)
    views.save(database, user.id, "周报", "?level=grid", later(days=1))
    found = {view.name: (view.search, view.created_at) for view in views.saved(database, user.id)}
    assert found == {"今日": ("?period=week", NOW), "周报": ("?level=grid", later(days=1))}
    assert names(database, made(accounts, "other")) == []


def test_a_view_is_deleted_by_its_owner_alone(database, user, accounts):
    views.save(database, user.id, "周报", "?level=township", NOW)
    assert not views.delete(database, made(accounts, "other").id, "周报")
    assert not views.delete(database, user.id, "月报")
    assert not views.delete(database, user.id, "\x00")
    assert views.delete(database, user.id, "周报")
    assert names(database, user) == []


@pytest.mark.parametrize("name", ["", "  ", "x" * 65, "a\nb", "\x00", "\udcff"])
def test_a_name_can_be_shown(database, user, name):
    with pytest.raises(ViewError, match="use 1 to 64 printable characters"):
        views.save(database, user.id, name, "?x=1", NOW)


@pytest.mark.parametrize("search", ["x" * 4_001, "\x00", "\udcff"])
def test_a_view_is_the_query_of_an_address(database, user, search):
    with pytest.raises(ViewError, match="a view is the query of an address"):
        views.save(database, user.id, "x", search, NOW)


def test_fifty_are_kept_however_many_are_saved_at_once(database, user):
    for number in range(46):
        views.save(database, user.id, f"v{number:02}", "?x=1", NOW)
    done = at_once(lambda n: views.save(database, user.id, f"w{n}", "?x=1", NOW), 8)
    assert len(names(database, user)) == 50
    refused = [str(one) for one in done if one is not None]
    assert refused == ["50 views are kept already; delete one first"] * 4
    views.save(database, user.id, "v00", "?x=2", NOW)
