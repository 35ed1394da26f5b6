"""What the user looks at, as a value: read from the address, written to it, moved by events."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, quote_plus

if TYPE_CHECKING:
    from collections.abc import Callable

    from data.periods import Grain

PERIOD_CHOICES: Final[dict[Grain, tuple[int, ...]]] = {
    "week": (1, 4, 13, 26, 52),
    "month": (1, 3, 6, 12),
}
"""Window lengths on offer."""

SPANS: Final[dict[Grain, tuple[str, ...]]] = {
    "week": ("month", "quarter", "year"),
    "month": ("quarter", "year"),
}
"""Windows that begin with a part of the calendar; see `dashboard.windows.first_of`."""

SEVERITIES: Final = ("", "2", "3", "4")
"""Severity filters: every incident, or only those at least this severe; unknown is left out."""

MEASURES: Final = (
    "rate",
    "index",
    "count",
    "change",
    "change_year",
    "band15",
    "breach",
    "discovered",
    "overdue",
    "patrol",
)
"""What the colour of an area may tell."""

OPACITIES: Final = (100, 75, 50, 25)
"""Percent; how far a layer covers what lies under it."""

MAX_ADDRESS: Final = 1_000
"""Longest query and fragment that are read at all, characters."""

_CODE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,39}")
_LABEL = re.compile(r"\d{4}-(?:W\d{2}|\d{2})")
_PLAIN = re.compile(r"[0-9A-Za-z._-]*", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,3}(?:\.\d{1,6})?")
_COMPARE = re.compile(r"before|year|(?:category|measure|known)\.[0-9A-Za-z][0-9A-Za-z._-]{0,39}")
_OVERLAYS = re.compile(r"[a-z_]{1,20}(?:\.\d{2})?(?:,[a-z_]{1,20}(?:\.\d{2})?){0,11}")

Camera = tuple[float, float, float]


@dataclass(frozen=True)
class ViewState:
    """One view of the map; every field has its default left out of the address."""

    area: str = ""
    """Code of the area in focus; empty = the top of what the user may see."""
    selected: str = ""
    """Code of a picked area of the finest level; the focus stays round it."""
    level: str = ""
    """Level shown on the map; empty = the one below the focus."""
    layer: str = "areas"
    """What a click drills into and the legend begins with."""
    measure: str = "rate"
    """What the colours of the areas tell."""
    opacity: int = 100
    """Of the main layer, percent."""
    overlays: str = ""
    """What is drawn over the main layer, bottom to top; see `dashboard.map.overlays`."""
    compare: str = ""
    """What a second map shows otherwise; see `dashboard.map.compared`."""
    split: str = ""
    """How two maps share the room: `side` beside each other, else cut along a line."""
    periods: int = 0
    """Periods in the window; 0 = the city's default."""
    span: str = ""
    """Month, quarter or year with which the window begins, in place of `periods`."""
    start: str = ""
    """Label of the window's first period, in place of both."""
    end: str = ""
    """Label of the window's last period; empty = the newest."""
    category: str = ""
    severity: str = ""
    lang: str = "zh"
    theme: str = "auto"
    palette: str = ""
    """`safe`: colours that a reader with a weak colour sense tells apart."""
    renderer: str = ""
    camera: Camera | None = None

    @classmethod
    def from_address(cls, address: str) -> tuple[ViewState, tuple[str, ...]]:
        """
        Read the query part of an address, and its fragment, which holds the camera.

        The camera stands apart because it moves without a new view: the browser may change a
        fragment without a step in its history and without asking the server.

        Returns
        -------
        state
            Anything unknown, repeated or malformed keeps its default.
        faults
            Names of the parameters that were not understood, for a note on the page.
        """
        if len(address) > MAX_ADDRESS:
            return cls(), ("search",)
        search, _, fragment = address.partition("#")
        pairs = [(_PARSERS, pair) for pair in _pairs(search.removeprefix("?"))]
        pairs += [(_FRAGMENT_PARSERS, pair) for pair in _pairs(fragment)]
        values: dict[str, object] = {}
        faults: list[str] = []
        for parsers, (name, text) in pairs:
            parse = parsers.get(name)
            value = parse(text) if parse and name not in values else None
            if value is None:
                faults.append(name if parse else "search")
            else:
                values[name] = value
        return cls(**values), tuple(dict.fromkeys(faults))  # type: ignore[arg-type]

    def to_search(self, **otherwise: object) -> str:
        """
        Write the state as the query part of an address; the default state is empty.

        Parameters
        ----------
        otherwise
            Fields in place of the state's own, for one of many links.
        """
        values = vars(self) | otherwise
        pairs = [
            f"{name}={_quoted(_write(value))}"
            for name, default in _defaults()
            if (value := values[name]) != default
        ]
        return f"?{'&'.join(pairs)}" if pairs else ""

    def to_address(self, **otherwise: object) -> str:
        """Query and fragment: all of the state."""
        fragment = f"#camera={_write(self.camera)}" if self.camera else ""
        return self.to_search(**otherwise) + fragment

    def to_href(self, **otherwise: object) -> str:
        """Address of the page in this state; see `to_search`."""
        return "/" + self.to_address(**otherwise)

    def focus_on(self, code: str) -> ViewState:
        """Move the focus: level, picked area and camera follow from it anew."""
        return replace(self, area=code, selected="", level="", camera=None)

    def pick(self, code: str) -> ViewState:
        """Pick an area of the shown level, or drop it when it is picked already."""
        return replace(self, selected="" if code == self.selected else code)

    def over(self, *, periods: int = 0, span: str = "", start: str = "") -> ViewState:
        """Set how long the window is by one of three ways, and drop the other two."""
        return replace(self, periods=periods, span=span, start=start)


@functools.cache
def _defaults() -> tuple[tuple[str, object], ...]:
    """Fields that the query holds, with their defaults: asked for dozens of links an answer."""
    return tuple(
        (item.name, item.default)
        for item in fields(ViewState)
        if item.name not in _FRAGMENT_PARSERS
    )


def _pairs(text: str) -> list[tuple[str, str]]:
    return parse_qsl(text, keep_blank_values=True)


def _write(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(f"{part:.5f}".rstrip("0").rstrip(".") for part in value)
    return str(value)


def _quoted(text: str) -> str:
    """As `urlencode` does it; nearly every value is plain."""
    return text if _PLAIN.fullmatch(text) else quote_plus(text)


def _matching(pattern: re.Pattern[str]) -> Callable[[str], str | None]:
    return lambda text: text if pattern.fullmatch(text) and text.isascii() else None


def _one_of(*choices: str) -> Callable[[str], str | None]:
    return lambda text: text if text in choices else None


def _periods(text: str) -> int | None:
    known = {str(n): n for choices in PERIOD_CHOICES.values() for n in choices}
    return known.get(text)


def _opacity(text: str) -> int | None:
    return {str(n): n for n in OPACITIES}.get(text)


def _camera(text: str) -> Camera | None:
    parts = text.split(",")
    if len(parts) != 3 or not all(_NUMBER.fullmatch(part) for part in parts):
        return None
    return check_camera([float(part) for part in parts])


def check_camera(parts: list[float]) -> Camera | None:
    """Camera (lng, lat in degrees, zoom) rounded as the address keeps it; None out of range."""
    lng, lat, zoom = (round(part, 5) + 0.0 for part in parts)
    if not (-180 <= lng <= 180 and -90 <= lat <= 90 and 0 <= zoom <= 24):
        return None
    return lng, lat, zoom


_PARSERS: Final[dict[str, Callable[[str], object | None]]] = {
    "area": _matching(_CODE),
    "selected": _matching(_CODE),
    "level": _one_of("city", "county", "township", "community", "grid"),
    "layer": _one_of("areas", "cells"),
    "measure": _one_of(*MEASURES),
    "opacity": _opacity,
    "overlays": _matching(_OVERLAYS),
    "compare": _matching(_COMPARE),
    "split": _one_of("side"),
    "periods": _periods,
    "span": _one_of(*SPANS["week"]),
    "start": _matching(_LABEL),
    "end": _matching(_LABEL),
    "category": _matching(_CODE),
    "severity": _one_of(*SEVERITIES),
    "lang": _one_of("zh", "en"),
    "theme": _one_of("auto", "light", "dark"),
    "palette": _one_of("safe"),
    "renderer": _one_of("gl", "canvas"),
}
_FRAGMENT_PARSERS: Final[dict[str, Callable[[str], object | None]]] = {"camera": _camera}
