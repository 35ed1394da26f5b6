"""`delivery.toml`: every fault at once, no secret in it, and which messages go where."""

import datetime as dt

import pytest

from data.deliveries.channels import Channel, DeliverySettingsError, read_delivery_settings
from data.deliveries.message import Message, Place

LINK = "https://map.example.gov.cn"
CITY = Place("city", "990100", "市", "City")
COUNTY = Place("county", "990103", "甲区", "A", ("city.990100",))
TOWN = Place("township", "990103001", "乙镇", "B", ("city.990100", "county.990103"))


def read(folder, text, **more):
    (folder / "delivery.toml").write_text(text, encoding="utf-8")
    return read_delivery_settings(folder, **more)


def message(kind, place, level=4):
    now = dt.datetime(2026, 11, 16, tzinfo=dt.UTC)
    return Message(f"{kind}:1", kind, level, place, {}, "/", now)


def test_without_a_file_there_is_no_channel(tmp_path):
    assert read_delivery_settings(None).channels == ()
    assert read_delivery_settings(tmp_path).channels == ()


def test_a_channel_of_each_kind(tmp_path):
    found = read(
        tmp_path,
        """
        [[channel]]
        name = "mail"
        kind = "apprise"
        address_env = "DUTY_MAIL"
        [[channel]]
        name = "bot"
        kind = "wecom"
        url = "https://bot.example.gov.cn/send"
        key_env = "BOT_KEY"
        areas = ["county.990103"]
        """,
        public_url=f"{LINK}/",
    )
    assert [one.name for one in found.channels] == ["mail", "bot"]
    assert found.link == LINK
    assert found.channel("mail").messages == ("issue", "letter", "warning")
    assert found.channel("none") is None


@pytest.mark.parametrize(
    ("channel", "said"),
    [
        ('kind = "wecom"\nurl = "http://bot.example/send"', "plain http"),
        ('kind = "wecom"\nurl = "https://bot.example/send?key=abc"', "without its key"),
        ('kind = "wecom"\nurl = "https://u:p@bot.example/send"', "holds a password"),
        ('kind = "wecom"\nurl = "bot.example"', "`url` is the address"),
        ('kind = "wecom"\nurl = "https://b.example"\nkey_env = "abc-def"', "environment variable"),
        ('kind = "wecom"\nurl = "https://b.example"\nkey_env = "PINGAN_KEY"', "PINGAN_"),
        ('kind = "apprise"', "`address_env` is missing"),
        ('kind = "pigeon"', "`kind` is 'pigeon'"),
        ('kind = "json"\nurl = "https://b.example"\nca = "none.pem"', "which is not there"),
        ('kind = "json"\nurl = "https://b.example"\nmessages = ["gossip"]', "`messages`"),
        ('kind = "json"\nurl = "https://b.example"\nareas = ["甲区"]', "`areas`"),
        ('kind = "json"\nurl = "https://b.example"\nleast_level = 9', "`least_level`"),
        ('kind = "json"\nurl = "https://b.example"\nphone = "1"', "unknown key `phone`"),
    ],
)
def test_a_channel_that_cannot_be_used_is_said(tmp_path, channel, said):
    with pytest.raises(DeliverySettingsError) as told:
        read(tmp_path, f'link = "{LINK}"\n[[channel]]\nname = "one"\n{channel}\n')
    assert said in str(told.value)


def test_http_is_for_this_machine_or_when_it_is_said(tmp_path):
    for url, more in (("http://127.0.0.1:9/x", ""), ("http://bot.example/x", "insecure = true")):
        text = f'[[channel]]\nname = "one"\nkind = "json"\nurl = "{url}"\n{more}\n'
        assert read(tmp_path, text, public_url=LINK).channels[0].url == url


def test_a_link_is_needed_as_soon_as_there_is_a_channel(tmp_path):
    text = '[[channel]]\nname = "one"\nkind = "json"\nurl = "https://b.example"\n'
    with pytest.raises(DeliverySettingsError, match="PINGAN_PUBLIC_URL"):
        read(tmp_path, text)
    with pytest.raises(DeliverySettingsError, match="one name"):
        read(tmp_path, text + text, public_url=LINK)


@pytest.mark.parametrize(
    ("areas", "kind", "place", "takes"),
    [
        ((), "warning", TOWN, True),
        (("county.990103",), "warning", TOWN, True),
        (("county.990103",), "warning", CITY, False),
        (("county.990104",), "warning", TOWN, False),
        ((), "issue", CITY, True),
        ((), "issue", COUNTY, False),
        (("county.990103",), "issue", COUNTY, True),
        (("county.990103",), "issue", TOWN, False),
        (("county.990103",), "issue", CITY, False),
        ((), "letter", CITY, False),
    ],
)
def test_which_messages_go_by_a_channel(areas, kind, place, takes):
    one = Channel("one", "json", messages=("issue", "warning"), areas=areas)
    assert one.takes(message(kind, place)) is takes


def test_a_level_below_the_least_is_left_out():
    one = Channel("one", "json", messages=("warning",), least_level=3)
    assert [one.takes(message("warning", CITY, level)) for level in (2, 3, 4)] == [
        False, True, True,
    ]  # fmt: skip
