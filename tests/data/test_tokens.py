import datetime as dt
import json
import stat

import pytest
import sqlalchemy as sa

from data.state.models import ApiToken
from data.tokens import TokenError, TokenStore, sign, token_sha256
from tests.data.accounts.town import at_once

NOW = dt.datetime(2026, 11, 16, 4, 0, tzinfo=dt.UTC)


@pytest.fixture
def tokens(database):
    return TokenStore(database)


def test_a_token_is_known_by_its_secret_which_is_not_kept(tokens, database):
    token, secret = tokens.create("hotline", ["a", "b", "a"], now=NOW)
    assert tokens.list() == [token]
    assert tokens.by_secret(secret) == tokens.by_id(token.id) == token
    assert (token.name, token.sources, token.created_at) == (
        "hotline",
        ("a", "b"),
        "2026-11-16T04:00:00+00:00",
    )
    assert secret.startswith(f"pingan_{token.id}_")
    with database.reading() as session:
        stored = session.execute(sa.select(ApiToken.__table__)).one()
    assert secret.rpartition("_")[2] not in str(stored)


def test_no_other_text_is_the_token(tokens):
    token, secret = tokens.create("hotline", ["a"], now=NOW)
    for wrong in ("", secret[:-1], secret + " ", token.sha256, token.id, "\x00", "\udcff"):
        assert tokens.by_secret(wrong) is None
    for wrong in ("", "\x00", "\udcff", token.id.upper() + "0", f"{token.id} "):
        assert tokens.by_id(wrong) is None


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


def test_tokens_made_at_once_are_all_kept(tokens):
    at_once(lambda n: tokens.create(f"t{n}", ["a"], now=NOW), 20)
    assert {token.name for token in tokens.list()} == {f"t{n}" for n in range(20)}


def test_of_two_of_one_name_made_at_once_one_is_kept(tokens):
    done = at_once(lambda _: tokens.create("hotline", ["a"], now=NOW), 6)
    assert sum(isinstance(one, TokenError) for one in done) == 5
    assert len(tokens.list()) == 1


# The file of an older version ----------------------------------------------------------------

OLD = [
    {
        "id": "0a1b2c3d",
        "name": "hotline",
        "sources": ["a", "热线"],
        "sha256": token_sha256("pingan_0a1b2c3d_secret"),
        "created_at": "2026-10-01T00:00:00+00:00",
    },
    {
        "id": "4e5f6a7b",
        "name": "police",
        "sources": ["b"],
        "sha256": token_sha256("pingan_4e5f6a7b_secret"),
        "created_at": "2026-10-02T08:30:00+08:00",
    },
]


@pytest.fixture
def home(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    path = home / "tokens.json"
    path.write_text(json.dumps(OLD), encoding="utf-8")
    path.chmod(0o600)
    return home


def test_an_old_file_is_taken_in_once_and_renamed(tokens, home):
    assert tokens.import_file(home) == 2
    assert [path.name for path in home.iterdir()] == ["tokens.json.imported"]
    assert stat.S_IMODE((home / "tokens.json.imported").stat().st_mode) == 0o600
    found = tokens.by_secret("pingan_0a1b2c3d_secret")
    assert (found.name, found.sources) == ("hotline", ("a", "热线"))
    assert tokens.by_id("4e5f6a7b").created_at == "2026-10-02T00:30:00+00:00"
    tokens.revoke("hotline")
    assert tokens.import_file(home) == 0
    assert [token.name for token in tokens.list()] == ["police"]


def test_a_token_of_the_same_name_stays_as_it_is(tokens, home):
    token, _ = tokens.create("hotline", ["new"], now=NOW)
    assert tokens.import_file(home) == 1
    assert tokens.by_id(token.id) == token
    assert tokens.by_id("0a1b2c3d") is None


def test_an_old_file_taken_in_at_once_is_taken_in_once(tokens, home):
    assert sum(at_once(lambda _: tokens.import_file(home), 6)) == 2
    assert len(tokens.list()) == 2


def test_a_file_that_others_may_read_or_that_is_damaged_is_refused(tokens, home):
    path = home / "tokens.json"
    path.chmod(0o640)
    with pytest.raises(TokenError, match="has mode 640; run `chmod 600"):
        tokens.import_file(home)
    path.chmod(0o600)
    undated = json.dumps([OLD[0] | {"created_at": "yesterday"}])
    for text in ("[", "{}x", '[{"id": "1"}]', json.dumps([1]), undated):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(TokenError, match="is damaged"):
            tokens.import_file(home)
    assert tokens.list() == []
    assert path.exists()
