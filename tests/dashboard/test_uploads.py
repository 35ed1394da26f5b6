"""The door for ledgers, asked as a browser asks it and as nobody should."""

import datetime as dt
import io
import re
import threading
from html import unescape
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from dashboard import uploads as door_module
from dashboard.multipart import SECONDS, read_parts
from dashboard.pages.context import CityFacts
from dashboard.text import catalogue
from data.audit import AuditError
from data.intake import Intake
from data.upload_error import CODES, UploadError
from data.upload_store import records, settle, waiting
from data.uploads import MAX_BYTES
from tests.etl.sources.books import make_source
from tests.faults.hostile_uploads import BOUNDARY, NAMES, form
from tests.faults.upload_site import make_site
from tests.small_city import source_text, write_city

NOW = dt.datetime(2026, 11, 16, 4, 0, tzinfo=dt.UTC)
CSV = "工单编号,发生时间\n1,2026-11-16 08:00:00\n".encode()
KIND = f"multipart/form-data; boundary={BOUNDARY.decode()}"
SCRIPT = "<script>alert(1)</script>.csv"


class Visitor:
    """A browser with the form open."""

    def __init__(self, site) -> None:
        self.client = site.test_client()
        self.token = re.search(r'name="form_token" value="(\w+)"', self.get().text)[1]

    def get(self, query=""):
        return self.client.get(f"/upload{query}", headers={"Accept": "text/html"})

    def post(self, content=CSV, name="台账.csv", source="calls", *, query="", **more):
        body = form(self.token, source, name, content, **more)
        return self.send(body, query=query)

    def send(self, body, *, query="", content_type=None, **more):
        kind = content_type or KIND
        return self.client.post(f"/upload{query}", data=body, content_type=kind, **more)


def streamed(stream, **more):
    """A body that comes from a stream, as a server hands it over."""
    return {"wsgi.input": stream, "wsgi.input_terminated": True, "CONTENT_TYPE": KIND, **more}


def said(answer):
    found = re.findall(r'class="said[^"]*"[^>]*>(.*?)</p>', answer.text, flags=re.DOTALL)
    return unescape(found[0]).strip() if found else ""


@pytest.fixture
def home(tmp_path):
    path = tmp_path / "home"
    path.mkdir()
    return path


@pytest.fixture
def city(tmp_path):
    return write_city(
        tmp_path / "city",
        {
            "calls": source_text(format='"csv"', push=None, title_en='"Calls"'),
            "books": source_text(format='"xlsx"', push=None, title_en='"<b>Books</b>"'),
            "pushed": source_text(),
        },
    )


@pytest.fixture
def made(home, city):
    return make_site(home, city, clock=lambda: NOW)


@pytest.fixture
def site(made):
    server, context = made
    yield server
    context.database.close()


@pytest.fixture
def audit(made):
    return lambda: [
        (row.action, row.target, row.result, row.detail)
        for row in made[1].audit.search()
        if row.action == "upload"
    ]


@pytest.fixture
def visitor(site):
    return Visitor(site)


def stored(home):
    return sorted(
        path.relative_to(home).as_posix()
        for path in (home / "uploads").rglob("*")
        if path.is_file() and path.suffix != ".json"
    )


def test_a_ledger_is_stored_and_its_outcome_told(visitor, home, audit):
    answer = visitor.post(name=SCRIPT, reason="monthly  ledger")
    assert answer.status_code == 201
    assert SCRIPT not in answer.text
    (path,) = waiting(home, "calls")
    assert said(answer) == f"“{SCRIPT}”已存放为“upload {path.name}”，等待下一次构建。"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert path.read_bytes() == CSV
    (row,) = audit()
    assert row[:3] == ("upload", "calls", "ok")
    assert re.fullmatch(r"\.csv of \d+ bytes, sha256 [0-9a-f]{64}: monthly ledger", row[3])
    assert "等待构建" in visitor.get().text
    settle(home, path, NOW, told="lacks <b>columns</b>")
    page = visitor.get("?lang=en").text
    assert "not taken in" in page
    assert "lacks &lt;b&gt;columns&lt;/b&gt;" in page


def test_a_ledger_of_the_largest_size(visitor, home):
    assert visitor.post(b"a,b\n" * (MAX_BYTES // 4)).status_code == 201
    assert waiting(home, "calls")[0].stat().st_size == MAX_BYTES


def test_the_page_lists_the_sources_that_read_files(visitor, home):
    page = visitor.get("?lang=en").text
    assert re.findall(r'<option value="(\w+)"', page) == ["books", "calls"]
    assert "&lt;b&gt;Books&lt;/b&gt;" in page
    assert 'accept=".csv,.txt,.xls,.xlsx"' in page
    # The fields stand before the file: the form is checked before the file is read.
    order = [
        page.index(mark)
        for mark in ('name="form_token"', 'name="source"', 'name="reason"', 'name="file"')
    ]
    assert order == sorted(order)
    assert not (home / "uploads").exists()


def test_the_page_without_a_city_folder(home, tmp_path):
    for folder, said_there in (
        ("", "No city folder is set"),
        (tmp_path / "none", "cannot be read now"),
    ):
        server, context = make_site(home, folder)
        page = server.test_client().get("/upload?lang=en")
        assert page.status_code == 200
        assert said_there in page.text
        assert "<option" not in page.text
        context.database.close()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"source": "pushed"}, (400, "source")),
        ({"source": "../calls"}, (400, "source")),
        ({"source": ""}, (400, "source")),
        ({"reason": ""}, (400, "reason")),
        ({"reason": "    x    "}, (400, "reason")),
        ({"reason": "x" * 201}, (400, "reason_long")),
        ({"name": ""}, (400, "file_missing")),
        ({"name": "a.xlsx"}, (422, "name")),
        ({"content": b""}, (422, "empty")),
        ({"content": b"<html>"}, (422, "content")),
        ({"content": "编号".encode("utf-16")}, (422, "text_utf16")),
        ({"content": CSV + b"\0"}, (422, "text_binary")),
        ({"content": b"x" * (20 * 1024 * 1024 + 1)}, (413, "too_large")),
        ({"tail": b""}, (400, "form")),
    ],
)
def test_refusals(visitor, home, audit, change, expected):
    status, code = expected
    answer = visitor.post(**change)
    words = re.sub(r"\\\{\w+\\\}", ".*", re.escape(catalogue()[f"upload_no_{code}"][0]))
    assert answer.status_code == status
    assert re.fullmatch(words, said(answer))
    assert stored(home) == []
    assert [row[2] for row in audit()] == ["failed"]
    assert "Traceback" not in answer.text


def test_every_refusal_has_words():
    keys = {key.removeprefix("upload_no_") for key in catalogue() if key.startswith("upload_no_")}
    assert keys == CODES | {"city"}


def test_the_token_is_asked_for_before_the_file_is_read(site, visitor, home):
    body = form(visitor.token, "calls", "a.csv", CSV)
    for token in ("", "0" * 64, "é"):
        assert visitor.send(form(token, "calls", "a.csv", CSV)).status_code == 400
    stranger = site.test_client()
    assert stranger.post("/upload", data=body, content_type=KIND).status_code == 400
    stranger.set_cookie("pingan_form", "another")
    assert stranger.post("/upload", data=body, content_type=KIND).status_code == 400
    assert not (home / "uploads").exists()
    assert visitor.send(body).status_code == 201


def test_the_form_is_read_in_its_order(visitor, home):
    part = (
        b"--" + BOUNDARY + b'\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        + CSV + b"\r\n"
    )  # fmt: skip
    whole = form(visitor.token, "calls", "a.csv", CSV)
    end = b"--" + BOUNDARY + b"--\r\n"
    field = b"--" + BOUNDARY + b'\r\nContent-Disposition: form-data; name="x"\r\n\r\ny\r\n'
    told = [
        (part + whole, 400), (whole[: -len(end)] + part + end, 400), (field + whole, 400),
        (whole[: -len(end)] + field + end, 400), (end, 400), (b"", 400), (whole[:60], 400),
    ]  # fmt: skip
    for body, status in told:
        assert visitor.send(body).status_code == status
    assert stored(home) == []


@pytest.mark.parametrize(
    "kind",
    ["multipart/form-data", "multipart/form-data; boundary=" + "x" * 71, "multipart/mixed; boundary=b",
     "application/json", "", "multipart/form-data; boundary=é"],
)  # fmt: skip
def test_what_is_no_form(visitor, kind):
    answer = visitor.send(form(visitor.token, "calls", "a.csv", CSV), content_type=kind or "x/y")
    assert (answer.status_code, "表单不完整" in said(answer)) == (400, True)


def test_a_packed_body_is_refused(visitor):
    headers = {"Content-Encoding": "gzip"}
    assert (
        visitor.send(form(visitor.token, "calls", "a.csv", CSV), headers=headers).status_code == 400
    )


def test_a_length_beyond_the_limit_is_refused_before_anything_is_read(visitor):
    class Untouched:
        def read(self, _size=-1):
            raise AssertionError("the body was read")

    answer = visitor.client.post(
        "/upload",
        environ_overrides=streamed(Untouched(), CONTENT_LENGTH="30000000"),
    )
    assert answer.status_code == 413


def test_bytes_are_counted_however_long_the_body_says_to_be(visitor, home):
    read = 0

    class Endless:
        head = form(visitor.token, "calls", "a.csv", CSV, tail=b"").removesuffix(
            b"\r\n--" + BOUNDARY + b"\r\n"
        )

        def read(self, size=-1):
            nonlocal read
            block, self.head = (self.head or b"1,2\n" * (size // 4))[:size], b""
            read += len(block)
            return block

    answer = visitor.client.post(
        "/upload",
        environ_overrides=streamed(Endless()),
    )
    assert answer.status_code == 413
    assert 20 * 1024 * 1024 < read < 21 * 1024 * 1024
    assert stored(home) == []
    assert not any((home / "uploads" / ".tmp").iterdir())


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_names_of_browsers_name_nothing(visitor, home, name):
    before = set(home.rglob("*")) | set(home.parent.iterdir())
    answer = visitor.post(name=name.replace("{}", ".csv"))
    assert answer.status_code in (201, 400, 422)
    found = {
        path.relative_to(home).as_posix()
        for path in set(home.rglob("*")) - before
        if path.is_file()
    }
    found = {path for path in found if path.startswith("uploads") or "db" not in path}
    assert all(
        re.fullmatch(r"uploads/(\.records/)?calls/[0-9a-f]{16}\.csv(\.json)?", path)
        for path in found
    ), found
    assert set(home.parent.iterdir()) <= before
    assert "<script" not in answer.text
    assert "<img" not in answer.text


def test_the_same_content_twice(visitor, home):
    assert [visitor.post().status_code for _ in range(2)] == [201, 201]
    assert len(waiting(home, "calls")) == 1
    (record,) = records(home, "calls", limit=9)
    Intake(home).land(
        _source("calls"), [], kind="file", name=record.name, content=record.sha256, now=NOW
    )
    answer = visitor.post(query="?lang=en")
    assert answer.status_code == 409
    assert "batch 1" in said(answer)


def test_the_batches_of_each_source_are_listed_with_their_account(visitor, home, made, monkeypatch):
    class Snapshot:
        def read(self, _table):
            return pd.DataFrame(
                [("calls", "a.csv", 12_345, 12_000, 300, 40, 5)],
                columns=[
                    "source",
                    "file",
                    "read",
                    "accepted",
                    "quarantined",
                    "duplicate",
                    "refused",
                ],
            )

    intake = Intake(home)
    for name in ("a.csv", "b <i>.csv"):
        intake.land(_source("calls"), [], kind="file", name=name, content=name, now=NOW)
    page = visitor.get("?lang=en").text
    assert page.count("read, to be published") == 2
    context = made[1]
    monkeypatch.setattr(type(context.store), "current", lambda _self: Snapshot())
    facts = CityFacts("小市", "Small", ZoneInfo("Asia/Shanghai"))
    monkeypatch.setattr(type(context), "city", lambda _self: facts)
    page = visitor.get("?lang=en").text
    assert "12,345" in page
    assert "in the account" in page
    assert "b &lt;i&gt;.csv" in page


def test_others_are_answered_while_all_slots_are_taken(site, visitor, home):
    """Two uploads hang; a third is told to wait, and everything else goes on."""
    begun, goes_on = threading.Semaphore(0), threading.Event()
    body = form(visitor.token, "calls", "a.csv", CSV)
    cookie = visitor.client.get_cookie("pingan_form", domain="localhost")

    class Hanging:
        rest = body

        def read(self, size=-1):
            begun.release()
            assert goes_on.wait(60)
            block, self.rest = self.rest[:size], self.rest[size:]
            return block

    answers = []

    def post():
        client = site.test_client()
        client.set_cookie("pingan_form", cookie.value)
        answers.append(
            client.post(
                "/upload",
                environ_overrides=streamed(Hanging()),
            ).status_code
        )

    threads = [threading.Thread(target=post) for _ in range(door_module.AT_ONCE)]
    for thread in threads:
        thread.start()
    try:
        for _ in threads:
            assert begun.acquire(timeout=60)
        assert visitor.post().status_code == 429
        assert visitor.client.get("/healthz").status_code == 200
        assert visitor.get().status_code == 200
    finally:
        goes_on.set()
        for thread in threads:
            thread.join()
    assert answers == [201, 201]
    assert visitor.post().status_code == 201
    assert len(waiting(home, "calls")) == 1


def test_nothing_reads_on_after_a_refusal(visitor, home):
    """The framework would put the rest of the body into a folder of its own."""
    read = 0

    class Rest:
        head = form(visitor.token, "nowhere", "a.csv", CSV)[:-40]

        def read(self, size=-1):
            nonlocal read
            read += 1
            block, self.head = (self.head or b"x" * size)[:size], b""
            return block

    answer = visitor.client.post("/upload", environ_overrides=streamed(Rest()))
    assert (answer.status_code, read) == (400, 1)


def test_a_form_that_takes_too_long():
    clock = iter((0.0, SECONDS / 2, SECONDS + 1))
    parts = read_parts(io.BytesIO(b"--b\r\n" + b"x" * 200_000), "b", clock=lambda: next(clock))
    with pytest.raises(UploadError, match="slow"):
        list(parts)


def test_when_the_disk_is_full_it_is_told_and_nothing_stays(visitor, home, monkeypatch, audit):
    def full(_self, _block):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("data.upload_store.Arriving.write", full)
    answer = visitor.post()
    assert answer.status_code == 503
    assert stored(home) == []
    assert [row[2] for row in audit()] == ["failed"]


def test_when_the_audit_cannot_be_written_nothing_is_stored(visitor, made, home, monkeypatch):
    def broken(**_row):
        raise AuditError("no space")

    monkeypatch.setattr(made[1].audit, "write", broken)
    assert visitor.post().status_code == 503
    assert stored(home) == []


def _source(name):
    return make_source(name=name, format="csv")
