"""Stored tables of the hot spots: rows, columns, units and keys."""

from __future__ import annotations

from typing import Final

from data.columns import Column, Table

_END: Final = Column("period_end", "date", "first day of the window's last period")
_AREA: Final = (Column("level", "text"), Column("area_index", "int"))
_CELL: Final = (Column("resolution", "int"), Column("cell", "long", "H3 index"))

_LAYERS: Final = (
    Column("count", "int", "reported incidents of the window (4 weeks, or 1 month)"),
    Column("recent", "int", "of them in the last period"),
    Column("much_p", "float", "P(rate > 1.5 x rate of the parent)", nullable=True),
    Column("much", "bool", "much happens: `much_p` at least 0.95"),
    Column("gi_z", "float", "Gi* of the window's counts", nullable=True),
    Column("gi_p", "float", "exact p of Gi*, at least 1e-12", nullable=True),
    Column("clusters", "bool", "clusters: stands at the false discovery rate of the map"),
    Column("expected", "float", "incidents expected in the last period", nullable=True),
    Column("exceed_p", "float", "P(count of the last period >= `recent`)", nullable=True),
    Column("ring_p", "float", "the same with all neighbours", nullable=True),
    Column("more", "bool", "more than expected: stands at the false discovery rate"),
    Column("pattern", "text", "one of 16 codes, or none; empty = series too short", nullable=True),
    Column("pattern_group", "text", "one of 5 groups, or none; empty as above", nullable=True),
)
_ONLY: Final = "with an incident in the window, a flag or a pattern group"

HOTSPOT_TABLES: Final[dict[str, Table]] = {
    "area_hotspots": Table(
        f"one per period and area of the two lowest levels {_ONLY}; others: count 0, no flag",
        (_END, *_AREA, *_LAYERS),
        ("period_end", "level", "area_index"),
    ),
    "cell_hotspots": Table(
        f"one per period and cell of resolution 7 to 9 {_ONLY}; others: count 0, no flag",
        (
            _END,
            *_CELL,
            *_LAYERS,
            Column("stable", "bool", "`clusters` here and at an adjacent resolution"),
        ),
        ("period_end", "resolution", "cell"),
    ),
    "hotspot_agreement": Table(
        "one per period and pair of adjacent resolutions: how far their hot spots differ",
        (
            _END,
            Column("coarse", "int", "resolution"),
            Column("fine", "int", "resolution"),
            Column("coarse_area_share", "float", "share of cells that are hot", nullable=True),
            Column("fine_area_share", "float", "share of cells that are hot", nullable=True),
            Column("coarse_incident_share", "float", "share of incidents in them", nullable=True),
            Column("fine_incident_share", "float", "share of incidents in them", nullable=True),
            Column(
                "coarse_only",
                "float",
                "of incidents hot at the coarse resolution, the share that is not at the fine one",
                nullable=True,
            ),
            Column("fine_only", "float", "the other way round", nullable=True),
        ),
        ("period_end", "coarse"),
    ),
    "scan_clusters": Table(
        "one per cluster of the space-time scan of a period, the most unusual first",
        (
            _END,
            Column("rank", "int", "1 = most unusual"),
            Column("lng", "float", "degrees, WGS 84: centre of the middle area"),
            Column("lat", "float", "degrees, WGS 84"),
            Column("radius_km", "float", "to the farthest member's centre"),
            Column("n_areas", "int", "areas of the lowest level"),
            Column("periods", "int", "how many of the last periods it spans"),
            Column("observed", "int", "incidents"),
            Column("expected", "float", "incidents"),
            Column("llr", "float", "log-likelihood ratio"),
            Column("p", "float", "chance of as large a ratio anywhere in the city"),
            Column("members", "text", "`area_index` of the lowest level, spaces between"),
        ),
        ("period_end", "rank"),
    ),
    "frequent_places": Table(
        "one per place and category with at least 3 reported incidents within 30 days",
        (
            _END,
            Column("place", "text", "cell (H3 resolution 10) or area (lowest level)"),
            Column("level", "text", "of the area", nullable=True),
            Column("area_index", "int", "-1 = the place is a cell"),
            Column("cell", "long", "H3 index; 0 = the place is an area"),
            Column("category_index", "int"),
            Column("count", "int", "incidents"),
        ),
        ("period_end", "place", "area_index", "cell", "category_index"),
    ),
    "frequent_types": Table(
        "one per level and area with a reported incident within 30 days: its commonest category",
        (
            _END,
            *_AREA,
            Column("category_index", "int"),
            Column("count", "int", "incidents of it"),
            Column("share", "float", "of the area's incidents, 0-1"),
        ),
        ("period_end", "level", "area_index"),
    ),
    "near_repeats": Table(
        "one per group and band of distance and of time: pairs of incidents against chance",
        (
            _END,
            Column("group", "text", "a name of groups.toml"),
            Column("metres", "int", "upper end of the band of distance"),
            Column("days", "int", "upper end of the band of time"),
            Column("pairs", "int", "found"),
            Column("expected", "float", "pairs by chance"),
            Column("ratio", "float", "pairs / expected", nullable=True),
            Column("p", "float", "share of random deals with as many pairs"),
            Column("sampled", "float", "share of the incidents looked at"),
        ),
        ("period_end", "group", "metres", "days"),
    ),
}
