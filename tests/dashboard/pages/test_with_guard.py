"""The pages behind the real guard, in the whole application."""

import re

import pytest

from dashboard.app import create_app
from dashboard.guard import PERMISSIONS as DECLARED
from data.access import Grant
from data.accounts import links
from data.accounts.users import Accounts
from data.audit import AuditLog
from data.secrets import derived, installation_key
from data.settings import Settings
from data.state.database import open_state
from data.store import Store
from tests.dashboard.pages.conftest import PASSWORD, PERMISSIONS, SECOND, field, said
from tests.dashboard.squares import publish

HTML = {"Accept": "text/html"}


class Whole:
    """The application with local accounts over a published city."""

    def __init__(self, home) -> None:
        settings = Settings(home=home, auth="local")
        self.server = create_app(settings, Store(home)).server
        self.database = open_state("", home)
        key = installation_key(home, "")
        self.accounts = Accounts(self.database, key)
        self.audit = AuditLog(self.database, derived(key, "audit"))

    def browser(self):
        return self.server.test_client()

    def signed_in(self, login, password=PASSWORD, **more):
        client = self.browser()
        data = {"form_token": token(client), "login": login, "password": password, **more}
        answer = client.post("/signin", data=data, headers=HTML)
        assert answer.status_code == 303
        return client, answer.headers["Location"]


def token(client, path="/signin"):
    return field(client.get(path, headers=HTML).text, "form_token")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    home = tmp_path_factory.mktemp("whole")
    publish(home)
    made = Whole(home)
    from dashboard.pages.context import utc_now

    for login, role in (("anquan", "security_admin"), ("lingdao", "leader")):
        made.accounts.add(login, password=PASSWORD, now=utc_now())
        made.accounts.grant(login, Grant(role), by="test", now=utc_now())
    yield made
    made.database.close()


def test_the_pages_ask_for_what_the_guard_declares():
    ours = {name: asked for name, asked in PERMISSIONS.items() if name in DECLARED}
    assert set(PERMISSIONS) - set(ours) <= {"home", "home2", "assets"}
    assert ours == {name: DECLARED[name] for name in ours}


def test_a_visitor_is_led_to_the_sign_in_and_back(whole):
    asked = whole.browser().get("/audit?action=export", headers=HTML)
    assert asked.status_code == 302
    page = whole.browser().get(asked.headers["Location"], headers=HTML)
    going = field(page.text, "next")
    assert going == "/audit?action=export"
    _, location = whole.signed_in("anquan", next=going)
    assert location == "/audit?action=export"


def test_each_role_begins_at_its_work(whole):
    assert whole.signed_in("anquan")[1] == "/users"
    assert whole.signed_in("lingdao")[1] == "/"


@pytest.mark.parametrize("path", ["/users", "/settings", "/users/of/anquan"])
def test_the_guard_keeps_others_out(whole, path):
    client, _ = whole.signed_in("lingdao")
    answer = client.get(path, headers=HTML)
    assert answer.status_code == 403
    assert "没有权限" in answer.text


def test_forms_of_other_sites_are_refused(whole):
    client, _ = whole.signed_in("anquan")
    data = {"form_token": token(client, "/account")}
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = client.post("/account/sessions", data=data, headers={**HTML, **headers})
        assert answer.status_code == 403
    assert client.post("/account/sessions", data=data, headers=HTML).status_code == 303


def test_nothing_opens_before_a_first_password_is_changed(whole):
    from dashboard.pages.context import utc_now

    _, password = whole.accounts.add("xinren", now=utc_now())
    whole.accounts.grant("xinren", Grant("leader"), by="test", now=utc_now())
    client, _ = whole.signed_in("xinren", password)
    for path in ("/", "/audit", "/views"):
        answer = client.get(path, headers=HTML)
        assert (answer.status_code, answer.headers["Location"]) == (302, "/account")
    page = client.get("/account", headers=HTML).text
    assert "请先修改密码" in said(page)
    assert 'class="bar-nav"' not in page
    data = {
        "form_token": field(page, "form_token"),
        "old": password,
        "new": SECOND,
        "again": SECOND,
    }
    assert client.post("/account/password", data=data, headers=HTML).status_code == 303
    assert client.get("/audit", headers=HTML).status_code == 200


def test_the_pages_are_served_under_the_policy_without_script(whole):
    client, _ = whole.signed_in("anquan")
    answer = client.get("/users", headers=HTML)
    assert "<script" not in answer.text
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "private, no-store"
    for path in set(re.findall(r'(?:href|src)="(/assets/[^"]+)"', answer.text)):
        with whole.browser().get(path, buffered=True) as sheet:
            assert sheet.status_code == 200


def test_the_map_does_not_load_the_sheet_of_the_pages(whole):
    client, _ = whole.signed_in("lingdao")
    page = client.get("/", headers=HTML).text
    assert "assets/layout.css" in page
    assert "assets/pages.css" not in page


def test_every_request_leaves_one_row(whole):
    client, _ = whole.signed_in("anquan")
    for path in ("/account", "/users", "/settings", "/audit", "/views", "/nothing-here"):
        before = whole.audit.search(limit=1)[0].seq
        client.get(path, headers=HTML)
        assert whole.audit.search(limit=1)[0].seq == before + 1, path


def test_there_is_no_second_set_up(whole):
    assert links.setup_is_open(whole.database, "x", now=whole.audit.search(limit=1)[0].at) is False
    assert whole.browser().get("/setup/x", headers=HTML).status_code == 404
