"""Shared by all tests: golden files, and the snapshots of the real cities, each built once."""

import fcntl
import json
import os
import shutil
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from _pytest.nodeid import NodeId
from hypothesis import settings

from tests.browser import served_app

# How long an example takes says nothing about what it found.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = ROOT / "tests" / "golden"
REAL_DATA = ROOT.parent / "shared" / "data"
MEMORY = Path("/dev/shm")
ENOUGH_BYTES = 6 << 30


def pytest_addoption(parser):
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="Write tests/golden/*.json from what was found, instead of comparing.",
    )


def pytest_configure(config):
    """
    Put temporary files where flushing costs nothing, if there is room: a build waits for dozens.

    What the tests prove hangs on no disk: a killed process loses nothing that it has written, and
    a full disk is a file system of its own.
    """
    config.addinivalue_line("markers", "early: its group takes long, and begins before the others")
    # Groups begin in the order of `pytest_collection_modifyitems`.
    config.option.loadscopereorder = False
    if "TMPDIR" in os.environ or config.option.basetemp or not os.access(MEMORY, os.W_OK):
        return
    if shutil.disk_usage(MEMORY).free >= ENOUGH_BYTES:
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """Let workers begin with the long groups, then the large ones: no worker ends long after all."""
    if "workerinput" in vars(config):
        size = Counter(map(group_of, items))
        marks = ("early", "browser")
        early = {group_of(i) for i in items if any(map(i.get_closest_marker, marks))}
        items.sort(key=lambda item: (group_of(item) not in early, -size[group_of(item)]))


@pytest.hookimpl(wrapper=True)
def pytest_collection_finish(session):
    """
    Name the group of each test behind its id while a worker tells the ids to the scheduler.

    pytest-xdist does so by `_nodeid`, which pytest no longer reads. Only what the scheduler hears
    is changed: in reports, and for `--last-failed`, a test keeps its own id.
    """
    is_worker = "workerinput" in vars(session.config)
    kept = {item: item._id for item in session.items if is_worker}
    for item, own in kept.items():
        item._id = NodeId.parse(f"{own}@{group_of(item)}")
    try:
        return (yield)
    finally:
        for item, own in kept.items():
            item._id = own


def group_of(item):
    """Tests of one group run in one process: by their mark, else those of a module."""
    marks = sorted({mark.args[0] for mark in item.iter_markers("xdist_group")})
    return "_".join(marks) or item.nodeid.partition("::")[0]


@pytest.fixture
def golden(request):
    """Compare a JSON value with a golden file; rewrite the file under --update-golden."""

    def compare(name, found):
        path = GOLDEN / f"{name}.json"
        if request.config.getoption("--update-golden"):
            text = json.dumps(found, ensure_ascii=False, indent=1)
            path.write_text(text + "\n", encoding="utf-8")
        assert found == json.loads(path.read_text(encoding="utf-8"))

    return compare


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    """Make a folder by its name once for all test processes; who changes it works on a copy."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def made_once(name, make):
        folder, is_done = shared / f"made-{name}", shared / f"{name}.done"
        with (shared / f"{name}.lock").open("a", encoding="utf-8") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            if not is_done.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                make(folder)
                is_done.touch()
        return folder

    return made_once


@pytest.fixture(scope="session")
def demo_home(made_once):
    """Home with the tiny demonstration city, made and analysed as its user would; to be read."""
    return made_once(
        "demo", lambda home: served_app.pingan(home, "demo", "--size", "tiny", "--no-serve")
    )


@pytest.fixture(scope="session")
def real_city(made_once):
    """Home with the published snapshot of a real city; to be read."""

    def home_of(name):
        if not (REAL_DATA / name).is_dir():
            pytest.skip(f"the real data of {name} is not beside this repository")
        from etl.pipeline import Options, build

        # A million rows take a minute to analyse; benchmarks/checks/forecast.py does it.
        options = Options(analyse="never" if name == "chicago" else "always")
        folder = ROOT / "tests" / "cities" / name
        return made_once(name, lambda home: build(folder, home=home, options=options))

    return home_of
