"""Faces of an official document, by their part in it: `templates/fonts.toml`."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import NamedTuple


class Face(NamedTuple):
    """
    A face.

    Attributes
    ----------
    word
        Name that the Word template asks for.
    alias
        Name under which other machines know it.
    latin
        Font of its Latin letters and digits in Word.
    pdf
        Fonts that the PDF takes, the best first.
    """

    word: str
    alias: str
    latin: str
    pdf: tuple[str, ...]


@cache
def faces() -> dict[str, Face]:
    """Faces by part: song (title), fang (text), hei and kai (headings), plain (page number)."""
    source = resources.files("dashboard").joinpath("reports", "templates", "fonts.toml")
    held = tomllib.loads(source.read_text(encoding="utf-8"))
    return {
        part: Face(one["word"], one["alias"], one["latin"], tuple(one["pdf"]))
        for part, one in held.items()
    }
