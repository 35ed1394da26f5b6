"""Controls of the running service, each failing once."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from data.settings import Settings
from etl.compliance import serving
from tests.etl.compliance.values import SAFE_HEADERS

NAMES = (
    "transport", "session cookie", "response headers", "rate limit", "debug off", "safe settings",
    "strength of secrets", "file modes",
)  # fmt: skip


def test_a_good_service_passes(installed):
    found = installed.controls()
    assert {name: found[name].state for name in NAMES} == dict.fromkeys(NAMES, "pass")
    assert found["connection to the state database"].state == "not applicable"
    assert found["session cookie"].detail == (
        "__Host- prefix, Secure, HttpOnly, SameSite=Lax, Path=/"
    )


@pytest.mark.parametrize(
    ("changed", "detail"),
    [
        (
            {"insecure_http": True},
            "PINGAN_INSECURE_HTTP=1; put a TLS proxy in front and unset it",
        ),
        (
            {"host": "10.1.2.3", "public_url": ""},
            "PINGAN_PUBLIC_URL does not say https://…; set the address that browsers use",
        ),
        (
            {"proxies": 1, "public_url": ""},
            "PINGAN_PUBLIC_URL does not say https://…; set the address that browsers use",
        ),
    ],
)
def test_figures_and_passwords_do_not_travel_in_the_clear(installed, changed, detail):
    control = installed.controls(**changed)["transport"]
    assert (control.state, control.detail) == ("fail", detail)


def test_a_cookie_without_tls_fails(installed):
    control = installed.controls(host="10.1.2.3", public_url="http://10.1.2.3")["session cookie"]
    assert (control.state, control.detail) == (
        "fail",
        "not Secure, because PINGAN_PUBLIC_URL does not say https://…; set it",
    )


def test_this_machine_alone_needs_no_tls(installed):
    found = installed.controls(public_url="")
    assert found["transport"].detail == "127.0.0.1 is this machine alone"
    assert found["session cookie"].state == "pass"


@pytest.mark.parametrize(
    ("state", "found"),
    [
        ("postgresql://u:tW4-keN9@db.example.gov.cn/s", "fail"),
        ("postgresql://u:tW4-keN9@db.example.gov.cn/s?sslmode=prefer", "fail"),
        ("postgresql://u:tW4-keN9@db.example.gov.cn/s?sslmode=verify-full", "pass"),
        ("postgresql://u:tW4-keN9@localhost/s", "pass"),
        ("postgresql://u@/s?host=/run/postgresql", "pass"),
        ("nothing at all", "fail"),
    ],
)
def test_the_state_database_is_reached_over_tls(state, found):
    assert serving._connection(Settings(state=state)).state == found


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"Content-Security-Policy": ""}, "there is no Content-Security-Policy"),
        (
            {"Content-Security-Policy": "script-src 'self' 'unsafe-eval'; frame-ancestors 'none'"},
            "scripts may be 'unsafe-eval'",
        ),
        (
            {"Content-Security-Policy": "default-src 'unsafe-inline'; frame-ancestors 'none'"},
            "scripts may be 'unsafe-inline'",
        ),
        (
            {"Content-Security-Policy": "script-src 'self'; connect-src https:"},
            "other hosts may serve connect-src",
        ),
        ({"X-Content-Type-Options": ""}, "types may be guessed"),
        ({"Cache-Control": "public, max-age=60"}, "answers may be stored"),
        ({"Referrer-Policy": "unsafe-url"}, "addresses may leak to other hosts"),
        ({"Access-Control-Allow-Origin": "*"}, "pages of other hosts may read answers"),
        (
            {"X-Frame-Options": "", "Content-Security-Policy": "script-src 'self'"},
            "pages may be framed",
        ),
    ],
)
def test_an_unsafe_header_fails(installed, changed, fault):
    control = installed.controls(headers=SAFE_HEADERS | changed)["response headers"]
    assert (control.state, control.detail) == (
        "fail",
        f"{fault}; another program or proxy answers; correct it",
    )


def test_names_of_headers_have_no_case(installed):
    lowered = {name.lower(): value for name, value in SAFE_HEADERS.items()}
    assert installed.controls(headers=lowered)["response headers"].state == "pass"


def test_a_map_that_does_not_run_is_seen_by_hand(installed):
    control = installed.controls(headers=None)["response headers"]
    assert (control.state, control.detail) == (
        "by hand",
        "nothing answers at 127.0.0.1:8050; run `pingan serve` and then this again",
    )


class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503 if self.server.is_empty else 200)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()

    def log_message(self, *_args):
        """Nothing is told."""


@pytest.mark.parametrize("is_empty", [False, True])
def test_the_running_map_is_asked_for_its_headers(is_empty):
    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        server.is_empty = is_empty
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        found = serving.headers_of(Settings(host="0.0.0.0", port=server.server_port))  # noqa: S104
        thread.join()
    assert found["X-Content-Type-Options"] == "nosniff"
    assert serving.headers_of(Settings(port=server.server_port)) is None


def test_a_limit_that_is_not_there_fails(installed, monkeypatch):
    monkeypatch.setattr(serving, "_LIMITS", "dashboard/no_such_module.py")
    control = installed.controls()["rate limit"]
    assert (control.state, control.detail) == (
        "fail",
        "dashboard/no_such_module.py is missing; install the product anew",
    )


@pytest.mark.parametrize("name", ["FLASK_DEBUG", "DASH_DEBUG", "DASH_MCP_ENABLED"])
def test_debug_of_the_environment_fails(installed, name):
    control = installed.controls(environ={name: "1"})["debug off"]
    assert (control.state, control.detail) == ("fail", f"{name} is set; unset it")
    assert installed.controls(environ={name: "0"})["debug off"].state == "pass"


def test_debug_fails(installed):
    control = installed.controls(debug=True)["debug off"]
    assert (control.state, control.detail) == ("fail", "PINGAN_DEBUG is on; unset it")


def test_unsafe_settings_fail(installed):
    control = installed.controls(proxies=-1)["safe settings"]
    assert (control.state, control.detail) == (
        "fail",
        "PINGAN_PROXIES=-1; give the number of proxies in front, 0 or more",
    )


def test_a_weak_key_fails_apart_from_its_file(installed):
    path = installed.home / "secret.key"
    path.write_text("x" * 40)
    found = installed.controls()
    assert found["strength of secrets"].detail == (
        f"{path} can be guessed; use random text, or leave it empty"
    )
    assert found["file modes"].state == "pass"


def test_a_file_for_everybody_fails_apart_from_its_key(installed):
    path = installed.home / "secret.key"
    path.chmod(0o644)
    found = installed.controls()
    assert found["strength of secrets"].state == "pass"
    assert found["file modes"].detail == f"{path} has mode 644; run `chmod 600 {path}`"


def test_a_weak_key_of_the_settings_fails(installed):
    assert installed.controls(secret_key="short")["strength of secrets"].detail == (
        "PINGAN_SECRET_KEY has 5 characters; use 32 or more, or leave it empty"
    )


def test_a_home_that_other_users_can_read_fails(installed):
    installed.home.chmod(0o755)
    home = installed.home
    assert installed.controls()["file modes"].detail == (
        f"{home} has mode 755: every user of this machine reads exact counts; run "
        f"`chmod 750 {home}`"
    )
    assert installed.controls(auth="demo", public_url="")["file modes"].state == "pass"
