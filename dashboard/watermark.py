"""A visible mark of who looks and when, on screens and in files."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

if TYPE_CHECKING:
    import datetime as dt

    from data.access import Scope

_TILE: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="320" height="200">'
    '<text x="20" y="150" transform="rotate(-22 20 150)" font-family="sans-serif" '
    'font-size="14" fill="{colour}">{text}</text></svg>'
)
_COLOUR: Final = "rgba(128,128,128,0.16)"


def watermark_text(scope: Scope, now: dt.datetime) -> str:
    """
    Who and when, in one line.

    Parameters
    ----------
    now
        Moment in the city's time.
    """
    who = f"{scope.user} {scope.unit}".strip()
    return f"{who} {now:%Y-%m-%d %H:%M}"


def watermark_style(text: str) -> str:
    """CSS `background-image` that repeats the text; whatever the text holds, it stays text."""
    drawn = _TILE.format(colour=_COLOUR, text=escape(text))
    return f'url("data:image/svg+xml,{quote(drawn, safe="")}")'
