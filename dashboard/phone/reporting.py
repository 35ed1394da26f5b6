"""
A hazard or event that somebody reports from the street: read strictly, placed, put into the log.

It becomes an incident like any other, of a source of its own: one row of a class, a severity, a
time and a point; no names, no text, no picture. The source is the one of the city folder that takes
pushes and whose channel is `phone`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import numpy as np
import shapely

from dashboard.areas import Area, hierarchy
from dashboard.phone.own import last_day
from dashboard.phone.small_map import contains
from dashboard.phone.tracking import stored_key
from data.access import decide
from data.city import CityError, folder_hash, read_city
from data.intake import Intake
from data.records import rows_chunk
from data.source import SEVERITIES
from geo.tile_shapes import mercator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from data.access import Scope
    from data.intake import Batch
    from data.settings import Settings
    from data.source import Source
    from data.store import Snapshot

CHANNEL: Final = "phone"
FRAMES: Final = ("WGS84", "CGCS2000")
"""Frames in which a phone tells its place; the two differ by centimetres."""

OLDEST: Final = dt.timedelta(days=30)
AHEAD: Final = dt.timedelta(minutes=10)

_KEY: Final = re.compile(r"[0-9a-f]{32}")
_DEGREES: Final = re.compile(r"-?[0-9]{1,3}(?:\.[0-9]{1,9})?")
_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?Z"
)


class ReportError(ValueError):
    """A report that is not taken in; `fault` names why, for the reader's words."""

    def __init__(self, fault: str) -> None:
        super().__init__(fault)
        self.fault = fault


@dataclass(frozen=True)
class Report:
    """What somebody saw; degrees are WGS 84, `at` is UTC."""

    key: str
    category: str
    severity: int
    lng: float
    lat: float
    at: dt.datetime


def read_report(form: Mapping[str, str], *, now: dt.datetime) -> Report:
    """
    Read the fields of a form.

    Raises
    ------
    ReportError
        A field is missing, is not of its form, or tells a time that cannot be.
    """
    key, severity = form.get("key", ""), form.get("severity", "")
    lng, lat, stamp = form.get("lng", ""), form.get("lat", ""), form.get("at", "")
    if not _KEY.fullmatch(key):
        raise ReportError("form")
    if severity not in {str(one) for one in SEVERITIES}:
        raise ReportError("severity")
    if not (_DEGREES.fullmatch(lng) and _DEGREES.fullmatch(lat)):
        raise ReportError("place")
    if not _TIME.fullmatch(stamp):
        raise ReportError("time")
    try:
        at = dt.datetime.fromisoformat(stamp)
    except ValueError:
        raise ReportError("time") from None
    if not now - OLDEST <= at <= now + AHEAD:
        raise ReportError("time")
    where = float(lng), float(lat)
    if abs(where[0]) > 180 or abs(where[1]) > 85:
        raise ReportError("place")
    category = form.get("category", "")
    return Report(key, category, int(severity), where[0], where[1], at)


def place(scope: Scope, snapshot: Snapshot, report: Report) -> Area:
    """
    Area of those that the scope may report from in which the point lies.

    Raises
    ------
    ReportError
        It lies in none.
    """
    granted = decide(scope, "report_event").areas
    tree, day = hierarchy(scope, snapshot), last_day(snapshot)
    x, y = mercator(report.lng, report.lat)
    point = shapely.Point(float(x), float(y))
    for areas in tree.levels:
        here = areas.visible & areas.valid_on(day)
        here &= np.isin(areas.codes, [code for level, code in granted if level == areas.level])
        west, south, east, north = areas.bounds.T
        here &= (west <= report.lng) & (report.lng <= east)
        here &= (south <= report.lat) & (report.lat <= north)
        for index in np.flatnonzero(here).tolist():
            found = Area(areas.level, index)
            if contains(snapshot, found, areas.bounds[index], point):
                return found
    raise ReportError("outside")


def check_category(snapshot: Snapshot, code: str) -> None:
    """
    Let through a class that can be chosen: one that has no classes under it.

    Raises
    ------
    ReportError
        It is none.
    """
    table = snapshot.categories
    parents = set(table["parent_code"].dropna())
    if code not in set(table["code"]) - parents:
        raise ReportError("category")


@dataclass
class Reports:
    """Takes reports in for one application; the source is read as the city folder stands now."""

    settings: Settings
    _known: tuple[str, Source | None] = field(default=("", None))

    def __post_init__(self) -> None:
        self.intake = Intake(self.settings.home)

    def source(self) -> Source | None:
        """
        Source of what phones report; None where no city folder is set or none of it is meant.

        Raises
        ------
        CityError, OSError
            The folder cannot be read, or the source cannot hold what a phone tells.
        """
        if not self.settings.city:
            return None
        folder = Path(self.settings.city)
        if not folder.is_dir():
            raise CityError(f"PINGAN_CITY: {folder} is no folder")
        rules = folder_hash(folder)
        if rules != self._known[0]:
            city = read_city(folder, home=self.settings.home)
            meant = [one for one in city.sources if one.push and one.channel == CHANNEL]
            for one in meant:
                _check_source(one)
            self._known = (rules, meant[0] if meant else None)
        return self._known[1]

    def find(self, source: Source, code: str) -> Batch | None:
        """Batch of a report; None where there is none."""
        return self.intake.find(source.name, "", stored_key(code))

    def take(self, source: Source, report: Report, code: str, *, now: dt.datetime) -> Batch:
        """
        Put a report into the log; when this returns, it is on disk.

        Sent again under its key it is the same report, whatever the answer of the first time was.

        Raises
        ------
        ReportError
            The key was used for something else.
        IntakeError, sqlite3.Error
            It cannot be taken in now.
        """
        # What was sent, not what is written of it: that depends on when it arrives.
        told = json.dumps([stored_key(code), report.at.isoformat(), *_seen(report)])
        content = hashlib.sha256(told.encode()).hexdigest()
        row = _row(source, report, code, now)
        batch, _ = self.intake.land(
            source,
            [rows_chunk(source, [row])],
            kind="push",
            name=f"phone {now.astimezone(ZoneInfo(source.time_zone)).date()}",
            content=content,
            now=now,
            headings=sorted(row),
            idempotency_key=stored_key(code),
        )
        if batch.content != content:
            raise ReportError("used")
        return batch


def _check_source(source: Source) -> None:
    """
    Check that a source can hold what a phone tells.

    Raises
    ------
    CityError
        It cannot; with what is wrong.
    """
    missing = {"incident_id", "occurred_at", "category", "severity", "lng", "lat"}
    missing -= set(source.columns)
    faults = [f"[columns] must name `{name}`" for name in sorted(missing)]
    if source.frame not in FRAMES:
        faults.append(f"`frame` must be {' or '.join(FRAMES)}: a phone tells nothing else")
    if source.origin != "discovered":
        faults.append('`origin` must be "discovered"')
    if source.category_codes or source.category_book or source.severity_codes:
        faults.append("classes and severities are the city's own: no code table may stand")
    if faults:
        raise CityError(f"sources/{source.name}.toml: {'; '.join(faults)}")


def _seen(report: Report) -> tuple[str, str, str, str]:
    """Class, severity and place as they are written."""
    return report.category, str(report.severity), f"{report.lng:.6f}", f"{report.lat:.6f}"


def _row(source: Source, report: Report, code: str, now: dt.datetime) -> dict[str, object]:
    """The report by the source's own names; a phone's clock that is ahead counts as now."""
    told = {
        "incident_id": f"M{code}",
        "occurred_at": _written(min(report.at, now), source),
        "reported_at": _written(now, source),
        **dict(zip(("category", "severity", "lng", "lat"), _seen(report), strict=True)),
    }
    return {source.columns[ours]: text for ours, text in told.items() if ours in source.columns}


def _written(moment: dt.datetime, source: Source) -> str:
    """A moment as the source's first format writes it, in the source's zone."""
    return moment.astimezone(ZoneInfo(source.time_zone)).strftime(source.time_format[0])
