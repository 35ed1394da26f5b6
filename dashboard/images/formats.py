"""Sizes and kinds of images on offer; nothing heavy is loaded here."""

from __future__ import annotations

from typing import Final, NamedTuple

KINDS: Final = {"png": "image/png", "svg": "image/svg+xml", "pdf": "application/pdf"}
"""Format to the type of the answer."""


class Size(NamedTuple):
    """Of a sheet in inches, and the usual pixels per inch."""

    width: float
    height: float
    dpi: int


SIZES: Final = {
    "screen": Size(8.0, 6.0, 200),
    "a4": Size(297 / 25.4, 210 / 25.4, 200),
    "slide": Size(10.0, 5.625, 192),
}

DPI: Final = (72, 300)
"""Least and most pixels per inch: no image of more than ten million pixels."""

STRIP_MAPS: Final = 12
"""Maps on a strip where nothing else is asked for."""

MOST_MAPS: Final = 26


def check(*, size: str, dpi: int | None, kind: str, count: int = 1) -> None:
    """
    Refuse what is not on offer.

    Raises
    ------
    ValueError
        With what it is.
    """
    if size not in SIZES or kind not in KINDS:
        raise ValueError(f"size {size!r} or kind {kind!r} is not on offer")
    if dpi is not None and not DPI[0] <= dpi <= DPI[1]:
        raise ValueError(f"dpi {dpi} is not within {DPI[0]} to {DPI[1]}")
    if not 1 <= count <= MOST_MAPS:
        raise ValueError(f"{count} maps are not within 1 to {MOST_MAPS}")
