"""Stored tables of the risk index: what is shown, and every figure that it is made of."""

from __future__ import annotations

from typing import Final

from data.columns import Column, Table

_END: Final = Column("period_end", "date", "first day of the window's last period")

INDEX_TABLES: Final[dict[str, Table]] = {
    "area_index": Table(
        "one per level and area valid on the period's last day; levels count for themselves",
        (
            Column("level", "text"),
            _END,
            Column("area_index", "int"),
            Column("status", "text", "`ok`, or why the area is grey"),
            Column("risk", "float", "0-100, high = bad; empty = grey", nullable=True),
            Column("safety_index", "float", "100 - risk", nullable=True),
            Column("colour", "int", "as shown: 0 grey, 1 lowest to 4 red"),
            Column("raw_colour", "int", "by risk and dimensions, before the gate"),
            Column("gated_colour", "int", "after the gate"),
            Column("p", "float", "P(so many incidents | baseline) of the gate", nullable=True),
            Column("n", "int", "reported incidents in the window"),
            Column("override", "text", "rule that decided, empty text = none"),
            Column("held", "bool", "shown only because it was higher before"),
            Column("stability", "float", "share of draws that reach gated_colour", nullable=True),
            Column("is_firm", "bool", "false = the next lower colour, marked as on the border"),
            Column("small_sample", "bool"),
            Column("missing_weight", "float", "share of the weight without data"),
            *(Column(f"d{d}", "float", "points of a dimension", nullable=True)
              for d in range(1, 7)),
            Column("rank_lower", "int", "best rank when weights move, 1 = highest risk; 0 = none"),
            Column("rank_upper", "int", "worst rank"),
            Column("repeat_red", "int", "red windows in a row, overlapping ones counted once"),
            Column("config", "text", "version of the settings"),
        ),
        ("level", "period_end", "area_index"),
    ),
    "index_trace": Table(
        "one per level, area and indicator; the lowest level only for the newest periods",
        (
            Column("level", "text"),
            _END,
            Column("area_index", "int"),
            Column("indicator", "int", "1-28, the id in index.toml"),
            Column("count", "float", "incidents, weights, days or cells counted", nullable=True),
            Column("exposure", "float", "what it is counted against, or the whole of a share",
                   nullable=True),
            Column("baseline", "float", "what the own past leads one to expect of `count`",
                   nullable=True),
            Column("ratio_own", "float", "to the own past", nullable=True),
            Column("ratio_peer", "float", "to the peers' past", nullable=True),
            Column("ratio_year", "float", "to the same periods last year", nullable=True),
            Column("ratio", "float", "weighted geometric mean of these", nullable=True),
            Column("points", "float", "0-100 by the curve", nullable=True),
            Column("weight", "float", "share in the risk after missing ones are dropped"),
            Column("status", "text", "`ok`, or why the indicator is missing"),
            Column("config", "text", "version of the settings"),
        ),
        ("level", "period_end", "area_index", "indicator"),
    ),
}  # fmt: skip
