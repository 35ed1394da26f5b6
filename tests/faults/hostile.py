"""
A thousand hostile uploads against a real web server, then through the pipeline.

    python -m tests.faults.hostile --files 1000
"""

import argparse
import contextlib
import datetime as dt
import hashlib
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from data.intake import Intake
from data.store import Store
from data.upload_store import records, waiting
from etl.pipeline import build
from etl.verify import verify
from tests.faults import ledger_samples as samples
from tests.faults import town
from tests.faults.hostile_uploads import uploads

ROUND = 100
"""Uploads between two builds."""
WARM_UP = 40
"""Uploads before the memory is measured first: what is loaded at first use is loaded then."""
GOOD = [f"{n},2026-01-{n:02d} 10:00,A1,1,,103.05,36.05," for n in range(1, 21)]
STORED = re.compile(
    r"uploads/(?:\.records/[a-z]+/[0-9a-f]{16}\.[a-z]+\.json|[a-z]+/[0-9a-f]{16}\.[a-z]+)"
)
TIMEOUT_S = 120


@dataclass
class Figures:
    """What came of a run."""

    answers: Counter = field(default_factory=Counter)
    unanswered: list = field(default_factory=list)
    faults: list = field(default_factory=list)
    outside: list = field(default_factory=list)
    memory_mib: list = field(default_factory=list)
    others_answered: int = 0
    others_failed: int = 0
    taken: int = 0
    refused: int = 0
    untold: list = field(default_factory=list)
    crashes: int = 0

    @property
    def stored(self):
        return self.answers[201]

    @property
    def is_good(self):
        return not (
            self.unanswered or self.faults or self.outside or self.untold or self.crashes
            or self.others_failed or self.stored == 0 or self.taken == 0
            or self.memory_mib[-1] > 1.1 * self.memory_mib[0]
        )  # fmt: skip


class Connection(http.client.HTTPConnection):
    """HTTP over a socket in the file system: no port to find, nobody else's to meet."""

    def __init__(self, path) -> None:
        super().__init__("localhost", timeout=TIMEOUT_S)
        self._path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(TIMEOUT_S)
        self.sock.connect(self._path)


class Site:
    """The web server: one worker, so that its memory is one figure."""

    def __init__(self, base, home, city) -> None:
        self.path = base / "socket"
        (base / "cwd").mkdir()
        (base / "tmp").mkdir()
        root = Path(__file__).parents[2]
        command = [
            sys.executable, "-m", "gunicorn", "--bind", f"unix:{self.path}", "--workers", "1",
            "--threads", "8", "--timeout", "0", "--log-level", "error", "--worker-tmp-dir", str(base / "tmp"),
            "--no-control-socket", "tests.faults.upload_site:server()",
        ]  # fmt: skip
        environ = {
            **os.environ, "SITE_HOME": str(home), "SITE_CITY": str(city), "PYTHONPATH": str(root),
            "TMPDIR": str(base / "tmp"), "PYTHONDONTWRITEBYTECODE": "1",
        }  # fmt: skip
        log = (base / "log").open("wb")
        self._process = subprocess.Popen(command, cwd=base / "cwd", env=environ, stderr=log)
        log.close()
        self.log = base / "log"

    def wait(self):
        """Ask until it answers; it is not up before its socket is."""
        while self._process.poll() is None:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.get("/healthz")[0] == 200:
                    return
            os.sched_yield()
        raise RuntimeError(self.log.read_text())

    def get(self, path):
        connection = Connection(self.path)
        try:
            connection.request("GET", path, headers={"Accept": "text/html"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), answer.headers
        finally:
            connection.close()

    def token(self):
        """Token of the form, and the cookie that it belongs to."""
        _, text, headers = self.get("/upload")
        found = re.search(r'name="form_token" value="([0-9a-f]+)"', text)
        return found[1], headers["Set-Cookie"].partition(";")[0]

    def post(self, upload, cookie):
        """Status of the answer; None where none came."""
        connection = Connection(self.path)
        headers = {"Content-Type": upload.content_type, "Accept": "text/html", "Cookie": cookie}
        body = upload.body
        try:
            connection.putrequest("POST", "/upload", skip_accept_encoding=True)
            if upload.is_chunked:
                headers["Transfer-Encoding"] = "chunked"
                body = (
                    b"".join(
                        b"%x\r\n%b\r\n" % (len(piece), piece)
                        for piece in (body[at : at + 65_536] for at in range(0, len(body), 65_536))
                    )
                    + b"0\r\n\r\n"
                )
            else:
                headers["Content-Length"] = str(len(body))
            for name, value in {**headers, **upload.headers}.items():
                connection.putheader(name, value)
            connection.endheaders()
            # A server may answer, and close, before it has seen all.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.sock.sendall(body)
            if upload.breaks_off:
                connection.sock.shutdown(socket.SHUT_WR)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            return None
        else:
            return answer.status
        finally:
            connection.close()

    def memory(self):
        """Resident memory of the worker, in MiB."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        (worker,) = children.read_text().split()
        status = Path(f"/proc/{worker}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) // 1024

    def is_alive(self):
        return self._process.poll() is None and b"Traceback" not in self.log.read_bytes()

    def close(self):
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(TIMEOUT_S)


def run(base, *, files, seed=4, tell=lambda _text: None):
    """Upload, build after every hundred, and look at what is left behind."""
    base = base.resolve()
    home, city, made = base / "home", town.make_city(base / "city"), base / "made"
    home.mkdir()
    made.mkdir()
    for kind in samples.ENDINGS:
        (city / "sources" / f"{kind}.toml").write_text(samples.source_text(kind), encoding="utf-8")
    town.write_file(city, "calls.csv", GOOD)
    build(city, home=home, now=town.MONDAY)
    outside = _tree(base)
    figures, site = Figures(), Site(base, home, city)
    try:
        site.wait()
        token, cookie = site.token()
        with _bystander(site, figures):
            stream = uploads(made, count=files, seed=seed, token=token)
            for number, upload in enumerate(stream, start=1):
                _post(site, upload, cookie, figures)
                if number == min(WARM_UP, files):
                    figures.memory_mib.append(site.memory())
                if number % ROUND == 0 or number == files:
                    _build(city, home, number, figures)
                    tell(f"{number} uploads, {site.memory()} MiB")
        figures.memory_mib.append(site.memory())
        figures.crashes += not site.is_alive()
    finally:
        site.close()
    figures.outside = sorted(_tree(base) ^ outside) + _strangers(home)
    return figures


def _post(site, upload, cookie, figures):
    status = site.post(upload, cookie)
    if status is None:
        if not upload.breaks_off:
            figures.unanswered.append(upload.what)
        return
    figures.answers[status] += 1
    if not (200 <= status < 300 or 400 <= status < 500):
        figures.faults.append(f"{status}: {upload.what}")


@contextlib.contextmanager
def _bystander(site, figures):
    """Somebody else, who asks for one thing after another meanwhile."""
    stopped = threading.Event()

    def ask():
        while not stopped.wait(0.02):
            try:
                is_answered = site.get("/healthz")[0] == 200
            except (OSError, http.client.HTTPException):
                is_answered = False
            figures.others_answered += is_answered
            figures.others_failed += not is_answered

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def _build(city, home, number, figures):
    """Take in what waits; every file must be told or counted, and be gone."""
    now = town.MONDAY + dt.timedelta(minutes=number)
    try:
        build(city, home=home, now=now)
        ok = verify(home)["ok"]
    except Exception as error:
        figures.crashes += 1
        figures.faults.append(f"build: {type(error).__name__}: {error}")
        return
    accounts = Store(home).current().read("accounts")
    parts = accounts[["accepted", "quarantined", "duplicate", "refused"]].sum(axis=1)
    good = accounts.set_index("file").loc["calls.csv"]
    if not ok or (parts != accounts["read"]).any() or good["accepted"] != len(GOOD):
        figures.faults.append(f"after {number} uploads the account is wrong")
    taken = {(batch.source, batch.name) for batch in Intake(home).batches()}
    figures.taken = sum(name.startswith("upload ") for _, name in taken)
    found = [one for kind in samples.ENDINGS for one in records(home, kind, limit=1 << 20)]
    figures.refused = sum(one.state == "refused" for one in found)
    figures.untold = [one.name for one in found if not _is_told(one)]
    figures.untold += [path.name for kind in samples.ENDINGS for path in waiting(home, kind)]


def _is_told(record):
    if record.state == "taken":
        return record.batch is not None
    return record.state == "refused" and bool(record.told) and record.told.isprintable()


def _tree(base):
    """Everything outside the store, by name and content."""
    found = set()
    for path in base.rglob("*"):
        name = path.relative_to(base).as_posix()
        if (
            name.split("/")[0] in ("home", "made", "socket", "log", "cwd", "tmp")
            and name.count("/") == 0
        ):
            continue
        if not name.startswith(("home/", "made/")) and path.is_file():
            found.add((name, hashlib.sha256(path.read_bytes()).hexdigest()))
    return found


def _strangers(home):
    """Uploaded files in the store that do not stand where one must."""
    return [
        name
        for path in (home / "uploads").rglob("*")
        if path.is_file() and not STORED.fullmatch(name := path.relative_to(home).as_posix())
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=4)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = run(Path(folder), files=asked.files, seed=asked.seed, tell=print)
    answered = ", ".join(f"{status}: {count}" for status, count in sorted(found.answers.items()))
    print(f"answers                     {answered}")
    print(f"no answer to a whole form   {len(found.unanswered)} {found.unanswered[:5]}")
    print(f"5xx and other faults        {len(found.faults)} {found.faults[:5]}")
    print(f"crashes                     {found.crashes}")
    print(f"stored, taken in, refused   {found.stored}, {found.taken}, {found.refused}")
    print(f"neither told nor counted    {len(found.untold)} {found.untold[:5]}")
    print(f"outside the store           {len(found.outside)} {found.outside[:5]}")
    print(f"memory of the server, MiB   {found.memory_mib[0]} -> {found.memory_mib[-1]}")
    print(
        f"others meanwhile            {found.others_answered} answered, {found.others_failed} not"
    )
    sys.exit(not found.is_good)


if __name__ == "__main__":
    main()
