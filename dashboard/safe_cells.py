"""Text that a spreadsheet program shows as text, whatever it holds (CWE-1236)."""

from __future__ import annotations

from typing import Final

STARTS: Final = frozenset("=+-@\t\r\uff1d\uff0b\uff0d\uff20")
"""First characters that make a cell run; the last four are the full-width forms."""


def safe_cell(text: str) -> str:
    """Put an apostrophe before what would run as a formula."""
    return f"'{text}" if text[:1] in STARTS else text
