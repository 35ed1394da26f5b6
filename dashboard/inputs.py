"""Strict readers for what a browser sends: each takes any JSON value and returns a typed one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from dashboard.state import MAX_ADDRESS, SPANS, Camera, check_camera

if TYPE_CHECKING:
    from collections.abc import Callable

MOST: Final = 2**31


class BadInputError(ValueError):
    """A value that the page itself never sends."""


@dataclass(frozen=True)
class MapEvent:
    """Something that happened on the map: an area was clicked, `up`, or an error."""

    kind: str
    layer: str = ""
    level: str = ""
    index: int = -1
    resolution: int = 0
    """Of a cell; 0 for an area."""


def text(limit: int) -> Callable[[object], str]:
    """Read text of at most `limit` characters; nothing reads as empty."""

    def read(value: object) -> str:
        if value is None:
            return ""
        if not isinstance(value, str) or len(value) > limit:
            raise BadInputError(f"expected text of at most {limit} characters")
        return value

    return read


search: Final = text(4 * MAX_ADDRESS)
word: Final = text(60)


def choice(*known: str) -> Callable[[object], str]:
    """Read one of the known words; nothing reads as empty."""

    def read(value: object) -> str:
        if value is None:
            return ""
        if not isinstance(value, str) or value not in known:
            raise BadInputError("expected one of the offered choices")
        return value

    return read


def length(value: object) -> int | str | None:
    """Read how long a window is: a number of periods, a part of the calendar, or nothing."""
    return choice(*SPANS["week"])(value) if isinstance(value, str) else integer(value)


def integer(value: object) -> int | None:
    """Read a whole number of at most 31 bits, or nothing."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not -MOST <= value < MOST:
        raise BadInputError("expected a whole number")
    return value


def event(value: object) -> MapEvent | None:
    """Read what the map reports: `click`, `up`, `error`, `hover` or `leave`."""
    if value is None:
        return None
    parts = _object(value, limit=12)
    kind = choice("click", "up", "error", "hover", "leave")(parts.get("kind"))
    if kind not in ("click", "hover"):
        if not kind:
            raise BadInputError("expected a kind of event")
        return MapEvent(kind)
    index = integer(parts.get("index"))
    if index is None or index < 0:
        raise BadInputError("expected an index")
    return MapEvent(
        kind=kind,
        layer=choice("areas", "cells")(parts.get("layer")),
        level=choice("city", "county", "township", "community", "grid")(parts.get("level")),
        index=index,
        resolution=integer(parts.get("resolution")) or 0,
    )


@dataclass(frozen=True)
class Range:
    """Labels of the first and the last period that were marked on a chart; empty = let go."""

    first: str = ""
    last: str = ""


def marked(value: object) -> Range | None:
    """Read what was marked on a chart: two labels, `reset`, or nothing."""
    if value is None:
        return None
    parts = _object(value, limit=4)
    if parts.get("reset") is True:
        return Range()
    first, last = word(parts.get("first")), word(parts.get("last"))
    if not (first and last):
        raise BadInputError("expected two labels")
    return Range(first, last)


def camera(value: object) -> Camera | str | None:
    """Read where the user moved the map: a camera, `reset`, or nothing."""
    if value is None:
        return None
    parts = _object(value, limit=12)
    if parts.get("reset") is True:
        return "reset"
    numbers = [parts.get(name) for name in ("lng", "lat", "zoom")]
    if not all(
        isinstance(n, int | float) and not isinstance(n, bool) and math.isfinite(n) for n in numbers
    ):
        raise BadInputError("expected lng, lat and zoom")
    found = check_camera([float(n) for n in numbers])  # type: ignore[arg-type]
    if found is None:
        raise BadInputError("the camera is out of range")
    return found


def _object(value: object, *, limit: int) -> dict[str, Any]:
    if not isinstance(value, dict) or len(value) > limit:
        raise BadInputError(f"expected an object of at most {limit} fields")
    return value
