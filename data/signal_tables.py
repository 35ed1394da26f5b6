"""Stored tables of the early signals and the forecasts. See docs/methods.md."""

from __future__ import annotations

from typing import Final

from data.columns import Column, Table

_AREA: Final = (Column("level", "text"), Column("area_index", "int"))
_END: Final = Column("period_end", "date", "first day of the period")
_GROUP: Final = Column("group", "text", "`all` or a name of groups.toml")
_DAY: Final = Column("day", "date", "last day of the window, as known on it")
_COLOUR: Final = Column("colour", "int", "1 blue, 2 yellow, 3 orange, 4 red: level of attention")
_MADE: Final = (
    Column("made_on", "date", "last day that had a part in it"),
    Column("period_start", "date", "first day of the period that is forecast"),
)
_FORECAST: Final = (
    Column("lower", "float", "incidents, 90 % interval"),
    Column("upper", "float", "incidents, 90 % interval"),
    Column("size", "float", "of the negative binomial, inf = Poisson"),
    Column("is_frozen", "bool", "made before its period was over"),
)
_TARGET: Final = (Column("target", "text", "a level, r8 or r9"), _GROUP)

SIGNAL_TABLES: Final[dict[str, Table]] = {
    "signals": Table(
        "one per area and group that shows a colour on a day",
        (
            _DAY,
            *_AREA,
            _GROUP,
            _COLOUR,
            Column("by", "text", "area, ring (the area with its neighbours) or cusum (slow rise)"),
            Column("window_days", "int", "days"),
            Column("observed", "float", "incidents without bulk imports"),
            Column("expected", "float", "incidents that should be known by the day"),
            Column("lower", "float", "incidents, 90 % interval of the expected"),
            Column("upper", "float", "incidents, 90 % interval of the expected"),
            Column("p", "float", "probability of such a count or a higher one"),
            Column("ratio", "float", "observed / expected"),
            Column("reached_on", "date", "last day on which the colour was reached"),
            Column("expires", "date", "first day on which it is over if not reached again"),
        ),
        ("day", "level", "area_index", "group"),
    ),
    "signal_chance": Table(
        "one per day, level, group and colour: what chance alone would give",
        (
            _DAY,
            Column("level", "text"),
            _GROUP,
            _COLOUR,
            Column("tested", "int", "areas"),
            Column("issued", "int", "areas that reached the colour on the day"),
            Column("by_chance", "float", "areas that would by chance alone"),
        ),
        ("day", "level", "group", "colour"),
    ),
    "signal_records": Table(
        "one per period, level and colour: what followed the signals of the period before",
        (
            _END,
            Column("issued_on", "date", "last day of the period before"),
            Column("level", "text"),
            _COLOUR,
            Column("issued", "int", "areas, each group by itself"),
            Column("followed", "int", "of these, with more incidents than expected"),
            Column("by_chance", "float", "of these, as many as chance alone would give"),
        ),
        ("period_end", "level", "colour"),
    ),
    "forecasts": Table(
        "one per level, valid area and group: forecast of a period",
        (
            *_MADE,
            *_AREA,
            _GROUP,
            Column("mean", "float", "incidents"),
            Column("unplaced", "float", "incidents, the part of `mean` in none of the children"),
            *_FORECAST,
        ),
        ("period_start", "level", "area_index", "group"),
    ),
    "forecast_cells": Table(
        "one per H3 cell with an incident so far, and group: forecast of a period",
        (
            *_MADE,
            Column("resolution", "int"),
            Column("cell", "long", "H3 index"),
            _GROUP,
            Column("mean", "float", "incidents"),
            *_FORECAST,
        ),
        ("period_start", "resolution", "cell", "group"),
    ),
    "scorecards": Table(
        "one per period, target, group and method: how a forecast did",
        (
            _END,
            *_TARGET,
            Column("method", "text", "ours, last_period, kde4 or history"),
            Column("events", "float", "incidents of the period"),
            Column("places", "int", "areas or cells scored"),
            Column("listed", "int", "places that make up the best 2 % of the area"),
            Column("with_event", "int", "of these, places with an incident"),
            Column("area_share", "float", "share of the area that they take", nullable=True),
            *(
                Column(
                    f"pai{share}", "float", f"hit rate / area share, best {share} %", nullable=True
                )
                for share in (1, 2, 5)
            ),
            Column("pei2", "float", "hits / most hits on that area, best 2 %", nullable=True),
            *(
                Column(
                    f"hit{share}",
                    "float",
                    f"share of incidents in the best {share} %",
                    nullable=True,
                )
                for share in (1, 2, 5)
            ),
            Column("deviance", "float", "mean Poisson deviance per place", nullable=True),
            Column("crps", "float", "incidents, mean per place", nullable=True),
            Column("coverage", "float", "share of places inside the 90 % interval", nullable=True),
            Column("is_frozen", "bool", "made before its period was over"),
        ),
        ("period_end", "target", "group", "method"),
    ),
    "forecast_verdicts": Table(
        "one per target and group: whether its forecast is shown",
        (
            Column("period_end", "date", "last scored period"),
            *_TARGET,
            Column("periods", "int", "scored periods"),
            Column("events", "float", "incidents of those periods"),
            *(
                Column(name, "float", unit, nullable=True)
                for name, unit in (
                    ("pai2", "mean over the periods"),
                    ("pei2", "mean over the periods"),
                    ("hit2", "mean over the periods"),
                    ("pai2_to_kde4", "ratio of means"),
                    ("pai2_to_kde4_lower", "90 % interval over periods"),
                    ("pai2_to_kde4_upper", "90 % interval over periods"),
                    ("pai2_to_history", "ratio of means"),
                    ("pai2_to_history_lower", "90 % interval over periods"),
                    ("pai2_to_history_upper", "90 % interval over periods"),
                    ("pai2_to_last", "ratio of means"),
                    ("deviance_to_kde4", "ratio of means"),
                    ("deviance_to_history", "ratio of means"),
                    ("deviance_to_last", "ratio of means"),
                    ("coverage", "mean over the periods"),
                )
            ),
            Column("is_shown", "bool"),
            Column("reason", "text", "shown, few_periods, fewer_hits or larger_error"),
            Column("reason_method", "text", "plain method that did better, else empty"),
        ),
        ("period_end", "target", "group"),
    ),
}
"""Table name to its description; a file per day (signals) or period."""
