import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from etl.sources import nursery
from etl.sources.confined import LimitError, confined
from tests.conftest import ROOT

TRIES = 3_000
NAPPING = """
from etl.sources import nursery
nursery.IDLE_SECONDS = 0.01
from etl.sources.confined import serve
serve()
"""
WAITING = """
import sys
from pathlib import Path
from etl.sources.confined import confined
from tests.etl.sources.test_nursery import tell_and_wait
confined(tell_and_wait, Path(sys.argv[1]))
"""
LEFT_BEHIND = []


def nursery_of_the_reader():
    return os.getppid()


def leave_something_behind():
    LEFT_BEHIND.append("a")
    os.environ["LEFT_BEHIND"] = "b"
    os.chdir("/")
    return len(LEFT_BEHIND)


def what_was_left_behind():
    return LEFT_BEHIND, os.environ.get("LEFT_BEHIND"), str(Path.cwd())


def end_by_a_signal():
    os.kill(os.getpid(), signal.SIGSEGV)


def open_files():
    """What is open, by number."""
    found = {}
    for path in Path("/proc/self/fd").iterdir():
        # The folder itself was open while it was listed.
        with contextlib.suppress(FileNotFoundError):
            found[int(path.name)] = str(path.readlink())
    return [found[number] for number in sorted(found)]


def tell_and_wait(path):
    waiting = path.with_suffix(".part")
    waiting.write_text(f"{os.getpid()} {os.getppid()}", encoding="ascii")
    waiting.replace(path)
    signal.pause()


def own_nursery():
    """The nursery of this process before it has forked anything, then that of its reader."""
    return os.getpid(), confined(nursery_of_the_reader)


@pytest.fixture
def fresh():
    """No nursery yet, and none that the test has changed for those that follow."""
    nursery._OWN.__dict__.clear()
    yield
    nursery._OWN.__dict__.clear()


def test_one_nursery_has_all_readers_of_a_thread(fresh):
    first = confined(nursery_of_the_reader)
    assert first not in (os.getpid(), os.getppid())
    assert confined(nursery_of_the_reader) == first


def test_readers_leave_nothing_behind():
    before = confined(what_was_left_behind)
    assert [confined(leave_something_behind) for _ in range(2)] == [1, 1]
    assert confined(what_was_left_behind) == before
    assert before[:2] == ([], None)


def test_a_reader_holds_no_file_of_the_nursery():
    found = confined(open_files)
    assert found[:3] == [os.devnull] * 3
    # The tables of coordinate systems, which two libraries open when they are loaded.
    others = [one for one in found[3:] if not one.endswith("/proj.db")]
    assert [one.partition(":")[0] for one in others] == ["pipe"]


def test_a_reader_that_breaks_down_or_is_too_slow_harms_no_other(fresh, tmp_path):
    with pytest.raises(LimitError, match=r"broke down \(-11\)"):
        confined(end_by_a_signal)
    first = confined(nursery_of_the_reader)
    with pytest.raises(LimitError, match="longer than 1 s"):
        confined(tell_and_wait, tmp_path / "told", seconds=1)
    assert confined(nursery_of_the_reader) != first


def test_a_nursery_that_ended_for_want_of_files_is_replaced(fresh, monkeypatch):
    monkeypatch.setattr(nursery, "_PROGRAM", NAPPING)
    first = confined(nursery_of_the_reader)
    assert nursery._own_nursery()._process.wait(60) == 0
    assert confined(nursery_of_the_reader) != first


def test_a_nursery_that_is_killed_is_told_and_replaced(fresh):
    first = confined(nursery_of_the_reader)
    os.kill(first, signal.SIGKILL)
    nursery._own_nursery()._process.wait(60)
    with pytest.raises(LimitError, match=r"broke down \(-9\)"):
        confined(nursery_of_the_reader)
    assert confined(nursery_of_the_reader) != first


def test_a_forked_process_has_a_nursery_of_its_own():
    ours = confined(nursery_of_the_reader)
    with multiprocessing.get_context("fork").Pool(1) as pool:
        _, theirs = pool.apply(own_nursery)
    assert theirs != ours
    assert confined(nursery_of_the_reader) == ours


def test_who_is_killed_takes_nursery_and_reader_along(tmp_path):
    told = tmp_path / "told"
    with subprocess.Popen(
        [sys.executable, "-c", WAITING, str(told)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    ) as process:
        assert any(told.exists() or not nap(0.02) for _ in range(TRIES))
        process.kill()
    left = [Path("/proc") / number for number in told.read_text(encoding="ascii").split()]
    assert len(left) == 2
    assert any(not any(map(is_running, left)) or not nap(0.02) for _ in range(TRIES))


def nap(seconds):
    signal.sigtimedwait([], seconds)
    return True


def is_running(process):
    """Whether it is there, and not only waits for somebody to hear that it has ended."""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_what_is_loaded_starts_no_thread():
    """A fork of one thread among several could wait for ever for what another held."""
    program = "import etl.connectors.files, os; print(len(os.listdir('/proc/self/task')))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=nursery._ENVIRONMENT | {"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "1\n"
