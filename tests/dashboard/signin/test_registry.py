"""Which providers the settings make, and what they say of settings that are wrong."""

import dataclasses

import pytest

from dashboard.signin.registry import externals, faults, portal
from data.settings import Settings

KEY = b"0123456789abcdef0123456789abcdef"
OIDC = Settings(
    auth="oidc",
    public_url="https://map.example.gov.cn",
    oidc_issuer="https://sso.example.gov.cn/realm",
    oidc_client="pingan-map",
    oidc_secret="k3Jd92mQ",
)
CAS = Settings(
    auth="cas",
    public_url="https://map.example.gov.cn",
    cas_url="https://cas.example.gov.cn/cas",
)
PORTAL = Settings(auth="header", header_key="k3Jd92mQ0xTz7VbN4cLr8sWy1pHg6FaE")


def test_what_is_set_is_offered():
    assert set(externals(OIDC, KEY)) == {"oidc"}
    assert set(externals(CAS, KEY)) == {"cas"}
    both = dataclasses.replace(OIDC, auth="local", cas_url=CAS.cas_url)
    assert set(externals(both, KEY)) == {"oidc", "cas"}
    assert externals(Settings(auth="local"), KEY) == {}
    for name, provider in externals(both, KEY).items():
        assert provider.name == name
        assert provider.title_zh != provider.title_en


def test_without_a_sign_in_page_nothing_is_offered():
    for auth in ("demo", "header"):
        assert externals(dataclasses.replace(OIDC, auth=auth), KEY) == {}


def test_signed_headers_count_only_where_they_are_chosen():
    """A key that was left in the settings opens no second door."""
    assert portal(PORTAL).name == "header"
    for auth in ("demo", "local", "oidc", "cas"):
        assert portal(dataclasses.replace(PORTAL, auth=auth)) is None


@pytest.mark.parametrize("settings", [Settings(), Settings(auth="local"), OIDC, CAS, PORTAL])
def test_complete_settings_have_no_fault(settings):
    assert faults(settings) == []


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (Settings(auth="oidc"), ["PINGAN_OIDC_ISSUER"]),
        (Settings(auth="cas"), ["PINGAN_CAS_URL"]),
        (Settings(auth="header"), ["PINGAN_HEADER_KEY"]),
        (dataclasses.replace(OIDC, oidc_client=""), ["PINGAN_OIDC_CLIENT"]),
        (dataclasses.replace(OIDC, public_url=""), ["PINGAN_PUBLIC_URL"]),
        (dataclasses.replace(CAS, public_url="http://map"), ["PINGAN_PUBLIC_URL"]),
        (dataclasses.replace(CAS, oidc_secret="x"), ["PINGAN_OIDC_CLIENT"]),
        (
            dataclasses.replace(OIDC, oidc_issuer="http://a", cas_url="http://b"),
            ["PINGAN_OIDC_ISSUER", "PINGAN_CAS_URL"],
        ),
        # Told even where the provider is not the one that was chosen.
        (dataclasses.replace(CAS, auth="local", cas_url="http://b"), ["PINGAN_CAS_URL"]),
    ],
)
def test_every_fault_is_told_at_once(settings, named):
    assert [fault.split()[0] for fault in faults(settings)] == named


def test_no_secret_stands_in_a_fault():
    broken = dataclasses.replace(OIDC, oidc_client="", oidc_secret="k3Jd92mQ")
    assert "k3Jd92mQ" not in "".join(faults(broken))
    assert "short-key" not in "".join(faults(Settings(auth="header", header_key="short-key")))
