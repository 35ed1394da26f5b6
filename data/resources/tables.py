"""Stored tables of facilities, posts, units and patrol counts."""

from __future__ import annotations

from typing import Final

from data.columns import Column, Table

_PLACE: Final = (
    Column("area_row", "int", "row of `areas`: the lowest area, -1 = in none"),
    Column("cell", "long", "H3 index of resolution 9; null without a point", nullable=True),
    Column("lng", "float", "degrees, WGS 84", nullable=True),
    Column("lat", "float", "degrees, WGS 84", nullable=True),
)
_AREA: Final = (Column("level", "text"), Column("area_index", "int", "-1 = placed in none"))

RESOURCE_TABLES: Final[dict[str, Table]] = {
    "facilities": Table(
        "one per inspection point that a register holds now: its kind and number, no name",
        (
            Column("facility_id", "text", "register:number"),
            Column("register", "text"),
            Column("kind", "text", "code of resources.toml"),
            *_PLACE,
            Column("cycle_days", "int", "days from one inspection to the next", nullable=True),
            Column("last_inspected", "date", "city time", nullable=True),
            Column("due_on", "date", "last day in time", nullable=True),
            Column("state", "text", "ok, due, overdue or unknown"),
            Column("overdue_days", "int", "whole days past `due_on`, 0 = in time", nullable=True),
        ),
        ("facility_id",),
    ),
    "facilities_due": Table(
        "one per level, area and kind with a facility; total = overdue + due_7d + ok + unknown",
        (
            Column("as_of", "date", "day that the counts stand for"),
            *_AREA,
            Column("kind", "text", "code of resources.toml"),
            Column("total", "int", "facilities"),
            Column("overdue", "int", "facilities whose day has passed"),
            Column("due_7d", "int", "facilities due on that day or within the 7 days after it"),
            Column("ok", "int", "facilities due later"),
            Column("unknown", "int", "facilities whose inspection or cycle is not told"),
            Column("oldest_overdue_days", "int", "days; empty = none is overdue", nullable=True),
        ),
        ("level", "area_index", "kind"),
    ),
    "resources": Table(
        "one per post or unit that a register holds now: its kind and number, no name",
        (
            Column("resource_id", "text", "register:number"),
            Column("register", "text"),
            Column("kind", "text", "code of resources.toml"),
            *_PLACE,
        ),
        ("resource_id",),
    ),
    "patrol_coverage": Table(
        "one per week, level and area of which visits were told; none = no data, 0 = no visit",
        (
            Column("week_start", "date", "Monday, city time"),
            *_AREA,
            Column("visits", "int", "visits of patrols, never whose"),
            Column("told", "int", "lowest areas whose visits are told"),
            Column("areas", "int", "lowest areas valid on that day: what `told` is of"),
        ),
        ("week_start", "level", "area_index"),
    ),
    "register_accounts": Table(
        "one per register and file: read = accepted + quarantined + duplicate",
        (
            Column("register", "text"),
            Column("file", "text"),
            Column("read", "int", "rows"),
            Column("accepted", "int", "rows"),
            Column("quarantined", "int", "rows"),
            Column("duplicate", "int", "rows that say nothing new"),
        ),
        ("register", "file"),
    ),
    "register_quarantine": Table(
        "one per row of a register that cannot be used; its values are not kept",
        (
            Column("register", "text"),
            Column("file", "text"),
            Column("row", "int", "1 = first data row"),
            Column("reason", "text"),
            Column("field", "text"),
        ),
        ("register", "file", "row"),
    ),
}
"""Table name to its description; `etl.registers` writes them, all or none."""
