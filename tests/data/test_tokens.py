import datetime as dt
import json
import stat
import threading

import pytest

from data.tokens import TokenError, TokenStore, sign, token_sha256

NOW = dt.datetime(2026, 11, 16, 4, 0, tzinfo=dt.UTC)


@pytest.fixture
def tokens(tmp_path):
    return TokenStore(tmp_path / "home")


def test_a_token_is_known_by_its_secret_which_is_not_kept(tokens, tmp_path):
    token, secret = tokens.create("hotline", ["a", "b", "a"], now=NOW)
    assert tokens.list() == [token]
    assert tokens.by_secret(secret) == tokens.by_id(token.id) == token
    assert (token.name, token.sources, token.created_at) == (
        "hotline",
        ("a", "b"),
        "2026-11-16T04:00:00+00:00",
    )
    assert secret.startswith(f"pingan_{token.id}_")
    path = tmp_path / "home" / "tokens.json"
    assert secret.rpartition("_")[2] not in path.read_text(encoding="utf-8")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_other_text_is_the_token(tokens):
    token, secret = tokens.create("hotline", ["a"], now=NOW)
    for wrong in ("", secret[:-1], secret + " ", token.sha256, token.id):
        assert tokens.by_secret(wrong) is None
    assert tokens.by_id("") is None


def test_a_signature_is_hmac_under_the_hash_of_the_token(tokens):
    token, secret = tokens.create("hotline", ["a"], now=NOW)
    good = sign(token_sha256(secret), b"message").decode()
    assert token.signs(b"message", good)
    assert not token.signs(b"massage", good)
    assert not token.signs(b"message", good.upper())


def test_the_signature_is_that_of_the_published_example():
    """RFC 4231, test case 2: the key `Jefe`."""
    found = sign("Jefe", b"what do ya want for nothing?")
    assert found == b"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"


def test_a_revoked_token_is_gone_and_its_name_is_free(tokens):
    _, secret = tokens.create("hotline", ["a"], now=NOW)
    kept, _ = tokens.create("police", ["b"], now=NOW)
    tokens.revoke("hotline")
    assert tokens.by_secret(secret) is None
    assert tokens.list() == [kept]
    assert tokens.create("hotline", ["a"], now=NOW)[1] != secret


def test_what_cannot_be_done_is_told(tokens):
    tokens.create("hotline", ["a"], now=NOW)
    with pytest.raises(
        TokenError, match=r"^token hotline exists; revoke it first or use another name$"
    ):
        tokens.create("hotline", ["a"], now=NOW)
    with pytest.raises(TokenError, match=r"^there is no token police; known: hotline$"):
        tokens.revoke("police")
    with pytest.raises(TokenError, match=r"^token police: name at least one source$"):
        tokens.create("police", [], now=NOW)
    with pytest.raises(TokenError, match=r"use 1 to 64 letters"):
        tokens.create("../x", ["a"], now=NOW)


def test_a_file_that_others_may_read_or_that_is_damaged_is_refused(tokens, tmp_path):
    tokens.create("hotline", ["a"], now=NOW)
    path = tmp_path / "home" / "tokens.json"
    path.chmod(0o640)
    with pytest.raises(TokenError, match="has mode 640; run `chmod 600"):
        tokens.list()
    path.chmod(0o600)
    for text in ("[", "{}x", '[{"id": "1"}]', json.dumps([1])):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(TokenError, match="is damaged"):
            tokens.list()


def test_tokens_made_at_once_are_all_kept(tokens):
    threads = [
        threading.Thread(target=tokens.create, args=(f"t{n}", ["a"]), kwargs={"now": NOW})
        for n in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {token.name for token in tokens.list()} == {f"t{n}" for n in range(20)}
