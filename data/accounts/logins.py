"""What an account may be called: a post or an office, never a person."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from data.accounts.duties import AccountError
from data.personal import names_a_person

LOCAL: Final = "local"
"""Provider of accounts that sign in with a password of ours."""

RESERVED: Final = frozenset({"cli", "system", "public", "nobody", "demo", "setup"})
"""Words that the audit uses for what is no account."""

_LOGIN: Final = re.compile(r"[a-z0-9\u4e00-\u9fff][a-z0-9\u4e00-\u9fff._-]{1,63}")
_PROVIDER: Final = re.compile(r"[a-z]{1,16}")
_LONGEST_TYPED: Final = 256
_LONGEST_UNIT: Final = 64
_LONGEST_SUBJECT: Final = 255


def normal_login(text: str) -> str:
    """Return a login as it is stored, in small half-width letters; "" for what cannot be one."""
    login = unicodedata.normalize("NFKC", text[:_LONGEST_TYPED]).strip().lower()
    return login if _LOGIN.fullmatch(login) else ""


def checked_login(text: str) -> str:
    """
    Return a login as it is stored.

    Raises
    ------
    AccountError
        It has other characters, is kept for the program itself, or looks like a telephone,
        identity or mail address: an account is a post, not a person.
    """
    login = normal_login(text)
    if not login:
        raise AccountError(
            f"login {text[:64]!r}: use 2 to 64 letters, digits, Chinese characters, `.`, `-`, `_`"
        )
    if login in RESERVED or login.startswith("demo-"):
        raise AccountError(f"login {login} is kept for the program; choose another")
    if names_a_person([login])[0]:
        raise AccountError(
            f"login {login} looks like a telephone, identity or plate number; name the post"
        )
    return login


def checked_unit(text: str) -> str:
    """
    Return the name of a post or office.

    Raises
    ------
    AccountError
        It cannot be shown, or names a person.
    """
    if len(text) > _LONGEST_UNIT or not text.isprintable():
        raise AccountError(f"unit {text[:_LONGEST_UNIT]!r}: use up to 64 printable characters")
    if names_a_person([text])[0]:
        raise AccountError("the unit holds a telephone, identity or plate number; name the post")
    return text


def checked_subject(login: str, provider: str, subject: str | None) -> str:
    """
    Return who an account is at an outside provider; the login, if nothing else is given.

    Raises
    ------
    AccountError
        The provider or the subject cannot be stored.
    """
    who = subject or login
    if not _PROVIDER.fullmatch(provider):
        raise AccountError(f"provider {provider!r}: use one such as oidc, cas or header")
    if len(who) > _LONGEST_SUBJECT or not who.isprintable():
        raise AccountError(f"subject: use up to {_LONGEST_SUBJECT} printable characters")
    return who
