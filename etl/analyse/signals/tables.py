"""Tables of the early signals: a row for each area that shows a colour on a day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from data.analysis_settings import DEFAULTS
from data.signal_settings import read_signal_settings
from etl.analyse.expected import interval
from etl.analyse.signals.chance import COLOURS, by_chance
from etl.analyse.signals.day import Watch

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray
    from scipy import sparse

    from data.signal_settings import SignalSettings
    from etl.analyse.bed import Bed, Floats, Ints
    from etl.analyse.signals.day import Tested
    from etl.analyse.signals.detect import Test

DAYS: Final = 7
"""Newest days whose signals are made in a first build."""

HELD: Final = 2
"""Lowest colour that stays for `hold_days`: chance alone brings too many of the lowest."""

SIGNALS: Final = (
    "day", "level", "area_index", "group", "colour", "by", "window_days", "observed", "expected",
    "lower", "upper", "p", "ratio", "reached_on", "expires",
)  # fmt: skip
CHANCE: Final = ("day", "level", "group", "colour", "tested", "issued", "by_chance")


def newest_days(bed: Bed) -> list[np.datetime64]:
    """Days that a first build makes signals for, in order."""
    return [bed.as_of - back for back in range(DAYS - 1, -1, -1)]


def signal_tables(
    bed: Bed,
    adjacency: sparse.csr_array,
    day_list: Iterable[np.datetime64],
    *,
    settings: SignalSettings | None = None,
    groups: Sequence[str] | None = None,
) -> dict[str, pd.DataFrame]:
    """
    Signals of some days, each as known on the day itself.

    Parameters
    ----------
    adjacency
        Which of the lowest areas are neighbours, 0/1 without self, (n, n).
    day_list
        Days, none after `bed.as_of`. By month only the last day of a month has signals.
    settings
        By default those of the product.
    groups
        By default `all` and every group.

    Returns
    -------
    tables
        `signals` and `signal_chance`, columns `SIGNALS` and `CHANCE`. `observed` is without bulk
        imports; `expected` what should be known by the day, with its 90 % interval. Of `by`
        `ring`, figures are those of the area with its neighbours. A colour shows at once and,
        from `HELD` up, `hold_days` after the last day on which it was reached (`reached_on`).
    """
    watch = Watch(bed, adjacency, settings or read_signal_settings(DEFAULTS))
    signals, chance = [], []
    for day in day_list:
        for group in groups or ("all", *bed.groups):
            found = watch.tested(group, day)
            if found is None:
                continue
            rows = _rows(watch, group, day, found)
            signals.append(rows)
            chance.append(_chance(watch, group, day, rows))
        _forget(bed, day - watch.settings.hold_days)
    return {"signals": _joined(signals, SIGNALS), "signal_chance": _joined(chance, CHANCE)}


def _joined(frames: list[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    filled = [one for one in frames if len(one)]
    joined = pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=list(columns))
    return joined[list(columns)]


def _forget(bed: Bed, day: np.datetime64) -> None:
    """Drop what no later day asks for; ends of periods stay for the record."""
    if day not in bed.ends:
        for key in [key for key in bed.memo if key[0] == "tested" and key[2] == day]:
            del bed.memo[key]
    for key in [key for key in bed.memo if key[0] == "signal_before" and key[2] <= day - 6]:
        del bed.memo[key]


def _rows(watch: Watch, group: str, day: np.datetime64, found: Tested) -> pd.DataFrame:
    bed, settings = watch.bed, watch.settings
    frames = []
    for depth, level in enumerate(bed.levels):
        colour, reached = found.colour(depth), np.full(len(found.colour(depth)), day)
        for back in range(1, settings.hold_days + 1) if bed.grain == "week" else ():
            before = watch.tested(group, day - back)
            if before is None:
                break
            earlier = before.colour(depth)
            higher = (earlier > colour) & (earlier >= HELD)
            colour = np.where(higher, earlier, colour)
            reached = np.where(higher, day - back, reached)
        known = np.isfinite(found.tests[depth][0].mean)
        rows = np.flatnonzero((colour > 0) & known)
        if len(rows):
            figures = _figures(found.tests[depth], rows)
            frames.append(
                pd.DataFrame({
                    "day": day, "level": level, "area_index": rows.astype(np.int32),
                    "group": group, "colour": colour[rows].astype(np.int32),
                    "window_days": np.int32(found.days), **figures,
                    "reached_on": reached[rows], "expires": reached[rows] + settings.expires_days,
                })
            )  # fmt: skip
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(SIGNALS))


def _figures(tests: Sequence[Test], rows: Ints) -> dict[str, NDArray[np.object_] | Floats]:
    """Figures of the test that speaks loudest: highest colour, then smallest probability."""
    colour = np.array([one.colour[rows] for one in tests])
    p = np.array([one.p[rows] for one in tests])
    best = np.argmin(np.where(colour == colour.max(axis=0), p, 2.0), axis=0)

    def pick(name: str) -> Floats:
        every = np.array([getattr(one, name)[rows] for one in tests], dtype=np.float64)
        return np.asarray(every[best, np.arange(len(rows))])

    observed, mean, size = pick("observed"), pick("mean"), pick("size")
    lower, upper = interval(mean, size)
    return {
        "by": np.array([one.by for one in tests], dtype=object)[best],
        "observed": observed,
        "expected": mean,
        "lower": lower,
        "upper": upper,
        "p": pick("p"),
        "ratio": observed / mean,
    }


def _chance(watch: Watch, group: str, day: np.datetime64, rows: pd.DataFrame) -> pd.DataFrame:
    """Beside each colour: areas tested, areas that reach it today, how many would by chance."""
    number, tested_areas = chance_of_week(watch, group, day)
    today = rows[rows["reached_on"] == day]
    shown = today.groupby(["level", "colour"]).size().to_dict()
    return pd.DataFrame(
        [
            (day, level, group, colour, tested_areas[depth], shown.get((level, colour), 0),
             float(number[depth, colour]))
            for depth, level in enumerate(watch.bed.levels)
            for colour in range(1, COLOURS)
        ],
        columns=list(CHANCE),
    ).astype({"colour": np.int32, "tested": np.int32, "issued": np.int32})  # fmt: skip


def chance_of_week(watch: Watch, group: str, day: np.datetime64) -> tuple[Floats, list[int]]:
    """
    Signals by chance (n levels, 5) and areas tested, from the last period that ended by a day.

    They hardly change from day to day; one set of draws serves a week.
    """
    bed = watch.bed
    ended = int(np.searchsorted(bed.ends, day, side="right")) - 1
    base = bed.ends[ended] if ended >= 0 else day
    found = watch.tested(group, base)
    if found is None:
        base, found = day, watch.tested(group, day)
    key = ("signal_chance", group, base)
    if key not in bed.memo:
        assert found is not None
        seed = [int(base.astype(np.int64)), ("all", *bed.groups).index(group)]
        areas = [int(np.count_nonzero(np.isfinite(one[0].mean))) for one in found.tests]
        bed.memo[key] = by_chance(found, watch.ring, watch.settings, seed=seed), areas
    result: tuple[Floats, list[int]] = bed.memo[key]
    return result
