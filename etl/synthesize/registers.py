"""Registers of the demonstration city: inspection points, posts and units, visits of patrols."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from etl.synthesize.plan import LAST_DAY
from geo import crs

if TYPE_CHECKING:
    from pathlib import Path

    from etl.synthesize.ledgers import Located
    from etl.synthesize.places import Places

    Chance = np.random.Generator

FOLDER: Final = "registers"
WEEKS: Final = 13
MOST: Final = 6_000
"""Inspection points of the largest city."""

UNTOLD: Final = 0.06
"""Share of the grids whose visits nobody tells."""

_KINDS: Final = {
    "消防栓": (0.42, 30), "危险源": (0.08, 30), "校园出入口": (0.1, 7), "监控": (0.25, 90),
    "人员密集场所": (0.1, 90), "其他": (0.05, 0),
}  # fmt: skip
"""Share of the points, and days from one inspection to the next; 0 = nobody told."""

_POSTS: Final = (
    "grid_station", "police_post", "fire_station", "patrol_unit", "rescue_unit", "traffic_unit",
)  # fmt: skip
_POST_SHARES: Final = (0.5, 0.15, 0.05, 0.2, 0.05, 0.05)


def write_registers(folder: Path, places: Places, located: Located, rng: Chance) -> None:
    """
    Write the three registers, each with faults of its kind.

    Parameters
    ----------
    folder
        Of the made files.
    """
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    for name, rows in (
        ("facilities", _facilities(places, located, rng)),
        ("posts", _posts(places, located, rng)),
        ("patrols", _patrols(located, rng)),
    ):
        path = folder / FOLDER / f"{name}.csv"
        rows.to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\n")


def _facilities(places: Places, located: Located, rng: Chance) -> pd.DataFrame:
    count = min(MOST, 2 * len(np.unique(places.grid)))
    at = rng.choice(len(places.lng), size=count, replace=len(places.lng) < count)
    shares = [share for share, _ in _KINDS.values()]
    kind = rng.choice(np.array(list(_KINDS), dtype=object), size=count, p=shares)
    cycle = np.array([_KINDS[each][1] for each in kind])
    # Most are kept up; some kinds of some grids have been forgotten for months.
    late = rng.random(count) < 0.12
    age = np.where(late, cycle * rng.uniform(1.0, 2.2, count), cycle * rng.random(count))
    ago = np.maximum(age, rng.integers(0, 60, count) * (cycle == 0)).astype(np.int64)
    days = np.datetime64(LAST_DAY) - ago
    lng, lat = crs.wgs84_to_gcj02(places.lng[at], places.lat[at])
    rows = pd.DataFrame(
        {
            "设施编号": [f"SS{number:06d}" for number in range(1, count + 1)],
            "设施类别": kind,
            "所属网格": _grid_today(located)[at],
            "经度": lng.round(6),
            "纬度": lat.round(6),
            "巡检周期（天）": [str(each) if each else "" for each in cycle],
            "最近巡检日期": pd.Series(days.astype("datetime64[D]")).dt.strftime("%Y/%m/%d"),
            "状态": np.where(rng.random(count) < 0.02, "停用", "在用"),
            "责任人": "",
        }
    )
    rows.loc[rng.random(count) < 0.03, "最近巡检日期"] = ""
    return pd.concat([rows, _faults(rows)], ignore_index=True)


def _faults(rows: pd.DataFrame) -> pd.DataFrame:
    """Two repeated rows, and one each of several faults."""
    wrong = rows.iloc[:6].copy()
    wrong["设施编号"] = [*rows["设施编号"].iloc[:2], "", "SS9000", "SS9001", "SS9002"]
    wrong.loc[wrong.index[3], "设施类别"] = "不明"
    wrong.loc[wrong.index[4], "最近巡检日期"] = "2031/01/01"
    wrong.loc[wrong.index[5], ["经度", "纬度", "所属网格"]] = [0, 0, ""]
    return wrong


def _posts(places: Places, located: Located, rng: Chance) -> pd.DataFrame:
    count = max(12, len(np.unique(places.grid)) // 12)
    at = rng.choice(len(places.lng), size=count, replace=False)
    return pd.DataFrame(
        {
            "id": [f"P{number:04d}" for number in range(1, count + 1)],
            "kind": rng.choice(np.array(_POSTS, dtype=object), size=count, p=_POST_SHARES),
            "grid": _grid_today(located)[at],
            "lng": places.lng[at].round(6),
            "lat": places.lat[at].round(6),
        }
    )


def _patrols(located: Located, rng: Chance) -> pd.DataFrame:
    """Visits of the newest weeks; a grid that is not told in a week has no row, not a zero."""
    codes = np.unique(_grid_today(located).astype(str))
    usual = rng.gamma(2.0, 3.0, len(codes))
    told = np.ones(len(codes), dtype=bool)
    told[rng.choice(len(codes), max(1, round(UNTOLD * len(codes))), replace=False)] = False
    last = np.datetime64(LAST_DAY) - 6
    weeks = last - 7 * np.arange(WEEKS)[::-1]
    parts = [
        pd.DataFrame(
            {
                "网格编码": codes[told],
                "周一日期": np.datetime_as_string(week),
                "到访次数": rng.poisson(usual[told]),
            }
        )
        for week in weeks
    ]
    return pd.concat(parts, ignore_index=True)


def _grid_today(located: Located) -> np.ndarray:
    """Grid code of each address after all re-cuts."""
    grid: np.ndarray = np.asarray(located.fresh, dtype=object)
    return grid
