"""
Live pushes: `POST /api/v1/units` and `POST /api/v1/crowds` with a token, nothing else.

The body is read strictly: a key that is not named here, such as a person's name, refuses the whole
push. The server's clock tells when a row came and when it ends.
"""

from __future__ import annotations

import datetime as dt
import logging
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from flask import Response, request

from dashboard import api as push_api
from dashboard.pushed import PushError, read_push
from data.city import CityError, read_city
from data.personal import names_a_person
from data.resources.kinds import resource_kinds
from data.resources.live import (
    CROWDS,
    LONGEST,
    SHORTEST,
    TTL,
    UNITS,
    Crowd,
    LiveStore,
    Unit,
)
from data.state.database import StateError
from geo import cells as h3_cells
from geo.crs import NAMED_FRAMES, to_wgs84

if TYPE_CHECKING:
    from flask import Flask

    from dashboard.api import Api

log = logging.getLogger("dashboard")

MOST: Final = 2_000
"""Rows at once."""

MOST_PEOPLE: Final = 10_000_000
_CODE: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,39}")
_CELL: Final = re.compile(r"[0-9a-f]{15}")
_RESOLUTIONS: Final = (8, 9)
_KEYS: Final = {
    UNITS: {"unit", "kind", "area_code", "lng", "lat", "frame", "ttl_s"},
    CROWDS: {"cell", "area_code", "count", "ttl_s"},
}
_NEEDED: Final = {
    UNITS: {"unit", "kind", "area_code", "lng", "lat"},
    CROWDS: {"cell", "area_code", "count"},
}


def register(server: Flask, api: Api) -> None:
    """Add the two endpoints; the guard lets them pass, they ask for a token themselves."""
    store = LiveStore(api.database)

    @server.post("/api/v1/units", endpoint="live_units")
    def units() -> Response:
        return answer(api, store, UNITS)

    @server.post("/api/v1/crowds", endpoint="live_crowds")
    def crowds() -> Response:
        return answer(api, store, CROWDS)


def answer(api: Api, store: LiveStore, what: str) -> Response:
    """Take in the rows of this request, all or none, or say why not."""
    token = push_api.admitted(api)
    if what not in token.sources:
        push_api.refuse(403, f"this token may not push {what}")
    now = push_api.utc_now()
    try:
        _, rows = read_push(request.get_data(cache=True), request.mimetype, what)
        _check(rows, what)
        withheld = 0
        if what == UNITS:
            found = [_unit(row, token.name, now) for row in rows]
            store.put_units(found, now=now)
        else:
            counted = [_crowd(row, token.name, now) for row in rows]
            withheld = store.put_crowds(counted, least=_least(api), now=now)
    except PushError as error:
        push_api.refuse(error.status, str(error))
    except (StateError, CityError, OSError):
        log.exception("a live push was not taken in")
        push_api.refuse(503, "not taken in; send it again", retry=True)
    told = {"taken_in": len(rows) - withheld, "withheld": withheld, "at": now.isoformat()}
    return push_api.json_answer(200, told)


def _least(api: Api) -> int:
    """Least count that signed-in users may see (`[privacy]` of the city)."""
    return read_city(Path(api.settings.city), home=api.settings.home).privacy.k_internal


def _check(rows: list[Any], what: str) -> None:
    if len(rows) > MOST:
        raise PushError(f"{len(rows):,} rows; send at most {MOST:,} at once", status=413)
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            raise PushError(f"row {number} is no object")
        if set(row) - _KEYS[what]:
            raise PushError(f"row {number} has keys beside {', '.join(sorted(_KEYS[what]))}")
        if missing := sorted(_NEEDED[what] - set(row)):
            raise PushError(f"row {number} lacks {', '.join(missing)}")
    texts = [str(row[name]) for row in rows for name in _NEEDED[what] & {"unit", "area_code"}]
    if names_a_person(texts, is_number=True).any():
        raise PushError("a value looks like a personal number; units are numbers of their own")


def _unit(row: dict[str, Any], sender: str, now: dt.datetime) -> Unit:
    kind, frame = row["kind"], row.get("frame", "WGS84")
    kinds = [code for code, one in resource_kinds().items() if one.is_unit]
    if kind not in kinds:
        raise PushError(f"`kind` must be one of {', '.join(kinds)}")
    if frame not in NAMED_FRAMES:
        raise PushError(f"`frame` must be one of {', '.join(NAMED_FRAMES)}")
    east, north = (np.array([_number(row[axis], axis)]) for axis in ("lng", "lat"))
    lng, lat = (float(axis[0]) for axis in to_wgs84(east, north, frame=frame))
    if not (math.isfinite(lng) and math.isfinite(lat)) or (lng, lat) == (0, 0):
        raise PushError("`lng`, `lat` are no point")
    return Unit(
        sender, _code(row["unit"], "unit"), kind, _code(row["area_code"], "area_code"), lng, lat,
        now, now + _ttl(row),
    )  # fmt: skip


def _crowd(row: dict[str, Any], sender: str, now: dt.datetime) -> Crowd:
    cell, count = row["cell"], row["count"]
    if not isinstance(cell, str) or not _CELL.fullmatch(cell):
        raise PushError("`cell` must be 15 hexadecimal digits")
    number = int(cell, 16)
    try:
        h3_cells.cell_centres(np.array([number], dtype=np.int64))
    except ValueError:
        raise PushError("`cell` is no H3 cell") from None
    if (number >> 52) & 0xF not in _RESOLUTIONS:
        raise PushError("`cell` must be of resolution 8 or 9")
    if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= MOST_PEOPLE:
        raise PushError("`count` must be a whole number, 0 or more")
    area = _code(row["area_code"], "area_code")
    return Crowd(sender, number, area, count, now, now + _ttl(row))


def _code(value: Any, name: str) -> str:
    if not isinstance(value, str) or not _CODE.fullmatch(value):
        raise PushError(f"`{name}` must be up to 40 letters, digits, - or _")
    return value


def _number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PushError(f"`{name}` must be a number")
    return float(value)


def _ttl(row: dict[str, Any]) -> dt.timedelta:
    if "ttl_s" not in row:
        return TTL
    least, most = int(SHORTEST.total_seconds()), int(LONGEST.total_seconds())
    seconds = _number(row["ttl_s"], "ttl_s")
    if not least <= seconds <= most:
        raise PushError(f"`ttl_s` must be {least} to {most}")
    return dt.timedelta(seconds=seconds)
