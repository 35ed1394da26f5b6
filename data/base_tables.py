"""Stored tables of the base of the analysis: expected counts, rates, trust, completeness."""

from __future__ import annotations

from typing import Final

from data.columns import Column, Table

_END: Final = Column("period_end", "date", "first day of the window's last period")
_GROUP: Final = Column("group", "text", "`all` or a name of groups.toml")
_COUNTS: Final = (
    Column("observed", "int", "reported incidents of the period, as known"),
    Column("expected", "float", "reported incidents expected to be known", nullable=True),
    Column("lower", "float", "5 % point, whole incidents", nullable=True),
    Column("upper", "float", "95 % point, whole incidents", nullable=True),
)

BASE_TABLES: Final[dict[str, Table]] = {
    "expected": Table(
        "one per level, period, area valid on its last day and group; at the lowest level only "
        "where something was observed or at least 0.005 incidents were expected",
        (
            Column("level", "text"),
            _END,
            Column("area_index", "int"),
            _GROUP,
            *_COUNTS,
            Column("size", "float", "of the negative binomial; inf = Poisson", nullable=True),
            Column("complete", "float", "share of the incidents that is known", nullable=True),
        ),
        ("level", "period_end", "area_index", "group"),
    ),
    "expected_cells": Table(
        "one per H3 cell, one of the newest periods, and group where something was observed, or at "
        "least 0.005 incidents were expected in a cell that had one before",
        (
            Column("resolution", "int"),
            Column("cell", "long", "H3 index"),
            _END,
            _GROUP,
            *_COUNTS,
        ),
        ("cell", "period_end", "group"),
    ),
    "area_rates": Table(
        "one per level, window end, area valid on its last day and denominator that the city "
        "knows; windows of one period, for communities and grids of four weeks",
        (
            Column("level", "text"),
            _END,
            Column("area_index", "int"),
            Column("denominator", "text", "residents, households or km2"),
            Column("per", "float", "units of the denominator that a rate is told for"),
            Column("periods", "int", "in the window"),
            Column("count", "int", "reported incidents in the window, as known"),
            Column(
                "exposure", "float", "`per` × periods, by days valid and share known", nullable=True
            ),
            Column("rate", "float", "incidents per `per` and period", nullable=True),
            Column("lower", "float", "exact 5 % bound of the rate", nullable=True),
            Column("upper", "float", "exact 95 % bound of the rate", nullable=True),
            Column("shrunk_rate", "float", "posterior mean", nullable=True),
            Column("posterior_lower", "float", "5 % point of the posterior", nullable=True),
            Column("posterior_upper", "float", "95 % point of the posterior", nullable=True),
            Column("p_high", "float", "P(rate > 1.5 × the parent's)", nullable=True),
            Column("rank", "float", "1 = surest above 1.5 × the city's rate", nullable=True),
            Column("rank_lower", "float", "5 % point of the rate's rank", nullable=True),
            Column("rank_upper", "float", "95 % point of the rate's rank", nullable=True),
        ),
        ("level", "period_end", "area_index", "denominator"),
    ),
    "area_trust": Table(
        "one per level, window end and area valid on its last day; windows as of `area_rates`",
        (
            Column("level", "text"),
            _END,
            Column("area_index", "int"),
            Column("reported", "int", "incidents that people reported"),
            Column("discovered", "int", "incidents that patrols found"),
            Column("discovered_share", "float", "0-1", nullable=True),
            Column("unplaced_share", "float", "0-1, placed in none of its children", nullable=True),
            Column("complete", "float", "share of the incidents that is known"),
            Column("silent_sources", "text", "names of sources gone silent, joined by spaces"),
            Column("is_silent", "bool", "a source of the area has gone silent"),
        ),
        ("level", "period_end", "area_index"),
    ),
    "completeness": Table(
        "one per group and day",
        (
            _GROUP,
            Column("day", "date", "city time"),
            Column("share", "float", "of the day's incidents that is known, 0-1"),
            Column("is_complete", "bool", "at least 97 % known"),
        ),
        ("group", "day"),
    ),
}
