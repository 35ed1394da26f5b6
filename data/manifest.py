"""The manifest of a snapshot: what it says of itself, and how one sees that it is whole."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from data.periods import Grain


class SnapshotError(RuntimeError):
    """A snapshot is missing, of another schema version, or damaged."""


class NoSnapshotError(SnapshotError):
    """Nothing has been published under this home yet."""


@dataclass(frozen=True)
class Manifest:
    """What one snapshot consists of; `raw` is the stored JSON object."""

    raw: dict[str, Any]

    @property
    def id(self) -> str:
        """Snapshot id, in order of time."""
        return str(self.raw["snapshot"])

    @property
    def city(self) -> dict[str, Any]:
        """The city's code, names, notices, time zone, grain, exposure unit and bands."""
        return dict(self.raw["city"])

    @property
    def grain(self) -> Grain:
        """Grain of the counted periods."""
        grain: Grain = self.raw["city"]["grain"]
        return grain

    @property
    def levels(self) -> list[dict[str, Any]]:
        """Levels from the top down: level, name_zh, name_en, count, min_zoom, max_zoom."""
        return list(self.raw["levels"])

    @property
    def cells(self) -> list[dict[str, Any]]:
        """Cell resolutions: resolution, count, min_zoom, max_zoom."""
        return list(self.raw["cells"])

    @property
    def boundary_version(self) -> str:
        """Hash of the boundaries; names the area tiles for ever."""
        return str(self.raw["boundary_version"])

    @property
    def cell_version(self) -> str:
        """Hash of the cell registers; names the cell tiles for ever."""
        return str(self.raw["cell_version"])

    @property
    def first_period(self) -> dt.date:
        """First counted period."""
        return dt.date.fromisoformat(self.raw["periods"]["first"])

    @property
    def last_period(self) -> dt.date:
        """Last complete counted period."""
        return dt.date.fromisoformat(self.raw["periods"]["last"])

    @property
    def rows(self) -> dict[str, Any]:
        """
        Row account.

        `read` = `accepted` + `quarantined` + `duplicate` + `refused`, and `incidents` = `accepted`
        - `superseded`; besides what has no point or is not placed, and why rows were turned away.
        """
        return dict(self.raw["rows"])


def checksum(manifest: dict[str, Any]) -> str:
    """SHA-256 of what a manifest says besides its own `checksum`."""
    said = {key: value for key, value in manifest.items() if key != "checksum"}
    text = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
