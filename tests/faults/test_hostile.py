"""A short run of the hostile uploads; the long one is `python -m tests.faults.hostile`."""

import shutil
import tempfile
from pathlib import Path

import pytest

from tests.faults.hostile import run
from tests.faults.hostile_uploads import uploads

pytestmark = pytest.mark.early

FILES = 80


@pytest.fixture
def short_folder():
    """A socket's path may have a hundred characters, which a test's own folder can exceed."""
    folder = Path(tempfile.mkdtemp())
    yield folder
    shutil.rmtree(folder)


def test_hostile_uploads_harm_nothing(short_folder):
    found = run(short_folder, files=FILES)
    assert found.faults == []
    assert found.unanswered == []
    assert found.outside == []
    assert found.untold == []
    assert found.crashes == 0
    assert found.others_failed == 0
    assert found.others_answered > FILES
    assert sum(found.answers.values()) >= FILES - 10
    assert found.stored >= 15
    assert found.taken >= 5
    assert found.memory_mib[-1] <= 1.1 * found.memory_mib[0] + 8


def test_the_same_seed_gives_the_same_uploads(tmp_path):
    first, second = (
        [one.what for one in uploads(tmp_path, count=60, seed=7, token="t")] for _ in range(2)
    )
    assert first == second
    assert len(set(first)) > 45
