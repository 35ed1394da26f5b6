"""Words of the audit, and how foreign text is made fit: short, printable, no secrets."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from data.state.models import AuditRow

ACTIONS: Final = (
    "sign_in", "sign_out", "view", "drill", "query", "export", "share", "upload", "configure",
    "users", "letter", "warning", "report", "denied", "system",
)  # fmt: skip
RESULTS: Final = ("ok", "denied", "failed")

LONGEST: Final = 500
"""Characters of a target or detail; the last one of a cut text is an ellipsis."""

_READ: Final = 4_000
"""Characters that are looked at: what comes after them is cut anyway."""

_LIMITS: Final = {
    column.name: getattr(column.type, "length", None) or LONGEST
    for column in AuditRow.__table__.columns
}
_INVISIBLE: Final = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_MASK: Final = "***"
# As in the query of an address, in JSON, and in a header.
_NAMED: Final = re.compile(
    r"((?:password|passwd|pwd|secret|token|ticket|totp|otp)"
    r"(?:=|[\"']\s*:\s*[\"']?)|\bbearer\s+)[^\s&;,\"']+",
    re.IGNORECASE,
)
# A random secret as this program makes them: of 32 bytes, or an API token.
_RANDOM: Final = re.compile(
    r"(?<![\w-])(?=[\w-]*[A-Z])(?=[\w-]*[a-z])(?=[\w-]*\d)[\w-]{40,}(?![\w-])", re.ASCII
)


def check_words(action: str, result: str) -> None:
    """
    Refuse words that the audit does not know.

    Raises
    ------
    ValueError
        The action or the result is not one of the known words.
    """
    if action not in ACTIONS:
        raise ValueError(f"audit action {action!r} is none of {', '.join(ACTIONS)}")
    if result not in RESULTS:
        raise ValueError(f"audit result {result!r} is none of {', '.join(RESULTS)}")


def fit(column: str, text: str) -> str:
    """Make text fit a column: printable, without what looks like a secret, and cut."""
    limit = _LIMITS[column]
    shown = _RANDOM.sub(_MASK, _NAMED.sub(rf"\1{_MASK}", printable(text[:_READ])))
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def printable(text: str) -> str:
    """
    Remove what cannot be seen, or would change how the rest looks; line ends become spaces.

    Private-use characters stay: Chinese systems write rare characters with them.
    """
    if text.isprintable():
        return text
    return "".join(
        " " if one.isspace() else one
        for one in text
        if one.isspace() or unicodedata.category(one) not in _INVISIBLE
    )
