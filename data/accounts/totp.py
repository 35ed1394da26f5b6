"""One-time codes of an authenticator (TOTP) as the second step of a sign-in."""

from __future__ import annotations

import base64
import hmac
import logging
import re
from typing import TYPE_CHECKING, Final

import pyotp
import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken

from data.accounts.duties import AccountError
from data.accounts.logins import LOCAL
from data.accounts.rows import find_user
from data.permissions import ADMINISTRATORS
from data.secrets import derived
from data.state.models import User

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from data.accounts.policy import Policy
    from data.accounts.users import Accounts

log = logging.getLogger("accounts")

ISSUER: Final = "PingAn Map"
STEP_S: Final = 30

_NEIGHBOURS: Final = (0, -1, 1)
"""Steps beside the present one whose codes count: clocks of telephones go wrong."""

_SECRET: Final = re.compile(r"[A-Z2-7]{32,64}")
_CODE: Final = re.compile(r"[0-9]{6}")


def begin(accounts: Accounts, login: str) -> tuple[str, str]:
    """
    Make a secret for an authenticator; nothing is stored until `confirm`.

    Returns
    -------
    secret, address
        In base 32, and as the `otpauth://` address that the QR code holds.

    Raises
    ------
    AccountError
        There is no such account, or it signs in elsewhere.
    """
    with accounts.database.reading() as session:
        user = find_user(session, login)
    _check_local(user)
    secret = pyotp.random_base32()
    return secret, pyotp.TOTP(secret).provisioning_uri(name=user.login, issuer_name=ISSUER)


def confirm(accounts: Accounts, login: str, secret: str, code: str, now: dt.datetime) -> bool:
    """
    Ask for codes from now on, once the authenticator has shown one; False if it is wrong.

    The code that was given here signs nobody in.

    Raises
    ------
    AccountError
        There is no such account, it signs in elsewhere, or the secret is none of `begin`.
    """
    if not _SECRET.fullmatch(secret):
        raise AccountError("this is no secret of an authenticator; begin anew")
    step = _step_of(secret, code, now)
    if step is None:
        return False
    with accounts.database.writing() as session:
        user = find_user(session, login, lock=True)
        _check_local(user)
        user.totp_secret = _fernet(accounts, user).encrypt(secret.encode()).decode()
        user.totp_step = step
    return True


def check(accounts: Accounts, login: str, code: str, now: dt.datetime) -> bool:
    """
    Whether a code is that of the present step or one beside it, and was not used before.

    It is used up by that: of two who give it at once one is let in.

    Raises
    ------
    AccountError
        There is no such account.
    """
    with accounts.database.reading() as session:
        user = find_user(session, login)
    secret = _secret(accounts, user)
    step = _step_of(secret, code, now) if secret else None
    if step is None:
        return False
    with accounts.database.writing() as session:
        used = session.execute(
            sa.update(User)
            .where(
                User.id == user.id,
                User.totp_secret == user.totp_secret,
                User.totp_step < step,
            )
            .values(totp_step=step)
            .returning(User.id)
        )
        return used.first() is not None


def remove(accounts: Accounts, login: str) -> None:
    """
    Ask an account for no codes any more.

    Raises
    ------
    AccountError
        There is no such account.
    """
    with accounts.database.writing() as session:
        find_user(session, login, lock=True).totp_secret = None


def is_asked(policy: Policy, user: User) -> bool:
    """Whether a sign-in of the account needs a code."""
    return policy.totp != "off" and user.totp_secret is not None


def is_due(policy: Policy, user: User, roles: Iterable[str]) -> bool:
    """Whether the account must set an authenticator up before it may do anything else."""
    if user.provider != LOCAL or user.totp_secret is not None:
        return False
    if policy.totp == "administrators":
        return not {*ADMINISTRATORS}.isdisjoint(roles)
    return policy.totp == "all"


def _check_local(user: User) -> None:
    if user.provider != LOCAL:
        raise AccountError(f"{user.login} signs in by {user.provider}, which asks for codes itself")


def _step_of(secret: str, code: str, now: dt.datetime) -> int | None:
    """Number of the time step that a code belongs to."""
    given = re.sub(r"\s", "", code)
    if not _CODE.fullmatch(given):
        return None
    present = int(now.timestamp()) // STEP_S
    generator = pyotp.TOTP(secret)
    steps = [present + beside for beside in _NEIGHBOURS]
    right = [s for s in steps if hmac.compare_digest(generator.generate_otp(s), given)]
    return right[0] if right else None


def _secret(accounts: Accounts, user: User) -> str | None:
    if user.totp_secret is None:
        return None
    try:
        return _fernet(accounts, user).decrypt(user.totp_secret.encode()).decode()
    except InvalidToken:
        log.error("the code secret of %s was encrypted with another key; remove it", user.login)  # noqa: TRY400
        return None


def _fernet(accounts: Accounts, user: User) -> Fernet:
    # A key of each account's own: a secret that is copied to another account does not open there.
    return Fernet(base64.urlsafe_b64encode(derived(accounts.key, f"totp {user.id}")))
