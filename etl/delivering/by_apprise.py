"""Mail, and every service that apprise knows, by the address in an environment variable."""

from __future__ import annotations

import logging
import os
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import apprise

from etl.delivering.bots import value_of
from etl.delivering.error import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from apprise.plugins.base import NotifyBase

    from data.deliveries.channels import Channel
    from etl.delivering.text import Written

TIMEOUT_S: Final = 20.0
_NO_PROXY: Final = ("NO_PROXY", "no_proxy")

# Its warnings hold addresses of mail; what failed is told by us.
logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)


def send(channel: Channel, written: Written, environ: Mapping[str, str]) -> None:
    """
    Hand a message to the service.

    Raises
    ------
    DeliveryError
        It was not taken, or the address is none that may be used.
    """
    address = value_of(channel.address_env, environ)
    asset = apprise.AppriseAsset(
        app_id="Ping'an Map",
        async_mode=False,
        secure_logging=True,
        http_redirects=False,
        storage_mode="memory",
        service_timeout=TIMEOUT_S,
        allow_templates=False,
    )
    with warnings.catch_warnings():
        # One of its plugins imports a module that a later Python drops; it knows.
        warnings.simplefilter("ignore", DeprecationWarning)
        service = apprise.Apprise.instantiate(address, asset=asset)
    if service is None:
        raise DeliveryError(f"apprise cannot use the address in {channel.address_env}")
    _check_safe(channel, address, service)
    sender = apprise.Apprise(asset=asset)
    sender.add(service)
    with _direct(is_free=channel.proxy):
        taken = sender.notify(title=written.title, body=written.body)
    if not taken:
        raise DeliveryError("the service did not take the message, or cannot be reached")


def _check_safe(channel: Channel, address: str, service: NotifyBase) -> None:
    scheme = address.partition("://")[0].lower()
    secure = service.secure_protocol or ()
    known = (secure,) if isinstance(secure, str) else tuple(map(str, secure))
    is_plain = scheme not in known
    if not channel.insecure and (is_plain or not service.verify_certificate):
        raise DeliveryError(
            f"the address in {channel.address_env} goes without TLS or does not check the "
            "certificate; change it, or say `insecure = true`"
        )


@contextmanager
def _direct(*, is_free: bool) -> Iterator[None]:
    """Without the proxy that the environment may name, unless the channel is free to use it."""
    if is_free:
        yield
        return
    before = {name: os.environ.get(name) for name in _NO_PROXY}
    os.environ.update(dict.fromkeys(_NO_PROXY, "*"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
