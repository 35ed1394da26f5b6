"""A toy city with a history, and an S3 server on the loopback."""

import datetime as dt
import os
import re
import shutil
import subprocess
import threading
import urllib.request
from types import SimpleNamespace

import pytest

from data.intake import Intake, RawChunk
from data.store import Store
from etl.sources import read_chunks
from etl.verify import verify
from tests.etl.conftest import make_toy

MONDAY = dt.datetime(2026, 2, 23, 4, 0, tzinfo=dt.UTC)
FIRST = [f"{n},2026-01-{n:02d} 10:00,A1,1,,103.05,36.05," for n in range(5, 30)]
FIRST += [f"b{n},2026-02-{n:02d} 10:00,B,2,,103.15,36.15," for n in range(1, 20)]
# Late, corrected, moved to another month, and two that are refused.
SECOND = [
    "late,2026-01-06 09:00,A1,1,,103.05,36.15,",
    "7,2026-01-07 10:00,B,1,,103.05,36.05,",
    "8,2026-02-08 10:00,A1,1,,103.05,36.05,",
    "bad,2026-13-08 10:00,A1,1,,103.05,36.05,",
]
THIRD = ["7,2026-01-07 10:00,A1,4,,103.15,36.05,", "new,2026-02-20 10:00,B,1,,103.05,36.15,"]


def tables(manifest):
    """Content of every file by table and part; paths differ from snapshot to snapshot."""
    return sorted(
        (entry["table"], entry.get("month", entry.get("period_end", "")), entry["sha256"])
        for entry in manifest["files"]
    )


def is_sound(home, snapshot=None):
    report = verify(home, snapshot)
    assert not [check for check in report["checks"] if not check["ok"]]
    return report["snapshot"]


@pytest.fixture(scope="session")
def two_days(tmp_path_factory):
    """Folder with the toy city and its home after two days; tests work on copies."""
    base = tmp_path_factory.mktemp("two-days")
    toy = make_toy(base)
    toy.publish(FIRST, now=MONDAY)
    toy.publish(SECOND, now=MONDAY + dt.timedelta(days=1))
    return base


@pytest.fixture
def kept(two_days, tmp_path):
    """The toy city after two days, and the ways to go on."""
    toy = make_toy(tmp_path)
    for folder in (toy.folder, toy.home):
        shutil.copytree(two_days / folder.name, folder, dirs_exist_ok=True)

    def push(lines):
        """Land rows as the push API does, beside whatever else is going on."""
        source = toy.city().sources[0]
        path = tmp_path / "pushed.csv"
        path.write_text("id,when,kind,grade,result,x,y,grid\n" + "\n".join(lines) + "\n")
        chunks = [RawChunk(chunk.rows, chunk.malformed) for chunk in read_chunks(source, path)]
        batch, _ = Intake(toy.home).land(
            source, chunks, kind="push", name="push", content=f"push {lines[0]}", now=MONDAY
        )
        return batch

    store = Store(toy.home)
    (toy.home / "secret.key").write_text("k" * 64)
    (toy.home / "secret.key").chmod(0o600)
    return SimpleNamespace(
        toy=toy,
        home=toy.home,
        manifest=store.manifest(store.current_id()).raw,
        target=tmp_path / "backup",
        other=tmp_path / "other",
        push=push,
        third=lambda: toy.publish(THIRD, now=MONDAY + dt.timedelta(days=2)).manifest,
    )


@pytest.fixture(scope="session")
def s3_server():
    # One that somebody else installed may be of another version: only a named one is used.
    command = os.environ.get("MOTO_SERVER")
    if command is None:
        pytest.skip("no S3 server is named; run `make test-bucket`")
    server = subprocess.Popen(
        [command, "-H", "127.0.0.1", "-p", "0"], stderr=subprocess.PIPE, text=True
    )
    # Its log of requests must be read, or it waits for ever.
    drain = threading.Thread(target=server.stderr.read, daemon=True)
    try:
        for line in server.stderr:
            if found := re.search(r"http://127\.0\.0\.1:(\d+)", line):
                break
        else:
            pytest.fail("moto_server did not start")
        drain.start()
        yield found[1]
    finally:
        server.terminate()
        server.wait()
        if drain.ident:
            drain.join()
        server.stderr.close()


@pytest.fixture
def bucket(s3_server, monkeypatch, request):
    """URL of a bucket of the test's own."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:60].strip("-")
    made = urllib.request.Request(f"http://127.0.0.1:{s3_server}/{name}", method="PUT")
    urllib.request.urlopen(made).close()
    return f"s3://{name}/city?endpoint_override=127.0.0.1:{s3_server}&scheme=http&region=us-east-1"


@pytest.fixture(params=["folder", "file", "bucket"])
def address(request, tmp_path):
    """Every kind of storage."""
    if request.param == "bucket":
        return request.getfixturevalue("bucket")
    folder = tmp_path / "remote"
    return str(folder) if request.param == "folder" else f"file://{folder}"
