"""Calls to another system keep within their limits."""

import datetime as dt
import ipaddress
import ssl

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from dashboard.signin import outgoing
from dashboard.signin.external import AnswerError
from tests.dashboard.signin import served

TIMEOUT_S = 5.0


class Plain(served.Served):
    def answer(self, _asked):
        return 200, {"Content-Type": "application/json", "Set-Cookie": "a=b"}, b'{"a": 1}'


@pytest.fixture
def host():
    made = Plain()
    yield made
    made.close()


@pytest.fixture
def other():
    made = Plain()
    yield made
    made.close()


def get(base, address=None, **more):
    return outgoing.fetch(base, address or base + "/x", timeout_s=TIMEOUT_S, **more)


def test_an_answer_is_had_whole(host):
    answer = get(host.url, params={"service": "https://a/?b=c", "ticket": "ST-1"})
    assert (answer.status_code, answer.json()) == (200, {"a": 1})
    assert host.asked[0].query == {"service": ["https://a/?b=c"], "ticket": ["ST-1"]}
    assert outgoing.fetch_json(host.url, host.url + "/x", timeout_s=TIMEOUT_S) == {"a": 1}


def test_the_largest_answer_is_taken_and_one_byte_more_is_not(host):
    host.instead["/x"] = served.body(b" " * outgoing.LARGEST_ANSWER)
    assert len(get(host.url).content) == outgoing.LARGEST_ANSWER
    host.instead["/x"] = served.body(b" " * (outgoing.LARGEST_ANSWER + 1))
    with pytest.raises(AnswerError, match="longer than 1,048,576 bytes"):
        get(host.url)


def test_an_answer_in_pieces_is_joined(host):
    def chunked(handler):
        handler.protocol_version = "HTTP/1.1"
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b'4\r\n{"a"\r\n4\r\n: 2}\r\n0\r\n\r\n')

    host.instead["/x"] = chunked
    assert get(host.url).json() == {"a": 2}


def test_another_host_is_never_called(host, other):
    for address in (
        other.url + "/x",
        host.url.replace("127.0.0.1", "localhost") + "/x",
        f"{other.url}/{host.url}",
        f"{host.url}@{other.url[7:]}/x",
    ):
        with pytest.raises(AnswerError, match="another host than the configured one"):
            get(host.url, address)
    assert host.asked == other.asked == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(host, other, status):
    host.instead["/x"] = served.body(b"", status, Location=other.url + "/x")
    with pytest.raises(AnswerError, match="redirects are not followed"):
        get(host.url)
    with (
        outgoing.restrict(requests.Session(), host.url) as session,
        pytest.raises(outgoing.OutgoingError, match="redirects are not followed"),
    ):
        session.get(host.url + "/x", allow_redirects=True)
    assert other.asked == []


def test_the_environment_has_no_say(host, other, monkeypatch, tmp_path):
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, other.url)
        monkeypatch.setenv(name.upper(), other.url)
    monkeypatch.setenv("no_proxy", "")
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    assert requests.get(host.url + "/x", timeout=TIMEOUT_S).ok  # the environment would have one
    assert len(other.asked) == 1
    assert get(host.url).ok
    assert len(other.asked) == 1
    assert "Authorization" not in host.asked[-1].headers


def test_every_call_has_its_time_limit_and_checks_the_certificate(host, monkeypatch):
    asked = []

    def send(_adapter, _request, **more):
        asked.append(more)
        raise requests.ConnectTimeout

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send)
    with (
        outgoing.restrict(requests.Session(), host.url, timeout_s=0.25) as session,
        pytest.raises(requests.ConnectTimeout),
    ):
        session.post(host.url + "/x", timeout=600, verify=False)
    assert asked == [{"stream": True, "timeout": (0.25, 0.25), "verify": True}]


def test_nothing_is_remembered_between_calls(host):
    get(host.url)
    get(host.url)
    assert all("Cookie" not in asked.headers for asked in host.asked)


def test_a_dead_host_is_told_by_its_kind_alone(host):
    host.close()
    with pytest.raises(AnswerError, match=r"^ConnectionError$"):
        get(host.url, params={"ticket": "ST-secret"})


# TLS


def certificate(folder, *, name, address="127.0.0.1"):
    """A self-signed certificate for an address, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .sign(key, hashes.SHA256())
    )
    (folder / f"{name}.crt").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return folder / f"{name}.crt", folder / f"{name}.key"


@pytest.fixture
def secure(tmp_path):
    """Make a server with a certificate of nobody's for an address."""
    made = []

    def make(address="127.0.0.1"):
        files = certificate(tmp_path, name=f"ours{len(made)}", address=address)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files)
        made.append(Plain(context=context))
        return made[-1], files[0]

    yield make
    for one in made:
        one.close()


def test_a_certificate_of_nobodys_is_refused(secure, monkeypatch, tmp_path):
    server, trusted = secure()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted))  # the library's own switch
    monkeypatch.setenv("CURL_CA_BUNDLE", str(trusted))
    with pytest.raises(AnswerError, match=r"^SSLError$"):
        get(server.url)
    assert server.asked == []


def test_an_authority_of_the_system_is_trusted(secure, monkeypatch):
    server, trusted = secure()
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    assert get(server.url).json() == {"a": 1}


def test_a_certificate_for_another_address_is_refused(secure, monkeypatch):
    server, trusted = secure("127.0.0.2")
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with pytest.raises(AnswerError, match=r"^SSLError$"):
        get(server.url)


def test_https_is_not_left_for_http(secure, host):
    server, _ = secure()
    with pytest.raises(AnswerError, match="another host"):
        get(server.url, server.url.replace("https", "http") + "/x")
