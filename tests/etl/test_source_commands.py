"""The commands about one source, on the demonstration city's own raw files."""

import datetime as dt
import json
import tomllib

import openpyxl
import pytest
from typer.testing import CliRunner

from data.city import read_city
from etl.commands.source import app
from etl.demo import city_folder, source_folder
from etl.pipeline import Options, build
from etl.synthesize import synthesize

SHIPPED = {
    path.stem: tomllib.loads(path.read_text("utf-8"))
    for path in sorted((city_folder() / "sources").glob("*.toml"))
}
NAMES = tuple(SHIPPED)
WITH_FILES = tuple(name for name in NAMES if SHIPPED[name].get("files"))
SAME_NUMBERS = {"WGS84", "CGCS2000", "EPSG:4326", "EPSG:4490"}


# One made city for all of them.
pytestmark = pytest.mark.xdist_group("source-commands")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    synthesize(source_folder(home), size="tiny", seed=7)
    return home


@pytest.fixture
def run(home, monkeypatch):
    monkeypatch.setenv("PINGAN_HOME", str(home))
    return lambda *arguments: CliRunner().invoke(app, [str(one) for one in arguments])


@pytest.mark.parametrize("name", WITH_FILES)
def test_a_proposal_finds_what_the_shipped_source_says(home, run, tmp_path, name):
    shipped = SHIPPED[name]
    file = source_folder(home) / shipped["files"][0]
    out = tmp_path / f"{name}.toml"
    result = run("new", file, "--city", city_folder(), "--out", out)
    assert result.exit_code == 0, result.output
    assert f"pingan source check {name}" in result.stdout
    proposed = tomllib.loads(out.read_text("utf-8"))
    for column in ("incident_id", "occurred_at", "category", "lng", "lat"):
        assert proposed["columns"].get(column) == shipped["columns"].get(column)
    for key in ("files", "format", "time_zone", "time_format"):
        assert proposed[key] == shipped[key]
    same = SAME_NUMBERS if shipped["frame"] in SAME_NUMBERS else {shipped["frame"]}
    assert proposed["frame"] in same


def test_a_check_tells_what_a_build_then_does(home, run):
    before = sorted(home.rglob("*"))
    result = run("check", "--city", city_folder(), "--json")
    assert result.exit_code == 0, result.output
    assert sorted(home.rglob("*")) == before
    told = json.loads(result.stdout)
    assert list(told) == list(NAMES)
    manifest = build(
        city_folder(),
        home=home,
        now=dt.datetime.now(dt.UTC),
        options=Options(analyse="never"),
    ).manifest
    for source in manifest["sources"]:
        one = told[source["name"]]
        for name in ("read", "accepted", "quarantined", "duplicate", "refused"):
            assert one[name] == source[name], (source["name"], name)
        assert one["ok"]
    reasons = {}
    for one in told.values():
        for reason, entry in one["reasons"].items():
            reasons[reason] = reasons.get(reason, 0) + entry["rows"]
    assert reasons == manifest["rows"]["quarantine_reasons"]


def test_a_check_of_one_source_is_told_in_lines(run):
    result = run("check", "hotline", "--city", city_folder())
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[1] == "hotline: hotline.csv"
    assert any("frame of the source BD-09" in line for line in lines)
    assert any("if it were GCJ-02" in line for line in lines)
    assert lines[-1].strip() == "usable"


def test_a_source_that_cannot_be_read_ends_with_1(toy, monkeypatch):
    monkeypatch.setenv("PINGAN_HOME", str(toy.home))
    toy.change("sources/calls.toml", 'outcome = "result"', 'outcome = "gone"')
    result = CliRunner().invoke(app, ["check", "calls", "--city", str(toy.folder)])
    assert result.exit_code == 1
    assert "columns named but missing      gone" in result.stdout
    assert "NOT USABLE" in result.stdout


def test_an_unknown_source_is_said_in_one_line(run):
    for command in (["check", "nobody"], ["template", "nobody", "--out", "x.xlsx"]):
        result = run(*command, "--city", city_folder())
        assert result.exit_code == 1
        assert "no source 'nobody'" in result.stderr
        assert len(result.stderr.splitlines()) == 1


def test_a_proposal_is_printed_and_never_overwrites(home, run, tmp_path):
    file = source_folder(home) / "hotline.csv"
    result = run("new", file, "--name", "calls")
    assert result.exit_code == 0
    assert tomllib.loads(result.stdout)["channel"] == "calls"
    out = tmp_path / "calls.toml"
    out.write_text("mine", encoding="utf-8")
    result = run("new", file, "--out", out)
    assert result.exit_code == 1
    assert out.read_text("utf-8") == "mine"
    result = run("new", tmp_path / "calls.toml")
    assert result.exit_code == 1
    assert "of no known format" in result.stderr


def test_a_template_has_the_columns_of_the_source(home, run, tmp_path):
    out = tmp_path / "template.xlsx"
    result = run("template", "police_calls", "--city", city_folder(), "--out", out)
    assert result.exit_code == 0, result.output
    shown = {str(cell.value).rstrip("*") for cell in openpyxl.load_workbook(out).worksheets[0][3]}
    source = next(
        s for s in read_city(city_folder(), home=home).sources if s.name == "police_calls"
    )
    assert set(source.columns.values()) <= shown


def test_the_list_names_every_source(run):
    result = run("list", "--city", city_folder(), "--json")
    listed = json.loads(result.stdout)
    assert [one["name"] for one in listed] == list(NAMES)
    assert {one["from"] for one in listed if one["name"] in WITH_FILES} == {"1 file"}
    assert "hotline" in run("list", "--city", city_folder()).stdout
