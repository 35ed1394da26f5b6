"""Hash and compare passwords with argon2id; make the first one of an account."""

from __future__ import annotations

import secrets
import string
import threading
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from data.accounts.policy import LONGEST, Policy, normal_form, password_faults

HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
"""The least that OWASP's password storage cheat sheet asks for: 19 MiB, two passes."""

AT_ONCE: Final = 4
"""Hashes of one process at a time: sign-ins by the dozen must not take all its memory."""

# Of no password: who names an unknown login waits as long as for a known one.
_NOBODYS: Final = (
    "$argon2id$v=19$m=19456,t=2,p=1"
    "$fCmQe/wtlzqLSqC2phbHcA$vldfsfOJ+epGnOQUXgRrK9enHWPf/edhVYr3l7oZoW8"
)

_ALPHABET: Final = "".join(sorted(set(string.ascii_letters + string.digits) - set("0O1lI")))
_GROUPS, _IN_GROUP = 4, 4

_slots = threading.BoundedSemaphore(AT_ONCE)


def hash_password(password: str) -> str:
    """Hash a password, with its own salt and the parameters in front."""
    with _slots:
        return HASHER.hash(normal_form(password))


def is_password(password_hash: str | None, password: str) -> bool:
    """
    Whether a password has this hash.

    Without a hash the answer is no, and takes as long.
    """
    text = normal_form(password)
    fits = len(text) <= LONGEST
    with _slots:
        try:
            HASHER.verify(password_hash or _NOBODYS, text if fits else "")
        except (VerificationError, InvalidHashError):
            return False
    return password_hash is not None and fits


def needs_new_hash(password_hash: str) -> bool:
    """Whether a hash was made with other parameters than today's."""
    return HASHER.check_needs_rehash(password_hash)


def make_password(policy: Policy, login: str) -> str:
    """Make a random password that the rules accept and that can be read out."""
    groups = max(_GROUPS, -(-(policy.min_length + 1) // (_IN_GROUP + 1)))
    while True:
        password = "-".join(
            "".join(secrets.choice(_ALPHABET) for _ in range(_IN_GROUP)) for _ in range(groups)
        )
        if not password_faults(policy, login, password):
            return password
