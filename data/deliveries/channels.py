"""Channels by which messages leave: `delivery.toml` of the city folder."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from data.deliveries.words import words
from data.tables import REQUIRED, Keys, check_choice, parse_toml, take

if TYPE_CHECKING:
    from collections.abc import Mapping

    from data.deliveries.message import Message

FILE: Final = "delivery.toml"
BOTS: Final = ("wecom", "dingtalk", "feishu", "json")
"""Kinds of an intranet bot, at an address of the city's own."""

APPRISE: Final = "apprise"
EXACT: Final = "issue"
"""An edition goes to whom its own area belongs: the one of a county is no news for the city."""

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_VARIABLE: Final = re.compile(r"(?!PINGAN_)[A-Z][A-Z0-9_]{0,63}")
"""Names with the program's prefix are settings, which it refuses where it does not know them."""
_AREA: Final = re.compile(r"[a-z]{1,16}\.[0-9A-Za-z_-]{1,40}")
_LINK: Final = re.compile(r"https?://[^\s/?#@]+(?:/[^\s?#]*)?")


class DeliverySettingsError(ValueError):
    """`delivery.toml` cannot be used; every fault at once."""


@dataclass(frozen=True)
class Channel:
    """
    One way out.

    Attributes
    ----------
    kind
        `apprise`, or one of `BOTS`.
    url
        Address of a bot, without its key.
    address_env, key_env, secret_env
        Environment variables with the address of apprise, the key, and the secret that signs.
    ca
        Certificates that the bot's is checked against; None = those of the system.
    messages, least_level, areas
        Which messages go by it; no area = those of the whole city.
    insecure
        Without TLS is allowed.
    proxy
        By the proxy that the environment names; else always directly.
    """

    name: str
    kind: str
    url: str = ""
    address_env: str = ""
    key_env: str = ""
    secret_env: str = ""
    ca: Path | None = None
    messages: tuple[str, ...] = ()
    least_level: int = 0
    areas: tuple[str, ...] = ()
    insecure: bool = False
    proxy: bool = False

    def takes(self, message: Message) -> bool:
        """Whether a message goes by this channel."""
        if message.kind not in self.messages or message.level < self.least_level:
            return False
        place = message.place
        if message.kind == EXACT:
            return place.reference in self.areas if self.areas else not place.above
        return not self.areas or not set(self.areas).isdisjoint((place.reference, *place.above))


@dataclass(frozen=True)
class DeliverySettings:
    """Content of `delivery.toml`."""

    link: str
    """Begin of every link, without a last `/`."""
    lang: str
    channels: tuple[Channel, ...]

    def channel(self, name: str) -> Channel | None:
        """Find a channel by its name."""
        return next((one for one in self.channels if one.name == name), None)


_KEYS: Final[Keys] = {"link": (str, ""), "lang": (str, "zh"), "channel": (list, [])}
_CHANNEL: Final[Keys] = {
    "name": (str, REQUIRED),
    "kind": (str, REQUIRED),
    "url": (str, ""),
    "address_env": (str, ""),
    "key_env": (str, ""),
    "secret_env": (str, ""),
    "ca": (str, ""),
    "messages": (list, []),
    "least_level": (int, 0),
    "areas": (list, []),
    "insecure": (bool, False),
    "proxy": (bool, False),
}


def read_delivery_settings(city_folder: Path | None, *, public_url: str = "") -> DeliverySettings:
    """
    Read the city's own file, else the default, which names no channel.

    Parameters
    ----------
    public_url
        Begin of every link where the file names none.

    Raises
    ------
    DeliverySettingsError
        The file cannot be used.
    """
    own = city_folder / FILE if city_folder else None
    path = own if own and own.is_file() else Path(str(resources.files("data"))) / "reference" / FILE
    faults: list[str] = []
    taken = take(parse_toml(path, faults), _KEYS, FILE, faults)
    check_choice(taken["lang"], ("zh", "en"), f"{FILE}: `lang`", faults)
    channels = tuple(
        _channel(table, at, path.parent, faults)
        for at, table in enumerate(taken["channel"], start=1)
    )
    names = [one.name for one in channels]
    if len(set(names)) < len(names):
        faults.append(f"{FILE}: two channels have one name")
    link = (taken["link"] or public_url).rstrip("/")
    if (channels or link) and not _LINK.fullmatch(link):
        faults.append(
            f"{FILE}: `link` must be the address that readers use, as https://map.example.gov.cn "
            "(or set PINGAN_PUBLIC_URL)"
        )
    if faults:
        raise DeliverySettingsError("; ".join(faults))
    return DeliverySettings(link, taken["lang"], channels)


def _channel(table: Any, at: int, folder: Path, faults: list[str]) -> Channel:
    where = f"{FILE}: [[channel]] {at}"
    if not isinstance(table, dict):
        faults.append(f"{where}: must be a table")
        return Channel("", "")
    taken = take(table, _CHANNEL, where, faults)
    if not _NAME.fullmatch(taken["name"]):
        faults.append(f"{where}: `name` has 1 to 32 of a-z, 0-9, _ and -")
    check_choice(taken["kind"], (APPRISE, *BOTS), f"{where}: `kind`", faults)
    _check_variables(taken, where, faults)
    _check_choice_of_messages(taken, where, faults)
    channel = Channel(
        **{
            **taken,
            "ca": folder / taken["ca"] if taken["ca"] else None,
            "messages": tuple(map(str, taken["messages"])),
            "areas": tuple(map(str, taken["areas"])),
        }
    )
    if channel.ca is not None and not channel.ca.is_file():
        faults.append(f"{where}: `ca` names {taken['ca']}, which is not there")
    if channel.kind in BOTS:
        _check_address(channel, where, faults)
    if not channel.messages:
        kinds = tuple(kind for kind in words().kinds if kind != "test")
        channel = replace(channel, messages=kinds)
    return channel


def _check_variables(taken: Mapping[str, Any], where: str, faults: list[str]) -> None:
    for name in ("address_env", "key_env", "secret_env"):
        if taken[name] and not _VARIABLE.fullmatch(taken[name]):
            faults.append(
                f"{where}: `{name}` is the name of an environment variable in capitals, which does "
                "not begin with PINGAN_; the secret itself does not stand here"
            )
    if taken["kind"] == APPRISE and not taken["address_env"]:
        faults.append(f"{where}: `address_env` is missing")
    if taken["kind"] != APPRISE and taken["address_env"]:
        faults.append(f"{where}: `address_env` is for the kind {APPRISE}; a bot has `url`")


def _check_choice_of_messages(taken: Mapping[str, Any], where: str, faults: list[str]) -> None:
    kinds = tuple(words().kinds)
    for kind in taken["messages"]:
        check_choice(str(kind), kinds, f"{where}: `messages`", faults)
    if not 0 <= taken["least_level"] <= len(words().levels) - 1:
        faults.append(f"{where}: `least_level` is 0 to 4")
    for area in taken["areas"]:
        if not _AREA.fullmatch(str(area)):
            faults.append(f"{where}: `areas` are named as county.990103")


def _check_address(channel: Channel, where: str, faults: list[str]) -> None:
    parts = urlsplit(channel.url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        faults.append(f"{where}: `url` is the address of the bot without its key, as https://…")
    elif "@" in parts.netloc:
        faults.append(f"{where}: `url` holds a password; name a variable in `key_env`")
    elif parts.scheme == "http" and not (channel.insecure or _is_here(parts.hostname)):
        faults.append(f"{where}: `url` is plain http; use https, or say `insecure = true`")


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
