"""
The fault programs, sampled: each runs in an interpreter of its own, because it forks.

The long runs are `python -m tests.faults.kills|flips|full_disk`.
"""

import os
import re
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.faults import full_disk

pytestmark = pytest.mark.early


def program(name, *arguments, tmp_path):
    """Output of a fault program; its own files lie under `tmp_path`."""
    done = subprocess.run(
        [sys.executable, "-m", f"tests.faults.{name}", *arguments],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.xdist_group("kills")
def test_a_killed_run_leaves_a_whole_snapshot_and_a_rerun_completes_it(tmp_path):
    said = program("kills", "--rounds", "6", "--seed", "1", tmp_path=tmp_path)
    assert re.findall(
        r"^(?:torn|lost|doubled|rerun|account|left|other).* (\d+)", said, re.MULTILINE
    ) == (["0"] * 7), said


@pytest.mark.xdist_group("full-at-a-step")
def test_a_disk_that_is_full_at_a_step_is_told_and_costs_nothing(tmp_path):
    said = program("kills", "--rounds", "4", "--no-space", tmp_path=tmp_path)
    assert re.findall(
        r"^(?:torn|lost|doubled|rerun|account|left|other).* (\d+)", said, re.MULTILINE
    ) == (["0"] * 7), said


@pytest.mark.xdist_group("full-disk")
def test_a_disk_that_is_really_full(tmp_path):
    try:
        with full_disk.small_disk(tmp_path / "disk"):
            pass
    except OSError as error:
        pytest.skip(str(error))
    assert ", 0 faults" in program("full_disk", "--rounds", "3", tmp_path=tmp_path)


@pytest.mark.xdist_group("flips")
def test_no_flipped_bit_gives_other_figures(tmp_path):
    said = program("flips", "--rounds", "19", tmp_path=tmp_path)
    assert re.search(r"^\| all \| \d+ \| \d+ \| 0 \| 0 \|$", said, re.MULTILINE), said


@pytest.mark.parametrize("scenario", ["two_builds", "pushes", "readers", "clocks"])
def test_several_at_once(tmp_path, scenario):
    program("writers", scenario, tmp_path=tmp_path)
