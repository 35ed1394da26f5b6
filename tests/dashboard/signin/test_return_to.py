"""Where somebody goes after signing in is a page of the map, whatever the address said."""

import json

import pytest

FOREIGN = [
    "https://evil.example/",
    "http:evil.example",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "\t//evil.example",
    "/\n/evil.example",
    "/\r\nSet-Cookie: a=b",
    "/\x00//evil.example",
    " //evil.example",
    "/ /evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "evil.example",
    "?next=//evil.example",
    "",
    "/\u2028/evil.example",
    "/" + "a" * 2_000,
    "/signin/oidc",
]


@pytest.mark.parametrize("path", FOREIGN, ids=lambda path: repr(path)[:30])
def test_a_foreign_address_becomes_the_first_page(browser, cas_browser, path):
    for one in (browser, cas_browser):
        found = one.come_back(one.visit(one.leave(path)))
        assert json.loads(found.text)["return_to"] == "/"


@pytest.mark.parametrize(
    "path", ["/", "/?area=110101&level=county", "/weekly?issue=12#map", "/%2F%2Fevil.example"]
)
def test_a_page_of_the_map_stays(browser, path):
    assert (
        json.loads(browser.come_back(browser.visit(browser.leave(path))).text)["return_to"] == path
    )


def test_the_address_of_the_way_back_has_no_say(browser):
    back = browser.visit(browser.leave("/weekly"))
    found = browser.come_back(back, return_to="https://evil.example", next="//evil.example")
    assert json.loads(found.text)["return_to"] == "/weekly"
