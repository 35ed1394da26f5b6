import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from etl.cli import app

LINES = ["1,2026-01-05 10:00,A1,1,,103.05,36.05,", "2,2026-01-20 10:00,ZZ,1,,103.05,36.05,"]


@pytest.fixture
def pingan(toy, monkeypatch):
    monkeypatch.setenv("PINGAN_HOME", str(toy.home))
    return lambda *words: CliRunner().invoke(app, list(words))


def test_build_prints_the_row_account(toy, pingan):
    toy.write(LINES)
    result = pingan("build", "--city", str(toy.folder))
    assert result.exit_code == 0
    assert "unknown_category 1" in result.stdout
    again = pingan("build", "--city", str(toy.folder))
    assert "nothing new" in again.stdout


def test_build_and_verify_speak_json(toy, pingan):
    toy.write(LINES)
    built = json.loads(pingan("build", "--city", str(toy.folder), "--json").stdout)
    assert built["rows"]["read"] == 2
    report = json.loads(pingan("verify", "--json").stdout)
    assert report["ok"]
    assert report["rows"] == built["rows"]
    assert report["snapshot"] == built["snapshot"]


def test_verify_exits_1_when_a_promise_is_broken(toy, pingan):
    manifest = toy.publish(LINES).manifest
    (toy.home / manifest["files"][0]["path"]).write_bytes(b"x")
    result = pingan("verify")
    assert result.exit_code == 1
    assert "FAIL  files" in result.stdout
    assert "NOT OK" in result.stdout


@pytest.mark.parametrize("command", [["verify"], ["serve"]])
def test_a_known_error_is_one_line(pingan, command):
    result = pingan(*command)
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "no snapshot under" in result.stderr


def test_a_faulty_city_folder_is_told(toy, pingan):
    toy.change("city.toml", '"week"', '"day"')
    result = pingan("build", "--city", str(toy.folder))
    assert result.exit_code == 1
    assert "write one of week, month" in result.stderr


def test_a_busy_home_exits_75(toy, pingan):
    from etl.publish import writer_lock

    with writer_lock(toy.home):
        result = pingan("build", "--city", str(toy.folder))
    assert result.exit_code == 75
    assert "another build is writing" in result.stderr


def test_unknown_settings_are_refused(pingan, monkeypatch):
    monkeypatch.setenv("PINGAN_HOEM", "x")
    result = pingan("verify")
    assert result.exit_code == 1
    assert "PINGAN_HOEM is unknown" in result.stderr


def test_doctor_names_what_it_checked(pingan):
    report = json.loads(pingan("doctor", "--json").stdout)
    names = [check["name"] for check in report["checks"]]
    assert names == ["python", "map library", "home", "chinese font", "snapshot", "delivery"]
    assert report["ok"] == all(check["ok"] for check in report["checks"])


def test_the_command_line_loads_no_library_of_the_pipeline():
    heavy = "{'pandas', 'duckdb', 'geopandas', 'shapely', 'deltalake', 'scipy'}"
    code = f"import sys, etl.cli\nprint(sorted({heavy} & set(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "[]\n"


def test_the_demo_is_made_once(pingan, toy):
    result = pingan("demo", "--size", "tiny", "--seed", "3", "--no-serve", "--json")
    assert result.exit_code == 0, result.stderr
    first = json.loads(result.stdout)
    truth = json.loads((toy.home / "source" / "demo" / "truth.json").read_text("utf-8"))
    again = json.loads(
        pingan("demo", "--size", "tiny", "--seed", "3", "--no-serve", "--json").stdout
    )
    assert again["snapshot"] == first["snapshot"]
    assert pingan("verify").exit_code == 0
    for source in first["sources"]:
        # Nobody has reported by phone yet.
        files = truth["files"].get(source["name"], [])
        assert files or source["name"] == "phone"
        assert source["read"] == sum(truth["rows"][file] for file in files)
        for name in ("accepted", "quarantined", "duplicate", "refused"):
            assert source[name] == sum(truth["expected"][file][name] for file in files)
