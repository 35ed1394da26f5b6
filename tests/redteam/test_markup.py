"""Stored text is text wherever it is shown: no element, no attribute, no address is made of it."""

from unittest import mock

import pytest
from argon2 import PasswordHasher

from data.access import Grant
from data.accounts import passwords, views
from tests.redteam import city, marked
from tests.redteam.attack import CALLBACKS, COMPARE, HOVER, PANELS, SEARCH, SYNC
from tests.redteam.marked import MARK, PAYLOADS, read
from tests.redteam.town import HTML, PASSWORD, REASON, Town, body_of, send, token_of, utc_now

pytestmark = pytest.mark.early

KNOWN_TYPES = frozenset(
    [
        "A",
        "Abbr",
        "AgGrid",
        "B",
        "Button",
        "Caption",
        "Code",
        "Dd",
        "Details",
        "Div",
        "Dl",
        "Dt",
        "Em",
        "Figcaption",
        "Figure",
        "Form",
        "H1",
        "H2",
        "H3",
        "H4",
        "I",
        "Img",
        "Input",
        "Label",
        "Li",
        "Link",
        "Ol",
        "Option",
        "P",
        "Small",
        "Span",
        "Strong",
        "Summary",
        "Table",
        "Tbody",
        "Td",
        "Th",
        "Thead",
        "Tr",
        "Ul",
        "Section",
        "Header",
        "Footer",
        "Nav",
        "Aside",
        "Time",
        "Mark",
        "Kbd",
        "Data",
        "Tfoot",
        "Br",
        "Hr",
        "Dropdown",
        "RadioItems",
        "Store",
        "Location",
        "Progress",
        "Meter",
    ]
)
"""Components that show text as text."""


def test_there_are_as_many_payloads_as_promised():
    assert len(set(PAYLOADS)) == 120
    assert all(MARK in payload for payload in PAYLOADS)


def test_the_reader_sees_each_kind_of_fault():
    harmful = [f"<p>{payload}</p>" for payload in PAYLOADS[:34] if payload[0] == "<"]
    seen = [page for page in harmful if read(page)[0]]
    assert len(seen) > len(harmful) * 3 // 4
    assert read(f"<p title='{MARK}'>&lt;script&gt;{MARK}</p>") == ([], f"<script>{MARK}")


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    home = tmp_path_factory.mktemp("marked") / "home"
    marked.publish(home)
    town = Town(home)
    town.person("leader-desk", Grant("leader"))
    town.person("command-desk", Grant("command", "county", "9901002"))
    town.person("office", Grant("security_admin"))
    town.person("auditor", Grant("audit_admin"))
    for number, payload in enumerate(PAYLOADS):
        # Nobody signs in to these accounts.
        with mock.patch.object(passwords, "HASHER", PasswordHasher(1, 8, 1)):
            town.accounts.add(
                f"desk-{number}", unit=shown(payload), password=PASSWORD, now=utc_now()
            )
        town.inside.audit.write(
            at=utc_now(), user=payload[:64], roles=payload[:64], address="10.0.0.1", session="",
            action="view", target=payload, result="ok", detail=payload,
        )  # fmt: skip
    return town


def shown(payload):
    """A payload as an account's unit may hold it."""
    return "".join(c for c in payload if c.isprintable())[:64]


def check(page, *, of=""):
    faults, text = read(page.text)
    assert not faults, (of, faults[:3])
    return text


def test_pages_show_what_is_stored_as_text(town):
    office, auditor = town.browser("office"), town.browser("auditor")
    told = ""
    for at in range(0, 150, 50):
        told += check(office.get(f"/users?at={at}", headers=HTML))
    for number, payload in enumerate(PAYLOADS):
        told += check(office.get(f"/users/of/desk-{number}?find={MARK}", headers=HTML))
        told += check(auditor.get("/audit", query_string={"text": payload}, headers=HTML))
    assert all(shown(payload) in told for payload in PAYLOADS)


def test_what_is_asked_for_comes_back_as_text(town):
    office, visitor = town.browser("office"), town.app.server.test_client()
    token = token_of(visitor, "/signin")
    for number, payload in enumerate(PAYLOADS):
        asked = {"q": payload, "lang": payload, "theme": payload, "told": payload, "next": payload}
        for path in ("/users", "/audit", "/settings", "/account", "/users/of/desk-1"):
            check(office.get(path, query_string=asked | {"find": payload}, headers=HTML))
        for path in (f"/{payload}", f"/users/of/{payload}", f"/setup/{payload}", f"/s/{payload}"):
            check(office.get(path.replace("?", ""), headers=HTML))
        data = {"form_token": token, "login": payload, "password": payload}
        where = {"REMOTE_ADDR": f"127.0.{number // 100}.{number % 100 + 1}"}
        answer = visitor.post(
            "/signin", query_string=asked, data=data, headers=HTML, environ_overrides=where
        )
        check(answer, of=payload)


def test_saved_views_shares_and_reasons_are_text(town):
    browser, user = town.browser("leader-desk"), town.accounts.get("leader-desk")
    database, told = town.inside.database, ""
    for payload in PAYLOADS:
        name = shown(payload)[: views.LONGEST_NAME]
        views.save(database, user.id, name, "?lang=en", utc_now())
        told += check(browser.get("/views", headers=HTML), of=payload)
        for path in ("/export", "/image", "/share", "/views"):
            check(browser.get(path, query_string={"area": payload, "lang": "en"}, headers=HTML))
        assert name in told
        views.delete(database, user.id, name)
    token = token_of(browser)
    for payload in PAYLOADS[::6]:
        data = {"form_token": token, "reason": f"{REASON} {payload}"}
        check(browser.post("/share", data=data, query_string={"area": payload}, headers=HTML))
        check(browser.post("/export", data={**data, "format": payload}, headers=HTML))
        check(browser.post("/image", data={**data, "size": payload}, headers=HTML))
    check(town.browser("auditor").get("/audit?action=share", headers=HTML))


def test_an_account_with_a_hostile_unit_sees_its_own_pages(town):
    for number in range(len(PAYLOADS)):
        if number % 4 == 0:
            check(town.browser(f"desk-{number}").get("/account", headers=HTML), of=PAYLOADS[number])


def components(value, place=""):
    """Every property of every component in an answer: type, name, value."""
    if isinstance(value, dict):
        if "namespace" in value and "props" in value:
            for name, inner in value["props"].items():
                yield value["type"], name, inner
                yield from components(inner, name)
        else:
            for name, inner in value.items():
                yield from components(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from components(inner, place)


def markups(response):
    """Parts of an answer that the page takes as markup."""
    for name, properties in response.items():
        if name.endswith("-markup"):
            for data in properties.values():
                yield from data.values() if isinstance(data, dict) else [data]


def answers(town):
    asking = town.browser("leader-desk"), town.browser("command-desk")
    codes = ["", *city.areas()["code"].iloc[::23]]
    for code in codes:
        for lang in ("zh", "en"):
            search = f"?area={code}&lang={lang}"
            for what in CALLBACKS:
                event = {"kind": "hover", "layer": "areas", "level": "county", "index": 1}
                values = {"url.search": search, "panels-address.data": search, "compared-address.data": search,
                          "page-address.data": f"/hotspots{search}",
                          "area-search.value": MARK, "map-hover.data": event}  # fmt: skip
                # The whole city has nothing to be compared with.
                browser = asking[what == COMPARE]
                answer = browser.post(
                    "/_dash-update-component", json=body_of(town.app, what, values)
                )
                assert answer.status_code == 200
                yield what, answer.get_json()["response"]


def test_the_map_shows_names_as_text(town):
    reached = set()
    for what, response in answers(town):
        for kind, name, value in components(response):
            assert kind in KNOWN_TYPES, kind
            assert not name.lower().startswith(("dangerously", "srcdoc", "on")), (kind, name)
            if name in ("href", "src", "action"):
                assert value.startswith(("/", "?", "#")), value
                assert not value.startswith("//")
        for markup in markups(response):
            faults, text = read(markup)
            assert not faults, faults[:3]
            reached |= {what} if MARK in text else set()
        if MARK in str(response):
            reached.add(what)
    assert reached >= {SYNC, PANELS, HOVER, SEARCH, COMPARE}


def test_names_of_the_map_are_data(town):
    browser = town.browser("leader-desk")
    for level in ("city", "county", "township", "community", "grid"):
        answer = browser.get(f"/names/b1/{level}.json")
        assert answer.mimetype == "application/json"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert MARK in answer.text


def test_an_export_holds_no_formula(town):
    browser = town.browser("leader-desk")
    answer = send(browser, "/export?level=grid", {"format": "csv", "reason": f"=cmd {REASON}"})
    assert answer.status_code == 200
    import csv
    import io

    for row in csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))):
        for cell in row:
            assert not cell.lstrip().startswith(("=", "@", "+", "\t")), cell
