"""The rules for passwords, locks and sessions; the defaults are those of 等保 level 3."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final, Literal

TotpRule = Literal["off", "optional", "administrators", "all"]

LONGEST: Final = 128
"""Characters of a password."""


@dataclass(frozen=True)
class Policy:
    """
    Rules for accounts, as an installation has set them.

    References
    ----------
    GB/T 22239-2019, 8.1.4.1: identity is checked by complex passwords that are changed regularly,
    failed sign-ins are limited, idle sessions end. The figures are those of common practice.
    """

    min_length: int = 8
    min_classes: int = 3
    """Of small letters, capitals, digits, all else."""
    history: int = 5
    """Latest passwords, the present one among them, that cannot be used again."""
    expiry_days: int = 90
    lock_failures: int = 5
    lock_minutes: int = 30
    idle_minutes: int = 30
    session_hours: int = 12
    one_session: bool = False
    """Whether a sign-in ends the earlier ones of the account."""
    totp: TotpRule = "optional"
    """Who must give a one-time code; `off` asks nobody."""
    first_change: bool = True
    """Whether a password that somebody else has set must be changed at once."""


PasswordFault = Literal[
    "too_short", "too_long", "too_few_classes", "holds_login", "known_weak", "reused"
]

FAULTS_EN: Final[dict[str, str]] = {
    "too_short": "too short",
    "too_long": f"longer than {LONGEST} characters",
    "too_few_classes": "too few kinds of characters (small letters, capitals, digits, others)",
    "holds_login": "holds the login",
    "known_weak": "easily guessed",
    "reused": "used before",
}

_CLASSES: Final = (r"[a-z]", r"[A-Z]", r"[0-9]", r"[^a-zA-Z0-9]")

# What guessing programs try first, and what meets a rule of three classes with least effort.
_WORDS: Final = (
    "password", "passwd", "pass", "pwd", "admin", "administrator", "root", "user", "login",
    "guest", "test", "demo", "welcome", "hello", "letmein", "master", "secret", "default",
    "change", "changeme", "system", "manager", "server", "huawei", "lenovo", "pingan", "zhengfa",
    "gongan", "woaini", "iloveyou", "monkey", "dragon", "sunshine", "princess", "china",
    "zhongguo", "beijing", "mima", "abc", "aaa", "qwe", "asd", "zxc", "qaz", "wsx", "edc",
)  # fmt: skip
_RUNS: Final = (
    "abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm",
    "1qaz2wsx3edc4rfv", "!qaz@wsx#edc$rfv", "!@#$%^&*()", "112233445566778899",
)  # fmt: skip
_LOVED: Final = r"520|521|1314|168|666|888|(?:19|20)[0-9]{2}"
_READ_AS: Final = str.maketrans("@013457$!", "aoleastsi")
_LEAST_LEFT: Final = 4
_SHORTEST_RUN: Final = 3
_SHORTEST_LOGIN: Final = 3


def normal_form(password: str) -> str:
    """
    Return the text that is hashed: full-width letters of a Chinese keyboard are plain ones.

    Halves of characters, which only a program sends, become question marks.
    """
    return unicodedata.normalize("NFKC", password.encode(errors="replace").decode())


def password_faults(policy: Policy, login: str, password: str) -> list[str]:
    """
    Tell why a password may not be used; reuse is judged where the history is.

    Returns
    -------
    faults
        Of `PasswordFault`, empty for a good one.
    """
    text = normal_form(password)
    lowered, name = text.casefold(), login.casefold()
    holds_login = len(name) >= _SHORTEST_LOGIN and (name in lowered or name[::-1] in lowered)
    classes = sum(bool(re.search(one, text)) for one in _CLASSES)
    found: dict[PasswordFault, bool] = {
        "too_short": len(text) < policy.min_length,
        "too_long": len(text) > LONGEST,
        "too_few_classes": classes < policy.min_classes,
        "holds_login": holds_login,
        "known_weak": len(text) <= LONGEST and _is_weak(lowered),
    }
    return [fault for fault, is_found in found.items() if is_found]


def told(faults: list[str]) -> str:
    """Faults in one English phrase."""
    return "; ".join(FAULTS_EN[fault] for fault in faults)


def _is_weak(text: str) -> bool:
    """Whether too little is left without known words, runs of the keyboard, years, repetition."""
    return any(
        len(set(_without_known(form))) < _LEAST_LEFT for form in (text, text.translate(_READ_AS))
    )


def _without_known(text: str) -> str:
    for word in sorted(_WORDS, key=len, reverse=True):
        text = text.replace(word, " ")
    text = re.sub(_LOVED, " ", text)
    for run in _RUNS:
        text = _without_run(_without_run(text, run), run[::-1])
    return re.sub(r"(.)\1{2,}|[\s._-]", "", text)


def _without_run(text: str, run: str) -> str:
    """Text without the parts of a run, three characters or longer."""
    for length in range(len(run), _SHORTEST_RUN - 1, -1):
        for start in range(len(run) - length + 1):
            text = text.replace(run[start : start + length], " ")
    return text
