"""Why the text of a letter was not taken, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.letters.wording import LONGEST

if TYPE_CHECKING:
    from dashboard.text import Words
    from data.letters.wording import WordingError


def wording_faults(error: WordingError, told: Words) -> list[str]:
    """One sentence for each field."""
    found = []
    for name, what in error.faults.items():
        part, _, lang = name.rpartition("_")
        field = told(f"letter_field_{part}")
        if lang == "en":
            field = f"{told('letter_english')} · {field}"
        found.append(told(f"letter_fault_{what}", field=field, **_most(part, what)))
    return found


def _most(part: str, what: str) -> dict[str, object]:
    return {"most": LONGEST[part]} if what == "long" else {}
