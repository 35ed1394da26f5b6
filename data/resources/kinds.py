"""Kinds of facilities and resources: the shipped code table `resources.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

FILE: Final = "resources.toml"
POST, UNIT = "post", "unit"


@dataclass(frozen=True)
class FacilityKind:
    """A kind of inspection point; `cycle_days` None = how often is not known."""

    code: str
    name_zh: str
    name_en: str
    cycle_days: int | None


@dataclass(frozen=True)
class ResourceKind:
    """A kind of post (which stays where it is) or of unit (which moves)."""

    code: str
    name_zh: str
    name_en: str
    is_unit: bool


@cache
def facility_kinds() -> dict[str, FacilityKind]:
    """Kinds of facilities by code, in the order of the table."""
    return {
        row["code"]: FacilityKind(
            row["code"], row["name_zh"], row["name_en"], row.get("cycle_days")
        )
        for row in _read()["facility"]
    }


@cache
def resource_kinds() -> dict[str, ResourceKind]:
    """Kinds of posts and units by code, in the order of the table."""
    return {
        row["code"]: ResourceKind(row["code"], row["name_zh"], row["name_en"], row["class"] == UNIT)
        for row in _read()["resource"]
    }


def _read() -> dict[str, Any]:
    return tomllib.loads(files("data").joinpath("reference", FILE).read_text(encoding="utf-8"))
