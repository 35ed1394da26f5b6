"""
Seeded noise at every door: all endpoints, methods, headers, bodies, cookies and queries.

Long form: ``python -m tests.redteam.fuzz --requests 10000``.
"""

import argparse
import collections
import io
import os
import random
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Self

from dashboard.app import create_app
from data.access import NOBODY, Scope
from data.settings import Settings
from data.store import Store
from tests.redteam import city
from tests.redteam.attack import Call, generous
from tests.redteam.judging import ANSWERS, traces

METHODS = ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "PROPFIND", "get")
STATUSES = ANSWERS | {201, 202, 301, 308, 406, 408, 409, 411, 412, 414, 415, 416, 422}
DECLARED = 100 * 1024 * 1024
ROLES = (*city.ROLES, "")
FORM = "application/x-www-form-urlencoded"
KINDS = (
    "application/json", FORM, "multipart/form-data; boundary=x", "text/plain", "application/x-ndjson",
    "application/xml", "multipart/form-data", "application/json; charset=utf-7", "", "\u00e9/x",
)  # fmt: skip
PIECES = (
    "9902007", "grid", "b1", "a" * 3_000, "..", "%2e%2e", "%00", "%ff", "é", "哨", "-1", "0", "1e9",
    "2147483648", "null", "'", '"', "<script>", "{{7*7}}", "*", "signin", "red-leader", "\u202e", "~",
)  # fmt: skip
NAMES = (
    "Origin", "Referer", "Host", "Sec-Fetch-Site", "X-Forwarded-For", "X-Forwarded-Proto", "Range",
    "X-Forwarded-Host", "Authorization", "If-None-Match", "If-Modified-Since", "Accept",
    "Accept-Encoding", "Accept-Language", "Content-Encoding", "Transfer-Encoding", "Expect",
    "X-HTTP-Method-Override", "X-Original-URL", "Forwarded", "Idempotency-Key", "User-Agent",
    "X-Pingan-User", "Cookie", "Connection", "Upgrade", "Max-Forwards", "X-Requested-With",
)  # fmt: skip
WORTH = (
    "null", "http://[", "https://localhost", "http://localhost:99999", "//", "same-origin", "none",
    "cross-site", "*", "*/*", "text/html", "gzip;q=nan", "br;q=1e999", "bytes=0-", "bytes=-1,-2,9-1",
    "bytes=" + "0-0," * 500, "Bearer x", "Basic Og==", "Basic \u00e9", 'W/"', '"' * 99, "chunked",
    "100-continue", "DELETE", "/audit", "for=127.0.0.1", "127.0.0.1", "[::1", "::ffff:127.0.0.1",
    "a" * 9_000, "zh;q=x", "Mon, 99 Foo 9999 99:99:99 GMT", "q=\u00ff", ";;;", ",,,", "=", "identity;q=0",
    "pingan_session=x; pingan_session=y", "pingan_demo=leader", "=;=;=", "pingan_form=" + "é" * 50,
)  # fmt: skip


class Chosen:
    """Signs in whoever the fuzzer wants to be."""

    can_sign_in = True

    def __init__(self) -> None:
        self.scope_now: Scope | None = NOBODY

    def admits(self, request):  # noqa: ARG002
        return True

    def scope(self, request):  # noqa: ARG002
        return self.scope_now


class Unread(io.RawIOBase):
    """A body that is declared but that nobody may read."""

    def __init__(self) -> None:
        self.taken = 0

    def readable(self):
        return True

    def readinto(self, buffer):
        self.taken += len(buffer)
        buffer[:] = bytes(len(buffer))
        return len(buffer)


def paths_of(app, rng):
    """Every rule of the map with something in the place of each argument."""
    rules = [rule.rule for rule in app.server.url_map.iter_rules()]
    rule = rng.choice(
        (*rules, *rules, "/nothing", "//", "/%00", "/..%2f..%2fetc/passwd", "/assets/../secret.key")
    )
    return re.sub(r"<(?:(\w+):)?\w+>", lambda found: _piece(rng, found[1]), rule)


def _piece(rng, kind):
    if kind == "int" and rng.random() < 0.8:
        return str(rng.choice((0, 1, 7, 30, 10**6, 10**30)))
    return rng.choice(("b1", "grid", "oidc", "township") if rng.random() < 0.4 else PIECES)


def body_of(rng, token):
    """A body, and the length that it claims to have (None = the true one)."""
    kind = rng.randrange(9)
    if kind == 0:
        return rng.randbytes(rng.choice((0, 1, 100, 5_000))), None
    if kind == 1:
        return rng.choice((b"[", b'{"a":', b"(")) * rng.choice((100, 200_000)), None
    if kind == 2:
        return b"", DECLARED
    if kind == 3:
        return b'{"output":"..kpis.children..","inputs":[],"n":' + b"9" * 9_000 + b"}", None
    if kind == 4:
        name = rng.choice(PIECES).encode("utf-8", "replace")
        part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="' + name + b'"\r\n'
        return part + rng.choice((b"\r\n", b"")) + rng.randbytes(50) + rng.choice(
            (b"\r\n--x--", b"")
        ), None
    fields = {rng.choice(FIELDS): rng.choice(PIECES + WORTH) for _ in range(rng.randrange(6))}
    if rng.random() < 0.5:
        fields["form_token"] = token
    text = "&".join(f"{name}={value}" for name, value in fields.items())
    return text.encode("utf-8", "replace"), None


FIELDS = (
    "login", "password", "code", "reason", "do", "role", "level", "grant", "name", "search", "delete",
    "withdraw", "format", "value", "unit", "new", "again", "valid_from", "provider", "sealed", "old",
    "source", "file", "form_token", "subject",
)  # fmt: skip


class Fuzzer:
    """One application and all that is thrown at it."""

    def __init__(self, home, seed) -> None:
        self.home, self.rng = home, random.Random(seed)
        self.chosen = Chosen()
        settings = Settings(home=home, auth="local")
        self.app = create_app(settings, Store(home), provider=self.chosen, limits=generous())
        self.client = self.app.server.test_client()
        self.client.set_cookie("pingan_session", "of-nobody")
        self.statuses, self.faults = collections.Counter(), []
        self.token = self._token()

    def _token(self):
        self.chosen.scope_now = city.scope_of("township")
        page = self.client.get("/views", headers={"Accept": "text/html"}).text
        return re.search(r'name="form_token" value="([^"]*)"', page)[1]

    def run(self, requests):
        for _ in range(requests):
            self.one()

    def one(self):
        rng, role = self.rng, self.rng.choice(ROLES)
        self.chosen.scope_now = city.scope_of(role) if role else None
        method, path = rng.choice(METHODS), paths_of(self.app, rng)
        query = "&".join(
            f"{rng.choice(('area', 'lang', 'next', 'q', 'text', 'before', 'since', 'told', '%ff'))}="
            f"{rng.choice(PIECES)}"
            for _ in range(rng.randrange(4))
        )
        headers = [(rng.choice(NAMES), rng.choice(WORTH + PIECES)) for _ in range(rng.randrange(4))]
        headers = [(name, _latin(value)) for name, value in headers]
        content, declared = body_of(rng, self.token)
        asked = {"data": content, "content_type": _latin(rng.choice(KINDS))}
        unread = Unread()
        if declared:
            asked = {
                "content_type": asked["content_type"],
                "environ_overrides": {"CONTENT_LENGTH": str(declared), "wsgi.input": unread},
            }  # fmt: skip
        sent = (role or "nobody", method, path, query[:200], headers, content[:300])
        try:
            answer = self.client.open(
                path, method=method, query_string=query, headers=headers, **asked
            )
        except Exception as error:
            self.faults.append((f"raised {error!r}", sent))
            return
        self._judge(Call(role, path, "", answer), sent, unread)

    def _judge(self, call, sent, unread):
        status = call.answer.status_code
        self.statuses[status] += 1
        # The door of pushes may read 20 MiB, that of uploads more; nothing reads it all.
        if status not in STATUSES:
            self.faults.append((f"status {status}", sent))
        if unread.taken > 1024 * 1024:
            self.faults.append((f"{unread.taken:,} bytes were read", sent))
        if status >= 400 and (found := traces(call, self.home)):
            self.faults.append((f"trace {sorted(found)[:3]}", sent))
        call.answer.close()


def _latin(text):
    return text.encode("utf-8", "replace").decode("latin-1")


_watching = []
"""Watches that are on; what Python tells of its own doing cannot be turned off again."""


class Writes:
    """Every file that Python opens for writing outside the home while this is on."""

    def __init__(self, home) -> None:
        self.home, self.found = str(home), set()

    def __enter__(self) -> Self:
        if not _watching:
            sys.addaudithook(_hear)
        _watching.append(self)
        return self

    def __exit__(self, *_error: object) -> None:
        _watching[_watching.index(self)] = None

    def note(self, event, arguments):
        path = arguments[0]
        if isinstance(path, int) or path is None:
            return
        flags = arguments[2] if event == "open" else os.O_WRONLY
        writes = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
        if not isinstance(flags, int) or not flags & writes:
            return
        name = os.fsdecode(path)
        is_device = name.startswith("/dev/") and not name.startswith("/dev/shm/")
        if not (is_device or name.startswith((self.home, ":memory:", "file:" + self.home))):
            self.found.add((event, name))


def _hear(event, arguments):
    if event in ("open", "os.mkdir", "os.rename", "os.remove", "os.link", "sqlite3.connect"):
        for one in _watching:
            if one is not None:
                one.note(event, arguments)


def resident_mib():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 2**20


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=4)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        city.publish(home)
        fuzzer, began = Fuzzer(home, asked.seed), time.monotonic()
        writes, marks = Writes(home), []
        with writes:
            for _ in range(5):
                fuzzer.run(asked.requests // 5)
                marks.append(resident_mib())
        beside = sorted(one.name for one in home.parent.iterdir())
    failed = sum(count for status, count in fuzzer.statuses.items() if status >= 500)
    print(f"{sum(fuzzer.statuses.values()):,} requests in {time.monotonic() - began:.0f} s, "
          f"statuses {dict(sorted(fuzzer.statuses.items()))}, 5xx {failed}")  # fmt: skip
    print(f"resident after each fifth: {', '.join(f'{mark:.0f}' for mark in marks)} MiB")
    print(
        f"written outside the home: {len(writes.found)} {sorted(writes.found)[:5]}; beside it: {beside}"
    )
    print(f"{len(fuzzer.faults)} faults")
    for fault in fuzzer.faults[:20]:
        print(fault)


if __name__ == "__main__":
    main()
