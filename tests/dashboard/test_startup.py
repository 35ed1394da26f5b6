from dataclasses import replace

import pytest
from dash import Dash, Input, Output, html

from dashboard import app as application
from dashboard import startup
from dashboard.guard import Guard, UnguardedError
from dashboard.startup import UnsafeError
from data.secrets import FILE as KEY_FILE
from data.settings import Settings
from data.store import Store
from tests.dashboard.squares import CITY, FixedProvider

ASKED = FixedProvider(CITY)
STRONG = "q8Zr2LxT0vWn5KdJ7yHs4GfB9mPc1XeU"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"host": "10.1.2.3"}, "PINGAN_AUTH=demo"),
        ({"host": "192.168.1.9", "debug": True}, "PINGAN_DEBUG"),
        ({"host": "example.org"}, "loopback"),
        ({"auth": "open"}, "unknown"),
        ({"auth": ""}, "unknown"),
        ({"secret_key": "short"}, "5 characters"),
        ({"secret_key": "a" * 40}, "guessed"),
        ({"secret_key": "CHANGE-ME-" + STRONG}, "guessed"),
        ({"secret_key": "pingan-" + STRONG}, "guessed"),
    ],
)
def test_unsafe_settings_do_not_start(tmp_path, changed, reason):
    settings = replace(Settings(home=tmp_path), **changed)
    with pytest.raises(UnsafeError, match=reason):
        application.create_app(settings, Store(tmp_path))


@pytest.mark.parametrize("version", ["4.4.0", "3.4.0", "4.4.1rc1"])
def test_an_old_dash_does_not_start(settings, version):
    with pytest.raises(UnsafeError, match="older"):
        startup.check_settings(settings, dash_version=version)


def test_every_fault_is_told_at_once(settings):
    with pytest.raises(UnsafeError) as caught:
        startup.check_settings(replace(settings, host="10.1.2.3", debug=True, secret_key="x"))
    assert all(
        name in str(caught.value) for name in ("PINGAN_DEBUG", "PINGAN_AUTH", "PINGAN_SECRET_KEY")
    )


@pytest.mark.parametrize(
    ("mode", "content", "reason"), [(0o644, STRONG, "mode 644"), (0o600, "weak", "characters")]
)
def test_a_loose_or_weak_key_file_does_not_start(tmp_path, mode, content, reason):
    path = tmp_path / KEY_FILE
    path.write_text(content)
    path.chmod(mode)
    with pytest.raises(UnsafeError, match=reason):
        application.create_app(Settings(home=tmp_path), Store(tmp_path))


def bare(**options):
    app = Dash("dashboard", include_assets_files=False, **options)
    app.layout = html.Div([html.Div(id="a"), html.Div(id="b")])
    return app


@pytest.fixture
def only_ours(monkeypatch):
    monkeypatch.setattr("dashboard.guard.PERMISSIONS", dict.fromkeys(
        ["/", "/_dash-layout", "/_dash-dependencies", "/_dash-update-component", "/_reload-hash", "/_favicon.ico",
         "/<path:path>", "_dash_assets.static", "static",
         "/_dash-component-suites/<string:package_name>/<path:fingerprinted_path>"], "signed in"))  # fmt: skip


@pytest.mark.usefixtures("only_ours")
def test_a_callback_round_the_guard_does_not_start(settings):
    app = bare()
    guard = Guard(app, ASKED)
    startup.check_app(app, guard, ASKED, settings)
    app.callback(Output("a", "children"), Input("b", "children"))(lambda value: value)
    with pytest.raises(UnguardedError, match=r"a\.children"):
        startup.check_app(app, guard, ASKED, settings)


@pytest.mark.usefixtures("only_ours")
def test_an_undeclared_endpoint_does_not_start(settings):
    app = bare()
    guard = Guard(app, ASKED)
    app.server.add_url_rule("/export", "export", lambda: "all")
    with pytest.raises(UnguardedError, match="export"):
        startup.check_app(app, guard, ASKED, settings)


@pytest.mark.usefixtures("only_ours")
@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"suppress_callback_exceptions": True}, "suppressed"),
        ({"background_callback_manager": object()}, "background"),
    ],
)
def test_unsafe_framework_options_do_not_start(settings, options, reason):
    app = bare(**options)
    with pytest.raises(UnsafeError, match=reason):
        startup.check_app(app, Guard(app, ASKED), ASKED, settings)


@pytest.mark.usefixtures("only_ours")
@pytest.mark.parametrize(("attribute", "reason"), [("_enable_mcp", "MCP"), ("use_pages", "pages")])
def test_mcp_and_pages_do_not_start(settings, attribute, reason):
    app = bare()
    setattr(app, attribute, True)
    with pytest.raises(UnsafeError, match=reason):
        startup.check_app(app, Guard(app, ASKED), ASKED, settings)


@pytest.mark.usefixtures("only_ours")
def test_debug_of_the_server_must_be_asked_for(settings):
    app = bare()
    guard = Guard(app, ASKED)
    app.server.debug = True
    with pytest.raises(UnsafeError, match="debug"):
        startup.check_app(app, guard, ASKED, settings)


def test_the_server_reads_the_environment(monkeypatch, home):
    monkeypatch.setenv("PINGAN_HOME", str(home))
    assert application.create_server().test_client().get("/healthz").status_code == 200
