import pytest

from data.audit.words import fit, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("重庆路 12 号, north—side", "重庆路 12 号, north—side"),
        ("a\r\nb\tc\u2028d\u3000e", "a  b c d e"),
        ("\x00\x1b[31mred\x7f\x85", "[31mred "),
        ("admin\u202egnp\u200b\ufeff", "admingnp"),
        ("\ud800x\udfff", "x"),
        ("\ue000\U000f0000", "\ue000\U000f0000"),
    ],
)
def test_only_what_can_be_seen_stays(text, shown):
    assert printable(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/back?ticket=ST-1-abc&lang=zh", "/back?ticket=***&lang=zh"),
        ("?new_password=Hunter2!&x=1", "?new_password=***&x=1"),
        ('{"password": "Hunter2!", "n": 1}', '{"password": "***", "n": 1}'),
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ("/share/ZrP2b5Y0h1d9jVtC6w8mQ4xK3sL7nAfGeUiOyTqRvBc", "/share/***"),
        ("pingan_0a1b2c3d_ZrP2b5Y0h1d9jVtC6w8mQ4xK3sL7nAfGeUiOyTqRvBc", "***"),
        ("tok\u200ben=abc", "token=***"),
        # No secrets:
        ("token hotline revoked", "token hotline revoked"),
        ("password: too_short, holds_login", "password: too_short, holds_login"),
        ("?area=990107&code=1", "?area=990107&code=1"),
        ("snapshot 20261116T040000Z-0a1b2c3d", "snapshot 20261116T040000Z-0a1b2c3d"),
        ("f" * 64, "f" * 64),
    ],
)
def test_what_looks_like_a_secret_is_masked(text, shown):
    assert fit("target", text) == shown


def test_a_secret_at_the_cut_is_masked_before_it_is_cut():
    text = "x" * 480 + " ZrP2b5Y0h1d9jVtC6w8mQ4xK3sL7nAfGeUiOyTqRvBc"
    assert fit("detail", text) == "x" * 480 + " ***"


@pytest.mark.parametrize("text", ["a" * 10**6, "A1a-" * 10**6, "token=" * 10**6, "\x00" * 10**6])
def test_a_million_characters_are_cut(text):
    assert len(fit("target", text)) <= 500


def test_each_column_has_its_length():
    assert [len(fit(name, "语" * 600)) for name in ("user", "roles", "address", "session", "detail")] == [
        64, 255, 64, 8, 500,
    ]  # fmt: skip
