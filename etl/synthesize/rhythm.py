"""When and where each class of incident happens: season, week, day, holidays, kind of place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

import chinese_calendar
import numpy as np

from etl.synthesize.plan import DAYS, FIRST_DAY, Floats

HOURS: dict[str, str] = {
    # Relative weight of each hour from 0 to 23, one digit each.
    "day": "110001246899876788765432",
    "office": "000000138998336888652111",
    "traffic": "211112598655566668987543",
    "evening": "432111123445545555678986",
    "night": "865322112233334445568999",
}


@dataclass(frozen=True)
class Rhythm:
    """
    Rhythm of one top class.

    `swing` and `peak` (month) of the season; `weekend` and the holiday factors against a
    working day; `hours` a key of `HOURS`; `growth` per year; `urban` the power of the local
    density in the place weight; `spread` of the lognormal place effect; `clump` the shape of the
    gamma over-dispersion (smaller: more); `magnets` the kinds of place that draw the class.
    """

    swing: float
    peak: float
    weekend: float
    holiday: float
    spring: float
    hours: str
    growth: float = 0.0
    urban: float = 0.0
    spread: float = 0.45
    clump: float = 8.0
    magnets: str = ""


RHYTHMS: dict[str, Rhythm] = {
    "D1": Rhythm(0.10, 2.5, 0.85, 1.05, 1.35, "office"),
    "D2": Rhythm(0.18, 7.0, 0.90, 0.80, 0.70, "office", 0.04),
    "D3": Rhythm(0.10, 11.5, 0.70, 0.75, 0.45, "office", 0.05, 0.12, magnets="m"),
    "D4": Rhythm(0.38, 1.0, 0.55, 0.50, 0.30, "office", 0.00, 0.08),
    "D5": Rhythm(0.22, 4.0, 0.70, 0.60, 0.60, "office", -0.05, -0.55),
    "D6": Rhythm(0.10, 9.0, 0.70, 0.80, 0.60, "office"),
    "P1": Rhythm(0.16, 8.0, 1.05, 1.10, 0.65, "evening", -0.06, 0.16, 0.6, 5.0, "ms"),
    "P2": Rhythm(0.26, 7.5, 1.30, 1.20, 0.95, "night", -0.03, 0.14, 0.6, 5.0, "n"),
    "P3": Rhythm(0.10, 10.0, 0.82, 1.05, 0.85, "traffic", 0.03, 0.04, 0.6, 6.0, "s"),
    "P4": Rhythm(0.18, 7.0, 1.12, 1.15, 1.25, "evening", 0.02, 0.06, 0.4, 8.0, "sn"),
    "H1": Rhythm(0.20, 12.0, 0.55, 0.55, 1.10, "office", 0.05, 0.05, 0.5, 5.0, "m"),
    "H2": Rhythm(0.24, 1.0, 0.50, 0.55, 1.30, "office", 0.00, 0.00, 0.5, 5.0, "m"),
    "H3": Rhythm(0.34, 7.2, 0.55, 0.55, 0.35, "office", 0.00, -0.15, 0.5, 4.0),
    "L1": Rhythm(0.24, 7.5, 0.80, 0.75, 0.65, "day", 0.05, 0.03, 0.4, 6.0),
    "L2": Rhythm(0.30, 7.3, 0.95, 0.90, 0.55, "evening", 0.04, 0.10, 0.45, 6.0, "n"),
    "L3": Rhythm(0.08, 9.0, 0.70, 0.85, 0.60, "day", 0.08, 0.08, 0.45, 7.0, "s"),
    "M1": Rhythm(0.20, 6.5, 0.90, 0.85, 0.45, "day", 0.02, 0.20, 0.5, 6.0, "ms"),
    "M2": Rhythm(0.20, 8.0, 0.75, 0.70, 0.40, "day", 0.00, 0.12, 0.45, 6.0),
}

STREAMS: dict[str, dict[str, float]] = {
    # Share of all incidents that comes through each source, by class.
    "disputes": {"D1": 1.5, "D2": 2.0, "D3": 1.8, "D4": 1.3, "D5": 0.9, "D6": 1.0},
    "police_calls": {"P1": 6.6, "P2": 4.0, "P3": 12.6, "P4": 9.8},
    "hazards": {"H1": 3.2, "H2": 1.2, "H3": 2.1},
    "hotline": {"L1": 12.2, "L2": 10.2, "L3": 9.6, "M1": 3.2},
    "grid_reports": {"M1": 8.4, "M2": 5.0, "L2": 1.8, "H1": 1.6},
}

LEAF_WEIGHTS: dict[str, str] = {
    # Relative weight of each leaf within its class, in the order of the codes.
    "D1": "5 3 2 1", "D2": "4 2 4 6 1", "D3": "6 5 2 4 1", "D4": "3 1 5 2", "D5": "4 4 1 2",
    "D6": "6 1 1 1", "P1": "8 9 1 2", "P2": "6 3 2 3", "P3": "4 12 5 6", "P4": "1 2 7 4 6",
    "H1": "5 6 3 4 3", "H2": "3 4 2 2", "H3": "3 4 2 2 1 3", "L1": "5 3 2 5 3 4",
    "L2": "4 6 5 4 1", "L3": "4 6 2 6 5 3", "M1": "7 6 3 2 5", "M2": "4 3 3 4",
}  # fmt: skip

LEAF_SEASONS: dict[str, tuple[float, float]] = {
    # Leaf: month of its own peak and how pronounced it is.
    "H204": (1.4, 2.4), "H304": (7.3, 1.6), "H305": (7.0, 1.2), "H306": (7.0, 1.9),
    "D403": (1.0, 1.2), "L101": (7.5, 0.7), "L102": (7.6, 0.9), "L103": (1.0, 0.8),
    "M203": (8.2, 1.3), "L306": (8.8, 0.6), "P402": (7.5, 0.5), "D501": (4.0, 0.7),
}  # fmt: skip


def hour_weights(name: str) -> Floats:
    """Share of each hour of the day, shape (24,)."""
    weights = np.array([float(digit) for digit in HOURS[name]]) + 0.15
    return np.asarray(weights / weights.sum())


def _months() -> Floats:
    """Month of each day as a number from 0 to 12, shape (DAYS,)."""
    days = [FIRST_DAY + timedelta(days=number) for number in range(DAYS)]
    return np.array([day.timetuple().tm_yday / 365.25 * 12 for day in days])


def leaf_season(leaf: str) -> Floats:
    """Relative weight of a leaf within its class on each day, shape (DAYS,)."""
    if leaf not in LEAF_SEASONS:
        return np.ones(DAYS)
    peak, strength = LEAF_SEASONS[leaf]
    return np.asarray(np.exp(strength * np.cos((_months() - peak) / 6 * np.pi)))


def _day_factor(day: date, rhythm: Rhythm) -> float:
    """Weekday, holiday, or a weekend worked in lieu."""
    free, name = chinese_calendar.get_holiday_detail(day)
    if free and name == "Spring Festival":
        return rhythm.spring
    if free and name is not None:
        return rhythm.holiday
    monday = 1.06 if day.weekday() == 0 else 1.0
    return rhythm.weekend if free else monday


@cache
def day_weights(code: str) -> Floats:
    """
    Expected course of a top class over the two years.

    Parameters
    ----------
    code
        A key of `RHYTHMS`.

    Returns
    -------
    weights
        Share of each day, shape (DAYS,).
    """
    rhythm = RHYTHMS[code]
    season = 1 + rhythm.swing * np.cos((_months() - rhythm.peak) / 6 * np.pi)
    growth = (1 + rhythm.growth) ** (np.arange(DAYS) / 365.25)
    days = np.array(
        [_day_factor(FIRST_DAY + timedelta(days=number), rhythm) for number in range(DAYS)]
    )
    weights = season * growth * days
    return np.asarray(weights / weights.sum())
