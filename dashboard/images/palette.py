"""Colours of the screen's light theme, read from its own style sheets: one source for both."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

SHEETS: Final = ("base.css", "measures.css")
_LIGHT: Final = ":root:root"
_SAFE: Final = 'html[data-palette="safe"]:root'

_BLOCK: Final = re.compile(r"([^{}]+)\{([^{}]*)\}")
_COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)
_DECLARATION: Final = re.compile(r"(--[\w-]+)\s*:\s*([^;]+);")
_VARIABLE: Final = re.compile(r"var\((--[\w-]+)\)")
_HEX: Final = re.compile(r"#[0-9a-fA-F]{6}")
_RGB: Final = re.compile(r"rgb\((\d+) (\d+) (\d+)(?: / (\d+)%)?\)")

Rgba = tuple[float, float, float, float]


@cache
def variables(*, safe: bool = False) -> Mapping[str, str]:
    """
    Read the variables of the light theme by name.

    Parameters
    ----------
    safe
        With the colours that a reader with a weak colour sense tells apart.
    """
    wanted = (_LIGHT, _SAFE) if safe else (_LIGHT,)
    found: dict[str, str] = {}
    for selector in wanted:
        for sheet in SHEETS:
            found |= _declared(sheet, selector)
    return found


def colour(text: str, *, safe: bool = False) -> Rgba:
    """
    Red, green, blue, alpha from 0 to 1 of a CSS colour or `var(--name)`.

    Raises
    ------
    ValueError
        It is neither a variable of the sheets nor written as they write colours.
    """
    named = _VARIABLE.fullmatch(text)
    value = (variables(safe=safe).get(named[1], "") if named else text).strip()
    if _HEX.fullmatch(value):
        red, green, blue = (int(value[at : at + 2], 16) / 255 for at in (1, 3, 5))
        return red, green, blue, 1.0
    if parts := _RGB.fullmatch(value):
        red, green, blue = (int(part) / 255 for part in parts.groups()[:3])
        return red, green, blue, int(parts[4] or 100) / 100
    raise ValueError(f"{text!r} is no colour of {' or '.join(SHEETS)}")


def _declared(sheet: str, selector: str) -> dict[str, str]:
    path = resources.files("dashboard").joinpath("assets", sheet)
    text = _COMMENT.sub("", path.read_text(encoding="utf-8"))
    found: dict[str, str] = {}
    for block in _BLOCK.finditer(text):
        if block[1].strip() == selector:
            found |= {name: value.strip() for name, value in _DECLARATION.findall(block[2])}
    return found
