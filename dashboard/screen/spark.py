"""A short history as the `d` of a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH: Final = 130
HEIGHT: Final = 32


def spark(values: Sequence[int]) -> str:
    """Draw a history from zero up into the width and height; nothing for fewer than two values."""
    if len(values) < 2:
        return ""
    top, step = max(*values, 1), WIDTH / (len(values) - 1)
    points = [f"{at * step:.1f} {HEIGHT * (1 - one / top):.1f}" for at, one in enumerate(values)]
    return "M" + "L".join(points)
