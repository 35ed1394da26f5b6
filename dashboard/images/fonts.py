"""A font with Chinese: the first of the usual ones that the machine has."""

from __future__ import annotations

from functools import cache
from typing import Final

from matplotlib import font_manager

FAMILIES: Final = (
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Microsoft YaHei",
    "PingFang SC",
    "SimHei",
    "Noto Sans CJK JP",
    "Droid Sans Fallback",
)
"""The best first; the last two lack some forms that are usual in China, but no character."""

LATIN: Final = "DejaVu Sans"
"""Comes with the drawing library; stands in for signs that a Chinese font lacks."""


class FontError(RuntimeError):
    """No font with Chinese is installed."""


@cache
def families() -> tuple[str, ...]:
    """
    Families to write with, in the order in which a character is looked for.

    Raises
    ------
    FontError
        None of `FAMILIES` is installed; the message says which package has one.
    """
    held = {each.name for each in font_manager.fontManager.ttflist}
    found = [name for name in FAMILIES if name in held]
    if not found:
        raise FontError(
            "no font with Chinese is installed; install fonts-wqy-microhei or fonts-noto-cjk "
            "and start the program again"
        )
    return found[0], LATIN
