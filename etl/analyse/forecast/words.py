"""
What a scorecard says in plain words.

Never a share of right answers: whoever never warns has the highest one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from etl.analyse.forecast.plain import HEAT, HISTORY, LAST
from etl.analyse.forecast.scorecards import OURS

if TYPE_CHECKING:
    import pandas as pd

    from data.periods import Grain

_PLAIN: Final = (HISTORY, HEAT, LAST)
_PERIOD: Final[dict[Grain, tuple[str, str]]] = {
    "week": ("上周", "last week"),
    "month": ("上月", "last month"),
}


@dataclass(frozen=True)
class Words:
    """The same sentence in Chinese and English."""

    zh: str
    en: str


def hit_sentence(rows: pd.DataFrame, *, grain: Grain) -> Words | None:
    """
    Say how one target's forecast of one period did.

    Parameters
    ----------
    rows
        Rows of `scorecards` of one period, target and group, all methods.

    Returns
    -------
    words
        With the best of the plain methods as "the simple baseline"; None where nothing was listed.
    """
    by_method = rows.set_index("method")
    if OURS not in by_method.index:
        return None
    ours = by_method.loc[OURS]
    if not ours["listed"] > 0:
        return None
    plain = [by_method.loc[name, "pai2"] for name in _PLAIN if name in by_method.index]
    best = max((one for one in plain if np.isfinite(one)), default=np.nan)
    against = float(ours["pai2"] / best) if best > 0 else np.nan
    hit, area = (100 * float(ours[name]) for name in ("hit2", "area_share"))
    zh, en = _PERIOD[grain]
    listed, found = int(ours["listed"]), int(ours["with_event"])
    compared_zh = f"，是简单基线的 {against:.2f} 倍" if np.isfinite(against) else ""
    compared_en = f", {against:.2f} times the simple baseline" if np.isfinite(against) else ""
    noun_zh, noun_en = ("网格", "cells") if _is_cells(rows) else ("区域", "areas")
    return Words(
        zh=f"{zh}预测最高的 {listed} 个{noun_zh}中 {found} 个确有事件；命中全市事件的 {hit:.1f} %，"
        f"面积占 {area:.1f} %，是随机的 {ours['pai2']:.1f} 倍{compared_zh}。",
        en=f"Of the {listed} {noun_en} ranked highest {en}, {found} had an event; they held "
        f"{hit:.1f} % of the city's events on {area:.1f} % of its area, "
        f"{ours['pai2']:.1f} times what chance gives{compared_en}.",
    )


def _is_cells(rows: pd.DataFrame) -> bool:
    return str(rows["target"].iloc[0]) in ("r8", "r9")
