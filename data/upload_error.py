"""Why an upload is refused: a code that the page has words for, and what the words need."""

from __future__ import annotations

from typing import Final

CODES: Final = frozenset({
    "busy", "many_waiting", "form", "reason", "reason_long", "source", "file_missing", "files_many",
    "name", "empty", "too_large", "slow", "content", "text_binary", "text_utf16", "text_encoding",
    "deep", "zip_damaged", "zip_encrypted", "zip_large", "zip_members", "zip_name", "zip_twice",
    "zip_nested", "macros", "xml", "known", "storage",
})  # fmt: skip
"""Every code; `dashboard/text.toml` has words for each as `upload_no_<code>`."""


class UploadError(ValueError):
    """
    A file is not stored, and nothing of it is kept.

    Attributes
    ----------
    code
        One of `CODES`.
    facts
        Numbers and names for the words: limits and what is ours, never text of the file.
    """

    def __init__(self, code: str, **facts: object) -> None:
        assert code in CODES, code
        told = ", ".join(f"{name}={value}" for name, value in facts.items())
        super().__init__(f"{code}: {told}" if told else code)
        self.code = code
        self.facts = facts
