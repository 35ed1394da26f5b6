"""The push interface, through the whole application: guard, limits, intake."""

import datetime as dt
import hashlib
import hmac
import json
import multiprocessing
import sqlite3
import threading
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

from dashboard import api, senders
from dashboard.app import create_app
from dashboard.guard import PERMISSIONS
from data import refusals
from data.intake import Intake, IntakeError
from data.settings import Settings
from data.state.database import open_state
from data.state.migrate import upgrade
from data.store import Store, file_sha256
from data.tokens import TokenStore
from tests.small_city import PUSHED, row, source_text, write_city

NOW = dt.datetime(2026, 11, 16, 4, 0, tzinfo=dt.UTC)
POST = "/api/v1/incidents"
MOBILE, IDENTITY = "13812345678", "11010519491231002X"


class Sender:
    """A client with a token, as an office outside would write it."""

    def __init__(self, app, secret, token) -> None:
        self.client = app.server.test_client()
        # Not this machine: pushes come from elsewhere, and carry no session.
        self.client.environ_base["REMOTE_ADDR"] = "10.2.3.4"
        self.secret, self.token = secret, token

    def headers(self, key="k-1", **more):
        return {"Authorization": f"Bearer {self.secret}", "Idempotency-Key": key, **more}

    def push(self, rows, key="k-1", source="pushed", **more):
        body = json.dumps({"source": source, "rows": rows}, ensure_ascii=False)
        return self.raw(body.encode(), key, **more)

    def raw(self, body, key="k-1", content_type="application/json", path=POST, **more):
        headers = self.headers(key, **more)
        return self.client.post(path, data=body, headers=headers, content_type=content_type)

    def signed(self, body, *, at=NOW, key="k-1", path=POST, method="POST", **changed):
        stamp = str(int(at.timestamp()))
        message = f"{method}\n{path}\n{stamp}\n{key}\n".encode() + body
        derived = hashlib.sha256(self.secret.encode()).hexdigest().encode()
        headers = {
            "X-Pingan-Token": self.token.id,
            "X-Pingan-Timestamp": stamp,
            "X-Pingan-Signature": hmac.new(derived, message, "sha256").hexdigest(),
            "Idempotency-Key": key,
            **changed,
        }
        return self.client.open(
            path, method=method, data=body, headers=headers, content_type="application/json"
        )


def tokens_of(home):
    database = open_state("", home)
    upgrade(database)
    return TokenStore(database)


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def city(tmp_path):
    sources = {"pushed": PUSHED, "other": PUSHED, "files_only": source_text(push="false")}
    return write_city(tmp_path / "city", sources)


@pytest.fixture
def app(home, city, monkeypatch):
    monkeypatch.setattr(api, "utc_now", lambda: NOW)
    return create_app(Settings(home=home, city=str(city)), Store(home))


@pytest.fixture
def sender(app, home):
    token, secret = tokens_of(home).create("hotline", ["pushed", "files_only", "gone"], now=NOW)
    return Sender(app, secret, token)


def landed(home, number=1):
    (batch,) = Intake(home).batches(after=number - 1, upto=number)
    return pa.concat_tables([pq.read_table(home / chunk["path"]) for chunk in batch.chunks])


def test_pushed_rows_are_on_disk_when_the_answer_comes(sender, home):
    answer = sender.push([row(1), row(2)])
    assert answer.status_code == 202
    assert answer.headers["Location"] == "/api/v1/batches/1"
    assert answer.get_json() == {
        "batch": 1, "source": "pushed", "ingested_at": "2026-11-16T04:00:00+00:00",
        "read": 2, "refused": {}, "malformed": 0,
    }  # fmt: skip
    (batch,) = Intake(home).batches()
    assert (batch.kind, batch.name) == ("push", "push 2026-11-16")
    assert landed(home).to_pylist()[1] == {
        "incident_id": "N000002", "occurred_at": "2026-11-16 08:30:00", "category": "1",
        "lng": "120.125", "lat": "30.25", "area_code": "990101001", "row": 2,
    }  # fmt: skip


def test_only_allowed_columns_are_kept_and_personal_numbers_are_not(sender, home):
    name = "张三丰的名字"
    rows = [
        row(1, 报案人=name, 电话=MOBILE),
        row(2, 网格=f"找{MOBILE}"),
        row(3, 工单编号=IDENTITY),
        row(4, 网格=int(MOBILE)),
        row(5, 类别="据群众反映" * 20),
    ]
    assert sender.push(rows, key=f"about-{MOBILE}").status_code == 202
    kept = landed(home)
    assert set(kept.column_names) == {
        "incident_id", "occurred_at", "category", "lng", "lat", "area_code", "row",
    }  # fmt: skip
    values = {str(value) for column in kept.columns for value in column.to_pylist()}
    assert not [value for value in values if MOBILE in value or IDENTITY in value]
    assert kept.column("area_code").to_pylist()[1] == "[removed]"
    assert kept.column("area_code").to_pylist()[3] == "[removed]"
    assert kept.column("category").to_pylist()[4] == "[free text removed]"
    files = [path for path in home.rglob("*") if path.is_file()]
    assert len(files) > 3
    for path in files:
        content = path.read_bytes()
        for secret in (MOBILE, IDENTITY, name, "据群众反映", sender.secret):
            assert secret.encode() not in content, path


def test_rows_of_a_refused_class_are_counted_and_not_kept(sender, home, monkeypatch):
    def turn_away(rows, source):
        keep = [code != "1401" for code in rows.column("category").to_pylist()]
        return rows.filter(pa.array(keep)), {"refused_class": keep.count(False)}

    monkeypatch.setattr(refusals, "turn_away", turn_away)
    answer = sender.push([row(1), row(2, 类别="1401"), row(3, 类别="1401")])
    assert answer.status_code == 202
    assert answer.get_json()["refused"] == {"refused_class": 2}
    assert landed(home).column("row").to_pylist() == [1]


def test_a_register_of_persons_is_known_by_the_names_of_its_columns(sender, monkeypatch):
    seen = []
    monkeypatch.setattr(refusals, "person_register", lambda names: seen.extend(names) or "register")
    answer = sender.push([row(1, 身份证号="x"), row(2)])
    assert answer.get_json()["refused"] == {"register": 2}
    assert "身份证号" in seen


def test_rows_with_values_that_are_no_single_values_are_malformed(sender, home):
    rows = [row(1), row(2, 类别=["1"]), row(3, 类别={"code": 1}), row(4, 报案人=["not read"])]
    answer = sender.push(rows)
    assert answer.get_json()["malformed"] == 2
    assert Intake(home).batches()[0].malformed == (2, 3)
    lone = b'{"source": "pushed", "rows": [' + json.dumps(row(1, 网格="\ud800")).encode() + b"]}"
    assert sender.raw(lone, key="k-2").get_json()["malformed"] == 1


def test_ndjson_names_its_source_in_the_query(sender, home):
    lines = "\n".join(json.dumps(row(number)) for number in range(3)).encode()
    answer = sender.raw(
        lines + b"\r\n\n", path=POST + "?source=pushed", content_type="application/x-ndjson"
    )
    assert answer.status_code == 202
    assert answer.get_json()["read"] == 3
    without = sender.raw(lines, key="k-2", content_type="application/x-ndjson")
    assert without.status_code == 400
    assert "?source=" in without.get_json()["error"]


def test_the_same_key_and_body_get_the_same_answer(sender, home):
    first, second = sender.push([row(1)]), sender.push([row(1)])
    assert (first.status_code, first.data) == (second.status_code, second.data)
    assert len(Intake(home).batches()) == 1
    assert sender.push([row(1)], key="k-2").get_json()["batch"] == 2


def test_the_same_key_and_another_body_is_a_conflict(sender, home):
    assert sender.push([row(1)]).status_code == 202
    answer = sender.push([row(2)])
    assert answer.status_code == 409
    assert (
        answer.get_json()["error"]
        == "Idempotency-Key was used for another body; use a new key for each batch"
    )
    assert len(Intake(home).batches()) == 1


def test_fifty_replays_at_once_are_one_batch(app, sender, home):
    answers, ready = [], threading.Barrier(50)

    def send():
        one = Sender(app, sender.secret, sender.token)
        ready.wait()
        answers.append(one.push([row(1), row(2)]))

    threads = [threading.Thread(target=send) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {(answer.status_code, answer.data) for answer in answers} == {(202, answers[0].data)}
    (batch,) = Intake(home).batches()
    folders = list((home / "landed" / "pushed").iterdir())
    assert [folder.name for folder in folders] == [batch.chunks[0]["path"].split("/")[2]]


def test_ten_thousand_rows_are_taken_and_one_more_is_not(sender, home):
    rows = [row(number) for number in range(10_001)]
    assert sender.push(rows[:10_000]).get_json()["read"] == 10_000
    answer = sender.push(rows, key="k-2")
    assert answer.status_code == 413
    assert answer.get_json()["error"] == "10,001 rows; send at most 10,000 at once"
    lines = b"\n".join(json.dumps(one).encode() for one in rows)
    many = sender.raw(
        lines, key="k-3", content_type="application/x-ndjson", path=POST + "?source=pushed"
    )
    assert many.status_code == 413
    assert len(Intake(home).batches()) == 1


def streamed(sender, stream, **environ):
    """Status of a push whose body is a stream, as the web server hands it over."""
    asked = EnvironBuilder(POST, method="POST", headers=sender.headers()).get_environ()
    asked |= {"CONTENT_TYPE": "application/json", "REMOTE_ADDR": "10.2.3.4", "wsgi.input": stream}
    _, status, _ = run_wsgi_app(sender.client.application, asked | environ)
    return status[:3]


def test_a_hundred_mebibytes_are_refused_before_they_are_read(sender):
    class Unread:
        def read(self, *_):
            raise AssertionError("the body was read")

        readline = readlines = __iter__ = read

    assert streamed(sender, Unread(), CONTENT_LENGTH=str(100 * 1024 * 1024)) == "413"


def test_a_body_of_unknown_length_stops_at_the_limit(sender):
    class Endless:
        sent = 0

        def read(self, _size=-1):
            self.sent += 1 << 20
            assert self.sent < 64 << 20
            return b" " * (1 << 20)

        readline = read

    endless = Endless()
    assert streamed(sender, endless, **{"wsgi.input_terminated": True}) == "413"
    assert endless.sent >= 20 << 20


def test_other_requests_keep_the_small_limit(app):
    client = app.server.test_client()
    answer = client.post(
        "/_dash-update-component", data=b" " * 300_000, content_type="application/json"
    )
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"source": "pushed", "rows": [{"x": NaN}]}', "NaN is no JSON"),
        (b'{"source": "pushed", "rows": [{"x": -Infinity}]}', "-Infinity is no JSON"),
        (b'{"source": "pushed", "rows": [{"x": ' + b"9" * 5000 + b"}]}", "number of too many digits"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        ('{"source": "pushed", "rows": [{"发生时间": 1}]}'.encode("gb18030"), "is not UTF-8 (byte 32)"),
        (b"", "is no JSON"),
        (b"rows=1", "is no JSON"),
        (b"[]", "the body must be"),
        (b'{"source": "pushed"}', "the body must be"),
        (b'{"source": "pushed", "rows": []}', "there is no row"),
        (b'{"source": "pushed", "rows": [{}], "mode": 1}', "unknown keys"),
        (b'{"source": 7, "rows": [{}]}', "no source is named"),
        (b'{"rows": [{}]}', "no source is named"),
        (b'{"source": "pushed", "rows": [{}, 1, null, [], {}]}', "3 of 5 rows are no objects (rows 2, 3, 4)"),
        (b'{"source": "pushed", "rows": [{"a": 1}]}', "no row has the column 发生时间, 类别"),
    ],
    ids=["nan", "infinity", "huge-int", "deep", "deep-objects", "gb18030", "empty", "form", "list",
         "no-rows", "zero-rows", "unknown-key", "source-type", "no-source", "not-objects", "columns"],
)  # fmt: skip
def test_what_is_wrong_with_a_body_is_told(sender, home, body, reason):
    answer = sender.raw(body)
    assert answer.status_code == 400
    assert reason in answer.get_json()["error"]
    assert "Traceback" not in answer.text
    assert Intake(home).batches() == []


def test_numbers_beyond_every_type_are_malformed(sender, home):
    rows = [row(1, 经度="huge"), row(2, 网格=10**400), row(3)]
    body = json.dumps({"source": "pushed", "rows": rows}).replace('"huge"', "1e999")
    assert sender.raw(body.encode()).get_json()["malformed"] == 2
    assert landed(home).column("row").to_pylist() == [3]


@pytest.mark.parametrize(
    "header", [None, "Bearer ", "Bearer pingan_0_x", "Basic abc", "Bearer \xff"]
)
def test_without_a_token_there_is_no_answer(sender, header):
    headers = {"Idempotency-Key": "k-1"} | ({"Authorization": header} if header else {})
    answer = sender.client.post(POST, json={"source": "pushed", "rows": [row(1)]}, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="pingan"'
    assert sender.client.get("/api/v1/batches/1", headers=headers).status_code == 401


def test_whatever_the_guard_lets_pass_asks_for_a_token_itself(app):
    client = app.server.test_client()
    rules = [
        rule for rule in app.server.url_map.iter_rules() if PERMISSIONS[rule.endpoint] == "token"
    ]
    assert len(rules) == 4
    for rule in rules:
        path = rule.rule.replace("<int:number>", "1")
        for method in rule.methods - {"OPTIONS"}:
            answer = client.open(path, method=method, content_type="application/json")
            assert answer.status_code == 401


def test_a_revoked_token_is_refused_at_once(sender, home):
    assert sender.push([row(1)]).status_code == 202
    tokens_of(home).revoke("hotline")
    assert sender.push([row(1)]).status_code == 401


BODY = json.dumps({"source": "pushed", "rows": [row(1)]}, ensure_ascii=False).encode()


def test_a_signature_is_as_good_as_the_token(sender, home):
    assert sender.signed(BODY).status_code == 202
    assert sender.signed(BODY, at=NOW - dt.timedelta(seconds=300)).status_code == 202
    assert len(Intake(home).batches()) == 1
    assert sender.signed(b"", key="", path="/api/v1/batches/1", method="GET").status_code == 200


@pytest.mark.parametrize(
    "changed",
    [
        {"at": NOW - dt.timedelta(seconds=301)}, {"at": NOW + dt.timedelta(seconds=301)},
        {"X-Pingan-Signature": "0" * 64}, {"X-Pingan-Signature": ""}, {"X-Pingan-Signature": "é"},
        {"X-Pingan-Token": "00000000"}, {"X-Pingan-Token": ""}, {"X-Pingan-Timestamp": "soon"},
        {"X-Pingan-Timestamp": "9" * 400}, {"X-Pingan-Timestamp": str(int(NOW.timestamp()) + 1)},
        {"Idempotency-Key": "k-2"},
    ],
)  # fmt: skip
def test_a_signature_covers_time_key_and_body(sender, home, changed):
    assert sender.signed(BODY, **changed).status_code == 401
    assert Intake(home).batches() == []


def test_a_signature_does_not_fit_another_body(sender):
    good = sender.signed(BODY)
    headers = {name: good.request.headers[name] for name in (
        "X-Pingan-Token", "X-Pingan-Timestamp", "X-Pingan-Signature", "Idempotency-Key")}  # fmt: skip
    answer = sender.client.post(
        POST, data=BODY + b" ", headers=headers, content_type="application/json"
    )
    assert answer.status_code == 401


@pytest.mark.parametrize("source", ["other", "files_only", "gone", "../etc", "无"])
def test_a_source_that_is_not_allowed_or_takes_no_push_is_forbidden(sender, source):
    answer = sender.push([row(1)], source=source)
    assert answer.status_code == 403
    reasons = "this token may not push to this source, or the source takes no pushes"
    assert answer.get_json() == {"error": reasons}


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 129, "钥"])
def test_an_idempotency_key_is_needed(sender, key):
    assert sender.push([row(1)], key=key.encode().decode("latin-1")).status_code == 400


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "", "multipart/form-data"]
)
def test_another_content_type_is_refused(sender, kind):
    assert sender.raw(BODY, content_type=kind).status_code == 415


def test_a_compressed_body_is_refused(sender):
    assert sender.raw(BODY, **{"Content-Encoding": "gzip"}).status_code == 415


def test_too_many_requests_are_told_to_wait(sender, monkeypatch):
    monkeypatch.setattr(senders.Limiter, "admits", lambda *_: False)
    answer = sender.push([row(1)])
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "30")


def test_the_limit_fills_up_again_and_is_each_tokens_own(sender):
    moment = [0.0]
    limiter = senders.Limiter(burst=2, per_second=0.5, clock=lambda: moment[0])
    other = replace(sender.token, id="another")
    assert [limiter.admits(sender.token) for _ in range(3)] == [True, True, False]
    assert limiter.admits(other)
    moment[0] = 1.9
    assert not limiter.admits(sender.token)
    moment[0] = 4.0
    assert limiter.admits(sender.token)
    moment[0] = 1000.0
    assert [limiter.admits(sender.token) for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize(
    "fault", [IntakeError("No space left on device"), sqlite3.OperationalError("disk is full")]
)
def test_what_the_disk_does_not_take_is_to_be_sent_again(sender, monkeypatch, fault):
    def full(*_, **__):
        raise fault

    with monkeypatch.context() as patched:
        patched.setattr(Intake, "land", full)
        answer = sender.push([row(1)])
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert str(fault) not in answer.text
    assert sender.push([row(1)]).status_code == 202


def test_a_kill_before_the_log_row_leaves_nothing_that_counts(sender, home, monkeypatch):
    class Killed(BaseException):
        pass

    def die(*_):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Intake, "_append", die)
        with pytest.raises(Killed):
            sender.push([row(1)])
    assert Intake(home).batches() == []
    assert sender.push([row(1)]).get_json()["batch"] == 1


def _send_all(app, secret, token, acknowledged):
    """Push batch after batch; say of each that it was acknowledged."""
    sender = Sender(app, secret, token)
    for number in range(1000):
        answer = sender.push([row(number), row(number + 5000)], key=f"k-{number}")
        acknowledged.send((number, answer.get_json()["batch"]))


@pytest.mark.parametrize("after", [1, 3, 7, 20])
def test_a_killed_process_keeps_what_it_acknowledged(app, sender, home, after):
    here, there = multiprocessing.Pipe(duplex=False)
    # A copy of this process, as the web server's workers are of theirs.
    process = multiprocessing.get_context("fork").Process(
        target=_send_all, args=(app, sender.secret, sender.token, there)
    )
    process.start()
    acknowledged = []
    for _ in range(after):
        assert here.poll(60)
        acknowledged.append(here.recv())
    process.kill()
    process.join()
    intake = Intake(home)
    before = {batch.number: batch for batch in intake.batches()}
    assert {number for _, number in acknowledged} <= set(before)
    for batch in before.values():
        for chunk in batch.chunks:
            assert file_sha256(home / chunk["path"]) == chunk["sha256"]
    for number in range(after + 3):
        rows = [row(number), row(number + 5000)]
        assert sender.push(rows, key=f"k-{number}").status_code == 202
    names = [name for number in range(len(intake.batches())) for name in ids(home, number + 1)]
    assert len(set(names)) == len(names)
    assert {f"N{number:06d}" for number in range(after + 3)} <= set(names)


def ids(home, number):
    return landed(home, number).column("incident_id").to_pylist()


def test_without_a_city_folder_nothing_is_taken(home, caplog):
    token, secret = tokens_of(home).create("hotline", ["pushed"], now=NOW)
    answer = Sender(create_app(Settings(home=home), Store(home)), secret, token).push([row(1)])
    assert answer.status_code == 404
    assert "PINGAN_CITY is not set" in caplog.text


def test_a_city_folder_that_cannot_be_read_is_a_fault_of_ours(sender, city, caplog):
    path = city / "sources" / "pushed.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text("columns = 1\n", encoding="utf-8")
    assert sender.push([row(1)]).status_code == 503
    assert "sources/pushed.toml" in caplog.text
    path.write_text(text, encoding="utf-8")
    assert sender.push([row(1)]).status_code == 202
    path.write_text(text.replace("push = true", "push = false"), encoding="utf-8")
    assert sender.push([row(2)], key="k-2").status_code == 403


class Published:
    """A store with one snapshot, of which a batch's account is asked."""

    id = "20261116T040000Z-00000000"

    def __init__(self, last_batch) -> None:
        self.manifest = self
        self.raw = {"batch": last_batch}

    def current(self):
        return self

    def arrays(self, _sql, parameters):
        assert parameters == [1]
        return {"reason": ["bad_time", "unknown_category"], "rows": [1, 2]}


def test_a_batch_waits_until_a_snapshot_covers_it(app, sender, monkeypatch):
    sender.push([row(number) for number in range(5)])
    waiting = sender.client.get("/api/v1/batches/1", headers=sender.headers())
    assert waiting.get_json()["state"] == "waiting"
    monkeypatch.setattr(Store, "current", lambda _: Published(0))
    assert (
        sender.client.get("/api/v1/batches/1", headers=sender.headers()).get_json()["state"]
        == "waiting"
    )
    monkeypatch.setattr(Store, "current", lambda _: Published(1))
    told = sender.client.get("/api/v1/batches/1", headers=sender.headers()).get_json()
    assert told["state"] == "processed"
    assert (told["read"], told["accepted_or_duplicate"], told["quarantined"]) == (5, 2, 3)
    assert told["reasons"] == {"bad_time": 1, "unknown_category": 2}


def test_a_batch_is_told_to_senders_of_its_source_only(app, sender, home):
    sender.push([row(1)])
    token, secret = tokens_of(home).create("elsewhere", ["other"], now=NOW)
    other = Sender(app, secret, token)
    for number in (1, 2, 0, 10**30):
        answer = other.client.get(f"/api/v1/batches/{number}", headers=other.headers())
        assert (answer.status_code, answer.get_json()) == (404, {"error": "there is no such batch"})


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_nothing_else_answers_there(sender, method):
    answer = sender.client.open(POST, method=method, headers=sender.headers())
    assert answer.status_code in (403, 404, 405)
