"""`pingan doctor`: the machine and the compliance table, printed and as JSON."""

import datetime as dt
import json

import pytest
from typer.testing import CliRunner

from data.deliveries.channels import Channel
from data.deliveries.message import Place
from data.deliveries.outbox import Outbox
from data.settings import Settings
from data.state.database import open_state
from data.state.migrate import upgrade
from etl import compliance, doctor
from etl.cli import app
from etl.compliance.control import Control

NOW = dt.datetime(2026, 11, 22, 4, tzinfo=dt.UTC)
STATES = {"pass", "fail", "not applicable", "by hand"}


@pytest.fixture
def pingan(tmp_path, monkeypatch):
    monkeypatch.setenv("PINGAN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PINGAN_PORT", "1")
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *words: CliRunner().invoke(app, list(words))


def test_the_demo_is_in_order(pingan):
    result = pingan("doctor", "--json")
    found = json.loads(result.stdout)
    assert result.exit_code == 0
    assert found["ok"]
    assert len(found["controls"]) >= 28
    assert {row["state"] for row in found["controls"]} == STATES - {"fail"}
    assert all(set(row) == set(doctor.COLUMNS) for row in found["controls"])
    assert all(row["detail"] and row["source"] for row in found["controls"])


def test_the_table_is_printed_under_its_sum(pingan):
    result = pingan("doctor")
    assert result.exit_code == 0
    assert "compliance: " in result.stdout
    assert "0 fail" in result.stdout
    assert "three administrators" in result.stdout
    assert "8.1.4.3 安全审计" in result.stdout


def test_a_failed_control_exits_1(pingan, monkeypatch):
    monkeypatch.setenv("PINGAN_AUTH", "local")
    result = pingan("doctor", "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert not found["ok"]
    assert all(check["ok"] for check in found["checks"])
    assert "unique logins" in {
        row["control"] for row in found["controls"] if row["state"] == "fail"
    }


def test_what_is_seen_by_hand_is_no_failure(tmp_path, monkeypatch):
    rows = [Control("one", "clause", "by hand", "look"), Control("two", "clause", "pass", "seen")]
    monkeypatch.setattr(compliance, "examine", lambda *_args, **_named: rows)
    found = doctor.report(Settings(home=tmp_path), now=NOW, environ={})
    assert found["ok"] == all(check["ok"] for check in found["checks"])
    assert doctor.heading(found["controls"]) == (
        "compliance: 1 pass, 0 fail, 0 not applicable, 1 by hand"
    )


def test_brackets_of_a_detail_are_no_markup(pingan, monkeypatch):
    rows = [Control("one", "clause", "fail", "take it out of [columns]")]
    monkeypatch.setattr(compliance, "examine", lambda *_args, **_named: rows)
    result = pingan("doctor")
    assert result.exit_code == 1
    assert "take it out of [columns]" in result.stdout


def test_the_doctor_makes_nothing(pingan, tmp_path):
    pingan("doctor")
    assert not (tmp_path / "home").exists()


def test_a_delivery_that_failed_is_told_with_its_reason(tmp_path):
    database = open_state("", tmp_path)
    upgrade(database)
    outbox, place = Outbox(database), Place("city", "990100", "市", "City")
    settings = Settings.from_env({"PINGAN_HOME": str(tmp_path)})

    def delivery():
        (found,) = (one for one in doctor.examine(settings) if one["name"] == "delivery")
        return found["ok"], found["detail"]

    assert delivery() == (True, "0 channels; 0 waiting, 0 failed, 0 sent, 0 given up")
    outbox.post(key="w:1", kind="warning", level=4, place=place, counts={}, path="/", now=NOW)
    outbox.route([Channel("duty", "json", messages=("warning",))], NOW)
    outbox.failed(outbox.hold(NOW), "the bot cannot be reached", NOW, is_final=True)
    database.close()
    is_well, detail = delivery()
    assert not is_well
    assert "1 given up; duty: the bot cannot be reached; `pingan deliver retry`" in detail
