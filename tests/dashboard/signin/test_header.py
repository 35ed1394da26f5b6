"""Signing in by a portal's signed headers: as it should go, and attacks."""

import socket
import threading

import pytest
from flask import Flask, Request
from werkzeug.serving import make_server
from werkzeug.test import EnvironBuilder

from dashboard.signin.header import (
    NONCE,
    SIGNATURE,
    SLACK_S,
    TIME,
    USER,
    HeaderProvider,
    signature,
)

KEY = "k3Jd92mQ0xTz7VbN4cLr8sWy1pHg6FaE"
NONCES = (f"{number:032x}" for number in range(10**6))


@pytest.fixture
def provider(clock):
    return HeaderProvider(KEY, clock=clock)


def told_now(clock, **changed):
    """What the portal signs of a request."""
    return {
        "user": "post-0417",
        "time": str(int(clock().timestamp())),
        "nonce": next(NONCES),
        "method": "GET",
        "target": "/?level=county",
        **changed,
    }


def headers_of(told, key=KEY):
    return {
        USER: told["user"],
        TIME: told["time"],
        NONCE: told["nonce"],
        SIGNATURE: signature(key, **told),
    }


def request_of(headers, method="GET", target="/?level=county", **environ):
    kept = {name: value for name, value in headers.items() if value is not None}
    made = EnvironBuilder(target, method=method, headers=kept).get_environ()
    return Request({**made, **environ})


@pytest.fixture
def ask(provider, clock):
    """Send a request as the portal signs it, some headers changed afterwards."""

    def sent(headers=(), key=KEY, **changed):
        told = told_now(clock, **changed)
        made = {**headers_of(told, key), **dict(headers)}
        sent.request = request_of(made, told["method"], told["target"])
        return provider.identity(sent.request)

    return sent


def test_the_portal_names_the_user_of_each_request(ask):
    for method in ("GET", "HEAD", "POST"):
        found = ask(method=method)
        assert (found.provider, found.subject, found.login) == ("header", "post-0417", "post-0417")


def test_addresses_are_signed_as_they_stand_in_the_request_line(ask):
    for target in ("/a%2Fb?q=%E5%8C%BA&x=1", "/%61", "/a//b/../c?", "/?a=b?c=d"):
        assert ask(target=target), target


def test_two_addresses_that_decode_alike_are_not_the_same(provider, clock):
    headers = headers_of(told_now(clock, target="/a"))
    for line in ("/%61", "http://map/a", "/a\xe9", "*", None):
        made = request_of(headers, target="/a", RAW_URI=line, REQUEST_URI=line)
        assert provider.identity(made) is None, line
    assert provider.identity(request_of(headers, target="/a"))
    headers = headers_of(told_now(clock, target="/a"))
    assert provider.identity(request_of(headers, target="/a", RAW_URI=None))


@pytest.mark.parametrize("line", ["http://map/a", "*", "/a\xe9", ""])
def test_a_request_line_without_a_plain_path_is_no_use_even_signed(provider, clock, caplog, line):
    headers = headers_of(told_now(clock, target=line))
    made = request_of(headers, target="/a", RAW_URI=line, REQUEST_URI=line)
    assert provider.identity(made) is None
    assert "holds no plain path" in caplog.text


@pytest.mark.parametrize("name", [USER, TIME, NONCE, SIGNATURE])
def test_a_missing_header(ask, caplog, name):
    assert ask(headers={name: None}) is None
    assert f"{name} missing" in caplog.text


def test_a_name_without_a_signature(provider, caplog):
    assert provider.identity(request_of({USER: "leader"})) is None
    assert f"{TIME}, {NONCE}, {SIGNATURE} missing" in caplog.text


@pytest.mark.parametrize(
    "change",
    [
        {"key": KEY[:-1] + "F"},
        {"key": ""},
        {"user": "post-0418"},
        {"time": "1"},
        {"nonce": "another-nonce-of-22-ch"},
        {"method": "POST"},
        {"method": "get"},
        {"target": "/?level=city"},
        {"target": "/"},
        {"target": "/?level=county&x"},
    ],
    ids=str,
)
def test_a_signature_of_something_else(provider, clock, caplog, change):
    told = told_now(clock)
    true = headers_of(told)
    key = change.get("key", KEY)
    other = headers_of({**told, **{k: v for k, v in change.items() if k != "key"}}, key)
    assert provider.identity(request_of({**true, SIGNATURE: other[SIGNATURE]})) is None
    assert "the signature is not the portal's" in caplog.text
    assert provider.identity(request_of(true))


def test_parts_cannot_be_moved_from_one_field_to_another(ask):
    """A line feed would join two fields; no field may hold one."""
    for name in (USER, TIME, NONCE):
        with pytest.raises(ValueError, match="newline"):
            ask(headers={name: "a\nb"})


@pytest.mark.parametrize(
    "headers",
    [
        {USER: ""},
        {USER: "post 0417"},
        {USER: "post-0417,leader"},
        {USER: "区长"},
        {USER: "a" * 65},
        {TIME: "soon"},
        {TIME: "-1"},
        {TIME: "1e9"},
        {TIME: "٣" * 10},
        {TIME: "9" * 13},
        {NONCE: "short"},
        {NONCE: "a" * 65},
        {SIGNATURE: "0" * 63},
        {SIGNATURE: "é" * 64},
        {SIGNATURE: "0" * 64 + "," + "0" * 64},
    ],
    ids=str,
)
def test_a_malformed_header(ask, caplog, headers):
    sent = {name: value.encode().decode("latin-1") for name, value in headers.items()}
    assert ask(headers=sent) is None
    assert "malformed" in caplog.text


def test_the_slack_of_the_clocks(ask, clock, caplog):
    now = int(clock().timestamp())
    assert ask(time=str(now - SLACK_S))
    assert ask(time=str(now + SLACK_S))
    assert ask(time=str(now - SLACK_S - 1)) is None
    assert ask(time=str(now + SLACK_S + 1)) is None
    assert caplog.text.count("more than 60 s from our clock") == 2


def test_the_same_request_counts_once(ask, provider, clock, caplog):
    assert ask(time=str(int(clock().timestamp()) + SLACK_S))
    for seconds in (0, 1, 59, 60):
        clock.forward(seconds=seconds)
        assert provider.identity(ask.request) is None
    assert caplog.text.count("this request came before") == 4
    clock.forward(seconds=1)
    assert provider.identity(ask.request) is None
    assert "more than 60 s from our clock" in caplog.text


def test_of_many_threads_with_one_request_one_is_let_in(ask, provider):
    assert ask() is not None
    fresh = ask.request
    provider._nonces._until.clear()
    start = threading.Barrier(8)
    let_in = []

    def send():
        start.wait()
        let_in.append(provider.identity(Request(dict(fresh.environ))) is not None)

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(let_in) == [False] * 7 + [True]


def test_forged_requests_leave_no_trace_in_memory(ask, provider, clock):
    for _ in range(100):
        assert ask(key="f" * 32) is None
    assert len(provider._nonces) == 0
    for _ in range(100):
        assert ask()
    assert len(provider._nonces) == 100
    clock.forward(seconds=2 * SLACK_S + 1)
    assert ask()
    assert len(provider._nonces) == 1


@pytest.mark.parametrize("key", ["", "short", "a" * 31])
def test_a_short_key_does_not_start(key):
    with pytest.raises(ValueError, match=f"PINGAN_HEADER_KEY has {len(key)} characters"):
        HeaderProvider(key)


def test_signing_out_is_the_portals_business(provider):
    assert provider.sign_out_url() is None


@pytest.fixture
def line(provider):
    """A real web server; sends it one request, byte by byte as given."""
    app = Flask("map")

    @app.get("/")
    def page():
        from flask import request

        found = provider.identity(request)
        return found.subject if found else ("nobody", 403)

    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()

    def send(*headers):
        with socket.create_connection(server.server_address, timeout=5) as connection:
            lines = ["GET /?a=%41 HTTP/1.1", "Host: map", "Connection: close", *headers, "", ""]
            connection.sendall("\r\n".join(lines).encode())
            return b"".join(iter(lambda: connection.recv(65_536), b"")).decode().split("\r\n")[-1]

    yield send
    server.shutdown()
    thread.join()
    server.server_close()


def lines_of(clock):
    headers = headers_of(told_now(clock, target="/?a=%41"))
    return [f"{name}: {value}" for name, value in headers.items()]


def test_over_a_real_connection(line, clock):
    lines = lines_of(clock)
    assert line(*lines) == "post-0417"
    assert line(*lines) == "nobody"


def test_a_header_that_comes_twice(line, clock):
    for position, name in enumerate((USER, TIME, NONCE, SIGNATURE)):
        lines = lines_of(clock)
        assert line(*lines, lines[position]) == "nobody", name
        assert line(f"{name}: leader", *lines) == "nobody", name
        assert line(*lines) == "post-0417"


def test_a_header_with_underscores_is_not_the_portals(line, clock):
    lines = lines_of(clock)
    assert line("X_Pingan_User: leader", *lines[1:]) == "nobody"
    assert line(*lines, "X_Pingan_User: leader") == "post-0417"
