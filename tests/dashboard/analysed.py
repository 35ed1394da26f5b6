"""
Tables of the analysis for the city of squares: made up, but whole, and of one piece.

Counts are those of the area in some window, so that what is told of a foreign area shows as such.
"""

import datetime as dt

import numpy as np
import pandas as pd

from data.analysis_settings import DEFAULTS, settings_version
from data.index_file import read_index_settings
from data.index_trace import compose
from data.periods import Window, shift, span
from data.shown_settings import settings_entry
from tests.dashboard.paged import page_tables

NOWHERE = DEFAULTS / "no city folder"
SETTINGS = read_index_settings(NOWHERE)
CONFIG = settings_version(NOWHERE)
GROUPS = ("all", "disputes", "police")
KEPT = 26
"""Periods of expected counts."""

TRACED = 2
"""Periods of the index."""

FIGURES = (
    "pai2", "pei2", "hit2", "pai2_to_kde4", "pai2_to_kde4_lower", "pai2_to_kde4_upper",
    "pai2_to_history", "pai2_to_history_lower", "pai2_to_history_upper", "pai2_to_last",
    "deviance_to_kde4", "deviance_to_history", "deviance_to_last", "coverage",
)  # fmt: skip
"""Figures of a verdict that the screen does not show."""

SILENT_COUNTY = 3
"""A county whose hotline has gone silent."""


def facts(last):
    """What the manifest says of the analysis."""
    as_of = last + dt.timedelta(days=6)
    return {
        "settings": CONFIG, "made_at": "2026-11-16T00:00:00+00:00", "batch": 1,
        "first": shift(last, 1 - KEPT, grain="week").isoformat(), "last": last.isoformat(),
        "as_of": as_of.isoformat(), "groups": list(GROUPS[1:]),
        "complete_through": (as_of - dt.timedelta(days=2)).isoformat(),
        "shown": settings_entry(NOWHERE),
    }  # fmt: skip


def add_analysis(writer, areas, counts, last):
    """Write every table of the analysis that the screen reads."""
    tables = {}
    for level, table in counts.items():
        rows = areas[(areas["level"] == level) & areas["valid_to"].isna()]
        index = rows["area_index"].to_numpy()
        for name, frame in _level_tables(level, index, table, last):
            tables.setdefault(name, []).append(frame)
    tables["completeness"] = [_completeness(last)]
    for name, frames in tables.items():
        writer.add_table(name, pd.concat(frames, ignore_index=True))
    page_tables(writer, areas, counts, last)


def counted(table, index, window):
    """Incidents of areas in a window."""
    inside = table[table["period_start"].between(window.start, window.end)]
    sums = inside.groupby("area_index")["count"].sum()
    return sums.reindex(index, fill_value=0).to_numpy()


def _level_tables(level, index, table, last):
    rng = np.random.default_rng(len(index))
    base = pd.DataFrame({"level": level, "area_index": index})
    weeks = {end: counted(table, index, Window(end, 1, "week"))
             for end in span(shift(last, 1 - KEPT, grain="week"), last, grain="week")}  # fmt: skip
    for back in range(TRACED):
        end = shift(last, -back, grain="week")
        yield from _index(base.assign(period_end=end), weeks[end], rng)
        yield "area_trust", _trust(base.assign(period_end=end), weeks[end])
        if level in ("community", "grid"):
            yield "area_hotspots", hot(base.assign(period_end=end), weeks[end])
    for end, n in weeks.items():
        yield "expected", _ranged(base.assign(period_end=end, group="all"), n)
    yield from _signals(base, weeks, last)
    yield from _forecasts(base, weeks, last)
    yield "clock_states", _clocks(base, table, last)
    yield "resolution_cohorts", _cohorts(base, weeks, last)


def _index(base, n, rng):
    size = len(base)
    ratio = rng.uniform(0.5, 3.0, size=(size, len(SETTINGS.indicators)))
    ratio[:, 10] = np.nan  # fires: no source tells them
    deaths = (base["area_index"].to_numpy() % 3 == 0).astype(float)
    found = compose(ratio, SETTINGS, deaths=deaths)
    colour = found.raw_colour.astype(int)
    grey = (base["level"] == "county") & (base["area_index"] == SILENT_COUNTY)
    risk = np.where(grey, np.nan, found.risk)
    yield "area_index", base.assign(
        status=np.where(grey, "source_silent", "ok"), risk=risk, safety_index=100 - risk,
        colour=np.where(grey, 0, colour), raw_colour=colour, gated_colour=colour, p=0.004, n=n,
        override="", held=False, stability=0.9, is_firm=True, small_sample=n < 3,
        missing_weight=found.missing_weight, rank_lower=1, rank_upper=size, repeat_red=0,
        config=CONFIG, **{f"d{d + 1}": found.dimension_points[:, d] for d in range(6)},
    )  # fmt: skip
    for position, one in enumerate(SETTINGS.indicators):
        known = np.isfinite(ratio[:, position])
        counts = deaths if one.measure == "deaths" else n
        yield "index_trace", base.assign(
            indicator=one.id, count=np.where(known, counts, np.nan), exposure=np.nan,
            baseline=np.where(known, n / ratio[:, position], np.nan),
            ratio_own=ratio[:, position], ratio_peer=np.nan, ratio_year=np.nan,
            ratio=ratio[:, position], points=found.points[:, position],
            weight=found.weight[:, position], status=np.where(known, "ok", "no_feed"),
            config=CONFIG,
        )  # fmt: skip


def _trust(base, n):
    quiet = (base["level"] == "county") & (base["area_index"] == SILENT_COUNTY)
    return base.assign(
        reported=n, discovered=n // 10, discovered_share=0.125, unplaced_share=0.031,
        complete=0.972, silent_sources=np.where(quiet, "hotline", ""), is_silent=quiet,
    )  # fmt: skip


def hot(base, n):
    """Rows of a table of hot spots: every fifth much, every seventh clusters, every third more."""
    at = np.arange(len(base))
    clusters = at % 7 == 0
    return base.assign(
        count=n, recent=n // 2, much_p=np.where(at % 5 == 0, 0.96, 0.4), much=at % 5 == 0,
        gi_z=np.where(clusters, 4.5, 0.3), gi_p=np.where(clusters, 0.0002, 0.4), clusters=clusters,
        expected=n / 4, exceed_p=np.where(at % 3 == 0, 0.001, 0.6), ring_p=0.5, more=at % 3 == 0,
        pattern=np.where(clusters, "new", "none"), pattern_group=np.where(clusters, "new", "none"),
    )  # fmt: skip


def hot_cells(registers, last):
    """Rows of `cell_hotspots` of registers by resolution."""
    frames = []
    for resolution, cells in registers.items():
        base = pd.DataFrame(
            {"period_end": last, "resolution": resolution,
             "cell": [int(cell, 16) for cell in cells["cell"]]}
        )  # fmt: skip
        frames.append(hot(base, np.arange(len(base)) + 3).assign(stable=base.index % 2 == 0))
    return pd.concat(frames, ignore_index=True)


def _ranged(base, n):
    return base.assign(
        observed=n - n // 10, expected=n * 0.9, lower=n * 0.5, upper=n * 1.5, size=50.0,
        complete=0.999,
    )  # fmt: skip


def _signals(base, weeks, last):
    day = last + dt.timedelta(days=6)
    some = base[base["area_index"] % 2 == 1]
    n = weeks[last][(base["area_index"] % 2 == 1).to_numpy()]
    yield "signals", some.assign(
        day=day, group="police", colour=3, by="ring", window_days=7, observed=n.astype(float),
        expected=n / 2.5, lower=n / 5.0, upper=n / 2.0, p=0.0004, ratio=2.5, reached_on=day,
        expires=day + dt.timedelta(days=7),
    )  # fmt: skip
    level = base["level"].iloc[0]
    tests = [(group, colour) for group in GROUPS for colour in range(1, 5)]
    yield "signal_chance", pd.DataFrame(
        {"day": day, "level": level, "group": [group for group, _ in tests],
         "colour": [colour for _, colour in tests], "tested": len(base), "issued": 1,
         "by_chance": 0.25}
    )  # fmt: skip
    ends = [end for end in list(weeks)[-8:] for _ in range(4)]
    yield "signal_records", pd.DataFrame(
        {"period_end": ends, "issued_on": [end - dt.timedelta(days=1) for end in ends],
         "level": level, "colour": list(range(1, 5)) * 8, "issued": 3, "followed": 2,
         "by_chance": 0.75}
    )  # fmt: skip


def _forecasts(base, weeks, last):
    n = weeks[shift(last, -1, grain="week")]
    start = shift(last, 1, grain="week")
    for number, group in enumerate(GROUPS, start=1):
        mean = n / number
        yield "forecasts", base.assign(
            made_on=start - dt.timedelta(days=1), period_start=start, group=group, mean=mean,
            unplaced=0.0, lower=np.floor(mean * 0.8), upper=np.ceil(mean * 1.2), size=40.0,
            is_frozen=True,
        )  # fmt: skip
    hidden = [group == "disputes" for group in GROUPS]
    told = dict.fromkeys(FIGURES, 1.0)
    yield "forecast_verdicts", pd.DataFrame(
        {"period_end": last, "target": base["level"].iloc[0], "group": GROUPS, "periods": KEPT,
         "events": 1.0, "is_shown": np.logical_not(hidden),
         "reason": np.where(hidden, "larger_error", "shown"),
         "reason_method": np.where(hidden, "history", "")}
    ).assign(**told)  # fmt: skip


def _clocks(base, table, last):
    index = base["area_index"].to_numpy()
    overdue = counted(table, index, Window(last, 4, "week"))
    running = counted(table, index, Window(last, 13, "week"))
    told = base.assign(
        period_end=last, group="all", clock="resolve", started=overdue + running + 1, in_time=1,
        late=0, running=running, overdue=overdue, unknown=2, expected_breach_6h=1.5,
        expected_breach_24h=7.25, oldest_overdue_days=41.0, days="calendar",
    )  # fmt: skip
    nothing = {"started": 0, "in_time": 0, "running": 0, "overdue": 0, "expected_breach_6h": np.nan,
               "expected_breach_24h": np.nan, "oldest_overdue_days": np.nan}  # fmt: skip
    return pd.concat([told, told.assign(clock="sign", unknown=9, **nothing)], ignore_index=True)


def _cohorts(base, weeks, last):
    frames = []
    for back in (5, 6):
        end = shift(last, -back, grain="week")
        n = weeks[end]
        told = {"received": n, "resolved_7d": n // 4, "resolved_30d": n // 2, "resolved": n // 2}
        told |= {"open": n - n // 2, "unknown": 3, "reopened_30d": np.nan}
        frames.append(base.assign(period_end=end, group="all", **told))
    young = {"resolved_7d": np.nan, "resolved_30d": np.nan}
    frames.append(frames[0].assign(period_end=last, received=weeks[last], **young))
    return pd.concat(frames, ignore_index=True)


def _completeness(last):
    days = [last + dt.timedelta(days=n) for n in range(7)]
    shares = {"all": [1.0] * 5 + [0.95, 0.8], "disputes": [1.0] * 3 + [0.9, 0.8, 0.7, 0.6],
              "police": [1.0] * 7}  # fmt: skip
    return pd.DataFrame(
        [
            {"group": group, "day": day, "share": share, "is_complete": share >= 0.97}
            for group, told in shares.items()
            for day, share in zip(days, told, strict=True)
        ]
    )
