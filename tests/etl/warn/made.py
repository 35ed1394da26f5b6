"""A made snapshot: the stored tables that rules read, a handful of rows each."""

import datetime as dt
from types import SimpleNamespace

import duckdb
import pandas as pd

from tests.data.warnings.town import AREAS

MONDAY = dt.date(2026, 11, 9)
SUNDAY = dt.date(2026, 11, 15)

CATEGORIES = pd.DataFrame(
    [(0, "D1", None), (1, "D101", "D1"), (2, "P3", None), (3, "P302", "P3"), (4, "X9", None)],
    columns=["category_index", "code", "parent_code"],
)

_INDEX = (
    "level", "area_index", "period_end", "status", "colour", "risk", "n", "p", "stability",
    "is_firm", "small_sample", "override", "d1", "d2", "d3", "d4", "d5", "d6", "repeat_red",
)  # fmt: skip


def areas():
    """The town's areas, numbered within their level."""
    return AREAS.assign(area_index=AREAS.groupby("level", sort=False).cumcount())


def at(level, code):
    """Number of an area."""
    found = areas()
    return int(found[(found["level"] == level) & (found["code"] == code)]["area_index"].iloc[0])


class Made:
    """A snapshot of frames; `day` moves with the data."""

    def __init__(self, day=SUNDAY, period=MONDAY, **tables) -> None:
        self.id = f"made-{day}"
        self.areas, self.categories = areas(), CATEGORIES
        self.manifest = SimpleNamespace(
            raw={"analysis": {"as_of": day.isoformat()}}, city={"time_zone": "Asia/Shanghai"}
        )
        self._tables = {"areas": self.areas, "categories": CATEGORIES, **tables}
        self._connection = duckdb.connect()
        for name, frame in self._tables.items():
            self._connection.register(name, frame)
        self.period = period

    def tables(self):
        return sorted(self._tables)

    def rows(self, sql, parameters=()):
        return self._connection.execute(sql, list(parameters)).fetchall()


def index(*colours, period=MONDAY):
    """`area_index`: (level, code, colour, repeat_red) each; others do not exist."""
    rows = [
        (level, at(level, code), period, "ok" if colour else "silent", colour,
         60.0 if colour else float("nan"), 9, 0.01, 0.9, True, False, "",
         *([1.0] * 6), repeats)
        for level, code, colour, repeats in colours
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(_INDEX))


def signals(*rows, day=SUNDAY):
    """`signals` and `signal_chance`: (level, code, group, colour, reached_on) each."""
    names = (
        "day", "level", "area_index", "group", "colour", "by", "window_days", "observed",
        "expected", "upper", "p", "ratio", "reached_on",
    )  # fmt: skip
    found = [
        (day, level, at(level, code), group, colour, "area", 7, 9.0, 2.0, 5.0, 0.001, 4.5, reached)
        for level, code, group, colour, reached in rows
    ]
    frame = pd.DataFrame(found, columns=list(names))
    for name in ("day", "reached_on"):
        frame[name] = pd.to_datetime(frame[name])
    return {
        "signals": frame,
        "signal_chance": pd.DataFrame({"day": [pd.Timestamp(day)], "colour": [4]}),
    }
