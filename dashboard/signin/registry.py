"""Which outside providers the settings ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dashboard.signin.cas import CasProvider
from dashboard.signin.header import HeaderProvider
from dashboard.signin.oidc import OidcProvider
from dashboard.signin.round_trip import utc_now

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from dashboard.signin.external import ExternalProvider
    from data.settings import Settings

WITH_PAGE: Final = ("local", "oidc", "cas")
"""Values of the setting `auth` under which there is a page to sign in."""

_ANY_KEY: Final = b"only to see whether the settings are complete"


def externals(
    settings: Settings, key: bytes, *, clock: Callable[[], dt.datetime] = utc_now
) -> dict[str, ExternalProvider]:
    """
    Providers that the sign-in page offers, by name: each one whose address is set.

    Parameters
    ----------
    key
        The installation's secret; a key of its own is derived from it.

    Raises
    ------
    ValueError
        A setting cannot be used; `faults` tells all of them.
    """
    if settings.auth not in WITH_PAGE:
        return {}
    found: dict[str, ExternalProvider] = {}
    if settings.oidc_issuer:
        found["oidc"] = _oidc(settings, key, clock)
    if settings.cas_url:
        found["cas"] = _cas(settings, key, clock)
    return found


def portal(
    settings: Settings, *, clock: Callable[[], dt.datetime] = utc_now
) -> HeaderProvider | None:
    """
    Provider of signed headers, where the settings choose it.

    Raises
    ------
    ValueError
        Its key is too short.
    """
    return HeaderProvider(settings.header_key, clock=clock) if settings.auth == "header" else None


def faults(settings: Settings) -> list[str]:
    """What is missing or wrong in the settings of outside providers; empty if nothing is."""
    found = []
    wanted = (
        (settings.oidc_issuer or settings.auth == "oidc", lambda: _oidc(settings)),
        (settings.cas_url or settings.auth == "cas", lambda: _cas(settings)),
        (settings.auth == "header", lambda: HeaderProvider(settings.header_key)),
    )
    for is_wanted, build in wanted:
        try:
            if is_wanted:
                build()
        except ValueError as error:
            found.append(str(error))
    if (settings.oidc_client or settings.oidc_secret) and not settings.oidc_issuer:
        found.append("PINGAN_OIDC_CLIENT or PINGAN_OIDC_SECRET is set without PINGAN_OIDC_ISSUER")
    return list(dict.fromkeys(found))


def _oidc(
    settings: Settings, key: bytes = _ANY_KEY, clock: Callable[[], dt.datetime] = utc_now
) -> OidcProvider:
    return OidcProvider(
        issuer=settings.oidc_issuer,
        client=settings.oidc_client,
        secret=settings.oidc_secret,
        public_url=settings.public_url,
        key=key,
        insecure_http=settings.insecure_http,
        clock=clock,
    )


def _cas(
    settings: Settings, key: bytes = _ANY_KEY, clock: Callable[[], dt.datetime] = utc_now
) -> CasProvider:
    return CasProvider(
        url=settings.cas_url,
        public_url=settings.public_url,
        key=key,
        insecure_http=settings.insecure_http,
        clock=clock,
    )
