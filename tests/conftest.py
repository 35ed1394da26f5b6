"""Shared by all tests: golden files, and the snapshots of the real cities, each built once."""

import fcntl
import json
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes says nothing about what it found.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = ROOT / "tests" / "golden"
REAL_DATA = ROOT.parent / "shared" / "data"


def pytest_addoption(parser):
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="Write tests/golden/*.json from what was found, instead of comparing.",
    )


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
def real_city(tmp_path_factory, worker_id_or_master):
    """Home with the published snapshot of a real city; one build for all test processes."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id_or_master == "master" else base.parent

    def home_of(name):
        if not (REAL_DATA / name).is_dir():
            pytest.skip(f"the real data of {name} is not beside this repository")
        from etl.pipeline import Options, build

        home = shared / f"home-{name}"
        with (shared / f"{name}.lock").open("a", encoding="utf-8") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            # The second process finds nothing new and keeps the first one's snapshot.
            # A million rows take a minute to analyse; benchmarks/checks/forecast.py does it.
            mode = "never" if name == "chicago" else "always"
            build(ROOT / "tests" / "cities" / name, home=home, options=Options(analyse=mode))
        return home

    return home_of


@pytest.fixture(scope="session")
def worker_id_or_master(request):
    """Name of the pytest-xdist process, `master` without it."""
    return getattr(request.config, "workerinput", {}).get("workerid", "master")
