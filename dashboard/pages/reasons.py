"""The reason that a change must have; it stands in the audit beside what was changed."""

from __future__ import annotations

from typing import Final

from flask import request

SHORTEST: Final = 5
LONGEST: Final = 200


def given_reason() -> str:
    """Reason of the form, without line ends; "" where there is none that is long enough."""
    reason = written_reason()
    return reason if len(reason) >= SHORTEST else ""


def written_reason() -> str:
    """What stands in the field, to be shown again."""
    return " ".join(request.form.get("reason", "").split())[:LONGEST]
