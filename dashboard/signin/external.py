"""
Signing in by another system: what is learnt there, and what such a provider does.

An outside system only says who somebody is. The account, and with it every right, is made here
beforehand; who has none stays outside.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from flask import Request, Response

log = logging.getLogger("dashboard.signin")

LONGEST_SUBJECT = 255
_LONGEST_REASON = 300


class SignInError(PermissionError):
    """A sign-in failed; the text says its number and nothing else, the log says why."""

    def __init__(self, number: str) -> None:
        super().__init__(f"sign-in failed, number {number}")
        self.number = number


class AnswerError(ValueError):
    """What the other system answered cannot be used; the message is for the log."""


@dataclass(frozen=True)
class Identity:
    """
    Who somebody is at an outside system.

    Attributes
    ----------
    provider, subject
        Together they name the account, if there is one.
    login
        The same for the reader of a log.
    detail
        How it was proved, for the audit.
    return_to
        Path of this application to go to.
    """

    provider: str
    subject: str
    login: str
    detail: str = ""
    return_to: str = "/"


class ExternalProvider(Protocol):
    """A system that a browser is sent to, and comes back from with a proof."""

    @property
    def name(self) -> str:
        """Short name, as in the address of its routes."""

    @property
    def title_zh(self) -> str:
        """What the sign-in page calls it, in Chinese."""

    @property
    def title_en(self) -> str:
        """What the sign-in page calls it, in English."""

    def start(self, return_to: str) -> Response:
        """
        Send the browser there.

        Raises
        ------
        SignInError
            The other system cannot be reached.
        """

    def finish(self, request: Request) -> Identity:
        """
        Who came back; a proof counts once.

        Raises
        ------
        SignInError
            Nothing is proved.
        """

    def forget(self, answer: Response) -> None:
        """Take away what `start` left in the browser; for every answer to who came back."""

    def sign_out_url(self) -> str | None:
        """Where signing out there begins; None where there is no such address."""


def refused(provider: str, reason: str) -> SignInError:
    """Log why a sign-in failed under a new number; the error to raise knows only the number."""
    error = SignInError(secrets.token_hex(4))
    log.warning("sign-in by %s failed, number %s: %s", provider, error.number, on_one_line(reason))
    return error


def on_one_line(text: str) -> str:
    """Text that a stranger may have written, safe to log: short, and without control characters."""
    shown = "".join(sign if sign.isprintable() else "?" for sign in text)
    return shown if len(shown) <= _LONGEST_REASON else shown[:_LONGEST_REASON] + "…"


def checked_subject(text: object) -> str:
    """
    Return the name of a subject, as it is.

    Raises
    ------
    AnswerError
        It is no text of 1 to 255 visible characters.
    """
    if not isinstance(text, str) or not 1 <= len(text) <= LONGEST_SUBJECT:
        raise AnswerError(f"the subject is no text of 1 to {LONGEST_SUBJECT} characters")
    if not text.isprintable() or " " in text:
        raise AnswerError("the subject holds spaces or control characters")
    return text
