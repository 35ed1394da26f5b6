"""Signing in by CAS: as it should go, and attacks."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from dashboard.signin.cas import owner
from dashboard.signin.external import AnswerError
from tests.dashboard.signin import served
from tests.dashboard.signin.browser import PUBLIC, Browser
from tests.dashboard.signin.cas_server import SUCCESS, USER

VALIDATE = "/cas/p3/serviceValidate"


def response(inner, name="cas", space="http://www.yale.edu/tp/cas"):
    return (
        f'<{name}:serviceResponse xmlns:{name}="{space}">{inner}</{name}:serviceResponse>'.encode()
    )


def success(inner):
    return response(f"<cas:authenticationSuccess>{inner}</cas:authenticationSuccess>")


def test_who_brings_a_ticket_is_who_signed_in_there(cas_browser, cas):
    found = json.loads(cas_browser.sign_in().text)
    assert found == {
        "provider": "cas",
        "subject": USER,
        "login": USER,
        "detail": f"server {cas.base}",
        "return_to": "/?level=county",
    }
    assert cas.paths() == ["/cas/login", VALIDATE]


def test_the_service_is_the_same_letter_by_letter(cas_browser, cas):
    left = parse_qs(urlsplit(cas_browser.leave()).query)["service"][0]
    assert left.startswith(f"{PUBLIC}/signin/cas/back?state=")
    cas_browser.come_back(cas_browser.visit(f"{cas.base}/login?service={left}"))
    assert cas.asked[-1].query["service"] == [left]


def test_a_server_of_cas_2_is_asked_at_its_own_address(cas_browser, cas):
    cas.validations = {"/cas/serviceValidate"}
    assert cas_browser.sign_in().status_code == 200
    assert cas.paths()[-2:] == [VALIDATE, "/cas/serviceValidate"]


def test_signing_out_goes_to_the_server_and_comes_home(cas_provider, cas):
    assert cas_provider().sign_out_url() == (
        f"{cas.base}/logout?service=https%3A%2F%2Fmap.example.gov.cn%2F"
    )


def test_a_slash_at_the_end_of_the_setting_changes_nothing(cas_provider, cas):
    provider = cas_provider(url=cas.base + "/", public_url=PUBLIC + "/")
    assert Browser(provider).sign_in().status_code == 200


# The way back


@pytest.mark.parametrize("state", ["", None, "A" * 43], ids=["empty", "missing", "wrong"])
def test_a_wrong_state(cas_browser, cas, is_refused, state):
    is_refused(cas_browser.sign_in(state=state), "the state is not the one")
    assert VALIDATE not in cas.paths()


@pytest.mark.parametrize(
    "ticket",
    [
        None,
        "",
        "ST-",
        "PT-1-abcdefgh",
        "TGT-1-abcdefgh",
        "st-1-abcdefgh",
        "ST-1-a&service=https://evil.example",
        "ST-1-a\r\nX: y",
        "ST-1-é",
        "ST-1-a/../logout",
        "ST-" + "a" * 254,
        ["ST-1-a", "ST-1-b"],
    ],
    ids=lambda ticket: repr(ticket)[:24],
)
def test_a_ticket_that_is_none_is_not_asked_for(cas_browser, cas, is_refused, ticket):
    is_refused(cas_browser.sign_in(ticket=ticket), "no service ticket")
    assert VALIDATE not in cas.paths()


def test_a_ticket_of_another_service(cas_browser, cas, is_refused):
    """Another application caught the user's ticket for itself."""
    theirs = cas.ticket_for("https://evil.example/back")
    is_refused(cas_browser.sign_in(ticket=theirs), "'INVALID_SERVICE'")


def test_a_victim_cannot_be_signed_in_with_the_attackers_ticket(cas_provider, is_refused):
    provider = cas_provider()
    attacker, victim = Browser(provider), Browser(provider)
    own = attacker.visit(attacker.leave())
    ticket = parse_qs(urlsplit(own).query)["ticket"]
    victim.leave()
    is_refused(victim.come_back(own), "the state is not the one")
    back = victim.visit(victim.leave())
    is_refused(victim.come_back(back, ticket=ticket), "'INVALID_SERVICE'")


def test_a_ticket_counts_once(cas_provider, is_refused):
    first, second = Browser(cas_provider()), Browser(cas_provider())
    back = first.visit(first.leave())
    second.client._cookies = dict(first.client._cookies)
    assert first.come_back(back).status_code == 200
    is_refused(first.come_back(back), "this browser began no sign-in")
    is_refused(second.come_back(back), "'INVALID_TICKET'")


def test_an_invented_ticket(cas_browser, is_refused):
    is_refused(cas_browser.sign_in(ticket="ST-1-invented"), "'INVALID_TICKET'")


# The server's answer

ENTITY = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
BOMB = (
    '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + "]>"
)
MANY = " ".join(f"a{n}='x'" for n in range(20_000))
FORGED = {
    "empty": b"",
    "html": b"<html><body>busy</body></html>",
    "no end": success("<cas:user>leader</cas:user>")[:-5],
    "external entity": ENTITY.encode() + success("<cas:user>&x;</cas:user>"),
    "bomb": BOMB.encode() + success("<cas:user>&j;</cas:user>"),
    "external subset": b'<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd">'
    + success("<cas:user>leader</cas:user>"),
    "plain doctype": b"<!DOCTYPE a>" + success("<cas:user>leader</cas:user>"),
    "another namespace": response(
        "<cas:authenticationSuccess><cas:user>leader</cas:user></cas:authenticationSuccess>",
        space="http://evil.example",
    ),
    "no namespace": b"<serviceResponse><authenticationSuccess><user>leader</user>"
    b"</authenticationSuccess></serviceResponse>",
    "another root": b'<a xmlns:cas="http://www.yale.edu/tp/cas">'
    b"<cas:authenticationSuccess><cas:user>leader</cas:user></cas:authenticationSuccess></a>",
    "no result": response(""),
    "another result": response("<cas:proxySuccess><cas:user>leader</cas:user></cas:proxySuccess>"),
    "two results": response(
        "<cas:authenticationSuccess><cas:user>post</cas:user></cas:authenticationSuccess>"
        "<cas:authenticationSuccess><cas:user>leader</cas:user></cas:authenticationSuccess>"
    ),
    "failure beside success": response(
        '<cas:authenticationFailure code="X"/>'
        "<cas:authenticationSuccess><cas:user>leader</cas:user></cas:authenticationSuccess>"
    ),
    "user in a failure": response(
        '<cas:authenticationFailure code="X"><cas:user>leader</cas:user>'
        "</cas:authenticationFailure>"
    ),
    "no user": success("<cas:attributes><cas:user>leader</cas:user></cas:attributes>"),
    "two users": success("<cas:user>post</cas:user><cas:user>leader</cas:user>"),
    "user with parts": success("<cas:user>post<cas:b/>leader</cas:user>"),
    "blank user": success("<cas:user> \n </cas:user>"),
    "user of two lines": success("<cas:user>post\nleader</cas:user>"),
    "long user": success(f"<cas:user>{'a' * 256}</cas:user>"),
    "by a proxy": success(
        "<cas:user>leader</cas:user><cas:proxies><cas:proxy>x</cas:proxy></cas:proxies>"
    ),
    "unknown encoding": b'<?xml version="1.0" encoding="nonsense"?>'
    + success("<cas:user>leader</cas:user>"),
    "not utf-8": success("<cas:user>leader</cas:user>").replace(b"leader", b"\xff\xfe"),
    "zeros": b"\x00" * 1_000,
    "deep": b"<a>" * 100_000,
    "deep and closed": b"<a>" * 100_000 + b"</a>" * 100_000,
    "many attributes": success(f"<cas:user {MANY}/>"),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_answer(name):
    with pytest.raises(AnswerError):
        owner(FORGED[name])


@pytest.mark.parametrize("name", ["bomb", "external entity", "two users", "html"])
def test_a_forged_answer_reaches_nobody(cas_browser, cas, is_refused, name):
    cas.success = FORGED[name].decode()
    is_refused(cas_browser.sign_in(), "the CAS server's answer")


def test_a_comment_does_not_cut_the_name():
    """A reader that stops at a comment takes `leader<!-- -->-of-nothing` for the leader."""
    assert owner(success("<cas:user>leader<!-- -->-of-nothing</cas:user>")) == "leader-of-nothing"


def test_space_around_the_name_is_layout():
    assert owner(success("<cas:user>\n    post-1\n  </cas:user>")) == "post-1"
    assert owner(SUCCESS.format("post-1").encode()) == "post-1"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (served.huge, "longer than 1,048,576 bytes"),
        (served.elsewhere("https://evil.example/"), "redirects are not followed"),
        (served.body(SUCCESS.format("leader").encode(), 500), "answered 500"),
        (served.body(b"x", **{"Content-Encoding": "gzip"}), "compressed"),
        (served.body(SUCCESS.format("leader").encode(), 404), "answered 404"),
    ],
    ids=["huge", "redirect", "500", "gzip", "404"],
)
def test_an_answer_that_cannot_be_used(cas_browser, cas, is_refused, answer, reason):
    back = cas_browser.visit(cas_browser.leave())
    cas.instead[VALIDATE] = cas.instead["/cas/serviceValidate"] = answer
    is_refused(cas_browser.come_back(back), reason)


@pytest.mark.parametrize("slow", [served.silent, served.dripping])
def test_an_answer_that_does_not_come(cas_provider, cas, is_refused, slow):
    browser = Browser(cas_provider(timeout_s=0.1))
    back = browser.visit(browser.leave())
    cas.instead[VALIDATE] = slow(cas)
    is_refused(browser.come_back(back), "ReadTimeout", "took too long")


def test_no_ticket_stands_in_the_log(cas_browser, cas, caplog, is_refused):
    back = cas_browser.visit(cas_browser.leave())
    ticket = parse_qs(urlsplit(back).query)["ticket"][0]
    cas.close()
    is_refused(cas_browser.come_back(back), "ConnectionError")
    assert ticket not in caplog.text


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"url": "http://cas.example.gov.cn/cas"}, "PINGAN_CAS_URL"),
        ({"url": "cas.example.gov.cn"}, "PINGAN_CAS_URL"),
        ({"public_url": ""}, "PINGAN_PUBLIC_URL"),
    ],
)
def test_settings_that_cannot_be_used(cas_provider, changed, named):
    with pytest.raises(ValueError, match=f"^{named} "):
        cas_provider(**changed)
