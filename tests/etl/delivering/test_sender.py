"""Delivery from end to end, to a bot and a mail server of this machine."""

import base64
import datetime as dt
import email
import email.policy
import hashlib
import hmac
import multiprocessing
import os
import signal
import socket

import pytest

from data.deliveries.channels import Channel, DeliverySettings
from data.deliveries.message import Message, Place
from data.deliveries.models import MessageRow
from data.deliveries.outbox import GIVEN_UP, LEASE, SENT, Outbox
from data.state.database import open_state
from data.state.migrate import upgrade
from etl.delivering import bots, by_apprise
from etl.delivering.error import DeliveryError
from etl.delivering.rounds import Rounds
from etl.delivering.sender import Sender
from etl.delivering.text import write
from tests.etl.delivering import servers

NOW = dt.datetime(2026, 11, 16, 7, tzinfo=dt.UTC)
CITY = Place("city", "990100", "示范市", "Demo City")
LINK = "https://map.example.gov.cn"
MESSAGE = Message("warning:1", "warning", 4, CITY, {"incidents": 1234, "overdue": 2}, "/w?a=1", NOW)
ZH, EN = (DeliverySettings(LINK, lang, ()) for lang in ("zh", "en"))


@pytest.fixture
def bot():
    with servers.bot() as found:
        yield found


@pytest.fixture
def home(tmp_path):
    database = open_state("", tmp_path)
    upgrade(database)
    database.close()
    return tmp_path


class Clock:
    now = NOW

    def __call__(self) -> dt.datetime:
        return self.now


def channels(home, *tables):
    lines = [f'link = "{LINK}"']
    for one in tables:
        lines += ["[[channel]]", *(f'{name} = "{value}"' for name, value in one.items())]
    (home / "delivery.toml").write_text("\n".join(lines) + "\n")


def post(home, key="warning:1"):
    database = open_state("", home)
    Outbox(database).post(
        key=key, kind="warning", level=4, place=CITY, counts={"incidents": 3}, path="/w", now=NOW
    )
    database.close()


@pytest.fixture
def sender(home):
    database = open_state("", home)
    found = Sender(database, home, home, public_url="", environ={}, clock=Clock())
    yield found
    database.close()


def states(sender):
    return {
        one.channel: {s: n for s, n in one.counts.items() if n} for one in sender.outbox.standings()
    }


# The words of a message


def test_a_message_says_level_counts_link_and_number_in_both_languages():
    chinese, english = write(MESSAGE, ZH), write(MESSAGE, EN)
    assert chinese.title == "【预警提示】示范市"
    assert chinese.body.splitlines() == [
        "等级：红",
        "本期事件 1,234，已超期 2",
        f"{LINK}/w?a=1",
        f"编号 {MESSAGE.id}，同一编号重复到达时只算一次",
    ]
    assert english.title == "[Warning] Demo City"
    assert english.body.splitlines()[:2] == [
        "level: red",
        "incidents of the period 1,234, overdue 2",
    ]
    assert english.fields == chinese.fields
    assert english.fields["counts"] == {"incidents": 1234, "overdue": 2}


# The bodies of the bots


def prepared(kind, *, secret=False):
    names = {"key_env": "KEY"} | ({"secret_env": "SECRET"} if secret else {})
    one = Channel("bot", kind, url="https://bot.example/hook", **names)
    return bots.prepared(one, write(MESSAGE, ZH), NOW, {"KEY": "k-1", "SECRET": "s-1"})


def test_wecom_takes_a_text_and_the_key_as_a_parameter():
    call = prepared("wecom")
    assert (call.url, call.params) == ("https://bot.example/hook", {"key": "k-1"})
    assert call.body["msgtype"] == "text"
    assert call.body["text"]["content"].startswith("【预警提示】示范市\n等级：红\n")


def test_dingtalk_is_signed_as_its_manual_says():
    call = prepared("dingtalk", secret=True)
    stamp = str(int(NOW.timestamp() * 1000))
    digest = hmac.new(b"s-1", f"{stamp}\ns-1".encode(), hashlib.sha256).digest()
    sign = base64.b64encode(digest).decode()
    assert call.params == {"access_token": "k-1", "timestamp": stamp, "sign": sign}
    assert set(call.body) == {"msgtype", "text"}


def test_feishu_has_its_key_in_the_path_and_is_signed_in_the_body():
    call = prepared("feishu", secret=True)
    stamp = str(int(NOW.timestamp()))
    digest = hmac.new(f"{stamp}\ns-1".encode(), b"", hashlib.sha256).digest()
    assert (call.url, call.params) == ("https://bot.example/hook/k-1", {})
    assert call.body["msg_type"] == "text"
    assert call.body["content"]["text"].endswith("只算一次")
    assert (call.body["timestamp"], call.body["sign"]) == (stamp, base64.b64encode(digest).decode())


def test_json_is_the_message_as_an_object():
    call = prepared("json")
    assert call.headers == {"Authorization": "Bearer k-1"}
    assert call.body == write(MESSAGE, ZH).fields
    assert call.body["link"] == f"{LINK}/w?a=1"


# What the other side answers


@pytest.mark.parametrize("kind", ["wecom", "dingtalk", "feishu", "json"])
def test_each_kind_is_sent(bot, kind):
    bots.send(Channel("bot", kind, url=bot.url), write(MESSAGE, ZH), NOW, {})
    assert len(bot.calls) == 1


@pytest.mark.parametrize(
    ("kind", "status", "answer", "said"),
    [
        ("wecom", 200, {"errcode": 93000, "errmsg": "张三"}, "refused the message, code 93000"),
        ("feishu", 200, {"code": 9499}, "code 9499"),
        ("dingtalk", 200, {"errcode": "x"}, "code none"),
        ("dingtalk", 200, ["well"], "no JSON object"),
        ("json", 500, {}, "HTTP 500"),
        ("json", 302, {}, "HTTP 302"),
    ],
)
def test_what_the_bot_does_not_take_failed(bot, kind, status, answer, said):
    bot.status, bot.answer = status, answer
    with pytest.raises(DeliveryError, match=said) as told:
        bots.send(Channel("bot", kind, url=bot.url), write(MESSAGE, ZH), NOW, {})
    assert "张三" not in str(told.value)
    assert len(bot.calls) == 1


def test_a_bot_that_is_not_there_is_said_without_its_key():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    one = Channel("bot", "wecom", url=f"http://127.0.0.1:{port}/hook", key_env="KEY")
    with pytest.raises(DeliveryError) as told:
        bots.send(one, write(MESSAGE, ZH), NOW, {"KEY": "top-secret"})
    assert str(told.value) == "the bot cannot be reached"


def test_a_proxy_of_the_environment_is_not_used(bot, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    bots.send(Channel("bot", "json", url=bot.url), write(MESSAGE, ZH), NOW, {})
    address = {"HOOK": bot.url.replace("http://", "json://")}
    free = Channel("hook", "apprise", address_env="HOOK", insecure=True)
    by_apprise.send(free, write(MESSAGE, ZH), address)
    assert len(bot.calls) == 2
    assert "NO_PROXY" not in os.environ
    with pytest.raises(DeliveryError):
        bots.send(Channel("bot", "json", url=bot.url, proxy=True), write(MESSAGE, ZH), NOW, {})


# Mail


def test_mail_holds_the_message(monkeypatch):
    with servers.mail() as (port, taken):
        address = f"mailto://127.0.0.1:{port}?from=map@example.gov.cn&to=duty@example.gov.cn"
        one = Channel("mail", "apprise", address_env="DUTY_MAIL", insecure=True)
        by_apprise.send(one, write(MESSAGE, ZH), {"DUTY_MAIL": address})
    (content,) = taken
    found = email.message_from_bytes(content, policy=email.policy.default)
    assert found["Subject"] == "【预警提示】示范市"
    text = found.get_body(("plain", "html")).get_content()
    assert MESSAGE.id in text
    assert f"{LINK}/w?a=1" in text.replace("&amp;", "&")


@pytest.mark.parametrize(
    "address", ["mailto://u:p@mail.example", "mailtos://u:p@mail.example?verify=no", "json://host"]
)
def test_without_tls_nothing_leaves_unless_it_is_said(address):
    one = Channel("mail", "apprise", address_env="DUTY_MAIL")
    with pytest.raises(DeliveryError, match="without TLS"):
        by_apprise.send(one, write(MESSAGE, ZH), {"DUTY_MAIL": address})


def test_an_address_that_is_none_is_said_without_itself():
    one = Channel("mail", "apprise", address_env="DUTY_MAIL")
    for address in ("nonsense://user:secret@x", "no address"):
        with pytest.raises(DeliveryError) as told:
            by_apprise.send(one, write(MESSAGE, ZH), {"DUTY_MAIL": address})
        assert "secret" not in str(told.value)
        assert "DUTY_MAIL" in str(told.value)


def test_a_variable_that_is_not_set_is_said():
    with pytest.raises(DeliveryError, match="DUTY_MAIL is not set"):
        by_apprise.send(Channel("m", "apprise", address_env="DUTY_MAIL"), write(MESSAGE, ZH), {})


# Rounds


def test_a_round_sends_what_waits_and_only_once(home, sender, bot):
    channels(home, {"name": "bot", "kind": "json", "url": bot.url})
    post(home)
    post(home)
    assert sender.round().sent == 1
    assert sender.round().lines() == []
    assert [body["id"] for body in bot.bodies] == [MESSAGE.id]
    assert states(sender) == {"bot": {SENT: 1}}


def test_a_failure_is_told_and_tried_again_while_the_others_go_on(home, sender, bot):
    channels(
        home,
        {"name": "bad", "kind": "json", "url": "http://127.0.0.1:1/hook"},
        {"name": "good", "kind": "json", "url": bot.url},
    )
    for key in ("warning:1", "warning:2"):
        post(home, key)
    done = sender.round()
    assert done.sent == 2
    (line,) = done.lines()[1:]
    assert line.endswith(
        "by bad failed: the bot cannot be reached; tried again at 2026-11-16 07:01 UTC"
    )
    channels(
        home,
        {"name": "bad", "kind": "json", "url": bot.url},
        {"name": "good", "kind": "json", "url": bot.url},
    )
    sender._clock.now = NOW + dt.timedelta(minutes=1)
    assert sender.round().sent == 2
    assert states(sender) == {"bad": {SENT: 2}, "good": {SENT: 2}}


def test_without_a_channel_nothing_is_sent_and_that_is_said_once(home):
    post(home)
    rounds = Rounds(settings_of(home), home)
    assert "no channel is configured, nothing is sent" in rounds.round(NOW)
    assert rounds.round(NOW) == ""


def settings_of(home):
    from data.settings import Settings

    return Settings.from_env({"PINGAN_HOME": str(home)})


def test_settings_that_cannot_be_used_end_no_round(home):
    (home / "delivery.toml").write_text("lang = 'de'\n")
    rounds = Rounds(settings_of(home), home)
    assert rounds.round(NOW).startswith("delivery: delivery.toml: `lang`")
    assert rounds.round(NOW) == ""


def test_a_channel_that_is_taken_away_gives_up(home, sender, bot):
    channels(home, {"name": "old", "kind": "json", "url": "http://127.0.0.1:1/hook"})
    post(home)
    sender.round()
    channels(home, {"name": "new", "kind": "json", "url": bot.url})
    sender._clock.now = NOW + dt.timedelta(minutes=1)
    (failure,) = sender.round().failures
    assert (failure.channel, failure.again) == ("old", None)
    assert states(sender) == {"old": {GIVEN_UP: 1}}


def test_what_would_tell_of_a_person_is_never_sent(home, sender, bot):
    """Even where a row of the database was changed by other means."""
    channels(home, {"name": "bot", "kind": "json", "url": bot.url})
    post(home)
    with sender.outbox._database.writing() as session:
        session.query(MessageRow).update({"place_zh": "张三 13812345678"})
    (failure,) = sender.round().failures
    assert failure.again is None
    assert "refused" in failure.reason
    assert "13812345678" not in failure.reason
    assert bot.calls == []


def work(home, url, ready, go):
    """One of several senders; the parent kills one that has sent and not yet noted it."""
    database = open_state("", home)
    sender = Sender(database, home, home, public_url="", environ={}, clock=Clock())
    noted = sender.outbox.sent

    def late(held, now):
        ready.set()
        go.wait()
        noted(held, now)

    sender.outbox.sent = late
    sender.round()
    database.close()


def test_killed_between_sending_and_noting_it_is_sent_again_with_the_same_number(home, sender, bot):
    channels(home, {"name": "bot", "kind": "json", "url": bot.url})
    post(home)
    context = multiprocessing.get_context("spawn")
    ready, go = context.Event(), context.Event()
    worker = context.Process(target=work, args=(home, bot.url, ready, go))
    worker.start()
    assert ready.wait(60)
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()
    assert sender.round().sent == 0  # still held
    sender._clock.now = NOW + LEASE
    assert sender.round().sent == 1
    assert [body["id"] for body in bot.bodies] == [MESSAGE.id] * 2
    assert states(sender) == {"bot": {SENT: 1}}


def test_a_test_message_goes_by_one_channel_and_leaves_the_outbox_alone(home, sender, bot):
    channels(home, {"name": "bot", "kind": "json", "url": bot.url})
    sender.test("bot", place=CITY)
    assert bot.bodies[0]["kind"] == "test"
    assert sender.outbox.standings() == []
    with pytest.raises(DeliveryError, match="names no channel 'none'; it names bot"):
        sender.test("none", place=CITY)
