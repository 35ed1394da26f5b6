"""What docs/sign-in.md says of outside providers is what the program does."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

import dashboard
from dashboard.signin.cas import BACK as CAS_BACK
from dashboard.signin.header import NONCE, SIGNATURE, TIME, USER, HeaderProvider, signature
from dashboard.signin.oidc import BACK as OIDC_BACK
from dashboard.signin.registry import externals, faults, portal
from data.settings import Settings

ROOT = Path(dashboard.__file__).parents[1]
TEXT = (ROOT / "docs" / "sign-in.md").read_text(encoding="utf-8")
KEY = b"0123456789abcdef0123456789abcdef"


def section(title):
    (found,) = re.findall(rf"^## {title}\n(.*?)(?=^## |\Z)", TEXT, flags=re.MULTILINE | re.DOTALL)
    return found


def blocks(title, language):
    return re.findall(
        rf"^```{language}\n(.*?)^```$", section(title), flags=re.MULTILINE | re.DOTALL
    )


def settings_of(title):
    (lines,) = blocks(title, "sh")
    return Settings.from_env(dict(line.split("=", 1) for line in lines.splitlines()))


@pytest.mark.parametrize("title", ["OpenID Connect", "CAS", "Portal with signed headers"])
def test_the_settings_that_are_shown_are_complete(title):
    assert faults(settings_of(title)) == []


def test_the_settings_make_the_provider_of_their_section():
    assert set(externals(settings_of("OpenID Connect"), KEY)) == {"oidc"}
    assert set(externals(settings_of("CAS"), KEY)) == {"cas"}
    assert isinstance(portal(settings_of("Portal with signed headers")), HeaderProvider)


def test_the_addresses_to_register_are_those_that_are_used():
    found = settings_of("OpenID Connect")
    assert f"`{found.public_url}{OIDC_BACK}`" in section("OpenID Connect")
    assert f"`{found.public_url}/`" in section("OpenID Connect")


def test_the_pattern_for_cas_takes_our_services_and_no_others():
    found = settings_of("CAS")
    (text,) = blocks("CAS", "json")
    pattern = re.compile(json.loads(text)["serviceId"])
    provider = externals(found, KEY)["cas"]
    left = provider.start("/").headers["Location"]
    (service,) = parse_qs(urlsplit(left).query)["service"]
    assert service.startswith(f"{found.public_url}{CAS_BACK}?state=")
    (home,) = parse_qs(urlsplit(provider.sign_out_url()).query)["service"]
    assert pattern.search(service)
    assert pattern.search(home)
    for other in (service + "&x=y", "https://evil.example/?" + service, service + "\nx"):
        assert not pattern.search(other)


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
def test_the_portals_script_signs_as_the_map_checks(tmp_path):
    (script,) = blocks("Portal with signed headers", "js")
    (tmp_path / "pingan.mjs").write_text(script, encoding="utf-8")
    (tmp_path / "run.mjs").write_text(
        "import pingan from './pingan.mjs';\n"
        "const variables = {pingan_user: 'post-0417', pingan_time: '1795334400',"
        " request_id: 'a'.repeat(32), request_uri: '/?area=%E5%8C%BA'};\n"
        "console.log(pingan.signature({method: 'POST', variables}));\n",
        encoding="utf-8",
    )
    key = "k3Jd92mQ0xTz7VbN4cLr8sWy1pHg6FaE"
    told = subprocess.run(
        [shutil.which("node"), "run.mjs"],
        cwd=tmp_path,
        env={"PINGAN_HEADER_KEY": key},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == signature(
        key,
        user="post-0417",
        time="1795334400",
        nonce="a" * 32,
        method="POST",
        target="/?area=%E5%8C%BA",
    )


def test_the_portals_configuration_sets_every_header():
    (text,) = blocks("Portal with signed headers", "nginx")
    signed, _, pushed = text.partition("location /api/")
    for name in (USER, TIME, NONCE, SIGNATURE):
        assert f"proxy_set_header {name} " in signed
        assert name not in pushed
        assert f"| `{name}` |" in section("Portal with signed headers")


def test_what_the_log_says_is_what_the_program_writes():
    code = "".join(path.read_text("utf-8") for path in (ROOT / "dashboard/signin").glob("*.py"))
    code = re.sub(r'"\s*\n\s*f?"', "", code)
    rows = re.findall(r"^\| `([^|]*)` \|", section("When it fails"), flags=re.MULTILINE)
    assert len(rows) == 10
    for row in rows:
        if not re.match(r"SSLError|ConnectTimeout", row):
            words = re.split(r"…|: |`, `", row)[0].strip()
            assert words in code, row
