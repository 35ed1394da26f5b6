"""
Epoch: everything besides the intake log that decides what a snapshot holds.

The same log under the same epoch always gives the same tables, whatever was computed before. A
change of the city folder, of a boundary or of the program opens a new epoch, and the landed rows
are processed anew from the first.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from etl import boundary_store
from etl.version import code_version

if TYPE_CHECKING:
    from pathlib import Path

    from data.city import City
    from data.source import Source
    from etl.boundaries import Boundaries

_LOADED: Final[dict[tuple[Path, str], Boundaries]] = {}

PIPELINE_VERSION: Final = 2
"""Raised when the same input gives other tables than before."""


@dataclass(frozen=True)
class Epoch:
    """
    What a task needs to know; small, so that it can be sent to any worker.

    Attributes
    ----------
    home
        Folder that every worker sees.
    boundary_version
        Names the finished boundaries under the home.
    id
        Sixteen hexadecimal digits.
    """

    home: Path
    city: City
    boundary_version: str
    id: str

    @property
    def boundaries(self) -> Boundaries:
        """The areas and their polygons, read once a process."""
        return _boundaries(self.home, self.boundary_version)

    def under(self, home: Path) -> Epoch:
        """Return the same epoch in a home that was moved or restored."""
        return replace(self, home=home)

    def has_source(self, name: str) -> bool:
        """Whether the city names a source."""
        return any(source.name == name for source in self.city.sources)

    def source(self, name: str) -> Source:
        """Look up a source of the city by its name."""
        return next(source for source in self.city.sources if source.name == name)

    def last_moment(self, ingested_at: dt.datetime) -> dt.datetime:
        """Moment after which an incident that arrived then cannot have happened."""
        return last_moment(self.city, ingested_at)


def last_moment(city: City, ingested_at: dt.datetime) -> dt.datetime:
    """
    Moment after which an incident that arrived then cannot have happened.

    The end of the last day that the city covers, where it names one; else the arrival. The
    clock at the time of processing does not matter: processing again must give the same.
    """
    if city.as_of is None:
        return ingested_at
    day_after = city.as_of + dt.timedelta(days=1)
    return dt.datetime.combine(day_after, dt.time(), tzinfo=ZoneInfo(city.time_zone))


def open_epoch(city: City, home: Path) -> Epoch:
    """
    Read the boundaries, unless the same files were read before, and name the epoch.

    Raises
    ------
    BoundaryError, geo.divisions.DivisionError
        The areas cannot be used.
    """
    built = boundary_store.boundaries_of(city, home, program=code_version())
    _LOADED[home, built.version] = built
    told = f"{city.config_hash} {built.version} {code_version()} {PIPELINE_VERSION}"
    return Epoch(home, city, built.version, hashlib.sha256(told.encode()).hexdigest()[:16])


def _boundaries(home: Path, version: str) -> Boundaries:
    if (home, version) not in _LOADED:
        _LOADED.clear()
        _LOADED[home, version] = boundary_store.load(home, version)
    return _LOADED[home, version]
