"""Every word of the interface, Chinese first and English second, from one catalogue."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Final

LANGUAGES: Final = ("zh", "en")


@cache
def catalogue() -> dict[str, tuple[str, str]]:
    """Words by key: (Chinese, English)."""
    content = resources.files("dashboard").joinpath("text.toml").read_text(encoding="utf-8")
    return {key: (pair[0], pair[1]) for key, pair in tomllib.loads(content).items()}


class Words:
    """The catalogue in one language: `words("key", n=3)`."""

    def __init__(self, lang: str) -> None:
        self.lang = lang
        self._at = LANGUAGES.index(lang)

    def __call__(self, key: str, **values: object) -> str:
        """
        Text of a key with its `{fields}` filled in.

        Raises
        ------
        KeyError
            The catalogue has no such key.
        """
        return catalogue()[key][self._at].format(**values)

    def pick(self, chinese: str, english: str) -> str:
        """One of two stored names; the Chinese one where there is no English."""
        return chinese if self.lang == "zh" or not english else english

    def pick_lists(self, chinese: tuple[str, ...], english: tuple[str, ...]) -> tuple[str, ...]:
        """One of two stored lists of sentences."""
        return chinese if self.lang == "zh" or not english else english
