"""
Bots at an address of the city's own: bodies as 企业微信, 钉钉 and 飞书 take them, or plain JSON.

The plugins of apprise for these bots know their public hosts only; intranet versions of them answer
under another address with the same bodies.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import requests

from etl.delivering.error import DeliveryError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from data.deliveries.channels import Channel
    from etl.delivering.text import Written

TIMEOUT_S: Final = (5.0, 10.0)
"""To connect, and between two pieces of the answer."""

MOST_ANSWER: Final = 65_536
_CODES: Final = {
    "wecom": ("errcode",),
    "dingtalk": ("errcode",),
    "feishu": ("code", "StatusCode"),
}
"""Where an answer says how it went: 0 is well."""


class Call(NamedTuple):
    """One request to a bot."""

    url: str
    params: dict[str, str]
    headers: dict[str, str]
    body: dict[str, Any]


def send(channel: Channel, written: Written, now: dt.datetime, environ: Mapping[str, str]) -> None:
    """
    Hand a message to a bot.

    Raises
    ------
    DeliveryError
        It was not taken.
    """
    call = prepared(channel, written, now, environ)
    with requests.Session() as session:
        # The environment may name a proxy, or a password for the host in ~/.netrc.
        session.trust_env = channel.proxy
        try:
            answer = session.post(
                call.url,
                params=call.params,
                json=call.body,
                headers=call.headers,
                timeout=TIMEOUT_S,
                verify=str(channel.ca) if channel.ca else True,
                allow_redirects=False,
                stream=True,
            )
            content = answer.raw.read(MOST_ANSWER, decode_content=True)
        except (requests.RequestException, OSError) as error:
            # The text of the error may hold the address with its key.
            raise DeliveryError(_told(error)) from None
    if answer.status_code // 100 != 2:
        raise DeliveryError(f"the bot answered HTTP {answer.status_code}")
    _check_answer(channel.kind, content)


def prepared(
    channel: Channel, written: Written, now: dt.datetime, environ: Mapping[str, str]
) -> Call:
    """
    Compose the request of a channel's kind.

    Raises
    ------
    DeliveryError
        An environment variable that the channel names is not set.
    """
    key, secret = (value_of(name, environ) for name in (channel.key_env, channel.secret_env))
    text = f"{written.title}\n{written.body}"
    call = Call(channel.url, {}, {}, {})
    if channel.kind == "wecom":
        params = {"key": key} if key else {}
        return call._replace(params=params, body={"msgtype": "text", "text": {"content": text}})
    if channel.kind == "dingtalk":
        params = {"access_token": key} if key else {}
        if secret:
            params |= _signed_by_dingtalk(secret, now)
        return call._replace(params=params, body={"msgtype": "text", "text": {"content": text}})
    if channel.kind == "feishu":
        url = f"{channel.url.rstrip('/')}/{key}" if key else channel.url
        signed = _signed_by_feishu(secret, now) if secret else {}
        return call._replace(url=url, body={"msg_type": "text", "content": {"text": text}} | signed)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return call._replace(headers=headers, body=written.fields)


def value_of(name: str, environ: Mapping[str, str]) -> str:
    """
    Value of an environment variable; empty where none is named.

    Raises
    ------
    DeliveryError
        It is named and not set.
    """
    if not name:
        return ""
    value = environ.get(name, "").strip()
    if not value:
        raise DeliveryError(f"the environment variable {name} is not set")
    return value


def _signed_by_dingtalk(secret: str, now: dt.datetime) -> dict[str, str]:
    stamp = str(int(now.timestamp() * 1000))
    digest = hmac.digest(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256)
    return {"timestamp": stamp, "sign": base64.b64encode(digest).decode()}


def _signed_by_feishu(secret: str, now: dt.datetime) -> dict[str, str]:
    # The text is the key here, and what is signed is empty.
    stamp = str(int(now.timestamp()))
    digest = hmac.digest(f"{stamp}\n{secret}".encode(), b"", hashlib.sha256)
    return {"timestamp": stamp, "sign": base64.b64encode(digest).decode()}


def _check_answer(kind: str, content: bytes) -> None:
    if kind not in _CODES:
        return
    try:
        answer = json.loads(content)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise DeliveryError("the bot's answer is no JSON object")
    code = next((answer[name] for name in _CODES[kind] if name in answer), None)
    if code != 0:
        told = code if isinstance(code, int) else "none"
        raise DeliveryError(f"the bot refused the message, code {told}")


def _told(error: Exception) -> str:
    if isinstance(error, requests.exceptions.SSLError):
        return "the bot's certificate is not trusted; name the authority's file in `ca`"
    if isinstance(error, requests.Timeout):
        return "the bot did not answer in time"
    if isinstance(error, requests.ConnectionError):
        return "the bot cannot be reached"
    return f"the request failed: {type(error).__name__}"
