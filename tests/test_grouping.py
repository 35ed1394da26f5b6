"""Tests of one module, or of one mark, run in one process, and keep their own ids."""

import json
import os
import re
import subprocess
import sys

from tests.conftest import ROOT

CONFTEST = "from tests.conftest import pytest_collection_finish  # noqa: F401\n"
MODULE = """
import json, os, pytest

def tell(request, group):
    line = json.dumps([group, os.environ["PYTEST_XDIST_WORKER"], os.getpid()])
    with open(os.environ["TOLD"], "a", encoding="utf-8") as stream:
        stream.write(line + chr(10))

@pytest.mark.xdist_group("marked")
@pytest.mark.parametrize("number", range(4))
def test_marked(request, number):
    tell(request, "marked")

@pytest.mark.parametrize("text", ["a", "b@c", "d]e", "f"])
def test_of_the_module(request, text):
    tell(request, __name__)
    assert text != "b@c"
"""


def run(folder):
    """Run two modules by two workers; what was said, and which process ran what."""
    (folder / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    for name in ("test_first.py", "test_second.py"):
        (folder / name).write_text(MODULE, encoding="utf-8")
    told = folder / "told"
    environ = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:dash", "-n", "2", "--dist", "loadgroup", "-rA"],
        cwd=folder,
        env=environ | {"PYTHONPATH": str(ROOT), "TOLD": str(told)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    lines = told.read_text(encoding="utf-8").splitlines()
    return done.stdout, [json.loads(line) for line in lines]


def test_a_group_runs_in_one_process(tmp_path):
    """Ungrouped, the first four tests go to the two workers in turn."""
    said, told = run(tmp_path)
    assert len(told) == 16
    processes = {}
    for group, *process in told:
        processes.setdefault(group, set()).add(tuple(process))
    assert sorted(processes) == ["marked", "test_first", "test_second"]
    assert {group: len(found) for group, found in processes.items()} == dict.fromkeys(processes, 1)
    assert len(set.union(*processes.values())) == 2
    # Ids in reports are those of a run in one process, so a failed test can be named again.
    ids = re.findall(r"^(?:PASSED|FAILED) (test_\S+)", said, re.MULTILINE)
    assert len(ids) == 16
    assert not [one for one in ids if "marked@" in one or one.endswith(".py")]
    failed = json.loads((tmp_path / ".pytest_cache/v/cache/lastfailed").read_text("utf-8"))
    assert sorted(failed) == [
        f"test_{name}.py::test_of_the_module[b@c]" for name in ("first", "second")
    ]
