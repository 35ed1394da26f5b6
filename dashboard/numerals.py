"""How figures are printed: unknown is said in words, never as a zero."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from dashboard.text import Words

SMALL_BASE: Final = 5
"""Incidents below which a change is told in incidents: a percentage would be mostly chance."""


def count(value: int | None, words: Words) -> str:
    """Print a number of incidents."""
    return words("no_value") if value is None else f"{value:,d}"


def rate(value: float, words: Words) -> str:
    """Print a rate to three significant digits."""
    return words("no_value") if math.isnan(value) else _significant(value)


def interval(lower: float, upper: float) -> str:
    """Print the bounds of an interval; nothing where they are unknown."""
    if math.isnan(lower) or math.isnan(upper):
        return ""
    return f"{_significant(lower)}–{_significant(upper)}"


def share(part: int, whole: int, words: Words) -> str:
    """Print a part of a whole in per cent, one decimal."""
    return f"{part / whole:.1%}" if whole > 0 else words("no_value")


def probability(value: float, words: Words) -> str:
    """Print a probability so that 0.995 does not read as 1."""
    if math.isnan(value):
        return words("no_value")
    if value > 0.999:
        return "> 0.999"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def change(now: int | None, base: int | None, words: Words, *, to: str) -> tuple[str, str]:
    """
    Say a change in words.

    Parameters
    ----------
    to
        What is compared with: `change` (the previous window) or `last_year`.

    Returns
    -------
    direction, text
        `up`, `down` or `flat`; a base of 0, a small or an unknown one has no percentage.
    """
    if now is None or base is None:
        return "flat", words(f"{to}_no_base")
    if base == 0:
        return ("up" if now else "flat"), words(f"{to}_base_zero")
    moved = now / base - 1
    if now == base:
        return "flat", words("change_flat")
    direction = "up" if moved > 0 else "down"
    if base < SMALL_BASE:
        return direction, words("change_small", base=base, now=f"{now:,d}")
    return direction, words(f"change_{direction}", percent=f"{abs(moved):.1%}")


def _significant(value: float) -> str:
    if value == 0:
        return "0"
    decimals = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{min(decimals, 6)}f}"
