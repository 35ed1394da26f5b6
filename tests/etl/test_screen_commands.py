"""`pingan screen` on a home of its own."""

import datetime as dt
import json

import pytest
from typer.testing import CliRunner

from data.audit.verify import verify
from data.screens import ScreenStore
from data.settings import Settings
from etl.commands import screen
from etl.installation import installation


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("PINGAN_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def run(*words):
    return CliRunner().invoke(screen.app, list(words))


def rows(home):
    with installation(Settings(home=home)) as installed:
        assert verify(installed.audit).is_sound
        return [(row.action, row.target, row.result) for row in installed.audit.search()[::-1]]


CREATE = ("create", "hall", "--area", "county:620102", "--address", "10.1.2.0/24")


def test_the_token_is_shown_once_and_the_list_tells_the_rest(home):
    made = run(*CREATE, "--address", "10.9.9.9", "--until", "2026-12-31")
    assert made.exit_code == 0, made.output
    (address,) = [line for line in made.stdout.splitlines() if line.startswith("http")]
    secret = address.rpartition("/screen/enter/")[2]
    with installation(Settings(home=home)) as installed:
        day = dt.date(2026, 12, 31)
        assert ScreenStore(installed.database).current(secret, "10.9.9.9", day=day)
    (told,) = json.loads(run("list", "--json").stdout)
    assert told["name"], told["area"] == ("hall", "county:620102")
    assert told["addresses"] == "10.1.2.0/24, 10.9.9.9/32"
    assert (told["valid_until"], told["seen_at"]) == ("2026-12-31", None)
    assert secret not in run("list").stdout
    assert rows(home) == [("configure", "screen hall", "ok")]


def test_json_gives_the_address_alone(home):
    told = json.loads(run(*CREATE, "--json").stdout)
    assert told["name"] == "hall"
    assert "/screen/enter/" in told["address"]


def test_a_revoked_screen_is_gone(home):
    run(*CREATE)
    assert run("revoke", "hall").stdout == "screen hall is revoked\n"
    assert json.loads(run("list", "--json").stdout) == []
    again = run("revoke", "hall")
    assert again.exit_code == 1
    assert again.stderr == "pingan: there is no screen hall; known: none\n"
    assert rows(home)[-1] == ("configure", "screen hall", "failed")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("create", "hall", "--address", "anywhere"), "'anywhere' is no IP address"),
        (("create", "hall", "--address", "10.0.0.1", "--area", "county"), "write LEVEL:CODE"),
        (("create", "hall"), "--address"),
    ],
)
def test_what_cannot_be_is_told_in_words(home, words, told):
    result = run(*words)
    assert result.exit_code != 0
    assert told in result.output
