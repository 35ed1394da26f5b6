"""Stored tables of the clocks of an incident's steps, and of the effects of marked actions."""

from __future__ import annotations

from typing import Final

from data.columns import Column, Table

_AREA: Final = (Column("level", "text"), Column("area_index", "int"))
_END: Final = Column("period_end", "date", "first day of the window's last period")
_GROUP: Final = Column("group", "text", "`all` or a name of groups.toml")

DEADLINE_TABLES: Final[dict[str, Table]] = {
    "clock_states": Table(
        "one per level, area, group and clock with a clock of an incident received in the last "
        "`window_days` of clocks.toml, or one that still runs: how they stand at the newest day",
        (
            _END,
            *_AREA,
            _GROUP,
            Column("clock", "text", "a name of clocks.toml"),
            Column("started", "int", "clocks: in_time + late + running + overdue"),
            Column("in_time", "int", "clocks"),
            Column("late", "int", "clocks, done after their time"),
            Column("running", "int", "clocks, still in time"),
            Column("overdue", "int", "clocks, not done and over their time"),
            Column("unknown", "int", "clocks of which the source does not tell the times"),
            Column("expected_breach_6h", "float", "clocks due by then and not kept", nullable=True),
            Column("expected_breach_24h", "float", "as above", nullable=True),
            Column("oldest_overdue_days", "float", "days", nullable=True),
            Column("days", "text", "calendar, working, or weekdays (holidays not announced)"),
        ),
        ("period_end", "level", "area_index", "group", "clock"),
    ),
    "open_clocks": Table(
        "one per urgent clock (due within 24 hours, or overdue), the 5,000 most urgent",
        (
            _END,
            Column("rank", "int", "1 = most urgent"),
            Column("total", "int", "urgent clocks, those beyond the list included"),
            Column("identity", "long", "as in `incidents`; 0 = not given"),
            Column("level", "text", "of the lowest area", nullable=True),
            Column("area_index", "int", "-1 = placed in none"),
            Column("category_index", "int"),
            Column("severity", "int", "1-4, 0 = unknown"),
            Column("clock", "text", "a name of clocks.toml"),
            Column("started_at", "time", "UTC"),
            Column("due_at", "time", "UTC"),
            Column("is_overdue", "bool"),
            Column("p_6h", "float", "chance to be due by then and not kept", nullable=True),
            Column("p_24h", "float", "as above", nullable=True),
        ),
        ("period_end", "rank"),
    ),
    "clock_curves": Table(
        "one per clock, group, severity, allowance and hour: Kaplan-Meier curve of at least "
        "`least_at_risk` clocks",
        (
            _END,
            Column("group", "text", "`all`, a name of groups.toml, or `none`"),
            Column("severity", "int", "1-4, 0 = unknown; empty = all", nullable=True),
            Column("clock", "text", "a name of clocks.toml"),
            Column("allowed_days", "int", "whole days; empty = all", nullable=True),
            Column("hours", "int", "hours of work since the start"),
            Column("survival", "float", "share not done by then"),
            Column("at_risk", "int", "clocks still running just before"),
            Column("lower", "float", "5 % point, Greenwood, log-log", nullable=True),
            Column("upper", "float", "95 % point", nullable=True),
            Column("n", "int", "clocks"),
        ),
        ("period_end", "clock", "group", "severity", "allowed_days", "hours"),
    ),
    "resolution_cohorts": Table(
        "one per level, area and group with an incident that the city came to know in the period",
        (
            _END,
            *_AREA,
            _GROUP,
            Column("received", "int", "incidents whose source tells resolutions: the denominator"),
            Column("resolved_7d", "int", "of them within 7 days; empty = too early", nullable=True),
            Column("resolved_30d", "int", "of them within 30 days", nullable=True),
            Column("resolved", "int", "of them so far"),
            Column("open", "int", "of them not yet"),
            Column("unknown", "int", "further incidents whose source does not tell"),
            Column("reopened_30d", "int", "empty = no source tells it", nullable=True),
        ),
        ("period_end", "level", "area_index", "group"),
    ),
    "effects": Table(
        "one per period and marked action: the change against matched peer areas",
        (
            _END,
            Column("action", "text", "id in actions.csv, or of a signed letter"),
            *_AREA,
            _GROUP,
            Column("kind", "text", "kind of action"),
            Column("day", "date", "of the action"),
            Column("before", "int", "incidents in the area before", nullable=True),
            Column("after", "int", "incidents in the area after", nullable=True),
            Column("before_periods", "int"),
            Column("after_periods", "int"),
            Column("peers", "int", "areas compared with"),
            Column("peer_before", "int", "incidents in the peers", nullable=True),
            Column("peer_after", "int", "incidents in the peers", nullable=True),
            Column("ratio", "float", "after / before against the peers'", nullable=True),
            Column("lower", "float", "5 % point", nullable=True),
            Column("upper", "float", "95 % point", nullable=True),
            Column("placebos", "int", "areas without an action that give the interval"),
            Column("verdict", "text", "fell, rose or cannot_tell"),
            Column("reason", "text", "why it cannot be told", nullable=True),
        ),
        ("period_end", "action"),
    ),
}
