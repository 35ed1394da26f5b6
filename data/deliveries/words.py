"""The words that a message may hold: a closed list, so that nothing else can be told."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Final, NamedTuple

FILE: Final = "delivery_words.toml"

Pair = tuple[str, str]
"""Chinese and English."""


class Words(NamedTuple):
    """Texts of the kinds, levels and counts, each in Chinese and in English."""

    kinds: dict[str, Pair]
    levels: dict[str, Pair]
    counts: dict[str, Pair]
    lines: dict[str, Pair]


@cache
def words() -> Words:
    """Read the list that is shipped with the program."""
    text = resources.files("data").joinpath("reference", FILE).read_text(encoding="utf-8")
    found = tomllib.loads(text)
    return Words(
        *(
            {name: (zh, en) for name, (zh, en) in found[part].items()}
            for part in ("kinds", "levels", "counts", "lines")
        )
    )
