"""What became of one thing that a connector took up."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from data.intake import IntakeError
from data.seals import DamageError

if TYPE_CHECKING:
    from data.intake import Batch


STORAGE_FAULTS: Final = (IntakeError, DamageError, OSError, sqlite3.Error)
"""What landing raises when the disk or the log is at fault: try again later."""


@dataclass(frozen=True)
class Taken:
    """
    One file, page or poll of a source.

    Attributes
    ----------
    name
        File, view or topic.
    batch
        What was landed; None where it failed.
    is_new
        False where the same content had been landed before.
    error
        Why it failed, in words for the operator.
    """

    source: str
    name: str
    batch: Batch | None = None
    is_new: bool = False
    error: str | None = None
