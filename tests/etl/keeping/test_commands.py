"""The commands as an operator types them."""

import json

import pytest
import typer
from typer.testing import CliRunner

from etl.commands.keeping import register


@pytest.fixture
def run(kept, monkeypatch):
    app = typer.Typer()
    register(app)

    def run(*words, home=kept.home):
        monkeypatch.setenv("PINGAN_HOME", str(home))
        return CliRunner().invoke(app, [str(word) for word in words])

    return run


def test_a_drill_from_backup_to_restore(run, kept):
    made = json.loads(run("backup", kept.target, "--json").stdout)
    assert made["snapshot"] == kept.manifest["snapshot"]
    assert made["copied_bytes"] > 0
    checked = json.loads(run("restore", kept.target, "--check", "--json").stdout)
    assert checked["files"] == made["files"]
    assert not kept.other.exists()
    restored = run("restore", kept.target, home=kept.other)
    assert "pingan verify" in restored.stdout
    assert (kept.other / "CURRENT").read_text() == (kept.home / "CURRENT").read_text()
    assert "copied 0, 0.0 MB" in run("backup", kept.target).stdout


def test_faults_are_one_line(run, kept):
    for words in (
        ("restore", kept.target),
        ("backup", kept.home / "below"),
        ("backup", "s3://a:b@bucket"),
        ("pull-snapshot", kept.target),
        ("freeze", "a/b"),
    ):
        outcome = run(*words)
        assert outcome.exit_code == 1
        assert outcome.stderr.startswith("pingan: ")
        assert outcome.stderr.count("\n") == 1


def test_retention_is_told_by_kind(run, kept):
    kept.third()
    told = json.loads(run("prune", "--keep", 1, "--dry-run", "--json").stdout)
    assert told["dry_run"]
    # All three were published within the hour.
    assert len(told["kept"]) == 3
    assert list(told["bytes"]) == [
        "manifests",
        "ledgers",
        "snapshots",
        "tiles",
        "boundaries",
        "incidents",
    ]
    assert "3 snapshots stay" in run("prune").stdout


def test_a_snapshot_is_frozen_pushed_and_pulled(run, kept):
    issued = json.loads(run("freeze", "2026-W08", "--json").stdout)
    assert issued["snapshot"] == kept.manifest["snapshot"]
    assert "snapshot" in run("freeze", "2026-W08").stdout
    pushed = json.loads(run("push-snapshot", kept.target, "--json").stdout)
    assert pushed["snapshot"] == issued["snapshot"]
    assert "copied" in run("pull-snapshot", kept.target, home=kept.other).stdout
    assert (kept.other / "CURRENT").read_text().strip() == issued["snapshot"]
