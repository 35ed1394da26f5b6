"""Unsafe set-ups, each refused with its one reason; and safe ones, which pass."""

import datetime as dt
import os
from dataclasses import replace

import pytest

from data import safety
from data.safety import Framework
from data.settings import Settings, SettingsError
from data.state.database import open_state
from data.state.models import Base, User

STRONG = "q8Zr2LxT0vWn5KdJ7yHs4GfB9mPc1XeU"
OTHER = "Jc5tYw8nRk2QzVb7LmXs4DgHf9TpUe3A"
NOW = dt.datetime(2026, 11, 22, 4, tzinfo=dt.UTC)

LOCAL = Settings(auth="local")
SERVED = replace(
    LOCAL, host="10.1.2.3", proxies=1, public_url="https://map.example.gov.cn", secret_key=STRONG,
    state="postgresql://pingan:tW4-keN9@db.example.gov.cn/state",
)  # fmt: skip
OIDC = replace(
    SERVED, auth="oidc", oidc_issuer="https://sso.example.gov.cn/realm", oidc_client="map",
    oidc_secret="Vq9-2mXe7",
)  # fmt: skip
CAS = replace(SERVED, auth="cas", cas_url="https://cas.example.gov.cn/cas")
HEADER = replace(SERVED, auth="header", header_key=OTHER)


def faults(settings, **environ):
    return safety.settings_faults(settings, environ=environ)


@pytest.mark.parametrize(
    "settings",
    [
        Settings(),
        Settings(host="localhost", debug=True),
        Settings(host="::1"),
        LOCAL,
        SERVED,
        replace(SERVED, host="0.0.0.0"),  # noqa: S104
        replace(LOCAL, host="10.1.2.3", insecure_http=True, public_url="http://10.1.2.3:8050"),
        OIDC,
        replace(OIDC, host="127.0.0.1", proxies=0, public_url="", oidc_issuer="http://localhost:1"),
        replace(OIDC, insecure_http=True, oidc_issuer="http://sso.example.gov.cn/realm"),
        CAS,
        HEADER,
        replace(LOCAL, state="sqlite:////srv/pingan/state.db"),
        replace(LOCAL, state="postgresql+psycopg:///state"),
        replace(LOCAL, state="postgresql://pingan@/state?host=/run/postgresql"),
    ],
)
def test_a_safe_set_up_has_no_faults(settings):
    assert faults(settings) == []


DEFAULT_PASSWORD = "PINGAN_STATE has a default password for {}; change it"
GUESSED = "PINGAN_SECRET_KEY can be guessed; use random text, or leave it empty"
FORWARDED = (
    "{} trusts the forwarded headers of every address; name the proxies' own addresses"
)  # fmt: skip

UNSAFE = {
    "debug beyond loopback": (
        replace(SERVED, debug=True),
        "PINGAN_DEBUG is on while PINGAN_HOST is 10.1.2.3; debug is for loopback",
    ),
    "demo beyond loopback": (
        replace(SERVED, auth="demo", proxies=0, insecure_http=True),
        "PINGAN_AUTH=demo shows all to whoever reaches 10.1.2.3; use loopback",
    ),
    "demo on every address": (
        Settings(host="0.0.0.0", insecure_http=True),  # noqa: S104
        "PINGAN_AUTH=demo shows all to whoever reaches 0.0.0.0; use loopback",
    ),
    "demo on a name that may lead anywhere": (
        Settings(host="map.example.org", insecure_http=True),
        "PINGAN_AUTH=demo shows all to whoever reaches map.example.org; use loopback",
    ),
    "demo behind a proxy": (
        Settings(proxies=1),
        (
            "PINGAN_AUTH=demo with PINGAN_PROXIES=1: a proxy passes others on to the demo; choose "
            "another sign-in"
        ),
    ),
    "plain http beyond loopback": (
        replace(SERVED, proxies=0),
        (
            "PINGAN_HOST=10.1.2.3 would serve plain http beyond loopback; put a TLS proxy in front and "
            "set PINGAN_PROXIES=1, or set PINGAN_INSECURE_HTTP=1"
        ),
    ),
    "plain http on every address": (
        replace(LOCAL, host=""),
        (
            "PINGAN_HOST=every address would serve plain http beyond loopback; put a TLS proxy in "
            "front and set PINGAN_PROXIES=1, or set PINGAN_INSECURE_HTTP=1"
        ),
    ),
    "public address without TLS": (
        replace(SERVED, public_url="http://map.example.gov.cn"),
        (
            "PINGAN_PUBLIC_URL=http://map.example.gov.cn is not https; browsers would send the session "
            "in the clear"
        ),
    ),
    "public address that is none": (
        replace(SERVED, public_url="map.example.gov.cn"),
        "PINGAN_PUBLIC_URL is no plain address such as https://map.example.gov.cn",
    ),
    "public address with a password": (
        replace(SERVED, public_url="https://me:hidden@map.example.gov.cn"),
        "PINGAN_PUBLIC_URL is no plain address such as https://map.example.gov.cn",
    ),
    "fewer than no proxies": (
        replace(LOCAL, proxies=-1),
        "PINGAN_PROXIES=-1; give the number of proxies in front, 0 or more",
    ),
    "unknown provider": (
        replace(LOCAL, auth="open"),
        "PINGAN_AUTH=open is unknown; known: cas, demo, header, local, oidc",
    ),
    "no provider": (
        replace(LOCAL, auth=""),
        "PINGAN_AUTH= is unknown; known: cas, demo, header, local, oidc",
    ),
    "short key": (
        replace(LOCAL, secret_key="short"),
        "PINGAN_SECRET_KEY has 5 characters; use 32 or more, or leave it empty",
    ),
    "known key": (replace(LOCAL, secret_key="change-me-" + STRONG), GUESSED),
    "key with our name": (replace(LOCAL, secret_key="PingAn-" + STRONG), GUESSED),
    "key of one letter": (replace(LOCAL, secret_key="a" * 40), GUESSED),
    "key of few letters": (replace(LOCAL, secret_key="abcdefghi" * 4), GUESSED),
    "key that repeats": (replace(LOCAL, secret_key=STRONG[:16] * 2), GUESSED),
    "key that counts": (replace(LOCAL, secret_key="0123456789abcdefghijklmnopqrstuvwxyz"), GUESSED),
    "state without a password": (
        replace(LOCAL, state="postgresql://pingan@db.example.gov.cn/state"),
        "PINGAN_STATE has no password for pingan; set one",
    ),
    "state with the usual password": (
        replace(LOCAL, state="postgresql+psycopg://postgres:postgres@localhost/state"),
        DEFAULT_PASSWORD.format("postgres"),
    ),
    "state with a counted password": (
        replace(LOCAL, state="postgresql://pingan:12345678@localhost/state"),
        DEFAULT_PASSWORD.format("pingan"),
    ),
    "state with its name as password": (
        replace(LOCAL, state="postgresql://mapper:Mapper@localhost/state"),
        DEFAULT_PASSWORD.format("mapper"),
    ),
    "state elsewhere": (
        replace(LOCAL, state="mysql://pingan:tW4-keN9@localhost/state"),
        "PINGAN_STATE names a mysql database; SQLite and PostgreSQL are supported",
    ),
    "state nowhere": (
        replace(LOCAL, state="a database"),
        "PINGAN_STATE is no database URL; leave it empty or give a PostgreSQL URL",
    ),
    "headers without a key": (
        replace(HEADER, header_key=""),
        "PINGAN_HEADER_KEY is empty: anybody could name any user; set the portal's key",
    ),
    "headers with a weak key": (
        replace(HEADER, header_key="portal"),
        "PINGAN_HEADER_KEY has 6 characters; use 32 or more",
    ),
    "headers with the session key": (
        replace(HEADER, header_key=STRONG),
        "PINGAN_HEADER_KEY is the session key; give the portal a key of its own",
    ),
    "OpenID Connect without an issuer": (
        replace(OIDC, oidc_issuer=""),
        "PINGAN_OIDC_ISSUER is empty; give an https:// address",
    ),
    "OpenID Connect without TLS": (
        replace(OIDC, oidc_issuer="http://sso.example.gov.cn/realm"),
        (
            "PINGAN_OIDC_ISSUER=http://sso.example.gov.cn/realm is not https; sign-ins could be read "
            "and forged on the way"
        ),
    ),
    "OpenID Connect without a client": (
        replace(OIDC, oidc_client=""),
        "PINGAN_OIDC_CLIENT is empty; give the client id at the issuer",
    ),
    "OpenID Connect without a secret": (
        replace(OIDC, oidc_secret=""),
        "PINGAN_OIDC_SECRET is empty; give the secret that the issuer made",
    ),
    "OpenID Connect with a known secret": (
        replace(OIDC, oidc_secret="ChangeMe"),
        "PINGAN_OIDC_SECRET can be guessed; give the secret that the issuer made",
    ),
    "OpenID Connect that returns anywhere": (
        replace(OIDC, public_url=""),
        (
            "PINGAN_AUTH=oidc needs PINGAN_PUBLIC_URL: without it whoever asks says where the sign-in "
            "returns to"
        ),
    ),
    "CAS without TLS": (
        replace(CAS, cas_url="http://cas.example.gov.cn/cas"),
        (
            "PINGAN_CAS_URL=http://cas.example.gov.cn/cas is not https; sign-ins could be read and "
            "forged on the way"
        ),
    ),
    "CAS that is no address": (
        replace(CAS, cas_url="cas.example.gov.cn"),
        "PINGAN_CAS_URL is no address; give an https:// address",
    ),
}


@pytest.mark.parametrize(("settings", "fault"), UNSAFE.values(), ids=UNSAFE)
def test_an_unsafe_setting_is_refused(settings, fault):
    assert faults(settings) == [fault]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FORWARDED_ALLOW_IPS", "*"),
        ("FORWARDED_ALLOW_IPS", "10.0.0.1, 0.0.0.0/0"),
        ("FORWARDED_ALLOW_IPS", "::/0"),
        ("GUNICORN_CMD_ARGS", "--preload --forwarded-allow-ips=* --threads 4"),
        ("GUNICORN_CMD_ARGS", "--forwarded-allow-ips '0.0.0.0/0'"),
    ],
)
def test_a_server_that_trusts_every_proxy_is_refused(name, value):
    assert faults(SERVED, **{name: value}) == [FORWARDED.format(name)]
    assert faults(SERVED, **{name: "10.0.0.1,10.0.1.0/24"}) == []


def test_proxies_are_counted_never_wild():
    with pytest.raises(SettingsError, match=r"PINGAN_PROXIES='\*'"):
        Settings.from_env({"PINGAN_PROXIES": "*"})


def test_a_password_of_the_environment_counts():
    settings = replace(LOCAL, state="postgresql://pingan@db.example.gov.cn/state")
    assert faults(settings, PGPASSWORD="postgres") == [DEFAULT_PASSWORD.format("pingan")]
    assert faults(settings, PGPASSWORD="tW4-keN9") == []
    assert faults(settings, PGPASSFILE="/etc/pingan/pgpass") == []


def test_every_fault_is_told_at_once():
    found = faults(Settings(host="10.1.2.3", debug=True, secret_key="x"))
    assert [fault.split()[0] for fault in found] == [
        "PINGAN_DEBUG", "PINGAN_AUTH=demo", "PINGAN_HOST=10.1.2.3", "PINGAN_SECRET_KEY",
    ]  # fmt: skip


def test_no_message_tells_a_secret():
    told = " ".join(fault for settings, _ in UNSAFE.values() for fault in faults(settings))
    assert not [text for text in ("12345678", "hidden", "Vq9-2mXe7", STRONG, OTHER) if text in told]


# Files ----------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path):
    home = tmp_path / "home"
    (home / "snapshots").mkdir(parents=True)
    (home / "epochs").mkdir()
    key = home / "secret.key"
    key.write_text(STRONG)
    key.chmod(0o600)
    open_state("", home).close()
    return home


def found_in(home, **options):
    return safety.home_faults(replace(LOCAL, home=home), **options)


def test_a_home_for_its_owner_alone_is_safe(home, tmp_path):
    assert found_in(home) == []
    assert found_in(tmp_path / "not yet") == []


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
@pytest.mark.parametrize("name", ["secret.key", "state.db", "state.db-wal", "state.db-shm"])
def test_a_file_that_others_may_read_is_refused(home, name, mode):
    path = home / name
    path.touch()
    path.chmod(mode)
    assert found_in(home) == [f"{path} has mode {mode:o}; run `chmod 600 {path}`"]


def test_a_database_of_another_place_must_be_private_too(home, tmp_path):
    path = tmp_path / "elsewhere.db"
    path.touch()
    path.chmod(0o644)
    settings = replace(LOCAL, home=home, state=f"sqlite:///{path}")
    assert safety.home_faults(settings) == [f"{path} has mode 644; run `chmod 600 {path}`"]


def test_files_of_somebody_else_are_refused(home):
    own, other = os.geteuid(), os.geteuid() + 1
    assert found_in(home, uid=other) == [
        f"{home / name} belongs to user {own}, this process is user {other}; run it as the owner, "
        "or `chown` the file"
        for name in ("secret.key", "state.db")
    ]


@pytest.mark.parametrize("name", ["", "snapshots", "epochs"])
def test_a_folder_that_everybody_may_write_to_is_refused(home, name):
    path = home / name
    path.chmod(0o777)
    assert found_in(home) == [
        (
            f"{path} has mode 777: every user of this machine could change what is shown; "
            f"run `chmod o-w {path}`"
        )
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "has 0 characters; use 32 or more, or leave it empty"),
        ("weak", "has 4 characters; use 32 or more, or leave it empty"),
        ("x" * 64, "can be guessed; use random text, or leave it empty"),
    ],
)
def test_a_weak_key_in_the_file_is_refused(home, text, fault):
    path = home / "secret.key"
    path.write_text(text)
    assert found_in(home) == [f"{path} {fault}"]


def test_a_damaged_key_file_is_refused(home):
    path = home / "secret.key"
    path.write_bytes(b"\xff\xfe" * 20)
    assert found_in(home) == [
        f"{path} cannot be read; delete it, and the next start makes a new one"
    ]


def test_the_key_file_does_not_matter_where_the_key_is_a_setting(home):
    (home / "secret.key").chmod(0o644)
    assert safety.home_faults(replace(LOCAL, home=home, secret_key=STRONG)) == []


# Framework ------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["4.4.1", "4.5.0", "5.0.0"])
def test_a_plain_framework_is_safe(version):
    assert safety.framework_faults(Framework(version), LOCAL) == []


@pytest.mark.parametrize(
    ("told", "fault"),
    [
        ({"version": "4.4.0"}, "Dash 4.4.0 is older than 4.4.1; upgrade it"),
        ({"version": "3.4.0"}, "Dash 3.4.0 is older than 4.4.1; upgrade it"),
        ({"version": "4.4.1rc1"}, "Dash 4.4.1rc1 is older than 4.4.1; upgrade it"),
        ({"has_mcp": True}, "MCP is on; leave enable_mcp off"),
        ({"has_pages": True}, "Dash pages are on; the app is one page"),
        ({"has_background": True}, "a background callback manager is set; leave it out"),
        ({"is_suppressed": True}, "callback exceptions are suppressed; leave them on"),
        (
            {"is_debug": True},
            "the server is in debug mode and PINGAN_DEBUG is off; unset FLASK_DEBUG and DASH_DEBUG",
        ),
        (
            {"origins": "*"},
            "pages of * may read answers; leave out Access-Control-Allow-Origin",
        ),
        (
            {"has_demo": True},
            "the demo's accounts answer while PINGAN_AUTH is local; leave them out",
        ),
    ],
)
def test_an_unsafe_framework_is_refused(told, fault):
    assert safety.framework_faults(Framework(**{"version": "4.4.1", **told}), LOCAL) == [fault]


def test_what_was_asked_for_is_no_fault():
    told = Framework("4.4.1", is_debug=True, has_demo=True)
    assert safety.framework_faults(told, Settings(debug=True)) == []


# Accounts -------------------------------------------------------------------------------------


@pytest.fixture
def database(home):
    found = open_state("", home)
    Base.metadata.create_all(found.engine)
    yield found
    found.close()


def add(database, login, **columns):
    with database.writing() as session:
        session.add(User(login=login, created_at=NOW, **columns))


def test_accounts_with_hashed_passwords_are_safe(database):
    add(database, "post-1", password_hash="$argon2id$v=19$…")
    add(database, "post-2", provider="oidc", subject="7")
    add(database, "post-3", password_hash=None, disabled=True)
    assert safety.account_faults(database, LOCAL) == []


@pytest.mark.parametrize(
    ("columns", "what"),
    [
        ({"password_hash": None}, "without a password"),
        ({"password_hash": ""}, "without a password"),
        ({"password_hash": "welcome1"}, "whose password is not hashed with argon2id"),
        ({"provider": "demo"}, "of the demo while PINGAN_AUTH is local"),
    ],
)
def test_an_account_that_anybody_could_use_is_refused(database, columns, what):
    for login in ("post-1", "post-2"):
        add(database, login, **columns)
    assert safety.account_faults(database, LOCAL) == [
        f"2 enabled accounts {what}: post-1, post-2; disable them or set a password"
    ]
